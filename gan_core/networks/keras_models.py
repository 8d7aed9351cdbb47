"""Plans (architectures.py) -> Keras models. The same seed gives the same initial weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError, Settings
from gan_core.foundations.lazy_imports import keras
from gan_core.networks.architectures import ARCHITECTURES, packed, plans
from gan_core.networks.layers import Dense, connected, kind_of

D_SEED = 100  # apart from the generator's


def build(config: Settings, shape: tuple[int, ...], seed: int, classes: int = 0) -> tuple[Any, Any]:
    """(generator, discriminator) for samples of `shape`; Glorot-uniform weights, zero biases.

    With `classes` > 0 both take a one-hot class [batch, classes]: the generator behind z in the same vector, the
    discriminator as a second input, by projection (Miyato and Koyama, arXiv 1802.05637). With `config.packing` > 1 the
    discriminator takes packs (architectures.packed).
    """
    generator, discriminator = plans(config, shape)
    own = ARCHITECTURES[config.architecture].models
    if own is not None:
        return _given(own, config, shape, seed)
    z = keras.Input((config.latent_dim + classes,))
    seeds = iter(range(seed, seed + D_SEED))
    g = keras.Model(z, connected(generator, z, seeds), name="generator")
    x = keras.Input(packed(shape, config.packing))
    seeds = iter(range(seed + D_SEED, seed + 2 * D_SEED))
    features = connected(discriminator[:-1], x, seeds)
    last: Any = discriminator[-1]  # the Dense layer that makes the logit
    logit = last.build(features, seeds)
    if not classes:
        return g, keras.Model(x, logit, name="discriminator")
    y = keras.Input((classes,))
    row = Dense(features.shape[-1], last.norm).build(y, seeds, bias=False)
    logit = keras.layers.Add()([logit, keras.layers.Dot(axes=1)([features, row])])
    return g, keras.Model([x, y], logit, name="discriminator")


def _given(function: Callable[..., Any], config: Settings, shape: tuple[int, ...], seed: int) -> tuple[Any, Any]:
    """The Keras models that a row of ARCHITECTURES makes itself; raises ConfigError for what cannot be trained."""
    name = config.architecture
    keras.utils.set_random_seed(seed % 2**32)  # its layers name no seeds
    models = function(config, shape)
    if not isinstance(models, tuple) or len(models) != 2 or not all(isinstance(m, keras.Model) for m in models):
        raise ConfigError(f"The architecture {name} must give two Keras models: (generator, discriminator).")
    sides = ("generator", (config.latent_dim,), tuple(shape)), ("discriminator", tuple(shape), (1,))
    for model, (side, given, wanted) in zip(models, sides, strict=True):
        found = tuple(model.compute_output_shape((None, *given)))[1:]
        if found != wanted:
            raise ConfigError(f"The {side} of the architecture {name} gives shape {found}, and must give {wanted}.")
        model.name = side  # by which the table of layers knows it
    return models


def layers(model: Any) -> list[dict[str, Any]]:
    """A row for each layer of a model: network, layer, output shape, parameters."""
    return [
        {
            "network": model.name,
            "layer": kind.title() if (kind := kind_of(layer)) else type(layer).__name__,
            "output": " x ".join(str(n) for n in layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]
