"""Generated samples beside real ones: what the functions of a score are given (score.Measure).

Several scores need the same nearest neighbours, distances or counts; each is computed when first asked for, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.foundations.lazy_imports import spatial
from gan_core.scores import image_metrics, neighbour_metrics, point_metrics


class Comparison:
    """What both kinds have. real [m, F], fake [n, F]: points, or features of images. bank [k, F]: the training's."""

    real: np.ndarray
    fake: np.ndarray
    bank: np.ndarray

    @cached_property
    def neighbours(self) -> dict[str, float]:
        """precision, recall, density and coverage (neighbour_metrics.py)."""
        return neighbour_metrics.precision_recall_density_coverage(self.real, self.fake)

    @cached_property
    def nearest_real(self) -> np.ndarray:
        """The distance from each of `fake` to the nearest of `bank`, float64 [n]."""
        return neighbour_metrics.nearest_real_distances(self.bank, self.fake)

    def resampled(self, times: np.ndarray) -> Comparison:
        """The same with each generated sample as often as int [n] says."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class PointComparison(Comparison):
    """Generated points beside real ones, in the units that distances are taken in (Data.measured).

    samples [n, 2]: all that were generated. real [m, 2], m <= n: fresh ones. bank [k, 2]: training points. data: modes,
    if any. bandwidths: of the MMD.
    """

    data: Data
    samples: np.ndarray
    real: np.ndarray
    bank: np.ndarray
    bandwidths: Sequence[float]

    @property
    def fake(self) -> np.ndarray:  # type: ignore[override]
        """The samples whose distances are taken, [m, 2]."""
        return self.samples[: len(self.real)]

    @cached_property
    def members(self) -> np.ndarray:
        """The mode that each sample belongs to, int [n]; -1 for none."""
        return point_metrics.modes_of(self.samples, self.data.known_modes, self.data.mode_std)

    @cached_property
    def counts(self) -> np.ndarray:
        """How many samples are in each mode, int [M]."""
        return np.bincount(self.members[self.members >= 0], minlength=len(self.data.known_modes))

    @cached_property
    def between(self) -> np.ndarray:
        """Distances between real (rows) and generated points, [m, m]."""
        return spatial.distance.cdist(self.real, self.fake)

    @cached_property
    def within(self) -> np.ndarray:
        """Distances among generated points, [m, m]."""
        return spatial.distance.cdist(self.fake, self.fake)

    def resampled(self, times: np.ndarray) -> PointComparison:
        return replace(self, samples=np.repeat(self.samples[: len(times)], times, axis=0))


@dataclass(frozen=True, eq=False)
class RealPoints:
    """What the floors of points are made of.

    samples: how many a generator will be scored on. shares [M]: which share of a perfect generator's samples counts for
    each mode; empty without modes.
    """

    data: Data
    samples: int
    shares: np.ndarray


@dataclass(frozen=True, eq=False)
class RealImages:
    """The real images' side, as the classifier sees it.

    n: sample size. features [n, F'] (F' = channels * F for stacked digits): of n real images. bank [m, F'], m from n to
    3 n: of as many as were judged, in which the nearest is sought. histogram [K]: real shares of the classes, by label.
    stacks: int [n], numbers that the classifier reads in n stacks of real digits; None for other data.
    unseen: top probabilities of real images that the classifier was not trained on (where none were held out, of n
    others). drawn [R, K]: histograms of n images each, drawn from what the classifier reads in real ones.
    labelled [K]: shares of the classes, by label, of the images that were judged.
    untrained [n, F'']: features of the same n images by the network that has learned nothing (classifier.untrained).
    floors: what another n real images score, by name (the best of a score, not the least, where more is better).
    """

    data: Pictures
    n: int
    features: np.ndarray
    bank: np.ndarray
    histogram: np.ndarray
    stacks: np.ndarray | None
    unseen: np.ndarray
    drawn: np.ndarray
    labelled: np.ndarray
    floors: dict[str, float | None] = field(default_factory=dict)
    untrained: np.ndarray | None = None

    @cached_property
    def mean_square(self) -> float:
        """Of the features' values; 1 where all are 0."""
        return float((self.features.astype(np.float64) ** 2).mean()) or 1.0

    @cached_property
    def kernel_mean(self) -> float:
        """The mean of the cubic kernel over pairs of different real images."""
        return image_metrics.mean_of_pairs(image_metrics.cubic_kernel(self.features, self.features, self.mean_square))

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        return image_metrics.gaussian(self.features)

    @property
    def mean(self) -> np.ndarray:
        """The mean of `features`, [F']."""
        return self._moments[0]

    @property
    def cov(self) -> np.ndarray:
        """The covariance of `features`, [F', F']."""
        return self._moments[1]


@dataclass(frozen=True, eq=False)
class ImageComparison(Comparison):
    """Generated images beside real ones. features [n, F'], predicted int [n * C'] and top [n * C']: as
    image_metrics.judged() has them of generated ones; untrained [n, F'']: as RealImages has them."""

    reference: RealImages
    features: np.ndarray
    predicted: np.ndarray
    top: np.ndarray
    untrained: np.ndarray | None = None

    @property
    def real(self) -> np.ndarray:  # type: ignore[override]
        """Features of real images, [m, F']."""
        return self.reference.features

    @property
    def fake(self) -> np.ndarray:  # type: ignore[override]
        """Features of generated images, [n, F']."""
        return self.features

    @property
    def bank(self) -> np.ndarray:  # type: ignore[override]
        """Features of all real images that were judged, [k, F']."""
        return self.reference.bank

    @property
    def data(self) -> Pictures:
        """The real images' set."""
        return self.reference.data

    @property
    def per_image(self) -> int:
        """How many digits an image shows: its channels for stacked digits, else 1."""
        return len(self.predicted) // len(self.features)

    @cached_property
    def histogram(self) -> np.ndarray:
        """Shares of the classes that the classifier reads, [K]."""
        return image_metrics.shares(self.predicted, len(self.reference.histogram))

    @cached_property
    def stacks(self) -> np.ndarray | None:
        """The number that it reads in each stack of digits, int [n]; None for other data."""
        return image_metrics.stacks(self.reference.data, self.predicted)

    def resampled(self, times: np.ndarray) -> ImageComparison:
        def repeated(values: np.ndarray) -> np.ndarray:
            return np.repeat(values.reshape(len(times), -1), times, axis=0)

        rest = {name: repeated(getattr(self, name)).reshape(-1) for name in ("predicted", "top")}
        untrained = None if self.untrained is None else repeated(self.untrained)
        return replace(self, features=repeated(self.features), untrained=untrained, **rest)


class Resamples:
    """Bootstrap resamples of the generated samples of a comparison.

    weights [n, R]: how often each of n samples is in each of R resamples, as float64. say: hears of progress.
    """

    def __init__(self, of: Any, weights: np.ndarray, say: Callable[[str], None]):
        self.of, self.weights, self.say = of, weights, say

    @cached_property
    def neighbours(self) -> dict[str, np.ndarray]:
        """precision, recall, density and coverage of each resample, [R] each."""
        return neighbour_metrics.resampled(self.of.real, self.of.fake, self.weights)

    @cached_property
    def mode_counts(self) -> np.ndarray:
        """Of points: how many samples of each resample are in each mode, int [R, M]."""
        modes = np.arange(len(self.of.data.modes))
        return (self.weights.T @ (self.of.members[:, None] == modes)).astype(int)
