"""The optimizers, as pure functions. `OPTIMIZERS` is their registry.

Keras's optimizers assign variables, and its TensorFlow backend refuses `stateless_apply`; the engine's state
passes through the compiled call as tensors (trainer.py), so the three updates are written out here. Tests
hold each against its Keras namesake, whose defaults (epsilon, rho) they share.

`update(weight, gradient, slots, rate, t, **own) -> (change, slots)` for one weight: `slots` are tensors of its shape,
zeros at first; `t` counts updates from 1 (float32); `own` are those of the row's hyperparameters that it names;
`change` is added to the weight, which the update sees for a decay.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.foundations.lazy_imports import tf

EPSILON = 1e-7
RHO = 0.9
TINY = 1e-24  # a root has no gradient at 0, and unrolling differentiates through the update


@dataclass(frozen=True)
class Optimizer:
    """A row of the registry.

    slots: the names of those that a weight has. knobs: its own hyperparameters, by name; each network has them under
    its own letter (`g_beta_1`). keras: what Keras calls an optimizer of the same formula, "" where it has none. moves:
    how an update moves each weight, a sentence. source: the paper.
    """

    update: Callable
    slots: tuple[str, ...]
    description: str
    knobs: dict[str, Hyperparameter] = field(default_factory=dict)
    keras: str = ""
    moves: str = "Each weight moves against its gradient."
    source: str = ""


BETA_1 = Hyperparameter(
    float,
    0.5,
    "beta_1",
    "Adam's memory of past gradients. High values carry momentum that makes the two networks circle each other. Usual "
    "for GANs: 0 to 0.5.",
    low=0.0,
    high=0.99,
    lacking="the optimizer {} has none",
    quiet=True,
)
BETA_2 = Hyperparameter(
    float,
    0.999,
    "beta_2",
    "Adam's memory of gradient sizes. Too low: uneven steps. Too high: slow to adapt when the other network changes. "
    "Usual: 0.9 to 0.999.",
    stops=(0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999),
    low=0.0,
    high=0.9999,
    lacking="the optimizer {} has none",
    quiet=True,
)
MOMENTUM = Hyperparameter(
    float,
    0.0,
    "Momentum",
    "How much of the last step is kept (rmsprop and sgd). Too high: the networks overshoot and oscillate. Usual: 0 to "
    "0.9.",
    low=0.0,
    high=0.99,
    lacking="the optimizer {} has none",
    quiet=True,
)


def adam(weight, gradient, slots, rate, t, beta_1: float, beta_2: float):
    """Adam (Kingma and Ba, arXiv 1412.6980, the form with epsilon-hat, as Keras)."""
    m, v = slots
    m = m + (gradient - m) * (1.0 - beta_1)
    v = v + (gradient * gradient - v) * (1.0 - beta_2)
    alpha = rate * tf.sqrt(1.0 - tf.pow(beta_2, t)) / (1.0 - tf.pow(beta_1, t))
    return -alpha * m / (tf.sqrt(v + TINY) + EPSILON), (m, v)


def rmsprop(weight, gradient, slots, rate, t, momentum: float):
    """RMSprop (Tieleman and Hinton, 2012) with a decay of 0.9 and momentum."""
    v, m = slots
    v = RHO * v + (1.0 - RHO) * gradient * gradient
    m = momentum * m + rate * gradient / tf.sqrt(v + EPSILON)
    return -m, (v, m)


def sgd(weight, gradient, slots, rate, t, momentum: float):
    """Gradient descent with heavy-ball momentum."""
    (m,) = slots
    m = momentum * m - rate * gradient
    return m, (m,)


OPTIMIZERS: dict[str, Optimizer] = {
    "adam": Optimizer(
        adam,
        ("m", "v"),
        "its own step size for each weight; the usual choice",
        {"beta_1": BETA_1, "beta_2": BETA_2},
        keras="Adam",
        moves="Adam moves each weight against its averaged gradient, by about the learning rate.",
        source="arXiv 1412.6980",
    ),
    "rmsprop": Optimizer(
        rmsprop,
        ("v", "m"),
        "like adam without its first moment",
        {"momentum": MOMENTUM},
        keras="RMSprop",
        moves="RMSprop moves each weight against its gradient, divided by the gradient's usual size.",
    ),
    "sgd": Optimizer(
        sgd,
        ("m",),
        "plain gradient descent; needs far larger learning rates",
        {"momentum": MOMENTUM},
        keras="SGD",
        moves="Gradient descent moves each weight against its gradient, times the learning rate.",
    ),
}
