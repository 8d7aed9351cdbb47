"""The data sets: `DATASETS` is their registry, of points (point_datasets.py), images (image_datasets.py), drawings and
the user's own files.

A new data set is one function and one row beside it: the selectbox, its sliders, the command line and the tests find it
here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gan_core.data import drawing, image_datasets, image_sources
from gan_core.data.dataset import Dataset
from gan_core.data.pictures import Pictures
from gan_core.data.point_datasets import POINT_DATASETS
from gan_core.data.points import Data, as_points
from gan_core.data.real_tables import REAL_TABLES
from gan_core.data.shapes import FACTORS, SHAPE_NAMES
from gan_core.foundations.hyperparameters import Hyperparameter

__all__ = ["DATASETS", "Data", "Dataset"]


def drawn(n: int, rng: np.random.Generator, start: str = "none", strokes: str = drawing.HEART) -> Data:
    """What somebody has drawn (drawing.py), on top of another data set or on an empty plane."""
    given = None if start == "none" else as_points(DATASETS[start].draw(n, rng)).array
    return drawing.drawn(n, rng, given, strokes)


def _uploaded(n: int, rng: np.random.Generator) -> Any:
    raise LookupError("The file's points travel beside the config; from_points() takes them.")


def _pictures(draw: Callable[..., Pictures], description: str, native=(28, 28, 1), knobs=None, **rest) -> Dataset:
    """A set of images; all have the same parameters, and some have `knobs` of their own."""
    knobs = {
        **(knobs or {}),
        "size": Hyperparameter(
            str,
            "native",
            "Image size (pixels)",
            "Images are resized to this width and height. Twice the size takes about four times as long.",
            choices={"native": "original size", "28": "28 x 28", "32": "32 x 32", "48": "48 x 48", "64": "64 x 64"},
        ),
        "classes": Hyperparameter(
            str,
            "all",
            "Classes",
            "Trains on these classes only. Fewer are learned sooner.",
            pattern=r"all|\d{1,3}(,\d{1,3})*",
            form="all, or class numbers separated by commas such as 3,8",
        ),
    }
    return Dataset(draw, description, knobs, kind="images", native=native, **rest)


DATASETS: dict[str, Dataset] = {
    **POINT_DATASETS,
    **REAL_TABLES,
    "drawn": Dataset(
        drawn,
        "what you draw yourself",
        {
            "start": Hyperparameter(
                str,
                "none",
                "Start from",
                "A data set that the strokes are drawn on; the eraser takes parts of it away. none: an empty plane.",
                choices={"none": "an empty plane"} | {name: row.description for name, row in POINT_DATASETS.items()},
            ),
            "strokes": drawing.STROKES,
        },
    ),
    "file": Dataset(_uploaded, "your own table, two columns of it: CSV, Excel, Parquet, JSON, NumPy", upload=True),
    "digits": _pictures(
        image_datasets.digits,
        "1,797 small handwritten digits; needs no internet",
        class_names=image_sources.DIGIT_NAMES,
        most=1_797 - image_datasets.DIGITS_TEST,
        tests=image_datasets.DIGITS_TEST,
    ),
    "mnist": _pictures(
        image_datasets.mnist,
        "70,000 handwritten digits, 28 x 28",
        class_names=image_sources.DIGIT_NAMES,
        most=60_000,
        tests=10_000,
    ),
    "fashion_mnist": _pictures(
        image_datasets.fashion_mnist,
        "70,000 pieces of clothing, 28 x 28",
        class_names=image_sources.SOURCES["fashion_mnist"].class_names,
        most=60_000,
        tests=10_000,
    ),
    "mnist_rgb": _pictures(
        image_datasets.mnist_rgb,
        "MNIST, each digit in its own colour",
        (28, 28, 3),
        class_names=image_sources.DIGIT_NAMES,
        most=60_000,
        tests=10_000,
    ),
    "stacked_mnist": _pictures(
        image_datasets.stacked_mnist,
        "three digits as red, green and blue: 1,000 modes",
        (28, 28, 3),
        class_names=image_sources.DIGIT_NAMES,
        tests=10_000,
    ),
    "cifar10": _pictures(
        image_datasets.cifar10,
        "60,000 photographs of ten classes, 32 x 32 in colour; hard",
        (32, 32, 3),
        class_names=image_sources.SOURCES["cifar10"].class_names,
        most=50_000,
        tests=10_000,
    ),
    "shapes": _pictures(
        image_datasets.shapes,
        "circles, squares and triangles in random place, size and tone; needs no internet",
        knobs=FACTORS,
        class_names=SHAPE_NAMES,
        tests=image_datasets.SHAPE_TESTS,
    ),
    "shapes_rgb": _pictures(
        image_datasets.shapes_rgb,
        "the same in colour, 32 x 32; needs no internet",
        (32, 32, 3),
        FACTORS,
        class_names=SHAPE_NAMES,
        tests=image_datasets.SHAPE_TESTS,
    ),
    "picture_file": _pictures(_uploaded, "your own images: a .zip or folder of them, or arrays", upload=True),
}
