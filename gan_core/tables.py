"""The user's own points, from the text of a CSV or TSV file."""

import io
import warnings

import numpy as np
import pandas as pd

from gan_core.knobs import ConfigError, shorten

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


def parse_points(content: bytes, name: str = "The file") -> tuple[np.ndarray, str]:
    """The bytes of a CSV or TSV file -> (float32 [N, 2] in shuffled order, a note or "").

    More than MOST_ROWS rows are sampled, and the note says so. Raises TableError.
    """
    if len(content) > MOST_BYTES:
        raise TableError(f"{name} has {len(content) / 1e6:,.0f} MB.")
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
    fields = first.strip().split(None if separator == r"\s+" else separator)
    header = not any(_is_number(field) for field in fields)
    try:
        with warnings.catch_warnings():
            # pandas only warns where columns have no name, and drops them
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text), sep=separator, header=0 if header else None, index_col=False
            )
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning, OverflowError) as error:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise TableError(f"{name} is no regular table ({shorten(reason, 120)}).") from None
    return _checked(table, name, header)


def _floats(column: pd.Series) -> np.ndarray:
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


def _checked(table: pd.DataFrame, name: str, header: bool) -> tuple[np.ndarray, str]:
    rows, columns = table.shape
    if rows == 0:
        raise TableError(f"{name} has a header but no rows.")
    if columns != 2:
        raise TableError(f"{name} has {columns} column{'s' * (columns != 1)}.")
    points = np.empty((rows, 2))
    for i, column in enumerate(table.columns):
        values = _floats(table[column])
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            what = table[column].iloc[row]
            # pandas reads an empty field as NaN
            shown = "empty, or NaN" if isinstance(what, float) and np.isnan(what) else shorten(str(what))
            count = int(bad.sum())
            many = (
                f"{count:,} values that are no finite numbers"
                if count > 1
                else "a value that is no finite number"
            )
            raise TableError(
                f"Column {i + 1} of {name} has {many}; the first is in row {row + 1} of the data: {shown}."
            )
        size = np.abs(values).max()
        if size > 1e30:
            raise TableError(f"{name} has values up to {size:g}; the largest usable is 1e30.")
        span = values.max() - values.min()
        if span <= max(1e-5 * size, 1e-30):
            raise TableError(
                f"Column {i + 1} of {name} is constant ({values[0]:g}), so there is nothing to learn."
            )
        points[:, i] = values
    if rows < LEAST_ROWS:
        raise TableError(f"{name} has only {rows} row{'s' * (rows != 1)}.")
    order = np.random.default_rng(0).permutation(rows)[:MOST_ROWS]
    note = "" if rows <= MOST_ROWS else f"{rows:,} rows; a random {MOST_ROWS:,} of them are used."
    return points[order].astype(np.float32), note
