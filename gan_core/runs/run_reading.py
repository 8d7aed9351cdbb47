"""Reading a saved run: its settings, its recording and, into a trainer, its weights.

Whatever is on the disk, it opens or is refused in a sentence: a checksum shows what was cut or changed, nothing is
unpickled, no file outside the run's folder is opened, and none so large that it would fill the memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.diagnosis.coach import marks_until
from gan_core.foundations.hyperparameters import ConfigError, printable, shorten
from gan_core.recording.coaching import marks_of
from gan_core.recording.history import History
from gan_core.recording.recorder import Checkpoint, Parent, Recording
from gan_core.recording.thumbnail import is_thumbnail
from gan_core.runs import saved_uploads
from gan_core.settings.all_settings import LIVE_FIELDS
from gan_core.settings.config import GANConfig

if TYPE_CHECKING:
    pass

FORMAT = 3  # in 2, which is read too, the tensors of a checkpoint had numbers instead of names
FORMATS = (2, FORMAT)
CONFIG = "config.json"
FILE = re.compile(r"(history|frames|scores|data|picture|checkpoint-[0-9]{1,12})-[0-9a-f]{16}\.(npz|json|png)")
NOTE_LENGTH = 500
MOST_FILE = 800_000_000  # bytes of one file of a run, packed and unpacked: the most pictures that a user can load
MOST_CONFIG = 4_000_000
READINGS = 4  # of a run whose files go, for it is being written, while it is read
MOST_STEP = 2**31 - 1  # the networks count in int32
# Axes of each array of a recorded frame, None for any length; and which must be there.
FRAME = {
    "samples": (None, 2),
    "heat": (None, None),
    "manifold": (None, None, 2),
    "grid": (None, None, None, None),
    "p_real": (None,),
    "judged": (5,),
}
SHOWN = {"points": "samples", "images": "grid"}
# What reading values of unknown types may raise.
JUNK = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
AUTOSAVE = "autosave "  # what the names of autosaved runs begin with


@dataclass(frozen=True)
class Race:
    """Which of the runs of a race an autosaved run is. id: the same of all; error: why it stands still for good."""

    id: str
    run: int
    runs: int
    error: str = ""


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
    goal: int  # the step that it is meant to reach, 0 if nobody said one
    scores: dict[str, Any]
    about: dict[str, Any]
    race: Race | None = None

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
    broken = ConfigError(f"{folder} is not a readable run: its {CONFIG} is missing or damaged.")
    try:
        about = _json_of(_bytes(folder / CONFIG, MOST_CONFIG))
        version = about.get("format")
    except (OSError, ValueError, AttributeError):
        raise broken from None
    if version not in FORMATS:
        newer = isinstance(version, int) and version > FORMAT
        which, update = ("a newer", " Update GANscope to open it.") if newer else ("another", "")
        raise ConfigError(f"{folder} was written by {which} version of GANscope.{update}")
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
            parent = Parent(printable(str(parent["name"]))[:80], _step(parent["step"]))
        note, saved, owner = (printable(str(about[name])) for name in ("note", "saved", "owner"))
        race = _race(about.get("race"))
        goal = _step(about.get("goal", 0))
        scores = about["scores"] if isinstance(about["scores"], dict) else {}
    except JUNK:
        raise broken from None
    if problems:
        more = f" There are {len(problems) - 1:,} more such problems." if len(problems) > 1 else ""
        raise ConfigError(f"The settings of {shorten(folder.name)} cannot be used. {problems[0]}{more}")
    return Saved(folder, step, saved[:20], note[:NOTE_LENGTH], config, parent, owner[:64], goal, scores, about, race)


def _race(value: Any) -> Race | None:
    """What `config.json` says of a race, None without one; raises one of JUNK."""
    if value is None:
        return None
    run, runs = _step(value["run"]), _step(value["runs"])
    if not run < runs:
        raise ValueError
    return Race(printable(str(value["id"]))[:80], run, runs, printable(str(value["error"]))[:NOTE_LENGTH])


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


def checksum(content: bytes) -> str:
    """What `config.json` says of a file, by which a cut or changed one is known."""
    return hashlib.sha256(content).hexdigest()


def _contents(run: Saved, row: dict[str, Any], most: int = MOST_FILE) -> bytes:
    path = run.folder / row["file"]
    try:
        content = _bytes(path, most)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if checksum(content) != row["sha256"]:
        raise ConfigError(f"{path} was changed or cut off after saving. Use a backup copy of the run.")
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
    """The user's own data that the run was trained on: OwnPoints or Pictures, or float32 [N, 2] of an earlier version,
    which scaled both axes alike; None for others."""
    if "data" not in run.about["files"]:
        return None
    arrays = _arrays(run, run.about["files"]["data"])
    try:
        return saved_uploads.upload_of(arrays, run.config.params().get("size", "native") == "native")
    except JUNK:
        raise ConfigError(f"The data of {run.folder} cannot be used.") from None


def data_of(run: Saved) -> Data | Pictures:
    """The data that the run was trained on; raises ConfigError, MissingFile where they must be fetched first."""
    return loading.load(run.config, upload_of(run))


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
        recording.history = countable(History.of_state({**history, "markers": _markers(run.about, run.step)}))
        frames = dict(_frames(run, _arrays(run, files["frames"])))
        for step, values in _json_of(_contents(run, files["scores"], MOST_CONFIG)):
            recording.scores.add(_step(step), dict(values))
        recording.keep_best(frames)  # before the others come, which could take its place
        for step, frame in frames.items():
            recording.frames.add(step, frame)
        for row in run.about["checkpoints"] if checkpoints else ():
            recording.checkpoints.add(row["step"], _checkpoint(run, row))
        recording.marks = _marks(run.about, run.step) if "findings" in run.about else marks_of(run.config, recording)
    except ConfigError:
        raise
    except JUNK:
        raise ConfigError(f"The recording in {run.folder} cannot be read: it is not in GANscope's form.") from None
    return recording


def opened(folder: Path, checkpoints: bool = False) -> tuple[Saved, Recording]:
    """A run with what was recorded; raises ConfigError. One that is being autosaved is read again as it is by then."""
    for _ in range(READINGS - 1):
        run = read(folder)
        try:
            return run, recording_of(run, checkpoints)
        except ConfigError:
            if read(folder).about == run.about:
                raise
    run = read(folder)
    return run, recording_of(run, checkpoints)


def countable(history: History) -> History:
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
        {"step": m["step"], "knob": printable(str(m["knob"]))[:40], "text": printable(str(m["text"]))[:80]}
        for m in about["markers"]
        if _step(m["step"]) <= until
    ]


def _marks(about: dict[str, Any], until: int) -> list[dict[str, Any]]:
    """What the coach found up to a step."""
    marks = [
        {
            **{name: printable(str(mark[name]))[:40] for name in ("name", "title")},
            "first": _step(mark["first"]),
            "last": None if mark["last"] is None else _step(mark["last"]),
        }
        for mark in about["findings"]
    ]
    return marks_until(marks, until)


def _checkpoint(run: Saved, row: dict[str, Any]) -> Checkpoint:
    arrays = _arrays(run, row)
    history = {name.removeprefix("history_"): arrays.pop(name) for name in list(arrays) if name.startswith("history_")}
    flat = {**run.config.to_flat(), **row["changes"]}
    return Checkpoint(flat, arrays, {**history, "markers": _markers(run.about, row["step"])})
