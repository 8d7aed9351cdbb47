"""A known data set that is not on this machine: its download, with progress, and what to do without one."""

import streamlit as st

from gan_core.data.download import get
from gan_core.data.image_sources import MissingFile

TICK_SECONDS = 0.5


def offer(missing: MissingFile) -> None:
    """Downloads the file that is missing, and says how it goes; the page runs anew when it is there."""
    running = get(missing.name).status().state == "running"
    with st.container(border=True, key="download"):
        st.fragment(_progress, run_every=TICK_SECONDS if running else None)(missing.name, running)


def _again(name: str) -> None:
    get(name, again=True)


def _progress(name: str, was_running: bool) -> None:
    download = get(name)
    status = download.status()
    if status.state != "running" and was_running:
        st.rerun()  # the timer changes only in a full run
    if status.state == "running":
        st.markdown(f"{status.message}. Until then you see the previous run.")
        st.button("Stop", key="stop_download", on_click=download.cancel)
    else:
        st.warning(status.message)
        st.button("Try again", key="download_again", on_click=_again, args=(name,))
