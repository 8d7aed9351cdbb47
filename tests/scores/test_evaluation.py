"""The evaluation in full: the intervals, against the scores of actual resamples and against formulas."""

import json

import numpy as np
import pytest

from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.scores import classifier, evaluation, image_scores, point_metrics, point_scores, trainer_scores
from gan_core.scores.comparisons import PointComparison, Resamples
from gan_core.scores.registry import SCORES, shown
from tests.support.tiny import image_trainer, point_trainer, quadrants, stacked

FEW = evaluation.W1_RESAMPLES
POINTS = {"hq", "reverse_kl", "w1", "energy", "mmd"}
IMAGES = {"classifier_fid", "classifier_kid", "untrained_fid", "class_tv", "confidence"}
IMAGES |= {"precision", "recall", "density", "coverage", "nearest_real"}


def without_seconds(result):
    return {name: value for name, value in result.items() if name != "seconds"}


def checked(result):
    """The result, after what is true of every one."""
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["seconds"] >= 0
    for name, row in result["scores"].items():
        assert set(row) == {"value", "low", "high", "floor", "samples", "resamples"}
        if row["value"] is not None:
            assert 0 <= row["low"] <= row["value"] <= row["high"], name
    text = evaluation.as_text(result)
    assert all(name in text for name in [*result["scores"], *result["counts"]])
    return result


# -- the bootstrap ------------------------------------------------------------------------------------------


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    rng = np.random.default_rng(0)
    values = rng.exponential(size=400)
    weights = evaluation.draw_weights(rng, 400, 4_000)
    assert weights.shape == (400, 4_000) and (weights.sum(0) == 400).all()
    low, high = evaluation.interval(values.mean(), values @ weights / 400)
    error = values.std() / np.sqrt(400)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.05)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.2 * error)


def test_intervals_hold_the_truth_about_95_times_of_100():
    """Means of 50 normal numbers; few resamples, whose least and greatest the interval then is."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(600):
        values = rng.normal(5, 1, 50)
        replicates = values @ evaluation.draw_weights(rng, 50, FEW) / 50
        low, high = evaluation.interval(values.mean(), replicates)
        assert high - low == pytest.approx(np.ptp(replicates))
        held += low <= 5 <= high
    assert 0.91 < held / 600 < 0.97


def test_the_interval_does_not_mind_a_bias_and_keeps_to_the_range():
    replicates = np.linspace(-1, 1, 201)
    assert evaluation.interval(5.0, replicates) == pytest.approx(evaluation.interval(5.0, replicates + 3))
    assert evaluation.interval(0.1, replicates)[0] == 0
    assert evaluation.interval(0.95, replicates, most=1.0)[1] == 1
    low, high = evaluation.interval(-3.0, replicates, least=-np.inf)  # a score of a plugin may be negative
    assert low < -3.0 < high and evaluation.interval(-3.0, replicates)[0] == -3.0
    assert evaluation.interval(0.5, np.full(50, 0.7)) == pytest.approx((0.5, 0.5))
    # one in a hundred far off: the quantiles are both below the mean
    assert evaluation.interval(0.5, np.array([0.0] * 99 + [10.0]))[1] == 0.5


def test_replicates_of_distances_are_the_distances_of_resamples():
    rng = np.random.default_rng(0)
    real, samples, scales = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 0.3, (0.2, 1.0)
    weights = evaluation.draw_weights(rng, 40, 5)
    drawn = Resamples(PointComparison(Data(real, 1.0), samples, real, real, scales), weights, print)
    w1, energy, mmd = (SCORES[name].points.replicates(drawn) for name in ("w1", "energy", "mmd"))
    for r, row in enumerate(weights.T.astype(int)):
        again = np.repeat(samples, row, 0)
        assert w1[r] == pytest.approx(point_metrics.wasserstein_1(real, again))
        assert energy[r] == pytest.approx(point_metrics.energy_distance(real, again))
        assert mmd[r] == pytest.approx(point_metrics.mmd(real, again, scales))


# -- points -------------------------------------------------------------------------------------------------


def test_points_have_every_score_with_its_floor():
    trainer, said = point_trainer(), []
    result = checked(evaluation.evaluate(trainer, 100, 60, said.append))
    assert set(result["scores"]) == POINTS and set(result["counts"]) == {"modes", "modes_total", "mode_counts"}
    floors = point_scores.floors(trainer.config, trainer.data, 100, evaluation.FLOOR_REPEATS, samples=100)
    samples = trainer_scores.generated_points(trainer, 100)
    expected = point_scores.scores(trainer.config, trainer.data, samples, floors)
    for name, row in result["scores"].items():
        floor = expected["hq_perfect" if name == "hq" else f"{name}_floor"]
        assert (row["value"], row["floor"], row["samples"]) == (expected[name], floor, 100)
    assert result["counts"] == {name: expected[name] for name in result["counts"]}
    assert result["scores"]["w1"]["resamples"] == FEW and result["scores"]["energy"]["resamples"] == 60
    assert (result["kind"], result["step"], result["ema"]) == ("points", 0, True)
    assert (result["samples"], result["resamples"]) == (100, 60) and said


def test_it_is_a_function_of_the_state_and_the_arguments():
    trainer = point_trainer()
    first, again = (without_seconds(evaluation.evaluate(trainer, 40, FEW)) for _ in range(2))
    assert first == again == without_seconds(evaluation.evaluate(point_trainer(), 40, FEW))
    other = point_trainer(seed=1)
    assert without_seconds(evaluation.evaluate(other, 40, FEW))["scores"] != first["scores"]
    trainer.train(1)
    trained = evaluation.evaluate(trainer, 40, FEW)
    assert trained["step"] == 1 and trained["scores"] != first["scores"]


def replace_samples(monkeypatch, trainer, points):
    monkeypatch.setattr(trainer, "samples", lambda z, ema: points[: len(z)])


def test_a_perfect_generator_is_near_every_floor(monkeypatch):
    trainer = point_trainer()
    replace_samples(monkeypatch, trainer, point_metrics.fresh_draw(trainer.config, trainer.data, 600, 77))
    rows = checked(evaluation.evaluate(trainer, 600, 200))["scores"]
    assert rows["hq"]["low"] < point_metrics.PERFECT_HQ < rows["hq"]["high"]
    error = np.sqrt(rows["hq"]["value"] * (1 - rows["hq"]["value"]) / 600)
    assert rows["hq"]["high"] - rows["hq"]["low"] == pytest.approx(2 * 1.96 * error, rel=0.2)
    for name in POINTS - {"hq"}:
        assert rows[name]["low"] < 1.5 * rows[name]["floor"], name


def test_without_high_quality_samples_there_is_no_reverse_kl(monkeypatch):
    trainer = point_trainer()
    replace_samples(monkeypatch, trainer, np.full((64, 2), 50, np.float32))
    result = checked(evaluation.evaluate(trainer, 64, FEW))
    row = result["scores"]["reverse_kl"]
    assert row["value"] is row["low"] is row["high"] is None and row["resamples"] == 0 and row["floor"] > 0
    assert result["scores"]["hq"]["value"] == result["scores"]["hq"]["high"] == 0


def test_one_sample_of_high_quality_is_in_some_resamples_only(monkeypatch):
    points = np.full((64, 2), 50, np.float32)
    points[0] = 1, 0
    trainer = point_trainer()
    replace_samples(monkeypatch, trainer, points)
    row = checked(evaluation.evaluate(trainer, 64, 100))["scores"]["reverse_kl"]
    assert row["value"] == row["low"] == row["high"] == pytest.approx(np.log(8))
    assert 0 < row["resamples"] < 100


@pytest.mark.parametrize("n, rows, distances", [(64, 20, 10), (16, 16, 8), (32, 400, 32)])
def test_a_file_of_few_points(n, rows, distances):
    points = np.random.default_rng(0).normal(size=(rows, 2)).astype(np.float32)
    result = checked(evaluation.evaluate(point_trainer(points, data="file"), n, FEW))
    assert set(result["scores"]) == {"w1", "energy", "mmd"} and result["counts"] == {}
    assert {row["samples"] for row in result["scores"].values()} == {distances}


def test_few_training_points_do_not_make_the_sample_smaller():
    result = evaluation.evaluate(point_trainer(data_size=16), 50, FEW)
    assert {row["samples"] for row in result["scores"].values()} == {50}


def test_too_few_samples_or_resamples_are_refused():
    trainer = point_trainer()
    with pytest.raises(ValueError, match="16"):
        evaluation.evaluate(trainer, 15, FEW)
    with pytest.raises(ValueError, match="39"):
        evaluation.evaluate(trainer, 16, FEW - 1)


# -- images -------------------------------------------------------------------------------------------------


def test_images_have_every_score_with_its_floor(cache):
    trainer, said = image_trainer(conditional=True), []
    result = checked(evaluation.evaluate(trainer, 1_000, 60, said.append))
    assert set(result["scores"]) == IMAGES
    assert set(result["counts"]) == {"histogram", "histogram_real", "classifier_accuracy"}
    judge = classifier.trained(trainer.data)
    reference = image_scores.reference(judge, trainer.data, 1_000, trainer.config.seed)
    expected = trainer_scores.score_images(trainer, judge, reference)
    for name, row in result["scores"].items():
        floor = expected["confidence_real" if name == "confidence" else f"{name}_floor"]
        assert (row["value"], row["floor"], row["samples"]) == (expected[name], floor, 60)  # half of the pictures
    assert result["samples"] == 1_000 and any("classifier" in line for line in said)
    assert without_seconds(result) == without_seconds(evaluation.evaluate(trainer, 1_000, 60))


def test_replicates_of_images_are_the_scores_of_resamples(cache):
    data = quadrants(200)
    judge = classifier.trained(data)
    reference = image_scores.reference(judge, data, 60, seed=0)
    # half real, half blended with noise, so that no score is at its end
    pixels = quadrants(60).pixels.copy()
    pixels[30:] = pixels[30:] // 2 + np.random.default_rng(1).integers(0, 128, pixels[30:].shape).astype(np.uint8)
    weights = evaluation.draw_weights(np.random.default_rng(0), 60, 4)
    drawn = Resamples(image_scores.compared(reference, judge, pixels), weights, print)
    replicates = {name: evaluation.replicates_of(measure, drawn) for name, measure in shown("images", data)}
    assert set(replicates) == IMAGES
    for r, row in enumerate(weights.T.astype(int)):
        expected = image_scores.scores(reference, judge, np.repeat(pixels, row, 0))
        for name in IMAGES - {"recall"}:  # see test_neighbour_metrics.py
            assert replicates[name][r] == pytest.approx(expected[name], rel=1e-4, abs=1e-6), name


def test_stacked_digits_have_counts_of_modes(cache):
    trainer = image_trainer(stacked())
    result = checked(evaluation.evaluate(trainer, 16, FEW))
    assert set(result["scores"]) == IMAGES
    assert result["counts"]["modes_total"] == 1_000 and 1 <= result["counts"]["modes"] <= 16
    assert len(result["counts"]["histogram"]) == 10


@pytest.mark.parametrize("data", [quadrants(labelled=False), quadrants(names="a")], ids=["unlabelled", "one class"])
def test_pictures_without_classes_have_a_note(cache, data):
    result = checked(evaluation.evaluate(image_trainer(data), 16, FEW))
    assert result["scores"] == result["counts"] == {} and "two classes" in result["note"]
    assert "two classes" in evaluation.as_text(result) and not cache.exists()


def test_one_class_that_has_all_the_pictures_has_a_note(cache):
    data = quadrants(names="ab")
    alone = Pictures(data.pixels, np.zeros(len(data), np.int32), data.class_names)
    assert "two classes" in checked(evaluation.evaluate(image_trainer(alone), 16, FEW))["note"]


# -- for people ---------------------------------------------------------------------------------------------


def test_the_table():
    rows = {
        "hq": {"value": 0.95, "low": 0.94, "high": 0.96, "floor": 0.98889, "samples": 2_500, "resamples": 400},
        "reverse_kl": {"value": None, "low": None, "high": None, "floor": 0.0015, "samples": 2_500, "resamples": 0},
    }
    result = {"step": 1_234, "ema": False, "seconds": 3.21, "scores": rows, "counts": {"mode_counts": [3, 1_200]}}
    lines = evaluation.as_text(result).splitlines()
    assert "step 1,234" in lines[0] and "average" not in lines[0]
    assert lines[1].split() == ["value", "95", "%", "interval", "floor", "samples", "resamples"]
    assert lines[2].split() == ["hq", "0.9500", "0.9400", "to", "0.9600", "0.9889", "2,500", "400"]
    assert lines[3].split() == ["reverse_kl", "-", "-", "0.0015", "2,500", "0"]
    assert lines[4].split() == ["mode_counts", "3", "1,200"]
    assert len(set(map(len, lines[1:4]))) == 1
