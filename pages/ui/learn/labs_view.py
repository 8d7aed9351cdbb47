"""The labs, as cards in the order of the course, and a teacher's own after them."""

from functools import partial

import streamlit as st

from gan_core.labs import library
from gan_core.labs.lab import Lab
from pages.ui.components.markdown import plain
from pages.ui.learn import lab_panel
from pages.ui.session import clicks, page_state


def draw() -> None:
    """All labs."""
    found, problems = library.labs()
    st.markdown(
        "Each asks one question. Predict first, then press **Play**, change the settings that are shown, and reach the "
        "goal: the page checks it, and gives a receipt."
    )
    boxed = library.built_in()
    _cards("labs_cards", [lab for name, lab in found.items() if name in boxed], numbered=True)
    own = [lab for name, lab in found.items() if name not in boxed]
    if own:
        st.subheader("Labs of your teacher")
        _cards("own_labs_cards", own, numbered=False)
    for problem in problems:
        st.warning(plain(problem))


def _cards(key: str, labs: list[Lab], numbered: bool) -> None:
    with st.container(key=key):
        for number, lab in enumerate(labs, 1):
            with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"lab_card_{lab.name}"):
                with st.container(gap=None, width="stretch"):
                    st.markdown(f"**{f'{number}. ' if numbered else ''}{plain(lab.title)}**")
                    st.markdown(plain(lab.question))
                    page = page_state.PAGE_OF[lab.kind]
                    st.caption(f"{page} · goal within {lab.goal.within:,} steps{_progress(lab)}")
                clicks.button(
                    "Open",
                    f"open_lab_{lab.name}",
                    partial(lab_panel.open_from_list, lab.name),
                    at_first=True,
                    help="Opens the page with the settings of this lab, at step 0.",
                )


def _progress(lab: Lab) -> str:
    progress = page_state.progress_of(lab)
    if progress.receipt:
        return f" · :material/check_circle: reached at step {progress.step:,}"
    return "" if progress.answer is None else " · begun"
