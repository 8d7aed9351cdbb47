"""Drawing a data set: the button beside the data set, and the plane that it opens."""

import numpy as np
import streamlit as st

from gan_core.data import drawing, loading
from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig
from pages.ui.components.liveplot import drawing_plane, drawn
from pages.ui.session import clicks, page_state

DATA = "drawn"
_SHOWN = 1_500  # of the points of the set to start from
_PLANE = "drawing_plane"


def panel(config: GANConfig) -> None:
    """The button, and the plane while it is open."""
    clicks.button(
        "Draw",
        "draw",
        _open,
        icon=":material/draw:",
        type="primary",
        width="stretch",
        help="Opens a plane to draw on, by mouse, finger or pen. Training starts over once you use the drawing.",
    )
    if page_state.tab().drawing:
        _plane(config)


def _open() -> None:
    page_state.tab().drawing, page_state.tab().refused = True, ""


def _close() -> None:
    page_state.tab().drawing, page_state.tab().refused = False, ""


@st.dialog("Draw your data", width="large", on_dismiss=_close)
def _plane(config: GANConfig) -> None:
    if not page_state.tab().drawing:
        st.rerun()  # closes it: what was drawn is in use
    choices = DATASETS[DATA].knobs["start"].choices or {}
    start = st.selectbox(
        "Start from",
        list(choices),
        list(choices).index(str(config.params()["start"])),
        key="drawing_start",
        format_func=lambda name: f"{name}: {choices[name]}",
        help=DATASETS[DATA].knobs["start"].help,
    )
    text = str(config.params()["strokes"])
    try:
        strokes = drawing.decode(text)
    except ConfigError as error:
        st.warning(f"{error} You begin with an empty plane.")
        strokes = []
    about = {
        "text": text,
        "strokes": [[s.tool, s.width, s.density, s.places.tolist()] for s in strokes],
        "dots": _dots(start).ravel(),
        "reach": drawing.REACH,
        "width": [*drawing.WIDTHS, 0.12],
        "density": [*drawing.DENSITIES, 1.0],
        "refused": bool(page_state.tab().refused),
        "most": [drawing.MOST_STROKES, drawing.MOST_PLACES],
    }
    drawing_plane(about, _PLANE, clicks.here(_use))
    if page_state.tab().refused:
        st.error(page_state.tab().refused)


def _dots(start: str) -> np.ndarray:
    """Points of the set to start from, [N, 2], as the plane shows them."""
    if start == "none":
        return np.zeros((0, 2), np.float32)
    knobs = DATASETS[start].knobs
    return loading.draw(start, _SHOWN, 0, {name: knob.default for name, knob in knobs.items()}).array


def _use() -> None:
    """Trains on what was drawn; what cannot be used is said on the plane, and nothing is lost."""
    tab, strokes = page_state.tab(), drawn(_PLANE)
    if strokes is None:
        return
    start = st.session_state.get("drawing_start", "none")
    try:
        text = drawing.encode([drawing.Stroke(p, w, d, t) for t, w, d, p in strokes])
        config = page_state.current().updated({"data": DATA, "data.start": start, "data.strokes": text})
        loading.load(config)  # an eraser may have left nothing
    except (ConfigError, ValueError) as error:
        tab.refused = str(error)
        return
    page_state.set_config(config)
    tab.drawing, tab.refused = False, ""
