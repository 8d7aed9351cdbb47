"""Tables whose cells are values already: rows of a sheet, of a list in JSON; and JSON itself."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from gan_core.data.own_tables import table_header
from gan_core.data.own_tables.table_numbers import decimal_marks, dotted_thousands
from gan_core.data.own_tables.table_rules import Table, TableError, bounded_columns, column_names, many
from gan_core.data.proposal import Choices, Progress
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import pd

MOST_JSON = 20_000_000  # bytes: as Python's objects they take some twenty times that
HEAD_ROWS = 400  # above the table, in which rows of data that are broken are looked for
MOST_LOOKED_AT = 5_000  # cells of a column, for which mark stands before decimals


def of_cells(rows: list[list[Any]], name: str, choices: Choices) -> Table:
    """Rows of a sheet, or of a list in JSON: names above, where the first numbers begin. Raises TableError."""
    if not rows:
        raise TableError(f"{name} is empty.")
    width = Counter(map(len, rows[len(rows) // 2 :])).most_common(1)[0][0]
    lower = [texts_of(row, width) for row in rows[len(rows) // 2 :][: table_header.LOOKED_AT]]
    numeric = table_header.numeric_columns([*lower, *lower], width)
    first = next((i for i, row in enumerate(rows) if table_header.is_data(texts_of(row, width), numeric)), None)
    if first is None:
        first = 1 if len(rows) > 1 else 0
    elif first <= HEAD_ROWS:
        first = table_header.begin([texts_of(row, width) for row in rows[:first]], first, numeric, width)
    names, notes, questions, used = [], [], [], 0
    above = [
        texts_of(row, width) if len(row) <= width else [*map(_text, row)] for row in rows[max(0, first - 2) : first]
    ]
    if above and len(rows[first - 1]) > 1:
        names, used = above[-1], 1
        if len(above) > 1 and len(rows[first - 2]) > 1 and table_header.are_units(names):
            names, used = table_header.with_units(above[0], names), 2
            notes.append("Names and units stand in two rows.")
    elif not first:
        top = [texts_of(row, width) for row in rows[: table_header.LOOKED_AT]]
        guess = table_header.numbers_as_names(top[0], top[1:], [*numeric])
        if guess is not None:
            chosen, question, note = table_header.header_question(top[0], guess, choices)
            questions.append(question)
            notes.append(note)
            if chosen == "names":
                names, first, used = top[0], 1, 1
    left = first - used
    if left:
        notes.append(f"{many(left, 'row')} above the table {'is' if left == 1 else 'are'} left out.")
    width = max(width, *(len(row) for row in rows[first : first + 1]))
    bounded_columns(width, name)
    columns: list[list[Any]] = [[row[c] if c < len(row) else None for row in rows[first:]] for c in range(width)]
    given = (names + [""] * width)[:width]
    table = _table(column_names(given), columns, bool(names), notes)
    table.questions += questions
    return table


def texts_of(row: list[Any], width: int) -> list[str]:
    """The first `width` cells as texts, "" where there is none."""
    return [_text(cell) for cell in [*row, *[None] * (width - len(row))][:width]]


def _text(cell: Any) -> str:
    whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15
    return "" if cell is None else str(int(cell)) if whole else str(cell)


def _table(names: list[str], columns: list[list[Any]], named: bool, notes: list[str]) -> Table:
    """The columns as a table that knows which of them can be read in two ways."""
    table = Table(pd.DataFrame(dict(zip(names, columns, strict=True))), named, notes)
    texts = (cell for cells in columns for cell in cells[:MOST_LOOKED_AT] if isinstance(cell, str))
    comma, point, _ = decimal_marks(texts)
    if not (comma or point):  # else the table says itself which mark it uses
        examples = {name: _dotted(cells) for name, cells in zip(names, columns, strict=True)}
        table.dotted = {name: example for name, example in examples.items() if example}
    return table


def _dotted(cells: list[Any]) -> str:
    """The first text among the cells of a column whose points may group thousands; "" where there is none."""
    numbers = [cell for cell in cells if isinstance(cell, float) and not math.isnan(cell)]
    if not any(isinstance(cell, str) for cell in cells) or not all(map(float.is_integer, numbers)):
        return ""  # a number is what it is, and one with decimals says that the column has some
    whole = (int(cell) if isinstance(cell, float) and not math.isnan(cell) else cell for cell in cells)
    return dotted_thousands("" if cell is None else str(cell) for cell in whole)


# -- JSON ---------------------------------------------------------------------------------------------------


def read_json(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """Rows as objects or lists, columns by name, a list of either under a name; or JSON lines. Raises TableError."""
    if len(content) > MOST_JSON:
        raise TableError(
            f"{name} has {len(content) / 1e6:,.1f} MB of JSON; at most {MOST_JSON / 1e6:,.0f} MB are read."
        )
    try:
        text = content.decode("utf-8-sig" if content[:2] not in (b"\xff\xfe", b"\xfe\xff") else "utf-16")
    except UnicodeDecodeError:
        raise TableError(f"{name} is not UTF-8 text, as JSON is.") from None
    try:
        value = json.loads(text)
    except RecursionError:
        raise TableError(f"{name} is nested too deep.") from None
    except ValueError as error:
        value = _lines(text, name, error)
    notes: list[str] = []
    rows = _rows_in(value, notes)
    if rows is None:
        raise TableError(f"{name} has no list of rows: objects with the same names, or lists of numbers.")
    if isinstance(rows, dict):
        bounded_columns(len(rows), name)
        lengths = {len(column) for column in rows.values()}
        if len(lengths) > 1:
            raise TableError(f"{name} has columns of different lengths.")
        columns = {str(key): [_cell(cell) for cell in column] for key, column in rows.items()}
    elif isinstance(rows[0], dict):
        keys = list(dict.fromkeys(str(key) for row in rows[:1_000] if isinstance(row, dict) for key in row))
        bounded_columns(len(keys), name)
        columns = {key: [_cell(row.get(key)) if isinstance(row, dict) else None for row in rows] for key in keys}
    else:
        cells = [[_cell(cell) for cell in row] if isinstance(row, list) else [_cell(row)] for row in rows]
        table = of_cells([row for row in cells if row], name, choices)
        table.notes[:0] = notes
        return table
    progress("Reading the table", len(content), len(content))
    return _table(column_names(list(columns)), list(columns.values()), True, notes)


def _lines(text: str, name: str, error: ValueError) -> list[Any]:
    """The values of JSON lines, one a line."""
    rows = []
    for i, line in enumerate(text.splitlines()):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except RecursionError:
            raise TableError(f"{name} is nested too deep.") from None
        except ValueError as wrong:
            found = f"line {i + 1:,}: {wrong}" if rows else str(error)
            raise TableError(f"{name} cannot be read as JSON: {re.sub(r'[.]$', '', found)}.") from None
    return rows


def _rows_in(value: Any, notes: list[str], depth: int = 0) -> Any:
    """A list of rows, or {name: column}, in what JSON holds; None where there is neither. What is left out is noted."""
    if isinstance(value, list):
        return value if value and isinstance(value[0], (dict, list)) else None
    if not isinstance(value, dict) or depth > 3:
        return None
    columns = value.get("columns")
    rows = value.get("data")
    if isinstance(columns, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        return [columns, *rows]  # as pandas writes with orient="split"
    flat = {k: v for k, v in value.items() if isinstance(v, list) and v and not isinstance(v[0], (dict, list))}
    if len(flat) > 1:
        return flat
    nested = {k: v for k, v in value.items() if isinstance(v, dict) and len(v) > 1}
    if len(nested) > 1 and all(
        not isinstance(cell, (dict, list)) for part in nested.values() for cell in part.values()
    ):
        return [*nested.values()] if _by_row(nested) else {k: [*v.values()] for k, v in nested.items()}
    found = [(key, rows) for key, part in value.items() if (rows := _rows_in(part, notes, depth + 1)) is not None]
    if not found:
        return None
    key, rows = max(found, key=lambda each: len(each[1]))
    others = [f"{other} ({many(len(part), 'row')})" for other, part in found if other != key]
    if others:
        notes.append(f"The rows of {shorten(key)} are read; left out: {', '.join(others)[:100]}.")
    return rows


def _by_row(nested: dict[str, dict[str, Any]]) -> bool:
    """Whether {outer: {inner: cell}} are rows by their columns (orient="index"), not columns by their rows, as pandas
    writes by default: whichever are numbered are the rows, else whichever are more."""
    inner = [*next(iter(nested.values()))]
    outer_numbered, inner_numbered = (all(re.fullmatch(r"\d+", key) for key in keys) for keys in (nested, inner))
    if outer_numbered != inner_numbered:
        return outer_numbered
    return len(nested) > max(map(len, nested.values()))


def _cell(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) or value is None else str(value)[:40]
