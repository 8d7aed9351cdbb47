"""The files of known sets of images: which there are, where they lie on this machine, and how they are read.

Nothing is fetched here: that is download.py.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_core.data.memory_cache import Kept
from gan_core.data.pictures import Pictures
from gan_core.foundations.files import cache_folder, keras_folder
from gan_core.foundations.hyperparameters import ConfigError, shorten

DIGIT_NAMES = tuple("0123456789")


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
        parts += [frozen(x.reshape(len(x), *(*shape, 1)[:3])), frozen(y.reshape(-1).astype(np.int32))]
    return Pictures(parts[0], parts[1], SOURCES[name].class_names, parts[2], parts[3])


def frozen(array: np.ndarray) -> np.ndarray:
    """The array, from now on read-only: runs share it."""
    array.setflags(write=False)
    return array


_FILES = Kept()


def known_set(name: str) -> Pictures:
    """All images of a known set; raises MissingFile or ConfigError."""
    path = find_file(name)
    if path is None:
        raise MissingFile(name)
    about = path.stat()
    key = path, name, about.st_mtime_ns, about.st_size  # a replaced file is read again
    return _FILES.get(key, lambda: load_npz(path, name))
