"""What a sweep's trials show: how far they are, their map, curves over the steps, and the table."""

import importlib.util
from functools import partial
from pathlib import Path

import streamlit as st

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores.registry import SCORES
from gan_core.sweeps import grouping, hparams
from gan_core.sweeps.importance import LEAST_TRIALS, Importance, importance
from gan_core.sweeps.map_page import map_page
from gan_core.sweeps.space import Space
from gan_core.sweeps.store import Store
from gan_core.sweeps.table import mean_and_error, ordered_values, table
from gan_core.sweeps.training import DONE
from pages.ui.components.liveplot import live_plot
from pages.ui.figures import sweep_figures
from pages.ui.run import settings_panel
from pages.ui.session.waiting import waited
from pages.ui.sweeps import sweep_cells, sweep_curves, sweep_processes
from pages.ui.sweeps.sweep_parts import Row, choice, named, scores_of

MOST_ROWS = 500  # of the table: each has a link, half a millisecond's work at every look
TICK_SECONDS = 2.0  # from one look at a running sweep's folder to the next
PICTURES = "pictures"
ALL = "the mean over all"


def results(folder: Path) -> None:
    """All of a sweep; while it runs, drawn again every TICK_SECONDS."""
    store = Store(folder)
    try:
        space = store.space()
    except ConfigError as error:
        st.error(str(error))
        return
    running = sweep_processes.is_running(folder)
    st.fragment(_draw, run_every=TICK_SECONDS if running else None)(store, space, running)


def _draw(store: Store, space: Space, was_running: bool) -> None:
    running = sweep_processes.is_running(store.folder)
    if running != was_running:
        st.rerun()  # the timer, and the buttons beside it, change only in a full run
    try:
        rows = space.rows_of(store.rows()[0])
    except ConfigError as error:
        st.error(str(error))
        return
    _progress(store, space, rows, running)
    if not rows:
        return
    _map(store, space, rows)
    sweep_curves.draw(store, space, rows)
    _lines(space, rows)
    _importance(store, space, rows, running)
    _table(store, space, rows)


def _progress(store: Store, space: Space, rows: list[Row], running: bool) -> None:
    bad = [row["status"] for row in rows if row["status"] != DONE]
    said = f"{len(rows):,} of {len(space):,} trials"
    if bad:
        said += ": " + ", ".join(f"{bad.count(status):,} {status}" for status in dict.fromkeys(bad))
    words = sweep_processes.last_words(store.folder)
    with st.container(horizontal=True, vertical_alignment="center", key="sweep_progress"):
        st.progress(min(1.0, len(rows) / max(1, len(space))), text=said, width=420)
        if running:
            st.button("Stop", key="sweep_stop", on_click=sweep_processes.stop, args=(store.folder,), help=_STOP)
        elif len(rows) < len(space):
            st.button("Go on", key="sweep_again", on_click=_go_on, args=(store.folder,), help=_GO_ON)
    if words and (running or len(rows) < len(space)):
        st.caption(words)


_STOP = (
    "It goes on while this page is closed. Stop ends the trials that run now; those that are finished stay, and Go on "
    "trains the others."
)
_GO_ON = "Trains what is still missing."


def _go_on(folder: Path) -> None:
    try:
        sweep_processes.start(folder)
    except ConfigError as error:
        st.error(str(error))


# -- the map ------------------------------------------------------------------------------------------------


def _map(store: Store, space: Space, rows: list[Row]) -> None:
    st.subheader("Map")
    axes = {axis.name: axis for axis in space.axes}
    names = list(axes)
    looks = [PICTURES, *scores_of(rows)]
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_map_bar"):
        look = choice("Show", looks, "sweep_look", lambda n: n if n == PICTURES else SCORES[n].title, _LOOK)
        x = choice("Across", names, "sweep_x", lambda n: settings_panel.label(n, space.base), _SIDE) if names else ""
        others = [name for name in names if name != x]
        y = choice("Up", others, "sweep_y", lambda n: settings_panel.label(n, space.base), _SIDE) if others else ""
        for name in (name for name in others if name != y):
            [of] = grouping.sides(rows, [axes[name]], space.base)
            kept = choice(settings_panel.label(name, space.base), [ALL, *of.texts], f"sweep_at_{name}", str, _AT)
            if kept != ALL:
                rows = [row for row in rows if of.texts[of.places[row["settings"][name]]] == kept]
    shown_axes = [name for name in (x, y) if name]
    of_axes = dict(zip(shown_axes, grouping.sides(rows, [axes[name] for name in shown_axes], space.base), strict=True))
    across, up = (of_axes.get(name, ONE_PLACE) for name in (x, y))
    grouped = across.grouped or up.grouped
    titles = tuple(settings_panel.label(name, space.base) if name else "" for name in (x, y))
    at: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        place = up.places[row["settings"].get(y)], across.places[row["settings"].get(x)]
        at.setdefault(place, []).append(row)
    said = {place: _said(group) for place, group in at.items() if _said(group)}
    if look == PICTURES:
        pictures = {place: store.picture(_shown(group)["key"]) for place, group in at.items()}
        found = {place: content for place, content in pictures.items() if content}
        figure = sweep_figures.picture_map(across.texts, up.texts, (titles[0], titles[1]), found, said, grouped)
    else:
        scored = {place: cell for place, group in at.items() if (cell := _cell(group, look))}
        figure = sweep_figures.score_map(across.texts, up.texts, (titles[0], titles[1]), scored, said, look, grouped)
    shown = {place: _shown(group) for place, group in at.items()}
    cells = [(i, j) for i in range(len(up.texts)) for j in range(len(across.texts))]
    sweep_cells.live_map(figure, store.folder, [named(shown[cell], space) if cell in shown else "" for cell in cells])
    if grouped:
        st.caption(f"{grouping.GROUPED} Point at a cell to read them, and how many trials it has.")
    st.caption(_PICTURES if look == PICTURES else _MEANS + (_FLATTERED if space.stop_by else ""))
    sweep_cells.chosen(store, space, {named(row, space): row for row in shown.values()})


ONE_PLACE = grouping.Side(("",), {None: 0})  # of a side without a setting
_LOOK = "The picture of each generator, or a score's mean over the seeds as a colour."
_SIDE = "Which setting is along this side."
_AT = "Which value of this setting the map shows."
_PICTURES = (
    "Each cell shows the samples of the seed that was finished first, real data in blue and generated in orange."
)
_MEANS = "The mean over the finished seeds ± its standard error. Only differences of several of those mean anything."
_FLATTERED = " Seeds that were stopped early are missing from it, so it flatters settings that only some seeds survive."


def _said(group: list[Row]) -> str:
    bad = [row["status"] for row in group if row["status"] != DONE]
    return f"{bad[0]}<br>{len(bad)} of {len(group)}" if bad else ""


def _shown(group: list[Row]) -> Row:
    """The trial whose picture stands for its cell."""
    return next((row for row in group if row["status"] == DONE), group[0])


def _cell(group: list[Row], name: str) -> tuple[float, float | None, int] | None:
    done = [row["metrics"] for row in group if row["status"] == DONE]
    values = [metrics[name] for metrics in done if isinstance(metrics.get(name), (int, float))]
    if not values:
        return None
    return *mean_and_error(values), len(values)


# -- all combinations, and the table -------------------------------------------------------------------------


def _lines(space: Space, rows: list[Row]) -> None:
    """Each combination of settings as a line over all settings and scores, where there are enough of them."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(named(row, space), []).append(row)
    known = scores_of(rows)
    means = {name: {s: cell[0] for s in known if (cell := _cell(group, s))} for name, group in groups.items()}
    trained = {name: mean for name, mean in means.items() if mean}
    scores = [name for name in known if all(name in mean for mean in trained.values())]
    found = {n: (groups[n][0]["settings"], {s: mean[s] for s in scores}) for n, mean in trained.items()}
    if not space.axes or not scores or len(found) < LEAST_LINES:
        return
    st.subheader("All at once")
    score = choice("Best by", scores, "sweep_lines_by", lambda n: SCORES[n].title, _BEST_BY)
    labels = {axis.name: settings_panel.short_label(axis.name, space.base) for axis in space.axes}
    values = {axis.name: ordered_values(rows, axis) for axis in space.axes}
    live_plot(sweep_figures.lines(list(found.items())[:MOST_LINES], labels, values, score), key="sweep_lines")
    more = f" Of {len(found):,}, the first {MOST_LINES} are drawn." if len(found) > MOST_LINES else ""
    st.caption(f"Each line is one combination of settings, with its scores' means over the seeds.{more}")


LEAST_LINES, MOST_LINES = 3, 200
_BEST_BY = "The best fifth by this score is drawn thick: follow it to the settings that it comes from."


def _importance(store: Store, space: Space, rows: list[Row], running: bool) -> None:
    scores = scores_of(rows)
    if len(space.axes) < 2 or not scores:
        return
    st.subheader("Which setting matters")
    score = choice("For the score", scores, "sweep_importance", lambda n: SCORES[n].title, _IMPORTANCE)
    if running:
        st.caption("Told once the sweep stands still: a forest takes seconds to grow.")
        return
    found = waited("Growing a forest", _importances, str(store.folder), rows[-1]["key"], len(rows), score, rows)
    if found is None:
        st.caption(f"That needs at least {LEAST_TRIALS} trials with this score, and scores that differ.")
        return
    bars = {settings_panel.label(name, space.base): row for name, row in found.settings.items()}
    live_plot(sweep_figures.importances(bars), key="sweep_importances")
    explained = f"The forest explains {100 * max(0.0, found.explained):.0f} % of the variance of {found.trials} trials"
    st.caption(
        f"{explained} that it has not seen" + (": too little to say anything." if found.explained < 0.1 else ".")
    )


_IMPORTANCE = (
    "How much worse a random forest predicts this score once the values of one setting are shuffled; the line is the "
    "spread over folds and shuffles."
)


@st.cache_data(max_entries=50, show_spinner=False)
def _importances(folder: str, last: str, count: int, score: str, _rows: list[Row]) -> Importance | None:
    return importance(_rows, score)  # the others say which they are: to compare thousands of rows takes seconds


def _table(store: Store, space: Space, rows: list[Row]) -> None:
    name = store.folder.name
    st.subheader("Trials")
    found = table(rows[-MOST_ROWS:])
    found.insert(0, "open", [sweep_cells.link(row, space) for row in rows[-MOST_ROWS:]])
    last = ["seed", "steps", "seconds", "reason"]  # the scores are what one came for
    shown = [name for name in found if name not in last and name != "key" and not name.startswith("node_")]
    st.dataframe(
        found[[*shown, *last]],
        hide_index=True,
        column_config={
            "open": st.column_config.LinkColumn("open", display_text="open", help="A fresh run of the same settings.")
        },
    )
    if len(rows) > MOST_ROWS:
        st.caption(f"The last {MOST_ROWS:,} of {len(rows):,}. The files below have them all.")
    with st.container(horizontal=True, key="sweep_files"):
        st.download_button("Download CSV", lambda: table(rows).to_csv(index=False), f"{name}.csv", "text/csv")
        st.download_button(
            "Download map (HTML)",
            partial(_map_page, store, space, rows),
            f"{name}.html",
            "text/html",
            help="One page that shows the map anywhere, without a network.",
        )
        there = importlib.util.find_spec("tensorboard") is not None
        st.download_button(
            "Download for TensorBoard",
            partial(hparams.hparams_zip, rows, store.arrays),
            f"{name}-hparams.zip",
            "application/zip",
            help=_HPARAMS if there else hparams.MISSING,
            disabled=not there,
        )


_HPARAMS = "Settings, scores and curves of each trial. Unpack it, run tensorboard --logdir FOLDER, and open HPARAMS."


def _map_page(store: Store, space: Space, rows: list[Row]) -> bytes:
    return map_page(store.folder.name, space, rows, store.picture).encode()
