"""Scores of generated images, in NumPy, each beside what real images get.

The distance here is called classifier-FID, never FID: it compares features of this program's own small classifier
(classifier.py), so its values are not comparable with published ones, which use Inception features, nor between
data sets. What says how good a value is, is its floor: the same score between two draws of real images of the same
size. Precision, recall, density, coverage and the distance to the nearest real image (neighbour_metrics.py) are in
the same features. Images are uint8 [n, H, W, C].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.data.image_datasets import Pictures
from gan_core.scores import neighbour_metrics
from gan_core.scores.classifier import Classifier, kept_classes, single_labels, singles, unseen

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


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Half the sum of absolute differences of two histograms of shares [K]: 0 where equal, 1 where disjoint."""
    return float(np.abs(p - q).sum() / 2)


# -- real images --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reference:
    """What generated images are compared with: the real ones, as the classifier sees them.

    n: sample size; mean [F'], cov [F', F']: of n real images' features (F' = channels * F for stacked digits).
    features [n, F']: these. bank [m, F'], m from n to 3 n: features of as many real images as were judged, in which
    the nearest is sought. floor, tv_floor, neighbour_floors: what another n real images score, those of
    `neighbour_scores` by name (the best of a score, not the least, where more is better).
    histogram [K]: real shares of the classes, by label.
    stacks: int [n], numbers that the classifier reads in n stacks of real digits; None for other data.
    """

    data: Pictures
    n: int
    mean: np.ndarray
    cov: np.ndarray
    floor: float
    confidence_real: float
    histogram: np.ndarray
    tv_floor: float
    stacks: np.ndarray | None
    features: np.ndarray
    bank: np.ndarray
    neighbour_floors: dict[str, float]


def judged(classifier: Classifier, data: Pictures, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images [n, H, W, C] -> features [n, F'], predicted classes int [n * C'], top probabilities [n * C'].

    C' is the number of channels for stacked digits, else 1. Classes and probabilities are those of the data's classes;
    where the data leave some out, the probabilities do not add up to 1.
    """
    features, probabilities = classifier.predict(singles(pixels, data))
    probabilities = _of_classes(data, probabilities)
    return features.reshape(len(pixels), -1), probabilities.argmax(1), probabilities.max(1)


def _of_classes(data: Pictures, probabilities: np.ndarray) -> np.ndarray:
    """[n, classes of the classifier] -> [n, classes of the data]."""
    kept = kept_classes(data)
    return probabilities if kept is None else probabilities[:, kept]


def _class_count(classifier: Classifier, data: Pictures) -> int:
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


def neighbour_scores(real: np.ndarray, bank: np.ndarray, features: np.ndarray) -> dict[str, float]:
    """precision, recall, density, coverage of features [n, F'] against `real`; nearest_real: distance to `bank`."""
    nearest = neighbour_metrics.nearest_real_distance(bank, features)
    return {**neighbour_metrics.precision_recall_density_coverage(real, features), "nearest_real": nearest}


def read_stacks(classifier: Classifier, data: Pictures, pixels: np.ndarray) -> np.ndarray:
    """The number that the classifier reads in each stack of digits uint8 [n, H, W, C], int [n]."""
    if not data.per_channel:
        raise ValueError("only stacked digits show numbers")
    return _stacks(data, judged(classifier, data, pixels)[1])


def _stacks(data: Pictures, classes: np.ndarray) -> np.ndarray | None:
    """The number that each stack of digits shows, int [n], from its digits [n * C]; None for other data."""
    if not data.per_channel:
        return None
    channels = data.pixels.shape[3]
    return classes.reshape(-1, channels) @ 10 ** np.arange(channels)[::-1]


def reference(classifier: Classifier, data: Pictures, n: int, seed: int) -> Reference:
    """The real images' side of the scores, at sample size min(n, N // 2). ValueError for fewer than 4 images."""
    n = min(n, len(data.pixels) // 2)
    if n < 2:
        raise ValueError("scores of images need at least four real ones")
    rng = np.random.default_rng(seed)
    # one pool is judged once and split anew for each pair of draws
    pool = rng.permutation(len(data.pixels))[: 4 * n]
    features, predicted, top = judged(classifier, data, data.pixels[pool])
    splits = [rng.permutation(len(pool))[: 2 * n] for _ in range(REPEATS)]
    pairs = [(gaussian(features[rows[:n]]), gaussian(features[rows[n:]])) for rows in splits]
    (mean, cov), _ = pairs[0]
    first, second = splits[0][:n], splits[0][n:]

    # the second half of a split is what is scored, so the bank has everything but that
    banks = [np.delete(features, rows[n:], axis=0) for rows in splits]
    neighbours = [
        neighbour_scores(features[rows[:n]], bank, features[rows[n:]]) for rows, bank in zip(splits, banks, strict=True)
    ]

    fresh = unseen(data)[0]
    if len(fresh):
        fresh = fresh[rng.permutation(len(fresh))[: n * (len(predicted) // len(pool))]]
        top_real = _of_classes(data, classifier.predict(fresh)[1]).max(1)
    else:  # none of these classes was held out
        top_real = top.reshape(len(pool), -1)[second]

    # draws from the pool with replacement, against the pool's labels: what n fresh real images score,
    # the classifier's errors included
    k = _class_count(classifier, data)
    per_image = len(predicted) // len(pool)
    labels = shares(single_labels(data.labels[pool], data), k)
    draws = rng.multinomial(n * per_image, shares(predicted, k), TV_REPEATS) / (n * per_image)
    stacks = _stacks(data, predicted)
    return Reference(
        data=data,
        n=n,
        mean=mean,
        cov=cov,
        floor=float(np.mean([frechet(*a, *b) for a, b in pairs])),
        confidence_real=float(top_real.mean()),
        histogram=shares(single_labels(data.labels, data), k),
        tv_floor=float(np.mean([total_variation(draw, labels) for draw in draws])),
        stacks=None if stacks is None else stacks[first],
        features=features[first],
        bank=banks[0],
        neighbour_floors={name: float(np.mean([row[name] for row in neighbours])) for name in neighbours[0]},
    )


# -- generated images ---------------------------------------------------------------------------------------


def scores(reference: Reference, classifier: Classifier, pixels: np.ndarray) -> dict[str, Any]:
    """The scores of the first `reference.n` images of uint8 [n, H, W, C], ready for JSON; shares, not percentages.

    With fewer images the distance is biased upwards against its floor, and recall and coverage downwards: compare
    `samples` with `reference.n`. nearest_real far below its floor: the generator has learnt real images by heart;
    it sees those of the images in `reference.bank` only.
    `modes, modes_total, modes_real` (PacGAN's protocol for stacked MNIST, arXiv 1712.04086, section 4.2: distinct
    numbers that the classifier reads) only for stacked digits. ValueError for fewer than two images.
    """
    pixels = pixels[: reference.n]
    n = len(pixels)
    if n < 2:
        raise ValueError("scores need at least two images")
    features, predicted, top = judged(classifier, reference.data, pixels)
    histogram = shares(predicted, len(reference.histogram))
    result: dict[str, Any] = {
        "samples": n,
        "confidence": float(top.mean()),
        "confidence_real": reference.confidence_real,
        "class_tv": total_variation(histogram, reference.histogram),
        "class_tv_floor": reference.tv_floor,
        "classifier_fid": frechet(*gaussian(features), reference.mean, reference.cov),
        "classifier_fid_floor": reference.floor,
        **neighbour_scores(reference.features, reference.bank, features),
        **{f"{name}_floor": value for name, value in reference.neighbour_floors.items()},
        "classifier_accuracy": classifier.accuracy,
        "histogram": histogram.tolist(),
        "histogram_real": reference.histogram.tolist(),
    }
    stacks = _stacks(reference.data, predicted)
    if stacks is not None:
        result |= {
            "modes": len(np.unique(stacks)),
            "modes_total": 10 ** pixels.shape[3],
            "modes_real": len(np.unique(reference.stacks[:n])),
        }
    return result


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
