"""The trainings that come with the app: small, whole, and each shows what its text says."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import finished_runs, run_reading, run_restoring
from gan_core.runs.finished_runs import FINISHED
from gan_core.settings.config import changed
from tests.conftest import ROOT

_spec = importlib.util.spec_from_file_location("make_finished_runs", ROOT / "docs" / "make_finished_runs.py")
make_finished_runs = importlib.util.module_from_spec(_spec)
sys.modules["make_finished_runs"] = make_finished_runs  # its dataclass looks itself up
_spec.loader.exec_module(make_finished_runs)
MOST_BYTES = 1_000_000
each = pytest.mark.parametrize("name", FINISHED)


def test_the_list_the_folders_and_the_script_name_the_same():
    assert {path.name for path in finished_runs.FOLDER.iterdir()} == {*FINISHED} == {*make_finished_runs.RUNS}
    assert 10 <= len(FINISHED) <= 14
    for kind in ("points", "images"):
        assert {row.good for row in FINISHED.values() if row.kind == kind} == {True, False}


@each
def test_each_is_a_small_saved_run_with_its_settings(name):
    folder = finished_runs.folder_of(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES
    saved, recording = run_reading.opened(folder)
    made, row = make_finished_runs.RUNS[name], FINISHED[name]
    assert not changed(saved.config, made.config) and saved.step == made.steps
    assert DATASETS[saved.config.data].kind == row.kind and saved.config.data in ("digits", *_points())
    assert 30 <= len(recording.frames) <= 80 and recording.frames.steps[0] == 0
    assert recording.frames.steps[-1] == recording.scores.steps[-1] == recording.history.steps == saved.step
    assert run_reading.picture_of(saved) is not None
    assert list(saved.checkpoints) == [*made.branches, saved.step]
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        *(file["file"] for file in (*saved.about["files"].values(), *saved.about["checkpoints"])),
    }


def _points():
    return [name for name, row in DATASETS.items() if row.kind == "points" and not row.upload]


@each
def test_its_texts_are_short_and_name_steps_that_it_has(name):
    row, saved = FINISHED[name], finished_runs.read(name)
    assert len(row.title) <= 36 and len(row.look_for) <= 125 and row.look_for.endswith(".")
    steps = [int(word.strip(".,").replace(",", "")) for word in _after("step", row.look_for)]
    assert all(0 <= step <= saved.step for step in steps)


def _after(word, text):
    words = text.split()
    return [after for before, after in itertools.pairwise(words) if before.lower() == word]


@pytest.mark.parametrize("name", ["ring-two-of-eight", "digits-readable"])
def test_training_goes_on_from_its_end(name):
    from gan_core.runs.run_reading import data_of

    saved = finished_runs.read(name)
    trainer = run_restoring.load(saved, data_of(saved))
    assert trainer.step == saved.step
    seen, recorded = trainer.samples(trainer.latent(64), saved.config.show_ema), run_reading.recording_of(saved)
    shown = recorded.frames.items[-1]["samples" if FINISHED[name].kind == "points" else "grid"][:64]
    assert np.abs(seen.astype(float) - shown).max() < 0.04 * np.ptp(seen)  # these weights made that frame


def test_only_what_lies_there_is_one(tmp_path):
    folder = finished_runs.folder_of("ring-all-modes")
    assert finished_runs.name_of(folder) == "ring-all-modes"
    assert finished_runs.name_of(tmp_path / "ring-all-modes") is None
    assert finished_runs.name_of(folder.parent / "another") is None
    with pytest.raises(KeyError):
        finished_runs.folder_of("../runs")
    # Where a training process of another machine looks for it, and what it leaves alone.
    assert finished_runs.here(Path("/elsewhere/gan_core/finished/ring-all-modes")) == folder
    for other in ("/elsewhere/runs/ring-all-modes", "/elsewhere/gan_core/finished/another"):
        assert finished_runs.here(Path(other)) == Path(other)


# -- what the texts claim, by the recorded scores -----------------------------------------------------------------


class Scores:
    """The recorded scores of a run, by name: `at` a step (the newest up to it), or `since` one."""

    def __init__(self, name: str):
        self.saved, self.recording = run_reading.opened(finished_runs.folder_of(name))

    def at(self, step: int, score: str) -> float:
        return self.recording.scores_at(step)[score]

    def since(self, step: int, score: str) -> list[float]:
        lines = self.recording.scores
        return [item[score] for at, item in zip(lines.steps, lines.items, strict=True) if at >= step]

    @property
    def last(self) -> dict:
        return self.recording.scores.items[-1]

    def points(self, step: int) -> np.ndarray:
        """The generated points of the newest frame up to `step`."""
        return self.recording.frames.at(step)[1]["samples"].astype(float)

    def accuracy(self, step: int) -> np.ndarray:
        """D accuracy on real and on generated samples from `step` on, [bins, 2]."""
        frame = self.recording.history.frame()
        return np.asarray(frame["mean"])[np.asarray(frame["step"]) >= step][:, 3:5]


def ring_all_modes(s):
    assert s.points(20)[:, 0].min() > 0 and min(s.since(790, "modes")) == 8
    assert s.at(800, "hq") < 0.3 < 0.8 < s.last["hq"]


def ring_two_of_eight(s):
    assert min(s.since(2_500, "modes")) == max(s.since(2_500, "modes")) == 2
    assert s.last["hq"] == pytest.approx(0.94, abs=0.02)
    assert s.saved.config.d_lr == 10 * s.saved.config.g_lr


def ring_equal_rates(s):
    assert s.at(1_000, "modes") < 8 == min(s.since(2_300, "modes"))
    assert s.last["reverse_kl"] < 0.05
    collapsed = Scores("ring-two-of-eight").saved.config
    assert set(changed(collapsed, s.saved.config)) == {"g_lr", "d_lr"}
    assert s.saved.config.g_lr == s.saved.config.d_lr


def ring_hopping(s):
    assert max(s.since(700, "modes")) <= 2
    lines = s.recording.scores
    visited = {int(np.argmax(i["mode_counts"])) for at, i in zip(lines.steps, lines.items, strict=True) if at >= 700}
    assert len(visited) >= 3


def ring_stalled(s):
    assert s.accuracy(300).min() > 0.9
    assert all(s.points(step)[:, 0].min() > 0 for step in s.recording.frames.steps if step >= 300)
    assert s.last["w1"] == pytest.approx(s.at(0, "w1"), rel=0.1)
    assert max(s.since(300, "modes")) <= 3


def ring_weight_clipping(s):
    assert max(s.since(0, "modes")) == 0 and s.last["w1"] > 0.95 * s.at(0, "w1")


def ring_gradient_penalty(s):
    assert min(s.since(700, "modes")) == 8 and s.last["hq"] > 0.7
    clipped = Scores("ring-weight-clipping")
    assert s.saved.config.params() == clipped.saved.config.params() and s.last["w1"] < 0.2 * clipped.last["w1"]


def grid_all_modes(s):
    assert s.at(2_000, "hq") < 0.1 and s.last["modes"] == 25 and s.last["hq"] > 0.6


def swiss_roll(s):
    t = 1.5 * np.pi * np.linspace(1, 3, 400)
    curve = np.stack([t * np.cos(t), t * np.sin(t)], 1) / (4.5 * np.pi)

    def on_it(step):
        return np.mean(np.linalg.norm(s.points(step)[:, None] - curve, axis=2).min(1) < 0.08)

    assert on_it(2_000) < 0.7 and on_it(6_100) > 0.9
    assert s.last["w1"] < 0.2 * s.at(0, "w1")
    assert s.saved.config.latent_dim == 2  # else there is no manifold to switch on


def gaussian_circling(s):
    assert min(s.since(300, "w1")) > 3 * s.last["w1_floor"]
    late = np.array(s.since(1_000, "w1"))
    assert late.max() > 1.5 * late.min()


def moons_rate_too_high(s):
    assert s.saved.config.g_lr == s.saved.config.d_lr == 0.05
    assert s.last["w1"] > 1.5 * s.at(0, "w1")
    assert all(np.ptp(s.points(step), 0).max() < 0.01 for step in s.recording.frames.steps if step >= 1_000)


def digits_readable(s):
    assert s.at(0, "precision") == 0 and s.at(90, "class_tv") < 0.5
    assert s.last["classifier_fid"] < 20 < 0.1 * s.at(0, "classifier_fid")
    assert s.last["recall"] > 0.7 and s.last["confidence"] > 0.85


def digits_all_alike(s):
    good = Scores("digits-readable")
    assert s.last["precision"] > good.last["precision"] and s.last["recall"] < 0.05 < 0.7 < good.last["recall"]
    assert s.last["class_tv"] > 0.5
    assert _alike(s) > 0.75 > 0.7 > _alike(good)


def _alike(s):
    """The mean correlation between two images of the last frame."""
    return np.corrcoef(s.recording.frames.items[-1]["grid"].reshape(64, -1))[np.triu_indices(64, 1)].mean()


CLAIMS = {
    claim.__name__.replace("_", "-"): claim
    for claim in (
        ring_all_modes,
        ring_two_of_eight,
        ring_equal_rates,
        ring_hopping,
        ring_stalled,
        ring_weight_clipping,
        ring_gradient_penalty,
        grid_all_modes,
        swiss_roll,
        gaussian_circling,
        moons_rate_too_high,
        digits_readable,
        digits_all_alike,
    )
}


@each
def test_it_shows_what_it_says(name):
    CLAIMS[name](Scores(name))


# -- without TensorFlow, and without writing ---------------------------------------------------------------------


OPENED = """
import sys
from gan_core.recording.snapshot import View
from gan_core.runs import finished_runs
from gan_core.serving.client import Run
for name in ("ring-all-modes", "digits-readable"):
    saved = finished_runs.read(name)
    run = Run(saved.config)
    run.open(saved, None)
    for at in (None, 0, 300):
        frame = run.poll(View(at=at, trails=True)).frame
        assert len(frame["samples" if name.startswith("ring") else "grid"]) and "precision" in frame["metrics"] or \\
            "modes" in frame["metrics"]
import pages.ui.run.run_page, pages.ui.run.finished_training
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""


def test_opening_one_loads_no_tensorflow():
    done = subprocess.run(
        [sys.executable, "-c", OPENED], capture_output=True, text=True, timeout=120, cwd=ROOT, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout.strip().splitlines()[-1].replace("'", '"')) == []


def test_a_missing_one_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(finished_runs, "FOLDER", Path(tmp_path))
    with pytest.raises(ConfigError, match="not a readable run"):
        finished_runs.read("ring-all-modes")
