"""Pictures in tables: a CSV whose columns are pixels, a Parquet file whose cells are encoded pictures or pixels."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gan_core.data.own_images.image_arrays import Stored, in_memory
from gan_core.data.own_images.image_classes import HELD, LABELS, TRAIN, words
from gan_core.data.own_images.image_members import Member
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import LEAST_SIDE, MOST_ENTRIES, MOST_MEMBER, MOST_UNPACKED, PictureError
from gan_core.data.parquet_pages import largest_page
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import parquet, pd

PARQUET = b"PAR1"
LEAST_PIXELS = LEAST_SIDE**2
MOST_COLUMNS = 3 * 256 * 256 + 16
AT_ONCE = 4_000_000  # values that are read at once
BATCH_BYTES = 100_000_000


# -- CSV ----------------------------------------------------------------------------------------------------


def _square(columns: int) -> bool:
    """Whether so many numbers are a square picture, gray or in colour."""
    return columns >= LEAST_PIXELS and (
        math.isqrt(columns) ** 2 == columns or (columns % 3 == 0 and math.isqrt(columns // 3) ** 2 == columns // 3)
    )


def _first_lines(content: bytes, count: int = 2) -> list[str]:
    text = content[:8_000_000].decode("utf-8-sig", "replace")
    return [line for line in text.split("\n", 8) if line.strip()][:count]


def _separator(line: str) -> str:
    return max((line.count(mark), mark) for mark in ",;\t ")[1]


def _fields(line: str, mark: str) -> list[str]:
    try:
        return next(csv.reader([line.strip()], delimiter=mark))
    except csv.Error:  # a field too long for the csv module
        return line.strip().split(mark)


def is_table_of_pixels(content: bytes) -> bool:
    """Whether text has as many columns as a square picture has pixels, or a column of pixels in one field."""
    if b"\0" in content[:10_000]:
        return False
    lines = _first_lines(content)
    if not lines:
        return False
    mark = _separator(lines[0])
    count = len(_fields(lines[0], mark))
    cells = _fields(lines[-1], mark)
    if count > LEAST_PIXELS:
        named = "pixel" in lines[0].lower()
        return any(_square(count - i) for i in range(4)) and (named or all(map(_number, cells[4:LEAST_PIXELS])))
    return len(lines) > 1 and any(len(cell.split()) >= LEAST_PIXELS and _numbers(cell) for cell in cells)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(text: str) -> bool:
    """Whether text begins with as many numbers as the smallest picture has pixels."""
    return all(map(_number, text.split()[:LEAST_PIXELS]))


def from_csv(content: bytes, reading: Reading) -> dict[str, Stored]:
    """The pixels, classes and parts of a CSV of pictures, one a line."""
    name = reading.name
    lines = _first_lines(content)
    mark = _separator(lines[0])
    fields = _fields(lines[0], mark)
    if len(fields) > MOST_COLUMNS:
        raise PictureError(f"{name} has {len(fields):,} columns; at most {MOST_COLUMNS:,} are read.")
    header = not all(_number(field) for field in fields)
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
            sep=mark,
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
            pixels, rest = _columns(titles, chunk)
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


def _columns(titles: list[str], chunk: Any) -> tuple[list[int], list[int]]:
    """(the columns of pixels, the others)."""
    numbers = [i for i in range(len(titles)) if chunk[i].dtype.kind in "biuf" or re.match(r"(?i)pixel\d", titles[i])]
    for i in range(len(titles)):
        if i not in numbers and len(str(chunk[i].iloc[0]).split()) >= LEAST_PIXELS:
            return [i], [j for j in range(len(titles)) if j != i]
    named = [i for i in numbers if LABELS.intersection(words(titles[i]))]
    pixels = [i for i in numbers if i not in named]
    extra = next((n for n in range(4) if _square(len(pixels) - n)), 0)
    if extra and titles[-1] != str(len(titles) - 1) and not named and "pixel" in titles[0].lower():
        return pixels[:-extra], [i for i in range(len(titles)) if i not in pixels[:-extra]]
    pixels = pixels[extra:]
    return pixels, [i for i in range(len(titles)) if i not in set(pixels)]


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
    for i in rest:
        column = table[i]
        if column.dtype.kind in "biuf":
            values = column.to_numpy()
        else:
            values = column.fillna("").astype(str).to_numpy(np.str_)
            if all((TRAIN | HELD).intersection(words(kind)) for kind in set(values.tolist())):
                part = np.array([bool(HELD.intersection(words(kind))) for kind in values.tolist()])
                continue
        known = bool(LABELS.intersection(words(titles[i])))
        arrays[titles[i] if known or len(rest) > 1 else f"label {titles[i]}"] = in_memory(values)
    if part is None or part.all() or not part.any():
        return arrays
    split = {key: stored.read() for key, stored in arrays.items()}
    return {f"train {key}": in_memory(values[~part]) for key, values in split.items()} | {
        f"test {key}": in_memory(values[part]) for key, values in split.items()
    }


# -- Parquet ------------------------------------------------------------------------------------------------


def from_parquet(content: bytes, reading: Reading) -> list[Member] | dict[str, Stored]:
    """The encoded pictures of a Parquet file as files in folders of their classes, or its columns of pixels."""
    name = reading.name
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
    largest = largest_page(content, about, name, PictureError, MOST_UNPACKED)
    schema = file.schema_arrow
    picture = next((field.name for field in schema if _encoded(field.type)), None)
    if picture is not None:
        return _cells(file, picture, largest, BATCH_BYTES + 4 * len(content), reading)
    return _pixel_columns(file, reading)


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

    most: bytes of all of them, which are held in memory: encoded pictures hardly pack any further.
    """
    name, rows = reading.name, file.metadata.num_rows
    scalar = [field.name for field in file.schema_arrow if str(field.type) in _SCALARS]
    label = next((key for key in scalar if LABELS.intersection(words(key))), None) or next(iter(scalar), None)
    class_names = _class_names(file, label) if label else []
    # So few at once that they are bounded even where all are one picture as long as a page.
    at_once = max(1, min(64, BATCH_BYTES // max(1, largest)))
    batches = file.iter_batches(batch_size=at_once, columns=[picture, *([label] if label else [])])
    members: list[Member] = []
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
            folder = () if of is None else (class_names[of] if known else str(of),)
            file_name = f"{len(members):06d}.png"
            members.append(Member((*folder, file_name), len(content), lambda most, c=content: c[:most]))
        reading.at("Reading the table", len(members), rows)
    return members


_SCALARS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "string", "large_string", "bool")


def _pixel_columns(file: Any, reading: Reading) -> dict[str, Stored]:
    """Columns of numbers, one a pixel, or a column of lists of them."""
    fields = list(file.schema_arrow)
    lists = [f.name for f in fields if str(f.type).startswith(("list<", "large_list<", "fixed_size_list<"))]
    numbers = [f.name for f in fields if str(f.type) in _SCALARS[:8] or str(f.type) in ("float", "double")]
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
            if not _square(len(pixels)):
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
