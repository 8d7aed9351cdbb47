"""The scores of images: against POT, against brute force, and by hand with a classifier that reads pixels."""

import itertools
import json
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import ot
import pytest

from gan_core.data import image_datasets
from gan_core.data.pictures import Pictures
from gan_core.scores import classifier, image_metrics, image_scores, neighbour_metrics, trainer_scores
from gan_core.scores.comparisons import Resamples
from gan_core.scores.registry import SCORES
from tests.scores.test_classifier import quadrants

NEIGHBOURS = ("precision", "recall", "density", "coverage", "nearest_real")

# -- the distance -------------------------------------------------------------------------------------------


def gaussian(points):
    return points.mean(0), np.cov(points, rowvar=False, bias=True)


@pytest.mark.parametrize("dimension", [1, 2, 64])
def test_frechet_is_pots_squared(dimension):
    rng = np.random.default_rng(dimension)
    a = rng.normal(size=(300, dimension)) @ rng.normal(size=(dimension, dimension))
    b = rng.normal(size=(200, dimension)) @ rng.normal(size=(dimension, dimension)) + 1
    expected = ot.gaussian.empirical_bures_wasserstein_distance(a, b, reg=0) ** 2
    (mean_a, cov_a), (mean_b, cov_b) = gaussian(a), gaussian(b)
    cov_a, cov_b = cov_a.reshape(dimension, dimension), cov_b.reshape(dimension, dimension)
    assert image_metrics.frechet(mean_a, cov_a, mean_b, cov_b) == pytest.approx(float(expected), rel=1e-6)


def test_frechet_by_hand():
    """Of diagonal covariances it is |difference of means|² + the sum of (difference of deviations)²."""
    value = image_metrics.frechet([1, 2, 0], np.diag([1.0, 4.0, 0.0]), [4, 2, 4], np.diag([9.0, 0.25, 0.0]))
    assert value == pytest.approx((9 + 16) + (2**2 + 1.5**2))


def test_frechet_of_covariances_of_low_rank():
    """Points on two perpendicular lines: nothing of the product of the covariances is left."""
    a, b = np.outer([1.0, 2.0, 2.0], [1, 2, 2]), np.outer([2.0, 1.0, -2.0], [2, 1, -2])
    zero = np.zeros(3)
    assert image_metrics.frechet(zero, a, zero, b) == pytest.approx(18)
    assert image_metrics.frechet(zero, a, zero, a) == pytest.approx(0, abs=1e-12)
    assert image_metrics.frechet(zero, a, zero, np.zeros((3, 3))) == pytest.approx(9)
    # fewer points than dimensions, as from a small sample's features, and one more direction in b
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 64))
    more = np.concatenate([points, points.mean(0) + rng.normal(size=(1, 64)) * 1e-9])
    value = image_metrics.frechet(*gaussian(points), *gaussian(points[::-1]))
    assert 0 <= value < 1e-10
    assert np.isfinite(image_metrics.frechet(*gaussian(points), *gaussian(more)))


def test_total_variation_by_hand():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    assert image_metrics.total_variation(p, q) == pytest.approx(0.4)
    assert image_metrics.total_variation(p, p) == 0
    assert image_metrics.total_variation(np.array([1, 0]), np.array([0, 1])) == 1


# -- by hand ------------------------------------------------------------------------------------------------


class Reader:
    """Instead of a network: the class is the first pixel's value, with certainty pixel 2 / 100; features are pixels."""

    accuracy = 0.75

    def __init__(self, classes: int):
        self.classes = classes

    def predict(self, pixels):
        flat = pixels.reshape(len(pixels), -1)
        top = flat[:, 1:2] / 100
        probabilities = np.repeat((1 - top) / (self.classes - 1), self.classes, 1)
        probabilities[np.arange(len(flat)), flat[:, 0]] = top[:, 0]
        return flat[:, 2:].astype(np.float32), probabilities.astype(np.float32)


def readable(classes, certainty: int = 90, seed: int = 0) -> Pictures:
    """Images [n, 2, 2, 1] of which `Reader` reads the given classes; the two features are noise."""
    classes = np.asarray(classes)
    pixels = np.random.default_rng(seed).integers(0, 256, (len(classes), 2, 2, 1)).astype(np.uint8)
    pixels[:, 0, 0, 0], pixels[:, 0, 1, 0] = classes, certainty
    return Pictures(pixels, classes.astype(np.int32), tuple("abc"))


def test_histograms_confidence_and_distance_by_hand():
    data = readable([0] * 20 + [1] * 12 + [2] * 8)
    test = readable([0, 1, 2, 2], certainty=80)
    data = replace(data, test_pixels=test.pixels, test_labels=test.labels)
    reader = Reader(3)
    reference = image_scores.reference(reader, data, 10, seed=0)
    assert reference.n == 10
    samples = readable([0] * 1 + [1] * 9 + [2] * 90, certainty=60, seed=1).pixels  # only 10 of these count
    result = image_scores.scores(reference, reader, samples)
    assert result["samples"] == 10
    assert result["histogram"] == pytest.approx([0.1, 0.9, 0]) and result["histogram_real"] == [0.5, 0.3, 0.2]
    assert result["class_tv"] == pytest.approx((0.4 + 0.6 + 0.2) / 2)
    assert result["confidence"] == pytest.approx(0.6) and result["confidence_real"] == pytest.approx(0.8)
    assert result["classifier_accuracy"] == 0.75
    features = samples[:10].reshape(10, 4)[:, 2:].astype(float)
    cov = np.cov(features, rowvar=False)
    expected = ot.gaussian.bures_wasserstein_distance(features.mean(0), reference.mean, cov, reference.cov) ** 2
    assert result["classifier_fid"] == pytest.approx(float(expected), rel=1e-6)
    assert "modes" not in result and set(json.loads(json.dumps(result))) == set(result)


def test_without_test_images_the_confidence_is_that_of_training_images():
    reference = image_scores.reference(Reader(3), readable([0, 1, 2] * 20), 10, seed=0)
    assert reference.floors["confidence"] == pytest.approx(0.9)


@pytest.mark.parametrize("n, expected", [(1_000, 30), (30, 30), (7, 7)])
def test_the_sample_size_is_at_most_half_of_the_real_images(n, expected):
    assert image_scores.reference(Reader(3), readable([0, 1, 2] * 20), n, seed=0).n == expected


def test_the_floor_is_the_distance_of_disjoint_real_draws(monkeypatch):
    """With N = 2 n the draws are the two halves of the data, so that each pair's distance follows from its first."""
    monkeypatch.setattr(image_scores, "REPEATS", 1)
    data = readable([0, 1] * 30)
    reference = image_scores.reference(Reader(3), data, 30, seed=0)
    features = data.pixels.reshape(60, 4)[:, 2:].astype(float)
    other_mean = 2 * features.mean(0) - reference.mean
    scatter = features.T @ features - 29 * reference.cov - 30 * np.outer(reference.mean, reference.mean)
    other_cov = (scatter - 30 * np.outer(other_mean, other_mean)) / 29
    expected = image_metrics.frechet(reference.mean, reference.cov, other_mean, other_cov)
    assert reference.floors["classifier_fid"] == pytest.approx(expected, rel=1e-6)


def test_neighbours_are_sought_among_real_features(monkeypatch):
    """With N = 2 n and one pair of draws, the bank is the first half, and the floors are those of the second."""
    monkeypatch.setattr(image_scores, "REPEATS", 1)
    data = readable([0, 1, 2] * 20)
    reference = image_scores.reference(Reader(3), data, 30, seed=0)
    features = data.pixels.reshape(60, 4)[:, 2:].astype(float)
    rest = [row for row in features.tolist() if row not in reference.features.tolist()]
    assert len(rest) == 30 and sorted(reference.bank.tolist()) == sorted(reference.features.tolist())
    expected = neighbour_metrics.precision_recall_density_coverage(reference.features, np.array(rest))
    expected["nearest_real"] = neighbour_metrics.nearest_real_distance(reference.features, np.array(rest))
    floors = {name: reference.floors[name] for name in NEIGHBOURS}
    assert floors == pytest.approx(expected)

    samples = readable([0] * 30, seed=1).pixels
    result = image_scores.scores(reference, Reader(3), samples)
    own = samples.reshape(30, 4)[:, 2:]
    expected = neighbour_metrics.precision_recall_density_coverage(reference.features, own)
    expected["nearest_real"] = neighbour_metrics.nearest_real_distance(reference.features, own)
    assert {name: result[name] for name in NEIGHBOURS} == expected
    assert {name: result[f"{name}_floor"] for name in NEIGHBOURS} == floors


def test_the_bank_is_all_that_was_judged_but_what_the_floor_is_of():
    data = readable([0, 1, 2] * 40)
    assert len(image_scores.reference(Reader(3), data, 20, seed=0).bank) == 3 * 20
    assert len(image_scores.reference(Reader(3), data, 50, seed=0).bank) == 120 - 50


def test_learning_by_heart_shows_in_the_nearest_real_distance():
    data = readable([0, 1, 2] * 40)
    reference = image_scores.reference(Reader(3), data, 60, seed=0)
    rest = np.random.default_rng(0).permutation(120)[:60]
    by_heart = image_scores.scores(reference, Reader(3), data.pixels[rest])  # half of these are in the bank
    assert by_heart["nearest_real"] < 0.75 * by_heart["nearest_real_floor"]
    fresh = image_scores.scores(reference, Reader(3), readable([0, 1, 2] * 20, seed=7).pixels)
    assert fresh["nearest_real"] == pytest.approx(fresh["nearest_real_floor"], rel=0.3)


def test_the_floor_of_the_total_variation_is_a_fresh_draws():
    labels = np.random.default_rng(0).choice(3, 4_000, p=[0.5, 0.3, 0.2])
    reference = image_scores.reference(Reader(3), readable(labels), 100, seed=0)
    draws = np.random.default_rng(1).multinomial(100, [0.5, 0.3, 0.2], 5_000) / 100
    expected = np.abs(draws - [0.5, 0.3, 0.2]).sum(1).mean() / 2
    assert reference.floors["class_tv"] == pytest.approx(expected, rel=0.15)


def test_the_floor_of_the_total_variation_has_the_classifiers_errors():
    """A classifier that reads every third class wrongly shifts the floor as it shifts the score."""
    data = readable([0, 1, 2] * 1_000)
    reference = image_scores.reference(Reader(3), replace(data, labels=data.labels % 2), 500, seed=0)
    assert reference.floors["class_tv"] == pytest.approx(1 / 3, abs=0.02)


def test_the_reference_is_repeatable():
    data = readable([0, 1, 2] * 40)
    a, b, c = (image_scores.reference(Reader(3), data, 50, seed) for seed in (4, 4, 5))
    assert a.floors == b.floors and a.floors != c.floors
    np.testing.assert_array_equal(a.cov, b.cov)


def test_too_few_images_are_refused():
    data = readable([0, 1, 2, 0])
    with pytest.raises(ValueError, match="four"):
        image_scores.reference(Reader(3), replace(data, pixels=data.pixels[:3]), 10, seed=0)
    reference = image_scores.reference(Reader(3), data, 10, seed=0)
    with pytest.raises(ValueError, match="two images"):
        image_scores.scores(reference, Reader(3), data.pixels[:1])


# -- stacked digits -----------------------------------------------------------------------------------------


def stack(numbers, seed: int = 0) -> Pictures:
    """Stacks [n, 2, 2, 3] of which `Reader` reads the decimal digits of `numbers`."""
    numbers = np.asarray(numbers)
    digits = numbers[:, None] // [100, 10, 1] % 10
    single = readable(digits.reshape(-1), seed=seed).pixels
    pixels = single.reshape(len(numbers), 3, 2, 2).transpose(0, 2, 3, 1)
    return Pictures(pixels, numbers.astype(np.int32), image_datasets.STACK_NAMES, per_channel=True)


def test_the_modes_of_stacked_digits_by_hand():
    reader, data = Reader(10), stack([7, 7, 123, 123] * 20)
    reference = image_scores.reference(reader, data, 40, seed=0)
    assert reference.mean.shape == (6,) and reference.cov.shape == (6, 6)
    assert set(reference.stacks) == {7, 123}
    assert set(image_metrics.read_stacks(reader, data, data.pixels)) == {7, 123}
    with pytest.raises(ValueError, match="stacked"):
        image_metrics.read_stacks(reader, readable([0, 1]), data.pixels)
    result = image_scores.scores(reference, reader, stack([907, 907, 12, 5, 5], seed=1).pixels)
    assert (result["modes"], result["modes_total"], result["modes_real"]) == (3, 1_000, 2)
    digits = [9, 0, 7, 9, 0, 7, 0, 1, 2, 0, 0, 5, 0, 0, 5]
    assert result["histogram"] == pytest.approx(np.bincount(digits, minlength=10) / 15)
    assert result["histogram_real"] == pytest.approx(np.array([2, 1, 1, 1, 0, 0, 0, 1, 0, 0]) / 6)
    assert result["samples"] == 5
    json.dumps(result)


def test_the_distance_of_stacks_sees_how_digits_go_together():
    """The same digits in each channel, but other pairs of them: only features side by side can tell."""
    data = stack([0, 0, 0, 0] * 20)
    reference = image_scores.reference(Reader(10), data, 40, seed=0)
    equal = data.pixels[:40].copy()
    equal[..., 1:] = equal[..., :1]
    fid = [image_scores.scores(reference, Reader(10), x)["classifier_fid"] for x in (data.pixels[:40], equal)]
    assert fid[1] > 5 * fid[0]


def test_modes_real_counts_as_many_real_images_as_there_are_samples():
    reference = image_scores.reference(Reader(10), stack(np.arange(1_000)), 500, seed=0)
    result = image_scores.scores(reference, Reader(10), stack(np.arange(20), seed=1).pixels)
    assert result["modes"] == result["modes_real"] == 20


# -- with a real classifier ---------------------------------------------------------------------------------


def test_real_images_score_near_the_floor_and_collapsed_ones_far_from_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "STEPS", (100, 100))
    data = quadrants(600)
    judge = classifier.trained(data)
    reference = image_scores.reference(judge, data, 1_000, seed=0)
    fresh = quadrants(300, seed=1).pixels
    one_class = quadrants(1_300, seed=2)
    one_class = one_class.pixels[one_class.labels == 2][:300]
    copies = np.repeat(fresh[:1], 300, 0)
    noise = np.random.default_rng(0).integers(0, 256, fresh.shape).astype(np.uint8)
    good, bad, worst, noise = (image_scores.scores(reference, judge, x) for x in (fresh, one_class, copies, noise))
    assert {s["samples"] for s in (good, bad, worst, noise)} == {300}
    floor = good["classifier_fid_floor"]
    assert 0 < good["classifier_fid"] < 3 * floor
    assert bad["classifier_fid"] > 10 * floor and noise["classifier_fid"] > 10 * floor
    assert worst["classifier_fid"] > bad["classifier_fid"]
    assert good["class_tv"] < 3 * good["class_tv_floor"] < 0.3
    assert bad["class_tv"] > 0.6 and worst["class_tv"] > 0.6
    assert good["confidence"] == pytest.approx(good["confidence_real"], abs=0.03)
    for name in NEIGHBOURS:
        assert good[name] == pytest.approx(good[f"{name}_floor"], rel=0.15), name
    # one class is as precise as all, but leaves most of the data out; copies more so; noise is not even precise
    assert bad["precision"] > 0.7 and bad["recall"] < 0.5 and bad["coverage"] < 0.5
    assert worst["coverage"] < 0.1 and worst["recall"] == 0
    assert noise["precision"] < 0.5 * noise["precision_floor"] and noise["nearest_real"] > noise["nearest_real_floor"]


# -- nearest ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 1_000, 10**9])
@pytest.mark.parametrize("channels", [1, 3])
def test_nearest_is_brute_force(monkeypatch, channels, chunk):
    monkeypatch.setattr(image_metrics, "CHUNK_BYTES", chunk)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (57, 6, 5, channels)).astype(np.uint8)
    sample = rng.integers(0, 256, (6, 5, channels)).astype(np.uint8)
    distance = np.sqrt(((pixels / 255 - sample / 255) ** 2).mean((1, 2, 3)))
    indices, found = image_metrics.nearest(pixels, sample, 8)
    np.testing.assert_array_equal(indices, distance.argsort()[:8])
    np.testing.assert_allclose(found, np.sort(distance)[:8], rtol=1e-6)


def test_nearest_by_hand():
    pixels = np.zeros((5, 4, 4, 1), np.uint8)
    pixels[1], pixels[4] = 255, 51
    pixels[2, 0, 0] = 255  # one pixel of 16
    indices, distances = image_metrics.nearest(pixels, np.zeros((4, 4, 1), np.uint8), 10)
    np.testing.assert_array_equal(indices, [0, 3, 4, 2, 1])
    np.testing.assert_allclose(distances, [0, 0, 0.2, 0.25, 1])
    assert len(image_metrics.nearest(pixels[:0], pixels[0], 3)[0]) == 0
    with pytest.raises(ValueError, match="shape"):
        image_metrics.nearest(pixels, np.zeros((4, 4, 3), np.uint8), 1)


def test_nearest_among_60000_images_is_quick():
    pixels = np.zeros((60_000, 28, 28, 1), np.uint8)
    pixels[12_345] = 9
    took = []
    for _ in range(3):
        start = time.perf_counter()
        indices, _ = image_metrics.nearest(pixels, pixels[12_345], 1)
        took.append(time.perf_counter() - start)
    assert indices[0] == 12_345 and min(took) < 0.5  # 0.03 s here; other programs may be running


# -- what is kept -------------------------------------------------------------------------------------------


def test_real_images_are_judged_once_for_all_looks_of_a_trial(monkeypatch):
    """As often as their scores are asked for; of the last data set alone, and few samples of it."""
    asked, make = [], image_scores.reference

    def counted(judge, data, n, seed):
        asked.append((id(data), seed))
        return make(judge, data, n, seed)

    judges = []
    monkeypatch.setattr(classifier, "trained", lambda *_: judges.append(Reader(3)) or judges[-1])
    monkeypatch.setattr(image_scores, "reference", counted)
    monkeypatch.setattr(trainer_scores, "generated_images", lambda trainer, n: trainer.data.pixels[:n])
    monkeypatch.setattr(trainer_scores, "_REFERENCES", {})

    def scores(data, seed):
        trainer = SimpleNamespace(data=data, config=SimpleNamespace(seed=seed))
        return trainer_scores.all_scores(trainer, 10, 3, print)

    one, other = readable([0, 1, 2] * 20), readable([0, 1, 2] * 20, seed=1)
    first = scores(one, 0)
    assert scores(one, 0) == first and len(asked) == len(judges) == 1
    for seed in range(2 * trainer_scores.MOST_REFERENCES):
        scores(one, seed)
    assert len(asked) == 2 * trainer_scores.MOST_REFERENCES and len(judges) == 1
    assert len(trainer_scores._REFERENCES) == trainer_scores.MOST_REFERENCES
    assert scores(other, 0) != first and len(judges) == 2
    assert [reference.data for _, reference in trainer_scores._REFERENCES.values()] == [other]
    assert scores(one, 0) == first  # made anew


# -- the kernel distance, and a judge that has learned nothing --------------------------------------------------


def noisy_pictures(n, seed=0) -> Pictures:
    """Noise of 28 x 28, of which `Reader` reads three classes."""
    rng = np.random.default_rng(seed)
    pixels, classes = rng.integers(0, 256, (n, 28, 28, 1)).astype(np.uint8), rng.integers(0, 3, n)
    pixels[:, 0, 0, 0], pixels[:, 0, 1, 0] = classes, 90
    return Pictures(pixels, classes.astype(np.int32), tuple("abc"))


def test_the_kernel_distance_is_unbiased_and_its_replicates_are_those_of_resamples():
    """Against the definition, pair by pair."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(1, 1, (5, 3))

    def kernel(x, y):
        return (x @ y / (3 * 2.0) + 1) ** 3

    expected = np.mean([kernel(x, y) for x, y in itertools.permutations(a, 2)])
    assert image_metrics.mean_of_pairs(image_metrics.cubic_kernel(a, a, 2.0)) == pytest.approx(expected)
    assert image_metrics.cubic_kernel(a, b, 2.0)[3, 1] == pytest.approx(kernel(a[3], b[1]))
    row = SCORES["classifier_kid"]
    real = noisy_pictures(400, seed=1)
    reference = image_scores.reference(Reader(3), real, 200, seed=0)
    values = []
    for seed in range(12):  # of the same distribution: around 0, below it too
        fake = noisy_pictures(60, seed=10 + seed).pixels
        values.append(row.images.of(image_scores.compared(reference, Reader(3), fake)))
    assert min(values) < 0 < max(values)
    compared = image_scores.compared(reference, Reader(3), fake)
    times = np.random.default_rng(3).multinomial(60, np.full(60, 1 / 60))
    drawn = Resamples(compared, np.stack([np.ones(60), times], 1).astype(float), lambda text: None)
    wanted = [row.images.of(one) for one in (compared, compared.resampled(times))]
    assert row.images.replicates(drawn) == pytest.approx(wanted)
    untrained = SCORES["untrained_fid"].images
    assert untrained.replicates(drawn)[0] == pytest.approx(untrained.of(compared))


def test_the_judge_that_has_learned_nothing_is_the_same_for_all_data_of_a_size():
    real = noisy_pictures(80, seed=1)
    features = classifier.untrained_features(real.pixels, real)
    assert features.shape == (80, classifier.FEATURES) and np.isfinite(features).all() and features.std() > 0
    np.testing.assert_array_equal(classifier.untrained_features(real.pixels[:3], noisy_pictures(5)), features[:3])
    reference = image_scores.reference(Reader(3), real, 40, seed=0)
    of = SCORES["untrained_fid"].images.of
    same = of(image_scores.compared(reference, Reader(3), noisy_pictures(40, seed=2).pixels))
    darker = of(image_scores.compared(reference, Reader(3), real.pixels[:40] // 2))
    assert 0 <= same < 0.2 * darker
    assert of(replace(image_scores.compared(reference, Reader(3), real.pixels[:40]), untrained=None)) is None


def test_an_evaluation_seeks_the_nearest_among_all_real_images():
    real = noisy_pictures(300, seed=1)
    assert len(image_scores.reference(Reader(3), real, 20, seed=0).bank) == 60
    assert len(image_scores.reference(Reader(3), real, 20, seed=0, judged_images=300).bank) == 280
