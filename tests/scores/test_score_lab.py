"""The experiments of the page Scores: each cheat does what it says, and the scores see what the page says they see."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gan_core.data import point_datasets
from gan_core.scores import point_metrics, score_lab
from gan_core.scores.registry import SCORES
from gan_core.scores.score import FORMS, GOOD, GROUPS
from gan_core.scores.score_lab import CHEATS, DATA, POINT_SCORES, N

each_data = pytest.mark.parametrize("data", DATA)
each_way = pytest.mark.parametrize("way", CHEATS)


@pytest.fixture(scope="module")
def floors():
    return {data: score_lab.floors(draw) for data, draw in DATA.items()}


def noticing(data, way, strength, floors) -> set[str]:
    return {row.name for row in score_lab.cheat(data, way, strength, floors[data]).rows if row.notices}


# -- floors -------------------------------------------------------------------------------------------------


@each_data
def test_floors_are_what_perfect_data_get(floors, data):
    floor = floors[data]
    assert list(floor) == list(POINT_SCORES)
    modes = len(DATA[data](10, np.random.default_rng(0)).modes)
    assert floor["modes"] == (modes, 0)
    assert floor["hq"][0] == pytest.approx(point_metrics.PERFECT_HQ, abs=0.005)
    assert floor["reverse_kl"][0] == pytest.approx(point_metrics.reverse_kl_floor(modes, N), rel=0.3)
    assert floor["density"][0] == pytest.approx(1, abs=0.05)
    assert floor["coverage"][0] == pytest.approx(1 - 2**-5, abs=0.02)  # arXiv 2002.09797, section 3.3, k = 5
    for name in ("w1", "energy", "mmd", "frechet", "nearest_real"):
        assert floor[name][0] > 0 and floor[name][1] > 0


def test_a_score_notices_beyond_three_spreads_on_its_bad_side():
    notices, floor = score_lab.notices, (1.0, 0.1)
    assert notices("w1", 1.31, floor) and not notices("w1", 1.29, floor) and not notices("w1", 0.0, floor)
    assert notices("recall", 0.69, floor) and not notices("recall", 0.71, floor) and not notices("recall", 2.0, floor)
    assert notices("nearest_real", 0.69, floor) and notices("nearest_real", 1.31, floor)
    assert notices("modes", 7.0, (8.0, 0.0)) and not notices("modes", 8.0, (8.0, 0.0))
    assert not notices("reverse_kl", math.nan, floor)


# -- who sees what ------------------------------------------------------------------------------------------


@each_way
@each_data
def test_nothing_to_notice_at_strength_0(floors, data, way):
    shown = score_lab.cheat(data, way, 0, floors[data])
    against = score_lab.real(DATA[data], 0)
    perfect = score_lab.honest(against.data, np.random.default_rng(1)).points
    np.testing.assert_allclose(shown.fake, perfect, atol=1e-12)
    assert not any(row.notices for row in shown.rows)


@each_way
@each_data
def test_at_full_strength_the_scores_see_what_the_page_says(floors, data, way):
    cheat, found = CHEATS[way], noticing(data, way, 1, floors)
    assert set(cheat.catch) <= found
    assert not set(cheat.fooled) & found
    assert set(cheat.catch) | set(cheat.fooled) <= set(POINT_SCORES) and len(cheat.lesson) > 100


@pytest.mark.parametrize("name", POINT_SCORES)
def test_each_score_catches_something_and_is_fooled_by_something(name):
    assert any(name in cheat.catch for cheat in CHEATS.values())
    assert any(name in cheat.fooled for cheat in CHEATS.values())


@each_data
def test_half_of_the_modes_are_gone_and_the_frechet_distance_sees_nothing(floors, data):
    found = noticing(data, "drops modes (mode collapse)", 0.5, floors)
    assert {"modes", "reverse_kl", "w1", "mmd", "recall", "coverage"} <= found
    assert not {"frechet", "hq", "precision", "density"} & found


@each_data
def test_some_samples_of_each_mode_are_enough_to_hide_a_collapse(floors, data):
    found = noticing(data, "one perfect point (total collapse)", 0.4, floors)
    assert {"reverse_kl", "w1", "energy", "mmd", "frechet", "coverage"} <= found
    assert not {"modes", "hq", "precision", "recall", "density"} & found


def test_the_frechet_distance_cannot_tell_a_gaussian_from_a_disc():
    rows = {row.name: row for row in score_lab.disc_and_gaussian(1_000).rows}
    assert list(rows) == list(score_lab.DISTANCES)
    mean, spread = rows["frechet"].floor
    assert abs(rows["frechet"].value - mean) < spread
    assert [name for name, row in rows.items() if row.notices] == ["w1", "energy", "mmd"]


def test_with_few_points_no_distance_can_tell():
    assert not any(row.notices for row in score_lab.disc_and_gaussian(100).rows)


def test_disc_and_gaussian_have_equal_means_and_covariances():
    rng = np.random.default_rng(0)
    for points in (point_datasets.disc(200_000, rng).points, point_datasets.gaussian(200_000, rng, std=0.5).points):
        np.testing.assert_allclose(points.mean(0), 0, atol=0.005)
        np.testing.assert_allclose(np.cov(points.T), np.eye(2) / 4, atol=0.005)


def test_an_experiment_is_the_same_every_time(floors):
    first, second = (score_lab.cheat("ring", "fills the gaps between modes", 0.3, floors["ring"]) for _ in range(2))
    np.testing.assert_array_equal(first.fake, second.fake)
    np.testing.assert_array_equal(first.real, second.real)
    assert first.rows == second.rows


# -- the cheats ---------------------------------------------------------------------------------------------


@each_way
@each_data
@pytest.mark.parametrize("strength", [0.05, 0.35, 0.95, 1])
def test_every_cheat_gives_points_and_scores(floors, data, way, strength):
    shown = score_lab.cheat(data, way, strength, floors[data])
    assert shown.fake.shape == shown.real.shape == (N, 2) and np.isfinite(shown.fake).all()
    assert [row.name for row in shown.rows] == list(POINT_SCORES)
    for row in shown.rows:
        assert math.isfinite(row.value) or row.name == "reverse_kl"


def spoilt(way, strength, data="ring"):
    """(what is real, honest samples, the same spoilt)."""
    against = score_lab.real(DATA[data], 0)
    samples = score_lab.honest(against.data, np.random.default_rng(1))
    return against, samples, CHEATS[way].spoil(against, samples, strength, np.random.default_rng(2))


def counts(against, fake):
    """Samples nearest to each mode."""
    wide = 1e3 * against.data.mode_std
    return point_metrics.mode_counts(fake, against.data.modes, wide)


@pytest.mark.parametrize(("strength", "left"), [(0, 25), (0.5, 13), (1, 1)])
def test_modes_are_dropped(strength, left):
    against, _, fake = spoilt("drops modes (mode collapse)", strength, "grid")
    assert (counts(against, fake) > 0).sum() == left


def test_modes_are_favoured():
    against, samples, fake = spoilt("favours some modes", 1)
    before, after = counts(against, samples.points), counts(against, fake)
    assert after.sum() == N and (after > 0).all()
    assert after[1::2].sum() / before[1::2].sum() == pytest.approx(0.15, abs=0.05)


@pytest.mark.parametrize(("way", "strength", "factor"), [("blurs each mode", 1, 4), ("shrinks each mode", 0.75, 0.25)])
def test_modes_are_blurred_and_shrunk(way, strength, factor):
    _, samples, fake = spoilt(way, strength)
    np.testing.assert_allclose(fake - samples.centers, factor * samples.offsets)


@each_data
def test_gaps_are_filled_along_the_shortest_ways(data):
    against, samples, fake = spoilt("fills the gaps between modes", 1, data)
    strewn = fake[(fake != samples.points).any(1)]
    assert len(strewn) == pytest.approx(N / 2, abs=40)
    modes = against.data.modes.astype(float)
    two = np.sort(cdist(strewn, modes), 1)[:, :2].sum(1)
    apart = np.sort(cdist(modes, modes), 1)[:, 1].min()
    np.testing.assert_allclose(two, apart, rtol=0.01)  # on a segment both distances make up its length


def test_training_points_are_copied_once_each():
    against, _, fake = spoilt("memorizes the training data", 1)
    np.testing.assert_array_equal(np.sort(fake, 0), np.sort(against.training, 0))
    assert not np.isin(fake, against.points).any()
    against, _, half = spoilt("memorizes the training data", 0.5)
    assert np.isin(half, against.training).all(1).mean() == pytest.approx(0.5, abs=0.06)


def test_one_point_is_the_centre_of_a_mode():
    against, _, fake = spoilt("one perfect point (total collapse)", 1)
    assert len(np.unique(fake, axis=0)) == 1 and (against.data.modes == fake[0]).all(1).any()


def test_everything_is_shifted():
    _, samples, fake = spoilt("right shape, wrong place", 0.5, "grid")
    np.testing.assert_allclose(fake - samples.points, np.tile([0.5, 0], (N, 1)))


# -- the words ----------------------------------------------------------------------------------------------


def test_every_score_is_explained():
    assert {"classifier_fid", "confidence", "class_tv", "inception_score", "fid"} <= set(SCORES)
    assert {row.group for row in SCORES.values()} == set(GROUPS)
    for row in SCORES.values():
        assert all((row.title, row.what, row.real_data, row.fooled, row.source))
        assert row.form in FORMS and row.good in GOOD
