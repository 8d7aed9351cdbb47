"""What stands above the first row of data: names, units, rows of data that are broken, and names that are numbers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from gan_core.data.own_tables.table_numbers import is_number, looks_numeric, multipliers, without_unit
from gan_core.data.own_tables.table_rules import TableError, is_missing
from gan_core.data.proposal import Choices, Question
from gan_core.foundations.hyperparameters import shorten

_UNITS = re.compile(r"[\[(].{1,12}[\])]|[a-zA-Zµ°%$€£/·²³]{1,3}(?:[/·*^ -][a-zA-Z0-9²³^-]{1,4})*|min|year|years|-")
LONGEST_UNIT = 16  # letters
_DRAWN = re.compile(r":?[-=]{2,}:?")  # a line under the names, as in Markdown
_YEARS = range(1500, 2201)
DECADE = 10  # years that lie further apart are numbers like others
LOOKED_AT = 200  # rows


def numeric_columns(rows: Sequence[Sequence[str]], width: int) -> dict[int, bool]:
    """Which columns hold numbers, in the lower half of these rows: what stands above is no header there. With each,
    whether units stand in its cells."""
    lower = rows[len(rows) // 2 :][:LOOKED_AT]
    found = {}
    for column in range(width):
        texts = [row[column] for row in lower if not is_missing(row[column])]
        numbers = sum(map(is_number, texts))
        if texts and (numbers >= 0.6 * len(texts) or without_unit(texts) is not None or multipliers(texts)):
            found[column] = any(not is_number(text) and looks_numeric(text) for text in texts)
    return found


def is_data(row: Sequence[str], numeric: dict[int, bool]) -> bool:
    """Whether the row has a number in a column of numbers, and no word in one."""
    cells = [(row[column], units) for column, units in numeric.items()]
    there = [(text, units) for text, units in cells if not is_missing(text)]
    return bool(there) and all(is_number(text) or (units and looks_numeric(text)) for text, units in there)


def begin(rows: Sequence[Sequence[str]], first: int, numeric: dict[int, bool], width: int) -> int:
    """Where the data begin: at `first`, the first row of nothing but numbers in columns of numbers, or at a row above
    that is one of data with a cell that is broken or missing, and not the names."""

    def numbers_in(row: Sequence[str]) -> list[str]:
        return [row[column] for column in numeric if is_number(row[column])]

    def names(row: Sequence[str]) -> bool:
        return len(row) == width and not numbers_in(row) and not all(map(is_missing, row)) and not drawn(row)

    while first > 0 and len(rows[first - 1]) >= width:
        row, named = rows[first - 1], any(names(above) for above in rows[: first - 1])
        found = numbers_in(row)
        empty = all(is_missing(row[column]) for column in numeric)
        written = empty and any(row[column] for column in numeric)  # NaN, where a name would hardly stand
        whole = all(re.fullmatch(r"[-+]?\d+", text) for text in found)
        broken = (found and (named or not whole)) or (empty and (named or written))
        if not broken or drawn(row):
            return first
        first -= 1
    return first


def drawn(row: Sequence[str]) -> bool:
    """Whether the row is only a line under the names."""
    return any(row) and all(not text or _DRAWN.fullmatch(text) for text in row)


def candidates(rows: Sequence[tuple[int, Sequence[str]]], width: int) -> list[tuple[int, Sequence[str]]]:
    """The rows above the data that can be names or units, each with its place."""
    found = [(i, row) for i, row in rows if len(row) in (width, width - 1) and len(row) > 1 and not drawn(row)]
    return [(i, row) for i, row in found if 2 * sum(map(is_number, row)) <= len(row)]


def are_units(row: Sequence[str]) -> bool:
    """Whether a row between the names and the data says the units of the columns."""
    return all(not text or (len(text) <= LONGEST_UNIT and _UNITS.fullmatch(text)) for text in row)


def with_units(names: Sequence[str], units: Sequence[str]) -> list[str]:
    """Names such as "height (cm)"."""
    bare = [text.strip("[]()") for text in units]
    return [f"{a} ({b})" if a and b.strip("-") else a for a, b in zip(names, bare, strict=True)]


def numbers_as_names(row: Sequence[str], rest: Sequence[Sequence[str]], numeric: Sequence[int]) -> str | None:
    """ "names" or "none", the better guess, where the first row may be names that are numbers: 0, 1, 2, ... of pandas,
    or years; None where it is a row of data like all others."""
    numbers = [text for other in rest for text in other if is_number(text)]
    fractions = sum(not re.fullmatch(r"[-+]?\d+", text) for text in numbers) > 0.3 * len(numbers)
    counted = [str(i) for i in range(len(row))]
    if list(row) == counted:
        return "names" if fractions else "none"
    if len(row) > 2 and not row[0] and list(row[1:]) == counted[:-1]:
        return "names"
    cells = [row[column] for column in numeric]
    if len(cells) < 2 or not all(re.fullmatch(r"\d{1,4}", text) for text in cells):
        return None
    values = [int(text) for text in cells]
    if cells == counted[: len(cells)]:
        words = [column for column, text in enumerate(row) if column not in numeric and text]
        alone = any(_once(row[column], [other[column] for other in rest]) for column in words)
        return ("names" if fractions or alone else "none") if words else None
    steps = {b - a for a, b in itertools.pairwise(values)}
    below = [other[column] for other in rest for column in numeric if is_number(other[column])]
    alike = sum(text.isdigit() and int(text) in _YEARS for text in below if len(text) == 4)
    years = all(value in _YEARS for value in values) and len(steps) == 1 and 0 < steps.pop() <= DECADE
    return "names" if years and alike <= 0.5 * len(below) else None


def _once(text: str, others: Sequence[str]) -> bool:
    """Whether a word stands in the first row alone, in a column whose other words come again and again."""
    return text not in others and len({*others}) <= len(others) / 2


def header_question(row: Sequence[str], guess: str, choices: Choices) -> tuple[str, Question, str]:
    """(what is chosen, the question, the note) where the first row may be names. Raises TableError."""
    chosen = choices.get("header", guess)
    said = ", ".join(row)
    options = {"names": f"names of the columns: {said[:80]}", "none": "a row of data, like all others"}
    if chosen not in options:
        raise TableError(f"The choice header is names or none, not {shorten(chosen)}.")
    question = Question("header", "First row", options, chosen, "Whether the first row is the names of the columns.")
    taken = "for the names of the columns" if chosen == "names" else "for a point, not for names"
    return chosen, question, f"The first row ({said[:40]}) is taken {taken}."
