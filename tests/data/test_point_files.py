"""The user's own files: what is read, and what is said of everything else."""

import numpy as np
import pytest

from gan_core.data import point_datasets
from gan_core.data.point_files import ACCEPTED, LEAST_ROWS, MOST_BYTES, MOST_ROWS, TableError, parse_points
from gan_core.foundations.hyperparameters import ConfigError

POINTS = np.random.default_rng(0).normal(size=(40, 2)) * [3.0, 0.01] + [100.0, -5.0]


def table(points=POINTS, mark=",", header="", end="\n"):
    lines = [mark.join(repr(float(v)) for v in row) for row in points]
    return end.join([header] * bool(header) + lines).encode() + end.encode()


def lines(*rows):
    return "\n".join(rows).encode()


def as_set(points):
    return sorted(map(tuple, np.asarray(points, np.float32).tolist()))


def refused(content, *words):
    """The message for `content`, which must hold `words` and what is accepted."""
    with pytest.raises(TableError) as caught:
        parse_points(content, "my.csv")
    message = str(caught.value)
    assert message.endswith(ACCEPTED) and "Accepted:" in message
    for word in words:
        assert word in message, message
    assert len(message) < 500
    return message


# -- good files ---------------------------------------------------------------------------------------------

GOOD = {
    "comma": table(),
    "comma and space": table(mark=", "),
    "tab": table(mark="\t"),
    "semicolon": table(mark=";"),
    "spaces": table(mark="   "),
    "indented": b"  " + table(mark=" ").replace(b"\n", b"\n  "),
    "header": table(header="x,y"),
    "header of a tab file": table(header="first column\tsecond column", mark="\t"),
    "header of a space file": table(header="x y", mark=" "),
    "header of quoted names": table(header='"the x, in metres","y"'),
    "header of equal names": table(header="x,x"),
    "BOM": b"\xef\xbb\xbf" + table(),
    "BOM and header": b"\xef\xbb\xbf" + table(header="x,y"),
    "CRLF": table(end="\r\n"),
    "CRLF and header": table(header="x,y", end="\r\n"),
    "CR": table(end="\r"),
    "no newline at the end": table().rstrip(b"\n"),
    "blank lines": b"\n   \n" + table(end="\n\n") + b"\n\n",
    "plus signs": b"\n".join(b"+" + line for line in table(np.abs(POINTS)).split(b"\n") if line),
    "UTF-8 header": table(header="größe,ширина"),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD.keys())
def test_every_value_is_kept(content):
    points, note = parse_points(content)
    assert points.dtype == np.float32 and points.shape == (40, 2)
    assert as_set(points) == as_set(np.abs(POINTS) if content is GOOD["plus signs"] else POINTS)
    assert note == ""


def test_quoted_numbers_are_values_and_no_header():
    content = lines(*(f'"{x!r}","{y!r}"' for x, y in POINTS.tolist()))
    points, _ = parse_points(content)
    assert as_set(points) == as_set(POINTS)


def test_the_order_is_shuffled_and_always_the_same():
    points, _ = parse_points(table())
    assert not np.array_equal(points, POINTS.astype(np.float32))
    assert np.array_equal(points, parse_points(table())[0])


def test_whole_numbers_and_exponents():
    content = lines(*(f"{i},{i}e-2" for i in range(LEAST_ROWS)))
    points, _ = parse_points(content)
    assert as_set(points) == as_set([(i, i / 100) for i in range(LEAST_ROWS)])


def test_the_fewest_rows_that_do():
    assert parse_points(table(POINTS[:LEAST_ROWS]))[0].shape == (LEAST_ROWS, 2)


@pytest.mark.parametrize("header", ["", "x,y"])
def test_of_too_many_rows_a_sample_is_taken_with_a_note(header):
    n = MOST_ROWS + 50_000
    content = lines(*[header] * bool(header), *(f"{i},{-i}" for i in range(n)))
    points, note = parse_points(content)
    assert points.shape == (MOST_ROWS, 2)
    assert "250,000 rows" in note and "200,000" in note
    x = points[:, 0]
    assert len(np.unique(x)) == MOST_ROWS  # each row at most once
    np.testing.assert_array_equal(points[:, 1], -x)
    assert abs(x.mean() - n / 2) < 0.01 * n  # from all over the file


def test_at_the_most_rows_all_are_taken_without_a_note():
    points, note = parse_points(lines(*(f"{i},{-i}" for i in range(MOST_ROWS))))
    assert points.shape == (MOST_ROWS, 2) and note == ""


def test_large_numbers_that_can_be_trained_on():
    points, _ = parse_points(table(POINTS * 1e25))
    assert np.isfinite(point_datasets.from_points(points).to_unit(points)).all()


# -- bad files ----------------------------------------------------------------------------------------------

GOOD_ROWS = [f"{x!r},{y!r}" for x, y in POINTS.tolist()]


def with_row(row, at=5):
    """A good table with one row more."""
    return lines(*GOOD_ROWS[:at], row, *GOOD_ROWS[at:])


BAD = {
    "nothing": (b"", ["my.csv is empty"]),
    "a BOM alone": (b"\xef\xbb\xbf", ["is empty"]),
    "white space": (b" \n\t\n  \r\n", ["is empty"]),
    "prose": (b"It was a dark and stormy night.\nThe rain fell.\n" * 20, ["7"]),
    "one word a line": (b"word\n" * 40, ["1 column"]),
    "two words a line": (b"two words\n" * 40, ["olumn 1", "row 1", "two"]),
    "text in a column": (lines(*(f"{i},name{i}" for i in range(40))), ["olumn", "2", "name0"]),
    "one column": (lines(*(str(i) for i in range(40))), ["has 1 column, but"]),
    "three columns": (lines(*(f"{i},{i},{i}" for i in range(40))), ["has 3 columns, but"]),
    "a hundred columns": (lines(*(",".join("1" * 100) for _ in range(40))), ["has 100 columns, but"]),
    "NaN": (with_row("nan,1.0"), ["olumn 1", "row 6", "is not numeric"]),
    "NaN in the second column": (with_row("1.0,NaN"), ["olumn 2", "row 6", "is not numeric"]),
    "infinity": (with_row("1.0,inf"), ["olumn 2", "row 6", "inf"]),
    "minus infinity": (with_row("-Infinity,1.0"), ["olumn 1", "row 6", "inf"]),
    "an empty field": (with_row("1.0,"), ["olumn 2", "row 6", "empty"]),
    "a word in a number": (with_row("1.0,2.0abc"), ["olumn 2", "row 6", "2.0abc"]),
    "two bad values": (with_row("a,b") + b"\nc,1.0", ["olumn 1", "2 such rows", "row 6", "'a'"]),
    "an overflowing number": (with_row("1e400,1.0"), ["olumn 1", "row 6", "is not numeric"]),
    "a number too large to train on": (with_row("1.0,1e35"), ["1e+35", "1e30"]),
    "the largest doubles": (lines(*(f"{s}1.7e308,{i}" for i, s in enumerate(["-", ""] * 20))), ["1.7e+308"]),
    "a constant first column": (lines(*(f"7.5,{i}" for i in range(40))), ["Column 1", "constant (7.5)"]),
    "a constant second column": (lines(*(f"{i},0" for i in range(40))), ["Column 2", "constant (0)"]),
    "nearly constant": (lines(*(f"{i},{1e9 + i}" for i in range(40))), ["Column 2", "constant"]),
    "a header alone": (b"x,y\n", ["header but no rows"]),
    "a header and blank lines": (b"x,y\r\n\r\n\n", ["header but no rows"]),
    "one row": (b"1,2\n", ["1"]),
    "too few rows": (lines(*GOOD_ROWS[: LEAST_ROWS - 1]), ["only 15 rows"]),
    "too few rows under a header": (lines("x,y", *GOOD_ROWS[: LEAST_ROWS - 1]), ["only 15 rows"]),
    "a longer row": (with_row("1,2,3"), ["not a regular table", "line 6"]),
    "a shorter row": (with_row("1"), ["olumn 2", "row 6", "empty"]),
    "an open quote": (with_row('"1,2'), ["not a regular table"]),
    "a NUL": (with_row("1,\0"), ["binary file"]),
    "binary junk": (bytes(range(256)) * 50, ["binary file"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100), ["binary file"]),
    "UTF-16": (("1,2\n" * 40).encode("utf-16"), ["binary file"]),
    "Latin-1": (("größe,y\n" + "1,2\n" * 40).encode("latin-1"), ["not UTF-8"]),
    "a cut UTF-8 sequence": (table() + "ä".encode()[:1], ["not UTF-8"]),
    "decimal commas": (lines(*(f"{i},5;{i},7" for i in range(40))), ["3 columns"]),
    "dates": (lines(*(f"2020-01-{i:02d},{i}" for i in range(1, 30))), ["olumn 1", "2020-01-01"]),
    "too large": (b"1,2\n" * (MOST_BYTES // 4) + b"3", ["MB"]),
}


@pytest.mark.parametrize("content, words", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_with_what_is_wrong_and_what_is_accepted(content, words):
    refused(content, *words)


def test_the_message_is_a_config_error_and_names_the_file():
    assert issubclass(TableError, ConfigError)
    assert refused(b"").startswith("my.csv is empty.")


def test_a_header_of_two_names_over_three_columns_is_refused():
    """Else a column would vanish without a word."""
    refused(lines("x,y", *(f"{row},{i}" for i, row in enumerate(GOOD_ROWS))))


def test_a_header_of_three_names_over_two_columns_is_refused():
    refused(lines("x,y,z", *GOOD_ROWS))


@pytest.mark.parametrize("digits", [30, 400, 5_000])
def test_whole_numbers_of_many_digits(digits):
    """Python's integers have no end, floats have."""
    content = lines(*(f"{i}{'0' * digits},{i}" for i in range(1, 41)))
    refused(content)


def test_numbers_too_small_to_tell_apart_are_refused():
    """In float32 they are all 0, which nothing can be scaled to."""
    refused(lines(*(f"{i}e-60,{i}e-60" for i in range(40))), "olumn")


def test_a_long_value_is_cut_in_the_message():
    refused(with_row("1.0," + "x" * 100_000), "xxx")


def mutated(rng):
    """A good file with random damage: bytes changed, cut out, put in, or a piece repeated."""
    content = bytearray(rng.choice(list(GOOD.values())))
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


def test_damaged_files_give_points_or_a_table_error(nothing_is_run):
    rng = np.random.default_rng(0)
    outcomes = {"points": 0, "refused": 0}
    for turn in range(1_000):
        content = mutated(rng)
        try:
            points, _ = parse_points(content)
        except TableError as error:
            assert "Accepted:" in str(error)
            outcomes["refused"] += 1
            continue
        except Exception as error:
            pytest.fail(f"turn {turn}: {type(error).__name__}: {error} for {content[:2_000]!r}")
        outcomes["points"] += 1
        assert points.dtype == np.float32 and points.ndim == 2 and points.shape[1] == 2
        assert len(points) >= LEAST_ROWS
        assert np.isfinite(points).all()
        data = point_datasets.from_points(points)
        assert np.isfinite(data.to_unit(points)).all(), content
    assert min(outcomes.values()) > 30, outcomes
