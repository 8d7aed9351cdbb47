"""The sides of a sweep's map: each value of a setting by itself, or values in groups where they would be too many.

Of random draws nearly every trial has values of its own, so thousands of them on two axes are millions of cells, nearly
all of them empty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.settings.config import GANConfig
from gan_core.settings.setting_texts import text
from gan_core.sweeps.space import Axis, knob_of
from gan_core.sweeps.table import ordered_values

MOST_CELLS = 2_500  # of a map whose values stand by themselves
MOST_GROUPS = 50  # along one side
GROUPED = (
    f"Values are grouped, for each one by itself would make more than {MOST_CELLS:,} cells: a cell shows the mean over "
    "all trials in the ranges beside it."
)


@dataclass(frozen=True)
class Side:
    """One side of a map. texts: what stands along it, in order; places: value -> which of them; grouped: whether a text
    is the range of several values."""

    texts: tuple[str, ...]
    places: dict[Any, int]
    grouped: bool = False


def sides(rows: Sequence[dict[str, Any]], axes: Sequence[Axis], base: GANConfig) -> list[Side]:
    """The side of each axis. Where any two of them would make more than MOST_CELLS cells, numbers are grouped on all
    that have more than MOST_GROUPS, evenly: by equal factors for a setting with a logarithmic slider."""
    values = [ordered_values(rows, axis) for axis in axes]
    longest = sorted(map(len, values))[-2:]
    if math.prod(longest) <= MOST_CELLS:
        return [side(found) for found in values]
    logs = (knob_of(axis.name, base).log for axis in axes)
    return [side(found, MOST_GROUPS, log) for found, log in zip(values, logs, strict=True)]


def side(values: Sequence[Any], most: int | None = None, log: bool = False) -> Side:
    """The side of these values, numbers by size; in at most `most` groups where they are more numbers than that.

    A group is named by the lowest and the highest value that is in it. One without any is left out.
    """
    if most is None or len(values) <= most or not all(isinstance(value, (int, float)) for value in values):
        return Side(tuple(map(text, values)), {value: place for place, value in enumerate(values)})
    scaled = [math.log(value) for value in values] if log and values[0] > 0 else list(values)
    width = (scaled[-1] - scaled[0]) / most
    groups: dict[int, list[Any]] = {}
    for value, at in zip(values, scaled, strict=True):
        groups.setdefault(min(most - 1, int((at - scaled[0]) / width)), []).append(value)
    texts = tuple(text(g[0]) if len(g) == 1 else f"{text(g[0])} – {text(g[-1])}" for g in groups.values())
    return Side(texts, {value: place for place, g in enumerate(groups.values()) for value in g}, grouped=True)


def placed(rows: Sequence[dict[str, Any]], axes: Sequence[Axis], of: Sequence[Side]) -> list[dict[str, Any]]:
    """The rows with the texts of their places in place of grouped settings: those of one cell have equal ones."""
    grouped = {axis.name: each for axis, each in zip(axes, of, strict=True) if each.grouped}
    if not grouped:
        return list(rows)

    def named(name: str, value: Any) -> Any:
        return grouped[name].texts[grouped[name].places[value]] if name in grouped else value

    return [{**row, "settings": {name: named(name, value) for name, value in row["settings"].items()}} for row in rows]
