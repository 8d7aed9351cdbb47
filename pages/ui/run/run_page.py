"""A page around a run: the transport buttons, and the picture, which the browser keeps fresh from the run's feed."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.data.image_sources import MissingFile
from gan_core.data.own_files import uploads
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs.lab import Lab
from gan_core.networks.cost import step_cost
from gan_core.recording.snapshot import Snapshot, View
from gan_core.runs import run_reading
from gan_core.serving.client import Run
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import GANConfig, changed, with_live_fields
from pages.ui import shell
from pages.ui.components.liveplot import live_feed, live_plot, live_text
from pages.ui.figures.figure_parts import Figure
from pages.ui.frames.feed import MOVING_MS, OUTDATED_MS, Feed, feed_of
from pages.ui.frames.presentations import SHOWS
from pages.ui.learn import lab_maker, lab_panel
from pages.ui.run import (
    anatomy_panel,
    breakpoints_panel,
    coach_line,
    downloads_panel,
    finished_training,
    hall_panel,
    notices,
    presenter_panel,
    settings_panel,
    status,
    time_machine,
    transport,
)
from pages.ui.run.display import Display
from pages.ui.session import clicks, own_run, page_state
from pages.ui.session.page_state import Saving
from pages.ui.session.waiting import waited

SAVING_MS = 300  # from one frame to the next while a save is on its way, and all else stands still
QUEUE_MS = 1_000  # while a run waits for its turn


def page(kind: str, switches: Callable[[Run], "Display"]) -> None:
    """A whole page around a run of `kind`, `points` or `images`."""
    page_state.open_page(kind)
    with st.container(key="opening"):  # the first visit may wait here for data; a place of its own, as below
        run = own_run.own_run()
    _note_speed(run)
    _open_wanted(run)
    time_machine.settle(run)
    with st.sidebar:
        config = settings_panel.config_panel(page_state.current())
        lab_maker.panel(config)
    page_state.write_url(config)
    feed = own_feed(run)
    # What comes and goes has a place of its own, else what stands below would be drawn anew.
    with st.container(key="problems"):
        problems = page_state.page().problems
        if problems:
            st.warning(" ".join(problems))
            _elsewhere()
        # Before Play alone: how fast a busy machine's first steps are says little.
        heavy = "" if run.wants_play or run.step else settings_panel.too_heavy(config)
        for sentence in [*doubtful(config), *[heavy] * bool(heavy)]:
            st.caption(f":material/warning: {sentence}")
    lab_place = lab_panel.panel(run)
    transport.transport(run, more=anatomy_panel.switch)
    in_use = own_run.hub().autosaved()
    with st.container(key="questions"):
        follow(run, config)
        if lab_place is None:
            time_machine.offer(run, in_use, transport.start)
    time_machine.autosave(run, in_use)
    notices.draw()
    live_view(run, feed, switches, {} if lab_place is None else {lab_panel.TEXT: lab_place})
    status.layer_table(run)


def _elsewhere() -> None:
    """A way to the page that the link in the address needs."""
    here = page_state.page()
    if here.elsewhere is not None:
        clicks.button("Open it there", "open_elsewhere", partial(_open_there, here.elsewhere))


def _open_there(wanted: GANConfig | Lab) -> None:
    here = page_state.page()
    here.elsewhere, here.problems = None, []
    if isinstance(wanted, Lab):
        page_state.enter(wanted)
    else:
        page_state.set_config(wanted)
    config = wanted.start if isinstance(wanted, Lab) else wanted
    page_state.tab().goes_to = shell.PAGE_OF_KIND[DATASETS[config.data].kind]


# -- other pages ask ----------------------------------------------------------------------------------------


def _open_wanted(run: Run) -> None:
    """Opens the saved run that another page asked for."""
    tab = page_state.tab()
    wanted = tab.wanted
    if wanted is None or wanted.kind != tab.kind:
        return
    try:
        time_machine.open_in(run, run_reading.read(wanted.folder), wanted.step)
    except ConfigError as error:
        tab.wanted = None
        page_state.say(str(error))
        return
    tab.wanted = None  # only now: a script that is interrupted before is run again
    if wanted.replay:
        time_machine.replay()
    else:
        transport.start(run)


def new_race(configs: tuple[GANConfig, ...], upload: Any) -> None:
    """Starts this tab's race over with these settings; it stands at step 0."""
    run = page_state.page().run
    if run is None:
        run = own_run.keep(Run(configs[0], upload))
    run.race(configs, upload)
    time_machine.present()
    transport.start(run)


# -- settings -> run ----------------------------------------------------------------------------------------


def follow(run: Run, config: GANConfig) -> None:
    """Brings the run to the page's settings; a change that would throw steps away waits for a click."""
    here = page_state.page()
    upload = here.upload
    if DATASETS[config.data].upload and upload is None:
        st.info(
            "Upload a file in the sidebar. Until then you see the previous run."
            if here.own_file is None
            else "Look at what was read in the sidebar, then press *Use these*. Until then you see the previous run.",
            icon=":material/upload:",
        )
        return
    if run.can_go_on_as(config, upload) and not here.begins:
        run.configure(config, upload)
        return
    try:
        waited("Loading the data", own_run.check, config, upload)
    except MissingFile as missing:
        downloads_panel.offer(missing)
        return
    except ConfigError as error:
        st.error(f"{error} You still see the previous run.")
        return
    begins, here.begins = here.begins, False
    if begins:  # whoever opens a lab is at its first step; Undo brings back what was there
        time_machine.present()
        run.reset(config, upload)
        return
    if run.step == 0 or run.recorded:  # then nothing is lost: all of it can be opened again
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
        clicks.button("Keep the old setting" if shown else "Keep the old file", "keep", partial(_keep, run))


def _apply(run: Run) -> None:
    time_machine.present()
    run.configure(page_state.current(), page_state.page().upload, restart=True)


def _keep(run: Run) -> None:
    page_state.set_config(with_live_fields(run.config, page_state.current()))
    if run.upload is not None and not uploads.same(page_state.page().upload, run.upload):
        page_state.take_upload_back(run.upload)


# -- the live picture ---------------------------------------------------------------------------------------


def live_view(run: Run, feed: Feed, switches: Callable[[Run], Display], places: dict[str, Any]) -> None:
    """Status, picture, losses and numbers, fresh ten times a second while anything moves and still otherwise.

    places: where texts are drawn that do not stand around the picture, by their keys."""
    asked = st.container(key="hall")  # of those who watch
    picture = st.container(gap="xsmall", key="picture")  # filled last, for it needs the switches below it
    display = switches(run)
    shown = display if SHOWS.of(run) is None else display.presented()
    feed.view, run.goal = shown.view(), lab_panel.goal()
    feed.figures = partial(_figures, display, feed.view)
    feed.texts = partial(_texts, run, hall_panel.with_bars(), lab_panel.text_of(run))
    feed.scrubber = time_machine.recorded()
    snapshot, place = feed.look()
    with picture:
        for name, figure in display.stills(snapshot).items():
            live_plot(figure, key=f"live_{name}")
        presenter_panel.presents(run, display, _scores)
        # An element is a message of a third of a millisecond: the style (ganscope.css) lays them out, not columns.
        drawn = feed.shown(snapshot, place)
        if anatomy_panel.is_open():
            anatomy_panel.bar(run)
        with asked:
            _asked(run, drawn["texts"].pop(hall_panel.SAID, ""), place)
        for key, html in drawn["texts"].items():
            with places.get(key) or st.container(key=key):
                live_text(html, key, place)
        with st.container(horizontal=True, vertical_alignment="center", key="coach_buttons", gap="xsmall"):
            coach_line.buttons(run, snapshot)
            breakpoints_panel.panel(run)
        display.draw(drawn["plots"])
        time_machine.draw_scrubber(run, **drawn["scrubber"])
        finish(feed, snapshot, drawn)
        if not places:
            finished_training.invitation(run, snapshot)


def _asked(run: Run, html: str, place: list[Any]) -> None:
    """The poll and the round of those who watch, with their buttons; html: "" where there is neither."""
    if html:
        with st.container(key=hall_panel.SAID):
            live_text(html, hall_panel.SAID, place)
        hall_panel.buttons(run)


def own_feed(run: Run) -> Feed:
    """The feed of this page, which looks at `run` from now on; before anything is drawn that a frame may not fit."""
    here = page_state.page()
    feed = here.feed = feed_of(run, here.feed, here.past)
    feed.era = time_machine.era()
    asked = here.saving
    feed.waits = partial(_wait, run, asked)
    lab = here.lab
    feed.revision = partial(_revision, run, asked, lab)
    feed.drawn = _revision(run, asked, lab, run.snapshot())._replace(
        saved=False
    )  # one that has ended is acted on next time
    return feed


def finish(feed: Feed, snapshot: Snapshot, drawn: dict[str, Any]) -> None:
    """Ends the drawing of `snapshot`, of which `drawn` was shown, and leaves the picture to the browser."""
    if isinstance(feed.drawn, Revision) and feed.drawn.error:  # no newer one, which the buttons do not know yet
        st.error(feed.drawn.error)
    wait, seen = drawn["wait"], feed.revision(snapshot)
    if isinstance(feed.drawn, Revision) and isinstance(seen, Revision):
        feed.drawn = feed.drawn._replace(parts=seen.parts, offered=seen.offered)  # these were drawn from this snapshot
    if seen != feed.drawn:
        feed.drawn, wait = None, wait or OUTDATED_MS
    live_feed(feed.token, wait, drawn["place"], feed.look_at)


def _wait(run: Run, asked: Saving | None, snapshot: Snapshot) -> int:
    if snapshot.moving:
        return MOVING_MS
    if asked is not None and not asked.save.done():
        return SAVING_MS
    if hall_panel.lively(run):
        return hall_panel.HALL_MS
    return QUEUE_MS if own_run.hub().waits(run) else 0


class Revision(NamedTuple):
    """What decides how a page looks around the picture, and changes without anybody's doing."""

    wants_play: bool
    has_worker: bool
    has_steps: bool
    can_undo: bool
    presented: bool
    hall: Hashable  # what is asked of those who watch
    saved: bool  # the save that was asked for has ended
    parts: tuple[bool, ...]  # of the frame, which the page has places for
    offered: tuple[Any, ...]  # what the coach's buttons do
    lab: str  # how far a lab's goal is
    error: str | None
    more_errors: tuple[str, ...]  # of the autosave and of each racer


def _revision(run: Run, asked: Saving | None, lab: Lab | None, snapshot: Snapshot) -> Revision:
    frame = snapshot.frame
    return Revision(
        wants_play=run.wants_play,
        has_worker=run.worker is not None,
        has_steps=snapshot.step > 0,
        can_undo=run.dropped is not None,
        presented=SHOWS.of(run) is not None,
        hall=hall_panel.stage(run),
        saved=asked is not None and asked.save.done(),
        parts=tuple(name in frame for name in ("layers", "neighbours", "blend")),
        offered=coach_line.offered(snapshot),
        lab=lab_panel.stage(run, lab, snapshot),
        error=snapshot.error,
        more_errors=(
            (frame.get("autosave") or {}).get("error") or "",
            *(training.get("training_error", "") for training in snapshot.trainings),
        ),
    )


def _note_speed(run: Run) -> None:
    """Keeps how fast this computer is, for what the settings say of the time that a step takes."""
    snapshot = run.snapshot()
    if snapshot.status == "playing" and not run.speed and snapshot.steps_per_second > 0:
        cost = step_cost(snapshot.config, snapshot.data.shape)
        if cost:  # that of Keras models of a user's own is not known beforehand
            page_state.tab().operations_per_second = cost * snapshot.steps_per_second


def _figures(display: Display, view: View, snapshot: Snapshot) -> dict[str, Figure]:
    shown = {**display.panels(snapshot), **display.own(snapshot, view)}
    return {f"live_{name}": figure for name, figure in shown.items()}


def _scores(snapshot: Snapshot) -> str:
    """What those who watch read beside the plots, as HTML."""
    return coach_line.for_watchers(snapshot) + status.metrics(snapshot)


def _texts(run: Run, with_bars: bool, lab: Callable[[Snapshot], dict[str, str]], snapshot: Snapshot) -> dict[str, str]:
    words = lab(snapshot)
    return {
        **words,
        "step_counter": f"<p>step {snapshot.shown:,}</p>",
        "steps_per_second": status.introduction(snapshot)
        if status.untouched(run, snapshot) and not words
        else finished_training.line(run, snapshot) or status.line(run, snapshot),
        "coach": coach_line.line(snapshot),
        "metrics": status.metrics(snapshot),
        **hall_panel.text(run, with_bars),
    }
