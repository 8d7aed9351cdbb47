"""What the page Images shows: the sample grid beside real images, losses, classes, interpolation, neighbours."""

from dataclasses import dataclass

import streamlit as st

from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.recording.snapshot import Snapshot, View
from gan_core.serving.client import Run
from pages.ui.components.liveplot import clicked, live_plot
from pages.ui.figures import figure_parts, image_figures, loss_figures, overfitting_figure
from pages.ui.run import anatomy_panel, time_machine
from pages.ui.run.points_display import loss_switches
from pages.ui.session import page_state


def switches(run: Run) -> "Images":
    """The switches below the plots, and what they ask for."""
    names = list(run.data.class_names)
    rows: tuple[int, ...] = ()
    panel = st.container()  # next to the image of the mixture
    with st.container(horizontal=True, vertical_alignment="center", key="display"):
        st.session_state.setdefault("side", 8)  # a tutorial sets it before
        side = st.select_slider(
            "Grid",
            image_figures.SIDES,
            st.session_state.side,
            key="side",
            persist_state="session",
            format_func=lambda n: f"{n} x {n}",
            help="Images in the grid. More show the variety, fewer the details.",
            width=95,
        )
        framed = st.toggle(
            "Frame p(real)",
            key="framed",
            persist_state="session",
            help="Frames each image in the colour of what the discriminator says: blue real, orange generated.",
        )
        opened = anatomy_panel.is_open()
        log, smoothed = (False, True) if opened else loss_switches()
        latent = st.toggle(
            "Interpolate z",
            key="latent",
            persist_state="session",
            help="Mixes two or four corners of z by hand: see the image between them while training goes on.",
        )
        held_out = _held_out(run) and not opened
        time_machine.keep_panel(run)
    if run.config.conditional and names:
        chosen = st.multiselect(
            "Class of each row",
            list(range(len(names))),
            key="rows",
            format_func=lambda i: names[i] if i < len(names) else "?",
            persist_state="session",
            placeholder="all classes in order",
            help="The class that each row of the grid shows, from the top. Changes only what is shown.",
        )
        rows = tuple(i for i in chosen if i < len(names)) or tuple(range(len(names)))
    with panel:
        return Images(side, framed, log, smoothed, rows, _corners() if latent else None, opened, held_out)


def _held_out(run: Run) -> bool:
    """Whether the curves of overfitting stand below the losses; from the start where an augmentation goes by them."""
    adapts = AUGMENTATIONS[run.config.augment].adapt is not None
    key = "held_out_ada" if adapts else "held_out"
    st.session_state.setdefault(key, adapts)
    on = st.toggle(
        "Held-out",
        st.session_state[key],
        key=key,
        persist_state="session",
        help="What the discriminator says of real images that it is trained on, of real ones that it has never seen, "
        "and of generated ones. Once the first two part, it memorizes images. With ADA: r_t, its target and p, too.",
    )
    if on:
        st.container(key="taller")  # for the style: the plot below the losses needs room
    return on


def _corners() -> tuple[int, int, float, float]:
    """The settings of the interpolation: how many corners, which draw of them, and the place between."""
    state, tab = st.session_state, page_state.tab()

    def other() -> None:
        tab.corner_draw += 1

    with st.container(horizontal=True, vertical_alignment="bottom", key="latent_panel"):
        for name, first in (("corners", 2), ("blend_u", 0.5), ("blend_v", 0.5)):
            state.setdefault(name, first)
        count = st.segmented_control(
            "Corners",
            (2, 4),
            default=state.corners,
            required=True,
            key="corners",
            persist_state="session",
            help="Two: a line from A to B. Four: a square with A and B at the top, C and D at the bottom.",
        )
        u = st.slider(
            "From A to B" if count == 2 else "From A and C to B and D",
            0.0,
            1.0,
            state.blend_u,
            step=0.01,
            key="blend_u",
            persist_state="session",
            help="Where z is between the corners. Smooth change: the generator has learned the whole space. Sudden "
            "jumps: it has memorized single images.",
        )
        v = 0.0
        if count == 4:
            v = st.slider(
                "From A and B down to C and D",
                0.0,
                1.0,
                state.blend_v,
                step=0.01,
                key="blend_v",
                persist_state="session",
                help="The other direction in the square.",
            )
        st.button("New corners", key="other_corners", on_click=other, help="Draws new corners at random.")
    return count, tab.corner_draw, u, v


@dataclass(frozen=True)
class Images:
    """The grid of `side` x `side` images; a `display.Display`."""

    side: int
    framed: bool
    log: bool
    smoothed: bool
    rows: tuple[int, ...]
    corners: tuple[int, int, float, float] | None
    anatomy: bool = False
    held_out: bool = False

    def view(self) -> View:
        picked = page_state.tab().picked
        return View(side=self.side, rows=self.rows, picked=picked, blend=self.corners, anatomy=self.anatomy)

    def _row_names(self, snapshot: Snapshot) -> list[str]:
        names = snapshot.data.class_names
        return [names[i] for i in self.rows if i < len(names)] if snapshot.config.conditional else []

    def stills(self, snapshot: Snapshot) -> dict[str, figure_parts.Figure]:
        return {"real": image_figures.real(snapshot, self.side, self._row_names(snapshot))}

    def panels(self, snapshot: Snapshot) -> dict[str, figure_parts.Figure]:
        grid = {"samples": image_figures.grid(snapshot, self.side, self.framed, self._row_names(snapshot))}
        if self.anatomy:
            return anatomy_panel.beside(grid, snapshot)
        panels = {**grid, "losses": loss_figures.losses(snapshot, self.log, self.smoothed)}
        if self.held_out:  # in the place of the classes
            panels["classes"] = overfitting_figure.overfitting(snapshot)
        elif snapshot.data.class_names:
            panels["classes"] = image_figures.classes(snapshot)
        return panels

    def presented(self) -> "Images":
        return self

    def own(self, snapshot: Snapshot, view: View) -> dict[str, figure_parts.Figure]:
        frame, shown = snapshot.frame, {}
        if view.picked is not None and "neighbours" in frame and view.picked < len(frame["grid"]):
            shown["neighbours"] = image_figures.neighbours(snapshot, view.picked)
        if view.blend is not None and "blend" in frame:
            shown["blend"] = image_figures.blend(snapshot)
        return shown

    def draw(self, shown: dict[str, figure_parts.Figure]) -> None:
        for key, figure in shown.items():
            if key == anatomy_panel.KEY:
                anatomy_panel.draw(figure)
                continue
            live_plot(figure, key=key, on_click=_pick if key == "live_samples" else None)
            if key == "live_neighbours":
                st.button("Close", key="unpick", on_click=_unpick)


def _pick() -> None:
    place = clicked("live_samples")
    if place is not None:
        page_state.tab().picked = place


def _unpick() -> None:
    page_state.tab().picked = None
