"""What the fields of `GANConfig` are made with: a field with its hyperparameter, and a choice from a registry."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from gan_core.foundations.hyperparameters import Described, Hyperparameter


def knob_field(kind: type, default: Any, label: str, group: str, text: str, **rest) -> Any:
    """A setting, with the hyperparameter that says its range and help."""
    return field(default=default, metadata={"knob": Hyperparameter(kind, default, label, text, group, **rest)})


def choice(default: str, registry: Mapping, label: str, group: str, text: str, side: str = "", **rest) -> Any:
    """One of the names of a registry, each with its description.

    The rows' own hyperparameters (`row.knobs`) are settings too; side: "g" or "d" where each network chooses one, and
    then they have its letter before their name.
    """
    knob = Hyperparameter(str, default, label, text, group, choices=Described(registry), **rest)
    return field(default=default, metadata={"knob": knob, "registry": registry, "side": side})


def learning_rate(label: str, text: str) -> Any:
    """A network's step size."""
    return knob_field(float, 1e-3, label, "Learning rates", text, low=1e-5, high=1.0, log=True, live=True)


def optimizer(registry: Mapping, group: str) -> Any:
    """Who turns a network's gradients into steps."""
    return choice(
        "adam",
        registry,
        "Optimizer",
        group,
        "How gradients become steps. adam and rmsprop scale the step of each weight; sgd does not, and needs a "
        "learning rate about a hundred times higher.",
        side=group[0].lower(),
    )
