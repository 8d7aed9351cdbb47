"""What a tab has chosen and would lose with a refresh, which is a new session: kept in the server by the tab's key."""

import time
from collections import OrderedDict
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Any

import streamlit as st

from pages.ui.session import page_state
from pages.ui.session.page_state import Page, Tab

# The widgets whose values are kept. The settings themselves are in the address, the runs in the hub.
WIDGETS = {
    *("layers", "log_losses", "smooth_losses", "side", "framed", "latent", "corners"),
    *("blend_u", "blend_v", "rows", "step_size", "autosave"),
    *("sweep_base", "sweep_knob_0", "sweep_knob_1", "sweep_seeds", "sweep_seconds", "sweep_name", "sweep_shown"),
    *("sweep_looks", "sweep_stop_by"),
    *("sweep_look", "sweep_x", "sweep_y", "sweep_curve", "sweep_importance"),
    *("compare_way", "compare_runs", "race_base", "race_knob"),
    *("runs_search", "runs_sort", "runs_autosaved", "disc_points", "cheat_data", "cheat_way", "cheat_strength"),
}
FAMILIES = ("race_values_", "sweep_values_", "sweep_at_", "break_")  # by what their names begin with
OF_A_TAB = ("anatomy", "picked", "corner_draw", "declined", "export", "compared", "progress")
OF_A_PAGE = ("config", "era", "past", "saving", "upload_names", "lab", "hidden", "own_file")
MOST_TABS = 500
MOST_FILE_BYTES = 300_000_000  # of the files that are looked at, in all tabs: the oldest are forgotten
KEPT_SECONDS = 6 * 3_600.0  # after the tab's last drawing


@dataclass(frozen=True)
class _Kept:
    widgets: dict[str, Any]
    tab: dict[str, Any]
    pages: dict[str, dict[str, Any]]
    at: float


_TABS: OrderedDict[str, _Kept] = OrderedDict()  # the one that was drawn last is last
_LOCK = Lock()


def keep() -> None:
    """Keeps what this tab's session has chosen, once the browser has said the tab's key."""
    state, tab = st.session_state, page_state.tab()
    if not tab.key:
        return
    names = [str(name) for name in list(state)]
    kept = _Kept(
        {name: state[name] for name in names if name in WIDGETS or name.startswith(FAMILIES)},
        _taken(tab, OF_A_TAB),
        {kind: _taken(page, OF_A_PAGE) for kind, page in tab.pages.items()},
        time.monotonic(),
    )
    with _LOCK:
        _TABS[tab.key] = kept
        _TABS.move_to_end(tab.key)
        while len(_TABS) > MOST_TABS or next(iter(_TABS.values())).at < kept.at - KEPT_SECONDS:
            _TABS.popitem(last=False)
        _forget_files()


def _forget_files() -> None:
    """Forgets the files that were looked at longest ago, where all together are too large; they can be dropped again.
    Each is a user's whole file, and what was read of it."""
    room = MOST_FILE_BYTES
    for kept in reversed(_TABS.values()):
        for page in kept.pages.values():
            size = 0 if page["own_file"] is None else page["own_file"].size()
            if size > room:
                page["own_file"] = None
            else:
                room -= size


def _taken(held: Tab | Page, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(held, name) for name in names}


def restore(key: str) -> dict[str, Any] | None:
    """Gives a new session of the tab of this key what the one before had chosen, before any widget is drawn.

    Returns the settings of its pages, which only become theirs where no link says others; None for a new tab.
    """
    with _LOCK:
        known = _TABS.get(key)
    if known is None:
        return None
    tab = page_state.tab()
    for name, value in known.widgets.items():
        st.session_state[name] = value
    for name, value in known.tab.items():
        setattr(tab, name, value)
    for kind, values in known.pages.items():
        for name, value in values.items():
            linked = name == "lab" and tab.pages[kind].linked  # an address says by itself which lab it is of
            if name != "config" and not linked:
                # A duplicated tab may have the same key for a moment. A file that is being read is one, to be stopped.
                setattr(tab.pages[kind], name, value if name == "own_file" else copy(value))
    return {kind: values["config"] for kind, values in known.pages.items()}
