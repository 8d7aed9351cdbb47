"""Tables of text: which encoding, which separator, what stands above the numbers. pandas reads the rest."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gan_core.data.own_tables.table_encoding import HEAD_BYTES, decoded
from gan_core.data.own_tables.table_numbers import (
    decimal_marks,
    dotted_thousands,
    is_number,
    looks_numeric,
    may_be_dotted,
    without_unit,
)
from gan_core.data.own_tables.table_rules import (
    MISSING,
    MOST_COLUMNS,
    MOST_READ,
    Table,
    TableError,
    Telling,
    column_names,
    is_missing,
    many,
)
from gan_core.data.proposal import Choices, Progress, Question
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import pd

HEAD_LINES = 400
SEPARATORS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "blank": " "}
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"\s*(?:#(?!N/A)|%|//|!)\s*(.*)")
_UNITS = re.compile(r"[\[(].{1,12}[\])]|[a-zA-Zµ°%$€£/·²³]{1,3}(?:[/·*^ -][a-zA-Z0-9²³^-]{1,4})*|min|year|years|-")


@dataclass
class _Layout:
    """How the lines are to be read. skip: lines before the first row of data. names: [] where there are none."""

    separator: str
    width: int
    skip: int
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


# -- the layout ---------------------------------------------------------------------------------------------


def split(line: str, separator: str) -> list[str]:
    """The fields of one line, quotes and blanks around them taken off."""
    if separator == " ":
        return [found.strip("\"'") for found in re.findall(r'"[^"]*"|\S+', line)]
    try:
        return [found.strip() for found in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:  # a field too long for the csv module
        return [found.strip() for found in line.split(separator)]


def _separator(lines: Sequence[str]) -> str:
    """The one that cuts the lines into equally many fields, most of them numbers."""
    best, found = 0.0, " "
    for separator in SEPARATORS.values():
        rows = [split(line, separator) for line in lines[-100:]]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        fields = [text for row in rows if len(row) == width for text in row if text]
        numbers = sum(map(looks_numeric, fields)) / max(1, len(fields))
        score = count / len(rows) * (numbers + 0.05)
        if score > best + 1e-9:
            best, found = score, separator
    return found


def _numeric_columns(rows: Sequence[list[str]], width: int) -> list[int]:
    """Which columns hold numbers, in the lower half of these rows: what stands above is no header there."""
    lower = rows[len(rows) // 2 :][:200]
    found = []
    for column in range(width):
        texts = [row[column] for row in lower if not is_missing(row[column])]
        if texts and (sum(map(is_number, texts)) >= 0.6 * len(texts) or without_unit(texts) is not None):
            found.append(column)
    return found


def _layout(text: str, name: str, choices: Choices) -> _Layout:
    """How the file is to be read, from its first lines. Raises TableError."""
    every = _LINE_END.split(text)[:HEAD_LINES]
    lines = [(i, line) for i, line in enumerate(every) if line.strip()]
    if not lines:
        raise TableError(f"{name} is empty.")
    told = re.fullmatch(r'"?sep=(.)"?', lines[0][1].strip() or "", re.IGNORECASE) or re.fullmatch(
        r"sep=(\t)", lines[0][1].strip("\r\n"), re.IGNORECASE
    )
    lines = lines[1:] if told else lines
    plain = [(i, line) for i, line in lines if not _COMMENT.match(line)]
    if not plain:
        raise TableError(f"{name} has a header but no rows." if lines else f"{name} is empty.")
    chosen = choices.get("separator")
    if chosen is not None and chosen not in SEPARATORS:
        raise TableError(f"There is no separator {shorten(chosen)}; there are: {', '.join(SEPARATORS)}.")
    separator = SEPARATORS[chosen] if chosen else told[1] if told else _separator([line for _, line in plain])
    rows = [(i, split(line, separator)) for i, line in plain]
    width = Counter(len(row) for _, row in rows[len(rows) // 2 :]).most_common(1)[0][0]
    if width > MOST_COLUMNS:
        raise TableError(f"{name} has {width:,} columns; at most {MOST_COLUMNS:,} are read.")
    said = next((word for word, mark in SEPARATORS.items() if mark == separator), "")
    about = "What stands between two values of a row."
    options = {word: repr(mark) if mark in "\t " else mark for word, mark in SEPARATORS.items()}
    questions = [Question("separator", "Separator", options, said, about)] if said else []
    full = [row for _, row in rows if len(row) == width]
    numeric = _numeric_columns(full, width)
    first = next((k for k, (_, row) in enumerate(rows) if len(row) >= width and _is_data(row, numeric)), None)
    if first is None:
        if len(rows) == 1 and width > 1:
            raise TableError(f"{name} has a header but no rows.")
        # Nothing that looks like a number: the columns are read all the same, to say what stands in them.
        first = 1 if len(rows) > 1 and len(rows[0][1]) == width and not any(map(is_number, rows[0][1])) else 0
    layout = _Layout(separator, width, rows[first][0], [], questions=questions)
    _header(layout, rows, first, lines, choices)
    texts = [row[column] for row in full for column in numeric]
    comma, point, either = decimal_marks(texts)
    layout.comma = True if comma > point else False if point else None
    layout.certain = bool(comma or point or either)
    if choices.get("decimal") in ("point", "comma"):
        layout.comma = choices["decimal"] == "comma"
    return layout


def _is_data(row: Sequence[str], numeric: Sequence[int]) -> bool:
    """Whether the row has a number in a column of numbers, and no word in one."""
    cells = [row[column] for column in numeric]
    there = [text for text in cells if not is_missing(text)]
    return bool(there) and all(map(looks_numeric, there))


def _header(
    layout: _Layout, rows: list[tuple[int, list[str]]], first: int, lines: list[tuple[int, str]], choices: Choices
) -> None:
    """Finds the names above the first row of data, and what else stands there."""
    above = [(i, row) for i, row in rows[:first] if len(row) in (layout.width, layout.width - 1) and len(row) > 1]
    start = rows[first][0]
    before = [line for i, line in lines if i < start]
    comments = [_COMMENT.match(line) for line in before]
    if above:
        names = _aligned(above[-1][1], layout, rows[first:])
        used = 1
        if (
            len(above) > 1
            and len(above[-1][1]) == layout.width
            and all(not text or _UNITS.fullmatch(text) for text in above[-1][1])
        ):
            units = [text.strip("[]()") for text in names]
            names = _aligned(above[-2][1], layout, rows[first:])
            names = [f"{a} ({b})" if a and b.strip("-") else a for a, b in zip(names, units, strict=True)]
            layout.notes.append("Names and units stand in two lines.")
            used = 2
        _classes_above(layout, above[-1][1], rows, first)
        layout.names = [] if layout.class_names else names
    else:
        used = 0
        words = split(comments[-1][1], layout.separator) if comments and comments[-1] else []
        if len(words) == layout.width and not all(map(is_number, words)):
            layout.names, used = words, 1
        else:
            for _, row in rows[:first]:
                _classes_above(layout, row, rows, first)
            _counted(layout, rows, first, choices)
            used = 1 if layout.names or layout.class_names else 0
    left = len(before) - used
    if left > 0 and before:
        said = f"{many(left, 'line')} above the table {'is' if left == 1 else 'are'} left out"
        layout.notes.append(f"{said}: {shorten(before[0].strip(), 50)}{', ...' * (left > 1)}.")


def _aligned(names: Sequence[str], layout: _Layout, rows: list[tuple[int, list[str]]]) -> list[str]:
    """As many names as columns: one less than columns stands over all but the first (R's row names), or over all but
    the last where that is empty (a separator at the end of each row)."""
    if len(names) == layout.width:
        return list(names)
    empty = all(not row[-1] for _, row in rows if len(row) == layout.width)
    return [*names, ""] if empty else ["", *names]


def _counted(layout: _Layout, rows: list[tuple[int, list[str]]], first: int, choices: Choices) -> None:
    """Whether the first row is 0, 1, 2, ...: the names that pandas gives to columns, not a point."""
    row = rows[first][1]
    indexed = not row[0] and [str(i) for i in range(len(row) - 1)] == row[1:] and len(row) > 2
    if not indexed and row != [str(i) for i in range(len(row))]:
        return
    rest = [text for _, other in rows[first + 1 :] for text in other if is_number(text)]
    fractions = sum(not re.fullmatch(r"[-+]?\d+", text) for text in rest)
    guess = "names" if indexed or fractions > 0.3 * len(rest) else "none"
    chosen = choices.get("header", guess)
    options = {"names": f"names of the columns: {', '.join(row)}", "none": "a row of data, like all others"}
    if chosen not in options:
        raise TableError(f"The choice header is names or none, not {shorten(chosen)}.")
    about = "Whether the first row is the names of the columns, as pandas numbers them."
    layout.questions.append(Question("header", "First row", options, chosen, about))
    if chosen == "names":
        layout.names = ["" if i == 0 and indexed else text for i, text in enumerate(row)]
        layout.skip = rows[first + 1][0] if first + 1 < len(rows) else layout.skip + 1
        layout.notes.append(f"The first row ({', '.join(row)[:40]}) is taken for the names of the columns.")
    else:
        layout.notes.append(f"The first row ({', '.join(row)[:40]}) is taken for a point, not for names.")


def _classes_above(layout: _Layout, row: Sequence[str], rows: list[tuple[int, list[str]]], first: int) -> None:
    """scikit-learn's own files begin with the number of rows, the number of columns, and the names of the classes."""
    if len(row) < 4 or not (row[0].isdigit() and row[1].isdigit()) or int(row[1]) != layout.width - 1:
        return
    if any(map(is_number, row[2:])) or int(row[0]) < len(rows) - first - 1:
        return
    layout.class_names = tuple(text for text in row[2:] if text)
    layout.notes.append("The first line names the classes, which the last column numbers.")


# -- reading ------------------------------------------------------------------------------------------------


def read_text(content: bytes, name: str, choices: Choices, progress: Progress) -> Table:
    """A table of text. Raises TableError."""
    blank = b" \t\r\n\xef\xbb\xbf"
    if not (content[:HEAD_BYTES].strip(blank) or content.strip(blank)):
        raise TableError(f"{name} is empty.")
    content, encoding, notes, questions = decoded(content, name, choices)
    head = content[:HEAD_BYTES]
    if len(content) > HEAD_BYTES:
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head
    if re.match(rb"\s*<(!doctype|html|\?xml|table)", head, re.IGNORECASE):
        raise TableError(f"{name} is a web page or XML, not a table of text.")
    layout = _layout(head.decode(encoding, "replace"), name, choices)
    if encoding == "utf-8" and "\u2212".encode() in content:
        content = content.replace("\u2212".encode(), b"-")
    frame = _frame(content, encoding, layout, name, progress)
    if frame.shape[0] > MOST_READ:
        raise TableError(f"{name} has more than {MOST_READ:,} rows.")
    width = max(frame.shape[1], len(layout.names))
    given = layout.names + [""] * (width - len(layout.names))
    frame.columns = column_names([str(text) for text in given])

    def row_of(row: int) -> str:
        line = _line_of(content, layout.skip, row)
        return f"line {line:,}"

    table = Table(frame, bool(layout.names), notes + layout.notes, questions + layout.questions, layout.comma, row_of)
    table.class_names = layout.class_names
    for i, label in enumerate(frame.columns) if not layout.certain else ():
        if frame[label].dtype.kind == "f" and may_be_dotted(frame[label].to_numpy()):
            again = _frame(content, encoding, layout, name, progress, i).iloc[:, 0]
            example = dotted_thousands(text for text in again if isinstance(text, str))
            if example:
                table.dotted[label] = example
    return table


def _frame(
    content: bytes, encoding: str, layout: _Layout, name: str, progress: Progress, column: int | None = None
) -> Any:
    """pandas' reading of the rows from `layout.skip` on; column: of this one alone, as texts."""
    telling = Telling(progress)
    decimal = "," if layout.comma and layout.separator != "," else "."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # a column of numbers and words: told apart later
            return pd.read_csv(
                _Told(content, telling),
                sep=r"\s+" if layout.separator == " " else layout.separator,
                header=None,
                skiprows=layout.skip,
                index_col=False,
                encoding=encoding,
                encoding_errors="replace",
                skipinitialspace=True,
                decimal=decimal,
                na_values=[*MISSING, *(word.upper() for word in MISSING)],
                nrows=MOST_READ + 1,
                # A comma that parts the columns cannot be pandas' decimal mark: then all numbers are read here.
                dtype=str if column is not None or (layout.comma and layout.separator == ",") else None,
                usecols=None if column is None else [column],
            )
    except pd.errors.EmptyDataError:
        raise TableError(f"{name} has a header but no rows.") from None
    except (ValueError, OverflowError, csv.Error) as error:
        if telling.ended is not None:
            raise telling.ended from None
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise TableError(f"{name} is not a regular table ({shorten(reason, 120)}).") from None


def _line_of(content: bytes, skip: int, row: int) -> int:
    """The number of the line, from 1, that the row is in: pandas passes over blank lines."""
    seen = -1
    for number, line in enumerate(content.splitlines()):
        if number >= skip and line.strip():
            seen += 1
        if seen == row:
            return number + 1
    return skip + row + 1
