"""Settings as texts: in addresses, on the command line, and in the sentences about names that nothing has."""

from collections.abc import Iterable
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.settings.all_settings import HYPERPARAMETERS

DATA_PREFIX = "data."


def text(value: Any) -> str:
    """A value as a URL and a command line show it; `Hyperparameter.check` reads it back exactly."""
    return str(value).lower() if isinstance(value, bool) else f"{value!r}" if isinstance(value, float) else str(value)


def unknown_setting(name: Any, data: str) -> str:
    """The sentence for a name that no setting has."""
    if str(name).startswith(DATA_PREFIX):
        own = ", ".join(DATA_PREFIX + n for n in DATASETS[data].knobs) or "none"
        return f"The data set {data} has no setting {shorten(str(name))}; it has: {own}."
    close = [k for k in HYPERPARAMETERS if str(name).lower()[:3] == k[:3]]
    hint = f"; did you mean {' or '.join(close[:3])}?" if close else "."
    return f"There is no setting {shorten(str(name))}{hint}"


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """["d_lr=1e-3", ...] -> {"d_lr": "1e-3"}; raises ConfigError for anything else."""
    changes = {}
    for item in assignments:
        name, sign, value = item.partition("=")
        if not sign or not name.strip():
            raise ConfigError(f"A setting is written NAME=VALUE, for example d_lr=1e-3; got {shorten(item)}.")
        changes[name.strip()] = value.strip()
    return changes
