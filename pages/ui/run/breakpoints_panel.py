"""Where a user says what training is to stop at: the popover *Breakpoints*. The worker looks at them (serving)."""

from html import escape
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.diagnosis.conditions import Condition
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores import registry
from gan_core.scores.registry import SCORES
from gan_core.serving import breakpoints
from gan_core.serving.client import Run
from pages.ui.session import page_state

KEYS = "break_"  # what the keys of these widgets begin with, each page's its own: a refresh keeps them (remembered.py)
SIDES = {True: "rises above", False: "falls below"}
MOST_STEP = 2**31 - 1


def panel(run: Run, several: bool = False) -> None:
    """Its widgets, and what they say becomes the run's. several: of a race, any of whose runs stops all."""
    names = [name for name, _ in registry.shown(DATASETS[run.config.data].kind, run.data)]
    switches = _switches(names, several)
    wanted, refused = _wanted(names, switches)
    if wanted != run.breakpoints:
        run.set_breakpoints(wanted)
    with st.popover(
        f"Breakpoints: {len(wanted)}" if wanted else "Breakpoints",
        icon=":material/front_hand:",
        key="breakpoints",
        help="Pauses training by itself: at a step, when something goes wrong, or when a score passes a value.",
    ):
        race = " In a race, any run stops all of them." if several else ""
        st.markdown(f"**Pauses when one of these becomes true.** Play goes on from there.{race}")
        _widgets(names, switches)
        if refused:
            st.html(f'<p class="ganscope-refused">{escape(refused)}</p>')  # as it was written, not as Markdown


def _key(name: str) -> str:
    return page_state.mine(f"{KEYS}{name}")


def _switches(names: list[str], several: bool) -> dict[str, tuple[str, str]]:
    """The kinds that are on or off, each with its label and help."""
    rows = {"finding": ("When the coach finds something", "Its findings stand in the line below Play.")}
    if "modes" in names:
        rows["modes"] = ("When a mode is lost", "When fewer modes are captured than at the scoring before.")
    if not several:
        about = "Pauses at the last step where all is finite, instead of reporting a divergence."
        rows["not_finite"] = ("Before a number becomes NaN or infinite", about)
    return rows


def _wanted(names: list[str], switches: dict[str, tuple[str, str]]) -> tuple[list[dict[str, Any]], str]:
    """(the breakpoints that the widgets name, why a condition is none or "")."""
    said = {name: st.session_state.get(_key(name)) for name in ("step", "score", "side", "value", "condition")}
    wanted, refused = [], ""
    if said["step"]:
        wanted.append({"kind": "step", "step": int(said["step"])})
    if said["score"] in names and said["value"] is not None:
        above = said["side"] is not False
        wanted.append({"kind": "score", "score": said["score"], "above": above, "value": float(said["value"])})
    wanted += [{"kind": kind} for kind in switches if st.session_state.get(_key(kind))]
    text = (said["condition"] or "").strip()
    if text:
        try:
            wanted.append({"kind": "condition", "text": Condition.read(text, breakpoints.names()).text})
        except ConfigError as error:
            refused = str(error)
    return wanted, refused


def _widgets(names: list[str], switches: dict[str, tuple[str, str]]) -> None:
    st.number_input(
        "At step",
        min_value=1,
        max_value=MOST_STEP,
        value=None,
        step=1,
        key=_key("step"),
        persist_state="session",
        placeholder="no step",
        help="Pauses exactly there, once.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.selectbox(
            "When a score",
            names,
            index=None,
            key=_key("score"),
            persist_state="session",
            placeholder="no score",
            format_func=lambda name: SCORES[name].title if name in SCORES else name,
            help="Scores are made again and again while training goes on; this is looked at with each.",
        )
        st.selectbox(
            "does this",
            list(SIDES),
            key=_key("side"),
            persist_state="session",
            format_func=SIDES.__getitem__,
            help="It pauses when the score passes the value in this direction.",
        )
        st.number_input(
            "the value",
            value=None,
            key=_key("value"),
            persist_state="session",
            format="%g",
            placeholder="value",
            help="As a number: 0.9 for 90 %.",
        )
    for kind, (label, about) in switches.items():
        st.toggle(label, key=_key(kind), persist_state="session", help=about)
    st.text_input(
        "When a condition holds",
        key=_key("condition"),
        persist_state="session",
        placeholder="modes == 8 and hq >= 0.9",
        help="Names: step, the scores (w1, modes, hq, ...), the losses (g_loss, d_loss), d_accuracy, the settings. "
        "Compared with <, <=, ==, !=, >=, >; joined by and, or, not.",
    )
