"""Where a user says what training is to stop at: the popover *Breakpoints*. The worker looks at them (serving)."""

from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.diagnosis.conditions import Condition
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores import registry
from gan_core.scores.registry import SCORES
from gan_core.serving.breakpoints import NAMES
from gan_core.serving.client import Run
from pages.ui.session import page_state

KEYS = "break_"  # what the keys of these widgets begin with, each page's its own: a refresh keeps them (remembered.py)
SIDES = {True: "rises above", False: "falls below"}
MOST_STEP = 2**31 - 1


def panel(run: Run, several: bool = False) -> None:
    """Its widgets, and what they say becomes the run's. several: of a race, any of whose runs stops all."""
    with st.popover(
        "Breakpoints",
        icon=":material/front_hand:",
        key="breakpoints",
        help="Pauses training by itself: at a step, when something goes wrong, or when a score passes a value.",
    ):
        race = " In a race, any run stops all of them." if several else ""
        st.markdown(f"**Pauses when one of these becomes true.** Play goes on from there.{race}")
        wanted = [*_step(), *_score(run), *_switches(run, several), *_condition()]
    if wanted != run.breakpoints:
        run.set_breakpoints(wanted)
    if wanted:
        st.container(key="breakpoints_set")  # for the style: the button shows that there are some


def _key(name: str) -> str:
    return page_state.mine(f"{KEYS}{name}")


def _step() -> list[dict[str, Any]]:
    key = _key("step")
    st.session_state.setdefault(key, None)
    step = st.number_input(
        "At step",
        min_value=1,
        max_value=MOST_STEP,
        value=None,
        step=1,
        key=key,
        persist_state="session",
        placeholder="no step",
        help="Pauses exactly there, once.",
    )
    return [{"kind": "step", "step": int(step)}] if step else []


def _score(run: Run) -> list[dict[str, Any]]:
    data, kind = run.data, DATASETS[run.config.data].kind
    names = [name for name, _ in registry.shown(kind, data)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        name = st.selectbox(
            "When a score",
            names,
            index=None,
            key=_key("score"),
            persist_state="session",
            placeholder="no score",
            format_func=lambda name: SCORES[name].title if name in SCORES else name,
            help="Scores are made again and again while training goes on; this is looked at with each.",
        )
        above = st.selectbox(
            "does this",
            list(SIDES),
            key=_key("side"),
            persist_state="session",
            format_func=SIDES.__getitem__,
            help="It pauses when the score passes the value in this direction.",
        )
        value = st.number_input(
            "the value",
            value=None,
            key=_key("value"),
            persist_state="session",
            format="%g",
            placeholder="value",
            help="As a number: 0.9 for 90 %.",
        )
    if name not in names or value is None:
        return []
    return [{"kind": "score", "score": name, "above": bool(above), "value": float(value)}]


def _switches(run: Run, several: bool) -> list[dict[str, Any]]:
    wanted = []
    rows = {"finding": ("When the coach finds something", "Its findings stand in the line below Play.")}
    if "modes" in [name for name, _ in registry.shown(DATASETS[run.config.data].kind, run.data)]:
        rows["modes"] = ("When a mode is lost", "When fewer modes are captured than at the scoring before.")
    if not several:
        about = "Pauses at the last step where all is finite, instead of reporting a divergence."
        rows["not_finite"] = ("Before a number becomes NaN or infinite", about)
    for kind, (label, about) in rows.items():
        if st.toggle(label, key=_key(kind), persist_state="session", help=about):
            wanted.append({"kind": kind})
    return wanted


def _condition() -> list[dict[str, Any]]:
    text = st.text_input(
        "When a condition holds",
        key=_key("condition"),
        persist_state="session",
        placeholder="modes == 8 and hq >= 0.9",
        help="Names: step, the scores (w1, modes, hq, ...), the losses (g_loss, d_loss), d_accuracy, the settings. "
        "Compared with <, <=, ==, !=, >=, >; joined by and, or, not.",
    )
    if not (text or "").strip():
        return []
    try:
        condition = Condition.read(text, NAMES)
    except ConfigError as error:
        st.caption(f":material/warning: {error}")
        return []
    return [{"kind": "condition", "text": condition.text}]
