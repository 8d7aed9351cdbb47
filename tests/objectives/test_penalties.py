"""The penalties, against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from gan_core.objectives.penalties import PENALTIES, gradient_square

RNG = np.random.default_rng(0)
REAL, FAKE = (tf.constant(a, tf.float32) for a in RNG.normal(size=(2, 16, 2)))
W = np.array([3.0, -4.0])


def linear(x):
    """w.x + 7, whose gradient is w everywhere: |w|² = 25."""
    return tf.linalg.matvec(x, tf.constant(W, tf.float32))[:, None] + 7.0


def uniform(shape):
    """As the trainer draws, from a key of its own each time."""
    key = tf.constant(RNG.integers(1 << 30, size=2))
    return tf.random.stateless_uniform(shape, key, alg="philox")


def value_of(name, critic, real=REAL, fake=FAKE, draw=uniform):
    return float(PENALTIES[name].function(critic, real, fake, draw))


class Recorder:
    """A critic, and the one batch that it was shown."""

    def __init__(self, critic=linear):
        self.critic, self.seen = critic, []

    def __call__(self, x):
        self.seen.append(x.numpy())
        return self.critic(x)

    @property
    def points(self):
        (points,) = self.seen
        return points


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
    assert value_of("r1", linear) == pytest.approx(12.5)


def test_r1_r2_of_a_linear_discriminator_is_the_square_of_its_weight():
    assert value_of("r1_r2", linear) == pytest.approx(25.0)


@pytest.mark.parametrize("name", ["wgan_gp", "dragan"])
def test_the_slope_should_be_1_wherever_it_is_looked_at(name):
    """(|w| - 1)² = 16 of a linear discriminator with |w| = 5, and nothing where the slope is 1."""
    assert value_of(name, linear) == pytest.approx(16.0)
    assert value_of(name, lambda x: linear(x) / 5) == pytest.approx(0.0, abs=1e-9)
    assert value_of(name, lambda x: linear(x) / 10) == pytest.approx(0.25)


def test_wgan_gp_looks_between_fake_and_real_with_the_drawn_weight():
    critic, drawn = Recorder(quadratic), []
    value = value_of("wgan_gp", critic, draw=lambda shape: drawn.append(uniform(shape)) or drawn[-1])
    (weight,) = drawn
    assert weight.shape == (16, 1) and len(np.unique(weight)) == 16
    between = FAKE.numpy() + weight.numpy() * (REAL.numpy() - FAKE.numpy())
    np.testing.assert_allclose(critic.points, between, rtol=1e-5)
    slopes = np.sqrt(4 * between[:, 0].astype(float) ** 2 + 9)
    assert value == pytest.approx(((slopes - 1) ** 2).mean(), rel=1e-5)


@pytest.mark.parametrize("weight, end", [(0.0, FAKE), (1.0, REAL)])
def test_wgan_gp_from_end_to_end(weight, end):
    critic = Recorder()
    value_of("wgan_gp", critic, draw=lambda shape: tf.fill(shape, weight))
    np.testing.assert_allclose(critic.points, end, atol=1e-6)


def test_wgan_gp_draws_one_weight_for_a_whole_picture():
    critic = Recorder(lambda x: tf.reshape(tf.reduce_sum(x, axis=[1, 2, 3]), [-1, 1]))
    value = value_of("wgan_gp", critic, tf.ones([6, 4, 4, 3]), tf.zeros([6, 4, 4, 3]))
    assert value == pytest.approx((np.sqrt(48) - 1) ** 2, rel=1e-5)  # a slope of 1 at each of 48 numbers
    assert (critic.points == critic.points[:, :1, :1, :1]).all()
    assert len(np.unique(critic.points)) == 6


def test_dragan_looks_within_half_a_standard_deviation_of_the_real_points():
    real = tf.constant(RNG.normal(3.0, 2.0, size=(4_000, 2)), tf.float32)
    critic = Recorder()
    value_of("dragan", critic, real, real + 100.0)
    moved = (critic.points - real.numpy()) / real.numpy().std()
    assert -0.5 <= moved.min() < -0.49 and 0.49 < moved.max() <= 0.5
    np.testing.assert_allclose(moved.mean(0), 0.0, atol=0.02)
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.05  # each coordinate by itself


@pytest.mark.parametrize("name", ["wgan_gp", "dragan"])
def test_what_draws_compiles(name):
    """XLA wants shapes that are known, and its own random numbers."""

    def draw(shape):
        return tf.random.stateless_uniform(shape, [1, 2], alg="threefry")

    @tf.function(jit_compile=True, autograph=False)
    def compiled(real, fake):
        return PENALTIES[name].function(linear, real, fake, draw)

    assert float(compiled(REAL, FAKE)) == pytest.approx(16.0, rel=1e-4)


def test_r1_looks_at_the_real_points_only():
    value = value_of("r1", quadratic)
    assert value == pytest.approx(quadratic_square(REAL) / 2, rel=1e-5)
    assert value == value_of("r1", quadratic, fake=FAKE + 5.0)


def test_r1_r2_looks_at_both():
    value = value_of("r1_r2", quadratic)
    assert value == pytest.approx((quadratic_square(REAL) + quadratic_square(FAKE)) / 2, rel=1e-5)
    assert quadratic_square(REAL) != pytest.approx(quadratic_square(FAKE), rel=1e-2)


@pytest.mark.parametrize("name, cost", [("r1", 0.0), ("r1_r2", 0.0), ("wgan_gp", 1.0), ("dragan", 1.0)])
def test_a_flat_discriminator(name, cost):
    """Costs nothing where flatness is wanted and 1 where a slope of 1 is; with a finite gradient."""
    w = tf.Variable([0.0, 0.0])
    with tf.GradientTape() as tape:
        value = PENALTIES[name].function(lambda x: tf.linalg.matvec(x, w)[:, None], REAL, FAKE, uniform)
    assert float(value) == pytest.approx(cost, abs=1e-5)
    np.testing.assert_allclose(tape.gradient(value, w), [0.0, 0.0])


@pytest.mark.parametrize("name, factor", [("r1", 1.0), ("r1_r2", 2.0), ("wgan_gp", 1.6), ("dragan", 1.6)])
def test_the_gradient_with_respect_to_the_weights(name, factor):
    """d (1/2 |w|²) / dw = w, d (|w| - 1)² / dw = 2 (1 - 1/5) w: training can differentiate through the penalty."""
    w = tf.Variable(W.astype(np.float32))
    with tf.GradientTape() as tape:
        value = PENALTIES[name].function(lambda x: tf.linalg.matvec(x, w)[:, None], REAL, FAKE, uniform)
    np.testing.assert_allclose(tape.gradient(value, w), factor * W, rtol=1e-5)


@pytest.mark.parametrize("name, batches", [("none", 0), ("r1", 1), ("r1_r2", 2), ("wgan_gp", 1), ("dragan", 1)])
def test_how_many_batches_a_penalty_looks_at(name, batches):
    critic = Recorder()
    if PENALTIES[name].function is not None:
        value_of(name, critic)
    assert len(critic.seen) == PENALTIES[name].batches == batches


def test_every_penalty_is_worked_out_by_hand():
    assert set(PENALTIES) == {"none", "r1", "r1_r2", "wgan_gp", "dragan"}


@pytest.mark.parametrize("name", PENALTIES)
def test_every_row_is_described(name):
    assert PENALTIES[name].description
    assert name == "none" or PENALTIES[name].source.startswith("arXiv ")
