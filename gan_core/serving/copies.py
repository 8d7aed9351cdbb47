"""Copies of a run that trains, for many at once: the worker writes one snapshot, and each copy is made from that."""

import contextlib
import os
import shutil
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from pathlib import Path

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_folders, run_reading
from gan_core.serving.client import Run

FRESH_SECONDS = 5.0  # a snapshot of a run that trains serves whoever asks for a copy within this time


@dataclass(eq=False)
class _Shot:
    """One snapshot, on its way or written. users: copies that are being made from it."""

    save: "Future[list[Path]]"
    generation: int
    users: int = 0
    stale: bool = False  # nobody takes a copy of it any more

    def serves(self, run: Run) -> bool:
        """Whether it is as new as somebody who watches the run can tell."""
        if self.stale or self.generation != run.generation:
            return False
        if not self.save.done():
            return True
        if self.save.exception() is not None:
            return False
        try:
            return run.busy or run_reading.read(self.save.result()[0]).step == run.step
        except ConfigError:
            return False  # somebody has deleted it


class Copies:
    """Makes copies of one run."""

    def __init__(self, run: Run):
        self._run = run
        self._lock = threading.Lock()
        self._newest: _Shot | None = None

    def make(self, target: Path, seconds: float, owner: str = "") -> Path:
        """A copy as `target` or under the next free name, after waiting at most `seconds`; raises ConfigError.

        owner: the account that it belongs to, as a hash; "" where nobody signs in.
        """
        shot = self._shot(target.parent)
        try:
            return run_folders.copy(shot.save.result(seconds)[0], target, owner)
        except NoAnswer:
            raise ConfigError("The run was not saved in time. Wait for a moment and try again.") from None
        finally:
            self._leave(shot)

    def _shot(self, root: Path) -> _Shot:
        with self._lock:
            shot = self._newest
            if shot is None or not shot.serves(self._run):
                generation = self._run.generation
                save = self._run.save([root / f".part-copy-{os.urandom(8).hex()}"])
                if shot is not None:
                    self._retire(shot)
                shot = self._newest = _Shot(save, generation)
                timer = threading.Timer(FRESH_SECONDS, self._expire, (shot,))
                timer.daemon = True
                timer.start()
            shot.users += 1
            return shot

    def _expire(self, shot: _Shot) -> None:
        with self._lock:
            self._retire(shot)

    def _leave(self, shot: _Shot) -> None:
        with self._lock:
            shot.users -= 1
            if shot.stale:
                self._retire(shot)

    def _retire(self, shot: _Shot) -> None:
        """Nobody gets it any more; once nobody uses it either, and it is written, its folder goes."""
        shot.stale = True
        if shot.users == 0:
            shot.save.add_done_callback(_discard)


def _discard(save: "Future[list[Path]]") -> None:
    with contextlib.suppress(ConfigError):
        for folder in save.result():
            shutil.rmtree(folder, ignore_errors=True)
