"""What the columns of a table are for: which are numbers, which one numbers the rows, which one says the class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gan_core.data.own_tables.table_numbers import MULTIPLIERS, Column
from gan_core.data.own_tables.table_rules import LARGEST, MOST_CLASSES, Table, TableError
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import pd

INDEX_NAMES = {"index", "idx", "id", "no", "no.", "nr", "nr.", "row", "rownames", "row_names", "#", "n°", "№", "obs"}
INDEX_NAMES |= {"unnamed: 0", "rowid", "row_id", "uid", "number"}
_INDEX_NAME = re.compile(r"(.*[_ ])?(id|no|nr|sno)\.?|unnamed: 0(\.\d+)?", re.IGNORECASE)
_CAMEL_ID = re.compile(r".*[a-z]I[dD]")  # CustomerID
STEADY = 1e-5  # of its size: what a column varies by that hardly varies, such as the time stamps of a day
CLASS_NAMES = {
    "class",
    "label",
    "labels",
    "target",
    "species",
    "category",
    "group",
    "cluster",
    "type",
    "kind",
    "y_train",
}
CLASS_NAMES |= {"klasse", "classe", "clase", "gruppe", "diagnosis", "outcome", "variety", "cultivar"}
FEW_CLASSES = 20  # of a column that nobody chose


@dataclass(frozen=True)
class Roles:
    """columns: all, by name. numeric: those of numbers. index: those that number the rows. constant: those whose
    numbers do not vary. classes: the column that seems to say the class, or None. distinct: how many different values a
    column has, where it may be one of classes."""

    columns: Mapping[str, Column]
    numeric: tuple[str, ...]
    index: tuple[str, ...]
    constant: tuple[str, ...]
    classes: str | None
    distinct: Mapping[str, int]

    def proposed(self, name: str) -> tuple[str, str]:
        """The first two columns of numbers that vary; raises TableError where there are none."""
        usable = [label for label in self.numeric if label not in self.constant]
        steady = {label for label in usable if hardly_varies(*self.columns[label].span)}
        for out in ({*self.index, *steady, self.classes}, {*self.index, *steady}, {*self.index}, set()):
            left = [label for label in usable if label not in out]
            if len(left) > 1:
                return left[0], left[1]
        raise TableError(self._too_few(name))

    def _too_few(self, name: str) -> str:
        labels = list(self.columns)
        if len(labels) < 2:
            return f"{name} has 1 column, but two of numbers are needed (x and y)."
        others = [label for label in labels if label not in self.numeric or label in self.constant]
        counted = {0: "no column", 1: "only one column"}[len(self.numeric) - len(self.constant)]
        reasons = " ".join(self.why_not(label, name) for label in others[:3])
        return f"{name} has {counted} of numbers that vary, but two are needed (x and y). {reasons}"

    def why_not(self, label: str, name: str) -> str:
        """Why nothing can be trained on a column."""
        column = self.columns[label]
        if label in self.constant:
            return f"The column {label} is constant ({column.finite[0]:g}): there is nothing to learn."
        if column.missing.all():
            return f"The column {label} is empty."
        row = int(column.words.argmax()) if column.words.any() else int(np.isinf(column.values).argmax())
        cell = shorten(str(column.cells.iloc[row]), 30)
        return f"The column {label} is not numeric: row {row + 1:,} holds {cell}."

    def notes(self, chosen: tuple[str, str], label: str | None) -> list[str]:
        """What was guessed, where there was something to guess."""
        found = []
        others = [c for c in self.numeric if c not in chosen and c not in self.index and c != label]
        if others:
            found.append(f"x is {chosen[0]}, y is {chosen[1]}; not used: {_listed(others)}.")
        numbering = [c for c in self.index if c not in chosen]
        if numbering:
            found.append(f"Left out, for it numbers the rows: {_listed(numbering)}.")
        if label is not None:
            found.append(f"The classes stand in {label}.")
        for column in chosen:
            for mark in self.columns[column].multiplied:
                found.append(f"In {column}, {mark} behind a number is read as {MULTIPLIERS[mark]:,.0f} times as much.")
        return found


def hardly_varies(least: float, most: float) -> bool:
    """Whether there is nothing to learn of numbers in this span."""
    return most - least <= max(STEADY * max(-least, most), 1 / LARGEST)


def _listed(labels: list[str]) -> str:
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8:,} more" if len(labels) > 8 else "")


def roles_of(columns: Mapping[str, Column], table: Table, name: str) -> Roles:
    """What each column seems to be for."""
    kept = {label: column for label, column in columns.items() if table.named or not column.missing.all()}
    kept = {label: c for label, c in kept.items() if not (c.missing.all() and label.startswith("column "))}
    numeric = tuple(label for label, column in kept.items() if column.numeric and len(column.finite))
    constant = tuple(label for label in numeric if kept[label].span[0] == kept[label].span[1])
    index = tuple(
        label for i, label in enumerate(kept) if label in numeric and _numbers_rows(label, i, kept, numeric, table)
    )
    distinct = {}
    for label, column in kept.items():
        if label not in index and (label not in numeric or column.whole):
            count = int(pd.Series(column.cells).nunique())
            if 2 <= count <= MOST_CLASSES:
                distinct[label] = count
    return Roles(kept, numeric, index, constant, _classes(kept, numeric, distinct, table), distinct)


def _numbers_rows(
    label: str, place: int, columns: Mapping[str, Column], numeric: tuple[str, ...], table: Table
) -> bool:
    """Whether a column only numbers the rows: 0, 1, 2, ... without a name, or under one such as `CustomerID`, or all
    different numbers under a name that says nothing else."""
    column = columns[label]
    if not column.whole or column.missing.any() or len(numeric) < 3:
        return False
    named = label.lower() in INDEX_NAMES
    unnamed = label.startswith("column ") and place == 0
    values = column.values
    counted = bool((np.diff(values) == 1).all()) and values[0] in (0, 1)
    like_one = bool(_INDEX_NAME.fullmatch(label) or _CAMEL_ID.fullmatch(label)) and bool((np.diff(values) == 1).all())
    return (unnamed and counted) or like_one or (named and len(np.unique(values)) == len(values))


def _classes(
    columns: Mapping[str, Column], numeric: tuple[str, ...], distinct: Mapping[str, int], table: Table
) -> str | None:
    """The column that seems to say the class."""
    last = list(columns)[-1]
    if table.class_names and last in distinct and distinct[last] <= len(table.class_names):
        return last
    spare = len(numeric) > 2
    named = [c for c in distinct if c.lower() in CLASS_NAMES and (c not in numeric or spare)]
    words = [c for c in distinct if c not in numeric and distinct[c] <= min(FEW_CLASSES, len(columns[c].values) // 4)]
    both = [c for c in words if c in named] or words or named
    return both[0] if both else None


def class_candidates(roles: Roles) -> dict[str, str]:
    """The columns that can say the class, with how many different values they have."""
    return {label: f"{count:,} different values" for label, count in roles.distinct.items()}
