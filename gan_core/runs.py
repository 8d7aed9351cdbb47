"""Runs on disk: a folder each, in open formats (JSON, NPZ without pickles, PNG), whole at every moment.

`config.json` names every other file with its checksum. A file is written under a temporary name and renamed; its name
holds its checksum, so nothing that the present `config.json` names is ever written over. A new `config.json` comes
last, and only then what it no longer names goes: whenever a process is killed, the folder holds the last complete
state.

A new folder is written beside its place and renamed, so of two that save one name at once exactly one wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core import datasets
from gan_core.config import LIVE_FIELDS, GANConfig
from gan_core.datasets import DATASETS, Data
from gan_core.history import History
from gan_core.knobs import ConfigError, shorten
from gan_core.pictures import Pictures
from gan_core.recording import Checkpoint, Parent, Recording
from gan_core.thumbnail import is_thumbnail, thumbnail

if TYPE_CHECKING:
    from gan_core.lane import Lane
    from gan_core.trainer import Trainer

FORMAT = 2
CONFIG = "config.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])( *\..*)?", re.IGNORECASE)  # names that Windows keeps for itself
FILE = re.compile(r"(history|frames|scores|data|picture|checkpoint-[0-9]{1,12})-[0-9a-f]{16}\.(npz|json|png)")
NOTE_LENGTH = 500
MOST_FILE = 800_000_000  # bytes of one file of a run, packed and unpacked: the most pictures that a user can load
MOST_CONFIG = 4_000_000
MOST_STEP = 2**31 - 1  # the networks count in int32
# Axes of each array of a recorded frame, None for any length; and which must be there.
FRAME = {
    "samples": (None, 2),
    "heat": (None, None),
    "manifold": (None, None, 2),
    "grid": (None, None, None, None),
    "p_real": (None,),
}
SHOWN = {"points": "samples", "images": "grid"}
# What reading values of unknown types may raise.
JUNK = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
STALE_SECONDS = 3_600.0  # after which half-written folders of killed processes go
AUTOSAVE = "autosave "  # what the names of autosaved runs begin with


def runs_folder(chosen: str | None = None) -> Path:
    """Where runs are kept: `chosen`, else what GANSCOPE_RUNS_DIR says, else `runs`."""
    return Path(chosen or os.environ.get("GANSCOPE_RUNS_DIR") or "runs")


def checked_name(name: str) -> str:
    """The name of a run, if it can be a folder's on every system; raises ConfigError."""
    if DEVICES.fullmatch(name):
        raise ConfigError(f"A run cannot have the name {shorten(name)}, which Windows keeps for itself.")
    if not NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ConfigError(
            f"A run's name is 1 to 80 letters of A-Z, digits, spaces, dots, _ and -, begins with a letter or digit and "
            f"does not end with a dot or space; got {shorten(name)}."
        )
    return name


def checked_note(note: str) -> str:
    """A note, if it is short enough; raises ConfigError."""
    if len(note) > NOTE_LENGTH:
        raise ConfigError(f"A note has at most {NOTE_LENGTH} letters; this one has {len(note):,}.")
    return _printable(note).strip()


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c == "\n")


def check_folder(folder: Path) -> None:
    """Makes `folder`; raises ConfigError where no run could be saved in it. To be known before the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unsaved(folder, error) from None


def free_name(root: Path, name: str) -> str:
    """`name`, or with a number behind it the first that no run of `root` has."""
    taken = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    return next(n for n in (name, *(f"{name[:74]} {i}" for i in range(2, 100_000))) if n not in taken)


def _unsaved(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(f"The run cannot be saved in {folder}: {error.strerror or error}.")


# -- writing --------------------------------------------------------------------------------------------------


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

    @classmethod
    def of(cls, lane: Lane, upload: Any = None, note: str = "", owner: str = "") -> Content:
        """The present state of a worker's lane."""
        lane.record()
        trainer = lane.trainer
        upload = upload if DATASETS[trainer.config.data].upload else None
        return cls(trainer.config, trainer.step, lane.recording.copy(), trainer.data, upload, note, owner)


@dataclass
class Writer:
    """Writes one run, again and again, into one folder. Checkpoints that are there are not written again.

    Content without a note leaves the note that was written meanwhile.
    """

    folder: Path
    _there: dict[Checkpoint, dict[str, Any]] = field(default_factory=dict)
    _data: dict[str, Any] | None = None

    def write(self, content: Content) -> None:
        """Writes the run; raises ConfigError with the state before left as it was."""
        try:
            if self.folder.exists():
                self._write(content)
            else:
                save(self.folder, content)  # a kill leaves no half of a folder
        except OSError as error:
            raise _unsaved(self.folder, error) from None

    def _write(self, content: Content) -> None:
        recording, flat = content.recording, content.config.to_flat()
        files = {
            "history": self._file("history", _npz(_history_arrays(recording.history.state()))),
            "frames": self._file("frames", _npz(_frame_arrays(recording))),
            "scores": self._file(
                "scores", _json(list(zip(recording.scores.steps, recording.scores.items, strict=True)))
            ),
        }
        picture = thumbnail(recording.frames.items[-1], content.data) if len(recording.frames) else None
        if picture is not None:
            files["picture"] = self._file("picture", picture, "png")
        if content.upload is not None:
            if self._data is None or not self._has(self._data):
                self._data = self._file("data", _npz(_upload_arrays(content.upload), packed=True))
            files["data"] = self._data
        checkpoints = []
        for step, point in zip(recording.checkpoints.steps, recording.checkpoints.items, strict=True):
            if point not in self._there or not self._has(self._there[point]):
                self._there[point] = self._file(f"checkpoint-{step}", _npz(_checkpoint_arrays(point)))
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
            "markers": recording.history.markers,
            "scores": recording.scores.items[-1] if len(recording.scores) else {},
            "files": files,
            "checkpoints": checkpoints,
        }
        write_whole(self.folder / CONFIG, _json(about))
        kept = {row["file"] for row in (*files.values(), *checkpoints)}
        self._there = {point: row for point, row in self._there.items() if row["file"] in kept}
        for path in self.folder.iterdir():
            if (FILE.fullmatch(path.name) and path.name not in kept) or path.suffix == ".tmp":
                with contextlib.suppress(OSError):
                    path.unlink()

    def _note(self) -> str:
        with contextlib.suppress(ConfigError):
            return read(self.folder).note
        return ""

    def _has(self, row: dict[str, Any]) -> bool:
        return (self.folder / row["file"]).exists()

    def _file(self, stem: str, content: bytes, suffix: str = "npz") -> dict[str, Any]:
        digest = _checksum(content)
        suffix = "json" if stem == "scores" else suffix
        path = self.folder / f"{stem}-{digest[:16]}.{suffix}"
        if not path.exists():
            write_whole(path, content)
        return {"file": path.name, "sha256": digest}


def save(folder: Path, content: Content) -> None:
    """Writes a new run, whole or not at all. Raises ConfigError where that is impossible or the name is taken."""
    taken = ConfigError(f"There is a run with the name {shorten(folder.name)} already: choose another.")
    if folder.exists():
        raise taken
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    except OSError as error:
        raise _unsaved(folder, error) from None
    try:
        Writer(part)._write(content)
        part.chmod(0o755)
        os.rename(part, folder)  # fails where somebody was faster
    except OSError as error:
        raise (taken if folder.exists() else _unsaved(folder, error)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all, whatever is killed meanwhile; raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: Any) -> bytes:
    def plain(item: Any) -> Any:
        return item.tolist() if isinstance(item, (np.ndarray, np.generic)) else str(item)

    return json.dumps(value, indent=1, default=plain).encode()


def _npz(arrays: dict[str, Any], packed: bool = False) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(buffer, **{k: np.asarray(v) for k, v in arrays.items()})
    return buffer.getvalue()


def _history_arrays(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "markers"}


def _checkpoint_arrays(point: Checkpoint) -> dict[str, Any]:
    state = {f"{i:04d}": leaf for i, leaf in enumerate(point.state)}
    return state | {f"history_{name}": value for name, value in _history_arrays(point.history).items()}


def _frame_arrays(recording: Recording) -> dict[str, Any]:
    frames = recording.frames
    arrays = {
        name: np.stack([item[name] for item in frames.items]) for name in (frames.items[0] if len(frames) else ())
    }
    return arrays | {"step": np.array(frames.steps, np.int64)}


def _upload_arrays(upload: Any) -> dict[str, Any]:
    if isinstance(upload, np.ndarray):
        return {"points": upload}
    arrays = {"pixels": upload.pixels, "class_names": np.array(upload.class_names, np.str_)}
    return arrays if upload.labels is None else {**arrays, "labels": upload.labels}


# -- reading --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """What `config.json` says of a run."""

    folder: Path
    step: int
    saved: str  # ISO 8601, UTC
    note: str
    config: GANConfig
    parent: Parent | None
    owner: str
    scores: dict[str, Any]
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """The run's name, which is its folder's."""
        return self.folder.name

    @property
    def autosaved(self) -> bool:
        """Whether nobody saved it by hand."""
        return self.name.startswith(AUTOSAVE)

    @property
    def checkpoints(self) -> dict[int, GANConfig]:
        """The steps that it can go on from, each with the settings that it had there."""
        return {row["step"]: self.config.updated(row["changes"]) for row in self.about["checkpoints"]}


def is_run(folder: Path) -> bool:
    """Whether `folder` holds a run."""
    return os.path.isfile(folder / CONFIG)  # False for a path that cannot be one, where Path.is_file() raises


def read(folder: Path) -> Saved:
    """What the run says of itself; raises ConfigError with the reason where it cannot be read."""
    folder = Path(folder)
    broken = ConfigError(f"{folder} holds no run that can be read: its {CONFIG} is missing or broken.")
    try:
        about = _json_of(_bytes(folder / CONFIG, MOST_CONFIG))
        version = about.get("format")
    except (OSError, ValueError, AttributeError):
        raise broken from None
    if version != FORMAT:
        newer = isinstance(version, int) and version > FORMAT
        raise ConfigError(f"{folder} was written by {'a newer' if newer else 'another'} version of GANscope.")
    try:
        config, problems = GANConfig.from_flat_lenient({**about["config"]})
        points = about["checkpoints"]
        for row in (*about["files"].values(), *points):
            if not (FILE.fullmatch(row["file"]) and re.fullmatch("[0-9a-f]{64}", row["sha256"])):
                raise ValueError
        for changes in (row["changes"] for row in points if row["changes"] != {}):
            problems += [f"{shorten(name)} cannot change on the way." for name in changes.keys() - {*LIVE_FIELDS}]
            problems += GANConfig.from_flat_lenient({**config.to_flat(), **changes})[1]
        step, steps = _step(about["step"]), [_step(row["step"]) for row in points]
        rising = all(a < b for a, b in zip([-1, *steps], [*steps, step + 1], strict=True))
        if not rising or not {"history", "frames", "scores"} <= about["files"].keys():
            raise ValueError
        parent = about["parent"]
        if parent is not None:
            parent = Parent(_printable(str(parent["name"]))[:80], _step(parent["step"]))
        note, saved, owner = (_printable(str(about[name])) for name in ("note", "saved", "owner"))
        scores = about["scores"] if isinstance(about["scores"], dict) else {}
    except JUNK:
        raise broken from None
    if problems:
        more = f" There are {len(problems) - 1:,} more such problems." if len(problems) > 1 else ""
        raise ConfigError(f"The settings of {shorten(folder.name)} cannot be used. {problems[0]}{more}")
    return Saved(folder, step, saved[:20], note[:NOTE_LENGTH], config, parent, owner[:64], scores, about)


def _step(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST_STEP:
        raise ValueError
    return value


def _json_of(content: bytes) -> Any:
    """What JSON says; ValueError where it is none, or nested or with numbers as GANscope never writes them."""

    def whole(digits: str) -> int:
        if len(digits) > 18:
            raise ValueError
        return int(digits)

    try:
        return json.loads(content.decode(), parse_int=whole)
    except RecursionError:
        raise ValueError from None


def _bytes(path: Path, most: int) -> bytes:
    """What the file holds; raises OSError, and ConfigError for too much."""
    if path.exists() and not path.is_file():  # of a pipe one would wait for ever
        raise OSError(0, "it is no file")
    if path.stat().st_size > most:
        raise ConfigError(f"{path} is too large: at most {most / 1e6:,.0f} MB are read.")
    return path.read_bytes()


def _contents(run: Saved, row: dict[str, Any], most: int = MOST_FILE) -> bytes:
    path = run.folder / row["file"]
    try:
        content = _bytes(path, most)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if _checksum(content) != row["sha256"]:
        raise ConfigError(f"{path} cannot be read: it is not what was saved with its {CONFIG}, but cut or changed.")
    return content


def _arrays(run: Saved, row: dict[str, Any]) -> dict[str, np.ndarray]:
    content = _contents(run, row)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_FILE:
                raise ValueError
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if any(array.dtype.kind not in "biufU" or not array.dtype.itemsize for array in arrays.values()):
            raise ValueError
        return arrays
    except Exception as error:  # NumPy's readers raise anything on junk
        raise ConfigError(f"{run.folder / row['file']} cannot be read ({type(error).__name__}).") from None


def upload_of(run: Saved) -> Any:
    """The user's own data that the run was trained on: float32 [N, 2] or Pictures; None for others."""
    if "data" not in run.about["files"]:
        return None
    arrays = _arrays(run, run.about["files"]["data"])
    try:
        return _points(arrays["points"]) if "points" in arrays else _pictures(**arrays)
    except JUNK:
        raise ConfigError(f"The data of {run.folder} cannot be used.") from None


def _points(points: np.ndarray) -> np.ndarray:
    """The points, if one can train on them; raises ValueError."""
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype != np.float32 or not np.isfinite(points).all():
        raise ValueError
    if (points.min(0) == points.max(0)).any():
        raise ValueError
    return points


def _pictures(pixels: np.ndarray, class_names: np.ndarray, labels: np.ndarray | None = None) -> Pictures:
    """The pictures, if one can train on them; raises ValueError."""
    names = tuple(_printable(str(name)) for name in class_names)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3):
        raise ValueError
    if 0 in pixels.shape or pixels.shape[1] != pixels.shape[2]:
        raise ValueError
    if labels is not None:
        inside = labels.dtype == np.int32 and 0 <= labels.min() <= labels.max() < len(names)
        if not inside or labels.shape != pixels.shape[:1]:
            raise ValueError
    return Pictures(pixels, labels, names)


def data_of(run: Saved) -> Data | Pictures:
    """The data that the run was trained on; raises ConfigError, MissingFile where they must be fetched first."""
    return datasets.load(run.config, upload_of(run))


def picture_of(run: Saved) -> bytes | None:
    """The run's picture, a PNG, if it has one that can be shown."""
    row = run.about["files"].get("picture")
    with contextlib.suppress(ConfigError):
        content = None if row is None else _contents(run, row, MOST_CONFIG)
        return content if content is not None and is_thumbnail(content) else None
    return None


def recording_of(run: Saved, checkpoints: bool = False) -> Recording:
    """What was recorded; with `checkpoints`, those too. Raises ConfigError."""
    files = run.about["files"]
    recording = Recording(parent=run.parent)
    try:
        history = _arrays(run, files["history"])
        recording.history = _countable(History.of_state({**history, "markers": _markers(run.about, run.step)}))
        for step, frame in _frames(run, _arrays(run, files["frames"])):
            recording.frames.add(step, frame)
        for step, values in _json_of(_contents(run, files["scores"], MOST_CONFIG)):
            recording.scores.add(_step(step), dict(values))
        for row in run.about["checkpoints"] if checkpoints else ():
            recording.checkpoints.add(row["step"], _checkpoint(run, row))
    except ConfigError:
        raise
    except JUNK:
        raise ConfigError(f"The recording in {run.folder} cannot be read: it is not in GANscope's form.") from None
    return recording


def _countable(history: History) -> History:
    """The history, if its steps are such as training counts; raises ValueError."""
    _step(history.stride)
    _step(history.steps)
    return history


def _frames(run: Saved, arrays: dict[str, np.ndarray]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Each recorded step with its frame; raises ValueError where they are not such as views.record makes."""
    steps = arrays.pop("step").tolist()
    for name, array in arrays.items():
        axes, kind = FRAME[name], "u" if name == "grid" else "f"
        fits = array.ndim == 1 + len(axes) and all(n in (None, m) for n, m in zip(axes, array.shape[1:], strict=True))
        if not fits or array.dtype.kind != kind or 0 in array.shape[1:] or len(array) != len(steps):
            raise ValueError
    if steps and SHOWN[DATASETS[run.config.data].kind] not in arrays:
        raise ConfigError(f"The recorded frames in {run.folder} are not of the data that it names.")
    for i, step in enumerate(steps):
        yield _step(step), {name: array[i] for name, array in arrays.items()}


def _markers(about: dict[str, Any], until: int) -> list[dict[str, Any]]:
    """The knob changes up to a step."""
    return [
        {"step": m["step"], "knob": _printable(str(m["knob"]))[:40], "text": _printable(str(m["text"]))[:80]}
        for m in about["markers"]
        if _step(m["step"]) <= until
    ]


def _checkpoint(run: Saved, row: dict[str, Any]) -> Checkpoint:
    arrays = _arrays(run, row)
    history = {name.removeprefix("history_"): arrays.pop(name) for name in list(arrays) if name.startswith("history_")}
    state = [arrays[f"{i:04d}"] for i in range(len(arrays))]
    flat = {**run.config.to_flat(), **row["changes"]}
    return Checkpoint(flat, state, {**history, "markers": _markers(run.about, row["step"])})


def restore(trainer: Trainer, folder: str | Path, step: int | None = None) -> Recording:
    """Puts `trainer` where the run stood at its checkpoint `step` (None: the last), and returns the past up to there.

    With a step it is a branch, and its recording names the parent. Raises ConfigError.
    """
    run = read(Path(folder))
    recording = recording_of(run, checkpoints=True)
    steps = recording.checkpoints.steps
    at = steps[-1] if step is None and steps else step
    if at not in steps:
        raise ConfigError(f"{run.folder} has no checkpoint at step {step}; there are: {shorten(steps, 200)}.")
    try:
        past = recording.until(at)
        _countable(past.history)
        trainer.restore(past.checkpoints.items[-1].state)
    except JUNK:
        raise ConfigError(f"{run.folder} does not hold the weights of the networks that it describes.") from None
    if trainer.step != at:
        raise ConfigError(f"{run.folder} holds another step than it says.")
    if step is not None:
        past.parent = Parent(run.name, at)
    return past


def load(run: Saved, data: Data | Pictures) -> Trainer:
    """The trainer as it was saved; raises ConfigError."""
    from gan_core.trainer import Trainer

    trainer = Trainer(run.config, data)
    restore(trainer, run.folder)
    return trainer


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
    try:
        os.rename(folder, target)
    except OSError as error:
        raise ConfigError(f"{folder.name} cannot be moved: {error.strerror or error}.") from None


def annotate(folder: Path, note: str) -> None:
    """Changes the run's note; raises ConfigError."""
    about = {**read(folder).about, "note": checked_note(note)}
    try:
        write_whole(folder / CONFIG, _json(about))
    except OSError as error:
        raise _unsaved(folder, error) from None


def delete(folder: Path) -> None:
    """Deletes the run, at once for everybody else; raises ConfigError. Only folders that hold a run are deleted."""
    if not is_run(folder):
        raise ConfigError(f"{folder.name} holds no run, so it is not deleted from here.")
    away = folder.parent / f".part-{os.urandom(8).hex()}"
    _moved(folder, away)
    shutil.rmtree(away, ignore_errors=True)
