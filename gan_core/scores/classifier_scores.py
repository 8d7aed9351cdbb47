"""Scores of images by the small classifier of the real ones (classifier.py), and by one that has learned nothing."""

from __future__ import annotations

import math
import time

import numpy as np

from gan_core.scores.comparisons import ImageComparison, RealImages, Resamples
from gan_core.scores.image_metrics import cubic_kernel, frechet, gaussian, mean_of_pairs, total_variation
from gan_core.scores.score import CLASSIFIER, UNTRAINED, Measure, Score

SPEAK_SECONDS = 5.0


def _fid(c: ImageComparison) -> float:
    return frechet(*gaussian(c.features), c.reference.mean, c.reference.cov)


def _fid_replicates(resamples: Resamples) -> np.ndarray:
    c: ImageComparison = resamples.of
    return _frechet_replicates("classifier-FID", resamples, c.features, c.reference.mean, c.reference.cov)


def _frechet_replicates(
    name: str, resamples: Resamples, features: np.ndarray, mean: np.ndarray, cov: np.ndarray
) -> np.ndarray:
    found, spoken = [], time.monotonic()
    for i, times in enumerate(resamples.weights.T.astype(int)):
        if time.monotonic() - spoken > SPEAK_SECONDS:
            spoken = time.monotonic()
            resamples.say(f"{name}: {i} of {resamples.weights.shape[1]} resamples")
        found.append(frechet(*gaussian(np.repeat(features, times, axis=0)), mean, cov))
    return np.array(found)


def _untrained_fid(c: ImageComparison) -> float | None:
    if c.untrained is None or c.reference.untrained is None:
        return None
    return frechet(*gaussian(c.untrained), *gaussian(c.reference.untrained))


def _untrained_fid_replicates(resamples: Resamples) -> np.ndarray:
    c: ImageComparison = resamples.of
    if c.untrained is None or c.reference.untrained is None:
        return np.zeros(0)
    return _frechet_replicates("untrained-FID", resamples, c.untrained, *gaussian(c.reference.untrained))


def _kid(c: ImageComparison) -> float:
    square = c.reference.mean_square
    between = cubic_kernel(c.real, c.fake, square).mean()
    return mean_of_pairs(cubic_kernel(c.fake, c.fake, square)) + c.reference.kernel_mean - 2 * float(between)


def _kid_replicates(resamples: Resamples) -> np.ndarray:
    """Of each resample, whose copies of one image count as pairs; the kernels are made once."""
    c: ImageComparison = resamples.of
    w, n, square = resamples.weights, len(c.fake), c.reference.mean_square
    within, between = cubic_kernel(c.fake, c.fake, square), cubic_kernel(c.real, c.fake, square).mean(0)
    pairs = ((within @ w) * w).sum(0) - np.diag(within) @ w
    return pairs / (n * (n - 1)) + c.reference.kernel_mean - 2 * between @ w / n


def _confidence(c: ImageComparison) -> float:
    return float(c.top.mean())


def _confidence_replicates(resamples: Resamples) -> np.ndarray:
    c: ImageComparison = resamples.of
    return c.top.reshape(len(c.features), -1).mean(1) @ resamples.weights / len(c.features)


def _confidence_of_real(real: RealImages) -> float:
    return float(real.unseen.mean())


def _tv(c: ImageComparison) -> float:
    return total_variation(c.histogram, c.reference.histogram)


def _tv_replicates(resamples: Resamples) -> np.ndarray:
    c: ImageComparison = resamples.of
    classes = np.arange(len(c.reference.histogram))
    shown = (c.predicted.reshape(len(c.features), -1, 1) == classes).sum(1)
    histograms = resamples.weights.T @ shown / len(c.predicted)
    return np.array([total_variation(histogram, c.reference.histogram) for histogram in histograms])


def _tv_of_real(real: RealImages) -> float:
    return float(np.mean([total_variation(histogram, real.labelled) for histogram in real.drawn]))


CLASSIFIER_SCORES: dict[str, Score] = {
    "classifier_fid": Score(
        "classifier-FID",
        "number",
        "low",
        CLASSIFIER,
        "The Fréchet distance between features of real and of generated images. The features come from a small "
        "classifier, trained here on the real images to tell the classes apart.",
        "The same between two sets of real images. With fewer images it is higher, so compare it only with the value "
        "of real data at the same sample size.",
        "What the classifier does not look at: background, texture, single pixels. And faults that keep mean and "
        "covariance. Not comparable with any published FID, nor between data sets.",
        "after arXiv 1706.08500",
        images=Measure(_fid, replicates=_fid_replicates),
    ),
    "classifier_kid": Score(
        "classifier-KID",
        "number",
        "low",
        CLASSIFIER,
        "The kernel distance: a maximum mean discrepancy (MMD²) with a cubic kernel between the same features. It sees "
        "more than mean and covariance, and is unbiased: few images make it uncertain, not higher.",
        "0 on average, at any sample size; single values lie around it, below 0 too.",
        "What the classifier does not look at, as the classifier-FID. Not comparable with any published KID, nor "
        "between data sets.",
        "after arXiv 1801.01401",
        images=Measure(_kid, replicates=_kid_replicates),
        least=-math.inf,
    ),
    "untrained_fid": Score(
        "untrained-FID",
        "number",
        "low",
        UNTRAINED,
        "The Fréchet distance between features of another judge: the same network with random weights, always the same "
        "ones. It has never seen an image, so a gain that it sees too is none of the classifier's own taste.",
        "The same between two sets of real images.",
        "It knows no classes: a digit that cannot be read, of the right strokes, is good enough. Compare values within "
        "one data set only.",
        "random features as in arXiv 2002.09797",
        images=Measure(_untrained_fid, replicates=_untrained_fid_replicates),
    ),
    "confidence": Score(
        "confidence",
        "hundredths",
        "high",
        CLASSIFIER,
        "The mean probability of each image's most likely class. High where images clearly show one of the classes.",
        "What real images that it was not trained on get: 0.99 for MNIST.",
        "A classifier is sure of many images that are not digits at all, because it must choose a class. One perfect "
        "image, repeated, gets the best value.",
        "arXiv 1412.1897: sure of noise",
        images=Measure(_confidence, _confidence_of_real, _confidence_replicates, ideal="confidence_real"),
        most=1.0,
    ),
    "class_tv": Score(
        "class balance (TV)",
        "hundredths",
        "low",
        CLASSIFIER,
        "Total variation (TV) between the shares of the classes, generated and real: the part of the samples that "
        "would have to change class. 0: equal shares. 1: no class in common.",
        "Not 0: random counts are never equal, and the classifier makes mistakes. About 0.02 for ten classes at 2,500 "
        "images.",
        "One image of each class, repeated, is perfect. So is noise that the classifier happens to spread over all "
        "classes.",
        "after NDB, arXiv 1805.12462",
        images=Measure(_tv, _tv_of_real, _tv_replicates),
        most=1.0,
    ),
}
