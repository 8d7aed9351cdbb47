"""`python -m gan_core`, as a user types it."""

import contextlib
import io
import json
import math
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from gan_core import __main__ as cli
from gan_core import command_arguments
from gan_core.__main__ import main
from gan_core.data import download, loading
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_reading, unattended
from gan_core.scores import classifier
from gan_core.settings.config import IMAGE_DEFAULTS, GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from tests.conftest import ROOT

TINY = ["--set", "g_units=8", "--set", "d_units=8", "--set", "batch_size=16", "--set", "data_size=500"]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """A real process."""
    return subprocess.run(
        [sys.executable, "-m", "gan_core", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def one_json_line(output: str) -> dict:
    """What a command with --json must print, and nothing else."""
    assert output.endswith("\n") and output.count("\n") == 1
    return json.loads(output)


def test_train_ends_with_one_json_line(monkeypatch, capsys):
    """In a process of its own: the test of digits, below."""
    monkeypatch.setattr(unattended, "SAMPLES", 64)
    assert main(["train", "--preset", "ring", "--steps", "30", "--seed", "7", *TINY, "--json"]) == 0
    row = one_json_line(capsys.readouterr().out)
    assert row["preset"] == "ring" and row["steps"] == 30 and row["config"]["seed"] == 7
    assert row["config"]["g_units"] == 8
    assert row["seconds"] > 0 and row["steps_per_second"] > 0
    assert {"modes", "modes_total", "hq", "reverse_kl", "w1", "w1_floor", "mmd", "mmd_floor"} <= set(row["metrics"])


def test_a_config_file_and_a_data_file(tmp_path, capsys):
    config, data = tmp_path / "config.json", tmp_path / "points.csv"
    config.write_text(json.dumps({"g_units": 8, "d_units": 8, "batch_size": 16}))
    data.write_text("".join(f"{i % 13},{i % 7}\n" for i in range(100)))
    assert main(["train", "--config", str(config), "--data", str(data), "--steps", "5", "--json"]) == 0
    row = one_json_line(capsys.readouterr().out)
    assert row["config"]["data"] == "file" and row["steps"] == 5 and row["preset"] is None
    assert "modes" not in row["metrics"] and row["metrics"]["w1"] > 0


def own_table(folder, content):
    path = folder / "mine.csv"
    path.write_text(content)
    return str(path)


KINDS = "id,a,b,kind\n" + "".join(f"{i}1,{i % 13},{100 * (i % 7)},{'uv'[i % 2]}\n" for i in range(60)) + "7,,3,u\n"
TWO_WAYS = "a;b\n" + "".join(f"{i + 100},037;{i % 7}\n" for i in range(60))


def test_data_says_what_would_be_trained_on(tmp_path, capsys):
    path = own_table(tmp_path, KINDS)
    assert main(["data", path, "--json"]) == 0
    captured = capsys.readouterr()
    row = one_json_line(captured.out)
    assert (row["kind"], row["count"], row["shape"], row["columns"]) == ("points", 60, [2], ["a", "b"])
    assert row["classes"] == {"u": 30, "v": 30} and row["left_out"] == {"rows with a missing value": 1}
    assert row["ranges"]["b"] == {"before": [0.0, 600.0], "after": [-1.0, 1.0]}
    assert row["choices"]["columns"] == {"chosen": "a,b", "options": ["id", "a", "b"], "open": False}
    for note in row["notes"]:
        assert note in captured.err  # the guesses are said, too
    assert main(["data", path, "--columns", "b,id", "--classes-from", "none"]) == 0
    captured = capsys.readouterr()
    assert "b: 0 to 600" in captured.out and "classes" not in captured.out.split("--")[0]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (TWO_WAYS, [], "--decimal point or --decimal comma"),
        (TWO_WAYS, ["--decimal", "dot"], "point or comma, not 'dot'"),
        (KINDS, ["--columns", "a,c"], "no two columns 'a,c'"),
        ("1,2\n3,4\n", [], "only 2 rows"),
    ],
)
def test_data_that_are_refused_are_a_sentence_in_json_too(tmp_path, capsys, content, options, said):
    assert main(["data", own_table(tmp_path, content), *options, "--json"]) == 2
    captured = capsys.readouterr()
    assert said in one_json_line(captured.out)["error"] and said in captured.err


def test_training_takes_the_same_choices(tmp_path, capsys):
    path, small = own_table(tmp_path, TWO_WAYS), ["--set", "g_units=4", "--set", "d_units=4", "--steps", "2"]
    assert main(["train", "--data", path, *small]) == 2
    assert "--decimal comma" in capsys.readouterr().err
    run = ["--runs-dir", str(tmp_path), "--save", "own"]
    assert main(["train", "--data", path, "--decimal", "comma", "--sheet", "x", *small, *run]) == 0
    assert "--sheet decides nothing about this file." in capsys.readouterr().err
    data = run_reading.data_of(run_reading.read(tmp_path / "own"))
    assert data.points[:, 0].max() < 200 and not data.equal_axes and data.axes == ("a", "b")
    assert main(["train", "--preset", "ring", "--decimal", "comma"]) == 2
    assert "--decimal is about a file: give --data FILE, too." in capsys.readouterr().err
    assert main(["train", "--resume", "own", "--runs-dir", str(tmp_path), "--decimal", "comma"]) == 2
    assert "leave --decimal away" in capsys.readouterr().err


def test_seconds_end_a_run(monkeypatch, capsys):
    monkeypatch.setattr(unattended, "SAMPLES", 64)
    assert main(["train", "--preset", "moons", *TINY, "--seconds", "0.5", "--json"]) == 0
    assert one_json_line(capsys.readouterr().out)["steps"] > 0


def test_presets(capsys):
    assert main(["presets", "--json"]) == 0
    rows = one_json_line(capsys.readouterr().out)["presets"]
    assert [row["name"] for row in rows] == list(PRESETS)
    assert main(["presets"]) == 0
    assert "tutorial-disc" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--preset", "nope"], "There is no preset 'nope'"),
        (["train", "--set", "foo=1"], "There is no setting 'foo'"),
        (["train", "--set", "d_lr"], "NAME=VALUE"),
        (["train", "--set", "d_lr=9"], "d_lr must be a number from 1e-05 to 1"),
        (["train", "--set", "d_lr=nan"], "d_lr must be a number"),
        (["train", "--set", "data.foo=1"], "has no setting 'data.foo'"),
        (["train", "--set", "data=file"], "needs --data FILE"),
        (["train", "--seed", "x"], "seed must be a whole number"),
        (["train", "--config", "does/not/exist.json"], "cannot be read"),
        (["train", "--preset", "ring", "--config", "x"], "not both"),
        (["train", "--data", "does/not/exist.csv"], "cannot be read"),
        (["train", "--recipe", "nope"], "There is no recipe 'nope'; there are: original, "),
        (["train", "--preset", "digits", "--set", "packing=2"], "Packing (2) does not work with conditional training"),
        (["train", "--set", "packing=3"], "The batch size (256) must be a multiple of packing (3)"),
        (["train", "--set", "grad_clip=-1"], "grad_clip must be a number from 0 to 100; got '-1'"),
        (["train", "--save", "../x"], "'../x' cannot be used as a name."),
        (["train", "--save", "con"], "Windows"),
        (["evaluate", "nope"], "There is no saved run, JSON file of settings or preset 'nope'."),
        (["evaluate", "nope/../nope"], "There is no saved run"),
        (["evaluate", "x" * 5_000], "There is no saved run"),
        (["evaluate", "gan_core"], "There is no saved run"),
        (["evaluate", ""], "There is no saved run"),
        (["evaluate", "ring", "--recipe", "nope"], "There is no recipe 'nope'"),
        (["evaluate", "ring", "--set", "d_lr=9"], "d_lr must be a number"),
        (["evaluate", "ring", "--samples", "5"], "--samples must be at least"),
        (["evaluate", "ring", "--resamples", "5"], "--resamples must be at least"),
        (["evaluate", "README.md"], "The file is not valid JSON"),
    ],
)
def test_bad_usage_is_a_sentence_and_status_2(capsys, arguments, said):
    assert main([*arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"d_lr": []}', '{"nope": 1}', "\x00", '{"seed": 1e999}'])
def test_a_bad_config_file_is_a_sentence(tmp_path, capsys, content):
    path = tmp_path / "config.json"
    path.write_text(content)
    assert main(["train", "--config", str(path)]) == 2
    assert len(capsys.readouterr().err.strip()) > 20


@pytest.mark.parametrize("arguments", [["train", "--steps", "0"], ["train", "--seconds", "-1"], ["nope"], []])
def test_the_parser_ends_with_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["bench", "--help"], ["presets", "--help"], ["evaluate", "--help"]]
)
def test_help(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "--" in capsys.readouterr().out


def test_a_diverged_run_fails(capsys):
    wild = ["--set", "d_optimizer=sgd", "--set", "d_lr=1", "--set", "penalty=r1_r2", "--set", "gp_weight=100"]
    assert main(["train", *TINY, *wild, "--steps", "2000", "--json"]) == 1
    captured = capsys.readouterr()
    assert "Training diverged" in captured.err and captured.out == ""


# -- recipes ------------------------------------------------------------------------------------------------


def chosen(*arguments):
    """The config of a training, which does not begin."""
    return command_arguments.chosen_config(cli.parser().parse_args(["train", *arguments]))[0]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_after_the_preset_and_before_the_settings(name):
    assert chosen("--recipe", name) == RECIPES[name].of(PRESETS["ring"].config)
    assert chosen("--preset", "mnist", "--recipe", name) == RECIPES[name].of(PRESETS["mnist"].config)
    config = chosen("--recipe", name, "--preset", "grid", "--set", "g_lr=0.5", "--seed", "4")
    assert config == RECIPES[name].of(PRESETS["grid"].config).updated({"g_lr": 0.5, "seed": 4})


def test_a_recipe_on_a_config_file_and_on_images_by_name(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"data": "moons", "g_units": 8}))
    assert chosen("--config", str(path), "--recipe", "wgan").loss == "wasserstein"
    assert chosen("--config", str(path), "--recipe", "wgan").g_units == 8
    config = chosen("--set", "data=digits", "--recipe", "wgan_gp")
    assert config == RECIPES["wgan_gp"].of(GANConfig.from_flat({"data": "digits"})) and config.gp_weight == 10


# -- saved runs ---------------------------------------------------------------------------------------------

FEW = ["--samples", "64", "--resamples", "39"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(the folder of the runs, what `train` printed and said) of a small run called `first one`."""
    folder = tmp_path_factory.mktemp("runs")
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(unattended, "SAMPLES", 64)
        patch.setenv("GANSCOPE_RUNS_DIR", str(folder))
        unbounded = ["--set", "loss=wasserstein", "--set", "penalty=none", "--set", "g_layers=1", "--set", "d_layers=1"]
        assert main(["train", *TINY, *unbounded, "--steps", "3", "--save", "first one", "--json"]) == 0
    return folder, one_json_line(out.getvalue()), err.getvalue()


def evaluated(capsys, *arguments):
    assert main(["evaluate", *arguments, *FEW, "--json"]) == 0
    return one_json_line(capsys.readouterr().out)


def test_train_says_what_is_doubtful_and_where_the_run_is(saved):
    folder, row, err = saved
    assert "Note: With the loss wasserstein the discriminator's logits grow without limit" in err
    assert f"Saved as {folder / 'first one'}." in err
    assert row["steps"] == 3 and run_reading.read(folder / "first one").config == GANConfig.from_flat(row["config"])


def test_evaluate_a_saved_run(saved, capsys):
    folder, trained, _ = saved
    row = evaluated(capsys, "first one", "--runs-dir", str(folder))
    assert row["config"] == trained["config"] and row["step"] == 3
    assert {"hq", "reverse_kl", "w1"} <= set(row["scores"])
    for score in row["scores"].values():
        assert set(score) == {"value", "low", "high", "floor", "samples", "resamples"}
        assert score["value"] is None or score["low"] <= score["value"] <= score["high"]
    by_path = evaluated(capsys, str(folder / "first one"))
    assert by_path["scores"] == row["scores"]  # and so the same samples


def test_evaluate_prints_a_table(saved, capsys, monkeypatch):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(saved[0]))
    assert main(["evaluate", "first one", *FEW]) == 0
    out = capsys.readouterr().out
    assert "w1" in out and "floor" in out and "{" not in out


@pytest.mark.parametrize(
    "more", [["--set", "d_lr=1e-3"], ["--seed", "0"], ["--recipe", "dcgan"], ["--steps", "5"], ["--seconds", "1"]]
)
def test_a_saved_run_is_scored_as_it_is(saved, capsys, more):
    assert main(["evaluate", "first one", "--runs-dir", str(saved[0]), *more]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "first one is a saved run: it is scored as it is" in captured.err


def test_inception_is_for_images(saved, capsys):
    assert main(["evaluate", "first one", "--runs-dir", str(saved[0]), "--inception", "x"]) == 2
    assert "--inception is for images" in capsys.readouterr().err


def test_inception_looks_at_shuffled_real_and_at_generated_pictures(alone, monkeypatch, capsys):
    """The network itself is tested in test_inception.py."""
    from gan_core.scores import inception

    seen = []
    monkeypatch.setattr(inception, "load", lambda weights, say: weights)
    monkeypatch.setattr(inception, "scores", lambda *given: seen.append(given) or {"fid": 7.5, "samples": 20})
    small = [f"--set={setting}" for setting in ("data=digits", "architecture=mlp", "g_units=8", "d_units=8")]
    preset = ["evaluate", "digits", *small, "--set", "conditional=false", "--steps", "1", "--inception", "W"]
    assert main([*preset, "--samples", "20", "--resamples", "40"]) == 0
    assert "fid                    7.5" in capsys.readouterr().out
    network, real, fake, _ = seen[0]
    assert network == "W" and real.shape == (40, 28, 28, 1) and fake.shape == (20, 28, 28, 1)
    assert fake.dtype == real.dtype == np.uint8


def test_a_saved_run_of_a_file_holds_the_file(tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("\n".join(f"{i % 7},{i % 5}" for i in range(60)))
    small = ["--set", "g_units=4", "--set", "d_units=4", "--set", "g_layers=1", "--set", "d_layers=1"]
    train = ["train", "--data", str(points), *small, "--steps", "2", "--runs-dir", str(tmp_path), "--save", "own"]
    assert main(train) == 0
    points.unlink()
    capsys.readouterr()
    assert evaluated(capsys, "own", "--runs-dir", str(tmp_path))["step"] == 2
    assert main(["evaluate", "own", "--runs-dir", str(tmp_path), "--data", "other.csv"]) == 2
    assert "is a saved run" in capsys.readouterr().err


def test_a_run_of_an_older_format_is_a_sentence(tmp_path, capsys):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.json").write_text(json.dumps({"format": 1, "config": {"data": "file"}}))
    assert main(["evaluate", "own", "--runs-dir", str(tmp_path)]) == 2
    assert "was written by another version of GANscope" in capsys.readouterr().err


def test_a_broken_run_is_a_sentence(saved, tmp_path, capsys):
    run = tmp_path / "cut"
    run.mkdir()
    for path in (saved[0] / "first one").iterdir():
        (run / path.name).write_bytes(path.read_bytes()[: -1 if path.name.startswith("checkpoint-3") else None])
    assert main(["evaluate", str(run)]) == 2
    assert "was changed or cut off after saving" in capsys.readouterr().err


def test_a_run_that_cannot_be_saved_does_not_train(tmp_path, capsys):
    (tmp_path / "taken").write_text("mine")
    for place, name, said in ((tmp_path, "taken", "already"), (tmp_path / "taken", "run", "cannot be saved in")):
        assert main(["train", "--save", name, "--runs-dir", str(place)]) == 2
        err = capsys.readouterr().err
        assert said in err and "Compiling" not in err
    assert (tmp_path / "taken").read_text() == "mine"


def test_evaluate_a_file_of_settings_trains_it_first(tmp_path, capsys):
    path = tmp_path / "config.json"
    small = {"g_units": 4, "d_units": 4, "g_layers": 1, "d_layers": 1, "data_size": 500}
    path.write_text(json.dumps({"data": "gaussian", **small}))
    row = evaluated(capsys, str(path), "--recipe", "dcgan", "--set", "latent_dim=2", "--steps", "2")
    assert row["step"] == 2 and row["config"]["data"] == "gaussian" and row["config"]["g_norm"] == "batch"
    assert "w1" in row["scores"] and "hq" not in row["scores"]


# -- images -------------------------------------------------------------------------------------------------

SMALL = ["--set", "filters=8", "--set", "batch_size=8", "--set", "latent_dim=8", "--steps", "2"]
SCORES = {"confidence", "confidence_real", "class_tv", "class_tv_floor", "classifier_fid", "classifier_fid_floor"}
SCORES |= {"classifier_kid", "classifier_kid_floor", "untrained_fid", "untrained_fid_floor"}
SCORES |= {"samples", "classifier_accuracy", "histogram", "histogram_real", "g_loss", "d_loss", "sample_change"}
NEIGHBOURS = {"precision", "recall", "density", "coverage", "nearest_real"}
SCORES |= NEIGHBOURS | {f"{name}_floor" for name in NEIGHBOURS}


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine without any picture of its own, and few steps of the classifier's training."""
    for variable in ("GANSCOPE_DATA", "GANSCOPE_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(classifier, "STEPS", (20, 20))
    loading.forget()
    yield tmp_path
    loading.forget()


def noise(n=60, side=28):
    """Pictures with a bright half, upper or lower, which is the class."""
    labels = np.arange(n) % 2
    pixels = np.random.default_rng(0).integers(0, 100, (n, side, side)).astype(np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        picture[: side // 2] += (100 * label).astype(np.uint8)
    return pixels, labels


def npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def trained(capsys, *arguments):
    """The result of a successful run."""
    assert main(["train", *arguments, "--json"]) == 0
    return one_json_line(capsys.readouterr().out)


def test_digits_in_a_process_of_their_own(tmp_path):
    result = command("train", "--preset", "digits", "--steps", "3", "--json", GANSCOPE_CACHE=str(tmp_path))
    assert result.returncode == 0, result.stderr
    row = one_json_line(result.stdout)
    assert row["preset"] == "digits" and row["steps"] == 3
    metrics = row["metrics"]
    assert set(metrics) == SCORES
    assert all(math.isfinite(metrics[name]) for name in SCORES - {"histogram", "histogram_real"})
    assert metrics["sample_change"] > 0 and metrics["classifier_accuracy"] > 0.9
    assert len(list(tmp_path.glob("classifier-*.npz"))) == 1
    assert "Compiling" in result.stderr and "training the classifier" in result.stderr


def test_a_file_of_pictures_starts_from_the_defaults_of_images(alone, capsys):
    pixels, labels = noise()
    row = trained(capsys, "--data", npz(alone / "own.npz", images=pixels, labels=labels), *SMALL)
    assert row["preset"] is None and row["steps"] == 2
    config = row["config"]
    assert config["data"] == "picture_file" and config["filters"] == 8
    assert all(config[n] == v for n, v in IMAGE_DEFAULTS.items() if n not in ("batch_size", "latent_dim"))
    assert set(row["metrics"]) == SCORES and row["metrics"]["sample_change"] > 0
    assert len(row["metrics"]["histogram"]) == 2


def test_a_zip_of_pictures_in_folders(alone, capsys):
    pixels, labels = noise(40, 32)
    with zipfile.ZipFile(alone / "own.zip", "w") as archive:
        for i, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
            content = io.BytesIO()
            Image.fromarray(picture).convert("RGB").save(content, "PNG")
            archive.writestr(f"{'cats' if label else 'dogs'}/{i}.png", content.getvalue())
    # a preset's settings may be taken, and both networks told which is which
    own = ["--preset", "mnist_conditional", "--data", str(alone / "own.zip")]
    row = trained(capsys, *own, *SMALL)
    assert row["config"]["data"] == "picture_file" and row["config"]["conditional"] is True
    assert set(row["metrics"]) == SCORES


def test_pictures_without_classes_have_no_scores_and_cannot_be_told_apart(alone, capsys):
    path = npz(alone / "own.npz", x=noise()[0])
    row = trained(capsys, "--data", path, *SMALL)
    assert set(row["metrics"]) == {"samples", "g_loss", "d_loss", "sample_change"}
    assert main(["train", "--data", path, *SMALL, "--set", "conditional=true"]) == 2
    assert "Conditional training needs data of 2 to 100 classes" in capsys.readouterr().err


def test_the_table_of_images(alone, capsys):
    pixels, labels = noise()
    path = npz(alone / "own.npz", images=pixels, labels=labels)
    assert main(["train", "--data", path, *SMALL]) == 0
    out = capsys.readouterr().out
    assert out.startswith("picture_file: 2 steps in ") and "classifier_fid_floor" in out and "[" not in out


def test_a_known_set_alone_starts_from_the_defaults_of_images(alone, capsys):
    row = trained(capsys, "--set", "data=digits", "--set", "data.classes=0,1", *SMALL)
    assert row["preset"] is None and row["config"]["architecture"] == IMAGE_DEFAULTS["architecture"]
    assert row["metrics"]["samples"] > 100


def test_a_missing_set_is_fetched_once(alone, capsys, monkeypatch):
    """And then used; the download is a stand-in."""
    fetched = []

    def fetch(name, say):
        fetched.append(name)
        pixels, labels = noise()
        npz(alone / f"{name}.npz", x_train=pixels, y_train=labels, x_test=pixels[:20], y_test=labels[:20])
        say("fetched")

    monkeypatch.setattr(download, "download", fetch)
    for _ in range(2):
        row = trained(capsys, "--preset", "mnist", *SMALL)
        assert row["metrics"]["samples"] == 30
    assert fetched == ["mnist"]


def test_offline_a_missing_set_is_a_sentence(alone, capsys, monkeypatch):
    def fetch(name, say):
        raise ConfigError(f"The download of {name} failed: nobody answers.")

    monkeypatch.setattr(download, "download", fetch)
    for preset, name in (("mnist", "mnist"), ("tutorial-rgb", "mnist"), ("cifar10", "cifar10")):
        assert main(["train", "--preset", preset, "--json"]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and f"The download of {name} failed: nobody answers." in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "data=picture_file"], "needs --data FILE"),
        (["--preset", "digits", "--set", "data=ring"], " is for images, but ring has points"),
        (["--set", "conditional=true"], "conditional=True is for images"),
        (["--preset", "digits", "--set", "data.size=16"], "data.size must be one of native, 28, 32, 48, 64"),
        (["--preset", "digits", "--set", "data.classes=x"], "data.classes must be all, or class numbers"),
        (["--preset", "digits", "--set", "data.classes=11"], "there is no class 11"),
        (["--preset", "digits", "--set", "architecture=tutorial_dcgan64"], "makes images of 64 x 64 pixels"),
        (["--preset", "digits", "--set", "conditional=true", "--set", "data.classes=3"], "digits has 1."),
        (["--data", "does/not/exist.npz"], "cannot be read"),
    ],
)
def test_bad_usage_of_images_is_a_sentence_and_status_2(alone, capsys, arguments, said):
    assert main(["train", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


def test_a_file_that_is_no_picture_file_is_a_sentence(alone, capsys):
    for name in ("own.npz", "own.zip"):
        (alone / name).write_bytes(b"nothing of the kind")
        assert main(["train", "--data", str(alone / name)]) == 2
        assert "Accepted: a .zip, .tar" in capsys.readouterr().err


def test_the_readme_and_ci_use_the_same_test_command():
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    command_line = next(line for line in lines if "pytest" in line and not line.startswith("#"))
    assert command_line in (ROOT / "README.md").read_text()
