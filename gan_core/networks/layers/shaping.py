"""Layers that only lay the numbers of a sample out anew."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.lazy_imports import keras, tf
from gan_core.networks.layers.layer import Layer, Place, Shape, Variables, source_of


@dataclass(frozen=True)
class Reshape(Layer):
    """To `shape`, without the batch."""

    shape: Shape

    def output_shape(self, shape: Shape) -> Shape:
        return self.shape

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return keras.layers.Reshape(self.shape)

    def script(self, place: Place) -> str:
        *sides, n = self.shape
        return f"layers.Reshape(({', '.join([*map(str, sides), place.channels(n)])}{',' * (not sides)}))"


@dataclass(frozen=True)
class Flatten(Layer):
    """To one vector a sample."""

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return keras.layers.Flatten()

    def script(self, place: Place) -> str:
        return "layers.Flatten()"


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """Features become pixels: [side, side, n² channels] -> [n side, n side, channels] (arXiv 1609.05158, 3.2).

    Behind a convolution it paints a large picture by products at a small one: a CPU multiplies many channels fast,
    and a transposed convolution with one channel 3 to 6 times slower.
    """

    n: int

    def output_shape(self, shape: Shape) -> Shape:
        return (self.n * shape[0], self.n * shape[1], shape[2] // self.n**2)

    def title(self) -> str:
        return f"Pixel shuffle ({self.n})"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return _pixel_shuffle_class()(self.n)

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        height, width, features = x.shape[1:]
        n, channels = self.n, features // self.n**2
        x = keras.layers.Reshape((height, width, n, n, channels))(x)
        x = keras.layers.Permute((1, 3, 2, 4, 5))(x)
        return keras.layers.Reshape((n * height, n * width, channels))(x)

    def script(self, place: Place) -> str:
        return f"PixelShuffle({self.n})"

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        return source_of(_pixel_shuffle_class())


@dataclass(frozen=True)
class PixelUnshuffle(Layer):
    """Pixels become features, `PixelShuffle` undone: [n side, n side, channels] -> [side, side, n² channels]."""

    n: int

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] // self.n, shape[1] // self.n, shape[2] * self.n**2)

    def title(self) -> str:
        return f"Pixel unshuffle ({self.n})"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return _pixel_unshuffle_class()(self.n)

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        height, width, channels = x.shape[1:]
        n = self.n
        x = keras.layers.Reshape((height // n, n, width // n, n, channels))(x)
        x = keras.layers.Permute((1, 3, 2, 4, 5))(x)
        return keras.layers.Reshape((height // n, width // n, n * n * channels))(x)

    def script(self, place: Place) -> str:
        return f"PixelUnshuffle({self.n})"

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        return source_of(_pixel_unshuffle_class())


@functools.cache
def _pixel_shuffle_class() -> Any:
    class PixelShuffle(keras.layers.Layer):
        """[batch, side, side, n * n * channels] -> [batch, n * side, n * side, channels] (arXiv 1609.05158)."""

        def __init__(self, n, **rest):
            super().__init__(**rest)
            self.n = n

        def call(self, x):
            return tf.nn.depth_to_space(x, self.n)

        def compute_output_shape(self, shape):
            return (shape[0], self.n * shape[1], self.n * shape[2], shape[3] // self.n**2)

    return PixelShuffle


@functools.cache
def _pixel_unshuffle_class() -> Any:
    class PixelUnshuffle(keras.layers.Layer):
        """[batch, n * side, n * side, channels] -> [batch, side, side, n * n * channels]."""

        def __init__(self, n, **rest):
            super().__init__(**rest)
            self.n = n

        def call(self, x):
            return tf.nn.space_to_depth(x, self.n)

        def compute_output_shape(self, shape):
            return (shape[0], shape[1] // self.n, shape[2] // self.n, self.n**2 * shape[3])

    return PixelUnshuffle
