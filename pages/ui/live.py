"""A page around a run: the transport buttons, and the fragment that keeps its picture fresh."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, Protocol

import numpy as np
import streamlit as st

from gan_core import run_reading
from gan_core.client import Run
from gan_core.combinations import doubtful
from gan_core.config import GANConfig, changed, with_live_fields
from gan_core.cost import step_cost
from gan_core.datasets import DATASETS
from gan_core.knobs import ConfigError
from gan_core.pictures import MissingFile
from gan_core.snapshot import Snapshot, View
from pages.ui import clicks, controls, downloads, past, session, takeaway, watch_view
from pages.ui.feed import Feed, feed_of
from pages.ui.figures import Figure
from pages.ui.liveplot import live_feed, live_plot, live_text
from pages.ui.watching import SHOWS

TICK_SECONDS = 2.0  # between two drawings by the script; in between the feed draws ten frames a second
SAVING_SECONDS = 0.3
WARMING_SECONDS = 1.0
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


def page(kind: str, switches: Callable[[Run], "Display"]) -> None:
    """A whole page around a run of `kind`, `points` or `images`."""
    controls.open_page(kind)
    run = session.own_run()
    _open_wanted(run)
    past.settle(run)
    with st.sidebar:
        config = controls.config_panel(controls.current())
    controls.write_url(config)
    # What comes and goes has a place of its own, else what stands below would be drawn anew.
    with st.container(key="problems"):
        problems = controls.problems()
        if problems:
            st.warning(" ".join(problems))
        for sentence in doubtful(config):
            st.caption(f":material/warning: {sentence}")
    transport(run)
    takeaway.progress()
    with st.container(key="news"):
        for notice in controls.news():
            st.info(notice)
    with st.container(key="questions"):
        follow(run, config)
        past.offer(run, session.hub().autosaved(), _start)
    past.autosave(run)
    live_view(run, switches)
    layer_table(run)


# -- other pages ask ----------------------------------------------------------------------------------------


def _open_wanted(run: Run) -> None:
    """Opens the saved run that another page asked for."""
    wanted = st.session_state.get("open_wanted")
    if wanted is None or wanted["kind"] != st.session_state.kind:
        return
    del st.session_state["open_wanted"]
    try:
        past.open_in(run, run_reading.read(wanted["folder"]), wanted["step"])
    except ConfigError as error:
        controls.say(str(error))
        return
    _start(run)


def new_race(configs: tuple[GANConfig, ...], upload: Any) -> None:
    """Starts this tab's race over with these settings; it stands at step 0."""
    state = st.session_state
    run = state.get(controls.mine("run"))
    if run is None:
        run = session.keep(Run(configs[0], upload))
    run.race(configs, upload)
    past.present()
    _start(run)


# -- settings -> run ----------------------------------------------------------------------------------------


def follow(run: Run, config: GANConfig) -> None:
    """Brings the run to the page's settings; a change that would throw steps away waits for a click."""
    upload = controls.upload()
    if DATASETS[config.data].upload and upload is None:
        st.info(
            "Choose your file in the sidebar; until then the picture shows the run as it was.",
            icon=":material/upload:",
        )
        return
    if run.can_go_on_as(config, upload):
        run.configure(config, upload)
        return
    try:
        with st.spinner("Loading the data"):
            session.check(config, controls.upload())
    except MissingFile as missing:
        downloads.offer(missing)
        return
    except ConfigError as error:
        st.error(f"{error} The picture shows the run as it was.")
        return
    if run.step == 0:
        run.configure(config, upload)
        return
    run.configure_live(config)
    names = [n for n in changed(run.config, config) if n not in controls.DATA_PREFIX] or ["data"]
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="pending"):
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        st.markdown(f"**{shown}** cannot change under way: starting over drops {run.step:,} steps.")
        clicks.button("Start over", "apply", partial(_apply, run), type="primary")
        clicks.button("Keep the run", "keep", partial(_keep, run))


def _apply(run: Run) -> None:
    run.configure(controls.current(), controls.upload(), restart=True)


def _keep(run: Run) -> None:
    controls.set_config(with_live_fields(run.config, controls.current()))


# -- transport ----------------------------------------------------------------------------------------------


def _start(run: Run) -> bool:
    """Gives the run a training process; False where it has to wait for one in the queue."""
    state = st.session_state
    for kind, page in controls.PAGE_OF.items():
        other = state.get(controls.mine("run", kind))
        if other is not None and other is not run and other.wants_play:
            other.pause()  # two at once would each run at half speed
            controls.say(f"The run on the page {page} is paused meanwhile.")
    return session.hub().start(run) == 0


def _play(run: Run) -> None:
    if run.wants_play:
        run.pause()
        session.hub().leave(run)
        return
    _start(run)
    past.present()
    run.play()


def _step(run: Run) -> None:
    past.present()
    if _start(run):
        run.steps(st.session_state.get("step_size") or STEPS[0])
    else:
        run.pause()
        why = session.hub().hindrance() or "Every training place is taken."
        controls.say(f"{why} This run waits for its place. Press Step again once it has one.")


def _reset(run: Run) -> None:
    past.present()
    config = controls.current()
    run.reset(run.config if session.trouble(config) else config, controls.upload())


def _new_seed(run: Run) -> None:
    past.present()
    config = controls.current().updated({"seed": another_seed()})
    controls.set_config(config)
    if not session.trouble(config):
        run.configure(config, controls.upload(), restart=True)


def another_seed() -> int:
    """A seed that nobody has chosen."""
    return random.SystemRandom().randrange(1_000_000)


def _speed(run: Run) -> None:
    speed = st.session_state.get("speed")
    if speed is not None:
        run.set_speed(float(speed))


def transport(run: Run, reset: Callable[[Run], None] = _reset, new_seed: Callable[[Run], None] = _new_seed) -> None:
    """Play / Pause, Step, Reset, New seed and the speed, with their keys P, S, 0 and N."""
    state = st.session_state
    clicks.arrived()
    if state.get("speed") != int(run.speed):
        state.speed = int(run.speed)
    state.setdefault("step_size", 1)
    with st.container(horizontal=True, vertical_alignment="center", key="transport", gap="xsmall"):
        playing = run.wants_play
        clicks.button(
            "Pause" if playing else "Play",
            "play",
            partial(_play, run),
            type="primary",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            shortcut="P",
            width=124,
        )
        clicks.button(
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
        clicks.button(
            "Reset",
            "reset",
            partial(reset, run),
            icon=":material/replay:",
            shortcut="0",
            help="Back to step 0: same seed, same initial weights, settings kept.",
        )
        clicks.button(
            "New seed",
            "new_seed",
            partial(new_seed, run),
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
            on_change=clicks.here(_speed),
            args=(run,),
            label_visibility="collapsed",
            persist_state="session",
            help="Steps per second: slow to explain, full to train.",
        )


# -- the live picture ---------------------------------------------------------------------------------------


class Display(Protocol):
    """What a page's picture shows (points_view.py, images_view.py)."""

    def view(self) -> View:
        """What the worker is to make for the next frame."""

    def stills(self, snapshot: Snapshot) -> dict[str, Figure]:
        """The figures of what stands beside the moving parts, by name; drawn in full runs only."""

    def panels(self, snapshot: Snapshot) -> dict[str, Figure]:
        """The figures of the moving parts, by name."""

    def own(self, snapshot: Snapshot, view: View) -> dict[str, Figure]:
        """More figures, which only the run's own page shows, by name."""

    def draw(self, shown: dict[str, Figure]) -> None:
        """Draws the moving parts, by the elements' keys: `live_` and the name."""

    def presented(self) -> "Display":
        """What those see to whom the run is presented: they choose among all layers."""

    def scores(self, metrics: dict[str, Any]) -> tuple[list[tuple[str, str, str]], str]:
        """((value, name, what real data get) of each score, a note on how they were measured) of the newest metrics."""


def live_view(run: Run, switches: Callable[[Run], Display]) -> None:
    """Status, picture, losses and numbers, fresh ten times a second while anything moves and still otherwise."""
    state, key = st.session_state, controls.mine("feed")
    feed = state[key] = feed_of(run, state.get(key))
    picture = st.container(gap="xsmall", key="picture")  # filled last, for it needs the switches below it
    display = switches(run)
    before = run.snapshot()
    every = every_seconds(run, before)
    st.session_state.full_run = True
    try:
        with picture:
            for name, figure in display.stills(before).items():
                live_plot(figure, key=f"live_{name}")
            watch_view.presents(run, display, _metrics)
            st.fragment(_draw, run_every=every)(run, display, every, feed)
    finally:
        st.session_state.full_run = False


def every_seconds(run: Run, snapshot: Snapshot) -> float | None:
    """Seconds from one drawing by the script to the next; None where all stands still."""
    if past.pending():
        return SAVING_SECONDS
    if snapshot.moving:
        return TICK_SECONDS
    waits = snapshot.status in ("idle", "ended") and (session.hub().warmth() == "starting" or session.hub().place(run))
    return WARMING_SECONDS if waits else None


def _draw(run: Run, display: Display, every: float | None, feed: Feed) -> None:
    shown = display if SHOWS.of(run) is None else display.presented()
    feed.view = replace(shown.view(), at=past.looked_at())
    feed.figures = partial(_figures, display, feed.view)
    feed.texts = partial(_texts, run, display)
    feed.scrubber = past.recorded()
    snapshot, place = feed.look()
    if past.settled() or (snapshot.moving and every is None):
        st.rerun()  # another view was asked for while all stood still, and its frame is not here yet
    tick = ticking()
    if every is not None and tick and every_seconds(run, snapshot) != every:
        st.rerun()  # the timer changes only in a full run
    if tick and bool(snapshot.frame.get("layers")) != st.session_state.get("layers_known", False):
        st.rerun()  # so does the table of layers
    if snapshot.status == "playing" and not run.speed and snapshot.steps_per_second > 0:
        cost = step_cost(snapshot.config, snapshot.data.shape)
        st.session_state.speed_seen = cost * snapshot.steps_per_second
    # Every element is a message of a third of a millisecond, so the style (frame.py) lays them out, not columns.
    drawn = feed.shown(snapshot, place)
    for key, html in drawn["texts"].items():
        with st.container(key=key):
            live_text(html, key, place)
    display.draw(drawn["plots"])
    past.draw_scrubber(run, snapshot, **drawn["scrubber"])
    live_feed(feed.token, snapshot.moving, place)
    if snapshot.error:
        st.error(snapshot.error)


def _figures(display: Display, view: View, snapshot: Snapshot) -> dict[str, Figure]:
    shown = {**display.panels(snapshot), **display.own(snapshot, view)}
    return {f"live_{name}": figure for name, figure in shown.items()}


def _texts(run: Run, display: Display, snapshot: Snapshot) -> dict[str, str]:
    path = f", {snapshot.frame['path']}" if snapshot.frame.get("path") else ""
    status = f"{rate(snapshot.steps_per_second)} steps/s{path} · {_status(run, snapshot)}"
    return {
        "step_counter": f"<p>step {snapshot.shown:,}</p>",
        "steps_per_second": f"<p>{escape(status)}</p>",
        "metrics": _metrics(snapshot, display),
    }


def ticking() -> bool:
    """Whether this is a tick of the timer, or an event of the picture's own, and no click's full run is due."""
    return not st.session_state.get("full_run") and not clicks.due()


def rate(steps_per_second: float) -> str:
    return f"{steps_per_second:,.0f}" if steps_per_second >= 9.5 or not steps_per_second else f"{steps_per_second:.1f}"


def in_queue(run: Run) -> str:
    """Where a run stands that waits for a training process; "" for one that does not."""
    place, places = session.hub().place(run), session.hub().limit
    if place and session.hub().hindrance():
        return session.hub().hindrance()
    here = "the only training place" if places == 1 else f"one of {places} training places"
    return f"number {place} in the queue for {here}; starts by itself" if place else ""


def _status(run: Run, snapshot: Snapshot) -> str:
    c = snapshot.config
    if session.hub().place(run):
        said = in_queue(run)
    elif snapshot.status == "idle":
        warmth = session.hub().warmth()
        said = "a training process is warming up" if warmth == "starting" else "ready" if warmth == "warm" else ""
        said = f"{said}; press Play" if said else "press Play"
    else:
        said = STATUS[snapshot.status]
    if snapshot.shown != snapshot.step:
        said = f"{said} at {snapshot.step:,}"
    parent = snapshot.frame.get("parent")
    branch = f" · branch of {parent.name} at {parent.step:,}" if parent else ""
    return f"{said} · {c.data} · seed {c.seed}{branch}{watch_view.watched(run)}"


def _metrics(snapshot: Snapshot, display: Display) -> str:
    """The scores beside their floors and sample sizes, as HTML."""
    m = snapshot.frame.get("metrics") or {}
    if "samples" not in m:
        text = m.get("note", "Scores appear with the first frame.")
        return f'<div class="ganscope-metrics"><span>{escape(text)}</span></div>'
    cells, how = display.scores(m)
    body = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}<br>{escape(c)}</span></div>" for a, b, c in cells)
    which = "EMA generator" if snapshot.config.show_ema else "raw generator"
    note = f"{which}, step {m['step']:,}; {how}"
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
