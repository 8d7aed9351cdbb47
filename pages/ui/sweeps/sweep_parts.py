"""What several parts of a sweep's results share: a row's words, the scores that there are, and a choice."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from gan_core.scores.registry import SCORES
from gan_core.settings.setting_texts import text
from gan_core.sweeps.space import Space
from gan_core.sweeps.training import DONE
from pages.ui.run import settings_panel

Row = dict[str, Any]


def named(row: Row, space: Space) -> str:
    """What tells the trial's settings from the others'."""
    said = (f"{settings_panel.short_label(n, space.base)} {text(v)}" for n, v in row["settings"].items())
    return ", ".join(said) or "as it is"


def scores_of(rows: Sequence[Row]) -> list[str]:
    """The names of the scores that a finished trial has."""
    done = (row["metrics"] for row in rows if row["status"] == DONE)
    there = {name for metrics in done for name, value in metrics.items() if isinstance(value, (int, float))}
    return [name for name in SCORES if name in there]


def choice(
    label: str, options: Sequence[str], key: str, form: Callable[[str], str], about: str, width: int = 260
) -> str:
    """A select box that keeps what was chosen, as long as it is among the options."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    chosen = st.selectbox(
        label,
        options,
        list(options).index(st.session_state[key]),
        key=key,
        persist_state="session",
        format_func=form,
        help=about,
        width=width,
    )
    return chosen or options[0]
