"""A run as one HTML page that needs no network: its frames to play, its losses, its settings and its scores."""

from __future__ import annotations

import base64
import html
import json
import math
from collections.abc import Callable
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.export.frame_pictures import data_to_draw, file_of
from gan_core.foundations.files import package_folder
from gan_core.recording.thumbnail import FAKE, REAL, tiled
from gan_core.training.train_step import COLUMNS

if TYPE_CHECKING:
    from PIL.Image import Image

    from gan_core.data.points import Data
    from gan_core.recording.recorder import Arrays, Recording
    from gan_core.runs.run_reading import Saved
from gan_core.export.animation import Say, affordable, recorded, scalars
from gan_core.export.frame_pictures import FAKE_TINT, INK, MIDDLE, REAL_TINT

HTML_FRAMES, HTML_BYTES = 120, 6_000_000  # of the frames; plotly.js is 5 MB more
HTML_POINTS = 500
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline';
 style-src 'unsafe-inline'; img-src data: blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --page: #ffffff; --ink: #31333f; --line: #d5d6dc; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1117; --ink: #fafafa; --line: #41444e; } }
body { margin: 0 auto; max-width: 1180px; padding: 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; white-space: pre-line; overflow-wrap: anywhere; }
#box { margin: 1rem 0; overflow-x: auto; border-radius: 6px; background: #ffffff; }
#plot { min-width: 760px; height: 600px; }
#tables { display: flex; flex-wrap: wrap; gap: 1rem 3rem; }
table { border-collapse: collapse; align-self: flex-start; }
caption { text-align: left; font-weight: 600; }
th, td { padding: .15rem 1rem .15rem 0; border-bottom: 1px solid var(--line); text-align: left; font-weight: 400; }
</style>
</head>
<body>
<h1>$title</h1>
$about
<div id="box"><div id="plot"></div></div>
<div id="tables">$tables</div>
<noscript><p>The picture needs JavaScript.</p></noscript>
<script>$plotly</script>
<script type="application/json" id="figure">$figure</script>
<script>
// Pause ends an animation, whose promise Plotly then breaks.
addEventListener("unhandledrejection", (event) => event.preventDefault());
Plotly.newPlot("plot", JSON.parse(document.getElementById("figure").textContent));
</script>
</body>
</html>
"""


def page(run: Saved, say: Say) -> bytes:
    """One HTML file with everything in it: the recorded frames to play, the losses, settings and scores.

    It loads nothing: plotly.js is inside, and a policy in its head forbids the rest. Raises ConfigError.
    """
    recording, data = recorded(run), data_to_draw(run)
    figure = json.dumps(_figure(recording, data, say), allow_nan=False, separators=(",", ":"))
    changes = {f"step {m['step']:,}": m["text"] for m in recording.history.markers}
    parts = {
        "title": html.escape(run.name),
        "about": "\n".join(f"<p>{html.escape(text)}</p>" for text in _about(run, recording)),
        "tables": _table("Settings", run.config.to_query())
        + _table("Scores", scalars(recording.scores.items[-1] if len(recording.scores) else {}))
        + _table("Changed while training", changes),
        "plotly": plotly_script(),
        # Without a "<", nothing in it can end its <script>.
        "figure": figure.replace("<", "\\u003c"),
    }
    say(1.0)
    return Template(TEMPLATE).substitute(parts).encode()


def _about(run: Saved, recording: Recording) -> list[str]:
    """The paragraphs below the title."""
    origin = f"; a branch of {run.parent.name} at step {run.parent.step:,}" if run.parent else ""
    texts = [run.note, f"Step {run.step:,}, saved {run.saved.replace('T', ' ').replace('Z', ' UTC')}{origin}."]
    if DATASETS[run.config.data].kind == "images":
        texts.append("The images are the generator's, from the same z at every step.")
    else:
        texts.append("Blue dots are real points, orange ones generated; both axes have the same scale.")
        if "heat" in recording.frames.items[-1]:
            texts.append("The background is p(real), from orange (the discriminator thinks: generated) to blue (real).")
    return [text for text in texts if text]


def _table(caption: str, rows: dict[str, Any]) -> str:
    if not rows:
        return ""
    cells = ((name, f"{value:.5g}" if isinstance(value, float) else str(value)) for name, value in rows.items())
    lines = (f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in cells)
    return f"<table><caption>{caption}</caption>{''.join(lines)}</table>"


def plotly_script() -> str:
    """plotly.js, fit to stand inside <script>."""
    script = package_folder("plotly") / "package_data" / "plotly.min.js"
    return script.read_text("utf-8").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _rounded(values: np.ndarray, digits: int = 4) -> list[Any]:
    """Numbers as JSON has them, to `digits` significant digits; None for what is not finite."""
    return [float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in np.asarray(values, float).tolist()]


def _color(rgb: tuple[int, int, int]) -> str:
    return "rgb({},{},{})".format(*rgb)


def _figure(recording: Recording, data: Any, say: Say) -> dict[str, Any]:
    """The Plotly figure: the picture at the left, the losses at the right, a slider and buttons below."""
    steps, frames = recording.frames.steps, recording.frames.items
    first = frames[-1]  # what the page opens with
    if data is None:
        mime, encode = _picture_encoding(first)
        traces: list[dict[str, Any]] = [{"type": "image", "hoverinfo": "skip"}]
        moving = [0]

        def changing(frame: Arrays) -> list[dict[str, Any]]:
            return [{"source": f"data:{mime};base64,{base64.b64encode(encode(frame)).decode()}"}]
    else:
        traces = _plane_traces(data, first)
        moving = [0, 2] if "heat" in first else [1]

        def changing(frame: Arrays) -> list[dict[str, Any]]:
            x, y = (_rounded(column) for column in frame["samples"][:HTML_POINTS].T)
            heat = [{"z": [_rounded(row, 2) for row in frame["heat"]]}] if "heat" in first else []
            return [*heat, {"x": x, "y": y}]

    moving = [*moving, len(traces)]  # and the line at the shown step
    traces += _loss_traces(recording)

    def at(i: int) -> list[dict[str, Any]]:
        return [*changing(frames[i]), {"x": [steps[i], steps[i]]}]

    made = []
    chosen = affordable(len(steps), HTML_FRAMES, lambda i: len(json.dumps(at(i))), HTML_BYTES)
    for done, i in enumerate(chosen, 1):
        made.append({"name": str(steps[i]), "data": at(i), "traces": moving})
        say(0.95 * done / len(chosen))
    for place, change in zip(moving, made[-1]["data"], strict=True):
        traces[place] |= change
    layout = {**_layout(data, recording), **_controls([steps[i] for i in chosen])}
    config = {"displaylogo": False, "responsive": True, "logging": 0}
    return {"data": traces, "layout": layout, "frames": made, "config": config}


def _picture_encoding(frame: Arrays) -> tuple[str, Callable[[Arrays], bytes]]:
    """(MIME type, how a frame's grid becomes a file): whole for gray pictures; coloured ones would be too large."""
    from PIL.Image import fromarray

    def sheet(frame: Arrays) -> Image:
        pixels = frame["grid"]
        return fromarray(tiled(pixels, math.isqrt(len(pixels))))

    if frame["grid"].shape[3] == 3:
        return "image/jpeg", lambda frame: file_of(sheet(frame), "JPEG", quality=88, subsampling=0)
    return "image/png", lambda frame: file_of(sheet(frame).convert("L"), optimize=True)


def _plane_traces(data: Data, frame: Arrays) -> list[dict[str, Any]]:
    """Heat map (where there is one), the real points, and the generated ones; only the real ones never change."""
    (cx, cy), (wide, high) = data.center, data.limits
    traces: list[dict[str, Any]] = []
    if "heat" in frame:
        cells = len(frame["heat"]) - 1
        colors = [[i / 2, _color(rgb)] for i, rgb in enumerate((FAKE_TINT, MIDDLE, REAL_TINT))]
        place = {"x0": cx - wide, "dx": 2 * wide / cells, "y0": cy - high, "dy": 2 * high / cells}
        look = {"zmin": 0, "zmax": 1, "zsmooth": "fast", "colorscale": colors, "showscale": False}
        hover = "p(real) %{z:.2f}<extra></extra>"
        traces.append({"type": "heatmap", "name": "p(real)", **place, **look, "hovertemplate": hover})
    x, y = (_rounded(column) for column in data.points[:HTML_POINTS].T)
    dots = {"type": "scatter", "mode": "markers", "hoverinfo": "x+y+name"}
    real = {**dots, "name": "real", "marker": {"color": _color(REAL), "size": 6, "opacity": 0.45}}
    fake = {**dots, "name": "generated", "marker": {"color": _color(FAKE), "size": 5, "opacity": 0.75}}
    return [*traces, {**real, "x": x, "y": y}, fake]


def _loss_traces(recording: Recording) -> list[dict[str, Any]]:
    """The line at the shown step, which changes, and both losses."""
    history = recording.history.frame()
    # From bottom to top on an axis of its own, whatever range the losses have.
    line = {"type": "scatter", "mode": "lines", "y": [0, 1], "xaxis": "x2", "yaxis": "y3", "showlegend": False}
    traces = [{**line, "hoverinfo": "skip", "line": {"color": _color(REAL), "width": 2}}]
    for name, column, color in (("generator's loss", "g_loss", FAKE), ("discriminator's loss", "d_loss", INK)):
        mean = _rounded(history["mean"][:, COLUMNS.index(column)], 6)
        curve = {"type": "scatter", "mode": "lines", "name": name, "x": history["step"].tolist(), "y": mean}
        traces.append({**curve, "xaxis": "x2", "yaxis": "y2", "line": {"color": _color(color), "width": 1.5}})
    return traces


def _layout(data: Any, recording: Recording) -> dict[str, Any]:
    """The two pictures' axes, and a dotted line for each change while training."""
    left, right = [0, 0.46], [0.55, 1]
    if data is None:
        plane = {
            "xaxis": {"domain": left, "visible": False, "constrain": "domain"},
            "yaxis": {"visible": False, "constrain": "domain", "scaleanchor": "x", "autorange": "reversed"},
        }
    else:
        (cx, cy), (wide, high) = data.center, data.limits
        x, y = [cx - wide, cx + wide], [cy - high, cy + high]
        across, up = ({"text": html.escape(name)} for name in data.axes)
        square = {"constrain": "domain", "scaleanchor": "x"} if data.equal_axes else {}
        plane = {
            "xaxis": {"domain": left, "title": {**across, "standoff": 2}, "range": x, "constrain": "domain"},
            "yaxis": {"title": up, "range": y, **square},
        }
    dotted = {"type": "line", "xref": "x2", "yref": "y2 domain", "y0": 0, "y1": 1, "line": {"dash": "dot", "width": 1}}
    return {
        **plane,
        "xaxis2": {"domain": right, "anchor": "y2", "title": {"text": "step", "standoff": 2}, "rangemode": "tozero"},
        "yaxis2": {"anchor": "x2", "title": {"text": "loss"}},
        "yaxis3": {"overlaying": "y2", "anchor": "x2", "range": [0, 1], "fixedrange": True, "visible": False},
        "shapes": [{**dotted, "x0": m["step"], "x1": m["step"]} for m in recording.history.markers],
        "font": {"size": 15, "color": _color(INK)},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 60, "r": 20, "t": 40, "b": 60},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "hovermode": "closest",
    }


def _controls(steps: list[int]) -> dict[str, Any]:
    """Play, Pause and the slider; the page opens with the last step."""

    def animate(frames: Any, milliseconds: int, **rest: Any) -> dict[str, Any]:
        frame = {"duration": milliseconds, "redraw": True}
        return {"method": "animate", "args": [frames, {"frame": frame, "transition": {"duration": 0}, **rest}]}

    now = {"mode": "immediate"}
    play = {"label": "Play", **animate(None, 100, fromcurrent=True, **now)}
    pause = {"label": "Pause", **animate([None], 0, **now)}
    buttons = {"type": "buttons", "direction": "left", "showactive": False, "buttons": [play, pause]}
    places = [{"label": f"{step:,}", **animate([str(step)], 0, **now)} for step in steps]
    slider = {"active": len(steps) - 1, "steps": places, "currentvalue": {"prefix": "step "}}
    return {
        "updatemenus": [{**buttons, "x": 0, "xanchor": "left", "y": -0.23, "yanchor": "top"}],
        "sliders": [{**slider, "x": 0.17, "len": 0.83, "y": -0.16, "pad": {"t": 10}}],
    }
