"""Scores in words and numbers, the same wherever they are shown."""

from typing import Any

from gan_core.scores import registry
from gan_core.scores.point_scores import HALF_SPANS
from gan_core.scores.registry import SCORES
from gan_core.scores.score import number_of

Cell = tuple[str, str, str]  # value, name, what real data get


def cells(m: dict[str, Any]) -> list[Cell]:
    """The scores that a run has, each beside what real data get; what is not in GANscope's form is left out."""
    found = []
    for name, row in SCORES.items():
        best = row.ideal(name, m)
        if name not in m or best is None:
            continue
        value = number_of(m[name])
        text = "no value yet" if value is None else row.text(value)
        if name == "modes" and (total := number_of(m.get("modes_total"))) is not None:
            text += f" / {total:,.0f}"
        found.append((text, row.title, f"real data {row.text(best)}"))
    return found


def how_measured(m: dict[str, Any]) -> str:
    """The sizes behind the scores of a run."""
    if "classifier_accuracy" in m:
        return f"{m['samples']:,} samples; classifier accuracy {100 * m['classifier_accuracy']:.1f} %"
    units = f", in units of {HALF_SPANS}" if "distances_in" in m else ""
    return f"{m['samples']:,} samples; distances use {m['w1_samples']:,}{units}"


def leaders(rows: list[dict[str, Any]]) -> list[tuple[str, list[str], set[int]]]:
    """(title, each run's value, who leads) of every score that at least one of the runs has.

    Who leads is who is nearest to what real data get, with those whose value reads the same; nobody where all do.
    """
    table = []
    for name, score in SCORES.items():
        values = [number_of(row.get(name)) for row in rows]
        known = sum(value is not None for value in values)
        if not known:
            continue
        texts = ["–" if value is None else score.text(value) for value in values]
        best = {texts[i] for i in registry.leaders(rows, name)}
        lead = {i for i, text in enumerate(texts) if text in best}
        table.append((score.title, texts, lead if known > 1 and len(lead) < known else set()))
    return table
