"""The data sets of images. Each is a function `(n, rng, size, classes) -> Pictures`; datasets.py registers them.

Their files are image_sources.py's.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from PIL import Image

from gan_core.data.image_sources import DIGIT_NAMES, SOURCES, frozen, known_set
from gan_core.data.pictures import Labels, Pictures, Pixels, Whole
from gan_core.data.resizing import pad, sized
from gan_core.data.shapes import SHAPE_NAMES, draw_shapes
from gan_core.foundations.hyperparameters import ConfigError, shorten

SIDES = (28, 32, 48, 64)  # that every convolutional architecture makes
SIZES = ("native", *map(str, SIDES))
LEAST_PICTURES = 16
LEFT = 256  # of the images that were left out, at most, that are kept to be judged
SHAPE_TESTS = 1_000
SHAPES_FOR_ALL = 6_000
DIGITS_TEST = 297  # of scikit-learn's 1,797 digits
STACK_NAMES = tuple(f"{i:03d}" for i in range(1000))


# -- sizes and classes --------------------------------------------------------------------------------------


def _side(size: str, native: int) -> int:
    """The side that `size` names; raises ConfigError."""
    if str(size) not in SIZES:
        raise ConfigError(f"size must be one of {', '.join(SIZES)}; got {shorten(size)}.")
    return native if size == "native" else int(size)


def chosen_classes(classes: str, count: int) -> list[int] | None:
    """The class numbers that a text such as "3,8" names, ascending, or None for "all"; raises ConfigError."""
    text = str(classes).strip()
    if text.lower() == "all":
        return None
    wrong = f"classes must be all or class numbers from 0 to {count - 1}, separated by commas, such as 0,1;"
    if count == 0:
        raise ConfigError(f"classes must be all: these images have no classes; got {shorten(text)}.")
    kept = set()
    for number in text.split(","):
        number = number.strip()
        if not (number.isascii() and number.isdecimal()):
            raise ConfigError(f"{wrong} got {shorten(text)}.")
        if len(number) > 9 or int(number) >= count:
            raise ConfigError(f"{wrong} there is no class {shorten(number).strip(chr(39))}.")
        kept.add(int(number))
    return sorted(kept)


def _of_classes(base: Pictures, kept: list[int] | None, classes: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Which training and test images are of the classes `kept`: their indices, or None for all."""
    if kept is None:
        train, count = None, len(base)
    else:
        train = np.flatnonzero(np.isin(base.known_labels, kept))
        count = len(train)
    if count < LEAST_PICTURES:
        raise ConfigError(f"classes {shorten(classes)} leaves {count} images; training needs {LEAST_PICTURES} or more.")
    test = None if kept is None or base.test_labels is None else np.flatnonzero(np.isin(base.test_labels, kept))
    return train, test


def _take(array: np.ndarray, index: np.ndarray | None) -> np.ndarray:
    """array[index]; without an index the array itself, not a copy."""
    return array if index is None else array[index]


def _take_some(array: np.ndarray | None, index: np.ndarray | None) -> np.ndarray | None:
    """The same, of what may be missing."""
    return None if array is None else _take(array, index)


def _selected(base: Pictures, n: int, rng: np.random.Generator, classes: str) -> tuple[Pictures, np.ndarray | None]:
    """At most n training images of the chosen classes with labels from 0, and their indices in base (None: all)."""
    kept = chosen_classes(classes, len(base.class_names))
    train, test = _of_classes(base, kept, classes)
    count = len(base) if train is None else len(train)
    left = None
    if count > n:
        some = np.sort(rng.choice(count, n, replace=False))
        if base.test_pixels is None:
            left = np.setdiff1d(np.arange(count), some)
            left = left[np.linspace(0, len(left) - 1, min(LEFT, len(left))).astype(int)]
            left = left if train is None else train[left]
        train = some if train is None else train[some]
    labels, test_labels = _take_some(base.labels, train), _take_some(base.test_labels, test)
    left_labels = None if left is None else _take_some(base.labels, left)
    names = base.class_names
    if kept is not None and labels is not None:
        labels = np.searchsorted(kept, labels).astype(np.int32)
        if test_labels is not None:
            test_labels = np.searchsorted(kept, test_labels).astype(np.int32)
        if left_labels is not None:
            left_labels = np.searchsorted(kept, left_labels).astype(np.int32)
        names = tuple(names[i] for i in kept)
    chosen = replace(
        base,
        pixels=_take(base.pixels, train),
        labels=labels,
        class_names=names,
        test_pixels=_take_some(base.test_pixels, test),
        test_labels=test_labels,
        left_pixels=None if left is None else base.pixels[left],
        left_labels=left_labels,
    )
    return chosen, train


def _chosen_from(load: Callable[[], Pictures], side: int, names: tuple[str, ...], classes: str, black: bool) -> Whole:
    """Of a set of `side` pixels whose classes have these names, the `classes` were chosen."""
    kept = chosen_classes(classes, len(names))
    return Whole(load, side, names, black, None if kept is None else tuple(kept))


def _resized(pictures: Pictures, side: int, black: bool) -> Pictures:
    test, left = pictures.test_pixels, pictures.left_pixels
    return replace(
        pictures,
        pixels=sized(pictures.pixels, side, black),
        test_pixels=None if test is None else sized(test, side, black),
        left_pixels=None if left is None else sized(left, side, black),
    )


# -- the data sets ------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _digits() -> Pictures:
    """scikit-learn's 8 x 8 digits at 28 x 28, with about MNIST's margin."""
    from sklearn.datasets import load_digits

    small, labels = load_digits(return_X_y=True)
    small = np.rint(small.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    # A black ring first, so that strokes at the edge of the 8 x 8 fade out instead of being cut off.
    small = np.pad(small, ((0, 0), (1, 1), (1, 1)))
    large = [np.asarray(Image.fromarray(image).resize((24, 24), Image.Resampling.BICUBIC)) for image in small]
    pixels = frozen(pad(np.stack(large)[..., None], 28))
    labels = frozen(np.asarray(labels, np.int32))
    train, test = slice(None, -DIGITS_TEST), slice(-DIGITS_TEST, None)
    return Pictures(pixels[train], labels[train], DIGIT_NAMES, pixels[test], labels[test])


def digits(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """1,500 hand-written digits that come with scikit-learn (and 297 held out), enlarged from 8 x 8."""
    side = _side(size, 28)
    whole = _chosen_from(_digits, 28, DIGIT_NAMES, classes, black=True)
    return _resized(replace(_selected(_digits(), n, rng, classes)[0], whole=whole), side, black=True)


def mnist(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """Hand-written digits, 28 x 28 x 1 (LeCun, Cortes, Burges)."""
    side = _side(size, 28)
    whole = _chosen_from(partial(known_set, "mnist"), 28, DIGIT_NAMES, classes, black=True)
    return _resized(replace(_selected(known_set("mnist"), n, rng, classes)[0], whole=whole), side, black=True)


def fashion_mnist(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """Clothes, 28 x 28 x 1 (arXiv 1708.07747)."""
    side = _side(size, 28)
    whole = _chosen_from(
        partial(known_set, "fashion_mnist"), 28, SOURCES["fashion_mnist"].class_names, classes, black=True
    )
    return _resized(replace(_selected(known_set("fashion_mnist"), n, rng, classes)[0], whole=whole), side, black=True)


def cifar10(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """Photographs of ten kinds, 32 x 32 x 3 (Krizhevsky, 2009)."""
    side = _side(size, 32)
    whole = _chosen_from(partial(known_set, "cifar10"), 32, SOURCES["cifar10"].class_names, classes, black=False)
    return _resized(replace(_selected(known_set("cifar10"), n, rng, classes)[0], whole=whole), side, black=False)


def _tints(count: int, seed: int) -> np.ndarray:
    """float32 [count, 3]: bright colours of full value, of any hue and of saturation 0.5 to 1; always the same."""
    rng = np.random.default_rng(seed)
    hue, saturation = rng.random(count), rng.uniform(0.5, 1.0, count)
    ramp = np.abs((hue[:, None] * 6 + [0, 4, 2]) % 6 - 3) - 1  # HSV to RGB
    return (1 - saturation[:, None] * (1 - np.clip(ramp, 0, 1))).astype(np.float32)


def _tinted(pixels: Pixels, tints: np.ndarray) -> Pixels:
    """uint8 [N, H, W, 1], float32 [N, 3] -> uint8 [N, H, W, 3]."""
    out = np.empty((*pixels.shape[:3], 3), np.uint8)
    for i in range(0, len(pixels), 4096):
        part = slice(i, i + 4096)
        out[part] = np.rint(pixels[part] * tints[part, None, None])
    return out


def _all_tinted() -> Pictures:
    """All of mnist_rgb."""
    base = known_set("mnist")
    return replace(
        base,
        pixels=_tinted(base.pixels, _tints(len(base), 0)),
        test_pixels=_tinted(base.known_tests, _tints(len(base.known_tests), 1)),
    )


def mnist_rgb(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """MNIST, 28 x 28 x 3: every digit has a bright colour of its own, the same one in every run."""
    side, base = _side(size, 28), known_set("mnist")
    gray, train = _selected(base, n, rng, classes)
    _, test = _of_classes(base, chosen_classes(classes, len(base.class_names)), classes)
    coloured = replace(
        gray,
        whole=_chosen_from(_all_tinted, 28, DIGIT_NAMES, classes, black=True),
        pixels=_tinted(gray.pixels, _take(_tints(len(base), 0), train)),
        test_pixels=_tinted(gray.known_tests, _take(_tints(len(base.known_tests), 1), test)),
    )
    return _resized(coloured, side, black=True)


def _stacks(pixels: Pixels, labels: Labels, n: int, rng: np.random.Generator) -> tuple[Pixels, Labels]:
    """n times three random images as the channels of one."""
    which = rng.integers(len(pixels), size=(n, 3))
    out = np.empty((n, *pixels.shape[1:3], 3), np.uint8)
    for channel in range(3):
        out[..., channel] = pixels[which[:, channel], ..., 0]
    return out, (labels[which] @ np.array([100, 10, 1])).astype(np.int32)


def stacked_mnist(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """Three random MNIST digits as the channels, 28 x 28 x 3: 1,000 modes (PacGAN, arXiv 1712.04086).

    `classes` restricts the digits that are stacked; there stay 1,000 classes.
    """
    side, base = _side(size, 28), known_set("mnist")
    train, test = _of_classes(base, chosen_classes(classes, len(base.class_names)), classes)
    # Resized before stacking: one channel of the digits, not three of the stacks.
    pixels, test_pixels = (
        sized(_take(base.pixels, train), side, black=True),
        sized(_take(base.known_tests, test), side, black=True),
    )
    stacks, labels = _stacks(pixels, _take(base.known_labels, train), n, rng)
    if len(test_pixels) and base.test_labels is not None:
        tests, test_labels = _stacks(test_pixels, _take(base.test_labels, test), len(test_pixels), rng)
    else:
        tests, test_labels = np.empty((0, side, side, 3), np.uint8), np.empty(0, np.int32)
    # the labels keep the digits' own numbers, whichever were chosen
    whole = _chosen_from(partial(known_set, "mnist"), 28, DIGIT_NAMES, "all", black=True)
    return Pictures(stacks, labels, STACK_NAMES, tests, test_labels, per_channel=True, whole=whole)


def _shapes(
    channels: int, native: int, n: int, rng: np.random.Generator, size: str, classes: str, **factors: int | float
) -> Pictures:
    side, kept = _side(size, native), chosen_classes(classes, len(SHAPE_NAMES))
    which = list(range(len(SHAPE_NAMES))) if kept is None else kept
    about = (factors["darkest"], factors["lightest"]), (factors["smallest"], factors["largest"])
    pixels, labels = draw_shapes(n, rng, side, channels, which, *about)
    tests, test_labels = draw_shapes(SHAPE_TESTS, rng, side, channels, which, *about)
    load = partial(_all_shapes, channels, native, tuple(sorted(factors.items())))
    whole = _chosen_from(load, native, SHAPE_NAMES, classes, black=False)
    return Pictures(pixels, labels, tuple(SHAPE_NAMES[i] for i in which), tests, test_labels, whole=whole)


@lru_cache(maxsize=2)
def _all_shapes(channels: int, native: int, factors: tuple[tuple[str, int | float], ...]) -> Pictures:
    """As many shapes as a classifier needs, always the same."""
    return _shapes(channels, native, SHAPES_FOR_ALL, np.random.default_rng(0), "native", "all", **dict(factors))


def shapes(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all", **factors: float) -> Pictures:
    """Gray circles, squares and triangles, 28 x 28 x 1 (shapes.py)."""
    return _shapes(1, 28, n, rng, size, classes, **factors)


def shapes_rgb(
    n: int, rng: np.random.Generator, size: str = "native", classes: str = "all", **factors: float
) -> Pictures:
    """The same in colour, 32 x 32 x 3."""
    return _shapes(3, 32, n, rng, size, classes, **factors)


def native_side(side: int) -> int:
    """The side at which the user's own pictures of `side` pixels are trained on as they come."""
    return side if side in SIDES else 28


def from_upload(
    upload: Pictures, n: int, rng: np.random.Generator, size: str = "native", classes: str = "all"
) -> Pictures:
    """The user's own pictures (image_files.py reads them), as a data set; native as in native_side."""
    native = native_side(upload.shape[0])
    side = _side(size, native)
    whole = _chosen_from(partial(_resized, upload, native, False), native, upload.class_names, classes, black=False)
    return _resized(replace(_selected(upload, n, rng, classes)[0], whole=whole), side, black=False)
