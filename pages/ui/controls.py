"""The sidebar: every knob of a config, grouped, and what the page holds of the user's choice."""

from typing import Any

import streamlit as st

from gan_core.config import DATA_PREFIX, KNOBS, GANConfig
from gan_core.datasets import DATASETS
from gan_core.knobs import ConfigError, Knob
from gan_core.optimizers import OPTIMIZERS
from gan_core.penalties import PENALTIES
from gan_core.presets import PRESETS
from gan_core.tables import MOST_BYTES, parse_points

ALWAYS_SHOWN = ("g_lr", "d_lr", "loss", "d_steps")
GROUPS = ("Generator", "Discriminator", "Objective", "Stabilisers", "Sampling")


def current() -> GANConfig:
    """The settings that the page shows; from the URL at a session's first run."""
    state = st.session_state
    if "config" not in state:
        state.config, state.problems = _from_url()
    return state.config


def _from_url() -> tuple[GANConfig, list[str]]:
    query = dict(st.query_params)
    if not query:
        return PRESETS["ring"].config, []
    preset = query.pop("preset", None)
    problems = []
    if preset is not None and preset not in PRESETS:
        problems.append(f"There is no preset {preset[:40]!r}; there are: {', '.join(PRESETS)}.")
    base = PRESETS[preset].config.to_flat() if preset in PRESETS else {}
    if query.get("data", base.get("data")) != base.get("data"):
        base = {name: value for name, value in base.items() if not name.startswith(DATA_PREFIX)}
    config, more = GANConfig.from_flat_lenient({**base, **query})
    return config, problems + more


def write_url(config: GANConfig) -> None:
    """Keeps the address bar's link equal to the settings."""
    query = config.to_query()
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def set_config(config: GANConfig) -> None:
    """Makes `config` the page's, as if its knobs had been turned."""
    st.session_state.config = config
    st.session_state.problems = []


def _turned(name: str) -> None:
    config = st.session_state.config
    value = st.session_state[f"knob_{name}"]
    if value is None:
        return
    try:
        set_config(config.updated({name: value}))
    except ConfigError as error:
        st.session_state.problems = [str(error)]


def _show(name: str, knob: Knob, value: Any) -> None:
    """One widget, whose value is `value` whatever it was before."""
    key = f"knob_{name}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    acts = "Acts at once." if knob.live else "Starts the run over."
    about: dict[str, Any] = {"key": key, "help": f"{knob.help} {acts}", "on_change": _turned, "args": (name,)}
    ticks = knob.ticks()
    if knob.kind is bool:
        st.toggle(knob.label, **about)
    elif knob.choices is not None:
        about["help"] += "\n\n" + "\n".join(f"- `{n}`: {text}" for n, text in knob.choices.items())
        st.selectbox(knob.label, list(knob.choices), **about)
    elif ticks is not None:
        options = sorted({*ticks, value})
        st.select_slider(knob.label, options, format_func=_number, **about)
    elif name == "seed":
        st.number_input(knob.label, int(knob.low), int(knob.high), step=1, **about)
    elif knob.kind is int:
        st.slider(knob.label, int(knob.low), int(knob.high), step=1, **about)
    else:
        st.slider(knob.label, knob.low, knob.high, step=_step(knob), format="%g", **about)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _step(knob: Knob) -> float:
    span = knob.high - knob.low
    return 0.001 if span <= 0.5 else 0.01 if span <= 2 else 0.1


def _acts(name: str, config: GANConfig) -> bool:
    """Whether a knob does anything under the other settings; those that do not are left out."""
    side, _, rest = name.partition("_")
    if rest in ("beta_1", "beta_2", "momentum"):
        return rest in OPTIMIZERS[getattr(config, f"{side}_optimizer")].uses
    if rest == "units":
        return getattr(config, f"{side}_layers") > 0
    if rest == "activation":
        return getattr(config, f"{side}_layers") > 0
    if name == "gp_weight":
        return PENALTIES[config.penalty].function is not None
    if name == "data_size":
        return config.data != "file"
    return KNOBS[name].choices is None or len(KNOBS[name].choices) > 1


def config_panel(config: GANConfig) -> GANConfig:
    """The knobs; returns the settings as they now stand."""
    _preset()
    _show_data(config)
    for name in ALWAYS_SHOWN:
        _show(name, KNOBS[name], getattr(config, name))
    for group in GROUPS:
        names = [n for n, k in KNOBS.items() if k.group == group and n not in ALWAYS_SHOWN]
        if group == "Generator":
            names.append("g_steps")
        with st.expander(group):
            for name in names:
                if _acts(name, config):
                    _show(name, KNOBS[name], getattr(config, name))
    return current()


def _preset() -> None:
    def chosen() -> None:
        name = st.session_state.preset
        if name is not None:
            set_config(PRESETS[name].config)
            st.session_state.preset = None

    st.selectbox(
        "preset",
        list(PRESETS),
        index=None,
        key="preset",
        on_change=chosen,
        placeholder="choose a starting point",
        format_func=lambda name: f"{name}: {PRESETS[name].description}",
        help="Sets every knob to values that work for a data set. Starts the run over.",
    )


def _show_data(config: GANConfig) -> None:
    knob = KNOBS["data"]
    key = "knob_data"
    if st.session_state.get(key) != config.data:
        st.session_state[key] = config.data
    st.selectbox(
        knob.label,
        list(DATASETS),
        key=key,
        on_change=_turned,
        args=("data",),
        format_func=lambda name: f"{name}: {DATASETS[name].description}",
        help=f"{knob.help} Starts the run over.",
    )
    if config.data == "file":
        _upload()
    knobs = DATASETS[config.data].knobs
    with st.expander("Data parameters"):
        for name, own in knobs.items():
            _show(DATA_PREFIX + name, own, config.params()[name])
        if _acts("data_size", config):
            _show("data_size", KNOBS["data_size"], config.data_size)
        elif not knobs:
            st.caption("A file has none: all of its rows are used.")


def _upload() -> None:
    """The user's own points, kept in the session as `points`; a bad file leaves the last good one."""
    state = st.session_state
    if state.get("points_name"):
        st.caption(f"Now: {state.points_name}, {len(state.points):,} points. {state.points_note}")
    file = st.file_uploader(
        "your points",
        type=["csv", "tsv", "txt"],
        max_upload_size=MOST_BYTES // 1_000_000,
        key="points_file",
        help="A CSV or TSV of two numeric columns, with or without a header; up to 200,000 rows are used.",
    )
    if file is None or state.get("points_id") == file.file_id:
        if state.get("points_error"):
            st.error(state.points_error)
        return
    state.points_id, state.points_error = file.file_id, ""
    try:
        points, note = parse_points(file.getvalue(), file.name)
    except ConfigError as error:
        state.points_error = str(error)
        st.error(state.points_error)
        return
    state.points, state.points_name, state.points_note = points, file.name, note
    st.rerun()


def points() -> Any:
    """The user's own points, float32 [N, 2], or None."""
    return st.session_state.get("points")
