"""Over the steps: a loss, an accuracy or a score of chosen settings, as mean and band over the seeds."""

from pathlib import Path

import numpy as np
import streamlit as st

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores.registry import SCORES
from gan_core.sweeps.space import Space
from gan_core.sweeps.store import Store
from gan_core.sweeps.training import DONE
from gan_core.training.train_step import COLUMNS
from pages.ui.components.liveplot import live_plot
from pages.ui.figures import sweep_figures
from pages.ui.figures.loss_figures import RUN_COLORS
from pages.ui.sweeps.sweep_parts import Row, choice, named, scores_of

CURVES = {
    "d_loss": "loss of the discriminator",
    "g_loss": "loss of the generator",
    "real_accuracy": "D accuracy on real",
}
POINTS = 120  # of a curve
LOOKED = "looks_"  # and a score's name: what is kept of the trials' scores on their way


def draw(store: Store, space: Space, rows: list[Row]) -> None:
    st.subheader("Over the steps")
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row["status"] == DONE:
            groups.setdefault(named(row, space), []).append(row)
    if not groups:
        st.caption("No trial has come to its end yet.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_curves_bar"):
        scores = scores_of(rows) if space.looks or space.stop_by else []
        titles = {**{f"{LOOKED}{name}": SCORES[name].title for name in scores}, **CURVES}
        curve = choice("Curve", list(titles), "sweep_curve", titles.__getitem__, _CURVE)
        chosen = st.multiselect(
            "Settings",
            list(groups),
            list(groups)[: len(RUN_COLORS)],
            max_selections=len(RUN_COLORS),
            key=f"sweep_groups {store.folder.name} {len(groups)}",
            help=f"At most {len(RUN_COLORS)}: more could not be told apart.",
        )
    drawn = [(name, *_curve(store, groups[name], curve)) for name in chosen]
    floor = _floor(rows, curve.removeprefix(LOOKED)) if curve.startswith(LOOKED) else None
    live_plot(sweep_figures.curves(drawn, titles[curve], floor), key="sweep_curves")
    unread = sum(not len(_kept(str(store.folder), row["key"], "d_loss")[0]) for n in chosen for row in groups[n])
    said = f" What was kept of {unread:,} trials cannot be read." if unread else ""
    st.caption(f"The mean over the seeds; the band reaches from the lowest to the highest of them.{said}")


def _floor(rows: list[Row], name: str) -> float | None:
    """What real data get, where all trials were scored against the same."""
    ideals = {SCORES[name].ideal(name, row["metrics"]) for row in rows if row["status"] == DONE}
    return next(iter(ideals)) if len(ideals) == 1 else None


_CURVE = "What is drawn over the steps. A score has a point wherever the trials were scored."


@st.cache_data(max_entries=20_000, show_spinner=False)
def _kept(folder: str, key: str, curve: str) -> tuple[np.ndarray, np.ndarray]:
    """(steps [n], values [n]) of a trial, without steps at which it has no value; nothing where they cannot be read."""
    try:
        arrays = Store(Path(folder)).arrays(key)
    except ConfigError:
        return np.empty(0, int), np.empty(0)
    if curve in CURVES:
        return arrays["history_step"], arrays["history_mean"][:, COLUMNS.index(curve)]
    values = arrays.get(curve, np.empty(0))
    known = np.isfinite(values)
    return arrays.get("looks_step", np.empty(0, int))[: len(values)][known], values[known]


def _curve(store: Store, group: list[Row], curve: str) -> tuple[np.ndarray, np.ndarray]:
    """(steps [n], values [seeds, n]) of the seeds that have any, where all of them have."""
    found = [_kept(str(store.folder), row["key"], curve) for row in group]
    found = [(steps, values) for steps, values in found if len(steps)]
    if not found:
        return np.empty(0, np.int32), np.empty((1, 0), np.float32)
    first, last = max(int(steps[0]) for steps, _ in found), min(int(steps[-1]) for steps, _ in found)
    at = np.linspace(first, last, POINTS) if curve in CURVES else [s for s in found[0][0] if first <= s <= last]
    steps = np.unique(np.asarray(at).astype(np.int32))
    return steps, np.stack([np.interp(steps, *one) for one in found]).astype(np.float32)
