"""Make a lab of this page: its settings, with a question and a goal, as a file for GANSCOPE_LABS and a link."""

import re
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs import lab, library
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.combinations import acts
from gan_core.settings.config import GANConfig
from gan_core.settings.setting_texts import DATA_PREFIX
from pages.ui.session import clicks, page_state

USUAL_SHOWN = ("g_lr", "d_lr")


def panel(config: GANConfig) -> None:
    """The button at the end of the settings, and the dialog while it is open; none in a lab, and of a user's file."""
    if page_state.page().lab is not None or DATASETS[config.data].upload:
        return
    clicks.button(
        "Make a lab of this page",
        "make_lab",
        _open,
        icon=":material/edit_note:",
        type="tertiary",
        help="Your own lab: these settings, with a question, a prediction and a goal, as a file and a link.",
    )
    if page_state.tab().making:
        _dialog(config)


def _open() -> None:
    page_state.tab().making = True


def _close() -> None:
    page_state.tab().making = False


@st.dialog("Make a lab of this page", width="large", on_dismiss=_close)
def _dialog(config: GANConfig) -> None:
    st.caption("It starts from the settings of this page. Students see only the settings that you choose here.")
    content, name = _form(config)
    if not content["title"]:
        st.caption("Begin with a title.")
        return
    try:
        text = lab.written(content, name)
    except ConfigError as error:
        st.warning(str(error))
        return
    if name in library.built_in():
        st.warning("There is a lab of this name in the box. Choose another title.")
        return
    st.download_button(
        "Download the lab",
        text,
        f"{name}.json",
        "application/json",
        key="maker_download",
        type="primary",
        on_click="ignore",
        help=f"Put the file into the folder that {library.VARIABLE} names on your server.",
    )
    page = "images" if DATASETS[config.data].kind == "images" else ""
    st.markdown("Once it is in that folder, this link opens it:")
    st.code(f"{page_state.tab().base}{page}?lab={name}", language=None, wrap_lines=True)


def _form(config: GANConfig) -> tuple[dict[str, Any], str]:
    """What is filled in, as a lab's file has it, and the name that the title gives it."""

    def line(field: str, label: str, about: str, area: bool = False) -> str:
        most = lab.TEXTS[field][0]
        draw = st.text_area if area else st.text_input
        return (draw(label, key=f"maker_{field}", max_chars=most, help=about) or "").strip()

    title = line("title", "Title", "A few words. The file's name is made of them.")
    question = line("question", "Question", "One question, which the run answers.")
    answers = st.text_area(
        "Answers of the prediction, one a line",
        key="maker_answers",
        max_chars=400,
        height=100,
        help="Two to four. A student chooses one before Play is free.",
    )
    listed = [answer.strip() for answer in (answers or "").splitlines() if answer.strip()]
    right = st.selectbox(
        "The answer that comes true",
        list(range(len(listed) + 1)),
        key="maker_right",
        format_func=lambda i: listed[i - 1] if i else "none of them is right or wrong",
        help="It is shown beside the prediction afterwards.",
    )
    names = [n for n in config.to_flat() if n != "data" and (n.startswith(DATA_PREFIX) or acts(n, config))]
    shown = st.multiselect(
        "Settings that are shown",
        names,
        [name for name in USUAL_SHOWN if name in names],
        key="maker_shown",
        max_selections=lab.MOST_SHOWN,
        format_func=_label,
        help="All others are hidden, and may not be changed for the goal.",
    )
    look_at = line("look_at", "What to look at", "Where on the page the answer is seen.")
    task = line("task", "The goal in words", "For example: all 8 clusters within 3,000 steps.")
    goal = st.text_input(
        "The goal as a condition",
        key="maker_goal",
        max_chars=350,
        placeholder="modes == 8 and hq >= 0.5",
        help="Scores (modes, hq, w1, classifier_fid), settings and losses, compared with numbers; and, or, not.",
    )
    within = st.number_input(
        "Steps in which it must be reached", 1, 1_000_000, 3_000, key="maker_within", help="Later does not count."
    )
    reveal = line("reveal", "What happens, and why", "Shown once the goal is reached.", area=True)
    content = {
        "title": title,
        "question": question,
        "answers": listed,
        "right": min(right or 0, len(listed)),
        "settings": settings_of(config),
        "shown": shown,
        "look_at": look_at,
        "task": task,
        "goal": goal or "",
        "within": int(within),
        "reveal": reveal,
    }
    return content, re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "lab"


def settings_of(config: GANConfig) -> dict[str, Any]:
    """The settings as a lab's file names them: those that are not at their defaults, with data and seed."""
    usual = GANConfig.from_flat({"data": config.data}).to_flat()
    return {n: v for n, v in config.to_flat().items() if n in ("data", "seed") or v != usual.get(n)}


def _label(name: str) -> str:
    """A setting as the list has it."""
    if name.startswith(DATA_PREFIX):
        return name
    return f"{HYPERPARAMETERS[name].label} ({name})"
