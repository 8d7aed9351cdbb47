"""Runs side by side: pictures with one zoom, losses in one plot, a table of scores and of settings that differ."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.recording.snapshot import Snapshot
from gan_core.settings.config import GANConfig
from pages.ui.components.liveplot import live_plot, live_text, scrubber
from pages.ui.figures import figure_parts, image_figures, loss_figures, point_figures, score_texts
from pages.ui.run import settings_panel

MOST = 4
HEIGHTS = {2: 300, 3: 300, 4: 290}
LAYERS = frozenset({"real", "fake", "heat"})


@dataclass(frozen=True)
class Column:
    """One run of the comparison."""

    name: str
    snapshot: Snapshot
    error: str = ""


# -- what both show -------------------------------------------------------------------------------------------


def draw(shown: dict[str, Any], columns: list[Column]) -> None:
    """Draws what `Feed.shown` puts together: the parts that `_figures`, `_texts` and `_about` make."""

    def text(key: str) -> None:
        with st.container(key=key):
            live_text(shown["texts"][key], key, shown["place"])

    def plot(key: str) -> None:
        live_plot(shown["plots"][key], key=key)

    if "race_status" in shown["texts"]:
        text("race_status")
    with st.container(key=f"lanes_{len(columns)}"):
        for i, column in enumerate(columns):
            with st.container(key=f"lane_{i}", gap=None):
                text(f"lane_title_{i}")
                plot(f"lane_plot_{i}")
                if column.error:
                    st.error(column.error)
    scrubber(shown["scrubber"]["data"], key=shown["scrubber"]["key"])
    with st.container(key="compare_below"):
        plot("lane_losses")
        text("lane_scores")


def figures(columns: list[Column], log: bool) -> dict[str, figure_parts.Figure]:
    """The figures of all runs, by key."""
    height = HEIGHTS[len(columns)]
    found = {f"lane_plot_{i}": _picture(column.snapshot, height) for i, column in enumerate(columns)}
    return found | {"lane_losses": loss_figures.overlay([c.snapshot for c in columns], [c.name for c in columns], log)}


def texts(columns: list[Column]) -> dict[str, str]:
    """What is said of each run, as HTML by key."""
    found = {
        f"lane_title_{i}": f'<div class="ganscope-lane">{_mark(i)} <b>{escape(column.name)}</b> · '
        f"step {column.snapshot.shown:,}</div>"
        for i, column in enumerate(columns)
    }
    return found | {"lane_scores": _score_table(columns)}


def about(columns: list[Column], of: str, at: int | None) -> dict[str, Any]:
    """What the scrubber shows of them all; of: the era that it looks at, at the step `at`."""
    steps = sorted({int(step) for c in columns for step in c.snapshot.frame.get("recorded", ())})
    return {
        "recorded": np.array(steps, np.int32),
        "checkpoints": np.zeros(0, np.int32),
        "step": max(c.snapshot.step for c in columns),
        "shown": max((c.snapshot.frame.get("at") or 0 for c in columns), default=0),
        "of": of,
        "fork": False,
        "at": at,
    }


def _mark(i: int) -> str:
    """A run's symbol in its colour, and its letter, as in the plot of the losses."""
    color, symbol, letter = loss_figures.RUN_COLORS[i], loss_figures.RUN_SYMBOLS[i][1], loss_figures.RUN_LETTERS[i]
    return f'<span style="color:{color}">{symbol}</span> {letter}'


def _picture(snapshot: Snapshot, height: int) -> figure_parts.Figure:
    if DATASETS[snapshot.config.data].kind == "images":
        return image_figures.grid(snapshot, 8, False, [], height, "trainings")
    return point_figures.plane(snapshot, LAYERS, height, alone=False)


def _score_table(columns: list[Column]) -> str:
    """The scores at the shown step; the best, who is nearest to what real data get, in bold."""
    rows = score_texts.leaders([c.snapshot.frame.get("metrics") or {} for c in columns])
    if not rows:
        return "Press Play to see the scores."
    head = "".join(f"<th>{_mark(i)}</th>" for i in range(len(columns)))
    lines = []
    for title, texts, lead in rows:
        cells = (f"<td><b>{text} ◀</b></td>" if i in lead else f"<td>{text}</td>" for i, text in enumerate(texts))
        lines.append(f"<tr><th>{title}</th>{''.join(cells)}</tr>")
    table = f'<table class="ganscope-table"><tr><th></th>{head}</tr>{"".join(lines)}</table>'
    return f'{table}<div class="ganscope-note">◀ best: nearest to what real data score</div>'


def settings(configs: list[GANConfig], names: list[str]) -> None:
    """Only the settings that differ."""
    flats = [config.to_flat() for config in configs]
    every = dict.fromkeys(name for flat in flats for name in flat)
    differ = [name for name in every if len({str(flat.get(name)) for flat in flats}) > 1]
    with st.expander(f"Settings that differ: {len(differ)}", expanded=bool(differ)):
        if not differ:
            st.caption("The runs have the same settings.")
            return
        head = "".join(f"<th>{_mark(i)} {escape(name)}</th>" for i, name in enumerate(names))
        lines = []
        for name in differ:
            cells = "".join(f"<td>{escape(short(flat.get(name, '–')))}</td>" for flat in flats)
            lines.append(f"<tr><th>{escape(settings_panel.label(name, configs[0]))}</th>{cells}</tr>")
        st.html(f'<table class="ganscope-table"><tr><th></th>{head}</tr>{"".join(lines)}</table>')


def short(value: Any) -> str:
    """A value as a table shows it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
