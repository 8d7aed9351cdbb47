"""The user's own points, from the text of a CSV or TSV file."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.lazy_imports import pd

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_BYTES = 50_000_000
MOST_ROWS = 200_000
LEAST_ROWS = 16
ACCEPTED = (
    f"Accepted: a CSV or TSV text file with two numeric columns, with or without a header line, "
    f"{LEAST_ROWS} rows or more, at most {MOST_BYTES // 1_000_000} MB."
)


class TableError(ConfigError):
    """A file that cannot be used. The message says what was wrong and what is accepted."""

    def __init__(self, wrong: str):
        super().__init__(f"{wrong} {ACCEPTED}")


def _is_number(field: str) -> bool:
    try:
        float(field.strip().strip("\"'"))
    except ValueError:
        return False
    return True


def _separator(line: str) -> str:
    for mark in ("\t", ",", ";"):
        if mark in line:
            return mark
    return r"\s+"


def _fields(line: str, separator: str) -> list[str]:
    """The fields of one line, quotes taken off."""
    if separator == r"\s+":
        return line.split()
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:  # a field too long for the csv module
        return line.split(separator)


def parse_points(content: bytes, name: str = "The file") -> tuple[np.ndarray, str]:
    """The bytes of a CSV or TSV file -> (float32 [N, 2] in shuffled order, a note or "").

    More than MOST_ROWS rows are sampled, and the note says so. Raises TableError.
    """
    if len(content) > MOST_BYTES:
        raise TableError(f"{name} has {len(content) / 1e6:,.1f} MB.")
    if b"\0" in content:
        raise TableError(f"{name} is a binary file, not text.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{name} is not UTF-8 text.") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise TableError(f"{name} is empty.")
    separator = _separator(first.strip())
    fields = _fields(first.strip(), separator)
    header = not any(_is_number(field) for field in fields)
    # Without a header of its own, pandas refuses rows of other lengths instead of dropping columns.
    skip = next(i for i, line in enumerate(text.splitlines()) if line.strip()) + 1 if header else 0
    try:
        table = pd.read_csv(io.StringIO(text), sep=separator, header=None, skiprows=skip, index_col=False)
    except pd.errors.EmptyDataError:
        raise TableError(f"{name} has a header but no rows.") from None
    except (ValueError, pd.errors.ParserError, OverflowError) as error:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise TableError(
            f"{name} is not a regular table ({shorten(reason, 120)}): every row needs two numbers."
        ) from None
    if header and len(fields) != table.shape[1]:
        raise TableError(f"{name} has {len(fields)} names in its header over {table.shape[1]} columns of values.")
    return _checked(table, name)


def _floats(column: Any) -> np.ndarray:
    """float64 [N]; what is no number, or too large for one, becomes NaN or infinite."""
    try:
        return pd.to_numeric(column, errors="coerce").to_numpy(float)
    except OverflowError:  # whole numbers beyond a float's range
        return np.array([_number(value) for value in column])


def _number(value) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")
    except (TypeError, ValueError):
        return float("nan")


def _checked(table: DataFrame, name: str) -> tuple[np.ndarray, str]:
    rows, columns = table.shape
    if columns != 2:
        raise TableError(f"{name} has {columns} column{'s' * (columns != 1)}, but exactly 2 are needed (x and y).")
    points = np.empty((rows, 2))
    for i in range(columns):
        column = table.iloc[:, i]
        values = _floats(column)
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            what = column.iloc[row]
            # pandas reads an empty field as NaN
            shown = "is empty or NaN" if isinstance(what, float) and np.isnan(what) else f"holds {shorten(str(what))}"
            count = int(bad.sum())
            comma = re.fullmatch(r"\s*([-+]?\d+),(\d+)\s*", what) if isinstance(what, str) else None
            hint = f" Write {comma[1]}.{comma[2]} with a point." if comma else ""
            raise TableError(
                f"Column {i + 1} of {name} is not numeric: row {row + 1} {shown} ({count:,} such "
                f"row{'s' * (count != 1)}).{hint}"
            )
        size = np.abs(values).max()
        if size > 1e30:
            raise TableError(f"{name} has values up to {size:g}; the largest that can be used is 1e30.")
        span = values.max() - values.min()
        if span <= max(1e-5 * size, 1e-30):
            raise TableError(f"Column {i + 1} of {name} is constant ({values[0]:g}): there is nothing to learn.")
        points[:, i] = values
    if rows < LEAST_ROWS:
        raise TableError(f"{name} has only {rows} row{'s' * (rows != 1)}.")
    order = np.random.default_rng(0).permutation(rows)[:MOST_ROWS]
    note = "" if rows <= MOST_ROWS else f"{rows:,} rows; a random {MOST_ROWS:,} of them are used."
    return points[order].astype(np.float32), note
