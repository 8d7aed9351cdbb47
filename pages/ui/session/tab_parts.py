"""Small parts of what a tab holds (page_state.py)."""

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Saving:
    """A save that the worker has been asked for; fork: the step from which a branch is to go on, None without one."""

    save: "Future[list[Path]]"
    fork: int | None = None


@dataclass
class Progress:
    """How far this tab is in a lab. answer: the prediction, by its place; receipt: the file, once the goal is reached,
    at `step`; revealed: whether the answer is shown without it; of: what the lab asks and offers."""

    answer: int | None = None
    receipt: str = ""
    step: int = 0
    revealed: bool = False
    of: str = ""


@dataclass(frozen=True)
class Wanted:
    """A saved run that a page is to open, from its end or as a branch from `step`.

    replay: it is only to be watched, from its first frame, and needs no training process yet.
    """

    kind: str
    folder: Path
    step: int | None = None
    replay: bool = False
