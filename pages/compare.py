"""Compare: two to four runs side by side; a race of one setting's values, or saved runs and the ones that train now."""

import streamlit as st

from pages.ui.run import race, saved_comparison
from pages.ui.session import page_state

WAYS = {"race": "New race", "saved": "Saved runs"}


def page() -> None:
    """The whole page."""
    page_state.open_page("race")
    if page_state.tab().compared:
        st.session_state.setdefault("compare_way", "saved")
    st.session_state.setdefault("compare_way", "race")
    with st.container(horizontal=True, vertical_alignment="center", key="compare_bar"):
        way = st.segmented_control(
            "Compare",
            list(WAYS),
            default=st.session_state.compare_way,
            key="compare_way",
            required=True,
            format_func=WAYS.__getitem__,
            label_visibility="collapsed",
            persist_state="session",
        )
        log = st.toggle("Log loss", key="log_losses", persist_state="session", help="Logarithmic loss axis.")
        bar = st.container(horizontal=True, vertical_alignment="center")
    with st.container(gap="xsmall"):
        (race if way == "race" else saved_comparison).draw(bar, log)


if __name__ == "__main__":
    page()
