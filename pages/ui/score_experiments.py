"""An experiment of score_lab on the page: both clouds side by side, and a table of scores beside their floors."""

import math

import streamlit as st

from gan_core.scores import score_lab
from gan_core.scores.registry import SCORES
from gan_core.scores.score_lab import Experiment, Row
from pages.ui.components.liveplot import live_plot
from pages.ui.figures import score_figures
from pages.ui.session.waiting import waited

FLOORS = "Measuring real data against real data …"


def disc_and_gaussian(n: int) -> Experiment:
    return waited(FLOORS, _disc_and_gaussian, n)


def cheat(data: str, way: str, percent: int) -> Experiment:
    return waited(FLOORS, _cheat, data, way, percent)


@st.cache_data(show_spinner=False)
def _disc_and_gaussian(n: int) -> Experiment:
    return score_lab.disc_and_gaussian(n)


@st.cache_data(show_spinner=False)
def _floors(data: str) -> score_lab.Floors:
    return score_lab.floors(score_lab.DATA[data])


@st.cache_data(show_spinner=False, max_entries=500)
def _cheat(data: str, way: str, percent: int) -> Experiment:
    return score_lab.cheat(data, way, percent / 100, _floors(data))


def clouds(shown: Experiment, text: str, key: str) -> None:
    """`text`, and below it real, generated, and the scores side by side."""
    st.markdown(text)
    real, fake, scores = st.columns([1, 1, 1.25])
    with real:
        live_plot(score_figures.cloud(shown.real, shown.limit, "real"), key=f"{key}_real")
    with fake:
        live_plot(score_figures.cloud(shown.fake, shown.limit, "generated"), key=f"{key}_fake")
    with scores, st.container(key=f"{key}_scores"):
        st.markdown(table(shown.rows))


def table(rows: list[Row]) -> str:
    """The scores in Markdown, one a line."""
    lines = ["| score | generated | real data | notices the fault? |", "| :-- | --: | --: | :-- |"]
    for row in rows:
        value, mean, spread = (number(row, part) for part in (row.value, *row.floor))
        lines.append(f"| {SCORES[row.name].title} | {value} | {mean} ± {spread} | {verdict(row)} |")
    return "\n".join(lines)


def number(row: Row, value: float) -> str:
    """A value in the form of the row's score, as precise as the spread of its floor; a dash where there is none."""
    if math.isnan(value):
        return "–"
    score = SCORES[row.name]
    if score.form in ("count", "percent"):
        return score.text(value)
    decimals = min(max(1 - math.floor(math.log10(row.floor[1] or 1)), 1), 4)
    return f"{value:.{decimals}f}"


def verdict(row: Row) -> str:
    """Whether the score notices; of the one that is bad at both ends, at which."""
    if math.isnan(row.value):
        return "no value"
    if not row.notices:
        return "no"
    word = "yes"
    if SCORES[row.name].good == "near":
        word = "yes, too near" if row.value < row.floor[0] else "yes, too far"
    return f":green-badge[**{word}**]"
