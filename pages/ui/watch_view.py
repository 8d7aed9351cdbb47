"""The page Watch, and the presenter's panel: link, QR code, how many watch, End."""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import segno
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.snapshot import Snapshot
from gan_core.runs import run_folders
from gan_core.serving.client import Run
from pages.ui import shell
from pages.ui.components.liveplot import watch
from pages.ui.frames.presentations import ABOUT, ENDED, SHOWS, Show
from pages.ui.run import settings_panel
from pages.ui.server import signing_in
from pages.ui.session import clicks

COPY_SECONDS = 20.0
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


# -- who presents -------------------------------------------------------------------------------------------


def panel(run: Run) -> None:
    """Begins and ends the presentation of a run, behind one button."""
    show = SHOWS.of(run)
    label = "Present" if show is None else "Presenting"
    with st.popover(
        label, icon=":material/cast:", key=settings_panel.mine("present"), help="A link to watch this run live."
    ):
        if show is None:
            st.markdown("Anyone with the link can watch this run and copy it. Only you control it.")
            ready = run.worker is not None
            clicks.button(
                "Present this run", settings_panel.mine("present_go"), partial(SHOWS.begin, run), disabled=not ready
            )
            if not ready:
                st.caption("Nothing to present yet. Press Play or Step first.")
            return
        address = link(show)
        st.code(address, language=None, wrap_lines=True)
        st.image(qr_code(address), width=240)
        if any(name in address for name in LOOPBACK):
            st.caption("This address works on this computer only; see docs/serving.md.")
        clicks.button("End the presentation", settings_panel.mine("present_end"), partial(SHOWS.end, show))


def qr_code(text: str) -> bytes:
    """A PNG that a phone's camera reads."""
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="png", scale=8, border=3)
    return picture.getvalue()


def link(show: Show) -> str:
    """The address at which others watch."""
    return f"{st.session_state.get('base', '/')}ganscope/watch/{show.token}"


def presents(run: Run, display: Any, scores: Callable[[Snapshot, Any], str]) -> None:
    """Says to the presentation of `run`, if there is one, what its page shows; scores: as HTML."""
    show = SHOWS.of(run)
    if show is not None:
        show.display, show.scores = display.presented(), scores


def watched(run: Run) -> str:
    """How many watch, for the status line; "" while nobody could."""
    show = SHOWS.of(run)
    if show is None:
        return ""
    n = show.watchers()
    return f" · {n:,} viewer{'' if n == 1 else 's'}"


# -- who watches --------------------------------------------------------------------------------------------


def page() -> None:
    """The whole page."""
    token = st.query_params.get("run", "")
    show = SHOWS.get(token)
    with st.container(key="news"):
        for notice in settings_panel.news():
            st.info(notice["text"])
    if show is None:
        st.info(f"{ENDED} Ask the presenter for a new link.", icon=":material/cast:")
        return
    watch(token, DATASETS[show.run.config.data].kind)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Copy this run",
            key="take_copy",
            icon=":material/fork_right:",
            on_click=partial(_copy, show),
            help="Go on from here with your own settings.",
        )
        st.caption(ABOUT)
    if st.session_state.get("open_wanted"):
        st.switch_page(shell.PAGE_OF_KIND[st.session_state.open_wanted["kind"]])


def _copy(show: Show) -> None:
    """Takes a copy of the presented run and asks for it to be opened as the visitor's own."""
    c = show.run.config
    try:
        target = run_folders.runs_folder() / f"{c.data} seed {c.seed} copy"
        folder = show.copies.make(target, COPY_SECONDS, signing_in.owner())
    except ConfigError as error:
        settings_panel.say(str(error))
        return
    st.session_state.open_wanted = {"kind": DATASETS[c.data].kind, "folder": folder, "step": None}
