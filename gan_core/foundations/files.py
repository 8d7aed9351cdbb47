"""Where GANscope keeps files of its own, and how a file is written so that nobody ever sees half of it."""

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


def cache_folder() -> Path:
    """GANscope's own folder for what is fetched or trained once; it may not exist yet."""
    return Path(os.environ.get("GANSCOPE_CACHE") or "~/.cache/ganscope").expanduser().absolute()


def keras_folder() -> Path:
    """Where Keras keeps its data sets. The user's: nothing here is ever changed."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser().absolute() / "datasets"


def package_folder(name: str) -> Path:
    """The folder of an installed package, which is found without importing it; raises ModuleNotFoundError."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {name} is not installed", name=name)
    return Path(found.origin).parent


def npz_bytes(arrays: Mapping[str, Any], compressed: bool = False) -> bytes:
    """The arrays as a .npz file, which np.load opens."""
    buffer = io.BytesIO()
    write: Callable[..., None] = np.savez_compressed if compressed else np.savez
    write(buffer, **{name: np.asarray(array) for name, array in arrays.items()})
    return buffer.getvalue()


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
