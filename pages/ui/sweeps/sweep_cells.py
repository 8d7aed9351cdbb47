"""Cells of a sweep's map that were clicked, or chosen by name: opened, or raced against each other."""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from gan_core.sweeps.space import Space
from gan_core.sweeps.store import Store
from pages.ui import shell
from pages.ui.components.liveplot import clicked, live_plot
from pages.ui.session import clicks, page_state

MAP = "sweep_map"
MOST = 2
_HELP = "Click cells of the map, or choose them here. One can be opened as a fresh run, two raced from the same start."
DIFFERENT_DATA = "Runs of different data are not raced: their pictures would not be comparable. Open them instead."
Row = dict[str, Any]


def live_map(figure: dict[str, Any], folder: Path, names: list[str]) -> None:
    """The map, whose cells are chosen by a click. names: of the cells, row by row, "" where there is no trial."""
    live_plot(figure, key=MAP, on_click=partial(_pick, _key(folder), names))


def chosen(store: Store, space: Space, cells: dict[str, Row]) -> None:
    """What can be done with the chosen cells. cells: name -> the trial that stands for it."""
    key = _key(store.folder)
    st.session_state[key] = [name for name in st.session_state.get(key, []) if name in cells]
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_cells_bar"):
        names = st.multiselect("Chosen cells", list(cells), key=key, max_selections=MOST, help=_HELP, width=560)
        for letter, name in zip("AB", names, strict=False):
            if DATASETS[space.base.data].upload:  # which no address can name: it is opened here, with the sweep's data
                open_it = partial(_open, store, space, names, cells[name])
                clicks.button(f"Open {letter}", f"sweep_open_{letter}", open_it, help=name)
            elif address := link(cells[name], space):
                st.link_button(f"Open {letter}", address, help=name)
        if len(names) == MOST:
            clicks.button(
                "Race these two",
                "sweep_race",
                partial(_race, store, space, names, [cells[name] for name in names]),
                icon=":material/flag:",
                help="Both from the same start, side by side on the page Compare.",
            )
    refused = page_state.tab().race_refused
    if refused is not None and refused[0] == names:
        st.error(refused[1])
    page_state.go()  # from within the fragment, in which the frame is not drawn


def link(row: Row, space: Space) -> str:
    """The address of a fresh run of a trial's settings; "" where they do not go together, or need a user's own file."""
    try:
        config = _config(row, space)
    except ConfigError:
        return ""
    if DATASETS[config.data].upload:
        return ""
    page = "" if DATASETS[config.data].kind == "points" else "images"
    return f"./{page}?{urlencode(config.to_query())}"


def _config(row: Row, space: Space) -> GANConfig:
    return GANConfig.from_flat(space.trial(row["settings"], row["seed"]).config)


def _open(store: Store, space: Space, names: list[str], row: Row) -> None:
    """A fresh run of a trial on its page, which then trains on the sweep's data, a user's own."""
    tab = page_state.tab()
    try:
        config, data = _config(row, space), store.upload()
    except ConfigError as error:
        tab.race_refused = names, str(error)
        return
    kind = DATASETS[config.data].kind
    page_state.set_upload(data, f"data of {store.folder.name}", "", kind)
    page_state.set_config(config)
    tab.race_refused, tab.goes_to = None, shell.PAGE_OF_KIND[kind]


def _key(folder: Path) -> str:
    return f"sweep_cells {folder.name}"


def _pick(key: str, names: list[str]) -> None:
    place = clicked(MAP)
    if place is not None and place < len(names) and (name := names[place]):
        others = [other for other in st.session_state.get(key, []) if other != name]
        st.session_state[key] = [*others, name][-MOST:]


def _race(store: Store, space: Space, names: list[str], rows: list[Row]) -> None:
    """One seed for both: a race differs in its settings alone."""
    tab = page_state.tab()
    if any(name not in HYPERPARAMETERS or HYPERPARAMETERS[name].group == "Data" for name in rows[0]["settings"]):
        tab.race_refused = names, DIFFERENT_DATA
        return
    try:
        configs = tuple(GANConfig.from_flat(space.trial(row["settings"], space.base.seed).config) for row in rows)
        tab.racing = configs, store.upload()
    except ConfigError as error:
        tab.race_refused = names, str(error)
        return
    st.session_state.compare_way = "race"
    tab.race_refused, tab.goes_to = None, "pages/compare.py"
