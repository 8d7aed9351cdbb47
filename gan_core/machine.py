"""What a training process may take of this machine: environment variables, else a share of what is there."""

import os
from pathlib import Path

AWAY_END_SECONDS = 60


def _setting(name: str, default: int, high: int) -> int:
    """A whole number from the environment; raises ValueError with a sentence."""
    text = os.environ.get(name, "")
    if text and not (text.isdecimal() and 1 <= int(text) <= high):
        raise ValueError(f"{name} must be a whole number from 1 to {high:,}; got {text!r}.")
    return int(text) if text else default


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_limit() -> int:
    """Most training processes at once: GANSCOPE_MAX_WORKERS, else the number of cores but at least 3."""
    return _setting("GANSCOPE_MAX_WORKERS", max(3, cores()), 1_000)


def worker_threads() -> int:
    """Threads that one training computes with: GANSCOPE_WORKER_THREADS.

    Else all cores; where GANSCOPE_MAX_WORKERS says that many train at once, each gets its share.
    """
    share = cores() // worker_limit() if os.environ.get("GANSCOPE_MAX_WORKERS") else cores()
    return _setting("GANSCOPE_WORKER_THREADS", max(1, share), 1_024)


def worker_memory() -> int:
    """Bytes that one training may take: GANSCOPE_WORKER_MB, else three quarters of the machine's (or container's)."""
    return _setting("GANSCOPE_WORKER_MB", _memory() * 3 // 4 // 1_000_000, 10_000_000) * 1_000_000


def _memory() -> int:
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 8_000_000_000
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no container, or "max"
        return machine


def away_seconds() -> int:
    """How long a run waits for a page that went away: GANSCOPE_AWAY_SECONDS, else a minute."""
    return _setting("GANSCOPE_AWAY_SECONDS", AWAY_END_SECONDS, 86_400)


def check() -> None:
    """Raises ValueError with a sentence where one of these variables is malformed."""
    worker_limit(), worker_threads(), worker_memory(), away_seconds()
