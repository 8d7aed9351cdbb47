"""Sweep: many trainings over settings and seeds, as a map."""

import streamlit as st

from gan_core.sweeps.store import Store, sweeps_folder
from pages.ui.run import notices
from pages.ui.server import addresses, signing_in
from pages.ui.sweeps import sweep_form, sweep_results


def page() -> None:
    """The whole page."""
    notices.draw()
    st.title("Sweep")
    st.markdown(
        "**One run is an anecdote.** A sweep trains every combination of the values of two settings, each with several "
        "seeds, and shows what holds over the seeds."
    )
    started = None
    if addresses.is_for_oneself() and signing_in.is_open():
        started = sweep_form.form()
    else:
        st.info(
            "On a server for others, sweeps are trained from its command line (`python -m gan_core sweep`), for they "
            "take all of its cores. What it has trained you see here."
        )
    if started is not None:
        st.session_state.sweep_shown = started.name
        st.rerun()
    root = sweeps_folder()
    names = sorted(path.name for path in root.iterdir() if Store(path).is_there()) if root.is_dir() else []
    if not names:
        return
    if st.session_state.get("sweep_shown") not in names:
        st.session_state.sweep_shown = names[-1]
    st.divider()
    shown = st.selectbox(
        "Sweep",
        names,
        names.index(st.session_state.sweep_shown),
        key="sweep_shown",
        persist_state="session",
        width=300,
        help=f"All sweeps in {root.resolve()}.",
    )
    sweep_results.results(root / (shown or names[-1]))


if __name__ == "__main__":
    page()
