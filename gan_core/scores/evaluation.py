"""All scores of a trainer in full, each with its floor and a 95 % interval.

The intervals come from a bootstrap over the generated samples: what another draw of z from the same generator would
score against the same real data. They say nothing of another training run.

A plain bootstrap repeats samples, and a set with repeats is further from the data than one without, so its replicates
of a distance lie above the value. The intervals are therefore centred: the value plus the quantiles of (replicate -
mean of the replicates). They are cut to the score's range, and always hold the value. Near the floor those of
distances are too wide rather than too narrow; where all samples agree (no mode was hit) they have no width.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.distance import cdist

from gan_core.scores import image_metrics, neighbour_metrics, point_metrics
from gan_core.scores.live import generated_images, generated_points, has_classes, w1_samples

if TYPE_CHECKING:
    from gan_core.scores.image_metrics import Reference
    from gan_core.training.trainer import Trainer

SAMPLES = 2_500  # point_metrics.MODE_SAMPLES; the live view takes fewer for its distances
RESAMPLES = 400
W1_RESAMPLES = 39  # of 1 s each at 2,500 points: the fewest whose least and greatest hold 95 % between them
FLOOR_REPEATS = 3  # pairs of real draws behind the floors of the distances
LEAST_SAMPLES = 16
MOST_POINTS = 5_000  # 80 bytes a pair: 2 GB
TAILS = (0.025, 0.975)
FRACTIONS = ("hq", "confidence", "class_tv", "precision", "recall", "coverage")  # cannot be above 1
SPEAK_SECONDS = 5.0
THREADS = min(4, os.cpu_count() or 1)  # of the assignments, which leave the interpreter's lock alone


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
    classifier_accuracy, and modes, modes_total, modes_real of stacked digits. note: why there are no scores, if so.
    Also kind, step, ema (whether its average generator was scored), samples, resamples and seconds.

    Distances of points use fewer samples where a user's file has fewer points (live.w1_samples), scores of images
    at most half of the real images (image_metrics.reference); Wasserstein-1 has W1_RESAMPLES resamples. Memory is
    about 80 n² bytes for points. But for `seconds` a function of the trainer's state, seed and arguments.
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


def _points(trainer: Trainer, n: int, resamples: int, say: Callable[[str], None]) -> dict[str, Any]:
    config, data, rng = trainer.config, trainer.data, _rng(trainer)
    m = w1_samples(trainer, n)
    say("Floors: real points against real points ...")
    floors = point_metrics.floors(config, data, m, FLOOR_REPEATS, samples=n)
    samples = generated_points(trainer, n)
    found = point_metrics.scores(config, data, samples, floors)
    rows, counts = {}, {}
    if data.modes is not None:
        members = point_metrics.modes_of(samples, data.modes, data.mode_std)
        weights = draw_weights(rng, n, resamples)
        resampled = (weights.T @ (members[:, None] == np.arange(len(data.modes)))).astype(int)
        kl = [point_metrics.reverse_kl(row) for row in resampled]
        kl = np.array([value for value in kl if value is not None])
        rows["hq"] = _row("hq", found["hq"], resampled.sum(1) / n, floors.hq, n)
        rows["reverse_kl"] = _row("reverse_kl", found["reverse_kl"], kl, floors.reverse_kl, n)
        counts = {name: found[name] for name in ("modes", "modes_total", "mode_counts")}

    real, samples = point_metrics.fresh_draw(config, data, m, 0), samples[:m]
    weights = draw_weights(rng, m, resamples)
    between, within = cdist(real, samples), cdist(samples, samples)
    w1 = _w1_replicates(between, weights[:, :W1_RESAMPLES], say)
    # the energy distance is an MMD² too, with the kernel -|x - y| (Sejdinovic et al., arXiv 1207.6076)
    energy = _mmd_squared(-cdist(real, real).mean(), -between, -within, weights)
    kernels = [point_metrics.gaussian_kernel(d**2, floors.bandwidths) for d in (cdist(real, real), between, within)]
    mmd = np.sqrt(_mmd_squared(kernels[0].mean(), *kernels[1:], weights))
    for name, values in (("w1", w1), ("energy", energy), ("mmd", mmd)):
        rows[name] = _row(name, found[name], values, getattr(floors, name), m)
    return {"scores": rows, "counts": counts}


def _images(trainer: Trainer, n: int, resamples: int, say: Callable[[str], None]) -> dict[str, Any]:
    from gan_core.scores import classifier

    if not has_classes(trainer):
        return {"scores": {}, "counts": {}, "note": "Scores of images need data with at least two classes."}
    try:
        judge = classifier.trained(trainer.data, say)
    except ValueError as error:  # two names, and pictures of one class only
        return {"scores": {}, "counts": {}, "note": f"There are no scores: {error}"}
    say("Floors: real images against real images ...")
    reference = image_metrics.reference(judge, trainer.data, n, trainer.config.seed)
    n = reference.n
    pixels = generated_images(trainer, n)
    found = image_metrics.scores(reference, judge, pixels)
    weights = draw_weights(_rng(trainer), n, resamples)
    replicates = _image_replicates(reference, *image_metrics.judged(judge, trainer.data, pixels), weights, say)
    floors = {name: found["confidence_real" if name == "confidence" else f"{name}_floor"] for name in replicates}
    rows = {name: _row(name, found[name], values, floors[name], n) for name, values in replicates.items()}
    kept = ("modes", "modes_total", "modes_real", "histogram", "histogram_real", "classifier_accuracy")
    return {"scores": rows, "counts": {name: found[name] for name in kept if name in found}}


# -- the bootstrap ------------------------------------------------------------------------------------------


def _rng(trainer: Trainer) -> np.random.Generator:
    return np.random.default_rng([trainer.config.seed, 3])


def draw_weights(rng: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """How often each of n samples is in each resample of n of them: whole numbers as float64 [n, resamples]."""
    return rng.multinomial(n, np.full(n, 1 / n), resamples).T.astype(np.float64)


def interval(value: float, replicates: np.ndarray, most: float = np.inf) -> tuple[float, float]:
    """The centred 95 % interval of a score between 0 and `most`, from its replicates [R] (see above)."""
    # The quantile p is the (R + 1) p-th smallest, so that the interval is as wide as it says for few replicates too.
    low, high = value + np.quantile(replicates - replicates.mean(), TAILS, method="weibull")
    return float(max(0.0, min(low, value))), float(min(most, max(high, value)))


def _row(name: str, value: float | None, replicates: np.ndarray, floor: float, n: int) -> dict[str, Any]:
    """A score's row of the result; replicates may be fewer than were drawn where some have no value."""
    most = 1.0 if name in FRACTIONS else np.inf
    low, high = (None, None) if value is None else interval(value, replicates, most)
    row = {"value": value, "low": low, "high": high, "floor": floor}
    return {**row, "samples": n, "resamples": len(replicates)}


def _w1_replicates(cost: np.ndarray, weights: np.ndarray, say: Callable[[str], None]) -> np.ndarray:
    """Wasserstein-1 of each of R resamples, [R]; cost [m, m]: distances of real (rows) and generated points."""

    def one(row: np.ndarray) -> float:
        return point_metrics.assignment_cost(cost[:, np.repeat(np.arange(len(row)), row)])

    values, spoken = [], time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        for value in pool.map(one, weights.T.astype(int)):
            values.append(value)
            if time.monotonic() - spoken > SPEAK_SECONDS:
                spoken = time.monotonic()
                say(f"Wasserstein-1: {len(values)} of {weights.shape[1]} resamples")
    return np.array(values)


def _mmd_squared(real: float, between: np.ndarray, within: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """MMD² of each of R resamples, [R], never negative.

    real: the mean of the kernel among real points; between [m, n]: of real and generated; within [n, n]: generated.
    """
    w = weights / len(weights)
    return np.maximum(real - 2 * between.mean(0) @ w + ((within @ w) * w).sum(0), 0)


def _image_replicates(
    reference: Reference,
    features: np.ndarray,
    predicted: np.ndarray,
    top: np.ndarray,
    weights: np.ndarray,
    say: Callable[[str], None],
) -> dict[str, np.ndarray]:
    """Each score of each of R resamples, [R], of images as image_metrics.judged() has them."""
    n, classes = len(features), len(reference.histogram)
    per_image = len(predicted) // n
    shown = (predicted.reshape(n, per_image, 1) == np.arange(classes)).sum(1)
    histograms = weights.T @ shown / len(predicted)
    fid, spoken = [], time.monotonic()
    for i, row in enumerate(weights.T.astype(int)):
        if time.monotonic() - spoken > SPEAK_SECONDS:
            spoken = time.monotonic()
            say(f"classifier-FID: {i} of {weights.shape[1]} resamples")
        mean, cov = image_metrics.gaussian(np.repeat(features, row, axis=0))
        fid.append(image_metrics.frechet(mean, cov, reference.mean, reference.cov))
    return {
        "classifier_fid": np.array(fid),
        "class_tv": np.array([image_metrics.total_variation(h, reference.histogram) for h in histograms]),
        "confidence": top.reshape(n, per_image).mean(1) @ weights / n,
        **neighbour_metrics.resampled(reference.features, features, weights),
        "nearest_real": neighbour_metrics.nearest_real_distances(reference.bank, features) @ weights / n,
    }


# -- for people ---------------------------------------------------------------------------------------------


def as_text(result: dict[str, Any]) -> str:
    """What evaluate() returned as a table."""
    which = "average generator" if result["ema"] else "generator"
    lines = [f"step {result['step']:,}, {which}, 95 % intervals by bootstrap, {result['seconds']:.1f} s"]
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
