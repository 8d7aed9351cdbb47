"""Precision, recall, density, coverage and the nearest real image: against prdc, brute force, and by hand."""

import numpy as np
import pytest
from prdc import compute_prdc
from sklearn.neighbors import NearestNeighbors

from gan_core.scores import neighbour_metrics
from gan_core.scores.evaluation import draw_weights
from gan_core.scores.neighbour_metrics import nearest_real_distance, precision_recall_density_coverage, resampled


def line(*values):
    """Features [n, 1]."""
    return np.array(values, float)[:, None]


# -- against others -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 20_000, 10**9])
@pytest.mark.parametrize("n, m, size, shift", [(60, 90, 2, 0.5), (150, 150, 64, 0.1), (90, 60, 16, 0.0)])
def test_the_four_are_those_of_prdc(monkeypatch, n, m, size, shift, block):
    monkeypatch.setattr(neighbour_metrics, "BLOCK_BYTES", block)
    rng = np.random.default_rng(n)
    real, fake = rng.normal(size=(m, size)), rng.normal(size=(n, size)) * 0.9 + shift
    for k, k_density in ((3, 5), (1, 1), (10, 4)):
        found = precision_recall_density_coverage(real, fake, k, k_density)
        first, second = compute_prdc(real, fake, k), compute_prdc(real, fake, k_density)
        expected = {"precision": first["precision"], "recall": first["recall"]}
        expected |= {"density": second["density"], "coverage": second["coverage"]}
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("tied", [False, True], ids=["apart", "tied"])
@pytest.mark.parametrize("seed", range(12))
def test_drawn_shapes_and_ties(seed, tied):
    """Without ties as prdc has it. With them its edges are outside and ours inside: then by brute force."""
    rng = np.random.default_rng(seed)
    dimension, scale = int(rng.integers(1, 9)), 10 ** rng.uniform(-2, 2)
    real, fake = (rng.normal(size=(int(rng.integers(8, 60)), dimension)) * scale for _ in range(2))
    if tied:
        real, fake = (np.round(x / scale).astype(np.float64) * 3 for x in (real, fake))
    k, k_density = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    found = neighbour_metrics.precision_recall_density_coverage(real, fake, k, k_density)
    if tied:

        def balls(x, n):
            return np.sort(np.linalg.norm(x[:, None] - x, axis=-1), 1)[:, n] + 1e-6

        apart = np.linalg.norm(real[:, None] - fake, axis=-1)
        expected = {
            "precision": (apart <= balls(real, k)[:, None]).any(0).mean(),
            "recall": (apart <= balls(fake, k)).any(1).mean(),
            "density": (apart <= balls(real, k_density)[:, None]).sum(0).mean() / k_density,
            "coverage": (apart <= balls(real, k_density)[:, None]).any(1).mean(),
        }
    else:
        first, second = compute_prdc(real, fake, k), compute_prdc(real, fake, k_density)
        expected = {name: (first if name in ("precision", "recall") else second)[name] for name in found}
    assert found == pytest.approx(expected, abs=1e-12)


def test_three_and_five_neighbours_are_the_papers():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 80, 4))
    assert precision_recall_density_coverage(real, fake) == precision_recall_density_coverage(real, fake, 3, 5)


@pytest.mark.parametrize("block", [1, 10**9])
def test_the_nearest_is_scikit_learns(monkeypatch, block):
    monkeypatch.setattr(neighbour_metrics, "BLOCK_BYTES", block)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(70, 8)).astype(np.float32), rng.normal(size=(40, 8)).astype(np.float32)
    expected = NearestNeighbors(n_neighbors=1).fit(real).kneighbors(fake)[0].mean()
    assert nearest_real_distance(real, fake) == pytest.approx(expected, rel=1e-6)


# -- by hand ------------------------------------------------------------------------------------------------


def test_the_four_by_hand():
    """Real 0, 1, 3, 10: the balls of one neighbour reach 1, 1, 2 and 7 far."""
    real, fake = line(0, 1, 3, 10), line(1.5, 4, 20, 21)
    # 1.5 is in the balls of 1 and 3; 4 in those of 3 and 10; 20 and 21 in none
    found = precision_recall_density_coverage(real, fake, k=1, k_density=1)
    assert found["precision"] == 2 / 4 and found["density"] == 4 / 4
    assert found["coverage"] == 3 / 4  # of all but 0
    # the generated balls reach 2.5, 2.5, 1 and 1: [-1, 4] holds 0, 1 and 3, [1.5, 6.5] holds 3
    assert found["recall"] == 3 / 4
    # with two neighbours the real balls reach 3, 2, 3 and 9
    wider = precision_recall_density_coverage(real, fake, k=1, k_density=2)
    assert wider["density"] == (4 + 2) / (2 * 4) and wider["coverage"] == 1
    assert wider["precision"] == found["precision"] and wider["recall"] == found["recall"]


def test_the_edge_is_inside_in_spite_of_rounding():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(30, 50)) + 1_000
    first = ((real - real[:1]) ** 2).sum(1).argsort()[1]
    found = precision_recall_density_coverage(real, real[[first, first]], k=1, k_density=1)
    assert found["precision"] == 1 and found["coverage"] >= 1 / 30
    # as many balls hold the copy as have that image for their nearest, and its own
    distances = np.linalg.norm(real[:, None] - real, axis=2) + np.diag(np.full(30, np.inf))
    assert found["density"] == 1 + (distances.argmin(1) == first).sum()


def test_a_perfect_copy_has_every_score():
    real = np.random.default_rng(0).normal(size=(50, 3))
    found = precision_recall_density_coverage(real, real)
    assert found["precision"] == found["recall"] == found["coverage"] == 1 and found["density"] > 1
    assert nearest_real_distance(real, real[::-1]) == 0


def test_one_image_again_and_again_is_precise_and_covers_nothing():
    real = np.random.default_rng(0).normal(size=(200, 3))
    found = precision_recall_density_coverage(real, np.repeat(real[:1], 200, 0))
    assert found["precision"] == 1 and found["recall"] == 1 / 200 and found["coverage"] < 0.1


def test_another_draw_is_covered_as_naeem_et_al_say():
    """Of equal distributions and sample sizes coverage is about 1 - 2^-k, and density 1 (arXiv 2002.09797)."""
    rng = np.random.default_rng(0)
    found = [precision_recall_density_coverage(*rng.normal(size=(2, 300, 8))) for _ in range(10)]
    assert np.mean([f["coverage"] for f in found]) == pytest.approx(1 - 0.5**5, abs=0.01)
    assert np.mean([f["density"] for f in found]) == pytest.approx(1, abs=0.05)


def test_the_nearest_by_hand():
    assert nearest_real_distance(line(0, 10), line(1, 7, 12, 0)) == (1 + 3 + 2 + 0) / 4
    assert nearest_real_distance(np.array([[0.0, 0], [9, 9]]), np.array([[3.0, 4.0]])) == 5


def test_few_images_have_fewer_neighbours_and_one_has_none():
    pair, many = line(0, 1), line(*range(20))
    assert precision_recall_density_coverage(pair, pair)["recall"] == 1
    assert precision_recall_density_coverage(pair, many) == precision_recall_density_coverage(pair, many, 1, 1) | {
        "recall": 1
    }
    for real, fake in ((pair[:1], many), (many, pair[:1])):
        with pytest.raises(ValueError, match="two"):
            precision_recall_density_coverage(real, fake)


# -- resamples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_resamples_are_brute_force(scale):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(70, 3)), rng.normal(size=(60, 3)) * scale
    weights = draw_weights(rng, 60, 8)
    found = resampled(real, fake, weights)
    recall = []
    for r, row in enumerate(weights.T.astype(int)):
        one = precision_recall_density_coverage(real, np.repeat(fake, row, 0))
        for name in ("precision", "density", "coverage"):
            assert found[name][r] == pytest.approx(one[name])
        recall.append(precision_recall_density_coverage(real, fake[row > 0])["recall"])
    m = (weights > 0).sum() / 8
    expected = np.mean(recall) + (recall - np.mean(recall)) * np.sqrt(m / (60 - m))
    np.testing.assert_allclose(found["recall"], expected)


def test_the_spread_of_resamples_is_that_of_draws():
    """Of recall above all, whose neighbours a plain bootstrap gets wrong."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 8))
    draws = [rng.normal(size=(200, 8)) * 0.8 for _ in range(60)]
    scores = [precision_recall_density_coverage(real, draw) for draw in draws]
    spreads = [resampled(real, draw, draw_weights(rng, 200, 60)) for draw in draws[:8]]
    for name in scores[0]:
        found = np.mean([s[name].std() for s in spreads])
        assert found == pytest.approx(np.std([s[name] for s in scores]), rel=0.35), name
