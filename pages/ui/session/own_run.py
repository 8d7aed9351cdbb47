"""Whose run it is: the server's hub, the tab's own key, and what a run can be made of."""

from typing import Any

import streamlit as st

from gan_core.data import loading
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks import architectures
from gan_core.networks.cost import check_memory
from gan_core.serving.client import Run
from gan_core.serving.hub import Hub
from gan_core.serving.one_hub import the_hub
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from pages.ui.components.liveplot import tab_key
from pages.ui.server.streamlit_private import connected
from pages.ui.server.streamlit_private import session_id as _session
from pages.ui.session import page_state, remembered
from pages.ui.session.waiting import waited

CLAIM_ATTEMPTS = (
    5  # where the browser cannot say whether a tab is a copy: the news of a page that is gone takes a while
)


def hub() -> Hub:
    """The server's one hub."""
    return the_hub(connected)


def own_run() -> Run:
    """This tab's run of this page: found again by the tab's own key after a refresh, else a fresh one."""
    here = page_state.page()
    try:
        hub()
    except ValueError as error:  # a malformed environment variable
        st.error(str(error))
        st.stop()
    config, run = page_state.current(), here.run
    if run is None:
        try:
            waited("Loading the data", check, config, here.upload)
        except ConfigError:  # the page says what it is, and shows another run meanwhile
            config = PRESETS[page_state.FIRST_PRESET[page_state.tab().kind]].config
        run = keep(Run(config, here.upload))
    _own_again(run)
    hub().visit(_session(), run.config)
    return run


def keep(run: Run) -> Run:
    """Makes `run` this tab's run of this kind of page."""
    tab = page_state.tab()
    page_state.page().run = run
    hub().adopt(_seat(tab.key or f"session {_session()}", tab.kind), _session(), run)
    return run


def _own_again(run: Run) -> None:
    """A page that was away for too long and came back has its run, but the hub has forgotten it: without an owner a
    training process stands still after seconds."""
    if not hub().knows(run):
        keep(run)


def race_run() -> Run | None:
    """This tab's race, if it has one."""
    run = page_state.page().run
    if run is not None:
        _own_again(run)
    hub().visit(_session(), PRESETS["ring"].config if run is None else run.config)
    return run


def _seat(tab: str, kind: str) -> str:
    """The hub's key: a tab has a run for each kind of page."""
    return f"{tab} {kind}"


def claim() -> None:
    """Takes up the runs that this tab had before a refresh, and what it had chosen, once the browser has said its key.

    Before any widget of the page is drawn.
    """
    tab = page_state.tab()
    said = tab_key(tab.renew, tab.attempt)
    if said is None or said == tab.said:
        return
    tab.said = said
    key, tab.browser, attempt, tab.base, alone = said
    try:
        found = {kind: hub().take_up(_seat(key, kind), _session(), alone) for kind in page_state.PAGE_OF}
    except ValueError:  # a malformed environment variable, of which the page speaks
        return
    except PermissionError:
        # Another page holds it: an old one that is just closing, or this tab is a duplicate.
        if attempt >= CLAIM_ATTEMPTS:
            tab.renew = key
        tab.attempt = attempt + 1
        st.rerun()
    before = None if tab.key else remembered.restore(key)
    tab.key = key
    again = before is not None
    for kind, run in found.items():
        page = tab.pages[kind]
        own = page.run
        taken = run if run is not own and (own is None or own.worker is None) else None
        if run is None and own is not None:
            hub().adopt(_seat(key, kind), _session(), own)
        elif taken is not None:
            page.run = taken
            if taken.upload is not None:
                page_state.take_upload_back(taken.upload, kind)
            again = True
        config = (before or {}).get(kind) or (None if taken is None else taken.config)
        if config is not None and kind in page_state.FIRST_PRESET:
            page_state.go_on_with(config, kind)
    if again:
        st.rerun()


def stores_nothing() -> bool:
    """Whether this browser gives a page no storage: then nobody finds a closed tab's runs for its user."""
    tab = page_state.tab()
    return bool(tab.key) and tab.browser == tab.key


def check(config: GANConfig, upload: Any, rivals: tuple[GANConfig, ...] = ()) -> None:
    """Raises ConfigError where no run can be made of these settings, or no race of them with `rivals`."""
    shape, _ = loading.extent(config, upload)
    for one in (config, *rivals):
        architectures.plans(one, shape)
    check_memory(config, shape, rivals, loading.training_bytes((config, *rivals), upload))
    data = loading.load(config, upload)  # only now: what does not fit is not even loaded
    for one in (config, *rivals):
        loading.class_count(one, data)


def trouble(config: GANConfig) -> str:
    """Why no run can be made of the page's settings, or ""; for a callback, by when the page has loaded the data."""
    try:
        check(config, page_state.page().upload)
    except ConfigError as error:
        return str(error)
    return ""
