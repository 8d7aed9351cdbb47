"""Snapshot -> Plotly figures, as plain dicts with NumPy arrays; static/liveplot.js draws them.

Texts that begin with `$` name a colour of the theme ($real is blue, $fake is orange).
"""

import math
from typing import Any

import numpy as np

from gan_core.losses import LN2, LOSSES
from gan_core.program import COLUMNS
from gan_core.snapshot import Snapshot

Figure = dict[str, Any]

REAL_SHOWN = 1_000
PLANE_HEIGHT = 480
LOSSES_HEIGHT = 380
LOSSES_ABOVE_MODES = 262
MODES_HEIGHT = 112
FONT = 15
# Of runs beside each other, on light and dark ground; none is real's or generated's.
RUN_COLORS = ("#0f9d78", "#c257a0", "#a08414", "#7a63e8")
LOSSES_PAUSE = 120  # ms between two drawings: curves change less than clouds, and cost the browser more
LAYERS = {
    "real": "real",
    "fake": "generated",
    "heat": "p(real)",
    "manifold": "manifold",
    "arrows": "push",
    "trails": "trails",
}
LAYER_HELP = (
    "real: points of the data set. generated: the generator's samples. p(real): what the discriminator thinks of "
    "each spot. manifold: the image of a line or grid of z (latent dimension 1 or 2). push: where the "
    "generator's loss pushes its samples (now only). trails: where some samples were in the last recorded frames."
)


def axis(title: str, **rest) -> Figure:
    """An axis in the theme's colours."""
    return {
        "title": {"text": title, "standoff": 4},
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


def _broken_lines(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[lines, points, 2] as one trace's x and y, with a gap (NaN) between lines."""
    gap = np.full((len(lines), 1, 2), np.nan, np.float32)
    joined = np.concatenate([lines, gap], 1).reshape(-1, 2)
    return joined[:, 0], joined[:, 1]


def plane(snapshot: Snapshot, layers: set[str], height: int = PLANE_HEIGHT, alone: bool = True) -> Figure:
    """The plane in the data's own units, equal aspect: heat map, real points, manifold, samples, arrows.

    alone: with legend and colour bar; else one of several beside each other, which are zoomed together.
    """
    data, frame = snapshot.data, snapshot.frame
    traces: list[Figure] = []
    (cx, cy), reach = data.center, data.limit
    if "heat" in layers and "heat" in frame:
        side = len(frame["heat"])
        traces.append(
            {
                "type": "heatmap",
                "name": "p(real)",
                "x0": cx - reach,
                "dx": 2 * reach / (side - 1),
                "y0": cy - reach,
                "dy": 2 * reach / (side - 1),
                "z": frame["heat"],
                "zmin": 0,
                "zmax": 1,
                "zsmooth": "fast",
                "colorscale": [[0, "$fakeTint"], [0.5, "$mid"], [1, "$realTint"]],
                "showscale": alone,
                "colorbar": {
                    "title": {"text": "p(real)"},
                    "thickness": 12,
                    "len": 0.55,
                    "x": 1.0,
                    "outlinewidth": 0,
                    "tickvals": [0, 0.5, 1],
                },
                "hovertemplate": "p(real) %{z:.2f}<extra></extra>",
            }
        )
    if "real" in layers:
        points = data.points[:REAL_SHOWN]
        traces.append(_dots(points, "real", "$real", 4, 0.55))
    if "manifold" in layers and "manifold" in frame:
        x, y = _broken_lines(frame["manifold"])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "manifold",
                "x": x,
                "y": y,
                "line": {"color": "$fake", "width": 1},
                "opacity": 0.7,
                "hoverinfo": "skip",
            }
        )
    if "fake" in layers and "samples" in frame:
        traces.append(_dots(frame["samples"], "generated", "$fake", 5, 0.75))
    if "trails" in layers and "trails" in frame:
        traces += _comets(frame["trails"])
    if "arrows" in layers and "arrows" in frame:
        x, y = _broken_lines(frame["arrows"])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "push",
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
    revision = f"{c.data} {c.data_params} {data.limit:.6g} {data.center}"
    figure = layout(
        height,
        revision,
        xaxis=axis("x", range=[cx - reach, cx + reach], constrain="domain"),
        yaxis=axis("y", range=[cy - reach, cy + reach], scaleanchor="x", constrain="domain", constraintoward="top"),
        dragmode="pan",
        showlegend=alone,
    )
    figure["margin"]["r"] = 62  # always there, so that switching the heat map moves nothing
    if not alone:
        figure["margin"] = {"l": 48, "r": 8, "t": 4, "b": 48}
        return {"data": traces, "layout": figure, "step": snapshot.shown, "aspect": 1, "link": revision}
    return {"data": traces, "layout": figure, "step": snapshot.shown, "aspect": 1}


def _comets(trails: np.ndarray) -> list[Figure]:
    """float32 [frames, points, 2] as lines that fade into the past."""
    traces = []
    for i in range(len(trails) - 1):
        x, y = _broken_lines(trails[i : i + 2].transpose(1, 0, 2))
        line = {"color": "$fake", "width": 1.5}
        about = {"type": "scattergl", "mode": "lines", "hoverinfo": "skip", "showlegend": False, "name": "trails"}
        traces.append(about | {"x": x, "y": y, "line": line, "opacity": 0.12 + 0.6 * (i + 1) / len(trails)})
    return traces


def _dots(points: np.ndarray, name: str, color: str, size: int, opacity: float) -> Figure:
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": np.ascontiguousarray(points[:, 0]),
        "y": np.ascontiguousarray(points[:, 1]),
        "marker": {"color": color, "size": size, "opacity": opacity},
        "hovertemplate": f"{name} (%{{x:.3g}}, %{{y:.3g}})<extra></extra>",
    }


def smooth(values: np.ndarray) -> np.ndarray:
    """Exponential moving average along the bins, with the start weighted by what there is."""
    if len(values) < 3:
        return values
    kernel = 0.9 ** np.arange(min(len(values), 60))
    weight = np.convolve(np.ones(len(values)), kernel)[: len(values)]
    return (np.convolve(values, kernel)[: len(values)] / weight).astype(np.float32)


def _line(name: str, x: np.ndarray, y: np.ndarray, color: str, **rest) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": color, "width": 2.5},
        "hovertemplate": f"step %{{x:,}}: %{{y:.4g}}<extra>{name}</extra>",
        **rest,
    }


def _reference(value: float) -> str:
    names = {LN2: "ln 2", 2 * LN2: "2 ln 2", -LN2: "−ln 2"}
    return names.get(value, f"{value:.3g}")


def losses(snapshot: Snapshot, log: bool = False, smoothed: bool = True, height: int = LOSSES_HEIGHT) -> Figure:
    """Both losses over all steps, above the discriminator's accuracies; knob changes as dotted lines."""
    history = snapshot.frame.get("history")
    # Keeps both axes standing before the first step.
    traces: list[Figure] = [
        {"type": "scatter", "x": [0], "y": [None], "yaxis": axis, "showlegend": False, "hoverinfo": "skip"}
        for axis in ("y", "y2")
    ]
    flip = False
    if history is not None and len(history["step"]):
        x = history["step"]
        columns = {name: history["mean"][:, i] for i, name in enumerate(COLUMNS)}
        # A logarithm has no room for minimax's negative loss: show its size, and say so.
        flip = log and float(columns["g_loss"].min()) < 0
        for i, (name, color) in enumerate((("generator", "$fake"), ("discriminator", "$text"))):
            sign = -1 if flip and i == 0 else 1
            label = f"−{name}" if sign < 0 else name
            y = sign * history["mean"][:, i]
            if smoothed:
                traces.append(
                    _line(label, x, y, color, opacity=0.35, showlegend=False, hoverinfo="skip", legendgroup=name)
                    | {"line": {"color": color, "width": 1}}
                )
                traces.append(_line(label, x, smooth(y), color, legendgroup=name))
            else:
                band = history["low"][:, i], history["high"][:, i]
                if history["stride"] > 1 and not log:
                    traces.append(_band(x, band, color, name))
                traces.append(_line(label, x, y, color, legendgroup=name) | {"line": {"color": color, "width": 1.5}})
        for name, color in (("real", "$real"), ("fake", "$fake")):
            y = columns[f"{name}_accuracy"]
            traces.append(
                _line(f"right on {name}", x, smooth(y) if smoothed else y, color, yaxis="y2", showlegend=False)
                | {"line": {"color": color, "width": 2}}
            )
        traces += _marks(history["markers"])
    shapes, annotations = _references(snapshot, log, flip)
    marks, notes = _mark_lines(history["markers"] if history else [])
    if snapshot.frame.get("at") is not None:
        marks.append(_here(snapshot.shown))
    figure = layout(
        height,
        f"losses {log}",
        xaxis=axis("step", anchor="y2", rangemode="tozero", hoverformat=",d"),
        yaxis=axis("loss (log)" if log else "loss", domain=[0.36, 1], type="log" if log else "linear"),
        yaxis2=axis("D right", domain=[0, 0.26], range=[-0.02, 1.12], tickformat=".0%", tickvals=[0, 0.5, 1]),
        shapes=shapes + marks,
        annotations=annotations + notes + _accuracy_labels(),
        dragmode="zoom",
    )
    figure["margin"] |= {"l": 70, "r": 62}
    return {"data": traces, "layout": figure, "step": snapshot.step, "every": LOSSES_PAUSE}


def _band(x: np.ndarray, band: tuple[np.ndarray, np.ndarray], color: str, name: str) -> Figure:
    """Lowest to highest value of each bin, as one closed outline."""
    low, high = band
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([x, x[::-1]]),
        "y": np.concatenate([low, high[::-1]]),
        "fill": "toself",
        "fillcolor": color,
        "opacity": 0.18,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
    }


def _references(snapshot: Snapshot, log: bool, flip: bool) -> tuple[list[Figure], list[Figure]]:
    """Dashed lines where both losses rest when the generator is perfect."""
    rest = {value for value in LOSSES[snapshot.config.loss].equilibrium if value is not None}
    shapes, annotations = [], []
    for value in sorted(rest):
        value = -value if flip and value < 0 else value
        if log and value <= 0:
            continue
        y = math.log10(value) if log else value
        shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": value,
                "y1": value,
                "line": {"color": "$line", "width": 1, "dash": "dash"},
            }
        )
        annotations.append(
            {
                "xref": "paper",
                "x": 1.0,
                "xanchor": "left",
                "y": y,
                "text": _reference(value),
                "showarrow": False,
            }
        )
    return shapes, annotations


def _accuracy_labels() -> list[Figure]:
    return [
        {
            "xref": "paper",
            "yref": "y2",
            "x": 1.0,
            "xanchor": "left",
            "y": y,
            "text": text,
            "showarrow": False,
            "font": {"color": color},
        }
        for text, color, y in (("on real", "$real", 0.95), ("on fake", "$fake", 0.45))
    ]


def _marks(markers: list[dict[str, Any]]) -> list[Figure]:
    """A triangle with its hover text for each knob change."""
    if not markers:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "knob change",
            "yaxis": "y2",
            "x": [m["step"] for m in markers],
            "y": [1.06] * len(markers),
            "text": [m["text"] for m in markers],
            "marker": {"symbol": "triangle-down", "size": 11, "color": "$text"},
            "hovertemplate": "step %{x:,}: %{text}<extra></extra>",
            "showlegend": False,
        }
    ]


def _mark_lines(markers: list[dict[str, Any]]) -> tuple[list[Figure], list[Figure]]:
    shapes = [
        {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": m["step"],
            "x1": m["step"],
            "line": {"color": "$line", "width": 1, "dash": "dot"},
        }
        for m in markers
    ]
    notes = [
        {
            "x": m["step"],
            "y": 0.99 - 0.09 * (i % 3),
            "yref": "paper",
            "xanchor": "auto",
            "text": m["text"],
            "showarrow": False,
            "bgcolor": "$bg",
            "font": {"size": FONT - 2},
        }
        for i, m in enumerate(markers[-3:])
    ]
    return shapes, notes


def overlay(snapshots: list[Snapshot], names: list[str], log: bool, height: int = 190) -> Figure:
    """The losses of several runs in one plot: generators solid, discriminators dotted, a colour each."""
    traces: list[Figure] = [{"type": "scatter", "x": [0], "y": [None], "showlegend": False, "hoverinfo": "skip"}]
    shapes = []
    for i, (snapshot, name) in enumerate(zip(snapshots, names, strict=True)):
        history, color = snapshot.frame.get("history"), RUN_COLORS[i]
        if history is None or not len(history["step"]):
            continue
        for column, dash in ((COLUMNS.index("g_loss"), "solid"), (COLUMNS.index("d_loss"), "dot")):
            y = smooth(history["mean"][:, column])
            row = "generator" if dash == "solid" else "discriminator"
            about = _line(f"{name}, {row}", history["step"], y, color)
            traces.append(about | {"line": {"color": color, "width": 2.5, "dash": dash}})
        if snapshot.frame.get("at") is not None:
            shapes.append(_here(snapshot.shown) | {"line": {"color": color, "width": 2}})
    figure = layout(
        height,
        f"overlay {log}",
        xaxis=axis("step", rangemode="tozero", hoverformat=",d"),
        yaxis=axis("loss (log)" if log else "loss", type="log" if log else "linear"),
        shapes=shapes,
        showlegend=False,
    )
    figure["margin"] |= {"l": 70, "r": 12, "t": 6}
    return {"data": traces, "layout": figure, "every": LOSSES_PAUSE}


def _here(step: int) -> Figure:
    """The line at the step that the picture shows."""
    about = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": step, "x1": step}
    return about | {"line": {"color": "$real", "width": 3}}


def mode_chart(snapshot: Snapshot) -> Figure:
    """How many samples of high quality each mode got, beside its fair share."""
    scores, modes = snapshot.frame.get("metrics") or {}, len(snapshot.data.modes)
    counts = scores.get("mode_counts")
    place = np.arange(1, modes + 1, dtype=np.int32)
    traces: list[Figure] = [
        {
            "type": "bar",
            "x": place,
            "y": np.array(counts if counts else [0] * modes, np.int32),
            "marker": {"color": "$fake"},
            "customdata": [f"({x:.3g}, {y:.3g})" for x, y in snapshot.data.modes.tolist()],
            "hovertemplate": "mode %{x} at %{customdata}: %{y:,} samples<extra></extra>",
            "showlegend": False,
        }
    ]
    share = scores.get("samples", 2_500) / modes
    figure = layout(
        MODES_HEIGHT,
        f"modes {modes}",
        xaxis=axis("", dtick=1 if modes <= 12 else 5, range=[0.4, modes + 0.6], showgrid=False),
        yaxis=axis("samples", rangemode="tozero", nticks=3, **({} if counts else {"range": [0, 2 * share]})),
        bargap=0.3,
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": share, "y1": share}
            | {"line": {"color": "$real", "width": 2, "dash": "dash"}}
        ],
        annotations=[
            {"xref": "paper", "x": 1.0, "xanchor": "left", "y": share, "showarrow": False}
            | {"text": "fair", "font": {"color": "$real"}}
        ],
    )
    figure["margin"] = {"l": 70, "r": 62, "t": 6, "b": 24}
    return {"data": traces, "layout": figure, "step": snapshot.shown, "every": 500}
