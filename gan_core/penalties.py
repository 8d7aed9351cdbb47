"""Penalties on the discriminator's gradient. `PENALTIES` is their registry.

Each is `penalty(critic, real, fake) -> scalar`, to be multiplied by `gp_weight`; `critic` maps a batch to
logits [batch, 1]. R1 and R2 carry their factor 1/2, as in the papers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gan_core.lazy import tf


@dataclass(frozen=True)
class Penalty:
    """A row of the registry. `function` is None where there is nothing to add; `batches`: how many it looks at."""

    function: Callable | None
    description: str
    source: str = ""
    batches: int = 1


def gradient_square(critic, x):
    """Mean over the batch of |d critic(x) / dx|²; x is [batch, ...]."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        logits = tf.reduce_sum(critic(x))
    gradient = tape.gradient(logits, x)
    return tf.reduce_mean(tf.reduce_sum(tf.reshape(gradient, [tf.shape(x)[0], -1]) ** 2, axis=1))


def r1(critic, real, fake):
    """1/2 E|∇D(real)|² (Mescheder et al., arXiv 1801.04406)."""
    return 0.5 * gradient_square(critic, real)


def r1_r2(critic, real, fake):
    """1/2 E|∇D(real)|² + 1/2 E|∇D(fake)|² (R3GAN, arXiv 2501.05441)."""
    return 0.5 * (gradient_square(critic, real) + gradient_square(critic, fake))


PENALTIES: dict[str, Penalty] = {
    "none": Penalty(None, "no penalty", batches=0),
    "r1": Penalty(r1, "flattens D at the real points", "arXiv 1801.04406"),
    "r1_r2": Penalty(r1_r2, "flattens D at real and generated points", "arXiv 2501.05441", batches=2),
}
