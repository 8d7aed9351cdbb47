"""The optimizers, as pure functions. `OPTIMIZERS` is their registry.

Keras's optimizers assign variables, and its TensorFlow backend refuses `stateless_apply`; the engine's state
passes through the compiled call as tensors (trainer.py), so the three updates are written out here. Tests
hold each against its Keras namesake, whose defaults (epsilon, rho) they share.

`update(gradient, slots, rate, t, beta_1, beta_2, momentum) -> (change, slots)` for one weight: `slots` are
tensors of its shape, zeros at first; `t` counts updates from 1 (float32); `change` is added to the weight.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gan_core.foundations.lazy_imports import tf

EPSILON = 1e-7
RHO = 0.9
TINY = 1e-24  # a root has no gradient at 0, and unrolling differentiates through the update


@dataclass(frozen=True)
class Optimizer:
    """A row of the registry. slots: the names of those that a weight has. uses: which hyperparameters act."""

    update: Callable
    slots: tuple[str, ...]
    description: str
    uses: tuple[str, ...]


def adam(gradient, slots, rate, t, beta_1: float, beta_2: float, momentum: float):
    """Adam (Kingma and Ba, arXiv 1412.6980, the form with epsilon-hat, as Keras)."""
    m, v = slots
    m = m + (gradient - m) * (1.0 - beta_1)
    v = v + (gradient * gradient - v) * (1.0 - beta_2)
    alpha = rate * tf.sqrt(1.0 - tf.pow(beta_2, t)) / (1.0 - tf.pow(beta_1, t))
    return -alpha * m / (tf.sqrt(v + TINY) + EPSILON), (m, v)


def rmsprop(gradient, slots, rate, t, beta_1: float, beta_2: float, momentum: float):
    """RMSprop (Tieleman and Hinton, 2012) with a decay of 0.9 and momentum."""
    v, m = slots
    v = RHO * v + (1.0 - RHO) * gradient * gradient
    m = momentum * m + rate * gradient / tf.sqrt(v + EPSILON)
    return -m, (v, m)


def sgd(gradient, slots, rate, t, beta_1: float, beta_2: float, momentum: float):
    """Gradient descent with heavy-ball momentum."""
    (m,) = slots
    m = momentum * m - rate * gradient
    return m, (m,)


OPTIMIZERS: dict[str, Optimizer] = {
    "adam": Optimizer(adam, ("m", "v"), "its own step size for each weight; the usual choice", ("beta_1", "beta_2")),
    "rmsprop": Optimizer(rmsprop, ("v", "m"), "like adam without its first moment", ("momentum",)),
    "sgd": Optimizer(sgd, ("m",), "plain gradient descent; needs far larger learning rates", ("momentum",)),
}
