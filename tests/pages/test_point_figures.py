"""What is drawn of a snapshot: each layer its traces, axes that hold, words for who hears the page, and who leads."""

from dataclasses import replace

import numpy as np
import pytest

from gan_core.data.point_datasets import from_points
from gan_core.data.points import OwnPoints
from gan_core.objectives.losses import LOSSES
from gan_core.recording import visuals
from gan_core.recording.history import History
from gan_core.recording.snapshot import Snapshot, View
from gan_core.training.train_step import COLUMNS
from pages.ui.components.liveplot import pack
from pages.ui.figures import (
    figure_parts,
    image_figures,
    loss_figures,
    overfitting_figure,
    point_figures,
    score_figures,
    score_texts,
)
from tests.support.tiny import image_trainer, point_trainer

EVERYTHING = View(heat=True, manifold=True, arrows=True)


@pytest.fixture(scope="module")
def points():
    """A snapshot of a run of points, with everything that a frame can hold."""
    trainer = point_trainer(data="ring", latent_dim=2)
    frame = visuals.look(trainer, EVERYTHING)
    frame["trails"] = np.stack([frame["samples"][:20] + shift for shift in (0.0, 0.1, 0.2)])
    return Snapshot(trainer.config, trainer.data, "playing", step=7, frame=frame | filled())


@pytest.fixture(scope="module")
def images():
    """The same of images."""
    trainer = image_trainer()
    frame = visuals.look(trainer, View(side=4, picked=3, blend=(4, 0, 0.5, 0.5)))
    metrics = {"histogram": [0.1, 0.2, 0.3, 0.4], "histogram_real": [0.25] * 4}
    return Snapshot(trainer.config, trainer.data, "playing", step=7, frame=frame | filled() | {"metrics": metrics})


def filled(steps=40):
    """History and scores of a run of 8 modes after some steps."""
    history = History()
    history.append(np.random.default_rng(0).random((steps, len(COLUMNS))).astype(np.float32) + 0.1)
    history.markers.append({"step": 3, "text": "g_lr 0.001 → 0.002"})
    return {
        "history": history.frame(),
        "metrics": {"mode_counts": [900, 0, 30, 400, 1, 2, 3, 4], "samples": 2_500, "modes": 7, "hq": 0.5},
    }


def without(snapshot):
    """The run as it is before its first frame."""
    return replace(snapshot, step=0, frame={})


# -- layers -------------------------------------------------------------------------------------------------

TRACES = {"real": 1, "fake": 1, "heat": 1, "manifold": 1, "arrows": 1, "trails": 2}  # trails: one less than frames


@pytest.mark.parametrize("layer", point_figures.LAYERS)
def test_each_layer_is_exactly_its_traces(points, layer):
    drawn = point_figures.plane(points, {layer})["data"]
    assert [trace["name"] for trace in drawn] == [point_figures.LAYERS[layer]] * TRACES[layer]
    everything = point_figures.plane(points, set(point_figures.LAYERS))["data"]
    others = point_figures.plane(points, set(point_figures.LAYERS) - {layer})["data"]
    assert len(everything) == sum(TRACES.values()) and len(others) == len(everything) - TRACES[layer]
    assert not any(trace["name"] == point_figures.LAYERS[layer] for trace in others)


def test_the_plane_holds_the_frame(points):
    drawn = {trace["name"]: trace for trace in point_figures.plane(points, set(point_figures.LAYERS))["data"]}
    frame, data = points.frame, points.data
    np.testing.assert_array_equal(drawn["generated"]["x"], frame["samples"][:, 0])
    np.testing.assert_array_equal(drawn["generated"]["y"], frame["samples"][:, 1])
    np.testing.assert_array_equal(drawn["real"]["x"], data.points[: point_figures.REAL_SHOWN, 0])
    assert drawn["p(real)"]["z"] is frame["heat"] and drawn["p(real)"]["reach"] == list(data.limits)
    assert np.isnan(drawn["manifold"]["x"]).sum() == len(frame["manifold"])  # a gap after each line
    assert np.isnan(drawn["gradients"]["x"]).sum() == len(frame["arrows"])


def test_no_layer_needs_webgl(points):
    """A browser may have none, and has but sixteen contexts."""
    types = {trace["type"] for trace in point_figures.plane(points, set(point_figures.LAYERS))["data"]}
    assert not any("gl" in kind for kind in types)


def test_points_that_are_not_finite_are_drawn_without(points):
    samples = points.frame["samples"].copy()
    samples[::2] = np.nan
    shown = point_figures.plane(replace(points, frame=points.frame | {"samples": samples}), {"fake"})
    assert np.isnan(shown["data"][0]["x"]).sum() == len(samples) / 2
    assert len(pack(shown)) > 8 * len(samples)  # it travels


def test_a_table_of_two_measures_fills_the_plane_and_names_its_axes(points):
    rng = np.random.default_rng(0)
    table = rng.uniform([100, -5], [120, 5000], (400, 2)).astype(np.float32)
    own = OwnPoints(table, rng.integers(0, 2, 400).astype(np.int32), ("a", "<b>"), ("year", "$ <i>price"))
    shown = point_figures.plane(replace(points, data=from_points(own)), {"real", "heat"})
    axes = [shown["layout"][name] for name in ("xaxis", "yaxis")]
    assert [axis["title"]["text"] for axis in axes] == ["year", "&#36; &lt;i&gt;price"]
    assert not any("scaleanchor" in axis for axis in axes)
    for axis, low, high in zip(axes, table.min(0), table.max(0), strict=True):
        assert axis["range"] == pytest.approx([low - 0.125 * (high - low), high + 0.125 * (high - low)], rel=1e-4)
    real = [trace for trace in shown["data"] if trace["name"] == "real"]
    assert [trace["legend"] for trace in real] == ["a", "&lt;b&gt;"] and len({t["marker"]["color"] for t in real}) == 2
    assert sum(len(trace["x"]) for trace in real) == 400


def test_of_many_classes_the_largest_have_a_colour(points):
    labels = np.repeat(np.arange(9), np.arange(20, 29)).astype(np.int32)
    table = np.random.default_rng(0).random((len(labels), 2), np.float32)
    own = OwnPoints(table, labels, tuple("abcdefghi"))
    real = point_figures.plane(replace(points, data=from_points(own)), {"real"})["data"]
    assert [trace["legend"] for trace in real] == [*"efghi", "other classes"]
    assert sum(len(trace["x"]) for trace in real) == len(labels)


# -- every figure -------------------------------------------------------------------------------------------


def every_figure(snapshot, images_snapshot):
    """name -> figure, those that a page redraws."""
    trainings = [snapshot, snapshot]
    return {
        "plane": point_figures.plane(snapshot, set(point_figures.LAYERS)),
        "training": point_figures.plane(snapshot, set(point_figures.LAYERS), alone=False),
        "losses": loss_figures.losses(snapshot),
        "log losses": loss_figures.losses(snapshot, log=True),
        "raw losses": loss_figures.losses(snapshot, smoothed=False),
        "modes": point_figures.mode_chart(snapshot),
        "overlay": loss_figures.overlay(trainings, ["a", "b"], False),
        "log overlay": loss_figures.overlay(trainings, ["a", "b"], True),
        "grid": image_figures.grid(images_snapshot, 4, True, []),
        "image losses": loss_figures.losses(images_snapshot),
        "classes": image_figures.classes(images_snapshot),
        "real": image_figures.real(images_snapshot, 4, []),
    }


def test_an_axis_has_a_range_of_its_own_always_or_never(points, images):
    """Plotly keeps the way in which an axis was first drawn; a plot is first drawn empty."""
    full, empty = every_figure(points, images), every_figure(without(points), without(images))
    for name, figure in full.items():
        for axis in ("xaxis", "yaxis", "yaxis2"):
            ranged = ["range" in one["layout"].get(axis, {}) for one in (figure, empty[name])]
            assert ranged[0] == ranged[1], (name, axis)
        if "loss" not in name and "overlay" not in name:  # whose axes have no range of their own
            assert figure["layout"]["uirevision"] == empty[name]["layout"]["uirevision"], name


def test_bars_stay_inside_their_axis(points, images):
    for figure in (point_figures.mode_chart(points), image_figures.classes(images)):
        low, high = figure["layout"]["yaxis"]["range"]
        assert low == 0 and high >= 1.02 * max(float(np.max(trace["y"])) for trace in figure["data"])
        for trace in figure["data"]:
            left, right = figure["layout"]["xaxis"]["range"]
            assert left <= min(trace["x"]) - 0.4 and right >= max(trace["x"]) + 0.4


def test_an_axis_of_bars_moves_seldom():
    ends = {figure_parts.reach(highest, 625) for highest in range(0, 2_500)}
    assert len(ends) <= 6
    for highest in (1e-3, 0.31, 625, 700, 980, 981, 999, 2_500):
        assert figure_parts.reach(highest, 0) >= 1.02 * highest
    assert figure_parts.reach(0, 0.3) == 0.3


def test_every_figure_says_in_words_what_it_shows(points, images):
    said = {name: figure["label"] for name, figure in every_figure(points, images).items()}
    assert all(len(label) > 10 for label in said.values())
    assert "step 7" in said["plane"] and "generated" in said["plane"]
    assert "generator 0." in said["losses"] and "discriminator" in said["losses"]
    assert "900, 0, 30" in said["modes"] and "no scores yet" in point_figures.mode_chart(without(points))["label"]
    assert "a 10 %" in said["classes"]
    assert "16 generated images" in said["grid"]
    assert image_figures.blend(images)["label"] and image_figures.neighbours(images, 3)["label"]
    assert score_figures.cloud(np.zeros((9, 2), np.float32), 1.0, "real")["label"] == "9 real points"


def test_letters_are_not_in_the_orange_of_areas(points, images):
    """$fake has 3.5:1 on white, enough for dots and lines only."""
    for name, figure in every_figure(points, images).items():
        for note in figure["layout"].get("annotations", []):
            assert note.get("font", {}).get("color") != "$fake", (name, note["text"])
            assert 'color:$fake"' not in note["text"], (name, note["text"])


# -- the discriminator's accuracy ---------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_two_accuracies_that_are_one_number_are_one_line(points, loss):
    config = points.config.updated({"loss": loss})
    figure = loss_figures.losses(replace(points, config=config))
    lines = [trace for trace in figure["data"] if trace.get("name", "").startswith("D accuracy")]
    (title,) = [note["text"] for note in figure["layout"]["annotations"] if note["text"].startswith("D accuracy: ")]
    if LOSSES[loss].p_real == "centered":
        assert len(lines) == 1 and "pairs in the right order" in title
    else:
        assert len(lines) == 2 and "on real" in title and "on generated" in title
        assert lines[0]["line"]["dash"] != lines[1]["line"]["dash"]  # not by colour alone


# -- runs beside each other ---------------------------------------------------------------------------------


def test_curves_of_several_runs_differ_in_more_than_colour(points):
    figure = loss_figures.overlay([points] * 4, list("wxyz"), False)
    curves = figure["data"][1:]
    assert len({(t["marker"]["symbol"], t["line"]["dash"]) for t in curves}) == 8
    assert [t["name"][0] for t in curves] == list("AABBCCDD")
    assert all(t["mode"] == "lines+markers" for t in curves)


def test_letters_of_curves_that_end_together_do_not_cover_each_other():
    letters = loss_figures._end_letters([(1.0, "A"), (1.001, "B"), (2.0, "C"), (2.0, "C"), (0.5, "D")], False, 0.1)
    assert [(note["y"], note["text"]) for note in letters] == [(0.5, "D"), (1.0, "AB"), (2.0, "C")]
    assert loss_figures._end_letters([], True, 0.0) == []


# -- who leads ----------------------------------------------------------------------------------------------


def lead(title, *rows):
    """(texts, who leads) of one score."""
    return {name: (texts, who) for name, texts, who in score_texts.leaders(list(rows))}[title]


def test_who_leads_is_nearest_to_what_real_data_get():
    collapsed = {"hq": 1.0, "hq_perfect": 0.989, "modes": 1, "modes_total": 8, "w1": 0.9, "w1_floor": 0.02}
    healthy = {"hq": 0.985, "hq_perfect": 0.989, "modes": 8, "modes_total": 8, "w1": 0.03, "w1_floor": 0.02}
    assert lead("high quality", collapsed, healthy) == (["100.0 %", "98.5 %"], {1})
    assert lead("modes captured", collapsed, healthy) == (["1", "8"], {1})
    assert lead("Wasserstein-1", collapsed, healthy)[1] == {1}


def test_nobody_leads_where_all_read_the_same_or_only_one_is_known():
    assert lead("Wasserstein-1", {"w1": 0.1}, {"w1": 0.1})[1] == set()
    assert lead("Wasserstein-1", {"w1": 0.1}, {}) == (["0.100", "–"], set())
    assert score_texts.leaders([{}, {}]) == []


def test_the_cells_name_real_data():
    metrics = {
        "modes": 6, "modes_total": 8, "hq": 0.5, "hq_perfect": 0.989, "reverse_kl": None, "reverse_kl_floor": 0.0014,
        "w1": 0.1, "w1_floor": 0.07, "energy": 0.1, "energy_floor": 0.0044, "mmd": 0.1, "mmd_floor": 0.04,
        "samples": 2_500, "w1_samples": 500,
    }  # fmt: skip
    cells, note = score_texts.cells(metrics), score_texts.how_measured(metrics)
    assert cells[0] == ("6 / 8", "modes captured", "real data 8")
    assert cells[1] == ("50.0 %", "high quality", "real data 98.9 %")
    assert cells[2] == ("no value yet", "reverse KL", "real data 0.0014")
    assert all(third.startswith("real data ") for _, _, third in cells)
    assert note == "2,500 samples; distances use 500"


def test_a_grid_s_bytes_are_its_pixels(images):
    (texture, hover) = image_figures.grid(images, 4, False, [])["data"]
    assert texture["tiles"]["pixels"].tolist() == images.frame["grid"].reshape(-1).tolist()
    assert len(hover["x"]) == 16


def test_the_curves_of_overfitting(images):
    """Each known curve is a trace; without held-out pictures that is said; ADA has its meter with the target."""
    values = np.array([[0.5, 0.5, 0.5, 0.0, 0.0], [0.9, 0.4, 0.1, 0.2, 0.7]], np.float32)
    frame = {**images.frame, "judged": {"step": np.array([0, 10], np.int32), "values": values}}
    ada = replace(images, config=images.config.updated({"augment": "ada", "ada_target": 0.5}), frame=frame)
    figure = overfitting_figure.overfitting(ada)
    names = [trace.get("name") for trace in figure["data"] if trace.get("name")]
    assert names == ["p(real), training", "p(real), held out", "p(real), generated", "r_t", "p"]
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [0.5]
    assert "training 0.90, held out 0.40, generated 0.10" in figure["label"] and "p 0.20" in figure["label"]
    values[:, 1] = values[:, 3] = np.nan
    figure = overfitting_figure.overfitting(replace(images, frame=frame))
    assert [t.get("name") for t in figure["data"]][1:] == ["p(real), training", "p(real), generated"]
    assert "no pictures are held out" in figure["layout"]["annotations"][0]["text"]
    empty = overfitting_figure.overfitting(replace(images, frame={}))
    assert "nothing yet" in empty["label"]
