"""Work of a page that takes longer than a moment: done beside the page's script, which can be left meanwhile.

Streamlit ends a script where it draws something, so one that computes for seconds would hold up whatever is clicked.
"""

from collections.abc import Callable
from concurrent.futures import wait
from typing import ParamSpec, TypeVar

import streamlit as st

from pages.ui.session import page_state

MOMENT_SECONDS = 0.1  # without a word
TURN_SECONDS = 0.05
P = ParamSpec("P")
T = TypeVar("T")


def waited(text: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns or raises; `text` is shown while it takes long. It must not draw anything.

    Where the user does something else, the script ends here, and the work goes on unheard; whoever comes back and asks
    for the same before it has ended waits for the rest of it (works.py).
    """
    future = page_state.tab().works.join(work, *args, **kwargs)
    wait([future], MOMENT_SECONDS)
    if not future.done():
        with st.spinner(text):
            while not wait([future], TURN_SECONDS).done:
                page_state.tab()  # the session's state is where Streamlit ends a script
    return future.result()
