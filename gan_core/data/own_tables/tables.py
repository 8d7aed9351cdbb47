"""A user's own table -> points: which two columns, which one for the class, and what of it was guessed.

The readers (table_text.py, table_files.py, table_cells.py) give columns; here they become a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from gan_core.data.own_tables.table_cells import read_json
from gan_core.data.own_tables.table_columns import Roles, class_candidates, roles_of
from gan_core.data.own_tables.table_files import read_npy, read_npz, read_parquet, read_xlsx, unpacked
from gan_core.data.own_tables.table_numbers import Column, bare, decimal_marks, number, read_as_thousands
from gan_core.data.own_tables.table_points import axis_name, proposal_of
from gan_core.data.own_tables.table_rules import (
    MOST_BYTES,
    MOST_NAME,
    Table,
    TableError,
    many,
    opened,
)
from gan_core.data.own_tables.table_text import read_text
from gan_core.data.proposal import Choices, Progress, Proposal, Question, joined, parted
from gan_core.foundations.hyperparameters import printable, shorten
from gan_core.foundations.lazy_imports import pd

TABLES = {".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".parquet"}  # in a zip
TEXTS = {".txt", ".data", ".dat"}
PREVIEW_ROWS = 8
PREVIEW_COLUMNS = 12
DECIMALS = {
    "point": "a point; a comma groups thousands: 101,037 is a hundred and one thousand",
    "comma": "a comma; 101,037 is a little more than a hundred and one",
}
DOTTED = {
    "point": "a point: {} has three decimals",
    "comma": "a comma; a point groups thousands, and {} is a whole number",
}


def silent(what: str, done: int, whole: int) -> None:
    """A progress that nobody looks at."""


def propose_points(content: bytes, name: str, choices: Choices | None = None, progress: Progress = silent) -> Proposal:
    """What a table holds: its data are OwnPoints. Raises TableError, and what `progress` raises."""
    choices = choices or {}
    shown = shorten(name, 80).strip("'\"")
    table = _read(content, shown, choices, progress)
    if not len(table.frame):
        raise TableError(f"{shown} has a header but no rows." if table.named else f"{shown} is empty.")
    comma, question = _decimal(table, choices)
    columns = {str(label): Column(cells, bool(comma)) for label, cells in table.frame.items()}
    roles = roles_of(columns, table, shown)
    chosen = _chosen(choices.get("columns"), roles, shown)
    label = _class_column(choices.get("classes_from"), roles, shown)
    if question is not None and question.open and table.dotted and not {*chosen, label}.intersection(table.dotted):
        question = None  # nobody looks at those columns
    questions = [*_column_questions(roles, chosen, label), *table.questions]
    if question is not None:
        questions.append(question)
    rows = _preview(table)
    if question is not None and question.open:
        axes = tuple(axis_name(columns, label) for label in chosen)
        return Proposal("points", len(table.frame), (2,), columns=axes, questions=tuple(questions), rows=rows)
    for column in chosen if comma else ():
        example = read_as_thousands(columns[column].cells)
        if example:
            table.notes.append(f"In {column}, the point groups thousands: {example} is {number(example, True):,.0f}.")
    return proposal_of(table, roles, chosen, label, questions, rows, shown)


def _read(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """The table in the bytes, by what they begin with."""
    if len(content) > MOST_BYTES:
        raise TableError(f"{name} has {len(content) / 1e6:,.1f} MB.")
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content.startswith(b"\x1f\x8b"):
        content, name = unpacked(content, name, progress), name.removesuffix(".gz")
        start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content.startswith(b"PAR1"):
        return read_parquet(content, name, choices, progress)
    if content.startswith(b"\x93NUMPY"):
        return read_npy(content, name, choices, progress)
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content, name, choices, progress)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError(f"{name} is a workbook of an old kind (.xls), or protected by a password: save it as .xlsx.")
    if content.startswith((b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")):
        raise TableError(f"{name} is compressed in a way that is not read: unpack it first, or use .gz or .zip.")
    if content.startswith(b"%PDF"):
        raise TableError(f"{name} is a PDF, of which no table is read.")
    if re.match(rb"\{\s*[\"}]|\[\s*[\[{]", start) or name.lower().endswith((".json", ".jsonl", ".ndjson")):
        return read_json(content, name, choices, progress)
    return read_text(content, name, choices, progress)


def _zipped(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    with opened(content, name) as archive:
        inside = [entry.filename for entry in archive.infolist()]
    if any(entry.startswith("xl/") for entry in inside):
        return read_xlsx(content, name, choices, progress)
    if any(entry.endswith(".npy") for entry in inside):
        return read_npz(content, name, choices, progress)
    # Beside a table stand what a Mac adds for itself, and a text that says what the table is.
    paths = {entry: PurePosixPath(entry.replace("\\", "/").lower()) for entry in inside if not entry.endswith("/")}
    own = {e: p for e, p in paths.items() if "__macosx" not in p.parts and not p.name.startswith(".")}
    tables = [e for e, p in own.items() if p.suffix in TABLES] or [e for e, p in own.items() if p.suffix in TEXTS]
    if len(tables) != 1:
        raise TableError(f"{name} is a zip of {many(len(own), 'file')}: choose one table of it.")
    with opened(content, name) as archive:
        try:
            part = archive.read(tables[0])
        except Exception:  # zipfile raises anything on damaged bytes
            raise TableError(f"{name} cannot be read: {shorten(tables[0])} in it is damaged.") from None
    table = _read(part, tables[0].rpartition("/")[2], choices, progress)
    others = [entry for entry in own if entry not in tables]
    if others:
        table.notes.append(f"Of the zip, {tables[0]} is read; left out: {', '.join(others)[:100]}.")
    return table


# -- decimal marks ------------------------------------------------------------------------------------------


def _decimal(table: Table, choices: Choices) -> tuple[bool | None, Question | None]:
    """(whether the comma is the decimal mark, the question where one can doubt it)."""
    chosen = choices.get("decimal")
    if chosen is not None and chosen not in DECIMALS:
        raise TableError(f"The decimal mark is point or comma, not {shorten(chosen)}.")
    if table.dotted:
        example = next(iter(table.dotted.values()))
        about = f"{example} can be read in two ways: its point groups thousands, or stands before decimals."
        options = {mark: text.format(example) for mark, text in DOTTED.items()}
        question = Question("decimal", "Decimal mark", options, chosen or "point", about, open=chosen is None)
        return None if chosen is None else chosen == "comma", question
    texts = [*map(bare, _texts(table))]
    comma, point, either = decimal_marks(texts)
    known = table.comma
    if known is None:
        known = True if comma > point else False if point else None
    grouped = known is False and any("," in text and number(text, comma=False) is not None for text in texts)
    if not (either or comma or known or grouped):
        return known if chosen is None else chosen == "comma", None
    about = "Which mark stands before the decimals."
    if chosen is not None:
        return chosen == "comma", Question("decimal", "Decimal mark", DECIMALS, chosen, about)
    if known is None and either:
        example = next(text for text in texts if re.search(r"\d,\d{3}$", text))
        about = f"{example.strip()} can be read in two ways: its comma groups thousands, or stands before decimals."
        return None, Question("decimal", "Decimal mark", DECIMALS, "point", about, open=True)
    if known:
        table.notes.append("The comma is read as the decimal mark.")
    elif either or comma or grouped:
        table.notes.append("Commas in numbers are read as groups of thousands.")
    return known, Question("decimal", "Decimal mark", DECIMALS, "comma" if known else "point", about)


def _texts(table: Table) -> list[str]:
    """Cells that are text, at most some thousands of each column."""
    found: list[str] = []
    for _, cells in table.frame.items():
        if cells.dtype.kind not in "iufb":
            found += [cell for cell in cells.iloc[:: max(1, len(cells) // 5_000)] if isinstance(cell, str)]
    return found


# -- choices ------------------------------------------------------------------------------------------------


def _known(text: str, labels: Sequence[str]) -> str | None:
    """The column that a choice means: by its name, or by its number from 1."""
    text = text.strip()
    if text in labels:
        return text
    alike = [label for label in labels if label.lower() == text.lower()]
    if len(alike) == 1:
        return alike[0]
    return labels[int(text) - 1] if text.isdigit() and 0 < int(text) <= len(labels) else None


def _chosen(text: str | None, roles: Roles, name: str) -> tuple[str, str]:
    """The two columns to train on."""
    if text is None:
        return roles.proposed(name)
    labels = list(roles.columns)
    parts = text.split(",")
    ways = [(",".join(parts[:i]), ",".join(parts[i:])) for i in range(1, len(parts))]  # names may have commas, too
    for way in (parted(text), *ways):
        pair = [_known(side, labels) for side in way]
        if len(pair) == 2 and None not in pair:
            break
    else:
        known = ", ".join(roles.numeric[:20])
        raise TableError(f"{name} has no two columns {shorten(text)}; its columns of numbers are: {known}.")
    for label in pair:
        if label not in roles.numeric:
            raise TableError(roles.why_not(label or "", name))
    if pair[0] == pair[1]:
        raise TableError(f"Two different columns are needed, not {shorten(pair[0])} twice.")
    return pair[0] or "", pair[1] or ""


def _class_column(text: str | None, roles: Roles, name: str) -> str | None:
    """The column that says the class, or None."""
    if text is None:
        return roles.classes
    if text == "none":
        return None
    label = _known(text, list(roles.columns))
    if label is None:
        known = ", ".join(["none", *class_candidates(roles)][:20])
        raise TableError(f"{name} has no column {shorten(text)} for the classes; there are: {known}.")
    return label


def _column_questions(roles: Roles, chosen: tuple[str, str], label: str | None) -> list[Question]:
    options = {}
    for column in roles.numeric:
        options[column] = column + ": {:g} to {:g}".format(*roles.columns[column].span)
    questions = [Question("columns", "Columns", options, joined(chosen), "The columns for x and for y.", several=2)]
    candidates = {name: text for name, text in class_candidates(roles).items() if name not in chosen or name == label}
    if label is not None and label not in candidates:
        candidates = {**candidates, label: "as chosen"}
    if candidates:
        options = {"none": "no classes", **{name: f"{name}: {text}" for name, text in candidates.items()}}
        about = "The column that says the class of each point: classes are drawn in colours of their own."
        questions.append(Question("classes_from", "Classes", options, label or "none", about))
    return questions


def _preview(table: Table) -> tuple[tuple[str, ...], ...]:
    """The header and the first rows."""
    part = table.frame.iloc[: PREVIEW_ROWS - 1, :PREVIEW_COLUMNS]
    rows = [
        tuple("" if pd.isna(cell) else printable(str(cell))[:MOST_NAME] for cell in row)
        for row in part.to_numpy(object)
    ]
    return (tuple(part.columns), *rows)
