"""The page Compare: runs side by side with one step slider, linked zoom, losses overlaid and scores in a table."""

from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.recording.recorder import Recording
from gan_core.recording.snapshot import Snapshot, View
from gan_core.runs import run_folders, run_reading
from gan_core.runs.run_reading import Saved
from gan_core.serving.client import Run
from gan_core.settings.combinations import acts
from gan_core.settings.config import HYPERPARAMETERS, GANConfig
from gan_core.settings.presets import PRESETS
from pages.ui.components.liveplot import live_feed, live_plot, live_text, scrubber
from pages.ui.figures import image_figures, point_figures, score_texts
from pages.ui.frames.feed import Feed, feed_of
from pages.ui.run import exports_panel, notices, run_page, settings_panel, time_machine
from pages.ui.session import clicks, own_run

MOST = 4
FRAME_SECONDS = 0.2  # beside saved runs; a race has a feed
HEIGHTS = {2: 300, 3: 300, 4: 290}
LAYERS = frozenset({"real", "fake", "heat"})
WAYS = {"race": "New race", "saved": "Saved runs"}


@dataclass(frozen=True)
class Column:
    """One run of the comparison."""

    name: str
    snapshot: Snapshot
    error: str = ""


def page() -> None:
    """The whole page."""
    settings_panel.open_page("race")
    if st.session_state.get("compare"):
        st.session_state.setdefault("compare_way", "saved")
    st.session_state.setdefault("compare_way", "race")
    with st.container(horizontal=True, vertical_alignment="center", key="compare_bar"):
        way = st.segmented_control(
            "Compare",
            list(WAYS),
            default=st.session_state.compare_way,
            key="compare_way",
            required=True,
            format_func=WAYS.get,
            label_visibility="collapsed",
            persist_state="session",
        )
        log = st.toggle("Log loss", key="log_losses", persist_state="session", help="Logarithmic loss axis.")
        bar = st.container(horizontal=True, vertical_alignment="center")
    with st.container(gap="xsmall"):
        (_race if way == "race" else _side_by_side)(bar, log)


# -- the race -------------------------------------------------------------------------------------------------


def _race(bar: Any, log: bool) -> None:
    run, in_use = own_run.race_run(), own_run.hub().autosaved()
    with st.container(key="questions"):
        time_machine.offer(run, in_use, run_page.start)
    with bar.popover("New race", icon=":material/flag:", key="race_setup") if run is not None else st.container():
        _setup()
    if run is None:
        st.caption(
            "All runs share one seed: same data, same batches, same initial weights (if the shapes agree). They train "
            "in step, so you always compare the same step."
        )
        notices.draw()
        return
    time_machine.settle(run)
    state, key = st.session_state, settings_panel.mine("feed")
    feed = state[key] = feed_of(run, state.get(key))
    with bar:
        clicks.button(
            "Save all",
            "race_keep",
            partial(_keep, run),
            icon=":material/save:",
            help="Saves each run of the race.",
            disabled=time_machine.pending() is not None,
        )
    time_machine.autosave(run, in_use)
    run_page.transport(run, reset=_again, new_seed=_new_seed)
    said = run.snapshot().frame.get("autosave")
    if said and said["error"]:
        st.caption(f":material/warning: {said['error']}")
    notices.draw()
    every = run_page.every_seconds(run, run.snapshot())
    state.full_run = True
    try:
        st.fragment(_draw_race, run_every=every)(run, log, every, feed)
    finally:
        state.full_run = False
    configs = run.configs
    _settings(list(configs), lane_names(configs))


def _setup() -> None:
    bases = {f"current settings of {settings_panel.PAGE_OF[kind]}": kind for kind in ("points", "images")}
    with st.container(horizontal=True, vertical_alignment="bottom", key="race_bar"):
        base = st.selectbox(
            "Base settings",
            [*bases, *PRESETS],
            key="race_base",
            persist_state="session",
            help="What all runs of the race share.",
        )
        config = _base(bases.get(base), base)
        names = [n for n, k in HYPERPARAMETERS.items() if k.group != "Data" and n != "seed" and acts(n, config)]
        knob = st.selectbox(
            "Setting to vary",
            names,
            key="race_knob",
            persist_state="session",
            format_func=lambda n: settings_panel.label(n, config),
            help="The one setting in which the runs differ.",
        )
        values = _values(knob, HYPERPARAMETERS[knob], config) if knob in HYPERPARAMETERS else []
        started = st.button("Start race", key="race_go", type="primary", icon=":material/flag:")
    st.caption(HYPERPARAMETERS[knob].help if knob in HYPERPARAMETERS else "")
    if started:
        try:
            configs = racers(config, knob, values)
            own_run.check(configs[0], settings_panel.upload(DATASETS[config.data].kind), configs[1:])
        except ConfigError as error:
            st.error(str(error))
            return
        run_page.new_race(configs, settings_panel.upload(DATASETS[config.data].kind))
        st.rerun()


def _base(kind: str | None, name: str) -> GANConfig:
    if kind is None:
        return PRESETS[name].config
    return (
        st.session_state.get(settings_panel.mine("config", kind)) or PRESETS[settings_panel.FIRST_PRESET[kind]].config
    )


def _values(name: str, knob: Hyperparameter, config: GANConfig) -> list[Any]:
    """The values that the user wants to try."""
    now, key = getattr(config, name), f"race_values_{name} {config.data}"
    if knob.choices is not None or knob.kind is bool:
        options = [False, True] if knob.kind is bool else settings_panel.options(name, knob, DATASETS[config.data].kind)
        others = [option for option in options if option != now]
        st.session_state.setdefault(key, [now, *others[:1]])
        return st.multiselect("Values to try", options, st.session_state[key], max_selections=MOST, key=key)
    other = now * 4 if now else knob.high / 4
    st.session_state.setdefault(key, f"{now:g}, {knob.kind(min(other, knob.high)):g}")
    text = st.text_input(
        "Values to try",
        st.session_state[key],
        key=key,
        help=f"Two to {MOST}, separated by commas. Each is {knob.accepts()}.",
    )
    return [part.strip() for part in text.split(",") if part.strip()]


def racers(config: GANConfig, knob: str, values: list[Any]) -> tuple[GANConfig, ...]:
    """The settings of a race; raises ConfigError."""
    if not 2 <= len(values) <= MOST:
        raise ConfigError(f"Enter 2 to {MOST} values; you entered {len(values)}.")
    configs = tuple(config.updated({knob: value}) for value in values)
    if len({getattr(c, knob) for c in configs}) < len(configs):
        raise ConfigError("Two of the values are the same. Change one of them.")
    return configs


def lane_names(configs: tuple[GANConfig, ...]) -> list[str]:
    """What tells the runs of a race apart: the settings in which they differ, by their labels."""
    flats = [c.to_flat() for c in configs]
    differ = [n for n in flats[0] if len({str(flat.get(n)) for flat in flats}) > 1]
    labels = {n: settings_panel.short_label(n, configs[0]) for n in differ}
    return [", ".join(f"{label} {_short(flat[n])}" for n, label in labels.items()) or "the same" for flat in flats]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _again(run: Run) -> None:
    time_machine.present()
    run.race(run.configs, run.upload)


def _new_seed(run: Run) -> None:
    time_machine.present()
    seed = run_page.another_seed()
    run.race(tuple(c.updated({"seed": seed}) for c in run.configs), run.upload)


def _keep(run: Run) -> None:
    if time_machine.pending() is not None or exports_panel.too_early(run):
        return
    c = run.config
    time_machine.ask(run, [f"{c.data} {name.replace(',', '')} seed {c.seed}" for name in lane_names(run.configs)])


def _draw_race(run: Run, log: bool, every: float | None, feed: Feed) -> None:
    feed.view = View(side=8, at=time_machine.looked_at())
    feed.figures = lambda snapshot: _figures(_racers(snapshot), log)
    feed.texts = lambda snapshot: {"race_status": _race_status(run, snapshot), **_texts(_racers(snapshot))}
    of, at = time_machine.era(), time_machine.looked_at()
    feed.scrubber = settings_panel.mine("scrubber"), lambda snapshot: _about(_racers(snapshot), of, at)
    snapshot, place = feed.look()
    wanted = run_page.every_seconds(run, snapshot)
    if time_machine.settled() or (wanted != every and (every is None or run_page.ticking())):
        st.rerun()  # the timer changes only in a full run
    _draw(feed.shown(snapshot, place), _racers(snapshot))
    live_feed(feed.token, snapshot.moving, place)
    if snapshot.error:
        st.error(snapshot.error)


def _race_status(run: Run, snapshot: Snapshot) -> str:
    config = run.config
    return f"<p>{escape(f'{run_page.status(run, snapshot)} · {config.data} · seed {config.seed}')}</p>"


def _racers(snapshot: Snapshot) -> list[Column]:
    configs = snapshot.configs  # of the same moment as its frames, unlike those of the run
    frames = snapshot.lanes or ({},) * len(configs)
    return [
        Column(
            name,
            replace(snapshot, config=config, frame=frame, step=int(frame.get("step", 0))),
            frame.get("lane_error", ""),
        )
        for name, config, frame in zip(lane_names(configs), configs, frames, strict=True)
    ]


# -- saved runs, and those that train now -----------------------------------------------------------------------


@st.cache_resource(show_spinner="Reading the run", max_entries=8)
def _opened(folder: str, saved: str, step: int) -> tuple[Saved, Recording, Any]:
    """A saved run with its recording and data; `saved` and `step` make a newer state another entry."""
    run = run_reading.read(folder)
    return run, run_reading.recording_of(run), run_reading.data_of(run)


def _sources() -> dict[str, Any]:
    """What can be compared: name -> a session's run that trains now, or a saved one."""
    state, found = st.session_state, {}
    for kind in ("points", "images"):
        run = state.get(settings_panel.mine("run", kind))
        if run is not None and run.worker is not None and run.step > 0:
            found[f"now on {settings_panel.PAGE_OF[kind]}"] = run
    listed = [run for run in run_folders.listed(run_folders.runs_folder()) if isinstance(run, Saved)]
    return found | {run.name: run for run in listed}


def _side_by_side(bar: Any, log: bool) -> None:
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
        max_selections=MOST,
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
    _settings(configs, [name for name, _ in opened])


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
        columns.append(Column(name, snapshot))
    if moving != timed and (moving or run_page.ticking()):
        st.rerun()
    about = {"key": settings_panel.mine("scrubber"), "data": _about(columns, time_machine.era(), at)}
    _draw({"place": None, "texts": _texts(columns), "plots": _figures(columns, log), "scrubber": about}, columns)


# -- what both show -------------------------------------------------------------------------------------------


def _draw(shown: dict[str, Any], columns: list[Column]) -> None:
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


def _figures(columns: list[Column], log: bool) -> dict[str, point_figures.Figure]:
    height = HEIGHTS[len(columns)]
    found = {f"lane_plot_{i}": _picture(column.snapshot, height) for i, column in enumerate(columns)}
    return found | {"lane_losses": point_figures.overlay([c.snapshot for c in columns], [c.name for c in columns], log)}


def _texts(columns: list[Column]) -> dict[str, str]:
    found = {
        f"lane_title_{i}": f'<div class="ganscope-lane">{_mark(i)} <b>{escape(column.name)}</b> · '
        f"step {column.snapshot.shown:,}</div>"
        for i, column in enumerate(columns)
    }
    return found | {"lane_scores": _score_table(columns)}


def _about(columns: list[Column], of: str, at: int | None) -> dict[str, Any]:
    """What the scrubber shows of them all; of: what it looks at (`past.era`), at which step (`past.looked_at`)."""
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
    color, symbol, letter = point_figures.RUN_COLORS[i], point_figures.RUN_SYMBOLS[i][1], point_figures.RUN_LETTERS[i]
    return f'<span style="color:{color}">{symbol}</span> {letter}'


def _picture(snapshot: Snapshot, height: int) -> point_figures.Figure:
    if DATASETS[snapshot.config.data].kind == "images":
        return image_figures.grid(snapshot, 8, False, [], height, "lanes")
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


def _settings(configs: list[GANConfig], names: list[str]) -> None:
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
            cells = "".join(f"<td>{escape(_short(flat.get(name, '–')))}</td>" for flat in flats)
            lines.append(f"<tr><th>{escape(settings_panel.label(name, configs[0]))}</th>{cells}</tr>")
        st.html(f'<table class="ganscope-table"><tr><th></th>{head}</tr>{"".join(lines)}</table>')
