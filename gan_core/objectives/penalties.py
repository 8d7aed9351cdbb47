"""Penalties on the discriminator's gradient. `PENALTIES` is their registry.

Each is `penalty(critic, real, fake, uniform, **own) -> scalar`, to be multiplied by `gp_weight`; `critic` maps a batch
to logits [batch, 1], `uniform(shape)` draws from [0, 1), `own` are those of the row's hyperparameters that it names. R1
and R2 carry their factor 1/2, as in the papers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.foundations.lazy_imports import tf

FLAT = 1e-12  # a root has no gradient at 0, where D is flat


GP_WEIGHT = Hyperparameter(
    float,
    0.1,
    "Penalty weight",
    "How much the gradient penalty counts. Too high: the discriminator becomes flat and tells the generator nothing. "
    "Too low: no effect. Usual: 0.01 to 1 for points, 1 to 10 for images.",
    "Loss and penalty",
    stops=(0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100),
    low=0.0,
    high=100.0,
    live=True,
    carriers="a gradient penalty",
    lacking="there is no gradient penalty",
    quiet=True,
)


@dataclass(frozen=True)
class Penalty:
    """A row of the registry.

    function: None where there is nothing to add. batches: how many it looks at. knobs: its own hyperparameters, by
    name; every penalty has a weight. formula: without its weight, in LaTeX.
    """

    function: Callable | None
    description: str
    source: str = ""
    batches: int = 1
    knobs: dict[str, Hyperparameter] = field(default_factory=lambda: {"gp_weight": GP_WEIGHT})
    formula: str = ""


def slopes_square(critic, x):
    """|d critic(x) / dx|² of each sample, [batch]; x is [batch, ...]."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        logits = tf.reduce_sum(critic(x))
    gradient = tape.gradient(logits, x)
    return tf.reduce_sum(tf.reshape(gradient, [tf.shape(x)[0], -1]) ** 2, axis=1)


def gradient_square(critic, x):
    """Mean over the batch of |d critic(x) / dx|²."""
    return tf.reduce_mean(slopes_square(critic, x))


def slope_of_one(critic, x):
    """Mean over the batch of (|d critic(x) / dx| - 1)²."""
    return tf.reduce_mean((tf.sqrt(slopes_square(critic, x) + FLAT) - 1.0) ** 2)


def r1(critic, real, fake, uniform):
    """1/2 E|∇D(real)|² (Mescheder et al., arXiv 1801.04406)."""
    return 0.5 * gradient_square(critic, real)


def r1_r2(critic, real, fake, uniform):
    """1/2 E|∇D(real)|² + 1/2 E|∇D(fake)|² (R3GAN, arXiv 2501.05441)."""
    return 0.5 * (gradient_square(critic, real) + gradient_square(critic, fake))


def wgan_gp(critic, real, fake, uniform):
    """E(|∇D(x)| - 1)² at x = ε real + (1 - ε) fake, ε uniform in [0, 1], one a sample (arXiv 1704.00028, eq. 3)."""
    weight = uniform([tf.shape(real)[0], *[1] * (len(real.shape) - 1)])
    return slope_of_one(critic, fake + weight * (real - fake))


def dragan(critic, real, fake, uniform):
    """E(|∇D(x)| - 1)² near the real samples (arXiv 1705.07215).

    The paper leaves the noise open; here, as in compare_gan, it is uniform, ± half the batch's standard deviation.
    """
    noise = tf.math.reduce_std(real) * (uniform(tf.shape(real)) - 0.5)
    return slope_of_one(critic, real + noise)


PENALTIES: dict[str, Penalty] = {
    "none": Penalty(None, "no gradient penalty", batches=0, knobs={}),
    "wgan_gp": Penalty(
        wgan_gp,
        "keeps D's gradient near 1 between real and generated samples",
        "arXiv 1704.00028",
        formula=r"\mathbb{E}(\|\nabla\ell(\hat{x})\|-1)^2",
    ),
    "r1": Penalty(
        r1,
        "keeps D's gradient small at real samples",
        "arXiv 1801.04406",
        formula=r"\frac{1}{2}\mathbb{E}\|\nabla\ell_\text{real}\|^2",
    ),
    "r1_r2": Penalty(
        r1_r2,
        "keeps D's gradient small at real and generated samples",
        "arXiv 2501.05441",
        batches=2,
        formula=r"\frac{1}{2}\mathbb{E}\|\nabla\ell_\text{real}\|^2+\frac{1}{2}\mathbb{E}\|\nabla\ell_\text{gen}\|^2",
    ),
    "dragan": Penalty(
        dragan,
        "keeps D's gradient near 1 around real samples",
        "arXiv 1705.07215",
        formula=r"\mathbb{E}(\|\nabla\ell(x_\text{real}+\delta)\|-1)^2",
    ),
}
