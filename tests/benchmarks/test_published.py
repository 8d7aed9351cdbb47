"""The published benchmarks: their tables and budgets, and one real run of a few steps."""

import json
import math

import numpy as np
import pytest

from gan_core.__main__ import main
from gan_core.benchmarks import benchmark_runs, few, published, published_text
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores import point_metrics
from gan_core.settings.recipes import RECIPES
from gan_core.training import trainer
from tests.support.tiny import quadrants, uncompiled


def test_mean_and_standard_error_by_hand():
    mean, error = published.mean_and_error([1.0, 2.0, 6.0])
    assert mean == 3 and error == pytest.approx(math.sqrt(7 / 3))  # variance (4 + 1 + 9) / 2 = 7
    assert published.mean_and_error([5.0]) == (5.0, None)


def test_the_floor_of_stacked_mnist_is_what_uniform_draws_score():
    rng = np.random.default_rng(0)
    draws = [rng.multinomial(benchmark_runs.STACKED_SAMPLES, np.full(1_000, 1e-3)) for _ in range(20)]
    assert np.mean([point_metrics.reverse_kl(counts) for counts in draws]) == pytest.approx(
        published.STACKED_FLOOR, rel=0.02
    )


def test_the_published_rows_of_stacked_mnist_are_pacgans_own_runs():
    """arXiv 1712.04086, Table 2; its protocol is ours: 128,000 training samples, 26,000 generated, 50 epochs."""
    rows = {name: values for name, *values in published.PUBLISHED_STACKED}
    assert rows["DCGAN"] == [(78.9, 6.5), (4.50, 0.13)] and rows["PacDCGAN2"] == [(1000.0, 0.0), (0.06, 0.003)]
    assert (benchmark_runs.PACGAN_STACKS, benchmark_runs.STACKED_SAMPLES) == (128_000, 26_000)
    assert published.PAPER_STEPS["stacked-mnist"]["pacgan2"] == 50 * 128_000 // 64
    assert (
        published.summary_of("stacked-mnist", "pacgan2", [{"steps": 9, "seconds": 1}], ())["cut_from_steps"] == 100_000
    )
    assert published.summary_of("mnist", "pacgan2", [{"steps": 9, "seconds": 1}], ())["cut_from_steps"] is None


def test_recipes_are_chosen_by_name_and_a_wrong_name_is_a_sentence():
    assert published.chosen_recipes("ganscope, dcgan", ()) == ("ganscope", "dcgan")
    assert published.chosen_recipes(None, ("r3gan",)) == ("r3gan",)
    with pytest.raises(ConfigError, match="There is no recipe 'nonsense'; there are: ganscope"):
        published.chosen_recipes("nonsense", ())


@pytest.mark.parametrize("budget", [published.FULL, published.QUICK])
def test_every_budget_names_recipes_that_exist(budget):
    assert set(budget) == {"modes", "stacked-mnist", "mnist"}
    for row in budget.values():
        assert (
            set(row.recipes) <= {benchmark_runs.OURS, *RECIPES} and row.seeds >= 1 and all(s > 0 for s in row.seconds)
        )


def test_a_papers_recipe_is_not_tried_on_networks_of_our_own():
    ours, paper = (benchmark_runs.config_of(recipe, "mnist", 0) for recipe in (benchmark_runs.OURS, "dcgan"))
    assert (ours.architecture, ours.filters) == ("coarse", 48)
    assert (paper.architecture, paper.filters, paper.batch_size) == ("dcgan_resize", 16, 128)


@pytest.mark.parametrize("recipe", [benchmark_runs.OURS, *RECIPES])
@pytest.mark.parametrize("preset", ["ring", "grid", "mnist", "stacked_mnist"])
def test_every_recipe_goes_with_every_benchmark(recipe, preset):
    config = benchmark_runs.config_of(recipe, preset, 4)
    assert config.seed == 4
    assert recipe == benchmark_runs.OURS or RECIPES[recipe].of(config) == config


FEW_STEPS = ["benchmark", "modes", "--recipes", "ganscope", "--seeds", "2", "--steps", "3", "--json"]


@pytest.fixture
def ring_alone(monkeypatch):
    """Of the benchmark `modes` only the ring, and a paper that trained for longer than a test does."""
    monkeypatch.setattr(published, "PUBLISHED_MODES", {"ring": published.PUBLISHED_MODES["ring"]})
    monkeypatch.setattr(published, "PAPER_STEPS", {"modes": {"ganscope": 1_000}})


@pytest.fixture
def few_steps(ring_alone, capsys, kept={}):  # noqa: B006  (two tests look at one training, which compiles for long)
    """The JSON of two seeds of a few steps, trained in this process."""
    if not kept:
        assert main(FEW_STEPS) == 0
        captured = capsys.readouterr()
        assert "ring ganscope seed 1: " in captured.err
        kept |= json.loads(captured.out)
    return kept


def test_a_run_of_a_few_steps_says_that_it_was_cut(few_steps):
    (row,) = few_steps["rows"]
    assert [seed["steps"] for seed in row["seeds"]] == [3, 3]
    assert row["cut_from_steps"] == 1_000
    assert row["modes"]["mean"] == np.mean([seed["modes"] for seed in row["seeds"]])
    assert few_steps["perfect"]["ring"]["modes"] == 8 and few_steps["samples"] == 2_500
    text = published_text.as_text(few_steps)
    assert "3 steps in" in text and "2 seeds, cut from 1,000" in text
    assert "PacGAN2, published" in text and "7.9 ± 0.1" in text


def test_runs_in_a_process_of_their_own_give_the_same(few_steps, capsys):
    """A process with all cores computes as this one does."""
    assert main([*FEW_STEPS, "--processes", "1"]) == 0
    captured = capsys.readouterr()
    assert "ring ganscope seed 1: " in captured.err
    apart = json.loads(captured.out)
    here, there = ([{**seed, "seconds": 0} for seed in result["rows"][0]["seeds"]] for result in (few_steps, apart))
    assert here == there and apart["processes"] == 1


class Losing:
    """An executor whose runs end with their process, the first so many times."""

    free = 1

    def __init__(self, times):
        self.times, self.started = times, []

    def start(self, run):
        self.started.append(run)

    def finished(self, seconds):
        lost = len(self.started) <= self.times
        return [(self.started[-1], None if lost else benchmark_runs.Result([{}], {}, ["said"]))]


def test_a_run_that_loses_its_process_is_tried_once_more():
    run = benchmark_runs.BenchmarkRun("modes", "ring", "ganscope", 0, 3, (None,))
    said = []
    assert benchmark_runs.all_of([run], Losing(1), said.append)[run.key].rows == [{}] and said == ["said"]
    with pytest.raises(ConfigError, match="ended 2 times"):
        benchmark_runs.all_of([run], Losing(2), said.append)


def test_what_cannot_be_run_is_said(monkeypatch):
    def refuse(run):
        raise ConfigError("There are no digits here.")

    monkeypatch.setitem(benchmark_runs._SCORED, "modes", refuse)
    run = benchmark_runs.BenchmarkRun("modes", "ring", "ganscope", 0, 3, (None,))
    with pytest.raises(ConfigError, match="There are no digits here"):
        benchmark_runs.all_of([run], None, print)


def test_missing_values_are_counted_and_never_shown_as_numbers():
    rows = [{"modes": 0, "reverse_kl": None}, {"modes": 2, "reverse_kl": 0.5}]
    summary = published._summary(rows, ("modes", "reverse_kl"))
    assert summary["modes"] == {"mean": 1, "error": 1, "missing": 0}
    assert summary["reverse_kl"] == {"mean": 0.5, "error": None, "missing": 1}
    assert published_text._cell(0.5, None, ".3f", 1) == "0.500 (1 without)"
    assert published_text._cell(None, None, ".3f") == "none"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["benchmark", "mnist", "--steps", "5"], "give --seconds, not --steps"),
        (["benchmark", "modes", "--recipes", "ring"], "There is no recipe 'ring'"),
        (["benchmark", "modes", "--augment", "none"], "--augment is for benchmark few, not for benchmark modes"),
        (["benchmark", "few", "--recipes", "dcgan"], "give --augment, not --recipes"),
        (
            ["benchmark", "few", "--augment", "blur"],
            "There is no augmentation 'blur'; there are: none",
        ),
        (["benchmark", "few", "--data", "no.npz"], "no.npz cannot be read"),
        (["benchmark", "few", "--plot", "/no/folder/few.html"], "There is no folder /no/folder"),
    ],
)
def test_bad_usage_is_a_sentence(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_few_data_with_and_without_augmentation(tmp_path, capsys, monkeypatch):
    """A small file of one's own: what is too small is left out, each row has its size, the plot needs no network.

    Nothing is compiled: that takes seconds for each of the six trainings, and their steps are few.
    """
    monkeypatch.setattr(trainer, "TrainStep", uncompiled)
    monkeypatch.setattr(few, "SAMPLES", 40)
    monkeypatch.setattr(few, "LOOKS", 2)
    pictures = quadrants(800)
    np.savez(tmp_path / "mine.npz", images=pictures.pixels, labels=pictures.labels)
    arguments = ["benchmark", "few", "--data", str(tmp_path / "mine.npz"), "--augment", "none,ada", "--seeds", "1"]
    plot = tmp_path / "few.html"
    assert main([*arguments, "--steps", "4", "--plot", str(plot), "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert "2 % are left out: 16 images are fewer than a batch of 64." in captured.err
    sizes = [(row["size"], row["augment"]) for row in result["rows"]]
    assert sizes == [(n, name) for n in (800, 160, 80) for name in ("none", "ada")]
    for row in result["rows"]:
        (seed,) = row["seeds"]
        assert seed["steps"] == 4 and row["classifier_fid"]["mean"] >= row["best_classifier_fid"]["mean"]
        assert (row["p_held_out"]["mean"] is None) == (row["size"] == 800)  # of a part the rest is held out
    assert result["samples"] == 40 and result["perfect"]["picture_file"]["classifier_fid"] > 0
    text = published_text.as_text(result)
    assert "20 %, ada" in text and "untrained-FID" in text
    page = plot.read_text("utf-8")
    assert page.count("<script>") == 2 and "src=" not in page.split("</head>")[1] and "classifier-FID" in page
