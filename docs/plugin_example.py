"""A plugin with one row of each kind. Try it: GANSCOPE_PLUGINS=docs/plugin_example.py streamlit run app.py

Each is a function, and a row that says what it is and which hyperparameters of its own it has; those appear in the
sidebar, in links, on the command line, in the guide and in exported scripts.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from gan_core.data.datasets import DATASETS, Data, Dataset
from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.networks.architectures import ARCHITECTURES, Architecture
from gan_core.networks.layers import Activation, Conv, Dense, Flatten, Layer, Reshape, Upsample
from gan_core.networks.network_hyperparameters import FILTERS
from gan_core.objectives.augmentations import AUGMENTATIONS, Augmentation
from gan_core.objectives.losses import LOSSES, Loss
from gan_core.objectives.optimizers import BETA_1, BETA_2, OPTIMIZERS, Optimizer
from gan_core.objectives.penalties import GP_WEIGHT, PENALTIES, Penalty
from gan_core.objectives.schedules import SCHEDULE_FLOOR, SCHEDULE_STEPS, SCHEDULES, Schedule
from gan_core.scores.registry import SCORES
from gan_core.scores.score import DISTANCES, Measure, Score

# -- a loss with a hyperparameter of its own, which acts at once ---------------------------------------------


def margin_d(real, fake, real_labels, fake_labels, hinge_margin):
    """Real logits below the margin and fake ones above its negative cost (hinge is the case of 1)."""
    return tf.reduce_mean(tf.nn.relu(hinge_margin - real)) + tf.reduce_mean(tf.nn.relu(hinge_margin + fake))


def margin_g(real, fake):
    """-E D(G(z))."""
    return -tf.reduce_mean(fake)


LOSSES["margin"] = Loss(
    margin_d,
    margin_g,
    "hinge with a margin to choose",
    "arXiv 1705.02894",
    labels=False,
    knobs={
        "hinge_margin": Hyperparameter(
            float,
            1.0,
            "Margin",
            "How far real and generated logits are pushed apart. Too low: hardly any gradient. Too high: no rest.",
            "Loss and penalty",
            low=0.1,
            high=10.0,
            live=True,
        )
    },
)


# -- a penalty ------------------------------------------------------------------------------------------------


def logit_square(critic, real, fake, uniform):
    """E D(real)²: keeps the logits themselves near 0 (the drift term of progressive growing, arXiv 1710.10196)."""
    return tf.reduce_mean(critic(real) ** 2)


PENALTIES["drift"] = Penalty(
    logit_square, "keeps D's logits of real samples near 0", "arXiv 1710.10196", knobs={"gp_weight": GP_WEIGHT}
)


# -- an augmentation ------------------------------------------------------------------------------------------


def mirrored(x, u):
    """Every second picture is mirrored, on average."""
    return tf.where(u[:, :1, None, None] < 0.5, x, x[:, :, ::-1])


AUGMENTATIONS["mirror"] = Augmentation(
    mirrored, "D sees every second picture mirrored: not for digits", "arXiv 2006.06676", draws=1, knobs={}
)


# -- an optimizer that sees the weight ------------------------------------------------------------------------


def adamw(weight, gradient, slots, rate, t, beta_1, beta_2, weight_decay):
    """Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101)."""
    m, v = slots
    m = m + (gradient - m) * (1.0 - beta_1)
    v = v + (gradient * gradient - v) * (1.0 - beta_2)
    alpha = rate * tf.sqrt(1.0 - tf.pow(beta_2, t)) / (1.0 - tf.pow(beta_1, t))
    return -alpha * m / (tf.sqrt(v) + 1e-7) - rate * weight_decay * weight, (m, v)


OPTIMIZERS["adamw"] = Optimizer(
    adamw,
    ("m", "v"),
    "adam, with weights that shrink by themselves",
    {
        "beta_1": BETA_1,
        "beta_2": BETA_2,
        "weight_decay": Hyperparameter(
            float,
            0.01,
            "Weight decay",
            "How fast weights shrink. 0: as adam. Too high: the network forgets what it learned.",
            low=0.0,
            high=1.0,
        ),
    },
)


# -- a schedule -----------------------------------------------------------------------------------------------


def square_root(t):
    """Falls slowly, then fast."""
    return tf.sqrt(1.0 - t)


SCHEDULES["root"] = Schedule(
    square_root,
    "falls slowly at first and fast at the end",
    knobs={"schedule_steps": SCHEDULE_STEPS, "schedule_floor": SCHEDULE_FLOOR},
)


# -- a score --------------------------------------------------------------------------------------------------


def spread(comparison):
    """How widely generated points are spread, in the spread of real ones: both are [n, 2]."""
    return float(comparison.fake.std() / comparison.real.std())


SCORES["spread"] = Score(
    "spread",
    "hundredths",
    "near",
    DISTANCES,
    "The standard deviation of generated points, divided by that of real ones. 1 is right.",
    "1 on average, by chance a little more or less.",
    "Everything but the width: one point at each end has the right spread.",
    "this file",
    points=Measure(spread),
)


# -- a data set of points -------------------------------------------------------------------------------------


def cross(n, rng, thickness=0.05):
    """A plus sign."""
    along, across = rng.uniform(-1, 1, n), rng.normal(size=n) * thickness
    upright = rng.random(n) < 0.5
    points = np.stack([np.where(upright, across, along), np.where(upright, along, across)], 1)
    return Data(points.astype(np.float32), limit=1.5)


DATASETS["cross"] = Dataset(
    cross,
    "a plus sign",
    {
        "thickness": Hyperparameter(
            float, 0.05, "Thickness", "Standard deviation across each arm. Too high: one blob.", low=0.0, high=0.5
        )
    },
)


# -- an image architecture, with a kind of layers of its own ---------------------------------------------------


@dataclass(frozen=True)
class Noise(Layer):
    """Normal noise on each feature while training."""

    deviation: float

    def keras_layer(self, seeds):
        return keras.layers.GaussianNoise(self.deviation, seed=next(seeds))

    def script(self, place):
        return f"layers.GaussianNoise({self.deviation}, seed={place.base} + {place.seed()})"

    def acts_otherwise_in_training(self):
        return True

    def changes_later_training(self):
        return True  # it counts its draws


def small(settings, shape):
    """One convolution each way."""
    side, _, channels = shape
    half, n = side // 2, settings.filters
    generator = [Dense(half * half * n), Activation("relu"), Reshape((half, half, n))]
    generator += [Upsample(), Conv(channels, 3), Activation("tanh")]
    return generator, [Conv(n, 4, 2), Activation("leaky_relu"), Noise(0.1), Flatten(), Dense(1)]


ARCHITECTURES["small"] = Architecture(
    small, "one convolution in each network; fast and crude", {"filters": FILTERS}, sides=(28, 32)
)


# -- Keras models of your own ---------------------------------------------------------------------------------


def pair(settings, shape):
    """Two Keras models: the generator takes [batch, latent_dim], the discriminator gives one logit [batch, 1]."""
    generator = keras.Sequential(
        [
            keras.Input((settings.latent_dim,)),
            keras.layers.Dense(settings.pair_units, activation="gelu"),
            keras.layers.Dense(math.prod(shape)),
            keras.layers.Reshape(shape),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Flatten(),
            keras.layers.Dense(settings.pair_units, activation="gelu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1),
        ]
    )
    return generator, discriminator


ARCHITECTURES["pair"] = Architecture(
    None,
    "two Keras models of my own",
    {
        "pair_units": Hyperparameter(
            int, 64, "Units of the pair", "Width of both networks. Few: crude. Many: slow.", "Networks", low=1, high=512
        )
    },
    images_only=False,
    models=pair,
)
