"""A sweep's folder: what it trains, a line for each finished trial, and what is kept of each.

`trials.jsonl` is the truth: a trial is finished once its line is there, whole. One process writes, anybody may read
meanwhile; whatever is killed, at most a line is cut off, and then that trial is trained again.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from gan_core.data.own_files import uploads
from gan_core.data.points import OwnPoints
from gan_core.foundations.files import npz_bytes, write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.locking import locked
from gan_core.runs import saved_uploads
from gan_core.sweeps.space import Space
from gan_core.sweeps.training import Outcome

FORMAT = 1
SPACE, ROWS, TRIALS, RUNS = "sweep.json", "trials.jsonl", "trials", "runs"
UPLOAD = "upload.npz"  # the user's own data
FILE = "data"  # before: their file, with its name's end


def sweeps_folder(chosen: str | None = None) -> Path:
    """Where sweeps are kept: `chosen`, else what GANSCOPE_SWEEPS_DIR says, else `sweeps`."""
    return Path(chosen or os.environ.get("GANSCOPE_SWEEPS_DIR") or "sweeps")


class Store:
    """One sweep's folder. Raises ConfigError where it cannot be read or written."""

    def __init__(self, folder: Path):
        self.folder = folder

    # -- what is trained ----------------------------------------------------------------------------------

    def is_there(self) -> bool:
        """Whether there is a sweep in the folder."""
        return (self.folder / SPACE).is_file()

    def space(self) -> Space:
        """What the sweep trains."""
        try:
            about = self._about()
            if about["format"] != FORMAT:
                raise ConfigError(
                    f"{self.folder} was written by another version of GANscope (format {about['format']})."
                )
            return Space.of_json(about["space"])
        except ConfigError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ConfigError(f"{self.folder} does not hold a sweep that can be read.") from None

    def begin(self, space: Space, upload: Any = None) -> Any:
        """Makes the folder, or lets its sweep train more: other values and seeds, but the same trainings.

        upload: the user's own data, which are kept as a saved run keeps them; returns those that the sweep trains on,
        which an earlier version may have read in another way.
        """
        about: dict[str, Any] = {"data": None if upload is None else uploads.name_of(upload)}
        if self.is_there():
            about = self._about()
            if not (space.same_trainings(self.space()) and self._same_data(upload)):
                raise ConfigError(
                    f"There is a sweep {shorten(self.folder.name)} already, of other settings, budget or data: choose "
                    "another name, or change values and seeds only."
                )
            space = replace(space, looks=max(space.looks, self.space().looks))  # else what is there would not be shown
        try:
            (self.folder / TRIALS).mkdir(parents=True, exist_ok=True)
            if about.get("data") == uploads.name_of(upload) and not (self.folder / UPLOAD).is_file():
                write_whole(self.folder / UPLOAD, npz_bytes(saved_uploads.arrays_of(upload), compressed=True))
            write_whole(
                self.folder / SPACE,
                json.dumps({**about, "format": FORMAT, "space": space.to_json()}, indent=1).encode(),
            )
        except OSError as error:
            raise self._unwritable(error) from None
        return upload if about.get("data") in (None, uploads.name_of(upload)) else self.upload()

    def _about(self) -> dict[str, Any]:
        """What the sweep's own file says."""
        try:
            return dict(json.loads((self.folder / SPACE).read_text("utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):
            raise ConfigError(f"{self.folder} does not hold a sweep that can be read.") from None

    def upload(self) -> Any:
        """The user's own data that the sweep trains on, or None."""
        about = self._about()
        data = about.get("data")
        if data is None:
            return None
        if (self.folder / UPLOAD).is_file():
            # Whether the run takes pictures as they come concerns those of versions before this file.
            read = functools.partial(saved_uploads.upload_of, native=False)
            return self._read(UPLOAD, f"The data of the sweep {self.folder.name}", read)
        try:
            choices = about.get("choices")
            choices = None if choices is None else {str(key): str(value) for key, value in dict(choices).items()}
        except (TypeError, ValueError):
            raise ConfigError(f"{self.folder} does not hold a sweep that can be read.") from None
        return self._upload_of_a_file(str(data), choices)

    def _upload_of_a_file(self, name: str, choices: dict[str, str] | None) -> Any:
        """Those of a sweep that an earlier version began, which kept the file itself, and since it knew any, the
        choices it is read with."""
        try:
            content = (self.folder / (FILE + Path(name).suffix.lower())).read_bytes()
        except OSError:
            raise ConfigError(f"{self.folder} does not hold the data of its sweep.") from None
        upload = uploads.parsed(name, content, choices)[0]
        # Before there were choices both axes were scaled alike, and so it goes on.
        return upload.points if choices is None and isinstance(upload, OwnPoints) else upload

    def _same_data(self, upload: Any) -> bool:
        said = self._about().get("data")
        if upload is None or said is None:
            return upload is said
        if said == uploads.name_of(upload):
            return True
        there = self.upload()  # of an earlier version's file, or read back from a saved run
        if isinstance(there, np.ndarray) and isinstance(upload, OwnPoints):
            upload = upload.points
        return uploads.same(there, upload)

    # -- what is finished ---------------------------------------------------------------------------------

    def rows(self, start: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The finished trials' rows from byte `start` on, in the order in which they ended, and where to go on."""
        try:
            with open(self.folder / ROWS, "rb") as file:
                file.seek(start)
                content = file.read()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise ConfigError(f"{self.folder / ROWS} cannot be read: {error.strerror or error}.") from None
        whole = content[: content.rfind(b"\n") + 1]
        try:
            return [json.loads(line) for line in whole.splitlines()], start + len(whole)
        except ValueError:
            raise ConfigError(f"{self.folder / ROWS} was changed after it was written.") from None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        """To add trials; raises ConfigError where another process does so."""
        try:
            with locked(self.folder, 0.0):
                _, end = self.rows()
                with open(self.folder / ROWS, "ab") as file:
                    file.truncate(end)  # the line that a kill cut off
                    yield Writer(self.folder, file)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(f"The sweep cannot be saved in {self.folder}: {error.strerror or error}.")

    def arrays(self, key: str) -> dict[str, np.ndarray]:
        """The history and the last frame of a finished trial; raises ConfigError."""
        return self._read(f"{TRIALS}/{key}.npz", f"What was kept of the trial {key}", dict)

    def _read(self, name: str, what: str, made: Callable[[dict[str, np.ndarray]], Any]) -> Any:
        try:
            with np.load(self.folder / name, allow_pickle=False) as file:
                return made({name: file[name] for name in file.files})
        except Exception:  # zipfile's and NumPy's readers raise anything on damaged bytes
            raise ConfigError(f"{what} cannot be read.") from None

    def picture(self, key: str) -> bytes:
        """The PNG of a finished trial's last frame, or b"" where there is none."""
        try:
            return (self.folder / TRIALS / f"{key}.png").read_bytes()
        except OSError:
            return b""


class Writer:
    """Adds finished trials, one after another. Raises OSError."""

    def __init__(self, folder: Path, rows: IO[bytes]):
        self._folder, self._rows = folder, rows

    def add(self, outcome: Outcome) -> None:
        """Writes what is kept of the trial, and its line last."""
        key = outcome.row["key"]
        if outcome.arrays:
            write_whole(self._folder / TRIALS / f"{key}.npz", npz_bytes(outcome.arrays, compressed=True))
        if outcome.picture:
            write_whole(self._folder / TRIALS / f"{key}.png", outcome.picture)
        if outcome.run:
            run = self._folder / RUNS / key
            run.mkdir(parents=True, exist_ok=True)
            for name in sorted(outcome.run, key=lambda name: name == "config.json"):  # which names the others
                write_whole(run / name, outcome.run[name])
        self._rows.write(json.dumps(outcome.row, allow_nan=False).encode() + b"\n")
        self._rows.flush()
        os.fsync(self._rows.fileno())
