"""The dense layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan_core.foundations.lazy_imports import keras
from gan_core.networks.layers.layer import Place, Shape
from gan_core.networks.layers.weighted import Weighted


@dataclass(frozen=True)
class Dense(Weighted):
    """A matrix product and a bias: [n] -> [units]."""

    units: int
    norm: str = "none"

    def output_shape(self, shape: Shape) -> Shape:
        return (self.units,)

    def kernel_size(self, shape: Shape) -> int:
        return shape[-1] * self.units

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        return [(batch, shape[-1], self.units)]

    def plain_layer(self, **kernel: Any) -> Any:
        return keras.layers.Dense(self.units, **kernel)

    def script_head(self, place: Place) -> str:
        return f"layers.Dense({place.units(self.units)}"
