"""Still clouds of points -> Plotly figures, as plain dicts, in the colours of the playground's plane."""

import numpy as np

from pages.ui.figures.figure_parts import FONT, Figure, axis, dots, layout, name_above

CLOUD_HEIGHT = 430
COLORS = {"real": "$real", "generated": "$fake"}
TEXT_COLORS = {"real": "$real", "generated": "$fakeText"}


def cloud(points: np.ndarray, limit: float, name: str) -> Figure:
    """Points [n, 2] in the square [-limit, limit]², equal aspect. name: one of COLORS."""
    title = name_above(name, TEXT_COLORS[name], FONT + 3)
    figure = layout(
        CLOUD_HEIGHT,
        f"{name} {limit:.6g}",
        xaxis=axis("", range=[-limit, limit], constrain="domain"),
        yaxis=axis("", range=[-limit, limit], scaleanchor="x", constrain="domain", constraintoward="top"),
        annotations=[title],
        showlegend=False,
        dragmode=False,
    )
    figure["margin"] = {"l": 36, "r": 8, "t": 30, "b": 28}
    drawn = dots(points, name, COLORS[name], 5, 0.55)
    return {"data": [drawn], "layout": figure, "aspect": 1, "label": f"{len(points)} {name} points"}
