"""A sweep's folder: what it trains, a line for each finished trial, and what is kept of each.

`trials.jsonl` is the truth: a trial is finished once its line is there, whole. One process writes, anybody may read
meanwhile; whatever is killed, at most a line is cut off, and then that trial is trained again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from gan_core.foundations.files import npz_bytes, write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.locking import locked
from gan_core.sweeps.space import Space
from gan_core.sweeps.training import Outcome

FORMAT = 1
SPACE, ROWS, TRIALS, RUNS = "sweep.json", "trials.jsonl", "trials", "runs"
DATA = "data"  # the user's own file, with its name's end


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
            about = json.loads((self.folder / SPACE).read_text("utf-8"))
            if about["format"] != FORMAT:
                raise ConfigError(
                    f"{self.folder} was written by another version of GANscope (format {about['format']})."
                )
            return Space.of_json(about["space"])
        except ConfigError:
            raise
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise ConfigError(f"{self.folder} does not hold a sweep that can be read.") from None

    def begin(self, space: Space, data: tuple[str, bytes] | None = None, choices: dict[str, str] | None = None) -> None:
        """Makes the folder, or lets its sweep train more: other values and seeds, but the same trainings.

        data: the name and the content of the user's own file. choices: what it is read with.
        """
        if self.is_there() and not (space.same_trainings(self.space()) and self._same_data(data, choices)):
            raise ConfigError(
                f"There is a sweep {shorten(self.folder.name)} already, of other settings, budget or data: choose "
                "another name, or change values and seeds only."
            )
        if self.is_there():
            space = replace(space, looks=max(space.looks, self.space().looks))  # else what is there would not be shown
        try:
            (self.folder / TRIALS).mkdir(parents=True, exist_ok=True)
            if data is not None:
                write_whole(self.folder / (DATA + Path(data[0]).suffix.lower()), data[1])
            said = {"format": FORMAT, "space": space.to_json(), "data": None if data is None else data[0]}
            if not self.is_there() or self.choices() is not None:
                said["choices"] = choices or {}
            write_whole(self.folder / SPACE, json.dumps(said, indent=1).encode())
        except OSError as error:
            raise self._unwritable(error) from None

    def data_file(self) -> tuple[str, bytes] | None:
        """The user's own file, its name and content, or None."""
        try:
            name = json.loads((self.folder / SPACE).read_text("utf-8"))["data"]
            return None if name is None else (name, (self.folder / (DATA + Path(name).suffix.lower())).read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            raise ConfigError(f"{self.folder} does not hold the data of its sweep.") from None

    def choices(self) -> dict[str, str] | None:
        """What the user's file is read with; None where an earlier version began the sweep, which knew no choices."""
        try:
            found = json.loads((self.folder / SPACE).read_text("utf-8")).get("choices")
        except (OSError, ValueError, AttributeError):
            raise ConfigError(f"{self.folder} does not hold a sweep that can be read.") from None
        return None if found is None else {str(name): str(value) for name, value in dict(found).items()}

    def _same_data(self, data: tuple[str, bytes] | None, choices: dict[str, str] | None) -> bool:
        there = self.data_file()
        if (choices or {}) != (self.choices() or {}):
            return False
        return there is data is None or (there is not None and data is not None and there[1] == data[1])

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
        try:
            with np.load(self.folder / TRIALS / f"{key}.npz", allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except Exception:  # zipfile's and NumPy's readers raise anything on damaged bytes
            raise ConfigError(f"What was kept of the trial {key} cannot be read.") from None

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
