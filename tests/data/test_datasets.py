"""The data sets: shape, seed, scale, and the distribution that each one promises."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gan_core.data import loading, point_datasets
from gan_core.data.datasets import DATASETS
from gan_core.data.image_datasets import SIZES
from gan_core.data.image_sources import MissingFile
from gan_core.data.pictures import Pictures
from gan_core.data.points import Data, OwnPoints, tick
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig

DRAWN = [name for name, row in DATASETS.items() if row.kind == "points" and not row.finite]
MEASURED = {"iris": (150, 4, 3), "wine": (178, 13, 3), "breast_cancer": (569, 30, 2)}  # rows, columns, classes
# Numbers; test_drawing.py looks at those of drawings, which are texts.
PARAMETERS = [(name, own) for name in DRAWN for own, knob in DATASETS[name].knobs.items() if knob.kind is not str]
N = 20_000


def draw(name, n=N, seed=0, **params):
    """A fresh draw, past the cache of loading.draw, with default parameters where none are given."""
    row = DATASETS[name]
    params = {k: knob.default for k, knob in row.knobs.items()} | params
    return row.draw(n, np.random.default_rng([seed, 0]), **params)


# -- every data set -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DRAWN)
def test_points_are_float32_and_finite(name):
    data = draw(name)
    assert data.points.dtype == np.float32
    assert data.points.shape == (N, 2)
    assert np.isfinite(data.points).all()


@pytest.mark.parametrize("name", DRAWN)
def test_the_plot_shows_nearly_all_points_and_is_not_far_too_large(name):
    data = draw(name)
    reach = np.abs(data.points - data.center).max(1)
    assert (reach <= data.limit).mean() > 0.999
    assert np.quantile(reach, 0.99) > 0.35 * data.limit


@pytest.mark.parametrize("name, parameter", PARAMETERS)
@pytest.mark.parametrize("end", ["low", "high"])
def test_every_parameter_works_at_both_ends(name, parameter, end):
    value = getattr(DATASETS[name].knobs[parameter], end)
    data = draw(name, 500, **{parameter: value})
    assert data.points.shape == (500, 2)
    assert np.isfinite(data.points).all()
    assert (np.abs(data.points - data.center).max(1) <= data.limit).mean() > 0.9
    assert data.scale > 0


@pytest.mark.parametrize("name, parameter", PARAMETERS)
def test_every_parameter_changes_the_points(name, parameter):
    knob = DATASETS[name].knobs[parameter]
    other = draw(name, 100, **{parameter: knob.high})
    assert not np.array_equal(other.points, draw(name, 100).points)


@pytest.mark.parametrize("name", DRAWN)
def test_the_knobs_defaults_are_the_functions_own(name):
    plain = DATASETS[name].draw(50, np.random.default_rng([0, 0]))
    assert np.array_equal(plain.points, draw(name, 50).points)


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_seed_gives_the_same_points_and_another_gives_others(name):
    params = {k: knob.default for k, knob in DATASETS[name].knobs.items()}
    first = loading.draw(name, 200, 7, params)
    loading.forget()
    again = loading.draw(name, 200, 7, dict(reversed(params.items())))
    assert again is not first
    assert np.array_equal(first.points, again.points)
    other = loading.draw(name, 200, 8, params)
    assert not np.isin(other.points[:, 0], first.points[:, 0]).all()


@pytest.mark.parametrize("name", DRAWN)
def test_units_round_trip(name):
    data = draw(name, 1_000)
    unit = data.to_unit(data.points)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit * data.scale + np.float32(data.center), data.points, rtol=1e-5, atol=1e-6)
    back = data.from_unit(unit)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, data.points, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", DRAWN)
def test_training_sees_points_of_about_unit_size(name):
    data = draw(name)
    spread = data.to_unit(data.points).std(0).max()
    assert 0.25 < spread < 1.1


def test_units_by_hand():
    data = Data(np.zeros((1, 2), np.float32), limit=1.0, scale=4.0, center=(10.0, -2.0))
    np.testing.assert_array_equal(data.to_unit(np.float32([[14, -10]])), [[1, -2]])
    np.testing.assert_array_equal(data.from_unit(np.float32([[1, -2]])), [[14, -10]])


def test_file_cannot_be_drawn():
    with pytest.raises(LookupError):
        loading.draw("file", 100, 0, {})


# -- mixtures -----------------------------------------------------------------------------------------------


def split_by_mode(data):
    """The points of each mode, by the nearest centre."""
    distance = np.linalg.norm(data.points[:, None] - data.modes, axis=2)
    which = distance.argmin(1)
    return [data.points[which == i] for i in range(len(data.modes))]


def closest_pair(modes):
    """The smallest distance between two modes."""
    distance = np.linalg.norm(modes[:, None] - modes, axis=2)
    return distance[~np.eye(len(modes), dtype=bool)].min()


@pytest.mark.parametrize("count", [1, 2, 3, 8, 32])
def test_the_rings_modes_lie_on_the_circle_at_equal_angles(count):
    """No two on the same spot, as linspace with its end point would have it."""
    modes = draw("ring", 16, modes=count, radius=3.0).modes
    assert modes.shape == (count, 2)
    np.testing.assert_allclose(np.linalg.norm(modes, axis=1), 3.0, rtol=1e-6)
    if count > 1:
        assert closest_pair(modes) == pytest.approx(6 * math.sin(math.pi / count), rel=1e-4)


def test_the_grid_is_pacgans():
    data = draw("grid")
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(mode) for mode in data.modes.tolist()} == expected
    assert len(data.modes) == 25
    assert data.mode_std == 0.05


def test_the_ring_is_pacgans():
    data = draw("ring")
    assert len(data.modes) == 8
    assert data.mode_std == 0.01
    np.testing.assert_allclose(np.linalg.norm(data.modes, axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("side", [1, 2, 3, 10])
def test_a_grid_is_centred_and_evenly_spaced(side):
    data = draw("grid", 16, side=side, spacing=0.5)
    assert data.modes.shape == (side * side, 2)
    np.testing.assert_allclose(data.modes.mean(0), 0, atol=1e-6)
    if side > 1:
        assert closest_pair(data.modes) == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_the_modes_are_equally_likely_and_of_the_stated_width(name):
    data = draw(name)
    groups = split_by_mode(data)
    counts = np.array([len(group) for group in groups])
    assert stats.chisquare(counts).pvalue > 1e-4
    for group, mode in zip(groups, data.modes, strict=True):
        error = data.mode_std / math.sqrt(len(group))
        assert np.abs(group.mean(0) - mode).max() < 5 * error
        np.testing.assert_allclose(group.std(0), data.mode_std, rtol=0.12)


@pytest.mark.parametrize("name", [n for n in DRAWN if n not in ("ring", "grid")])
def test_the_others_claim_no_modes(name):
    data = draw(name, 16)
    assert data.modes is None


# -- shapes -------------------------------------------------------------------------------------------------


def test_the_gaussian_is_normal_and_unscaled():
    data = draw("gaussian")
    for axis in range(2):
        assert stats.kstest(data.points[:, axis], stats.norm(0, 0.5).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(data.points.T)[0, 1]) < 0.03
    assert data.scale == 1.0 and data.center == (0.0, 0.0)
    assert data.limit == 3.0


def test_the_disc_is_uniform():
    """r² of a uniform disc is uniform in [0, radius²], and so is the angle."""
    points = draw("disc", radius=2.0).points.astype(float)
    square = (points**2).sum(1) / 4
    assert square.max() <= 1 + 1e-6
    assert stats.kstest(square, "uniform").pvalue > 1e-3
    angle = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) + 0.5
    assert stats.kstest(angle, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("squares", [2, 3, 4, 9])
def test_the_checkerboard_is_uniform_over_its_dark_squares(squares):
    points = draw("checkerboard", squares=squares).points.astype(float)
    assert np.abs(points).max() <= 1 + 1e-6
    cell = (points + 1) / 2 * squares
    column, row = np.clip(np.floor(cell), 0, squares - 1).astype(int).T
    # rounding to float32 can carry a point over an edge
    assert ((column + row) % 2 == 0).mean() > 0.9999
    counts = np.zeros((squares, squares))
    np.add.at(counts, (column, row), 1)
    dark = np.indices((squares, squares)).sum(0) % 2 == 0
    assert stats.chisquare(counts[dark] * N / counts[dark].sum()).pvalue > 1e-4
    inside = (cell - np.floor(cell))[:, 0]
    assert stats.kstest(inside, "uniform").pvalue > 1e-3


def test_moons_are_two_half_circles():
    """Back in scikit-learn's units, every bare point is on the upper or on the lower half circle."""
    x, y = (draw("moons", noise=0.0).points.astype(float) * 1.5 + [0.5, 0.25]).T
    upper = (np.abs(np.hypot(x, y) - 1) < 1e-5) & (y >= -1e-6)
    lower = (np.abs(np.hypot(x - 1, y - 0.5) - 1) < 1e-5) & (y <= 0.5 + 1e-6)
    assert (upper | lower).all()
    assert upper.mean() == pytest.approx(0.5, abs=0.02)


def test_circles_have_the_stated_radii():
    radius = np.linalg.norm(draw("circles", noise=0.0, factor=0.3).points.astype(float), axis=1)
    outer = radius > 0.6
    np.testing.assert_allclose(radius[outer], 1.0, atol=1e-5)
    np.testing.assert_allclose(radius[~outer], 0.3, atol=1e-5)
    assert outer.mean() == pytest.approx(0.5, abs=0.02)


def test_noise_moves_points_by_its_standard_deviation():
    radius = np.linalg.norm(draw("circles", noise=0.05, factor=0.1).points.astype(float), axis=1)
    assert radius[radius > 0.55].std() == pytest.approx(0.05, rel=0.05)


def test_the_swiss_roll_is_rolled_up_once_and_a_half():
    """The radius is proportional to the angle, from 1.5 to 4.5 half turns."""
    points = draw("swiss_roll", noise=0.0).points.astype(float)
    t = np.linalg.norm(points, axis=1) * 4.5 * np.pi
    assert t.min() >= 1.5 * np.pi - 1e-4 and t.max() <= 4.5 * np.pi + 1e-4
    expected = (t / (4.5 * np.pi))[:, None] * np.stack([np.cos(t), np.sin(t)], 1)
    np.testing.assert_allclose(points, expected, atol=1e-4)
    assert stats.kstest((t / np.pi - 1.5) / 3, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("arms", [1, 3])
def test_spirals_wind_as_often_as_stated(arms):
    points = draw("spirals", arms=arms, turns=0.75, noise=0.0).points.astype(float)
    radius = np.linalg.norm(points, axis=1)
    turn = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) - 0.75 * radius
    offset = turn * arms
    np.testing.assert_allclose(offset - np.round(offset), 0, atol=1e-4)
    which = np.round(offset).astype(int) % arms
    np.testing.assert_allclose(np.bincount(which, minlength=arms) / N, 1 / arms, atol=0.02)


def test_an_untwisted_pinwheel_has_blades_at_equal_angles():
    points = draw("pinwheel", arms=4, twist=0.0, noise=0.0).points.astype(float)
    # four blades without width lie on the axes
    assert np.abs(points).min(1).max() < 1e-6
    away = points[np.abs(points).max(1) > 0.1]
    direction = np.abs(away).argmax(1) * 2 + (away.sum(1) > 0)
    np.testing.assert_allclose(np.bincount(direction) / len(away), 0.25, atol=0.02)
    assert np.linalg.norm(points, axis=1).mean() == pytest.approx(0.5, abs=0.01)


def test_the_line_is_a_segment():
    x, y = draw("line", noise=0.0).points.astype(float).T
    np.testing.assert_allclose(y, 0.6 * x, atol=1e-6)
    assert stats.kstest((x + 1) / 2, "uniform").pvalue > 1e-3


# -- tables of real measurements ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEASURED)
def test_a_table_gives_all_its_rows_with_their_classes_and_names(name):
    rows, columns, classes = MEASURED[name]
    row = DATASETS[name]
    assert row.most == rows and row.finite and len(row.knobs["x"].choices) == columns == len(row.knobs["y"].choices)
    data = draw(name)
    assert data.points.shape == (rows, 2) and data.points.dtype == np.float32
    assert set(data.labels) == set(range(classes)) and len(data.class_names) == classes
    assert data.axes == tuple(row.knobs[axis].choices[row.knobs[axis].default] for axis in "xy")
    np.testing.assert_allclose(np.abs(data.array).max(0), 1, rtol=1e-5)
    assert len(draw(name, 40)) == 40 and draw(name, 40).spans == data.spans
    assert not np.array_equal(draw(name, 40).points, draw(name, 40, seed=1).points)


@pytest.mark.parametrize("name", MEASURED)
def test_any_two_columns_of_a_table(name):
    columns = list(DATASETS[name].knobs["x"].choices)
    for x, y in itertools.pairwise(columns):
        data = draw(name, x=x, y=y)
        assert np.isfinite(data.array).all() and data.axes[0] == DATASETS[name].knobs["x"].choices[x]
    with pytest.raises(ConfigError, match="choose two different columns"):
        draw(name, x=columns[0], y=columns[0])


def test_irises_by_hand():
    """The first of the table is a setosa of 5.1, 3.5, 1.4 and 0.2 cm."""
    data = draw("iris", x="sepal_length", y="petal_width")
    found = (np.abs(data.points - np.float32([5.1, 0.2])) < 1e-5).all(1)
    assert found.any() and set(data.labels[found]) == {0} and data.class_names[0] == "setosa"
    assert np.bincount(data.labels).tolist() == [50, 50, 50]


# -- a user's points ----------------------------------------------------------------------------------------


def test_points_of_a_run_that_an_earlier_version_saved_share_the_longer_span():
    points = np.float32([[10, 0], [30, 1], [20, 4]])
    data = point_datasets.from_points(points)
    assert data.points is points
    assert data.center == (20.0, 2.0)
    assert data.scale == 10.0
    assert data.limit == 12.5
    np.testing.assert_allclose(data.to_unit(points), [[-1, -0.2], [1, -0.1], [0, 0.2]], atol=1e-6)
    assert data.modes is None


def test_a_table_scales_each_axis_by_its_own_span():
    points = np.float32([[1.6, 43], [5.1, 96], [3.1, 50]])  # minutes of an eruption, and of the wait for it
    data = point_datasets.from_points(
        OwnPoints(points, np.int32([0, 1, 0]), ("short", "long"), ("eruptions", "waiting"))
    )
    np.testing.assert_allclose(data.to_unit(points), [[-1, -1], [1, 1], [-1 / 7, -39 / 53]], atol=1e-5)
    np.testing.assert_allclose(data.from_unit(data.to_unit(points)), points, rtol=1e-6)
    np.testing.assert_allclose(data.limits, (1.25 * 1.75, 1.25 * 26.5))
    assert data.center == pytest.approx((3.35, 69.5)) and not data.equal_axes
    assert data.axes == ("eruptions", "waiting") and data.class_names == ("short", "long")
    np.testing.assert_array_equal(data.labels, [0, 1, 0])


def test_distances_are_in_the_datas_units_only_where_both_axes_are_measured_alike():
    points = np.float32([[0, 0], [2, 20]])
    np.testing.assert_array_equal(point_datasets.from_points(points).measured(points), points)
    np.testing.assert_array_equal(point_datasets.from_points(OwnPoints(points)).measured(points), [[-1, -1], [1, 1]])
    square = np.float32([[0, 0], [2, 2]])
    np.testing.assert_array_equal(point_datasets.from_points(OwnPoints(square)).measured(square), square)


def test_ticks_tell_the_places_of_an_axis_apart():
    assert [tick(*of) for of in ((1952, 27), (1957, 27), (-0.75, 1.5), (0, 1), (1e9, 1e9), (123456.7, 50))] == [
        *("1952", "1957", "-0.75", "0", "1e+09", "123457")
    ]


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e29])
def test_from_points_of_any_size(size):
    points = (np.random.default_rng(0).uniform(-1, 3, (50, 2)) * size).astype(np.float32)
    data = point_datasets.from_points(points)
    unit = data.to_unit(points)
    assert np.abs(unit).max() == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(data.from_unit(unit), points, rtol=1e-4, atol=1e-5 * size)


def test_from_points_far_from_the_origin():
    points = (np.random.default_rng(0).uniform(0, 1, (50, 2)) + 1_000).astype(np.float32)
    data = point_datasets.from_points(points)
    unit = data.to_unit(points)
    assert np.abs(unit).max() == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(data.from_unit(unit), points, rtol=1e-6)


# -- images -------------------------------------------------------------------------------------------------

IMAGES = [name for name, row in DATASETS.items() if row.kind == "images"]


def noise(n=40, side=28, channels=1, classes=3):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, side, side, channels)).astype(np.uint8)
    labels = (np.arange(n) % classes).astype(np.int32) if classes else None
    return Pictures(pixels, labels, tuple(str(i) for i in range(classes)))


def config_of(data="digits", **settings):
    return GANConfig.from_flat({"data": data, **settings})


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without any file of a known set."""
    for variable in ("GANSCOPE_DATA", "GANSCOPE_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    loading.forget()
    yield tmp_path
    loading.forget()


@pytest.mark.parametrize("name", IMAGES)
def test_a_row_of_images(name):
    row = DATASETS[name]
    own = {"darkest", "lightest", "smallest", "largest"} if name.startswith("shapes") else set()
    assert set(row.knobs) == {"size", "classes"} | own
    assert tuple(row.knobs["size"].choices) == SIZES
    assert len(row.native) == 3 and row.native[0] in (28, 32)
    assert row.upload == (name == "picture_file") == (not row.class_names)
    assert row.description.strip()


def test_points_and_pictures_answer_alike():
    """What the engine and the worker ask of both."""
    for data in (point_datasets.from_points(np.float32([[0, 1], [2, 3]])), noise(2)):
        assert data.kind in ("points", "images")
        assert len(data) == 2 and data.array.shape == (2, *data.shape)
        assert data.to_unit(data.array).dtype == np.float32
        assert data.labels is None or len(data.labels) == 2
        assert isinstance(data.class_names, tuple)


@pytest.mark.parametrize("size, side", [("native", 28), ("28", 28), ("32", 32), ("48", 48), ("64", 64)])
@pytest.mark.parametrize("name", IMAGES)
def test_the_shape_is_known_without_loading(nowhere, name, size, side):
    native = DATASETS[name].native
    expected = native if size == "native" else (side, side, native[2])
    assert loading.sample_shape(config_of(name, **{"data.size": size})) == expected


@pytest.mark.parametrize("size", SIZES)
def test_the_shape_is_that_of_the_data(size):
    config = config_of(data_size=50, **{"data.size": size})
    data = loading.load(config)
    assert data.shape == loading.sample_shape(config) and len(data) == 50


def test_the_shape_of_points():
    assert loading.sample_shape(config_of("ring")) == loading.load(config_of("ring")).shape == (2,)


@pytest.mark.parametrize(
    "name", [name for name in IMAGES if DATASETS[name].most and name != "digits"] + ["stacked_mnist"]
)
def test_a_missing_file_is_a_sentence_with_a_way_out(nowhere, name):
    with pytest.raises(MissingFile, match=r"is not on this machine\. .*copy .*\.npz") as caught:
        loading.load(config_of(name))
    assert caught.value.name in ("mnist", "fashion_mnist", "cifar10")


def test_load_passes_the_parameters_on():
    data = loading.load(config_of(data_size=30, seed=3, **{"data.classes": "3,8", "data.size": "32"}))
    assert data.class_names == ("3", "8") and data.shape == (32, 32, 1) and len(data) == 30
    again = loading.load(config_of(data_size=30, seed=3, **{"data.classes": "3,8", "data.size": "32"}))
    assert again is data  # kept
    other = loading.load(config_of(data_size=30, seed=4, **{"data.classes": "3,8", "data.size": "32"}))
    assert not np.array_equal(other.pixels, data.pixels)


@pytest.mark.parametrize("name", ["file", "picture_file"])
def test_a_set_that_is_a_file_needs_one(name):
    with pytest.raises(ConfigError, match=f"The data set {name} needs a file: your own"):
        loading.load(config_of(name))


def test_load_of_the_users_own():
    points = np.float32([[0, 0], [2, 1]])
    assert loading.load(config_of("file"), points).points is points
    own = noise(40, side=40, channels=3)
    data = loading.load(config_of("picture_file", data_size=30, **{"data.classes": "0,2"}), own)
    assert data.shape == (28, 28, 3) and data.class_names == ("0", "2") and len(data) == 27
    assert loading.load(config_of("picture_file", data_size=20), own).pixels.shape == (20, 28, 28, 3)
    assert loading.load(config_of("picture_file", **{"data.size": "64"}), own).shape == (64, 64, 3)
    assert loading.load(config_of("picture_file"), noise(20, side=64)).shape == (64, 64, 1)


def test_an_upload_beside_a_known_set_is_left_alone():
    assert loading.load(config_of("ring", data_size=16), noise()).kind == "points"


def test_class_count():
    plain, conditional = config_of(), config_of(conditional=True)
    assert loading.class_count(plain, noise()) == 0
    assert loading.class_count(plain, noise(classes=0)) == 0
    assert loading.class_count(conditional, noise()) == 3
    assert loading.class_count(config_of("ring"), loading.load(config_of("ring"))) == 0
    for classes, said in ((0, "has no classes"), (1, "has 1"), (101, "has 101"), (1000, "has 1,000")):
        with pytest.raises(ConfigError, match=f"needs data of 2 to 100 classes; digits {said}\\."):
            loading.class_count(conditional, noise(classes=classes))
