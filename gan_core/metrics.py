"""Scores of points, in NumPy, each with its noise floor.

All take float32 or float64 [n, 2] in the data's own units. A score against real data stands beside its floor:
the same score between two fresh draws of real data of the same size, which a perfect generator reaches.
"""

import math
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from gan_core import datasets
from gan_core.config import GANConfig
from gan_core.datasets import Data

MODE_SAMPLES = 2_500  # PacGAN's protocol, arXiv 1712.04086, section 4.1
RADIUS = 3.0  # standard deviations of a mode within which a sample is of high quality
PERFECT_HQ = 1.0 - math.exp(-(RADIUS**2) / 2)  # of a 2-D Gaussian: 0.989


def mode_counts(samples: np.ndarray, modes: np.ndarray, std: float) -> np.ndarray:
    """int [M]: how many samples lie within RADIUS standard deviations of each mode, each at its nearest."""
    distance = cdist(samples, modes)
    nearest = distance.argmin(1)
    good = distance[np.arange(len(samples)), nearest] <= RADIUS * std
    return np.bincount(nearest[good], minlength=len(modes))


def reverse_kl(counts: np.ndarray) -> float | None:
    """KL(histogram of high-quality samples over modes || uniform), in nats; None without such samples."""
    if counts.sum() == 0:
        return None
    q = counts[counts > 0] / counts.sum()
    return float((q * np.log(q * len(counts))).sum())


def wasserstein_1(a: np.ndarray, b: np.ndarray) -> float:
    """Exact Wasserstein-1 distance (Euclidean) of two point sets of equal size n; O(n³), 1 s at n = 2,500."""
    cost = cdist(a, b)
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


def fresh_draw(config: GANConfig, data: Data, n: int, draw: int) -> np.ndarray:
    """n real points, float32 [n, 2], other than the training's: drawn anew, or chosen from the user's file."""
    if config.data == "file":
        rows = np.random.default_rng([config.seed, draw]).choice(len(data.points), n)
        return data.points[rows]
    return (
        datasets.DATASETS[config.data]
        .draw(n, np.random.default_rng([config.seed, 1_000 + draw]), **config.params())
        .points
    )


def w1_floor(config: GANConfig, data: Data, n: int, repeats: int) -> float:
    """Mean Wasserstein-1 distance between two fresh draws of real data of size n."""
    pairs = [
        wasserstein_1(fresh_draw(config, data, n, 2 * i + 10), fresh_draw(config, data, n, 2 * i + 11))
        for i in range(repeats)
    ]
    return float(np.mean(pairs))


def scores(config: GANConfig, data: Data, samples: np.ndarray, n_w1: int, floor: float) -> dict[str, Any]:
    """The scores of `samples` [n, 2], Wasserstein-1 of the first n_w1 of them.

    `modes, modes_total, hq, hq_perfect, reverse_kl` only for data with modes; fractions, not percentages.
    """
    result: dict[str, Any] = {"samples": len(samples)}
    if data.modes is not None:
        counts = mode_counts(samples, data.modes, data.mode_std)
        result |= {
            "modes": int((counts > 0).sum()),
            "modes_total": len(counts),
            "hq": float(counts.sum() / len(samples)),
            "hq_perfect": PERFECT_HQ,
            "reverse_kl": reverse_kl(counts),
        }
    real = fresh_draw(config, data, n_w1, 0)
    result |= {"w1": wasserstein_1(real, samples[:n_w1]), "w1_floor": floor, "w1_samples": n_w1}
    return result
