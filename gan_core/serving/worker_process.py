"""The server's side of one training process: it starts, is written to and listened to, and ends."""

import itertools
import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import Future
from io import BufferedReader, BufferedWriter
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

from gan_core.data.own_files import uploads
from gan_core.foundations.cluster import address_of
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.machine import thread_variables, worker_threads
from gan_core.serving import forking
from gan_core.serving.forking import ROOT, ForkedProcess
from gan_core.serving.wire import LEAVE_SECONDS, Wire
from gan_core.settings.config import GANConfig

END_SECONDS = LEAVE_SECONDS + 2.0  # a worker ends by itself: this is for one that cannot any more
CLUSTER_STATUS = 69  # of one that ends for a reason of the cluster's, which is its last line of complaint
NOT_SAVED = "Training stopped before the run was saved."

_LOGGER = logging.getLogger(__name__)


def started(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes] | ForkedProcess:
    """A training process, forked where that is safe. On a cluster it hands on what one on a node says and hears."""
    on_cluster = bool(address_of(None))
    forked = None if on_cluster else forking.the_forking.start(arguments, environment)
    if forked is not None:
        return forked
    end, pipe = "cluster_worker" if on_cluster else "worker", subprocess.PIPE
    command = [sys.executable, "-m", f"gan_core.serving.{end}", *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, env=environment)


class WorkerProcess:
    """One worker process: `starting`, then `warm`; `gone` when it has ended, with `reason` if it said one.

    All methods return at once, but for `wait_answer`. Raises OSError where the system gives no process, or no threads
    to talk to it with.
    """

    def __init__(self, prewarm: GANConfig | None = None):
        arguments = [] if prewarm is None else [json.dumps(prewarm.to_flat())]
        environment = {**os.environ, **thread_variables(worker_threads())}
        self.process = started(arguments, environment)
        # Popen's pipes are None only where none was asked for.
        self.wire = Wire(cast(BufferedReader, self.process.stdout), cast(BufferedWriter, self.process.stdin))
        self.state = "starting"
        self.was_warm = False
        self.reason = ""
        self._answered = threading.Condition()
        self.answer: dict[str, Any] | None = None
        self.complaints: deque[str] = deque(maxlen=5)
        # What waits to be written. Whoever sends waits for nobody: neither for a pickled upload nor for a process that
        # does not read. None: nothing more is to be sent.
        self._outbox: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        self._upload = ""  # the name of the upload that the process holds
        self._numbers = itertools.count(1)
        self._saves: dict[int, Future[list[Path]]] = {}  # those that have not ended
        self._killer: threading.Timer | None = None
        listener = threading.Thread(target=self._listen, daemon=True)
        try:
            listener.start()
            threading.Thread(target=self._deliver, daemon=True).start()
            threading.Thread(target=self._read, args=(listener,), daemon=True).start()
        except RuntimeError as error:  # "can't start new thread": a process that nobody hears must not stay behind
            self._outbox.put(None)
            self.process.kill()
            self.process.wait()
            raise OSError(f"a training process cannot be talked to: {error}") from None

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def _read(self, listener: threading.Thread) -> None:
        while True:
            try:
                kind, body = self.wire.receive()
            except (EOFError, OSError, ValueError):
                break
            except Exception as error:  # what cannot be read ends the conversation, and with it the process
                self.reason = f"its answer could not be read: {type(error).__name__}: {error}"
                self.process.kill()
                break
            if kind == "saved":
                self._tell(self._saves.pop(body["id"], None), body["folders"], body["error"])
                continue
            with self._answered:
                if kind == "snapshot":
                    self.answer = body
                elif kind == "warm":
                    self.state, self.was_warm = "warm", True
                elif kind == "broken":
                    self.reason = body
                self._answered.notify_all()
        code = self.process.wait()
        listener.join(1.0)
        with self._answered:
            self.state = "gone"
            self.reason = self.reason or self._last_words(code)
            self._answered.notify_all()
            unsaved = list(self._saves.values())
            self._saves.clear()
        self._outbox.put(None)
        if self._killer is not None:
            self._killer.cancel()
        for save in unsaved:
            self._tell(save, [], NOT_SAVED)

    def _last_words(self, code: int) -> str:
        """Why it has ended: its exit status, with the exception where it could not even start, or the cluster's."""
        if not self.complaints or code not in (1, CLUSTER_STATUS):
            return f"exit status {code}"
        last = self.complaints[-1]
        return last if code == CLUSTER_STATUS else f"exit status {code}: {last}"

    @staticmethod
    def _tell(save: Future | None, folders: list[Path], error: str) -> None:
        if save is None:
            return
        if error:
            save.set_exception(ConfigError(error))
        else:
            save.set_result(folders)

    def _deliver(self) -> None:
        """Sends what waits, in order; a user's data once, by their content: later messages name them."""
        while (message := self._outbox.get()) is not None:
            kind, body = message
            try:
                if kind == "configure":
                    name = uploads.name_of(body["upload"])
                    if name and name != self._upload:
                        self.wire.send("upload", {"name": name, "content": body["upload"]})
                        self._upload = name
                    body = {**body, "upload": name}
                self.wire.send(kind, body)
            except (OSError, ValueError):
                break  # it is gone
            except Exception:  # for want of memory above all; those that follow may get through
                _LOGGER.exception("a message of kind %s could not be sent", kind)
        self.wire.close()

    def _listen(self) -> None:
        """Keeps what the libraries complain of: quiet while all is well, at hand when the process dies."""
        for line in self.process.stderr or ():
            self.complaints.append(line.decode(errors="replace").strip()[:300])

    def send(self, kind: str, body: Any = None) -> None:
        """Has a message written, without waiting; a worker that is gone hears nothing, and `state` says so.

        body: nobody may change it any more.
        """
        if self.state != "gone":
            self._outbox.put((kind, body))

    def save(self, folders: list[Path], note: str, owner: str = "") -> "Future[list[Path]]":
        """Has the process write its runs into new folders, or the next free names: the result is what it took.

        A ConfigError of the future says why there is none.
        """
        save: Future[list[Path]] = Future()
        with self._answered:
            gone, number = self.state == "gone", next(self._numbers)
            if not gone:
                self._saves[number] = save
        if gone:
            self._tell(save, [], NOT_SAVED)
        else:
            self.send("save", {"id": number, "folders": folders, "note": note, "owner": owner})
        return save

    def wait_answer(self, newer_than: int, timeout: float) -> dict[str, Any] | None:
        """The newest snapshot message, after waiting at most `timeout` seconds for one with a higher id."""
        with self._answered:
            self._answered.wait_for(
                lambda: self.state == "gone" or (self.answer is not None and self.answer["id"] > newer_than),
                timeout,
            )
            return self.answer

    def end(self) -> None:
        """Tells the process to end, after what was sent before, and makes sure within seconds, without waiting here."""
        self._outbox.put(None)
        self._killer = threading.Timer(END_SECONDS, self.process.kill)
        self._killer.daemon = True
        try:
            self._killer.start()
        except RuntimeError:  # no thread is left to wait with
            self.process.kill()
