"""Pictures from a user's arrays: which of them holds pictures, which the classes, which a test part."""

from __future__ import annotations

import numpy as np

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.data.own_images.image_arrays import Stored, in_memory
from gan_core.data.own_images.image_classes import (
    HELD,
    LABELS,
    TRAIN,
    class_names,
    classes_of,
    is_held,
    label_keys,
    length,
    named,
    test_label_keys,
    words,
)
from gan_core.data.own_images.image_layout import Layout, layouts, smoother
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_PICTURES, MOST_TESTS, PictureError, many, sample
from gan_core.data.own_images.image_values import converted, gray_if_all, size_note, value_range
from gan_core.data.pictures import Pictures
from gan_core.foundations.hyperparameters import shorten

PICTURES = ("x", "images", "image", "data", "pixels", "pictures")


def from_arrays(arrays: dict[str, Stored], reading: Reading) -> Pictures:
    """The pictures of a file's arrays, with their classes; raises PictureError."""
    key = _picture_key(arrays, reading)
    stored = arrays[key]
    labels = label_keys(arrays, key)
    way = _layout(stored, [length(arrays[label].shape) for label in labels], key, reading)
    if way.count < LEAST_PICTURES:
        raise PictureError(f"{reading.name} has only {many(way.count, 'image', 'images')}.")
    reading.at("Reading the arrays", 0, 1)
    turned = _transposed(way, reading)
    values = _upright(way, stored, turned)
    reading.at("Reading the arrays", 1, 1)
    names = class_names(arrays, labels, way.count, reading)
    tests = _tests(arrays, key, way, reading)
    if names is not None:
        keep, numbers, known = reading.largest(names)
        if len(known) < 2 or len(keep) < LEAST_PICTURES:
            names = None
    if names is None:
        keep, numbers, known = np.arange(way.count), None, ()
    some = sample(len(keep))
    if len(some) < len(keep):
        reading.say(f"{len(keep):,} images; a random {len(some):,} of them are used.")
    keep, numbers = keep[some], None if numbers is None else numbers[some]
    scale = value_range(values, reading)
    colour = reading.background(values.shape[3] == 4)
    fit = reading.fit(values.shape[1] == values.shape[2])
    pixels = converted(values, keep, scale, fit, colour, reading)
    test_pixels = test_labels = None
    if tests:
        parts, test_labels = _test_part(arrays, tests, turned, known, reading)
        if parts:
            test_pixels = np.concatenate([converted(x, rows, scale, fit, colour, reading) for x, rows in parts])
        kept = 0 if test_pixels is None else len(test_pixels)
        reading.say_held_out(_count(tests), _names(tests), kept)
    pixels, *others = gray_if_all(*(part for part in (pixels, test_pixels) if part is not None))
    reading.notes += size_note([values.shape[1:3]], pixels.shape[1], fit)
    return Pictures(pixels, numbers, known, others[0] if others else None, test_labels)


# -- which array --------------------------------------------------------------------------------------------


def _picture_key(arrays: dict[str, Stored], reading: Reading) -> str:
    """Which array holds the pictures: the largest of a training part, else of the usual names, else of all."""
    able = [key for key, stored in arrays.items() if stored.numeric and layouts(stored.shape)]
    if not able:
        raise PictureError(_no_pictures(arrays, reading.name))
    usual = {word: i for i, word in enumerate(PICTURES)}

    def rank(key: str) -> tuple:
        stored, said = arrays[key], words(key)
        best = layouts(stored.shape)[0]
        place = min((usual[word] for word in said if word in usual), default=len(usual))
        return (
            bool(HELD.intersection(said)),
            not TRAIN.intersection(said),
            bool(LABELS.intersection(said)),
            len(stored.shape) == 2,
            -best.count if place < len(usual) or TRAIN.intersection(said) else 0,
            place,
            -best.count,
            -best.height * best.width,
        )

    able.sort(key=rank)
    whole = [key for key in able if not is_held(key)] or able
    if len(whole) == 1:
        return whole[0]
    options = {key: f"{key}: {' x '.join(map(str, arrays[key].shape))}" for key in whole}
    key = reading.ask("array", "Array of the images", options, whole[0], "Which array of the file holds the images.")
    return key


def _no_pictures(arrays: dict[str, Stored], name: str) -> str:
    said = sorted(arrays, key=lambda key: next((i for i, w in enumerate(PICTURES) if w in words(key)), 99))
    key = next((key for key in said if len(arrays[key].shape) in (3, 4) and arrays[key].numeric), said[0])
    stored = arrays[key]
    if stored.unread:
        return f"The array {shorten(key)} of {name} holds {stored.unread}."
    if len(stored.shape) in (3, 4) and stored.numeric:
        return f"The array {shorten(key)} of {name} has the shape {stored.shape}."
    mat = (
        " A .mat file is read for images, or for points in columns of equal length."
        if name.lower().endswith(".mat")
        else ""
    )
    return f"{name} has no array of images; {shorten(key)} is {stored.dtype} of shape {stored.shape}.{mat}"


def _layout(stored: Stored, counts: list[int], key: str, reading: Reading) -> Layout:
    ways = next((found for count in counts if (found := layouts(stored.shape, count))[0].count == count), None)
    ways = ways or layouts(stored.shape)
    if ways[0].name.endswith(("_planes", "_pixels")):
        first = smoother(stored.read(), ways[:2])
        ways.sort(key=lambda way: way != first)
    ways = [way for way in ways if way == ways[0] or way.count >= LEAST_PICTURES]
    by_name = {way.name: way for way in ways}
    chosen = ways[0].name
    if len(ways) > 1:
        options = {way.name: f"{way.text} ({way.count:,} images)" for way in ways}
        chosen = reading.ask("axes", "Axes of the array", options, chosen, "What the axes of the array mean.")
    way = by_name[chosen]
    if not way.usual:
        verb = "are read as" if len(stored.shape) == 2 else "is read as"
        what = (
            f"The {'columns' if way.name.startswith('columns') else 'rows'} of {key}" if len(stored.shape) == 2 else key
        )
        text = way.text.split(" of ", 1)[1] if len(stored.shape) == 2 else way.text
        reading.say(f"{what}, {' x '.join(map(str, stored.shape))}, {verb} {text}.")
    return way


def _transposed(way: Layout, reading: Reading) -> bool:
    """Whether the pictures lie on their side, as MATLAB's often do, for its columns come first."""
    if way.usual or way.name == "nchw":
        return False
    options = {"no": "as they are", "yes": "rows and columns exchanged"}
    help = "Files made with MATLAB often hold images that lie on their side."
    return reading.ask("transposed", "Rows and columns", options, "no", help) == "yes"


# -- held-out pictures --------------------------------------------------------------------------------------


def _tests(arrays: dict[str, Stored], key: str, way: Layout, reading: Reading) -> list[tuple[str, Layout]]:
    """The arrays of a validation or test part with pictures like those of `key`."""
    if is_held(key):
        return []
    found = []
    for other, stored in arrays.items():
        if other == key or not stored.numeric or not is_held(other):
            continue
        like = next((w for w in layouts(stored.shape) if w.name == way.name), None)
        if like and (like.height, like.width, like.channels) == (way.height, way.width, way.channels):
            found.append((other, like))
    if not found or reading.held_out(joined=False):
        return found
    reading.say(f"The {_count(found):,} images of {_names(found)} are not used.")
    return []


def _count(tests: list[tuple[str, Layout]]) -> int:
    return sum(like.count for _, like in tests)


def _names(tests: list[tuple[str, Layout]]) -> str:
    return " and ".join(shorten(key).strip("'") for key, _ in tests)


def _upright(way: Layout, stored: Stored, turned: bool) -> np.ndarray:
    """The pictures of an array as [N, H, W, C]."""
    values = way.view(stored.read())
    return values.transpose(0, 2, 1, 3) if turned else values


def _test_part(
    arrays: dict[str, Stored], tests: list[tuple[str, Layout]], turned: bool, names: tuple[str, ...], reading: Reading
) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray | None]:
    """([(values, which of them are used), ...], their int32 classes or None)."""
    number = {name: i for i, name in enumerate(names)}
    room, parts, labels = MOST_TESTS, [], []
    for key, like in tests:
        rows = sample(like.count, room)
        if names:
            want = HELD.intersection(words(key))
            found = None
            for other in test_label_keys(arrays, key, like.count):
                if want == HELD.intersection(words(other)):
                    found, _ = classes_of(arrays[other], sure=True)
                    found = None if found is None else named(found, arrays, reading)
                    break
            if found is None:
                continue
            rows = np.array([i for i in rows if found[i] in number], np.intp)
            labels += [number[str(found[i])] for i in rows]
        room -= len(rows)
        if len(rows):
            parts.append((_upright(like, arrays[key], turned), rows))
    return parts, np.array(labels, np.int32) if names and parts else None


def of_files(arrays: dict[str, Stored], reading: Reading) -> dict[str, Stored]:
    """Arrays that each are a file: where all hold pictures of one shape, and none is a part, each file is a class."""
    shapes = {stored.shape[1:] for stored in arrays.values()}
    able = all(stored.numeric and layouts(stored.shape) for stored in arrays.values())
    if (
        len(arrays) < 2
        or len(shapes) > 1
        or not able
        or any({*TRAIN, *HELD}.intersection(words(key)) for key in arrays)
    ):
        return arrays
    most = MOST_PICTURES // len(arrays)
    rows = {key: sample(stored.shape[0], most) for key, stored in arrays.items()}
    reading.say(f"Each of the {len(arrays)} files is a class.")
    whole = np.concatenate([stored.read()[rows[key]] for key, stored in arrays.items()])
    labels = np.concatenate([np.full(len(rows[key]), key) for key in arrays])
    return {"images": in_memory(whole), "labels": in_memory(labels)}
