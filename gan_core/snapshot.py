"""What travels in a frame: the page's wishes one way, the state of a run the other."""

from dataclasses import dataclass, field
from typing import Any

from gan_core.config import GANConfig
from gan_core.datasets import Data


@dataclass(frozen=True)
class View:
    """Which layers a page shows now, so that only those are computed."""

    heat: bool = True
    manifold: bool = False
    arrows: bool = False


@dataclass(frozen=True)
class Snapshot:
    """One frame for the page. Before the first Play only `data` and `config` are there.

    status: `idle` (no worker yet), `warming` (worker starts), `compiling`, `loading` (waits for the first
    frame), `playing`, `stepping`, `paused`, `ended`. frame: the worker's arrays (views.look) with `history`,
    `metrics` and `layers`; empty until the first.
    """

    config: GANConfig
    data: Data
    status: str
    step: int = 0
    steps_per_second: float = 0.0
    error: str | None = None
    frame: dict[str, Any] = field(default_factory=dict)

    @property
    def moving(self) -> bool:
        """Whether new frames are to be expected without anybody's doing."""
        return self.status in ("warming", "compiling", "loading", "playing", "stepping")
