"""Where GANscope keeps files of its own, and how a file is written so that nobody ever sees half of it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def cache_folder() -> Path:
    """GANscope's own folder for what is fetched or trained once; it may not exist yet."""
    return Path(os.environ.get("GANSCOPE_CACHE") or "~/.cache/ganscope").expanduser().absolute()


def keras_folder() -> Path:
    """Where Keras keeps its data sets. The user's: nothing here is ever changed."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser().absolute() / "datasets"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of `path` at the end: whole, or not at all, whatever is killed.

    An error within leaves `path` as it was. Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a machine that loses its power may have the name without the content
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Writes the file whole, or not at all; raises OSError."""
    with whole_file(path) as file:
        file.write(content)
