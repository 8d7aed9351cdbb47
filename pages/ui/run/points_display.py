"""What the page Points shows: the plane with its layers, the losses, the scores of points."""

from dataclasses import dataclass, replace

import streamlit as st

from gan_core.data.points import as_points
from gan_core.recording.snapshot import Snapshot, View
from gan_core.serving.client import Run
from pages.ui.components.liveplot import live_plot
from pages.ui.figures import figure_parts, loss_figures, point_figures
from pages.ui.run import anatomy_panel, time_machine


def switches(run: Run) -> "Points":
    """The switches below the plots, and what they ask for."""
    with st.container(horizontal=True, vertical_alignment="center", key="display"):
        st.session_state.setdefault("layers", ["real", "fake", "heat"])
        layers = st.pills(
            "Layers",
            list(point_figures.LAYERS),
            default=st.session_state.layers,
            selection_mode="multi",
            format_func=point_figures.LAYERS.__getitem__,
            key="layers",
            help=point_figures.LAYER_HELP,
            persist_state="session",
        )
        opened = anatomy_panel.is_open()
        log, smoothed = (False, True) if opened else loss_switches()
        time_machine.keep_panel(run)
    if "manifold" in layers and run.config.latent_dim > 2:
        st.caption("To see the manifold, set the latent dimension to 1 or 2.")
    return Points(frozenset(layers), log, smoothed, opened)


def loss_switches() -> tuple[bool, bool]:
    """(logarithmic axis, smoothed curves), the same on every page."""
    st.session_state.setdefault("smooth_losses", True)
    log = st.toggle("Log loss", key="log_losses", persist_state="session", help="Logarithmic loss axis.")
    smoothed = st.toggle(
        "Smooth",
        st.session_state.smooth_losses,
        key="smooth_losses",
        persist_state="session",
        help="Shows moving averages. Off: the mean of each group of steps, with its lowest to highest value as a band.",
    )
    return log, smoothed


@dataclass(frozen=True)
class Points:
    """The plane with these layers; a `display.Display`."""

    layers: frozenset[str]
    log: bool
    smoothed: bool
    anatomy: bool = False

    def presented(self) -> "Points":
        return replace(self, layers=frozenset(point_figures.LAYERS))

    def view(self) -> View:
        heat, manifold, arrows, trails = (name in self.layers for name in ("heat", "manifold", "arrows", "trails"))
        return View(heat, manifold, arrows, trails, anatomy=self.anatomy)

    def stills(self, snapshot: Snapshot) -> dict[str, figure_parts.Figure]:
        return {}

    def panels(self, snapshot: Snapshot) -> dict[str, figure_parts.Figure]:
        modes = as_points(snapshot.data).modes is not None
        plane = {"samples": point_figures.plane(snapshot, self.layers)}
        if self.anatomy:
            return anatomy_panel.beside(plane, snapshot)
        return {
            **plane,
            "losses": loss_figures.losses(snapshot, self.log, self.smoothed),
            **({"modes": point_figures.mode_chart(snapshot)} if modes else {}),
        }

    def own(self, snapshot: Snapshot, view: View) -> dict[str, figure_parts.Figure]:
        return {}

    def draw(self, shown: dict[str, figure_parts.Figure]) -> None:
        for key, figure in shown.items():
            if key == anatomy_panel.KEY:
                anatomy_panel.draw(figure)
            else:
                live_plot(figure, key=key)
