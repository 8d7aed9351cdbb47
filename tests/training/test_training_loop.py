"""The loop that takes steps: its limits, who hears of it, and that it changes no run."""

import time

import numpy as np
import pytest

from gan_core.recording.training_run import TrainingRun
from gan_core.training.trainer import Diverged
from gan_core.training.training_loop import Pace, fit
from tests.support.tiny import point_trainer


class Counted:
    """A run whose steps take a time; at `ends` it stands still for good."""

    def __init__(self, seconds: float = 0.0, ends: int | None = None):
        self.step, self.taken = 0, []
        self._seconds, self._ends = seconds, ends

    def take(self, most):
        assert most >= 1
        if self.step == self._ends:
            return None
        n = most if self._ends is None else min(most, self._ends - self.step)
        time.sleep(n * self._seconds)
        self.step += n
        self.taken.append(n)
        return np.zeros((n, 7), np.float32)


def test_it_takes_exactly_so_many_steps_in_chunks_that_grow():
    run, heard = Counted(1e-4), []
    fit(run, steps=1_000, on_chunk=lambda rows: heard.append(len(rows)))
    assert run.step == sum(heard) == 1_000 and heard == run.taken and heard[0] <= 10 < max(heard)
    fit(run, steps=1_000)
    assert run.step == 1_000  # it is there already


def test_it_trains_for_a_time_in_which_whoever_hears_of_it_does_not_count():
    run = Counted(1e-3)
    elapsed = fit(run, seconds=0.3, on_chunk=lambda rows: time.sleep(0.05))
    assert elapsed == pytest.approx(run.step * 1e-3, rel=0.8) and elapsed >= 0.3
    assert fit(run, seconds=0.0) == 0.0 and fit(run, steps=run.step + 5, seconds=60.0) < 60.0


def test_a_run_that_stands_still_for_good_ends_it_and_so_does_an_error():
    run = Counted(ends=50)
    fit(run, steps=1_000)
    assert run.step == 50

    def fail(rows):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fit(Counted(), steps=1_000, on_chunk=fail)
    with pytest.raises(ValueError, match="steps or of seconds"):
        fit(Counted())


def test_a_pace_that_knows_the_speed_begins_with_it():
    pace = Pace()
    for _ in range(20):
        pace.measured(1_000, 0.1)
    run = Counted()
    fit(run, steps=2_000, pace=pace)
    assert run.taken[0] == pytest.approx(400, abs=2)  # 0.04 s of 10,000 steps/s


def test_a_trainer_and_a_recorded_run_take_the_same_steps_as_by_hand():
    alone, recorded, by_hand = (point_trainer() for _ in range(3))
    run = TrainingRun(recorded, scored=False)
    fit(alone, steps=23)
    fit(run, steps=23)
    by_hand.train(23)
    assert run.step == alone.step == 23 and len(run.recording.frames.steps) > 1
    for a, b, c in zip(alone.state["g"], recorded.state["g"], by_hand.state["g"], strict=True):
        assert np.array_equal(a, c) and np.array_equal(b, c)


def test_a_trainer_that_diverges_says_so_and_a_recorded_run_keeps_the_sentence(monkeypatch):
    trainer = point_trainer()

    def diverge(n):
        raise Diverged(3, "g_loss")

    monkeypatch.setattr(trainer, "train", diverge)
    with pytest.raises(Diverged):
        fit(trainer, steps=10)
    run = TrainingRun(trainer, scored=False)
    fit(run, steps=10)
    assert "diverged at step 3" in run.error
