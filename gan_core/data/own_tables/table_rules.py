"""What is accepted as a user's own table, how what is not is said, and what its readers hand on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gan_core.data.proposal import Progress, Question
from gan_core.foundations.hyperparameters import ConfigError, printable, shorten

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_BYTES = 50_000_000
MOST_UNPACKED = 200_000_000  # of a file that is packed: .gz, .xlsx, .npz, Parquet
MOST_ROWS = 200_000  # that are trained on
MOST_READ = 5_000_000  # rows of a file
MOST_COLUMNS = 2_000
MOST_ENTRIES = 2_000  # of an archive
MOST_CLASSES = 100
LEAST_ROWS = 16
LARGEST = 1e30
MOST_NAME = 60  # letters of a column's name
ACCEPTED = (
    "Accepted: a table with two columns of numbers or more: text (CSV, TSV, or as a spreadsheet copies it), .xlsx, "
    f".parquet, .npy, .npz or JSON, with or without a header; {LEAST_ROWS} rows or more, at most "
    f"{MOST_BYTES // 1_000_000} MB."
)
MISSING = frozenset(
    ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "—", ".", "?", "#div/0!", "#value!")
)


class TableError(ConfigError):
    """A file that cannot be used. The message says what was wrong and what is accepted."""

    def __init__(self, wrong: str):
        super().__init__(f"{wrong} {ACCEPTED}")


@dataclass
class Table:
    """What a reader found in a file.

    frame: its columns, whose names are texts and all different; cells are numbers, texts or missing. named: whether
    the names stand in the file. notes: what was guessed on the way, in sentences. questions: what may be corrected.
    comma: whether the comma is the decimal mark, where the reader knows. dotted: the columns in which the point may
    group thousands, each with a cell such as 1.388. row_of: the number of a row of `frame` ->
    where it stands in the file ("line 7"). class_names: of the numbers in the last column, where the file says them.
    left_out: rows that are not in `frame`, counted by what they are.
    """

    frame: DataFrame
    named: bool
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    comma: bool | None = None
    row_of: Callable[[int], str] = lambda row: f"row {row + 1:,}"
    class_names: tuple[str, ...] = ()
    dotted: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def many(count: int, one: str, more: str | None = None) -> str:
    """ "1 row", "1,200 rows"."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def is_missing(text: str) -> bool:
    """Whether a cell's text says that there is no value."""
    return text.strip().strip("\"'").lower() in MISSING


def bounded_columns(count: int, name: str) -> None:
    """Raises TableError for more columns than are read; asked before memory is taken for them."""
    if count > MOST_COLUMNS:
        raise TableError(f"{name} has {count:,} columns; at most {MOST_COLUMNS:,} are read.")


def column_names(found: list[str]) -> list[str]:
    """Names that can be shown, all different; what has none is called by its place: "column 3"."""
    names: list[str] = []
    taken: set[str] = set()
    for i, text in enumerate(found):
        name = " ".join(printable(text).split())[:MOST_NAME] or f"column {i + 1}"
        number, unique = 2, name
        while unique in taken:
            unique, number = f"{name} ({number})", number + 1
        taken.add(unique)
        names.append(unique)
    return names


def opened(content: bytes, name: str, most: int = MOST_UNPACKED) -> zipfile.ZipFile:
    """The archive, once what it claims of itself is harmless; nothing is unpacked yet. Raises TableError."""
    # Counted before the archive's table is read: a million entries would take hundreds of MB.
    entries = content.count(b"PK\x01\x02")
    if entries > MOST_ENTRIES:
        raise TableError(f"{name} has {entries:,} entries; at most {MOST_ENTRIES:,} are read.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        raise TableError(f"{name} cannot be opened: it is damaged.") from None
    unpacked = 0
    for entry in archive.infolist():
        path = entry.filename.replace("\\", "/")
        if path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
            raise TableError(f"{name} has an entry that points outside the archive: {shorten(entry.filename)}.")
        if entry.flag_bits & 1:
            raise TableError(f"{name} is encrypted.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise TableError(f"{name} is compressed with a method other than deflate.")
        unpacked += entry.file_size
    if unpacked > most:
        raise TableError(f"{name} unpacks to {unpacked / 1e6:,.0f} MB; at most {most / 1e6:,.0f} MB are read.")
    return archive


class Telling:
    """A `progress` that keeps what it raised: a reader in between may put an error of its own in its place."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self.ended: BaseException | None = None

    def __call__(self, what: str, done: int, whole: int) -> None:
        try:
            self._progress(what, done, whole)
        except BaseException as error:
            self.ended = error
            raise
