"""What a sweep trains: settings along axes, as a grid or in random draws, each with several seeds."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter, shorten
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from gan_core.settings.setting_texts import DATA_PREFIX, unknown_setting

MOST_VALUES = 100  # of one axis
MOST_TRIALS = 100_000
MOST_LOOKS = 100  # of a trial, on its way
HOW = "Write NAME=A,B,C, NAME=LOW:HIGH:COUNT, or with --draws NAME=LOW:HIGH"


@dataclass(frozen=True)
class Axis:
    """One setting and its values; where there are none, what is drawn from: [low, high]."""

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON types, which `of_json` reads."""
        return {"name": self.name, "values": list(self.values), "low": self.low, "high": self.high}

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> Axis:
        """The axis that `to_json` wrote."""
        return cls(str(row["name"]), tuple(row["values"]), float(row["low"]), float(row["high"]))


@dataclass(frozen=True)
class Begun:
    """A trial that has trained a part of its budget, `until`, for so many seconds.

    run: its saved run as files, from which any process goes on. looks: what it was scored on its way
    (`training.Look`).
    """

    until: float
    seconds: float
    run: dict[str, bytes]
    looks: tuple[Any, ...]


@dataclass(frozen=True)
class Trial:
    """One training: its settings (flat, all of them), what they change of the sweep's, and its budget.

    steps, seconds: the most; at least one is given. frames: whether its whole recording is kept. looks: how often it is
    scored on its way, evenly. begun: where it goes on; until: the part of its budget at which it is handed back.
    """

    config: dict[str, Any]
    settings: dict[str, Any]
    seed: int
    steps: int | None
    seconds: float | None
    frames: bool = False
    looks: int = 0
    begun: Begun | None = field(default=None, repr=False)
    until: float = 1.0

    @property
    def key(self) -> str:
        """The trial's name: the same settings and budget have the same one, wherever and whenever they are trained."""
        said = json.dumps([self.config, self.steps, self.seconds], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def parts(self) -> list[float]:
        """The parts of its budget after which it is scored, up to `until`: each a step, at least, behind the other."""
        wanted = {(i + 1) / (self.looks + 1) for i in range(self.looks)} | {self.until}
        found: list[float] = []
        for part in sorted(wanted, reverse=True):  # the last one is `until`
            if part <= self.until and self.is_ahead(part) and (not found or self.is_before(part, found[-1])):
                found.append(part)
        return found[::-1]

    def is_ahead(self, part: float) -> bool:
        """Whether that part of its budget is still to be trained."""
        return self.is_before(0.0 if self.begun is None else self.begun.until, part)

    def is_before(self, part: float, other: float) -> bool:
        """Whether one part of its budget is a step, at least, before another."""
        return part < other if self.steps is None else self.steps_at(part) < self.steps_at(other)

    def steps_at(self, part: float) -> int:
        """The steps after that part of its budget of steps."""
        return math.ceil(part * (self.steps or 0))

    def done_by(self, trainings: Any) -> Any:
        """Its outcome, trained by what a process keeps (`training.Trainings`)."""
        return trainings.train(self)


@dataclass(frozen=True)
class Space:
    """The settings that all trials share, what differs, and each trial's budget.

    draws: so many random settings in place of the grid of all. seeds: of each settings, from the base's on. looks: how
    often each trial is scored on its way. stop_by: the score by which hopeless trials are stopped early
    (early_stopping.py), "" for none.
    """

    base: GANConfig
    axes: tuple[Axis, ...]
    seeds: int = 1
    steps: int | None = None
    seconds: float | None = None
    draws: int = 0
    frames: bool = False
    looks: int = 0
    stop_by: str = ""

    def settings(self) -> Iterator[dict[str, Any]]:
        """What each point of the grid, or each draw, changes of the base; the same ones every time."""
        if not self.draws:
            names = [axis.name for axis in self.axes]
            for values in itertools.product(*(axis.values for axis in self.axes)):
                yield dict(zip(names, values, strict=True))
            return
        for number in range(self.draws):
            rng = np.random.default_rng([self.base.seed, 7, number])
            yield {axis.name: _drawn(axis, knob_of(axis.name, self.base), rng) for axis in self.axes}

    def __len__(self) -> int:
        """How many trials there are."""
        points = self.draws
        if not points:
            points = 1
            for axis in self.axes:
                points *= len(axis.values)
        return points * self.seeds

    def trials(self) -> Iterator[Trial]:
        """All trials: every setting with the first seed, then with the second, so that a map fills early."""
        for number in range(self.seeds):
            seed = self.base.seed + number
            for settings in self.settings():
                yield self.trial(settings, seed)

    def trial(self, settings: dict[str, Any], seed: int) -> Trial:
        """The training that the same settings give by hand. What does not go together is found when it is trained."""
        flat = self.base.to_flat()
        if settings.get("data", self.base.data) != self.base.data:
            flat = {name: value for name, value in flat.items() if not name.startswith(DATA_PREFIX)}
        flat |= {**settings, "seed": seed}
        return Trial(flat, settings, seed, self.steps, self.seconds, self.frames, self.looks)

    def rows_of(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, each with the settings that differ in this space.

        A row says what its trial changed of the base when it was trained: where the space had other axes then, the rows
        of its trials are given the present ones, and others go.
        """
        names = {axis.name for axis in self.axes}
        if all(set(row["settings"]) == names for row in rows):
            return rows
        known = {trial.key: trial.settings for trial in self.trials()}
        return [{**row, "settings": known[row["key"]]} for row in rows if row["key"] in known]

    def same_trainings(self, other: Space) -> bool:
        """Whether the two differ only in which of the same trainings are wanted (axes, seeds, draws), or in how often
        they are scored on their way, which changes nothing about them."""
        return replace(self, axes=other.axes, seeds=other.seeds, draws=other.draws, looks=other.looks) == other

    def to_json(self) -> dict[str, Any]:
        """JSON types, which `of_json` reads."""
        names = ("seeds", "steps", "seconds", "draws", "frames", "looks", "stop_by")
        rest = {name: getattr(self, name) for name in names}
        return {"base": self.base.to_flat(), "axes": [axis.to_json() for axis in self.axes], **rest}

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> Space:
        """The space that `to_json` wrote; raises ConfigError for settings that nothing has, or KeyError and others."""
        axes = tuple(Axis.of_json(each) for each in row["axes"])
        rest = {name: row[name] for name in ("seeds", "steps", "seconds", "draws", "frames")}
        rest |= {"looks": int(row.get("looks", 0)), "stop_by": str(row.get("stop_by", ""))}  # younger than the others
        return cls(GANConfig.from_flat(row["base"]), axes, **rest)


def knob_of(name: str, base: GANConfig) -> Hyperparameter:
    """The setting of that name beside the data of `base`; raises ConfigError."""
    knob = HYPERPARAMETERS.get(name)
    if knob is None and name.startswith(DATA_PREFIX):
        knob = DATASETS[base.data].knobs.get(name.removeprefix(DATA_PREFIX))
    if knob is None:
        raise ConfigError(unknown_setting(name, base.data))
    return knob


def parse_axis(text: str, base: GANConfig, draws: bool) -> Axis:
    """`g_lr=1e-4:1e-2:6`, `penalty=none,r1` or, to draw from, `g_lr=1e-4:1e-2`; raises ConfigError.

    The values of a range are evenly spaced, of a setting with a logarithmic slider by equal factors.
    """
    name, sign, values = (part.strip() for part in text.partition("="))
    if not sign or not name or not values:
        raise ConfigError(f"{HOW}; got {shorten(text)}.")
    if name == "seed":
        raise ConfigError("Seeds are no axis: every setting is trained with each of --seeds.")
    knob = knob_of(name, base)
    if knob.kind in (int, float) and ":" in values:
        return _range(name, knob, values.split(":"), draws)
    found = tuple(dict.fromkeys(knob.check(name, value.strip()) for value in values.split(",")))
    if len(found) > MOST_VALUES:
        raise ConfigError(f"An axis has at most {MOST_VALUES} values; {name} has {len(found):,}.")
    return Axis(name, found)


def _range(name: str, knob: Hyperparameter, parts: list[str], draws: bool) -> Axis:
    if len(parts) > 3:
        raise ConfigError(f"{HOW}; got {name}={shorten(':'.join(parts))}.")
    low, high = (knob.check(name, part.strip()) for part in parts[:2])
    if low >= high:
        raise ConfigError(f"The range of {name} must rise; got {low:g}:{high:g}.")
    if knob.log and low <= 0:
        raise ConfigError(f"The range of {name} must begin above 0.")
    if len(parts) == 2:
        if not draws:
            raise ConfigError(
                f"{name}={low:g}:{high:g} needs a number of values, as in {name}={low:g}:{high:g}:5, or --draws."
            )
        return Axis(name, (), low, high)
    count = parts[2].strip()
    if not (count.isdecimal() and 2 <= int(count) <= MOST_VALUES):
        raise ConfigError(f"The number of values of {name} must be from 2 to {MOST_VALUES}; got {shorten(count)}.")
    spaced = np.geomspace if _by_factors(knob, low) else np.linspace
    values = (_rounded(knob, value) for value in spaced(low, high, int(count)))
    return Axis(name, tuple(dict.fromkeys(min(max(value, low), high) for value in values)))


def _by_factors(knob: Hyperparameter, low: float) -> bool:
    return knob.log and low > 0


def _rounded(knob: Hyperparameter, value: float) -> Any:
    """A number of the setting's kind that people can read: three digits say what a sweep needs."""
    return round(float(value)) if knob.kind is int else float(f"{value:.3g}")


def _drawn(axis: Axis, knob: Hyperparameter, rng: np.random.Generator) -> Any:
    if axis.values:
        return axis.values[int(rng.integers(len(axis.values)))]
    if _by_factors(knob, axis.low):
        value = float(np.exp(rng.uniform(np.log(axis.low), np.log(axis.high))))
    else:
        value = float(rng.uniform(axis.low, axis.high))
    return min(max(_rounded(knob, value), axis.low), axis.high)


def parse_space(
    base: GANConfig,
    over: list[str],
    seeds: int,
    steps: int | None,
    seconds: float | None,
    draws: int = 0,
    frames: bool = False,
    looks: int = 0,
    stop_by: str = "",
) -> Space:
    """The space of the command line's texts; raises ConfigError for what nothing has, and for too many trials."""
    axes = tuple(parse_axis(text, base, draws > 0) for text in over)
    twice = next((axis.name for i, axis in enumerate(axes) if axis.name in {other.name for other in axes[:i]}), None)
    if twice:
        raise ConfigError(f"{twice} is an axis twice: give all its values at once.")
    if looks > MOST_LOOKS:
        raise ConfigError(f"A trial is scored at most {MOST_LOOKS} times on its way; got {looks:,}.")
    if stop_by and any(axis.name == "data" for axis in axes):
        raise ConfigError("Trials of different data sets cannot be stopped early: their scores do not compare.")
    space = Space(base, axes, seeds, steps, seconds, draws if axes else 0, frames, looks, stop_by)
    if len(space) > MOST_TRIALS:
        raise ConfigError(f"That would be {len(space):,} trials; a sweep has at most {MOST_TRIALS:,}.")
    return space
