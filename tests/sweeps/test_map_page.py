"""The map as one page: everything is in it, and what a sweep is called cannot run there."""

import json
import re

import pytest

from gan_core.settings.config import GANConfig
from gan_core.sweeps.map_page import map_page
from gan_core.sweeps.space import parse_space
from gan_core.sweeps.training import outcome_without_training

SPACE = parse_space(GANConfig.from_flat({}), ["g_lr=1e-3,1e-2,2e-3", "penalty=none,r1"], 2, None, 5.0)


def rows_of(space):
    rows = []
    for number, trial in enumerate(space.trials()):
        row = outcome_without_training(trial, "diverged" if number == 0 else "done", "").row
        if number:
            row["metrics"] = {"w1": 1.0 + trial.seed, "w1_floor": 0.04, "hq": 0.5, "hq_perfect": 0.989}
        rows.append(row)
    return rows


def content(page):
    return json.loads(re.search(r'id="content">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_holds_each_cell_with_its_picture_and_its_scores():
    page = map_page("map 1", SPACE, rows_of(SPACE), lambda key: key.encode())
    found = content(page)
    assert found["values"] == {"g_lr": ["0.001", "0.002", "0.01"], "penalty": ["none", "r1"]}
    assert len(found["cells"]) == 6 and all(cell["picture"] for cell in found["cells"])
    assert found["scores"]["w1"]["low"] and found["scores"]["w1"]["real"] == "0.040"
    by_place = {(cell["at"]["g_lr"], cell["at"]["penalty"]): cell for cell in found["cells"]}
    assert by_place["0.001", "none"]["bad"] == "1 of 2 diverged"
    assert by_place["0.01", "r1"]["scores"]["w1"][0] == pytest.approx(1.5) and by_place["0.01", "r1"]["bad"] == ""
    assert "12 trials of 5 s, 2 seeds of each, on ring" in page
    assert not re.search(r'(src|href)="?http|@import|fetch\(', page)  # nothing from elsewhere


def test_no_text_of_a_sweep_is_taken_for_code():
    rows = rows_of(SPACE)
    rows[3]["settings"] = {"g_lr": "</script><script>alert(1)</script>", "penalty": "<b>"}
    page = map_page("<script>alert(2)</script>", SPACE, rows, lambda key: b"")
    assert page.count("<script") == 2 and "alert(2)</script>" not in page
    assert any(cell["at"]["penalty"] == "<b>" for cell in content(page)["cells"])


@pytest.mark.parametrize("over", [[], ["g_lr=1e-3,1e-2"], ["g_lr=1e-3,1e-2", "penalty=none,r1", "d_lr=1e-3,1e-2"]])
def test_sweeps_of_no_one_and_three_settings_have_a_page(over):
    space = parse_space(GANConfig.from_flat({}), over, 2, 10, None)
    found = content(map_page("x", space, rows_of(space), lambda key: b""))
    assert len(found["cells"]) == len(space) // 2 and set(found["axes"]) == {axis.name for axis in space.axes}
