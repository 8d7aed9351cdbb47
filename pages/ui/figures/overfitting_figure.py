"""How far the discriminator has memorized its pictures, and what an adaptive augmentation does about it: a figure."""

from typing import Any

import numpy as np

from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.recording.snapshot import Snapshot
from gan_core.training.train_step import COLUMNS
from pages.ui.figures.figure_parts import SIDE, Figure, axis, heading, layout
from pages.ui.figures.loss_figures import LOSSES_PAUSE, here, line, smooth

HEIGHT = 240
# What visuals.judged has of each recorded frame: its place there, its name, colour of the line and of letters, dash.
KINDS = (
    (0, "training", "$real", "$real", "solid"),
    (1, "held out", "$text", "$text", "dash"),
    (2, "generated", "$fake", "$fakeText", "solid"),
)
MARKS = {"solid": "—", "dash": "– –", "dot": "···"}
P = 3  # the place of the augmentation's probability there
LOWEST = -0.25  # of the lower axis: r_t is seldom below 0


def overfitting(snapshot: Snapshot) -> Figure:
    """p(real) of pictures that the discriminator is trained on, of real ones that it has never seen, and of generated
    ones, over the steps; where the augmentation adapts, r_t with its target and the probability p below."""
    config, frame = snapshot.config, snapshot.frame
    found = frame.get("judged") or {}
    step, values = found.get("step", np.zeros(0, np.int32)), found.get("values", np.zeros((0, 5), np.float32))
    adapts = AUGMENTATIONS[config.augment].adapt is not None
    traces: list[Figure] = [
        {"type": "scatter", "x": [0], "y": [None], "yaxis": name, "showlegend": False, "hoverinfo": "skip"}
        for name in ("y", "y2")[: 1 + adapts]
    ]
    said, names = [], []
    for place, name, color, letters, dash in KINDS:
        known = bool(np.isfinite(values[:, place]).any())
        if known:
            traces.append(_line(f"p(real), {name}", step, values[:, place], color, dash))
            said.append(f"{name} {values[-1, place]:.2f}")
        if known or not len(values):
            names.append(_name(name, letters, dash))
        else:
            names.append("no pictures are held out")
    notes = [heading("D's mean p(real): " + ", ".join(names))]
    shapes = [here(snapshot.shown)] if frame.get("at") is not None else []
    axes: dict[str, Any] = {"xaxis": axis("", rangemode="tozero", hoverformat=",d")}
    if adapts:
        below, more = _meter(snapshot, step, values)
        traces += below
        said += more
        words = [_name("r_t", "$text", "solid"), f"target {config.ada_target:g}", _name("p", "$fakeText", "dot")]
        notes.append(heading("ADA: " + ", ".join(words)) | {"y": 0.37})
        shapes.append(_target(config.ada_target))
        ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", "", "1"]}
        axes["xaxis"]["anchor"] = "y2"
        axes["yaxis2"] = axis("", domain=[0, 0.37], range=[LOWEST, 1.05], **ticks)
    axes["yaxis"] = axis("", domain=[0.61 if adapts else 0, 1], nticks=4)
    figure = layout(HEIGHT, f"overfitting {adapts}", **axes, shapes=shapes, annotations=notes, showlegend=False)
    figure["margin"] = {"l": 70, "r": SIDE, "t": 22, "b": 24}
    words = f"p(real) by the discriminator at step {snapshot.shown:,}: {', '.join(said) or 'nothing yet'}"
    return {"data": traces, "layout": figure, "step": snapshot.shown, "every": LOSSES_PAUSE, "label": words}


def _name(name: str, color: str, dash: str) -> str:
    return f'<span style="color:{color}">{MARKS[dash]} {name}</span>'


def _line(name: str, x: np.ndarray, y: np.ndarray, color: str, dash: str, **rest) -> Figure:
    return line(name, x, y, color, **rest) | {"line": {"color": color, "width": 2.5, "dash": dash}}


def _meter(snapshot: Snapshot, step: np.ndarray, values: np.ndarray) -> tuple[list[Figure], list[str]]:
    """The lines of r_t, from the accuracy on real pictures at all steps, and of p; and both in words."""
    traces, said = [], []
    history = snapshot.frame.get("history")
    if history is not None and len(history["step"]):
        r = 2 * smooth(history["mean"][:, COLUMNS.index("real_accuracy")]) - 1
        traces.append(_line("r_t", history["step"], r, "$text", "solid", yaxis="y2"))
        said.append(f"r_t {r[-1]:.2f}")
    if np.isfinite(values[:, P]).any():
        traces.append(_line("p", step, values[:, P], "$fakeText", "dot", yaxis="y2"))
        said.append(f"p {values[-1, P]:.2f}")
    return traces, said


def _target(value: float) -> Figure:
    about = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": value, "y1": value}
    return about | {"line": {"color": "$line", "width": 1.5, "dash": "dash"}}
