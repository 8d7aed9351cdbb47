"""The frame: page config, navigation, and the one look of all pages."""

import importlib
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from pages.ui.server import addresses, signing_in, streamlit_private

PAGES = (
    ("pages/playground.py", "Points", ":material/scatter_plot:"),
    ("pages/images.py", "Images", ":material/grid_view:"),
    ("pages/tutorials.py", "Examples", ":material/school:"),
    ("pages/compare.py", "Compare", ":material/compare:"),
    ("pages/runs.py", "Saved runs", ":material/folder_open:"),
    ("pages/scores.py", "Score lab", ":material/straighten:"),
    ("pages/guide.py", "Guide", ":material/menu_book:"),
)
WATCH = "pages/watch.py"  # in no menu: who has the link comes here

PAGE_OF_KIND = {"points": "pages/playground.py", "images": "pages/images.py"}

ICON = Path(__file__).resolve().parents[2] / "static" / "icon.svg"

# No dimming and no spinner ten times a second; everything that moves fits on a projector.
STYLE = """<style>
[data-stale="true"] { opacity: 1 !important; }
.stApp[data-test-connection-state="CONNECTED"] [data-testid="stStatusWidget"] { display: none; }
[data-testid="stMainBlockContainer"] { padding: 4.1rem 1.1rem 0.5rem; max-width: 1900px; }
[data-testid="stSidebarHeader"] { height: 2.2rem; margin-bottom: 0; }
[data-testid="stSidebarUserContent"] { padding-bottom: 2rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
.st-key-transport button p { white-space: nowrap; }
/* Streamlit's own --st- variables are known inside of components only. */
.stApp { --ganscope-background: light-dark(#fff, #171614); --ganscope-text: light-dark(#2f2d2b, #edebe8); --ganscope-primary: light-dark(#ad4e00, #ff9e3d); }
[data-testid="stBaseButton-primary"]:not(:disabled) { color: light-dark(#fff, #171614); } /* white on the dark theme's orange is hard to read */
[data-testid="stCaptionContainer"] { opacity: 0.78 !important; } /* 4.5:1; Streamlit's 0.6 is 3.9:1 */
.st-key-step_counter p { font-size: 1.35rem; font-weight: 700; font-variant-numeric: tabular-nums; white-space: nowrap; }
.st-key-steps_per_second p { font-size: 1.05rem; font-variant-numeric: tabular-nums; }
/* Heights. The plots take what the window has left beside the rows above and below them: --plane is the height of what is
   looked at most, and the plots at its side share it. liveplot.js reads each plot's max-height. */
.stApp { --rows: 15.5rem; --scores: 9rem; --small: clamp(124px, 0.24 * var(--plane), 240px);
  --plane: clamp(300px, 100dvh - var(--rows), 1160px); }
@media (min-width: 1700px) { .stApp { --scores: 6.4rem; } }
.stApp:has(.st-key-live_real) { --rows: 21.2rem; --scores: 0rem; } /* there the scores have a row of their own */
.stApp:has(.st-key-live_real) .st-key-metrics { min-height: 4.9rem; }
.stApp:has(.st-key-latent_panel) { --rows: 26.7rem; }
.st-key-live_samples .ganscope-plot, .st-key-live_real .ganscope-plot { max-height: var(--plane); }
:is(.st-key-live_modes, .st-key-live_classes) .ganscope-plot { max-height: var(--small); }
:is(.st-key-live_blend, .st-key-live_neighbours) .ganscope-plot { max-height: 8.5rem; }
.st-key-live_losses .ganscope-plot { max-height: max(180px, var(--plane) - var(--scores)); }
:is(:has(> .st-key-live_modes), :has(> .st-key-live_classes)) > .st-key-live_losses .ganscope-plot { max-height: max(180px, var(--plane) - var(--scores) - var(--small) - 0.6rem); }
/* An image's neighbours and the mixture of z move too: they take the place of the classes, not one below the fold. */
:is(:has(> .st-key-live_blend), :has(> .st-key-live_neighbours)) > .st-key-live_classes { display: none; }
.stVerticalBlock:has(> .st-key-live_samples) {
  display: grid; gap: 0.3rem 0.4rem; align-content: start;
  grid-template-columns: 10rem minmax(0, calc(min(62%, var(--plane) + 3rem) - 10rem)) minmax(0, 1fr);
  grid-template-areas: "step rate rate" "plane plane losses" "plane plane classes" "plane plane blend" "plane plane near" "plane plane metrics";
  grid-template-rows: repeat(5, auto) 1fr; /* what is left over goes below the scores, so that nothing moves when they come */
}
.stVerticalBlock:has(> .st-key-live_samples) > * { grid-column: 1 / -1; min-width: 0; }
.stVerticalBlock > [data-testid="stLayoutWrapper"]:has(> .st-key-step_counter) { grid-area: step; }
.stVerticalBlock > [data-testid="stLayoutWrapper"]:has(> .st-key-steps_per_second) { grid-area: rate; align-self: center; }
.stVerticalBlock > .st-key-live_samples { grid-area: plane; }
.stVerticalBlock > .st-key-live_losses { grid-area: losses; }
.stVerticalBlock > .st-key-live_blend { grid-area: blend; }
.stVerticalBlock > .st-key-live_neighbours { grid-area: near; }
.stVerticalBlock > .st-key-unpick { grid-area: near; justify-self: end; z-index: 1; }
.st-key-unpick button { min-height: 1.6rem; padding: 0 0.6rem; }
.stVerticalBlock > [data-testid="stLayoutWrapper"]:has(> .st-key-metrics) { grid-area: metrics; align-self: start; }
.st-key-picture:has(> .st-key-live_real) > [data-testid="stLayoutWrapper"],
.st-key-picture:has(> .st-key-live_real) .stVerticalBlock:has(> .st-key-live_samples) { display: contents; }
.stVerticalBlock:has(> .st-key-live_real) {
  display: grid; gap: 0.3rem 0.4rem; align-content: start;
  grid-template-columns: 10rem minmax(0, calc(min(50%, var(--plane)) - 10rem)) min(18%, 0.38 * var(--plane)) minmax(0, 1fr);
  grid-template-areas: "step rate rate rate" "plane plane real losses" "plane plane real classes" "plane plane real blend" "plane plane real near" "metrics metrics metrics metrics";
  grid-template-rows: repeat(4, auto) 1fr auto;
}
.st-key-picture :where(.stVerticalBlock:has(> .st-key-live_samples)) > * { grid-column: 1 / -1; min-width: 0; }
.stVerticalBlock > .st-key-live_real { grid-area: real; }
.stVerticalBlock > .st-key-live_classes, .stVerticalBlock > .st-key-live_modes { grid-area: classes; }
.st-key-live_samples:has(.imagelayer image) .nsewdrag { cursor: pointer; }
.ganscope-plot, .ganscope-plot * { touch-action: pan-x pan-y pinch-zoom; }
@media (max-width: 640px) {
  .stApp.stApp { --plane: 30rem; --scores: 4rem; }
  .stVerticalBlock:has(> .st-key-live_samples) {
    grid-template-columns: minmax(0, 1fr); grid-template-rows: none;
    grid-template-areas: "step" "rate" "plane" "losses" "classes" "blend" "near" "metrics";
  }
  .stVerticalBlock:has(> .st-key-live_real) {
    grid-template-columns: minmax(0, 1fr); grid-template-rows: none;
    grid-template-areas: "step" "rate" "plane" "real" "losses" "classes" "blend" "near" "metrics";
  }
  .st-key-live_real .ganscope-plot { max-height: 16rem; }
}
.st-key-layers [data-testid="stButtonGroup"] > div { flex-wrap: wrap; } /* else a phone hides the last ones at the side */
[data-testid="stToolbar"]::before { content: "GANscope"; font-size: 1.2rem; font-weight: 700; white-space: nowrap; padding: 0 0.4rem 0 1.1rem; align-self: center; color: var(--ganscope-text); }
.st-key-transport [data-testid^="stBaseButton"] { padding-inline: 0.45rem; min-width: 0; }
.st-key-transport [data-testid="stButtonGroup"] button { padding-inline: 0.55rem; } /* all in one row at 1280 pixels */
@media (hover: hover) { /* the keys that press them (static/liveplot.js) */
  :is(.st-key-play, .st-key-step, .st-key-reset, .st-key-new_seed) button::after { margin-left: 0.45rem; opacity: 0.78; font-size: 0.85em; }
  .st-key-play button::after { content: "P" / ""; opacity: 1; }
  .st-key-step button::after { content: "S" / ""; }
  .st-key-reset button::after { content: "0" / ""; }
  .st-key-new_seed button::after { content: "N" / ""; }
}
/* A label beside what it names, with its help. */
:is(.st-key-speed, .st-key-layers) [data-testid="stButtonGroup"], .st-key-side [data-testid="stSlider"] { display: flex; flex-direction: row; flex-wrap: wrap; align-items: center; gap: 0.1rem 0.4rem; }
:is(.st-key-speed, .st-key-layers, .st-key-side) [data-testid="stWidgetLabel"] { min-height: 0; margin: 0; padding: 0; width: auto; }
/* Notices lie over words, never over what can be clicked: the place is the status line, or a title's right half. */
[data-testid="stLayoutWrapper"]:has(> .st-key-notices) { position: relative; height: 0; margin-bottom: -0.5rem; z-index: 100; }
.st-key-notices { position: absolute; right: 0; top: 0; width: min(36rem, 100%); }
[data-testid="stMain"]:has(.ganscope-intro) .st-key-notices { left: 0; right: auto; } /* that has a link at its end */
.ganscope-intro { font-size: 0.9rem !important; line-height: 1.3; }
.ganscope-intro a { color: inherit; text-decoration: underline; }
.st-key-take_progress, .ganscope-notices > div { background: var(--ganscope-background); color: var(--ganscope-text); border: 1px solid color-mix(in srgb, currentColor 25%, transparent);
  border-left: 4px solid var(--ganscope-primary); border-radius: 0.4rem; padding: 0.2rem 0.4rem 0.2rem 0.7rem; box-shadow: 0 2px 8px rgba(0,0,0,0.2); }
.ganscope-notices > div { display: flex; align-items: start; justify-content: space-between; gap: 0.5rem; font-family: var(--st-font); font-size: 0.9rem; line-height: 1.25; margin-bottom: 0.2rem; }
.ganscope-notices span { max-height: 2.6em; overflow-y: auto; }
.ganscope-notices button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; padding: 0 0.3rem; min-width: 1.6rem; }
.st-key-take_progress { display: flex; flex-direction: row; align-items: center; gap: 0.6rem; }
/* The switches below the plots stand in one row at 1280 pixels, each label beside what it names. */
.st-key-display { gap: 0.5rem 0.6rem; }
.st-key-display :is(label, label p, [data-testid="stButtonGroup"] button p) { font-size: 0.875rem; margin-bottom: 0; min-height: 0; }
.st-key-display label p { white-space: nowrap; }
.st-key-side [data-testid="stSlider"] { flex-wrap: nowrap !important; }
.st-key-layers [data-testid="stButtonGroup"] button { padding: 0.2rem 0.55rem; }
:is(.st-key-lanes_2, .st-key-lanes_3, .st-key-lanes_4) { display: grid; gap: 0.3rem 0.8rem; }
.stApp { --lanes: 2; --above: 17.4rem; --lane: clamp(14rem, min(0.6 * (100dvh - var(--above)), min(100vw - 3rem, 1860px) / var(--lanes)), 44rem); }
.stApp:has(.st-key-lanes_3) { --lanes: 3; }
.stApp:has(.st-key-lanes_4) { --lanes: 4; }
[class*="st-key-lane_plot_"] .ganscope-plot { max-height: var(--lane); }
.st-key-lane_losses .ganscope-plot { max-height: clamp(180px, 100dvh - var(--above) - var(--lane), 480px); }
.st-key-lanes_2 { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.st-key-lanes_3 { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.st-key-lanes_4 { grid-template-columns: repeat(4, minmax(0, 1fr)); }
@media (max-width: 640px) { :is(.st-key-lanes_3, .st-key-lanes_4) { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
[data-testid="stLayoutWrapper"]:has(> .st-key-account) { position: fixed; right: 0.8rem; top: 0.55rem; width: auto; z-index: 999995; }
.ganscope-line { position: fixed; left: 50%; bottom: 0.7rem; transform: translateX(-50%); max-width: min(46rem, 92vw); z-index: 1000002; pointer-events: none;
  padding: 0.7rem 1rem; background: var(--ganscope-background); color: var(--ganscope-text); border: 1px solid currentColor; border-left: 5px solid var(--ganscope-primary);
  border-radius: 0.5rem; box-shadow: 0 2px 12px rgba(0,0,0,0.25); font: 600 1.05rem/1.4 "Source Sans", system-ui, sans-serif; }
.ganscope-line:empty { display: none; }
.st-key-deliver { height: 0; overflow: hidden; position: absolute; }
.ganscope-plot { width: 100%; }
.ganscope-text { font-family: var(--st-font); line-height: 1.6; }
.ganscope-text p { margin: 0; }
.ganscope-watch { display: grid; gap: 0.3rem 0.6rem; grid-template-columns: minmax(0, 52fr) minmax(0, 48fr); font-family: var(--st-font); }
.ganscope-watch.pictures { grid-template-columns: minmax(0, 41fr) minmax(0, 15fr) minmax(0, 44fr); }
.stApp:has(.ganscope-watch) { --rows: 14rem; }
.ganscope-watch > :is(.samples, .real) .ganscope-plot { max-height: var(--plane); }
.ganscope-watch .losses .ganscope-plot { max-height: max(180px, var(--plane) - var(--scores) - var(--small) - 0.6rem); }
.ganscope-watch .side:has(> .modes:empty):has(> .classes:empty) .losses .ganscope-plot { max-height: max(180px, var(--plane) - var(--scores)); }
.ganscope-watch :is(.modes, .classes) .ganscope-plot { max-height: var(--small); }
.ganscope-watch > .head { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; align-items: baseline; font-size: 1.05rem; font-variant-numeric: tabular-nums; }
.ganscope-watch > .head b { font-size: 1.35rem; }
.ganscope-watch > .head label { font-size: 0.95rem; white-space: nowrap; cursor: pointer; margin-right: 0.7rem; }
.ganscope-watch > .side { display: flex; flex-direction: column; gap: 0.3rem; min-width: 0; }
.ganscope-watch > .bar { grid-column: 1 / -1; }
.ganscope-watch > .gone { grid-column: 1 / -1; padding: 0.8rem; border-left: 4px solid var(--st-primary-color); }
@media (max-width: 640px) { .ganscope-watch, .ganscope-watch.pictures { grid-template-columns: minmax(0, 1fr); } }
:is(.st-key-tab_key, .st-key-live_feed, .st-key-sign_in_way) { position: absolute; height: 0; overflow: hidden; }
.ganscope-metrics { display: flex; flex-wrap: wrap; gap: 0.1rem 0.6rem; padding-left: 0.8rem; font-variant-numeric: tabular-nums; }
.ganscope-metrics b { font-size: 1.2rem; display: block; line-height: 1.25; }
.ganscope-metrics span { font-size: 0.78rem; line-height: 1.15; display: inline-block; }
:is(.st-key-disc_scores, .st-key-cheat_scores) :is(th, td) { padding: 0.12rem 0.6rem; font-variant-numeric: tabular-nums; }
:is(.st-key-disc_scores, .st-key-cheat_scores) [data-testid="stMarkdownContainer"] { overflow-x: auto; } /* on the narrowest phones */
.ganscope-scrubber { display: flex; align-items: center; gap: 0.45rem; padding: 0 0.6rem; font-family: var(--st-font); }
.ganscope-scrubber :is(button, select) { font: inherit; font-size: 0.9rem; color: inherit; background: transparent; height: 2.1rem;
  border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 0.5rem; padding: 0 0.6rem; cursor: pointer; white-space: nowrap; }
.ganscope-scrubber select option { color: #111; }
.ganscope-scrubber :is(button, input):disabled { opacity: 0.4; cursor: default; }
.ganscope-scrubber.past .live { background: var(--st-primary-color); border-color: var(--st-primary-color); color: var(--st-background-color); }
.ganscope-scrubber .rail { position: relative; flex: 1 1 8rem; min-width: 6rem; }
.ganscope-scrubber input { width: 100%; accent-color: var(--st-primary-color); margin: 0; display: block; }
.ganscope-scrubber .marks { position: absolute; left: 8px; right: 8px; top: 100%; height: 5px; }
.ganscope-scrubber .marks i { position: absolute; width: 1px; height: 5px; background: currentColor; opacity: 0.45; }
.ganscope-scrubber output { font-variant-numeric: tabular-nums; font-size: 0.95rem; min-width: 9.5rem; }
.ganscope-scrubber .replay { width: 2.4rem; padding: 0; }
@media (max-width: 640px) {
  .ganscope-scrubber { flex-wrap: wrap; }
  .ganscope-scrubber .rail { flex-basis: 100%; order: -1; margin-bottom: 0.4rem; }
  .ganscope-scrubber output { min-width: 0; flex: 1; }
}
.st-key-scrubber_race .fork { display: none; }
.ganscope-lane { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
@media (min-width: 1000px) { .st-key-race_status { margin-top: -3rem; height: 2.4rem; pointer-events: none; } .st-key-race_status p { text-align: right; } }
.st-key-race_status p { font-size: 0.875rem; opacity: 0.7; font-variant-numeric: tabular-nums; }
.st-key-compare_below { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr); gap: 0.5rem 1rem; align-items: start; }
@media (max-width: 640px) { .st-key-compare_below { grid-template-columns: minmax(0, 1fr); } }
.ganscope-table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; line-height: 1.4; }
.ganscope-table :is(th, td) { padding: 0.05rem 0.7rem; text-align: right; font-weight: inherit; }
.ganscope-table th:first-child { text-align: left; padding-left: 0; }
.ganscope-note { opacity: 0.75; font-size: 0.82rem; padding-left: 0.8rem; }
</style>"""


def run() -> None:
    """Runs the page that the address names, inside the frame."""
    st.set_page_config(page_title="GANscope", page_icon=str(ICON), layout="wide", initial_sidebar_state="auto")
    pages = [st.Page(path, title=title, icon=icon, default=i == 0) for i, (path, title, icon) in enumerate(PAGES)]
    page = st.navigation([*pages, st.Page(WATCH, title="Watch", visibility="hidden")], position="top")
    st.html(STYLE)
    problem = take_arguments(sys.argv)
    if problem:
        st.error(problem)
        st.stop()
    _plugins()
    if signing_in.admitted():
        # Imported by the first visit, for the server starts sooner without.
        from pages.ui.session import own_run, remembered

        if page.url_path != "watch":  # who watches has nothing to find again
            own_run.claim()
        try:
            page.run()
        finally:
            remembered.keep()
    streamlit_private.wait_until_sent()


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
