"""Normalisations that are layers of their own; spectral norm, which acts on a kernel, is in spectral_norm.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from gan_core.foundations.lazy_imports import keras
from gan_core.networks.layers.layer import Layer, Place, Shape

# Keras's 0.99 would show the initial statistics for hundreds of steps.
BATCH_NORM_MOMENTUM = 0.9


class Norm(Layer):
    """A layer that gives features mean 0 and deviation 1, and then a scale and a shift that are learned."""

    kind: ClassVar[str]  # its name in network_hyperparameters.NORMS


@dataclass(frozen=True)
class BatchNorm(Norm):
    """Over the batch, each feature or map by itself (arXiv 1502.03167)."""

    kind = "batch"

    def parameters(self, shape: Shape) -> int:
        return 4 * shape[-1]  # scale, shift, running mean and variance

    def title(self) -> str:
        return "BatchNormalization"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)

    def script(self, place: Place) -> str:
        return f"layers.BatchNormalization(momentum={BATCH_NORM_MOMENTUM})"

    def acts_otherwise_in_training(self) -> bool:
        return True


@dataclass(frozen=True)
class LayerNorm(Norm):
    """Over all features of one sample (arXiv 1607.06450)."""

    kind = "layer"

    def parameters(self, shape: Shape) -> int:
        return 2 * shape[-1]

    def title(self) -> str:
        return "GroupNormalization"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        # One group is layer normalisation over height, width and channels, with a scale for each channel.
        return keras.layers.GroupNormalization(groups=1)

    def script(self, place: Place) -> str:
        return "layers.GroupNormalization(groups=1)"


NORM_LAYERS: dict[str, Norm] = {layer.kind: layer for layer in (BatchNorm(), LayerNorm())}
