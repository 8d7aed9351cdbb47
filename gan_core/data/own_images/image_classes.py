"""The classes of a user's arrays: which array says them, in whatever form, and what their words mean."""

from __future__ import annotations

import re

import numpy as np

from gan_core.data.own_images.image_arrays import Stored
from gan_core.data.own_images.image_layout import layouts
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_CLASSES
from gan_core.foundations.hyperparameters import shorten

TRAIN = frozenset({"train", "training", "trainset"})
HELD = frozenset(
    ("test", "testing", "tests", "val", "valid", "validation", "dev", "eval", "t10k", "publictest", "privatetest")
)
LABELS = frozenset(["y", "label", "labels", "target", "targets", "class", "classes", "category", "emotion", "digit"])
SOLE = "label "  # before the name of the one column beside the pixels of a table
NAMES = frozenset({"names", "name", "classes"})


def words(key: str) -> list[str]:
    """The words of an array's or a folder's name: trainImages_2 -> train, images."""
    return re.findall(r"t10k|[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", key).lower())


def is_held(key: str) -> bool:
    """Whether what has this name is of a validation or test part."""
    return bool(HELD.intersection(words(key)))


def is_label(key: str) -> bool:
    """Whether an array or a column is called a label by whoever made it."""
    return bool(LABELS.intersection(words(key.removeprefix(SOLE))))


def length(shape: tuple[int, ...]) -> int:
    """Of a column of labels [N], [N, 1], [1, N] or one-hot [N, K]."""
    return max(shape) if len(shape) == 2 and min(shape) == 1 else shape[0] if shape else 0


def label_keys(arrays: dict[str, Stored], key: str) -> list[str]:
    """The arrays that may be the classes of the array `key`, the likeliest first."""
    counts = {way.count for way in layouts(arrays[key].shape)}
    wide = {array for array, stored in arrays.items() if stored.numeric and len(stored.shape) > 2}

    def part(name: str) -> frozenset[str]:
        return (TRAIN | HELD).intersection(words(name))

    def may(other: str) -> bool:
        stored = arrays[other]
        if (
            other == key
            or other in wide
            or not stored.shape
            or len(stored.shape) > 2
            or length(stored.shape) not in counts
        ):
            return False
        said = bool(LABELS.intersection(words(other)))
        one = min(stored.shape) == 1 or all(n <= MOST_CLASSES for n in stored.shape[1:])
        return one and not is_held(other) and (said or stored.dtype.kind in "buiU" or stored.dtype.kind == "S")

    found = [other for other in arrays if may(other)]
    return sorted(found, key=lambda o: (not LABELS.intersection(words(o)), part(o) != part(key)))


def class_names(arrays: dict[str, Stored], keys: list[str], count: int, reading: Reading) -> list[str | None] | None:
    """A class's name for each of `count` pictures, from one of the arrays `keys`; None where they have none."""
    keys = [key for key in keys if length(arrays[key].shape) == count]
    if not keys:
        for key, stored in arrays.items():
            if LABELS.intersection(words(key)) and not is_held(key) and stored.shape and length(stored.shape) != count:
                reading.say(
                    f"The array {shorten(key)} is not used as classes: it has {length(stored.shape):,} entries for "
                    f"{count:,} images."
                )
        return None
    key = label_of(keys, reading)
    if key not in arrays:
        return None
    names, why = classes_of(arrays[key], is_sure(key, reading))
    if names is None:
        reading.say(f"The array {shorten(key)} is not used as classes: {why}.")
        return None
    reading.say(f"The classes are those of {shorten(key)}.")
    return named(names, arrays, reading)


def label_of(keys: list[str], reading: Reading) -> str:
    """Which of these arrays or columns, the likeliest first, says the classes, or "none"."""
    if "classes_from" in reading.questions:  # which column it is was asked before the arrays were made
        return reading.questions["classes_from"].chosen
    options = {key: key for key in keys} | {"none": "no classes"}
    # An age or the number of a picture is no class: of several arrays one has to be called a label to be guessed.
    said = is_label(keys[0]) or len(keys) == 1
    guess = keys[0] if said else "none"
    key = reading.ask("classes_from", "Classes from", options, guess, "Which array says the class of each image.")
    if not said and "classes_from" not in reading.choices:
        some = ", ".join(shorten(key) for key in keys[:4]) + ", ..." * (len(keys) > 4)
        reading.say(f"No classes are taken: {some} may say them, and none is called a label.")
    return key


def is_sure(key: str, reading: Reading) -> bool:
    """Whether an array or column says classes for sure: its name or the user says so."""
    return is_label(key) or reading.choices.get("classes_from") == key


def too_many(different: int, count: int) -> str:
    """Why values are no classes of `count` images, most of which have one alone; "" where they may be."""
    return f"its {different:,} different values for {count:,} images are none" if different > count / 2 else ""


def classes_of(stored: Stored, sure: bool) -> tuple[list[str | None] | None, str]:
    """(a class's name for each picture, None where these are no classes; why not).

    sure: something says that they are classes, or they are of a test part; else few values must have most pictures.
    """
    wanted = f"it is not one class per image, with 2 to {MOST_CLASSES} different ones"
    if stored.unread:
        return None, f"it holds {stored.unread}"
    values = stored.read()
    if values.ndim == 2 and min(values.shape) > 1:
        if (
            values.dtype.kind not in "buif"
            or not ((values == 0) | (values == 1)).all()
            or not (values.sum(1) == 1).all()
        ):
            return None, wanted
        values = values.argmax(1)
    values = values.reshape(-1)
    if values.dtype.kind == "S":
        values = np.array([text.decode("utf-8", "replace") for text in values.tolist()], np.str_)
    if values.dtype.kind == "f":
        if not (np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2**53)).all():
            return None, wanted
        values = values.astype(np.int64)
    if values.dtype.kind not in "buiU":
        return None, wanted
    different = np.unique(values)
    if not sure and (why := too_many(len(different), len(values))):
        return None, why
    if len(different) < 2 or (len(different) > MOST_CLASSES and len(different) > len(values) / 2):
        return None, wanted
    return [str(value).strip() for value in values.tolist()], ""


def named(names: list[str | None], arrays: dict[str, Stored], reading: Reading) -> list[str | None]:
    """The classes by the names that an array of the file lists, where they are numbers from 0 on."""
    if not all(name is not None and name.isdecimal() for name in set(names)):
        return names
    most = max(int(name or 0) for name in set(names))
    for key, stored in arrays.items():
        if (
            stored.dtype.kind == "U"
            and len(stored.shape) == 1
            and NAMES.intersection(words(key))
            and stored.shape[0] > most
        ):
            listed = [str(name).strip() for name in stored.read().tolist()]
            if len(set(listed)) == len(listed):
                reading.say(f"The classes' names are those of {shorten(key)}.")
                return [listed[int(name or 0)] for name in names]
    return names


def test_label_keys(arrays: dict[str, Stored], key: str, count: int) -> list[str]:
    return [
        other
        for other, stored in arrays.items()
        if other != key
        and is_held(other)
        and len(stored.shape) in (1, 2)
        and length(stored.shape) == count
        and (LABELS.intersection(words(other)) or len(stored.shape) == 1)
    ]
