"""Scores by nearest neighbours (neighbour_metrics.py): of points, or of images in the classifier's features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gan_core.scores.comparisons import Comparison, Resamples
from gan_core.scores.score import NEIGHBOURS, Measure, Score


def _neighbour(name: str) -> Measure:
    return Measure(lambda c: c.neighbours[name], replicates=lambda resamples: resamples.neighbours[name])


def _nearest(c: Comparison) -> float:
    return float(c.nearest_real.mean())


def _nearest_replicates(resamples: Resamples) -> np.ndarray:
    return resamples.of.nearest_real @ resamples.weights / len(resamples.weights)


_NEAREST = Measure(_nearest, replicates=_nearest_replicates)


def _lab(measure: Measure) -> Measure:
    """Of points in the experiments of the Score lab only: runs have scores of modes and distances."""
    return replace(measure, shown=False)


NEIGHBOUR_SCORES: dict[str, Score] = {
    "precision": Score(
        "precision",
        "hundredths",
        "high",
        NEIGHBOURS,
        "The share of generated samples that lie among the real ones: inside a ball that reaches from some real "
        "sample to its third nearest real neighbour. It measures quality, not variety.",
        "Below 1: some real samples lie outside the others' balls too. About 0.95 in the experiments above.",
        "One perfect point, repeated. And a single real outlier, whose large ball contains everything near it.",
        "arXiv 1904.06991",
        points=_lab(_neighbour("precision")),
        images=_neighbour("precision"),
        most=1.0,
    ),
    "recall": Score(
        "recall",
        "hundredths",
        "high",
        NEIGHBOURS,
        "The same with real and generated exchanged: the share of real samples that lie among the generated ones. It "
        "measures variety, not quality.",
        "Below 1, as for precision.",
        "Blur: widely spread samples have large balls, which contain all real samples. Their recall can even be "
        "higher than that of real data.",
        "arXiv 1904.06991",
        points=_lab(_neighbour("recall")),
        images=_neighbour("recall"),
        most=1.0,
    ),
    "density": Score(
        "density",
        "hundredths",
        "high",
        NEIGHBOURS,
        "Precision that counts: in how many real balls a sample lies, divided by what is expected. An outlier's ball "
        "is one of many, so it no longer decides.",
        "1 on average. It can exceed 1.",
        "One perfect point in a crowded place, repeated: more than 1 is not better, but a hint that samples are too "
        "similar.",
        "arXiv 2002.09797",
        points=_lab(_neighbour("density")),
        images=_neighbour("density"),
    ),
    "coverage": Score(
        "coverage",
        "hundredths",
        "high",
        NEIGHBOURS,
        "The share of real samples with a generated one in their ball. Like recall, but generated outliers do not "
        "count, because the balls belong to the real samples.",
        "About 0.97 for five neighbours and equal sizes. It falls when fewer are generated than there are real ones: "
        "another reason to state both sizes.",
        "Copies of the training data. One sample in a ball is enough, so it sees only large errors in the shares.",
        "arXiv 2002.09797",
        points=_lab(_neighbour("coverage")),
        images=_neighbour("coverage"),
        most=1.0,
    ),
    "nearest_real": Score(
        "distance to nearest real",
        "number",
        "near",
        NEIGHBOURS,
        "The mean distance from a sample to the nearest training sample. The only score here that asks whether "
        "anything is new. Both ends are bad: far below real data is memorized, far above is wrong.",
        "The value of fresh real samples that were not used in training.",
        "Copies that are shifted, turned or slightly noisy. And a generator of half copies and half nonsense can have "
        "the mean of real data: look at the nearest neighbours themselves, with a click on the page Images.",
        "arXiv 1511.01844, section 3.2",
        points=_lab(_NEAREST),
        images=_NEAREST,
    ),
}
