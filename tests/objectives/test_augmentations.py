"""The augmentations, against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from gan_core.objectives.augmentations import AUGMENTATIONS, adapt, color, diffaugment, inside, shift

RNG = np.random.default_rng(0)
GRAY, COLORED = (tf.constant(RNG.uniform(-1, 1, (6, 8, 8, c)), tf.float32) for c in (1, 3))
OFF = {"augment_color": 0.0, "augment_translation": 0.0, "augment_cutout": 0.0}
HALF = tf.fill([6, 10], 0.5)  # the middle of every draw


def drawn(row, n=6, seed=0):
    return tf.constant(np.random.default_rng(seed).random((n, row.draws)), tf.float32)


@pytest.mark.parametrize("x", [GRAY, COLORED], ids=["gray", "colored"])
@pytest.mark.parametrize("name", ["diffaugment", "ada"])
def test_at_no_strength_pictures_stay_as_they_are(name, x):
    row = AUGMENTATIONS[name]
    given = {"p": 1.0} if row.adapt else {}
    np.testing.assert_array_equal(row.function(x, drawn(row), **given, **OFF), x)


def test_ada_does_nothing_at_p_0_and_at_p_1_what_diffaugment_does():
    full = {"augment_color": 1.0, "augment_translation": 0.25, "augment_cutout": 0.5}
    row = AUGMENTATIONS["ada"]
    u = drawn(row)
    np.testing.assert_array_equal(row.function(COLORED, u, p=tf.constant(0.0), **full), COLORED)
    np.testing.assert_array_equal(row.function(COLORED, u, p=tf.constant(1.0), **full), diffaugment(COLORED, u, **full))
    some = row.function(COLORED, u, p=tf.constant(0.5), **{**OFF, "augment_color": 1.0}).numpy()
    same = [np.array_equal(a, b) for a, b in zip(some, COLORED.numpy(), strict=True)]
    assert same == (u[:, 7] >= 0.5).numpy().tolist()


def test_a_shift_moves_whole_pixels_and_brings_in_middle_gray():
    for u, by in ((0.0, -2), (0.5, 0), (0.999, 2)):  # 8 pixels, at most a quarter of them
        rows = shift(tf.fill([6], u), tf.fill([6], 0.25), 8)
        moved = tf.einsum("nij,njkc->nikc", rows, COLORED).numpy()
        wanted = np.zeros_like(moved)
        wanted[:, max(0, -by) : 8 - max(0, by)] = COLORED.numpy()[:, max(0, by) : 8 - max(0, -by)]
        np.testing.assert_array_equal(moved, wanted)
    u = tf.constant(np.linspace(0, 0.999, 500), tf.float32)
    far = (tf.argmax(shift(u, tf.fill([500], 0.25), 8)[:, 3], 1).numpy() - 3).tolist()
    assert sorted({*far}) == [-2, -1, 0, 1, 2] and min(far.count(by) for by in {*far}) >= 99


def test_a_cut_has_its_size_and_may_lie_over_the_edge():
    assert inside(tf.constant([0.5]), tf.constant([0.5]), 8).numpy().tolist() == [[0, 0, 1, 1, 1, 1, 0, 0]]
    assert inside(tf.constant([0.0]), tf.constant([0.5]), 8).numpy().tolist() == [[1, 1, 0, 0, 0, 0, 0, 0]]
    x = diffaugment(tf.ones([6, 8, 8, 1]), HALF, **{**OFF, "augment_cutout": 0.5}).numpy()
    assert (x == 0).sum() == 6 * 16 and (x == 1).sum() == 6 * 48


def test_colors_change_as_in_the_paper():
    u = np.array([[0.9, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]] * 2, np.float32)
    made, x = color(COLORED, tf.constant(u), tf.ones([6, 1, 1, 1])).numpy(), COLORED.numpy()
    np.testing.assert_allclose(made[0], x[0] + 0.4, atol=1e-6)
    np.testing.assert_allclose(made[1], np.repeat(x[1].mean(-1, keepdims=True), 3, -1), atol=1e-6)  # saturation 0
    np.testing.assert_allclose(made[2], x[2].mean() + 0.5 * (x[2] - x[2].mean()), atol=1e-6)
    np.testing.assert_array_equal(color(GRAY, tf.constant(u), tf.ones([6, 1, 1, 1])), GRAY)


def test_the_gradient_passes_where_the_picture_is_seen():
    u = tf.concat([HALF[:, :5], tf.zeros([6, 5])], 1)  # a cut over a corner
    x = tf.identity(GRAY)
    with tf.GradientTape() as tape:
        tape.watch(x)
        seen = tf.reduce_sum(diffaugment(x, u, **{**OFF, "augment_cutout": 0.5}))
    gradient = tape.gradient(seen, x).numpy()
    assert (gradient[:, :2, :2] == 0).all() and gradient.sum() == 6 * 60


def test_a_strength_is_a_tensor_that_may_change():
    traces = []

    @tf.function
    def seen(x, u, strength):
        traces.append(0)
        return diffaugment(x, u, strength, strength / 8, strength / 2)

    u = drawn(AUGMENTATIONS["diffaugment"])
    made = [seen(COLORED, u, tf.constant(s)).numpy() for s in (0.0, 0.5, 1.0)]
    assert len(traces) == 1 and np.array_equal(made[0], COLORED)
    assert not np.array_equal(made[1], made[2])


def test_p_rises_above_the_target_and_falls_below_it():
    def after(p, r, right, images=100):
        return [float(v) for v in adapt(*map(tf.constant, (p, r, right)), images, tf.constant(0.6), tf.constant(1.0))]

    assert after(0.5, 1.0, 1.0) == pytest.approx([0.6, 1.0])
    assert after(0.5, 0.0, 0.5) == pytest.approx([0.4, 0.0])
    assert after(0.95, 1.0, 1.0)[0] == 1.0 and after(0.05, 0.0, 0.5)[0] == 0.0
    assert after(0.5, 0.4, 1.0)[1] == pytest.approx(0.75 * 0.4 + 0.25)
