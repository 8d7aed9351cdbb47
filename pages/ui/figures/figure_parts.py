"""What all figures are made with: plain dicts with NumPy arrays, which Plotly and static/ganscope/live_plot.js draw.

Texts that begin with `$` name a colour of the theme ($real is blue, $fake is orange, $fakeText is orange for letters,
$band a tint of the text's colour).
A figure's `label` says it in words, for who hears the page. `layout.height` holds where the page's style gives the plot
no `max-height` (ganscope.css). Traces of our own: `dots` (points on a canvas) and `heat` (p(real) over what is shown).

An axis either always has a range of its own, or never: while `uirevision` stays, Plotly keeps the way in which an axis
was first drawn, so a plot that was drawn empty would keep a range that is wrong once it is filled. And an axis without
one that has nothing to show any more keeps the range of what it showed: so its `uirevision` says whether it has.
"""

import html
import math
from typing import Any

import numpy as np

Figure = dict[str, Any]
FONT = 15
SIDE = 74  # pixels right of the curves, for the names of lines


def axis(title: str, size: int = FONT, **rest) -> Figure:
    """An axis in the theme's colours; size: of the title's letters, in pixels."""
    return {
        "title": {"text": title, "standoff": 4, "font": {"size": size}},
        "gridcolor": "$grid",
        "zerolinecolor": "$grid",
        "linecolor": "$line",
        **rest,
    }


def layout(height: int, revision: str, **rest) -> Figure:
    """A figure of fixed height, whose zoom holds as long as `revision` does."""
    return {
        "height": height,
        "margin": {"l": 58, "r": 12, "t": 28, "b": 46},
        "font": {"size": FONT, "color": "$text", "family": "$font"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemsizing": "constant"},
        "hoverlabel": {"font": {"size": FONT}},
        "uirevision": revision,
        "dragmode": "zoom",
        **rest,
    }


def heading(text: str) -> Figure:
    """A line above the axes, at their left end, in the size of the axes' titles."""
    about = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
    return about | {"text": text, "showarrow": False, "font": {"size": FONT - 1}}


def name_above(name: str, color: str, size: int) -> Figure:
    """A picture's name in bold above its left end."""
    return heading(f"<b>{name}</b>") | {"font": {"color": color, "size": size}}


def reach(highest: float, least: float) -> float:
    """Where an axis of bars from 0 ends: at `least`, or above the highest bar at the next of 1, 1.5, 2, 3, 5, 7 times a
    power of ten, so that it does not move with each frame."""
    if highest <= least:
        return least
    power = 10.0 ** math.floor(math.log10(highest))
    return next(power * k for k in (1, 1.5, 2, 3, 5, 7, 10, 15) if power * k >= 1.02 * highest)


def written(text: str) -> str:
    """A user's own words (a column's name) in a figure: no markup, and no name of a colour."""
    return html.escape(text).replace("$", "&#36;")


def dots(
    points: np.ndarray, name: str, color: str, size: int, opacity: float, places: str = "%{x:.3g}, %{y:.3g}"
) -> Figure:
    """Points [n, 2] as a trace; size: their diameter in pixels. places: what a point says of itself."""
    return {
        "type": "dots",
        "name": name,
        "x": np.ascontiguousarray(points[:, 0]),
        "y": np.ascontiguousarray(points[:, 1]),
        "marker": {"color": color, "size": size, "opacity": opacity},
        "hovertemplate": f"{name} ({places})<extra></extra>",
    }
