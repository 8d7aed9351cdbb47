"""Texts of a table -> numbers: decimal marks, thousands, signs, exponents, units in the cells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.own_tables.table_rules import is_missing
from gan_core.foundations.lazy_imports import pd

if TYPE_CHECKING:
    from pandas import Series

MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\uff0d": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
_EXPONENT = r"(?:[eEdD][-+]?\d{1,4})?"
_POINT = re.compile(rf"[-+]?(?:[1-9]\d{{0,2}}(?:[,' ]\d{{3}})+|\d+)?(?:\.\d*)?{_EXPONENT}")
_COMMA = re.compile(rf"[-+]?(?:[1-9]\d{{0,2}}(?:[.' ]\d{{3}})+|\d+)?(?:,\d*)?{_EXPONENT}")
_EITHER = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")  # 101,037: thousands, or a decimal comma
_DOTTED = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}")  # 1.388: three decimals, or thousands
_UNIT = re.compile(
    r"(?P<before>[€$£¥]?)\s?(?P<number>[-+]?[\d.,' ]*\d[\d.,']*(?:[eE][-+]?\d+)?)\s?(?P<after>[^\d\s.,;|+-]{0,6})"
)
SOME = 1_000  # texts by which a column is known for one of words
_INFINITE = {"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}


def number(text: str, comma: bool) -> float | None:
    """The number that a cell's text says, None where it is none; comma: whether the comma is the decimal mark.

    >>> number("1.234,5", comma=True)
    1234.5
    """
    text = text.translate(MINUS).strip().strip("\"'").strip()
    if text.lower() in _INFINITE:
        return -math.inf if text[0] == "-" else math.inf
    if not any(c.isdigit() for c in text) or not (_COMMA if comma else _POINT).fullmatch(text):
        return None
    text = text.replace(" ", "").replace("'", "").replace("D", "e").replace("d", "e")
    text = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    try:
        return float(text)
    except ValueError:  # a mark alone
        return None


def is_number(text: str) -> bool:
    """Whether a cell's text can be read as a number, whatever its decimal mark."""
    return number(text, comma=False) is not None or number(text, comma=True) is not None


def looks_numeric(text: str) -> bool:
    """Whether a cell's text is a number, or one with its unit."""
    return is_number(text) or without_unit([text]) is not None


def without_unit(texts: Iterable[str]) -> tuple[str, str] | None:
    """(what stands before, what stands behind the number) in all of these cells, such as ("$", "") or ("", "%"); None
    where it is not the same in all, or there is none."""
    found = set()
    for text in texts:
        match = _UNIT.fullmatch(text.translate(MINUS).strip())
        if match is None:
            return None
        found.add((match["before"], match["after"]))
    return found.pop() if len(found) == 1 and found != {("", "")} else None


def decimal_marks(texts: Iterable[str]) -> tuple[int, int, int]:
    """How many of the texts can only be read with a decimal comma, only with a decimal point, and either way."""
    comma = point = either = 0
    for text in texts:
        text = text.translate(MINUS).strip().strip("\"'").strip()
        if "," not in text and "." not in text:
            continue
        if _EITHER.fullmatch(text):
            either += 1
            continue
        as_comma, as_point = number(text, comma=True), number(text, comma=False)
        # What both can read is 1.234: three decimals of a point, until a comma says that they are thousands.
        comma += as_comma is not None and as_point is None
        point += as_point is not None and as_comma is None
    return comma, point, either


def may_be_dotted(values: np.ndarray) -> bool:
    """Whether these numbers of a column, read with a decimal point, can be ones whose points group thousands: some
    whole, all below 1,000, most others with three decimals."""
    values = np.abs(values[np.isfinite(values)])
    broken = values[values != np.round(values)]
    if not len(broken) or len(broken) == len(values) or values.max() >= 1_000:
        return False
    thousandths = broken * 1_000
    three = np.abs(thousandths - 10 * np.round(thousandths / 10)) > 1e-3  # 1.38 has two
    return bool(three.mean() > 0.5 and np.allclose(thousandths, np.round(thousandths), rtol=0, atol=1e-3))


def dotted_thousands(texts: Iterable[str]) -> str:
    """The first text of a column whose points may group thousands, such as 1.388 beside 950; "" where there is none.

    So it is where the column has different whole numbers, all below 1,000, and behind every point there are exactly
    three digits: among decimals, one in ten ends with a zero, which is rarely written, and a whole one is rarer still,
    unless it stands for a missing value.
    """
    found, small = "", set()
    for text in texts:
        text = text.translate(MINUS).strip().strip("\"'").strip()
        if _DOTTED.fullmatch(text):
            found = found or text
        elif is_missing(text):
            continue
        elif re.fullmatch(r"[-+]?\d{1,3}", text):
            small.add(text)
        else:
            return ""
    return found if len(small) > 1 else ""


class Column:
    """A column of a table: what can be read of it as numbers.

    values: float64 [N], NaN where a cell holds no number. missing: bool [N], cells without a value. words: bool [N],
    cells that hold something else than a number.
    """

    def __init__(self, cells: Series, comma: bool):
        self.cells, self.unit = cells, ""
        if cells.dtype.kind in "iuf":
            self.values = cells.to_numpy(np.float64)
            self.missing = np.isnan(self.values)
            self.words = np.zeros(len(cells), bool)
            return
        if cells.dtype.kind == "b":
            self.values = np.full(len(cells), np.nan)
            self.missing, self.words = np.zeros(len(cells), bool), np.ones(len(cells), bool)
            return
        codes, uniques = pd.factorize(cells, use_na_sentinel=True)
        texts = [_text(value) for value in uniques]
        some = [t for t in texts[:: max(1, len(texts) // SOME)] if not is_missing(t)]
        if (
            sum(map(is_number, some)) < 0.1 * len(some) and without_unit(some) is None
        ):  # names: not to be parsed one by one
            absent = np.array([*map(is_missing, texts), True])
            self.values, self.missing = np.full(len(cells), np.nan), absent[codes]
            self.words = ~self.missing
            return
        absent = np.array([*map(is_missing, texts), True])
        values = np.array([*(_value(v, t, comma) for v, t in zip(uniques, texts, strict=True)), np.nan])
        odd = [t for t, v, gone in zip(texts, values, absent[:-1], strict=False) if np.isnan(v) and not gone]
        if odd and len(odd) > 0.5 * (len(texts) - absent[:-1].sum()):
            marks = without_unit(odd)
            if marks is not None:
                self.unit = "".join(marks)
                read = [
                    number(t.translate(MINUS).strip().removeprefix(marks[0]).removesuffix(marks[1]), comma)
                    for t in texts
                ]
                values = np.array([*(np.nan if v is None else v for v in read), np.nan])
        values[absent] = np.nan
        self.values, self.missing = values[codes], absent[codes]
        self.words = np.isnan(self.values) & ~self.missing

    @cached_property
    def numeric(self) -> bool:
        """Whether the column is one of numbers: nine of ten cells that hold something hold one."""
        there = len(self.values) - int(self.missing.sum())
        return there > 0 and int(self.words.sum()) <= 0.1 * there

    @cached_property
    def finite(self) -> np.ndarray:
        """float64 [n], the numbers that there are."""
        good = np.isfinite(self.values)
        return self.values if good.all() else self.values[good]

    @cached_property
    def whole(self) -> bool:
        """Whether all numbers are whole."""
        few = self.finite[:1_000]
        return bool((few == np.round(few)).all() and (self.finite == np.round(self.finite)).all())

    @cached_property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return float(self.finite.min()), float(self.finite.max())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _value(value: Any, text: str, comma: bool) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # whole numbers beyond a float's range
            return math.inf
    found = number(text, comma)
    return math.nan if found is None else found
