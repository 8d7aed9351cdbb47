"""Values of a map's sides: by themselves while they are few, in even groups where they are too many."""

import random

import pytest

from gan_core.settings.config import GANConfig
from gan_core.sweeps.grouping import GROUPED, MOST_CELLS, MOST_GROUPS, placed, side, sides
from gan_core.sweeps.map_page import map_page
from gan_core.sweeps.space import parse_space
from tests.sweeps.test_map_page import content, rows_of

BASE = GANConfig.from_flat({})


def drawn(over, draws, seeds=1):
    space = parse_space(BASE, over, seeds, 10, None, draws=draws)
    return space, rows_of(space)


def test_few_values_stand_by_themselves():
    for values in ([0.001, 0.01], ["none", "r1"], [False, True], []):
        found = side(values, 2)
        assert len(found.texts) == len(values) and not found.grouped
        assert [found.places[value] for value in values] == [*range(len(values))]
    assert side(["a", "b", "c"], 2).texts == ("a", "b", "c")  # names have no ranges


@pytest.mark.parametrize("log", [False, True])
def test_groups_are_even_and_named_by_what_is_in_them(log):
    """By hand: three groups from 1 to 1,000, whose borders are 10 and 100, or 334 and 667."""
    found = side([1, 9, 11, 99, 101, 300, 700, 1000], 3, log)
    assert found.grouped
    texts = ("1 – 9", "11 – 99", "101 – 1000") if log else ("1 – 300", "700 – 1000")  # none from 334 to 667
    assert found.texts == texts
    assert found.places[9] == 0 and found.places[1000] == len(texts) - 1
    assert side([0.0, *range(1, 9)], 2, log=True).texts == ("0.0 – 3", "4 – 8")  # 0 has no logarithm


def test_each_value_is_in_the_group_that_names_it():
    rng = random.Random(5)
    for log in (False, True):
        values = sorted({float(f"{10 ** rng.uniform(-5, -1):.3g}") for _ in range(3_000)})
        found = side(values, MOST_GROUPS, log)
        assert len(found.texts) <= MOST_GROUPS and set(found.places) == set(values)
        places = [found.places[value] for value in values]
        assert places == sorted(places) and set(places) == set(range(len(found.texts)))
        for value in values:
            low, _, high = found.texts[found.places[value]].partition(" – ")
            assert float(low) <= value <= float(high or low)


def test_only_a_map_of_too_many_cells_is_grouped():
    space, rows = drawn(["g_lr=1e-5:1e-1", "d_lr=1e-5:1e-1"], 300)
    across, up = sides(rows, space.axes, BASE)
    assert across.grouped and up.grouped and len(across.texts) * len(up.texts) <= MOST_CELLS
    assert len(across.texts) > 40 and len(up.texts) > 40  # in logarithms nearly all have some
    space, rows = drawn(["g_lr=1e-5:1e-1", "d_lr=1e-5:1e-1"], 50)
    assert [each.grouped for each in sides(rows, space.axes, BASE)] == [False, False]
    space, rows = drawn(["g_lr=1e-5:1e-1", "penalty=none,r1"], 300)
    assert [each.grouped for each in sides(rows, space.axes, BASE)] == [False, False]  # a few hundred cells


def test_the_rows_of_a_cell_are_alike():
    space, rows = drawn(["g_lr=1e-5:1e-1", "d_lr=1e-5:1e-1", "penalty=none,r1"], 300)
    of = sides(rows, space.axes, BASE)
    found = placed(rows, space.axes, of)
    for row, there in zip(rows, found, strict=True):
        assert there["settings"]["penalty"] == row["settings"]["penalty"]
        assert there["settings"]["g_lr"] == of[0].texts[of[0].places[row["settings"]["g_lr"]]]
        assert {**there, "settings": 0} == {**row, "settings": 0}


def test_the_exported_map_of_many_draws_has_groups():
    space, rows = drawn(["g_lr=1e-5:1e-1", "d_lr=1e-5:1e-1"], 3_000)
    page = map_page("x", space, rows, lambda key: b"")
    found = content(page)
    assert found["grouped"] and GROUPED.removesuffix(".") in page
    assert all(len(values) <= MOST_GROUPS for values in found["values"].values())
    assert len(found["cells"]) <= MOST_CELLS and sum(cell["seeds"] for cell in found["cells"]) == 3_000
    assert all(cell["at"]["g_lr"] in found["values"]["g_lr"] for cell in found["cells"])
    space, rows = drawn(["g_lr=1e-5:1e-1", "d_lr=1e-5:1e-1"], 10)
    page = map_page("x", space, rows, lambda key: b"")
    assert not content(page)["grouped"] and GROUPED.removesuffix(".") not in page
