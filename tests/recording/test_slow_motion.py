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
    monkeypatch.setattr(slow_motion, "PHASE_SECONDS", 0.01)
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
        np.testing.assert_allclose(found["fake"], run.trainer.data.from_unit(shown.update.fake)[: anatomy.CLOUD])
        np.testing.assert_array_equal(found["fake_logits"], shown.update.fake_logits)
        assert found["numbers"][side]["loss"] == shown.update.loss
        assert ("terms" in found["numbers"]["g"]) == (side == "g") and "terms" in found["numbers"]["d"]
        assert (len(found["gradient"]) > 0) == (side == "g")
        heats.append(found["heat"])
    for i in range(1, len(heats)):  # the discriminator changes in its update, and only there
        assert (heats[i] != heats[i - 1]).any() == (i == len(D) - 1)
    assert run.trainer.state is not shown.update.after and run.step == 2
