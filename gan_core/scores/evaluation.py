"""All scores of a trainer in full, each with its floor and a 95 % interval.

The intervals come from a bootstrap over the generated samples: what another draw of z from the same generator would
score against the same real data. They say nothing of another training run.

A plain bootstrap repeats samples, and a set with repeats is further from the data than one without, so its replicates
of a distance lie above the value. The intervals are therefore centred: the value plus the quantiles of (replicate -
mean of the replicates). They are cut to the score's range, and always hold the value. Near the floor those of
distances are too wide rather than too narrow; where all samples agree (no mode was hit) they have no width.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.pictures import as_pictures
from gan_core.data.points import as_points
from gan_core.scores import image_scores, point_scores
from gan_core.scores.comparisons import Resamples
from gan_core.scores.distance_scores import W1_RESAMPLES
from gan_core.scores.registry import SCORES, shown
from gan_core.scores.score import Measure, Score
from gan_core.scores.trainer_scores import NO_CLASSES, generated_images, generated_points, has_classes, w1_samples

if TYPE_CHECKING:
    from gan_core.training.trainer import Trainer

SAMPLES = 2_500  # point_metrics.MODE_SAMPLES; the live view takes fewer for its distances
RESAMPLES = 400
FLOOR_REPEATS = 3  # pairs of real draws behind the floors of the distances
LEAST_SAMPLES = 16
MOST_POINTS = 5_000  # 80 bytes a pair: 2 GB
TAILS = (0.025, 0.975)
Say = Callable[[str], None]
COUNTS = ("modes", "modes_total", "mode_counts", "modes_real", "histogram", "histogram_real", "classifier_accuracy")


def evaluate(
    trainer: Trainer,
    n: int = SAMPLES,
    resamples: int = RESAMPLES,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """All scores of the shown generator at n samples, ready for JSON.

    scores: {name: {value, low, high, floor, samples, resamples}}; `floor` is what fresh real data score (of hq what a
    perfect generator does). value, low, high of reverse_kl are None without high-quality samples.
    counts: what has no interval: modes, modes_total, mode_counts; of images histogram, histogram_real,
    classifier_accuracy, and modes, modes_total, modes_real of stacked digits. distances_in: as point_scores has it.
    note: why there are no scores, if so. Also kind, step, ema (whether its average generator was scored), samples,
    resamples and seconds.

    Distances of points use fewer samples where a user's file has fewer points (trainer_scores.w1_samples), scores of
    images at most half of the real images (image_scores.reference); Wasserstein-1, and a score that says no quicker
    way, have W1_RESAMPLES resamples. Memory is about 80 n² bytes for points. But for `seconds` a function of the
    trainer's state, seed and arguments.
    `say` hears of progress. ValueError for n below LEAST_SAMPLES, or for fewer than W1_RESAMPLES resamples.
    """
    if n < LEAST_SAMPLES:
        raise ValueError(f"an evaluation needs at least {LEAST_SAMPLES} samples, not {n}")
    if resamples < W1_RESAMPLES:
        raise ValueError(f"95 % intervals need at least {W1_RESAMPLES} resamples, not {resamples}")
    started = time.monotonic()
    of_kind = _points if trainer.data.kind == "points" else _images
    result = of_kind(trainer, n, resamples, say)
    about = {"kind": trainer.data.kind, "step": trainer.step, "ema": trainer.config.show_ema}
    seconds = round(time.monotonic() - started, 3)
    return {**about, "samples": n, "resamples": resamples, **result, "seconds": seconds}


def _points(trainer: Trainer, n: int, resamples: int, say: Say) -> dict[str, Any]:
    data, rng = as_points(trainer.data), _rng(trainer)
    m = w1_samples(trainer, n)
    say("Floors: real points against real points ...")
    floors = point_scores.floors(trainer.config, data, m, FLOOR_REPEATS, samples=n)
    comparison = point_scores.compared(trainer.config, data, generated_points(trainer, n), floors)
    measures = dict(shown("points", data))
    rows: dict[str, Any] = {}
    for whole, size in ((True, n), (False, m)):
        part = {name: measure for name, measure in measures.items() if measure.whole == whole}
        if part:
            rows |= _rows(part, Resamples(comparison, draw_weights(rng, size, resamples), say), floors.values, size)
    return _result(rows, point_scores.scores_of(comparison, floors))


def _images(trainer: Trainer, n: int, resamples: int, say: Say) -> dict[str, Any]:
    from gan_core.scores import classifier

    if not has_classes(trainer.data):
        return {"scores": {}, "counts": {}, "note": NO_CLASSES}
    data = as_pictures(trainer.data)
    try:
        judge = classifier.trained(data, say)
    except ValueError as error:  # two names, and pictures of one class only
        return {"scores": {}, "counts": {}, "note": f"There are no scores: {error}"}
    say("Floors: real images against real images ...")
    reference = image_scores.reference(judge, data, n, trainer.config.seed, len(data))  # the nearest of all
    n = reference.n
    comparison = image_scores.compared(reference, judge, generated_images(trainer, n))
    drawn = Resamples(comparison, draw_weights(_rng(trainer), n, resamples), say)
    rows = _rows(dict(shown("images", trainer.data)), drawn, reference.floors, n)
    return _result(rows, image_scores.scores_of(comparison, judge))


def _result(rows: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What has an interval, and of all that was found what has none and is no floor or size."""
    counts = {name: found[name] for name in COUNTS if name in found}
    return {"scores": rows, "counts": counts, **{name: found[name] for name in ("distances_in",) if name in found}}


def _rows(
    measures: Mapping[str, Measure], drawn: Resamples, floors: Mapping[str, float | None], n: int
) -> dict[str, dict[str, Any]]:
    """The rows of scores that are more than a count. n: how many samples they are of."""
    rows = {}
    for name, measure in measures.items():
        if SCORES[name].form == "count":
            continue
        rows[name] = _row(SCORES[name], measure.of(drawn.of), replicates_of(measure, drawn), floors[name], n)
    return rows


def replicates_of(measure: Measure, drawn: Resamples) -> np.ndarray:
    """The score of each resample that has a value, or, where it says no quicker way, of the first few."""
    if measure.replicates is not None:
        found = np.asarray(measure.replicates(drawn), np.float64)
        return found[np.isfinite(found)]
    few = drawn.weights[:, :W1_RESAMPLES].T.astype(int)
    found = [measure.of(drawn.of.resampled(times)) for times in few]
    return np.array([value for value in found if value is not None])


# -- the bootstrap ------------------------------------------------------------------------------------------


def _rng(trainer: Trainer) -> np.random.Generator:
    return np.random.default_rng([trainer.config.seed, 3])


def draw_weights(rng: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """How often each of n samples is in each resample of n of them: whole numbers as float64 [n, resamples]."""
    return rng.multinomial(n, np.full(n, 1 / n), resamples).T.astype(np.float64)


def interval(value: float, replicates: np.ndarray, most: float = np.inf, least: float = 0.0) -> tuple[float, float]:
    """The centred 95 % interval of a score between `least` and `most`, from its replicates [R] (see above)."""
    # The quantile p is the (R + 1) p-th smallest, so that the interval is as wide as it says for few replicates too.
    low, high = value + np.quantile(replicates - replicates.mean(), TAILS, method="weibull")
    return float(min(value, max(least, low))), float(max(value, min(most, high)))


def _row(score: Score, value: float | None, replicates: np.ndarray, floor: float | None, n: int) -> dict[str, Any]:
    """A score's row of the result; replicates may be fewer than were drawn, or none, where some have no value."""
    low, high = None, None
    if value is not None and len(replicates):
        low, high = interval(value, replicates, score.most, score.least)
    row = {"value": value, "low": low, "high": high, "floor": floor}
    return {**row, "samples": n, "resamples": len(replicates)}


# -- for people ---------------------------------------------------------------------------------------------


def as_text(result: dict[str, Any]) -> str:
    """What evaluate() returned as a table."""
    which = "average generator" if result["ema"] else "generator"
    lines = [f"step {result['step']:,}, {which}, 95 % intervals by bootstrap, {result['seconds']:.1f} s"]
    if "distances_in" in result:
        lines.append(f"distances are in units of {result['distances_in']}")
    if "note" in result:
        lines.append(result["note"])
    if result["scores"]:
        lines.append(f"{'':16s}{'value':>9s}{'95 % interval':>22s}{'floor':>9s}{'samples':>9s}{'resamples':>11s}")
    for name, row in result["scores"].items():
        between = "-" if row["low"] is None else f"{_number(row['low'])} to {_number(row['high'])}"
        numbers = f"{_number(row['value']):>9s}{between:>22s}{_number(row['floor']):>9s}"
        lines.append(f"{name:16s}{numbers}{row['samples']:>9,d}{row['resamples']:>11,d}")
    for name, value in result["counts"].items():
        values = value if isinstance(value, list) else [value]
        lines.append(f"{name:20s} {' '.join(_number(v) for v in values)}")
    return "\n".join(lines)


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,d}" if isinstance(value, int) else f"{value:.4f}"
