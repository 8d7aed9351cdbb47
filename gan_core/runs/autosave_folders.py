"""The folders of autosaved runs: their names, which of them are a browser's, what is offered again and what goes.

A race is as many folders as it has runs, which share the end of their names and are one autosave.
"""

import os
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_reading
from gan_core.runs.run_reading import AUTOSAVE, Saved

KEPT = 4  # of one browser
OFFERED_DAYS = 14
RACE = "race"  # what is offered where a page shows races, instead of a kind of data


def new_folders(root: Path, data: str, owner: str, runs: int) -> list[Path]:
    """Folders for a new autosave of `runs` runs in lock-step, for `owner`, a browser as a hash, to take up.

    Four random bytes tell apart what tabs of one browser begin in one second; older names have one byte.
    """
    end = f"{datetime.now():%Y-%m-%d %H.%M.%S} {owner[:6]}{os.urandom(4).hex()}"
    races = [f" race {i + 1} of {runs}" for i in range(runs)] if runs > 1 else [""]
    return [root / f"{AUTOSAVE}{data}{race} {end}" for race in races]


def _own(root: Path, owner: str, in_use: set[str]) -> dict[str, list[Path]]:
    """The owner's autosaves of which no folder is in use, by what the names of their folders share."""
    mine = re.compile(rf"{AUTOSAVE}.* (\S+ \S+ {owner[:6]}(?:[0-9a-f]{{2}}){{1,4}})")
    used = {match[1] for folder in in_use if (match := mine.fullmatch(Path(folder).name))}
    found: dict[str, list[Path]] = {}
    try:
        for path in root.iterdir():
            match = mine.fullmatch(path.name)
            if match and match[1] not in used:
                found.setdefault(match[1], []).append(path)
    except OSError:
        return {}
    return found


def prune(root: Path, owner: str, in_use: set[str]) -> None:
    """Leaves the owner's newest autosaves, so that one more makes KEPT of them. Those in use neither go nor count."""

    def written(folders: list[Path]) -> float:
        try:
            return max(folder.stat().st_mtime for folder in folders)
        except OSError:
            return 0.0  # it is going right now

    for folders in sorted(_own(root, owner, in_use).values(), key=written, reverse=True)[KEPT - 1 :]:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def left_behind(root: Path, owner: str, kind: str, in_use: set[str]) -> list[Saved]:
    """The runs of the owner's newest autosave of that kind (of data, or RACE) that nobody trains; [] without one."""
    found = []
    for folders in _own(root, owner, in_use).values() if owner else ():
        try:
            saved = [run_reading.read(folder) for folder in folders]
        except ConfigError:
            continue
        if _offered(saved, owner, kind):
            found.append(sorted(saved, key=lambda run: 0 if run.race is None else run.race.run))
    return max(found, key=lambda saved: max(run.saved for run in saved), default=[])


def _offered(saved: list[Saved], owner: str, kind: str) -> bool:
    """Whether it is whole, of that kind, and worth going on with."""
    races = [run.race for run in saved if run.race is not None]
    if races:
        whole = len({race.id for race in races}) == 1 and [race.runs for race in races] == [len(saved)] * len(saved)
        fits = kind == RACE and whole and len({race.run for race in races}) == len(saved) > 1
    else:
        fits = kind == DATASETS[saved[0].config.data].kind and len(saved) == 1
    fresh = all(run.owner == owner and age_seconds(run.saved) < OFFERED_DAYS * 86_400 for run in saved)
    return fits and fresh and any(run.step > 0 for run in saved)


def age_seconds(saved: str) -> float:
    """Seconds since an ISO 8601 time in UTC; infinite where it is none."""
    try:
        then = datetime.strptime(saved, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return float("inf")
    return time.time() - then.timestamp()
