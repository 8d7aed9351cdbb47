"""The data sets of images. Each is a function `(n, rng, size, classes) -> Pictures`; datasets.py registers them.

Files of known sets are found on this machine (`find_file`), never fetched here: that is download.py.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from gan_core.data.memory_cache import Kept
from gan_core.foundations.files import cache_folder, keras_folder
from gan_core.foundations.hyperparameters import ConfigError, shorten

Pixels = np.ndarray  # uint8 [N, H, W, C]
Labels = np.ndarray  # int32 [N]

SIZES = ("native", "28", "32", "64")
LEAST_PICTURES = 16
DIGITS_TEST = 297  # of scikit-learn's 1,797 digits
DIGIT_NAMES = tuple("0123456789")
STACK_NAMES = tuple(f"{i:03d}" for i in range(1000))


@dataclass(frozen=True)
class Source:
    """A known file: the shape of one of its images, where it is from, its classes, and the download's size."""

    shape: tuple[int, ...]
    url: str
    class_names: tuple[str, ...]
    megabytes: int


SOURCES: dict[str, Source] = {
    "mnist": Source((28, 28), "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz", DIGIT_NAMES, 11),
    "fashion_mnist": Source(
        (28, 28),
        "https://github.com/zalandoresearch/fashion-mnist",
        (
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        31,
    ),
    "cifar10": Source(
        (32, 32, 3),
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        170,
    ),
}


class MissingFile(ConfigError):
    """The file of the data set `name` is not on this machine; the message says where to put it."""

    def __init__(self, name: str):
        super().__init__(f"{name} is not on this machine. {by_hand(name)}")
        self.name = name

    def __reduce__(self):  # else unpickling would call it with the message
        return MissingFile, (self.name,)


def by_hand(name: str) -> str:
    """The sentence that says how to bring the file of `name` here by hand."""
    what = "" if SOURCES[name].url.endswith(".npz") else " (arrays x_train, y_train, x_test, y_test)"
    return (
        f"Without internet, choose the data set digits. Or copy {name}.npz{what}, from {SOURCES[name].url}, into "
        f"~/.keras/datasets or the folder that GANSCOPE_DATA names, and try again."
    )


@dataclass(frozen=True, eq=False)
class Whole:
    """The set that images were chosen from, for what must be the same whatever was chosen (classifier.py).

    load: () -> all of its images, with all classes, `side` pixels a side. class_names: of all its classes. kept: which
    of them the classes 0, 1, ... of the chosen images are; None: all, in their order. black: on a black ground, which
    `_sized` widens.
    """

    load: "Callable[[], Pictures]"
    side: int
    class_names: tuple[str, ...]
    black: bool
    kept: tuple[int, ...] | None = None

    def native(self, pixels: Pixels) -> Pixels:
        """uint8 [N, H, W, C] of any size that was chosen -> [N, side, side, C]: `_sized` undone."""
        if self.black and self.side == 28 and pixels.shape[1] in (32, 64):
            return resize(pixels, 32)[:, 2:-2, 2:-2]
        return resize(pixels, self.side)


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Pictures:
    """Images and what is known of them.

    pixels: uint8 [N, H, W, C], C 1 or 3. labels: int32 [N] in 0..len(class_names) - 1, or None.
    test_pixels, test_labels: held-out images of the same classes (empty or None where there are none).
    per_channel: each channel is a gray picture of its own (stacked_mnist), label = 100 R + 10 G + B.
    whole: the set that they were chosen from (of stacks: the gray ones); None where these are all.
    """

    kind: ClassVar[str] = "images"

    pixels: Pixels
    labels: Labels | None = None
    class_names: tuple[str, ...] = ()
    test_pixels: Pixels | None = None
    test_labels: Labels | None = None
    per_channel: bool = False
    whole: Whole | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C), the shape of one sample."""
        return self.pixels.shape[1:]

    @property
    def array(self) -> Pixels:
        """What training gathers its batches from; to_unit() turns a batch into training units."""
        return self.pixels

    @property
    def known_labels(self) -> Labels:
        """`labels`, where there are some; raises ValueError for images without."""
        if self.labels is None:
            raise ValueError("these images have no labels")
        return self.labels

    @property
    def known_tests(self) -> Pixels:
        """`test_pixels`; an empty array where there are none."""
        return self.pixels[:0] if self.test_pixels is None else self.test_pixels

    def to_unit(self, pixels: Pixels) -> np.ndarray:
        """uint8 [..., H, W, C] -> float32 in [-1, 1]."""
        unit = np.asarray(pixels).astype(np.float32)
        unit /= 127.5
        unit -= 1
        return unit

    def from_unit(self, unit: np.ndarray) -> Pixels:
        """float [..., H, W, C] -> uint8, clipped and rounded; NaN becomes gray."""
        values = np.nan_to_num(np.asarray(unit, np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
        return np.rint(np.clip(values, -1, 1) * 127.5 + 127.5).astype(np.uint8)


# -- files --------------------------------------------------------------------------------------------------


def find_file(name: str) -> Path | None:
    """The file of a known set: in $GANSCOPE_DATA, Keras's folder or our cache, in this order; or None.

    Raises ConfigError if GANSCOPE_DATA names no folder.
    """
    folders = [keras_folder(), cache_folder()]
    if os.environ.get("GANSCOPE_DATA"):
        own = Path(os.environ["GANSCOPE_DATA"]).expanduser().absolute()
        if not own.is_dir():
            raise ConfigError(f"GANSCOPE_DATA must name a folder that exists; {shorten(str(own), 200)} does not exist.")
        folders.insert(0, own)
    return next((folder / f"{name}.npz" for folder in folders if (folder / f"{name}.npz").is_file()), None)


def load_npz(path: Path, name: str) -> Pictures:
    """All images of the file of a known set, in its own size; raises ConfigError."""
    shape = SOURCES[name].shape

    def refuse(wrong: str) -> ConfigError:
        sides = " x ".join(map(str, shape))
        return ConfigError(
            f"{path} {wrong}. Expected: a .npz file with the uint8 arrays x_train and x_test, each N x {sides}, and "
            f"their classes y_train and y_test, whole numbers from 0 to 9."
        )

    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in ("x_train", "y_train", "x_test", "y_test") if key not in file]
            if missing:
                raise refuse(f"has no {' and no '.join(missing)}")
            arrays = {key: file[key] for key in ("x_train", "y_train", "x_test", "y_test")}
    except ConfigError:
        raise
    except Exception:  # zipfile's, zlib's and NumPy's readers raise anything on damaged bytes
        raise refuse("cannot be read: it is not a .npz file, is damaged, or holds Python objects") from None
    parts = []
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.ndim != len(shape) + 1 or x.shape[1:] != shape:
            raise refuse(f"has an x_{part} of {x.dtype} and shape {x.shape}")
        if y.shape not in ((len(x),), (len(x), 1)):
            raise refuse(f"has {len(x):,} images in x_{part} and a y_{part} of shape {y.shape}")
        if y.dtype.kind not in "iu" or (y.size and (y.min() < 0 or y.max() > 9)):
            raise refuse(f"has other classes than 0 to 9 in y_{part}")
        parts += [_frozen(x.reshape(len(x), *(*shape, 1)[:3])), _frozen(y.reshape(-1).astype(np.int32))]
    return Pictures(parts[0], parts[1], SOURCES[name].class_names, parts[2], parts[3])


def _frozen(array: np.ndarray) -> np.ndarray:
    """The array, from now on read-only: runs share it."""
    array.setflags(write=False)
    return array


_FILES = Kept()


def _known(name: str) -> Pictures:
    """All images of a known set; raises MissingFile or ConfigError."""
    path = find_file(name)
    if path is None:
        raise MissingFile(name)
    about = path.stat()
    key = path, name, about.st_mtime_ns, about.st_size  # a replaced file is read again
    return _FILES.get(key, lambda: load_npz(path, name))


# -- sizes and classes --------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _weights(old: int, new: int) -> np.ndarray:
    """float32 [new, old]: bilinear interpolation; when reducing, the triangle spans all that is covered."""
    scale = max(old / new, 1.0)
    centre = (np.arange(new) + 0.5) * old / new - 0.5
    weight = np.maximum(0.0, 1 - np.abs(centre[:, None] - np.arange(old)) / scale)
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def resize(pixels: Pixels, side: int) -> Pixels:
    """uint8 [N, H, W, C] -> [N, side, side, C], bilinear; the array itself where nothing is to do."""
    n, height, width, channels = pixels.shape
    if (height, width) == (side, side):
        return pixels
    rows, columns = _weights(height, side), _weights(width, side)
    out = np.empty((n, side, side, channels), np.uint8)
    step = max(1, 4_000_000 // max(height * width * channels, side * side * channels))  # bounds the memory
    for i in range(0, n, step):
        # [n, H, W C] -> [n, side, W C], then [n side, W, C] -> [n side, side, C]: both matrix products
        part = pixels[i : i + step].astype(np.float32).reshape(-1, height, width * channels)
        part = columns @ (rows @ part).reshape(-1, width, channels)
        out[i : i + step] = np.rint(part).reshape(-1, side, side, channels)  # a mean of 0..255 stays inside
    return out


def _pad(pixels: Pixels, side: int) -> Pixels:
    """The images in the middle of black ones of `side`."""
    before = (side - pixels.shape[1]) // 2
    after = side - pixels.shape[1] - before
    return np.pad(pixels, ((0, 0), (before, after), (before, after), (0, 0)))


def _sized(pixels: Pixels, side: int, black: bool) -> Pixels:
    """The images at `side`. On a black ground 28 become 32 by a black margin, which keeps every pixel as it is."""
    if black and pixels.shape[1] == 28 and side in (32, 64):
        pixels = _pad(pixels, 32)
    return resize(pixels, side)


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
    if count > n:
        some = np.sort(rng.choice(count, n, replace=False))
        train = some if train is None else train[some]
    labels, test_labels = _take_some(base.labels, train), _take_some(base.test_labels, test)
    names = base.class_names
    if kept is not None and labels is not None:
        labels = np.searchsorted(kept, labels).astype(np.int32)
        if test_labels is not None:
            test_labels = np.searchsorted(kept, test_labels).astype(np.int32)
        names = tuple(names[i] for i in kept)
    chosen = replace(
        base,
        pixels=_take(base.pixels, train),
        labels=labels,
        class_names=names,
        test_pixels=_take_some(base.test_pixels, test),
        test_labels=test_labels,
    )
    return chosen, train


def _chosen_from(load: Callable[[], Pictures], side: int, names: tuple[str, ...], classes: str, black: bool) -> Whole:
    """Of a set of `side` pixels whose classes have these names, the `classes` were chosen."""
    kept = chosen_classes(classes, len(names))
    return Whole(load, side, names, black, None if kept is None else tuple(kept))


def _resized(pictures: Pictures, side: int, black: bool) -> Pictures:
    test = pictures.test_pixels
    return replace(
        pictures,
        pixels=_sized(pictures.pixels, side, black),
        test_pixels=None if test is None else _sized(test, side, black),
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
    pixels = _frozen(_pad(np.stack(large)[..., None], 28))
    labels = _frozen(np.asarray(labels, np.int32))
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
    whole = _chosen_from(partial(_known, "mnist"), 28, DIGIT_NAMES, classes, black=True)
    return _resized(replace(_selected(_known("mnist"), n, rng, classes)[0], whole=whole), side, black=True)


def fashion_mnist(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """Clothes, 28 x 28 x 1 (arXiv 1708.07747)."""
    side = _side(size, 28)
    whole = _chosen_from(
        partial(_known, "fashion_mnist"), 28, SOURCES["fashion_mnist"].class_names, classes, black=True
    )
    return _resized(replace(_selected(_known("fashion_mnist"), n, rng, classes)[0], whole=whole), side, black=True)


def cifar10(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """Photographs of ten kinds, 32 x 32 x 3 (Krizhevsky, 2009)."""
    side = _side(size, 32)
    whole = _chosen_from(partial(_known, "cifar10"), 32, SOURCES["cifar10"].class_names, classes, black=False)
    return _resized(replace(_selected(_known("cifar10"), n, rng, classes)[0], whole=whole), side, black=False)


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
    base = _known("mnist")
    return replace(
        base,
        pixels=_tinted(base.pixels, _tints(len(base), 0)),
        test_pixels=_tinted(base.known_tests, _tints(len(base.known_tests), 1)),
    )


def mnist_rgb(n: int, rng: np.random.Generator, size: str = "native", classes: str = "all") -> Pictures:
    """MNIST, 28 x 28 x 3: every digit has a bright colour of its own, the same one in every run."""
    side, base = _side(size, 28), _known("mnist")
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
    side, base = _side(size, 28), _known("mnist")
    train, test = _of_classes(base, chosen_classes(classes, len(base.class_names)), classes)
    # Resized before stacking: one channel of the digits, not three of the stacks.
    pixels, test_pixels = (
        _sized(_take(base.pixels, train), side, black=True),
        _sized(_take(base.known_tests, test), side, black=True),
    )
    stacks, labels = _stacks(pixels, _take(base.known_labels, train), n, rng)
    if len(test_pixels) and base.test_labels is not None:
        tests, test_labels = _stacks(test_pixels, _take(base.test_labels, test), len(test_pixels), rng)
    else:
        tests, test_labels = np.empty((0, side, side, 3), np.uint8), np.empty(0, np.int32)
    # the labels keep the digits' own numbers, whichever were chosen
    whole = _chosen_from(partial(_known, "mnist"), 28, DIGIT_NAMES, "all", black=True)
    return Pictures(stacks, labels, STACK_NAMES, tests, test_labels, per_channel=True, whole=whole)


def from_upload(
    upload: Pictures, n: int, rng: np.random.Generator, size: str = "native", classes: str = "all"
) -> Pictures:
    """The user's own pictures (image_files.py reads them), as a data set; native is 28, or 32 or 64 as they are."""
    native = upload.shape[0] if upload.shape[0] in (32, 64) else 28
    side = _side(size, native)
    whole = _chosen_from(partial(_resized, upload, native, False), native, upload.class_names, classes, black=False)
    return _resized(replace(_selected(upload, n, rng, classes)[0], whole=whole), side, black=False)
