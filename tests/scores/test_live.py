"""The scores of a live run: when they are made, and what they say while they cannot be."""

import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from gan_core.data.pictures import Pictures
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.scores import classifier, image_scores, point_metrics, point_scores, trainer_scores
from gan_core.scores import live as scores
from gan_core.scores.live import ImageScores, PointScores, live_scores
from gan_core.settings.presets import PRESETS
from tests.conftest import wait_until
from tests.support.tiny import image_trainer, point_trainer, quadrants, stacked

KEYS = {"samples", "confidence", "confidence_real", "class_tv", "class_tv_floor", "classifier_fid"}
KEYS |= {f"{name}{end}" for name in ("classifier_kid", "untrained_fid") for end in ("", "_floor")}
KEYS |= {"classifier_fid_floor", "classifier_accuracy", "histogram", "histogram_real", "step"}
NEIGHBOURS = {"precision", "recall", "density", "coverage", "nearest_real"}
KEYS |= NEIGHBOURS | {f"{name}_floor" for name in NEIGHBOURS}


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when a test says so."""
    now = [100.0]
    monkeypatch.setattr(scores.time, "monotonic", lambda: now[0])
    return now


def ready(live):
    """Waits for the classifier, as a standing run does."""
    wait_until(
        lambda: live.refresh(idle=True) or "step" in live.values or "no scores" in str(live.values), 60, "scores"
    )
    return live.values


# -- points -------------------------------------------------------------------------------------------------


def test_points_have_the_scores_of_metrics():
    trainer = point_trainer()
    live = live_scores(trainer)
    assert type(live) is PointScores and live.values == {}
    live.refresh(idle=True)
    config, data, n = trainer.config, trainer.data, trainer_scores.W1_SAMPLES
    samples = trainer.samples(trainer.latent(point_metrics.MODE_SAMPLES, draw=1), ema=True)
    floors = point_scores.floors(config, data, n, trainer_scores.FLOOR_REPEATS)
    assert live.values == {**point_scores.scores(config, data, samples, floors), "step": 0}
    assert {"w1_floor", "energy", "energy_floor", "mmd", "mmd_floor", "mode_counts"} <= set(live.values)
    json.dumps(live.values, allow_nan=False)


def test_scores_cost_at_most_their_share_of_the_time(clock, monkeypatch):
    trainer, live = point_trainer(), None
    made = []
    live = live_scores(trainer)

    def make():
        clock[0] += 0.3
        made.append(trainer.step)
        return {}

    monkeypatch.setattr(live, "_make", make)
    live.refresh(idle=False)
    assert made == [0]
    for _ in range(30):
        trainer.train(1)
        clock[0] += 0.3
        live.refresh(idle=False)
    # 0.3 s at 3 % are made once in 10 s, but for the first, which come after 0.7 s; 27 steps of 0.3 s are 8.1
    assert made == [0, 3]
    for _ in range(10):
        trainer.train(1)
        clock[0] += 0.3
        live.refresh(idle=False)
    assert made == [0, 3, 37] and live.values["step"] == 37


def test_the_first_scores_come_soon_and_no_more_than_the_credit_pays(clock, monkeypatch):
    for cost, soon in ((0.1, 4), (0.2, 3), (0.8, 0)):
        trainer = SimpleNamespace(step=0, config=PRESETS["ring"].config)
        live, at = scores.LiveScores(trainer), []

        def make(cost=cost, at=at):
            clock[0] += cost
            at.append(clock[0])
            return {}

        monkeypatch.setattr(live, "_make", make)
        live.refresh(idle=True)  # which the credit does not pay
        at.clear()
        began = clock[0]
        while clock[0] < began + 100:
            trainer.step += 1
            clock[0] += 0.05
            live.refresh(idle=False)
        waits = np.diff(at) - cost
        assert list(waits[:soon]) == pytest.approx([0.7 * 1.6**n for n in range(soon)], abs=0.051)
        assert waits[soon:] == pytest.approx(cost / scores.SHARE, abs=0.051)


def test_a_standing_run_gets_the_scores_of_its_state_at_once_and_once(clock, monkeypatch):
    trainer = point_trainer()
    live, made = live_scores(trainer), []
    monkeypatch.setattr(live, "_make", lambda: made.append(trainer.step) or {})
    live.refresh(idle=True)
    live.refresh(idle=True)
    trainer.train(2)
    live.refresh(idle=True)
    live.refresh(idle=True)
    assert made == [0, 2]
    trainer.set_live(trainer.config.updated({"show_ema": False}))
    live.refresh(idle=True)
    assert made == [0, 2, 2]


def test_a_few_points_of_a_file_are_enough():
    points = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    for trainer, n in ((point_trainer(points, data="file"), 10), (point_trainer(points[:3], data="file"), 1)):
        live = live_scores(trainer)
        live.refresh(idle=True)
        assert all(np.isfinite(live.values[name]) for name in ("w1", "energy", "mmd", "mmd_floor"))
        assert live.values["w1_samples"] == n
        live.close()


def test_few_training_points_of_a_known_set_do_not_make_the_sample_smaller():
    assert trainer_scores.w1_samples(point_trainer(data_size=16), 300) == 300


@pytest.mark.parametrize("where", ["_make", "_ready"])
def test_a_score_that_fails_is_a_sentence_and_the_next_is_made(clock, monkeypatch, where):
    trainer = point_trainer()
    training = TrainingRun(trainer)
    with monkeypatch.context() as patched:
        tried = []

        def fail():
            tried.append(trainer.step)
            raise np.linalg.LinAlgError("singular\nmatrix")

        patched.setattr(training.scores, where, fail)
        for _ in range(2):
            metrics = training.look(View(heat=False), idle=True, scored=True)["metrics"]
            assert metrics == {"note": "The scores of step 0 failed. LinAlgError: singular"}
        assert tried == [0]  # of one state once
        assert training.train(training.until_due(3)) is not None
        training.refresh_scores(idle=True)
        assert tried == [0, 1] and len(training.recording.scores) == 0
    training.train(1)
    training.refresh_scores(idle=True)
    assert training.scores.values["step"] == 2 and training.recording.scores.steps == [2]


# -- images -------------------------------------------------------------------------------------------------


def test_a_note_until_the_classifier_is_there_and_then_every_score(cache, monkeypatch):
    gate, trained = threading.Event(), classifier.trained
    monkeypatch.setattr(classifier, "trained", lambda *a, **k: gate.wait(60) and trained(*a, **k))
    trainer = image_trainer()
    live = live_scores(trainer)
    assert type(live) is ImageScores and live.values == {}
    for _ in range(3):
        live.refresh(idle=False)
    assert live.values == {"note": "Preparing the scores: training a small classifier, once per data set."}
    thread = live._thread
    gate.set()
    values = ready(live)
    assert set(values) == KEYS and values["step"] == 0
    assert values["classifier_accuracy"] > 0.9
    json.dumps(values, allow_nan=False)
    assert live._thread is thread and len(list(cache.glob("classifier-*.npz"))) == 1


def test_the_scores_are_those_of_the_shown_generator(cache):
    trainer = image_trainer()
    live = live_scores(trainer)
    values = dict(ready(live))
    judge, reference = live._judge
    assert reference.n == 60  # half of the pictures
    pixels = trainer.samples(trainer.latent(60, draw=1), ema=True)
    assert values == {**image_scores.scores(reference, judge, pixels), "step": 0}
    trainer.state = {**trainer.state, "g": [w + 0.1 for w in trainer.state["g"]]}
    trainer.set_live(trainer.config.updated({"show_ema": False}))
    live.refresh(idle=True)
    raw = trainer.samples(trainer.latent(60, draw=1), ema=False)
    assert live.values == {**image_scores.scores(reference, judge, raw), "step": 0}
    assert live.values["classifier_fid"] != values["classifier_fid"]


def test_conditional_networks_are_asked_for_the_datas_classes(cache, monkeypatch):
    trainer, asked = image_trainer(conditional=True), []
    samples = trainer.samples
    monkeypatch.setattr(trainer, "samples", lambda z, ema, labels: asked.append(labels) or samples(z, ema, labels))
    ready(live_scores(trainer))
    assert np.array_equal(asked[0], trainer.labels(60, draw=1))


def test_stacked_digits_have_modes(cache):
    values = ready(live_scores(image_trainer(stacked())))
    assert set(values) == KEYS | {"modes", "modes_total", "modes_real"}
    assert values["modes_total"] == 1_000 and 1 <= values["modes"] <= 60


@pytest.mark.parametrize("data", [quadrants(labelled=False), quadrants(names="a")], ids=["unlabelled", "one class"])
def test_data_without_classes_have_a_note_and_no_classifier(cache, data):
    live = live_scores(image_trainer(data))
    for idle in (False, True):
        live.refresh(idle)
        assert live.values == {"note": "Scores of images need data with at least two classes."}
    assert live._thread is None and not cache.exists()
    live.close()


@pytest.mark.parametrize("error", [ValueError("two\nlines"), MemoryError(), RuntimeError("x" * 1_000)])
def test_a_classifier_that_fails_is_a_note_and_not_tried_again(cache, monkeypatch, error):
    tried = []

    def fail(*_, **__):
        tried.append(1)
        raise error

    monkeypatch.setattr(classifier, "trained", fail)
    live = live_scores(image_trainer())
    note = ready(live)["note"]
    assert note.startswith(f"There are no scores: {type(error).__name__}: ") and len(note) < 300 and "\n" not in note
    live.refresh(idle=True)
    assert len(tried) == 1


def test_one_class_that_has_all_the_pictures_is_a_note(cache):
    """Two names, but no picture of the second."""
    data = quadrants(names="ab")
    alone = Pictures(data.pixels, np.zeros(len(data), np.int32), data.class_names)
    assert "There are no scores" in ready(live_scores(image_trainer(alone)))["note"]


def test_close_stops_the_classifier(cache, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", (100_000, 100_000))
    live = live_scores(image_trainer())
    live.refresh(idle=True)
    assert live._thread.is_alive()
    live.close()
    live._thread.join(30)
    assert not live._thread.is_alive()
    assert live._judge is None and "note" in live.values
    assert not list(cache.glob("classifier-*"))
    live.refresh(idle=True)  # a late call changes nothing
    assert live._judge is None
