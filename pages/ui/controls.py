"""The sidebar: every knob of a config, grouped, and what the page holds of the user's choice."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from gan_core.architectures import ARCHITECTURES
from gan_core.combinations import acts
from gan_core.config import DATA_PREFIX, KNOBS, GANConfig
from gan_core.cost import step_cost
from gan_core.datasets import DATASETS, sample_shape
from gan_core.knobs import ConfigError, Knob
from gan_core.picture_files import parse_pictures
from gan_core.presets import PRESETS
from gan_core.recipes import RECIPES
from gan_core.tables import MOST_BYTES, parse_points
from pages.ui import clicks

ALWAYS_SHOWN = ("g_lr", "d_lr", "loss", "d_steps")
GROUPS = (
    "Learning rates",
    "Networks",
    "Generator",
    "Discriminator",
    "Loss and penalty",
    "Stabilizers",
    "Batch and seed",
)
FIRST_PRESET = {"points": "ring", "images": "digits"}
NEWS_SECONDS = 8.0
PAGE_OF = {"points": "2-D playground", "images": "Images", "race": "Compare"}
# Floating-point operations a second until a run has shown its own: two cores of a laptop, convolutions.
ASSUMED_SPEED = 70e9


def open_page(kind: str) -> None:
    """Says which page this is, `points` or `images`: each has settings and a run of its own."""
    st.session_state.kind = kind


def mine(name: str, kind: str | None = None) -> str:
    """The session's key for what each page has of its own."""
    return f"{name}_{kind or st.session_state.kind}"


def current() -> GANConfig:
    """The settings that the page shows; from the URL at the page's first run."""
    state = st.session_state
    if mine("config") not in state:
        config, found = _from_url(state.kind)
        state[mine("config")] = config
        state[mine("problems")] = [*found, "Everything else was taken."] if found else []
    return state[mine("config")]


def problems() -> list[str]:
    """What was wrong with the last settings, a sentence each."""
    return st.session_state.get(mine("problems"), [])


def _from_url(kind: str) -> tuple[GANConfig, list[str]]:
    first = PRESETS[FIRST_PRESET[kind]].config
    query = dict(st.query_params)
    preset = query.pop("preset", None)
    problems = []
    if preset is not None and preset not in PRESETS:
        problems.append(f"There is no preset {preset[:40]!r}; there are: {', '.join(PRESETS)}.")
        preset = None
    if not query and preset is None:
        return first, problems
    base = PRESETS[preset].config.to_flat() if preset else {"data": first.data}
    if query.get("data", base["data"]) != base["data"]:
        base = {name: value for name, value in base.items() if not name.startswith(DATA_PREFIX)}
    config, more = GANConfig.from_flat_lenient({**base, **query})
    shown_by = DATASETS[config.data].kind
    if shown_by != kind:
        problems.append(f"The data set {config.data} belongs to the page {PAGE_OF[shown_by]}.")
        return first, problems
    return config, problems + more


def say(text: str) -> None:
    """A sentence of news, for whichever page is drawn next; it stays for a while, for several drawings."""
    st.session_state.news = [*news(), text]
    st.session_state.news_until = time.monotonic() + NEWS_SECONDS


def news() -> list[str]:
    """What is new, until it is old."""
    return st.session_state.get("news", []) if time.monotonic() < st.session_state.get("news_until", 0.0) else []


def write_url(config: GANConfig) -> None:
    """Keeps the address bar's link equal to the settings."""
    query = config.to_query()
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def set_config(config: GANConfig) -> None:
    """Makes `config` its page's, as if its knobs had been turned."""
    kind = DATASETS[config.data].kind
    st.session_state[mine("config", kind)] = config
    st.session_state[mine("problems", kind)] = []


def _turned(name: str) -> None:
    value = st.session_state.get(f"knob_{name}")
    if value is None:
        return
    if isinstance(value, list):  # the chosen classes
        value = ",".join(value) or "all"
    try:
        set_config(current().updated({name: value}))
    except ConfigError as error:
        st.session_state[mine("problems")] = [str(error), "It stays as it was."]


def _show(name: str, knob: Knob, value: Any) -> None:
    """One widget, whose value is `value` whatever it was before."""
    key = f"knob_{name}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    acts = "Acts at once." if knob.live else "Starts the run over."
    about: dict[str, Any] = {
        "key": key,
        "help": f"{knob.help} {acts}",
        "on_change": clicks.here(_turned),
        "args": (name,),
    }
    ticks = knob.ticks()
    if knob.kind is bool:
        st.toggle(knob.label, **about)
    elif knob.choices is not None:
        offered = options(name, knob, st.session_state.kind)
        about["help"] += "\n\n" + "\n".join(f"- `{n}`: {knob.choices[n]}" for n in offered)
        st.selectbox(knob.label, offered, **about)
        if name == "architecture":
            st.caption(_step_times())
    elif ticks is not None:
        stops = sorted({*ticks, value})
        st.select_slider(knob.label, stops, format_func=_decay if name == "ema_decay" else _number, **about)
    elif name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), step=1, **about)
    elif knob.kind is int:
        st.slider(knob.label, int(knob.low), int(knob.high), step=1, **about)
    else:
        st.slider(knob.label, knob.low, knob.high, step=_step(knob), format="%g", **about)


def options(name: str, knob: Knob, kind: str) -> list[str]:
    """The choices that a page of this kind offers."""
    if name == "architecture" and kind == "points":
        return [n for n in knob.choices if not ARCHITECTURES[n].images_only]
    return list(knob.choices)


def _step_times() -> str:
    """How long a step of each architecture takes, roughly, under the other settings."""
    seconds = {name: step_seconds(replace(current(), architecture=name)) for name in ARCHITECTURES}
    return "A step takes roughly: " + ", ".join(f"{n} {rounded(1e3 * s)}" for n, s in seconds.items() if s) + "."


def rounded(milliseconds: float) -> str:
    """A duration in one or two digits."""
    if milliseconds >= 950:
        return f"{milliseconds / 1e3:.1g} s"
    return f"{float(f'{milliseconds:.1g}' if milliseconds < 10 else f'{milliseconds:.2g}'):g} ms"


def step_seconds(config: GANConfig) -> float:
    """Roughly how long a step takes on this machine, 0 where the networks cannot make such data."""
    try:
        return step_cost(config, sample_shape(config)) / st.session_state.get("speed_seen", ASSUMED_SPEED)
    except ConfigError:
        return 0.0


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _decay(value: float) -> str:
    """An EMA's decay with its half-life in steps."""
    return f"{value:g}" if value <= 0 else f"{value:g} · half-life {math.log(0.5) / math.log(value):.2g} steps"


def _step(knob: Knob) -> float:
    span = knob.high - knob.low
    return 0.001 if span <= 0.5 else 0.01 if span <= 2 else 0.1


def config_panel(config: GANConfig) -> GANConfig:
    """The knobs; returns the settings as they now stand."""
    _preset()
    _recipe(config)
    _show_data(config)
    for name in ALWAYS_SHOWN:
        _show(name, KNOBS[name], getattr(config, name))
    for group in GROUPS:
        names = [n for n, k in KNOBS.items() if k.group == group and n not in ALWAYS_SHOWN]
        names = [n for n in names if acts(n, config)]
        if not names:
            continue
        with st.expander(group):
            for name in names:
                _show(name, KNOBS[name], getattr(config, name))
    return current()


def _preset() -> None:
    def chosen() -> None:
        name = st.session_state.get("preset")
        if name is not None:
            set_config(PRESETS[name].config)
            st.session_state.preset = None

    st.selectbox(
        "preset",
        [name for name, row in PRESETS.items() if row.kind == st.session_state.kind],
        index=None,
        key="preset",
        on_change=clicks.here(chosen),
        placeholder="choose a starting point",
        format_func=lambda name: f"{name}: {PRESETS[name].description}",
        help="Sets every knob to values that work for a data set. Starts the run over.",
    )


def recipe_of(config: GANConfig) -> str | None:
    """The recipe that these settings follow in all that it sets."""
    for name, row in RECIPES.items():
        try:
            if row.of(config) == config:
                return name
        except ConfigError:  # one that does not fit these data
            continue
    return None


def _recipe(config: GANConfig) -> None:
    def chosen() -> None:
        name = st.session_state.get("recipe")
        if name is not None:
            st.session_state.recipe = None
            try:
                set_config(RECIPES[name].of(current()))
            except ConfigError as error:
                st.session_state[mine("problems")] = [f"The recipe {name} cannot be taken here:", str(error)]

    now = recipe_of(config)
    listed = "\n".join(f"- `{name}`: {row.description} ({row.source})" for name, row in RECIPES.items())
    st.selectbox(
        "recipe",
        list(RECIPES),
        index=None,
        key="recipe",
        on_change=clicks.here(chosen),
        placeholder=f"these are those of {now}" if now else "take a paper's settings",
        help="Sets loss, penalty, optimizers, normalisation and stabilisers as a paper did, and leaves data, sizes and "
        f"seed alone. Starts the run over.\n\n{listed}",
    )


def _show_data(config: GANConfig) -> None:
    knob = KNOBS["data"]
    key = "knob_data"
    if st.session_state.get(key) != config.data:
        st.session_state[key] = config.data
    st.selectbox(
        knob.label,
        [name for name, row in DATASETS.items() if row.kind == st.session_state.kind],
        key=key,
        on_change=clicks.here(_turned),
        args=("data",),
        format_func=lambda name: f"{name}: {DATASETS[name].description}",
        help=f"{knob.help} Starts the run over.",
    )
    if DATASETS[config.data].upload:
        _upload(UPLOADS[config.data])
    knobs = DATASETS[config.data].knobs
    with st.expander("Data settings"):
        for name, own in knobs.items():
            value = config.params()[name]
            _show_classes(own, value) if name == "classes" else _show(DATA_PREFIX + name, own, value)
        if acts("data_size", config):
            _show("data_size", KNOBS["data_size"], config.data_size)
        elif not knobs:
            st.caption("A file has none: all of its rows are used.")


def _show_classes(knob: Knob, value: str) -> None:
    """Which classes to train on, by name where the names are known."""
    names = class_names(current())
    if not names:
        st.caption("This data set has no classes to choose from.")
        return
    key, chosen = f"knob_{DATA_PREFIX}classes", [] if value == "all" else value.split(",")
    chosen = [c for c in chosen if int(c) < len(names)]
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    st.multiselect(
        knob.label,
        [str(i) for i in range(len(names))],
        key=key,
        on_change=clicks.here(_turned),
        args=(f"{DATA_PREFIX}classes",),
        format_func=lambda i: names[int(i)],
        placeholder="all",
        help=f"{knob.help} Starts the run over.",
    )


def class_names(config: GANConfig) -> tuple[str, ...]:
    """The names of all classes of a set of images, before any are left out; () where there are none."""
    if DATASETS[config.data].upload:
        own = upload()
        return () if own is None or isinstance(own, np.ndarray) else own.class_names
    return DATASETS[config.data].class_names


@dataclass(frozen=True)
class Upload:
    """A kind of file that a page takes."""

    label: str
    types: tuple[str, ...]
    parse: Callable[[bytes, str], tuple[Any, str]]
    unit: str
    help: str


UPLOADS = {
    "file": Upload(
        "your points",
        ("csv", "tsv", "txt"),
        parse_points,
        "points",
        "A CSV or TSV of two numeric columns, with or without a header; up to 200,000 rows are used.",
    ),
    "picture_file": Upload(
        "your pictures",
        ("npz", "zip"),
        parse_pictures,
        "pictures",
        "An .npz with an array N x H x W or N x H x W x C, or a zip of PNG or JPEG files, whose folders become "
        "classes; up to 60,000 pictures, each cut to a square and resized.",
    ),
}


def _upload(about: Upload) -> None:
    """The user's own data, kept in the session; a bad file leaves the last good one."""
    state = st.session_state
    if state.get(mine("upload_name")):
        st.caption(f"Now: {state[mine('upload_name')]}, {len(upload()):,} {about.unit}. {state[mine('upload_note')]}")
    file = st.file_uploader(
        about.label,
        type=list(about.types),
        max_upload_size=MOST_BYTES // 1_000_000,
        key=mine("upload_file"),
        help=about.help,
    )
    if file is None or state.get(mine("upload_id")) == file.file_id:
        if state.get(mine("upload_error")):
            st.error(state[mine("upload_error")])
        return
    state[mine("upload_id")], state[mine("upload_error")] = file.file_id, ""
    try:
        with st.spinner("Reading the file"):
            data, note = about.parse(file.getvalue(), file.name)
    except ConfigError as error:
        state[mine("upload_error")] = str(error)
        st.error(str(error))
        return
    set_upload(data, file.name, note)
    st.rerun()


def set_upload(data: Any, name: str, note: str, kind: str | None = None) -> None:
    """Keeps the user's own data for a page, this one if no kind is named."""
    for key, value in (("upload", data), ("upload_name", name), ("upload_note", note)):
        st.session_state[mine(key, kind)] = value


def upload(kind: str | None = None) -> Any:
    """The user's own data of a page, this one if no kind is named: points float32 [N, 2] or Pictures; None without."""
    return st.session_state.get(mine("upload", kind))
