"""The data of a run: loaded once and shared, with what they take of the memory known before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gan_core.data import image_datasets
from gan_core.data.datasets import DATASETS
from gan_core.data.memory_cache import Kept
from gan_core.data.own_files import uploads
from gan_core.data.pictures import Pictures
from gan_core.data.point_datasets import from_points
from gan_core.data.points import Data
from gan_core.foundations.hyperparameters import ConfigError, Settings
from gan_core.foundations.machine import data_memory

MOST_CLASSES = 100  # that both networks can be told
_SETS = Kept()


def forget() -> None:
    """Has every data set made anew when it is asked for next."""
    _SETS.clear()


def draw(name: str, n: int, seed: int, params: dict[str, Any]) -> Data | Pictures:
    """n samples of the data set `name`; the same arguments give the same ones in every process.

    Raises ConfigError where a file is missing or cannot be used (image_sources.MissingFile: could be downloaded).
    """
    key = name, n, seed, tuple(sorted(params.items()))
    return _SETS.get(key, lambda: DATASETS[name].draw(n, np.random.default_rng([seed, 0]), **params))


def load(config: Settings, upload: Any = None) -> Data | Pictures:
    """The data of a config. upload: the user's own, for the sets that are a file.

    Raises ConfigError, also where it would not fit beside the data sets that this process holds.
    """
    row = DATASETS[config.data]
    key = _key(config, upload)
    if _SETS.find(key) is None:
        _check_room(config, upload)
    if not row.upload:
        return draw(config.data, config.data_size, config.seed, config.params())
    if row.kind == "points":
        return _SETS.get(key, lambda: from_points(upload))
    rng, params = np.random.default_rng([config.seed, 0]), dict(config.data_params)
    return _SETS.get(key, lambda: image_datasets.from_upload(upload, config.data_size, rng, **params))


def _key(config: Settings, upload: Any) -> tuple:
    """What the data of a config depend on: two configs with the same key share one data set."""
    if not DATASETS[config.data].upload:
        return config.data, config.data_size, config.seed, tuple(sorted(config.params().items()))
    return config.data, config.data_size, config.seed, config.data_params, uploads.name_of(upload)


def extent(config: Settings, upload: Any = None) -> tuple[tuple[int, ...], int]:
    """(the shape of one sample, the bytes of the whole set at most), without loading anything; raises ConfigError."""
    row = DATASETS[config.data]
    if row.upload and upload is None:
        raise ConfigError(f"The data set {config.data} needs a file: {row.description}.")
    if row.kind == "points":
        return row.native, 8 * (len(upload) if row.upload else min(config.data_size, row.most or config.data_size))
    shape, most, tests = sample_shape(config), row.most, row.tests
    if row.upload:
        if config.params().get("size", "native") == "native":
            shape = (image_datasets.native_side(upload.shape[0]),) * 2
        shape = (*shape[:2], upload.shape[2])
        most, tests = len(upload), 0 if upload.test_pixels is None else len(upload.test_pixels)
        if upload.test_pixels is None:  # what is left out of training is held out
            tests = min(image_datasets.LEFT, max(0, most - config.data_size))
    count = (config.data_size if most is None else min(config.data_size, most)) + tests
    return shape, count * (math.prod(shape) + 4)  # uint8, and an int32 for the class


def training_bytes(configs: Sequence[Settings], upload: Any = None) -> int:
    """What a training process holds of the data of these racers, at most: each set once, and for each racer what
    TensorFlow makes of it."""
    sets = {_key(config, upload): extent(config, upload)[1] for config in configs}
    return sum(sets.values()) + sum(sets[_key(config, upload)] for config in configs)


def _check_room(config: Settings, upload: Any) -> None:
    needed, most = extent(config, upload)[1], data_memory()
    if needed + _SETS.bytes() > most:
        _SETS.drop()  # what nobody uses makes room
    used = _SETS.bytes()
    if needed + used > most:
        raise ConfigError(
            f"This data set would take {needed / 1e9:,.1f} GB of memory; all open data sets together may take "
            f"{most / 1e9:,.1f} GB here, of which {used / 1e9:,.1f} GB are in use. Choose fewer training samples or a "
            "smaller image size."
        )


def sample_shape(config: Settings) -> tuple[int, ...]:
    """The shape of one sample, without loading anything; (28, 28, 1) for a user's pictures in their own size."""
    native, size = DATASETS[config.data].native, config.params().get("size", "native")
    return native if size == "native" else (int(size), int(size), native[2])


def class_count(config: Settings, data: Data | Pictures) -> int:
    """How many classes both networks are told, 0 without; raises ConfigError where the data cannot give them."""
    if not config.conditional:
        return 0
    n = len(data.class_names)
    if data.labels is None or not 2 <= n <= MOST_CLASSES:
        have = "no classes" if data.labels is None else f"{n:,}"
        raise ConfigError(f"Conditional training needs data of 2 to {MOST_CLASSES} classes; {config.data} has {have}.")
    return n
