"""What a score is: `Score`, a row of SCORES (registry.py), and `Measure`, how it is taken of one kind of data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def _number(value: float) -> str:
    """About three significant digits."""
    return f"{value:.4f}" if abs(value) < 0.01 else f"{value:.3f}" if abs(value) < 10 else f"{value:,.3g}"


FORMS: dict[str, Callable[[float], str]] = {
    "count": "{:,.0f}".format,
    "percent": lambda value: f"{100 * value:.1f} %",
    "hundredths": "{:.2f}".format,
    "number": _number,
}
GOOD = ("high", "low", "near")  # "near": both ends are bad
GROUPS = (
    "Data with modes",
    "Distances between two clouds",
    "Images, through a small classifier",
    "Images, through a network that has learned nothing",
    "Neighbours",
    "Through ImageNet: what papers print",
)
MODES, DISTANCES, CLASSIFIER, UNTRAINED, NEIGHBOURS, IMAGENET = GROUPS


def _all(data: Any) -> bool:
    return True


@dataclass(frozen=True)
class Measure:
    """How a score is taken of generated points, or of generated images.

    value: (comparisons.PointComparison or ImageComparison) -> the score; None where it has no value.
    floor: what real data get, from (comparisons.RealPoints or RealImages); without one the mean of `value` over pairs
    of real draws.
    replicates: the score of each resample, [R], from (comparisons.Resamples); without one `value` is taken of a few of
    them. A score of the form "count" has none.
    ideal: under which name the scores of a run hold the floor; NAME_floor if empty.
    needs: whether data have this score at all.
    whole: of points, whether it is of all the samples, not of the fewer that distances are taken of.
    shown: whether runs have it; otherwise it is a score of the Score lab's experiments alone.
    """

    value: Callable[[Any], float | None]
    floor: Callable[[Any], float] | None = None
    replicates: Callable[[Any], np.ndarray] | None = None
    ideal: str = ""
    needs: Callable[[Any], bool] = _all
    whole: bool = False
    shown: bool = True

    def of(self, comparison: Any) -> int | float | None:
        """The score, ready for JSON; None where it has no value, or none that is finite."""
        value = self.value(comparison)
        if value is None or isinstance(value, int):
            return value
        return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Score:
    """A row of SCORES.

    title: as it stands beside a value. form: one of FORMS. good: which values papers call good, one of GOOD. group: one
    of GROUPS. In Markdown: what it measures; real_data: what these get; fooled: by what; source: the paper.
    points, images: how it is taken of each; neither, where only `evaluate --inception` has it. most, least: its largest
    and smallest value; intervals are cut there.
    """

    title: str
    form: str
    good: str
    group: str
    what: str
    real_data: str
    fooled: str
    source: str
    points: Measure | None = None
    images: Measure | None = None
    most: float = math.inf
    least: float = 0.0

    def measure(self, kind: str) -> Measure | None:
        """How it is taken of data of this kind, "points" or "images"."""
        return {"points": self.points, "images": self.images}[kind]

    def text(self, value: float) -> str:
        """A value in words and numbers, the same wherever it is shown."""
        return FORMS[self.form](value)

    def ideal(self, name: str, scores: Mapping[str, Any]) -> float | None:
        """What real data get, as the scores of a run hold it; None where they do not.

        It is the ideal, not the end of the scale: a generator that draws one perfect point all day has 100 % of its
        samples in high quality, where a perfect generator has 98.9 %.
        """
        # of images first: of 1,000 modes as many real images do not hit all
        keys = [measure.ideal or f"{name}_floor" for measure in (self.images, self.points) if measure is not None]
        return next((value for key in keys if (value := number_of(scores.get(key))) is not None), None)

    def distance_to_ideal(self, name: str, scores: Mapping[str, Any]) -> float | None:
        """How far the score is from its ideal, 0 at best, in its own unit; None where either is unknown.

        A distance between generated and real data is ideal at its floor, and below it too: no generator is better than
        fresh real data, and what lies below is chance. Of the other scores, more than the ideal is as wrong as less.
        """
        value, best = number_of(scores.get(name)), self.ideal(name, scores)
        if self.good == "low":
            return None if value is None else max(0.0, value - (best or 0.0))
        return None if value is None or best is None else abs(value - best)


def number_of(value: Any) -> float | None:
    """A value of scores that may come from a file, as a number; None if it is none."""
    known = isinstance(value, Real) and not isinstance(value, bool) and value == value
    return float(value) if known else None
