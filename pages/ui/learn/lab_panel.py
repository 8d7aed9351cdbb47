"""The slim panel of a lab: question, prediction, what to look at, and how far its goal is."""

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from gan_core.diagnosis.facts import Recorded
from gan_core.labs import library, receipts
from gan_core.labs.lab import Lab
from gan_core.recording import goal_watch
from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from pages.ui import shell
from pages.ui.components.markdown import plain
from pages.ui.session import clicks, page_state
from pages.ui.session.page_state import Progress

TEXT = "lab_goal"  # the key of what the page's feed keeps fresh


# -- how far it is ------------------------------------------------------------------------------------------


def goal() -> tuple[str, int, int]:
    """The goal of the page's lab, after how many steps it is looked at, by the training process itself, and the last
    step that counts; ("", 0, 0)
    without a lab."""
    lab = page_state.page().lab
    return ("", 0, 0) if lab is None else (lab.goal.condition.text, lab.goal.every, lab.goal.within)


def _told(lab: Lab, snapshot: Snapshot) -> dict[str, Any]:
    """What the training process says of the goal of this lab: changes so far, and how it was reached."""
    told = snapshot.frame.get("goal") or {}
    return told if told.get("text") == lab.goal.condition.text else {}


def objection(run: Run, lab: Lab, snapshot: Snapshot) -> str:
    """Why the run does not count for the goal, in a sentence; "" where it does."""
    if run.sources:
        return "It goes on from a saved run."
    told = _told(lab, snapshot)
    reached, changes = told.get("reached"), told.get("changes", [])
    if reached:
        return lab.goal.not_allowed(lab.start, reached["settings"], reached["changes"])
    return lab.goal.not_allowed(lab.start, goal_watch.begun_with(snapshot.config, changes), changes)


def stage(run: Run, lab: Lab | None, snapshot: Snapshot) -> str:
    """Where the run is, as far as the panel looks different: `reached`, `over` without that, or ""."""
    if lab is None:
        return ""
    if _told(lab, snapshot).get("reached") and not objection(run, lab, snapshot):
        return "reached"
    return "over" if snapshot.step > lab.goal.within else ""


def text_of(run: Run) -> Callable[[Snapshot], dict[str, str]]:
    """A snapshot -> the words that are kept fresh: the goal, what to look at, and how far it is, as HTML."""
    lab = page_state.page().lab
    if lab is None:
        return lambda snapshot: {}
    return partial(_texts, run, lab, page_state.progress(), page_state.held())


def _texts(run: Run, lab: Lab, progress: Progress, held: str, snapshot: Snapshot) -> dict[str, str]:
    if held:
        words = f"<p>{escape(held)} Then <b>Play</b> is free.</p>"
    else:
        chosen = lab.answers[progress.answer] if progress.answer is not None else ""
        words = f"<p><b>Goal</b> {escape(lab.task)} <b>{escape(_state(run, lab, progress, snapshot))}</b></p>"
        if not (progress.receipt or progress.revealed):  # the answer takes its place
            words += f"<p><b>Look at</b> {escape(lab.look_at)} <i>You predicted: {escape(chosen)}.</i></p>"
    return {TEXT: f'<div class="ganscope-lab">{words}</div>'}


def _state(run: Run, lab: Lab, progress: Progress, snapshot: Snapshot) -> str:
    """How far the goal is, in a sentence."""
    now = stage(run, lab, snapshot)
    reached = _told(lab, snapshot).get("reached")
    if now == "reached" and reached:
        return f"✓ Reached at step {reached['step']:,}."
    if progress.receipt:
        return f"✓ Reached before, at step {progress.step:,}."
    why = objection(run, lab, snapshot)
    if why and snapshot.step:
        return f"✗ This run does not count: {why} Set that back and press Reset."
    if now == "over":
        return f"✗ The {lab.goal.within:,} steps are over. Press Reset to try again."
    values = lab.goal.values(_recorded(snapshot)) if snapshot.step else ""
    return f"○ Not yet{f': {values}' if values else ''}."


def _recorded(snapshot: Snapshot) -> Recorded:
    """What the page knows of its run: the newest scores, not those before."""
    frame, scores = snapshot.frame, snapshot.frame.get("metrics") or {}
    history = frame.get("history") or {"step": [], "mean": []}
    judged = frame.get("judged") or {}
    return Recorded(snapshot.config, history, [scores] if "step" in scores else [], judged)


def _settle(run: Run, lab: Lab) -> None:
    """Writes the receipt once the goal is reached, and keeps the first one."""
    snapshot, progress = run.snapshot(), page_state.progress()
    if progress.receipt or stage(run, lab, snapshot) != "reached" or progress.answer is None:
        return
    reached = _told(lab, snapshot)["reached"]
    progress.receipt, progress.step = receipts.written(lab, lab.answers[progress.answer], reached), reached["step"]


# -- the panel ----------------------------------------------------------------------------------------------


def panel(run: Run) -> Any:
    """Draws the panel of the page's lab; returns the place of TEXT, or None without a lab."""
    with st.container(key="lab_place", gap=None):
        lab = page_state.page().lab
        if lab is None:
            return None
        _settle(run, lab)
        progress = page_state.progress()
        with st.container(key="lab", gap=None):
            with st.container(horizontal=True, vertical_alignment="center", key="lab_head", gap="small"):
                st.html(f'<p class="ganscope-question"><b>{escape(lab.title)}</b> {escape(lab.question)}</p>')
                now = stage(run, lab, run.snapshot())
                if now == "over" and progress.answer is not None and not (progress.receipt or progress.revealed):
                    about = "What happens here, and why. You can still reach the goal afterwards."
                    clicks.button("Show the answer", "lab_answer_now", _show_answer, type="tertiary", help=about)
                out = "Shows all settings again. The run stays as it is."
                clicks.button("Leave the lab", "lab_leave", _leave, type="tertiary", help=out)
            with st.container(horizontal=True, vertical_alignment="center", key="lab_row", gap="small"):
                with st.container(key="lab_ask", width="content"):
                    if progress.answer is None:
                        _ask(lab)
                place = st.container(key=TEXT)
            if progress.receipt or progress.revealed:
                _reveal(lab, progress)
        return place


def _ask(lab: Lab) -> None:
    """The prediction, without which Play stays closed."""
    key = f"lab_answer_{lab.name}"
    st.segmented_control(
        "Your prediction",
        list(range(len(lab.answers))),
        key=key,
        format_func=lambda i: plain(lab.answers[i]),
        on_change=clicks.here(partial(_answered, key, lab)),
        label_visibility="collapsed",
    )


def _answered(key: str, lab: Lab) -> None:
    chosen = st.session_state.get(key)
    here = page_state.page().lab
    if here is not None and here.name == lab.name and isinstance(chosen, int) and 0 <= chosen < len(lab.answers):
        page_state.progress().answer = chosen


def _reveal(lab: Lab, progress: Progress) -> None:
    """What happened, beside the prediction; the receipt, and the next lab."""
    predicted = "" if progress.answer is None else lab.answers[progress.answer]
    came = ""
    if lab.right:
        true = progress.answer == lab.right - 1
        came = "✓ as you predicted. " if true else f"{lab.answers[lab.right - 1]}. You predicted: {predicted}. "
    with st.container(horizontal=True, vertical_alignment="center", key="lab_reveal", gap="small"):
        st.html(f'<p class="ganscope-reveal"><b>What happens:</b> {escape(came)}{escape(lab.reveal)}</p>')
        if progress.receipt:
            st.download_button(
                "Receipt",
                progress.receipt,
                f"receipt-{lab.name}.json",
                "application/json",
                key="lab_receipt",
                icon=":material/receipt_long:",
                on_click="ignore",
                help="Settings, seed, changes and score, as a file. `python -m gan_core check` trains it again.",
            )
        following = library.following(lab)
        if following:
            clicks.button("Next lab", "lab_next", partial(go, following), icon=":material/arrow_forward:")


def _show_answer() -> None:
    page_state.progress().revealed = True


def _leave() -> None:
    here = page_state.page()
    here.lab, here.begins = None, False


def go(name: str) -> None:
    """Opens the lab of this name on its page; a name that there is no more is passed over with a sentence."""
    lab = library.labs()[0].get(name)
    if lab is None:
        page_state.say("This lab is not there any more.")
        return
    page_state.enter(lab)
    if lab.kind != page_state.tab().kind:
        page_state.tab().goes_to = shell.PAGE_OF_KIND[lab.kind]


def open_from_list(name: str) -> None:
    """As `go`, from a page that is none of a run."""
    go(name)
    lab = library.labs()[0].get(name)
    if lab is not None:
        page_state.tab().goes_to = shell.PAGE_OF_KIND[lab.kind]
