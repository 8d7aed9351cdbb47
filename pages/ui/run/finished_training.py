"""Finished trainings, which come with the app: offered on a first screen, opened in a moment, with what to look for."""

from functools import partial
from html import escape

import streamlit as st

from gan_core.recording.snapshot import Snapshot
from gan_core.runs import finished_runs
from gan_core.runs.finished_runs import FINISHED, Finished
from gan_core.serving.client import Run
from pages.ui.run import status
from pages.ui.session import clicks, page_state
from pages.ui.session.page_state import Wanted


def shown_by(run: Run) -> Finished | None:
    """The finished training that `run` was opened from, and still is; None for all others, and for a branch of one."""
    source = run.sources[0] if len(run.sources) == 1 else None
    name = None if source is None or source.branch else finished_runs.name_of(source.folder)
    return None if name is None else FINISHED[name]


def words(row: Finished) -> str:
    """Whether it ends well, in words."""
    return "ends well" if row.good else "goes wrong"


def line(run: Run, snapshot: Snapshot) -> str:
    """The status line of a finished training, as HTML, with what to look for; "" for any other run."""
    row = shown_by(run)
    if row is None:
        return ""
    title, look_for = escape(row.title), escape(row.look_for)
    return f'<p class="ganscope-intro watched">{status.said(run, snapshot)} · <b>{title}.</b> {look_for}</p>'


def invitation(run: Run, snapshot: Snapshot) -> None:
    """Offers the finished trainings of this kind of page, as long as nobody has pressed Play.

    It lies over the empty plot of the losses (ganscope.css), so that nothing moves when it goes.
    """
    with st.container(key="finished", gap="xsmall"):
        if page_state.tab().anatomy or not status.untouched(run, snapshot):
            return  # the drawing of a step has the place, with buttons of its own
        kind = page_state.tab().kind
        st.markdown("**No time to wait?** See a whole training now, forwards and back.")
        key = page_state.mine("finished_name")
        st.selectbox(
            "Finished training",
            [name for name, row in FINISHED.items() if row.kind == kind],
            key=key,
            format_func=lambda name: f"{FINISHED[name].title} ({words(FINISHED[name])})",
            label_visibility="collapsed",
        )
        clicks.button(
            "Watch a finished training",
            "watch_finished",
            partial(_watch, key),
            icon=":material/movie:",
            width="stretch",
        )


def _watch(key: str) -> None:
    name = st.session_state.get(key)
    if name in FINISHED:
        want(name)


def want(name: str) -> None:
    """Has the page of this finished training open it, with its next drawing."""
    page_state.tab().wanted = Wanted(FINISHED[name].kind, finished_runs.folder_of(name), replay=True)
