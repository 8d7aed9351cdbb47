"""Schedules of the learning rates, and of instance noise, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from gan_core.objectives.schedules import SCHEDULES, noise_level, rate_factor

STEPS = 1_000
# At the start, a quarter, half, three quarters of the way, the end, and far beyond.
AT = (0, 250, 500, 750, 1_000, 1_001, 2_000_000)
BY_HAND = {
    "constant": (1, 1, 1, 1, 1, 1, 1),
    "cosine": (1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0, 0, 0),
    "linear": (1, 0.75, 0.5, 0.25, 0, 0, 0),
}


def factor(name, step, steps=STEPS, floor=0.0):
    return float(rate_factor(tf.constant(step), values(list(SCHEDULES).index(name), steps, floor)))


def values(kind, steps=STEPS, floor=0.0):
    """The live settings that a schedule reads."""
    return {"schedule": kind, "schedule_steps": float(steps), "schedule_floor": floor}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_factor_of_the_rates(name):
    assert [factor(name, step) for step in AT] == pytest.approx(BY_HAND[name], abs=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("floor", [0.25, 1.0])
def test_the_floor_is_the_share_that_is_left(name, floor):
    expected = [floor + (1 - floor) * share for share in BY_HAND[name]]
    assert [factor(name, step, floor=floor) for step in AT] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "constant"])
def test_a_schedule_falls_at_every_step(name):
    factors = np.array([factor(name, step, 100) for step in range(101)])
    assert (np.diff(factors) < 0).all() and (factors >= 0).all()


def test_the_kind_is_a_tensor_that_can_change():
    """One function for all kinds: choosing another traces nothing."""
    traces = []

    @tf.function(autograph=False)
    def compiled(kind, step):
        traces.append(kind)
        return rate_factor(step, values(kind))

    for i, name in enumerate(SCHEDULES):
        assert float(compiled(tf.constant(i), tf.constant(250))) == pytest.approx(BY_HAND[name][1], abs=1e-6)
    assert len(traces) == 1


def test_instance_noise_falls_straight_to_0():
    levels = [float(noise_level(0.4, tf.constant(step), 1_000.0)) for step in AT]
    assert levels == pytest.approx([0.4, 0.3, 0.2, 0.1, 0, 0, 0], abs=1e-6)
    assert float(noise_level(0.0, tf.constant(0), 1_000.0)) == 0.0


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_row_is_described(name):
    assert SCHEDULES[name].description and set(BY_HAND) == set(SCHEDULES)
