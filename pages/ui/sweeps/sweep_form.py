"""What a sweep is to train, as its user says it: base, settings with values, seeds, and each trial's time."""

import math
from pathlib import Path
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations import cluster
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.runs import run_folders
from gan_core.scores.registry import SCORES
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.combinations import acts
from gan_core.settings.config import GANConfig
from gan_core.sweeps import early_stopping
from gan_core.sweeps.command import processes_for
from gan_core.sweeps.running import spoken
from gan_core.sweeps.space import Space, parse_space
from gan_core.sweeps.store import Store, sweeps_folder
from pages.ui.run import base_settings, settings_panel
from pages.ui.session import own_run, page_state
from pages.ui.session.waiting import waited
from pages.ui.sweeps import sweep_processes
from pages.ui.sweeps.sweep_parts import choice

FIRST = ("g_lr", "penalty")  # the settings that a new sweep varies
NONE = "no second setting"
NO_STOP = "never"
FACTORS = (1 / 4, 1, 4)
OVERHEAD_SECONDS = 4.0  # of a trial: its scores
LOOK_SECONDS = 1.0  # of each time that a trial is scored on its way
START_SECONDS = 15.0  # until the processes have loaded TensorFlow and compiled


def form() -> Path | None:
    """Draws the form; the folder of the sweep that its button has started, or None."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_bar"):
        base = base_settings.choice("sweep_base", "What all trials share, besides the settings that you vary.")
        kind = DATASETS[base.data].kind
        own = page_state.page(kind).upload if DATASETS[base.data].upload else None
        over = [_axis(base, 0, None)]
        over.append(_axis(base, 1, over[0].partition("=")[0]))
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_budget"):
        seeds = _slider("Seeds", 1, 10, 3, "sweep_seeds", _SEEDS)
        seconds = _slider("Seconds of training", 2, 120, 10, "sweep_seconds", _SECONDS)
        looks = _slider("Scored on the way", 0, 10, 3, "sweep_looks", _LOOKS)
        stop_by = _stopping(base, own)
        st.session_state.setdefault("sweep_name", _free_name())
        name = st.text_input("Name", st.session_state.sweep_name, key="sweep_name", persist_state="session", help=_NAME)
        st.button("Start sweep", key="sweep_go", on_click=_ask, type="primary", icon=":material/play_arrow:")
    # Not the button's value: a page that runs anew before its form, as a tab's first visit does, would lose it.
    tab, folder = page_state.tab(), None
    try:
        if DATASETS[base.data].upload and own is None:
            raise ConfigError(f"These settings train on your own file: give it on {page_state.PAGE_OF[kind]} first.")
        over = [text for text in over if text]
        space = parse_space(base, over, seeds, None, float(seconds), looks=looks, stop_by=stop_by)
        st.caption(_cost(space, own))
        if tab.sweep_asked:
            folder = _begun(space, own, name or "")
        tab.sweep_asked = False  # only now: a script that is interrupted before is run again
    except ConfigError as error:
        tab.sweep_asked = False
        st.error(str(error))
    return folder


def _ask() -> None:
    page_state.tab().sweep_asked = True


_SEEDS = (
    "How many trials each combination gets, with a seed of its own. With one seed you see chance as well as the "
    "setting; with many the sweep takes longer."
)
_SECONDS = (
    "How long each trial trains. Too short, and all look alike, and what learns slowly looks bad; too long, and you "
    "wait."
)
_LOOKS = (
    "How often each trial is scored before its end, for the curves of the scores over the steps. 0: at the end only; "
    "many make each trial take some seconds longer."
)
_STOP = (
    "After a ninth and after a third of its time, a trial goes on only if this score is among the best third of those "
    "that came so far, or the best of the first five (successive halving). "
    "It saves most of the time, and misses what learns slowly at first."
)
_NAME = "The same name with other values or more seeds adds trials to that sweep; nothing finished is trained again."


def _slider(label: str, low: int, high: int, first: int, key: str, about: str) -> int:
    st.session_state.setdefault(key, first)
    return st.slider(label, low, high, st.session_state[key], key=key, persist_state="session", help=about, width=180)


def _stopping(base: GANConfig, own: Any) -> str:
    """The score by which hopeless trials are stopped, "" for none."""
    try:
        options = [NO_STOP, *waited("Loading the data", early_stopping.accepted, base, own)]
    except ConfigError:  # data that are still to be fetched, or to be given
        options = [NO_STOP]
    chosen = choice("Stop hopeless trials", options, "sweep_stop_by", _stop_text, _STOP, width=180)
    return "" if chosen == NO_STOP else chosen


def _stop_text(name: str) -> str:
    return name if name == NO_STOP else f"by {SCORES[name].title}"


def _axis(base: GANConfig, number: int, other: str | None) -> str:
    """One setting to vary and its values, as the command line writes it; "" where there is no second one."""
    names = [n for n, k in HYPERPARAMETERS.items() if k.group != "Data" and n not in ("seed", other) and acts(n, base)]
    options = names if number == 0 else [NONE, *names]
    key = f"sweep_knob_{number}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = FIRST[number] if FIRST[number] in options else options[0]
    knob = st.selectbox(
        "Setting to vary" if number == 0 else "And another",
        options,
        options.index(st.session_state[key]),
        key=key,
        persist_state="session",
        format_func=lambda n: n if n == NONE else settings_panel.label(n, base),
        help="One side of the map: every value is trained." if number == 0 else "The other side of the map.",
    )
    if knob == NONE:
        return ""
    about = HYPERPARAMETERS[knob]
    key = f"sweep_values_{knob} {base.data}"
    st.session_state.setdefault(key, ", ".join(map(str, _values(about, knob, base))))
    values = st.text_input(
        "Its values",
        st.session_state[key],
        key=key,
        help=f"Separated by commas, or LOW:HIGH:COUNT. Each is {about.accepts()}.",
    )
    return f"{knob}={values or ''}"


def _values(knob: Hyperparameter, name: str, base: GANConfig) -> list[Any]:
    """What is tried where nobody says otherwise: the base's value between a smaller and a larger one, or all names."""
    now = getattr(base, name)
    if knob.kind is bool:
        return ["false", "true"]
    if knob.choices is not None:
        options = settings_panel.options(name, knob, DATASETS[base.data].kind)
        return [now, *(option for option in options if option != now)][:4]
    around = [f * now for f in FACTORS] if now else [0, knob.high / 8, knob.high / 4]
    kept = [min(max(knob.kind(value), knob.low), knob.high) for value in around]
    return [f"{value:g}" for value in dict.fromkeys(kept)]


def _free_name() -> str:
    taken = {path.name for path in sweeps_folder().iterdir()} if sweeps_folder().is_dir() else set()
    return next(name for i in range(1, len(taken) + 2) if (name := f"sweep {i}") not in taken)


def _begun(space: Space, own: Any, name: str) -> Path:
    """The folder of the sweep, which trains from now on; own: the user's data, if it trains on them."""
    own_run.check(space.base, own)
    folder = sweeps_folder() / run_folders.checked_name(name)
    waited("Keeping your data", Store(folder).begin, space, own)
    sweep_processes.start(folder)
    return folder


def _cost(space: Space, own: Any = None) -> str:
    points = len(space) // space.seeds
    product = f"{_many(points, 'combination')} x {_many(space.seeds, 'seed')} = {_many(len(space), 'trial')}"
    if (address := cluster.address_of(None)) is not None:
        return f"{product} on the cluster at {address}; how many at once, and how long, is said once it runs."
    at_once = processes_for(space, own)
    rounds = math.ceil(len(space) / at_once)
    took = START_SECONDS + rounds * ((space.seconds or 0) + OVERHEAD_SECONDS + LOOK_SECONDS * space.looks)
    less = ", less what is stopped" if space.stop_by else ""
    return f"{product}, {at_once} at once, each on one core: {spoken(took)} on this machine{less}."


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
