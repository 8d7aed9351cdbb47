"""The folder of all runs: their names and notes, the list of them, and what is renamed, noted and deleted there."""

import contextlib
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from gan_core.foundations.files import write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.locking import FILE as LOCK_FILE
from gan_core.foundations.locking import locked
from gan_core.runs.disk_quota import room
from gan_core.runs.run_reading import CONFIG, NOTE_LENGTH, Saved, is_run, printable, read
from gan_core.runs.run_writing import json_bytes, new_run, unsaved

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])( *\..*)?", re.IGNORECASE)  # names that Windows keeps for itself
STALE_SECONDS = 3_600.0  # after which half-written folders of killed processes go


def runs_folder(chosen: str | None = None) -> Path:
    """Where runs are kept: `chosen`, else what GANSCOPE_RUNS_DIR says, else `runs`."""
    return Path(chosen or os.environ.get("GANSCOPE_RUNS_DIR") or "runs")


def checked_name(name: str) -> str:
    """The name of a run, if it can be a folder's on every system; raises ConfigError."""
    if DEVICES.fullmatch(name):
        raise ConfigError(f"{shorten(name)} cannot be used as a name: Windows reserves it. Choose another.")
    if not NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ConfigError(
            f"{shorten(name)} cannot be used as a name. Use letters A-Z, digits, spaces, . _ - (at most 80), start "
            "with a letter or digit, and end without a dot or space."
        )
    return name


def checked_note(note: str) -> str:
    """A note, if it is short enough; raises ConfigError."""
    if len(note) > NOTE_LENGTH:
        raise ConfigError(f"A note has at most {NOTE_LENGTH} letters; this one has {len(note):,}.")
    return printable(note).strip()


# -- the folder of all runs -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unreadable:
    """A folder among the runs that is none, and why."""

    folder: Path
    reason: str

    @property
    def name(self) -> str:
        """The folder's name, as far as it can be shown."""
        return "".join(c if c.isprintable() else "?" for c in self.folder.name)


def listed(root: Path) -> list[Saved | Unreadable]:
    """Every run of `root`, the newest first, and what cannot be read."""
    found: list[Saved | Unreadable] = []
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []
    for folder in folders:
        if folder.name.startswith("."):
            _sweep(folder)
            continue
        try:
            if not folder.name.isprintable():
                raise ConfigError("Its name has letters that cannot be shown: rename the folder.")
            found.append(read(folder))
        except ConfigError as error:
            found.append(Unreadable(folder, str(error)))
    return sorted(found, key=lambda run: run.saved if isinstance(run, Saved) else "", reverse=True)


def _sweep(folder: Path) -> None:
    """Removes what a killed process left half written."""
    if folder.name.startswith(".part-"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def rename(folder: Path, name: str) -> Path:
    """Gives the run another name; raises ConfigError. Returns its new folder."""
    target = folder.parent / checked_name(name)
    if target == folder:
        return folder
    if target.exists():
        raise ConfigError(f"There is a run with the name {shorten(name)} already: choose another.")
    _moved(folder, target)
    return target


def _moved(folder: Path, target: Path) -> None:
    # Nobody writes meanwhile: what is left of a write must not go into a run that gets the old name. Where an open
    # file keeps its folder from being moved (Windows), the system refuses by itself.
    held = contextlib.nullcontext() if os.name == "nt" else locked(folder)
    try:
        with held:
            os.rename(folder, target)
        with contextlib.suppress(OSError):
            os.unlink(target / LOCK_FILE)
    except OSError as error:
        raise ConfigError(f"{folder.name} cannot be moved: {error.strerror or error}.") from None


def copy(folder: Path, target: Path, owner: str = "") -> Path:
    """A copy of the run as `target`, or the next free name, for `owner`; returns its folder. Raises ConfigError.

    What is never written over, all but config.json, is shared by hard links where the system has them.
    """
    run = read(folder)
    if room(target.parent).left == 0:
        raise room(target.parent).refused()

    def fill(part: Path) -> None:
        for row in (*run.about["files"].values(), *run.about["checkpoints"]):
            try:
                os.link(folder / row["file"], part / row["file"])
            except OSError:
                there = room(target.parent)
                if there.left < (folder / row["file"]).stat().st_size:
                    raise there.refused() from None
                shutil.copyfile(folder / row["file"], part / row["file"])
        write_whole(part / CONFIG, json_bytes({**run.about, "owner": owner}))

    return new_run(target, fill, numbered=True)


def annotate(folder: Path, note: str) -> None:
    """Changes the run's note; raises ConfigError."""
    note = checked_note(note)
    read(folder)
    try:
        with locked(folder):
            write_whole(folder / CONFIG, json_bytes({**read(folder).about, "note": note}))
    except OSError as error:
        raise unsaved(folder, error) from None


def delete(folder: Path) -> None:
    """Deletes the run, at once for everybody else; raises ConfigError. Only folders that hold a run are deleted."""
    if not is_run(folder):
        raise ConfigError(f"{folder.name} is not a readable run, so it is not deleted from here.")
    away = folder.parent / f".part-{os.urandom(8).hex()}"
    _moved(folder, away)
    shutil.rmtree(away, ignore_errors=True)
