"""What a .gz holds, which may be several, one behind the other: as `cat a.gz b.gz` and bgzip write them."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Iterator

GZIP = b"\x1f\x8b"
MOST_PARTS = 20_000  # those of bgzip hold 65,280 bytes at most; hostile files are of millions of empty ones
TAKEN = 1 << 16  # bytes at once: zlib copies what lies behind the end of each part
PIECE = 1_000_000  # bytes that are unpacked at once
_PADDING = re.compile(rb"\0*")


def pieces(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields (bytes, how many of `content` were read so far). Zeros between the parts, and what lies behind the
    last one, are passed over.

    Raises ValueError, whose text goes on after "NAME cannot be unpacked: ", for what is damaged or cut off.
    """
    reader, view, at, parts, waiting = zlib.decompressobj(31), memoryview(content), 0, 1, b""
    while at < len(view) or waiting:
        if reader.eof:
            at = at if (zeros := _PADDING.match(view, at)) is None else zeros.end()
            if view[at : at + len(GZIP)] != GZIP:
                return
            parts, reader = parts + 1, zlib.decompressobj(31)
            if parts > MOST_PARTS:
                raise ValueError(f"it has more than {MOST_PARTS:,} parts")
        taken = waiting or view[at : at + TAKEN]
        try:
            piece = reader.decompress(taken, PIECE)
        except zlib.error:
            raise ValueError("it is damaged") from None
        at += 0 if waiting else len(taken)
        waiting = reader.unconsumed_tail
        if reader.eof:
            at, waiting = at - len(reader.unused_data), b""
        yield piece, at
    if not reader.eof:
        raise ValueError("it is cut off, its end is missing")


def head(content: bytes, length: int) -> bytes:
    """The first bytes of what a .gz holds, as far as it can be unpacked."""
    found = b""
    with contextlib.suppress(ValueError):
        for piece, _ in pieces(content):
            found += piece
            if len(found) >= length:
                break
    return found[:length]
