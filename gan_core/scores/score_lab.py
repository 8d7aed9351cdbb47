"""Generators that cheat, and what each score says of them: the experiments of the page Scores.

No network is trained. A cheat takes the samples of a perfect generator and spoils them by a strength of 0 to 1, and
all scores of points measure what comes out. Each stands beside its floor: what real points score against real ones at
the same size, as mean and standard deviation over pairs of fresh draws. A score *notices* when its value lies more
than SPREADS of these standard deviations beyond the mean, on the bad side. Everything is drawn from fixed seeds.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from gan_core.data import point_datasets
from gan_core.data.points import Data
from gan_core.scores import point_metrics
from gan_core.scores.comparisons import PointComparison
from gan_core.scores.registry import SCORES

N = 500  # points on each side
SIZES = (100, 300, 1_000)  # to choose from, for the disc
DISTANCES = ("frechet", "w1", "energy", "mmd")
REPEATS = 12  # pairs of fresh draws behind a floor
SPREADS = 3.0

# The modes are wider than the playground's, so that one sees into them.
DATA: dict[str, Callable[..., Data]] = {
    "ring": partial(point_datasets.ring, std=0.05),
    "grid": partial(point_datasets.grid, std=0.15),
}


# -- the scores ---------------------------------------------------------------------------------------------

POINT_SCORES = tuple(name for name, row in SCORES.items() if row.points is not None)  # without those of plugins
BAD = {"high": "low", "low": "high", "near": "both"}  # the end that is not good


@dataclass(frozen=True)
class Real:
    """What a generator is measured against: `points` [n, 2] to compare with, and `training` [n, 2], which it learnt.

    data: modes, if any, and scale. bandwidths: of the MMD.
    """

    data: Data
    points: np.ndarray
    training: np.ndarray
    bandwidths: tuple[float, ...]


def real(draw: Callable[..., Data], seed: int, n: int = N) -> Real:
    """n fresh real points of `draw(n, rng)`, and n others as training data."""
    data = draw(n, np.random.default_rng([seed, 0]))
    training = draw(n, np.random.default_rng([seed, 1])).points
    # always of the same points, so that all floors and values of a data set have the same bandwidths
    scales = point_metrics.bandwidths(draw(N, np.random.default_rng(0)).points)
    return Real(data, data.points, training, scales)


def _measured(against: Real, fake: np.ndarray, names: Iterable[str]) -> dict[str, float]:
    comparison = PointComparison(against.data, fake, against.points, against.training, against.bandwidths)
    measures = {name: SCORES[name].points for name in names}
    found = {name: measure.of(comparison) for name, measure in measures.items() if measure is not None}
    return {name: math.nan if value is None else float(value) for name, value in found.items()}


def distances(against: Real, fake: np.ndarray) -> dict[str, float]:
    """The four DISTANCES of `fake` [n, 2]. Fréchet's is the squared one of means and covariances, as in FID."""
    return _measured(against, fake, DISTANCES)


def measure(against: Real, fake: np.ndarray) -> dict[str, float]:
    """All scores of points, those of plugins too, of `fake` [n, 2] against data with modes.

    reverse_kl is NaN without a high-quality sample.
    """
    return _measured(against, fake, [name for name, row in SCORES.items() if row.points is not None])


Floors = dict[str, tuple[float, float]]


def floors(
    draw: Callable[..., Data], scores: Callable[[Real, np.ndarray], dict[str, float]] = measure, n: int = N
) -> Floors:
    """What a perfect generator gets: {name: (mean, standard deviation)} over REPEATS pairs of fresh draws of n."""
    found = []
    for i in range(REPEATS):
        fake = draw(n, np.random.default_rng([100 + i, 2])).points
        found.append(scores(real(draw, 100 + i, n), fake))
    columns = {name: np.array([row[name] for row in found]) for name in found[0]}
    return {name: (float(values.mean()), float(values.std(ddof=1))) for name, values in columns.items()}


def notices(name: str, value: float, floor: tuple[float, float]) -> bool:
    """Whether the score's value lies beyond what a perfect generator gets: SPREADS deviations, on the bad side.

    A value that does not exist (NaN) notices nothing.
    """
    mean, spread = floor
    margin = SPREADS * spread + 1e-9  # where the floor never varies, one mode less is beyond, and rounding is not
    bad = BAD[SCORES[name].good]
    return (bad != "low" and value > mean + margin) or (bad != "high" and value < mean - margin)


# -- the cheats ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Honest:
    """A perfect generator's samples, [n, 2] each: `centers` of their modes plus `offsets`; `which` mode, int [n]."""

    which: np.ndarray
    centers: np.ndarray
    offsets: np.ndarray

    @property
    def points(self) -> np.ndarray:
        return self.centers + self.offsets


def honest(data: Data, rng: np.random.Generator) -> Honest:
    """N samples of the mixture that `data` was drawn from."""
    which = rng.integers(len(data.known_modes), size=N)
    return Honest(which, data.known_modes[which].astype(np.float64), rng.normal(size=(N, 2)) * data.mode_std)


def _favourite(data: Data) -> int:
    """The mode that is left when all others are gone: the grid's middle, the ring's leftmost."""
    return len(data.known_modes) // 2


def drops_modes(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Every other mode goes first, for that leaves mean and covariance as they were."""
    modes, last = against.data.known_modes, _favourite(against.data)
    odd, even = np.arange(1, len(modes), 2), np.arange(0, len(modes), 2)
    even = even[even != last]
    order = np.concatenate([odd[::2], odd[1::2], even[::2], even[1::2]])
    gone = order[: round(strength * len(order))]
    kept = np.setdiff1d(np.arange(len(modes)), gone)
    which = np.where(np.isin(samples.which, gone), rng.choice(kept, N), samples.which)
    return modes[which] + samples.offsets


def favours_modes(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Up to 85 % of the samples of every other mode go to the modes between."""
    modes = against.data.known_modes
    favoured = rng.choice(np.arange(0, len(modes), 2), N)
    moves = (samples.which % 2 == 1) & (rng.random(N) < 0.85 * strength)
    return modes[np.where(moves, favoured, samples.which)] + samples.offsets


def blurs_modes(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Each mode up to four times as wide."""
    return samples.centers + (1 + 3 * strength) * samples.offsets


def shrinks_modes(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Each mode narrower, at last a single point."""
    return samples.centers + (1 - strength) * samples.offsets


def fills_gaps(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Up to half of the samples lie anywhere on the straight lines between neighbouring modes."""
    modes = against.data.known_modes
    distance = np.linalg.norm(modes[:, None] - modes, axis=2) + np.diag(np.full(len(modes), np.inf))
    pairs = np.argwhere(distance < 1.01 * distance.min())
    a, b = modes[pairs[rng.integers(len(pairs), size=N)]].transpose(1, 0, 2)
    between = a + rng.random((N, 1)) * (b - a)
    return np.where(rng.random((N, 1)) < 0.5 * strength, between, samples.points)


def copies_training(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """A share of the samples are training points, each at most once."""
    return np.where(rng.random((N, 1)) < strength, rng.permutation(against.training), samples.points)


def one_point(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """A share of the samples sits on one spot, the centre of a mode."""
    return np.where(rng.random((N, 1)) < strength, against.data.known_modes[_favourite(against.data)], samples.points)


def wrong_place(against: Real, samples: Honest, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Everything is shifted to the right, at most by a quarter of the data's half width."""
    return samples.points + np.array([0.25 * strength * against.data.scale, 0])


@dataclass(frozen=True)
class Cheat:
    """A row of CHEATS. spoil: (what is real, honest samples, strength, rng) -> [N, 2]. lesson: who sees it, and why.

    catch, fooled: scores that notice it at full strength and that do not, on every data set. Those in neither depend
    on the data.
    """

    spoil: Callable[[Real, Honest, float, np.random.Generator], np.ndarray]
    lesson: str
    catch: tuple[str, ...]
    fooled: tuple[str, ...]


CHEATS = {
    "drops modes (mode collapse)": Cheat(
        drops_modes,
        "The remaining samples are perfect, so high quality, precision and density stay good. Every second mode goes "
        "first: at 50 % half of the modes are missing, but mean and covariance are almost the same, so the Fréchet "
        "distance stays at the value of real data.",
        ("modes", "reverse_kl", "w1", "energy", "mmd", "frechet", "recall", "coverage"),
        ("hq", "precision", "density"),
    ),
    "favours some modes": Cheat(
        favours_modes,
        "No mode is missing, so all count as captured, and each sample is good, so high quality and precision are good "
        "too. Only the shares are wrong: the reverse KL is made for this. Wasserstein-1, MMD and coverage notice it "
        "when it is strong. Mean and covariance do not change, so the Fréchet distance never notices.",
        ("reverse_kl", "w1", "mmd", "coverage"),
        ("modes", "hq", "frechet", "precision", "recall", "density", "nearest_real"),
    ),
    "blurs each mode": Cheat(
        blurs_modes,
        "Every sample is near something real, but none is quite right. High quality, precision and density notice it "
        "immediately. Modes captured and recall do not: the samples cover everything. Fréchet and energy distance do "
        "not either: compared with the distances between modes, the blur is small.",
        ("hq", "precision", "density", "coverage", "nearest_real"),
        ("modes", "energy", "frechet", "recall"),
    ),
    "shrinks each mode": Cheat(
        shrinks_modes,
        "Samples that are all good and all similar: high quality, precision and density rise. The distances do not "
        "notice, because they compare the places and shares of the modes, where random variation is larger. Recall and "
        "coverage are made for this, and the samples are closer to the training points than real ones are.",
        ("recall", "coverage", "nearest_real"),
        ("modes", "hq", "reverse_kl", "w1", "energy", "mmd", "frechet", "precision", "density"),
    ),
    "fills the gaps between modes": Cheat(
        fills_gaps,
        "What a continuous network does: some samples lie between two modes, where there are no real data. High "
        "quality, "
        "precision and density count them. Modes captured, reverse KL and recall look only at what is covered, and no "
        "sample has to travel far, so the distances hardly change.",
        ("hq", "precision", "density", "coverage", "nearest_real"),
        ("modes", "reverse_kl", "w1", "energy", "mmd", "frechet", "recall"),
    ),
    "memorizes the training data": Cheat(
        copies_training,
        "A generator that has memorized its training points and makes nothing new passes every comparison of "
        "distributions, because its samples are real. Only their distance to the nearest training point shows it: it "
        "is "
        "far below that of fresh real points.",
        ("nearest_real",),
        tuple(name for name in POINT_SCORES if name != "nearest_real"),
    ),
    "one perfect point (total collapse)": Cheat(
        one_point,
        "Total mode collapse. High quality and precision have never been better. As long as a few other samples are "
        "left, all modes count as captured, and recall is good. Reverse KL and the distances notice the wrong shares.",
        ("modes", "reverse_kl", "w1", "energy", "mmd", "frechet", "recall", "coverage", "nearest_real"),
        ("hq", "precision", "density"),
    ),
    "right shape, wrong place": Cheat(
        wrong_place,
        "Everything is shifted to the right. Local scores notice it first: high quality, precision, density, coverage. "
        "The distances need a larger shift. The reverse KL stays good while each mode still gets some samples, and has "
        "no value when none is of high quality.",
        ("hq", "w1", "energy", "mmd", "frechet", "precision", "recall", "density", "coverage", "nearest_real", "modes"),
        (),
    ),
}


# -- the experiments ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What one score says: its value, its floor (mean, standard deviation), and whether it notices."""

    name: str
    value: float
    floor: tuple[float, float]
    notices: bool


@dataclass(frozen=True)
class Experiment:
    """Both clouds, float [n, 2], half the width of the square to draw them in, and the scores."""

    real: np.ndarray
    fake: np.ndarray
    limit: float
    rows: list[Row]


def _rows(found: dict[str, float], floor: Floors) -> list[Row]:
    return [Row(name, value, floor[name], notices(name, value, floor[name])) for name, value in found.items()]


def cheat(data: str, way: str, strength: float, floor: Floors) -> Experiment:
    """A cheat of CHEATS at strength 0 to 1 on a set of DATA. floor: of this set, from `floors(DATA[data])`."""
    against = real(DATA[data], 0)
    samples = honest(against.data, np.random.default_rng(1))
    fake = CHEATS[way].spoil(against, samples, strength, np.random.default_rng(2))
    return Experiment(against.points, fake, against.data.limit, _rows(measure(against, fake), floor))


def disc_and_gaussian(n: int = SIZES[-1]) -> Experiment:
    """Real is the uniform unit disc, generated a Gaussian of standard deviation 1/2: of equal mean and covariance."""
    against = real(point_datasets.disc, 3, n)
    fake = point_datasets.gaussian(n, np.random.default_rng([3, 5]), std=0.5).points
    floor = floors(point_datasets.disc, distances, n)
    return Experiment(against.points, fake, 1.75, _rows(distances(against, fake), floor))
