"""The losses, against values worked out with NumPy in double precision."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_core.objectives.losses import LN2, LOSSES

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(size=(2, 32, 1)) * 3
ONES, ZEROS = np.ones((32, 1)), np.zeros((32, 1))
LABELS = {
    "plain": (ONES, ZEROS),
    "smoothed": (ONES - 0.1, ZEROS),
    "noisy": (ONES + RNG.uniform(-0.3, 0.3, (32, 1)), RNG.uniform(-0.3, 0.3, (32, 1))),
}


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def cross_entropy(logits, labels):
    """-E[y log p + (1 - y) log(1 - p)], p = sigmoid(logit)."""
    return float(-(labels * log_sigmoid(logits) + (1 - labels) * log_sigmoid(-logits)).mean())


def by_hand_d(name, real, fake, real_labels, fake_labels):
    if name in ("non_saturating", "minimax"):
        return cross_entropy(real, real_labels) + cross_entropy(fake, fake_labels)
    if name == "least_squares":
        return float(((real - real_labels) ** 2).mean() / 2 + ((fake - fake_labels) ** 2).mean() / 2)
    if name == "relativistic":
        return cross_entropy(real - fake, real_labels - fake_labels)
    if name == "relativistic_average":
        return cross_entropy(real - fake.mean(), real_labels) + cross_entropy(fake - real.mean(), fake_labels)
    if name == "hinge":
        return float(np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean())
    if name == "wasserstein":
        return float(fake.mean() - real.mean())
    raise AssertionError(f"work out the loss {name} by hand")


def by_hand_g(name, real, fake):
    if name == "non_saturating":
        return float(-log_sigmoid(fake).mean())
    if name == "minimax":
        return float(log_sigmoid(-fake).mean())
    if name == "least_squares":
        return float(((fake - 1) ** 2).mean() / 2)
    if name == "relativistic":
        return float(-log_sigmoid(fake - real).mean())
    if name == "relativistic_average":
        return float(-log_sigmoid(fake - real.mean()).mean() - log_sigmoid(fake.mean() - real).mean())
    if name in ("hinge", "wasserstein"):
        return float(-fake.mean())
    raise AssertionError(f"work out the loss {name} by hand")


def tensors(*arrays):
    return [tf.constant(a, tf.float32) for a in arrays]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("labels", LABELS)
def test_discriminator_by_hand(name, labels):
    value = LOSSES[name].discriminator(*tensors(REAL, FAKE, *LABELS[labels]))
    assert value.shape == ()
    assert float(value) == pytest.approx(by_hand_d(name, REAL, FAKE, *LABELS[labels]), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_generator_by_hand(name):
    value = LOSSES[name].generator(*tensors(REAL, FAKE))
    assert value.shape == ()
    assert float(value) == pytest.approx(by_hand_g(name, REAL, FAKE), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_only_those_that_say_so_need_real_logits(name):
    row = LOSSES[name]
    (fake,) = tensors(FAKE)
    if row.generator_needs_real:
        a, b = (float(row.generator(real, fake)) for real in tensors(REAL, REAL + 1))
        assert a != b
    else:
        assert np.isfinite(float(row.generator(None, fake)))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("real", [-1_000.0, 0.0, 1_000.0])
@pytest.mark.parametrize("fake", [-1_000.0, 0.0, 1_000.0])
def test_finite_with_finite_gradients_at_extreme_logits(name, real, fake):
    real, fake = tensors(real * ONES, fake * ONES)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d_loss = LOSSES[name].discriminator(real, fake, *tensors(ONES, ZEROS))
        g_loss = LOSSES[name].generator(real, fake)
    assert np.isfinite([float(d_loss), float(g_loss)]).all()
    for gradient in (*tape.gradient(d_loss, [real, fake]), tape.gradient(g_loss, fake)):
        assert np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize("name", LOSSES)
def test_equilibrium_is_what_the_losses_are_there(name):
    """At rest every logit is 0, or 0.5 for least squares: both between the labels and at the threshold.

    Where the generator's loss may rest anywhere it is None, and every rest inside the margin costs D the same.
    """
    row = LOSSES[name]
    rest = 0.5 if name == "least_squares" else 0.0
    assert row.threshold == rest
    g_loss, d_loss = row.equilibrium
    assert (g_loss is None) == (name in ("hinge", "wasserstein"))
    seen = []
    for logit in (rest,) if g_loss is not None else (-0.9, rest, 0.9):
        real, fake = tensors(logit * ONES, logit * ONES)
        seen.append(float(row.generator(real, fake)))
        assert float(row.discriminator(real, fake, *tensors(ONES, ZEROS))) == pytest.approx(d_loss, abs=1e-6)
    assert seen == pytest.approx([0.9, 0.0, -0.9] if g_loss is None else [g_loss], abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_equilibrium_is_the_discriminators_optimum(name):
    """With real and fake alike, no constant logit does better; of hinge's, those beyond its margin do worse."""
    row = LOSSES[name]
    for shift in (-1.3, 1.3) if name == "hinge" else (-0.3, 0.3):
        real, fake = tensors((row.threshold + shift) * ONES, (row.threshold + shift) * ONES)
        moved = float(row.discriminator(real, fake, *tensors(ONES, ZEROS)))
        if row.p_real == "centered":
            assert moved == pytest.approx(row.equilibrium[1], abs=1e-6)
        else:
            assert moved > row.equilibrium[1] + 1e-3


@pytest.mark.parametrize("name", LOSSES)
def test_each_side_wants_what_the_other_does_not(name):
    """D's loss falls with higher real and lower fake logits, G's with higher fake ones."""
    row = LOSSES[name]
    real, fake = tensors(0.1 * REAL, 0.1 * FAKE)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d_loss = row.discriminator(real, fake, *tensors(ONES, ZEROS))
        g_loss = row.generator(real, fake)
    assert tf.reduce_sum(tape.gradient(d_loss, real)) < 0
    assert tf.reduce_sum(tape.gradient(d_loss, fake)) > 0
    assert tf.reduce_sum(tape.gradient(g_loss, fake)) < 0


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("labels", ["smoothed", "noisy"])
def test_labels_says_which_losses_look_at_them(name, labels):
    row = LOSSES[name]
    plain, moved = (float(row.discriminator(*tensors(REAL, FAKE, *LABELS[of]))) for of in ("plain", labels))
    assert (plain != moved) == row.labels


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_bounded_unless_it_falls_without_end(name):
    """As the discriminator's logits grow in the right direction."""
    real, fake = tensors(1e6 * ONES, -1e6 * ONES)
    value = float(LOSSES[name].discriminator(real, fake, *tensors(ONES, ZEROS)))
    assert (value >= 0) == LOSSES[name].bounded


def test_hinge_ignores_what_is_beyond_the_margin():
    """A real logit of 1 or more and a fake one of -1 or less cost nothing and push nowhere."""
    real, fake = tensors([[1.5], [3.0]], [[-1.5], [-3.0]])
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        loss = LOSSES["hinge"].discriminator(real, fake, None, None)
    assert float(loss) == 0.0
    assert not np.any([g.numpy() for g in tape.gradient(loss, [real, fake])])


def test_minimax_saturates_where_non_saturating_does_not():
    (fake,) = tensors(-20 * ONES)
    size = {}
    for name in ("minimax", "non_saturating"):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            loss = LOSSES[name].generator(None, fake)
        size[name] = float(tf.reduce_sum(tf.abs(tape.gradient(loss, fake))))
    assert size["minimax"] < 1e-6
    assert size["non_saturating"] == pytest.approx(1.0, rel=1e-4)


def test_known_equilibria():
    assert pytest.approx(math.log(2)) == LN2
    assert LOSSES["non_saturating"].equilibrium == (LN2, 2 * LN2)
    assert LOSSES["least_squares"].equilibrium == (0.125, 0.25)


@pytest.mark.parametrize("name", LOSSES)
def test_every_row_is_described(name):
    row = LOSSES[name]
    assert row.description and row.source.startswith("arXiv ")
    assert row.p_real in ("sigmoid", "clip", "centered")
