"""Training processes that are forked from one that has imported TensorFlow (fork_server.py), where a fork is safe.

That is on Linux, and without a GPU: its driver does not survive a fork. Elsewhere each process is started by itself.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

from gan_core.foundations.machine import has_gpu
from gan_core.serving.fork_server import LENGTH, NUMBER

ROOT = Path(__file__).resolve().parents[2]
END_SECONDS = 5.0
REFUSED, UNKNOWN = 1, 255  # exit statuses: of a process that the system did not give; of one that nobody saw end
# What Python, NumPy and TensorFlow read as they are imported, but for the threads, which wait for the first operation.
READ_AT_IMPORT = ("PYTHON", "LD_", "TF_", "XLA_", "KERAS_", "CUDA_", "OMP_", "OPENBLAS_", "MKL_")
READ_LATER = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def _readable(source: Any, seconds: float | None) -> bool:
    """Whether there is something to be read, waiting so long for it; select.select knows no handle above 1,023."""
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return bool(poll.poll(None if seconds is None else 1_000 * seconds))


class ForkedProcess:
    """A process of a fork server, with what is used of subprocess.Popen: pipes, `pid`, `wait`, `poll`, `kill`."""

    def __init__(self, stdin: int, stdout: int, stderr: int, status: int):
        self.stdin: BufferedWriter = os.fdopen(stdin, "wb")
        self.stdout: BufferedReader = os.fdopen(stdout, "rb")
        self.stderr: BufferedReader = os.fdopen(stderr, "rb")
        self.returncode: int | None = None
        self._status = os.fdopen(status, "rb", buffering=0)
        self._said = b""  # the process id, then the exit status; or why there is none, as -errno
        self._lock = threading.Lock()

    def _hear(self, ready: int, timeout: float | None) -> bool:
        """Whether so many bytes have been said, or the last word, within so many seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while len(self._said) < ready and self.returncode is None:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not _readable(self._status, left):
                return False
            with self._lock:
                if not _readable(self._status, 0):
                    continue  # another thread has read it
                more = self._status.read(2 * NUMBER.size - len(self._said))
                self._said += more or b""
                if self._pid() < 0:
                    self.returncode = REFUSED
                elif len(self._said) == 2 * NUMBER.size:
                    self.returncode = NUMBER.unpack(self._said[NUMBER.size :])[0]
                elif not more:
                    self.returncode = UNKNOWN
        return True

    def _pid(self) -> int:
        return NUMBER.unpack(self._said[: NUMBER.size])[0] if len(self._said) >= NUMBER.size else 0

    @property
    def pid(self) -> int:
        """The process id, once there is one: the first process of a server waits for the import. Raises OSError where
        there never was one."""
        self._hear(NUMBER.size, None)
        number = self._pid()
        if number <= 0:
            raise OSError(-number or errno.ESRCH, os.strerror(-number or errno.ESRCH))
        return number

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended; raises subprocess.TimeoutExpired after so many seconds."""
        if not self._hear(2 * NUMBER.size, timeout):
            raise subprocess.TimeoutExpired("a training process", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """Ends it at once; nothing where it has ended."""
        with contextlib.suppress(OSError):
            pid = self.pid
            if self.poll() is None:
                os.kill(pid, signal.SIGKILL)


class _Handle:
    """One fork server, as long as it lives, and the environment that it was started with."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self._environment = environment
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        self._ready = False
        handle = theirs.fileno()
        with theirs:
            # What it complains of, a process that is started by itself complains of as well, and there it is heard.
            self.process = subprocess.Popen(
                [*command, str(handle)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env=environment,
                pass_fds=[handle],
            )

    def suits(self, environment: dict[str, str]) -> bool:
        """Whether what it has imported is what such a process would import."""
        return _import_environment(environment) == _import_environment(self._environment)

    def fork(self, arguments: list[str], environment: dict[str, str]) -> ForkedProcess:
        """A process, which may wait for the import. Raises OSError where the system gives none: at once, if it can."""
        ours, theirs = [], []
        try:
            for mine in (1, 0, 0, 0):  # we write its standard input, and read all else
                ends = os.pipe()
                ours.append(ends[mine])
                theirs.append(ends[1 - mine])
            changed = {name: value for name, value in environment.items() if self._environment.get(name) != value}
            unset = [name for name in self._environment if name not in environment]
            body = json.dumps({"arguments": arguments, "set": changed, "unset": unset}).encode()
            with self._lock:
                socket.send_fds(self._control, [LENGTH.pack(len(body))], theirs)
                self._control.sendall(body)
        except OSError:
            for handle in ours:
                os.close(handle)
            raise
        finally:
            for handle in theirs:
                os.close(handle)
        process = ForkedProcess(*ours)
        if self._is_ready():
            _ = process.pid  # a fork is a matter of milliseconds
        return process

    def _is_ready(self) -> bool:
        with self._lock:
            if not self._ready and _readable(self._control, 0):
                self._ready = self._control.recv(1) != b""
            return self._ready

    def close(self) -> None:
        """Has it end, after the last of its processes, without waiting for it."""
        self._control.close()


def _import_environment(environment: dict[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items() if name.startswith(READ_AT_IMPORT) and name not in READ_LATER
    }


class Forking:
    """The fork server of this process: started when it is first needed, and again after it was killed."""

    def __init__(self, command: list[str] | None = None):
        self._command = command
        self._lock = threading.Lock()
        self._server: _Handle | None = None
        self._ended: list[subprocess.Popen[bytes]] = []  # those that are closed, until they have ended
        self._works = sys.platform == "linux" and not has_gpu()
        atexit.register(self.rest)

    def start(self, arguments: list[str], environment: dict[str, str]) -> ForkedProcess | None:
        """A training process, without waiting for it; None where it must be started by itself. Raises OSError."""
        with self._lock:
            self._ended = [process for process in self._ended if process.poll() is None]
            self._bury()
            if not self._works:
                return None
            if self._server is None:
                command = self._command or [sys.executable, "-m", "gan_core.serving.fork_server"]
                self._server = _Handle(command, environment)
            if not self._server.suits(environment):
                return None
            try:
                return self._server.fork(arguments, environment)
            except BrokenPipeError:  # it is ending just now, or after the last of its processes
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._server.process.wait(END_SECONDS)
                self._bury()
                self._drop()
                return None

    def _bury(self) -> None:
        """Forgets a server that has ended: by itself if it could not import, and then the next could not, either."""
        if self._server is not None and self._server.process.poll() is not None:
            self._works = self._works and self._server.process.returncode == -signal.SIGKILL
            self._drop()

    def rest(self) -> None:
        """Ends the fork server, after the last process that it has forked: nobody is there who might want one."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._ended.append(self._server.process)  # else it would stay a zombie
            self._server = None


the_forking = Forking()
