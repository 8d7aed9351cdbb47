"""A click acts exactly once.

Its value can reach the server twice: with its own message, and with the tick of the live view that happens to leave the
browser at the same moment. Both name the drawing of the button that was clicked, and only the first counts.
"""

import threading
import time
from collections.abc import Callable

import streamlit as st

CLICK_SECONDS = 2.0  # a click's own message comes within this, or it is lost
_CLICKS = threading.Lock()


def once(key: str, action: Callable[[], None]) -> Callable[[], None]:
    """An `on_click` for the button `key`, to be made anew with each drawing of it.

    Until the click's own message has drawn the button anew, a tick asks for no full run (`due`).
    """
    state = st.session_state
    drawing = state[f"drawing_{key}"] = state.get(f"drawing_{key}", 0) + 1

    @here
    def clicked() -> None:
        with _CLICKS:
            if state.get(f"clicked_{key}", 0) >= drawing:
                return
            state[f"clicked_{key}"] = drawing
            state.click_due = time.monotonic() + CLICK_SECONDS
        action()

    return clicked


def button(label: str, key: str, action: Callable[[], None], **rest) -> None:
    """A button whose click acts exactly once."""
    st.button(label, key=key, on_click=once(key, action), **rest)


def here(action: Callable[..., None]) -> Callable[..., None]:
    """`action` as a callback of this page alone: one that comes when another page was drawn meanwhile is passed over.

    Else it would act on that page's settings. Its own widget may be gone, too: ask with `session_state.get`.
    """
    kind = st.session_state.get("kind")

    def acts(*args) -> None:
        if st.session_state.get("kind") == kind:
            action(*args)

    return acts


def due() -> bool:
    """Whether a click's own message may still be on its way."""
    return time.monotonic() <= st.session_state.get("click_due", 0.0)


def arrived() -> None:
    """A full run begins: whatever was clicked has been drawn anew."""
    st.session_state.click_due = 0.0
