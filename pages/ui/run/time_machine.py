"""A run's history and its keeping: the scrubber, branches, saving by hand, autosave and continuing what it kept."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.snapshot import Snapshot
from gan_core.runs import autosave_folders, run_folders, run_reading
from gan_core.runs.disk_quota import room
from gan_core.runs.run_reading import Saved
from gan_core.serving.client import Run
from pages.ui.components.liveplot import branched, scrubber
from pages.ui.run import exports_panel, presenter_panel
from pages.ui.server import signing_in
from pages.ui.session import clicks, own_run, page_state
from pages.ui.session.page_state import Saving

# -- looking back -------------------------------------------------------------------------------------------


def era() -> str:
    """Names what the scrubber looks at: the present is another after Play, a restart, a branch or an opened run."""
    return f"{page_state.tab().kind} {page_state.page().era}"


def present() -> None:
    """Back to the present."""
    page_state.page().era += 1


def replay() -> None:
    """Looks at the first frame of the run that was just opened; the scrubber begins to replay it."""
    here = page_state.page()
    here.past.at, here.past.of, here.replays = 0, era(), True


def recorded() -> tuple[str, Callable[[Snapshot, int | None], dict[str, Any]]]:
    """(the scrubber's key, what it shows of a snapshot and the step looked at from now on)."""
    here, none = page_state.page(), np.zeros(0, np.int32)
    of, fork, begins = era(), here.saving is None, here.replays
    here.replays = False

    def about(snapshot: Snapshot, at: int | None) -> dict[str, Any]:
        frame = snapshot.frame
        points = {name: frame.get(name, none) for name in ("recorded", "checkpoints")}
        about = {"step": snapshot.step, "shown": frame.get("at"), "of": of, "fork": fork, "at": at, "replay": begins}
        about["best"] = frame.get("best")
        about["marks"] = [{"step": mark["first"], "title": mark["title"]} for mark in frame.get("marks", ())]
        return {**points, **about}

    return page_state.mine("scrubber"), about


def draw_scrubber(run: Run, key: str, data: dict[str, Any]) -> None:
    """The slider over the run's past, with what `recorded` says that it shows; a click on Branch begins one."""
    scrubber(data, key, clicks.here(partial(_branch, run, key, era())))


# -- saving and forking -------------------------------------------------------------------------------------


def _branch(run: Run, key: str, drawn_of: str) -> None:
    """Saves the run as it is and then goes on, as a branch, from its last checkpoint up to the step looked at."""
    wish = branched(key)
    if wish is None or wish["of"] != drawn_of or page_state.page().saving is not None:
        return
    snapshot, at, c = run.snapshot(), wish["at"], run.config
    points = [int(s) for s in snapshot.frame.get("checkpoints", []) if at is None or s <= at]
    if points and run.recorded and len(run.sources) == 1:  # it is saved as it is
        try:
            open_in(run, run_reading.read(run.sources[0].folder), points[-1])
            page_state.say(f"New branch from step {points[-1]:,}. Change settings, then press Play.")
        except ConfigError as failed:
            page_state.say(str(failed))
    elif points:
        ask(run, [f"{c.data} seed {c.seed} step {snapshot.step}"], fork=points[-1])


def ask(run: Run, names: list[str], note: str = "", fork: int | None = None) -> None:
    """Has the worker save its trainings under these names, or the next free ones; then `settle` goes on."""
    root = run_folders.runs_folder()
    fit = ["".join(c if c.isalnum() or c in " ._-" else " " for c in name) for name in names]
    save = run.save([root / name for name in fit], note, signing_in.owner())
    page_state.page().saving = Saving(save, fork)


def settle(run: Run) -> None:
    """Acts on a save that has ended: says so, or opens the branch."""
    here = page_state.page()
    asked = here.saving
    if asked is None or not asked.save.done():
        return
    here.saving = None
    try:
        folders = asked.save.result()
        names = "”, “".join(folder.name for folder in folders)
        if asked.fork is None:
            page_state.say(f"Saved: “{names}”. See Saved runs.")
            return
        open_in(run, run_reading.read(folders[0]), asked.fork)
    except ConfigError as failed:
        page_state.say(str(failed))
        return
    page_state.say(
        f"New branch from step {asked.fork:,}. Change settings, then press Play. The original is saved as “{names}”."
    )


def open_in(run: Run, saved: Saved, step: int | None = None) -> None:
    """Goes on from a saved run on its page, from its end or as a branch from `step`. Raises ConfigError."""
    kind = DATASETS[saved.config.data].kind
    upload = run_reading.upload_of(saved)
    run.open(saved, upload, step)
    page_state.set_config(run.config)
    if upload is not None:
        page_state.set_upload(upload, f"data of {saved.name}", "", kind)
    present()


def keep_panel(run: Run) -> None:
    """Save, autosave and exports, behind one button; and presenting, behind another."""
    with st.popover("Save", icon=":material/save:", key=page_state.mine("keep"), help="Save, autosave, export."):
        _save_form(run)
        st.session_state.setdefault("autosave", True)
        st.toggle(
            "Autosave",
            st.session_state.autosave,
            key="autosave",
            persist_state="session",
            help="Saves the run every 20 seconds and when you close the page, so that you can continue it later. "
            "Off: unsaved runs are lost when you close the page.",
        )
        nearly_full = room(run_folders.runs_folder()).warning()
        if nearly_full:
            st.caption(f":material/warning: {nearly_full}")
        st.caption(_autosave_said(run))
        st.divider()
        exports_panel.panel(run)
    presenter_panel.panel(run)


def _autosave_said(run: Run) -> str:
    """What autosave does for this run, as it is."""
    said = run.snapshot().frame.get("autosave")
    if not st.session_state.autosave:
        return "Off: this run is not being saved."
    if said and said["error"]:
        return f":material/warning: {said['error']}"
    kept = f"Autosaved at step {said['step']:,}." if said and said["step"] else "Autosave begins with the first steps."
    if own_run.stores_nothing():
        kept += " This browser keeps no storage for this page: once the tab is closed, look for the run on Saved runs."
    return kept


def _save_form(run: Run) -> None:
    with st.form(page_state.mine("save_form"), border=False, enter_to_submit=True):
        st.text_input(
            "Name",
            placeholder=f"{run.config.data} {datetime.now():%d %b %H.%M}",
            key=page_state.mine("save_name"),
            help="Letters A–Z, digits, spaces, . _ and -. Empty: the data set and the time.",
        )
        st.text_input("Note", key=page_state.mine("save_note"), help="What you want to remember about this run.")
        key = page_state.mine("save_go")
        save = clicks.once(key, partial(_save, run))
        st.form_submit_button("Save", key=key, icon=":material/save:", on_click=save)
    here = page_state.page()
    if here.save_error:
        st.error(here.save_error)
    if here.saving is not None:
        st.caption("Saving.")


def _save(run: Run) -> None:
    state, here = st.session_state, page_state.page()
    if here.saving is not None or exports_panel.too_early(run):
        return
    given = (state.get(page_state.mine("save_name")) or "").strip()
    name = given or f"{run.config.data} {datetime.now():%d %b %H.%M}"
    try:
        if (run_folders.runs_folder() / run_folders.checked_name(name)).exists():
            raise ConfigError(f"There is already a run named “{name}”. Choose another name.")
        ask(run, [name], run_folders.checked_note(state.get(page_state.mine("save_note")) or ""))
        here.save_error = ""
    except ConfigError as error:
        here.save_error = str(error)


# -- autosave -----------------------------------------------------------------------------------------------


def owner() -> str:
    """The visitor's account or, without a sign-in, this browser, as a hash: who may continue what was left."""
    browser = page_state.tab().browser
    return signing_in.owner() or (hashlib.sha256(browser.encode()).hexdigest()[:16] if browser else "")


def autosave(run: Run, in_use: set[str]) -> None:
    """Keeps the run, or each of a race, in a folder of its own while the switch is on; in_use: those of all runs."""
    if run.worker is None or not owner():
        return
    if not st.session_state.get("autosave", True):
        run.keep(None)
    elif run.autosave is None:
        autosave_folders.prune(run_folders.runs_folder(), owner(), in_use)
        run.keep(
            autosave_folders.new_folders(run_folders.runs_folder(), run.config.data, owner(), len(run.configs)), owner()
        )


def offer(run: Run | None, in_use: set[str], start: Callable[[Run], Any]) -> None:
    """Offers the run, or the race, that this browser autosaved last and that nobody trains now, until it is taken or
    declined."""
    tab = page_state.tab()
    if run is not None and run.recorded and not run.ended:
        return
    if run is not None and run.worker is not None and (run.step > 0 or run.wants_play or run.sources or run.dropped):
        return
    saved = autosave_folders.left_behind(run_folders.runs_folder(), owner(), tab.kind, in_use)
    if not saved or saved[0].name in tab.declined:
        return
    what = f"race of {len(saved)} runs" if len(saved) > 1 else "run"
    step, when = max(one.step for one in saved), age(max(one.saved for one in saved))
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="offer"):
        st.markdown(f"Continue your last {what}? **{saved[0].config.data}**, step {step:,}, {when}.")
        clicks.button("Continue", "take_up", partial(_take_up, run, saved, start), type="primary")
        clicks.button("Start new", "decline", partial(_decline, saved[0].name))


def _take_up(run: Run | None, saved: list[Saved], start: Callable[[Run], Any]) -> None:
    try:
        if len(saved) > 1:
            upload = run_reading.upload_of(saved[0])
            run = run or own_run.keep(Run(saved[0].config, upload))
            run.open_race(saved, upload)
            present()
        elif run is not None:
            open_in(run, saved[0])
    except ConfigError as error:
        page_state.say(str(error))
        return
    if run is None:
        return
    run.keep([one.folder for one in saved], owner())
    start(run)


def _decline(name: str) -> None:
    page_state.tab().declined |= {name}


def age(saved: str) -> str:
    """How long ago a run was saved, in words."""
    seconds = autosave_folders.age_seconds(saved)
    if seconds == float("inf"):
        return "at an unknown time"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        n = int(seconds // length)
        if n >= 1:
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"
