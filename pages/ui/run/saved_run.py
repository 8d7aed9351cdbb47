"""A saved run in the list: its picture, what it is, and what can be done with it."""

import re
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_folders, run_reading
from gan_core.runs.run_reading import Saved
from gan_core.settings.config import changed
from gan_core.settings.presets import PRESETS
from pages.ui import shell
from pages.ui.figures.score_texts import cells
from pages.ui.run import exports_panel, settings_panel, time_machine
from pages.ui.server import signing_in
from pages.ui.session import page_state
from pages.ui.session.page_state import Wanted


def plain(text: str) -> str:
    """Markdown that shows the text as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~$:" else c for c in text)


def title(run: Saved) -> str:
    """The run's name; of one that was autosaved, its data set and when."""
    found = re.fullmatch(rf"{re.escape(run_reading.AUTOSAVE)}(.+) (\d{{4}}-\d\d-\d\d \d\d\.\d\d)\.\d\d \S+", run.name)
    if found is None:
        return run.name
    try:
        when = datetime.strptime(found[2], "%Y-%m-%d %H.%M")
    except ValueError:  # somebody gave a run such a name
        return run.name
    return f"{found[1]}, autosaved {when:%d %b, %H:%M}"


def recipe(run: Saved) -> str:
    """The preset or recipe that the run follows, where it follows one."""
    for name, row in PRESETS.items():
        if not changed(row.config.updated({"seed": run.config.seed}), run.config):
            return name
    return settings_panel.recipe_of(run.config) or ""


def matches(run: Saved, wanted: str) -> bool:
    c = run.config
    text = " ".join((run.name, c.data, c.loss, c.penalty, c.architecture, run.note)).lower()
    return all(word in text or word in recipe(run) for word in wanted.lower().split())


def score_line(run: Saved) -> str:
    """The run's last scores in a line."""
    return " · ".join(f"{name} {value}" for value, name, _ in cells(run.scores)[:4])


def row(run: Saved, chosen: int) -> None:
    key = run.name.replace("_", "/").replace(" ", "_")  # no other name has the same
    c = run.config
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"run_{key}"):
        picture = run_reading.picture_of(run)
        if picture is not None:
            st.image(picture, width=84)
        with st.container(gap=None):
            st.markdown(f"**{plain(title(run))}**")
            follows = recipe(run)
            about = [f"{c.data}", *([follows] if follows and follows != c.data else []), f"{c.loss}", f"seed {c.seed}"]
            st.markdown(f"step **{run.step:,}** · {' · '.join(about)} · {time_machine.age(run.saved)}")
            if run.parent is not None:
                st.caption(f"branch of {plain(run.parent.name)} at step {run.parent.step:,}")
            scores = score_line(run)
            if scores:
                st.caption(scores)
            if run.note:
                st.caption(plain(run.note))
        ticked = run.name in page_state.tab().compared
        st.checkbox(
            "Compare",
            value=ticked,
            key=f"tick_{key}",
            disabled=not ticked and chosen >= MOST_COMPARED,
            on_change=_tick,
            args=(run.name, f"tick_{key}"),
        )
        # No callback: a session that is new, after a lost connection, knows none yet, and the click would be lost.
        if st.button("Open", key=f"open_{key}", help="Continue this run."):
            _want(run, None)
        if st.button("More", key=f"more_{key}", help="Branch, rename, note, export, delete."):
            _more(run)
    if page_state.tab().go_to == run.name:
        page_state.tab().go_to = ""
        st.switch_page(shell.PAGE_OF_KIND[DATASETS[c.data].kind])


def _tick(name: str, key: str) -> None:
    tab = page_state.tab()
    others = [n for n in tab.compared if n != name]
    tab.compared = [*others, name] if st.session_state.get(key) else others


def _want(run: Saved, step: int | None) -> None:
    """Opens the run on its page with the next drawing."""
    tab = page_state.tab()
    tab.wanted, tab.go_to = Wanted(DATASETS[run.config.data].kind, run.folder, step), run.name


@st.dialog("Run", width="large")
def _more(run: Saved) -> None:
    st.markdown(f"#### {plain(title(run))}")
    with st.container(horizontal=True):
        picture = run_reading.picture_of(run)
        if picture is not None:
            st.image(picture, width=192)
        with st.container():
            _branch(run)
    own = signing_in.may_change(run)
    if own:
        with st.form("rename", border=False):
            name = st.text_input("Name", run.name, key="rename_name")
            note = st.text_input("Note", run.note, key="rename_note")
            if st.form_submit_button("Save name and note"):
                _rename(run, name, note)
    exports_panel.panel(run)
    if exports_panel.begun():
        st.rerun()  # closes the dialog: the export's progress is shown behind it
    st.divider()
    if not own:
        st.caption(":material/lock: Only its maker can rename or delete this run. You can open, branch and export it.")
        return
    if st.checkbox(f"Delete this run of {run.step:,} steps", key="delete_sure"):
        st.caption("This cannot be undone.")
        if st.button("Delete", key="delete_go", type="primary"):
            _do(partial(run_folders.delete, run.folder), f"“{run.name}” was deleted.")


def _branch(run: Saved) -> None:
    try:
        steps = list(run.checkpoints)
    except ConfigError as error:
        st.caption(str(error))
        return
    if not steps:
        return
    step = st.select_slider(
        "Branch from step",
        steps,
        value=steps[-1],
        format_func=lambda n: f"{n:,}",
        key="branch_step",
        help="A branch goes on from this step with new settings; this run stays as it is.",
    )
    if st.button("Branch", key="branch_go"):
        _want(run, step)
        st.rerun()


def _rename(run: Saved, name: str, note: str) -> None:
    def both() -> None:
        folder = run_folders.rename(run.folder, name.strip())
        if note != run.note:
            run_folders.annotate(folder, note)

    _do(both, "")


def _do(action: Any, said: str) -> None:
    try:
        action()
    except ConfigError as error:
        st.error(str(error))
        return
    if said:
        page_state.say(said)
    st.rerun()


MOST_COMPARED = 4
