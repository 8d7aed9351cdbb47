"""The page Scores, in Streamlit's AppTest: right as the first page visited, and its experiments answer."""

import math

import pytest
from streamlit.testing.v1 import AppTest

from gan_core.scores.registry import SCORES
from gan_core.scores.score_lab import CHEATS, DATA, POINT_SCORES, Row
from pages.ui import score_experiments, shell
from pages.ui.components.liveplot import pack
from pages.ui.figures import score_figures
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def page():
    app = AppTest.from_file(str(ROOT / "pages" / "scores.py"), default_timeout=120).run()
    assert not app.exception
    return app


def tables(app) -> list[str]:
    return [m.value for m in app.markdown if m.value.startswith("| score")]


def test_the_page_is_in_the_menu_before_the_guide():
    paths = [path for path, _, _ in shell.PAGES]
    assert paths.index("pages/scores.py") == paths.index("pages/guide.py") - 1


def test_every_score_has_its_words(page):
    said = " ".join(m.value for m in page.markdown)
    for row in SCORES.values():
        assert f"**{row.title[0].upper()}{row.title[1:]}**" in said and row.fooled in said and row.real_data in said
    assert "python -m gan_core evaluate ... --inception WEIGHTS" in said


def test_disc_and_gaussian_at_several_sizes(page):
    lines = tables(page)[0].splitlines()[2:]
    assert len(lines) == 4 and "Fréchet" in lines[0] and lines[0].endswith("| no |")
    assert all("**yes**" in line for line in lines[1:])
    page.segmented_control(key="disc_points").set_value(100).run()
    assert not page.exception
    assert all(line.endswith("| no |") for line in tables(page)[0].splitlines()[2:])


def test_the_experiment_answers_the_controls(page):
    page.selectbox(key="cheat_data").set_value("ring")
    page.selectbox(key="cheat_way").set_value("drops modes (mode collapse)")
    page.slider(key="cheat_strength").set_value(0).run()
    before = tables(page)[1]
    assert len(before.splitlines()) == 2 + len(POINT_SCORES)
    assert any("Noticed by 0 of 12 scores**, at 500 points" in m.value for m in page.markdown)
    page.slider(key="cheat_strength").set_value(100).run()
    after = tables(page)[1]
    assert after != before and "| modes captured | 1 | 8 ± 0 | :green-badge[**yes**] |" in after
    assert any(CHEATS["drops modes (mode collapse)"].lesson in m.value for m in page.markdown)
    page.selectbox(key="cheat_data").set_value("grid").run()
    assert not page.exception and "| modes captured | 1 | 25 ± 0 |" in tables(page)[1]


@pytest.mark.parametrize("way", CHEATS)
def test_every_way_to_cheat_can_be_chosen(page, way):
    for data in DATA:
        page.selectbox(key="cheat_data").set_value(data)
        page.selectbox(key="cheat_way").set_value(way)
        page.slider(key="cheat_strength").set_value(100).run()
        assert not page.exception
        assert any(CHEATS[way].lesson in m.value for m in page.markdown)


def test_a_value_is_as_precise_as_its_floor():
    def line(name, value, *floor):
        return score_experiments.table([Row(name, value, floor, False)]).splitlines()[-1]

    assert line("w1", 0.34444, 0.0851, 0.0313) == "| Wasserstein-1 | 0.344 | 0.085 ± 0.031 | no |"
    assert line("frechet", 14.82, 0.1, 0.07).startswith("| Fréchet distance | 14.820 |")
    assert line("nearest_real", 0.01, 0.0142, 0.00004).startswith("| distance to nearest real | 0.0100 |")
    assert line("density", 1.0, 1.0, 0.0).startswith("| density | 1.0 |")
    assert line("recall", 0.4978, 0.963, 0.014) == "| recall | 0.498 | 0.963 ± 0.014 | no |"
    assert line("reverse_kl", math.nan, 0.0248, 0.008) == "| reverse KL | – | 0.0248 ± 0.0080 | no value |"


def test_a_score_that_is_bad_at_both_ends_says_at_which():
    floor = (1.0, 0.1)
    assert "too near" in score_experiments.verdict(Row("nearest_real", 0.0, floor, True))
    assert "too far" in score_experiments.verdict(Row("nearest_real", 2.0, floor, True))
    assert "yes" in score_experiments.verdict(Row("w1", 2.0, floor, True))


def test_clouds_are_square_in_the_colours_of_real_and_generated(page):
    shown = score_experiments.cheat("ring", "blurs each mode", 50)
    for points, name, color in ((shown.real, "real", "$real"), (shown.fake, "generated", "$fake")):
        figure = score_figures.cloud(points, shown.limit, name)
        (dots,) = figure["data"]
        assert dots["marker"]["color"] == color and len(dots["x"]) == len(points)
        axes = figure["layout"]["xaxis"], figure["layout"]["yaxis"]
        assert axes[0]["range"] == axes[1]["range"] and axes[1]["scaleanchor"] == "x"
        assert len(pack(figure)) < 8_000
