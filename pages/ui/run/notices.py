"""What there is to say on whatever page is open: notices that go by themselves, and the export on its way."""

import streamlit as st

from pages.ui.components import liveplot
from pages.ui.run import exports_panel
from pages.ui.session import page_state


def draw() -> None:
    """Draws them in a place of no height, which covers words at most (ganscope.css): nothing below moves."""
    with st.container(key="notices", gap=None):
        liveplot.notices(page_state.news())
        exports_panel.progress()
