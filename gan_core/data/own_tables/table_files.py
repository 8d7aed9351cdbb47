"""Tables that are not text: .xlsx, Parquet, .npy, and .npz, each within bounds, none of them unpickled."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections import Counter
from typing import Any

import numpy as np

from gan_core.data import gzip_parts, parquet_trial
from gan_core.data.own_tables import table_header
from gan_core.data.own_tables.table_cells import of_cells, texts_of
from gan_core.data.own_tables.table_rules import (
    MOST_COLUMNS,
    MOST_READ,
    MOST_UNPACKED,
    Table,
    TableError,
    Telling,
    bounded_columns,
    column_names,
    opened,
)
from gan_core.data.parquet_pages import largest_page
from gan_core.data.proposal import Choices, Progress, Question
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import pd

SHEET_BYTES = 100_000_000  # of a workbook, unpacked: XML, some twenty letters a cell
SHEET_COLUMNS = 256  # that are looked at: a forgotten format in column XFD makes a sheet 16,384 wide
SHEET_CELLS = 20_000_000
SHEET_ROWS = 1_048_576  # as many as Excel has; openpyxl fills every gap before a row with rows of its own
SHOWN_SHEETS = 50
TWO_ROWS = "Two rows of {:,} numbers are taken for x and y."
BATCH_BYTES = 400_000_000  # that rows of a Parquet file may take at once, were each a text as long as a page


class PickledError(TableError):
    """An array of Python objects, which only a program could read."""


def unpacked(content: bytes, name: str, progress: Progress) -> bytes:
    """What a .gz holds; raises TableError for one that is damaged, or unpacks to more than MOST_UNPACKED."""
    found, length = [], 0
    try:
        for piece, at in gzip_parts.pieces(content):
            found.append(piece)
            length += len(piece)
            if length > MOST_UNPACKED:
                raise TableError(f"{name} unpacks to more than {MOST_UNPACKED / 1e6:,.0f} MB.")
            progress("Unpacking", at, len(content))
    except TableError:
        raise
    except ValueError as error:
        raise TableError(f"{name} cannot be unpacked: {error}.") from None
    return b"".join(found)


# -- spreadsheets -------------------------------------------------------------------------------------------


def read_xlsx(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """A sheet of an Excel workbook: the chosen one, else the first that holds a table. Raises TableError."""
    with opened(content, name, SHEET_BYTES) as archive:
        _check_xml(archive, name)
    from openpyxl import load_workbook

    telling = Telling(progress)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of formats that openpyxl does not draw
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            if not sheets:
                raise TableError(f"{name} has no sheet of cells.")
            chosen = choices.get("sheet")
            if chosen is not None and chosen not in sheets:
                known = ", ".join(list(sheets)[:SHOWN_SHEETS])
                raise TableError(f"{name} has no sheet {shorten(chosen)}; it has: {known}.")
            read, title = {}, chosen or ""
            for sheet in [chosen] if chosen else list(sheets):
                read[sheet] = _cells(sheets[sheet], telling)
                if _holds_numbers(read[sheet]):
                    title = sheet
                    break
            wide = [sheet for sheet, cells in read.items() if len(cells) > 1 and max(map(len, cells)) > 1]
            title = title or next(iter(wide), next(iter(read)))  # one that says by its cells what is wrong
            found = read[title]
    except TableError:
        raise
    except Exception:  # openpyxl raises anything on damaged files
        if telling.ended is not None:
            raise telling.ended from None
        raise TableError(f"{name} cannot be read: it is damaged, or no .xlsx workbook.") from None
    table = of_cells(found, name, choices)
    if len(sheets) > 1:
        options = {text: text for text in list(sheets)[:SHOWN_SHEETS]}
        table.questions.append(Question("sheet", "Sheet", options, title, "Which sheet of the workbook is read."))
        if chosen is None:
            table.notes.insert(0, f"The sheet {title} is read, of {len(sheets)}.")
    return table


def _check_xml(archive: zipfile.ZipFile, name: str) -> None:
    """No part of a workbook needs a document type; one that has it could name entities that grow without end."""
    for entry in archive.infolist():
        if not entry.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue
        try:
            with archive.open(entry) as file:
                start = file.read(4096)
        except Exception:  # zipfile raises anything on damaged bytes
            raise TableError(f"{name} cannot be read: {shorten(entry.filename)} in it is damaged.") from None
        if b"<!DOCTYPE" in start or b"<!ENTITY" in start or b"\0" in start:
            raise TableError(f"{name} is no ordinary workbook: {shorten(entry.filename)} in it has a document type.")


def _cells(sheet: Any, progress: Progress) -> list[list[Any]]:
    """The rows that hold something, without what is empty at their ends."""
    found: list[list[Any]] = []
    cells = 0
    for i, row in enumerate(sheet.iter_rows(max_row=SHEET_ROWS + 1, max_col=SHEET_COLUMNS, values_only=True)):
        if i >= SHEET_ROWS:
            raise TableError(f"The sheet has a row beyond {SHEET_ROWS:,}, which a sheet of a workbook cannot have.")
        if i % 2_000 == 0:
            progress("Reading the sheet", i, max(i, sheet.max_row or 0))
        if row.count(None) == len(row):
            continue
        values = list(row)
        while values and (values[-1] is None or values[-1] == ""):
            values.pop()
        cells += len(values)
        if cells > SHEET_CELLS:
            raise TableError(f"The sheet has more than {SHEET_CELLS:,} cells.")
        if values:
            found.append(values)
    return found


def _holds_numbers(rows: list[list[Any]]) -> bool:
    """Whether two columns of a sheet hold numbers: a sheet of remarks before the table has none."""
    lower = rows[len(rows) // 2 :][: table_header.LOOKED_AT]
    width = max(map(len, lower), default=0)
    texts = [texts_of(row, width) for row in lower]
    return len(table_header.numeric_columns([*texts, *texts], width)) > 1


# -- Parquet ------------------------------------------------------------------------------------------------


def read_parquet(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """The columns of numbers and texts of a Parquet file. Raises TableError."""
    import pyarrow as pa
    from pyarrow import parquet

    if not parquet_trial.survives(content, progress):
        raise TableError(f"{name} cannot be read: it is damaged.")
    try:
        file = parquet.ParquetFile(io.BytesIO(content), memory_map=False)
        about = file.metadata
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if about.num_rows > MOST_READ or size > MOST_UNPACKED or about.num_columns > MOST_COLUMNS:
            raise TableError(
                f"{name} has {about.num_rows:,} rows of {about.num_columns:,} columns, {size / 1e6:,.0f} MB unpacked; "
                f"at most {MOST_READ:,}, {MOST_COLUMNS:,} and {MOST_UNPACKED / 1e6:,.0f} MB are read."
            )
        kept = [field.name for field in file.schema_arrow if _readable(field.type, pa.types)]
        if not kept:
            raise TableError(f"{name} has no column of numbers.")
        largest = largest_page(content, about, name, TableError, MOST_UNPACKED)
        # A text stands once in a dictionary's page, and again in every row that has its number.
        texts = any(not pa.types.is_primitive(field.type) for field in file.schema_arrow if field.name in kept)
        at_once = max(1, min(65_536, BATCH_BYTES // max(1, largest))) if texts else 65_536
        batches, rows, taken = [], 0, 0
        for batch in file.iter_batches(at_once, columns=kept):
            progress("Reading the table", rows, about.num_rows)
            rows += len(batch)
            taken += batch.nbytes
            if taken > MOST_UNPACKED:
                raise TableError(f"{name} unpacks to more than {MOST_UNPACKED / 1e6:,.0f} MB.")
            batches.append(batch)
        frame = pa.Table.from_batches(batches).to_pandas() if batches else pd.DataFrame(columns=kept)
    except TableError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError):
        raise TableError(f"{name} cannot be read: it is damaged, or no Parquet file.") from None
    left = [field.name for field in file.schema_arrow if field.name not in kept]
    frame.columns = column_names(["" if text.startswith("__index_level") else str(text) for text in frame.columns])
    notes = [f"Left out, for they are no numbers: {', '.join(left)[:100]}."] if left else []
    return Table(frame, True, notes)


def _readable(kind: Any, types: Any) -> bool:
    numbers = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    texts = types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind)
    return numbers or texts


# -- NumPy --------------------------------------------------------------------------------------------------


def npy_header(content: bytes, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """(shape, dtype) of a .npy file, once they are what the file holds; raises TableError."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception:  # NumPy's reader raises anything on junk
        raise TableError(f"{name} cannot be read: it is damaged, or no .npy file.") from None
    if dtype.hasobject:
        raise PickledError(f"{name} holds Python objects, which are not read: they could run a program.")
    size = math.prod(shape) * dtype.itemsize
    if size != len(content) - file.tell():
        raise TableError(
            f"{name} says that it holds {size:,} bytes of numbers, but {len(content) - file.tell():,} are there."
        )
    return shape, dtype


def read_npy(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """An array N x columns (2 x N, where that is longer), or one with named fields. Raises TableError."""
    npy_header(content, name)
    array = np.load(io.BytesIO(content), allow_pickle=False)
    columns = _columns_of("", array.T if _two_rows(array) else array)
    notes = [TWO_ROWS.format(array.shape[1])] if _two_rows(array) else []
    if not columns:
        raise TableError(f"{name} is an array of {_shape(array.shape)} of {array.dtype}; N x 2 numbers are needed.")
    return _of_columns(columns, notes, array.dtype.names is not None, name)


def read_npz(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """The arrays of a .npz that are columns, or hold some, of one length. Raises TableError."""
    arrays: dict[str, np.ndarray] = {}
    pickled: dict[str, PickledError] = {}
    with opened(content, name) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith(".npy"):
                continue
            try:
                with archive.open(entry) as file:
                    part = file.read(MOST_UNPACKED + 1)
            except Exception:  # zipfile raises anything on damaged bytes
                raise TableError(f"{name} cannot be read: {shorten(entry.filename)} in it is damaged.") from None
            label = entry.filename.removesuffix(".npy")
            try:
                npy_header(part, f"{label} in {name}")
            except PickledError as error:
                pickled[label] = error
                continue
            arrays[label] = np.load(io.BytesIO(part), allow_pickle=False)
    # A single column beside a table is what is said of its rows, whichever was saved first.
    order = sorted(arrays, key=lambda label: arrays[label].ndim == 1)
    notes = [TWO_ROWS.format(array.shape[1]) for array in arrays.values() if _two_rows(array)]
    arrays = {label: arrays[label].T if _two_rows(arrays[label]) else arrays[label] for label in order}
    found = {label: _columns_of(label, array) for label, array in arrays.items()}
    lengths = Counter(len(next(iter(columns.values()))) for columns in found.values() if columns)
    rows = max((n for n in lengths if _width(found, n) > 1), key=lambda n: n * _width(found, n), default=None)
    if rows is None:
        for error in pickled.values():
            raise error
        shapes = ", ".join(f"{label} {_shape(array.shape)}" for label, array in arrays.items())[:200]
        raise TableError(f"{name} has no two columns of equal length. It has: {shapes or 'no arrays'}.")
    columns = {k: v for part in found.values() for k, v in part.items() if len(v) == rows}
    left = [label for label, part in found.items() if not part or len(next(iter(part.values()))) != rows]
    if left:
        notes.append(f"Left out, for they are not {rows:,} long: {', '.join(left)[:100]}.")
    if pickled:
        notes.append(f"Left out, for they hold Python objects, which could run a program: {', '.join(pickled)[:100]}.")
    return _of_columns(columns, notes, True, name)


def _two_rows(array: np.ndarray) -> bool:
    return array.ndim == 2 and array.shape[0] == 2 < array.shape[1]


def _width(found: dict[str, dict[str, np.ndarray]], rows: int) -> int:
    return sum(len(part) for part in found.values() if part and len(next(iter(part.values()))) == rows)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _columns_of(label: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """Name -> column, of an array of one or two axes, or with named fields; {} where it is none."""
    if array.dtype.names:
        fields = {name: array[name] for name in array.dtype.names if array.ndim == 1}
        return {name: values for name, values in fields.items() if values.ndim == 1 and values.dtype.kind in "biufU"}
    if array.dtype.kind not in "biufU" or not array.size:
        return {}
    if array.ndim == 1 and label:
        return {label: array}
    if array.ndim != 2 or array.shape[1] > MOST_COLUMNS or (not label and array.shape[1] < 2):
        return {}
    if array.shape[1] == 1:
        return {label: array[:, 0]}
    return {f"{label} {i + 1}" if label else f"column {i + 1}": array[:, i] for i in range(array.shape[1])}


def _of_columns(columns: dict[str, np.ndarray], notes: list[str], named: bool, name: str) -> Table:
    bounded_columns(len(columns), name)
    frame = pd.DataFrame({key: column.astype(column.dtype.newbyteorder("=")) for key, column in columns.items()})
    if len(frame) > MOST_READ:
        raise TableError(f"There are {len(frame):,} rows; at most {MOST_READ:,} are read.")
    frame.columns = column_names(list(frame.columns))
    return Table(frame, named, notes)
