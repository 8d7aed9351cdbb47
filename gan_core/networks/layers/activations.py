"""Activations: what bends between layers with a kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gan_core.foundations.lazy_imports import keras, tf
from gan_core.networks.layers.layer import Layer, Place, Shape, Variables

KERAS_NAMES = {"swish": "silu"}  # where Keras's name is another


@dataclass(frozen=True)
class Activation(Layer):
    """A function of each number by itself, one of network_hyperparameters.ACTIVATIONS but maxout."""

    name: str

    def argument(self) -> str:
        return KERAS_NAMES.get(self.name, self.name)

    def title(self) -> str:
        return "LeakyReLU" if self.name == "leaky_relu" else f"Activation ({self.argument()})"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        if self.name == "leaky_relu":
            return keras.layers.LeakyReLU(negative_slope=0.2)
        return keras.layers.Activation(self.argument())

    def script(self, place: Place) -> str:
        return f'layers.Activation("{self.argument()}")'  # Keras's leaky_relu has our slope, 0.2


@dataclass(frozen=True)
class Maxout(Layer):
    """The largest of each five neighbouring features (arXiv 1302.4389): [..., 5 n] -> [..., n]."""

    pieces: ClassVar[int] = 5

    def output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], shape[-1] // self.pieces)

    def build(self, x: Any, seeds: Iterator[int]) -> Any:
        pieces = keras.layers.Reshape((*x.shape[1:-1], x.shape[-1] // self.pieces, self.pieces))(x)
        largest = keras.layers.Lambda(lambda p: tf.reduce_max(p, -1), name=f"maxout_{next(seeds)}")
        return self.marked(largest)(pieces)

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        """Of pieces [batch, ..., n, 5]: Keras would not load a function of our own."""
        flat = keras.layers.Reshape((-1, 1))(x)  # the pieces of a number lie side by side
        return keras.layers.Reshape(x.shape[1:-1])(keras.layers.MaxPooling1D(self.pieces)(flat))

    def script(self, place: Place) -> str:
        place.seed()  # `build` names its layer by one
        return "Maxout()"

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        return f'''class Maxout(layers.Layer):
    """The largest of {self.pieces} linear pieces (arXiv 1302.4389)."""

    def call(self, x):
        pieces = [-1, *x.shape[1:-1], x.shape[-1] // {self.pieces}, {self.pieces}]
        return tf.reduce_max(tf.reshape(x, pieces), -1)'''


def activation(name: str) -> Layer:
    """The layer that one of network_hyperparameters.ACTIVATIONS is."""
    return Maxout() if name == "maxout" else Activation(name)
