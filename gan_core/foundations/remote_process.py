"""A process on a node of a cluster, and its pipes: both ends of the conversation with it. Ray is handed in."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

PIPE_BYTES = 1 << 20  # of a process's answers on their way: a frame of many pictures in few pieces
PACKAGE = Path(__file__).resolve().parents[1]


class Lost(Exception):
    """What ran there is gone, with its node or its process; it may be tried again."""


class RemoteProcess:
    """A process on a node. All methods raise Lost when it is gone with its node or was killed.

    Each of `read`, `errors` and `write` is for one thread.
    """

    def __init__(self, ray: Any, host: Any):
        self._ray, self._host = ray, host

    def node(self, seconds: float) -> tuple[str, bool]:
        """The name of its node, and whether that sees the file, once it runs there.

        Raises TimeoutError where none has had room for so long.
        """
        try:
            return self._get(self._host.node.remote(), seconds)
        except self._ray.exceptions.GetTimeoutError:
            raise TimeoutError from None

    def write(self, data: bytes) -> None:
        """To its standard input; b"" closes it."""
        self._get(self._host.write.options(concurrency_group="input").remote(data))

    def read(self) -> bytes:
        """Waits for what it has written on standard output; b"" once that is closed."""
        return self._get(self._host.read.options(concurrency_group="output").remote())

    def errors(self) -> bytes:
        """Waits for what it has written on standard error; b"" once that is closed."""
        return self._get(self._host.errors.options(concurrency_group="errors").remote())

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        return self._get(self._host.wait.remote())

    def _get(self, call: Any, seconds: float | None = None) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(call, timeout=seconds)
        except errors.GetTimeoutError:
            raise
        except errors.RayError as error:
            raise Lost(last_line(error)) from None


class Host:
    """On the node: the process and its pipes. An actor, so that it ends with whoever asked for it."""

    def __init__(self, arguments: list[str], seen: tuple[str, bytes] | None):
        self._sees = seen is None or _sees(*seen)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, cwd=PACKAGE.parent
        )
        with contextlib.suppress(ImportError, AttributeError, OSError):  # not Linux, or the system allows less
            import fcntl

            assert self._process.stdout is not None
            fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def node(self) -> tuple[str, bool]:
        return socket.gethostname(), self._sees

    def write(self, data: bytes) -> None:
        into = self._process.stdin
        assert into is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended, which its output says
            if data:
                into.write(data)
                into.flush()
            else:
                into.close()

    def read(self) -> bytes:
        return self._next(self._process.stdout)

    def errors(self) -> bytes:
        return self._next(self._process.stderr)

    def wait(self) -> int:
        return self._process.wait()

    @staticmethod
    def _next(pipe: Any) -> bytes:
        return os.read(pipe.fileno(), PIPE_BYTES)


def _sees(file: str, content: bytes) -> bool:
    with contextlib.suppress(OSError):
        return Path(file).read_bytes() == content
    return False


def last_line(error: Exception) -> str:
    """What an error of Ray's comes from, without its traceback."""
    cause = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return (lines[-1] if lines else type(cause).__name__)[:300]
