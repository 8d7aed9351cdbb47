"""Small trainers for tests, and what is compared between two of them."""

import numpy as np
import tensorflow as tf

from gan_core.data import loading
from gan_core.settings.config import GANConfig
from gan_core.training.batches import draw_z
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from gan_core.training.updates import LABELS, REAL_D, REAL_G, Z_D, Z_G

SMALL = {
    "batch_size": 8,
    "data_size": 64,
    "g_layers": 1,
    "g_units": 6,
    "d_layers": 1,
    "d_units": 6,
    "g_lr": 0.01,
    "d_lr": 0.02,
}


def settings(**changes):
    return GANConfig.from_flat({**SMALL, **changes})


def data_of(config):
    return loading.draw(config.data, config.data_size, config.seed, config.params())


def compiled(config, path):
    """A program of the shape of the data of `config`."""
    return TrainStep(config, (config.data_size, 2), path)


def uncompiled(config):
    """A program that trains operation by operation: no tracing, for a few steps of many configs."""
    program = compiled(config, path="graph")
    program.train = program._train
    program.dissect_d, program.dissect_g = program._update_d, program._dissect_g
    return program


def trainer_of(config, program=None):
    return Trainer(config, data_of(config), program or uncompiled(config))


def arrays(state):
    """Every tensor of a state as an array, in order."""
    return [t.numpy() for t in tf.nest.flatten(state)]


def same(a, b):
    """Whether two states are equal bit for bit."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(arrays(a), arrays(b), strict=True))


def samples(trainer):
    return trainer.samples(trainer.latent(32), ema=False)


def drawer(trainer):
    """`draw(step, update)` -> what a step draws, as float32 arrays.

    The real points, z and label noise of discriminator update `update`, and the generator's z and real
    points; from the keys that the program documents, compiled as it is, for XLA alone knows threefry.
    """
    program, config, data = trainer.program, trainer.config, trainer.inputs
    n, seed = config.batch_size, tf.constant(config.seed, tf.int64)

    @tf.function(jit_compile=program.path != "graph", autograph=False)
    def draw(step, update):
        shift_key = program._key(seed, step, LABELS, update)
        return (
            program._draw_real(data, program._key(seed, step, REAL_D, update))[0],
            draw_z(config, n, program._key(seed, step, Z_D, update), program._rng),
            tf.random.stateless_uniform([2, n, 1], shift_key, -1.0, 1.0, alg=program._rng),
            draw_z(config, n, program._key(seed, step, Z_G), program._rng),
            program._draw_real(data, program._key(seed, step, REAL_G))[0],
        )

    return lambda step, update: [t.numpy() for t in draw(tf.constant(step), tf.constant(update))]


def norm_of(gradients):
    """The length of all of them as one vector."""
    return np.sqrt(sum((np.asarray(g, float) ** 2).sum() for g in gradients))


def assert_weights(actual, expected):
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-3, atol=2e-5)


def leaky_network(weights, x):
    """Dense layers with leaky ReLU between them, from their weights."""
    for i in range(0, len(weights), 2):
        x = x @ weights[i] + weights[i + 1]
        if i + 2 < len(weights):
            x = tf.maximum(x, 0.2 * x)
    return x


LIVE_VALUES = {
    "g_lr": 0.1,
    "d_lr": 0.1,
    "d_steps": 3,
    "g_steps": 3,
    "gp_weight": 10.0,
    "label_smoothing": 0.3,
    "label_noise": 0.3,
    "ema_decay": 0.05,
    "show_ema": False,
    "schedule": "cosine",
    "schedule_steps": 1_000,
    "schedule_floor": 0.9,
    "weight_clip": 0.05,
    "instance_noise": 0.5,
    "instance_noise_steps": 100,
    "grad_clip": 0.01,
}
# Those that act on images alone, with the augmentation ada.
LIVE_OF_IMAGES = {
    "augment_color": 0.2,
    "augment_translation": 0.4,
    "augment_cutout": 0.9,
    "ada_target": 1.0,
    "ada_kimg": 2.0,
}


# Where each of them acts by itself.
LIVE_START = {"schedule": "linear", "schedule_steps": 100, "instance_noise": 0.1}
