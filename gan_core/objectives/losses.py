"""The losses: free functions of logits. `LOSSES` is their registry.

`discriminator(real, fake, real_labels, fake_labels, **own) -> scalar` and `generator(real, fake, **own) -> scalar`:
logits and labels float32 [batch, 1], and those of the row's hyperparameters that they name. Labels are 1 and 0, moved
by label smoothing and label noise. Both are means over the batch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.foundations.lazy_imports import tf


@dataclass(frozen=True)
class Loss:
    """A row of the registry.

    generator_needs_real: whether the generator's loss looks at real logits. equilibrium: the values at which
    g_loss and d_loss rest where the generator is perfect and D is at its optimum; None for one that may rest
    anywhere. threshold: the logit above which the discriminator says "real". p_real: how a logit reads as a
    probability: `sigmoid`, `clip` (the output is one already) or `centered` (only differences mean anything).
    labels: whether it looks at the labels, so that label smoothing and noise act. bounded: whether the loss
    itself keeps logits from growing without end; else the discriminator needs a penalty, clipping or spectral norm.
    knobs: its own hyperparameters, by name.
    """

    discriminator: Callable
    generator: Callable
    description: str
    source: str
    generator_needs_real: bool = False
    equilibrium: tuple[float | None, float | None] = (None, None)
    threshold: float = 0.0
    p_real: str = "sigmoid"
    labels: bool = True
    bounded: bool = True
    knobs: dict[str, Hyperparameter] = field(default_factory=dict)


def cross_entropy(logits, labels):
    """Mean sigmoid cross-entropy, finite for any logit (max(x, 0) - x y + log(1 + e^-|x|))."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


def cross_entropy_d(real, fake, real_labels, fake_labels):
    """The discriminator of Goodfellow et al., arXiv 1406.2661: real and fake summed, 2 ln 2 at rest."""
    return cross_entropy(real, real_labels) + cross_entropy(fake, fake_labels)


def non_saturating_g(real, fake):
    """-log D(G(z)) (arXiv 1406.2661, section 3): strong gradients while the discriminator wins."""
    return cross_entropy(fake, tf.ones_like(fake))


def minimax_g(real, fake):
    """log(1 - D(G(z))) (arXiv 1406.2661, eq. 1): vanishes while the discriminator wins."""
    return -cross_entropy(fake, tf.zeros_like(fake))


def least_squares_d(real, fake, real_labels, fake_labels):
    """Half the squared distance to the labels (LSGAN, arXiv 1611.04076, eq. 9 with a=0, b=c=1)."""
    return 0.5 * (tf.reduce_mean((real - real_labels) ** 2) + tf.reduce_mean((fake - fake_labels) ** 2))


def least_squares_g(real, fake):
    """Half the squared distance of D(G(z)) to 1 (LSGAN)."""
    return 0.5 * tf.reduce_mean((fake - 1.0) ** 2)


def relativistic_d(real, fake, real_labels, fake_labels):
    """Pairing relativistic loss (arXiv 1807.00734; R3GAN, 2501.05441): is this real above that fake?

    The pair's label is real_labels - fake_labels, so smoothing and noise of both act.
    """
    return cross_entropy(real - fake, real_labels - fake_labels)


def relativistic_g(real, fake):
    """The same question with the roles exchanged."""
    return cross_entropy(fake - real, tf.ones_like(fake))


def relativistic_average_d(real, fake, real_labels, fake_labels):
    """Is this real above the mean fake, and this fake below the mean real? (RaGAN, arXiv 1807.00734, section 4.2)"""
    above_fakes, above_reals = real - tf.reduce_mean(fake), fake - tf.reduce_mean(real)
    return cross_entropy(above_fakes, real_labels) + cross_entropy(above_reals, fake_labels)


def relativistic_average_g(real, fake):
    """The same questions with the roles exchanged."""
    return relativistic_average_d(fake, real, tf.ones_like(fake), tf.zeros_like(real))


def hinge_d(real, fake, real_labels, fake_labels):
    """Real logits below 1 and fake ones above -1 cost (arXiv 1705.02894, 1802.05957 eq. 16); looks at no labels."""
    return tf.reduce_mean(tf.nn.relu(1.0 - real)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))


def wasserstein_d(real, fake, real_labels, fake_labels):
    """E D(fake) - E D(real) (WGAN, arXiv 1701.07875, eq. 2, as a loss); looks at no labels."""
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def wasserstein_g(real, fake):
    """-E D(fake) (arXiv 1701.07875; hinge's generator too)."""
    return -tf.reduce_mean(fake)


LN2 = math.log(2.0)

LOSSES: dict[str, Loss] = {
    "non_saturating": Loss(
        cross_entropy_d,
        non_saturating_g,
        "the standard: cross-entropy; G maximizes log D(G(z))",
        "arXiv 1406.2661",
        equilibrium=(LN2, 2 * LN2),
    ),
    "minimax": Loss(
        cross_entropy_d,
        minimax_g,
        "the original game; G learns little while D wins",
        "arXiv 1406.2661",
        equilibrium=(-LN2, 2 * LN2),
    ),
    "least_squares": Loss(
        least_squares_d,
        least_squares_g,
        "squared distance to the labels; also pulls far samples back",
        "arXiv 1611.04076",
        equilibrium=(0.125, 0.25),
        threshold=0.5,
        p_real="clip",
    ),
    "hinge": Loss(
        hinge_d,
        wasserstein_g,
        "D ignores samples beyond a margin; usual with spectral normalization",
        "arXiv 1705.02894, 1802.05957",
        equilibrium=(None, 2.0),
        labels=False,
    ),
    "wasserstein": Loss(
        wasserstein_d,
        wasserstein_g,
        "D (the critic) estimates the Wasserstein distance, if a gradient penalty or clipping limits its gradient",
        "arXiv 1701.07875",
        equilibrium=(None, 0.0),
        p_real="centered",
        labels=False,
        bounded=False,
    ),
    "relativistic": Loss(
        relativistic_d,
        relativistic_g,
        "D learns which of two samples, one real and one generated, is real; with R1 + R2 the most stable here",
        "arXiv 1807.00734, 2501.05441",
        generator_needs_real=True,
        equilibrium=(LN2, LN2),
        p_real="centered",
    ),
    "relativistic_average": Loss(
        relativistic_average_d,
        relativistic_average_g,
        "compares each sample with the mean of the other side, real or generated",
        "arXiv 1807.00734",
        generator_needs_real=True,
        equilibrium=(2 * LN2, 2 * LN2),
        p_real="centered",
    ),
}
