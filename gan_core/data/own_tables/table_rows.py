"""The rows of a table of text, read by pandas: rows that are too long or too short, quotation marks that stay open."""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.data.own_tables.table_rules import MISSING, MOST_READ, TableError, Telling, many
from gan_core.data.proposal import Progress, Question
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import pd

MOST_TOO_LONG = 0.05  # of the rows; one in a small table
LOOKED_AT = 2_000  # texts of a column, for a quotation mark that stays open


@dataclass
class Layout:
    """How the lines are to be read. skip: records before the first row of data; line: lines before it, which are more
    where a cell has several. names: [] where there are none."""

    separator: str
    width: int
    skip: int
    line: int
    names: list[str]
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    comma: bool | None = None
    certain: bool = True
    class_names: tuple[str, ...] = ()


class _Told(io.BytesIO):
    """Bytes that tell how much of them has been read."""

    def __init__(self, content: bytes, progress: Progress):
        super().__init__(content)
        self._progress, self._size = progress, len(content)

    def read(self, size: int | None = -1, /) -> bytes:
        self._progress("Reading the table", self.tell(), self._size)
        return super().read(size)


class Rows:
    """What pandas reads from `layout.skip` on. Raises TableError.

    frame: the rows. notes: in sentences, what is odd about them. left_out: rows that are not in `frame`, by what they
    are.
    """

    def __init__(self, content: bytes, encoding: str, layout: Layout, name: str, progress: Progress):
        self._content, self._encoding, self._layout = content, encoding, layout
        self._name, self._progress = name, progress
        self.notes: list[str] = []
        self.left_out: dict[str, int] = {}
        self._quotes, self._passes_over = True, False
        self._too_long: frozenset[int] = frozenset()  # the numbers of lines
        frame = self._read()
        if frame is None or self._swallowed(frame):
            self._quotes = False
            again = self._read()
            if again is not None and (frame is None or len(again) > len(frame)):
                frame = again
                self.notes.append("A quotation mark that is never closed is passed over.")
            else:
                self._quotes = True
        if frame is None:
            raise TableError(f"{name} is not a regular table (a quotation mark is never closed).")
        self.frame = frame
        if self._passes_over:
            self._count_too_long()
        self._blank_too_short()

    def texts(self, column: int) -> Any:
        """One column's cells as they stand there."""
        frame = self._read(column)
        return () if frame is None else frame.iloc[:, 0]

    def line_of(self, row: int) -> int:
        """The number of the line, from 1, that a row of `frame` is in: pandas passes over blank lines."""
        seen = -1
        for number, line in enumerate(self._content.splitlines()):
            if number >= self._layout.line and line.strip() and number + 1 not in self._too_long:
                seen += 1
            if seen == row:
                return number + 1
        return self._layout.line + row + 1

    def _read(self, column: int | None = None) -> Any:
        """The rows, without those that have more values than columns; None where a quotation mark stays open until the
        end. column: of this one alone, as texts."""
        layout, telling = self._layout, Telling(self._progress)
        comma_alone = layout.comma and layout.separator == ","
        try:
            with warnings.catch_warnings():
                # Of numbers and words in one column, which are told apart later.
                warnings.simplefilter("ignore", pd.errors.DtypeWarning)
                return pd.read_csv(
                    _Told(self._content, telling),
                    sep=r"\s+" if layout.separator == " " else layout.separator,
                    header=None,
                    skiprows=layout.skip,
                    index_col=False,
                    encoding=self._encoding,
                    encoding_errors="replace",
                    skipinitialspace=True,
                    decimal="," if layout.comma and layout.separator != "," else ".",
                    na_values=[*MISSING, *(word.upper() for word in MISSING)],
                    nrows=MOST_READ + 1,
                    quoting=csv.QUOTE_MINIMAL if self._quotes else csv.QUOTE_NONE,
                    on_bad_lines="skip" if self._passes_over else "error",
                    # A comma that parts the columns cannot be pandas' decimal mark: then all numbers are read here.
                    dtype=str if column is not None or comma_alone else None,
                    usecols=None if column is None else [column],
                )
        except pd.errors.EmptyDataError:
            raise TableError(f"{self._name} has a header but no rows.") from None
        except (ValueError, OverflowError, csv.Error) as error:
            if telling.ended is not None:
                raise telling.ended from None
            reason = str(error).split("C error: ")[-1].strip().rstrip(".")
            if "EOF inside string" in reason:
                return None
            if re.match(r"Expected \d+ fields in line", reason) and not self._passes_over:
                self._passes_over = True
                return self._read(column)
            raise TableError(f"{self._name} is not a regular table ({shorten(reason, 120)}).") from None

    def _swallowed(self, frame: Any) -> bool:
        """Whether a text holds whole rows of the table: a quotation mark at its start was no quotation."""
        layout = self._layout
        for _, cells in frame.items():
            texts = () if cells.dtype.kind in "biuf" else cells
            long = [text for text in texts if isinstance(text, str) and "\n" in text]
            for text in long[:LOOKED_AT]:
                inside = text.split("\n")[1:-1] or text.split("\n")
                if any(part.count(layout.separator) == layout.width - 1 for part in inside):
                    return True
        return False

    def _count_too_long(self) -> None:
        """Rows with more values than columns: a few are left out, counted; of many there is no telling what is what."""
        width, rows, found = self.frame.shape[1], 0, []
        for number, cells in self._records():
            rows += bool(cells)
            if len(cells) > width:
                found.append(number)
        if rows - len(found) != len(self.frame) or len(found) > max(1, MOST_TOO_LONG * rows):
            lines, have = many(len(found), "line"), "has" if len(found) == 1 else "have"
            first = f", the first is line {found[0]:,}" if found else ""
            wrong = f"{lines} of it {have} more values than the {width} columns{first}"
            raise TableError(f"{self._name} is not a regular table: {wrong}.")
        if not found:
            return
        first = found[0]
        self._too_long = frozenset(found)
        more = f", and {many(len(found) - 1, 'line')} like it" if len(found) > 1 else ""
        self.notes.append(f"Left out: line {first:,}, which has more values than columns{more}.")
        self.left_out["rows with more values than columns"] = len(found)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """(the number of its last line, its values) of each row as it stands in the file; [] for a blank one."""
        layout = self._layout
        lines = io.StringIO(self._content.decode(self._encoding, "replace"), newline=None)
        rest = itertools.islice(lines, layout.line, None)
        if layout.separator == " ":
            yield from ((layout.line + i, line.split()) for i, line in enumerate(rest, 1))
            return
        reader = csv.reader(
            rest,
            delimiter=layout.separator,
            skipinitialspace=True,
            quoting=csv.QUOTE_MINIMAL if self._quotes else csv.QUOTE_NONE,
        )
        try:
            for cells in reader:
                yield layout.line + reader.line_num, cells if any(cells) or len(cells) > 1 else []
        except csv.Error:  # a text too long for the csv module
            raise TableError(f"{self._name} is not a regular table (line {reader.line_num:,}).") from None

    def _blank_too_short(self) -> None:
        """Where blanks part the columns, a row with a value less does not say which: none of its values counts."""
        if self._layout.separator != " " or self.frame.shape[1] < 2 or not self.frame.iloc[:, -1].isna().any():
            return
        rows = [cells for number, cells in self._records() if cells and number not in self._too_long]
        if len(rows) != len(self.frame):
            return
        short = np.array([len(cells) < self.frame.shape[1] for cells in rows])
        if short.any():
            self.frame = self.frame.loc[~short].reindex(self.frame.index)
            said = many(int(short.sum()), "row")
            self.notes.append(f"Left out: {said} with fewer values than columns, for nothing says which are missing.")
