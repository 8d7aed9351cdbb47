"""A watched run: recording changes nothing, a branch repeats its parent bit for bit, a divergence is a sentence."""

import itertools

import numpy as np
import pytest

from gan_core.recording import training_run as module
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from tests.support.tiny import point_trainer
from tests.support.trainers import same, settings, trainer_of, uncompiled

CONFIG = settings(g_norm="batch", d_norm="spectral", d_layers=2, dropout=0.2, seed=6, schedule="cosine")


@pytest.fixture(scope="module")
def program():
    return uncompiled(CONFIG)


@pytest.fixture(autouse=True)
def time_enough(monkeypatch):
    """However slow the machine is, every frame that is due is made."""
    monkeypatch.setattr(module, "CREDIT", 1e6)


def training_of(program, **rest):
    return TrainingRun(trainer_of(CONFIG, program), scored=False, **rest)


def trained(training, steps):
    while training.trainer.step < steps:
        training.train(training.until_due(steps - training.trainer.step))
    return training


def test_recording_changes_nothing(program):
    plain = trainer_of(CONFIG, program)
    plain.train(12)
    watched = trained(training_of(program), 12)
    assert same(plain.state, watched.trainer.state)
    assert watched.recording.frames.steps == list(range(13))
    assert watched.recording.history.steps == 12


@pytest.mark.parametrize("at", [0, 1, 4, 8])
def test_a_branch_with_the_same_settings_repeats_the_parent_bit_for_bit(program, at):
    parent = trained(training_of(program), 10)
    past = parent.recording.until(at)
    trainer = trainer_of(CONFIG, program)
    trainer.restore(past.checkpoints.items[-1].state)
    branch = trained(TrainingRun(trainer, past, scored=False), 10)
    assert same(parent.trainer.state, branch.trainer.state)
    z = trainer.latent(30)
    assert np.array_equal(parent.trainer.samples(z, True), trainer.samples(z, True))
    a, b = parent.recording, branch.recording
    assert a.frames.steps == b.frames.steps
    assert all(np.array_equal(x["samples"], y["samples"]) for x, y in zip(a.frames.items, b.frames.items, strict=True))
    assert np.array_equal(a.history.frame()["mean"], b.history.frame()["mean"])


def test_restoring_leaves_the_parent_untouched(program):
    parent = trained(training_of(program), 5)
    kept = parent.trainer.named()
    other = trainer_of(CONFIG, program)
    other.restore(parent.recording.checkpoints.at(2)[1].state)
    other.train(3)
    assert all(np.array_equal(kept[name], tensor) for name, tensor in parent.trainer.named().items())


def test_the_state_of_other_networks_is_refused(program):
    other = settings(g_units=5)
    tensors = trainer_of(other, uncompiled(other)).named()
    with pytest.raises(ValueError, match="other networks"):
        trainer_of(CONFIG, program).restore(tensors)


def test_a_knob_change_is_marked_and_checkpoints_know_their_settings(program):
    training = trained(training_of(program), 3)
    training.set_live(CONFIG.updated({"g_lr": 0.5}))
    trained(training, 6)
    assert [m["text"] for m in training.recording.history.markers] == [f"g_lr {CONFIG.g_lr:g} → 0.5"]
    points = dict(zip(training.recording.checkpoints.steps, training.recording.checkpoints.items, strict=True))
    assert [points[step].flat["g_lr"] for step in (2, 3, 6)] == [CONFIG.g_lr, 0.5, 0.5]  # as from there on


def test_a_setting_changed_while_standing_still_is_in_that_step_s_checkpoint(program):
    training = trained(training_of(program), 3)
    training.record()
    training.set_live(training.trainer.config.updated({"d_lr": 0.5}))
    assert (
        training.recording.checkpoints.steps[-1] == 3 and training.recording.checkpoints.items[-1].flat["d_lr"] == 0.5
    )


def test_looking_back_and_at_the_present(program):
    training = trained(training_of(program), 8)
    now = training.look(View(trails=True), idle=True, scored=False)
    then = training.look(View(at=3, trails=True), idle=True, scored=False)
    assert now["at"] is None and then["at"] == 3 and now["step"] == then["step"] == 8
    assert np.array_equal(then["samples"], training.recording.frames.items[3]["samples"])
    assert then["trails"].shape == (4, module.TRAIL_POINTS, 2)  # of steps 0 to 3
    assert np.array_equal(then["trails"][-1], then["samples"][: module.TRAIL_POINTS])
    assert now["trails"].shape[0] == module.TRAIL_FRAMES + 1
    assert training.look(View(at=99), idle=True, scored=False)["at"] is None  # the future is the present
    assert list(now["recorded"]) == list(range(9)) and 8 in now["checkpoints"]


def test_where_there_is_no_time_no_frame_is_made(program, monkeypatch):
    for name in ("CREDIT", "LATER_CREDIT", "SHARE"):
        monkeypatch.setattr(module, name, 0.0)
    training = training_of(program)
    assert training.until_due(9) == 9
    training.train(9)
    assert training.recording.frames.steps == [0]
    training.record()  # somebody stops here
    assert training.recording.frames.steps == [0, 9] and training.recording.checkpoints.steps[-1] == 9


def test_a_divergence_is_a_sentence_and_leaves_the_last_good_state(program):
    training = trained(training_of(program), 2)
    training.set_live(CONFIG.updated({"d_lr": 1.0, "g_lr": 1.0}))
    good = training.trainer.state
    training.trainer.state = {**good, "g": [w * np.float32("nan") for w in good["g"]]}
    assert training.train(3) is None
    assert "diverged" in training.error and "last good state" in training.error
    assert training.recording.history.steps == 2


def test_racers_record_the_same_steps_though_one_of_them_has_less_time_for_it(program, monkeypatch):
    trainings = [training_of(program), training_of(program)]
    may = itertools.cycle([True, True, True, False, False])
    monkeypatch.setattr(trainings[1], "_may_record", lambda: next(may))
    while trainings[0].trainer.step < 30:
        assert 1 <= module.train_abreast(trainings, 30 - trainings[0].trainer.step) <= 30
        if trainings[0].trainer.step < 30:
            trainings[0].record()  # as for its best scores
    one, other = (training.recording.frames.steps for training in trainings)
    assert one == other and 2 < len(one) < 30
    assert same(trainings[0].trainer.state, trainings[1].trainer.state)
    trainings[1].error = "diverged"
    module.train_abreast(trainings[:1], 5)
    assert trainings[0].trainer.step > 30 == trainings[1].trainer.step


def test_a_state_with_the_best_scores_so_far_is_kept():
    trainer = point_trainer()
    training = TrainingRun(trainer)
    values = iter([5.0, 2.0, 3.0, 1.0])
    training.scores._make = lambda: {"w1": next(values), "w1_floor": 0.1, "samples": 10}
    for _ in range(4):
        training.refresh_scores(idle=True)
        training.train(1)
    best = training.look(View(heat=False), idle=False, scored=False)["best"]
    assert best == {"step": 3, "name": "Wasserstein-1", "value": "1.000"}
    assert {0, 1, 3} <= {*training.recording.checkpoints.steps} and training.recording.checkpoints.kept == 3
    assert training.look(View(heat=False, at=2), idle=False, scored=False)["best"] == best


def test_the_best_is_looked_at_in_its_own_frame_with_its_own_scores(monkeypatch):
    monkeypatch.setattr(TrainingRun, "_may_record", lambda self: False)  # no other frames than those of the best
    training = TrainingRun(point_trainer())
    training.take(7)
    training.scores._make = lambda: {"w1": 2.0, "w1_floor": 0.1, "samples": 10}
    training.refresh_scores(idle=True)
    training.take(3)
    best = training.recording.best()
    seen = training.look(View(heat=False, at=best["step"]), idle=False, scored=False)
    assert best["step"] == seen["at"] == seen["metrics"]["step"] == training.recording.frames.kept == 7
    assert 7 in training.recording.checkpoints.steps
