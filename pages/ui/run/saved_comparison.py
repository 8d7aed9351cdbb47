"""Saved runs, and those that train now, side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.recorder import Recording
from gan_core.recording.snapshot import Snapshot, View
from gan_core.runs import run_folders, run_reading
from gan_core.runs.run_reading import Saved
from gan_core.serving.client import Run
from pages.ui.run import comparison, notices, run_page, time_machine
from pages.ui.session import own_run, page_state

FRAME_SECONDS = 0.2  # beside saved runs; a race has a feed


@st.cache_resource(show_spinner="Reading the run", max_entries=8)
def _opened(folder: str, saved: str, step: int) -> tuple[Saved, Recording, Any]:
    """A saved run with its recording and data; `saved` and `step` make a newer state another entry."""
    run = run_reading.read(Path(folder))
    return run, run_reading.recording_of(run), run_reading.data_of(run)


def _sources() -> dict[str, Any]:
    """What can be compared: name -> a session's run that trains now, or a saved one."""
    state, found = st.session_state, {}
    for kind in ("points", "images"):
        run = state.get(page_state.mine("run", kind))
        if run is not None and run.worker is not None and run.step > 0:
            found[f"now on {page_state.PAGE_OF[kind]}"] = run
    listed = [run for run in run_folders.listed(run_folders.runs_folder()) if isinstance(run, Saved)]
    return found | {run.name: run for run in listed}


def draw(bar: Any, log: bool) -> None:
    """The chosen runs beside each other, and the choice."""
    own_run.race_run()
    notices.draw()
    sources = _sources()
    state = st.session_state
    wanted = [name for name in state.get("compare", []) if name in sources]
    if state.get("compare_runs") != wanted:
        state.compare_runs = wanted
    bar.multiselect(
        "Runs",
        list(sources),
        key="compare_runs",
        max_selections=comparison.MOST,
        on_change=_chosen,
        placeholder="Choose two to four runs",
        label_visibility="collapsed",
        width=640,
    )
    if len(sources) < 2:
        st.markdown("Nothing to compare yet. Save two runs (**Save**, below the plot of a run), or start a race.")
        return
    if len(wanted) < 2:
        st.caption("Choose two to four runs.")
        return
    kinds = {DATASETS[sources[name].config.data].kind for name in wanted}
    if len(kinds) > 1:
        st.error("Runs of points and of images cannot be compared. Choose one kind.")
        return
    opened = []
    for name in wanted:
        source = sources[name]
        try:
            live_run = isinstance(source, Run)
            opened.append((name, source if live_run else _opened(str(source.folder), source.saved, source.step)))
        except ConfigError as error:
            st.error(f"{name}: {error}")
    if len(opened) < 2:
        return
    moving = any(isinstance(source, Run) and source.snapshot().moving for _, source in opened)
    st.session_state.full_run = True
    try:
        st.fragment(_draw_saved, run_every=FRAME_SECONDS if moving else None)(opened, log, moving)
    finally:
        st.session_state.full_run = False
    configs = [source.config if isinstance(source, Run) else source[0].config for _, source in opened]
    comparison.settings(configs, [name for name, _ in opened])


def _chosen() -> None:
    chosen = st.session_state.get("compare_runs")
    if chosen is not None:
        st.session_state.compare = list(chosen)


def _draw_saved(opened: list[tuple[str, Any]], log: bool, timed: bool) -> None:
    at = time_machine.looked_at()
    columns, moving = [], False
    for name, source in opened:
        if isinstance(source, Run):
            snapshot = source.poll(View(side=8, at=at))
            moving = moving or snapshot.moving
        else:
            saved, recording, data = source
            end = saved.step
            frame = recording.look(end if at is None else at)
            frame["recorded"] = np.array(recording.frames.steps, np.int32)
            frame["at"] = None if at is None or at >= end else frame.get("at")
            snapshot = Snapshot(saved.config, data, "paused", step=end, frame=frame)
        columns.append(comparison.Column(name, snapshot))
    if moving != timed and (moving or run_page.ticking()):
        st.rerun()
    about = {"key": page_state.mine("scrubber"), "data": comparison.about(columns, time_machine.era(), at)}
    comparison.draw(
        {
            "place": None,
            "texts": comparison.texts(columns),
            "plots": comparison.figures(columns, log),
            "scrubber": about,
        },
        columns,
    )
