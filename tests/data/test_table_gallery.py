"""Tables as people have them on their disk: each gives every point, the right names, classes and counts."""

import numpy as np
import pytest

from gan_core.data.own_files import own_data
from gan_core.data.points import OwnPoints
from gan_core.foundations.hyperparameters import ConfigError
from tests.support.odd_table_files import EURO, ODD_TABLES
from tests.support.table_files import TABLES, lines, text


def as_set(points):
    return sorted(map(tuple, np.asarray(points, np.float32).tolist()))


@pytest.mark.parametrize("case", [*TABLES.values(), *ODD_TABLES.values()], ids=[*TABLES, *ODD_TABLES])
def test_a_table_says_what_its_user_means(case):
    found = own_data.propose(case.name, case.content, case.choices)
    assert found.kind == "points" and not found.open
    own = found.data
    assert isinstance(own, OwnPoints) and own.points.dtype == np.float32
    assert found.count == len(own) == len(case.points)
    assert as_set(own.points) == as_set(case.points)
    assert found.columns == own.axes == case.axes
    assert found.classes == case.classes and own.class_names == tuple(case.classes)
    assert found.left_out == case.left_out
    for axis, low, high in zip(case.axes, case.points.min(0), case.points.max(0), strict=True):
        assert found.ranges[axis] == {"before": (pytest.approx(low), pytest.approx(high)), "after": (-1.0, 1.0)}
    for words in case.notes:
        assert any(words in note for note in found.notes), found.notes
    for name in case.choices:
        assert name in [question.name for question in found.questions]
    assert len(found.rows) == 8 and all(len(row) == len(found.rows[0]) for row in found.rows)


@pytest.mark.parametrize(
    "content",
    [
        lines("w;n", *(f"1,{100 + 7 * i} kg;{i % 7}" for i in range(40))),
        lines("price;n", *(f"1.{100 + 7 * i} €;{i % 7}" for i in range(40)), "950 €;3", "970 €;4"),
        lines("lat;lon", *(f"48.{101 + i};11,{501 - i}" for i in range(40))),
    ],
    ids=["1,100 kg", "1.100 EUR beside 950", "48.101 beside 11,501"],
)
def test_what_can_be_read_in_two_ways_is_asked_with_its_unit_too(content):
    found = own_data.propose("mine.csv", content)
    assert [question.name for question in found.questions if question.open] == ["decimal"]


def test_decimal_commas_between_commas_are_refused():
    content = lines("x,y", *(f"{i},{7 * i % 10},{i + 3},{i % 9}" for i in range(40)))
    with pytest.raises(ConfigError, match="2 names over 4 columns"):
        own_data.propose("mine.csv", content)


@pytest.mark.parametrize(
    "content",
    [
        text(head="a,b\na" + "-" * 70 + "!,b\n"),
        text() + b"1" * 100_000 + b"x1,3\n",
        text() + b"1." * 50_000 + b"x,3\n",
        text() + b"(" * 50_000 + b"1,3\n",
        EURO + b"1 " * 50_000 + b"x;3\n",
    ],
    ids=["dashes", "digits", "points", "brackets", "blanks"],
)
@pytest.mark.timeout(60)
def test_no_text_keeps_the_reader_busy(content):
    """Each of them once took longer than anybody waits, and twice as long with every letter more."""
    assert own_data.propose("mine.csv", content).count == 40
