"""Pictures in tables: a CSV whose columns are pixels, a Parquet file whose cells are encoded pictures or pixels."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gan_core.data import parquet_trial
from gan_core.data.own_images.image_arrays import Stored, in_memory
from gan_core.data.own_images.image_classes import (
    HELD,
    LABELS,
    TRAIN,
    is_label,
    is_sure,
    label_of,
    too_many,
    words,
)
from gan_core.data.own_images.image_columns import (
    BLANK,
    LEAST_PIXELS,
    array_name,
    fields_of,
    first_lines,
    is_header,
    is_index,
    pixel_columns,
    separator,
    square,
)
from gan_core.data.own_images.image_decoding import is_picture
from gan_core.data.own_images.image_members import Member
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_ENTRIES, MOST_MEMBER, MOST_UNPACKED, PictureError
from gan_core.data.parquet_pages import largest_page
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import parquet, pd

PARQUET = b"PAR1"
MOST_COLUMNS = 3 * 256 * 256 + 16
AT_ONCE = 4_000_000  # values that are read at once
BATCH_BYTES = 100_000_000
FIRST_ROWS = 16  # that tell what a Parquet file holds


# -- CSV ----------------------------------------------------------------------------------------------------


def from_csv(content: bytes, reading: Reading) -> dict[str, Stored]:
    """The pixels, classes and parts of a CSV of pictures, one a line."""
    name = reading.name
    lines = first_lines(content)
    mark = separator(lines[0])
    fields = fields_of(lines[0], mark)
    if len(fields) > MOST_COLUMNS:
        raise PictureError(f"{name} has {len(fields):,} columns; at most {MOST_COLUMNS:,} are read.")
    header = is_header(fields)
    titles = [field.strip() for field in fields] if header else [str(i) for i in range(len(fields))]
    file, rows = io.BytesIO(content), 0
    kept: list[np.ndarray] = []
    others: list[Any] = []
    pixels: list[int] = []
    rest: list[int] = []

    def refusal(error: Exception) -> PictureError:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        return PictureError(f"{name} is not a regular table ({shorten(reason, 120)}).")

    try:
        reader = pd.read_csv(
            file,
            sep=r"\s+" if mark == BLANK else mark,
            header=None,
            skiprows=int(header),
            chunksize=max(1, AT_ONCE // len(titles)),
            encoding="utf-8-sig",
            index_col=False,
        )
    except Exception as error:  # pandas raises anything on junk
        raise refusal(error) from None
    for chunk in _each(reader, refusal):
        if chunk.shape[1] != len(titles):
            raise PictureError(f"{name} has {len(titles):,} columns in its first line and {chunk.shape[1]:,} below.")
        if not rows:
            pixels, rest = pixel_columns(titles, chunk, reading)
        kept.append(_pixels_of(chunk[pixels], name, rows))
        others.append(chunk[rest])
        rows += len(chunk)
        reading.at("Reading the table", file.tell(), len(content))
    widths = {values.shape[1] for values in kept}
    if not kept or len(widths) != 1:
        raise PictureError(f"{name} has images of different sizes; all must have as many pixels.")
    arrays = {"pixels": in_memory(np.concatenate(kept))}
    table = pd.concat(others) if rest else None
    return _with_rest(arrays, table, titles, rest)


def _each(parts: Any, refusal: Callable[[Exception], PictureError]) -> Iterator[Any]:
    """What an iterator of a library gives; what it raises on junk becomes a refusal, and nothing else does."""
    parts = iter(parts)
    while True:
        try:
            part = next(parts)
        except StopIteration:
            return
        except Exception as error:
            raise refusal(error) from None
        yield part


def _pixels_of(chunk: Any, name: str, before: int) -> np.ndarray:
    """Numbers [n, K], in as few bytes as hold them."""
    if chunk.shape[1] == 1:
        try:
            rows = [np.array(str(text).split(), np.float32) for text in chunk.iloc[:, 0]]
        except ValueError:
            raise PictureError(f"{name} has a pixel that is no number below row {before + 1:,}.") from None
        if len({len(row) for row in rows}) != 1:
            raise PictureError(f"{name} has images of different sizes; all must have as many pixels.")
        values = np.stack(rows)
    else:
        try:
            values = chunk.to_numpy(np.float32)
        except (ValueError, TypeError):
            raise PictureError(f"{name} has a pixel that is no number below row {before + 1:,}.") from None
    bad = ~np.isfinite(values).all(1)
    if bad.any():
        raise PictureError(f"{name} has an image with an empty pixel: row {before + int(bad.argmax()) + 1:,}.")
    whole = values.min() >= 0 and values.max() <= 255 and (values == np.rint(values)).all()
    return values.astype(np.uint8) if whole else values


def _with_rest(arrays: dict[str, Stored], table: Any, titles: list[str], rest: list[int]) -> dict[str, Stored]:
    """The other columns: classes, and which part a row is of."""
    if table is None:
        return arrays
    part = None
    rest = [i for i in rest if not is_index(titles[i])]
    for i in rest:
        column = table[i]
        if column.dtype.kind in "biuf":
            values = column.to_numpy()
        else:
            values = column.fillna("").astype(str).to_numpy(np.str_)
            if all((TRAIN | HELD).intersection(words(kind)) for kind in set(values.tolist())):
                part = np.array([bool(HELD.intersection(words(kind))) for kind in values.tolist()])
                continue
        arrays[array_name(titles[i], len(rest) == 1)] = in_memory(values)
    if part is None or part.all() or not part.any():
        return arrays
    split = {key: stored.read() for key, stored in arrays.items()}
    return {f"train {key}": in_memory(values[~part]) for key, values in split.items()} | {
        f"test {key}": in_memory(values[part]) for key, values in split.items()
    }


# -- Parquet ------------------------------------------------------------------------------------------------


def from_parquet(content: bytes, reading: Reading) -> list[Member] | dict[str, Stored]:
    """The encoded pictures of a Parquet file as files in folders of their classes, or its columns of pixels."""
    file, largest = _opened(content, reading.name)
    picture = next((field.name for field in file.schema_arrow if _encoded(field.type)), None)
    if picture is not None:
        return _cells(file, picture, largest, BATCH_BYTES + 4 * len(content), reading)
    return _pixel_columns(file, reading)


def _opened(content: bytes, name: str) -> tuple[Any, int]:
    """(a Parquet file that claims no more than is read, how many bytes its largest page has); raises PictureError."""
    if not parquet_trial.survives(content):
        raise PictureError(f"{name} cannot be read: it is damaged.")
    try:
        file = parquet.ParquetFile(
            io.BytesIO(content), thrift_string_size_limit=50_000_000, thrift_container_size_limit=1_000_000
        )
        about = file.metadata
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    except Exception:  # pyarrow raises anything on junk
        raise PictureError(f"{name} is damaged: it cannot be read as a Parquet file.") from None
    if about.num_rows > MOST_ENTRIES:
        raise PictureError(f"{name} has {about.num_rows:,} rows; at most {MOST_ENTRIES:,} are read.")
    if not 0 <= size <= MOST_UNPACKED:
        raise PictureError(
            f"{name} would unpack to {size / 1e6:,.0f} MB; at most {MOST_UNPACKED / 1e6:,.0f} MB are read."
        )
    return file, largest_page(content, about, name, PictureError, MOST_UNPACKED)


def holds_pictures(content: bytes) -> bool:
    """Whether the first rows of a Parquet file hold encoded pictures, or as many numbers in a cell as a picture has.

    True, too, where it claims more than is read: to be refused as pictures are.
    """
    columns = _first_rows(content, lambda kind: _encoded(kind) or "list<" in str(kind))
    return columns is None or any(map(_may_be_pictures, columns))


def first_numbers(content: bytes) -> list[float]:
    """The numbers in the first rows of a Parquet file; [] where it cannot be read."""
    columns = _first_rows(content, lambda kind: str(kind) in _NUMBERS) or []
    return [value for column in columns for value in column.to_pylist() if value is not None]


def _first_rows(content: bytes, wanted: Callable[[Any], bool]) -> list[Any] | None:
    """The first rows of the columns of some types; None where they cannot be read.

    The statistics that such a file has of its columns are not looked at: pyarrow ends the process on damaged ones.
    """
    try:
        file, largest = _opened(content, "the file")
        able = [field.name for field in file.schema_arrow if wanted(field.type)]
        rows = max(1, min(FIRST_ROWS, BATCH_BYTES // max(1, largest)))
        batch = next(file.iter_batches(batch_size=rows, columns=able), None)
        return [] if batch is None else batch.columns
    except Exception:  # pyarrow raises anything on junk
        return None


def _may_be_pictures(column: Any) -> bool:
    if _encoded(column.type):
        cells = column.to_pylist()
        contents = [(cell.get("bytes") if isinstance(cell, dict) else cell) or b"" for cell in cells]
        return any(is_picture(content[:512]) for content in contents)
    rows = len(column)
    while "list<" in str(column.type) and hasattr(column, "flatten"):
        column = column.flatten()
    return len(column) >= LEAST_PIXELS * rows and str(column.type) in _NUMBERS


def _encoded(kind: Any) -> bool:
    """Whether a column's type may hold encoded pictures: bytes, or Hugging Face's struct of bytes and path."""
    text = str(kind)
    return text in ("binary", "large_binary") or (text.startswith("struct<") and "bytes: binary" in text)


def _class_names(file: Any, column: str) -> list[str]:
    """The names of the classes of a column, as Hugging Face's files list them; [] where they do not."""
    try:
        about = json.loads((file.schema_arrow.metadata or {})[b"huggingface"])
        names = about["info"]["features"][column]["names"]
        return [str(name) for name in names]
    except (KeyError, ValueError, TypeError):
        return []


def _cells(file: Any, picture: str, largest: int, most: int, reading: Reading) -> list[Member]:
    """The encoded pictures of a column as files; largest: bytes of a page, and so of a picture, at most.

    most: bytes of all of them, which are held in memory: encoded pictures hardly pack any further. The folder of a file
    is its class.
    """
    name, rows = reading.name, file.metadata.num_rows
    scalar = [field.name for field in file.schema_arrow if str(field.type) in _SCALARS and not is_index(field.name)]
    label = label_of(sorted(scalar, key=lambda key: not is_label(key)), reading) if scalar else "none"
    label = label if label in scalar else ""
    class_names = _class_names(file, label) if label else []
    # So few at once that they are bounded even where all are one picture as long as a page.
    at_once = max(1, min(64, BATCH_BYTES // max(1, largest)))
    batches = file.iter_batches(batch_size=at_once, columns=[picture, *([label] if label else [])])
    members: list[Member] = []
    kinds: list[str | None] = []
    total = 0
    for batch in _each(batches, lambda _: PictureError(f"{name} is damaged: its rows cannot be read.")):
        by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
        cells = by_name[picture].to_pylist()
        labels = by_name[label].to_pylist() if label else [None] * len(cells)
        for cell, of in zip(cells, labels, strict=True):
            content = (cell.get("bytes") if isinstance(cell, dict) else cell) or b""
            total += len(content)
            if total > most:
                raise PictureError(f"{name} would unpack to more than {most / 1e6:,.0f} MB.")
            if len(content) > MOST_MEMBER:
                raise PictureError(f"{name} has an image of more than {MOST_MEMBER / 1e6:,.0f} MB.")
            known = isinstance(of, int) and 0 <= of < len(class_names)
            kinds.append(None if of is None else class_names[of] if known else str(of))
            members.append(Member((f"{len(members):06d}.png",), len(content), lambda most, c=content: c[:most]))
        reading.at("Reading the table", len(members), rows)
    if not label:
        return members
    if not is_sure(label, reading) and (why := too_many(len(set(kinds)), len(kinds))):
        reading.say(f"The column {shorten(label)} is not used as classes: {why}.")
        return members
    reading.say(f"The classes are those of {shorten(label)}.")
    pairs = zip(members, kinds, strict=True)
    return [member if kind is None else replace(member, parts=(kind, *member.parts)) for member, kind in pairs]


_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_SCALARS = (*_WHOLE, "string", "large_string", "bool")
_NUMBERS = (*_WHOLE, "float", "double")


def _pixel_columns(file: Any, reading: Reading) -> dict[str, Stored]:
    """Columns of numbers, one a pixel, or a column of lists of them."""
    fields = list(file.schema_arrow)
    lists = [f.name for f in fields if str(f.type).startswith(("list<", "large_list<", "fixed_size_list<"))]
    numbers = [f.name for f in fields if str(f.type) in _NUMBERS]
    if file.metadata.num_rows * len(fields) > MOST_UNPACKED // 4:
        raise PictureError(f"{reading.name} has more values than are read.")
    try:
        if lists:
            table = file.read(columns=[lists[0]])
            flat = table.column(0).combine_chunks()
            uneven = False
            while hasattr(flat, "flatten") and "list" in str(flat.type):
                uneven |= hasattr(flat, "value_lengths") and len(flat.value_lengths().unique()) > 1
                flat = flat.flatten()
            count = file.metadata.num_rows
            if uneven or not count or len(flat) % count:
                raise PictureError(f"{reading.name} has images of different sizes; all must have as many pixels.")
            arrays = {"pixels": in_memory(flat.to_numpy(zero_copy_only=False).reshape(count, -1))}
            rest = [f.name for f in fields if f.name not in lists]
        else:
            pixels = [key for key in numbers if not LABELS.intersection(words(key))]
            if not square(len(pixels)):
                raise PictureError(
                    f"{reading.name} has no column of encoded images, and its {len(fields)} columns are "
                    "not the pixels of a square."
                )
            columns = [file.read(columns=[key]).column(0).to_numpy() for key in pixels]
            arrays = {"pixels": in_memory(np.stack(columns, 1))}
            rest = [f.name for f in fields if f.name not in pixels]
        for key in rest:
            if str(file.schema_arrow.field(key).type) in _SCALARS:
                values = file.read(columns=[key]).column(0).to_pylist()
                arrays[key] = in_memory(np.array([v if isinstance(v, int) else str(v) for v in values]))
    except PictureError:
        raise
    except Exception:  # as above
        raise PictureError(f"{reading.name} is damaged: its rows cannot be read.") from None
    return arrays
