"""Points on the plane with their layers, and samples per mode: snapshots -> Plotly figures (figure_parts.py)."""

import math
from collections.abc import Collection

import numpy as np

from gan_core.data.points import Data, as_points
from gan_core.recording.snapshot import Snapshot
from pages.ui.figures.figure_parts import FONT, SIDE, Figure, axis, dots, heading, layout, reach, written

REAL_SHOWN = 1_000
PLANE_HEIGHT = 480
MODES_HEIGHT = 130
# Of the classes of real points: told apart by colour-blind eyes (Okabe and Ito), none near the generated ones' orange.
CLASS_COLORS = ("$real", "#009e73", "#cc79a7", "#8a63d2", "#a89400", "#808080")
LAYERS = {
    "real": "real",
    "fake": "generated",
    "heat": "p(real)",
    "manifold": "manifold",
    "arrows": "gradients",
    "trails": "trails",
}
LAYER_HELP = (
    "real: points of the data set. generated: points that the generator makes. p(real): background, blue where the "
    "discriminator says real, orange where it says generated. manifold: where the generator sends a grid of z (latent "
    "dimension 1 or 2). gradients: where the loss pulls each generated point (latest step only). trails: where some "
    "points were in the last recorded frames."
)


def _broken_lines(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[lines, points, 2] as one trace's x and y, with a gap (NaN) between lines."""
    gap = np.full((len(lines), 1, 2), np.nan, np.float32)
    joined = np.concatenate([lines, gap], 1).reshape(-1, 2)
    return joined[:, 0], joined[:, 1]


def plane(snapshot: Snapshot, layers: Collection[str], height: int = PLANE_HEIGHT, alone: bool = True) -> Figure:
    """The plane in the data's own units: heat map, real points, manifold, samples, arrows. Both axes are as long for
    the same number where they are measured alike; else each fills the room with its own span.

    alone: with legend and colour bar; else one of several beside each other, which are zoomed together.
    """
    data, frame = as_points(snapshot.data), snapshot.frame
    traces: list[Figure] = []
    (cx, cy), (wide, high) = data.center, data.limits
    places = _places(data)
    if "heat" in layers and "heat" in frame:
        traces.append(
            {
                "type": "heat",
                "name": LAYERS["heat"],
                "center": [cx, cy],
                "reach": [wide, high],
                "z": frame["heat"],
                "colorbar": {
                    "title": {"text": "p(real)"},
                    "thickness": 12,
                    "len": 0.55,
                    "x": 1.0,
                    "outlinewidth": 0,
                    "tickvals": [0, 0.5, 1],
                },
                "hovertemplate": "p(real) %{customdata:.2f}<extra></extra>",
            }
        )
    if "real" in layers:
        traces += _real(data, places)
    if "manifold" in layers and "manifold" in frame:
        x, y = _broken_lines(frame["manifold"])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": LAYERS["manifold"],
                "x": x,
                "y": y,
                "line": {"color": "$fake", "width": 1},
                "opacity": 0.7,
                "hoverinfo": "skip",
            }
        )
    if "fake" in layers and "samples" in frame:
        traces.append(dots(frame["samples"], "generated", "$fake", 5, 0.75, places))
    if "trails" in layers and "trails" in frame:
        traces += _comets(frame["trails"])
    if "arrows" in layers and "arrows" in frame:
        x, y = _broken_lines(frame["arrows"])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": LAYERS["arrows"],
                "x": x,
                "y": y,
                "line": {"color": "$text", "width": 1.5},
                "marker": {
                    "symbol": "arrow",
                    "angleref": "previous",
                    "color": "$text",
                    "size": np.tile(np.array([0, 8, 0], np.int32), len(frame["arrows"])),
                },
                "hoverinfo": "skip",
            }
        )
    c = snapshot.config
    revision = f"{c.data} {c.data_params} {wide:.6g} {high:.6g} {data.center}"
    square: Figure = {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top"} if data.equal_axes else {}
    across, up = (written(name) for name in data.axes)
    figure = layout(
        height,
        revision,
        xaxis=axis(across, range=[cx - wide, cx + wide], constrain="domain"),
        yaxis=axis(up, range=[cy - high, cy + high], **square),
        dragmode="pan",
        showlegend=alone,
    )
    figure["margin"]["r"] = 62  # always there, so that switching the heat map moves nothing
    shown = ", ".join(dict.fromkeys(trace["name"] for trace in traces))
    about = {"step": snapshot.shown, "aspect": 1, "label": f"Points at step {snapshot.shown:,}: {shown}"}
    if not alone:
        figure["margin"] = {"l": 48, "r": 8, "t": 4, "b": 48}
        about["link"] = revision
    return {"data": traces, "layout": figure, **about}


def _places(data: Data) -> str:
    """What a point says of where it is: with as many digits as tell the places of its axis apart."""
    digits = [
        max(3, min(9, 3 + math.ceil(math.log10(max(abs(middle), half) / half))))
        for middle, half in zip(data.center, data.limits, strict=True)
    ]
    return "%{{x:.{}g}}, %{{y:.{}g}}".format(*digits)


def _real(data: Data, places: str) -> list[Figure]:
    """The real points in blue; where they have classes, the largest in colours of their own, named in the legend."""
    points = data.points[:REAL_SHOWN]
    if data.labels is None or len(data.class_names) < 2:
        return [dots(points, "real", "$real", 4, 0.55, places)]
    labels, sizes = data.labels[:REAL_SHOWN], np.bincount(data.labels, minlength=len(data.class_names))
    most = len(CLASS_COLORS) if len(sizes) <= len(CLASS_COLORS) else len(CLASS_COLORS) - 1
    named = sorted(np.argsort(-sizes, kind="stable")[:most].tolist())
    groups = [(written(data.class_names[i]), labels == i) for i in named]
    if len(sizes) > most:
        groups.append(("other classes", ~np.isin(labels, named)))
    traces = []
    for (name, chosen), color in zip(groups, CLASS_COLORS, strict=False):
        drawn = dots(points[chosen], "real", color, 4, 0.6, places)
        traces.append(drawn | {"legend": name, "hovertemplate": f"{name} ({places})<extra></extra>"})
    return traces


def _comets(trails: np.ndarray) -> list[Figure]:
    """float32 [frames, points, 2] as lines that fade into the past."""
    traces = []
    for i in range(len(trails) - 1):
        x, y = _broken_lines(trails[i : i + 2].transpose(1, 0, 2))
        line = {"color": "$fake", "width": 1.5}
        about = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False, "name": LAYERS["trails"]}
        traces.append(about | {"x": x, "y": y, "line": line, "opacity": 0.12 + 0.6 * (i + 1) / len(trails)})
    return traces


def mode_chart(snapshot: Snapshot) -> Figure:
    """How many high-quality samples each mode got, beside an equal share."""
    data = as_points(snapshot.data)
    scores, modes = snapshot.frame.get("metrics") or {}, len(data.known_modes)
    counts = scores.get("mode_counts") or [0] * modes
    place = np.arange(1, modes + 1, dtype=np.int32)
    traces: list[Figure] = [
        {
            "type": "bar",
            "x": place,
            "y": np.array(counts, np.int32),
            "marker": {"color": "$fake"},
            "customdata": [f"({x:.3g}, {y:.3g})" for x, y in data.known_modes.tolist()],
            "hovertemplate": "mode %{x} at %{customdata}: %{y:,} samples<extra></extra>",
            "showlegend": False,
        }
    ]
    share = scores.get("samples", 2_500) / modes
    figure = layout(
        MODES_HEIGHT,
        f"modes {modes}",
        xaxis=axis("mode", FONT - 2, dtick=1 if modes <= 12 else 5, range=[0.4, modes + 0.6], showgrid=False),
        yaxis=axis("", range=[0, reach(max(counts), 2 * share)], nticks=3),
        bargap=0.3,
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": share, "y1": share}
            | {"line": {"color": "$real", "width": 2, "dash": "dash"}}
        ],
        annotations=[
            {"xref": "paper", "x": 1.0, "xanchor": "left", "y": share, "showarrow": False, "align": "left"}
            | {"text": "equal<br>share", "font": {"color": "$real", "size": FONT - 2}},
            heading("samples per mode"),
        ],
    )
    figure["margin"] = {"l": 70, "r": SIDE, "t": 20, "b": 44}
    said = ", ".join(f"{n:,}" for n in counts) if scores.get("mode_counts") else "no scores yet"
    about = {"step": snapshot.shown, "every": 500, "label": f"Samples per mode at step {snapshot.shown:,}: {said}"}
    return {"data": traces, "layout": figure, **about}
