"""Tables whose cells are values already: rows of a sheet, of a list in JSON; and JSON itself."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from gan_core.data.own_tables.table_numbers import decimal_marks, dotted_thousands, is_number
from gan_core.data.own_tables.table_rules import Table, TableError, bounded_columns, column_names, is_missing, many
from gan_core.data.proposal import Choices, Progress
from gan_core.foundations.lazy_imports import pd

MOST_JSON = 20_000_000  # bytes: as Python's objects they take some twenty times that
MOST_LOOKED_AT = 5_000  # cells of a column, for which mark stands before decimals


def of_cells(rows: list[list[Any]], name: str) -> Table:
    """Rows of a sheet, or of a list in JSON: names above, where the first numbers begin."""
    if not rows:
        raise TableError(f"{name} is empty.")
    width = Counter(map(len, rows[len(rows) // 2 :])).most_common(1)[0][0]
    lower = rows[len(rows) // 2 :][:200]
    numeric = [
        c
        for c in range(width)
        if sum(len(row) > c and is_numeric(row[c]) for row in lower) >= 0.5 * sum(len(row) > c for row in lower)
    ]

    def is_data(row: list[Any]) -> bool:
        cells = [row[c] for c in numeric if c < len(row)]
        there = [cell for cell in cells if not (cell is None or (isinstance(cell, str) and is_missing(cell)))]
        return bool(there) and all(map(is_numeric, there))

    first = next((i for i, row in enumerate(rows) if is_data(row)), None)
    if first is None:
        first = 1 if len(rows) > 1 else 0
    names, notes = [], []
    if first and len(rows[first - 1]) > 1:
        names = ["" if cell is None else str(cell) for cell in rows[first - 1]]
        first_note = first - 1
    else:
        first_note = first
    if first_note:
        notes.append(f"{many(first_note, 'row')} above the table {'is' if first_note == 1 else 'are'} left out.")
    width = max(width, *(len(row) for row in rows[first : first + 1]))
    bounded_columns(width, name)
    columns: list[list[Any]] = [[row[c] if c < len(row) else None for row in rows[first:]] for c in range(width)]
    given = (names + [""] * width)[:width]
    return _table(column_names(given), columns, bool(names), notes)


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


def is_numeric(cell: Any) -> bool:
    return (isinstance(cell, (int, float)) and not isinstance(cell, bool)) or (
        isinstance(cell, str) and is_number(cell)
    )


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
    rows = _rows_in(value)
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
        return of_cells([row for row in cells if row], name)
    progress("Reading the table", len(content), len(content))
    return _table(column_names(list(columns)), list(columns.values()), True, [])


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


def _rows_in(value: Any, depth: int = 0) -> Any:
    """A list of rows, or {name: column}, in what JSON holds; None where there is neither."""
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
    nested = {k: list(v.values()) for k, v in value.items() if isinstance(v, dict) and len(v) > 1}
    if len(nested) > 1 and all(not isinstance(cell, (dict, list)) for column in nested.values() for cell in column):
        return nested  # as pandas writes by default: a column as {row: value}
    found = [rows for part in value.values() if (rows := _rows_in(part, depth + 1)) is not None]
    return max(found, key=len) if found else None


def _cell(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) or value is None else str(value)[:40]
