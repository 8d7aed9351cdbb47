"""Scores of images by the small classifier of the real ones (classifier.py)."""

from __future__ import annotations

import time

import numpy as np

from gan_core.scores.comparisons import ImageComparison, RealImages, Resamples
from gan_core.scores.image_metrics import frechet, gaussian, total_variation
from gan_core.scores.score import CLASSIFIER, Measure, Score

SPEAK_SECONDS = 5.0


def _fid(c: ImageComparison) -> float:
    return frechet(*gaussian(c.features), c.reference.mean, c.reference.cov)


def _fid_replicates(resamples: Resamples) -> np.ndarray:
    c: ImageComparison = resamples.of
    found, spoken = [], time.monotonic()
    for i, times in enumerate(resamples.weights.T.astype(int)):
        if time.monotonic() - spoken > SPEAK_SECONDS:
            spoken = time.monotonic()
            resamples.say(f"classifier-FID: {i} of {resamples.weights.shape[1]} resamples")
        mean, cov = gaussian(np.repeat(c.features, times, axis=0))
        found.append(frechet(mean, cov, c.reference.mean, c.reference.cov))
    return np.array(found)


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
