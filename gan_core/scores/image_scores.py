"""All scores of generated images together, and what real images get."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gan_core.data.pictures import Pictures
from gan_core.scores.classifier import Classifier, single_labels, unseen, untrained_features
from gan_core.scores.comparisons import ImageComparison, RealImages
from gan_core.scores.image_metrics import class_count, judged, of_classes, shares, stacks
from gan_core.scores.registry import floors_of, shown, with_ideal

REPEATS = 5  # pairs of real draws behind the floors of what compares features
TV_REPEATS = 200  # drawn histograms behind the floor of the total variation


def reference(
    classifier: Classifier, data: Pictures, n: int, seed: int, judged_images: int | None = None
) -> RealImages:
    """The real images' side of the scores, at sample size min(n, N // 2). ValueError for fewer than 4 images.

    judged_images: of how many of the real images the features are looked at, 4 n without a word; nearest_real is sought
    among those.
    """
    n = min(n, len(data.pixels) // 2)
    if n < 2:
        raise ValueError("scores of images need at least four real ones")
    rng = np.random.default_rng(seed)
    # one pool is judged once and split anew for each pair of draws
    pool = rng.permutation(len(data.pixels))[: max(4 * n, judged_images or 0)]
    features, predicted, top = judged(classifier, data, data.pixels[pool])
    splits = [rng.permutation(len(pool))[: 2 * n] for _ in range(REPEATS)]
    used = np.unique(np.concatenate(splits))
    seen = untrained_features(data.pixels[pool[used]], data)
    untrained = np.zeros((len(pool), seen.shape[1]), np.float32)
    untrained[used] = seen
    per_image = len(predicted) // len(pool)
    of_image = {"predicted": predicted.reshape(len(pool), -1), "top": top.reshape(len(pool), -1)}

    fresh = unseen(data)[0]
    if len(fresh):
        fresh = fresh[rng.permutation(len(fresh))[: n * per_image]]
        top_real = of_classes(data, classifier.predict(fresh)[1]).max(1)
    else:  # none of these classes was held out
        top_real = of_image["top"][splits[0][n:]]

    k = class_count(classifier, data)
    # draws from the pool with replacement, against the pool's labels: what n fresh real images score,
    # the classifier's errors included
    drawn = rng.multinomial(n * per_image, shares(predicted, k), TV_REPEATS) / (n * per_image)
    numbers = stacks(data, predicted)

    def side(rows: np.ndarray) -> RealImages:
        """What the second half of a split is compared with: so the bank has everything but that."""
        return RealImages(
            data=data,
            n=n,
            features=features[rows[:n]],
            bank=np.delete(features, rows[n:], axis=0),
            histogram=shares(single_labels(data.known_labels, data), k),
            stacks=None if numbers is None else numbers[rows[:n]],
            unseen=top_real,
            drawn=drawn,
            labelled=shares(single_labels(data.known_labels[pool], data), k),
            untrained=untrained[rows[:n]],
        )

    pairs = []
    for rows in splits:
        second = {name: values[rows[n:]].reshape(-1) for name, values in of_image.items()}
        pairs.append(ImageComparison(side(rows), features[rows[n:]], untrained=untrained[rows[n:]], **second))
    real = pairs[0].reference
    return replace(real, floors=floors_of(shown("images", data), real, pairs))


def compared(reference: RealImages, classifier: Classifier, pixels: np.ndarray) -> ImageComparison:
    """The first `reference.n` images of uint8 [n, H, W, C] beside real ones. ValueError for fewer than two images."""
    pixels = pixels[: reference.n]
    if len(pixels) < 2:
        raise ValueError("scores need at least two images")
    found = judged(classifier, reference.data, pixels)
    return ImageComparison(reference, *found, untrained=untrained_features(pixels, reference.data))


def scores(reference: RealImages, classifier: Classifier, pixels: np.ndarray) -> dict[str, Any]:
    """The scores of the first `reference.n` images of uint8 [n, H, W, C], ready for JSON, each with its floor; shares,
    not percentages.

    With fewer images the distance is biased upwards against its floor, and recall and coverage downwards: compare
    `samples` with `reference.n`. nearest_real far below its floor: the generator has learnt real images by heart;
    it sees those of the images in `reference.bank` only.
    `modes, modes_total, modes_real` (PacGAN's protocol for stacked MNIST, arXiv 1712.04086, section 4.2: distinct
    numbers that the classifier reads) only for stacked digits. ValueError for fewer than two images.
    """
    return scores_of(compared(reference, classifier, pixels), classifier)


def scores_of(comparison: ImageComparison, classifier: Classifier) -> dict[str, Any]:
    """The same, of what is compared already."""
    real, n = comparison.reference, len(comparison.features)
    result: dict[str, Any] = {
        "samples": n,
        "classifier_accuracy": classifier.accuracy,
        "histogram": comparison.histogram.tolist(),
        "histogram_real": real.histogram.tolist(),
    }
    for name, measure in shown("images", real.data):
        result |= with_ideal(name, measure, measure.of(comparison), real.floors[name])
    if real.stacks is not None:
        # as many real images as there are samples
        result |= {"modes_total": 10**comparison.per_image, "modes_real": len(np.unique(real.stacks[:n]))}
    return result
