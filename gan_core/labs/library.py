"""The labs that come with the app, in the order of a course, and those of a teacher's folder (`GANSCOPE_LABS`)."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from gan_core.foundations.hyperparameters import ConfigError, printable, shorten
from gan_core.labs.lab import SUFFIXES, Lab, read_file

FOLDER = Path(__file__).resolve().parent / "library"
VARIABLE = "GANSCOPE_LABS"
MOST_FILES = 200
COURSE: tuple[str, ...] = (
    "two-networks",
    "learning-rates",
    "collapse",
    "loss-and-quality",
    "strong-discriminator",
    "the-first-loss",
    "what-r1-does",
    "wasserstein",
    "average",
    "mode-count",
    "memorizing",
    "published-table",
)


@cache
def built_in() -> dict[str, Lab]:
    """The labs in the box, by name, in their order."""
    return {name: read_file(FOLDER / f"{name}.json") for name in COURSE}


@cache
def _read(path: Path, _changed: int, _size: int) -> Lab | str:
    """The lab in a file of a teacher's, or what is wrong with it; read anew once the file is another."""
    try:
        return read_file(path)
    except ConfigError as error:
        return str(error)


def labs() -> tuple[dict[str, Lab], list[str]]:
    """(all labs by name, the box's first, a sentence for each file that is left out)."""
    found, problems = dict(built_in()), []
    named = os.environ.get(VARIABLE, "")
    if not named:
        return found, problems
    try:
        paths = sorted(path for path in Path(named).iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        return found, [f"{VARIABLE} names the folder {named}, which cannot be read: {error.strerror}."]
    if len(paths) > MOST_FILES:
        problems.append(f"{VARIABLE} has {len(paths):,} labs; the first {MOST_FILES} are read.")
    for path in paths[:MOST_FILES]:
        try:
            about = path.stat()
        except OSError as error:
            problems.append(f"The lab {printable(path.name)}: it cannot be read: {error.strerror}.")
            continue
        lab = _read(path, about.st_mtime_ns, about.st_size)
        if isinstance(lab, str):
            problems.append(lab)
        elif lab.name in found:
            problems.append(f"The lab {printable(path.name)}: there is already a lab of this name. Rename the file.")
        else:
            found[lab.name] = lab
    return found, problems


def lab_of(name: str) -> Lab:
    """The lab of this name; raises ConfigError with the names that there are."""
    found, problems = labs()
    if name not in found:
        broken = [problem for problem in problems if problem.startswith(f"The lab {name}.")]
        there = broken[0] if broken else f"There are: {', '.join(found)}."
        raise ConfigError(f"There is no lab {shorten(name)}. {there}")
    return found[name]


def following(lab: Lab) -> str:
    """The name of the lab that comes after this one; "" after the last one."""
    found = list(labs()[0])
    if lab.next in found:
        return lab.next
    after = found.index(lab.name) + 1 if lab.name in found else len(found)
    return found[after] if after < len(found) else ""
