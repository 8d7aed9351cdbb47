"""Failures on demand: a card for each, with what to look at, why it happens, and its cure to be raced against it."""

from functools import partial
from typing import Any

import streamlit as st

from gan_core.diagnosis.failures import FAILURES, Failure
from pages.ui import shell
from pages.ui.run import settings_panel
from pages.ui.session import clicks, page_state

COMPARE = "pages/compare.py"


def draw() -> None:
    """All failures."""
    st.markdown(
        "What goes wrong with GANs, each ready to happen before your eyes. *Open* has it happen; *Race the cure* "
        "trains it beside the same networks with the cure, from the same seed."
    )
    with st.container(key="failures_cards"):
        for name, failure in FAILURES.items():
            _card(name, failure)


def _card(name: str, failure: Failure) -> None:
    with st.container(border=True, key=f"failure_{name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{failure.title}**", width="stretch")
            open_it, race = partial(_open, name), partial(_race, name)
            about = f"Opens the page with its settings. It shows within {failure.steps:,} steps."
            clicks.button("Open", f"open_failure_{name}", open_it, at_first=True, help=about)
            about = "Trains both side by side on Compare: as it is, and with the cure."
            clicks.button("Race the cure", f"race_failure_{name}", race, at_first=True, type="primary", help=about)
        st.markdown(f"**Look at** {failure.look_for}")
        st.markdown(f"{failure.why} *{failure.source}*")
        st.caption(f":material/healing: The cure: {cure_in_words(failure)}.")


def cure_in_words(failure: Failure) -> str:
    """The settings of the cure, by their labels, with what they were."""
    config = failure.config

    def one(name: str, value: Any) -> str:
        label = settings_panel.label(name, config)
        return f"{label} {_said(value)} in place of {_said(config.to_flat()[name])}"

    return "; ".join(one(name, value) for name, value in failure.cure.items())


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _open(name: str) -> None:
    failure = FAILURES[name]
    page_state.set_config(failure.config)
    page_state.tab().goes_to = shell.PAGE_OF_KIND[failure.kind]


def _race(name: str) -> None:
    failure = FAILURES[name]
    page_state.tab().racing = ((failure.config, failure.cured), None)
    st.session_state["compare_way"] = "race"
    page_state.tab().goes_to = COMPARE
