"""The sidebar: every setting of a config, grouped, and what the page holds of the user's choice."""

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS, sample_shape
from gan_core.data.image_files import parse_pictures
from gan_core.data.point_files import MOST_BYTES, parse_points
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.networks.cost import step_cost
from gan_core.settings.combinations import acts
from gan_core.settings.config import DATA_PREFIX, HYPERPARAMETERS, GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from pages.ui.session import clicks

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
NEWS_SECONDS = 30.0  # after which no page shows it any more; the browser takes it away sooner
PAGE_OF = {"points": "Points", "images": "Images", "race": "Compare"}
# Floating-point operations a second until a run has shown its own: two cores of a laptop, convolutions.
ASSUMED_SPEED = 70e9


def open_page(kind: str) -> None:
    """Says which page this is, `points` or `images`: each has settings and a run of its own."""
    st.session_state.kind = kind


def mine(name: str, kind: str | None = None) -> str:
    """The session's key for what each page has of its own."""
    return f"{name}_{kind or st.session_state.kind}"


def current() -> GANConfig:
    """The settings that the page shows; at its first run those of the address, or of the tab before a refresh."""
    state = st.session_state
    if mine("config") not in state:
        state[mine("linked")] = bool(dict(st.query_params))
        config, found = _from_url(state.kind)
        state[mine("config")] = config if linked(state.kind) else state.get(mine("before"), config)
        state[mine("problems")] = [*found, "All other settings of the link are used."] if found else []
    return state[mine("config")]


def go_on_with(config: GANConfig, kind: str) -> None:
    """Makes `config`, of the tab before a refresh, that of its page, unless an address names settings."""
    if mine("config", kind) not in st.session_state:
        st.session_state[mine("before", kind)] = config
    elif not linked(kind):
        set_config(config)


def linked(kind: str) -> bool:
    """Whether the page of this kind was opened by an address that names settings: a link, or a refresh."""
    return st.session_state.get(mine("linked", kind), False)


def label(name: str, config: GANConfig) -> str:
    """A setting's own name, under its flat name; with its network, where both have one of that name."""
    if name.startswith(DATA_PREFIX):
        return DATASETS[config.data].knobs[name.removeprefix(DATA_PREFIX)].label
    knob = HYPERPARAMETERS[name]
    both = sum(other.label == knob.label for other in HYPERPARAMETERS.values()) > 1
    return f"{knob.group}: {knob.label[0].lower()}{knob.label[1:]}" if both else knob.label


def short_label(name: str, config: GANConfig) -> str:
    """As `label`, with G and D for the networks: for titles."""
    return label(name, config).replace("Generator", "G").replace("Discriminator", "D")


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
        problems.append(f"This link needs the page {PAGE_OF[shown_by]}: its data set is {config.data}.")
        st.session_state[mine("elsewhere")] = {"kind": shown_by, "config": config}
        return first, problems
    return config, problems + more


_NUMBERS = itertools.count(time.time_ns())


def say(text: str) -> None:
    """A sentence of news, for whichever page is drawn next."""
    note = {"number": str(next(_NUMBERS)), "text": text}
    st.session_state.news = [*((n, until) for n, until in _news()), (note, time.monotonic() + NEWS_SECONDS)]


def _news() -> list[tuple[dict[str, str], float]]:
    return [(note, until) for note, until in st.session_state.get("news", []) if time.monotonic() < until]


def news() -> list[dict[str, str]]:
    """What is new, each a {number, text}; the browser shows each once (pages/ui/run/notices.py)."""
    return [note for note, _ in _news()]


def write_url(config: GANConfig) -> None:
    """Keeps the address bar's link equal to the settings."""
    query = config.to_query()
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def set_config(config: GANConfig) -> None:
    """Makes `config` its page's, as if its settings had been changed one by one."""
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
        st.session_state[mine("problems")] = [str(error), "The old value is kept."]


def _show(name: str, knob: Hyperparameter, value: Any) -> None:
    """One widget, whose value is `value` whatever it was before."""
    key = f"knob_{name}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    acts = "Takes effect immediately." if knob.live else "Restarts training."
    about: dict[str, Any] = {
        "key": key,
        "help": f"{knob.help} {acts} (`{name}`)",
        "on_change": clicks.here(_turned),
        "args": (name,),
    }
    ticks = knob.ticks()
    # The value is the widget's default, too, for a browser that misses the run of the page that sets it.
    if knob.kind is bool:
        st.toggle(knob.label, value, **about)
    elif knob.choices is not None:
        offered = options(name, knob, st.session_state.kind)
        about["help"] += "\n\n" + "\n".join(f"- `{n}`: {knob.choices[n]}" for n in offered)
        st.selectbox(knob.label, offered, offered.index(value) if value in offered else 0, **about)
        if name == "architecture":
            st.caption(_step_times())
    elif ticks is not None:
        stops = sorted({*ticks, value})
        st.select_slider(knob.label, stops, value, format_func=_decay if name == "ema_decay" else _number, **about)
    elif name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), value, step=1, **about)
    elif knob.kind is int:
        st.slider(knob.label, int(knob.low), int(knob.high), value, step=1, **about)
    else:
        st.slider(knob.label, knob.low, knob.high, float(value), step=_step(knob), format="%g", **about)


def options(name: str, knob: Hyperparameter, kind: str) -> list[str]:
    """The choices that a page of this kind offers."""
    if name == "architecture" and kind == "points":
        return [n for n in knob.choices if not ARCHITECTURES[n].images_only]
    return list(knob.choices)


def _step_times() -> str:
    """How long a step of each architecture takes, roughly, under the other settings."""
    seconds = {name: step_seconds(replace(current(), architecture=name)) for name in ARCHITECTURES}
    return "One step takes roughly: " + ", ".join(f"{n} {rounded(1e3 * s)}" for n, s in seconds.items() if s) + "."


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


def _step(knob: Hyperparameter) -> float:
    span = knob.high - knob.low
    return 0.001 if span <= 0.5 else 0.01 if span <= 2 else 0.1


def config_panel(config: GANConfig) -> GANConfig:
    """All settings; returns them as they now stand."""
    _preset()
    _recipe(config)
    _show_data(config)
    for name in ALWAYS_SHOWN:
        _show(name, HYPERPARAMETERS[name], getattr(config, name))
    for group in GROUPS:
        names = [n for n, k in HYPERPARAMETERS.items() if k.group == group and n not in ALWAYS_SHOWN]
        names = [n for n in names if acts(n, config)]
        if not names:
            continue
        with st.expander(group):
            for name in names:
                _show(name, HYPERPARAMETERS[name], getattr(config, name))
    return current()


def _preset() -> None:
    def chosen() -> None:
        name = st.session_state.get("preset")
        if name is not None:
            set_config(PRESETS[name].config)
            st.session_state.preset = None

    st.selectbox(
        "Preset",
        [name for name, row in PRESETS.items() if row.kind == st.session_state.kind],
        index=None,
        key="preset",
        on_change=clicks.here(chosen),
        placeholder="choose an example",
        format_func=lambda name: f"{name}: {PRESETS[name].description}",
        help="Sets the data and all settings to values that work together. Restarts training.",
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
                st.session_state[mine("problems")] = [f"The recipe {name} does not fit this data set:", str(error)]

    now = recipe_of(config)
    listed = "\n".join(f"- `{name}`: {row.description} ({row.source})" for name, row in RECIPES.items())
    st.selectbox(
        "Recipe",
        list(RECIPES),
        index=None,
        key="recipe",
        on_change=clicks.here(chosen),
        placeholder=f"now: {now}" if now else "use a paper's settings",
        help="Sets loss, gradient penalty, optimizers, normalization and stabilizers as in a paper; data, sizes and "
        f"seed stay. Restarts training.\n\n{listed}",
    )


def _show_data(config: GANConfig) -> None:
    knob = HYPERPARAMETERS["data"]
    key = "knob_data"
    names = [name for name, row in DATASETS.items() if row.kind == st.session_state.kind]
    if st.session_state.get(key) != config.data:
        st.session_state[key] = config.data
    st.selectbox(
        knob.label,
        names,
        names.index(config.data),
        key=key,
        on_change=clicks.here(_turned),
        args=("data",),
        format_func=lambda name: f"{name}: {DATASETS[name].description}",
        help=f"{knob.help} Restarts training.",
    )
    if DATASETS[config.data].upload:
        _upload(UPLOADS[config.data])
    knobs = DATASETS[config.data].knobs
    with st.expander("Data settings"):
        for name, own in knobs.items():
            value = config.params()[name]
            _show_classes(own, value) if name == "classes" else _show(DATA_PREFIX + name, own, value)
        if acts("data_size", config):
            _show("data_size", HYPERPARAMETERS["data_size"], config.data_size)
        elif not knobs:
            st.caption("A file has no settings: all of its rows are used.")


def _show_classes(knob: Hyperparameter, value: str) -> None:
    """Which classes to train on, by name where the names are known."""
    names = class_names(current())
    if not names:
        st.caption("This data set has no classes to choose.")
        return
    key, chosen = f"knob_{DATA_PREFIX}classes", [] if value == "all" else value.split(",")
    chosen = [c for c in chosen if int(c) < len(names)]
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    st.multiselect(
        knob.label,
        [str(i) for i in range(len(names))],
        chosen,
        key=key,
        on_change=clicks.here(_turned),
        args=(f"{DATA_PREFIX}classes",),
        format_func=lambda i: names[int(i)],
        placeholder="all",
        help=f"{knob.help} Restarts training.",
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
        "Your points",
        ("csv", "tsv", "txt"),
        parse_points,
        "points",
        "A CSV or TSV of two numeric columns, with or without a header; up to 200,000 rows are used.",
    ),
    "picture_file": Upload(
        "Your images",
        ("npz", "zip"),
        parse_pictures,
        "images",
        "An .npz with an array N x H x W or N x H x W x C, or a zip of PNG or JPEG files; its folders become classes. "
        "Up to 60,000 images, each cropped to a square and resized.",
    ),
}


def _upload(about: Upload) -> None:
    """The user's own data, kept in the session; a bad file leaves the last good one."""
    state = st.session_state
    if upload() is not None and state.get(mine("upload_name")):
        st.caption(f"{state[mine('upload_name')]}: {len(upload()):,} {about.unit}. {state[mine('upload_note')]}")
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
