"""What there is to say on whatever page is open: notices that go by themselves, and the export on its way."""

import streamlit as st

from pages.ui import controls, liveplot, takeaway


def draw() -> None:
    """Draws them in a place of no height, which covers words at most (frame.py): nothing below moves."""
    with st.container(key="notices", gap=None):
        liveplot.notices(controls.news())
        takeaway.progress()
