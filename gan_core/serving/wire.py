"""Messages between the server and a worker: pickles over the worker's own pipes, large arrays beside them as they are.

Anonymous pipes are private to the two processes (no socket, no key to guess) and close when either ends.
"""

import contextlib
import pickle
import struct
import threading
from io import BufferedReader, BufferedWriter
from typing import Any

LEAVE_SECONDS = 20.0  # a worker that is told to end, or that nobody renews, has this long to write what is not saved

_HEAD = struct.Struct("<QI")  # bytes of the pickle, how many buffers follow it
_LENGTH = struct.Struct("<Q")
_ASIDE = 65_536  # bytes from which an array is sent beside the pickle, without a copy


class Wire:
    """One side of the conversation. `send` may be called from several threads."""

    def __init__(self, reader: BufferedReader, writer: BufferedWriter):
        self._reader, self._writer = reader, writer
        self._lock = threading.Lock()

    def send(self, kind: str, body: Any = None) -> None:
        """Sends one message; raises OSError or ValueError when the other side is gone."""
        aside: list[memoryview] = []

        def inside(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < _ASIDE:
                return True
            aside.append(raw)
            return False

        blob = pickle.dumps((kind, body), protocol=5, buffer_callback=inside)
        lengths = b"".join(_LENGTH.pack(raw.nbytes) for raw in aside)
        with self._lock:
            self._writer.write(_HEAD.pack(len(blob), len(aside)) + lengths + blob)
            for raw in aside:
                self._writer.write(raw)
            self._writer.flush()

    def receive(self) -> tuple[str, Any]:
        """Waits for the next message; raises EOFError when the other side is gone."""
        size, count = _HEAD.unpack(self._exactly(_HEAD.size))
        lengths = [_LENGTH.unpack(self._exactly(_LENGTH.size))[0] for _ in range(count)]
        blob = self._exactly(size)
        return pickle.loads(blob, buffers=[self._exactly(length) for length in lengths])

    def _exactly(self, n: int) -> bytearray:
        data, filled = bytearray(n), 0  # not bytes: over these, arrays can be written to
        with memoryview(data) as view:
            while filled < n:
                got = self._reader.readinto(view[filled:])
                if not got:
                    raise EOFError("the other side of the pipe is gone")
                filled += got
        return data

    def close(self) -> None:
        """Closes the writing side, which the other side reads as the end."""
        with contextlib.suppress(OSError):
            self._writer.close()
