"""What a tab has chosen and would lose with a refresh, which is a new session: kept in the server by the tab's key."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import streamlit as st

# The settings themselves are in the address, the runs in the hub.
NAMES = {
    *("layers", "log_losses", "smooth_losses", "side", "framed", "latent", "corners", "corner_draw"),
    *("blend_u", "blend_v", "rows", "picked", "step_size", "autosave", "declined", "take_job"),
    *("compare", "compare_way", "compare_runs", "race_base", "race_knob"),
    *("runs_search", "runs_sort", "runs_autosaved", "disc_points", "cheat_data", "cheat_way", "cheat_strength"),
}
OF_A_PAGE = ("race_values_", "config_", "era_", "past_", "saving_", "upload_name_", "upload_note_")
MOST_TABS = 500
KEPT_SECONDS = 6 * 3_600.0  # after the tab's last drawing


@dataclass
class _Tab:
    values: dict[str, Any]
    at: float


_TABS: OrderedDict[str, _Tab] = OrderedDict()  # the one that was drawn last is last
_LOCK = Lock()


def keep() -> None:
    """Keeps what this tab's session has chosen, once the browser has said the tab's key."""
    state = st.session_state
    tab = state.get("tab")
    if tab is None:
        return
    values = {str(name): state[name] for name in list(state) if name in NAMES or str(name).startswith(OF_A_PAGE)}
    now = time.monotonic()
    with _LOCK:
        _TABS[tab] = _Tab(values, now)
        _TABS.move_to_end(tab)
        while len(_TABS) > MOST_TABS or next(iter(_TABS.values())).at < now - KEPT_SECONDS:
            _TABS.popitem(last=False)


def restore(tab: str) -> dict[str, Any]:
    """Gives a new session of this tab what the one before had chosen, and returns it; before any widget is drawn."""
    with _LOCK:
        known = _TABS.get(tab)
    values = {} if known is None else known.values
    for name, value in values.items():
        if not name.startswith("config_"):  # what the page's own link says comes first
            st.session_state[name] = value
    return values
