"""A race: one setting, two to four values, the same seed; its form, its transport, and its picture."""

from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.recording.snapshot import Snapshot, View
from gan_core.serving.client import Run
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.combinations import acts
from gan_core.settings.config import GANConfig
from pages.ui.frames.feed import Feed
from pages.ui.run import (
    base_settings,
    breakpoints_panel,
    comparison,
    exports_panel,
    notices,
    run_page,
    settings_panel,
    status,
    time_machine,
    transport,
)
from pages.ui.session import clicks, own_run, page_state
from pages.ui.session.waiting import waited


def draw(bar: Any, log: bool) -> None:
    """This tab's race, or the form that starts one."""
    tab = page_state.tab()
    if tab.racing is not None:
        _begin(*tab.racing)
        tab.racing = None  # only now: a script that is interrupted before is run again
    run, in_use = own_run.race_run(), own_run.hub().autosaved()
    with st.container(key="questions"):
        time_machine.offer(run, in_use, transport.start)
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
    feed = run_page.own_feed(run)
    with bar:
        clicks.button(
            "Save all",
            "race_keep",
            partial(_keep, run),
            icon=":material/save:",
            help="Saves each run of the race.",
            disabled=page_state.page().saving is not None,
        )
    time_machine.autosave(run, in_use)
    transport.transport(run, reset=_again, new_seed=_new_seed, more=partial(breakpoints_panel.panel, several=True))
    said = run.snapshot().frame.get("autosave")
    if said and said["error"]:
        st.caption(f":material/warning: {said['error']}")
    notices.draw()
    _draw_race(run, log, feed)
    configs = run.configs
    comparison.settings(list(configs), racer_names(configs))


def _setup() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="race_bar"):
        config = base_settings.choice("race_base", "What all runs of the race share.")
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
        clicks.button("Start race", "race_go", _ask, type="primary", icon=":material/flag:")
    st.caption(HYPERPARAMETERS[knob].help if knob in HYPERPARAMETERS else "")
    tab = page_state.tab()
    if not tab.race_asked:
        return
    try:
        configs = racers(config, knob, values)
    except ConfigError as error:
        tab.race_asked = False
        st.error(str(error))
        return
    begun = _begin(configs, page_state.page(DATASETS[config.data].kind).upload)
    tab.race_asked = False  # only now: a script that is interrupted before is run again
    if begun:
        st.rerun()


def _ask() -> None:
    page_state.tab().race_asked = True


def _begin(configs: tuple[GANConfig, ...], upload: Any) -> bool:
    """Starts a race; else says why it cannot be."""
    try:
        waited("Loading the data", own_run.check, configs[0], upload, configs[1:])
    except ConfigError as error:
        st.error(str(error))
        return False
    run_page.new_race(configs, upload)
    return True


def _values(name: str, knob: Hyperparameter, config: GANConfig) -> list[Any]:
    """The values that the user wants to try."""
    now, key = getattr(config, name), f"race_values_{name} {config.data}"
    if knob.choices is not None or knob.kind is bool:
        options = [False, True] if knob.kind is bool else settings_panel.options(name, knob, DATASETS[config.data].kind)
        others = [option for option in options if option != now]
        st.session_state.setdefault(key, [now, *others[:1]])
        return st.multiselect("Values to try", options, st.session_state[key], max_selections=comparison.MOST, key=key)
    other = now * 4 if now else knob.high / 4
    st.session_state.setdefault(key, f"{now:g}, {knob.kind(min(other, knob.high)):g}")
    text = st.text_input(
        "Values to try",
        st.session_state[key],
        key=key,
        help=f"Two to {comparison.MOST}, separated by commas. Each is {knob.accepts()}.",
    )
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def racers(config: GANConfig, knob: str, values: list[Any]) -> tuple[GANConfig, ...]:
    """The settings of a race; raises ConfigError."""
    if not 2 <= len(values) <= comparison.MOST:
        raise ConfigError(f"Enter 2 to {comparison.MOST} values; you entered {len(values)}.")
    configs = tuple(config.updated({knob: value}) for value in values)
    if len({getattr(c, knob) for c in configs}) < len(configs):
        raise ConfigError("Two of the values are the same. Change one of them.")
    return configs


def racer_names(configs: tuple[GANConfig, ...]) -> list[str]:
    """What tells the runs of a race apart: the settings in which they differ, by their labels."""
    flats = [c.to_flat() for c in configs]
    differ = [n for n in flats[0] if len({str(flat.get(n)) for flat in flats}) > 1]
    labels = {n: settings_panel.short_label(n, configs[0]) for n in differ}
    return [
        ", ".join(f"{label} {comparison.short(flat[n])}" for n, label in labels.items()) or "the same" for flat in flats
    ]


def _again(run: Run) -> None:
    time_machine.present()
    run.race(run.configs, run.upload)


def _new_seed(run: Run) -> None:
    time_machine.present()
    seed = transport.another_seed()
    run.race(tuple(c.updated({"seed": seed}) for c in run.configs), run.upload)


def _keep(run: Run) -> None:
    if page_state.page().saving is not None or exports_panel.too_early(run):
        return
    c = run.config
    time_machine.ask(run, [f"{c.data} {name.replace(',', '')} seed {c.seed}" for name in racer_names(run.configs)])


def _draw_race(run: Run, log: bool, feed: Feed) -> None:
    feed.view = View(side=8)
    feed.figures = lambda snapshot: comparison.figures(_racers(snapshot), log)
    feed.texts = lambda snapshot: {"race_status": _race_status(run, snapshot), **comparison.texts(_racers(snapshot))}
    of = time_machine.era()
    feed.scrubber = page_state.mine("scrubber"), lambda snapshot, at: comparison.about(_racers(snapshot), of, at)
    snapshot, place = feed.look()
    drawn = feed.shown(snapshot, place)
    comparison.draw(drawn, _racers(snapshot))
    run_page.finish(feed, snapshot, drawn)


def _race_status(run: Run, snapshot: Snapshot) -> str:
    config = run.config
    return f"<p>{escape(f'{status.status(run, snapshot)} · {config.data} · seed {config.seed}')}</p>"


def _racers(snapshot: Snapshot) -> list[comparison.Column]:
    configs = snapshot.configs  # of the same moment as its frames, unlike those of the run
    frames = snapshot.trainings or ({},) * len(configs)
    return [
        comparison.Column(
            name,
            replace(snapshot, config=config, frame=frame, step=int(frame.get("step", 0))),
            frame.get("training_error", ""),
        )
        for name, config, frame in zip(racer_names(configs), configs, frames, strict=True)
    ]
