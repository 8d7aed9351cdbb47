"""What the fields of `GANConfig` are made with: a field with its knob, and the settings that both networks have."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from gan_core.architectures import ACTIVATIONS, NORMS
from gan_core.knobs import Knob
from gan_core.optimizers import OPTIMIZERS


def _describe(registry: Mapping) -> dict[str, str]:
    return {name: row if isinstance(row, str) else row.description for name, row in registry.items()}


def knob_field(kind: type, default: Any, label: str, group: str, text: str, **rest) -> Any:
    """A setting, with the knob that says its range and help."""
    return field(default=default, metadata={"knob": Knob(kind, default, label, text, group, **rest)})


def choice(default: str, registry: Mapping, label: str, group: str, text: str, **rest) -> Any:
    """One of the names of a registry, each with its description."""
    return knob_field(str, default, label, group, text, choices=_describe(registry), **rest)


def learning_rate(label: str, text: str) -> Any:
    """A network's step size."""
    return knob_field(float, 1e-3, label, "Rates", text, low=1e-5, high=1.0, log=True, live=True)


def layers(group: str) -> Any:
    """How many hidden layers a network has."""
    return knob_field(
        int,
        3,
        "hidden layers",
        group,
        "How deep the network is. 0 is a linear map, which can only shift and stretch; many layers learn "
        "finer shapes but train more slowly and less steadily.",
        low=0,
        high=5,
    )


def units(group: str) -> Any:
    """How wide a network's hidden layers are."""
    return knob_field(
        int,
        128,
        "units per layer",
        group,
        "How wide each hidden layer is. Too few cannot draw the shape; many cost time at every step.",
        low=1,
        high=512,
        log=True,
    )


def activation(default: str, group: str) -> Any:
    """What bends between a network's layers."""
    return choice(
        default,
        ACTIVATIONS,
        "activation",
        group,
        "The bend after each hidden layer. relu draws with straight pieces; tanh, elu and swish draw smooth "
        "curves; leaky_relu keeps gradients alive, which helps the generator.",
    )


def optimizer(group: str) -> Any:
    """Who turns a network's gradients into steps."""
    return choice(
        "adam",
        OPTIMIZERS,
        "optimizer",
        group,
        "How gradients become steps. adam and rmsprop scale each weight's step by themselves; sgd does not, "
        "and needs a rate some hundred times higher.",
    )


def beta_1(group: str) -> Any:
    """Adam's first memory, of a network."""
    return knob_field(
        float,
        0.5,
        "beta_1",
        group,
        "Adam's memory of past gradients. High values carry momentum that makes the two networks circle each "
        "other; 0 to 0.5 is usual for GANs.",
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
        "Adam's memory of gradient sizes. Too low makes steps jumpy; too high adapts slowly when the other "
        "network changes.",
        stops=(0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999),
        low=0.0,
        high=0.9999,
    )


def norm(group: str) -> Any:
    """What keeps a network's features in bounds."""
    return choice(
        "none",
        NORMS,
        "normalisation",
        group,
        "Keeps the size of what flows through the network in bounds. batch shapes pictures early but ties the samples "
        "of a batch together and does not go with gradient penalties; spectral bounds the discriminator's slope.",
    )


def momentum(group: str) -> Any:
    """What rmsprop and sgd keep of a network's last step."""
    return knob_field(
        float,
        0.0,
        "momentum",
        group,
        "How much of the last step is kept (rmsprop and sgd). High values overshoot and oscillate.",
        low=0.0,
        high=0.99,
    )
