"""Saved runs: what was saved, by hand, by autosave or by the command line; open, branch, compare, export, delete."""

from functools import partial

import streamlit as st

from gan_core.runs import run_folders
from gan_core.runs.disk_quota import room
from gan_core.runs.run_folders import Unreadable
from gan_core.runs.run_reading import Saved
from pages.ui.components.markdown import plain
from pages.ui.run import notices, saved_run
from pages.ui.session import clicks, page_state

ON_A_PAGE = 10
SORTS = {
    "newest": lambda run: run.saved,
    "name": lambda run: run.name.lower(),
    "data set": lambda run: (run.config.data, run.saved),
    "most steps": lambda run: run.step,
}
DESCENDING = ("newest", "most steps")


def page() -> None:
    """The whole page."""
    notices.draw()
    st.title("Saved runs")
    root = run_folders.runs_folder()
    found = run_folders.listed(root)
    readable = [run for run in found if isinstance(run, Saved)]
    state = st.session_state
    if not found:
        st.markdown(
            "No saved runs yet. Press **Save** below the plot of a run, or train with "
            "`python -m gan_core train --save NAME`."
        )
        st.caption(f"Runs are saved in {root.resolve()}.")
        return
    there = room(root)
    if there.warning():
        st.warning(there.warning())
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs_bar"):
        wanted = st.text_input(
            "Search",
            key="runs_search",
            persist_state="session",
            placeholder="name, data set, loss, recipe, note",
            help="Shows the runs in which every word is found.",
        )
        order = st.selectbox("Sort by", list(SORTS), key="runs_sort", width=150, persist_state="session")
        state.setdefault("runs_autosaved", True)
        with_autosaves = st.toggle(
            "Autosaved",
            state.runs_autosaved,
            key="runs_autosaved",
            persist_state="session",
            help="Show autosaved runs.",
        )
        chosen = [name for name in page_state.tab().compared if any(run.name == name for run in readable)]
        clicks.button(
            f"Compare {len(chosen)}" if chosen else "Compare",
            "runs_compare",
            partial(_compare, chosen),
            disabled=len(chosen) < 2,
            type="primary",
            help=f"Select two to {saved_run.MOST_COMPARED} runs.",
        )
    shown = [run for run in readable if (with_autosaves or not run.autosaved) and saved_run.matches(run, wanted)]
    shown.sort(key=SORTS[order], reverse=order in DESCENDING)
    pages = -(-len(shown) // ON_A_PAGE)
    number = st.pagination(pages, key="runs_page") if pages > 1 else 1
    on_page = shown[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    for run in on_page:
        saved_run.row(run, len(chosen))
    saved_run.dialog(on_page)
    if not shown:
        st.caption("No run matches.")
    for bad in (run for run in found if isinstance(run, Unreadable)):
        st.caption(f":material/folder_off: **{plain(bad.name)}** cannot be read: {plain(bad.reason)}")
    st.caption(f"{len(readable)} runs in {root.resolve()}: {there.used / 1e6:,.0f} of {there.quota / 1e6:,.0f} MB.")


def _compare(chosen: list[str]) -> None:
    tab = page_state.tab()
    tab.compared, tab.goes_to = chosen, "pages/compare.py"


if __name__ == "__main__":
    page()
