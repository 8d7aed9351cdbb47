"""A page around a run: the transport buttons, and the fragment that keeps its picture fresh."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, Protocol

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.data.image_datasets import MissingFile
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.cost import step_cost
from gan_core.recording.snapshot import Snapshot, View
from gan_core.runs import run_reading
from gan_core.serving.client import Run
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import GANConfig, changed, with_live_fields
from pages.ui import shell, watch_view
from pages.ui.components.liveplot import live_feed, live_plot, live_text
from pages.ui.figures.point_figures import Figure
from pages.ui.frames.feed import STATUS, Feed, feed_of
from pages.ui.frames.presentations import SHOWS
from pages.ui.run import downloads_panel, notices, settings_panel, time_machine
from pages.ui.session import clicks, own_run

TICK_SECONDS = 2.0  # between two drawings by the script; in between the feed draws ten frames a second
SAVING_SECONDS = 0.3
WARMING_SECONDS = 1.0
SPEEDS = {1: "1", 10: "10", 100: "100", 1_000: "1k", 0: "max"}
STEPS = (1, 10, 100)
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def page(kind: str, switches: Callable[[Run], "Display"]) -> None:
    """A whole page around a run of `kind`, `points` or `images`."""
    settings_panel.open_page(kind)
    run = own_run.own_run()
    _open_wanted(run)
    time_machine.settle(run)
    with st.sidebar:
        config = settings_panel.config_panel(settings_panel.current())
    settings_panel.write_url(config)
    # What comes and goes has a place of its own, else what stands below would be drawn anew.
    with st.container(key="problems"):
        problems = settings_panel.problems()
        if problems:
            st.warning(" ".join(problems))
            _elsewhere()
        for sentence in doubtful(config):
            st.caption(f":material/warning: {sentence}")
    transport(run)
    in_use = own_run.hub().autosaved()
    with st.container(key="questions"):
        follow(run, config)
        time_machine.offer(run, in_use, start)
    time_machine.autosave(run, in_use)
    notices.draw()
    live_view(run, switches)
    layer_table(run)


def _elsewhere() -> None:
    """A way to the page that the link in the address needs."""
    wanted = st.session_state.get(settings_panel.mine("elsewhere"))
    if wanted is not None and st.button("Open it there", key="open_elsewhere"):
        del st.session_state[settings_panel.mine("elsewhere")]
        st.session_state[settings_panel.mine("problems")] = []
        settings_panel.set_config(wanted["config"])
        st.switch_page(shell.PAGE_OF_KIND[wanted["kind"]])


# -- other pages ask ----------------------------------------------------------------------------------------


def _open_wanted(run: Run) -> None:
    """Opens the saved run that another page asked for."""
    wanted = st.session_state.get("open_wanted")
    if wanted is None or wanted["kind"] != st.session_state.kind:
        return
    del st.session_state["open_wanted"]
    try:
        time_machine.open_in(run, run_reading.read(wanted["folder"]), wanted["step"])
    except ConfigError as error:
        settings_panel.say(str(error))
        return
    start(run)


def new_race(configs: tuple[GANConfig, ...], upload: Any) -> None:
    """Starts this tab's race over with these settings; it stands at step 0."""
    state = st.session_state
    run = state.get(settings_panel.mine("run"))
    if run is None:
        run = own_run.keep(Run(configs[0], upload))
    run.race(configs, upload)
    time_machine.present()
    start(run)


# -- settings -> run ----------------------------------------------------------------------------------------


def follow(run: Run, config: GANConfig) -> None:
    """Brings the run to the page's settings; a change that would throw steps away waits for a click."""
    upload = settings_panel.upload()
    if DATASETS[config.data].upload and upload is None:
        st.info(
            "Upload a file in the sidebar. Until then you see the previous run.",
            icon=":material/upload:",
        )
        return
    if run.can_go_on_as(config, upload):
        run.configure(config, upload)
        return
    try:
        with st.spinner("Loading the data"):
            own_run.check(config, settings_panel.upload())
    except MissingFile as missing:
        downloads_panel.offer(missing)
        return
    except ConfigError as error:
        st.error(f"{error} You still see the previous run.")
        return
    if run.step == 0:
        run.configure(config, upload)
        return
    run.configure_live(config)
    names = ["data"] if run.config.data != config.data else list(changed(run.config, config))
    names = [settings_panel.label(name, config) for name in names]  # a data set brings its own settings
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="pending"):
        st.markdown(
            f"Changing **{shown or 'the file'}** restarts training. The {run.step:,} steps so far are dropped; "
            "Undo brings them back."
        )
        clicks.button("Restart training", "apply", partial(_apply, run), type="primary")
        clicks.button("Keep the old setting", "keep", partial(_keep, run))


def _apply(run: Run) -> None:
    run.configure(settings_panel.current(), settings_panel.upload(), restart=True)


def _keep(run: Run) -> None:
    settings_panel.set_config(with_live_fields(run.config, settings_panel.current()))


# -- transport ----------------------------------------------------------------------------------------------


def start(run: Run) -> bool:
    """Gives the run a training process; False where it has to wait for one in the queue. One run of a tab trains at a
    time."""
    state = st.session_state
    for kind, page in settings_panel.PAGE_OF.items():
        other = state.get(settings_panel.mine("run", kind))
        if other is not None and other is not run and other.wants_play:
            other.pause()  # two at once would each run at half speed
            settings_panel.say(f"Paused the run on {page}: in a tab one run trains at a time.")
    return own_run.hub().start(run) == 0


def _play(run: Run) -> None:
    if run.wants_play:
        run.pause()
        own_run.hub().leave(run)
        return
    start(run)
    time_machine.present()
    run.play()


def _step(run: Run) -> None:
    time_machine.present()
    if start(run):
        run.steps(st.session_state.get("step_size") or STEPS[0])
    else:
        run.pause()
        why = own_run.hub().hindrance() or "The server is full; this run is in the queue."
        settings_panel.say(f"{why} Press Step again when it is your turn.")


def _reset(run: Run) -> None:
    time_machine.present()
    config = settings_panel.current()
    run.reset(run.config if own_run.trouble(config) else config, settings_panel.upload())


def _undo(run: Run) -> None:
    """Brings back the run that Reset, New seed or another start took the place of."""
    if run.dropped is None:
        settings_panel.say("There is nothing to undo: that run is gone.")
        return
    time_machine.present()
    run.undo()
    if st.session_state.kind in settings_panel.FIRST_PRESET:
        settings_panel.set_config(run.config)
        if run.upload is not None and run.upload is not settings_panel.upload():
            settings_panel.set_upload(run.upload, "your file", "")


def _new_seed(run: Run) -> None:
    time_machine.present()
    config = settings_panel.current().updated({"seed": another_seed()})
    settings_panel.set_config(config)
    if not own_run.trouble(config):
        run.configure(config, settings_panel.upload(), restart=True)


def another_seed() -> int:
    """A seed that nobody has chosen."""
    return random.SystemRandom().randrange(1_000_000)


def _speed(run: Run) -> None:
    speed = st.session_state.get("speed")
    if speed is not None:
        run.set_speed(float(speed))


def transport(run: Run, reset: Callable[[Run], None] = _reset, new_seed: Callable[[Run], None] = _new_seed) -> None:
    """Play / Pause, Step, Reset, New seed, Undo and the speed. The keys P, S, 0 and N press the buttons `play`, `step`,
    `reset` and `new_seed` (static/liveplot.js)."""
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
            width=104,
        )
        clicks.button(
            "Step",
            "step",
            partial(_step, run),
            icon=":material/skip_next:",
            help="Pauses, then takes as many steps as are chosen beside it. A step is one generator update.",
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
            icon=":material/casino:",
            help="Starts over with another seed: other data points, initial weights and batches. Undo brings the run "
            "back.",
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
            format_func=SPEEDS.get,
            on_change=clicks.here(_speed),
            args=(run,),
            persist_state="session",
            help="Speed in steps per second. Slow, to explain single steps; max, to train.",
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
    state, key = st.session_state, settings_panel.mine("feed")
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
    if time_machine.pending():
        return SAVING_SECONDS
    if snapshot.moving:
        return TICK_SECONDS
    waits = snapshot.status in ("idle", "ended") and (own_run.hub().warmth() == "starting" or own_run.hub().place(run))
    return WARMING_SECONDS if waits else None


def _draw(run: Run, display: Display, every: float | None, feed: Feed) -> None:
    shown = display if SHOWS.of(run) is None else display.presented()
    feed.view = replace(shown.view(), at=time_machine.looked_at())
    feed.figures = partial(_figures, display, feed.view)
    feed.texts = partial(_texts, run, display)
    feed.scrubber = time_machine.recorded()
    snapshot, place = feed.look()
    if time_machine.settled() or (snapshot.moving and every is None):
        st.rerun()  # another view was asked for while all stood still, and its frame is not here yet
    tick = ticking()
    if every is not None and tick and every_seconds(run, snapshot) != every:
        st.rerun()  # the timer changes only in a full run
    if tick and bool(snapshot.frame.get("layers")) != st.session_state.get("layers_known", False):
        st.rerun()  # so does the table of layers
    if snapshot.status == "playing" and not run.speed and snapshot.steps_per_second > 0:
        cost = step_cost(snapshot.config, snapshot.data.shape)
        if cost:  # that of Keras models of a user's own is not known beforehand
            st.session_state.speed_seen = cost * snapshot.steps_per_second
    # Every element is a message of a third of a millisecond, so the style (shell.py) lays them out, not columns.
    drawn = feed.shown(snapshot, place)
    for key, html in drawn["texts"].items():
        with st.container(key=key):
            live_text(html, key, place)
    display.draw(drawn["plots"])
    time_machine.draw_scrubber(run, snapshot, **drawn["scrubber"])
    live_feed(feed.token, snapshot.moving, place)
    if snapshot.error:
        st.error(snapshot.error)


def _figures(display: Display, view: View, snapshot: Snapshot) -> dict[str, Figure]:
    shown = {**display.panels(snapshot), **display.own(snapshot, view)}
    return {f"live_{name}": figure for name, figure in shown.items()}


def _texts(run: Run, display: Display, snapshot: Snapshot) -> dict[str, str]:
    return {
        "step_counter": f"<p>step {snapshot.shown:,}</p>",
        "steps_per_second": introduction(snapshot) if _untouched(run, snapshot) else _status_line(run, snapshot),
        "metrics": _metrics(snapshot, display),
    }


def _untouched(run: Run, snapshot: Snapshot) -> bool:
    return snapshot.status == "idle" and not run.sources and not own_run.hub().place(run)


def introduction(snapshot: Snapshot) -> str:
    """What a visitor sees before the first Play, and what to do, as HTML."""
    modes = getattr(snapshot.data, "modes", None)
    if DATASETS[snapshot.config.data].kind == "images":
        digits = snapshot.config.data in ("digits", "mnist")
        asks = "which digit becomes readable first?" if digits else "when do you first recognize something?"
        text = (
            f"<b>Right</b>: real {'digits' if digits else 'images'}. <b>Left</b>: images that the <b>generator</b> "
            "makes from random numbers, grey until you start. The <b>discriminator</b> tries to tell them apart."
        )
    else:
        count = 0 if modes is None else len(modes)
        clusters = f"find all {NUMBERS.get(count, count)} blue clusters?" if count > 1 else "cover the blue points?"
        asks = f"will orange {clusters}"
        text = (
            "<b>Blue</b> points are real data. A <b>generator</b> turns random numbers into <b>orange</b> points. A "
            "<b>discriminator</b> tries to tell orange from blue."
        )
    guide = '<i>New to GANs? Read the <a href="guide" target="_self">Guide</a>.</i>'
    return f'<p class="ganscope-intro">{text} Both learn. <b>Press Play</b>: {asks} {guide}</p>'


def ticking() -> bool:
    """Whether this is a tick of the timer, or an event of the picture's own, and no click's full run is due."""
    return not st.session_state.get("full_run") and not clicks.due()


def rate(steps_per_second: float) -> str:
    return f"{steps_per_second:,.0f}" if steps_per_second >= 9.5 or not steps_per_second else f"{steps_per_second:.1f}"


def in_queue(run: Run) -> str:
    """Where a run stands that waits for its turn, or what keeps it from starting; "" for one that does not wait."""
    place = own_run.hub().place(run)
    if not place:
        return ""
    return own_run.hub().hindrance() or f"Number {place} in the queue. Training starts automatically"


def status(run: Run, snapshot: Snapshot) -> str:
    """What the run does now, in words, with its speed."""
    said = in_queue(run) or STATUS[snapshot.status]
    if snapshot.shown != snapshot.step:
        said = f"{said} at {snapshot.step:,}"
    return f"{said} · {rate(snapshot.steps_per_second)} steps/s" if snapshot.steps_per_second > 0 else said


def _status_line(run: Run, snapshot: Snapshot) -> str:
    c, path, parent = snapshot.config, snapshot.frame.get("path"), snapshot.frame.get("parent")
    branch = f" · branch of {parent.name} at {parent.step:,}" if parent else ""
    line = f"{status(run, snapshot)} · {c.data} · seed {c.seed}{branch}{watch_view.watched(run)}"
    how = f' title="Steps are computed by: {escape(path)}"' if path else ""
    return f"<p{how}>{escape(line)}</p>"


def _metrics(snapshot: Snapshot, display: Display) -> str:
    """The scores beside their floors and sample sizes, as HTML."""
    m = snapshot.frame.get("metrics") or {}
    if "samples" not in m:
        text = m.get("note", "Press Play to see the scores.")
        return f'<div class="ganscope-metrics"><span>{escape(text)}</span></div>'
    cells, how = display.scores(m)
    body = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}<br>{escape(c)}</span></div>" for a, b, c in cells)
    which = "averaged generator (EMA)" if snapshot.config.show_ema else "current generator"
    note = f"Scores at step {m['step']:,}, {which}: {how}"
    return f'<div class="ganscope-metrics">{body}</div><div class="ganscope-note">{escape(note)}</div>'


def layer_table(run: Run) -> None:
    """Each network's layers, output shapes and parameter counts, to open."""
    rows = run.snapshot().frame.get("layers")
    st.session_state.layers_known = bool(rows)
    with st.expander("Layers and parameters"):
        if not rows:
            st.caption("Press Play to see the layers.")
            return
        for name in ("generator", "discriminator"):
            own = [r for r in rows if r["network"] == name]
            total = int(np.sum([r["parameters"] for r in own]))
            st.markdown(f"**{name}**: {total:,} parameters")
            st.table([{k: r[k] for k in ("layer", "output", "parameters")} for r in own])
