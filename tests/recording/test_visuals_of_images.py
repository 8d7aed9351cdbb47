"""What the page looks at when images are trained on: the grid, its neighbours and the blend."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from gan_core.data.loading import class_count
from gan_core.data.pictures import Pictures
from gan_core.objectives.losses import LOSSES
from gan_core.recording import visuals
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_writing
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from tests.support.tiny import quadrants

SMALL = {"data": "digits", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 6}


def noise(n=50, channels=1, classes=3):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, 28, 28, channels)).astype(np.uint8)
    return Pictures(pixels, rng.integers(0, classes, n).astype(np.int32), tuple("abcdefghij"[:classes]))


def trainer_of(data=None, **settings):
    """An untrained run; looking compiles no training. Its first kernel is larger: the pictures differ."""
    data = data or noise()
    config = GANConfig.from_flat({**SMALL, **settings})
    trainer = Trainer(config, data, TrainStep(config, data.array.shape, "graph", class_count(config, data)))
    lively = [8 * w if w.ndim > 1 else w for w in trainer.state["g"]]
    trainer.state = {**trainer.state, "g": [w + 0.01 for w in lively], "ema": lively}
    return trainer


@pytest.fixture(scope="module")
def plain():
    return trainer_of()


@pytest.fixture(scope="module")
def conditional():
    return trainer_of(conditional=True)


# -- the grid -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conditional", [False, True], ids=["plain", "conditional"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_types(loss, channels, conditional):
    trainer = trainer_of(noise(channels=channels), loss=loss, conditional=conditional)
    frame = visuals.look(trainer, View(side=3, picked=2, blend=(4, 0, 0.5, 0.5)))
    picture = (28, 28, channels)
    shapes = {"grid": (9, *picture), "p_real": (9,), "neighbours": (8, *picture), "distances": (8,)}
    shapes |= {"blend": (1, *picture), "corners": (4, *picture)}
    assert {name: array.shape for name, array in frame.items()} == shapes
    for name, array in frame.items():
        assert array.dtype == (np.float32 if name in ("p_real", "distances") else np.uint8), name
    assert 0 <= frame["p_real"].min() <= frame["p_real"].max() <= 1
    assert len(np.unique(frame["grid"])) > 10


def test_only_what_is_asked_for_is_made(plain):
    assert set(visuals.look(plain, View(side=2))) == {"grid", "p_real"}
    assert set(visuals.look(plain, View(side=2, picked=3))) == {"grid", "p_real", "neighbours", "distances"}
    assert set(visuals.look(plain, View(side=2, blend=(2, 0, 0.0, 0.0)))) == {"grid", "p_real", "blend", "corners"}


def test_the_grid_is_of_fixed_z(plain):
    first, again = (visuals.look(plain, View(side=4)) for _ in range(2))
    assert np.array_equal(first["grid"], again["grid"]) and np.array_equal(first["p_real"], again["p_real"])
    assert np.array_equal(first["grid"], plain.samples(plain.latent(16), ema=True))
    assert len({picture.tobytes() for picture in first["grid"]}) == 16


def test_the_chosen_generator_is_shown(plain):
    grids = []
    for show_ema in (True, False):
        plain.set_live(replace(plain.config, show_ema=show_ema))
        grids.append(visuals.look(plain, View(side=2))["grid"])
        assert np.array_equal(grids[-1], plain.samples(plain.latent(4), ema=show_ema))
    plain.set_live(replace(plain.config, show_ema=True))
    assert not np.array_equal(*grids)


@pytest.mark.parametrize("loss", LOSSES)
def test_p_real_by_hand(loss):
    trainer = trainer_of(loss=loss)
    frame = visuals.look(trainer, View(side=3))
    logits = trainer.logits(trainer.generated(trainer.latent(9), True))
    if loss == "least_squares":
        expected = np.clip(logits, 0, 1)
    elif loss in ("relativistic", "relativistic_average", "wasserstein"):  # half is midway between mean real and fake
        real = trainer.logits(trainer.data.to_unit(trainer.data.pixels[:9]))
        expected = 1 / (1 + np.exp(-(logits - (real.mean() + logits.mean()) / 2)))
    else:
        expected = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(frame["p_real"], expected, rtol=1e-4, atol=1e-5)


def test_fewer_real_pictures_than_the_grid_has():
    frame = visuals.look(trainer_of(noise(20), loss="relativistic"), View(side=8, picked=0))
    assert frame["grid"].shape[0] == 64 and np.isfinite(frame["p_real"]).all()


# -- classes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows, of_rows",
    [
        ((), [0, 1, 2, 0]),
        ((2,), [2, 2, 2, 2]),
        ((2, 0), [2, 0, 2, 0]),
        ((1, 9, -1), [1, 1, 1, 1]),
        ((9,), [0, 1, 2, 0]),
    ],
)
def test_the_classes_of_the_rows(conditional, rows, of_rows):
    """In turn; classes that the data lack are left out."""
    labels = visuals.grid_labels(conditional, View(side=4, rows=rows))
    assert labels.reshape(4, 4).tolist() == [[c] * 4 for c in of_rows]


def test_without_conditional_networks_there_are_no_classes(plain):
    assert visuals.grid_labels(plain, View(side=4, rows=(1, 2))) is None


def test_the_grid_shows_the_classes_of_its_rows(conditional):
    view = View(side=3, rows=(2, 1))
    frame = visuals.look(conditional, view)
    labels = np.repeat([2, 1, 2], 3)
    assert np.array_equal(frame["grid"], conditional.samples(conditional.latent(9), True, labels))
    assert not np.array_equal(frame["grid"], visuals.look(conditional, View(side=3, rows=(0,)))["grid"])


def test_the_blend_is_of_the_first_rows_class(conditional):
    frame = visuals.look(conditional, View(side=2, rows=(2, 0), blend=(2, 5, 0.0, 0.0)))
    corners = conditional.latent(2, draw=105)
    expected = conditional.samples(corners, True, np.array([2, 2]))
    assert np.abs(frame["corners"].astype(int) - expected).max() <= 1
    other = conditional.samples(corners, True, np.array([0, 0]))
    assert np.abs(frame["corners"].astype(int) - other).max() > 1


# -- the blend ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z_dist", ["normal", "uniform"])
@pytest.mark.parametrize("u, v, corner", [(0.0, 0.0, 0), (1.0, 0.0, 1), (0.0, 1.0, 2), (1.0, 1.0, 3)])
def test_at_a_corner_the_blend_is_the_corner(z_dist, u, v, corner):
    trainer = trainer_of(z_dist=z_dist)
    frame = visuals.look(trainer, View(side=2, blend=(4, 0, u, v)))
    difference = np.abs(frame["blend"][0].astype(int) - frame["corners"])
    assert difference[corner].max() <= 1
    assert all(difference[other].max() > 5 for other in range(4) if other != corner)


def test_two_corners_do_not_look_at_v(plain):
    a, b = (visuals.look(plain, View(side=2, blend=(2, 0, 0.3, v)))["blend"] for v in (0.0, 0.9))
    assert np.array_equal(a, b)


def test_another_draw_has_other_corners(plain):
    a, b, again = (visuals.look(plain, View(side=2, blend=(4, draw, 0, 0)))["corners"] for draw in (0, 1, 0))
    assert np.array_equal(a, again)
    assert len({picture.tobytes() for picture in [*a, *b]}) == 8


def test_the_blend_is_between(plain):
    """A path without jumps: neighbouring mixtures are nearer than the ends."""
    path = [visuals.look(plain, View(side=2, blend=(2, 0, u, 0.0)))["blend"] for u in np.linspace(0, 1, 21)]
    steps = [np.abs(a.astype(float) - b).mean() for a, b in itertools.pairwise(path)]
    assert max(steps) < 0.4 * np.abs(path[0].astype(float) - path[-1]).mean()


def test_slerp_keeps_the_length_of_corners_of_equal_length():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.normal(size=(2, 16))
        b *= np.linalg.norm(a) / np.linalg.norm(b)
        for t in (0.0, 0.2, 0.5, 0.9, 1.0):
            z = visuals._slerp(a, b, t)
            assert np.linalg.norm(z) == pytest.approx(np.linalg.norm(a), rel=1e-9)
        angle = np.arccos(a @ b / (a @ a))
        part = np.arccos(np.clip(visuals._slerp(a, b, 0.3) @ a / (a @ a), -1, 1))
        assert part == pytest.approx(0.3 * angle, rel=1e-6)


def test_slerp_by_hand():
    np.testing.assert_allclose(visuals._slerp(np.array([1.0, 0]), np.array([0, 1.0]), 0.5), [0.5**0.5] * 2)
    # where there is no one great circle, the straight line
    np.testing.assert_allclose(visuals._slerp(np.array([1.0, 0]), np.array([-1.0, 0]), 0.25), [0.5, 0])
    np.testing.assert_allclose(visuals._slerp(np.array([2.0, 1]), np.array([4.0, 2]), 0.5), [3, 1.5])
    assert np.isfinite(visuals._slerp(np.zeros(2), np.array([1.0, 0]), 0.5)).all()


def test_uniform_z_is_mixed_along_a_line():
    trainer = trainer_of(z_dist="uniform")
    a, b = trainer.latent(2, draw=100).numpy()
    frame = visuals.look(trainer, View(side=2, blend=(2, 0, 0.3, 0.0)))
    expected = trainer.samples(tf.constant([0.7 * a + 0.3 * b]), True)
    assert np.abs(frame["blend"].astype(int) - expected).max() <= 1


# -- neighbours ---------------------------------------------------------------------------------------------


@pytest.fixture
def searches(monkeypatch):
    """A clock that stands still until it is moved, and how many searches there were."""
    clock, counted = [100.0], []
    monkeypatch.setattr(visuals.time, "monotonic", lambda: clock[0])
    true = visuals.nearest
    monkeypatch.setattr(visuals, "nearest", lambda *a: counted.append(1) or true(*a))
    return clock, counted


def test_the_neighbours_are_the_nearest(plain):
    frame = visuals.look(plain, View(side=3, picked=4))
    distance = np.sqrt(((plain.data.pixels / 255.0 - frame["grid"][4] / 255.0) ** 2).mean((1, 2, 3)))
    order = np.argsort(distance)[: visuals.NEIGHBOURS]
    assert np.array_equal(frame["neighbours"], plain.data.pixels[order])
    np.testing.assert_allclose(frame["distances"], distance[order], rtol=1e-5)
    assert (np.diff(frame["distances"]) >= 0).all()


def test_a_copy_is_found_at_no_distance():
    trainer = trainer_of()
    copy = visuals.look(trainer, View(side=2))["grid"][3]
    pixels = trainer.data.pixels.copy()
    pixels[17] = copy
    frame = visuals.look(trainer_of(replace(trainer.data, pixels=pixels)), View(side=2, picked=3))
    assert np.array_equal(frame["neighbours"][0], copy) and frame["distances"][0] == 0


def test_neighbours_are_searched_for_once_a_second(searches):
    clock, counted = searches
    trainer, view = trainer_of(), View(side=2, picked=1)
    first = visuals.look(trainer, view)["distances"]
    trainer.state = {**trainer.state, "ema": trainer.state["g"]}  # other pictures meanwhile
    clock[0] += 0.9 * visuals.NEIGHBOUR_SECONDS
    assert np.array_equal(visuals.look(trainer, view)["distances"], first) and len(counted) == 1
    clock[0] += 0.2 * visuals.NEIGHBOUR_SECONDS
    assert not np.array_equal(visuals.look(trainer, view)["distances"], first) and len(counted) == 2


def test_another_picture_is_searched_for_at_once(searches):
    _, counted = searches
    trainer = trainer_of(conditional=True)
    a, b = (visuals.look(trainer, View(side=2, picked=i)) for i in (0, 3))
    assert not np.array_equal(a["distances"], b["distances"])
    visuals.look(trainer, View(side=2, picked=3, rows=(1,)))
    visuals.look(trainer, View(side=3, picked=3, rows=(1,)))
    trainer.set_live(replace(trainer.config, show_ema=False))
    visuals.look(trainer, View(side=3, picked=3, rows=(1,)))
    assert len(counted) == 5
    visuals.look(trainer, View(side=3, picked=3, rows=(1,), blend=(2, 0, 0.1, 0.0)))
    assert len(counted) == 5


def test_a_picked_place_that_the_grid_lacks_has_no_neighbours(plain):
    assert "neighbours" not in visuals.look(plain, View(side=2, picked=4))


def test_fewer_pictures_than_neighbours():
    data = noise(5)
    assert visuals.look(trainer_of(data), View(side=2, picked=0))["neighbours"].shape[0] == 5


# -- what the discriminator says of pictures that it has never seen ---------------------------------------------


def test_a_frame_keeps_what_d_says_of_pictures_that_it_is_trained_on_and_of_others():
    held_out = replace(quadrants(60), test_pixels=np.zeros((9, 28, 28, 1), np.uint8), test_labels=np.zeros(9, np.int32))
    for name in ("relativistic", "hinge", "least_squares"):
        config = GANConfig.from_flat({**SMALL, "loss": name, "conditional": True, "augment": "ada"})
        trainer = Trainer(config, held_out, path="graph")
        training, others, generated, p, r = visuals.record(trainer)["judged"]
        assert {0 <= value <= 1 for value in (training, others, generated)} == {True} and (p, r) == (0, 0)
        logits = trainer.logits(held_out.to_unit(held_out.known_tests), held_out.test_labels)
        if name == "hinge":
            assert others == pytest.approx(visuals.sigmoid(logits).mean(), abs=1e-5)
    nothing = Trainer(GANConfig.from_flat(SMALL), quadrants(60), path="graph")
    assert np.isnan(visuals.judged(nothing)).tolist() == [False, True, False, True, True]


def test_a_recording_has_what_d_said_over_the_steps_and_its_file_too(tmp_path):
    trainer = Trainer(GANConfig.from_flat(SMALL), quadrants(60), path="graph")
    training = TrainingRun(trainer, scored=False)
    for _ in range(3):
        training.record()
        training.train(1)
    now, past = training.look(View(), False, False), training.look(View(at=1), False, False)
    for frame in (now, past):
        assert frame["judged"]["step"].tolist() == training.recording.frames.steps
        assert frame["judged"]["values"].shape == (len(training.recording.frames), 5)
    folder = run_writing.save(tmp_path / "run", run_writing.Content.of(training, quadrants(60)))
    _, read = run_reading.opened(folder)
    np.testing.assert_array_equal(read.judged()["values"], training.recording.judged()["values"])


def test_frames_of_an_older_version_lack_it_and_the_run_goes_on(tmp_path):
    training = TrainingRun(Trainer(GANConfig.from_flat(SMALL), quadrants(60), path="graph"), scored=False)
    training.record()
    del training.recording.frames.items[0]["judged"]
    training.train(1)
    training.record()
    folder = run_writing.save(tmp_path / "run", run_writing.Content.of(training, quadrants(60)))
    values = run_reading.opened(folder)[1].judged()["values"]
    assert np.isnan(values[0]).all() and np.isfinite(values[1, [0, 2]]).all()
