"""A sweep's map as one HTML page that needs nothing else: no network, no GANscope."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from gan_core.scores.registry import SCORES
from gan_core.scores.score import number_of
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.setting_texts import text
from gan_core.sweeps.grouping import GROUPED, placed, sides
from gan_core.sweeps.space import Space
from gan_core.sweeps.table import by_settings
from gan_core.sweeps.training import DONE


def map_page(name: str, space: Space, rows: Sequence[dict[str, Any]], picture: Callable[[str], bytes]) -> str:
    """The page of a sweep: each setting's value on a side of one's choice, in pictures or in a score's colours.

    picture: a trial's PNG by its key, b"" where there is none.
    """
    of = sides(rows, space.axes, space.base)
    grouped = any(each.grouped for each in of)
    rows = placed(rows, space.axes, of)
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        key = json.dumps(row["settings"], sort_keys=True)
        if key not in first or (first[key]["status"] != DONE and row["status"] == DONE):
            first[key] = row
    cells = []
    for group in by_settings(rows):
        shown = first[json.dumps(group["settings"], sort_keys=True)]
        bad = [status for status in group["statuses"] if status != DONE]
        cells.append(
            {
                "at": {axis: text(value) for axis, value in group["settings"].items()},
                "seeds": group["seeds"],
                "bad": f"{len(bad)} of {group['seeds']} {bad[0]}" if bad else "",
                "picture": base64.b64encode(picture(shown["key"])).decode(),
                "scores": {
                    score: [mean, SCORES[score].text(mean), "" if error is None else f"± {SCORES[score].text(error)}"]
                    for score, (mean, error) in group["scores"].items()
                },
            }
        )
    metrics = [row["metrics"] for row in rows if row["status"] == DONE]
    scores = {score: _about(score, metrics) for score in SCORES if any(score in cell["scores"] for cell in cells)}
    axes = {axis.name: _label(axis.name) for axis in space.axes}
    values = {axis.name: each.texts for axis, each in zip(space.axes, of, strict=True)}
    found = {"axes": axes, "values": values, "scores": scores, "cells": cells, "grouped": grouped}
    content = json.dumps(found).replace("<", "\\u003c")
    budget = f"{space.steps:,} steps" if space.seconds is None else f"{space.seconds:g} s"
    about = f"{len(rows):,} trials of {budget}, {space.seeds} seeds of each, on {space.base.data}"
    about += f". {GROUPED.removesuffix('.')}" if grouped else ""
    about += ". Means are without the seeds that were stopped early, and flatter" if space.stop_by else ""
    return PAGE.replace("NAME", escape(name)).replace("ABOUT", escape(about)).replace("CONTENT", content)


def _about(score: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    ideals = [value for scores in metrics if (value := number_of(SCORES[score].ideal(score, scores))) is not None]
    real = SCORES[score].text(sum(ideals) / len(ideals)) if ideals else ""
    return {"title": SCORES[score].title, "low": SCORES[score].good == "low", "real": real}


def _label(name: str) -> str:
    return HYPERPARAMETERS[name].label if name in HYPERPARAMETERS else name


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>NAME</title>
<style>
  :root { color-scheme: light dark; font: 17px/1.4 system-ui, sans-serif; }
  body { margin: 1.5rem; }
  [hidden] { display: none; }
  label:not([hidden]) { display: inline-block; margin: 0 1rem 1rem 0; }
  select { font: inherit; }
  main { overflow: auto; }
  table { border-collapse: separate; border-spacing: 3px; }
  th { font-weight: normal; padding: 0.2rem 0.5rem; }
  td { width: 192px; min-width: 7rem; height: 6rem; text-align: center; position: relative; padding: 0; }
  td img { width: 100%; display: block; background: #fff; image-rendering: pixelated; }
  .small { border-spacing: 1px; font-size: 0.7rem; }
  .small td { width: 20px; min-width: 20px; height: 20px; }
  .small th { padding: 0; text-align: right; white-space: nowrap; }
  .small tr:last-child th { writing-mode: vertical-rl; }
  td .bad { position: absolute; inset: auto 0 0 0; background: Canvas; color: CanvasText; }
</style></head><body>
<h1>NAME</h1><p>ABOUT</p>
<form></form><main></main><p id="real"></p>
<script type="application/json" id="content">CONTENT</script>
<script>
const { axes, values, scores, cells, grouped } = JSON.parse(document.getElementById("content").textContent);
const form = document.querySelector("form"), main = document.querySelector("main");
const names = Object.keys(axes);
const node = (tag, text = "") => Object.assign(document.createElement(tag), { textContent: text });
function choice(label, options, chosen) {
  const box = node("label", label + " "), list = node("select");
  for (const [value, text] of options) list.append(Object.assign(node("option", text), { value }));
  if (chosen !== undefined) list.value = chosen;
  list.addEventListener("change", draw);
  box.append(list);
  form.append(box);
  return list;
}
const sides = [...names.map((name) => [name, axes[name]]), ["", "–"]];
const looks = [["pictures", "pictures"], ...Object.entries(scores).map(([name, score]) => [name, score.title])];
const look = choice("Show", looks);
const x = choice("Across", sides, names[0] ?? ""), y = choice("Up", sides, names[1] ?? "");
const kept = new Map(names.map((name) => [name, choice(axes[name], values[name].map((value) => [value, value]))]));
const COLORS = [[0, 32, 77], [124, 123, 120], [254, 232, 56]]; // of Cividis, which all eyes read alike
function color(share) {
  const at = Math.min(share * 2, 1.999), low = COLORS[Math.floor(at)], high = COLORS[Math.floor(at) + 1];
  const rgb = low.map((value, i) => Math.round(value + (at % 1) * (high[i] - value)));
  return [`rgb(${rgb})`, rgb[0] * 0.299 + rgb[1] * 0.587 + rgb[2] * 0.114 > 120 ? "#000" : "#fff"];
}
function told(column, row, score, cell) {
  const said = [column, row, score, cell ? `${cell.seeds} trial${cell.seeds > 1 ? "s" : ""}` : "", cell?.bad ?? ""];
  return said.filter((part) => part).join(" · ");
}
function draw() {
  for (const [name, list] of kept) list.parentElement.hidden = name === x.value || name === y.value;
  const fixed = [...kept].filter(([, list]) => !list.parentElement.hidden);
  const shown = cells.filter((cell) => fixed.every(([name, list]) => cell.at[name] === list.value));
  const across = x.value ? values[x.value] : [""], up = y.value && y.value !== x.value ? values[y.value] : [""];
  const numbers = shown.map((cell) => cell.scores[look.value]?.[0]).filter((value) => value !== undefined);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const table = Object.assign(node("table"), { className: grouped ? "small" : "" });
  const place = (column, row) => JSON.stringify([column, row]);
  const at = (cell) => place(x.value ? cell.at[x.value] : "", up[0] ? cell.at[y.value] : "");
  const places = new Map(shown.map((cell) => [at(cell), cell]).reverse());
  for (const row of [...up].reverse()) {
    const line = node("tr");
    line.append(node("th", row));
    for (const column of across) {
      const cell = places.get(place(column, row));
      const box = node("td");
      const score = cell?.scores[look.value];
      if (look.value === "pictures" && cell?.picture)
        box.append(
          Object.assign(node("img"), { src: `data:image/png;base64,${cell.picture}`, alt: `${column} ${row}` }),
        );
      if (score) {
        const share = high > low ? (score[0] - low) / (high - low) : 0.5;
        [box.style.background, box.style.color] = color(scores[look.value].low ? 1 - share : share);
        if (!grouped) box.append(node("div", score[1]), node("div", score[2]), node("div", `${cell.seeds} seeds`));
      }
      if (grouped) box.title = told(column, row, score ? `${score[1]} ${score[2]}` : "", cell);
      else if (cell?.bad) box.append(Object.assign(node("div", cell.bad), { className: "bad" }));
      line.append(box);
    }
    table.append(line);
  }
  const foot = node("tr");
  foot.append(node("th"), ...across.map((value) => node("th", value)));
  table.append(foot);
  main.replaceChildren(table);
  const about = scores[look.value];
  const real = about?.real && `; real data get ${about.real}`;
  document.getElementById("real").textContent = about
    ? `${about.title}: the mean over the ${grouped ? "trials" : "seeds"} ± its standard error${real}.`
    : "Each cell shows the samples of one seed: real data blue, generated orange.";
}
draw();
</script></body></html>
"""
