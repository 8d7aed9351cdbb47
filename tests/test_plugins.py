"""Rows of registries from outside the package: a plugin's, in everything that lists or uses them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import streamlit as st

from gan_core import __main__ as cli
from gan_core import plugins
from gan_core.data.loading import load
from gan_core.export.script import script
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores import evaluation
from gan_core.scores.live import live_scores
from gan_core.settings import all_settings
from gan_core.settings.all_settings import HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.combinations import acts, needs, why_idle
from gan_core.settings.config import GANConfig
from gan_core.training.trainer import Trainer
from pages.ui.figures import score_texts
from tests.conftest import ROOT
from tests.support.app import FakeHub, open_page

EXAMPLE = ROOT / "docs" / "plugin_example.py"
POINTS = {"data": "cross", "data_size": 200, "batch_size": 16, "g_units": 8, "d_units": 8, "g_layers": 1, "d_layers": 1}
PICTURES = {"data": "digits", "data_size": 60, "batch_size": 8, "architecture": "small", "filters": 8, "latent_dim": 4}
ROWS = {
    "loss": {"loss": "margin", "penalty": "r1", "hinge_margin": 2.0},
    "penalty": {"penalty": "drift", "gp_weight": 0.5},
    "optimizer": {"g_optimizer": "adamw", "d_optimizer": "adamw", "g_weight_decay": 0.5, "grad_clip": 1.0},
    "unrolled optimizer": {"d_optimizer": "adamw", "unroll": 2},
    "schedule": {"schedule": "root", "schedule_steps": 100, "schedule_floor": 0.1},
    "data set": {"data.thickness": 0.2},
    "augmentation": {**PICTURES, "augment": "mirror"},
    "architecture": PICTURES,
    "Keras models": {"architecture": "pair", "pair_units": 12},
}


@pytest.fixture
def restored():
    """The registries as they were, at the end."""
    before = {kind: dict(registry) for kind, (registry, _) in plugins.REGISTRIES.items()}
    yield
    for kind, (registry, _) in plugins.REGISTRIES.items():
        registry.clear()
        registry.update(before[kind])
    all_settings.collect()


@pytest.fixture
def example(restored):
    assert plugins._take_up(EXAMPLE, checked=False) == ""


def config_of(kind):
    return GANConfig.from_flat(ROWS[kind] if kind in ("architecture", "augmentation") else {**POINTS, **ROWS[kind]})


def test_a_row_brings_its_own_hyperparameters(example):
    assert {"hinge_margin", "g_weight_decay", "d_weight_decay"} <= {*HYPERPARAMETERS}
    assert "hinge_margin" in LIVE_FIELDS and HYPERPARAMETERS["g_weight_decay"].group == "Generator"
    config = GANConfig.from_flat({"loss": "margin", "hinge_margin": "3", "d_optimizer": "adamw"})
    assert config.hinge_margin == 3.0 and config.d_weight_decay == 0.01 and config.to_query()["hinge_margin"] == "3.0"
    assert GANConfig.from_flat(config.to_flat()) == config
    assert acts("hinge_margin", config) and not acts("g_weight_decay", config)
    assert why_idle("hinge_margin", GANConfig.from_flat({})) == "the loss non_saturating does not use it"
    assert needs("g_weight_decay") == "the optimizer adamw" and needs("hinge_margin") == "the loss margin"
    with pytest.raises(ConfigError, match=r"hinge_margin must be a number from 0\.1 to 10"):
        GANConfig.from_flat({"hinge_margin": 11})


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_trains_and_its_own_hyperparameters_act(example, kind):
    config = config_of(kind)
    trainer = Trainer(config, load(config), path="graph")
    rows = trainer.train(3)
    assert np.isfinite(rows).all()
    own = {"loss": "hinge_margin", "optimizer": "g_weight_decay", "data set": "data.thickness"}.get(kind)
    if own:
        other = config.updated({own: 0.3})
        assert not np.array_equal(Trainer(other, load(other), path="graph").train(3), rows)


def test_keras_models_are_in_the_table_of_layers_and_in_a_checkpoint(example):
    config = config_of("Keras models")
    trainer = Trainer(config, load(config), path="graph")
    trainer.train(2)
    rows = trainer.program.layers()
    assert {row["network"] for row in rows} == {"generator", "discriminator"}
    assert sum(row["parameters"] for row in rows if row["network"] == "generator") == 2 * 12 + 12 + 12 * 2 + 2
    other = Trainer(config, load(config), path="graph")
    other.restore(trainer.named())
    assert np.array_equal(other.train(2), trainer.train(2))
    config, problems = GANConfig.from_flat_lenient({**config.to_flat(), "packing": 2, "batch_size": 16})
    assert config.packing == 1 and "a pair of Keras models, which packing cannot change" in problems[0]


def test_a_live_one_changes_a_running_training_and_traces_nothing(example):
    config = config_of("loss")
    trainer, other = (Trainer(config, load(config), path="graph") for _ in range(2))
    trainer.train(2)
    other.train(2)
    traces = trainer.program.traces
    trainer.set_live(config.updated({"hinge_margin": 5.0}))
    assert not np.array_equal(trainer.train(2), other.train(2)) and trainer.program.traces == traces


SCRIPTS = """
import contextlib, io, json, runpy, sys
for path in sys.argv[1:]:
    sys.argv = [path, "--steps", "3", "--print-every", "1", "--output", path + ".png"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(path, run_name="__main__")
    print(json.dumps(printed.getvalue().splitlines()), flush=True)
assert not {"gan_core", "streamlit"} & set(sys.modules)
"""


def test_exported_scripts_have_the_same_losses(example, tmp_path):
    """Of the same settings, in one process of their own that knows neither GANscope nor the plugin."""
    configs = {kind: config_of(kind).updated({"seed": 5}) for kind in ROWS}
    paths = {kind: tmp_path / f"{kind}.py" for kind in ROWS}
    for kind, path in paths.items():
        path.write_text(script(configs[kind]), "utf-8")
        assert "gan_core" not in path.read_text("utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPTS, *map(str, paths.values())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    for (kind, config), said in zip(configs.items(), done.stdout.splitlines(), strict=True):
        printed = [line.split() for line in json.loads(said) if line.startswith("step")]
        rows = Trainer(config, load(config), path="graph").train(3)
        found = [[float(p[3]), float(p[5])] for p in printed]
        np.testing.assert_allclose(found, rows[:, :2], rtol=2e-3, atol=2e-3, err_msg=kind)


def test_the_page_the_guide_and_the_command_line_list_them(example, monkeypatch, capsys):
    hub = FakeHub()
    monkeypatch.setattr("pages.ui.session.own_run.hub", lambda: hub)
    app = open_page(loss="margin", d_optimizer="adamw", data="cross")
    assert not app.exception
    by_key = {box.key: box for box in app.selectbox}
    for key, name in (
        ("knob_loss", "margin"),
        ("knob_penalty", "drift"),
        ("knob_g_optimizer", "adamw"),
        ("knob_schedule", "root"),
    ):
        assert name in by_key[key].options, key
    assert any(option.startswith("cross: ") for option in by_key["knob_data"].options)
    shown = {widget.key for widget in (*app.slider, *app.select_slider)}
    assert {"knob_hinge_margin", "knob_d_weight_decay", "knob_data.thickness"} <= shown
    assert "knob_g_weight_decay" not in shown
    images = open_page("pages/images.py", data="digits", architecture="small")
    assert "small" in next(box for box in images.selectbox if box.key == "knob_architecture").options
    guide = open_page("pages/guide.py")
    said = " ".join(str(table.value.to_dict()) for table in guide.table)
    for name in ("margin", "drift", "adamw", "root", "cross", "small", "hinge_margin", "d_weight_decay"):
        assert name in said, name
    assert cli.main(["train", "--set", "loss=nothing"]) == 2
    assert "margin" in capsys.readouterr().err


def test_a_score_is_in_a_live_run_an_evaluation_a_comparison_and_the_score_lab(example, monkeypatch, capsys):
    config = config_of("data set")
    trainer = Trainer(config, load(config), path="graph")
    live = live_scores(trainer)
    live.refresh(idle=True)
    value, floor = live.values["spread"], live.values["spread_floor"]
    assert value > 0 and floor == pytest.approx(1, abs=0.2)
    assert (f"{value:.2f}", "spread", f"real data {floor:.2f}") in score_texts.cells(live.values)
    rows = score_texts.leaders([live.values, {**live.values, "spread": floor}])
    assert next(lead for title, _, lead in rows if title == "spread") == {1}
    row = evaluation.evaluate(trainer, 64, evaluation.W1_RESAMPLES)["scores"]["spread"]
    assert row["low"] <= row["value"] <= row["high"] and row["resamples"] == evaluation.W1_RESAMPLES
    assert cli.main(["train", "--set", "g_units=8", "--set", "d_units=8", "--steps", "2", "--json"]) == 0
    assert {"spread", "spread_floor"} <= set(json.loads(capsys.readouterr().out.splitlines()[-1])["metrics"])
    st.cache_data.clear()  # what the page of another test has measured
    said = " ".join(block.value for block in open_page("pages/scores.py").markdown)
    st.cache_data.clear()
    assert "**Spread**" in said and "one point at each end" in said and "| spread |" in said


# -- plugins that cannot be used --------------------------------------------------------------------------------

HEAD = """import numpy as np, tensorflow as tf
from gan_core.data.datasets import DATASETS, Data, Dataset
from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.networks.architectures import ARCHITECTURES, Architecture
from gan_core.networks.layers import Dense
from gan_core.objectives.augmentations import AUGMENTATIONS, Augmentation
from gan_core.objectives.losses import LOSSES, Loss
from gan_core.objectives.optimizers import OPTIMIZERS, Optimizer
from gan_core.objectives.penalties import PENALTIES, Penalty
from gan_core.objectives.schedules import SCHEDULES, Schedule
from gan_core.scores.registry import SCORES
from gan_core.scores.score import Measure, Score
WORDS = ('x', 'number', 'low', 'Neighbours', 'x', 'x', 'x', 'x')
"""
UNUSABLE = {
    "syntax": ("def f(:\n    pass\n", "line 14: SyntaxError"),
    "import": ("import no_such_module\n", "line 14: ModuleNotFoundError: No module named 'no_such_module'"),
    "exit": ("import sys\nsys.exit(3)\n", "line 15: SystemExit: 3"),
    "nothing": ("x = 1\n", "it adds nothing"),
    "taken": ("LOSSES['hinge'] = LOSSES['minimax']\n", "takes the name of the loss hinge, which exists"),
    "removed": ("del LOSSES['hinge']\n", "takes the name of the loss hinge"),
    "name": ("LOSSES['My loss'] = LOSSES['hinge']\n", "the loss is called 'My loss'; a name is small letters"),
    "kind": ("LOSSES['mine'] = PENALTIES['r1']\n", "the loss mine is a Penalty, and must be a Loss"),
    "words": ("LOSSES['mine'] = Loss(lambda *a: 0, lambda *a: 0, '', '')\n", "the loss mine has no description"),
    "setting": (
        "LOSSES['mine'] = Loss(lambda *a: 0, lambda *a: 0, 'x', '', knobs={'g_lr': LOSSES})\n",
        "the loss mine brings 'g_lr', which is no Hyperparameter",
    ),
    "other setting": (
        "LOSSES['mine'] = Loss(lambda *a: 0, lambda *a: 0, 'x', '', "
        "knobs={'g_lr': Hyperparameter(float, 1.0, 'a', 'b.')})\n",
        "brings a setting g_lr, and there is another one",
    ),
    "a setting of all runs that comes later": (
        "LOSSES['mine'] = Loss(lambda *a: 0, lambda *a: 0, 'x', '', "
        "knobs={'batch_size': Hyperparameter(float, 1.0, 'a', 'b.')})\n",
        "brings a setting batch_size, and there is another one",
    ),
    "shape of data": (
        "DATASETS['mine'] = Dataset(lambda n, rng: Data(np.zeros((n, 3), np.float32), limit=1.0), 'x')\n",
        "gives points of shape (16, 3) and float32, and must give finite float32 of shape (16, 2)",
    ),
    "error in data": (
        "def draw(n, rng):\n    return 1 / 0\nDATASETS['mine'] = Dataset(draw, 'x')\n",
        "line 15: ZeroDivisionError",
    ),
    "no measure": ("SCORES['mine'] = Score(*WORDS)\n", "the score mine needs a Measure"),
    "words of a score": ("SCORES['mine'] = Score('', *WORDS[1:])\n", "the score mine has no title"),
    "form of a score": (
        "SCORES['mine'] = Score('x', 'number', 'up', *WORDS[3:], points=Measure(lambda c: 1.0))\n",
        "the good of the score mine is 'up', and must be one of: high; low; near",
    ),
    "value of a score": (
        "SCORES['mine'] = Score(*WORDS, points=Measure(lambda c: c.fake))\n",
        "and must give one number, or None",
    ),
    "error in a score": (
        "SCORES['mine'] = Score(*WORDS, images=Measure(lambda c: c.nothing))\n",
        "the score mine of images: line 14: AttributeError",
    ),
    "replicates of a score": (
        "SCORES['mine'] = Score(*WORDS, points=Measure(lambda c: 1.0, replicates=lambda r: r.weights))\n",
        "have shape (32, 5), and must be one number for each of 5 resamples",
    ),
    "shape of an architecture": (
        "ARCHITECTURES['mine'] = Architecture(lambda c, s: ([Dense(3)], [Dense(1)]), 'x', images_only=False)\n",
        "the generator of the architecture mine gives samples of shape (3,), and must give (2,)",
    ),
}
UNUSABLE_IN_TENSORFLOW = {
    "shape of a loss": (
        "LOSSES['mine'] = Loss(lambda r, f, a, b: f, lambda r, f: tf.reduce_mean(f), 'x', '')\n",
        "the discriminator's part of the loss mine gives float32 of shape (8, 1), and must give one float32",
    ),
    "no gradient": (
        "LOSSES['mine'] = Loss(lambda r, f, a, b: tf.reduce_mean(f), lambda r, f: tf.constant(1.0), 'x', '')\n",
        "the generator's part of the loss mine has no gradient",
    ),
    "an optimizer without slots": (
        "OPTIMIZERS['mine'] = Optimizer(lambda w, g, slots, rate, t: -rate * g, ('m',), 'x')\n",
        "the optimizer mine must give (change, slots), with a slot for each of m",
    ),
    "a penalty without a gradient": (
        "PENALTIES['mine'] = Penalty(lambda critic, real, fake, uniform: tf.constant(1.0), 'x')\n",
        "the penalty mine has no gradient",
    ),
    "an augmentation of another size": (
        "AUGMENTATIONS['mine'] = Augmentation(lambda x, u: x[:, 1:], 'x', draws=1, knobs={})\n",
        "the augmentation mine makes float32 of shape (4, 7, 8, 1) of shape (4, 8, 8, 1)",
    ),
    "a schedule that grows": (
        "SCHEDULES['mine'] = Schedule(lambda t: 2.0 * t, 'x')\n",
        "the schedule mine gives 2 at 1 of its length",
    ),
    "an error in a loss": (
        "def d(r, f, a, b):\n    raise KeyError('k')\nLOSSES['mine'] = Loss(d, d, 'x', '')\n",
        "line 15: KeyError",
    ),
}


def registries():
    return {kind: dict(registry) for kind, (registry, _) in plugins.REGISTRIES.items()}


@pytest.mark.parametrize(("text", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_a_sentence_and_is_left_out_whole(restored, monkeypatch, tmp_path, text, words):
    path = tmp_path / "mine.py"
    path.write_text(HEAD + text, "utf-8")
    monkeypatch.setenv(plugins.VARIABLE, str(path))
    before, known = registries(), dict(HYPERPARAMETERS)
    said = plugins._take_up(path, checked=False)
    assert said.startswith(f"The plugin {path} is left out: ") and words in said and said.endswith(".")
    assert registries() == before and known == HYPERPARAMETERS


def test_functions_are_tried_in_a_process_of_their_own(restored, tmp_path):
    """All of them in one, for each process imports TensorFlow; that of the example is content."""
    code = f"""
import json, sys
from pathlib import Path
from gan_core import plugins
found = {{}}
for name, text in json.loads(sys.argv[1]).items():
    path = Path({str(tmp_path)!r}) / "mine.py"
    path.write_text(text)
    before = {{kind: dict(registry) for kind, (registry, _) in plugins.REGISTRIES.items()}}
    plugins.main(str(path))
    for kind, (registry, _) in plugins.REGISTRIES.items():
        registry.clear(), registry.update(before[kind])
plugins.main({str(EXAMPLE)!r})
"""
    texts = {name: HEAD + text for name, (text, _) in UNUSABLE_IN_TENSORFLOW.items()}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(texts)],
        cwd=ROOT,
        env={"PATH": "", plugins.VARIABLE: str(tmp_path / "mine.py"), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    problems = [json.loads(line)["problem"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(problems) == len(texts) + 1 and problems[-1] == ""
    for (name, (_, words)), said in zip(UNUSABLE_IN_TENSORFLOW.items(), problems, strict=False):
        assert words in said, (name, said)


def test_a_server_for_others_loads_none(monkeypatch, restored):
    monkeypatch.setenv(plugins.VARIABLE, str(EXAMPLE))
    monkeypatch.setattr(plugins, "_problems", None)
    before = registries()
    assert plugins.load(shared=True) == [plugins.ONLY_YOURS] and registries() == before


def test_the_command_line_trains_with_one_and_says_what_is_left_out(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("import nowhere\n")
    done = subprocess.run(
        [sys.executable, "-m", "gan_core", "train", "--set", "loss=margin", "--steps", "3", "--json"],
        cwd=ROOT,
        env={**os.environ, plugins.VARIABLE: f"{EXAMPLE},{bad}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout.splitlines()[-1])["config"]["loss"] == "margin"
    assert f"The plugin {bad} is left out: line 1: ModuleNotFoundError: No module named 'nowhere'." in done.stderr
