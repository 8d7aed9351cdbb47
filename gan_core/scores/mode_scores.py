"""Scores of points in modes: how many are found, how exactly, how evenly (PacGAN's, arXiv 1712.04086, section 4.1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gan_core.scores.comparisons import ImageComparison, PointComparison, RealImages, RealPoints, Resamples
from gan_core.scores.point_metrics import reverse_kl, reverse_kl_floor
from gan_core.scores.score import MODES, Measure, Score


def _has_modes(data: Any) -> bool:
    return data.modes is not None


def _modes(c: PointComparison) -> int:
    return int((c.counts > 0).sum())


def _hq(c: PointComparison) -> float:
    return float(c.counts.sum() / len(c.samples))


def _kl(resamples: Resamples) -> np.ndarray:
    """Fewer than there are resamples where some have no sample of high quality."""
    found = [reverse_kl(counts) for counts in resamples.mode_counts]
    return np.array([value for value in found if value is not None])


def _floor_of_hq(real: RealPoints) -> float:
    return float(real.shares.sum())


def _floor_of_kl(real: RealPoints) -> float:
    return reverse_kl_floor(len(real.shares), real.samples, real.shares)


def _stacks(numbers: np.ndarray | None) -> np.ndarray:
    if numbers is None:
        raise ValueError("only stacks of digits show numbers")
    return numbers


def _numbers(c: ImageComparison) -> int:
    """Distinct numbers that the classifier reads in stacks of digits (PacGAN, section 4.2)."""
    return len(np.unique(_stacks(c.stacks)))


def _real_numbers(real: RealImages) -> int:
    return len(np.unique(_stacks(real.stacks)))


MODE_SCORES: dict[str, Score] = {
    "modes": Score(
        "modes captured",
        "count",
        "high",
        MODES,
        "How many modes got at least one of the samples within 3 standard deviations of their centre. More is better.",
        "All of them, always: of 2,500 samples each of 25 modes gets about a hundred.",
        "One lucky sample counts as much as a hundred. A generator can send half of its samples nowhere and one in "
        "three hundred to each neglected mode, and all modes count as captured. Shares and shapes do not count.",
        "PacGAN, arXiv 1712.04086",
        points=Measure(_modes, lambda real: len(real.shares), ideal="modes_total", needs=_has_modes, whole=True),
        images=Measure(_numbers, _real_numbers, ideal="modes_real", needs=lambda data: data.per_channel),
    ),
    "hq": Score(
        "high quality",
        "percent",
        "high",
        MODES,
        "The share of samples within 3 standard deviations of a mode. More is better, up to a point.",
        "98.9 %, not 100: of a perfect Gaussian mode 1 − exp(−4.5) lies that near. Random variation: ±0.5 % with 500 "
        "samples, ±0.2 % with 2,500.",
        "A generator that repeats one perfect point gets 100 %. More than real data get means modes that are too "
        "narrow.",
        "PacGAN, arXiv 1712.04086",
        points=Measure(
            _hq,
            _floor_of_hq,
            lambda resamples: resamples.mode_counts.sum(1) / len(resamples.weights),
            ideal="hq_perfect",
            needs=_has_modes,
            whole=True,
        ),
        most=1.0,
    ),
    "reverse_kl": Score(
        "reverse KL",
        "number",
        "low",
        MODES,
        "How unevenly the high-quality samples are spread over the modes, in nats. 0 is even; ln(number of modes), "
        "2.08 for eight, is one mode alone.",
        "About (modes − 1) / (2 · samples), because random counts are never exactly equal: 0.0014 for 8 modes and "
        "0.0048 for 25 with 2,500 samples, five times that with 500.",
        "It looks only at high-quality samples: if 99 % are garbage and the rest is spread evenly, it is perfect. It "
        "does not see shapes inside a mode. Without a single high-quality sample it has no value.",
        "PacGAN, arXiv 1712.04086",
        points=Measure(lambda c: reverse_kl(c.counts), _floor_of_kl, _kl, needs=_has_modes, whole=True),
    ),
}
