"""What GANscope may take of this machine: environment variables, else a share of what is there.

A container's or a batch system's bounds count as the machine's: those of Linux's control groups, of both versions.
"""

import math
import os
from pathlib import Path

AWAY_END_SECONDS = 60
RUNS_MB = 20_000  # about a thousand runs of points, half as many of images
GROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def _setting(name: str, default: int, high: int) -> int:
    """A whole number from the environment; raises ValueError with a sentence."""
    text = os.environ.get(name, "")
    if text and not (text.isdecimal() and 1 <= int(text) <= high):
        raise ValueError(f"{name} must be a whole number from 1 to {high:,}; got {text!r}.")
    return int(text) if text else default


def cores() -> int:
    """The cores that this process may use: those it may run on, and no more than a quota on their time allows."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, math.ceil(min(_quotas(), default=allowed))))


def _own_groups(controller: str) -> list[Path]:
    """The folders of the control groups that bound this process for `controller`, in version 1 and 2, with those that
    they lie in. Inside a container the path is often the host's, and only the uppermost folder is there."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:  # not Linux
        return []
    folders: list[Path] = []
    for line in lines:
        _, names, own = line.split(":", 2)
        if controller in names.split(","):
            top = next((GROUPS / name for name in (names, controller) if (GROUPS / name).is_dir()), None)
        else:
            top = None if names else GROUPS  # version 2 has one tree for all
        if top is not None:
            inner = top / own.strip("/")
            folders += [folder for folder in (inner, *inner.parents) if folder == top or top in folder.parents]
    return folders


def _numbers(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _quotas() -> list[float]:
    """Cores that the quotas on this process's time are worth."""
    found = []
    for folder in _own_groups("cpu"):
        quota, period = (*_numbers(folder / "cpu.max"), "", "")[:2]
        if not quota:
            quota, period = ("".join(_numbers(folder / f"cpu.cfs_{part}_us")) for part in ("quota", "period"))
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:  # "max", or -1: none
            found.append(int(quota) / int(period))
    return found


def worker_limit() -> int:
    """Most training processes at once: GANSCOPE_MAX_WORKERS, else the number of cores but at least 3."""
    return _setting("GANSCOPE_MAX_WORKERS", max(3, cores()), 1_000)


def keeps_spare() -> bool:
    """Whether a process stays warm for who comes next: GANSCOPE_SPARE, 1 or 0, else it does.

    Without it Play takes some seconds longer, and a server with nobody training has a gigabyte more.
    """
    text = os.environ.get("GANSCOPE_SPARE", "") or "1"
    if text not in ("0", "1"):
        raise ValueError(f"GANSCOPE_SPARE must be 0 or 1; got {text!r}.")
    return text == "1"


def export_limit() -> int:
    """Most exports at once, each up to a gigabyte: GANSCOPE_MAX_EXPORTS, else half the cores, at most 4."""
    return _setting("GANSCOPE_MAX_EXPORTS", max(1, min(4, cores() // 2)), 1_000)


def worker_threads() -> int:
    """Threads that one training computes with: GANSCOPE_WORKER_THREADS.

    Else all cores; where GANSCOPE_MAX_WORKERS says that many train at once, each gets its share.
    """
    share = cores() // worker_limit() if os.environ.get("GANSCOPE_MAX_WORKERS") else cores()
    return _setting("GANSCOPE_WORKER_THREADS", max(1, share), 1_024)


def thread_variables(threads: int) -> dict[str, str]:
    """The environment variables by which TensorFlow, once it is imported, computes with so many threads."""
    return {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": str(threads)}


def own_variables() -> dict[str, str]:
    """What is set of GANscope's own environment variables, for processes elsewhere."""
    return {name: value for name, value in os.environ.items() if name.startswith("GANSCOPE_")}


def worker_memory() -> int:
    """Bytes that one training may take: GANSCOPE_WORKER_MB, else three quarters of the machine's (or container's)."""
    return _setting("GANSCOPE_WORKER_MB", _memory() * 3 // 4 // 1_000_000, 10_000_000) * 1_000_000


def worker_gpus() -> float:
    """The share of a GPU that one training takes on a cluster: GANSCOPE_WORKER_GPUS, else none. On a machine of its own
    each training takes what there is."""
    text = os.environ.get("GANSCOPE_WORKER_GPUS", "") or "0"
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ValueError(f"GANSCOPE_WORKER_GPUS must be a share from 0 to 1, as 0.25; got {text!r}.")
    return share


def has_gpu() -> bool:
    """Whether Linux shows the driver of a GPU that TensorFlow might use: NVIDIA's, AMD's, or Windows's."""
    return any(Path("/dev").glob("nvidia*")) or any(Path("/dev", name).exists() for name in ("kfd", "dxg"))


def data_memory() -> int:
    """Bytes that all data sets of one process, the server above all, may take together: a quarter of the memory."""
    return _memory() // 4


def _memory() -> int:
    """Bytes of the machine, or what the control groups leave of them."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 8_000_000_000
    files = [folder / name for folder in _own_groups("memory") for name in ("memory.max", "memory.limit_in_bytes")]
    limits = [text for file in files for text in _numbers(file)]
    return min([machine, *(int(text) for text in limits if text.isdecimal() and int(text) > 0)])


def away_seconds() -> int:
    """How long a run waits for a page that went away: GANSCOPE_AWAY_SECONDS, else a minute."""
    return _setting("GANSCOPE_AWAY_SECONDS", AWAY_END_SECONDS, 86_400)


def runs_quota() -> int:
    """Bytes that all saved runs together may take: GANSCOPE_RUNS_MB, else 20 GB."""
    return _setting("GANSCOPE_RUNS_MB", RUNS_MB, 1_000_000_000) * 1_000_000


def check() -> None:
    """Raises ValueError with a sentence where one of these variables is malformed."""
    for read in (
        worker_limit,
        keeps_spare,
        export_limit,
        worker_threads,
        worker_memory,
        worker_gpus,
        away_seconds,
        runs_quota,
    ):
        read()
