"""The scores: against POT, SciPy and scikit-learn, against counts by hand, and what an ideal generator gets."""

import json
import math

import numpy as np
import ot
import pytest
import scipy.stats
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel

from gan_core.data import loading, point_datasets
from gan_core.data.points import OwnPoints
from gan_core.scores import image_metrics, point_metrics, point_scores
from gan_core.settings.config import GANConfig

RING, GRID = (GANConfig.from_flat({"data": name, "data_size": 500}) for name in ("ring", "grid"))


def data_of(config):
    return loading.draw(config.data, config.data_size, config.seed, config.params())


# -- Wasserstein-1 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 50, 300])
def test_wasserstein_1_is_pots(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, 2)), rng.uniform(-1, 3, (n, 2))
    weights = np.full(n, 1 / n)
    expected = ot.emd2(weights, weights, ot.dist(a, b, metric="euclidean"))
    assert point_metrics.wasserstein_1(a, b) == pytest.approx(float(expected), rel=1e-9)


def test_many_points_are_assigned_as_cheaply_as_few(monkeypatch):
    """By another library: far off, collapsed and alike."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 2))
    for fake in (rng.normal(size=(200, 2)), real[:1] + 1e-3 * rng.normal(size=(200, 2)), real + 100):
        few = point_metrics.wasserstein_1(real, fake)
        monkeypatch.setattr(point_metrics, "FEW", 0)
        assert point_metrics.wasserstein_1(real, fake) == pytest.approx(few, rel=1e-9)
        monkeypatch.undo()


def test_wasserstein_1_by_hand():
    a = np.array([[0.0, 0.0], [10.0, 0.0]])
    b = np.array([[10.0, 1.0], [3.0, 4.0]])
    assert point_metrics.wasserstein_1(a, b) == pytest.approx((5 + 1) / 2)
    assert point_metrics.wasserstein_1(a, a[::-1]) == 0


def test_the_wasserstein_1_of_a_translation_is_its_length():
    points = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    assert point_metrics.wasserstein_1(points, points + np.float32([3, -4])) == pytest.approx(5, rel=1e-5)


# -- energy distance and MMD --------------------------------------------------------------------------------


@pytest.mark.parametrize("n, m", [(1, 1), (2, 3), (60, 40)])
def test_the_energy_distance_is_scipys_squared(n, m):
    """SciPy's is of numbers, here on a slanted line, and is the square root."""
    rng = np.random.default_rng(n)
    a, b, line = rng.normal(size=n), rng.uniform(-1, 3, m), np.array([0.6, 0.8])
    expected = scipy.stats.energy_distance(a, b) ** 2
    assert point_metrics.energy_distance(np.outer(a, line), np.outer(b, line)) == pytest.approx(expected, rel=1e-9)


def test_the_energy_distance_by_hand():
    a, b = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 0.0]])
    assert point_metrics.energy_distance(a[:1], np.array([[3.0, 4.0]])) == pytest.approx(2 * 5)
    assert point_metrics.energy_distance(a, b) == pytest.approx(2 * 1 - (2 + 2) / 4)
    assert point_metrics.energy_distance(a, a[::-1]) == 0


@pytest.mark.parametrize("n, m", [(1, 1), (2, 3), (60, 40)])
@pytest.mark.parametrize("scales", [(0.3,), (0.1, 1.0, 5.0)])
def test_mmd_is_that_of_scikit_learns_kernel(n, m, scales):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, 2)), rng.uniform(-1, 3, (m, 2))

    def mean(x, y):
        return np.mean([rbf_kernel(x, y, gamma=1 / (2 * s**2)) for s in scales])

    expected = math.sqrt(mean(a, a) + mean(b, b) - 2 * mean(a, b))
    assert point_metrics.mmd(a, b, scales) == pytest.approx(expected, rel=1e-9)


def test_mmd_by_hand():
    a, b = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert point_metrics.mmd(a, b, [5.0]) == pytest.approx(math.sqrt(2 - 2 * math.exp(-0.5)))
    assert point_metrics.mmd(a, 1e6 * b, [5.0, 1.0]) == pytest.approx(math.sqrt(2))
    assert point_metrics.mmd(a, a, [5.0]) == 0


def test_the_bandwidths_are_multiples_of_the_median_distance():
    points = np.random.default_rng(0).normal(size=(300, 2))
    median = np.median(pdist(points))
    assert point_metrics.bandwidths(points) == pytest.approx([median / 8, median / 4, median / 2, median, 2 * median])
    assert point_metrics.bandwidths(3 * points) == pytest.approx(3 * np.array(point_metrics.bandwidths(points)))
    many = np.tile(points, (200, 1))
    assert point_metrics.bandwidths(many) == pytest.approx(point_metrics.bandwidths(points), rel=0.1)


def test_points_that_repeat_leave_bandwidths_above_zero():
    points = np.zeros((100, 2))
    assert min(point_metrics.bandwidths(points)) > 0
    points[0] = 3, 4
    assert point_metrics.bandwidths(points)[3] == 5
    assert min(point_metrics.bandwidths(points[:1])) > 0


def test_distances_tell_apart_what_the_frechet_distance_cannot():
    """A Gaussian of standard deviation 0.5 and the uniform unit disc have the same mean and covariance."""
    config = GANConfig.from_flat({"data": "disc"})
    data, floors = data_of(config), point_scores.floors(config, data_of(config), 1_000, 3)
    samples = point_metrics.fresh_draw(GANConfig.from_flat({"data": "gaussian"}), None, 1_000, 5)
    found = point_scores.scores(config, data, samples, floors)
    for name in ("w1", "energy", "mmd"):
        assert found[name] > 1.5 * found[f"{name}_floor"], name


# -- floors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config, floor", [(RING, 0.036), (GRID, 0.166)], ids=["ring", "grid"])
def test_the_floor_at_2500_samples(config, floor):
    """Single pairs scatter widely (ring 0.020 to 0.050, grid 0.13 to 0.24): the modes have unequal shares."""
    assert point_scores.floors(config, data_of(config), 2_500, repeats=4)["w1"] == pytest.approx(floor, rel=0.4)


def test_floors_fall_with_the_sample_size_and_are_repeatable():
    data = data_of(RING)
    small, large = (point_scores.floors(RING, data, n, repeats=5) for n in (100, 800))
    assert (
        small["w1"] > 1.5 * large["w1"] > 0
        and small["mmd"] > 1.5 * large["mmd"] > 0
        and small["energy"] > 3 * large["energy"] > 0
    )
    assert (small.n, large.n) == (100, 800) and small.bandwidths == large.bandwidths
    assert small == point_scores.floors(RING, data, 100, repeats=5)


def test_floors_are_means_over_pairs_of_fresh_draws():
    data = data_of(RING)
    floors = point_scores.floors(RING, data, 50, repeats=2, samples=400)
    pairs = [
        (point_metrics.fresh_draw(RING, data, 50, i), point_metrics.fresh_draw(RING, data, 50, i + 1)) for i in (10, 12)
    ]
    assert floors["energy"] == pytest.approx(np.mean([point_metrics.energy_distance(*pair) for pair in pairs]))
    assert floors["mmd"] == pytest.approx(
        np.mean([point_metrics.mmd(*pair, point_metrics.bandwidths(data.points)) for pair in pairs])
    )
    assert floors["reverse_kl"] == point_metrics.reverse_kl_floor(8, 400)


@pytest.mark.parametrize("modes, n, expected", [(8, 2_500, 0.0015), (25, 2_500, 0.0048), (1, 100, 0), (8, 100, 0.036)])
def test_the_floor_of_the_reverse_kl(modes, n, expected):
    """Of fresh points in test_an_ideal_generator; here also the first term of its series, (modes - 1) / (2 n)."""
    floor = point_metrics.reverse_kl_floor(modes, n)
    assert floor == pytest.approx(expected, abs=0.0002 if n > 1_000 else 0.002)
    assert floor == pytest.approx((modes - 1) / (2 * n * point_metrics.PERFECT_HQ), rel=0.1)


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
    np.testing.assert_array_equal(point_metrics.mode_counts(samples, MODES, 1.0), [3, 1, 0])


def test_a_sample_near_two_modes_counts_once_at_the_nearer():
    modes = np.array([[0.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(point_metrics.mode_counts(np.array([[0.4, 0.0], [0.6, 0.1]]), modes, 1.0), [1, 1])


def test_mode_counts_do_not_depend_on_the_units():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(500, 2)) * 4
    np.testing.assert_array_equal(
        point_metrics.mode_counts(samples, MODES, 1.0), point_metrics.mode_counts(7 * samples, 7 * MODES, 7.0)
    )


def test_reverse_kl_by_hand():
    assert point_metrics.reverse_kl(np.array([5, 5, 5, 5])) == pytest.approx(0)
    assert point_metrics.reverse_kl(np.array([9, 0, 0, 0])) == pytest.approx(math.log(4))
    assert point_metrics.reverse_kl(np.array([1, 1, 0, 0])) == pytest.approx(math.log(2))
    assert point_metrics.reverse_kl(np.array([3, 1])) == pytest.approx(
        0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    )


def test_reverse_kl_without_high_quality_samples_is_none():
    assert point_metrics.reverse_kl(np.zeros(8, int)) is None


def test_perfect_hq():
    assert pytest.approx(0.98889, abs=1e-5) == point_metrics.PERFECT_HQ


@pytest.mark.parametrize("config, kl", [(RING, 0.0015), (GRID, 0.0048)], ids=["ring", "grid"])
def test_an_ideal_generator(config, kl):
    """Fresh real points: all modes, 98.9 % of high quality, and the reverse KL of a finite sample."""
    data = data_of(config)
    counts = [
        point_metrics.mode_counts(point_metrics.fresh_draw(config, data, 2_500, draw), data.modes, data.mode_std)
        for draw in range(40)
    ]
    assert all((c > 0).all() for c in counts)
    assert np.mean([c.sum() / 2_500 for c in counts]) == pytest.approx(point_metrics.PERFECT_HQ, abs=0.002)
    assert np.mean([point_metrics.reverse_kl(c) for c in counts]) == pytest.approx(kl, rel=0.2)


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "ring", "data.std": 0.3},
        {"data": "grid", "data.std": 0.5, "data.spacing": 1.0},
        {"data": "grid", "data.std": 0.5, "data.spacing": 0.2, "data.side": 3},
        {"data": "ring", "data.modes": 32, "data.std": 0.05},
        {"data": "ring", "data.modes": 1},
    ],
)
def test_what_a_perfect_generator_gets_where_modes_overlap(settings):
    """More than 98.9 % of high quality, and unequal shares, for the outer modes take in what is outside."""
    config = GANConfig.from_flat({**settings, "data_size": 500})
    data = data_of(config)
    floor = point_scores.floors(config, data, 50, repeats=1)
    counts = [
        point_metrics.mode_counts(point_metrics.fresh_draw(config, data, 2_500, draw), data.modes, data.mode_std)
        for draw in range(40)
    ]
    assert np.mean([c.sum() / 2_500 for c in counts]) == pytest.approx(floor["hq"], abs=0.0015)
    assert np.mean([point_metrics.reverse_kl(c) for c in counts]) == pytest.approx(floor["reverse_kl"], rel=0.15)


# -- against others, on drawn shapes and ties ---------------------------------------------------------------


def drawn(seed, tied):
    """Two sets of points of drawn sizes, shapes and scales; tied: many of them at the same places."""
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-3, 3)
    a, b = (rng.normal(size=(rng.integers(2, 60), 2)) @ rng.normal(size=(2, 2)) * scale for _ in range(2))
    if tied:
        a, b = (np.round(x / scale) * scale for x in (a, b))
    return a, b, scale


@pytest.mark.parametrize("tied", [False, True], ids=["apart", "tied"])
@pytest.mark.parametrize("seed", range(15))
def test_distances_of_drawn_points_are_those_of_pot_scipy_and_scikit_learn(seed, tied):
    a, b, scale = drawn(seed, tied)
    n = min(len(a), len(b))
    even = np.full(n, 1 / n)
    expected = ot.emd2(even, even, ot.dist(a[:n], b[:n], metric="euclidean"))
    assert point_metrics.wasserstein_1(a[:n], b[:n]) == pytest.approx(float(expected), rel=1e-7, abs=1e-9 * scale)
    line = [np.column_stack([x[:, 0], 0 * x[:, 0]]) for x in (a, b)]
    expected = scipy.stats.energy_distance(a[:, 0], b[:, 0]) ** 2
    assert point_metrics.energy_distance(*line) == pytest.approx(expected, rel=1e-7, abs=1e-9 * scale)
    wide = (0.5 * scale, 3 * scale)
    kernel = [sum(rbf_kernel(x, y, 0.5 / w**2) for w in wide).mean() / 2 for x, y in ((a, a), (b, b), (a, b))]
    expected = math.sqrt(max(kernel[0] + kernel[1] - 2 * kernel[2], 0))
    assert point_metrics.mmd(a, b, wide) == pytest.approx(expected, rel=1e-6, abs=1e-7)
    if n > 2:
        pot = float(ot.gaussian.empirical_bures_wasserstein_distance(a, b, reg=0)) ** 2
        moments = [(x.mean(0), np.cov(x, rowvar=False, bias=True)) for x in (a, b)]
        if math.isnan(pot):  # points on a line: the root of what rounding made negative; in 2-D there is a closed form
            (m, c), (k, d) = moments
            both = math.sqrt(np.trace(c @ d) + 2 * math.sqrt(max(np.linalg.det(c) * np.linalg.det(d), 0)))
            pot = float((m - k) @ (m - k) + np.trace(c) + np.trace(d) - 2 * both)
        found = image_metrics.frechet(*moments[0], *moments[1])
        assert found == pytest.approx(pot, rel=1e-5, abs=1e-6 * scale**2)


# -- real points to compare with ----------------------------------------------------------------------------


def test_fresh_draws_are_no_training_points_and_differ_from_each_other():
    data = data_of(RING)
    a, b = (point_metrics.fresh_draw(RING, data, 300, draw) for draw in (0, 1))
    assert a.shape == (300, 2) and a.dtype == np.float32
    assert not np.isin(a[:, 0], data.points[:, 0]).all()
    assert not np.array_equal(a, b)
    assert np.array_equal(a, point_metrics.fresh_draw(RING, data, 300, 0))


def test_fresh_draws_follow_the_data_parameters():
    config = RING.updated({"data.radius": 5.0})
    radius = np.linalg.norm(point_metrics.fresh_draw(config, data_of(config), 100, 0), axis=1)
    np.testing.assert_allclose(radius, 5.0, atol=0.1)


FILE = GANConfig.from_flat({"data": "file"})


def test_fresh_draws_of_a_file_are_rows_of_it_each_at_most_once():
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    data = point_datasets.from_points(points)
    drawn = point_metrics.fresh_draw(FILE, data, 50, 3)
    assert {tuple(p) for p in drawn} == {tuple(p) for p in points}
    a, b = point_metrics.fresh_pair(FILE, data, 25, 0)
    assert len({tuple(p) for p in np.concatenate([a, b])}) == 50 and len(a) == len(b)
    assert not np.array_equal(a, point_metrics.fresh_pair(FILE, data, 25, 1)[0])
    with pytest.raises(ValueError, match="50 points, of which 52"):
        point_metrics.fresh_pair(FILE, data, 26, 0)


@pytest.mark.parametrize("rows", [100, 300])
def test_the_floors_of_a_file_are_what_a_perfect_generator_gets(rows):
    """Halves of the file against each other: rows drawn with replacement would be in both draws, and too near."""
    rng = np.random.default_rng(0)
    floors, values = [], []
    for _ in range(12):
        data = point_datasets.from_points(rng.normal(size=(rows, 2)).astype(np.float32))
        floor = point_scores.floors(FILE, data, rows // 2, repeats=4)
        perfect = point_scores.scores(FILE, data, rng.normal(size=(rows // 2, 2)), floor)
        floors.append([floor["w1"], floor["energy"], floor["mmd"]])
        values.append([perfect[name] for name in ("w1", "energy", "mmd")])
    np.testing.assert_allclose(np.mean(floors, 0), np.mean(values, 0), rtol=0.15)


def test_distances_of_a_table_are_in_units_of_each_axis_span():
    rng = np.random.default_rng(0)
    plain = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    plain[:2] = [-1, -1], [1, 1]
    stretched = plain * np.float32([0.5, 4000]) + np.float32([7, 2000])
    fake = rng.normal(size=(100, 2)) * 0.3
    found = []
    for upload, samples in ((OwnPoints(plain), fake), (OwnPoints(stretched), fake * [0.5, 4000] + [7, 2000])):
        data = point_datasets.from_points(upload)
        found.append(point_scores.scores(FILE, data, samples, point_scores.floors(FILE, data, 100, 2)))
    same, own = found
    assert own.pop("distances_in") == point_scores.HALF_SPANS and "distances_in" not in same
    for name in same:
        assert own[name] == pytest.approx(same[name], rel=1e-3, abs=1e-5)


# -- together -----------------------------------------------------------------------------------------------


def floors(n):
    """Floors as they might be, where a test is not about them."""
    values = {"modes": 8, "hq": 0.99, "reverse_kl": 0.001, "w1": 0.02, "energy": 0.01, "mmd": 0.03}
    return point_scores.Floors(n, (1,), values)


def test_scores_of_real_points():
    data = data_of(RING)
    samples = point_metrics.fresh_draw(RING, data, 2_500, 99)
    floors = point_scores.floors(RING, data, 200, repeats=3)
    scores = point_scores.scores(RING, data, samples, floors)
    assert (scores["modes"], scores["modes_total"]) == (8, 8)
    assert scores["hq"] == pytest.approx(0.989, abs=0.01)
    assert scores["hq_perfect"] == pytest.approx(point_metrics.PERFECT_HQ)
    assert scores["mode_counts"] == point_metrics.mode_counts(samples, data.modes, data.mode_std).tolist()
    assert sum(scores["mode_counts"]) == round(2_500 * scores["hq"])
    assert (scores["samples"], scores["w1_samples"], scores["w1_floor"]) == (2_500, 200, floors["w1"])
    assert (scores["energy_floor"], scores["mmd_floor"]) == (floors["energy"], floors["mmd"])
    assert all(0 < scores[name] < 3 * scores[f"{name}_floor"] for name in ("w1", "energy", "mmd", "reverse_kl"))
    json.dumps(scores, allow_nan=False)


def test_the_distances_are_of_the_first_samples():
    data = data_of(RING)
    samples = point_metrics.fresh_draw(RING, data, 300, 99)
    real, scores = point_metrics.fresh_draw(RING, data, 50, 0), point_scores.scores(RING, data, samples, floors(50))
    assert scores["w1"] == point_metrics.wasserstein_1(real, samples[:50])
    assert scores["energy"] == point_metrics.energy_distance(real, samples[:50])
    assert scores["mmd"] == point_metrics.mmd(real, samples[:50], [1])
    with pytest.raises(ValueError, match="50 points"):
        point_scores.scores(RING, data, samples[:49], floors(50))


def test_scores_of_a_collapsed_generator():
    """Everything on the first of 8 modes of a circle of radius 1."""
    samples = np.tile(np.float32([[1, 0]]), (400, 1))
    scores = point_scores.scores(RING, data_of(RING), samples, floors(400))
    assert (scores["modes"], scores["hq"], scores["mode_counts"]) == (1, 1.0, [400, 0, 0, 0, 0, 0, 0, 0])
    assert scores["reverse_kl"] == pytest.approx(math.log(8))
    # the mean distance of 8 points of a circle to one of them, and among each other, which is the same
    mean = np.mean([2 * math.sin(math.pi * k / 8) for k in range(8)])
    assert scores["w1"] == pytest.approx(mean, rel=0.1)
    assert scores["energy"] == pytest.approx(2 * mean - mean, rel=0.1)


def test_scores_of_a_lost_generator():
    scores = point_scores.scores(RING, data_of(RING), np.full((100, 2), 50, np.float32), floors(50))
    assert (scores["modes"], scores["hq"], scores["reverse_kl"]) == (0, 0.0, None)
    assert scores["mode_counts"] == [0] * 8 and scores["reverse_kl_floor"] == 0.001


def test_data_without_modes_gets_no_mode_scores():
    config = GANConfig.from_flat({"data": "moons", "data_size": 100})
    data = data_of(config)
    floors = point_scores.floors(config, data, 50, repeats=1)
    assert set(floors.values) == {"w1", "energy", "mmd"}
    names = {f"{name}{floor}" for name in ("w1", "energy", "mmd") for floor in ("", "_floor")}
    assert set(point_scores.scores(config, data, data.points, floors)) == {"samples", "w1_samples"} | names
