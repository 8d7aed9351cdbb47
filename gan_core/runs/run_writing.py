"""Writing a run: a folder each, in open formats (JSON, NPZ without pickles, PNG), whole at every moment.

`config.json` names every other file with its checksum. A file is written under a temporary name and renamed; its name
holds its checksum, so nothing that the present `config.json` names is ever written over. A new `config.json` comes
last, and only then what it no longer names goes: whenever a process is killed, the folder holds the last complete
state. Of those that write into one folder, or move it, one does so at a time (locking.py).

A new folder is written beside its place and renamed, so of two that save one name at once exactly one wins.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.foundations.files import npz_bytes, write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.locking import locked
from gan_core.recording.recorder import Checkpoint, Recording
from gan_core.recording.thumbnail import thumbnail
from gan_core.runs import saved_uploads
from gan_core.runs.disk_quota import Room, room
from gan_core.runs.run_reading import CONFIG, FILE, FORMAT, Race, checksum, read
from gan_core.settings.config import GANConfig

if TYPE_CHECKING:
    from gan_core.recording.training_run import TrainingRun


def check_folder(folder: Path) -> None:
    """Makes `folder`; raises ConfigError where no run could be saved in it. To be known before the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unsaved(folder, error) from None
    there = room(folder)
    if there.left == 0:
        raise there.refused()


def unsaved(folder: Path, error: OSError) -> ConfigError:
    """What is said where the system let nothing be written."""
    return ConfigError(f"The run cannot be saved in {folder}: {error.strerror or error}.")


@dataclass(frozen=True)
class Content:
    """What is written of a run. The recording is a copy: training may go on meanwhile."""

    config: GANConfig
    step: int
    recording: Recording
    data: Data | Pictures
    upload: Any = None
    note: str = ""
    owner: str = ""  # who may take up an autosaved run: a tab, as a hash
    race: Race | None = None
    goal: int = 0  # the step that it is meant to reach, where somebody said one

    @classmethod
    def of(
        cls, training: TrainingRun, upload: Any = None, note: str = "", owner: str = "", race: Race | None = None
    ) -> Content:
        """The present state of a worker's training."""
        training.record()
        trainer = training.trainer
        upload = upload if DATASETS[trainer.config.data].upload else None
        return cls(trainer.config, trainer.step, training.recording.copy(), trainer.data, upload, note, owner, race)


@dataclass
class Writer:
    """Writes one run, again and again, into one folder. Checkpoints that are there are not written again.

    Content without a note leaves the note that was written meanwhile. compressed: smaller files, which take longer; a
    reader sees no difference.
    """

    folder: Path
    compressed: bool = False
    _there: dict[Checkpoint, dict[str, Any]] = field(default_factory=dict)
    _data: dict[str, Any] | None = None
    _room: Room | None = None  # as it was before the present call, and what is left of it now
    _left: int = 0
    _written: list[Path] = field(default_factory=list)  # by the present call
    _own: os.stat_result | None = None  # the folder, once something of this writer is in it

    def write(self, content: Content) -> None:
        """Writes the run; raises ConfigError with the state before left as it was."""
        try:
            if self.folder.exists():
                with locked(self.folder):
                    if self._own is not None and not os.path.samestat(self._own, self.folder.stat()):
                        raise ConfigError(f"The run cannot be saved in {self.folder}: another run has that name now.")
                    self._write(content)
            else:
                save(self.folder, content, compressed=self.compressed)  # a kill leaves no half of a folder
            self._own = self.folder.stat()
        except OSError as error:
            raise unsaved(self.folder, error) from None

    def _write(self, content: Content) -> None:
        """Raises OSError, or ConfigError where there is no room; then what was written goes again."""
        self._room, self._written = room(self.folder.parent), []
        self._left = self._room.left
        try:
            self._write_all(content)
        except BaseException:
            for path in self._written:
                with contextlib.suppress(OSError):
                    path.unlink()
            raise

    def _write_all(self, content: Content) -> None:
        recording, flat = content.recording, content.config.to_flat()
        files = {
            "history": self._file("history", self._npz(_history_arrays(recording.history.state()))),
            "frames": self._file("frames", self._npz(_frame_arrays(recording))),
            "scores": self._file(
                "scores", json_bytes(list(zip(recording.scores.steps, recording.scores.items, strict=True)))
            ),
        }
        picture = thumbnail(recording.frames.items[-1], content.data) if len(recording.frames) else None
        if picture is not None:
            files["picture"] = self._file("picture", picture, "png")
        if content.upload is not None:
            if self._data is None or not self._has(self._data):
                self._data = self._file("data", npz_bytes(saved_uploads.arrays_of(content.upload), compressed=True))
            files["data"] = self._data
        checkpoints = []
        for step, point in zip(recording.checkpoints.steps, recording.checkpoints.items, strict=True):
            if point not in self._there or not self._has(self._there[point]):
                self._there[point] = self._file(f"checkpoint-{step}", self._npz(_checkpoint_arrays(point)))
            changes = {name: value for name, value in point.flat.items() if flat.get(name) != value}
            checkpoints.append({"step": step, **self._there[point], "changes": changes})
        parent = recording.parent
        about = {
            "format": FORMAT,
            "step": content.step,
            "saved": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "note": content.note or self._note(),
            "config": flat,
            "parent": None if parent is None else {"name": parent.name, "step": parent.step},
            "owner": content.owner,
            "race": None if content.race is None else asdict(content.race),
            "goal": content.goal,
            "markers": recording.history.markers,
            "findings": recording.marks,
            "scores": recording.scores.items[-1] if len(recording.scores) else {},
            "files": files,
            "checkpoints": checkpoints,
        }
        self._written = []  # from here on config.json may name them
        write_whole(self.folder / CONFIG, json_bytes(about))
        kept = {row["file"] for row in (*files.values(), *checkpoints)}
        self._there = {point: row for point, row in self._there.items() if row["file"] in kept}
        for path in self.folder.iterdir():
            if (FILE.fullmatch(path.name) and path.name not in kept) or path.suffix == ".tmp":
                with contextlib.suppress(OSError):
                    path.unlink()

    def _npz(self, arrays: dict[str, Any]) -> bytes:
        return npz_bytes(arrays, self.compressed)

    def _note(self) -> str:
        with contextlib.suppress(ConfigError):
            return read(self.folder).note
        return ""

    def _has(self, row: dict[str, Any]) -> bool:
        return (self.folder / row["file"]).exists()

    def _file(self, stem: str, content: bytes, suffix: str = "npz") -> dict[str, Any]:
        digest = checksum(content)
        suffix = "json" if stem == "scores" else suffix
        path = self.folder / f"{stem}-{digest[:16]}.{suffix}"
        if not path.exists():
            self._left -= len(content)
            if self._room is not None and self._left < 0:
                raise self._room.refused()
            write_whole(path, content)
            self._written.append(path)
        return {"file": path.name, "sha256": digest}


def save(folder: Path, content: Content, numbered: bool = False, compressed: bool = False) -> Path:
    """Writes a new run, whole or not at all, and returns its folder. Raises ConfigError where that is impossible.

    Where the name is taken that is an error too, or with `numbered` it gets the next free one. compressed: as Writer.
    """
    return new_run(folder, lambda part: Writer(part, compressed)._write(content), numbered)


def new_run(folder: Path, fill: Callable[[Path], None], numbered: bool = False) -> Path:
    """As `save`, of a run that `fill` writes into an empty folder; OSErrors become ConfigErrors."""
    taken = ConfigError(f"There is a run with the name {shorten(folder.name)} already: choose another.")
    if folder.exists() and not numbered:
        raise taken
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    except OSError as error:
        raise unsaved(folder, error) from None
    try:
        fill(part)
        part.chmod(0o755)
        for target in _names(folder) if numbered else (folder,):
            try:
                if not target.exists():
                    os.rename(part, target)  # fails where somebody was faster
                    return target
            except OSError:
                if not target.exists():
                    raise
        raise taken
    except OSError as error:
        raise unsaved(folder, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _names(folder: Path) -> Iterator[Path]:
    """`folder`, and the same with a number behind its name, which stays short enough for one."""
    yield folder
    for i in itertools.count(2):
        yield folder.with_name(f"{folder.name[:74]} {i}")


def json_bytes(value: Any) -> bytes:
    """The value as the content of a JSON file, arrays as lists and what JSON does not know as text."""

    def plain(item: Any) -> Any:
        return item.tolist() if isinstance(item, (np.ndarray, np.generic)) else str(item)

    return json.dumps(value, indent=1, default=plain).encode()


def _history_arrays(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "markers"}


def _checkpoint_arrays(point: Checkpoint) -> dict[str, Any]:
    return point.state | {f"history_{name}": value for name, value in _history_arrays(point.history).items()}


def _frame_arrays(recording: Recording) -> dict[str, Any]:
    frames = recording.frames
    like = {name: array for item in frames.items for name, array in item.items()}
    # What an older version's frames do not have yet is not known there.
    arrays = {
        name: np.stack([item[name] if name in item else np.full_like(one, np.nan) for item in frames.items])
        for name, one in like.items()
    }
    return arrays | {"step": np.array(frames.steps, np.int64)}
