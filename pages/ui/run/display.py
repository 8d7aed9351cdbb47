"""What a page's picture shows, as the parts of a page around a run know it."""

from typing import Protocol

from gan_core.recording.snapshot import Snapshot, View
from pages.ui.figures.figure_parts import Figure


class Display(Protocol):
    """What a page's picture shows (points_display.py, images_display.py)."""

    def view(self) -> View:
        """What the worker is to make for the next frame."""
        ...

    def stills(self, snapshot: Snapshot) -> dict[str, Figure]:
        """The figures of what stands beside the moving parts, by name; only the script draws them."""
        ...

    def panels(self, snapshot: Snapshot) -> dict[str, Figure]:
        """The figures of the moving parts, by name."""
        ...

    def own(self, snapshot: Snapshot, view: View) -> dict[str, Figure]:
        """More figures, which only the run's own page shows, by name."""
        ...

    def draw(self, shown: dict[str, Figure]) -> None:
        """Draws the moving parts, by the elements' keys: `live_` and the name."""
        ...

    def presented(self) -> "Display":
        """What those see to whom the run is presented: they choose among all layers."""
        ...
