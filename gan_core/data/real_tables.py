"""Small tables of real measurements that scikit-learn brings: any two of their columns are a set of points."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gan_core.data.dataset import Dataset
from gan_core.data.point_datasets import from_points
from gan_core.data.points import Data, OwnPoints
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter

IRIS = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
WINE = (
    *("alcohol (%)", "malic acid (g/l)", "ash (g/l)", "alcalinity of ash", "magnesium (mg/l)", "total phenols"),
    *(
        "flavanoids",
        "nonflavanoid phenols",
        "proanthocyanins",
        "color intensity",
        "hue",
        "OD280/OD315",
        "proline (mg/l)",
    ),
)
_CELL = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
)
BREAST_CANCER = tuple(
    f"{part} {what}" if part != "error" else f"{what} error"
    for part in ("mean", "error", "worst")
    for what in (*_CELL, "fractal dimension")
)


TABLES = {"iris": IRIS, "wine": WINE, "breast_cancer": BREAST_CANCER}  # the columns of each


def key(column: str) -> str:
    """A column's name as a setting: "sepal length (cm)" -> "sepal_length"."""
    return re.sub(r"\W+", "_", re.sub(r" \(.*\)", "", column)).lower()


def keys(columns: tuple[str, ...]) -> dict[str, str]:
    """Setting -> column, in the table's order."""
    return {key(column): column for column in columns}


def places(columns: tuple[str, ...], x: str, y: str) -> tuple[int, int]:
    """The numbers of two columns, by their settings; raises ConfigError where they are the same."""
    if x == y:
        raise ConfigError(f"data.x and data.y are both {x}: choose two different columns.")
    known = list(keys(columns))
    return known.index(x), known.index(y)


def _points(name: str, n: int, rng: np.random.Generator, x: str, y: str) -> Data:
    """n rows of the table, each at most once, with the scale of all."""
    from sklearn import datasets

    columns = TABLES[name]
    loader: Callable[[], Any] = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast_cancer": datasets.load_breast_cancer,
    }[name]
    table: Any = loader()
    which = places(columns, x, y)
    names = tuple(str(kind) for kind in table.target_names)
    axes = (columns[which[0]], columns[which[1]])
    points = table.data[:, list(which)].astype(np.float32)
    whole = from_points(OwnPoints(points, table.target.astype(np.int32), names, axes))
    rows = rng.permutation(len(points))[:n]
    return replace(whole, points=points[rows], labels=table.target.astype(np.int32)[rows])


def iris(n: int, rng: np.random.Generator, x: str = "petal_length", y: str = "petal_width") -> Data:
    """Fisher's 150 irises of three species (Annals of Eugenics 7, 1936)."""
    return _points("iris", n, rng, x, y)


def wine(n: int, rng: np.random.Generator, x: str = "alcohol", y: str = "flavanoids") -> Data:
    """178 wines of three cultivars (Forina et al., UCI Machine Learning Repository, 1991)."""
    return _points("wine", n, rng, x, y)


def breast_cancer(n: int, rng: np.random.Generator, x: str = "mean_radius", y: str = "mean_texture") -> Data:
    """569 breast masses, benign and malignant (Street, Wolberg and Mangasarian, 1993)."""
    return _points("breast_cancer", n, rng, x, y)


# -- the registry's rows ------------------------------------------------------------------------------------


def _measured(draw: Callable[..., Data], description: str, columns: tuple[str, ...], most: int) -> Dataset:
    """A table of real measurements; x and y are any two of its columns."""
    default = inspect.signature(draw).parameters

    def axis(name: str) -> Hyperparameter:
        text = f"The column that is {name}. Each axis is scaled by its own span."
        return Hyperparameter(str, default[name].default, f"Column for {name}", text, choices=keys(columns))

    return Dataset(draw, description, {"x": axis("x"), "y": axis("y")}, most=most)


REAL_TABLES: dict[str, Dataset] = {
    "iris": _measured(iris, "150 irises of three species: two of four lengths", IRIS, 150),
    "wine": _measured(wine, "178 wines of three cultivars: two of 13 analyses", WINE, 178),
    "breast_cancer": _measured(breast_cancer, "569 breast masses: two of 30 measures", BREAST_CANCER, 569),
}
