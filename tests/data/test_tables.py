"""Tables: what is refused and in which words, what is chosen, files that mean harm, files that were published."""

import gzip
import io
import json
import os
import struct
import zipfile

import numpy as np
import plotly
import pytest
import sklearn

from gan_core.data.own_files import own_data
from gan_core.data.own_tables import table_cells, table_files, table_rules, tables
from gan_core.data.own_tables.table_rules import ACCEPTED, LEAST_ROWS, MOST_BYTES, MOST_ROWS, TableError
from gan_core.data.own_tables.tables import propose_points
from gan_core.data.point_datasets import from_points
from gan_core.data.proposal import joined, parted
from gan_core.foundations.hyperparameters import ConfigError
from tests.support.table_files import (
    GROUPED,
    PAIRS,
    POINTS,
    TABLES,
    dotted_rows,
    lines,
    npy,
    npz,
    text,
    workbook,
    zipped,
)

GOOD_ROWS = [f"{x!r},{y!r}" for x, y in PAIRS]


def refused(content, *words, name="my.csv", **choices):
    """The message for `content`, which must hold `words` and what is accepted."""
    with pytest.raises(TableError) as caught:
        propose_points(content, name, choices)
    message = str(caught.value)
    assert message.endswith(ACCEPTED)
    for word in words:
        assert word in message, message
    assert len(message) < 700
    return message


def with_row(row, at=5):
    """A good table with one row more."""
    return lines(*GOOD_ROWS[:at], row, *GOOD_ROWS[at:])


# -- what is refused ----------------------------------------------------------------------------------------

REFUSED = {
    "nothing": (b"", ["my.csv is empty"]),
    "a mark alone": (b"\xef\xbb\xbf", ["is empty"]),
    "white space": (b" \n\t\n  \r\n", ["is empty"]),
    "prose": (b"It was a dark and stormy night.\nThe rain fell.\n" * 20, ["not a regular table"]),
    "one word a line": (b"word\n" * 40, ["1 column"]),
    "words in a column": (lines(*(f"{i},name{i}" for i in range(40))), ["only one column", "column 2", "'name0'"]),
    "one column": (lines(*(str(i) for i in range(40))), ["has 1 column, but"]),
    "dates beside numbers": (lines(*(f"2020-01-{i:02d},{i}" for i in range(1, 30))), ["column 1", "2020-01-01"]),
    "a number too large to train on": (with_row("1.0,1e35"), ["1e+35", "1e+30", "column 2"]),
    "a constant column": (lines("a,b", *(f"7.5,{i}" for i in range(40))), ["column a", "constant (7.5)"]),
    "a column that hardly varies": (lines(*(f"{i},{1e9 + i}" for i in range(40))), ["column 2", "hardly varies"]),
    "a header alone": (b"x,y\n", ["header but no rows", "my.csv"]),
    "comments alone": (b"# x,y\n# 1985\n", ["no rows"]),
    "too few rows": (lines("x,y", *GOOD_ROWS[: LEAST_ROWS - 1]), ["only 15 rows"]),
    "too few rows that hold something": (
        lines("x,y", *GOOD_ROWS[:15], *[",1"] * 40),
        ["only 15 rows", "rows with a missing value: 40"],
    ),
    "rows that are too long": (with_row("1,2,3\n2,3,4\n3,4,5"), ["not a regular table", "3 lines", "line 6"]),
    "a NUL": (with_row("1,\0"), ["binary file"]),
    "a program": (b"\x7fELF" + bytes(range(256)) * 50, ["binary file"]),
    "a web page": (b"<!DOCTYPE html><html><body><table></table></body></html>", ["web page"]),
    "a PDF": (b"%PDF-1.7\n" + bytes(100), ["is a PDF"]),
    "a workbook of Excel 97": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), [".xls", "save it as .xlsx"]),
    "too many bytes": (b"1,2\n" * (MOST_BYTES // 4) + b"3", ["50.0 MB"]),
    "too many columns": (lines(*(",".join("1" * 3_000) for _ in range(40))), ["3,000 columns"]),
    "numbers too small for float32": (lines(*(f"{i}e-60,{i}e-60" for i in range(40))), ["column"]),
    "a .npy of one axis": (npy(np.arange(40.0)), ["40", "N x 2"]),
    "a .npy of words": (npy(np.array([["a", "b"]] * 40)), ["no column of numbers"]),
    "a .npz of nothing alike": (npz(a=np.zeros(3), b=np.zeros(5)), ["no two columns of equal length", "a 3", "b 5"]),
    "JSON without rows": (b'{"a": 1}', ["no list of rows"]),
    "JSON that is cut off": (b'[{"a": 1, "b": 2}, {"a"', ["cannot be read as JSON"]),
    "JSON lines of which one is broken": (b'{"a": 1, "b": 2}\n' * 20 + b"{oops}\n", ["line 21"]),
    "JSON of unequal columns": (b'{"a": [1, 2], "b": [1]}', ["different lengths"]),
    "a workbook without cells": (workbook(Sheet1=[]), ["is empty"]),
    "a zip of two tables": (zipped(**{"a.csv": text(), "b.csv": text()}), ["zip of 2 files"]),
    "a zip of other things": (zipped(**{"a.md": b"x"}), ["zip of 1 file"]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_file_is_refused_with_what_is_wrong_and_what_is_accepted(what):
    content, words = REFUSED[what]
    refused(content, *words)


def test_a_refusal_is_a_config_error_and_names_the_file():
    assert issubclass(TableError, ConfigError)
    assert refused(b"").startswith("my.csv is empty.")


@pytest.mark.parametrize("digits", [30, 400, 5_000])
def test_whole_numbers_of_many_digits(digits):
    """Python's integers have no end, floats have."""
    refused(lines(*(f"{i}{'0' * digits},{i}" for i in range(1, 41))))


def test_names_over_more_columns_than_there_are_are_said_to_be_left_out():
    found = propose_points(lines("x,y,z", *GOOD_ROWS), "my.csv")
    assert found.columns == ("x", "y") and found.count == 40
    assert "1 line above the table is left out: 'x,y,z'." in found.notes


def test_a_long_value_is_cut_in_the_note():
    found = propose_points(with_row("1.0," + "x" * 100_000), "my.csv")
    assert found.left_out == {"rows with a word where a number should be": 1}
    assert any("line 6" in note and "xxx" in note and len(note) < 200 for note in found.notes)


# -- what is asked and chosen -------------------------------------------------------------------------------


def test_what_can_be_read_in_two_ways_is_asked():
    content = lines("a;b", *(f"{x:,.0f};{y:.0f}" for x, y in GROUPED.tolist()))
    found = propose_points(content, "my.csv")
    (question,) = found.open
    assert question.name == "decimal" and set(question.options) == {"point", "comma"}
    assert "1,001 can be read in two ways" in question.help
    assert found.data is None and found.count == 40 and found.columns == ("a", "b") and len(found.rows) == 8
    for choice, first in (("point", 1001.0), ("comma", 1.001)):
        chosen = propose_points(content, "my.csv", {"decimal": choice})
        assert not chosen.open and chosen.ranges["a"]["before"][0] == pytest.approx(first)


def test_points_that_may_group_thousands_are_asked_about():
    for mark in ";,\t| ":
        content = lines("a;b", *dotted_rows()).replace(b";", mark.encode())
        (question,) = propose_points(content, "my.csv").open
        assert question.name == "decimal" and "1.024 can be read in two ways" in question.help
        for choice, span in (("point", (1.024, 987.0)), ("comma", (950.0, 2393.0))):
            chosen = propose_points(content, "my.csv", {"decimal": choice})
            assert not chosen.open and chosen.ranges["a"]["before"] == pytest.approx(span), (mark, choice)
    # However far down it begins, and in a column that is looked at.
    late = [f"{i},{i % 7}" for i in range(2, 1_000)] + [f"1.{i:03d},{i % 7}" for i in range(1, 600)]
    assert propose_points(lines("a,b", *late), "my.csv").open
    third = [f"{i},{i * i},{x.replace(';', ',')}" for i, x in enumerate(dotted_rows())]
    assert not propose_points(lines("a,b,c,d", *third), "my.csv", {"columns": "a,b", "classes_from": "none"}).open
    # Zeros at the end are written, or nothing is whole: decimals, and no question.
    for rows in (
        ["1.500;1", "2.250;2", "3.125;3"],
        ["1.5;1", "950;2", "951;4", "3.125;3"],
        ["0.512;1", "950;2", "951;4", "3.125;3"],
        ["5.126;1", "-99;2", "5.001;4", "3.125;3"],  # one whole number, which stands for a missing value
        ["5.126;0.111", "950;0.222", "951;0.333", "3.125;0.444"],  # the other column has decimals
    ):
        assert not propose_points(lines("a;b", *rows * 10), "my.csv").open, rows


def test_texts_in_cells_whose_points_may_group_thousands_are_asked_about():
    rows = [
        [float(x) if x.isdigit() and i % 2 else x, float(y)]
        for i, (x, y) in enumerate(row.split(";") for row in dotted_rows())
    ]
    plain = [[1.388 if x == rows[1][0] else 950, y] for x, y in rows]
    for name, content in (
        ("my.xlsx", workbook(Sheet1=[["a", "b"], *rows])),
        ("my.json", json.dumps([{"a": x, "b": y} for x, y in rows]).encode()),
        ("my.json", json.dumps(rows).encode()),
    ):
        (question,) = propose_points(content, name).open
        assert question.name == "decimal" and "1.024 can be read in two ways" in question.help, name
        for choice, span in (("point", (1.024, 987.0)), ("comma", (950.0, 2393.0))):
            chosen = propose_points(content, name, {"decimal": choice})
            before = next(iter(chosen.ranges.values()))["before"]
            assert not chosen.open and before == pytest.approx(span), (name, choice)
    # Numbers are what they are, and a text that only one mark explains tells of the others.
    assert not propose_points(workbook(Sheet1=[["a", "b"], *plain]), "my.xlsx").open
    typed = [[1.5 if i == 3 else x, y] for i, (x, y) in enumerate(rows)]
    assert not propose_points(json.dumps(typed).encode(), "my.json").open
    said = [[x, f"{y:g},5"] for x, y in rows]
    assert not propose_points(json.dumps(said).encode(), "my.json").open
    named = lines("0,1", *(f"{1.1 + i / 7:.3f},{2.2 + i / 9:.3f}" for i in range(40)))
    assert not propose_points(named, "pandas.csv").open


def test_columns_and_classes_are_questions():
    content = text(head="id,a,b,kind\n", form="{i}7,{x!r},{y!r},{kind}")
    found = {question.name: question for question in propose_points(content, "my.csv").questions}
    assert found["columns"].chosen == "a,b" and found["columns"].several == 2
    assert list(found["columns"].options) == ["id", "a", "b"] and found["columns"].options["id"] == "id: 7 to 397"
    assert found["classes_from"].chosen == "kind" and list(found["classes_from"].options) == ["none", "kind"]


@pytest.mark.parametrize(
    "names", [("a,b", "c"), ("a", "b,c"), ('"a"', 'b, "c"'), ("a", "b,c", "a,b", "c"), ('5", 6"', "d")]
)
def test_an_answer_of_several_names_is_taken_apart_into_the_same(names):
    assert parted(joined(names)) == list(names) and parted("") == []


def test_columns_whose_names_have_commas_are_chosen_quoted_or_not():
    content = lines('"a","b,c","a,b",c', *(f"{i}.5,{2 * i}.5,{3 * i}.5,{4 * i}.5" for i in range(1, 41)))
    for answer, columns in (
        ("a,c", ("a", "c")),
        ('a,"b,c"', ("a", "b,c")),
        ('"a,b",c', ("a,b", "c")),
        ("c,a,b", ("c", "a,b")),
    ):
        found = propose_points(content, "my.csv", {"columns": answer})
        (question,) = (question for question in found.questions if question.name == "columns")
        assert found.columns == columns == tuple(parted(question.chosen))


WRONG_CHOICES = {
    "a column that is not there": ({"columns": "a,c"}, ["no two columns", "'a,c'", "a, b"]),
    "one column": ({"columns": "a"}, ["no two columns"]),
    "a column twice": ({"columns": "a,a"}, ["Two different columns"]),
    "a column of words": ({"columns": "a,kind"}, ["column kind", "not numeric", "row 1"]),
    "classes that are not there": ({"classes_from": "colour"}, ["no column 'colour'", "none, kind"]),
    "too many classes": ({"classes_from": "n"}, ["150 different values", "100 classes"]),
    "another mark": ({"decimal": "dot"}, ["point or comma"]),
    "another separator": ({"separator": "dot"}, ["no separator 'dot'", "semicolon"]),
    "another encoding": ({"encoding": "ebcdic"}, ["no encoding 'ebcdic'", "cp932"]),
}


@pytest.mark.parametrize("what", WRONG_CHOICES)
def test_a_choice_that_does_not_fit_says_which_do(what):
    choices, words = WRONG_CHOICES[what]
    points = np.tile(POINTS, (4, 1))[:150]
    head = "a,b,kind,n\n" if "encoding" not in choices else "a,b,kind,größe\n"
    content = text(points, head=head, form="{x!r},{y!r},{kind},{i}", encoding="latin-1")
    refused(content, *words, **choices)


def test_a_sheet_that_is_not_there():
    refused(workbook(one=PAIRS, two=PAIRS), "no sheet 'three'", "one, two", sheet="three")


def test_the_order_is_shuffled_and_always_the_same():
    content = text()
    points = propose_points(content, "my.csv").data.points
    assert not np.array_equal(points, POINTS.astype(np.float32))
    assert np.array_equal(points, propose_points(content, "my.csv").data.points)


def test_classes_go_with_their_points():
    own = propose_points(text(head="x,y,kind\n", form="{x!r},{y!r},{kind}"), "my.csv").data
    assert own.class_names == ("long", "short") and own.labels.dtype == np.int32
    np.testing.assert_array_equal(own.labels, (own.points[:, 0] < 3).astype(np.int32))


@pytest.mark.parametrize("header", ["", "x,y"])
def test_of_too_many_rows_a_sample_is_taken_with_a_note(header):
    n = MOST_ROWS + 50_000
    found = propose_points(lines(*[header] * bool(header), *(f"{i + 0.5},{-i}" for i in range(n))), "my.csv")
    points = found.data.points
    assert points.shape == (MOST_ROWS, 2) and found.count == MOST_ROWS
    assert any("250,000 rows" in note and "200,000" in note for note in found.notes)
    assert len(np.unique(points[:, 0])) == MOST_ROWS  # each row at most once
    np.testing.assert_array_equal(points[:, 1], 0.5 - points[:, 0])
    assert abs(points[:, 0].mean() - n / 2) < 0.01 * n  # from all over the file


# -- progress -----------------------------------------------------------------------------------------------


class Stopped(Exception):
    """Whoever listens has had enough."""


@pytest.mark.parametrize("name", ["mine.csv", "mine.xlsx", "mine.parquet"])
def test_who_listens_may_stop_the_reading(name):
    content = next(case.content for case in TABLES.values() if case.name == name)
    told = []

    def progress(what, done, whole):
        told.append((what, done, whole))
        raise Stopped

    with pytest.raises(Stopped):
        propose_points(content, name, {}, progress)
    assert len(told) == 1 and told[0][1] <= told[0][2]


# -- files that mean harm -----------------------------------------------------------------------------------


def workbook_with(path, content):
    """A workbook with one part in another's place."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(Sheet1=PAIRS))) as good, zipfile.ZipFile(file, "w", 8) as bad:
        for entry in good.namelist():
            bad.writestr(entry, content if entry == path else good.read(entry))
        if path not in good.namelist():
            bad.writestr(path, content)
    return file.getvalue()


def header_of(shape, dtype="<f8"):
    """A .npy file that says it has this shape, and holds 640 bytes."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(640)


BOMB = b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'>" + b"<!ENTITY b '&a;&a;&a;'>]><x>&b;</x>"
HARM = {
    "a workbook whose sheet has entities": (workbook_with("xl/worksheets/sheet1.xml", BOMB), "document type"),
    "a workbook whose strings have entities": (workbook_with("xl/sharedStrings.xml", BOMB), "document type"),
    "a workbook with an entry outside": (workbook_with("../../outside.xml", b"<x/>"), "outside the archive"),
    "a workbook with an absolute entry": (workbook_with("/etc/x.xml", b"<x/>"), "outside the archive"),
    "a workbook that unpacks to 101 MB": (workbook_with("xl/media/zeros.bin", bytes(101_000_000)), "unpacks to 101 MB"),
    "a workbook of 3,000 parts": (
        zipped(**{"xl__workbook.xml": b"", **{f"xl__{i}.xml": b"" for i in range(3_000)}}),
        "3,001 entries",
    ),
    "a workbook that is cut off": (workbook(Sheet1=PAIRS)[:-200], "damaged"),
    "a .gz that unpacks to 201 MB": (gzip.compress(bytes(201_000_000)), "unpacks to more than 200 MB"),
    "a .gz that is cut off": (gzip.compress(text())[:-20], "cut off"),
    "a .gz that is damaged": (b"\x1f\x8b\x08\0" + bytes(40), "damaged"),
    "a .npy that says it is larger": (header_of((10**12, 2)), "says that it holds"),
    "a .npy that says it is smaller": (header_of((3, 2)), "says that it holds"),
    "a .npy of pickles": (header_of((40, 2), "|O"), "Python objects"),
    "a .npy whose header is a program": (
        b"\x93NUMPY\x01\0" + struct.pack("<H", 60) + b"__import__('os').system('true')".ljust(60),
        "damaged",
    ),
    "a .npz that unpacks to 201 MB": (zipped(**{"a.npy": bytes(201_000_000)}), "unpacks to 201 MB"),
    "a .npz of pickles": (zipped(**{"a.npy": header_of((40, 2), "|O")}), "Python objects"),
    "a .npz whose array lies": (zipped(**{"a.npy": header_of((10**9, 2))}), "says that it holds"),
    "a Parquet file that is cut off": (TABLES["Parquet"].content[:-20] + b"PAR1", "damaged"),
    "a Parquet file of junk": (b"PAR1" + bytes(4_000) + b"PAR1", "damaged"),
    "JSON nested too deep": (b"[" * 200_000 + b"]" * 200_000, "nested too deep"),
    "JSON of 21 MB": (b"[[1,2]," + b" " * 21_000_000 + b"[1,2]]", "21.0 MB of JSON"),
}


@pytest.mark.parametrize("what", HARM)
def test_a_file_that_means_harm_is_refused(what, nothing_is_run):
    content, words = HARM[what]
    refused(content, words)


def test_parquet_that_unpacks_without_end(monkeypatch):
    """Millions of equal rows take some bytes: their number stands in the file, and is read before they are."""
    import pandas as pd

    file = io.BytesIO()
    pd.DataFrame({"a": np.zeros(6_000_000), "b": np.zeros(6_000_000)}).to_parquet(file)
    assert len(file.getvalue()) < 100_000
    refused(file.getvalue(), "6,000,000 rows", "at most 5,000,000")


def test_a_sheet_that_is_very_wide_or_long_is_bounded(monkeypatch):
    wide = workbook(Sheet1=[[*row, *[None] * 5_000, "note"] for row in PAIRS])
    assert propose_points(wide, "mine.xlsx").count == 40
    monkeypatch.setattr(table_files, "SHEET_CELLS", 50)
    refused(workbook(Sheet1=PAIRS), "more than 50 cells")


def mutated(rng):
    """A good file with random damage: bytes changed, cut out, put in, or a piece repeated."""
    content = bytearray(rng.choice(np.array([case.content for case in TABLES.values()], object)))
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(content) + 1)) if content else 0
        end = at + int(rng.integers(1, 12))
        kind = rng.integers(6)
        if kind == 0 and at < len(content):
            content[at] = rng.integers(256)
        elif kind == 1 and at < len(content):
            content[at] = rng.choice(list(b"0123456789.-\n"))
        elif kind == 2:
            del content[at:end]
        elif kind == 3:
            content[at:at] = bytes(rng.integers(0, 256, 3, dtype=np.uint8))
        elif kind == 4:
            content[at:at] = rng.choice([b",", b"\n", b'"', b"e", b"-", b"9" * 320, b"#", b"\t", b";", b"\r", b"nan"])
        else:
            content[at:at] = content[max(0, at - 200) : at] * 2
    return bytes(content)


def test_damaged_files_give_points_or_a_sentence(nothing_is_run):
    rng = np.random.default_rng(0)
    outcomes = {"points": 0, "refused": 0, "asked": 0}
    for turn in range(1_500):
        content = mutated(rng)
        try:
            found = propose_points(content, "my.csv")
        except TableError as error:
            assert "Accepted:" in str(error)
            outcomes["refused"] += 1
            continue
        except Exception as error:
            pytest.fail(f"turn {turn}: {type(error).__name__}: {error} for {content[:2_000]!r}")
        if found.open:
            outcomes["asked"] += 1
            continue
        outcomes["points"] += 1
        points = found.data.points
        assert points.dtype == np.float32 and points.shape == (found.count, 2) and found.count >= LEAST_ROWS
        unit = from_points(found.data).array
        assert np.isfinite(unit).all() and np.abs(unit).max() < 1.001, content
        json.dumps(found.record(), allow_nan=False)
    assert outcomes["points"] > 300 and outcomes["refused"] > 100, outcomes


# -- files that were published ------------------------------------------------------------------------------

SKLEARN = os.path.join(os.path.dirname(sklearn.__file__), "datasets", "data")
PLOTLY = os.path.join(os.path.dirname(plotly.__file__), "package_data", "datasets")
PUBLISHED = {  # count, axes, spans, classes
    f"{SKLEARN}/iris.csv": (150, ("column 1", "column 2"), (4.3, 7.9, 2.0, 4.4), {"setosa": 50, "virginica": 50}),
    f"{SKLEARN}/wine_data.csv": (178, ("column 1", "column 2"), (11.03, 14.83, 0.74, 5.8), {"class_1": 71}),
    f"{SKLEARN}/breast_cancer.csv": (569, ("column 1", "column 2"), (6.981, 28.11, 9.71, 39.28), {"benign": 357}),
    f"{SKLEARN}/linnerud_exercise.csv": (20, ("Chins", "Situps"), (1, 17, 50, 251), {}),
    f"{SKLEARN}/diabetes_data_raw.csv.gz": (442, ("column 1", "column 2"), (19, 79, 1, 2), {}),
    f"{PLOTLY}/iris.csv.gz": (150, ("sepal_length", "sepal_width"), (4.3, 7.9, 2.0, 4.4), {"versicolor": 50}),
    f"{PLOTLY}/gapminder.csv.gz": (1704, ("year", "lifeExp"), (1952, 2007, 23.599, 82.603), {"Africa": 624}),
    f"{PLOTLY}/tips.csv.gz": (244, ("total_bill", "tip"), (3.07, 50.81, 1, 10), {"Female": 87}),
    f"{PLOTLY}/stocks.csv.gz": (105, ("GOOG", "AAPL"), (0.88869, 1.2265, 0.8472, 1.678), {}),
}


@pytest.mark.parametrize("path", PUBLISHED, ids=os.path.basename)
def test_a_published_file(path):
    count, axes, spans, classes = PUBLISHED[path]
    found = own_data.propose_path(path)
    assert (found.kind, found.count, found.columns) == ("points", count, axes)
    assert [end for axis in axes for end in found.ranges[axis]["before"]] == pytest.approx(spans, rel=1e-4)
    assert classes.items() <= found.classes.items()
    np.testing.assert_allclose(np.abs(from_points(found.data).array).max(0), 1, rtol=1e-5)


def test_every_bound_is_a_sentence_of_what_is_accepted():
    assert f"{LEAST_ROWS} rows" in ACCEPTED and f"{table_rules.MOST_BYTES // 1_000_000} MB" in ACCEPTED
    assert table_cells.MOST_JSON < table_rules.MOST_BYTES and tables.PREVIEW_ROWS > 1


def test_a_sheet_whose_row_says_a_number_without_end_ends_at_once():
    """openpyxl would make all the rows before it."""
    row = "<row r='{0}'><c r='A{0}'><v>1</v></c><c r='B{0}'><v>2</v></c></row>"
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = row.format(1) + row.format(99_999_999_999)
    sheet = f"<?xml version='1.0'?><worksheet xmlns='{space}'><sheetData>{rows}</sheetData></worksheet>"
    refused(workbook_with("xl/worksheets/sheet1.xml", sheet.encode()), "a row beyond 1,048,576", name="my.xlsx")


def test_a_gz_of_many_parts_is_read_piece_by_piece_and_bounded():
    half = len(text()) // 2
    parts = gzip.compress(text()[:half]) + gzip.compress(text()[half:])
    assert propose_points(parts, "my.csv.gz").count == propose_points(text(), "my.csv").count
    told = []

    def progress(what, done, whole):
        told.append(what)
        if len(told) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        propose_points(gzip.compress(b"") * 5 + gzip.compress(text()), "my.csv.gz", {}, progress)
    assert told == ["Unpacking"] * 3
    refused(gzip.compress(b"") * 2_000_000, "cannot be unpacked: it has more than 20,000 parts", name="my.csv.gz")


WIDE = {
    "rows in JSON": json.dumps([list(range(2_001))] * 20).encode(),
    "columns in JSON": json.dumps({f"c{i}": list(range(20)) for i in range(2_001)}).encode(),
    "a .npz": npz(a=np.zeros((20, 1_500)), b=np.zeros((20, 501))),
}


@pytest.mark.parametrize("what", WIDE)
def test_more_columns_than_are_read_are_refused_in_every_kind_of_file(what):
    refused(WIDE[what], "2,001 columns; at most 2,000", name="mine")


def test_a_long_text_that_rows_of_parquet_share_is_not_repeated_in_memory(monkeypatch):
    import pandas as pd
    import pyarrow as pa

    frame = pd.DataFrame({"x": np.arange(4_000.0), "y": np.arange(4_000.0), "text": ["a" * 1_000_000] * 4_000})
    file = io.BytesIO()
    frame.to_parquet(file)
    assert len(file.getvalue()) < 1_500_000
    pool = pa.system_memory_pool()
    before, usual = pool.max_memory(), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        refused(file.getvalue(), "unpacks to more than 200 MB", name="my.parquet")
    finally:
        pa.set_memory_pool(usual)
    assert max(before, pool.max_memory()) < 1_500_000_000
