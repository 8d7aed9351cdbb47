"""Messages between the server and a worker: pickles with a length before each, over the worker's own pipes.

Anonymous pipes are private to the two processes (no socket, no key to guess) and close when either ends.
"""

import contextlib
import pickle
import struct
import threading
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")


class Wire:
    """One side of the conversation. `send` may be called from several threads."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO):
        self._reader, self._writer = reader, writer
        self._lock = threading.Lock()

    def send(self, kind: str, body: Any = None) -> None:
        """Sends one message; raises OSError or ValueError when the other side is gone."""
        blob = pickle.dumps((kind, body), protocol=5)
        with self._lock:
            self._writer.write(_LENGTH.pack(len(blob)) + blob)
            self._writer.flush()

    def receive(self) -> tuple[str, Any]:
        """Waits for the next message; raises EOFError when the other side is gone."""
        return pickle.loads(self._exactly(_LENGTH.unpack(self._exactly(_LENGTH.size))[0]))

    def _exactly(self, n: int) -> bytes:
        data = self._reader.read(n)
        if data is None or len(data) < n:
            raise EOFError("the other side of the pipe is gone")
        return data

    def close(self) -> None:
        """Closes the writing side, which the other side reads as the end."""
        with contextlib.suppress(OSError):
            self._writer.close()
