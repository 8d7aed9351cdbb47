"""What the page looks at: shapes, finiteness, and each layer of networks simple enough to know the answer."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from gan_core.data import loading, point_datasets
from gan_core.data.points import OwnPoints
from gan_core.objectives.losses import LOSSES
from gan_core.recording import visuals
from gan_core.recording.snapshot import View
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer

SMALL = {"batch_size": 8, "data_size": 64, "g_layers": 1, "g_units": 6, "d_layers": 1, "d_units": 6}
EVERYTHING = View(heat=True, manifold=True, arrows=True)
NOTHING = View(heat=False, manifold=False, arrows=False)


def trainer_of(points=None, **settings):
    """An untrained run; looking compiles no training."""
    config = GANConfig.from_flat({**SMALL, **settings})
    data = (
        point_datasets.from_points(points)
        if config.data == "file"
        else loading.draw(config.data, config.data_size, config.seed, config.params())
    )
    return Trainer(config, data, TrainStep(config, data.points.shape, path="graph"))


def affine(g=None, d=None, **settings):
    """A run of networks without hidden layers: G(z) = z @ kernel + bias and D(x) = x @ kernel + bias."""
    trainer = trainer_of(**{"latent_dim": 2, **settings, "g_layers": 0, "d_layers": 0})
    for side, weights in (("g", g), ("d", d)):
        if weights is not None:
            trainer.state = {**trainer.state, side: [tf.constant(w, tf.float32) for w in weights]}
    trainer.state = {**trainer.state, "ema": trainer.state["g"]}
    return trainer


IDENTITY = (np.eye(2), np.zeros(2))


def direction(x, y, bias=0.0):
    """Weights of the discriminator x X + y Y + bias."""
    return np.array([[x], [y]]), np.array([bias])


def test_fixed_z_are_drawn_once_and_few_are_kept():
    trainer = trainer_of()
    first = trainer.latent(5)
    assert trainer.latent(5) is first
    others = [trainer.latent(5, draw).numpy() for draw in range(1, 20)]
    assert len({z.tobytes() for z in [first.numpy(), *others]}) == 20
    assert len(trainer._latents) < 10
    np.testing.assert_array_equal(trainer.latent(5), first)  # forgotten meanwhile, and drawn again
    trainer.set_live(trainer.config.updated({"seed": 8}))
    assert (trainer.latent(5).numpy() != first.numpy()).all()


# -- every configuration ------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("z_dist", ["normal", "uniform"])
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_shapes_and_finiteness(loss, z_dist, latent_dim):
    trainer = trainer_of(loss=loss, z_dist=z_dist, latent_dim=latent_dim)
    frame = visuals.look(trainer, EVERYTHING)
    shapes = {
        "samples": (visuals.SAMPLES, 2),
        "heat": (visuals.HEAT_SIDE, visuals.HEAT_SIDE),
        "arrows": (visuals.ARROWS, 2, 2),
    }
    if latent_dim == 1:
        shapes["manifold"] = (1, visuals.MANIFOLD_LINE, 2)
    elif latent_dim == 2:
        shapes["manifold"] = (2 * visuals.MANIFOLD_SIDE, visuals.MANIFOLD_SIDE, 2)
    assert {name: array.shape for name, array in frame.items()} == shapes
    for name, array in frame.items():
        assert array.dtype == np.float32, name
        assert np.isfinite(array).all(), name
    assert 0 <= frame["heat"].min() <= frame["heat"].max() <= 1


@pytest.mark.parametrize("shown", ["heat", "manifold", "arrows"])
def test_only_what_is_shown_is_made(shown):
    trainer = trainer_of()
    assert set(visuals.look(trainer, NOTHING)) == {"samples"}
    view = View(**{"heat": False, "manifold": False, "arrows": False, shown: True})
    assert set(visuals.look(trainer, view)) == {"samples", shown}


@pytest.mark.parametrize("loss", LOSSES)
def test_fewer_real_points_than_arrows(loss):
    frame = visuals.look(trainer_of(loss=loss, data_size=16), EVERYTHING)
    assert frame["arrows"].shape == (visuals.ARROWS, 2, 2)
    assert all(np.isfinite(array).all() for array in frame.values())


@pytest.mark.parametrize("packing", [2, 3, 4])
def test_a_discriminator_of_packs_is_looked_at_like_any_other(packing):
    """With fewer real points than companions and arrows too."""
    trainer = trainer_of(packing=packing, batch_size=24, data_size=16, loss="relativistic")
    frame = visuals.look(trainer, EVERYTHING)
    assert frame["arrows"].shape == (visuals.ARROWS, 2, 2) and frame["heat"].shape == (visuals.HEAT_SIDE,) * 2
    assert all(np.isfinite(array).all() for array in frame.values())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_heat_stays_in_range_whatever_the_logits(loss, sign):
    trainer = affine(d=direction(1e6 * sign, 1e6), loss=loss)
    heat = visuals.look(trainer, View())["heat"]
    assert heat.min() == 0 and heat.max() == 1


def test_looking_twice_shows_the_same():
    trainer = trainer_of()
    first, second = (visuals.look(trainer, EVERYTHING) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("show_ema", [True, False])
def test_the_chosen_generator_is_shown(show_ema):
    trainer = trainer_of(show_ema=show_ema)
    trainer.state = {**trainer.state, "g": [w + 1.0 for w in trainer.state["g"]]}
    shown = trainer.state["ema" if show_ema else "g"]

    def generated(n):
        return trainer.data.from_unit(trainer.program.generate(shown, [], trainer.latent(n), None).numpy())

    frame = visuals.look(trainer, EVERYTHING)
    assert np.array_equal(frame["samples"], generated(visuals.SAMPLES))
    tails = generated(visuals.ARROWS)
    np.testing.assert_allclose(frame["arrows"][:, 0], tails, rtol=1e-5, atol=1e-6)


# -- the heat map -------------------------------------------------------------------------------------------


def test_the_heat_is_the_probability_at_every_cell():
    """D = 2 x - 3 y + 0.5, on data of scale 1."""
    trainer = affine(d=direction(2.0, -3.0, 0.5), loss="non_saturating")
    heat = visuals.look(trainer, View())["heat"]
    line = np.linspace(-1.5, 1.5, visuals.HEAT_SIDE)
    x, y = line[None, :], line[:, None]  # rows of rising y
    np.testing.assert_allclose(heat, 1 / (1 + np.exp(-(2 * x - 3 * y + 0.5))), rtol=1e-4, atol=1e-6)


def test_the_heat_of_least_squares_is_the_clipped_output():
    trainer = affine(d=direction(1.0, 0.0), loss="least_squares")
    heat = visuals.look(trainer, View())["heat"]
    expected = np.clip(np.linspace(-1.5, 1.5, visuals.HEAT_SIDE), 0, 1)
    np.testing.assert_allclose(heat, np.broadcast_to(expected, heat.shape), atol=1e-5)


def test_the_heat_of_the_relativistic_loss_is_half_midway_between_real_and_fake():
    """Real points around (0, 0), all generated ones at (1, 0): half is at x = 0.5, whatever D's bias."""
    maps = []
    for bias in (0.0, 40.0):
        trainer = affine((np.zeros((2, 2)), np.array([1.0, 0.0])), direction(-8.0, 0.0, bias), loss="relativistic")
        maps.append(visuals.look(trainer, View())["heat"])
    x = np.linspace(-1.5, 1.5, visuals.HEAT_SIDE)
    real = trainer.data.points.mean(0)[0]
    expected = 1 / (1 + np.exp(8 * (x - (real + 1) / 2)))
    np.testing.assert_allclose(maps[0], np.broadcast_to(expected, maps[0].shape), atol=1e-4)
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-4)


def test_the_heat_covers_the_plot_of_a_users_points():
    points = np.random.default_rng(0).uniform([100, -5], [120, 5], (40, 2)).astype(np.float32)
    trainer = trainer_of(points, data="file")
    x, y = visuals.heat_axis(trainer)
    assert len(x) == len(y) == visuals.HEAT_SIDE
    assert (x[0] + x[-1]) / 2 == pytest.approx(trainer.data.center[0])
    assert (y[0] + y[-1]) / 2 == pytest.approx(trainer.data.center[1])
    assert x[-1] - x[0] == pytest.approx(2 * trainer.data.limit) == pytest.approx(y[-1] - y[0])


def test_axes_that_are_not_measured_alike_fill_the_plot_each():
    points = np.random.default_rng(0).uniform([100, -5], [120, 5000], (40, 2)).astype(np.float32)
    trainer = affine(IDENTITY, direction(3.0, 4.0), points=OwnPoints(points), loss="non_saturating", data="file")
    low, high = points.min(0), points.max(0)
    for line, a, b in zip(visuals.heat_axis(trainer), low, high, strict=True):
        assert (line[0] + line[-1]) / 2 == pytest.approx((a + b) / 2) and line[-1] - line[0] == pytest.approx(
            1.25 * (b - a)
        )
    heat = visuals.look(trainer, View())["heat"]
    unit = np.linspace(-1.25, 1.25, visuals.HEAT_SIDE)
    expected = 1 / (1 + np.exp(-(3 * unit[None] + 4 * unit[:, None])))
    np.testing.assert_allclose(heat, expected, atol=1e-4)
    arrows = visuals.look(trainer, EVERYTHING)["arrows"].astype(float)
    reach = (arrows[:, 1] - arrows[:, 0]) / trainer.data.scales  # in training units, where the push is along (3, 4)
    np.testing.assert_allclose(reach[:, 0] * 4, reach[:, 1] * 3, rtol=1e-2, atol=1e-3)


# -- the manifold -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z_dist", ["normal", "uniform"])
def test_the_manifold_is_the_image_of_both_families_of_grid_lines(z_dist):
    lines = visuals.look(affine(IDENTITY, z_dist=z_dist), EVERYTHING)["manifold"]
    side = visuals.MANIFOLD_SIDE
    t = np.linspace(-1, 1, side) if z_dist == "uniform" else norm.ppf(np.linspace(0.01, 0.99, side))
    for i in range(side):
        np.testing.assert_allclose(lines[i], np.stack([np.full(side, t[i]), t], 1), atol=1e-4)
        np.testing.assert_allclose(lines[side + i], np.stack([t, np.full(side, t[i])], 1), atol=1e-4)


def test_the_manifold_of_one_dimension_is_a_line():
    trainer = affine((np.array([[2.0, -1.0]]), np.array([0.5, 0.0])), latent_dim=1, z_dist="uniform")
    (line,) = visuals.look(trainer, EVERYTHING)["manifold"]
    t = np.linspace(-1, 1, visuals.MANIFOLD_LINE)
    np.testing.assert_allclose(line, np.stack([2 * t + 0.5, -t], 1), atol=1e-5)


# -- the arrows ---------------------------------------------------------------------------------------------


def test_the_arrows_by_hand():
    """D = 3 x + 4 y on data of scale 2: the push is (1 - sigmoid(D)) (3, 4)."""
    w = np.array([3.0, 4.0])
    trainer = affine(IDENTITY, direction(*w), loss="non_saturating", **{"data": "disc", "data.radius": 2.0})
    arrows = visuals.look(trainer, EVERYTHING)["arrows"].astype(float)
    z = trainer.latent(visuals.ARROWS).numpy().astype(float)
    np.testing.assert_allclose(arrows[:, 0], 2 * z, rtol=1e-4, atol=1e-5)
    push = 5 / (1 + np.exp(z @ w))
    reach = visuals.ARROW_REACH * trainer.data.limit * push / (1 + push)
    np.testing.assert_allclose(arrows[:, 1] - arrows[:, 0], reach[:, None] * w / 5, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_arrows_point_where_the_generators_loss_falls_and_are_bounded(loss):
    trainer = affine(IDENTITY, direction(1e3, 0.0), loss=loss)
    arrows = visuals.look(trainer, EVERYTHING)["arrows"].astype(float)
    reach = arrows[:, 1] - arrows[:, 0]
    assert np.linalg.norm(reach, axis=1).max() <= visuals.ARROW_REACH * trainer.data.limit * (1 + 1e-5)
    left = arrows[:, 0, 0] < -1.05  # of every real point, so that each loss wants them to move
    assert left.sum() > 10
    if loss != "minimax":  # which is flat there: it saturates
        assert (reach[left, 0] > 0).all()
    np.testing.assert_allclose(reach[:, 1], 0, atol=1e-6)


def test_where_the_generator_learns_nothing_the_arrows_have_no_length():
    arrows = visuals.look(affine(IDENTITY, direction(0.0, 0.0)), EVERYTHING)["arrows"]
    np.testing.assert_array_equal(arrows[:, 0], arrows[:, 1])


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise"):
        values = visuals.sigmoid(np.array([-1e9, -2.0, 0.0, 2.0, 1e9]))
    np.testing.assert_allclose(values, [0, 1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-2), 1], atol=1e-12)
