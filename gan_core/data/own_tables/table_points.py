"""The points of a table's two columns: which rows stay, their classes, and the words for it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gan_core.data.own_tables.table_columns import Roles, hardly_varies
from gan_core.data.own_tables.table_numbers import Column, number
from gan_core.data.own_tables.table_rules import (
    LARGEST,
    LEAST_ROWS,
    MOST_CLASSES,
    MOST_NAME,
    MOST_ROWS,
    Table,
    TableError,
    is_missing,
    many,
)
from gan_core.data.points import OwnPoints
from gan_core.data.proposal import Proposal, Question
from gan_core.foundations.hyperparameters import printable, shorten
from gan_core.foundations.lazy_imports import pd

CODES = {-9999.0, -999.0, -99.0, 999.0, 9999.0, 99999.0}  # that often stand for a missing value
NO_CLASS = "(none)"  # the class of points that have none
TOTALS = {"total", "totals", "sum", "summe", "gesamt", "insgesamt", "mean", "average", "mittelwert", "somme", "suma"}
TOTALS |= {"moyenne", "media", "grand total", "gesamtergebnis", "合计", "总计"}


def axis_name(columns: Mapping[str, Column], label: str) -> str:
    """What the axis is called: the column's name, with the unit that stands in its cells."""
    unit = columns[label].unit
    return f"{label} ({printable(unit)})" if unit and len(label) < MOST_NAME else label


def proposal_of(
    table: Table,
    roles: Roles,
    chosen: tuple[str, str],
    label: str | None,
    questions: list[Question],
    rows: tuple[tuple[str, ...], ...],
    name: str,
) -> Proposal:
    """What would be trained on, of these two columns and the classes of `label`. Raises TableError."""
    x, y = (roles.columns[column] for column in chosen)
    notes = [*table.notes, *roles.notes(chosen, label)]
    left_out, good = _left_out(table, chosen, (x, y), notes)
    count = int(good.sum())
    if count < LEAST_ROWS:
        gone = f" ({', '.join(f'{what}: {n:,}' for what, n in left_out.items())})" if left_out else ""
        raise TableError(f"{name} has only {many(count, 'row')} of two numbers{gone}.")
    whole = count == len(good)  # of millions of rows, each copy counts
    for column, read in zip(chosen, (x, y), strict=True):
        least, most = read.span if whole else (float(read.values[good].min()), float(read.values[good].max()))
        size, span = max(-least, most), most - least
        if size > LARGEST:
            raise TableError(
                f"{name} has values up to {size:g} in the column {column}; at most {LARGEST:g} can be used."
            )
        if hardly_varies(least, most):
            what = f"is constant ({least:g})" if span == 0 else f"hardly varies ({least:.9g} to {most:.9g})"
            raise TableError(f"The column {column} of {name} {what}: there is nothing to learn.")
        notes += _codes(column, read.values, good, (least, most))
    order = np.random.default_rng(0).permutation(count)[:MOST_ROWS]
    if count > MOST_ROWS:
        notes.append(f"{count:,} rows; a random {MOST_ROWS:,} of them are used.")
    labels, names = None, ()
    if label is not None:
        labels, names = _labels(table, label, good, name)
        labels = labels[order]
    used = order if whole else np.flatnonzero(good)[order]
    points = np.stack([x.values[used], y.values[used]], 1)
    low, high = points.min(0).tolist(), points.max(0).tolist()
    points = points.astype(np.float32)
    plain = not table.named and len(table.frame.columns) == 2
    axes = ("x", "y") if plain else (axis_name(roles.columns, chosen[0]), axis_name(roles.columns, chosen[1]))
    own = OwnPoints(points, labels, names, axes)
    classes = (
        {} if labels is None else dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))
    )
    ranges = {axis: {"before": (low[i], high[i]), "after": (-1.0, 1.0)} for i, axis in enumerate(axes)}
    return Proposal(
        "points", len(points), (2,), classes, axes, ranges, left_out, tuple(notes), tuple(questions), rows, own
    )


def _codes(column: str, values: np.ndarray, good: np.ndarray, span: tuple[float, float]) -> list[str]:
    """A sentence where a number that often stands for a missing value comes again and again, far from all others."""
    for code in {*span} & CODES:
        times = int((values == code)[good].sum())
        others = values[good & (values != code)]
        if times > 1 and len(others) and 5 * np.abs(others).max() < abs(code):
            return [
                f"{code:g} stands {times:,} times in {column}, far from all other values: if it says that a value is "
                "missing, leave those cells empty."
            ]
    return []


def _totals(table: Table) -> np.ndarray:
    """bool [N], the last row where a word in it says that it is a total of the others."""
    found = np.zeros(len(table.frame), bool)
    for _, cells in table.frame.items():
        if cells.dtype.kind not in "biuf" and isinstance(cells.iloc[-1], str):
            word = cells.iloc[-1].strip().strip(":*").lower()
            found[-1] |= word in TOTALS and int((cells == cells.iloc[-1]).sum()) == 1
    return found


def _left_out(
    table: Table, chosen: tuple[str, str], columns: tuple[Column, Column], notes: list[str]
) -> tuple[dict[str, int], np.ndarray]:
    """(what is left out, and how many rows of it; bool [N], the rows that stay)."""
    missing = columns[0].missing | columns[1].missing
    words = (columns[0].words | columns[1].words) & ~missing
    infinite = ~missing & ~words & ~(np.isfinite(columns[0].values) & np.isfinite(columns[1].values))
    totals = _totals(table) & ~(missing | words | infinite)
    counts = {
        "rows with a missing value": missing,
        "rows with a word where a number should be": words,
        "rows with a value that is not finite": infinite,
        "rows with the total of the others": totals,
    }
    for rows in (words, infinite):
        if rows.any():
            row = int(rows.argmax())
            bad = 0 if columns[0].words[row] or not np.isfinite(columns[0].values[row]) else 1
            cell = shorten(str(table.frame[chosen[bad]].iloc[row]), 30)
            alike = f", and {many(int(rows.sum()) - 1, 'row')} like it" if rows.sum() > 1 else ""
            notes.append(f"Left out: {table.row_of(row)}, whose {chosen[bad]} is {cell}{alike}.")
    found = {what: int(rows.sum()) for what, rows in counts.items() if rows.any()}
    return {**table.left_out, **found}, ~(missing | words | infinite | totals)


def _labels(table: Table, label: str, good: np.ndarray, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(int32 [n], the names that they stand for) of the rows that stay; raises TableError for too many classes."""
    cells = table.frame[label][good]
    codes, uniques = pd.factorize(cells, sort=False, use_na_sentinel=True)
    texts = [_class_name(value) for value in uniques]
    if (codes < 0).any() or any(map(is_missing, texts)):
        gone = [i for i, text in enumerate(texts) if is_missing(text)]
        codes = np.where((codes < 0) | np.isin(codes, gone), len(texts), codes)
        texts.append(NO_CLASS)
    used = np.unique(codes).tolist()
    if len(used) > MOST_CLASSES:
        raise TableError(
            f"The column {label} of {name} has {len(used):,} different values; there can be {MOST_CLASSES} classes."
        )

    def by(i: int) -> tuple[bool, float, str]:
        """Numbers by size, then words; rows without a class last."""
        value = number(texts[i], comma=False)
        return texts[i] == NO_CLASS, np.inf if value is None else value, texts[i]

    order = sorted(used, key=by)
    place = np.zeros(len(texts), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    told = table.class_names if label == list(table.frame)[-1] else ()
    known = {str(i): text for i, text in enumerate(told)}
    return place[codes].astype(np.int32), _unique([known.get(texts[i]) or texts[i] for i in order])


def _class_name(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(printable(str(value)).split())[:MOST_NAME]


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for text in names:
        number, unique = 2, text or "(empty)"
        while unique in found:
            unique, number = f"{text} ({number})", number + 1
        found.append(unique)
    return tuple(found)
