"""Watch: what somebody presents, read-only, with own zoom, layers and past."""

from functools import partial

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_folders
from pages.ui import shell
from pages.ui.components.liveplot import watch
from pages.ui.frames.presentations import ABOUT, ENDED, SHOWS, Show
from pages.ui.server import signing_in
from pages.ui.session import page_state
from pages.ui.session.page_state import Wanted

COPY_SECONDS = 20.0


def page() -> None:
    """The whole page."""
    token = st.query_params.get("run", "")
    show = SHOWS.get(token)
    with st.container(key="news"):
        for notice in page_state.news():
            st.info(notice["text"])
    if show is None:
        st.info(f"{ENDED} Ask the presenter for a new link.", icon=":material/cast:")
        return
    watch(token, DATASETS[show.run.config.data].kind)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Copy this run",
            key="take_copy",
            icon=":material/fork_right:",
            on_click=partial(_copy, show),
            help="Go on from here with your own settings.",
        )
        st.caption(ABOUT)
    wanted = page_state.tab().wanted
    if wanted is not None:
        st.switch_page(shell.PAGE_OF_KIND[wanted.kind])


def _copy(show: Show) -> None:
    """Takes a copy of the presented run and asks for it to be opened as the visitor's own."""
    c = show.run.config
    try:
        target = run_folders.runs_folder() / f"{c.data} seed {c.seed} copy"
        folder = show.copies.make(target, COPY_SECONDS, signing_in.owner())
    except ConfigError as error:
        page_state.say(str(error))
        return
    page_state.tab().wanted = Wanted(DATASETS[c.data].kind, folder)


if __name__ == "__main__":
    page()
