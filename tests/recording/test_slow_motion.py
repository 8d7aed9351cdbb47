"""A step in slow motion: its phases in order, forwards and back, and that it is the run's own step."""

import time

import numpy as np
import pytest

from gan_core.recording import anatomy, slow_motion
from gan_core.recording.slow_motion import SlowMotion
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from tests.conftest import wait_until
from tests.support.trainers import same, settings, trainer_of

D = ("draw", "generate", "judge", "loss", "penalty", "gradient", "update")
G = ("draw", "generate", "judge", "loss", "gradient", "update")


def run_of(**changes):
    return TrainingRun(trainer_of(settings(penalty="r1", **changes)), scored=False)


def moved(slow, by=1):
    """The phase after a move; waits for a step that is being dissected."""
    slow.move(by)

    def ready():
        slow.refresh()
        return not slow.preparing

    wait_until(ready, 60, "the dissection")
    return slow.shown


def walked(slow, n):
    return [(shown.update.side, shown.phase) for shown in (moved(slow) for _ in range(n))]


def test_the_phases_come_in_order_and_the_last_one_takes_the_step():
    run, plain = run_of(d_steps=2), run_of(d_steps=2)
    slow = SlowMotion(run)
    phases = [*(("d", phase) for phase in D * 2), *(("g", phase) for phase in G)]
    assert walked(slow, len(phases) - 1) == phases[:-1]
    assert run.step == 0 and not slow.shown.taken
    assert walked(slow, 1) == phases[-1:] and run.step == 1 and slow.shown.taken
    assert walked(slow, len(phases)) == phases and run.step == 2
    plain.train(1), plain.train(1)
    assert same(run.trainer.state, plain.trainer.state)
    np.testing.assert_array_equal(run.recording.history.frame()["mean"], plain.recording.history.frame()["mean"])


def test_going_back_only_looks():
    run = run_of()
    slow = SlowMotion(run)
    walked(slow, len(D) + len(G))
    after = run.trainer.state
    assert [moved(slow, -1).phase for _ in range(len(G) + 1)] == [*reversed(G[:-1]), "update", "gradient"]
    assert moved(slow, -1).update.side == "d" and slow.shown.taken
    for _ in range(20):
        moved(slow, -1)
    assert slow.shown.number == 1 and run.trainer.state is after and run.step == 1
    walked(slow, len(D) + len(G) - 1)
    assert run.step == 1  # the step is taken once
    assert walked(slow, 1) == [("d", "draw")]


@pytest.mark.parametrize("meanwhile", ["a step", "a setting"])
def test_what_comes_between_begins_anew(meanwhile):
    run = run_of()
    slow = SlowMotion(run)
    walked(slow, 5)
    if meanwhile == "a step":
        run.train(3)
    else:
        run.set_live(run.trainer.config.updated({"g_lr": 0.5}))
    assert slow.shown is None
    shown = moved(slow)
    assert (shown.phase, shown.step) == ("draw", run.step)
    if meanwhile == "a setting":
        assert shown.updates[-1].rate == pytest.approx(0.5)


def test_it_goes_on_by_itself(monkeypatch):
    monkeypatch.setattr(slow_motion, "PHASE_SECONDS", 0.0)  # each tick is late
    run = run_of()
    slow, seen, until = SlowMotion(run), [], time.monotonic() + 60
    while run.step < 2 and time.monotonic() < until:
        slow.tick()
        if slow.shown and (not seen or seen[-1] != slow.shown.number):
            seen.append(slow.shown.number)
    every = len(D) + len(G)
    assert run.step == 2 and seen == [*range(1, every + 1), *range(1, every + 1)]


def test_a_divergence_in_slow_motion_is_the_runs():
    run = run_of(g_optimizer="sgd", g_lr=1.0, d_optimizer="sgd", d_lr=1.0, gp_weight=100.0)
    slow = SlowMotion(run)
    for _ in range(60 * (len(D) + len(G))):
        if moved(slow) is None:
            break
    assert "diverged" in run.error and slow.shown is None


def test_a_look_at_a_phase_shows_its_batch_and_the_state_around_the_update():
    run = run_of()
    run.train(1)
    slow, view = SlowMotion(run), View(anatomy=True)
    now = run.look(view, idle=True, scored=False)["anatomy"]
    assert "phase" not in now and now["numbers"]["d"]["loss"] == pytest.approx(float(run.row[1]))
    heats = []
    for side, phase in [*(("d", phase) for phase in D), *(("g", phase) for phase in G)]:
        shown = moved(slow)
        frame = run.look(view, idle=True, scored=False, phase=shown)
        found = frame["anatomy"]
        assert (found["phase"]["side"], found["phase"]["name"]) == (side, phase)
        assert found["numbers"][side]["loss"] == shown.update.loss
        assert ("terms" in found["numbers"]["g"]) == (side == "g") and "terms" in found["numbers"]["d"]
        # What a phase brings is not there before.
        generated, judged = phase != "draw", phase not in ("draw", "generate")
        wanted = run.trainer.data.from_unit(shown.update.fake)[: anatomy.CLOUD]
        np.testing.assert_allclose(found["fake"], wanted if generated else wanted[:0])
        np.testing.assert_array_equal(found["fake_logits"], shown.update.fake_logits if judged else [])
        assert (len(found["gradient"]) > 0) == (side == "g" and phase in ("gradient", "update"))
        heats.append(found["heat"])
    for i in range(1, len(heats)):  # the discriminator changes in its update, and only there
        assert (heats[i] != heats[i - 1]).any() == (i == len(D) - 1)
    assert run.trainer.state is not shown.update.after and run.step == 2
    # Without the drawing, the picture is of the run as it stands, whatever phase was looked at.
    back = moved(slow, -3)
    closed, now = (run.look(View(), idle=True, scored=False, phase=phase) for phase in (back, None))
    np.testing.assert_array_equal(closed["heat"], now["heat"])
    np.testing.assert_array_equal(closed["samples"], now["samples"])


def test_real_samples_in_the_generators_half_are_those_of_its_own_batch():
    """Which relativistic losses compare with; without packs and noise, as they were drawn."""
    run = run_of(loss="relativistic", packing=2, instance_noise=0.5)
    slow = SlowMotion(run)
    for _ in range(len(D) + 1):
        shown = moved(slow)
    of_d, of_g = shown.updates
    found = run.look(View(anatomy=True), idle=True, scored=False, phase=shown)["anatomy"]
    np.testing.assert_array_equal(found["real"], run.trainer.data.from_unit(of_g.real))
    assert of_g.real.shape == of_d.real.shape == (8, 2) and (of_g.real != of_d.real).any()
    real = run.trainer.data.to_unit(run.trainer.data.points)
    assert all((abs(real - one).max(1) < 1e-6).any() for one in of_g.real)


def test_the_first_step_leaves_what_step_leaves_in_the_past():
    run, plain = run_of(), run_of()
    slow = SlowMotion(run)
    walked(slow, len(D) + len(G))
    plain.take(1)
    assert run.recording.frames.steps[:1] == plain.recording.frames.steps[:1] == [0]
    assert run.recording.checkpoints.steps[:1] == plain.recording.checkpoints.steps[:1] == [0]


def test_what_is_of_a_step_that_is_over_is_not_held():
    run = run_of()
    slow = SlowMotion(run)
    walked(slow, 3)
    run.train(2)
    slow.refresh()
    assert slow._updates == () and slow._of == (None, None)


def test_the_same_settings_again_change_nothing():
    """As when autosave is switched: the phase stays, and nothing is marked."""
    run = run_of()
    run.train(1)
    slow = SlowMotion(run)
    walked(slow, 3)
    run.set_live(run.trainer.config.updated({}))
    assert slow.shown.number == 3 and run.recording.history.frame()["markers"] == []
