"""Snapshot of an image run -> figures, as plain dicts; static/ganscope/live_plot.js draws them.

A trace with `tiles` is one texture: static/ganscope/pictures.js lays the images out in it, so pixels travel as uint8.
Image i stands at x = i mod columns, y = i // columns.
"""

import numpy as np

from gan_core.data.pictures import as_pictures
from gan_core.recording.snapshot import Snapshot
from pages.ui.figures.figure_parts import FONT, SIDE, Figure, axis, layout, name_above, reach

GRID_HEIGHT = 420
CLASSES_HEIGHT = 140
STRIP_HEIGHT = 190
SIDES = tuple(range(4, 11))
TITLE = 30  # pixels above a grid for its title


def _tiles(
    pixels: np.ndarray, columns: int, hover: list[str] | str, p: np.ndarray | None = None, framed: bool = False
) -> tuple[list[Figure], int]:
    """(traces, rows) of uint8 [n, H, W, C] in `columns`: the texture, and a point an image to hover over and click.

    p: float32 [n] in 0..1, for the hover text as %{customdata}, and for the colour of a frame around each image.
    """
    n = len(pixels)
    texture = {"pixels": pixels.reshape(-1), "shape": list(pixels.shape), "columns": columns}
    if framed:
        texture["frames"] = p
    place = np.arange(n, dtype=np.int32)
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": place % columns,
        "y": place // columns,
        "marker": {"size": 34, "opacity": 0},
        "showlegend": False,
    }
    if isinstance(hover, str):
        points |= {"hovertemplate": hover, "customdata": p}
    else:
        points |= {"text": hover, "hovertemplate": "%{text}<extra></extra>"}
    return [{"type": "image", "tiles": texture, "hoverinfo": "skip"}, points], -(-n // columns)


def _frame(traces: list[Figure], columns: int, rows: int, height: int, title: str, color: str, revision: str) -> Figure:
    """Square cells, no ticks, the title above in the colour of what is shown."""
    bare = {
        "showgrid": False,
        "zeroline": False,
        "showticklabels": False,
        "showline": False,
        "ticks": "",
        "constrain": "domain",
    }
    figure = layout(
        height,
        revision,
        xaxis=axis("", range=[-0.5, columns - 0.5], **bare),
        yaxis=axis("", range=[rows - 0.5, -0.5], scaleanchor="x", constraintoward="top", **bare),
        annotations=[name_above(title, color, FONT + 1)],
        dragmode="pan",
        hoverdistance=30,
    )
    figure["margin"] = {"l": 4, "r": 4, "t": TITLE, "b": 4}
    return {"data": traces, "layout": figure, "aspect": columns / rows}


def grid(
    snapshot: Snapshot, side: int, framed: bool, row_names: list[str], height: int = GRID_HEIGHT, link: str = ""
) -> Figure:
    """The generated images; hover, and the frame's colour if wanted, tell p(real) of each."""
    frame = snapshot.frame
    if "grid" not in frame:
        shape = snapshot.data.shape
        empty = np.full((side * side, *shape), 128, np.uint8)
        traces, rows = _tiles(empty, side, "Press Play to see images.<extra></extra>")
    else:
        pixels, p = frame["grid"], frame["p_real"]
        side = round(len(pixels) ** 0.5)
        hover = "sample %{pointNumber}: p(real) %{customdata:.2f}<extra></extra>"
        traces, rows = _tiles(pixels, side, hover, p, framed)
    figure = _frame(traces, side, rows, height, "generated", "$fakeText", f"grid {side}")
    if link:
        figure["link"] = f"{link} {side}"
    if row_names:
        named = [row_names[i % len(row_names)] for i in range(side)]
        figure["layout"]["yaxis"] |= {"showticklabels": True, "tickvals": list(range(side)), "ticktext": named}
        figure["layout"]["margin"]["l"] = 14 + 9 * max(len(name) for name in named)
    label = f"{len(traces[1]['x'])} generated images at step {snapshot.shown:,}"
    return figure | {"step": snapshot.shown, "clicks": True, "label": label}


def real(snapshot: Snapshot, side: int, row_names: list[str]) -> Figure:
    """Real images beside the grid: as many rows, and of the rows' classes where the networks are told them."""
    data, columns = snapshot.data, real_columns(side)
    picked = np.arange(side * columns) % len(data)
    if row_names and data.labels is not None:
        of_class = {name: np.flatnonzero(data.labels == data.class_names.index(name)) for name in set(row_names)}
        every = np.arange(len(data))
        rows = [own if len(own := of_class[row_names[i % len(row_names)]]) else every for i in range(side)]
        again = [columns * (i // len(row_names)) for i in range(side)]  # a class's second row shows others
        picked = np.concatenate([own[(k + np.arange(columns)) % len(own)] for own, k in zip(rows, again, strict=True)])
    names = data.class_names
    hover = [f"real {i}" + (f": {names[data.labels[i]]}" if data.labels is not None else "") for i in picked.tolist()]
    traces, rows = _tiles(as_pictures(data).pixels[picked], columns, hover)
    return _frame(traces, columns, rows, GRID_HEIGHT, "real", "$real", f"real {side}") | {
        "label": f"{len(picked)} real images of {snapshot.config.data}"
    }


def real_columns(side: int) -> int:
    """How many real images stand in each row beside a grid of `side`."""
    return max(2, round(0.35 * side))


def classes(snapshot: Snapshot) -> Figure:
    """The share of each class among the generated images, beside the real ones."""
    scores = snapshot.frame.get("metrics") or {}
    names = list(snapshot.data.class_names)
    generated, of_real = scores.get("histogram"), scores.get("histogram_real")
    if of_real and len(names) != len(of_real):  # stacked digits are told apart digit by digit
        names = [str(i) for i in range(len(of_real))]
    place = np.arange(len(names), dtype=np.int32)
    traces: list[Figure] = [
        {
            "type": "bar",
            "name": name,
            "x": place,
            "y": np.array(values or [0] * len(names), np.float32),
            "marker": {"color": color},
            "text": names,
            "textposition": "none",
            "hovertemplate": f"%{{text}}: %{{y:.1%}}<extra>{name}</extra>",
        }
        for values, name, color in ((of_real, "real", "$real"), (generated, "generated", "$fake"))
    ]
    short = [name[:3] for name in names] if len(names) <= 12 else None
    ticks = {"tickvals": list(range(len(names))), "ticktext": short} if short else {}
    highest = max(*(of_real or [0]), *(generated or [0]))
    figure = layout(
        CLASSES_HEIGHT,
        "classes",
        xaxis=axis("class", FONT - 2, range=[-0.6, len(names) - 0.4], **ticks),
        yaxis=axis("share", range=[0, reach(highest, min(1.0, 3 / len(names)))], tickformat=".0%", nticks=4),
        barmode="group",
        bargap=0.25,
    )
    figure["margin"] = {"l": 70, "r": SIDE, "t": 24, "b": 44}
    most = "no scores yet"
    if generated:
        most = ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(names, generated, strict=True))
    about = {"step": snapshot.shown, "every": 500, "label": f"Share of each class among generated images: {most}"}
    return {"data": traces, "layout": figure, **about}


def blend(snapshot: Snapshot) -> Figure:
    """The mixture of corners of z, and the corners' own images."""
    frame = snapshot.frame
    corners, names = frame["corners"], "ABCD"[: len(frame["corners"])]
    half = len(corners) // 2
    pixels = np.concatenate([corners[:half], frame["blend"], corners[half:]])
    names = [*names[:half], "mixture", *names[half:]]
    traces, rows = _tiles(pixels, len(pixels), names)
    title = "interpolate z: " + ", ".join(names)
    return _frame(traces, len(pixels), rows, STRIP_HEIGHT, title, "$fakeText", f"blend {len(names)}") | {
        "step": snapshot.shown,
        "label": f"Images of the corners of z and of their mixture: {', '.join(names)}",
    }


def neighbours(snapshot: Snapshot, picked: int) -> Figure:
    """A picked sample and its nearest real images, with their distances."""
    frame = snapshot.frame
    pixels = np.concatenate([frame["grid"][picked : picked + 1], frame["neighbours"]])
    hover = [f"sample {picked}", *(f"distance {d:.3f}" for d in frame["distances"])]
    traces, rows = _tiles(pixels, len(pixels), hover)
    title = f"sample {picked}, then its nearest real images"
    figure = _frame(traces, len(pixels), rows, STRIP_HEIGHT, title, "$fakeText", "neighbours")
    figure["layout"]["xaxis"] |= {
        "showticklabels": True,
        "tickvals": list(range(1, len(pixels))),
        "ticktext": [f"{d:.2f}" for d in frame["distances"]],
        "title": {"text": "distance (root mean square of pixels in 0..1)", "standoff": 2},
    }
    figure["layout"]["margin"]["b"] = 46
    distances = ", ".join(f"{d:.2f}" for d in frame["distances"])
    return figure | {"step": snapshot.shown, "label": f"Sample {picked} and its nearest real images: {distances}"}
