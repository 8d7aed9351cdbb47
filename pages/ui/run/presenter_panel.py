"""The presenter's panel: link, QR code, a poll and a game, how many watch, End."""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import segno
import streamlit as st

from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from pages.ui.frames.presentations import SHOWS, Show
from pages.ui.run import hall_panel
from pages.ui.session import clicks, page_state

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


# -- who presents -------------------------------------------------------------------------------------------


def panel(run: Run) -> None:
    """Begins and ends the presentation of a run, behind one button."""
    show = SHOWS.of(run)
    label = "Present" if show is None else "Presenting"
    # Another element once a poll or a round has begun: the panel would lie over what is shown then.
    key = page_state.mine("present") + (f"_{show.hall.begun}" if show is not None and show.hall.begun else "")
    with st.popover(label, icon=":material/cast:", key=key, help="A link to watch this run live, a poll and a game."):
        if show is None:
            st.markdown("Anyone with the link can watch this run and copy it. Only you control it.")
            ready = run.worker is not None
            clicks.button("Present this run", page_state.mine("present_go"), partial(_begin, run), disabled=not ready)
            if not ready:
                st.caption("Nothing to present yet. Press Play or Step first.")
            return
        shared, poll, game = st.tabs(["Link", "Poll", "Real or generated?"])
        with shared:
            _link(show)
        with poll:
            hall_panel.poll_form(run, show)
        with game:
            hall_panel.game_form(run, show)


def _link(show: Show) -> None:
    address = link(show)
    st.code(address, language=None, wrap_lines=True)
    st.image(qr_code(address), width=240)
    if any(name in address for name in LOOPBACK):
        st.caption("This address works on this computer only; see docs/serving.md.")
    clicks.button("End the presentation", page_state.mine("present_end"), partial(SHOWS.end, show))


def _begin(run: Run) -> None:
    SHOWS.begin(run)


def qr_code(text: str) -> bytes:
    """A PNG that a phone's camera reads."""
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="png", scale=8, border=3)
    return picture.getvalue()


def link(show: Show) -> str:
    """The address at which others watch."""
    return f"{page_state.tab().base}ganscope/watch/{show.token}"


def presents(run: Run, display: Any, scores: Callable[[Snapshot], str]) -> None:
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
