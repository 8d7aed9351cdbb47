"""The loops that people usually write, to compare with: a tf.function for each step, and Keras's train_on_batch."""

import time
from collections.abc import Callable

import numpy as np

from gan_core.data import loading
from gan_core.foundations.lazy_imports import keras, tf
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep


class FunctionLoop:
    """The usual custom loop: Keras models and optimizers, one `tf.function` call a step."""

    def __init__(self, config: GANConfig):
        data = _unit_data(config)
        program = TrainStep(config, data.shape, "graph")
        generator, discriminator = program.generator, program.discriminator
        g_optimizer, d_optimizer = _optimizer(config.g_lr), _optimizer(config.d_lr)
        g_optimizer.build(generator.trainable_variables)
        d_optimizer.build(discriminator.trainable_variables)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        n = config.batch_size

        @tf.function
        def step():
            real = tf.gather(data, tf.random.uniform([n], 0, len(data), tf.int32))
            fake = generator(tf.random.normal([n, config.latent_dim]), training=True)
            with tf.GradientTape() as tape:
                on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
                d_loss = loss(tf.ones_like(on_real), on_real) + loss(tf.zeros_like(on_fake), on_fake)
            weights = discriminator.trainable_variables
            d_optimizer.apply(tape.gradient(d_loss, weights), weights)
            with tf.GradientTape() as tape:
                fake = generator(tf.random.normal([n, config.latent_dim]), training=True)
                on_fake = discriminator(fake, training=True)
                g_loss = loss(tf.ones_like(on_fake), on_fake)
            weights = generator.trainable_variables
            g_optimizer.apply(tape.gradient(g_loss, weights), weights)
            return g_loss, d_loss

        self._step = step
        step()

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        return _count(self._step, seconds)


class BatchLoop:
    """The tutorials' loop: `predict` and `train_on_batch` on a stacked model."""

    def __init__(self, config: GANConfig):
        self._data, self._config = _unit_data(config), config
        program = TrainStep(config, self._data.shape, "graph")
        self._generator, self._discriminator = program.generator, program.discriminator
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        self._discriminator.compile(loss=loss, optimizer=_optimizer(config.d_lr))
        self._discriminator.trainable = False
        self._stacked = keras.Sequential([self._generator, self._discriminator])
        self._stacked.compile(loss=loss, optimizer=_optimizer(config.g_lr))
        self._discriminator.trainable = True
        self._step()

    def _step(self) -> None:
        n, latent = self._config.batch_size, self._config.latent_dim
        z = np.random.normal(size=(n, latent)).astype("float32")
        fake = self._generator.predict(z, verbose=0)
        real = self._data[np.random.randint(0, len(self._data), n)]
        self._discriminator.train_on_batch(real, np.ones((n, 1)))
        self._discriminator.train_on_batch(fake, np.zeros((n, 1)))
        self._stacked.train_on_batch(np.random.normal(size=(n, latent)).astype("float32"), np.ones((n, 1)))

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        return _count(self._step, seconds)


def _optimizer(rate: float):
    return keras.optimizers.Adam(rate, beta_1=0.5)


def _unit_data(config: GANConfig) -> np.ndarray:
    """The whole data set in training units, float32 [n, ...]."""
    data = loading.load(config, None)
    return np.asarray(data.to_unit(data.array), np.float32)


def _count(step: Callable, seconds: float) -> float:
    started, taken = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds or taken == 0:
        step()
        taken += 1
    return taken / elapsed
