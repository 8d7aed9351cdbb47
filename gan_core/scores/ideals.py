"""Which values of a score are good, and which of several runs is the best: `IDEALS`, a row for each score.

The ideal of a score is what real data get, not the end of its scale. A generator that draws one perfect point all day
has 100 % of its samples in high quality, where a perfect generator has 98.9 %: the best is who is nearest to the ideal.
Scores are dictionaries as point_metrics.scores() and image_metrics.scores() make them; each brings its own ideals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any


@dataclass(frozen=True)
class Ideal:
    """A row of IDEALS.

    good: which values papers call good, "high" or "low", or "near" where both ends are bad. keys: under which of these
    names the scores hold the ideal; the first that is there counts.
    """

    good: str
    keys: tuple[str, ...]


def _floor(name: str, good: str) -> Ideal:
    return Ideal(good, (f"{name}_floor",))


IDEALS: dict[str, Ideal] = {
    "modes": Ideal("high", ("modes_real", "modes_total")),  # of 1,000 modes, as many real ones do not hit all
    "hq": Ideal("high", ("hq_perfect",)),
    **{name: _floor(name, "low") for name in ("reverse_kl", "w1", "energy", "mmd", "frechet")},
    "classifier_fid": _floor("classifier_fid", "low"),
    "confidence": Ideal("high", ("confidence_real",)),
    "class_tv": _floor("class_tv", "low"),
    **{name: _floor(name, "high") for name in ("precision", "recall", "density", "coverage")},
    "nearest_real": _floor("nearest_real", "near"),
}


def _number(value: Any) -> float | None:
    known = isinstance(value, Real) and not isinstance(value, bool) and value == value
    return float(value) if known else None


def ideal(scores: Mapping[str, Any], name: str) -> float | None:
    """What real data get for the score `name`, as `scores` hold it; None where they do not."""
    found = (_number(scores.get(key)) for key in IDEALS[name].keys)
    return next((value for value in found if value is not None), None)


def distance_to_ideal(scores: Mapping[str, Any], name: str) -> float | None:
    """How far the score `name` is from its ideal, 0 at best, in its own unit; None where either is unknown.

    A distance between generated and real data is ideal at its floor, and below it too: no generator is better than
    fresh real data, and what lies below is chance. Of the other scores, more than the ideal is as wrong as less.
    """
    value, best = _number(scores.get(name)), ideal(scores, name)
    if IDEALS[name].good == "low":
        return None if value is None else max(0.0, value - (best or 0.0))
    return None if value is None or best is None else abs(value - best)


def better(a: Mapping[str, Any], b: Mapping[str, Any], name: str) -> bool:
    """Whether `a` is nearer to the ideal of the score `name` than `b`; an unknown score is never better."""
    x, y = distance_to_ideal(a, name), distance_to_ideal(b, name)
    return x is not None and (y is None or x < y)


def leaders(rows: Sequence[Mapping[str, Any]], name: str) -> set[int]:
    """The indices of the scores that are nearest to the ideal of `name`; several where they are equally near."""
    distances = {i: d for i, row in enumerate(rows) if (d := distance_to_ideal(row, name)) is not None}
    return {i for i, d in distances.items() if d == min(distances.values())}
