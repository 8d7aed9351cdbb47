"""What was understood of a user's file, before anything trains on it: a proposal, to be confirmed or corrected.

tables.py reads files of points, image_files.py files of pictures; own_data.py chooses between the two. Each takes the
bytes and the name of a file and `Choices`, what its user has corrected, and gives a `Proposal`. The page shows it with
its questions, the command line prints it (`ganscope data FILE --json`) and offers the same choices as options.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Progress = Callable[[str, int, int], None]  # (what is being done, how much of it is done, of how much); may raise
Choices = dict[str, str]  # by the name of the question: one of its options, as text; a name that is absent is guessed


def joined(values: Sequence[str]) -> str:
    """Several values as one answer: divided by commas; one that has a comma itself is quoted as in a CSV file."""
    quoted = (
        '"' + value.replace('"', '""') + '"' if "," in value or value.startswith('"') else value for value in values
    )
    return ",".join(quoted)


def parted(text: str) -> list[str]:
    """The values of such an answer; none in ""."""
    try:
        return next(csv.reader([text]), [])
    except csv.Error:  # such as a line's end within a value
        return text.split(",")


@dataclass(frozen=True)
class Question:
    """What a user may decide about a file. On the command line it is an option: `classes_from` is `--classes-from`.

    name: of the choice. label: for the page. options: value -> what it means, in the order to be shown; a value is a
    text such as a column's name. chosen: the value that this proposal was read with. help: a sentence for the page and
    the command line. several: values, `joined`, are one answer, at most that many (columns: 2); 0 for just one.
    open: nothing could be guessed honestly, so the proposal has no data until this is answered (`101,037`).
    """

    name: str
    label: str
    options: dict[str, str]
    chosen: str
    help: str
    several: int = 0
    open: bool = False


@dataclass(frozen=True)
class Proposal:
    """What a file holds.

    kind: points or images. count: of what would be trained on. shape: of one sample. classes: name -> how many have
    it, in the order of their numbers. columns: the names of a table's chosen columns, with their units. ranges: of each
    column, or `pixels`: {"before": (lowest, highest), "after": in training units}. left_out: what and how many,
    such as {"rows with a missing value": 3}. notes: the guesses, a sentence each. questions: what may be corrected.
    rows: the first rows of a table as they were read, its header first, for the preview. data: the upload that trains,
    None while a question is open.
    """

    kind: str
    count: int
    shape: tuple[int, ...]
    classes: dict[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    ranges: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    data: Any = None

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions that must be answered before this can be trained on."""
        return tuple(question for question in self.questions if question.open)

    def left_out_said(self) -> list[str]:
        """What is left out, for people: "1 row with a missing value", "3 rows with ..."."""
        one = {what: re.sub(r"^(row|image|file)s (?=with)", r"\1 ", what) for what in self.left_out}
        return [f"{count:,} {one[what] if count == 1 else what}" for what, count in self.left_out.items()]

    def record(self) -> dict[str, Any]:
        """What the command line prints as JSON."""
        return {
            "kind": self.kind,
            "count": self.count,
            "shape": list(self.shape),
            "classes": self.classes,
            "columns": list(self.columns),
            "ranges": {name: {when: list(pair) for when, pair in both.items()} for name, both in self.ranges.items()},
            "left_out": self.left_out,
            "notes": list(self.notes),
        }
