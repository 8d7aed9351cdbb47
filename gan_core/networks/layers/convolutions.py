"""Convolutions, what changes a picture's size, and both in one. Padding is always "same"; pictures are square."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.lazy_imports import keras, tf
from gan_core.networks.layers.layer import Layer, Place, Shape
from gan_core.networks.layers.weighted import Weighted


@dataclass(frozen=True)
class Conv(Weighted):
    """A convolution: [side, side, n] -> [side / stride, side / stride, filters], an odd side rounded up."""

    filters: int
    kernel: int
    stride: int = 1
    norm: str = "none"

    def output_shape(self, shape: Shape) -> Shape:
        side = -(-shape[0] // self.stride)
        return (side, side, self.filters)

    def kernel_size(self, shape: Shape) -> int:
        return self.kernel**2 * shape[2] * self.filters

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        side, *_ = self.output_shape(shape)
        return [(batch * side * side, self.kernel**2 * shape[2], self.filters)]

    def joined(self, after: Layer) -> Layer | None:
        return Pooled(self) if isinstance(after, Pool) and self.folds() else None

    def folds(self) -> bool:
        """Whether a change of size can be a part of it."""
        return type(self) is Conv and (self.kernel, self.stride) == (3, 1)

    def plain_title(self) -> str:
        return f"Conv2D (kernel {self.kernel}, stride {self.stride})"

    def plain_layer(self, **kernel: Any) -> Any:
        return keras.layers.Conv2D(self.filters, self.kernel, self.stride, padding="same", **kernel)

    def script_head(self, place: Place) -> str:
        stride = f", strides={self.stride}" * (self.stride > 1)
        return f'layers.Conv2D({place.filters(self.filters)}, {self.kernel}{stride}, padding="same"'


@dataclass(frozen=True)
class ConvTransposed(Weighted):
    """A transposed convolution: [side, side, n] -> [side * stride, side * stride, filters]."""

    filters: int
    kernel: int
    stride: int = 2
    norm: str = "none"

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] * self.stride, shape[1] * self.stride, self.filters)

    def kernel_size(self, shape: Shape) -> int:
        return self.kernel**2 * shape[2] * self.filters

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        return [(batch * shape[0] * shape[1], shape[2], self.kernel**2 * self.filters)]

    def plain_title(self) -> str:
        return f"Conv2DTranspose (kernel {self.kernel}, stride {self.stride})"

    def plain_layer(self, **kernel: Any) -> Any:
        return keras.layers.Conv2DTranspose(self.filters, self.kernel, self.stride, padding="same", **kernel)

    def script_head(self, place: Place) -> str:
        width = place.filters(self.filters)
        return f'layers.Conv2DTranspose({width}, {self.kernel}, strides={self.stride}, padding="same"'

    def outputs_first(self) -> bool:
        return True


@dataclass(frozen=True)
class Upsample(Layer):
    """Each pixel becomes 2 x 2."""

    def output_shape(self, shape: Shape) -> Shape:
        return (2 * shape[0], 2 * shape[1], shape[2])

    def joined(self, after: Layer) -> Layer | None:
        return Upsampled(after) if isinstance(after, Conv) and after.folds() else None

    def title(self) -> str:
        return "UpSampling2D"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return keras.layers.UpSampling2D(2)

    def script(self, place: Place) -> str:
        return "layers.UpSampling2D(2)"


@dataclass(frozen=True)
class Pool(Layer):
    """The mean of each 2 x 2 pixels."""

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] // 2, shape[1] // 2, shape[2])

    def title(self) -> str:
        return "AveragePooling2D"

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return keras.layers.AveragePooling2D(2)

    def script(self, place: Place) -> str:
        return "layers.AveragePooling2D(2)"


# -- a convolution with the change of size beside it ---------------------------------------------------------


@dataclass(frozen=True)
class _Folded(Weighted):
    """A 3 x 3 convolution and a change of size in one layer.

    A convolution commutes with enlarging and with averaging, so both happen in its kernel, spread from 3 x 3 to 4 x 4:
    4/9 of the products, and no large picture is kept for the way back (the form that StyleGAN computes, arXiv
    1812.04948). Plans hold the two layers; `plan.folded` makes this of them, and exported scripts keep the two.
    """

    conv: Conv

    @property
    def width(self) -> int:
        return self.conv.filters

    def is_spectral(self) -> bool:
        return self.conv.is_spectral()

    def kernel_size(self, shape: Shape) -> int:
        return self.conv.kernel_size(shape)

    def spread_size(self) -> int:
        """How many places the spread kernel has."""
        return (self.conv.kernel + 1) ** 2


@dataclass(frozen=True)
class Upsampled(_Folded):
    """Upsample, then a convolution, in one."""

    def output_shape(self, shape: Shape) -> Shape:
        return (2 * shape[0], 2 * shape[1], self.width)

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        return [(batch * shape[0] * shape[1], shape[2], self.spread_size() * self.width)]

    def plain_title(self) -> str:
        return f"UpSampling2D (2), {self.conv.plain_title()}"

    def plain_layer(self, **kernel: Any) -> Any:
        return _upsampled_class()(self.conv.filters, self.conv.kernel, padding="same", **kernel)

    def plain_at_inference(self, made: Any, x: Any, weights: list[Any], **changes: Any) -> Any:
        larger = keras.layers.UpSampling2D(2)(x)
        return super().plain_at_inference(made, larger, weights, keras_class=keras.layers.Conv2D, **changes)


@dataclass(frozen=True)
class Pooled(_Folded):
    """A convolution, then Pool, in one."""

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] // 2, shape[1] // 2, self.width)

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        side, *_ = self.output_shape(shape)
        return [(batch * side * side, self.spread_size() * shape[2], self.width)]

    def plain_title(self) -> str:
        return f"{self.conv.plain_title()}, AveragePooling2D (2)"

    def plain_layer(self, **kernel: Any) -> Any:
        return _pooled_class()(self.conv.filters, self.conv.kernel, padding="same", **kernel)

    def plain_at_inference(self, made: Any, x: Any, weights: list[Any], **changes: Any) -> Any:
        y = super().plain_at_inference(made, x, weights, keras_class=keras.layers.Conv2D, **changes)
        return keras.layers.AveragePooling2D(2)(y)


def _spread(kernel: Any) -> Any:
    """[3, 3, ...] -> [4, 4, ...]: each value to four neighbours."""
    kernel = tf.pad(tf.convert_to_tensor(kernel), [[1, 1], [1, 1], [0, 0], [0, 0]])
    kernel = kernel[1:] + kernel[:-1]
    return kernel[:, 1:] + kernel[:, :-1]


@functools.cache
def _upsampled_class() -> Any:
    class UpsampledConv(keras.layers.Conv2D):
        """UpSampling2D(2), then Conv2D with kernel 3."""

        def call(self, x):
            kernel = tf.transpose(tf.reverse(_spread(self.kernel), [0, 1]), [0, 1, 3, 2])
            shape = tf.shape(x)
            size = tf.stack([shape[0], 2 * shape[1], 2 * shape[2], self.filters])
            y = tf.nn.conv2d_transpose(x, kernel, size, 2, "SAME")
            return tf.nn.bias_add(y, self.bias) if self.use_bias else y

        def compute_output_shape(self, shape):
            return (shape[0], 2 * shape[1], 2 * shape[2], self.filters)

    return UpsampledConv


@functools.cache
def _pooled_class() -> Any:
    class PooledConv(keras.layers.Conv2D):
        """Conv2D with kernel 3, then AveragePooling2D(2), of pictures with an even side."""

        def call(self, x):
            y = tf.nn.conv2d(x, _spread(self.kernel) / 4.0, 2, "SAME")
            return tf.nn.bias_add(y, self.bias) if self.use_bias else y

        def compute_output_shape(self, shape):
            return (shape[0], shape[1] // 2, shape[2] // 2, self.filters)

    return PooledConv
