"""A process that has imported TensorFlow and forks a training process whenever it is asked: started by forking.py.

The import is 4 s of a core and some 300 MB; a fork has both within hundredths of a second, and shares that memory as
long as nobody writes to it. It is safe as long as TensorFlow has imported and nothing more: it makes its threads, and
looks for devices, with its first operation, which is left to the training processes.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

LENGTH = struct.Struct("<I")
NUMBER = struct.Struct("<i")
HANDLES = 4  # that come with what is asked for: standard input, output and error, and the status pipe
READY = b"r"  # said once, when all is imported


def _tell(status: int, number: int) -> None:
    with contextlib.suppress(OSError):  # nobody asks any more
        os.write(status, NUMBER.pack(number))


def exactly(control: socket.socket, size: int) -> bytes:
    """So many bytes of the control socket; raises EOFError at its end."""
    data = b""
    while len(data) < size:
        more = control.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class ForkServer:
    """`run(arguments)` is what a forked process does. Ends when the control socket has closed and no child is left."""

    def __init__(self, control: socket.socket, run: Callable[[list[str]], None]):
        self._control: socket.socket | None = control
        self._run = run
        self._status_of: dict[int, int] = {}  # the pipe on which the server hears of each child
        self._woken, self._wakes = os.pipe()
        for end in (self._woken, self._wakes):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Until nobody can ask any more, and every child has ended."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it wakes the wait below
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        while self._control is not None or self._status_of:
            sources = [self._woken] if self._control is None else [self._woken, self._control]
            ready, _, _ = select.select(sources, [], [])
            if self._woken in ready:
                os.read(self._woken, 1024)
                self._bury()
            if self._control in ready:
                self._hear(self._control)

    def _hear(self, control: socket.socket) -> None:
        handles: list[int] = []
        try:
            head, handles, _, _ = socket.recv_fds(control, LENGTH.size, HANDLES)
            asked = json.loads(exactly(control, LENGTH.unpack(head)[0]))
        except (EOFError, OSError, struct.error):  # the server has closed its end, or is gone
            control.close()
            self._control = None
        else:
            if len(handles) == HANDLES and self._fork(asked, handles):
                handles.pop()  # the status pipe, until the child has ended
        for handle in handles:
            os.close(handle)

    def _fork(self, asked: dict[str, Any], handles: list[int]) -> bool:
        status = handles[-1]
        try:
            with warnings.catch_warnings():
                # Python warns of threads of the libraries' own (memory, BLAS), which see to it that they can be forked.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError as error:
            _tell(status, -(error.errno or errno.EAGAIN))
            return False
        if pid == 0:
            self._be_child(asked, handles)
        _tell(status, pid)
        self._status_of[pid] = status
        return True

    def _bury(self) -> None:
        """Tells how each child has ended that has."""
        for pid in list(self._status_of):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                pipe = self._status_of.pop(pid)
                _tell(pipe, os.waitstatus_to_exitcode(status))
                os.close(pipe)

    def _be_child(self, asked: dict[str, Any], handles: list[int]) -> NoReturn:
        """The forked process. It keeps its own status pipe: that closes with it even where the fork server is gone."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            assert self._control is not None
            self._control.close()
            for handle in (self._woken, self._wakes, *self._status_of.values()):
                os.close(handle)
            for to, handle in enumerate(handles[:-1]):
                os.dup2(handle, to)
                os.close(handle)
            for name in asked["unset"]:
                os.environ.pop(name, None)
            os.environ |= asked["set"]
            self._run(asked["arguments"])
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)


def _train(arguments: list[str]) -> None:
    from gan_core.serving import worker

    worker.main(*arguments)


def main(run: Callable[[list[str]], None] = _train) -> None:
    """`python -m gan_core.serving.fork_server HANDLE`: the control socket that it inherited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    with contextlib.suppress(Exception):  # what cannot be imported, each child tries again, and says so
        from gan_core.serving import worker

        worker.import_all()
    gc.collect()
    gc.freeze()  # a child's collections else write to every page that it shares
    with contextlib.suppress(OSError):
        control.sendall(READY)
    ForkServer(control, run).serve()


if __name__ == "__main__":
    main()
