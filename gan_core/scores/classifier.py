"""A small convolutional classifier of the real images, trained once for each set and kept in a cache.

It is trained on all images of a set in their own size, whatever part of it a run learns: runs of another seed, size,
number of samples or choice of classes have the same judge, and their scores can be compared.

It judges generated images (image_metrics.py): which class each shows, how surely, and the features that the
classifier-FID compares. It runs in a thread beside the GAN's training, so it touches no global seed or session.

With `per_channel` data (stacked MNIST) each channel is a gray digit of its own, and the classifier learns and judges
the single digits, [n, H, W, 1].
"""

import contextlib
import functools
import hashlib
import math
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_core.data.pictures import Pictures
from gan_core.foundations.files import cache_folder, npz_bytes, write_whole
from gan_core.foundations.lazy_imports import tf
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.scores.classifier_cache import Stopped, alone, prune

RECIPE = 1  # goes into the key: raise it when anything below changes what is learnt
FEATURES = 64
FILTERS = (16, 32)
BATCH = 128
EPOCHS = 20
STEPS = (600, 1_500)  # at least, for small sets, and at most, so that 60,000 images take no longer than 10,000
RATE = 2e-3
SHIFT = 1 / 14  # of the side: how far training images move at most, in both directions
HELD_OUT = 0.1
PREDICT_BATCH = 256
SIDE = 32  # larger images are averaged down to about this


class Classifier:
    """A trained network. accuracy: fraction right of the held-out images; key: hex hash of data and recipe."""

    def __init__(self, weights: list[np.ndarray], accuracy: float, key: str):
        self.accuracy = accuracy
        self.key = key
        self.weights = weights
        self.channels = weights[0].shape[2]
        self.classes = weights[-1].shape[0]
        self._forward = tf.function(self._forward_batch, autograph=False, reduce_retracing=True)

    def _forward_batch(self, pixels):
        features, logits = _network(self.weights, pixels)
        return features, tf.nn.softmax(logits)

    def predict(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 [n, H, W, C] -> features float32 [n, FEATURES], probabilities float32 [n, K].

        ValueError where the images are not of the size that it was trained on.
        """
        features = np.empty((len(pixels), FEATURES), np.float32)
        probabilities = np.empty((len(pixels), self.classes), np.float32)
        for start in range(0, len(pixels), PREDICT_BATCH):
            part = _shrunk(pixels[start : start + PREDICT_BATCH])
            if part.shape[3] != self.channels or _flat_size(*part.shape[1:3]) != len(self.weights[4]):
                raise ValueError(f"the classifier does not take images of shape {pixels.shape[1:]}")
            n = len(part)
            # every batch has one shape, so that the graph is traced and laid out in memory only once
            padded = np.pad(part, ((0, PREDICT_BATCH - n), (0, 0), (0, 0), (0, 0)))
            f, p = self._forward(tf.constant(padded))
            features[start : start + n] = f.numpy()[:n]
            probabilities[start : start + n] = p.numpy()[:n]
        return features, probabilities


def trained(
    data: Pictures, say: Callable[[str], None] | None = None, stopped: Callable[[], bool] | None = None
) -> Classifier:
    """The classifier of the set that `data` were chosen from, from the cache or trained now.

    `say` hears of progress, in a line of text. Whoever else trains one, in this process or another, is waited for.
    ValueError where the images have no labels or fewer than two classes; Stopped once `stopped()` is true.
    """
    say, stopped = say or (lambda text: None), stopped or (lambda: False)
    base = data if data.whole is None else data.whole.load()
    if base.labels is None:
        raise ValueError("the classifier needs labels, and these images have none")
    if len(np.unique(single_labels(base.labels, base))) < 2:
        raise ValueError("the classifier needs images of at least two classes")
    (x, y), test = _divided(base)
    classes = _class_count(base)
    key = _key(classes, x, y, *test)
    path = cache_folder() / f"classifier-{key[:16]}.npz"
    found = _load(path, key, classes, x.shape[1:])
    if found is None:
        with alone(path.with_name("classifier.lock"), say, stopped):
            found = _load(path, key, classes, x.shape[1:])  # whoever was waited for may have made it
            if found is None:
                found = Classifier(_train(x, y, classes, int(key[:16], 16), say, stopped), math.nan, key)
                found.accuracy = float((found.predict(test[0])[1].argmax(1) == test[1]).mean())
                _save(path, found)
                prune(path.parent)
    return found


@functools.lru_cache(maxsize=4)
def untrained(shape: tuple[int, int, int]) -> Classifier:
    """The same network for images [H, W, C] as it is before any training, always the same one: a judge that knows
    nothing of any data set (random features, as in Naeem et al., arXiv 2002.09797, section 5)."""
    side = _shrunk(np.zeros((1, *shape), np.uint8)).shape[1:]
    return Classifier(_initial(side, 2, np.random.default_rng(0)), math.nan, "untrained")


def untrained_features(pixels: np.ndarray, data: Pictures) -> np.ndarray:
    """Its features of images uint8 [n, H, W, C] of `data`, float32 [n, F']; of stacked digits those of each channel."""
    of = singles(pixels, data)
    return untrained(of.shape[1:]).predict(of)[0].reshape(len(pixels), -1)


def unseen(data: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """Images of the classes of `data` that its classifier was not trained on, as it takes them, and their classes.

    The test images, or the part of all that was held out; of at least one class of `data`, so there may be none.
    """
    if data.test_pixels is not None and data.test_labels is not None and len(data.test_pixels):
        return singles(data.test_pixels, data), single_labels(data.test_labels, data)
    base = data if data.whole is None else data.whole.load()
    x, y = _divided(base)[1]
    kept = kept_classes(data)
    if kept is None:
        return x, y
    of_kept = np.isin(y, kept)
    return x[of_kept], np.searchsorted(kept, y[of_kept])


def _divided(base: Pictures) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(what is trained on, what is held out) of all images of a set: images and labels each."""
    x, y = singles(base.pixels, base), single_labels(base.known_labels, base)
    if base.test_pixels is not None and base.test_labels is not None and len(base.test_pixels):
        return (x, y), (singles(base.test_pixels, base), single_labels(base.test_labels, base))
    order = np.random.default_rng(0).permutation(len(y))
    held = max(1, round(HELD_OUT * len(y)))
    return (x[order[held:]], y[order[held:]]), (x[order[:held]], y[order[:held]])


# -- what is classified -------------------------------------------------------------------------------------


def _class_count(base: Pictures) -> int:
    """How many classes the classifier tells apart: of stacked digits, the ten digits."""
    return 10 if base.per_channel else max(len(base.class_names), int(base.known_labels.max()) + 1)


def kept_classes(data: Pictures) -> np.ndarray | None:
    """int [k]: which of the classifier's classes those of `data` are, in their order; None for all."""
    kept = None if data.whole is None else data.whole.kept
    return None if kept is None else np.array(kept)


def singles(pixels: np.ndarray, data: Pictures) -> np.ndarray:
    """[n, H, W, C] as the classifier takes them: in the set's own size [n, side, side, C]; stacked digits one by one,
    [n * C, side, side, 1], image by image."""
    if data.per_channel:
        pixels = pixels.transpose(0, 3, 1, 2).reshape(-1, *pixels.shape[1:3], 1)
    return pixels if data.whole is None else data.whole.native(pixels)


def single_labels(labels: np.ndarray, data: Pictures) -> np.ndarray:
    """int [n] to the labels of `singles`: of a stack, its decimal digits, [n * C]."""
    if not data.per_channel:
        return labels
    places = 10 ** np.arange(data.pixels.shape[3])[::-1]
    return (labels[:, None] // places % 10).reshape(-1)


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, C], averaged over squares to about SIDE pixels; as it is where it is small enough."""
    height, width = pixels.shape[1:3]
    k = round(min(height, width) / SIDE)
    if k < 2:
        return pixels
    h, w = height // k * k, width // k * k
    # sums of strided views: several times quicker than the mean over two axes
    total = sum(pixels[:, i:h:k, j:w:k].astype(np.uint32) for i in range(k) for j in range(k))
    return ((total + k * k // 2) // (k * k)).astype(np.uint8)


# -- the network --------------------------------------------------------------------------------------------


def _flat_size(height: int, width: int) -> int:
    """How many values are left after the two convolutions, each followed by pooling."""
    return math.ceil(math.ceil(height / 2) / 2) * math.ceil(math.ceil(width / 2) / 2) * FILTERS[1]


def _initial(shape: tuple[int, int, int], classes: int, rng: np.random.Generator) -> list[np.ndarray]:
    """He-normal kernels and zero biases (arXiv 1502.01852) for images [H, W, C]."""
    a, b = FILTERS
    kernels = [(3, 3, shape[2], a), (3, 3, a, b), (_flat_size(*shape[:2]), FEATURES), (FEATURES, classes)]
    weights = []
    for kernel in kernels:
        scale = math.sqrt(2 / math.prod(kernel[:-1]))
        weights += [rng.normal(0, scale, kernel).astype(np.float32), np.zeros(kernel[-1], np.float32)]
    return weights


def _network(weights, pixels):
    """uint8 [n, H, W, C] -> features [n, FEATURES], logits [n, K]. Not for XLA: its CPU convolutions are slow."""
    k1, b1, k2, b2, k3, b3, k4, b4 = weights
    x = tf.cast(pixels, tf.float32) / 255.0
    x = tf.nn.relu(tf.nn.max_pool2d(tf.nn.conv2d(x, k1, 1, "SAME") + b1, 2, 2, "SAME"))
    x = tf.nn.relu(tf.nn.max_pool2d(tf.nn.conv2d(x, k2, 1, "SAME") + b2, 2, 2, "SAME"))
    features = tf.nn.relu(tf.reshape(x, [-1, k3.shape[0]]) @ k3 + b3)
    return features, features @ k4 + b4


def _train(x, y, classes: int, seed: int, say: Callable, stopped: Callable) -> list[np.ndarray]:
    """The weights after training on x uint8 [N, H, W, C], y int [N]: Adam with a rate that falls to zero."""
    steps = int(np.clip(EPOCHS * len(y) // BATCH, *STEPS))
    rng = np.random.default_rng(seed)
    x = np.concatenate([_shrunk(x[start : start + 4_096]) for start in range(0, len(x), 4_096)])
    height, width = x.shape[1:3]
    shift = int(SHIFT * min(height, width))
    weights = [tf.Variable(w) for w in _initial(x.shape[1:], classes, rng)]
    slots = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in weights]
    adam = OPTIMIZERS["adam"].update

    def step(pixels, labels, t):
        with tf.GradientTape() as tape:
            _, logits = _network(weights, pixels)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        rate = RATE * 0.5 * (1.0 + tf.cos(math.pi * t / steps))  # cosine decay, arXiv 1608.03983
        for weight, gradient, pair in zip(weights, tape.gradient(loss, weights), slots, strict=True):
            change, new = adam(weight, gradient, pair, rate, t, 0.9, 0.999)
            weight.assign_add(change)
            for slot, value in zip(pair, new, strict=True):
                slot.assign(value)
        return loss

    step = tf.function(step, autograph=False)
    rows = np.empty(0, int)
    for t in range(1, steps + 1):
        if stopped():
            raise Stopped
        while len(rows) < BATCH:  # epochs one after another, each in a new order
            rows = np.concatenate([rows, rng.permutation(len(y))])
        chosen, rows = rows[:BATCH], rows[BATCH:]
        # shifted images whose border pixels repeat into the gap
        dy, dx = rng.integers(-shift, shift + 1, (2, BATCH, 1))
        i = np.clip(np.arange(height) + dy, 0, height - 1)[:, :, None]
        j = np.clip(np.arange(width) + dx, 0, width - 1)[:, None, :]
        loss = step(
            tf.constant(x[chosen[:, None, None], i, j]),
            tf.constant(y[chosen].astype(np.int32)),
            tf.constant(t, tf.float32),
        )
        if t % 100 == 0 or t == steps:
            say(f"training the classifier: step {t:,} of {steps:,}, loss {float(loss):.3f}")
    return [w.numpy() for w in weights]


# -- the cache ----------------------------------------------------------------------------------------------


def _key(classes: int, *arrays: np.ndarray) -> str:
    """Hash of the recipe, the class count, and all shapes, pixels and labels."""
    digest = hashlib.sha256(f"ganscope classifier {RECIPE} {classes}".encode())
    for array in arrays:
        array = np.ascontiguousarray(array, np.uint8 if array.ndim == 4 else np.int32)
        digest.update(str(array.shape).encode())
        digest.update(array.data)
    return digest.hexdigest()


def _load(path: Path, key: str, classes: int, shape: tuple[int, int, int]) -> Classifier | None:
    """The classifier in the file; None where there is none, or one that is broken or of other data."""
    side = _shrunk(np.zeros((1, *shape), np.uint8)).shape[1:]
    expected = [w.shape for w in _initial(side, classes, np.random.default_rng(0))]
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return None
            weights = [file[f"w{i}"].astype(np.float32) for i in range(len(expected))]
            accuracy = float(file["accuracy"])
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if [w.shape for w in weights] != expected or not all(np.isfinite(w).all() for w in [accuracy, *weights]):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # used now
    return Classifier(weights, accuracy, key)


def _save(path: Path, classifier: Classifier) -> None:
    """Writes the file whole or not at all; a folder that cannot be written to is no error."""
    arrays = {f"w{i}": w for i, w in enumerate(classifier.weights)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, npz_bytes({"key": classifier.key, "accuracy": classifier.accuracy, **arrays}))
    except OSError:
        pass
