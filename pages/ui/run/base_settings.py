"""What several trainings share: the settings of a page as they are, or a preset."""

import streamlit as st

from gan_core.diagnosis.failures import FAILURES, config_named
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from pages.ui.session import page_state


def choice(key: str, about: str) -> GANConfig:
    """Draws the choice under `key`, with `about` as its help; returns what is chosen."""
    pages = {f"current settings of {page_state.PAGE_OF[kind]}": kind for kind in ("points", "images")}
    options = [*pages, *PRESETS, *FAILURES]
    chosen = st.selectbox("Base settings", options, key=key, persist_state="session", help=about)
    kind = pages.get(chosen)
    if kind is None:
        return config_named(chosen)
    return page_state.page(kind).config or PRESETS[page_state.FIRST_PRESET[kind]].config
