"""Every setting by its name: those of all runs, and those that the rows of the registries bring."""

from collections.abc import Iterator
from dataclasses import Field, fields, replace
from typing import NamedTuple

from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.settings.common_settings import CommonSettings


class Carrier(NamedTuple):
    """A row that brings a setting: the choice that it is chosen by, its name, and the setting as it defines it."""

    choice: str
    row: str
    knob: Hyperparameter


HYPERPARAMETERS: dict[str, Hyperparameter] = {}  # every setting, by flat name, in the order of the page
CARRIED: dict[str, list[Carrier]] = {}  # those that rows bring, and which rows
LIVE_FIELDS: list[str] = []


def _brought(choice: Field) -> Iterator[tuple[str, Carrier]]:
    """(flat name, carrier) of all that the rows of a choice bring; those of data sets have a prefix of their own."""
    about = choice.metadata
    side = about.get("side", "")
    for row_name, row in {} if choice.name == "data" else about.get("registry", {}).items():
        for base, knob in getattr(row, "knobs", {}).items():
            group = {"g": "Generator", "d": "Discriminator"}.get(side, knob.group or about["knob"].group)
            yield (f"{side}_{base}" if side else base), Carrier(choice.name, row_name, replace(knob, group=group))


def collect() -> None:
    """Finds every setting anew, after rows have joined a registry; raises ConfigError where two disagree on one."""
    found: dict[str, Hyperparameter] = {}
    carried: dict[str, list[Carrier]] = {}
    of_all_runs = {each.name for each in fields(CommonSettings)}
    for each in fields(CommonSettings):
        if "knob" not in each.metadata:
            continue
        found[each.name] = each.metadata["knob"]
        for name, carrier in _brought(each):
            known = carried.get(name, [carrier])[0]
            elsewhere = name in of_all_runs or known.choice != carrier.choice
            if elsewhere or _same(known.knob) != _same(carrier.knob):
                what = f"The {carrier.choice} {carrier.row} brings a setting {name}"
                raise ConfigError(f"{what}, and there is another one of that name.")
            carried.setdefault(name, []).append(carrier)
            found.setdefault(name, carrier.knob)
    HYPERPARAMETERS.clear()
    HYPERPARAMETERS.update(found)
    CARRIED.clear()
    CARRIED.update(carried)
    LIVE_FIELDS[:] = [name for name, knob in HYPERPARAMETERS.items() if knob.live]


def _same(knob: Hyperparameter) -> Hyperparameter:
    """What rows that bring one setting have to agree on: all but when it acts."""
    return replace(knob, needs="", choices=None if knob.choices is None else dict(knob.choices))


collect()
