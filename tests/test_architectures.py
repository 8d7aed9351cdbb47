"""The networks: shapes, parameter counts, initial weights, and what a forward pass computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_core.architectures import ACTIVATIONS, ARCHITECTURES
from gan_core.config import GANConfig

SMALL = {"g_layers": 2, "g_units": 7, "d_layers": 1, "d_units": 5, "latent_dim": 3}
BATCH = np.random.default_rng(0).normal(size=(11, 3)).astype(np.float32)


def build(seed=0, architecture="mlp", **settings):
    config = GANConfig.from_flat({**SMALL, "architecture": architecture, **settings})
    return ARCHITECTURES[architecture].build(config, (2,), seed)


def weights(model):
    return [v.numpy() for v in model.trainable_variables]


def by_hand(model, x, bend):
    """The forward pass of dense layers with `bend` between them, in double precision."""
    variables = [w.astype(float) for w in weights(model)]
    for kernel, bias in zip(variables[:-2:2], variables[1:-2:2], strict=True):
        x = bend(x @ kernel + bias)
    return x @ variables[-2] + variables[-1]


BENDS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "swish": lambda x: x / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shapes(architecture):
    generator, discriminator = build(architecture=architecture)
    fake = generator(BATCH)
    assert fake.shape == (11, 2) and fake.dtype == tf.float32
    logits = discriminator(fake)
    assert logits.shape == (11, 1) and logits.dtype == tf.float32


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_variable_but_the_trainable_ones(architecture):
    """The engine carries nothing else: a layer with a state of its own would lose it."""
    for model in build(architecture=architecture):
        assert model.non_trainable_variables == []


def test_parameters_of_the_tutorials_networks():
    """100 - 256 - 256 - 256 - 2 and 2 - 256 - 256 - 256 - 1."""
    generator, discriminator = build(latent_dim=100, g_layers=3, g_units=256, d_layers=3, d_units=256)
    assert generator.count_params() == 157_954
    assert discriminator.count_params() == 132_609


@pytest.mark.parametrize("layers", range(6))
def test_the_number_of_layers(layers):
    generator, discriminator = build(g_layers=layers, d_layers=layers)
    for model in (generator, discriminator):
        assert sum(isinstance(layer, keras.layers.Dense) for layer in model.layers) == layers + 1


def test_without_hidden_layers_the_networks_are_affine():
    generator, discriminator = build(g_layers=0, d_layers=0)
    assert generator.count_params() == 3 * 2 + 2
    assert discriminator.count_params() == 2 + 1
    for model, x in ((generator, BATCH), (discriminator, BATCH[:, :2])):
        kernel, bias = weights(model)
        np.testing.assert_allclose(model(x), x @ kernel + bias, rtol=1e-5, atol=1e-6)


def test_every_activation_has_its_formula_here():
    assert set(BENDS) == set(ACTIVATIONS)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_by_hand(activation):
    generator, discriminator = build(g_activation=activation, d_activation=activation)
    bend = BENDS[activation]
    np.testing.assert_allclose(generator(BATCH), by_hand(generator, BATCH, bend), rtol=1e-4, atol=1e-5)
    points = BATCH[:, :2] * 2
    np.testing.assert_allclose(discriminator(points), by_hand(discriminator, points, bend), rtol=1e-4, atol=1e-5)


def test_each_network_has_its_own_activation():
    generator, discriminator = build(g_activation="tanh", d_activation="swish")
    np.testing.assert_allclose(generator(BATCH), by_hand(generator, BATCH, np.tanh), rtol=1e-4, atol=1e-5)
    points = BATCH[:, :2]
    np.testing.assert_allclose(
        discriminator(points), by_hand(discriminator, points, BENDS["swish"]), rtol=1e-4, atol=1e-5
    )


def test_output_tanh_bounds_the_generator_and_leaves_the_logits_alone():
    generator, discriminator = build(g_output="tanh")
    linear, _ = build(g_output="linear")
    np.testing.assert_allclose(generator(BATCH), np.tanh(linear(BATCH)), rtol=1e-5, atol=1e-6)
    assert np.abs(generator(1e3 * BATCH)).max() <= 1.0
    assert np.abs(discriminator(1e4 * BATCH[:, :2])).max() > 1.0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_same_seed_gives_the_same_weights_and_another_gives_others(architecture):
    first = [w for model in build(3, architecture) for w in weights(model)]
    keras.utils.set_random_seed(99)  # the global seed has no say
    again = [w for model in build(3, architecture) for w in weights(model)]
    other = [w for model in build(4, architecture) for w in weights(model)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    for a, b in zip(first, other, strict=True):
        if a.ndim > 1:
            assert not np.array_equal(a, b)


def test_no_two_layers_start_alike():
    """Neither inside a network nor across the two."""
    same = {"latent_dim": 2, "g_layers": 4, "g_units": 2, "d_layers": 4, "d_units": 2}
    kernels = [w for model in build(0, **same) for w in weights(model) if w.shape == (2, 2)]
    assert len(kernels) == 5 + 4
    assert len({w.tobytes() for w in kernels}) == len(kernels)


def test_initial_weights_are_glorot_uniform_and_biases_zero():
    generator, _ = build(g_layers=2, g_units=256)
    kernel, bias = weights(generator)[2:4]
    limit = np.sqrt(6 / (256 + 256))
    assert kernel.shape == (256, 256)
    assert limit * 0.99 < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not bias.any()
