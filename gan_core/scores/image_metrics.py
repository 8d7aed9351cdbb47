"""Scores of generated images, in NumPy, each beside what real images get.

The distance here is called classifier-FID, never FID: it compares features of this program's own small classifier
(classifier.py), so its values are not comparable with published ones, which use Inception features, nor between
data sets. What says how good a value is, is its floor: the same score between two draws of real images of the same
size. Precision, recall, density, coverage and the distance to the nearest real image (neighbour_metrics.py) are in
the same features. Images are uint8 [n, H, W, C].
"""

import numpy as np

from gan_core.data.pictures import Pictures
from gan_core.scores.classifier import Classifier, kept_classes, singles

REPEATS = 5  # pairs of real draws behind the floors of what compares features
TV_REPEATS = 200  # drawn histograms behind the floor of the total variation
CHUNK_BYTES = 4_000_000  # of pixels compared at a time


def frechet(mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray) -> float:
    """Squared Fréchet (2-Wasserstein) distance of two Gaussians, as in FID (arXiv 1706.08500).

    |mean_a - mean_b|² + tr(A + B - 2 (A B)^½). With A = P Pᵀ and B = Q Qᵀ the trace of the root is the sum of the
    singular values of Pᵀ Q, which needs no root of a matrix that may be singular and no complex numbers.
    """
    mean_a, cov_a, mean_b, cov_b = (np.asarray(a, np.float64) for a in (mean_a, cov_a, mean_b, cov_b))
    root = np.linalg.svd(_factor(cov_a).T @ _factor(cov_b), compute_uv=False).sum()
    value = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * root
    return max(float(value), 0.0)


def _factor(cov: np.ndarray) -> np.ndarray:
    """P with cov = P Pᵀ; eigenvalues below zero are rounding."""
    values, vectors = np.linalg.eigh(cov)
    return vectors * np.sqrt(np.clip(values, 0, None))


def cubic_kernel(a: np.ndarray, b: np.ndarray, square: float) -> np.ndarray:
    """(a·b / F + 1)³ of each of [m, F] with each of [n, F], float64 [m, n] (Bińkowski et al., arXiv 1801.01401), of
    features over the root of `square`, their mean square: a classifier's have a scale of their own."""
    return (a.astype(np.float64) @ b.astype(np.float64).T / (a.shape[1] * square) + 1) ** 3


def mean_of_pairs(kernel: np.ndarray) -> float:
    """The mean of a kernel [n, n] over the pairs of two different ones."""
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Half the sum of absolute differences of two histograms of shares [K]: 0 where equal, 1 where disjoint."""
    return float(np.abs(p - q).sum() / 2)


# -- real images --------------------------------------------------------------------------------------------


def judged(classifier: Classifier, data: Pictures, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images [n, H, W, C] -> features [n, F'], predicted classes int [n * C'], top probabilities [n * C'].

    C' is the number of channels for stacked digits, else 1. Classes and probabilities are those of the data's classes;
    where the data leave some out, the probabilities do not add up to 1.
    """
    features, probabilities = classifier.predict(singles(pixels, data))
    probabilities = of_classes(data, probabilities)
    return features.reshape(len(pixels), -1), probabilities.argmax(1), probabilities.max(1)


def of_classes(data: Pictures, probabilities: np.ndarray) -> np.ndarray:
    """[n, classes of the classifier] -> [n, classes of the data]."""
    kept = kept_classes(data)
    return probabilities if kept is None else probabilities[:, kept]


def class_count(classifier: Classifier, data: Pictures) -> int:
    """How many of the classifier's classes the data have."""
    kept = kept_classes(data)
    return classifier.classes if kept is None else len(kept)


def gaussian(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of [n, F'], in float64."""
    features = features.astype(np.float64)
    return features.mean(0), np.cov(features, rowvar=False)


def shares(classes: np.ndarray, k: int) -> np.ndarray:
    """Shares [k] of the classes 0..k-1."""
    return np.bincount(classes, minlength=k) / len(classes)


def read_stacks(classifier: Classifier, data: Pictures, pixels: np.ndarray) -> np.ndarray:
    """The number that the classifier reads in each stack of digits uint8 [n, H, W, C], int [n]."""
    if not data.per_channel:
        raise ValueError("only stacked digits show numbers")
    return stacked_numbers(judged(classifier, data, pixels)[1], data.pixels.shape[3])


def stacked_numbers(digits: np.ndarray, channels: int) -> np.ndarray:
    """The number that each stack shows, int [n], from its digits [n * C]."""
    return digits.reshape(-1, channels) @ 10 ** np.arange(channels)[::-1]


def stacks(data: Pictures, classes: np.ndarray) -> np.ndarray | None:
    """The number that each stack of digits shows, int [n], from its digits [n * C]; None for other data."""
    if not data.per_channel:
        return None
    return stacked_numbers(classes, data.pixels.shape[3])


# -- the nearest real image ---------------------------------------------------------------------------------


def nearest(pixels: np.ndarray, sample: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k of uint8 [N, H, W, C] nearest to `sample` uint8 [H, W, C]: indices int [k], distances [k], nearest first.

    The distance is the root mean square difference of the values 0..1, so that 1 is black against white at any size.
    All N if k is more. ValueError where the shapes differ.
    """
    if pixels.shape[1:] != sample.shape:
        raise ValueError(f"a sample of shape {sample.shape} among images of shape {pixels.shape[1:]}")
    flat, target = pixels.reshape(len(pixels), sample.size), sample.reshape(-1).astype(np.float32)
    rows = max(1, CHUNK_BYTES // (4 * max(1, target.size)))
    square = np.empty(len(flat), np.float32)
    for start in range(0, len(flat), rows):
        difference = flat[start : start + rows] - target
        square[start : start + rows] = np.einsum("ij,ij->i", difference, difference)
    order = np.argsort(square, kind="stable")[:k]
    return order, np.sqrt(square[order].astype(np.float64) / target.size) / 255
