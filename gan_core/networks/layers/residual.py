"""The residual block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.lazy_imports import keras
from gan_core.networks.layers.layer import Layer, Place, Shape
from gan_core.networks.layers.plan import activations, connected, measure, products


@dataclass(frozen=True)
class Residual(Layer):
    """The sum of what both branches make of the input."""

    main: tuple[Layer, ...]
    shortcut: tuple[Layer, ...]

    def branches(self) -> Sequence[Sequence[Layer]]:
        return (self.main, self.shortcut)

    def output_shape(self, shape: Shape) -> Shape:
        return measure(self.main, shape)[2]

    def parameters(self, shape: Shape) -> int:
        return sum(measure(branch, shape)[1] for branch in self.branches())

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        return [product for branch in self.branches() for product in products(branch, shape, batch)]

    def outputs(self, shape: Shape) -> int:
        return sum(activations(branch, shape) for branch in self.branches()) + super().outputs(shape)

    def build(self, x: Any, seeds: Iterator[int]) -> Any:
        return keras.layers.Add()([connected(branch, x, seeds) for branch in self.branches()])

    def script(self, place: Place) -> str:
        return place.block("Residual", self.branches())

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        return '''class Residual(layers.Layer):
    """The sum of what two stacks of layers make of the same input."""

    def __init__(self, main, shortcut):
        super().__init__()
        self.main, self.shortcut = keras.Sequential(main), keras.Sequential(shortcut)

    def call(self, x):
        return self.main(x) + self.shortcut(x)'''
