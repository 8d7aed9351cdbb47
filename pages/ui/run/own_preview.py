"""What was understood of a user's file, to look at: pictures with their classes, or first rows and a scatter."""

import base64
import html
import io
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from gan_core.data.pictures import Pictures
from gan_core.data.proposal import Proposal
from pages.ui.components.liveplot import live_plot
from pages.ui.components.markdown import plain
from pages.ui.figures.figure_parts import Figure, axis, dots, layout

SHOWN_PICTURES = 16
SHOWN_CLASSES = 12  # whose counts stand in a line; all are in the table
SHOWN_POINTS = 1_500
SHOWN_ROWS = 6
PLOT_HEIGHT = 230


def preview(proposal: Proposal, key: str) -> None:
    """All of it, in the order in which a person looks."""
    data = proposal.data
    if isinstance(data, Pictures):
        st.html(_sheet(data))
    elif data is not None:
        live_plot(_scatter(proposal, points_of(data)), key=f"{key}_scatter")
        if proposal.rows:
            st.html(_table(proposal.rows))
    _counts(proposal)
    for note in proposal.notes:
        st.caption(plain(note))
    if proposal.left_out:
        st.caption(f"Left out: {plain(', '.join(proposal.left_out_said()))}.")


def points_of(data: Any) -> np.ndarray:
    """float32 [N, 2] of a user's points, with whatever else is known of them."""
    return data if isinstance(data, np.ndarray) else data.points


def summary(proposal: Proposal) -> str:
    """A line: how many there are, of what shape and with how many classes."""
    if proposal.kind == "points":
        return f"{proposal.count:,} points"
    colour = "in colour" if proposal.shape[2] == 3 else "gray"
    classes = f", {len(proposal.classes)} classes" if proposal.classes else ""
    held = getattr(proposal.data, "test_pixels", None)
    tests = f", {len(held):,} more held out" if held is not None and len(held) else ""
    return f"{proposal.count:,} images, {proposal.shape[0]} x {proposal.shape[1]}, {colour}{classes}{tests}"


def _counts(proposal: Proposal) -> None:
    if not proposal.classes:
        return
    first = [f"{plain(name)} {count:,}" for name, count in list(proposal.classes.items())[:SHOWN_CLASSES]]
    more = len(proposal.classes) - SHOWN_CLASSES
    st.caption("Classes: " + " · ".join(first) + (f" · and {more} more" if more > 0 else ""))


def _sheet(pictures: Pictures) -> str:
    """Sixteen pictures, of all classes as far as they go, each under its class."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(pictures))
    if pictures.labels is not None:  # one of each class first, then the second of each, ...
        seen: dict[int, int] = {}
        turn = np.empty(len(order), int)
        for i, index in enumerate(order):
            label = int(pictures.labels[index])
            turn[i] = seen[label] = seen.get(label, -1) + 1
        order = order[np.argsort(turn, kind="stable")]
    cells = []
    for index in order[:SHOWN_PICTURES]:
        name = "" if pictures.labels is None else pictures.class_names[int(pictures.labels[index])]
        shown = html.escape(name)
        about = shown or "an image of the file"
        cells.append(
            f'<figure><img alt="{about}" src="data:image/png;base64,{_png(pictures.pixels[index])}">'
            f'<figcaption title="{shown}">{shown}</figcaption></figure>'
        )
    return f'<div class="ganscope-sheet">{"".join(cells)}</div>'


def _png(pixels: np.ndarray) -> str:
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def _table(rows: tuple[tuple[str, ...], ...]) -> str:
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell.strip())}</td>" for cell in row) + "</tr>" for row in rows[:SHOWN_ROWS]
    )
    return f'<div class="ganscope-rows"><table>{lines}</table></div>'


def _scatter(proposal: Proposal, points: np.ndarray) -> Figure:
    """The points, each axis over its own span."""
    some = points[np.random.default_rng(0).permutation(len(points))[:SHOWN_POINTS]]
    axes = {}
    for i, letter in enumerate("xy"):
        low, high = float(points[:, i].min()), float(points[:, i].max())
        edge = 0.05 * (high - low)
        name = proposal.columns[i] if len(proposal.columns) == 2 else letter
        title = f"{html.escape(name)}: {low:.4g} to {high:.4g}"
        axes[f"{letter}axis"] = axis(title, 13, range=[low - edge, high + edge], nticks=4)
    about = layout(PLOT_HEIGHT, f"{some[:4].tolist()}", showlegend=False, **axes)
    about["margin"] = {"l": 52, "r": 6, "t": 6, "b": 40}
    return {
        "data": [dots(some, "points of the file", "$real", 4, 0.7)],
        "layout": about,
        "label": f"The {proposal.count:,} points of the file",
    }
