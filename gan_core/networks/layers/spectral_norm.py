"""Spectral norm around a layer with a kernel: in Keras, at inference, and in an exported script."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from gan_core.foundations.lazy_imports import keras, tf
from gan_core.networks.layers.layer import Variables


@functools.cache
def spectral_norm_class() -> Any:
    """The Keras layer `SpectralNorm(layer, seed, use_bias)`."""

    class SpectralNorm(keras.layers.Layer):
        """Spectral normalisation (Miyato et al., arXiv 1802.05957): one power iteration a training call.

        The layer is linear in its kernel, so its output is divided instead of the kernel; the bias comes after. The
        gradient passes through sigma = vᵀ W u with u and v held fixed. Keras's own SpectralNormalization assigns
        the divided kernel, so that no gradient passes through the norm, and acts only while training.
        """

        def __init__(self, layer, seed: int, use_bias: bool = True):
            super().__init__()
            self.layer, self._u_seed, self._use_bias = layer, seed, use_bias

        def build(self, shape):
            self.layer.build(shape)
            columns = self.layer.kernel.shape[-2 if _outputs_first(self.layer) else -1]
            self.u = self.add_weight(
                shape=(columns, 1),
                initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self._u_seed),
                trainable=False,
                name="u",
            )
            if self._use_bias:
                self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")

        def _matrix(self, kernel):
            """[everything else, outputs]."""
            kernel = tf.convert_to_tensor(kernel)
            if _outputs_first(self.layer):  # [height, width, outputs, inputs]
                kernel = tf.transpose(kernel, [0, 1, 3, 2])
            return tf.reshape(kernel, [-1, kernel.shape[-1]])

        def call(self, x, training=False):
            matrix, u = self._matrix(self.layer.kernel), tf.convert_to_tensor(self.u)
            fixed = tf.stop_gradient(matrix)
            v = tf.math.l2_normalize(tf.matmul(fixed, u))
            u = tf.math.l2_normalize(tf.matmul(fixed, v, transpose_a=True))
            if training:
                self.u.assign(u)
            sigma = tf.squeeze(tf.matmul(v, tf.matmul(matrix, u), transpose_a=True))
            y = self.layer(x) / sigma
            return y + tf.convert_to_tensor(self.bias) if self._use_bias else y

        def compute_output_shape(self, shape):
            return self.layer.compute_output_shape(shape)

    return SpectralNorm


def _outputs_first(layer: Any) -> bool:
    """Whether the kernel of a Keras layer is [..., outputs, inputs]."""
    return isinstance(layer, keras.layers.Conv2DTranspose)


def divided(made: Any, variables: Variables) -> tuple[Any, list[np.ndarray]]:
    """(the layer inside a SpectralNorm, its weights with the kernel divided by the norm that it has at inference)."""
    inner = made.layer
    kernel, u = variables(inner.kernel), variables(made.u)
    matrix = (np.swapaxes(kernel, 2, 3) if _outputs_first(inner) else kernel).reshape(-1, len(u))
    v = matrix @ u
    # The layer's next u is Wᵀv at length 1, so its sigma = vᵀWu is the length of Wᵀv.
    sigma = np.linalg.norm(matrix.T @ (v / np.linalg.norm(v)))
    return inner, [kernel / sigma, *([variables(made.bias)] if hasattr(made, "bias") else [])]


# -- in a script --------------------------------------------------------------------------------------------

_SCRIPT = '''class SpectralNorm(layers.Layer):
    """Divides a kernel by its largest singular value (arXiv 1802.05957): one power iteration a training call.

    The gradient passes through that value too; Keras's own SpectralNormalization passes none.
    """

    def __init__(self, layer, i, bias=True):
        super().__init__()
        layer.kernel_initializer, layer.use_bias = glorot(i), False  # the bias comes after the division
        self.layer, self.i, self.use_bias = layer, i, bias

    def build(self, shape):
        self.layer.build(shape)
        columns = self.layer.kernel.shape[-1]
        start = keras.initializers.RandomNormal(stddev=1.0, seed={seed} + self.i + 1)
        self.u = self.add_weight(shape=(columns, 1), initializer=start, trainable=False, name="u")
        if self.use_bias:
            self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")

    def call(self, x, training=False):
        matrix = tf.reshape(self.layer.kernel, [-1, self.layer.kernel.shape[-1]])
        fixed = tf.stop_gradient(matrix)
        v = tf.math.l2_normalize(tf.matmul(fixed, self.u))
        u = tf.math.l2_normalize(tf.matmul(fixed, v, transpose_a=True))
        if training:
            self.u.assign(u)
        y = self.layer(x) / tf.squeeze(tf.matmul(v, tf.matmul(matrix, u), transpose_a=True))
        return y + self.bias if self.use_bias else y'''
_BIASED = {  # where no layer goes without a bias: only the row of a class does
    ", bias=True": "",
    ", self.use_bias = layer, i, bias": " = layer, i",
    "        if self.use_bias:\n    ": "",
    " if self.use_bias else y": "",
}
_TRANSPOSED = {  # where a transposed convolution is among the layers
    "columns = self.layer.kernel.shape[-1]": (
        "self.transposed = isinstance(self.layer, layers.Conv2DTranspose)\n"
        "        columns = self.layer.kernel.shape[-2 if self.transposed else -1]"
    ),
    "matrix = tf.reshape(self.layer.kernel, [-1, self.layer.kernel.shape[-1]])": (
        "kernel = tf.convert_to_tensor(self.layer.kernel)\n"
        "        if self.transposed:  # [height, width, outputs, inputs]\n"
        "            kernel = tf.transpose(kernel, [0, 1, 3, 2])\n"
        "        matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])"
    ),
}


def spectral_norm_text(unbiased: bool, outputs_first: bool) -> str:
    """The class in a script; unbiased, outputs_first: whether any layer goes without a bias, or is transposed."""
    text = _SCRIPT
    for old, new in {**({} if unbiased else _BIASED), **(_TRANSPOSED if outputs_first else {})}.items():
        text = text.replace(old, new)
    return text
