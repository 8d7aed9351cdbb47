"""What the fields of `GANConfig` are made with: a field with its knob, and the settings that both networks have."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.networks.architectures import ACTIVATIONS, NORMS
from gan_core.objectives.optimizers import OPTIMIZERS


def _describe(registry: Mapping) -> dict[str, str]:
    return {name: row if isinstance(row, str) else row.description for name, row in registry.items()}


def knob_field(kind: type, default: Any, label: str, group: str, text: str, **rest) -> Any:
    """A setting, with the knob that says its range and help."""
    return field(default=default, metadata={"knob": Hyperparameter(kind, default, label, text, group, **rest)})


def choice(default: str, registry: Mapping, label: str, group: str, text: str, **rest) -> Any:
    """One of the names of a registry, each with its description."""
    return knob_field(str, default, label, group, text, choices=_describe(registry), **rest)


def learning_rate(label: str, text: str) -> Any:
    """A network's step size."""
    return knob_field(float, 1e-3, label, "Learning rates", text, low=1e-5, high=1.0, log=True, live=True)


def layers(group: str) -> Any:
    """How many hidden layers a network has."""
    return knob_field(
        int,
        3,
        "Hidden layers",
        group,
        "How deep the network is. 0: a linear map, which can only shift and stretch. More layers learn finer shapes, "
        "but train more slowly and less steadily. Usual: 2 to 4.",
        low=0,
        high=5,
    )


def units(group: str) -> Any:
    """How wide a network's hidden layers are."""
    return knob_field(
        int,
        128,
        "Units per layer",
        group,
        "How wide each hidden layer is. Too few cannot form the shape of the data; more take longer at every step. "
        "Usual: 32 to 256.",
        low=1,
        high=512,
        log=True,
    )


def activation(default: str, group: str) -> Any:
    """What bends between a network's layers."""
    return choice(
        default,
        ACTIVATIONS,
        "Activation",
        group,
        "The function after each hidden layer. relu makes straight pieces; tanh, elu and swish make smooth curves; "
        "leaky_relu never has a zero gradient, which helps the generator.",
    )


def optimizer(group: str) -> Any:
    """Who turns a network's gradients into steps."""
    return choice(
        "adam",
        OPTIMIZERS,
        "Optimizer",
        group,
        "How gradients become steps. adam and rmsprop scale the step of each weight; sgd does not, and needs a "
        "learning rate about a hundred times higher.",
    )


def beta_1(group: str) -> Any:
    """Adam's first memory, of a network."""
    return knob_field(
        float,
        0.5,
        "beta_1",
        group,
        "Adam's memory of past gradients. High values carry momentum that makes the two networks circle each other. "
        "Usual for GANs: 0 to 0.5.",
        low=0.0,
        high=0.99,
    )


def beta_2(group: str) -> Any:
    """Adam's second memory, of a network."""
    return knob_field(
        float,
        0.999,
        "beta_2",
        group,
        "Adam's memory of gradient sizes. Too low: uneven steps. Too high: slow to adapt when the other network "
        "changes. Usual: 0.9 to 0.999.",
        stops=(0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999),
        low=0.0,
        high=0.9999,
    )


def norm(group: str) -> Any:
    """What keeps a network's features in bounds."""
    return choice(
        "none",
        NORMS,
        "Normalization",
        group,
        "Keeps activations or weights in a useful range. batch: fast start on images, but mixes the samples of a "
        "batch; not with a gradient penalty. spectral: limits the discriminator's gradient.",
    )


def momentum(group: str) -> Any:
    """What rmsprop and sgd keep of a network's last step."""
    return knob_field(
        float,
        0.0,
        "Momentum",
        group,
        "How much of the last step is kept (rmsprop and sgd). Too high: the networks overshoot and oscillate. Usual: 0 "
        "to 0.9.",
        low=0.0,
        high=0.99,
    )
