"""The result of `benchmark few` as one HTML page with a plot that needs nothing else."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from gan_core.export.html_player import plotly_script

COLORS = ("#c75b00", "#0072b2", "#0f9d78", "#c257a0")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
SCORE = "classifier_fid"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>GANscope: few data</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<style>body { font-family: "Source Sans", system-ui, sans-serif; margin: 1rem 1.5rem; max-width: 60rem;
  background: #fff; color: #2f2d2b; }</style>
<script>$plotly</script></head><body>
<h1>Few data: $data</h1><div id="plot" style="height: 30rem"></div><p>$about</p>
<script type="application/json" id="figure">$figure</script>
<script>Plotly.newPlot("plot", JSON.parse(document.getElementById("figure").textContent));</script>
</body></html>
"""


def page(result: dict[str, Any]) -> str:
    """classifier-FID at the end over the share of the data, a line for each augmentation, with its standard errors."""
    rows, data = result["rows"], result["rows"][0]["data"]
    traces: list[dict[str, Any]] = []
    for i, name in enumerate(dict.fromkeys(row["augment"] for row in rows)):
        own = [row for row in rows if row["augment"] == name and row[SCORE]["mean"] is not None]
        errors = [row[SCORE]["error"] or 0 for row in own]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [100 * row["share"] for row in own],
                "y": [row[SCORE]["mean"] for row in own],
                "error_y": {"type": "data", "array": errors, "visible": any(errors)},
                "line": {"color": COLORS[i % len(COLORS)], "width": 3},
                "marker": {"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 11},
                "hovertemplate": f"%{{x:g}} %: %{{y:.2f}}<extra>{escape(name)}</extra>",
            }
        )
    shares = sorted({100 * row["share"] for row in rows})
    floor = result["perfect"][data][SCORE]
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "real data",
            "x": [shares[0], shares[-1]],
            "y": [floor, floor],
            "line": {"color": "#777", "dash": "dash"},
        }
    )
    ticks = {"tickvals": shares, "ticktext": [f"{share:g} %" for share in shares]}
    layout = {
        "font": {"size": 16},
        "xaxis": {"title": {"text": "share of the images to learn from"}, "type": "log", **ticks},
        "yaxis": {"title": {"text": "classifier-FID"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": 1.1},
    }
    m, seeds = result["machine"], len(rows[0]["seeds"])
    about = (
        f"{result['images']:,} images; {result['samples']:,} generated samples each, against the whole set; {seeds} "
        f"seed{'s' * (seeds > 1)}, bars are standard errors; {rows[0]['seconds']['mean']:.0f} s of training on "
        f"{m['cores']} cores, {m['date']}."
    )
    figure = json.dumps({"data": traces, "layout": layout}).replace("<", "\\u003c")
    text = PAGE.replace("$data", escape(data)).replace("$about", escape(about)).replace("$figure", figure)
    return text.replace("$plotly", plotly_script())
