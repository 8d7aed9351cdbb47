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
class Term:
    """One of the summands of a loss, to be shown with its value.

    formula: in LaTeX, with its sign; logits are `\\ell_\\text{real}` and `\\ell_\\text{gen}`. value: a function of what
    the loss is one of. soft: the formula where labels are smoothed or noisy, if that is another one.
    """

    formula: str
    value: Callable
    soft: str = ""


@dataclass(frozen=True)
class Loss:
    """A row of the registry.

    generator_needs_real: whether the generator's loss looks at real logits. equilibrium: the values at which
    g_loss and d_loss rest where the generator is perfect and D is at its optimum; None for one that may rest
    anywhere. threshold: the logit above which the discriminator says "real". p_real: how a logit reads as a
    probability: `sigmoid`, `clip` (the output is one already) or `centered` (only differences mean anything).
    labels: whether it looks at the labels, so that label smoothing and noise act. bounded: whether the loss
    itself keeps logits from growing without end; else the discriminator needs a penalty, clipping or spectral norm.
    knobs: its own hyperparameters, by name. d_terms, g_terms: the summands of each loss, if they can be told apart.
    d_wants, g_wants: what minimizing it asks of the network, a sentence each.
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
    d_terms: tuple[Term, ...] = ()
    g_terms: tuple[Term, ...] = ()
    d_wants: str = "D's loss is low where D tells real from generated samples."
    g_wants: str = "G's loss is low where D takes generated samples for real."


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

# -- the summands, as formulas --------------------------------------------------------------------------------

REAL, GEN = r"\ell_\text{real}", r"\ell_\text{gen}"
CROSS_ENTROPY_D = (
    Term(
        rf"-\mathbb{{E}}\log\sigma({REAL})",
        lambda real, fake, real_labels, fake_labels: cross_entropy(real, real_labels),
        rf"\mathbb{{E}}\,H(y_\text{{real}}, \sigma({REAL}))",
    ),
    Term(
        rf"-\mathbb{{E}}\log(1-\sigma({GEN}))",
        lambda real, fake, real_labels, fake_labels: cross_entropy(fake, fake_labels),
        rf"\mathbb{{E}}\,H(y_\text{{gen}}, \sigma({GEN}))",
    ),
)
LEAST_SQUARES_D = (
    Term(
        rf"\frac{{1}}{{2}}\mathbb{{E}}({REAL}-1)^2",
        lambda real, fake, real_labels, fake_labels: 0.5 * tf.reduce_mean((real - real_labels) ** 2),
        rf"\frac{{1}}{{2}}\mathbb{{E}}({REAL}-y_\text{{real}})^2",
    ),
    Term(
        rf"\frac{{1}}{{2}}\mathbb{{E}}\,{GEN}^2",
        lambda real, fake, real_labels, fake_labels: 0.5 * tf.reduce_mean((fake - fake_labels) ** 2),
        rf"\frac{{1}}{{2}}\mathbb{{E}}({GEN}-y_\text{{gen}})^2",
    ),
)
HINGE_D = (
    Term(rf"\mathbb{{E}}\max(0, 1-{REAL})", lambda real, fake, *labels: tf.reduce_mean(tf.nn.relu(1.0 - real))),
    Term(rf"\mathbb{{E}}\max(0, 1+{GEN})", lambda real, fake, *labels: tf.reduce_mean(tf.nn.relu(1.0 + fake))),
)
WASSERSTEIN_D = (
    Term(rf"\mathbb{{E}}\,{GEN}", lambda real, fake, *labels: tf.reduce_mean(fake)),
    Term(rf"-\mathbb{{E}}\,{REAL}", lambda real, fake, *labels: -tf.reduce_mean(real)),
)
WASSERSTEIN_G = (Term(rf"-\mathbb{{E}}\,{GEN}", wasserstein_g),)
RELATIVISTIC_D = (
    Term(
        rf"-\mathbb{{E}}\log\sigma({REAL}-{GEN})",
        relativistic_d,
        rf"\mathbb{{E}}\,H(y_\text{{real}}-y_\text{{gen}}, \sigma({REAL}-{GEN}))",
    ),
)
MEAN_REAL, MEAN_GEN = rf"\mathbb{{E}}{REAL}", rf"\mathbb{{E}}{GEN}"
RELATIVISTIC_AVERAGE_D = (
    Term(
        rf"-\mathbb{{E}}\log\sigma({REAL}-{MEAN_GEN})",
        lambda real, fake, real_labels, fake_labels: cross_entropy(real - tf.reduce_mean(fake), real_labels),
        rf"\mathbb{{E}}\,H(y_\text{{real}}, \sigma({REAL}-{MEAN_GEN}))",
    ),
    Term(
        rf"-\mathbb{{E}}\log(1-\sigma({GEN}-{MEAN_REAL}))",
        lambda real, fake, real_labels, fake_labels: cross_entropy(fake - tf.reduce_mean(real), fake_labels),
        rf"\mathbb{{E}}\,H(y_\text{{gen}}, \sigma({GEN}-{MEAN_REAL}))",
    ),
)
RELATIVISTIC_AVERAGE_G = (
    Term(
        rf"-\mathbb{{E}}\log\sigma({GEN}-{MEAN_REAL})",
        lambda real, fake: cross_entropy(fake - tf.reduce_mean(real), tf.ones_like(fake)),
    ),
    Term(
        rf"-\mathbb{{E}}\log(1-\sigma({REAL}-{MEAN_GEN}))",
        lambda real, fake: cross_entropy(real - tf.reduce_mean(fake), tf.zeros_like(real)),
    ),
)

# -- the registry ---------------------------------------------------------------------------------------------

LOSSES: dict[str, Loss] = {
    "non_saturating": Loss(
        cross_entropy_d,
        non_saturating_g,
        "the standard: cross-entropy; G maximizes log D(G(z))",
        "arXiv 1406.2661",
        equilibrium=(LN2, 2 * LN2),
        d_terms=CROSS_ENTROPY_D,
        g_terms=(Term(rf"-\mathbb{{E}}\log\sigma({GEN})", non_saturating_g),),
        d_wants="It is low where real samples get high logits and generated ones low logits.",
        g_wants="It is low where generated samples get high logits.",
    ),
    "minimax": Loss(
        cross_entropy_d,
        minimax_g,
        "the original game; G learns little while D wins",
        "arXiv 1406.2661",
        equilibrium=(-LN2, 2 * LN2),
        d_terms=CROSS_ENTROPY_D,
        g_terms=(Term(rf"\mathbb{{E}}\log(1-\sigma({GEN}))", minimax_g),),
        d_wants="It is low where real samples get high logits and generated ones low logits.",
        g_wants="It is what D gains from generated samples, with the sign turned: flat where D is sure.",
    ),
    "least_squares": Loss(
        least_squares_d,
        least_squares_g,
        "squared distance to the labels; also pulls far samples back",
        "arXiv 1611.04076",
        equilibrium=(0.125, 0.25),
        threshold=0.5,
        p_real="clip",
        d_terms=LEAST_SQUARES_D,
        g_terms=(Term(rf"\frac{{1}}{{2}}\mathbb{{E}}({GEN}-1)^2", least_squares_g),),
        d_wants="It is low where D's output is near 1 for real samples and near 0 for generated ones.",
        g_wants="It is low where D's output is near 1 for generated samples.",
    ),
    "hinge": Loss(
        hinge_d,
        wasserstein_g,
        "D ignores samples beyond a margin; usual with spectral normalization",
        "arXiv 1705.02894, 1802.05957",
        equilibrium=(None, 2.0),
        labels=False,
        d_terms=HINGE_D,
        g_terms=WASSERSTEIN_G,
        d_wants="It is 0 where all real logits are above 1 and all generated ones below -1; more is not asked for.",
        g_wants="It is low where generated samples get high logits.",
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
        d_terms=WASSERSTEIN_D,
        g_terms=WASSERSTEIN_G,
        d_wants="It is low where the mean logit of real samples is far above that of generated ones.",
        g_wants="It is low where generated samples get high logits.",
    ),
    "relativistic": Loss(
        relativistic_d,
        relativistic_g,
        "D learns which of two samples, one real and one generated, is real; with R1 + R2 the most stable here",
        "arXiv 1807.00734, 2501.05441",
        generator_needs_real=True,
        equilibrium=(LN2, LN2),
        p_real="centered",
        d_terms=RELATIVISTIC_D,
        g_terms=(Term(rf"-\mathbb{{E}}\log\sigma({GEN}-{REAL})", relativistic_g),),
        d_wants="It is low where each real sample gets a higher logit than the generated one beside it.",
        g_wants="It is low where each generated sample gets a higher logit than the real one beside it.",
    ),
    "relativistic_average": Loss(
        relativistic_average_d,
        relativistic_average_g,
        "compares each sample with the mean of the other side, real or generated",
        "arXiv 1807.00734",
        generator_needs_real=True,
        equilibrium=(2 * LN2, 2 * LN2),
        p_real="centered",
        d_terms=RELATIVISTIC_AVERAGE_D,
        g_terms=RELATIVISTIC_AVERAGE_G,
        d_wants="It is low where real logits are above the mean generated one, and generated below the mean real one.",
        g_wants="It is low where generated logits are above the mean real one, and real below the mean generated one.",
    ),
}
