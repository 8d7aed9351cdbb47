"""Scores of points, in NumPy, each with its noise floor.

All take float32 or float64 [n, 2] in the data's own units. A score against real data stands beside its floor:
the same score between two fresh draws of real data of the same size, which a perfect generator reaches.
"""

import math
from collections.abc import Sequence

import numpy as np

from gan_core.data import datasets
from gan_core.data.points import Data, as_points
from gan_core.foundations.lazy_imports import optimize, ot, spatial
from gan_core.settings.config import GANConfig

MODE_SAMPLES = 2_500  # PacGAN's protocol, arXiv 1712.04086, section 4.1
RADIUS = 3.0  # standard deviations of a mode within which a sample is of high quality
PERFECT_HQ = 1.0 - math.exp(-(RADIUS**2) / 2)  # of a 2-D Gaussian: 0.989
PERFECT_SAMPLES = 50_000  # fresh points behind what a perfect generator gets where modes overlap
KL_DRAWS = 1_000  # drawn histograms behind the floor of the reverse KL
SCALES = (1 / 8, 1 / 4, 1 / 2, 1, 2)  # bandwidths of the MMD, in median distances of real points
MEDIAN_SAMPLES = 500
FEW = 500
MOST_PIVOTS = 100_000_000  # of the network simplex: it ends by itself, after some 50,000 at 2,500 points


# -- modes --------------------------------------------------------------------------------------------------


def modes_of(samples: np.ndarray, modes: np.ndarray, std: float) -> np.ndarray:
    """int [n]: the nearest of modes [M, 2], if the sample is within RADIUS standard deviations of it, else -1."""
    distance = spatial.distance.cdist(samples, modes)
    nearest = distance.argmin(1)
    return np.where(distance[np.arange(len(samples)), nearest] <= RADIUS * std, nearest, -1)


def mode_counts(samples: np.ndarray, modes: np.ndarray, std: float) -> np.ndarray:
    """int [M]: how many samples lie within RADIUS standard deviations of each mode, each at its nearest."""
    nearest = modes_of(samples, modes, std)
    return np.bincount(nearest[nearest >= 0], minlength=len(modes))


def reverse_kl(counts: np.ndarray) -> float | None:
    """KL(histogram of high-quality samples over modes || uniform), in nats; None without such samples."""
    if counts.sum() == 0:
        return None
    q = counts[counts > 0] / counts.sum()
    return float((q * np.log(q * len(counts))).sum())


def reverse_kl_floor(modes: int, n: int, shares: np.ndarray | None = None) -> float:
    """Mean reverse KL of a perfect generator at n samples: its HQ samples are spread over the modes by chance alone.

    About (modes - 1) / (2 n): 0.0014 for 8 modes and 0.0048 for 25 at n = 2,500. shares: as `perfect_shares` has them,
    where modes overlap.
    """
    shares = np.full(modes, PERFECT_HQ / modes) if shares is None else shares
    hq = shares.sum()
    draws = np.random.default_rng(0).multinomial(round(n * hq), shares / hq, KL_DRAWS)
    return float(np.mean([kl for counts in draws if (kl := reverse_kl(counts)) is not None]))


def perfect_shares(config: GANConfig, data: Data) -> np.ndarray:
    """Which share of a perfect generator's samples counts for each mode, float [M]; all together are its HQ.

    PERFECT_HQ in equal parts while the modes are apart. Where their circles of RADIUS standard deviations overlap, a
    sample that is far from its own mode may be near another one: then counted in PERFECT_SAMPLES fresh points.
    """
    modes = len(data.known_modes)
    if modes == 1 or spatial.distance.pdist(data.known_modes).min() >= 2 * RADIUS * data.mode_std:
        return np.full(modes, PERFECT_HQ / modes)
    points = fresh_draw(config, data, PERFECT_SAMPLES, -1)
    return mode_counts(points, data.known_modes, data.mode_std) / len(points)


# -- distances ----------------------------------------------------------------------------------------------


def wasserstein_1(a: np.ndarray, b: np.ndarray) -> float:
    """Exact Wasserstein-1 distance (Euclidean) of two point sets of equal size n; 1 s at n = 2,500."""
    return assignment_cost(spatial.distance.cdist(a, b))


def assignment_cost(cost: np.ndarray) -> float:
    """The mean cost of the cheapest one-to-one assignment in a square matrix of costs.

    Of many points by POT's network simplex: at 2,500, SciPy's assignment takes 1 s where the two sets are alike, as
    POT does, but 7 to 18 s for a generator that is far off or has collapsed. Of a live view's few points it is as fast,
    and POT takes a second to import.
    """
    if len(cost) <= FEW:
        rows, columns = optimize.linear_sum_assignment(cost)
        return float(cost[rows, columns].mean())
    return float(ot.emd2([], [], cost, numItermax=MOST_PIVOTS))


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of point sets [n, 2] and [m, 2], in the data's units.

    A V-statistic (each point is paired with itself too), so never negative; zero only for equal distributions
    (Székely and Rizzo, "Energy statistics", J. Stat. Planning and Inference 2013). Some take its square root.
    """
    within = sum(2 * spatial.distance.pdist(x).sum() / len(x) ** 2 for x in (a, b))
    return max(float(2 * spatial.distance.cdist(a, b).mean() - within), 0.0)


def mmd(a: np.ndarray, b: np.ndarray, bandwidths: Sequence[float]) -> float:
    """Maximum mean discrepancy of point sets [n, 2] and [m, 2], 0 to √2, for `gaussian_kernel`.

    The root of the V-statistic MMD² (Gretton et al., "A kernel two-sample test", JMLR 2012, equation 5).
    """

    def within(x: np.ndarray) -> float:
        kernel = gaussian_kernel(spatial.distance.pdist(x, "sqeuclidean"), bandwidths)
        return (2 * kernel.sum() / len(x) + 1) / len(x)

    between = gaussian_kernel(spatial.distance.cdist(a, b, "sqeuclidean"), bandwidths).mean()
    return math.sqrt(max(float(within(a) + within(b) - 2 * between), 0.0))


def gaussian_kernel(squared: np.ndarray, bandwidths: Sequence[float]) -> np.ndarray:
    """The mean of Gaussian kernels of these standard deviations, at squared distances of any shape; 1 at 0."""
    total, kernel, last = np.zeros_like(squared), np.empty(0), math.nan
    for s in sorted(bandwidths, reverse=True):
        # Half the bandwidth is the fourth power: exponentials are what costs here.
        kernel = np.square(np.square(kernel)) if last == 2 * s else np.exp(squared / (-2 * s * s))
        total, last = total + kernel, s
    return total / len(bandwidths)


def bandwidths(real: np.ndarray) -> tuple[float, ...]:
    """The bandwidths of the MMD, fixed by the real points [N, 2]: SCALES times their median distance.

    The median alone is the usual choice (Gretton et al.), but data such as the grid have structure at several
    scales, for their modes are narrow and far apart: a kernel as wide as the data hardly sees that one mode among
    others is missing, and to a narrow one all samples that miss the modes are alike, however far off.
    """
    rows = np.random.default_rng(0).permutation(len(real))[:MEDIAN_SAMPLES]
    distances = spatial.distance.pdist(real[rows])
    distances = distances[distances > 0]  # a file may repeat its points
    median = float(np.median(distances)) if len(distances) else 1.0
    return tuple(scale * median for scale in SCALES)


# -- real points to compare with ----------------------------------------------------------------------------


def fresh_draw(config: GANConfig, data: Data, n: int, draw: int) -> np.ndarray:
    """n real points, float32 [n, 2]: other ones than the training's, or n rows of a finite set (a user's
    file), none of them twice.

    ValueError where the file has fewer.
    """
    if datasets.DATASETS[config.data].finite:
        return _rows(config, data, n, draw)
    rng = np.random.default_rng([config.seed, 1_000 + draw])
    return as_points(datasets.DATASETS[config.data].draw(n, rng, **config.params())).points


def fresh_pair(config: GANConfig, data: Data, n: int, pair: int) -> tuple[np.ndarray, np.ndarray]:
    """Two draws of n real points that have none in common, float32 [n, 2] each; of a file, two parts of its rows.

    Drawn with replacement, both would share points, and their distance would be less than that of two samples of the
    distribution which the file is a sample of. ValueError where the file has fewer than 2 n rows.
    """
    if datasets.DATASETS[config.data].finite:
        rows = _rows(config, data, 2 * n, 10 + pair)
        return rows[:n], rows[n:]
    return fresh_draw(config, data, n, 10 + 2 * pair), fresh_draw(config, data, n, 11 + 2 * pair)


def _rows(config: GANConfig, data: Data, n: int, draw: int) -> np.ndarray:
    """n rows of a file in random order, each at most once."""
    if n > len(data.points):
        raise ValueError(f"the file has {len(data.points):,} points, of which {n:,} are wanted")
    return data.points[np.random.default_rng([config.seed, draw]).permutation(len(data.points))[:n]]
