"""The penalties, against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from gan_core.penalties import PENALTIES, gradient_square

RNG = np.random.default_rng(0)
REAL, FAKE = (tf.constant(a, tf.float32) for a in RNG.normal(size=(2, 16, 2)))
W = np.array([3.0, -4.0])


def linear(x):
    """w.x + 7, whose gradient is w everywhere: |w|² = 25."""
    return tf.linalg.matvec(x, tf.constant(W, tf.float32))[:, None] + 7.0


def quadratic(x):
    """x₀² + 3 x₁, whose gradient is (2 x₀, 3)."""
    return x[:, :1] ** 2 + 3.0 * x[:, 1:]


def quadratic_square(x):
    return float((4 * x.numpy()[:, 0].astype(float) ** 2 + 9).mean())


def test_gradient_square():
    assert float(gradient_square(linear, REAL)) == pytest.approx(25.0)
    assert float(gradient_square(quadratic, REAL)) == pytest.approx(quadratic_square(REAL), rel=1e-5)


def test_the_gradient_square_of_an_image_sums_over_all_its_pixels():
    images = tf.constant(RNG.normal(size=(5, 4, 4, 1)), tf.float32)
    value = gradient_square(lambda x: tf.reshape(2.0 * tf.reduce_sum(x, axis=[1, 2, 3]), [-1, 1]), images)
    assert float(value) == pytest.approx(4 * 16)


def test_none_adds_nothing():
    assert PENALTIES["none"].function is None


def test_r1_of_a_linear_discriminator_is_half_the_square_of_its_weight():
    assert float(PENALTIES["r1"].function(linear, REAL, FAKE)) == pytest.approx(12.5)


def test_r1_r2_of_a_linear_discriminator_is_the_square_of_its_weight():
    assert float(PENALTIES["r1_r2"].function(linear, REAL, FAKE)) == pytest.approx(25.0)


def test_r1_looks_at_the_real_points_only():
    value = float(PENALTIES["r1"].function(quadratic, REAL, FAKE))
    assert value == pytest.approx(quadratic_square(REAL) / 2, rel=1e-5)
    assert value == float(PENALTIES["r1"].function(quadratic, REAL, FAKE + 5.0))


def test_r1_r2_looks_at_both():
    value = float(PENALTIES["r1_r2"].function(quadratic, REAL, FAKE))
    assert value == pytest.approx((quadratic_square(REAL) + quadratic_square(FAKE)) / 2, rel=1e-5)
    assert quadratic_square(REAL) != pytest.approx(quadratic_square(FAKE), rel=1e-2)


@pytest.mark.parametrize("name", [n for n in PENALTIES if n != "none"])
def test_a_flat_discriminator_costs_nothing(name):
    assert float(PENALTIES[name].function(lambda x: 0.0 * x[:, :1] + 3.0, REAL, FAKE)) == 0.0


@pytest.mark.parametrize("name, factor", [("r1", 1.0), ("r1_r2", 2.0)])
def test_the_gradient_with_respect_to_the_weights(name, factor):
    """d (1/2 |w|²) / dw = w: training can differentiate through the penalty."""
    w = tf.Variable(W.astype(np.float32))
    with tf.GradientTape() as tape:
        value = PENALTIES[name].function(lambda x: tf.linalg.matvec(x, w)[:, None], REAL, FAKE)
    np.testing.assert_allclose(tape.gradient(value, w), factor * W, rtol=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
def test_every_row_is_described(name):
    assert PENALTIES[name].description
    assert name == "none" or PENALTIES[name].source.startswith("arXiv ")
