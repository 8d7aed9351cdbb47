"""Which of the folders around a user's pictures are classes, and which a validation or test part."""

from __future__ import annotations

import re

import numpy as np

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.data.own_images.image_classes import HELD, TRAIN
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_CLASSES, MOST_TESTS
from gan_core.data.proposal import parted

SPLITS = TRAIN | HELD
MOST_LEFT_OUT = 40  # folders that are offered to be left out
SHOWN = 4  # names of a level


def chosen(paths: list[tuple[str, ...]], reading: Reading) -> tuple[np.ndarray, list[str | None], np.ndarray]:
    """The paths of pictures -> (indices of those that are used, each one's class or None, which of them are held out).

    The class is that of the folder a picture lies in, unless the user chose another level; () of classes gives None.
    """
    folders = [path[:-1] for path in paths]
    common = 0
    while folders and all(len(f) > common for f in folders) and len({f[common] for f in folders}) == 1:
        common += 1
    common = min(common, max(0, max(map(len, folders), default=0) - 1))  # a lone folder stays a level
    folders = [f[common:] for f in folders]
    depth = max(map(len, folders), default=0)
    parts = [i for i in range(depth) if {f[i].lower() for f in folders if len(f) > i} <= SPLITS]
    held = np.array([any(len(f) > i and f[i].lower() in HELD for i in parts) for f in folders], bool)
    inner = [tuple(name for i, name in enumerate(f) if i not in parts) for f in folders]
    classes = _classes(inner, [path[-1] for path in paths], reading)
    keep = np.arange(len(paths))
    out = _left_out(folders, classes, reading)
    if out:
        keep = np.array([i for i in keep if not out.intersection(folders[i])], np.intp)
        reading.leave("images of folders that you left out", len(paths) - len(keep))
    held = held[keep]
    if held.any() and (~held).sum() >= LEAST_PICTURES:
        names = sorted({f[i] for f in folders for i in parts if len(f) > i and f[i].lower() in HELD})
        apart = reading.held_out(joined=True)
        count, parts = int(held.sum()), " and ".join(names)
        if apart:
            reading.say_held_out(count, parts, min(count, MOST_TESTS))
        else:
            reading.say(f"The {count:,} images of {parts} are trained on, too.")
        held = held if apart else np.zeros_like(held)
    else:
        held = np.zeros_like(held)
    return keep, [classes[i] for i in keep], held


def _classes(folders: list[tuple[str, ...]], names: list[str], reading: Reading) -> list[str | None]:
    """A class for each picture by one of the ways to see its folders; None where it has none."""
    ways: dict[str, tuple[str, list[str | None]]] = {}

    def offer(value: str, text: str, found: list[str | None]) -> None:
        kinds = {name for name in found if name is not None}
        if len(kinds) >= 2 and found not in [other for _, other in ways.values()]:
            listed = ", ".join(sorted(kinds)[:SHOWN]) + ", ..." * (len(kinds) > SHOWN)
            ways[value] = f"{text}: {len(kinds):,} ({listed})", found

    parent: list[str | None] = [f[-1] if f else None for f in folders]
    offer("parent", "the folder that an image lies in", parent)
    for i in range(max(map(len, folders), default=0)):
        offer(str(i + 1), f"folders of level {i + 1}", [f[i] if len(f) > i else None for f in folders])
    offer("path", "the whole path of folders", ["/".join(f) if f else None for f in folders])
    starts = [re.match(r"[^\W\d_]+(?:[ _-][^\W\d_]+)*", name) for name in names]
    words = [start[0] if start else None for start in starts]
    if len(set(words)) <= min(MOST_CLASSES, len(words) // 2) and None not in words:
        offer("name", "the word that its file's name begins with", list(words))
    if not ways:
        return [None] * len(names)
    options = {value: text for value, (text, _) in ways.items()} | {"none": "no classes"}
    guess = _guess(ways, folders)
    help = "What says the class of an image."
    value = reading.ask("classes_from", "Classes from", options, guess, help)
    if value == "none":
        return [None] * len(names)
    return ways[value][1]


def _guess(ways: dict[str, tuple[str, list[str | None]]], folders: list[tuple[str, ...]]) -> str:
    if "parent" not in ways:
        return next((way for way in ways if way != "name"), "none") if all(folders) else "none"
    found = ways["parent"][1]
    kinds = {name for name in found if name is not None}
    if None in found or len(kinds) > len(found) / 2:  # some lie in no folder, or each in its own
        return "none"
    above: dict[str, set[tuple[str, ...]]] = {}
    for folder in folders:
        above.setdefault(folder[-1], set()).add(folder[:-1])
    several = sum(len(places) > 1 for places in above.values())
    level = max(map(len, folders)) - 1
    # character01 of each alphabet is no class of its own; red/circle and blue/circle are read alike.
    return str(level) if several >= 0.75 * len(above) and str(level) in ways else "parent"


def _left_out(folders: list[tuple[str, ...]], classes: list[str | None], reading: Reading) -> set[str]:
    """The names of folders that the user leaves out."""
    names = sorted({name for folder in folders for name in folder} - {c for c in classes if c})
    if not 2 <= len(names) <= MOST_LEFT_OUT:
        return set()
    options = {name: name for name in names}
    help = "Images in these folders are left out."
    value = reading.ask("leave_out", "Leave out", options, "", help, several=len(names))
    return set(parted(value))
