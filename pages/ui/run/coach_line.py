"""What the coach says of a run, in one line, and what one can do about it: apply the remedy, or race it."""

from functools import partial
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from gan_core.diagnosis.coach import EARLY
from gan_core.diagnosis.findings import HELD_SCORES
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.objectives.losses import LOSSES
from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from gan_core.training.train_step import COLUMNS
from pages.ui.figures.loss_figures import equilibrium_name, smooth
from pages.ui.run import settings_panel
from pages.ui.session import clicks, page_state

RACE_PAGE = "pages/compare.py"


def line(snapshot: Snapshot) -> str:
    """What the coach says of the step that is shown, as HTML."""
    frame = snapshot.frame
    findings = frame.get("findings")
    if not findings:
        return f'<p class="ganscope-coach">{escape(_well(snapshot))}</p>'
    return f'<p class="ganscope-coach found">{_found(findings)}</p>'


def for_watchers(snapshot: Snapshot) -> str:
    """The same for those to whom a run is presented, as HTML; "" where there is nothing to say."""
    return line(snapshot) if snapshot.frame.get("findings") else ""


def _found(findings: list[dict[str, Any]]) -> str:
    first, more = findings[0], findings[1:]
    text = (
        f'<span aria-hidden="true">⚠</span> <b title="{escape(first["why"])}">{escape(first["title"])}.</b> '
        f"{escape(first['sentence'])}"
    )
    if more:
        others = " ".join(f"{other['title']}. {other['sentence']}" for other in more)
        said = escape(f"{len(more)} more: {others}")
        text += f' <u tabindex="0" title="{escape(others)}" aria-label="{said}">+{len(more)} more</u>'
    return text


def _well(snapshot: Snapshot) -> str:
    if not snapshot.frame or snapshot.step == 0:
        return "The coach has seen nothing yet. Press Play."
    if snapshot.shown < EARLY:
        return f"Too early to say: the coach begins at step {EARLY:,}."
    scored, past = snapshot.frame.get("scored", 0), snapshot.frame.get("at") is not None
    if 0 < scored < HELD_SCORES:
        said = f"Nothing is wrong so far: the coach waits for {HELD_SCORES} scores and has {scored}."
    elif not scored:
        said = "As far as the losses show, all is well."
    else:
        said = f"At step {snapshot.shown:,} all was well." if past else "All is well."
    return said + _from_equilibrium(snapshot)


def _from_equilibrium(snapshot: Snapshot) -> str:
    """How far both losses are from where they rest, "" where a loss may rest anywhere."""
    rest = LOSSES[snapshot.config.loss].equilibrium
    history = snapshot.frame.get("history")
    if None in rest or history is None:
        return ""
    seen = np.asarray(history["mean"])[np.asarray(history["step"]) <= snapshot.shown]
    if not len(seen):
        return ""
    said = [
        f"{name} {abs(float(smooth(seen[:, COLUMNS.index(column)])[-1]) - at):.2f} ({equilibrium_name(at)})"
        for name, column, at in zip(("generator", "discriminator"), ("g_loss", "d_loss"), rest, strict=True)
        if at is not None
    ]
    return f" Distance of each loss from its equilibrium: {', '.join(said)}."


# -- what one can do ----------------------------------------------------------------------------------------


def shown(snapshot: Snapshot) -> dict[str, Any] | None:
    """The finding whose remedy is offered: the first one of the latest step; None where one looks back, or where there
    is no remedy."""
    findings = snapshot.frame.get("findings")
    if not findings or snapshot.frame.get("at") is not None or not findings[0]["remedy"]:
        return None
    return findings[0]


def offered(snapshot: Snapshot) -> tuple[Any, ...]:
    """What decides which buttons there are."""
    finding = shown(snapshot)
    return () if finding is None else (finding["name"], finding["live"], *finding["remedy"].items())


def buttons(run: Run, snapshot: Snapshot) -> None:
    """Apply, where the remedy takes effect immediately, and Race it; none where there is nothing to do."""
    finding = shown(snapshot)
    if finding is None:
        return
    config, remedy = snapshot.config, finding["remedy"]
    changes = ", ".join(f"{settings_panel.short_label(name, config)} {_short(remedy[name])}" for name in remedy)
    if finding["live"] and _is_allowed(remedy):
        clicks.button(
            "Apply",
            "coach_apply",
            partial(_apply, run, finding["name"]),
            type="primary",
            help=f"Sets {changes}. Takes effect immediately.",
        )
    clicks.button(
        "Race it",
        "coach_race",
        partial(_race, run, finding["name"]),
        icon=":material/flag:",
        help=f"Opens Compare: these settings against the same with {changes}. Same seed, same start.",
    )


def _is_allowed(remedy: dict[str, Any]) -> bool:
    """Whether the page can take the remedy: a lab that does not show its settings would be left, its run lost to it."""
    lab = page_state.page().lab
    return lab is None or not lab.not_shown(page_state.current().updated(remedy))


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _remedy(run: Run, name: str) -> dict[str, Any] | None:
    """The remedy of the finding of this name as it is by now; None where that is over, which the page then says."""
    finding = shown(run.snapshot())
    if finding is None or finding["name"] != name:
        page_state.say("That finding is over, so there is nothing to change.")
        return None
    return finding["remedy"]


def _apply(run: Run, name: str) -> None:
    remedy = _remedy(run, name)
    if remedy is None:
        return
    try:
        if _is_allowed(remedy):
            page_state.set_config(page_state.current().updated(remedy))
        else:
            page_state.say("The lab does not have these settings. Try another way, or race the remedy.")
    except ConfigError as error:
        page_state.say(str(error))


def _race(run: Run, name: str) -> None:
    remedy, tab = _remedy(run, name), page_state.tab()
    if remedy is None:
        return
    try:
        tab.racing = (run.config, run.config.updated(remedy)), run.upload
    except ConfigError as error:
        page_state.say(str(error))
        return
    st.session_state.compare_way = "race"
    tab.goes_to = RACE_PAGE
