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
from pages.ui.components.liveplot import live_feed
from pages.ui.frames.feed import feed_of
from pages.ui.run import comparison, notices, time_machine
from pages.ui.session import own_run, page_state
from pages.ui.session.waiting import waited


@st.cache_resource(show_spinner=False, max_entries=8)
def _opened(folder: str, saved: str, step: int) -> tuple[Saved, Recording, Any]:
    """A saved run with its recording and data; `saved` and `step` make a newer state another entry."""
    run = run_reading.read(Path(folder))
    return run, run_reading.recording_of(run), run_reading.data_of(run)


def _sources() -> dict[str, Any]:
    """What can be compared: name -> a session's run that trains now, or a saved one."""
    found = {}
    for kind in ("points", "images"):
        run = page_state.page(kind).run
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
    wanted = [name for name in page_state.tab().compared if name in sources]
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
            if not isinstance(source, Run):
                source = waited("Reading the run", _opened, str(source.folder), source.saved, source.step)
            opened.append((name, source))
        except ConfigError as error:
            st.error(f"{name}: {error}")
    if len(opened) < 2:
        return
    _draw_beside(opened, log)
    configs = [source.config if isinstance(source, Run) else source[0].config for _, source in opened]
    comparison.settings(configs, [name for name, _ in opened])


def _chosen() -> None:
    chosen = st.session_state.get("compare_runs")
    if chosen is not None:
        page_state.tab().compared = list(chosen)


class _Beside:
    """Runs side by side, as a feed shows them: the columns are in the frames."""

    def __init__(self, opened: list[tuple[str, Any]]):
        self.opened = opened

    def poll(self, view: View) -> Snapshot:
        """The state of them all at the step that `view` looks at."""
        columns, moving = [], False
        for name, source in self.opened:
            if isinstance(source, Run):
                snapshot = source.poll(view)
                moving = moving or snapshot.moving
            else:
                saved, recording, data = source
                end = saved.step
                frame = recording.look(end if view.at is None else view.at)
                frame["recorded"] = np.array(recording.frames.steps, np.int32)
                frame["at"] = None if view.at is None or view.at >= end else frame.get("at")
                snapshot = Snapshot(saved.config, data, "paused", step=end, frame=frame)
            columns.append(comparison.Column(name, snapshot))
        first = columns[0].snapshot
        return Snapshot(first.config, first.data, "playing" if moving else "paused", frame={"columns": columns})


def _draw_beside(opened: list[tuple[str, Any]], log: bool) -> None:
    here, of = page_state.page(), time_machine.era()
    kept = here.feed
    beside = kept.run if kept is not None and isinstance(kept.run, _Beside) else None
    if beside is None or [(n, id(s)) for n, s in beside.opened] != [(n, id(s)) for n, s in opened]:
        beside = _Beside(opened)
    feed = here.feed = feed_of(beside, kept, here.past)
    feed.era, feed.view = of, View(side=8)
    feed.figures = lambda snapshot: comparison.figures(snapshot.frame["columns"], log)
    feed.texts = lambda snapshot: comparison.texts(snapshot.frame["columns"])
    scrubbed = page_state.mine("scrubber")
    feed.scrubber = scrubbed, lambda snapshot, at: comparison.about(snapshot.frame["columns"], of, at)
    snapshot, place = feed.look()
    drawn = feed.shown(snapshot, place)
    comparison.draw(drawn, snapshot.frame["columns"])
    live_feed(feed.token, drawn["wait"], place, feed.look_at)
