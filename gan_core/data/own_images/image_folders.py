"""Which of the folders around a user's pictures are classes, and which a validation or test part."""

from __future__ import annotations

import re

import numpy as np

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.data.own_images.image_classes import HELD, TRAIN, words
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_CLASSES, MOST_TESTS
from gan_core.data.proposal import parted

SPLITS = TRAIN | HELD
# Words beside train and test in the names of folders: seg_train, Test Set, trainA.
BESIDE = frozenset({"set", "data", "images", "dataset", "folder", "seg", "a", "b"})
HELD_FOLDERS = HELD | {"testset", "valset", "pred"}
DOMAINS = frozenset({"a", "b"})  # of pictures that are translated into each other: trainA, trainB
MOST_LEVELS = 16  # of folders that are offered as classes
MOST_LEFT_OUT = 40  # folders that are offered to be left out
MOST_LOOSE = 0.1  # of the pictures may lie outside the folders that are classes
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
    parts = {i for i in range(depth) if _are_parts({f[i] for f in folders if len(f) > i})}
    held = np.array([any(len(f) > i and _is_held(f[i]) for i in parts) for f in folders], bool)
    enough = (~held).sum() >= LEAST_PICTURES
    classes = _classes(_inner(folders, parts), [path[-1] for path in paths], ~held if enough else held | True, reading)
    keep = np.arange(len(paths))
    out = _left_out(folders, classes, reading)
    if out:
        keep = np.array([i for i in keep if not out.intersection(folders[i])], np.intp)
        reading.leave("images of folders that you left out", len(paths) - len(keep))
    held, found = held[keep], [classes[i] for i in keep]
    if held.any() and (~held).sum() >= LEAST_PICTURES:
        names = sorted({f[i] for f in folders for i in parts if len(f) > i and _is_held(f[i])})
        apart = _held_out(held, found, " and ".join(names), reading)
        held = held if apart else np.zeros_like(held)
    else:
        held = np.zeros_like(held)
    return keep, found, held


# -- train and test -----------------------------------------------------------------------------------------


def _are_parts(names: set[str]) -> bool:
    """Whether folders side by side are the parts of a data set, such as train and test, and no classes."""
    if {name.lower() for name in names} <= SPLITS:
        return True
    held = {name for name in names if _is_held(name)}
    # A folder of each kind, for test1, test2 and test3 alone may as well be classes.
    return 0 < len(held) < len(names) and all(_is_part(name, TRAIN) for name in names - held)


def _is_held(name: str) -> bool:
    return _is_part(name, HELD_FOLDERS)


def _is_part(name: str, kind: frozenset[str]) -> bool:
    """Whether a folder's name is a word of this kind, alone or with words that say no class."""
    said = words(name)
    if name.lower() in kind:
        return True
    return len(kind.intersection(said)) == 1 and all(word in kind or word in BESIDE for word in said)


def _inner(folders: list[tuple[str, ...]], parts: set[int]) -> list[tuple[str, ...]]:
    """The folders without those that are parts; of trainA and trainB beside each other, A and B stay."""
    kept: dict[int, dict[str, str]] = {}
    for i in parts:
        names = {f[i] for f in folders if len(f) > i}
        domains = {name: DOMAINS.intersection(words(name)) for name in names}
        if all(len(found) == 1 for found in domains.values()) and len(set().union(*domains.values())) == 2:
            kept[i] = {name: next(iter(found)).upper() for name, found in domains.items()}
    return [
        tuple(kept[i][name] if i in kept else name for i, name in enumerate(f) if i not in parts or i in kept)
        for f in folders
    ]


def _held_out(held: np.ndarray, classes: list[str | None], names: str, reading: Reading) -> bool:
    """Whether the pictures of val and test are held out, which is asked and said; without a class they are not used."""
    apart = reading.held_out(joined=True)
    count = int(held.sum())
    known = count
    if any(name is not None for name in classes):
        known = sum(name is not None for name, test in zip(classes, held, strict=True) if test)
    if apart:
        reading.say_held_out(count, names, min(known, MOST_TESTS))
    elif known:
        reading.say(f"The {known:,} images of {names} are trained on, too.")
    return apart


# -- classes ------------------------------------------------------------------------------------------------


def _classes(
    folders: list[tuple[str, ...]], names: list[str], trained: np.ndarray, reading: Reading
) -> list[str | None]:
    """A class for each picture by one of the ways to see its folders; None where it has none.

    trained: which pictures are trained on; what is guessed is guessed of them alone.
    """
    ways: dict[str, tuple[str, list[str | None]]] = {}

    def offer(value: str, text: str, found: list[str | None]) -> None:
        kinds = {name for name in found if name is not None}
        if len(kinds) >= 2 and found not in [other for _, other in ways.values()]:
            listed = ", ".join(sorted(kinds)[:SHOWN]) + ", ..." * (len(kinds) > SHOWN)
            ways[value] = f"{text}: {len(kinds):,} ({listed})", found

    parent: list[str | None] = [f[-1] if f else None for f in folders]
    offer("parent", "the folder that an image lies in", parent)
    for i in range(min(MOST_LEVELS, max(map(len, folders), default=0))):
        offer(str(i + 1), f"folders of level {i + 1}", [f[i] if len(f) > i else None for f in folders])
    offer("path", "the whole path of folders", ["/".join(f) if f else None for f in folders])
    starts = [re.match(r"[^\W\d_]+(?:[ _-][^\W\d_]+)*", name) for name in names]
    words = [start[0] if start else None for start in starts]
    if len(set(words)) <= min(MOST_CLASSES, len(words) // 2) and None not in words:
        offer("name", "the word that its file's name begins with", list(words))
    if not ways:
        return [None] * len(names)
    options = {value: text for value, (text, _) in ways.items()} | {"none": "no classes"}
    guess, why = _guess(ways, [folder for folder, known in zip(folders, trained, strict=True) if known])
    help = "What says the class of an image."
    value = reading.ask("classes_from", "Classes from", options, guess, help)
    if value == "none":
        if why and "classes_from" not in reading.choices:
            reading.say(f"The folders are not taken for classes: {why}.")
        return [None] * len(names)
    return ways[value][1]


def _guess(ways: dict[str, tuple[str, list[str | None]]], folders: list[tuple[str, ...]]) -> tuple[str, str]:
    """(the likeliest of the ways, or none; why not the folders); folders: of the pictures that are trained on."""
    if "parent" not in ways:
        return (next((way for way in ways if way != "name"), "none") if all(folders) else "none"), ""
    inside = [folder for folder in folders if folder]
    kinds = {folder[-1] for folder in inside}
    loose = len(folders) - len(inside)
    if loose > MOST_LOOSE * len(folders):
        return "none", f"{loose:,} of {len(folders):,} images lie in none"
    if len(kinds) > len(inside) / 2:
        return "none", f"there are {len(kinds):,} of them for {len(inside):,} images"
    above: dict[str, set[tuple[str, ...]]] = {}
    for folder in inside:
        above.setdefault(folder[-1], set()).add(folder[:-1])
    several = sum(len(places) > 1 for places in above.values())
    level = max(map(len, inside)) - 1
    # character01 of each alphabet is no class of its own; red/circle and blue/circle are read alike.
    return (str(level) if several >= 0.75 * len(above) and str(level) in ways else "parent"), ""


def _left_out(folders: list[tuple[str, ...]], classes: list[str | None], reading: Reading) -> set[str]:
    """The names of folders that the user leaves out."""
    names = sorted({name for folder in folders for name in folder} - {c for c in classes if c})
    if not 2 <= len(names) <= MOST_LEFT_OUT:
        return set()
    options = {name: name for name in names}
    help = "Images in these folders are left out."
    value = reading.ask("leave_out", "Leave out", options, "", help, several=len(names))
    return set(parted(value))
