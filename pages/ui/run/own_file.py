"""A user's own file, read beside the page's script: how far it is, what was understood, and what was wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.data.own_files import own_data
from gan_core.data.proposal import Choices, Progress, Proposal
from gan_core.foundations.hyperparameters import ConfigError, shorten
from pages.ui.session.works import Works

MOMENT_SECONDS = 0.3  # in which a small file is read before the page is drawn
MOST_LISTED = 200  # files of the server's folder
# Questions whose answers change what is asked after them: which columns, axes and classes there are.
UPSTREAM = frozenset({"kind", "sheet", "array", "separator", "encoding", "header", "decimal"})


class StoppedError(Exception):
    """Its user does not want it read any more."""


@dataclass(eq=False)
class OwnFile:
    """One reading of a file.

    source: what tells this file from another, such as the upload's own number. content: its bytes, or its path on this
    machine. choices: what its user has corrected. shown: what was understood before, until this reading has ended, or
    where it is refused. good: the choices that `shown` was read with.
    """

    source: str
    name: str
    content: bytes | Path
    choices: Choices = field(default_factory=dict)
    shown: Proposal | None = None
    good: Choices = field(default_factory=dict)
    stopped: bool = False
    progress: tuple[str, int, int] = ("Reading the file", 0, 0)
    future: Future[Proposal] | None = None

    def start(self, works: Works) -> OwnFile:
        """Has it read by one of the session's threads."""
        self.future = works.join(self._read)
        return self

    def chosen(self, name: str, value: str, works: Works) -> OwnFile:
        """The same file, read anew with another answer to the question `name`.

        It starts from the answers that were read last, and from those that are being read: one that was refused or
        stopped is forgotten. An answer to a question of `UPSTREAM` drops those that depend on it.
        """
        shown, good = self.proposal(), self.choices if self._understood() else self.good
        answers = good if self.stopped or self.error() else self.choices
        if name in UPSTREAM:
            answers = {answered: answer for answered, answer in answers.items() if answered in UPSTREAM}
        self.stop()
        return OwnFile(self.source, self.name, self.content, {**answers, name: value}, shown, good).start(works)

    def again(self, works: Works) -> OwnFile:
        """The same once more."""
        return OwnFile(self.source, self.name, self.content, self.choices, self.shown, self.good).start(works)

    def is_like(self, other: OwnFile) -> bool:
        """Whether both read the same content in the same way."""
        mine, others = (self.name, self.content, self.choices), (other.name, other.content, other.choices)
        return self is other or mine == others

    def size(self) -> int:
        """The bytes that it holds in memory: the file's own, and of what was understood."""
        held = {
            id(one.data): one.data for one in (self.proposal(), self.shown) if one is not None and one.data is not None
        }
        arrays = [part for data in held.values() for part in vars(data).values() if isinstance(part, np.ndarray)]
        return sum(part.nbytes for part in arrays) + (len(self.content) if isinstance(self.content, bytes) else 0)

    def stop(self) -> None:
        """Ends the reading where it next says how far it is."""
        self.stopped = True

    def done(self, seconds: float = 0.0) -> bool:
        """Whether the reading has ended, waiting for that long at most."""
        if self.future is None or self.stopped:
            return True
        wait([self.future], seconds)
        return self.future.done()

    def proposal(self) -> Proposal | None:
        """What was understood; of the reading before, while this one goes on or where it was refused."""
        return self.future.result() if self.future is not None and self._understood() else self.shown

    def _understood(self) -> bool:
        """Whether this reading has ended and was not refused."""
        future = self.future
        return future is not None and future.done() and not future.cancelled() and future.exception() is None

    def error(self) -> str:
        """Why the file was refused, "" where it was not."""
        if self.future is None or self.stopped or not self.future.done():
            return ""
        if self.future.cancelled():
            return f"Reading {self.name} was left for another file. Choose it again."
        error = self.future.exception()
        if error is None or isinstance(error, StoppedError):
            return ""
        if isinstance(error, ConfigError):
            return str(error)
        if isinstance(error, MemoryError):
            return f"{self.name} takes more memory than there is. Use fewer or smaller images."
        return f"{self.name} could not be read ({type(error).__name__})."

    def _read(self) -> Proposal:
        return propose(self.name, self.content, self.choices, self._at)

    def _at(self, text: str, done: int, total: int) -> None:
        self.progress = text, done, total
        if self.stopped:
            raise StoppedError


def propose(name: str, content: bytes | Path, choices: Choices, progress: Progress) -> Proposal:
    """What a file or folder holds, points or images; raises ConfigError, and what `progress` raises."""
    if isinstance(content, Path):
        return own_data.propose_path(content, choices, progress)
    return own_data.propose(name, content, choices, progress)


def data_folder() -> Path | None:
    """The folder of this machine to choose files from (GANSCOPE_DATA), where there is one."""
    text = os.environ.get("GANSCOPE_DATA", "")
    return Path(text).expanduser().absolute() if text and os.path.isdir(os.path.expanduser(text)) else None


def listed(folder: Path) -> list[str]:
    """The names of the files and folders in it, without links and hidden ones."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and not entry.is_symlink()]
    except OSError:
        return []
    return sorted(names)[:MOST_LISTED]


def upload(source: str, name: str, read: Callable[[], bytes]) -> OwnFile:
    """A file that was dropped on the page."""
    return OwnFile(source, shorten(name, 80).strip("'"), read())


def with_data(proposal: Proposal) -> Any:
    """What trains; None while a question is open."""
    return None if proposal.open else proposal.data
