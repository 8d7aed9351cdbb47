"""Layers that only lay the numbers of a sample out anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.lazy_imports import keras
from gan_core.networks.layers.layer import Layer, Place, Shape


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
