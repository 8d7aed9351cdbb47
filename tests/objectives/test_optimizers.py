"""The optimizers, each against its Keras namesake."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_core.foundations.hyperparameters import asked_for
from gan_core.objectives.optimizers import EPSILON, OPTIMIZERS, RHO

UPDATES = 20
RNG = np.random.default_rng(0)
START = RNG.normal(size=(5, 3)).astype(np.float32)
GRADIENTS = RNG.normal(size=(UPDATES, 5, 3)).astype(np.float32)
GRADIENTS[:, 0] *= 1e-6  # where epsilon counts
GRADIENTS[:, 1] *= 1e3
GRADIENTS[:, 2] = 0.0
GRADIENTS[5:, 3] = 0.0  # a unit that dies


def namesake(name, rate, beta_1, beta_2, momentum):
    if name == "adam":
        return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=EPSILON)
    if name == "rmsprop":
        return keras.optimizers.RMSprop(rate, rho=RHO, momentum=momentum, epsilon=EPSILON)
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=momentum)
    raise AssertionError(f"which optimizer of Keras is {name}?")


def path(name, rate, beta_1=0.9, beta_2=0.999, momentum=0.0):
    """float32 [UPDATES, 5, 3]: the weight after each update."""
    row = OPTIMIZERS[name]
    weight = tf.constant(START)
    slots = tuple(tf.zeros_like(weight) for _ in row.slots)
    steps = []
    for t, gradient in enumerate(GRADIENTS, 1):
        own = asked_for(row.update, {"beta_1": beta_1, "beta_2": beta_2, "momentum": momentum})
        assert set(own) == set(row.knobs)
        change, slots = row.update(weight, tf.constant(gradient), slots, rate, tf.constant(float(t)), **own)
        assert len(slots) == len(row.slots)
        weight = weight + change
        steps.append(weight.numpy())
    return np.stack(steps)


HYPERPARAMETERS = list(
    itertools.chain(
        itertools.product(["adam"], [1e-3, 0.1], [0.0, 0.5, 0.9], [0.0, 0.9, 0.999], [0.0]),
        itertools.product(["rmsprop", "sgd"], [1e-3, 0.1], [0.9], [0.999], [0.0, 0.5, 0.99]),
    )
)


@pytest.mark.parametrize("name, rate, beta_1, beta_2, momentum", HYPERPARAMETERS)
def test_as_keras(name, rate, beta_1, beta_2, momentum):
    theirs = namesake(name, rate, beta_1, beta_2, momentum)
    weight = tf.Variable(START)
    theirs.build([weight])
    expected = []
    for gradient in GRADIENTS:
        theirs.apply([tf.constant(gradient)], [weight])
        expected.append(weight.numpy())
    ours = path(name, rate, beta_1, beta_2, momentum)
    np.testing.assert_allclose(ours, np.stack(expected), rtol=2e-4, atol=2e-5)


def test_epsilon_and_rho_are_keras_defaults():
    assert keras.optimizers.Adam().epsilon == EPSILON
    assert keras.optimizers.RMSprop().epsilon == EPSILON
    assert keras.optimizers.RMSprop().rho == RHO


def test_every_optimizer_is_held_against_keras():
    assert {name for name, *_ in HYPERPARAMETERS} == set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "hyperparameter, values", [("beta_1", (0.1, 0.8)), ("beta_2", (0.9, 0.999)), ("momentum", (0.1, 0.8))]
)
def test_a_row_s_own_hyperparameters_act(name, hyperparameter, values):
    a, b = (path(name, 0.01, **{hyperparameter: value}) for value in values)
    assert np.array_equal(a, b) == (hyperparameter not in OPTIMIZERS[name].knobs)


def test_the_first_step_of_adam_is_the_rate():
    """Whatever the size of the gradient, if it is far above epsilon."""
    moved = path("adam", 0.01, beta_1=0.5)[0] - START
    np.testing.assert_allclose(moved[[1, 3, 4]], -0.01 * np.sign(GRADIENTS[0][[1, 3, 4]]), rtol=1e-3)


def test_plain_sgd_is_the_sum_of_the_gradients():
    np.testing.assert_allclose(path("sgd", 0.5)[-1], START - 0.5 * GRADIENTS.astype(float).sum(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("size", [0.0, 0.3])
def test_an_update_can_be_differentiated(name, size):
    """As unrolling does; finite where the gradient is 0, and against differences elsewhere."""
    row = OPTIMIZERS[name]

    def change(gradient):
        slots = tuple(tf.fill([1], 0.01) for _ in row.slots) if size else (tf.zeros([1]),) * len(row.slots)
        own = asked_for(row.update, {"beta_1": 0.5, "beta_2": 0.9, "momentum": 0.5})
        return row.update(tf.constant([1.0]), gradient, slots, 0.1, tf.constant(3.0), **own)[0]

    gradient = tf.constant([size])
    with tf.GradientTape() as tape:
        tape.watch(gradient)
        value = change(gradient)
    slope = tape.gradient(value, gradient).numpy()
    assert np.isfinite(slope).all()
    if size:
        differences = (change(gradient + 1e-2) - change(gradient - 1e-2)).numpy() / 2e-2
        np.testing.assert_allclose(slope, differences, rtol=1e-2)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_weight_without_a_gradient_stays(name):
    np.testing.assert_array_equal(path(name, 0.1, momentum=0.5)[-1][2], START[2])
