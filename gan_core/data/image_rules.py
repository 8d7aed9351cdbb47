"""What is accepted as the user's own images, and how what is not is said."""

import numpy as np

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.foundations.hyperparameters import ConfigError

MOST_BYTES = 50_000_000
MOST_UNPACKED = 1_000_000_000
MOST_MEMBER = 50_000_000  # of a zip of pictures
MOST_ENTRIES = 200_000
MOST_PICTURES = 60_000
MOST_PIXELS = 1_000_000_000  # of all pictures of a zip: more would take minutes to decode
MOST_SIDE = 5_000
LEAST_SIDE = 8
STORED_SIDE = 64
MOST_CLASSES = 100
IMAGE_ARRAYS = ("x_train", "images", "x", "data")
LABEL_ARRAYS = ("y_train", "labels", "y")
SUFFIXES = (".png", ".jpg", ".jpeg")
ACCEPTED = (
    f"Accepted: a .npz file with an array of N x H x W or N x H x W x C images (C 1 or 3), or a .zip of PNG and JPEG "
    f"files; {LEAST_PICTURES} images or more, {LEAST_SIDE} to {MOST_SIDE:,} pixels wide and high, at most "
    f"{MOST_BYTES // 1_000_000} MB."
)


class PictureError(ConfigError):
    """A file that cannot be used. The message says what was wrong and what is accepted."""

    def __init__(self, wrong: str):
        super().__init__(f"{wrong} {ACCEPTED}")


def many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def sample(count: int) -> tuple[np.ndarray, list[str]]:
    """Which of `count` pictures are kept, ascending, with a note if not all are."""
    if count <= MOST_PICTURES:
        return np.arange(count), []
    some = np.sort(np.random.default_rng(0).choice(count, MOST_PICTURES, replace=False))
    return some, [f"{count:,} images; a random {MOST_PICTURES:,} of them are used."]
