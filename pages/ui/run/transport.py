"""The transport: Play, Step, Reset, New seed, Undo, the speed, and who may train."""

import random
from collections.abc import Callable
from functools import partial

import streamlit as st

from gan_core.serving.client import Run
from pages.ui.run import time_machine
from pages.ui.session import clicks, own_run, page_state

SPEEDS = {1: "1", 10: "10", 100: "100", 1_000: "1k", 0: "max"}
STEPS = (1, 10, 100)


def start(run: Run) -> bool:
    """Gives the run a training process; False where it has to wait for one in the queue. One run of a tab trains at a
    time."""
    for kind, page in page_state.PAGE_OF.items():
        other = page_state.page(kind).run
        if other is not None and other is not run and other.wants_play:
            other.pause()  # two at once would each run at half speed
            page_state.say(f"Paused the run on {page}: in a tab one run trains at a time.")
    return own_run.hub().start(run) == 0


def _play(run: Run) -> None:
    if run.wants_play:
        run.pause()
        own_run.hub().leave(run)
        return
    if page_state.held():
        page_state.say(page_state.held())
        return
    start(run)
    time_machine.present()
    run.play()


def step(run: Run, alone: str = "") -> None:
    """As many steps as are chosen; alone: with one network, "g" or "d", alone."""
    name = f"Step {alone.upper()}".strip()
    once_started(run, name, lambda: run.steps(st.session_state.get("step_size") or STEPS[0], alone))


def once_started(run: Run, name: str, action: Callable[[], None]) -> None:
    """Does what the button of this name asks of a training process, or says that there is none yet."""
    if page_state.held():
        page_state.say(page_state.held())
        return
    time_machine.present()
    if start(run):
        action()
    else:
        run.pause()
        why = own_run.hub().hindrance() or "The server is full; this run is in the queue."
        page_state.say(f"{why} Press {name} again when it is your turn.")


def _reset(run: Run) -> None:
    time_machine.present()
    config = page_state.current()
    run.reset(run.config if own_run.trouble(config) else config, page_state.page().upload)


def _undo(run: Run) -> None:
    """Brings back the run that Reset, New seed or another start took the place of."""
    if run.dropped is None:
        page_state.say("There is nothing to undo: that run is gone.")
        return
    time_machine.present()
    run.undo()
    if page_state.tab().kind in page_state.FIRST_PRESET:
        page_state.set_config(run.config)
        if run.upload is not None and run.upload is not page_state.page().upload:
            page_state.take_upload_back(run.upload)


def _new_seed(run: Run) -> None:
    time_machine.present()
    config = page_state.current().updated({"seed": another_seed()})
    page_state.set_config(config)
    if not own_run.trouble(config):
        run.configure(config, page_state.page().upload, restart=True)


def another_seed() -> int:
    """A seed that nobody has chosen."""
    return random.SystemRandom().randrange(1_000_000)


def _speed(run: Run) -> None:
    speed = st.session_state.get("speed")
    if speed is not None:
        run.set_speed(float(speed))


def transport(
    run: Run,
    reset: Callable[[Run], None] = _reset,
    new_seed: Callable[[Run], None] = _new_seed,
    more: Callable[[Run], None] | None = None,
) -> None:
    """Play / Pause, Step, Reset, New seed, Undo and the speed, and what `more` draws. The keys P, S, 0 and N press the
    buttons `play`, `step`, `reset` and `new_seed` (static/ganscope/keys.js)."""
    state = st.session_state
    if state.get("speed") != int(run.speed):
        state.speed = int(run.speed)
    state.setdefault("step_size", 1)
    held, lab = page_state.held(), page_state.page().lab
    with st.container(horizontal=True, vertical_alignment="center", key="transport", gap="xsmall"):
        playing = run.wants_play
        clicks.button(
            "Pause" if playing else "Play",
            "play",
            partial(_play, run),
            type="primary",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            width=100,
            disabled=bool(held) and not playing,
            help=held or None,
        )
        clicks.button(
            "Step",
            "step",
            partial(step, run),
            icon=":material/skip_next:",
            help="Pauses, then takes as many steps as are chosen beside it. A step is one update of the generator, "
            "unless that is frozen.",
            disabled=bool(held),
        )
        st.segmented_control(
            "Steps per click",
            STEPS,
            default=state.step_size,
            key="step_size",
            required=True,
            format_func="+{}".format,
            label_visibility="collapsed",
            persist_state="session",
        )
        clicks.button(
            "Reset",
            "reset",
            partial(reset, run),
            icon=":material/replay:",
            help="Back to step 0: same seed, same initial weights, settings kept. Undo brings the run back.",
        )
        clicks.button(
            "New seed",
            "new_seed",
            partial(new_seed, run),
            help="Starts over with another seed: other data points, initial weights and batches. Undo brings the run "
            "back.",
            disabled=lab is not None and "seed" not in lab.shown,
        )
        before = run.dropped
        clicks.button(
            "Undo",
            "undo",
            partial(_undo, run),
            disabled=before is None,
            help="Brings back the run before the last restart"
            + (f": {before.configs[0].data}, step {before.step:,}." if before else "."),
        )
        st.segmented_control(
            "Steps/s",
            list(SPEEDS),
            default=state.speed,
            key="speed",
            required=True,
            format_func=SPEEDS.__getitem__,
            on_change=clicks.here(_speed),
            args=(run,),
            persist_state="session",
            help="Speed in steps per second. Slow, to explain single steps; max, to train.",
        )
        if more is not None:
            more(run)
