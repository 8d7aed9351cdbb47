"""The sidebar: every setting of a config, grouped, and what the page holds of the user's choice."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.data.loading import sample_shape
from gan_core.diagnosis.failures import FAILURES, config_named
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.networks.cost import step_cost
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.combinations import acts
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from gan_core.settings.setting_texts import DATA_PREFIX
from pages.ui.run import drawing_panel, upload_panel
from pages.ui.session import clicks, page_state

ALWAYS_SHOWN = ("g_lr", "d_lr", "loss", "d_steps")
GROUPS = (
    "Learning rates",
    "Networks",
    "Generator",
    "Discriminator",
    "Loss and penalty",
    "Stabilizers",
    "Augmentation",
    "Batch and seed",
)
# Floating-point operations a second until a run has shown its own: two cores of a laptop, convolutions.
ASSUMED_SPEED = 70e9
MINUTE_STEPS = 400  # with fewer in a minute, hardly anything is seen to learn


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


def _turned(name: str) -> None:
    value = st.session_state.get(f"knob_{name}")
    if value is None:
        return
    if isinstance(value, list):  # the chosen classes
        value = ",".join(value) or "all"
    try:
        page_state.set_config(page_state.current().updated({name: value}))
    except ConfigError as error:
        page_state.page().problems = [str(error), "The old value is kept."]


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
        offered = options(name, knob, page_state.tab().kind)
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
    choices = list(knob.choices or ())
    if name == "architecture" and kind == "points":
        return [n for n in choices if not ARCHITECTURES[n].images_only]
    return choices


def _step_times() -> str:
    """How long a step of each architecture takes, roughly, under the other settings."""
    seconds = {name: step_seconds(replace(page_state.current(), architecture=name)) for name in ARCHITECTURES}
    return "One step takes roughly: " + ", ".join(f"{n} {rounded(1e3 * s)}" for n, s in seconds.items() if s) + "."


def rounded(milliseconds: float) -> str:
    """A duration in one or two digits."""
    if milliseconds >= 950:
        return f"{float(f'{milliseconds / 1e3:.1g}'):g} s"
    return f"{float(f'{milliseconds:.1g}' if milliseconds < 10 else f'{milliseconds:.2g}'):g} ms"


def step_seconds(config: GANConfig) -> float:
    """Roughly how long a step takes on this machine, 0 where the networks cannot make such data."""
    try:
        return step_cost(config, sample_shape(config)) / (page_state.tab().operations_per_second or ASSUMED_SPEED)
    except ConfigError:
        return 0.0


def too_heavy(config: GANConfig) -> str:
    """A sentence where a minute has too few steps to see anything, with a setting that would fit; else ""."""
    seconds = step_seconds(config)
    if seconds * MINUTE_STEPS <= 60:
        return ""
    said = f"A step takes roughly {rounded(1e3 * seconds)} here: a minute has too few to see it learn."
    for change in _lighter(config):
        try:
            lighter = step_seconds(config.updated(change))
        except ConfigError:
            continue
        if 0 < MINUTE_STEPS * lighter <= 60:
            words = " and ".join(f"{label(name, config)} {value}" for name, value in change.items())
            return f"{said} What would fit: {words} (about {60 / lighter:,.0f} steps a minute)."
    return f"{said} Choose a smaller architecture or a smaller batch."


def _lighter(config: GANConfig) -> list[dict[str, Any]]:
    """Changes that make a step lighter, the ones that cost least quality first."""
    found: list[dict[str, Any]] = []
    if acts("filters", config):
        found += [{"filters": n} for n in (64, 48, 32, 24, 16, 12, 8) if n < config.filters]
    if config.params().get("size") in ("32", "64"):
        found += [{f"{DATA_PREFIX}size": "28"}, {f"{DATA_PREFIX}size": "28", "filters": 16}]
    found += [{"architecture": "dcgan_resize", "filters": n} for n in (16, 8) if config.architecture != "dcgan_resize"]
    return found + [{"batch_size": n} for n in (128, 64, 32, 16) if n < config.batch_size]


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _decay(value: float) -> str:
    """An EMA's decay with its half-life in steps."""
    return f"{value:g}" if value <= 0 else f"{value:g} · half-life {math.log(0.5) / math.log(value):.2g} steps"


def _step(knob: Hyperparameter) -> float:
    span = knob.high - knob.low
    return 0.001 if span <= 0.5 else 0.01 if span <= 2 else 0.1


def config_panel(config: GANConfig) -> GANConfig:
    """All settings but those that a lab or the address hides; returns them as they now stand."""
    if page_state.page().lab is not None:
        _show_lab(config)
        return page_state.current()
    if page_state.shows("preset"):
        _preset()
    if page_state.shows("recipe"):
        _recipe(config)
    _show_data(config)
    for name in filter(page_state.shows, ALWAYS_SHOWN):
        _show(name, HYPERPARAMETERS[name], getattr(config, name))
    for group in GROUPS:
        names = [n for n, k in HYPERPARAMETERS.items() if k.group == group and n not in ALWAYS_SHOWN]
        names = [n for n in names if acts(n, config) and page_state.shows(n)]
        if not names:
            continue
        with st.expander(group):
            for name in names:
                _show(name, HYPERPARAMETERS[name], getattr(config, name))
    hidden = len(page_state.page().hidden)
    if hidden:
        st.caption(f"The link hides {hidden} setting{'s' if hidden > 1 else ''}.")
        clicks.button("Show all settings", "show_all", _show_all, help="Shows what the link hides.")
    return page_state.current()


def _show_all() -> None:
    page_state.page().hidden = frozenset()


def _show_lab(config: GANConfig) -> None:
    """The settings that the page's lab shows, as far as they act, and how many others there are."""
    st.markdown("**Settings of this lab**")
    flat = config.to_flat()
    shown = [n for n in flat if page_state.shows(n) and (n.startswith(DATA_PREFIX) or acts(n, config))]
    for name in shown:
        if name == f"{DATA_PREFIX}classes":
            _show_classes(DATASETS[config.data].knobs["classes"], str(flat[name]))
        elif name.startswith(DATA_PREFIX):
            _show(name, DATASETS[config.data].knobs[name.removeprefix(DATA_PREFIX)], flat[name])
        else:
            _show(name, HYPERPARAMETERS[name], flat[name])
    others = len([n for n in flat if n not in shown and (n.startswith(DATA_PREFIX) or acts(n, config))])
    st.caption(f"{others} other settings are hidden. *Leave the lab* shows them all.")


def _preset() -> None:
    def chosen() -> None:
        name = st.session_state.get("preset")
        if name is not None:
            page_state.set_config(config_named(name))
            st.session_state.preset = None

    rows = {name: row.description for name, row in PRESETS.items() if row.kind == page_state.tab().kind}
    rows |= {name: f"{row.title} (fails)" for name, row in FAILURES.items() if row.kind == page_state.tab().kind}
    st.selectbox(
        "Preset",
        list(rows),
        index=None,
        key="preset",
        on_change=clicks.here(chosen),
        placeholder="choose an example",
        format_func=lambda name: f"{name}: {rows[name]}",
        help="Sets the data and all settings to values that work together; those at the end fail, each in its own way. "
        "Restarts training.",
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
                page_state.set_config(RECIPES[name].of(page_state.current()))
            except ConfigError as error:
                page_state.page().problems = [f"The recipe {name} does not fit this data set:", str(error)]

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
    names = [name for name, row in DATASETS.items() if row.kind == page_state.tab().kind]
    if st.session_state.get(key) != config.data:
        st.session_state[key] = config.data
    if page_state.shows("data"):
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
        upload_panel.panel()
    if config.data == drawing_panel.DATA:
        drawing_panel.panel(config)
    knobs = {n: k for n, k in DATASETS[config.data].knobs.items() if page_state.shows(DATA_PREFIX + n)}
    sized = page_state.shows("data_size")
    if not knobs and not sized:
        return
    with st.expander("Data settings"):
        for name, own in knobs.items():
            value = config.params()[name]
            if name == "classes":
                _show_classes(own, str(value))
            elif own.kind is not str or own.choices is not None:  # a drawing is no text to be typed
                _show(DATA_PREFIX + name, own, value)
        if acts("data_size", config) and sized:
            _show("data_size", HYPERPARAMETERS["data_size"], config.data_size)
        elif not knobs:
            st.caption("A file has no settings: all of its rows are used.")


def _show_classes(knob: Hyperparameter, value: str) -> None:
    """Which classes to train on, by name where the names are known."""
    names = class_names(page_state.current())
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
        own = page_state.page().upload
        return () if own is None or isinstance(own, np.ndarray) else own.class_names
    return DATASETS[config.data].class_names
