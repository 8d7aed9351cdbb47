"""Layers that keep a discriminator from knowing too much, or let it see more than one sample."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.foundations.lazy_imports import keras, tf
from gan_core.networks.layers.layer import Layer, Place, Shape, Variables, copied


@dataclass(frozen=True)
class Dropout(Layer):
    """Sets a share of the values to zero while training."""

    rate: float

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return keras.layers.Dropout(self.rate, seed=next(seeds))

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        return x

    def script(self, place: Place) -> str:
        return f"layers.Dropout({place.setting('dropout', self.rate)}, seed={place.base} + {place.seed()})"

    def acts_otherwise_in_training(self) -> bool:
        return True

    def changes_later_training(self) -> bool:
        return True  # it counts its draws


@dataclass(frozen=True)
class MinibatchStd(Layer):
    """One more feature: how much the samples of the batch differ (arXiv 1710.10196, 3): [n] -> [n + 1]."""

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] + 1,)

    def parameters(self, shape: Shape) -> int:
        return 1  # the running mean of the feature

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        return _minibatch_std_class()()

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        """Behind every sample the constant that the layer has then."""
        zeros = np.zeros((x.shape[-1], 1), np.float32)
        typical = copied(keras.layers.Dense(1), x, [zeros, variables(made.typical)])
        return keras.layers.Concatenate()([x, typical])

    def script(self, place: Place) -> str:
        return "MinibatchStd()"

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        """Without the running mean: a script only trains its discriminator."""
        return '''class MinibatchStd(layers.Layer):
    """One more feature: how much the samples of the batch differ (arXiv 1710.10196, 3)."""

    @staticmethod
    @tf.custom_gradient
    def wider(x):  # XLA knows a pad's first two derivatives; these two functions are each other's, to any order
        return tf.pad(x, [[0, 0], [0, 1]]), MinibatchStd.narrower

    @staticmethod
    @tf.custom_gradient
    def narrower(x):
        return x[:, :-1], MinibatchStd.wider

    def call(self, x):
        std = tf.reduce_mean(tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8), keepdims=True)
        n = x.shape[1]
        return self.wider(x) + std * tf.one_hot([n], n + 1)  # x with one more feature'''


@functools.cache
def _minibatch_std_class() -> Any:
    # XLA knows the first derivative of a concatenation and the first two of a pad; a penalty in unrolled steps asks for
    # the third. Each of these two is the other's gradient, so that there is one of every order.
    @tf.custom_gradient
    def wider(x):
        return tf.pad(x, [[0, 0], [0, 1]]), narrower

    @tf.custom_gradient
    def narrower(x):
        return x[:, :-1], wider

    class MinibatchStd(keras.layers.Layer):
        """[batch, n] -> [batch, n + 1]: the features' mean standard deviation over the batch (arXiv 1710.10196, 3).

        A sample that is looked at by itself (training=False) is judged as if its batch varied as much as training's
        last ones did: a running mean, as batch norm keeps.
        """

        def build(self, shape):
            self.typical = self.add_weight(shape=(1,), initializer="ones", trainable=False, name="typical")

        def call(self, x, training=False):
            if training:
                std = tf.reduce_mean(tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8), keepdims=True)
                self.typical.assign(0.9 * self.typical + 0.1 * tf.stop_gradient(std))
            else:
                std = tf.convert_to_tensor(self.typical)
            n = x.shape[1]
            return wider(x) + std * tf.one_hot([n], n + 1)

        def compute_output_shape(self, shape):
            return (shape[0], shape[1] + 1)

    return MinibatchStd
