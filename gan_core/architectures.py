"""The networks. `ARCHITECTURES` is their registry: name -> `build(config, shape, seed) -> (generator, discriminator)`.

The generator maps z [batch, latent_dim] to samples [batch, *shape] in training units, the discriminator maps
samples to logits [batch, 1]. The same seed gives the same initial weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gan_core.lazy import keras

if TYPE_CHECKING:
    from gan_core.config import GANConfig


@dataclass(frozen=True)
class Architecture:
    """A row of the registry."""

    build: Callable
    description: str


def _dense(units: int, seed: int, activation: str | None = None):
    return keras.layers.Dense(
        units, activation=activation, kernel_initializer=keras.initializers.GlorotUniform(seed=seed)
    )


def _activation(name: str):
    if name == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=0.2)
    return keras.layers.Activation("silu" if name == "swish" else name)


ACTIVATIONS: dict[str, str] = {
    "relu": "max(0, x)",
    "leaky_relu": "x, or 0.2 x below 0",
    "tanh": "between -1 and 1, smooth",
    "elu": "smooth below 0",
    "swish": "x sigmoid(x), smooth",
}


def _mlp(inputs: int, layers: int, units: int, activation: str, outputs: int, output: str, seed: int, name: str):
    stack = [keras.Input((inputs,))]
    for depth in range(layers):
        stack += [_dense(units, seed + depth), _activation(activation)]
    stack.append(_dense(outputs, seed + layers))
    if output != "linear":
        stack.append(keras.layers.Activation(output))
    return keras.Sequential(stack, name=name)


def mlp(config: GANConfig, shape: tuple[int, ...], seed: int):
    """Dense layers with one activation between them; Glorot-uniform weights, zero biases."""
    (size,) = shape
    c = config
    generator = _mlp(c.latent_dim, c.g_layers, c.g_units, c.g_activation, size, c.g_output, seed, "generator")
    discriminator = _mlp(size, c.d_layers, c.d_units, c.d_activation, 1, "linear", seed + 100, "discriminator")
    return generator, discriminator


ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture(mlp, "dense layers; right for points"),
}
