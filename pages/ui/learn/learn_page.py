"""The page Learn: labs, failures and examples, one of them at a time."""

import streamlit as st

from pages.ui.learn import examples_view, failures_view, labs_view
from pages.ui.run import notices

PARTS = {"labs": "Labs", "failures": "Failures", "examples": "Examples"}
_DRAW = {"labs": labs_view.draw, "failures": failures_view.draw, "examples": examples_view.draw}


def page(first: str, key: str) -> None:
    """The whole page; first: the part that it begins with; key: of the choice among the parts."""
    notices.draw()
    st.title("Learn")
    st.session_state.setdefault(key, first)
    part = st.segmented_control(
        "Part",
        list(PARTS),
        default=st.session_state[key],
        key=key,
        required=True,
        format_func=PARTS.__getitem__,
        label_visibility="collapsed",
        persist_state="session",
    )
    _DRAW[part or first]()
