"""A sweep's trials -> Plotly figures: the map in a score's colours or in pictures, and curves with their spread."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from gan_core.scores.registry import SCORES
from gan_core.settings.setting_texts import text
from pages.ui.figures.figure_parts import FONT, Figure, axis, layout
from pages.ui.figures.loss_figures import RUN_COLORS, RUN_LETTERS, RUN_SYMBOLS

MARGIN, ROW_HEIGHT, PICTURE_HEIGHT = 90, 110, 190
CURVES_HEIGHT = 380
GROUP_HEIGHT = 18  # of a row where values are grouped: in so small a cell nothing is written
RANGES_HEIGHT = 120  # of the ranges that stand upright below it
MOST_MARKS = 8  # values that are written beside one line
SCALE = "Cividis"  # read alike by all eyes


def _axes(columns: Sequence[str], rows: Sequence[str], titles: tuple[str, str], grouped: bool) -> dict[str, Any]:
    about: dict[str, Any] = {"type": "category", "showgrid": False, "zeroline": False}
    across = {"tickangle": 90, "automargin": True} if grouped else {"tickangle": 0}
    return {
        "xaxis": axis(titles[0], **about, **across, categoryarray=list(columns), range=[-0.5, len(columns) - 0.5]),
        "yaxis": axis(titles[1], **about, categoryarray=list(rows), range=[-0.5, len(rows) - 0.5], automargin=True),
    }


def _height(rows: Sequence[str], height: int, grouped: bool) -> int:
    return MARGIN + RANGES_HEIGHT + GROUP_HEIGHT * len(rows) if grouped else MARGIN + height * len(rows)


def score_map(
    columns: Sequence[str],
    rows: Sequence[str],
    titles: tuple[str, str],
    cells: dict[tuple[int, int], tuple[float, float | None, int]],
    said: dict[tuple[int, int], str],
    name: str,
    grouped: bool = False,
) -> Figure:
    """Each cell in the colour of a score's mean over its seeds, with the mean, its standard error and their number.

    cells: (row, column) -> (mean, standard error or None, seeds); said: what stands in a cell without a value. grouped:
    columns and rows are ranges of values, and a cell has all trials in them; then it says so on hover alone.
    """
    unit = "trial" if grouped else "seed"
    score = SCORES[name]
    values: list[list[float | None]] = [[None] * len(columns) for _ in rows]
    texts = [[said.get((i, j), "") for j in range(len(columns))] for i in range(len(rows))]
    for (i, j), (mean, error, n) in cells.items():
        values[i][j] = mean
        spread = "" if error is None else f" ± {score.text(error)}"
        texts[i][j] = f"{score.text(mean)}<br>{spread}<br>{said.get((i, j), '') or f'{n} {unit}' + 's' * (n > 1)}"
    trace = {
        "type": "heatmap",
        "x": list(columns),
        "y": list(rows),
        "z": values,
        "text": texts,
        "texttemplate": "" if grouped else "%{text}",
        "textfont": {"size": FONT},
        "hovertemplate": f"{titles[0]} %{{x}}, {titles[1]} %{{y}}<br>{score.title} %{{text}}<extra></extra>",
        "colorscale": SCALE,
        "reversescale": score.good == "low",
        "xgap": 1 if grouped else 3,
        "ygap": 1 if grouped else 3,
        "colorbar": {"title": {"text": score.title, "side": "right"}, "thickness": 14},
    }
    empty = [
        {"x": j, "y": i, "text": said[i, j], "showarrow": False, "font": {"size": FONT}}
        for i in range(len(rows))
        for j in range(len(columns))
        if (i, j) not in cells and (i, j) in said and not grouped
    ]
    height = _height(rows, ROW_HEIGHT, grouped)
    figure = layout(
        height, f"map {name} {titles}", **_axes(columns, rows, titles, grouped), annotations=empty, dragmode=False
    )
    known = ", ".join(f"{columns[j]} / {rows[i]}: {score.text(cell[0])}" for (i, j), cell in sorted(cells.items()))
    if grouped and cells:
        means = [cell[0] for cell in cells.values()]
        known = f"{len(cells):,} groups of trials: from {score.text(min(means))} to {score.text(max(means))}"
    label = f"{score.title} over {titles[0]} and {titles[1]}. {known}"
    return {"data": [trace], "layout": figure, "label": label, "clicks": True}


def picture_map(
    columns: Sequence[str],
    rows: Sequence[str],
    titles: tuple[str, str],
    pictures: dict[tuple[int, int], bytes],
    said: dict[tuple[int, int], str],
    grouped: bool = False,
) -> Figure:
    """Each cell the picture of its generator (a PNG), of one seed; grouped: as in `score_map`."""
    images = [
        {
            "source": f"data:image/png;base64,{base64.b64encode(content).decode()}",
            "xref": "x",
            "yref": "y",
            "x": j,
            "y": i,
            "sizex": 0.96,
            "sizey": 0.96,
            "xanchor": "center",
            "yanchor": "middle",
        }
        for (i, j), content in pictures.items()
    ]
    notes = [
        {"x": j, "y": i, "text": words, "showarrow": False, "font": {"size": FONT}, "bgcolor": "$bg"}
        for (i, j), words in said.items()
        if not grouped
    ]
    # One point a cell, unseen, holds the axes and says on hover where it stands.
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [column for _ in rows for column in columns],
        "y": [row for row in rows for _ in columns],
        "marker": {"opacity": 0},
        "hovertemplate": f"{titles[0]} %{{x}}, {titles[1]} %{{y}}<extra></extra>",
    }
    figure = layout(
        _height(rows, PICTURE_HEIGHT, grouped),
        f"pictures {titles}",
        **_axes(columns, rows, titles, grouped),
        images=images,
        annotations=notes,
        showlegend=False,
        dragmode=False,
    )
    figure["yaxis"] |= {"scaleanchor": "x", "constrain": "domain"}
    figure["xaxis"] |= {"constrain": "domain"}
    aspect = len(columns) / len(rows)
    return {
        "data": [points],
        "layout": figure,
        "aspect": aspect,
        "clicks": True,
        "label": f"{len(pictures)} pictures over {titles[0]} and {titles[1]}",
    }


def curves(groups: Sequence[tuple[str, np.ndarray, np.ndarray]], title: str, floor: float | None = None) -> Figure:
    """Mean over the seeds of each group as a line with a symbol and a letter, and lowest to highest as a band.

    groups: (name, steps [n], values [seeds, n]), at most as many as there are colours. floor: what real data get.
    """
    traces: list[Figure] = [{"type": "scatter", "x": [0], "y": [None], "showlegend": False, "hoverinfo": "skip"}]
    for i, (name, steps, values) in enumerate(groups):
        color, mean = RUN_COLORS[i], values.mean(0)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([steps, steps[::-1]]),
                "y": np.concatenate([values.min(0), values.max(0)[::-1]]),
                "fill": "toself",
                "fillcolor": color,
                "opacity": 0.2,
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
                "legendgroup": name,
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"{RUN_LETTERS[i]}: {name}",
                "legendgroup": name,
                "x": steps,
                "y": mean,
                "line": {"color": color, "width": 2.5},
                "marker": {"symbol": RUN_SYMBOLS[i][0], "size": 8, "maxdisplayed": 6, "color": color},
                "hovertemplate": f"step %{{x:,}}: %{{y:.4g}}<extra>{name}</extra>",
            }
        )
    last = max((int(steps[-1]) for _, steps, _ in groups if len(steps)), default=0)
    if floor is not None and last:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "real data",
                "x": [0, last],
                "y": [floor, floor],
                "line": {"color": "$real", "width": 2, "dash": "dash"},
                "hovertemplate": "real data: %{y:.4g}<extra></extra>",
            }
        )
    figure = layout(
        CURVES_HEIGHT,
        f"curves {title} {len(groups)}",
        xaxis=axis("step", rangemode="tozero", hoverformat=",d"),
        yaxis=axis(title),
    )
    figure["margin"] |= {"l": 70, "t": 60}
    return {"data": traces, "layout": figure, "label": f"{title} of {len(groups)} settings over the steps"}


def lines(
    groups: Sequence[tuple[str, tuple[dict[str, Any], dict[str, float]]]],
    labels: dict[str, str],
    values: dict[str, list[Any]],
    by: str,
) -> Figure:
    """Parallel coordinates: each group a line over its settings, then its scores; the best fifth by one score thick.

    groups: (name, (settings, means of scores)). labels, values: of each setting, in their order. by: the score's name.
    """
    scores = list(groups[0][1][1])
    ends = {n: (min(g[1][1][n] for g in groups), max(g[1][1][n] for g in groups)) for n in scores}
    ranked = sorted(groups, key=lambda group: group[1][1][by], reverse=SCORES[by].good == "high")
    best = {name for name, _ in ranked[: -(-len(ranked) // 5)]}

    def height(name: str, value: Any) -> float:
        if name in values:
            return values[name].index(value) / max(1, len(values[name]) - 1)
        low, high = ends[name]
        return (value - low) / (high - low) if high > low else 0.5

    places = [*labels, *scores]
    traces: list[Figure] = []
    for name, (settings, means) in [*(g for g in groups if g[0] not in best), *(g for g in groups if g[0] in best)]:
        thick, known = name in best, {**settings, **means}
        said = f"{name}<br>" + "<br>".join(f"{SCORES[n].title} {SCORES[n].text(means[n])}" for n in scores)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": list(range(len(places))),
                "y": [height(place, known[place]) for place in places],
                "line": {"color": RUN_COLORS[0] if thick else "$line", "width": 4 if thick else 1.5},
                "marker": {"size": 9 if thick else 5},
                "hovertemplate": f"{said}<extra></extra>",
            }
        )
    notes: list[dict[str, Any]] = []
    for x, place in enumerate(places):
        marks = [(height(place, value), text(value)) for value in values[place]] if place in values else []
        marks = marks or [(height(place, end), SCORES[place].text(end)) for end in ends[place]]
        marks = marks if len(marks) <= MOST_MARKS else [marks[0], marks[-1]]
        about = {"x": x, "showarrow": False, "bgcolor": "$bg", "font": {"size": FONT}}
        notes += [{**about, "y": y, "text": said, "xshift": 8, "xanchor": "left"} for y, said in dict(marks).items()]
    figure = layout(
        CURVES_HEIGHT,
        f"lines {places} {by}",
        xaxis=axis("", tickvals=list(range(len(places))), ticktext=[labels.get(p) or SCORES[p].title for p in places])
        | {"range": [-0.2, len(places) - 0.5], "automargin": True},
        yaxis=axis("", visible=False, range=[-0.08, 1.08]),
        annotations=notes,
        showlegend=False,
        dragmode=False,
    )
    figure["margin"] |= {"l": 20, "b": 50}
    return {"data": traces, "layout": figure, "label": f"{len(groups)} combinations, best by {SCORES[by].title}"}


def importances(found: dict[str, tuple[float, float]]) -> Figure:
    """A bar for each setting with its spread, the most important on top. found: label -> (mean, standard deviation)."""
    ordered = sorted(found.items(), key=lambda row: row[1][0])
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [mean for _, (mean, _) in ordered],
        "y": [label for label, _ in ordered],
        "error_x": {"type": "data", "array": [spread for _, (_, spread) in ordered], "color": "$text"},
        "marker": {"color": RUN_COLORS[0]},
        "hovertemplate": "%{y}: %{x:.2f}<extra></extra>",
    }
    figure = layout(
        100 + 50 * len(found),
        f"importance {len(found)}",
        xaxis=axis("explained variance that is lost without it", rangemode="tozero"),
        yaxis=axis("", type="category", automargin=True),
        showlegend=False,
        dragmode=False,
    )
    said = ", ".join(f"{label} {mean:.2f}" for label, (mean, _) in reversed(ordered))
    return {"data": [bars], "layout": figure, "label": f"Importance: {said}"}
