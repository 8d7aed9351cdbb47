"""The one door for a user's own file: a table gives points, anything with pictures gives images.

Which of the two is seen by what the bytes are, then by the file's name. Where both are possible (a table with a column
for each pixel) it is a question, `kind`.
"""

from __future__ import annotations

import dataclasses
import io
import math
import re
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePath

import numpy as np

from gan_core.data import gzip_parts, parquet_trial
from gan_core.data.own_images import image_arrays, image_files, image_tables
from gan_core.data.own_images.image_columns import MOST_OTHERS, is_table_of_pixels
from gan_core.data.own_images.image_decoding import is_picture
from gan_core.data.own_images.image_layout import layouts
from gan_core.data.own_images.image_rules import MOST_BYTES, MOST_UNPACKED
from gan_core.data.own_tables.table_rules import MOST_ENTRIES
from gan_core.data.own_tables.table_text import split
from gan_core.data.own_tables.tables import propose_points, silent
from gan_core.data.proposal import Choices, Progress, Proposal, Question
from gan_core.foundations.hyperparameters import ConfigError, shorten

LEAST_PIXELS = 64
PICTURE_ENDS = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TABLE_ENDS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".data", ".dat")
HEAD = 1 << 16
KINDS = {"points": "points: two of its columns", "images": "images: a picture a row"}
GUESSES = {
    "points": "The file is read as points. As its kind you can choose images: a picture a row.",
    "images": "Each row is read as a picture. As its kind you can choose points: two of the columns.",
}
NO_PICTURES = "No array of the .mat file can be pictures: its numbers are read as points."
DATA_SETS = {"points": "file", "images": "picture_file"}  # the data set that trains on a file of this kind
_IDX = re.compile(rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x04]")
_PIXEL = re.compile(r"(?:pixels?|px)[ _.-]?\d+(?:[x_]\d+)?|\d+[x_]\d+", re.IGNORECASE)
_LETTER = re.compile(r"[pxv][ _.-]?\d+(?:[x_]\d+)?", re.IGNORECASE)  # R calls any columns V1, V2, ...
_VALUE = re.compile(r"\d{1,3}(?:\.\d*)?")
NEARLY = 0.98  # of the values: a number of the row or a label is not as the others are
MOST_GRADES = 10  # the highest answer of a questionnaire


def propose(
    name: str, content: bytes, choices: Choices | None = None, progress: Progress = silent, most: int = MOST_BYTES
) -> Proposal:
    """What the file holds, read with what its user has chosen; raises ConfigError, and what `progress` raises.

    most: bytes of a file of pictures that are accepted.
    """
    choices = dict(choices or {})
    kind, doubtful = _kind(name, content)
    chosen = choices.get("kind", kind)
    if chosen not in KINDS:
        raise ConfigError(f"The kind is points or images, not {shorten(chosen)}.")
    table = _points_of_mat(content, name) if choices.get("kind") != "images" else None
    if table is not None:
        found = propose_points(table, name, choices, progress)
        return dataclasses.replace(found, notes=(NO_PICTURES, *found.notes))
    if chosen == "images":
        found = image_files.propose_pictures(content, name, choices, progress, most)
    else:
        found = propose_points(content, name, choices, progress)
    if not doubtful:
        return found
    question = Question("kind", "Kind", KINDS, chosen, "Whether the rows are points or pictures.")
    notes = found.notes if "kind" in choices else (GUESSES[chosen], *found.notes)
    return dataclasses.replace(found, questions=(question, *found.questions), notes=notes)


def propose_path(path: str | Path, choices: Choices | None = None, progress: Progress = silent) -> Proposal:
    """`propose` of a file on this machine, which may be larger than an upload, or of a folder of pictures."""
    path = Path(path)
    if path.is_dir():
        return image_files.propose_folder(path, choices, progress)
    try:
        if path.stat().st_size > MOST_UNPACKED:
            raise ConfigError(f"{path.name} has more than {MOST_UNPACKED / 1e6:,.0f} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    return propose(path.name, content, choices, progress, MOST_UNPACKED)


def unknown_choices(proposal: Proposal, choices: Choices) -> list[str]:
    """The choices that were given and decide nothing about this file."""
    return sorted(set(choices) - {question.name for question in proposal.questions})


# -- which of the two ---------------------------------------------------------------------------------------


def _kind(name: str, content: bytes) -> tuple[str, bool]:
    """("points" or "images", whether the file could be both)."""
    suffix = PurePath(name.lower()).suffix
    if content.startswith(gzip_parts.GZIP):
        content = gzip_parts.head(content, HEAD)
    if (
        content.startswith((image_files.MAT, *image_files.REFUSED))
        or is_picture(content[:4096])
        or _IDX.match(content[:4])
        or content[257:262] == b"ustar"
    ):
        return "images", False
    if content.startswith(b"PK\x03\x04"):
        return _of_archive(content, suffix)
    if content.startswith(b"\x93NUMPY"):
        return _of_shape(_shape(content))
    if content.startswith(b"PAR1"):
        return _of_parquet(content)
    if suffix in (".zip", ".npz"):  # damaged, or empty: to be refused as what it should be
        return "images", False
    found = _of_text(content[:HEAD])
    if found == ("points", False) and image_files.looks_like_pictures(content, name):
        return "images", is_table_of_pixels(content)
    return found


def _points_of_mat(content: bytes, name: str) -> bytes | None:
    """A .mat file that holds no pictures but columns of numbers, as the .npz of the same; None for any other file."""
    if not content.startswith(image_files.MAT) or len(content) > MOST_BYTES:
        return None
    try:
        arrays, _ = image_arrays.from_mat(content, name)
    except ConfigError:  # to be said by who reads pictures
        return None
    if any(stored.numeric and layouts(stored.shape) for stored in arrays.values()):
        return None
    flat = {key: stored.read().squeeze() for key, stored in arrays.items() if stored.numeric and len(stored.shape) == 2}
    columns = {key: x.T if x.ndim == 2 and len(x) == 2 < x.shape[1] else x for key, x in flat.items() if x.size > 2}
    if not any(x.ndim == 2 for x in columns.values()) and len({len(x) for x in columns.values()}) == len(columns):
        return None  # no two of them belong together
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # np.savez takes no array called `file`
        for key, values in columns.items():
            with archive.open(f"{key}.npy", "w") as part:
                np.lib.format.write_array(part, values, allow_pickle=False)
    return file.getvalue()


def _square(count: int) -> bool:
    """Whether so many numbers are a picture's: a square, gray or of three colours."""
    planes = [count // depth for depth in (1, 3) if count % depth == 0]
    return any(plane >= LEAST_PIXELS and math.isqrt(plane) ** 2 == plane for plane in planes)


def _of_shape(shape: tuple[int, ...]) -> tuple[str, bool]:
    if len(shape) > 2:
        return "images", False
    if len(shape) == 2 and shape[0] == 2:  # x and y; two pictures would be too few
        return "points", _square(shape[1])
    return ("images", True) if len(shape) == 2 and _square(shape[1]) else ("points", False)


def _shape(content: bytes) -> tuple[int, ...]:
    """The shape that a .npy file says it has; () where it says none."""
    file = io.BytesIO(content[:HEAD])
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file)[0]
    except Exception:  # NumPy's reader raises anything on junk
        return ()


def _of_archive(content: bytes, suffix: str) -> tuple[str, bool]:
    if content.count(b"PK\x01\x02") > MOST_ENTRIES:  # a workbook or arrays have few parts
        return "images", False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = archive.infolist()
            names = [entry.filename.lower() for entry in inside]
            if any(path.startswith("xl/") for path in names):
                return "points", False
            shapes = []
            for entry in inside:
                if entry.filename.endswith(".npy"):
                    with archive.open(entry) as file:
                        shapes.append(_shape(file.read(4_096)))
    except Exception:  # zipfile raises anything on damaged bytes
        return ("images" if suffix in (".zip", ".npz") else "points"), False
    if shapes:
        kinds = {_of_shape(shape) for shape in shapes}
        if ("images", False) in kinds:
            return "images", False
        return ("images", True) if ("images", True) in kinds else ("points", ("points", True) in kinds)
    texts = [path for path in names if path.endswith(TABLE_ENDS)]
    pictures = [path for path in names if path.endswith(PICTURE_ENDS)]
    return ("points" if texts and not pictures else "images"), False


def _of_parquet(content: bytes) -> tuple[str, bool]:
    import pyarrow as pa
    from pyarrow import parquet

    if not parquet_trial.survives(content):
        return "points", False
    try:
        schema = parquet.read_schema(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError):
        return "points", False
    numbers = [field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)]
    deep = any(pa.types.is_nested(field.type) or pa.types.is_binary(field.type) for field in schema)
    if deep and (len(numbers) < 2 or image_tables.holds_pictures(content)):
        return "images", False
    if deep:  # such as shapes on a map, or words of each row
        return "points", True
    names = [field.name for field in schema]
    if not any(_square(len(names) - others) for others in range(MOST_OTHERS + 1)):
        return "points", False
    return _of_columns(names, [str(value) for value in image_tables.first_numbers(content)])


def _of_text(head: bytes) -> tuple[str, bool]:
    text = head.decode("latin-1")
    lines = [line for line in text.splitlines()[:-1] if line.strip()][:20]
    if not lines:
        return "points", False
    mark = max(",\t; ", key=lambda mark: len(split(lines[-1], mark)))
    rows = [split(line, mark) for line in lines]
    width = len(rows[-1])
    names = rows[0] if len(rows[0]) == width else []
    whole = [row for row in rows[1:] if len(row) == width] or rows[-1:]
    numbers = [text for row in whole for text in row]
    return _of_columns(names, numbers, width)


def _of_columns(names: list[str], values: list[str], width: int | None = None) -> tuple[str, bool]:
    """By the names of the columns, and some of their values where no name says pixel: whole numbers from 0 to 255.

    Small whole numbers below names of another kind are the answers to as many questions.
    """
    width = width or len(names)
    if _square(sum(bool(_PIXEL.fullmatch(name)) for name in names)):
        return "images", True
    letters = _square(sum(bool(_LETTER.fullmatch(name)) for name in names))
    if not letters and not any(_square(width - others) for others in range(MOST_OTHERS + 1)):
        return "points", False
    if not values:
        return ("images" if letters else "points"), True
    known = [float(text) for text in values if _VALUE.fullmatch(text)]

    def nearly_all(few: Callable[[float], bool]) -> bool:
        return sum(map(few, known)) > NEARLY * len(values)

    if not nearly_all(lambda value: value <= 255):
        return "points", True
    if not nearly_all(lambda value: value <= 255 and value.is_integer()):
        return ("images" if letters else "points"), True
    named = not all(_VALUE.fullmatch(name) for name in names)
    return ("points" if named and nearly_all(lambda value: value <= MOST_GRADES) else "images"), True
