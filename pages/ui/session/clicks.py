"""A click acts exactly once, and whatever follows it: in a callback, for a script that asks for a button's value may be
ended before it begins, and then the click is lost.

Its value can reach the server twice: with its own message, and with another one that happens to leave the browser at
the same moment, as a fragment's timer sends. Both name the drawing of the button that was clicked, and only the first
counts.
"""

import threading
from collections.abc import Callable

import streamlit as st

from pages.ui.session import page_state

_CLICKS = threading.Lock()


def once(key: str, action: Callable[[], None]) -> Callable[[], None]:
    """An `on_click` for the button `key`, to be made anew with each drawing of it."""
    state = st.session_state
    drawing = state[f"drawing_{key}"] = state.get(f"drawing_{key}", 0) + 1

    @here
    def clicked() -> None:
        with _CLICKS:
            if state.get(f"clicked_{key}", 0) >= drawing:
                return
            state[f"clicked_{key}"] = drawing
        action()

    return clicked


def button(label: str, key: str, action: Callable[[], None], at_first: bool = False, **rest) -> None:
    """A button whose click acts exactly once.

    at_first: also where the session is new, as after a lost connection: it knows no callback of what its page showed
    before, and is told the button's value alone. Only for what acts alike in a session that has nothing yet.
    """
    pressed = st.button(label, key=key, on_click=once(key, action), **rest)
    if at_first and pressed and st.session_state[f"drawing_{key}"] == 1:
        action()
        st.rerun()


def here(action: Callable[..., None]) -> Callable[..., None]:
    """`action` as a callback of this page alone: one that comes when another page was drawn meanwhile is passed over.

    Else it would act on that page's settings. Its own widget may be gone, too: ask with `session_state.get`.
    """
    kind = page_state.tab().kind

    def acts(*args) -> None:
        if page_state.tab().kind == kind:
            action(*args)

    return acts
