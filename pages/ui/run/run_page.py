"""A page around a run: the transport buttons, and the fragment that keeps its picture fresh."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.data.image_sources import MissingFile
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.cost import step_cost
from gan_core.recording.snapshot import Snapshot, View
from gan_core.runs import run_reading
from gan_core.serving.client import Run
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import GANConfig, changed, with_live_fields
from pages.ui import shell
from pages.ui.components.liveplot import live_feed, live_plot, live_text
from pages.ui.figures.figure_parts import Figure
from pages.ui.frames.feed import Feed, feed_of
from pages.ui.frames.presentations import SHOWS
from pages.ui.run import downloads_panel, notices, presenter_panel, settings_panel, status, time_machine, transport
from pages.ui.run.display import Display
from pages.ui.session import clicks, own_run, page_state

TICK_SECONDS = 2.0  # between two drawings by the script; in between the feed draws ten frames a second
SAVING_SECONDS = 0.3
WARMING_SECONDS = 1.0


def page(kind: str, switches: Callable[[Run], "Display"]) -> None:
    """A whole page around a run of `kind`, `points` or `images`."""
    page_state.open_page(kind)
    run = own_run.own_run()
    _open_wanted(run)
    time_machine.settle(run)
    with st.sidebar:
        config = settings_panel.config_panel(page_state.current())
    page_state.write_url(config)
    # What comes and goes has a place of its own, else what stands below would be drawn anew.
    with st.container(key="problems"):
        problems = page_state.problems()
        if problems:
            st.warning(" ".join(problems))
            _elsewhere()
        for sentence in doubtful(config):
            st.caption(f":material/warning: {sentence}")
    transport.transport(run)
    in_use = own_run.hub().autosaved()
    with st.container(key="questions"):
        follow(run, config)
        time_machine.offer(run, in_use, transport.start)
    time_machine.autosave(run, in_use)
    notices.draw()
    live_view(run, switches)
    status.layer_table(run)


def _elsewhere() -> None:
    """A way to the page that the link in the address needs."""
    wanted = st.session_state.get(page_state.mine("elsewhere"))
    if wanted is not None and st.button("Open it there", key="open_elsewhere"):
        del st.session_state[page_state.mine("elsewhere")]
        st.session_state[page_state.mine("problems")] = []
        page_state.set_config(wanted["config"])
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
        page_state.say(str(error))
        return
    transport.start(run)


def new_race(configs: tuple[GANConfig, ...], upload: Any) -> None:
    """Starts this tab's race over with these settings; it stands at step 0."""
    state = st.session_state
    run = state.get(page_state.mine("run"))
    if run is None:
        run = own_run.keep(Run(configs[0], upload))
    run.race(configs, upload)
    time_machine.present()
    transport.start(run)


# -- settings -> run ----------------------------------------------------------------------------------------


def follow(run: Run, config: GANConfig) -> None:
    """Brings the run to the page's settings; a change that would throw steps away waits for a click."""
    upload = page_state.upload()
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
            own_run.check(config, page_state.upload())
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
    run.configure(page_state.current(), page_state.upload(), restart=True)


def _keep(run: Run) -> None:
    page_state.set_config(with_live_fields(run.config, page_state.current()))


# -- the live picture ---------------------------------------------------------------------------------------


def live_view(run: Run, switches: Callable[[Run], Display]) -> None:
    """Status, picture, losses and numbers, fresh ten times a second while anything moves and still otherwise."""
    state, key = st.session_state, page_state.mine("feed")
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
            presenter_panel.presents(run, display, status.metrics)
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
    # Every element is a message of a third of a millisecond, so the style (ganscope.css) lays them out, not columns.
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
        "steps_per_second": status.introduction(snapshot)
        if status.untouched(run, snapshot)
        else status.line(run, snapshot),
        "metrics": status.metrics(snapshot),
    }


def ticking() -> bool:
    """Whether this is a tick of the timer, or an event of the picture's own, and no click's full run is due."""
    return not st.session_state.get("full_run") and not clicks.due()
