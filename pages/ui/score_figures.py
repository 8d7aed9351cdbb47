"""Still clouds of points -> Plotly figures, as plain dicts, in the colours of the playground's plane."""

import numpy as np

from pages.ui.figures import FONT, Figure, axis, layout

CLOUD_HEIGHT = 430
COLORS = {"real": "$real", "generated": "$fake"}


def cloud(points: np.ndarray, limit: float, name: str) -> Figure:
    """Points [n, 2] in the square [-limit, limit]², equal aspect. name: one of COLORS."""
    color = COLORS[name]
    title = {
        "text": f"<b>{name}</b>",
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": color, "size": FONT + 3},
    }
    dots = {
        # a few still points, so no WebGL: a browser has but few contexts, and each plot would take three
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": np.ascontiguousarray(points[:, 0]),
        "y": np.ascontiguousarray(points[:, 1]),
        "marker": {"color": color, "size": 5, "opacity": 0.55},
        "hovertemplate": f"{name} (%{{x:.3g}}, %{{y:.3g}})<extra></extra>",
    }
    figure = layout(
        CLOUD_HEIGHT,
        f"{name} {limit:.6g}",
        xaxis=axis("", range=[-limit, limit], constrain="domain"),
        yaxis=axis("", range=[-limit, limit], scaleanchor="x", constrain="domain", constraintoward="top"),
        annotations=[title],
        showlegend=False,
        dragmode=False,  # so that a finger that scrolls the page does not zoom
    )
    figure["margin"] = {"l": 36, "r": 8, "t": 30, "b": 28}
    return {"data": [dots], "layout": figure, "aspect": 1}
