"""The frame: page config, navigation, and the one look of all pages."""

import importlib
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from pages.ui.server import addresses, signing_in

PAGES = (
    ("pages/playground.py", "Points", ":material/scatter_plot:"),
    ("pages/images.py", "Images", ":material/grid_view:"),
    ("pages/learn.py", "Learn", ":material/school:"),
    ("pages/compare.py", "Compare", ":material/compare:"),
    ("pages/sweep.py", "Sweep", ":material/grid_on:"),
    ("pages/runs.py", "Saved runs", ":material/folder_open:"),
    ("pages/scores.py", "Score lab", ":material/straighten:"),
    ("pages/guide.py", "Guide", ":material/menu_book:"),
)
WATCH = "pages/watch.py"  # in no menu: who has the link comes here
EXAMPLES = "pages/tutorials.py"  # in no menu: its address was that of Examples, which Learn has now

PAGE_OF_KIND = {"points": "pages/playground.py", "images": "pages/images.py"}

ICON = Path(__file__).resolve().parents[2] / "static" / "icon.svg"

STYLE = f"<style>{(Path(__file__).parent / 'ganscope.css').read_text('utf-8')}</style>"


def run() -> None:
    """Runs the page that the address names, inside the frame."""
    st.set_page_config(page_title="GANscope", page_icon=str(ICON), layout="wide", initial_sidebar_state="auto")
    pages = {path: st.Page(path, title=title, icon=icon, default=i == 0) for i, (path, title, icon) in enumerate(PAGES)}
    pages[WATCH] = st.Page(WATCH, title="Watch", visibility="hidden")
    pages[EXAMPLES] = st.Page(EXAMPLES, title="Learn", visibility="hidden")
    page = st.navigation([*pages.values()], position="top")
    st.html(STYLE)
    problem = take_arguments(sys.argv)
    if problem:
        st.error(problem)
        st.stop()
    _plugins()
    if signing_in.admitted():
        # Imported by the first visit, for the server starts sooner without.
        from pages.ui.session import own_run, page_state, remembered

        if page.url_path != "watch":  # who watches has nothing to find again
            own_run.claim()
        script = next(path for path, each in pages.items() if each is page)
        page_state.go(script)
        try:
            page.run()
        finally:
            remembered.keep()
        page_state.arrived(script)


def _plugins() -> None:
    """Loads the user's own rows of registries, once, and says which are left out."""
    if not os.environ.get("GANSCOPE_PLUGINS"):
        return
    from gan_core import plugins

    shared = not (addresses.is_for_oneself() and signing_in.is_open())
    with st.spinner("Trying your plugins"):
        problems = plugins.load(shared=shared)
    for problem in problems:
        st.warning(problem)


def take_arguments(argv: list[str]) -> str:
    """Takes what follows `streamlit run app.py --`; returns what is wrong with it, or ""."""
    if Path(argv[0]).name != "app.py" or len(argv) == 1:
        return ""
    if len(argv) != 3 or argv[1] != "--runs-dir":
        return (
            f"Accepted after -- is: --runs-dir DIR, the folder to keep runs in. Given was: {' '.join(argv[1:])[:200]}"
        )
    os.environ["GANSCOPE_RUNS_DIR"] = argv[2]
    return ""


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """The server's life. At its start it imports what the first page needs, while the browser still loads its scripts,
    and pandas, with which Streamlit draws tables, after it."""

    def imports() -> None:
        for name in ("pages.ui.run.run_page", "pandas"):
            importlib.import_module(name)

    threading.Thread(target=imports, daemon=True).start()
    yield
