"""Where trained classifiers are kept: one is trained at a time, and those that were used last stay."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

KEPT = 12  # classifiers in the cache
STALE_SECONDS = 3_600.0  # after which a file that is half written belongs to nobody
WAIT_SECONDS = 0.2  # for the lock, before asking again whether to go on


class Stopped(Exception):
    """The training was given up because `stopped()` said so."""


_here = threading.Lock()


@contextlib.contextmanager
def alone(path: Path, say: Callable[[str], None], stopped: Callable[[], bool]) -> Iterator[None]:
    """One training at a time: in this process, and by the lock file `path` in all that share the cache.

    Raises Stopped while it waits. Where no lock file can be made, only this process is held to it.
    """
    from filelock import FileLock, Timeout

    def wait(taken: Callable[[], bool]) -> None:
        for i in itertools.count():
            if stopped():
                raise Stopped
            if taken():
                return
            if i == 0:
                say("waiting for another training of the classifier")

    wait(lambda: _here.acquire(timeout=WAIT_SECONDS))
    lock = FileLock(path)

    def taken() -> bool:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=WAIT_SECONDS, poll_interval=WAIT_SECONDS / 4)
        except Timeout:
            return False
        except (OSError, NotImplementedError):  # a folder that cannot be written to, or knows no locks
            pass
        return True

    try:
        wait(taken)
        yield
    finally:
        lock.release()
        _here.release()


def prune(folder: Path) -> None:
    """Leaves the KEPT classifiers that were used last, and no file that nobody is writing any more."""

    def used(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    files = sorted(folder.glob("classifier-*.npz"), key=used, reverse=True)
    halves = [path for path in folder.glob("classifier-*.tmp") if used(path) < time.time() - STALE_SECONDS]
    for path in [*files[KEPT:], *halves]:
        with contextlib.suppress(OSError):
            path.unlink()
