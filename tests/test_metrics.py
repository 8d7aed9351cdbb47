"""The scores: against POT, against counts by hand, and what an ideal generator gets."""

import math

import numpy as np
import ot
import pytest

from gan_core import datasets, metrics
from gan_core.config import GANConfig

RING, GRID = (GANConfig.from_flat({"data": name, "data_size": 500}) for name in ("ring", "grid"))


def data_of(config):
    return datasets.draw(config.data, config.data_size, config.seed, config.params())


# -- Wasserstein-1 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 50, 300])
def test_wasserstein_1_is_pots(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, 2)), rng.uniform(-1, 3, (n, 2))
    weights = np.full(n, 1 / n)
    expected = ot.emd2(weights, weights, ot.dist(a, b, metric="euclidean"))
    assert metrics.wasserstein_1(a, b) == pytest.approx(float(expected), rel=1e-9)


def test_wasserstein_1_by_hand():
    a = np.array([[0.0, 0.0], [10.0, 0.0]])
    b = np.array([[10.0, 1.0], [3.0, 4.0]])
    assert metrics.wasserstein_1(a, b) == pytest.approx((5 + 1) / 2)
    assert metrics.wasserstein_1(a, a[::-1]) == 0


def test_the_wasserstein_1_of_a_translation_is_its_length():
    points = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    assert metrics.wasserstein_1(points, points + np.float32([3, -4])) == pytest.approx(5, rel=1e-5)


@pytest.mark.parametrize("config, floor", [(RING, 0.036), (GRID, 0.166)], ids=["ring", "grid"])
def test_the_floor_at_2500_samples(config, floor):
    """Single pairs scatter widely (ring 0.020 to 0.050, grid 0.13 to 0.24): the modes have unequal shares."""
    assert metrics.w1_floor(config, data_of(config), 2_500, repeats=4) == pytest.approx(floor, rel=0.4)


def test_the_floor_falls_with_the_sample_size_and_is_repeatable():
    data = data_of(RING)
    small, large = (metrics.w1_floor(RING, data, n, repeats=5) for n in (100, 800))
    assert small > 1.5 * large > 0
    assert small == metrics.w1_floor(RING, data, 100, repeats=5)


# -- modes --------------------------------------------------------------------------------------------------

MODES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def test_mode_counts_by_hand():
    samples = np.array(
        [
            [0.0, 0.0],
            [3.0, 0.0],  # on the edge: within 3 standard deviations
            [3.001, 0.0],
            [2.2, 2.2],  # 3.11 away
            [2.1, -2.1],  # 2.97
            [7.5, 0.0],
            [5.0, 5.0],
            [-100.0, 3.0],
        ]
    )
    np.testing.assert_array_equal(metrics.mode_counts(samples, MODES, 1.0), [3, 1, 0])


def test_a_sample_near_two_modes_counts_once_at_the_nearer():
    modes = np.array([[0.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(metrics.mode_counts(np.array([[0.4, 0.0], [0.6, 0.1]]), modes, 1.0), [1, 1])


def test_mode_counts_do_not_depend_on_the_units():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(500, 2)) * 4
    np.testing.assert_array_equal(
        metrics.mode_counts(samples, MODES, 1.0), metrics.mode_counts(7 * samples, 7 * MODES, 7.0)
    )


def test_reverse_kl_by_hand():
    assert metrics.reverse_kl(np.array([5, 5, 5, 5])) == pytest.approx(0)
    assert metrics.reverse_kl(np.array([9, 0, 0, 0])) == pytest.approx(math.log(4))
    assert metrics.reverse_kl(np.array([1, 1, 0, 0])) == pytest.approx(math.log(2))
    assert metrics.reverse_kl(np.array([3, 1])) == pytest.approx(
        0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    )


def test_reverse_kl_without_high_quality_samples_is_none():
    assert metrics.reverse_kl(np.zeros(8, int)) is None


def test_perfect_hq():
    assert pytest.approx(0.98889, abs=1e-5) == metrics.PERFECT_HQ


@pytest.mark.parametrize("config, kl", [(RING, 0.0015), (GRID, 0.0048)], ids=["ring", "grid"])
def test_an_ideal_generator(config, kl):
    """Fresh real points: all modes, 98.9 % of high quality, and the reverse KL of a finite sample."""
    data = data_of(config)
    counts = [
        metrics.mode_counts(metrics.fresh_draw(config, data, 2_500, draw), data.modes, data.mode_std)
        for draw in range(40)
    ]
    assert all((c > 0).all() for c in counts)
    assert np.mean([c.sum() / 2_500 for c in counts]) == pytest.approx(metrics.PERFECT_HQ, abs=0.002)
    assert np.mean([metrics.reverse_kl(c) for c in counts]) == pytest.approx(kl, rel=0.2)


# -- real points to compare with ----------------------------------------------------------------------------


def test_fresh_draws_are_no_training_points_and_differ_from_each_other():
    data = data_of(RING)
    a, b = (metrics.fresh_draw(RING, data, 300, draw) for draw in (0, 1))
    assert a.shape == (300, 2) and a.dtype == np.float32
    assert not np.isin(a[:, 0], data.points[:, 0]).all()
    assert not np.array_equal(a, b)
    assert np.array_equal(a, metrics.fresh_draw(RING, data, 300, 0))


def test_fresh_draws_follow_the_data_parameters():
    config = RING.updated({"data.radius": 5.0})
    radius = np.linalg.norm(metrics.fresh_draw(config, data_of(config), 100, 0), axis=1)
    np.testing.assert_allclose(radius, 5.0, atol=0.1)


def test_fresh_draws_of_a_file_are_rows_of_it():
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    config = GANConfig.from_flat({"data": "file"})
    drawn = metrics.fresh_draw(config, datasets.from_points(points), 200, 3)
    assert drawn.shape == (200, 2)
    assert {tuple(p) for p in drawn} <= {tuple(p) for p in points}


# -- together -----------------------------------------------------------------------------------------------


def test_scores_of_real_points():
    data = data_of(RING)
    samples = metrics.fresh_draw(RING, data, 2_500, 99)
    floor = metrics.w1_floor(RING, data, 200, repeats=3)
    scores = metrics.scores(RING, data, samples, 200, floor)
    assert (scores["modes"], scores["modes_total"]) == (8, 8)
    assert scores["hq"] == pytest.approx(0.989, abs=0.01)
    assert scores["hq_perfect"] == metrics.PERFECT_HQ
    assert scores["reverse_kl"] < 0.01
    assert (scores["samples"], scores["w1_samples"], scores["w1_floor"]) == (2_500, 200, floor)
    assert scores["w1"] < 3 * floor


def test_scores_of_a_collapsed_generator():
    """Everything on the first of 8 modes of a circle of radius 1."""
    samples = np.tile(np.float32([[1, 0]]), (400, 1))
    scores = metrics.scores(RING, data_of(RING), samples, 400, 0.02)
    assert (scores["modes"], scores["hq"]) == (1, 1.0)
    assert scores["reverse_kl"] == pytest.approx(math.log(8))
    # the mean distance of 8 points of a circle to one of them
    mean = np.mean([2 * math.sin(math.pi * k / 8) for k in range(8)])
    assert scores["w1"] == pytest.approx(mean, rel=0.1)


def test_scores_of_a_lost_generator():
    scores = metrics.scores(RING, data_of(RING), np.full((100, 2), 50, np.float32), 50, 0.02)
    assert (scores["modes"], scores["hq"], scores["reverse_kl"]) == (0, 0.0, None)


def test_data_without_modes_gets_no_mode_scores():
    config = GANConfig.from_flat({"data": "moons", "data_size": 100})
    data = data_of(config)
    scores = metrics.scores(config, data, data.points, 50, 0.1)
    assert set(scores) == {"samples", "w1", "w1_floor", "w1_samples"}
