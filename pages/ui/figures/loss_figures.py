"""The losses of a run, and of several over each other: snapshots -> Plotly figures (figure_parts.py)."""

import math
from typing import Any

import numpy as np

from gan_core.objectives.losses import LN2, LOSSES
from gan_core.recording.snapshot import Snapshot
from gan_core.training.train_step import COLUMNS
from pages.ui.figures.figure_parts import FONT, SIDE, Figure, axis, heading, layout

LOSSES_HEIGHT = 380
# Of runs beside each other: colours for light and dark ground, none of them real's or generated's; and, for eyes that
# do not tell colours apart, a symbol (Plotly's name, the character) and a letter.
RUN_COLORS = ("#0f9d78", "#c257a0", "#a08414", "#7a63e8")
RUN_SYMBOLS = (("circle", "●"), ("square", "■"), ("diamond", "◆"), ("triangle-up", "▲"))
RUN_LETTERS = "ABCD"
LOSS_DOMAIN, ACCURACY_DOMAIN = (0.5, 1.0), (0.0, 0.28)  # of the height; between them the names of the accuracies
EVIDENCE_DOMAINS = {"g_loss": LOSS_DOMAIN, "d_loss": LOSS_DOMAIN} | dict.fromkeys(
    ("d_accuracy", "real_accuracy", "fake_accuracy"), ACCURACY_DOMAIN
)
MOST_BANDS = 3  # at once: more would hide each other
LOSSES_PAUSE = 120  # ms between two drawings: curves change less than clouds, and cost the browser more


def smooth(values: np.ndarray) -> np.ndarray:
    """Exponential moving average along the bins, with the start weighted by what there is."""
    if len(values) < 3:
        return values
    kernel = 0.9 ** np.arange(min(len(values), 60))
    weight = np.convolve(np.ones(len(values)), kernel)[: len(values)]
    return (np.convolve(values, kernel)[: len(values)] / weight).astype(np.float32)


def line(name: str, x: np.ndarray, y: np.ndarray, color: str, **rest) -> Figure:
    """A curve over the steps."""
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


def equilibrium_name(value: float) -> str:
    """A loss's value at equilibrium, as it is called."""
    return {LN2: "ln 2", 2 * LN2: "2 ln 2", -LN2: "−ln 2"}.get(value, f"{value:.3g}")


def losses(snapshot: Snapshot, log: bool = False, smoothed: bool = True) -> Figure:
    """Both losses over all steps, above the discriminator's accuracy; changes of settings as dotted lines."""
    history = snapshot.frame.get("history")
    # Keeps both axes standing before the first step.
    traces: list[Figure] = [
        {"type": "scatter", "x": [0], "y": [None], "yaxis": axis, "showlegend": False, "hoverinfo": "skip"}
        for axis in ("y", "y2")
    ]
    flip, said, accuracies = False, "", _accuracies(snapshot.config.loss)
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
                    line(label, x, y, color, opacity=0.35, showlegend=False, hoverinfo="skip", legendgroup=name)
                    | {"line": {"color": color, "width": 1}}
                )
                traces.append(line(label, x, smooth(y), color, legendgroup=name))
            else:
                band = history["low"][:, i], history["high"][:, i]
                if history["stride"] > 1 and not log:
                    traces.append(_band(x, band, color, name))
                traces.append(line(label, x, y, color, legendgroup=name) | {"line": {"color": color, "width": 1.5}})
        for column, name, color, _, dash in accuracies:
            y = columns[column]
            traces.append(
                line(f"D accuracy {name}", x, smooth(y) if smoothed else y, color, yaxis="y2", showlegend=False)
                | {"line": {"color": color, "width": 2, "dash": dash}}
            )
        traces += _marks(history["markers"])
        said = f": generator {columns['g_loss'][-1]:.3g}, discriminator {columns['d_loss'][-1]:.3g}"
    shapes, annotations = _references(snapshot, log, flip)
    marks, notes = _mark_lines(history["markers"] if history else [])
    bands, titles = _evidence(snapshot.frame.get("findings") or [], snapshot.step)
    if snapshot.frame.get("at") is not None:
        marks.append(here(snapshot.shown))
    figure = layout(
        LOSSES_HEIGHT,
        f"losses {log} {history is not None and len(history['step']) > 0}",
        xaxis=axis("step", anchor="y2", rangemode="tozero", hoverformat=",d"),
        yaxis=axis(
            "loss (log)" if log else "loss", domain=list(LOSS_DOMAIN), nticks=6, type="log" if log else "linear"
        ),
        yaxis2=axis(
            "", domain=list(ACCURACY_DOMAIN), range=[-0.02, 1.12], tickvals=[0, 0.5, 1], ticktext=["0 %", "", "100 %"]
        ),
        shapes=bands + shapes + marks,
        annotations=[*annotations, *notes, *titles, _accuracy_heading(accuracies)],
        dragmode="zoom",
    )
    figure["margin"] |= {"l": 70, "r": SIDE}
    about = {"step": snapshot.step, "every": LOSSES_PAUSE, "label": f"Losses up to step {snapshot.step:,}{said}"}
    return {"data": traces, "layout": figure, **about}


def _evidence(findings: list[Figure], end: int) -> tuple[list[Figure], list[Figure]]:
    """A band from the first to the last step of each finding, behind the curve that it names, or over the whole height
    where that is drawn elsewhere, with dashed edges, so that nobody needs its colour; and the titles, between the plots
    or low in that of the accuracies, where they hide no curve."""
    bands: list[Figure] = []
    named: dict[float, list[Figure]] = {}
    for finding in findings[:MOST_BANDS]:
        low, high = EVIDENCE_DOMAINS.get(finding["curve"], (0.0, 1.0))
        about = {"type": "rect", "layer": "below", "yref": "paper", "y0": low, "y1": high}
        about |= {"x0": finding["first"], "x1": finding["last"]}
        bands.append(about | {"fillcolor": "$band", "line": {"color": "$line", "width": 1, "dash": "dash"}})
        named.setdefault(ACCURACY_DOMAIN[0] if high == ACCURACY_DOMAIN[1] else LOSS_DOMAIN[0], []).append(finding)
    titles = []
    for y, there in named.items():
        edge = ("first", "left") if there[0]["first"] <= end / 2 else ("last", "right")
        place = {"x": there[0][edge[0]], "xanchor": edge[1], "yref": "paper", "y": y, "font": {"size": FONT - 2}}
        place["yanchor"] = "top" if y == LOSS_DOMAIN[0] else "bottom"
        titles.append(place | {"text": ", ".join(finding["title"] for finding in there), "showarrow": False})
    return bands, titles


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
    values = sorted(-value if flip and value < 0 else value for value in rest)
    highest = values[-1] if values else None
    for value in values:
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
                # The word stands once, above the highest: in a low plot the lines are closer than two lines of text.
                "text": "equilibrium<br>" * (value == highest) + equilibrium_name(value),
                "yanchor": "bottom",
                "yshift": -(FONT - 3) // 2,
                "align": "left",
                "showarrow": False,
                "font": {"size": FONT - 3},
            }
        )
    return shapes, annotations


def _accuracies(loss: str) -> list[tuple[str, str, str, str, str]]:
    """(column, name, colour of the line, of its name, dash): one line where only differences of logits mean anything,
    for then the accuracies on real and on generated samples are the same number (program.accuracies)."""
    if LOSSES[loss].p_real == "centered":
        return [("real_accuracy", "pairs in the right order", "$text", "$text", "solid")]
    return [
        ("real_accuracy", "on real", "$real", "$real", "solid"),
        ("fake_accuracy", "on generated", "$fake", "$fakeText", "dot"),
    ]


def _accuracy_heading(accuracies: list[tuple[str, str, str, str, str]]) -> Figure:
    """The title of the lower axes, with the names of their lines in their colours."""
    names = ", ".join(
        f'<span style="color:{color}">{"···" if dash == "dot" else "—"} {name}</span>'
        for _, name, _, color, dash in accuracies
    )
    return heading(f"D accuracy: {names}") | {"y": ACCURACY_DOMAIN[1]}


def _marks(markers: list[dict[str, Any]]) -> list[Figure]:
    """A triangle with its hover text for each change of a setting."""
    if not markers:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "setting changed",
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
    """The losses of several runs in one plot: generators solid, discriminators dotted; each run has a colour, a symbol
    on its curves, and its letter at their end."""
    traces: list[Figure] = [{"type": "scatter", "x": [0], "y": [None], "showlegend": False, "hoverinfo": "skip"}]
    shapes, ends, said = [], [], []
    seen: list[float] = []  # the lowest and the highest values of the axis
    for i, (snapshot, name) in enumerate(zip(snapshots, names, strict=True)):
        history, color = snapshot.frame.get("history"), RUN_COLORS[i]
        if history is None or not len(history["step"]):
            continue
        for column, dash in ((COLUMNS.index("g_loss"), "solid"), (COLUMNS.index("d_loss"), "dot")):
            y = smooth(history["mean"][:, column])
            row = "generator" if dash == "solid" else "discriminator"
            about = line(f"{RUN_LETTERS[i]}: {name}, {row}", history["step"], y, color)
            marker = {"symbol": RUN_SYMBOLS[i][0], "size": 8, "maxdisplayed": 6, "color": color}
            look = {"color": color, "width": 2.5, "dash": dash}
            traces.append(about | {"mode": "lines+markers", "line": look, "marker": marker})
            on_axis = np.log10(y[y > 0]) if log else y
            seen += [float(on_axis.min()), float(on_axis.max())] if len(on_axis) else []
            if not log or y[-1] > 0:
                ends.append((float(y[-1]), RUN_LETTERS[i]))
        said.append(f"{RUN_LETTERS[i]} generator {history['mean'][-1, COLUMNS.index('g_loss')]:.3g}")
        if snapshot.frame.get("at") is not None:
            shapes.append(here(snapshot.shown) | {"line": {"color": color, "width": 2}})
    figure = layout(
        height,
        f"overlay {log} {len(traces)}",
        xaxis=axis("step", rangemode="tozero", hoverformat=",d"),
        yaxis=axis("loss (log)" if log else "loss", type="log" if log else "linear"),
        shapes=shapes,
        annotations=[
            heading("Solid: generator. Dotted: discriminator."),
            *_end_letters(ends, log, (max(seen) - min(seen)) / 8 if seen else 0.0),
        ],
        showlegend=False,
    )
    figure["margin"] |= {"l": 70, "r": 34, "t": 24}
    label = "Losses of the runs" + (": " + ", ".join(said) if said else "")
    return {"data": traces, "layout": figure, "every": LOSSES_PAUSE, "label": label}


def _end_letters(ends: list[tuple[float, str]], log: bool, near: float) -> list[Figure]:
    """The letters of the runs where their curves end; those that end within `near` of each other share a place."""
    ends = sorted((math.log10(value) if log else value, letter) for value, letter in ends)
    places: list[tuple[float, str]] = []
    for value, letter in ends:
        if places and value - places[-1][0] <= near:
            places[-1] = places[-1][0], "".join(dict.fromkeys(places[-1][1] + letter))
        else:
            places.append((value, letter))
    about = {"xref": "paper", "x": 1.0, "xanchor": "left", "showarrow": False, "font": {"size": FONT - 1}}
    return [about | {"y": value, "text": letters} for value, letters in places]


def here(step: int) -> Figure:
    """The line at the step that the plots show."""
    about = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": step, "x1": step}
    return about | {"line": {"color": "$real", "width": 3}}
