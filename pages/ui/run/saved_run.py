"""A saved run in the list: its picture, what it is, and what can be done with it."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_folders, run_reading
from gan_core.runs.run_reading import Saved
from gan_core.settings.config import changed
from gan_core.settings.presets import PRESETS
from pages.ui import shell
from pages.ui.components.markdown import plain
from pages.ui.figures.score_texts import cells
from pages.ui.run import exports_panel, settings_panel, time_machine
from pages.ui.server import signing_in
from pages.ui.session import clicks, page_state
from pages.ui.session.page_state import Wanted


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
        clicks.button("Open", f"open_{key}", partial(_want, run, None), at_first=True, help="Continue this run.")
        about_more = "Branch, rename, note, export, delete."
        clicks.button("More", f"more_{key}", partial(_open, run), at_first=True, help=about_more)


def dialog(runs: list[Saved]) -> None:
    """What else can be done with the one of the runs that is opened, if any.

    It is drawn again by each script until it is closed: one that follows the click at once would take it away.
    """
    tab = page_state.tab()
    found = next((run for run in runs if run.name == tab.opened), None)
    if found is not None:
        _more(found)
    else:
        tab.opened = ""


def _open(run: Saved) -> None:
    tab = page_state.tab()
    tab.opened, tab.refused = run.name, ""


def _close() -> None:
    page_state.tab().opened = ""


def _tick(name: str, key: str) -> None:
    tab = page_state.tab()
    others = [n for n in tab.compared if n != name]
    tab.compared = [*others, name] if st.session_state.get(key) else others


def _want(run: Saved, step: int | None) -> None:
    """Opens the run on its page with the next drawing."""
    tab, kind = page_state.tab(), DATASETS[run.config.data].kind
    tab.wanted, tab.goes_to, tab.opened = Wanted(kind, run.folder, step), shell.PAGE_OF_KIND[kind], ""


@st.dialog("Run", width="large", on_dismiss=_close)
def _more(run: Saved) -> None:
    if not page_state.tab().opened:  # what was asked for is done
        st.rerun()  # closes it
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
            st.text_input("Name", run.name, key="rename_name")
            st.text_input("Note", run.note, key="rename_note")
            save = clicks.once("rename_go", partial(_rename, run))
            st.form_submit_button("Save name and note", on_click=save)
    if page_state.tab().refused:
        st.error(page_state.tab().refused)
    exports_panel.panel(run)
    if exports_panel.begun():
        _close()  # the export's progress is shown behind it
        st.rerun()
    st.divider()
    if not own:
        st.caption(":material/lock: Only its maker can rename or delete this run. You can open, branch and export it.")
        return
    if st.checkbox(f"Delete this run of {run.step:,} steps", key="delete_sure"):
        st.caption("This cannot be undone.")
        delete = partial(run_folders.delete, run.folder)
        clicks.button("Delete", "delete_go", partial(_do, delete, f"“{run.name}” was deleted."), type="primary")


def _branch(run: Saved) -> None:
    try:
        steps = list(run.checkpoints)
    except ConfigError as error:
        st.caption(str(error))
        return
    if not steps:
        return
    st.select_slider(
        "Branch from step",
        steps,
        value=steps[-1],
        format_func=lambda n: f"{n:,}",
        key="branch_step",
        help="A branch goes on from this step with new settings; this run stays as it is.",
    )
    clicks.button("Branch", "branch_go", partial(_branch_off, run, steps[-1]))


def _branch_off(run: Saved, last: int) -> None:
    _want(run, st.session_state.get("branch_step", last))


def _rename(run: Saved) -> None:
    state = st.session_state
    name, note = (state.get("rename_name") or "").strip(), state.get("rename_note") or ""

    def both() -> None:
        folder = run_folders.rename(run.folder, name)
        if note != run.note:
            run_folders.annotate(folder, note)

    _do(both, "")


def _do(action: Callable[[], None], said: str) -> None:
    tab = page_state.tab()
    try:
        action()
    except ConfigError as error:
        tab.refused = str(error)
        return
    tab.opened = ""
    if said:
        page_state.say(said)


MOST_COMPARED = 4
