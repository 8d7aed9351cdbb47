"""What is accepted as the user's own images, and how what is not is said."""

import numpy as np

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.foundations.hyperparameters import ConfigError

MOST_BYTES = 50_000_000  # of an upload
MOST_UNPACKED = 1_000_000_000  # of what an archive holds, and of a file on the same machine
MOST_MEMBER = 50_000_000  # of one picture
MOST_ENTRIES = 200_000
MOST_PICTURES = 60_000
MOST_TESTS = 5_000  # held out
MOST_PIXELS = 1_000_000_000  # of all pictures of an archive: more would take minutes to decode
MOST_SIDE = 5_000
LEAST_SIDE = 8
STORED_SIDE = 64
MOST_CLASSES = 100
ACCEPTED = (
    "Accepted: a .zip, .tar or .tar.gz of images in any usual format; .npz, .npy, .mat or idx arrays of images; a CSV "
    f"of pixels; or a Parquet file of encoded images; {LEAST_PICTURES} images or more, {LEAST_SIDE} to {MOST_SIDE:,} "
    f"pixels wide and high, at most {MOST_BYTES // 1_000_000} MB."
)


class PictureError(ConfigError):
    """A file that cannot be used. The message says what was wrong and what is accepted."""

    def __init__(self, wrong: str):
        super().__init__(f"{wrong} {ACCEPTED}")


def many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def sample(count: int, most: int | None = None) -> np.ndarray:
    """Which of `count` pictures are kept, ascending: all, or a random MOST_PICTURES of them."""
    most = MOST_PICTURES if most is None else most
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def as_number(name: str) -> tuple[int, int, str]:
    """The sort key of a class's name: 10 after 9, and words after numbers."""
    digits = name.removeprefix("-")
    whole = digits.isascii() and digits.isdecimal() and len(digits) < 10
    return (0, int(name), name) if whole else (1, 0, name)
