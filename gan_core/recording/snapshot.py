"""What travels in a frame: the page's wishes one way, the state of a run the other."""

from dataclasses import dataclass, field
from typing import Any

from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.settings.config import GANConfig


@dataclass(frozen=True)
class View:
    """Which layers a page shows now, so that only those are computed.

    at: the step to look back at (the newest recorded frame up to it), None for now. For points:
    """

    heat: bool = True
    manifold: bool = False
    arrows: bool = False
    trails: bool = False
    # For images: pictures a side of the grid; the classes of its rows, in turn (conditional networks); the
    # grid's place whose neighbours are wanted; and the mixture of corners of z: (how many corners, their draw, u, v).
    side: int = 8
    rows: tuple[int, ...] = ()
    picked: int | None = None
    blend: tuple[int, int, float, float] | None = None
    at: int | None = None
    # The parts of a training step (recording/anatomy.py).
    anatomy: bool = False
    # The number of the samples to be judged (recording/judging.py), as the run stands now; 0: none.
    judge: int = 0
    # A condition that is waited for (recording/goal_watch.py), "" for none; after how many steps it is looked at, and
    # the last step that counts.
    goal: str = ""
    goal_every: int = 0
    goal_last: int = 0


@dataclass(frozen=True)
class Snapshot:
    """One frame for the page. Before the first Play only `data` and `config` are there.

    status: `idle` (no worker yet), `warming` (worker starts), `compiling`, `loading` (waits for the first
    frame), `playing`, `stepping`, `paused`, `ended`. frame: the worker's arrays (views.look) with `history`,
    `metrics`, `layers`, `recorded` and `checkpoints` (steps), `at` (the step shown, None for now); empty until the
    first. trainings: the same of every run that the worker trains in lock-step, with their settings in `configs`.
    """

    config: GANConfig
    data: Data | Pictures
    status: str
    step: int = 0
    steps_per_second: float = 0.0
    error: str | None = None
    frame: dict[str, Any] = field(default_factory=dict)
    trainings: tuple[dict[str, Any], ...] = ()
    configs: tuple[GANConfig, ...] = ()

    @property
    def shown(self) -> int:
        """The step that the picture shows."""
        at = self.frame.get("at")
        return self.step if at is None else at

    @property
    def moving(self) -> bool:
        """Whether new frames are to be expected without anybody's doing."""
        return self.status in ("warming", "compiling", "loading", "playing", "stepping")
