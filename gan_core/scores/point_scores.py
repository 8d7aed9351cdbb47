"""All scores of generated points together, and what real points get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.data.points import Data
from gan_core.scores.comparisons import PointComparison, RealPoints
from gan_core.scores.point_metrics import MODE_SAMPLES, bandwidths, fresh_draw, fresh_pair, perfect_shares
from gan_core.scores.registry import floors_of, shown, with_ideal
from gan_core.settings.config import GANConfig

HALF_SPANS = "half the span of each axis"  # the unit of distances where the axes are not measured alike


@dataclass(frozen=True)
class Floors:
    """What fresh real points score, by name, and how distances are taken: at n points, the MMD with these bandwidths.

    Means over pairs of fresh draws, where a score does not say itself what a perfect generator gets.
    """

    n: int
    bandwidths: tuple[float, ...]
    values: dict[str, float | None]

    def __getitem__(self, name: str) -> float | None:
        return self.values[name]


def floors(config: GANConfig, data: Data, n: int, repeats: int, samples: int = MODE_SAMPLES) -> Floors:
    """The floors of the distances at n points, from `repeats` pairs of draws; of the scores of modes at `samples`."""
    bank = data.measured(data.points)
    scales = bandwidths(bank)
    real = RealPoints(data, samples, np.zeros(0) if data.modes is None else perfect_shares(config, data))
    pairs = []
    for i in range(repeats):
        a, b = (data.measured(part) for part in fresh_pair(config, data, n, i))
        pairs.append(PointComparison(data, b, a, bank, scales))

    return Floors(n, scales, floors_of(shown("points", data), real, pairs))


def compared(config: GANConfig, data: Data, samples: np.ndarray, floors: Floors) -> PointComparison:
    """`samples` [n, 2] beside fresh real points, floors.n of them. ValueError for fewer than floors.n."""
    if len(samples) < floors.n:
        raise ValueError(f"distances at {floors.n} points need as many samples, not {len(samples)}")
    fake, real, bank = (data.measured(x) for x in (samples, fresh_draw(config, data, floors.n, 0), data.points))
    return PointComparison(data, fake, real, bank, floors.bandwidths)


def scores(config: GANConfig, data: Data, samples: np.ndarray, floors: Floors) -> dict[str, Any]:
    """The scores of `samples` [n, 2], ready for JSON, each with its floor; distances are those of the first floors.n.

    `modes, modes_total, mode_counts, hq, hq_perfect, reverse_kl, reverse_kl_floor` only for data with modes;
    `distances_in` where the axes are not measured alike: the unit of the distances. Fractions, not percentages;
    reverse_kl is None without high-quality samples. ValueError for fewer than floors.n.
    """
    return scores_of(compared(config, data, samples, floors), floors)


def scores_of(comparison: PointComparison, floors: Floors) -> dict[str, Any]:
    """The same, of what is compared already."""
    result: dict[str, Any] = {"samples": len(comparison.samples), "w1_samples": floors.n}
    if not comparison.data.equal_axes:
        result["distances_in"] = HALF_SPANS
    for name, measure in shown("points", comparison.data):
        result |= with_ideal(name, measure, measure.of(comparison), floors[name])
    if comparison.data.modes is not None:
        result["mode_counts"] = comparison.counts.tolist()
    return result
