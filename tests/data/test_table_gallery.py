"""Tables as people have them on their disk: each gives every point, the right names, classes and counts."""

import numpy as np
import pytest

from gan_core.data.own_files import own_data
from gan_core.data.points import OwnPoints
from tests.support.table_files import TABLES


def as_set(points):
    return sorted(map(tuple, np.asarray(points, np.float32).tolist()))


@pytest.mark.parametrize("what", TABLES)
def test_a_table_says_what_its_user_means(what):
    case = TABLES[what]
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
