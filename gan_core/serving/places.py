"""How many training processes find room: on this machine, or on a cluster, as a process of its own says."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from gan_core.foundations.cluster import Need, address_of
from gan_core.foundations.machine import worker_gpus, worker_limit, worker_memory, worker_threads
from gan_core.runs.run_folders import runs_folder

MEMORY = 2_000_000_000  # bytes of a training process on a node, where GANSCOPE_WORKER_MB does not say
AGAIN_SECONDS = 3.0  # after a cluster that does not answer
ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "GANscope is asking the cluster for its free places."
ENDED = "The cluster does not answer. GANscope tries again every few seconds."


def need() -> Need:
    """What one training process takes of a node: a core where GANSCOPE_WORKER_THREADS does not say. The web server's
    own cores and memory, which are meant otherwise, say nothing here."""
    threads = worker_threads() if os.environ.get("GANSCOPE_WORKER_THREADS") else 1
    return Need(threads, worker_gpus(), worker_memory() if os.environ.get("GANSCOPE_WORKER_MB") else MEMORY)


def places(limit: int | None = None) -> OwnPlaces | ClusterPlaces:
    """Those of the cluster that GANSCOPE_RAY names, else this machine's: `limit`, or what it may take where None."""
    address = address_of(None)
    if address is None:
        return OwnPlaces(worker_limit() if limit is None else limit)
    # Folders go to the nodes by their names, which must not be of a place beside this process.
    os.environ["GANSCOPE_RUNS_DIR"] = str(runs_folder().resolve())
    return ClusterPlaces(address)


class OwnPlaces:
    """So many as are allowed."""

    lag_seconds = 0.0  # until a place that was given back is seen to be free

    def __init__(self, limit: int):
        self.limit = limit

    def has_room(self, workers: int, coming: int) -> bool:
        """Whether there is a place beside so many processes, those that are coming among them."""
        return workers < self.limit

    def trouble(self) -> str:
        """Why there is nothing to be had, else ""."""
        return ""

    def close(self) -> None:
        """Nothing is to be ended."""


class ClusterPlaces:
    """The places of a cluster, asked for from the first question on until `close`. Never waits."""

    lag_seconds = 30.0  # a process may take LEAVE_SECONDS to end, and the cluster some to say so

    def __init__(self, address: str):
        self._address = address
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._closed = threading.Event()
        self._free, self._trouble = 0, UNKNOWN

    def has_room(self, workers: int, coming: int) -> bool:
        """Whether it has a place free beside those that are for processes that are coming.

        What it has free is as of a moment ago: one that is coming may be counted twice for some seconds.
        """
        self._ask()
        return coming < self._free

    def trouble(self) -> str:
        """Why there is nothing to be had of the cluster, else ""."""
        self._ask()
        return self._trouble

    def close(self) -> None:
        """Asks no more."""
        self._closed.set()
        with self._lock:
            process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _ask(self) -> None:
        with self._lock:
            if self._closed.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._listen, daemon=True)
            with contextlib.suppress(RuntimeError):  # "can't start new thread": whoever asks next tries again
                thread.start()
                self._thread = thread

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                self._hear()
            except (OSError, ValueError, KeyError) as error:
                self._free, self._trouble = 0, f"The cluster cannot be asked for its free places: {error}."
            self._closed.wait(AGAIN_SECONDS)

    def _hear(self) -> None:
        """Until the process that asks has ended, with its cluster or because it could not reach it."""
        want = need()
        command = [sys.executable, "-m", "gan_core.foundations.cluster", self._address, "--places"]
        command += [str(want.cpus), str(want.gpus), str(want.memory)]
        pipe, ended = subprocess.PIPE, ENDED
        process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        with self._lock:
            self._process = process
        try:
            for line in process.stdout or ():
                said = json.loads(line)
                if "error" in said:
                    ended = said["error"]
                    break
                self._free = said["free"]
                self._trouble = "" if said["total"] else f"No node of the cluster has {want.sentence()} to give."
                if self._closed.is_set():
                    break
        finally:
            process.kill()
            process.wait()
            self._free, self._trouble = 0, ended
