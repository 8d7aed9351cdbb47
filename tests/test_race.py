"""A race in a real worker: every run trains as it would alone, whatever its networks and whatever becomes of others."""

import numpy as np
import pytest

from gan_core import datasets
from gan_core.client import Run
from gan_core.config import GANConfig
from gan_core.trainer import Trainer
from tests.test_trainer import uncompiled
from tests.workers import hurried, poll_until

# Real processes on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

SMALL = GANConfig.from_flat(
    {"data": "ring", "g_layers": 1, "d_layers": 1, "g_units": 8, "d_units": 8, "batch_size": 8, "data_size": 500}
)
DIVERGES = {"d_optimizer": "sgd", "d_lr": 1.0, "penalty": "r1_r2", "gp_weight": 100.0}
TRIES = 60  # steps within which it has diverged


@pytest.fixture(scope="module")
def worker():
    process = hurried()
    yield process
    process.process.kill()
    process.process.wait(15)


def raced(worker, *changes):
    """A race of such settings that stands at step 0."""
    run = Run(SMALL)
    run.race(tuple(SMALL.updated(change) for change in changes))
    run.attach(worker)
    poll_until(run, lambda s: s.status == "paused" and len(s.lanes) == len(changes), "the start")
    return run


def stepped(run, n, to):
    """The frame after so many steps, which lead to step `to`."""
    run.steps(n)
    done = lambda s: s.status == "paused" and max(lane["step"] for lane in s.lanes) == to  # noqa: E731
    return poll_until(run, done, f"step {to}")


def alone(config, steps):
    """The samples of a trainer of its own after so many steps."""
    trainer = Trainer(config, datasets.load(config), uncompiled(config))
    trainer.train(steps)
    return trainer.samples(trainer.latent(1_000), ema=True)


def test_runs_of_other_networks_batches_and_rounds_train_as_alone(worker):
    run = raced(worker, {}, {"g_units": 12}, {"batch_size": 16}, {"d_steps": 3})
    stepped(run, 7, 7)
    shown = stepped(run, 5, 12)
    assert [lane["step"] for lane in shown.lanes] == [12] * 4
    for config, lane in zip(run.configs, shown.lanes, strict=True):
        np.testing.assert_array_equal(lane["samples"], alone(config, 12))


def test_one_that_diverges_stays_behind_and_the_others_go_on_in_step(worker):
    run = raced(worker, DIVERGES, {}, {"g_layers": 2})
    shown = stepped(run, TRIES, TRIES)
    stood = shown.lanes[0]["step"]
    assert "became NaN or infinite" in shown.lanes[0]["lane_error"] and stood < TRIES
    assert [lane["step"] for lane in shown.lanes[1:]] == [TRIES] * 2 and run.step == TRIES and not shown.error
    run.play()
    shown = poll_until(run, lambda s: s.step > TRIES + 5, "the others to go on")
    run.pause()
    shown = poll_until(run, lambda s: s.status == "paused", "the pause")
    assert shown.lanes[0]["step"] == stood and shown.lanes[0]["lane_error"] and not shown.error
    one, other = shown.lanes[1:]
    assert one["step"] == other["step"] == run.step > TRIES
    np.testing.assert_array_equal(one["samples"], alone(run.configs[1], one["step"]))


def test_a_race_of_which_all_have_diverged_says_so_whatever_is_pressed(worker):
    run = raced(worker, DIVERGES, {**DIVERGES, "g_units": 12})
    for press in (lambda: run.steps(TRIES), run.play, lambda: run.steps(1)):
        press()
        shown = poll_until(run, lambda s: s.error, "the sentence", errors=True)
        assert shown.error.startswith("All runs of this race diverged.") and not run.busy
    run.race((SMALL, SMALL.updated({"g_units": 12})))
    stepped(run, 1, 1)
