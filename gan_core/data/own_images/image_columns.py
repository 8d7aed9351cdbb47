"""Which columns of a text table are the pixels of pictures, and which one says their class."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from typing import Any

import numpy as np

from gan_core.data.own_images.image_classes import LABELS, SOLE, words
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import LEAST_SIDE, MOST_CLASSES

LEAST_PIXELS = LEAST_SIDE**2
MOST_OTHERS = 3  # columns of numbers beside the pixels
BLANK = " "  # any run of blanks and tabs


def square(columns: int) -> bool:
    """Whether so many numbers are a square picture, gray or in colour."""
    return columns >= LEAST_PIXELS and (
        math.isqrt(columns) ** 2 == columns or (columns % 3 == 0 and math.isqrt(columns // 3) ** 2 == columns // 3)
    )


def first_lines(content: bytes, count: int = 2) -> list[str]:
    """The first lines of a text that are not empty."""
    text = content[:8_000_000].decode("utf-8-sig", "replace")
    return [line for line in text.split("\n", 8) if line.strip()][:count]


def separator(line: str) -> str:
    """What parts the fields of a line; several blanks part as one does."""
    counts = {mark: line.count(mark) for mark in ",;\t"} | {BLANK: len(re.findall(" +", line.strip()))}
    return max(counts, key=lambda mark: (counts[mark], mark))


def fields_of(line: str, mark: str) -> list[str]:
    """The fields of one line."""
    if mark == BLANK:
        return [field.strip('"') for field in line.split()]
    try:
        return next(csv.reader([line.strip("\r\n ")], delimiter=mark))
    except csv.Error:  # a field too long for the csv module
        return line.strip("\r\n ").split(mark)


def is_header(fields: list[str]) -> bool:
    """Whether fields are the names of columns, or the numbers 0, 1, 2, ... that pandas writes for want of any."""
    if not all(map(_number, fields)):
        return True
    return [field.strip() for field in fields] == [str(i) for i in range(len(fields))]


def is_index(title: str) -> bool:
    """Whether a column of this name is what pandas writes for the numbers of the rows."""
    return not title.strip() or title.lower().startswith("unnamed:")


def is_table_of_pixels(content: bytes) -> bool:
    """Whether text has as many columns as a square picture has pixels, or a column of pixels in one field."""
    if b"\0" in content[:10_000]:
        return False
    lines = first_lines(content)
    if not lines:
        return False
    mark = separator(lines[0])
    count = len(fields_of(lines[0], mark))
    cells = fields_of(lines[-1], mark)
    if count >= LEAST_PIXELS:
        named = "pixel" in lines[0].lower()
        others = range(MOST_OTHERS + 1)
        return any(square(count - i) for i in others) and (named or all(map(_number, cells[4:LEAST_PIXELS])))
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


def array_name(title: str, alone: bool) -> str:
    """What the column beside the pixels is called; alone: it is the only one, so it may say the class."""
    return title if LABELS.intersection(words(title)) or not alone else f"{SOLE}{title}"


def pixel_columns(titles: list[str], chunk: Any, reading: Reading) -> tuple[list[int], list[int]]:
    """(the columns of pixels, the others); chunk: the first rows."""
    numbers = [i for i in range(len(titles)) if chunk[i].dtype.kind in "biuf" or re.match(r"(?i)pixel\d", titles[i])]
    for i in range(len(titles)):
        if i not in numbers and len(str(chunk[i].iloc[0]).split()) >= LEAST_PIXELS:
            return [i], [j for j in range(len(titles)) if j != i]
    named = [i for i in numbers if LABELS.intersection(words(titles[i]))]
    pixels = [i for i in numbers if i not in named and not is_index(titles[i])]
    extra = next((n for n in range(MOST_OTHERS + 1) if square(len(pixels) - n)), 0)
    if extra and titles[-1] != str(len(titles) - 1) and not named and "pixel" in titles[0].lower():
        pixels = pixels[:-extra]
    elif extra == 1 and not named and _label_is_last(titles, chunk, pixels[0], pixels[-1], reading):
        pixels = pixels[:-1]
    else:
        pixels = pixels[extra:]
    return pixels, [i for i in range(len(titles)) if i not in set(pixels)]


def _label_is_last(titles: list[str], chunk: Any, first: int, last: int, reading: Reading) -> bool:
    """Whether of the first and the last column, one of which is no pixel, it is the last."""
    stems = {i: re.sub(r"\d+", "", titles[i]) for i in range(first, last + 1)}
    usual = Counter(stems.values()).most_common(1)[0][0]
    odd = [i for i in (first, last) if stems[i] != usual]
    if len(odd) == 1:  # id,Q0,Q1,...
        return odd[0] == last
    able = [i for i in (first, last) if _may_be_classes(chunk[i])]
    if len(able) < 2:
        return able == [last]
    names = {array_name(titles[first], True): "the first column", array_name(titles[last], True): "the last column"}
    options = names | {"none": "no classes; the first column is no pixel"}
    help = "Which column says the class of each image; all others are pixels."
    chosen = reading.ask("classes_from", "Classes from", options, next(iter(names)), help)
    is_last = chosen == list(names)[1]
    taken, other = ("last", "first") if is_last else ("first", "last")
    reading.say(f"The {taken} column is taken for the class of an image and the {other} one for a pixel.")
    return is_last


def _may_be_classes(column: Any) -> bool:
    """Whether a column is whole numbers, a few of them again and again."""
    values = column.to_numpy()
    if values.dtype.kind not in "biuf" or not (values == np.rint(values)).all():
        return False
    return 2 <= len(np.unique(values)) <= min(MOST_CLASSES, len(values) // 2)
