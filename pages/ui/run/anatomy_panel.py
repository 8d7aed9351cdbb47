"""The drawing *Anatomy* beside the plane or the images, and what steps through a step: one network alone, phase by
phase."""

from functools import partial

import streamlit as st

from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from pages.ui.components.liveplot import live_anatomy
from pages.ui.figures.anatomy_figure import anatomy
from pages.ui.figures.figure_parts import Figure
from pages.ui.run import transport
from pages.ui.session import clicks, page_state

KEY = "live_anatomy"


def is_open() -> bool:
    """Whether this tab shows it."""
    return page_state.tab().anatomy


def beside(samples: dict[str, Figure], snapshot: Snapshot) -> dict[str, Figure]:
    """The panel of the samples with the drawing beside it, in the place of the losses and what stands below them."""
    return {**samples, "anatomy": anatomy(snapshot)}


def switch(run: Run) -> None:
    """The button that opens and closes it."""
    opened = is_open()
    clicks.button(
        "Losses" if opened else "Anatomy",
        "anatomy",
        _toggle,
        help="Back to the losses and what else stands there."
        if opened
        else "Opens the machine: what a training step is made of, with live pictures and slow motion.",
    )


def _toggle() -> None:
    tab = page_state.tab()
    tab.anatomy = not tab.anatomy
    for page in tab.pages.values():
        if page.run is not None and page.run.slow and not tab.anatomy:
            page.run.set_slow(False)  # nobody would see its phases


def bar(run: Run) -> None:
    """The buttons above the drawing. The keys D, G, M, comma and full stop press them (static/ganscope/keys.js)."""
    state = st.session_state
    if state.get("slow_motion") != run.slow:
        state.slow_motion = run.slow
    with st.container(horizontal=True, vertical_alignment="center", key="anatomy_bar", gap="xsmall"):
        for side, name in (("d", "discriminator"), ("g", "generator")):
            clicks.button(
                f"Step {side.upper()}",
                f"step_{side}",
                partial(transport.step, run, side),
                disabled=bool(page_state.held()),
                help=f"Pauses, then trains only the {name}, for as many steps as are chosen beside Step.",
            )
        st.toggle(
            "Slow motion",
            key="slow_motion",
            on_change=clicks.here(_slow),
            args=(run,),
            help="Play then goes through each step phase by phase, about a second each. It is the run's own next step.",
        )
        back = "The phase before: a look back within the step."
        held = bool(page_state.held())
        clicks.button("Back", "phase_back", partial(_phase, run, -1), help=back, disabled=held)
        on = "The next phase of the step; the last one takes the step."
        clicks.button("Next", "phase_next", partial(_phase, run, 1), help=on, disabled=held)


def _slow(run: Run) -> None:
    run.set_slow(bool(st.session_state.get("slow_motion")))


def _phase(run: Run, by: int) -> None:
    transport.once_started(run, "Next" if by > 0 else "Back", lambda: run.phase(by))


def draw(figure: Figure) -> None:
    """The drawing itself."""
    live_anatomy(figure, KEY)
