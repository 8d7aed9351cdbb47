"""Distances between the cloud of generated points and the cloud of real ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gan_core.foundations.lazy_imports import spatial
from gan_core.scores import image_metrics, point_metrics
from gan_core.scores.comparisons import PointComparison, Resamples
from gan_core.scores.score import DISTANCES, Measure, Score

W1_RESAMPLES = 39  # of 1 s each at 2,500 points: the fewest whose least and greatest hold 95 % between them
THREADS = min(4, os.cpu_count() or 1)  # of the assignments, which leave the interpreter's lock alone


def _w1(c: PointComparison) -> float:
    return point_metrics.wasserstein_1(c.real, c.fake)


def _energy(c: PointComparison) -> float:
    return point_metrics.energy_distance(c.real, c.fake)


def _mmd(c: PointComparison) -> float:
    return point_metrics.mmd(c.real, c.fake, c.bandwidths)


def _frechet(c: PointComparison) -> float:
    return image_metrics.frechet(*image_metrics.gaussian(c.real), *image_metrics.gaussian(c.fake))


def w1_replicates(resamples: Resamples) -> np.ndarray:
    """Wasserstein-1 of the first W1_RESAMPLES resamples."""
    weights, cost, values = resamples.weights[:, :W1_RESAMPLES], resamples.of.between, []
    columns = [np.repeat(np.arange(len(row)), row) for row in weights.T.astype(int)]
    with ThreadPoolExecutor(THREADS) as pool:
        for value in pool.map(lambda drawn: point_metrics.assignment_cost(cost[:, drawn]), columns):
            values.append(value)
            if len(values) % 10 == 0:
                resamples.say(f"Wasserstein-1: {len(values)} of {weights.shape[1]} resamples")
    return np.array(values)


def energy_replicates(resamples: Resamples) -> np.ndarray:
    """The energy distance is an MMD² too, with the kernel -|x - y| (Sejdinovic et al., arXiv 1207.6076)."""
    c: PointComparison = resamples.of
    return mmd_squared(-_among(c.real).mean(), -c.between, -c.within, resamples.weights)


def mmd_replicates(resamples: Resamples) -> np.ndarray:
    """Its root, with the Gaussian kernels."""
    c: PointComparison = resamples.of
    real, between, within = (_kernel(d, c.bandwidths) for d in (_among(c.real), c.between, c.within))
    return np.sqrt(mmd_squared(real.mean(), between, within, resamples.weights))


def _among(points: np.ndarray) -> np.ndarray:
    return spatial.distance.cdist(points, points)


def _kernel(distances: np.ndarray, bandwidths: Sequence[float]) -> np.ndarray:
    return point_metrics.gaussian_kernel(distances**2, bandwidths)


def mmd_squared(real: float, between: np.ndarray, within: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """MMD² of each of R resamples, [R], never negative.

    real: the mean of the kernel among real points; between [m, n]: of real and generated; within [n, n]: generated.
    """
    w = weights / len(weights)
    return np.maximum(real - 2 * between.mean(0) @ w + ((within @ w) * w).sum(0), 0)


DISTANCE_SCORES: dict[str, Score] = {
    "w1": Score(
        "Wasserstein-1",
        "number",
        "low",
        DISTANCES,
        "How far the generated points must travel on average to become the real ones, in the units of the data (of "
        "each axis's half span, where a file's two axes are not measured alike). The easiest to explain, and exact "
        "here. 0 only for equal clouds.",
        "Large, and it falls slowly with more samples: two sets of real points differ in how many fall on each mode, "
        "and the surplus has to travel. At 2,500 points 0.04 for the playground's ring and 0.17 for its grid.",
        "Faults smaller than the value of real data: narrow or slightly blurred modes are lost in the random "
        "variation. And copies of the training data.",
        "arXiv 1701.07875, for GANs",
        points=Measure(_w1, replicates=w1_replicates),
    ),
    "energy": Score(
        "energy distance",
        "number",
        "low",
        DISTANCES,
        "Twice the mean distance between a real and a generated point, minus the mean distances within each cloud. 0 "
        "only for equal distributions, and fast at any size.",
        "Above 0, because each cloud is finite: it falls like one over the sample size.",
        "Fine structure: most of its distances are between points that are far apart. It needs more points than the "
        "other two to tell a disc from a Gaussian.",
        "Székely and Rizzo, 2013",
        points=Measure(_energy, replicates=energy_replicates),
    ),
    "mmd": Score(
        "MMD",
        "number",
        "low",
        DISTANCES,
        "Maximum mean discrepancy: how different the two clouds are after both are blurred by a kernel. Here five "
        "kernels of widths fixed by the real data. From 0 to √2.",
        "Above 0, because each cloud is finite: it falls like one over the square root of the sample size.",
        "The wrong width: a kernel wider than the fault blurs it away, one narrower than the gaps between points sees "
        "only noise. Compare values only with the same kernels.",
        "Gretton et al., JMLR 2012",
        points=Measure(_mmd, replicates=mmd_replicates),
    ),
    "frechet": Score(
        "Fréchet distance",
        "number",
        "low",
        DISTANCES,
        "The distance between two Gaussians, one fitted to each cloud: it knows both means and both covariances, and "
        "nothing else. The square of a length. Fast in any number of dimensions, which is why FID uses it.",
        "Above 0, because means and covariances of few points vary; it falls like one over the sample size, and grows "
        "with the number of dimensions.",
        "Everything that keeps mean and covariance: a disc for a Gaussian, every second mode missing, modes too wide "
        "or too narrow. In two dimensions trust the other three.",
        "arXiv 1706.08500",
        points=Measure(_frechet, shown=False),  # runs have the other three, which see more
    ),
}
