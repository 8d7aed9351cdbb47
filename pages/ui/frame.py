"""The frame: page config, navigation, and the one look of all pages."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

PAGES = (
    ("pages/playground.py", "2-D playground", ":material/scatter_plot:"),
    ("pages/images.py", "Images", ":material/grid_view:"),
    ("pages/tutorials.py", "Tutorials", ":material/school:"),
    ("pages/scores.py", "Scores", ":material/straighten:"),
    ("pages/guide.py", "Guide", ":material/menu_book:"),
)

PAGE_OF_KIND = {"points": "pages/playground.py", "images": "pages/images.py"}

ICON = Path(__file__).resolve().parents[2] / "static" / "icon.svg"

# No dimming and no spinner ten times a second; everything that moves fits on a projector.
STYLE = """<style>
[data-stale="true"] { opacity: 1 !important; }
[data-testid="stStatusWidget"] { display: none; }
[data-testid="stMainBlockContainer"] { padding: 4.1rem 1.1rem 0.5rem; max-width: 1900px; }
[data-testid="stSidebarHeader"] { height: 2.2rem; margin-bottom: 0; }
[data-testid="stSidebarUserContent"] { padding-bottom: 2rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
.st-key-transport button p { white-space: nowrap; }
.st-key-step_counter p { font-size: 1.35rem; font-weight: 700; font-variant-numeric: tabular-nums; white-space: nowrap; }
.st-key-steps_per_second p { font-size: 1.05rem; font-variant-numeric: tabular-nums; }
.stVerticalBlock:has(> .st-key-live_samples) {
  display: grid; gap: 0.3rem 0.4rem; align-content: start;
  grid-template-columns: 10rem minmax(0, calc(52% - 10rem)) minmax(0, 1fr);
  grid-template-areas: "step rate rate" "plane plane losses" "plane plane classes" "plane plane metrics";
}
.stVerticalBlock:has(> .st-key-live_samples) > * { grid-column: 1 / -1; min-width: 0; }
.stVerticalBlock > [data-testid="stLayoutWrapper"]:has(> .st-key-step_counter) { grid-area: step; }
.stVerticalBlock > [data-testid="stLayoutWrapper"]:has(> .st-key-steps_per_second) { grid-area: rate; align-self: center; }
.stVerticalBlock > .st-key-live_samples { grid-area: plane; }
.stVerticalBlock > .st-key-live_losses { grid-area: losses; }
.stVerticalBlock > [data-testid="stLayoutWrapper"]:has(> .st-key-metrics) { grid-area: metrics; align-self: start; }
.st-key-picture:has(> .st-key-live_real) > [data-testid="stLayoutWrapper"],
.st-key-picture:has(> .st-key-live_real) .stVerticalBlock:has(> .st-key-live_samples) { display: contents; }
.stVerticalBlock:has(> .st-key-live_real) {
  display: grid; gap: 0.3rem 0.4rem; align-content: start;
  grid-template-columns: 10rem minmax(0, calc(41% - 10rem)) 15% minmax(0, 1fr);
  grid-template-areas: "step rate rate rate" "plane plane real losses" "plane plane real classes" "plane plane real metrics";
}
.st-key-picture :where(.stVerticalBlock:has(> .st-key-live_samples)) > * { grid-column: 1 / -1; min-width: 0; }
.stVerticalBlock > .st-key-live_real { grid-area: real; }
.stVerticalBlock > .st-key-live_classes, .stVerticalBlock > .st-key-live_modes { grid-area: classes; }
.st-key-live_samples:has(.imagelayer image) .nsewdrag { cursor: pointer; }
@media (max-width: 640px) {
  .stVerticalBlock:has(> .st-key-live_samples) {
    grid-template-columns: minmax(0, 1fr);
    grid-template-areas: "step" "rate" "plane" "losses" "classes" "metrics";
  }
  .stVerticalBlock:has(> .st-key-live_real) {
    grid-template-columns: minmax(0, 1fr);
    grid-template-areas: "step" "rate" "plane" "real" "losses" "classes" "metrics";
  }
}
.ganscope-plot { width: 100%; }
.st-key-tab_key { position: absolute; height: 0; overflow: hidden; }
.ganscope-metrics { display: flex; flex-wrap: wrap; gap: 0.1rem 0.6rem; padding-left: 0.8rem; font-variant-numeric: tabular-nums; }
.ganscope-metrics b { font-size: 1.2rem; display: block; line-height: 1.25; }
.ganscope-metrics span { font-size: 0.78rem; line-height: 1.15; display: inline-block; }
:is(.st-key-disc_scores, .st-key-cheat_scores) :is(th, td) { padding: 0.12rem 0.6rem; font-variant-numeric: tabular-nums; }
.ganscope-note { opacity: 0.75; font-size: 0.82rem; padding-left: 0.8rem; }
</style>"""


def run() -> None:
    """Runs the page that the address names, inside the frame."""
    st.set_page_config(page_title="GANscope", page_icon=str(ICON), layout="wide", initial_sidebar_state="auto")
    page = st.navigation(
        [st.Page(path, title=title, icon=icon, default=i == 0) for i, (path, title, icon) in enumerate(PAGES)],
        position="top",
    )
    st.html(STYLE)
    page.run()


def through_app() -> None:
    """Every page begins with this.

    Until `st.navigation` has run once, Streamlit takes the folder pages/ for a menu of its own and runs a
    page without app.py: the first visit after a start, if it is a deep link, would show the wrong frame.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
