"""All scores: `SCORES`, a row for each. Live views, evaluations, benchmarks, comparisons and the Score lab read it.

The rows stand in the files of their groups; each holds a score's functions and its words. Scores of a run are
dictionaries as point_scores.scores() and image_scores.scores() make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gan_core.scores.classifier_scores import CLASSIFIER_SCORES
from gan_core.scores.distance_scores import DISTANCE_SCORES
from gan_core.scores.imagenet_scores import IMAGENET_SCORES
from gan_core.scores.mode_scores import MODE_SCORES
from gan_core.scores.neighbour_scores import NEIGHBOUR_SCORES
from gan_core.scores.score import Measure, Score

SCORES: dict[str, Score] = {
    **MODE_SCORES,
    **DISTANCE_SCORES,
    **CLASSIFIER_SCORES,
    **NEIGHBOUR_SCORES,
    **IMAGENET_SCORES,
}


MAIN = ("classifier_fid", "w1")  # the score by which a run's moments are held against each other: of images, of points


def main_score(scores: Mapping[str, Any]) -> str | None:
    """The main score of a run with these scores; None where it has none."""
    return next((name for name in MAIN if name in scores), None)


def shown(kind: str, data: Any) -> Iterator[tuple[str, Measure]]:
    """(name, how it is taken) of each score that runs on these data have. kind: "points" or "images"."""
    for name, row in SCORES.items():
        measure = row.measure(kind)
        if measure is not None and measure.shown and measure.needs(data):
            yield name, measure


def floors_of(measures: Iterable[tuple[str, Measure]], real: Any, pairs: Sequence[Any]) -> dict[str, float | None]:
    """What real data get, by name: what the score says of `real`, or its mean over `pairs` of real draws."""
    floors: dict[str, float | None] = {}
    for name, measure in measures:
        if measure.floor is not None:
            floors[name] = measure.floor(real)
        else:
            found = [value for pair in pairs if (value := measure.of(pair)) is not None]
            floors[name] = sum(found) / len(found) if found else None
    return floors


def with_ideal(name: str, measure: Measure, value: float | None, floor: float | None) -> dict[str, float | None]:
    """A score and what real data get, under the names by which the scores of a run hold them."""
    return {name: value, measure.ideal or f"{name}_floor": floor}


def better(a: Mapping[str, Any], b: Mapping[str, Any], name: str) -> bool:
    """Whether `a` is nearer to the ideal of the score `name` than `b`; an unknown score is never better."""
    x, y = (SCORES[name].distance_to_ideal(name, scores) for scores in (a, b))
    return x is not None and (y is None or x < y)


def leaders(rows: Sequence[Mapping[str, Any]], name: str) -> set[int]:
    """The indices of the scores that are nearest to the ideal of `name`; several where they are equally near."""
    found = {i: SCORES[name].distance_to_ideal(name, row) for i, row in enumerate(rows)}
    distances = {i: distance for i, distance in found.items() if distance is not None}
    return {i for i, distance in distances.items() if distance == min(distances.values())}
