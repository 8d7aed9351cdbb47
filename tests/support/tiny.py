"""Trainers so small that a test can make its own."""

import numpy as np

from gan_core.data import loading
from gan_core.data.image_datasets import STACK_NAMES
from gan_core.data.loading import class_count
from gan_core.data.pictures import Pictures
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer


def quadrants(n=120, labelled=True, names="abcd", channels=1):
    """Noise with one bright quadrant, which is the class."""
    rng = np.random.default_rng(0)
    labels = (np.arange(n) % 4).astype(np.int32)
    pixels = rng.integers(0, 120, (n, 28, 28, channels)).astype(np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        picture[14 * (label // 2) :][:14, 14 * (label % 2) :][:, :14] += 100
    return Pictures(pixels, labels if labelled else None, tuple(names) if labelled else ())


def stacked(n=120):
    """Three of `quadrants` in each picture, one in each channel."""
    single = quadrants(3 * n)
    pixels = single.pixels[..., 0].reshape(n, 3, 28, 28).transpose(0, 2, 3, 1)
    labels = (single.labels.reshape(n, 3) @ [100, 10, 1]).astype(np.int32)
    return Pictures(pixels, labels, STACK_NAMES, per_channel=True)


def image_trainer(data=None, **settings):
    """A convolutional trainer of `data`, or of `quadrants`."""
    data = data or quadrants()
    small = {"data": "digits", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 6}
    config = GANConfig.from_flat({**small, **settings})
    return Trainer(config, data, TrainStep(config, data.array.shape, "graph", class_count(config, data)))


def uncompiled(config, data_shape, path=None, classes=0) -> TrainStep:
    """In the place of `TrainStep`: a program that trains operation by operation, for few steps of many trainers."""
    program = TrainStep(config, data_shape, "graph", classes)
    program.train = program._train
    return program


def point_trainer(upload=None, **settings):
    """A dense trainer that compiles nothing; upload: float32 [N, 2], with data="file"."""
    small = {"g_layers": 1, "g_units": 8, "d_layers": 1, "d_units": 8, "batch_size": 8, "data_size": 500}
    config = GANConfig.from_flat({**small, **settings})
    data = loading.load(config, upload)
    return Trainer(config, data, uncompiled(config, data.array.shape))
