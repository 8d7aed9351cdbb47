"""What a page holds of its user's choice: settings, address, news, own data; each kind of page has its own."""

import itertools
import time
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.setting_texts import DATA_PREFIX

FIRST_PRESET = {"points": "ring", "images": "digits"}
NEWS_SECONDS = 30.0  # after which no page shows it any more; the browser takes it away sooner
PAGE_OF = {"points": "Points", "images": "Images", "race": "Compare"}


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


def set_upload(data: Any, name: str, note: str, kind: str | None = None) -> None:
    """Keeps the user's own data for a page, this one if no kind is named."""
    for key, value in (("upload", data), ("upload_name", name), ("upload_note", note)):
        st.session_state[mine(key, kind)] = value


def upload(kind: str | None = None) -> Any:
    """The user's own data of a page, this one if no kind is named: points float32 [N, 2] or Pictures; None without."""
    return st.session_state.get(mine("upload", kind))
