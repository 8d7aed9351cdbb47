"""Tables of text: which encoding, which separator, what stands above the numbers. pandas reads the rest."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gan_core.data.own_tables import table_header
from gan_core.data.own_tables.table_encoding import HEAD_BYTES, decoded
from gan_core.data.own_tables.table_numbers import (
    decimal_marks,
    dotted_thousands,
    is_number,
    looks_numeric,
    may_be_dotted,
)
from gan_core.data.own_tables.table_rows import Layout, Rows
from gan_core.data.own_tables.table_rules import (
    MOST_COLUMNS,
    MOST_READ,
    Table,
    TableError,
    column_names,
    many,
)
from gan_core.data.proposal import Choices, Progress, Question
from gan_core.foundations.hyperparameters import shorten

HEAD_LINES = 400
SEPARATORS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "blank": " "}
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"\s*(?:#(?!N/A)|%|//|!|@(?=relation|attribute|data))\s*(.*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"attribute\s+('[^']*'|\"[^\"]*\"|\S+)", re.IGNORECASE)  # of Weka's files, which end in .arff
_OPEN = re.compile(r'(?:^|[,;\t|])\s*"[^"]*$')  # a quotation mark that is not closed on its line
LONGEST_CELL = 10  # lines


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


def _records(text: str) -> list[tuple[int, str]]:
    """(its first line, from 0; its text) of each record at the start of a file: one or more lines, where a cell in
    quotation marks has several."""
    lines = _LINE_END.split(text)[:HEAD_LINES]
    found, at = [], 0
    while at < len(lines):
        end, most = at + 1, min(len(lines), at + 1 + LONGEST_CELL)
        while end < most and _OPEN.search("\n".join(lines[at:end])):
            end += 1
        if _OPEN.search("\n".join(lines[at:end])):  # not closed: a letter like all others
            end = at + 1
        found.append((at, "\n".join(lines[at:end])))
        at = end
    return found


def _layout(text: str, name: str, choices: Choices) -> Layout:
    """How the file is to be read, from its first lines. Raises TableError."""
    records = _records(text)
    lines = [(i, line) for i, (_, line) in enumerate(records) if line.strip()]
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
    numeric = table_header.numeric_columns(full, width)
    first = next(
        (k for k, (_, row) in enumerate(rows) if len(row) >= width and table_header.is_data(row, numeric)), None
    )
    if first is None:
        if len(rows) == 1 and width > 1:
            raise TableError(f"{name} has a header but no rows.")
        # Nothing that looks like a number: the columns are read all the same, to say what stands in them.
        first = 1 if len(rows) > 1 and len(rows[0][1]) == width and not any(map(is_number, rows[0][1])) else 0
    else:
        first = table_header.begin([row for _, row in rows], first, numeric, width)
    layout = Layout(separator, width, rows[first][0], 0, [], questions=questions)
    _check_halves(layout, [row for _, row in rows], first, name)
    _header(layout, rows, first, lines, [*numeric], choices)
    layout.line = records[layout.skip][0] if layout.skip < len(records) else layout.skip
    texts = [row[column] for row in full for column in numeric]
    comma, point, either = decimal_marks(texts)
    layout.comma = True if comma > point else False if point else None
    layout.certain = bool(comma or point or either)
    if choices.get("decimal") in ("point", "comma"):
        layout.comma = choices["decimal"] == "comma"
    return layout


def _header(
    layout: Layout,
    rows: list[tuple[int, list[str]]],
    first: int,
    lines: list[tuple[int, str]],
    numeric: list[int],
    choices: Choices,
) -> None:
    """Finds the names above the first row of data, and what else stands there. Raises TableError."""
    start, above = rows[first][0], table_header.candidates(rows[:first], layout.width)
    before = {i: line for i, line in lines if i < start}
    used = {i for i, row in rows[:first] if table_header.drawn(row)}
    comments = [(i, found[1]) for i, line in before.items() if (found := _COMMENT.match(line))]
    if above:
        (at, last), (over, second) = above[-1], above[-2] if len(above) > 1 else (0, [])
        used.add(at)
        names = _aligned(last, layout, rows[first:])
        if second and len(last) == layout.width and table_header.are_units(last):
            names = table_header.with_units(_aligned(second, layout, rows[first:]), last)
            layout.notes.append("Names and units stand in two lines.")
            used.add(over)
        _classes_above(layout, last, rows, first)
        layout.names = [] if layout.class_names else names
    else:
        words = split(comments[-1][1], layout.separator) if comments else []
        attributes = {i: found[1] for i, text in comments if (found := _ATTRIBUTE.match(text))}
        if len(attributes) == layout.width:
            layout.names = [text.strip("'\"") for text in attributes.values()]
            used |= {*attributes}
        elif len(words) == layout.width and not all(map(is_number, words)):
            layout.names = words
            used.add(comments[-1][0])
        else:
            for i, row in rows[:first]:
                _classes_above(layout, row, rows, first)
                used |= {i} if layout.class_names else set()
            _numbered(layout, rows, first, numeric, choices)
    left = [line for i, line in before.items() if i not in used]
    if left:
        said = f"{many(len(left), 'line')} above the table {'is' if len(left) == 1 else 'are'} left out"
        layout.notes.append(f"{said}: {shorten(left[0].strip(), 50)}{', ...' * (len(left) > 1)}.")


def _check_halves(layout: Layout, rows: Sequence[Sequence[str]], first: int, name: str) -> None:
    """Raises TableError where the columns are whole numbers and half as many names stand over them: then a comma is
    both what parts the columns and the decimal mark."""
    halves = [row for row in rows[:first] if 2 * len(row) == layout.width and not any(map(is_number, row))]
    texts = [text for row in rows[first:] for text in row]
    if layout.separator == "," and halves and all(re.fullmatch(r"[-+]?\d*", text) for text in texts):
        raise TableError(
            f"{name} has {many(len(halves[-1]), 'name')} over {layout.width} columns of whole numbers: are commas both "
            "its separator and its decimal mark? Save it with semicolons, or with decimal points."
        )


def _aligned(names: Sequence[str], layout: Layout, rows: list[tuple[int, list[str]]]) -> list[str]:
    """As many names as columns: one less than columns stands over all but the first where that has R's row names, which
    are words or 1, 2, 3, ..., else over all but the last."""
    if len(names) == layout.width:
        return list(names)
    full = [row for _, row in rows if len(row) == layout.width]
    heads = [row[0] for row in full]
    counts = heads == [str(i) for i in range(int(heads[0]), int(heads[0]) + len(heads))] if _whole(heads) else False
    rows_named = counts or sum(map(is_number, heads)) < 0.5 * len(heads)
    if all(not row[-1] for row in full) or not rows_named:
        if any(row[-1] for row in full):
            layout.notes.append("There is one name less than columns: the last column has none.")
        return [*names, ""]
    return ["", *names]


def _whole(texts: Sequence[str]) -> bool:
    return bool(texts) and all(re.fullmatch(r"\d{1,9}", text) for text in texts)


def _numbered(
    layout: Layout, rows: list[tuple[int, list[str]]], first: int, numeric: list[int], choices: Choices
) -> None:
    """Whether the first row is names that are numbers, and not a point."""
    row, rest = rows[first][1], [other for _, other in rows[first + 1 :] if len(other) == layout.width]
    guess = table_header.numbers_as_names(row, rest, numeric) if len(row) == layout.width else None
    if guess is None:
        return
    chosen, question, note = table_header.header_question(row, guess, choices)
    layout.questions.append(question)
    layout.notes.append(note)
    if chosen == "names":
        layout.names = list(row)
        layout.skip = rows[first + 1][0] if first + 1 < len(rows) else layout.skip + 1


def _classes_above(layout: Layout, row: Sequence[str], rows: list[tuple[int, list[str]]], first: int) -> None:
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
    rows = Rows(content, encoding, layout, name, progress)
    frame = rows.frame
    if frame.shape[0] > MOST_READ:
        raise TableError(f"{name} has more than {MOST_READ:,} rows.")
    width = max(frame.shape[1], len(layout.names))
    given = layout.names + [""] * (width - len(layout.names))
    frame.columns = column_names([str(text) for text in given])

    def row_of(row: int) -> str:
        return f"line {rows.line_of(row):,}"

    notes += [*layout.notes, *rows.notes]
    table = Table(frame, bool(layout.names), notes, questions + layout.questions, layout.comma, row_of)
    table.class_names, table.left_out = layout.class_names, rows.left_out
    for i, label in enumerate(frame.columns) if not layout.certain else ():
        if frame[label].dtype.kind in "biu" or (frame[label].dtype.kind == "f" and not _may_be_dotted(frame[label])):
            continue
        again = rows.texts(i) if frame[label].dtype.kind == "f" else frame[label]
        example = dotted_thousands(text for text in again if isinstance(text, str))
        if example:
            table.dotted[label] = example
    return table


def _may_be_dotted(cells: Any) -> bool:
    return may_be_dotted(cells.to_numpy())
