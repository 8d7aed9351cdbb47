"""Texts of a table -> numbers: decimal marks, thousands, signs, exponents, units in the cells."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.own_tables.table_rules import is_missing
from gan_core.foundations.lazy_imports import pd

if TYPE_CHECKING:
    from pandas import Series

MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\uff0d": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
MINUS |= str.maketrans({"\u2019": "'"})  # Swiss spreadsheets group thousands with it
_EXPONENT = r"(?:[eEdD][-+]?\d{1,4})?"
_INDIAN = r"[1-9]\d?(?:,\d{2})+,\d{3}"  # 1,00,000
_POINT = re.compile(rf"[-+]?(?:[1-9]\d{{0,2}}(?:[,' ]\d{{3}})+|{_INDIAN}|\d+)?(?:\.\d*)?{_EXPONENT}")
_COMMA = re.compile(rf"[-+]?(?:[1-9]\d{{0,2}}(?:[.' ]\d{{3}})+|\d+)?(?:,\d*)?{_EXPONENT}")
_EITHER = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")  # 101,037: thousands, or a decimal comma
_DOTTED = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}")  # 1.388: three decimals, or thousands
_UNIT = re.compile(
    r"(?P<sign>[-+]?)(?P<before>[€$£¥]?)\s?(?P<number>[-+]?(?:[.,' ]*\d)+[.,']*(?:[eE][-+]?\d+)?)\s?"
    r"(?P<after>[^\d\s.,;|+()-]{0,6})"
)
_BOOKED = re.compile(r"\((?P<a>[^-+()]+)\)|(?P<b>\d[^-+()]*)-")  # negative, as accountants write it: (1.50) and 1.50-
LONGEST = 64  # letters of a cell that can be a number
MULTIPLIERS = {"k": 1e3, "K": 1e3, "Tsd": 1e3, "M": 1e6, "Mio": 1e6, "B": 1e9, "bn": 1e9, "Mrd": 1e9}
SOME = 1_000  # texts by which a column is known for one of words
_INFINITE = {"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}


def number(text: str, comma: bool) -> float | None:
    """The number that a cell's text says, None where it is none; comma: whether the comma is the decimal mark.

    >>> number("1.234,5", comma=True)
    1234.5
    """
    text = _plain(text)
    if text.lower() in _INFINITE:
        return -math.inf if text[0] == "-" else math.inf
    if booked := _BOOKED.fullmatch(text):
        text = f"-{(booked['a'] or booked['b']).strip()}"
    if not any(c.isdigit() for c in text) or not (_COMMA if comma else _POINT).fullmatch(text):
        return None
    text = text.replace(" ", "").replace("'", "").replace("D", "e").replace("d", "e")
    text = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    try:
        return float(text)
    except ValueError:  # a mark alone
        return None


def _plain(text: str) -> str:
    return text.translate(MINUS).strip().strip("\"'").strip()


def is_number(text: str) -> bool:
    """Whether a cell's text can be read as a number, whatever its decimal mark."""
    return number(text, comma=False) is not None or number(text, comma=True) is not None


def looks_numeric(text: str) -> bool:
    """Whether a cell's text is a number, or one with its unit."""
    return is_number(text) or without_unit([text]) is not None


def without_unit(texts: Iterable[str]) -> tuple[str, str] | None:
    """(what stands before, what stands behind the number) in nine of ten of these cells at least, such as ("$", "") or
    ("", "%"); None where there is none, or not the same."""
    found, count = Counter(), 0
    for text in texts:
        match, count = _unit_of(text), count + 1
        if match is not None:
            found[match["before"], match["after"]] += 1
    marks, times = found.most_common(1)[0] if found else (("", ""), 0)
    return marks if marks != ("", "") and times >= 0.9 * count else None


def _unit_of(text: str) -> re.Match[str] | None:
    text = text.translate(MINUS).strip()
    return _UNIT.fullmatch(text) if len(text) <= LONGEST else None


def bare(text: str) -> str:
    """A cell's text without the unit at its number, where it has one: "6,1" of "6,1 €"."""
    match = _unit_of(text)
    return match["sign"] + match["number"] if match else _plain(text)


def multipliers(texts: Iterable[str]) -> tuple[str, ...]:
    """What stands for thousands and more behind the numbers of these cells, such as ("M", "k"), where not all have the
    same: beside 950, 1.2k is 1,200. () where there is nothing else than units, or one and the same letter, which may be
    a unit (300 K)."""
    before, after = set(), set()
    for text in texts:
        match = _unit_of(text)
        if match is None:
            return ()
        before.add(match["before"])
        after.add(match["after"])
    known = len(before) == 1 and len(after) > 1 and after <= {"", *MULTIPLIERS}
    return tuple(sorted(after - {""})) if known else ()


def _measured(text: str, marks: tuple[str, str], comma: bool) -> float | None:
    match = _unit_of(text)
    known = match is not None and (match["before"], match["after"]) in (marks, ("", ""))
    return number(bare(text), comma) if known else None


def _multiplied(text: str, comma: bool) -> float | None:
    match = _unit_of(text)
    found = None if match is None else number(match["sign"] + match["number"], comma)
    if match is None or found is None or match["after"] not in ("", *MULTIPLIERS):
        return None
    return found * MULTIPLIERS.get(match["after"], 1.0)


def decimal_marks(texts: Iterable[str]) -> tuple[int, int, int]:
    """How many of the texts can only be read with a decimal comma, only with a decimal point, and either way."""
    comma = point = either = 0
    for text in texts:
        if "," not in text and "." not in text:
            continue
        text = bare(text)
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
        if is_missing(text):
            continue
        text = bare(text)
        if _DOTTED.fullmatch(text):
            found = found or text
        elif re.fullmatch(r"[-+]?\d{1,3}", text):
            small.add(text)
        else:
            return ""
    return found if len(small) > 1 else ""


def read_as_thousands(cells: Series) -> str:
    """A cell of a column in which, read with a decimal comma, every point groups thousands: "48.137"; "" where it has
    others, too."""
    if cells.dtype.kind in "biuf":
        return ""
    texts = [bare(text) for text in cells.unique() if isinstance(text, str) and not is_missing(text)]
    return texts[0] if texts and all(map(_DOTTED.fullmatch, texts)) else ""


class Column:
    """A column of a table: what can be read of it as numbers.

    values: float64 [N], NaN where a cell holds no number. missing: bool [N], cells without a value. words: bool [N],
    cells that hold something else than a number. unit: that stands in the cells; multiplied: what stands there for
    thousands and more.
    """

    def __init__(self, cells: Series, comma: bool):
        self.cells, self.unit = cells, ""
        self.multiplied: tuple[str, ...] = ()
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
        read = multipliers(some)
        if sum(map(is_number, some)) < 0.1 * len(some) and without_unit(some) is None and not read:
            # Names: not to be parsed one by one.
            absent = np.array([*map(is_missing, texts), True])
            self.values, self.missing = np.full(len(cells), np.nan), absent[codes]
            self.words = ~self.missing
            return
        absent = np.array([*map(is_missing, texts), True])
        values = np.array([*(_value(v, t, comma) for v, t in zip(uniques, texts, strict=True)), np.nan])
        odd = [t for t, v, gone in zip(texts, values, absent[:-1], strict=False) if np.isnan(v) and not gone]
        marks = without_unit(odd) if len(odd) > 0.5 * (len(texts) - absent[:-1].sum()) else None
        if read:
            self.multiplied = read
            found = [_multiplied(t, comma) for t in texts]
            values = np.array([*(np.nan if v is None else v for v in found), np.nan])
        elif marks is not None:
            self.unit = "".join(marks)
            found = [_measured(t, marks, comma) for t in texts]
            values = np.array([*(np.nan if v is None else v for v in found), np.nan])
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
