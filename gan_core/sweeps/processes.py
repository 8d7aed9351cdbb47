"""Trials in processes of this machine: one at a time in each, which stays warm from trial to trial."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.machine import thread_variables

_SPAWN = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
END_SECONDS = 5.0


class Job(Protocol):
    """What an executor has done in another process: a trial, or a run of a published benchmark."""

    @property
    def key(self) -> str:
        """Its name."""
        ...

    @property
    def config(self) -> dict[str, Any]:
        """The settings that it trains, flat, by which its memory is reckoned."""
        ...

    def done_by(self, trainings: Any) -> Any:
        """Does it, with what the process keeps from one to the next (`training.Trainings`); returns the outcome."""
        ...


class Executor(Protocol):
    """What has trials (or other jobs) done: processes of this machine, or of a cluster."""

    @property
    def free(self) -> int:
        """How many trials could be started now."""
        ...

    def start(self, trial: Any) -> None:
        """Has a trial trained; only where one is free."""
        ...

    def finished(self, seconds: float) -> list[tuple[Any, Any]]:
        """(trial, outcome) of those that have ended, after at most so many seconds; None where the process ended."""
        ...

    def close(self) -> None:
        """Ends all, at once."""
        ...


class _Process:
    """One process, and the trial that it has."""

    def __init__(self, threads: int, upload: Any):
        self.connection, theirs = _SPAWN.Pipe()
        # A child takes over this process's environment, and TensorFlow looks there when it is first imported.
        self.process = _SPAWN.Process(target=_serve, args=(theirs, threads, upload), daemon=True)
        self.process.start()
        theirs.close()
        self.trial: Job | None = None

    def end(self) -> None:
        """At once: what it has not handed over is lost."""
        self.process.kill()
        self.process.join(END_SECONDS)
        self.connection.close()


class Processes:
    """An Executor on this machine; a process is started when a trial first needs it.

    count: processes, at most. threads: that each computes with: the same number gives the same bits. upload: the user's
    own data, sent once to each.
    """

    def __init__(self, count: int, threads: int = 1, upload: Any = None):
        self._count, self._threads, self._upload = count, threads, upload
        self._all: list[_Process] = []

    @property
    def free(self) -> int:
        """How many trials could be started now."""
        return self._count - sum(each.trial is not None for each in self._all)

    def start(self, trial: Job) -> None:
        """Has a trial trained, only where one is free; raises ConfigError where the system gives no process."""
        each = next((each for each in self._all if each.trial is None), None)
        if each is None:
            try:
                each = _Process(self._threads, self._upload)
            except OSError as error:
                raise ConfigError(f"No process could be started: {error.strerror or error}.") from None
            self._all.append(each)
        each.trial = trial
        with contextlib.suppress(OSError):  # it has ended meanwhile, which `finished` finds
            each.connection.send(trial)

    def finished(self, seconds: float) -> list[tuple[Any, Any]]:
        """(trial, outcome) of those that have ended, after at most so many seconds; None where the process ended."""
        busy = {each.connection: each for each in self._all if each.trial is not None}
        found: list[tuple[Any, Any]] = []
        for ready in wait(list(busy), seconds):
            each = busy[ready]  # pyright: ignore[reportArgumentType]
            trial = each.trial
            assert trial is not None
            try:
                outcome = each.connection.recv()
                each.trial = None
            except (EOFError, OSError):
                outcome = None
                each.end()
                self._all.remove(each)
            found.append((trial, outcome))
        return found

    def close(self) -> None:
        """Ends all processes, at once."""
        for each in self._all:
            each.end()
        self._all.clear()
        self._count = 0


def _serve(connection: Connection, threads: int, upload: Any) -> None:
    """The process: trains what comes until nobody is there any more."""
    os.environ |= thread_variables(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()

    from gan_core import plugins
    from gan_core.sweeps.training import Trainings

    plugins.load(checked=False)  # the parent has tried them
    trainings = Trainings(upload)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(connection.recv().done_by(trainings))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
