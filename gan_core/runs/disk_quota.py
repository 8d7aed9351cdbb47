"""How much room saved runs have: the quota of their folder, and what the disk must keep free for everybody else."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.machine import runs_quota

NEARLY = 0.8  # of the quota, from where on it is said
DISK_BYTES, DISK_SHARE = 1_000_000_000, 0.05  # kept free: so many bytes, but of a small disk only this share


@dataclass(frozen=True)
class Room:
    """What the folder of all runs takes and may take, in bytes. disk: what saving may still take of the disk."""

    used: int
    quota: int
    disk: int

    @property
    def left(self) -> int:
        """Bytes that may still be written."""
        return max(0, min(self.quota - self.used, self.disk))

    def refused(self) -> ConfigError:
        """What is said where a run does not fit."""
        if self.disk < self.quota - self.used:
            return ConfigError(
                f"The run is not saved: the disk is almost full ({self.disk / 1e6:,.0f} MB are left for saved runs). "
                "Delete saved runs or other files, then save again."
            )
        return ConfigError(
            f"The run is not saved: saved runs already take {self.used / 1e6:,.0f} of {self.quota / 1e6:,.0f} MB "
            "(GANSCOPE_RUNS_MB). Delete some of them, then save again."
        )

    def warning(self) -> str:
        """A sentence before it is full, else ""."""
        if self.left == 0:
            return "No room is left for saved runs: nothing more is saved until some are deleted."
        if self.used < NEARLY * self.quota and self.disk > (1 - NEARLY) * self.quota:
            return ""
        return (
            f"Room for saved runs is nearly used up: {self.left / 1e6:,.0f} MB are left. Delete runs that nobody needs."
        )


def room(root: Path) -> Room:
    """The room of the runs folder `root`, which need not exist yet."""
    there = next((path for path in (root, *root.absolute().parents) if path.is_dir()), None)
    disk = 1 << 62
    if there is not None:
        with contextlib.suppress(OSError):  # then writing says what is wrong
            usage = shutil.disk_usage(there)
            disk = max(0, usage.free - min(DISK_BYTES, int(DISK_SHARE * usage.total)))
    return Room(_bytes(root, set()), runs_quota(), disk)


def _bytes(folder: Path, seen: set[tuple[int, int]]) -> int:
    """What all files below `folder` take: links are not followed, a file with several names (a copy of a run shares
    them) counts once, and what vanishes meanwhile nothing."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += _bytes(Path(entry.path), seen)
                    continue
                about = entry.stat(follow_symlinks=False)
                file = (about.st_dev, about.st_ino)
                if about.st_nlink < 2 or file not in seen:
                    total += about.st_size
                    seen.add(file)
    return total
