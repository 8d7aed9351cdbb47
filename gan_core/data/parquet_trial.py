"""Whether pyarrow survives a Parquet file: some damaged ones end the process that opens them, which nothing can catch.

So a process of its own reads a file first: `python -m gan_core.data.parquet_trial`, with the file as standard input.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gan_core.data.parquet_pages import largest_page
from gan_core.data.proposal import Progress
from gan_core.foundations.hyperparameters import ConfigError

ENDED = b"read to its end"
PACKAGE = Path(__file__).resolve().parents[1]
SECONDS = 120.0  # for a file of the largest size that is read
LOOK_SECONDS = 0.05
MOST_UNPACKED = 500_000_000
BATCH_BYTES = 100_000_000  # that rows may take at once, were each a text as long as a page
MOST_KNOWN = 64

_known: dict[str, bool] = {}  # the newest files that were tried, by their content


def survives(content: bytes, progress: Progress | None = None) -> bool:
    """Whether the file can be opened here; what it says, and whether that can be used, is for who opens it.

    Raises what `progress` raises.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest not in _known:
        found = _tried(content, progress)
        for old in list(_known)[: 1 - MOST_KNOWN]:
            _known.pop(old, None)
        _known[digest] = found
    return _known[digest]


def _tried(content: bytes, progress: Progress | None) -> bool:
    command = [sys.executable, "-m", "gan_core.data.parquet_trial"]
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        process = subprocess.Popen(
            command, cwd=PACKAGE.parent, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            until = time.monotonic() + SECONDS
            while process.poll() is None and time.monotonic() < until:
                if progress is not None:
                    progress("Looking at the file", 0, len(content))
                time.sleep(LOOK_SECONDS)
        finally:
            process.kill()
            said, _ = process.communicate()
    return said == ENDED


def main() -> None:
    """Opens the file on standard input and reads it, as those do who make points or pictures of it."""
    content = sys.stdin.buffer.read()
    with contextlib.suppress(Exception):  # what is wrong is said by who opens it
        _read(content)
    sys.stdout.buffer.write(ENDED)


def _read(content: bytes) -> None:
    from pyarrow import parquet

    parquet.read_schema(io.BytesIO(content))
    file = parquet.ParquetFile(io.BytesIO(content))
    largest = largest_page(content, file.metadata, "", ConfigError, MOST_UNPACKED)
    for _ in file.iter_batches(max(1, min(65_536, BATCH_BYTES // max(1, largest)))):
        pass


if __name__ == "__main__":
    main()
