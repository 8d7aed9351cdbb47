"""One writer at a time in a run's folder, whichever process it is of.

A lock of the operating system on a file in the folder: it goes with a process that is killed, and moves with a folder
that is renamed. (The libraries for this make the folder anew where it has gone meanwhile.)
"""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from gan_core.foundations.hyperparameters import ConfigError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

FILE = ".lock"
WAIT_SECONDS = 10.0  # a write takes a second or two
# What file systems say that know no locks: there one goes without.
UNKNOWN = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextlib.contextmanager
def locked(folder: Path, seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Holds the lock of a folder that is there, also while it is moved.

    Raises ConfigError where another holds it for longer than `seconds`, and OSError where the folder is not there.
    """
    handle = _acquired(folder, time.monotonic() + seconds)
    try:
        yield
    finally:
        # Whoever waits with the old file in hand finds that it is not the folder's any more, and takes the new one.
        with contextlib.suppress(OSError):
            if _is_of(handle, folder):
                os.unlink(folder / FILE)
        os.close(handle)


def _acquired(folder: Path, until: float) -> int:
    while True:
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if _take(handle) and _is_of(handle, folder):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        if time.monotonic() > until:
            raise ConfigError(f"{folder.name} is being written by another process. Try again in a moment.")
        time.sleep(0.02)


def _take(handle: int) -> bool:
    try:
        if fcntl is None:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in UNKNOWN
    return True


def _is_of(handle: int, folder: Path) -> bool:
    """Whether the file is the one that the folder has now."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder / FILE))
    except FileNotFoundError:
        return False
