"""What a tab's session holds beside its widgets: which page is open, each page's settings, run and own data, the news.

The widgets' own values are in `st.session_state`, under the keys of the page's elements; all else is in one `Tab`.
"""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.data.own_files import uploads
from gan_core.diagnosis.failures import config_named
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs import library
from gan_core.labs.lab import Lab
from gan_core.serving.client import Run
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.setting_texts import DATA_PREFIX, unknown_setting
from gan_core.settings.setting_texts import text as as_text
from pages.ui.components.markdown import plain
from pages.ui.frames.feed import Feed, Past
from pages.ui.session.tab_parts import Progress, Saving, Wanted
from pages.ui.session.works import Works

FIRST_PRESET = {"points": "ring", "images": "digits"}
AT_ONCE_SECONDS = 1.0  # in which what a page sends was sent before its reader saw what the last click did
NEWS_SECONDS = 30.0  # after which no page shows it any more; the browser takes it away sooner
PAGE_OF = {"points": "Points", "images": "Images", "race": "Compare"}
HIDDEN_PARTS = ("preset", "recipe")  # what a link can hide beside settings
HELD = "Give your prediction first."


# -- what there is to hold ----------------------------------------------------------------------------------


@dataclass
class Page:
    """What one kind of page (`points`, `images`, `race`) holds for its tab."""

    config: GANConfig | None = None  # None until the page is drawn first
    before: GANConfig | None = None  # that of the tab before a refresh
    linked: bool = False  # whether the page was opened by an address that names settings
    problems: list[str] = field(default_factory=list)  # of the last settings, a sentence each
    elsewhere: GANConfig | Lab | None = None  # settings of the address, or its lab, that need the other page
    lab: Lab | None = None
    begins: bool = False  # whether the page's run is to start over with the settings
    hidden: frozenset[str] = frozenset()  # settings that the address hides
    # The user's own data: points float32 [N, 2] or Pictures, what they are called, and what was done to them.
    upload: Any = None
    upload_name: str = ""
    upload_note: str = ""
    upload_id: str = ""  # the file that was dropped last
    upload_names: dict[str, tuple[str, str]] = field(default_factory=dict)  # name and note of each, by its content
    own_file: Any = None  # a file that is being read or looked at (own_file.OwnFile)
    run: Run | None = None
    feed: Feed | None = None
    past: Past = field(default_factory=Past)
    era: int = 0  # counts what the scrubber looks at (time_machine.py)
    replays: bool = False  # whether the scrubber, once it is drawn, begins to replay
    saving: Saving | None = None
    save_error: str = ""
    poll_refused: str = ""  # why the poll that was written last was not opened


@dataclass
class Tab:
    """What a tab's session holds."""

    kind: str = ""  # the kind of the page that is drawn, "" before the first
    pages: dict[str, Page] = field(default_factory=lambda: {kind: Page() for kind in PAGE_OF})
    # What the browser has said of itself (own_run.claim): the tab's own key, the browser's, where GANscope begins.
    key: str = ""
    browser: str = ""
    base: str = "/"
    said: tuple[Any, ...] | None = None
    renew: str = ""
    attempt: int = 0
    news: list[tuple[dict[str, str], float]] = field(default_factory=list)  # and until when each is shown
    wanted: Wanted | None = None
    goes_to: str = ""  # the script of the page that a click asked for, until it is there
    going: tuple[str, float] | None = None  # the script on whose page that was, and how long it may still send
    opened: str = ""  # the saved run whose dialog is open
    refused: str = ""  # why what was asked for in that dialog was not done
    compared: list[str] = field(default_factory=list)  # the saved runs that were chosen to be compared
    declined: frozenset[str] = frozenset()  # autosaved runs that are offered no more
    export: Any = None  # the last one (exports_panel.Job)
    export_begun: bool = False  # since the page was drawn
    racing: tuple[tuple[GANConfig, ...], Any] | None = None  # settings and own data that Compare is to race
    race_asked: bool = False  # for the one whose form is drawn
    race_refused: tuple[list[str], str] | None = None  # cells of a sweep's map, and why they are not raced
    sweep_asked: bool = False  # for the one whose form is drawn
    making: bool = False  # whether the dialog that makes a lab is open
    drawing: bool = False  # whether the plane to draw data on is open
    anatomy: bool = False  # whether the drawing of a step is open
    progress: dict[str, Progress] = field(default_factory=dict)  # in labs, by their names
    picked: int | None = None  # the image whose neighbours are shown
    corner_draw: int = 0  # of the interpolation's corners
    works: Works = field(default_factory=Works)  # beside the scripts (waiting.py)
    operations_per_second: float | None = None  # floating-point, as a run has shown


def tab() -> Tab:
    """This session's."""
    return st.session_state.setdefault("ganscope", Tab())


def page(kind: str | None = None) -> Page:
    """What the page of this kind holds; without one, the page that is open."""
    here = tab()
    return here.pages[kind or here.kind]


def open_page(kind: str) -> None:
    """Says which kind of page this is: each has settings and a run of its own."""
    tab().kind = kind


def go(drawn: str = "") -> None:
    """Opens the page that a click asked for (`Tab.goes_to`), which a callback cannot; drawn: the script that runs now.

    The wish stays until that page has been drawn whole: before the browser shows it, it may send another message of the
    old page, which then is run again. Whoever goes to a third one meanwhile, or back after AT_ONCE_SECONDS, has changed
    their mind.
    """
    here, now = tab(), time.monotonic()
    if not here.goes_to or here.goes_to == drawn:
        return
    if here.going is not None and drawn and (drawn != here.going[0] or now > here.going[1]):
        here.goes_to, here.going = "", None
        return
    if here.going is None and drawn:
        here.going = drawn, now + AT_ONCE_SECONDS
    st.switch_page(here.goes_to)


def arrived(drawn: str) -> None:
    """Notes that this script has drawn its page whole."""
    here = tab()
    if here.goes_to == drawn:
        here.goes_to, here.going = "", None


def mine(name: str) -> str:
    """The key of an element that each kind of page has of its own."""
    return f"{name}_{tab().kind}"


# -- settings -----------------------------------------------------------------------------------------------


def current() -> GANConfig:
    """The settings that the page shows; at its first run those of the address, or of the tab before a refresh."""
    here = page()
    if here.config is None:
        here.linked = bool(dict(st.query_params))
        config, found = _from_url(tab().kind)
        here.config = config if here.linked or here.before is None else here.before
        here.problems = [*found, "All other settings of the link are used."] if found else []
    return here.config


def first_config(kind: str) -> GANConfig:
    """The settings with which a page of this kind begins."""
    return PRESETS[FIRST_PRESET[kind]].config


def go_on_with(config: GANConfig, kind: str) -> None:
    """Makes `config`, of the tab before a refresh, that of its page, unless an address names settings."""
    there = page(kind)
    if there.config is None:
        there.before = config
    elif not there.linked:
        set_config(config)


def _from_url(kind: str) -> tuple[GANConfig, list[str]]:
    first = first_config(kind)
    query = dict(st.query_params)
    problems = _hidden(query.pop("hide", ""), kind)
    preset = query.pop("preset", None)
    name = query.pop("lab", None)
    if name is not None:
        try:
            return _lab_of_link(library.lab_of(name), query, kind, problems)
        except ConfigError as error:
            problems.append(str(error))
    base = {"data": first.data}
    if preset is not None:
        try:
            base = config_named(preset).to_flat()
        except ConfigError as error:
            problems.append(str(error))
            preset = None
    if not query and preset is None:
        return first, problems
    if query.get("data", base["data"]) != base["data"]:
        base = {name: value for name, value in base.items() if not name.startswith(DATA_PREFIX)}
    config, more = GANConfig.from_flat_lenient({**base, **query})
    shown_by = DATASETS[config.data].kind
    if shown_by != kind:
        problems.append(f"This link needs the page {PAGE_OF[shown_by]}: its data set is {config.data}.")
        page(kind).elsewhere = config
        return first, problems
    return config, problems + more


def _hidden(names: str, kind: str) -> list[str]:
    """Takes the settings that the address hides; a sentence for each that there is not."""
    data = [DATA_PREFIX + name for row in DATASETS.values() for name in row.knobs]
    wanted = [name.strip() for name in names.split(",")[:100] if name.strip()]
    found = [name for name in wanted if name in HYPERPARAMETERS or name in data or name in HIDDEN_PARTS]
    page(kind).hidden = frozenset(found)
    return [f"hide: {unknown_setting(name, first_config(kind).data)}" for name in wanted if name not in found]


def _lab_of_link(lab: Lab, query: dict[str, str], kind: str, problems: list[str]) -> tuple[GANConfig, list[str]]:
    """The settings of a lab, with those of its shown ones that the link sets."""
    if lab.kind != kind:
        page(kind).elsewhere = lab
        return first_config(kind), [*problems, f"The lab “{plain(lab.title)}” is on the page {PAGE_OF[lab.kind]}."]
    page(kind).lab = lab
    wrong = [name for name in query if name not in lab.shown]
    if wrong:
        named = plain(", ".join(wrong)[:200])
        problems.append(f"The lab “{plain(lab.title)}” does not show {named}: a link to it cannot set that.")
    config, asked = lab.start, {name: query[name] for name in lab.shown if name in query}
    try:
        return config.updated(asked), problems  # some values are only accepted together
    except ConfigError:
        pass
    for name, value in asked.items():
        try:
            config = config.updated({name: value})
        except ConfigError as error:  # the lab's own value stays
            problems.append(str(error))
    return config, problems


def shows(name: str) -> bool:
    """Whether the page shows this setting: a lab shows its own, and an address can hide some."""
    here = page()
    return name in here.lab.shown if here.lab is not None else name not in here.hidden


def enter(lab: Lab) -> None:
    """Opens a lab on its page, whose run then stands at step 0."""
    there = page(lab.kind)
    there.lab, there.config, there.problems, there.begins = lab, lab.start, [], True


def progress() -> Progress:
    """How far the tab is in the lab of its open page, which there must be."""
    lab = page().lab
    return Progress() if lab is None else progress_of(lab)


def progress_of(lab: Lab) -> Progress:
    """How far the tab is in this lab; its teacher may have changed it since, and then the tab is at its beginning."""
    of, kept = f"{lab.digest} {lab.answers}", tab().progress.get(lab.name)
    if kept is None or kept.of != of:
        kept = tab().progress[lab.name] = Progress(of=of)
    return kept


def held() -> str:
    """Why nothing may train yet, in a sentence, or "": a lab asks for a prediction first."""
    return HELD if page().lab is not None and progress().answer is None else ""


def _query(config: GANConfig) -> dict[str, str]:
    here = page()
    if here.lab is not None:
        flat, start = config.to_flat(), here.lab.start.to_flat()
        own = {name: as_text(flat[name]) for name in here.lab.shown if name in flat and flat[name] != start.get(name)}
        return {"lab": here.lab.name, **own}
    return {**config.to_query(), **({"hide": ",".join(sorted(here.hidden))} if here.hidden else {})}


def write_url(config: GANConfig) -> None:
    """Keeps the address bar's link equal to the settings."""
    query = _query(config)
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def set_config(config: GANConfig) -> None:
    """Makes `config` its page's, as if its settings had been changed one by one."""
    there = page(DATASETS[config.data].kind)
    if there.lab is not None and there.lab.not_shown(config):
        say(f"You left the lab “{there.lab.title}”: it does not have these settings.")
        there.lab, there.begins = None, False
    there.config, there.problems = config, []


def set_upload(data: Any, name: str, note: str, kind: str | None = None) -> None:
    """Keeps the user's own data for a page, this one if no kind is named."""
    there = page(kind)
    there.upload, there.upload_name, there.upload_note = data, name, note
    there.upload_names[uploads.name_of(data)] = name, note


def take_upload_back(data: Any, kind: str | None = None) -> None:
    """Gives a page the data that its run has, under the name that they came with."""
    name, note = page(kind).upload_names.get(uploads.name_of(data), ("your file", ""))
    set_upload(data, name, note, kind)


# -- news ---------------------------------------------------------------------------------------------------

_NUMBERS = itertools.count(time.time_ns())


def say(text: str) -> None:
    """A sentence of news, for whichever page is drawn next."""
    note = {"number": str(next(_NUMBERS)), "text": text}
    tab().news = [*_news(), (note, time.monotonic() + NEWS_SECONDS)]


def _news() -> list[tuple[dict[str, str], float]]:
    return [(note, until) for note, until in tab().news if time.monotonic() < until]


def news() -> list[dict[str, str]]:
    """What is new, each a {number, text}; the browser shows each once (pages/ui/run/notices.py)."""
    return [note for note, _ in _news()]
