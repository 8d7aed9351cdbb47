"""Scores by nearest neighbours in feature space, in NumPy: how real images look, how much of the data they cover.

Each set is surrounded by balls, one around each of its images, that reach to the image's k-th nearest neighbour in
its own set. precision: the share of generated images inside a real ball; recall: the share of real images inside a
generated one (Kynkäänniemi et al., arXiv 1904.06991, with k = 3). density: in how many real balls a generated image
lies on average, over k, so that it may exceed 1; coverage: the share of real balls that hold a generated image (Naeem
et al., arXiv 2002.09797, with k = 5): these two are steadier where a set has outliers. Images on the edge are inside.

All take features, float [n, F], at least two in each set; where a set is not larger than k, k is one less than its
size. Matrices of distances are made in blocks, so memory is bounded whatever n is.
"""

from collections.abc import Iterator

import numpy as np

K_PRECISION = 3
K_DENSITY = 5
REACH = 32  # nearest images that are looked at: fewer than 3 of so many are in a resample once in billions of times
BLOCK_BYTES = 16_000_000  # of distances at a time


def precision_recall_density_coverage(
    real: np.ndarray, fake: np.ndarray, k: int = K_PRECISION, k_density: int = K_DENSITY
) -> dict[str, float]:
    """The four scores of `fake` [n, F] against `real` [m, F]. k: of precision and recall; k_density: of the others."""
    found = resampled(real, fake, np.ones((len(fake), 1)), k, k_density)
    return {name: float(values[0]) for name, values in found.items()}


def resampled(
    real: np.ndarray, fake: np.ndarray, weights: np.ndarray, k: int = K_PRECISION, k_density: int = K_DENSITY
) -> dict[str, np.ndarray]:
    """The four scores, each [R], of R resamples: weights [n, R] says how often each of the fake [n, F] is in them.

    Recall is that of a resample's distinct images, for copies would be each other's nearest neighbours. These are
    about m of the n, a random subset, whose recall varies less than a whole set's by sqrt((n - m) / m); the values
    are spread out around their mean by as much (the delete-d jackknife: Shao and Wu, Annals of Statistics 1989).
    """
    real, fake = _float64(real, fake)
    k_fake, k, k_density = min(k, len(fake) - 1), min(k, len(real) - 1), min(k_density, len(real) - 1)
    _, near = _nearest(real, max(k, k_density))
    real_ball, real_ball_density = near[:, k - 1], near[:, k_density - 1]
    present = weights > 0
    neighbours, near = _nearest(fake, k_fake if present.all() else REACH)
    whole, fake_balls = near[:, k_fake - 1], _balls(neighbours, near, present, k_fake)
    widest, there = fake_balls.max(0), present.astype(np.float32)
    precise, density = np.zeros(len(fake), bool), np.zeros(len(fake))
    recalled, covered = np.zeros(present.shape[1]), np.zeros(present.shape[1])
    for rows, squared in _blocks(real, fake):
        precise |= (squared <= real_ball[rows, None]).any(0)
        within = squared <= real_ball_density[rows, None]
        density += within.sum(0)
        covered += (within.astype(np.float32) @ there > 0).sum(0)
        certain = (squared <= whole).sum(1) >= REACH  # inside so many that some are in any resample
        i, j = np.nonzero((squared <= widest) & ~certain[:, None])
        distance = squared[i, j]
        recalled += certain.sum() + [len(np.unique(i[distance <= ball[j]])) for ball in fake_balls]
    recall, total, m = recalled / len(real), weights.sum(0), present.sum(0).mean()
    if m < len(fake):
        recall = recall.mean() + (recall - recall.mean()) * np.sqrt(m / (len(fake) - m))
    return {
        "precision": precise @ weights / total,
        "recall": recall,
        "density": density @ weights / total / k_density,
        "coverage": covered / len(real),
    }


def _balls(neighbours: np.ndarray, squared: np.ndarray, present: np.ndarray, k: int) -> np.ndarray:
    """Squared radii [R, n] of the balls among those `present`, bool [n, R]; -1 for those that are not.

    neighbours, squared [n, L]: as _nearest() has them.
    """
    balls = np.empty(present.T.shape)
    for ball, there in zip(balls, present.T, strict=True):
        # the last of all where fewer than k are there
        kth = np.minimum((there[neighbours].cumsum(1) < k).sum(1), squared.shape[1] - 1)
        ball[:] = np.where(there, squared[np.arange(len(squared)), kth], -1)
    return balls


def nearest_real_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Mean distance from each of `fake` [n, F] to the nearest of `real` [m, F].

    Much below what real images get that are not among `real`: the generator has learnt these by heart.
    """
    return float(nearest_real_distances(real, fake).mean())


def nearest_real_distances(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """The distance from each of `fake` [n, F] to the nearest of `real` [m, F], float64 [n]; exactly 0 for a copy."""
    real, fake = _float64(real, fake)
    nearest = np.empty(len(fake), int)
    for rows, squared in _blocks(fake, real):
        nearest[rows] = squared.argmin(1)
    return np.linalg.norm(fake - real[nearest], axis=1)


def _float64(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in float64 and around the real ones' mean, which the rounding in `_blocks` is the smaller for."""
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    mean = real.mean(0)
    return real - mean, fake - mean


def _nearest(points: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The `most` nearest others of each of [n, F], nearest first, fewer if n is small: indices, squared distances."""
    n = len(points)
    if n < 2:
        raise ValueError("neighbours need at least two images in each set")
    most = min(most, n - 1)
    indices, distances = np.empty((n, most), int), np.empty((n, most))
    for rows, squared in _blocks(points, points):
        squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = np.inf
        found = np.argpartition(squared, most - 1, axis=1)[:, :most]
        distance = np.take_along_axis(squared, found, 1)
        order = distance.argsort(1)
        indices[rows] = np.take_along_axis(found, order, 1)
        distances[rows] = np.take_along_axis(distance, order, 1)
    # a copy of the k-th neighbour is on the edge, and rounding must not put it outside
    return indices, distances + 1e-12 * (points**2).sum(1).max()


def _blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of a, squared distances from these to all of b), for a [n, F], b [m, F] in float64.

    By |a|² - 2 a·b + |b|²: ten times quicker than differences, for the price of rounding.
    """
    squares, twice = (b**2).sum(1), -2 * b.T
    step = max(1, BLOCK_BYTES // (8 * len(b)))
    for start in range(0, len(a), step):
        part = a[start : start + step]
        squared = part @ twice
        squared += (part**2).sum(1)[:, None]
        squared += squares
        yield slice(start, start + len(part)), np.maximum(squared, 0, out=squared)
