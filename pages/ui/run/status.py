"""What a run does and is, in words: the first screen, the status line, the scores beside the picture, its layers."""

from html import escape

import numpy as np
import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from pages.ui.figures import score_texts
from pages.ui.frames.feed import STATUS
from pages.ui.run import presenter_panel
from pages.ui.session import own_run

NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def untouched(run: Run, snapshot: Snapshot) -> bool:
    """Whether nobody has pressed Play yet."""
    return snapshot.status == "idle" and not run.sources and not own_run.hub().place(run)


def introduction(snapshot: Snapshot) -> str:
    """What a visitor sees before the first Play, and what to do, as HTML."""
    modes = getattr(snapshot.data, "modes", None)
    if DATASETS[snapshot.config.data].kind == "images":
        digits = snapshot.config.data in ("digits", "mnist")
        asks = "which digit becomes readable first?" if digits else "when do you first recognize something?"
        text = (
            f"<b>Right</b>: real {'digits' if digits else 'images'}. <b>Left</b>: images that the <b>generator</b> "
            "makes from random numbers, grey until you start. The <b>discriminator</b> tries to tell them apart."
        )
    else:
        count = 0 if modes is None else len(modes)
        clusters = f"find all {NUMBERS.get(count, count)} blue clusters?" if count > 1 else "cover the blue points?"
        asks = f"will orange {clusters}"
        text = (
            "<b>Blue</b> points are real data. A <b>generator</b> turns random numbers into <b>orange</b> points. A "
            "<b>discriminator</b> tries to tell orange from blue."
        )
    guide = '<i>New to GANs? Read the <a href="guide" target="_self">Guide</a>.</i>'
    return f'<p class="ganscope-intro untouched">{text} Both learn. <b>Press Play</b>: {asks} {guide}</p>'


def rate(steps_per_second: float) -> str:
    return f"{steps_per_second:,.0f}" if steps_per_second >= 9.5 or not steps_per_second else f"{steps_per_second:.1f}"


def in_queue(run: Run) -> str:
    """Where a run stands that waits for its turn, or what keeps it from starting; "" for one that does not wait."""
    place = own_run.hub().place(run)
    if not place:
        return ""
    return own_run.hub().hindrance() or f"Number {place} in the queue. Training starts automatically"


def status(run: Run, snapshot: Snapshot) -> str:
    """What the run does now, in words, with its speed."""
    said = in_queue(run) or STATUS[snapshot.status]
    hit = snapshot.frame.get("breakpoint")
    if hit and snapshot.status == "paused":
        said = f"paused at step {hit['step']:,}: breakpoint: {hit['said']}"
    if snapshot.shown != snapshot.step:
        said = f"{said} at {snapshot.step:,}"
    return f"{said} · {rate(snapshot.steps_per_second)} steps/s" if snapshot.steps_per_second > 0 else said


def line(run: Run, snapshot: Snapshot) -> str:
    """The status line, as HTML; how steps are computed is its tooltip."""
    path, parent = snapshot.frame.get("path"), snapshot.frame.get("parent")
    branch = f" · branch of {parent.name} at {parent.step:,}" if parent else ""
    how = f' title="Steps are computed by: {escape(path)}"' if path else ""
    return f"<p{how}>{said(run, snapshot)}{escape(branch)}</p>"


def said(run: Run, snapshot: Snapshot) -> str:
    """What the run does now, of what data and seed, and how many watch, as HTML."""
    c = snapshot.config
    return escape(f"{status(run, snapshot)} · {c.data} · seed {c.seed}{presenter_panel.watched(run)}")


def metrics(snapshot: Snapshot) -> str:
    """The scores beside their floors and sample sizes, as HTML."""
    m = snapshot.frame.get("metrics") or {}
    place = f"ganscope-metrics {DATASETS[snapshot.config.data].kind}"
    if "samples" not in m:
        text = m.get("note", "Press Play to see the scores.")
        return f'<div class="{place}"><span>{escape(text)}</span></div>'
    cells = (map(escape, cell) for cell in score_texts.cells(m))
    body = "".join(f"<div><b>{value}</b><span>{name}<br>{real}</span></div>" for value, name, real in cells)
    which = "averaged generator (EMA)" if snapshot.config.show_ema else "current generator"
    note = f"Scores at step {m['step']:,}, {which}: {score_texts.how_measured(m)}"
    return f'<div class="{place}">{body}</div><div class="ganscope-note">{escape(note)}</div>'


def layer_table(run: Run) -> None:
    """Each network's layers, output shapes and parameter counts, to open."""
    rows = run.snapshot().frame.get("layers")
    with st.expander("Layers and parameters"):
        if not rows:
            st.caption("Press Play to see the layers.")
            return
        for name in ("generator", "discriminator"):
            own = [r for r in rows if r["network"] == name]
            total = int(np.sum([r["parameters"] for r in own]))
            st.markdown(f"**{name}**: {total:,} parameters")
            st.table([{k: r[k] for k in ("layer", "output", "parameters")} for r in own])
