"""The session's run: whose it is, the transport buttons, and the fragment that keeps its picture fresh."""

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from html import escape

import numpy as np
import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gan_core.client import Run
from gan_core.config import GANConfig, changed, with_live_fields
from gan_core.hub import Full, Hub
from gan_core.snapshot import Snapshot, View
from pages.ui import controls, figures
from pages.ui.liveplot import live_plot, tab_key

FRAME_SECONDS = 0.1
WARMING_SECONDS = 1.0
CLICK_SECONDS = 2.0  # a click's own message comes within this, or it is lost
CLAIM_ATTEMPTS = 5  # a refresh can be faster than the news that the old page is gone
SPEEDS = {1: "1/s", 10: "10/s", 100: "100/s", 1_000: "1k/s", 0: "full"}
STEPS = (1, 10, 100)
STATUS = {
    "warming": "the training process is warming up, a few seconds",
    "compiling": "compiling the training step, a few seconds",
    "loading": "…",
    "playing": "playing",
    "stepping": "stepping",
    "paused": "paused",
    "ended": "ended",
}


def _is_connected(session: str) -> bool:
    return Runtime.exists() and Runtime.instance().is_active_session(session)


@st.cache_resource(show_spinner=False)
def hub() -> Hub:
    """The server's one hub."""
    return Hub(_is_connected)


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


# -- whose run ----------------------------------------------------------------------------------------------


def own_run() -> Run:
    """This tab's run: found again by the tab's own key after a refresh, else a fresh one of the page's config."""
    state = st.session_state
    try:
        hub()
    except ValueError as error:  # a malformed environment variable
        st.error(str(error))
        st.stop()
    _claim()
    config = controls.current()
    if "run" not in state:
        usable = config if config.data != "file" or controls.points() is not None else GANConfig.from_flat({})
        state.run = Run(usable, controls.points())
        hub().adopt(state.get("tab") or f"session {_session()}", _session(), state.run)
    hub().visit(_session(), state.run.config)
    return state.run


def _claim() -> None:
    """Takes up the run that this tab had before a refresh, once the browser has said the tab's key."""
    state = st.session_state
    said = tab_key(state.get("tab_renew", ""), state.get("tab_attempt", 0))
    if said is None or said == state.get("tab_said"):
        return
    state.tab_said = said
    key, attempt = said
    try:
        run = hub().take_up(key, _session())
    except PermissionError:
        # Another page holds it: an old one that is just closing, or this tab is a duplicate.
        if attempt >= CLAIM_ATTEMPTS:
            state.tab_renew = key
        state.tab_attempt = attempt + 1
        st.rerun()
    state.tab = key
    own = state.get("run")
    if run is None and own is not None:
        hub().adopt(key, _session(), own)
    elif run is not None and run is not own and (own is None or own.worker is None):
        state.run, state.speed = run, run.speed
        controls.set_config(run.config)
        if run.points is not None:
            state.points, state.points_name, state.points_note = run.points, "your file", ""
        st.rerun()


# -- settings -> run ----------------------------------------------------------------------------------------


def follow(run: Run, config: GANConfig) -> None:
    """Brings the run to the page's settings; a change that would throw steps away waits for a click."""
    points = controls.points()
    if config.data == "file" and points is None:
        st.info(
            "Choose your file in the sidebar; until then the plane shows the run as it was.",
            icon=":material/upload:",
        )
        return
    if run.can_go_on_as(config, points) or run.step == 0:
        run.configure(config, points)
        return
    run.configure_live(config)
    names = [n for n in changed(run.config, config) if n not in controls.DATA_PREFIX] or ["data"]
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="pending"):
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        st.markdown(f"**{shown}** cannot change under way: starting over drops {run.step:,} steps.")
        _button("Start over", "apply", partial(_apply, run), type="primary")
        _button("Keep the run", "keep", partial(_keep, run))


def _apply(run: Run) -> None:
    run.configure(controls.current(), controls.points(), restart=True)


def _keep(run: Run) -> None:
    controls.set_config(with_live_fields(run.config, controls.current()))


# -- transport ----------------------------------------------------------------------------------------------


_CLICKS = threading.Lock()


def _button(label: str, key: str, action: Callable[[], None], **rest) -> None:
    """A button whose click acts exactly once.

    A click's value can travel twice: with its own message and with the fragment's tick that happens to leave the
    browser at the same moment. Both name the drawing of the button that was clicked, and only the first counts.
    Until the click's own message has drawn the button anew, a tick asks for no full run (`click_due`).
    """
    state = st.session_state
    drawing = state[f"drawing_{key}"] = state.get(f"drawing_{key}", 0) + 1

    def clicked() -> None:
        with _CLICKS:
            if state.get(f"clicked_{key}", 0) >= drawing:
                return
            state[f"clicked_{key}"] = drawing
            state.click_due = time.monotonic() + CLICK_SECONDS
        action()

    st.button(label, key=key, on_click=clicked, **rest)


def _start(run: Run) -> bool:
    try:
        hub().start(run)
    except Full as full:
        st.session_state.notice = str(full)
        return False
    return True


def _play(run: Run) -> None:
    if run.wants_play:
        run.pause()
    elif _start(run):
        run.play()


def _step(run: Run) -> None:
    if _start(run):
        run.steps(st.session_state.step_size)


def _reset(run: Run) -> None:
    config = controls.current()
    if config.data == "file" and controls.points() is None:
        config = run.config
    run.reset(config, controls.points())


def _new_seed(run: Run) -> None:
    config = controls.current().updated({"seed": random.SystemRandom().randrange(1_000_000)})
    controls.set_config(config)
    if config.data != "file" or controls.points() is not None:
        run.configure(config, controls.points(), restart=True)


def _speed(run: Run) -> None:
    run.set_speed(float(st.session_state.speed))


def transport(run: Run) -> None:
    """Play / Pause, Step, Reset, New seed and the speed, with their keys P, S, 0 and N."""
    state = st.session_state
    state.click_due = 0.0
    state.setdefault("speed", int(run.speed))
    state.setdefault("step_size", 1)
    with st.container(horizontal=True, vertical_alignment="center", key="transport", gap="xsmall"):
        playing = run.wants_play
        _button(
            "Pause" if playing else "Play",
            "play",
            partial(_play, run),
            type="primary",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            shortcut="P",
            width=124,
        )
        _button(
            "Step",
            "step",
            partial(_step, run),
            icon=":material/skip_next:",
            shortcut="S",
            help="Pauses, then takes this many steps. A step is one generator update.",
        )
        st.segmented_control(
            "steps per click",
            STEPS,
            key="step_size",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        _button(
            "Reset",
            "reset",
            partial(_reset, run),
            icon=":material/replay:",
            shortcut="0",
            help="Back to step 0: same seed, same initial weights, settings kept.",
        )
        _button(
            "New seed",
            "new_seed",
            partial(_new_seed, run),
            icon=":material/casino:",
            shortcut="N",
            help="Starts over with another seed: other data points, weights and draws.",
        )
        st.segmented_control(
            "speed, steps per second",
            list(SPEEDS),
            key="speed",
            required=True,
            format_func=SPEEDS.get,
            on_change=_speed,
            args=(run,),
            label_visibility="collapsed",
            persist_state="session",
            help="Steps per second: slow to explain, full to train.",
        )
    notice = state.pop("notice", None)
    if notice:
        st.warning(notice)


# -- the live picture ---------------------------------------------------------------------------------------


def live_view(run: Run) -> None:
    """Status, plane, losses and numbers, fresh ten times a second while anything moves and still otherwise."""
    picture = st.container(gap="xsmall", key="picture")  # filled last, for it needs the switches below it
    with st.container(horizontal=True, vertical_alignment="center", key="display"):
        layers = st.pills(
            "layers",
            list(figures.LAYERS),
            selection_mode="multi",
            default=["real", "fake", "heat"],
            format_func=figures.LAYERS.get,
            key="layers",
            label_visibility="collapsed",
            help=figures.LAYER_HELP,
            persist_state="session",
        )
        log = st.toggle("log loss", key="log_losses", persist_state="session", help="Logarithmic loss axis.")
        smoothed = st.toggle(
            "smooth",
            value=True,
            key="smooth_losses",
            persist_state="session",
            help="Moving averages over the curves. Off: the raw means, with lowest to highest value as a band.",
        )
    if "manifold" in layers and run.config.latent_dim > 2:
        st.caption("The manifold can be drawn for a latent dimension of 1 or 2 only.")
    before = run.snapshot()
    warming = before.status in ("idle", "ended") and hub().warmth() == "starting"
    every = FRAME_SECONDS if before.moving else WARMING_SECONDS if warming else None
    st.session_state.full_run = True
    try:
        with picture:
            st.fragment(_draw, run_every=every)(run, set(layers), log, smoothed, warming)
    finally:
        st.session_state.full_run = False


def _draw(run: Run, layers: set[str], log: bool, smoothed: bool, warming: bool) -> None:
    view = View("heat" in layers, "manifold" in layers, "arrows" in layers)
    snapshot = run.poll(view)
    ticking = not st.session_state.get("full_run") and time.monotonic() > st.session_state.get("click_due", 0.0)
    if ticking and not snapshot.moving:
        still_warming = snapshot.status in ("idle", "ended") and hub().warmth() == "starting"
        if not (warming and still_warming):
            st.rerun()  # the timer changes only in a full run
    if ticking and bool(snapshot.frame.get("layers")) != st.session_state.get("layers_known", False):
        st.rerun()  # so does the table of layers
    # Every element is a message of a third of a millisecond, so the style (frame.py) lays them out, not columns.
    with st.container(key="step_counter"):
        st.markdown(f"step {snapshot.step:,}")
    with st.container(key="steps_per_second"):
        st.markdown(f"{snapshot.steps_per_second:,.0f} steps/s · {_status(snapshot)}")
    live_plot(figures.plane(snapshot, layers), key="live_samples")
    live_plot(figures.losses(snapshot, log, smoothed), key="live_losses")
    with st.container(key="metrics"):
        st.html(_metrics(snapshot))
    if snapshot.error:
        st.error(snapshot.error)


def _status(snapshot: Snapshot) -> str:
    c = snapshot.config
    if snapshot.status == "idle":
        warmth = hub().warmth()
        said = "a training process is warming up" if warmth == "starting" else "ready" if warmth == "warm" else ""
        said = f"{said}; press Play" if said else "press Play"
    else:
        said = STATUS[snapshot.status]
    return f"{said} · {c.data} · seed {c.seed}"


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.3g}"


def _metrics(snapshot: Snapshot) -> str:
    """The scores beside their floors and sample sizes, as HTML."""
    m = snapshot.frame.get("metrics") or {}
    cells: list[tuple[str, str]] = []
    if "modes" in m:
        cells.append((f"{m['modes']} / {m['modes_total']}", "modes captured"))
        cells.append((f"{100 * m['hq']:.1f} %", f"HQ (perfect {100 * m['hq_perfect']:.1f} %)"))
    if "w1" in m:
        cells.append((_number(m["w1"]), f"W1 (floor {_number(m['w1_floor'])})"))
    if not cells:
        return '<div class="ganscope-metrics"><span>Scores appear with the first frame.</span></div>'
    body = "".join(f"<div><b>{escape(value)}</b><span>{escape(label)}</span></div>" for value, label in cells)
    which = "EMA generator" if snapshot.config.show_ema else "raw generator"
    note = f"{which}, step {m['step']:,}; {m['samples']:,} samples, Wasserstein-1 of {m['w1_samples']:,}"
    return f'<div class="ganscope-metrics">{body}</div><div class="ganscope-note">{escape(note)}</div>'


def layer_table(run: Run) -> None:
    """Each network's layers, output shapes and parameter counts, to open."""
    rows = run.snapshot().frame.get("layers")
    st.session_state.layers_known = bool(rows)
    with st.expander("Layers and parameters"):
        if not rows:
            st.caption("The table appears with the first frame: the networks are built by the training process.")
            return
        for name in ("generator", "discriminator"):
            own = [r for r in rows if r["network"] == name]
            total = int(np.sum([r["parameters"] for r in own]))
            st.markdown(f"**{name}**: {total:,} parameters")
            st.table([{k: r[k] for k in ("layer", "output", "parameters")} for r in own])
