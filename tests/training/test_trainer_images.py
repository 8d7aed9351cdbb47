"""The engine on images: a step written out by hand, the layers' own states, classes, and every architecture."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_core.data.loading import class_count
from gan_core.data.pictures import Pictures
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.networks.layers.normalisation import BATCH_NORM_MOMENTUM
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.penalties import PENALTIES
from gan_core.recording import visuals
from gan_core.recording.snapshot import View
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import GANConfig
from gan_core.training.batches import draw_z
from gan_core.training.train_step import COLUMNS, TrainStep
from gan_core.training.trainer import Trainer
from gan_core.training.updates import LABELS, REAL_D, REAL_G, Z_D, Z_G
from tests.support.trainers import LIVE_OF_IMAGES, LIVE_START, LIVE_VALUES, arrays, drawer, norm_of, same

SMALL = {"data": "digits", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 4}
SMALL |= {"g_units": 8, "d_units": 8, "g_norm": "none", "d_norm": "none", "loss": "relativistic", "penalty": "r1"}
NAMES = tuple("abc")


def settings(**changes):
    return GANConfig.from_flat({**SMALL, **changes})


def noise(n=40, side=28, channels=1, classes=3, seed=0):
    """Random pictures with random classes."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, side, side, channels)).astype(np.uint8)
    labels = rng.integers(0, classes, n).astype(np.int32) if classes else None
    return Pictures(pixels, labels, tuple(f"class {i}" for i in range(classes)))


DATA = noise()


def compiled(config, data=DATA, path="graph"):
    return TrainStep(config, data.array.shape, path, class_count(config, data))


def uncompiled(config, data=DATA):
    """A program that trains operation by operation: no tracing, for a few steps of many configs."""
    program = compiled(config, data, path="graph")
    program.train = program._train
    return program


def trainer_of(config, program=None, data=DATA):
    return Trainer(config, data, program or uncompiled(config, data))


def samples(trainer):
    labels = np.arange(6) % trainer.classes if trainer.classes else None
    return trainer.samples(trainer.latent(6), ema=False, labels=labels)


# A layer of every kind that has a state of its own: batch statistics, dropout's counter, spectral norm's vectors.
BASE = settings(g_norm="batch", d_norm="spectral", dropout=0.2, penalty="r1", ema_decay=0.5)


@pytest.fixture(scope="module")
def program():
    return compiled(BASE)


@pytest.fixture
def trainer(program):
    return trainer_of(BASE, program)


# -- the step by hand ---------------------------------------------------------------------------------------


class DCGAN:
    """The dcgan for 28 x 28 with batch norm, from its weights: 2 stages both ways."""

    def __init__(self, state, side):
        self.weights = [tf.Variable(w) for w in state[side]]
        self.moving = [m.numpy() for m in state[f"{side}_extra"]]
        self.run = self.generator if side == "g" else self.discriminator

    def normed(self, x, gamma, beta):
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        self.statistics += [mean.numpy(), variance.numpy()]
        return (x - mean) * tf.math.rsqrt(variance + 1e-3) * gamma + beta

    def generator(self, z):
        k1, b1, gamma1, beta1, k2, b2, gamma2, beta2, k3, b3 = self.weights
        x = tf.reshape(z @ k1 + b1, [8, 7, 7, 16])
        x = tf.nn.relu(self.normed(x, gamma1, beta1))
        x = tf.nn.conv2d_transpose(x, k2, [8, 14, 14, 8], 2) + b2
        x = tf.nn.relu(self.normed(x, gamma2, beta2))
        return tf.tanh(tf.nn.conv2d_transpose(x, k3, [8, 28, 28, 1], 2) + b3)

    def discriminator(self, x):
        k1, b1, k2, b2, gamma, beta, k3, b3 = self.weights
        x = tf.nn.conv2d(x, k1, 2, "SAME") + b1
        x = self.normed(tf.nn.conv2d(tf.maximum(x, 0.2 * x), k2, 2, "SAME") + b2, gamma, beta)
        return tf.reshape(tf.maximum(x, 0.2 * x), [8, -1]) @ k3 + b3

    def __call__(self, x, remember=False):
        self.statistics = []
        y = self.run(x)
        if remember:
            pairs = zip(self.moving, self.statistics, strict=True)
            self.moving = [BATCH_NORM_MOMENTUM * old + (1 - BATCH_NORM_MOMENTUM) * new for old, new in pairs]
        return y


def cross_entropy(logits, labels):
    return tf.reduce_mean(tf.math.softplus(logits) - labels * logits)


def test_the_step_by_hand():
    """Batch norm in both networks, cross-entropy with smoothed, noisy labels, R1, d_steps 2.

    Not with Adam, which would blow up the rounding in the gradient of a bias that batch norm takes away again.
    """
    config = settings(
        **{"loss": "non_saturating", "penalty": "r1", "gp_weight": 0.2, "g_norm": "batch", "d_norm": "batch"},
        **{"g_optimizer": "sgd", "d_optimizer": "sgd", "g_momentum": 0.5, "g_lr": 0.2, "d_lr": 0.02},
        **{"d_steps": 2, "seed": 5, "label_smoothing": 0.2, "label_noise": 0.1, "ema_decay": 0.3},
    )
    trainer = trainer_of(config, compiled(config))
    g, d = DCGAN(trainer.state, "g"), DCGAN(trainer.state, "d")
    g_optimizer, d_optimizer = keras.optimizers.SGD(0.2, 0.5), keras.optimizers.SGD(0.02)
    ema, ema_moving = [w.numpy() for w in g.weights], g.moving
    expected, draw = [], drawer(trainer)
    for step in range(3):
        for update in range(2):
            real, z, shift, *_ = draw(step, update)
            assert -1 <= real.min() < -0.9 < 0.9 < real.max() <= 1
            fake = g(z)  # the generator's statistics are kept in its own update only
            with tf.GradientTape() as outer:
                real_logits = d(real, remember=True)
                fake_logits = d(fake, remember=True)
                loss = cross_entropy(real_logits, 0.8 + 0.1 * shift[0]) + cross_entropy(fake_logits, 0.1 * shift[1])
                with tf.GradientTape() as inner:
                    pixels = tf.constant(real)
                    inner.watch(pixels)
                    total = tf.reduce_sum(d(pixels))
                penalty = tf.reduce_mean(tf.reduce_sum(inner.gradient(total, pixels) ** 2, [1, 2, 3])) / 2
                whole = loss + 0.2 * penalty
            d_gradients = outer.gradient(whole, d.weights)
            d_optimizer.apply(d_gradients, d.weights)
            right = [(real_logits.numpy() > 0).mean(), (fake_logits.numpy() <= 0).mean()]
            d_row = [float(loss), float(penalty), *right, norm_of(d_gradients)]
        with tf.GradientTape() as tape:
            loss = cross_entropy(d(g(draw(step, 0)[3], remember=True)), 1.0)
        g_gradients = tape.gradient(loss, g.weights)
        g_optimizer.apply(g_gradients, g.weights)
        expected.append([float(loss), *d_row, norm_of(g_gradients)])
        decay = min(0.3, (1 + step) / (10 + step))
        ema = [decay * old + (1 - decay) * new.numpy() for old, new in zip(ema, g.weights, strict=True)]
        ema_moving = [decay * old + (1 - decay) * new for old, new in zip(ema_moving, g.moving, strict=True)]
    np.testing.assert_allclose(trainer.train(3), expected, rtol=2e-3, atol=1e-4)
    names = {"g": g.weights, "d": d.weights, "ema": ema}
    names |= {"g_extra": g.moving, "d_extra": d.moving, "ema_extra": ema_moving}
    for name, theirs in names.items():
        for ours, value in zip(trainer.state[name], theirs, strict=True):
            np.testing.assert_allclose(ours, value, rtol=1e-3, atol=2e-5, err_msg=name)


def test_real_batches_are_the_pictures_in_training_units_with_their_classes():
    program = compiled(settings(conditional=True))
    data = {"x": tf.constant(DATA.pixels), "y": tf.constant(DATA.labels)}
    real, one_hot = program._draw_real(data, tf.constant([1, 2], tf.int64))
    assert real.dtype == tf.float32 and real.shape == (8, 28, 28, 1) and one_hot.shape == (8, 3)
    back = DATA.from_unit(real.numpy())
    np.testing.assert_allclose(real, DATA.to_unit(back), atol=1e-6)
    for picture, row in zip(back, one_hot.numpy(), strict=True):
        (i,) = np.flatnonzero((DATA.pixels == picture).all((1, 2, 3)))
        assert row.tolist() == np.eye(3)[DATA.labels[i]].tolist()


# -- every registry -----------------------------------------------------------------------------------------


def took_a_step(trainer):
    """The row of one step; asserts that it is finite and that both networks and the samples have moved."""
    before, shown = trainer.state, samples(trainer)
    rows = trainer.train(1)
    assert rows.shape == (1, len(COLUMNS)) and np.isfinite(rows).all()
    assert trainer.step == 1
    for side in ("g", "d", "ema"):
        for old, new in zip(before[side], trainer.state[side], strict=True):
            assert old.shape == new.shape and np.isfinite(new).all()
        assert not all(np.array_equal(old, new) for old, new in zip(before[side], trainer.state[side], strict=True))
    assert not np.array_equal(samples(trainer), shown)
    return dict(zip(COLUMNS, rows[0], strict=True))


@pytest.mark.parametrize("conditional", [False, True], ids=["plain", "conditional"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_takes_a_step(name, conditional):
    data = noise(16, (ARCHITECTURES[name].sides or (28,))[0], 3)
    config = settings(architecture=name, conditional=conditional, g_lr=0.01)
    trainer = trainer_of(config, data=data)
    assert trainer.classes == (3 if conditional else 0)
    took_a_step(trainer)


@pytest.mark.parametrize("loss, penalty", itertools.product(LOSSES, PENALTIES))
def test_every_loss_and_penalty_takes_a_step(loss, penalty):
    row = took_a_step(trainer_of(settings(loss=loss, penalty=penalty, g_lr=0.01)))
    assert (row["penalty"] > 0) == (penalty != "none")


@pytest.mark.parametrize("g_norm, d_norm", [("batch", "spectral"), ("layer", "batch")])
def test_dense_networks_train_in_xla_with_every_layer(g_norm, d_norm):
    """Where XLA has its own random numbers and loops: the states pass through those too."""
    config = settings(architecture="mlp", g_norm=g_norm, d_norm=d_norm, dropout=0.3, conditional=True)
    config = config.updated({"g_layers": 1, "d_layers": 2, "penalty": "none"})
    program = compiled(config, path="xla")
    runs = []
    for groups in ([4], [1, 3]):
        trainer = trainer_of(config, program)
        runs.append((np.concatenate([trainer.train(n) for n in groups]), trainer.state))
    assert np.isfinite(runs[0][0]).all()
    assert np.array_equal(runs[0][0], runs[1][0]) and same(runs[0][1], runs[1][1])
    assert program.traces == 1


# -- determinism --------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run_however_the_steps_are_grouped(program):
    runs = []
    for groups in ([6], [1] * 6, [3, 1, 2]):
        trainer = trainer_of(BASE, program)
        rows = np.concatenate([trainer.train(n) for n in groups])
        runs.append((rows, samples(trainer), trainer.state))
    for rows, pictures, state in runs[1:]:
        assert np.array_equal(rows, runs[0][0])
        assert np.array_equal(pictures, runs[0][1])
        assert same(state, runs[0][2])


def test_another_seed_gives_another_run(program):
    a, b = (trainer_of(BASE.updated({"seed": seed}), program) for seed in (1, 2))
    for side in ("g", "d"):
        for one, two in zip(a.state[side], b.state[side], strict=True):
            assert one.ndim < 2 or not np.array_equal(one, two)
    b.state = a.state
    assert not np.array_equal(a.train(1), b.train(1))


def test_looking_between_steps_changes_nothing(program):
    plain, watched = trainer_of(BASE, program), trainer_of(BASE, program)
    for show_ema in (True, False):
        plain.train(2)
        watched.set_live(BASE.updated({"show_ema": show_ema}))
        before = arrays(watched.state)
        visuals.look(watched, View(side=3, picked=1, blend=(4, 0, 0.3, 0.6)))
        assert all(np.array_equal(a, b) for a, b in zip(before, arrays(watched.state), strict=True))
        watched.train(2)
    assert same(plain.state, watched.state)


def test_reset_goes_back_to_the_same_start(trainer):
    start, first = arrays(trainer.state), trainer.train(3)
    trainer.reset()
    assert all(np.array_equal(a, b) for a, b in zip(start, arrays(trainer.state), strict=True))
    assert np.array_equal(trainer.train(3), first)


def test_the_layers_own_states_advance(program, trainer):
    """Batch statistics in G, dropout's counter and spectral norm's vectors in D, though the weights hardly move."""
    still = trainer_of(BASE.updated({"g_lr": 1e-5, "d_lr": 1e-5}), program)

    def own():  # but for the vector of the logit's layer, which has one entry, 1
        return [e for e in arrays(still.state["d_extra"] + still.state["g_extra"]) if e.size > 1]

    seen = [own()]
    for _ in range(3):
        still.train(1)
        seen.append(own())
    assert len(seen[0]) == 4 + 2 + 2
    for before, after in itertools.pairwise(seen):
        assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    counters = [e for e in still.state["d_extra"] if e.dtype != tf.float32]
    assert len(counters) == 2  # of each of the two dropouts
    vectors = [e.numpy() for e in still.state["d_extra"] if e.dtype == tf.float32]
    for u in vectors:
        assert np.linalg.norm(u) == pytest.approx(1.0, abs=1e-4)


def test_two_updates_in_a_step_drop_other_features(program):
    """The same draws twice: d_steps 2 leaves the counter further on than d_steps 1."""
    counts = []
    for d_steps in (1, 2):
        trainer = trainer_of(BASE.updated({"d_steps": d_steps}), program)
        start = next(e.numpy() for e in trainer.state["d_extra"] if e.dtype != tf.float32)
        trainer.train(1)
        counts.append(next(e.numpy() for e in trainer.state["d_extra"] if e.dtype != tf.float32) - start)
    assert (counts[1] == 2 * counts[0]).all() and counts[0].any()


def test_the_averaged_statistics_follow_the_generators():
    config = settings(g_norm="batch", ema_decay=0.9)
    trainer = trainer_of(config)
    ema = arrays(trainer.state["ema_extra"])
    for step in range(3):
        trainer.train(1)
        decay = min(0.9, (1 + step) / (10 + step))
        ema = [decay * old + (1 - decay) * new for old, new in zip(ema, arrays(trainer.state["g_extra"]), strict=True)]
        for ours, theirs in zip(trainer.state["ema_extra"], ema, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert not same(trainer.state["ema_extra"], trainer.state["g_extra"])


def test_looking_uses_the_statistics_and_not_the_batch(trainer):
    """A picture is the same whatever is generated beside it."""
    trainer.train(2)
    z = trainer.latent(6)
    for ema in (True, False):
        together = trainer.generated(z, ema)
        alone = np.concatenate([trainer.generated(z[i : i + 1], ema) for i in range(6)])
        np.testing.assert_allclose(together, alone, atol=1e-5)
    assert not np.allclose(trainer.generated(z, True), trainer.generated(z, False), atol=1e-3)


# -- live settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIVE_VALUES)
def test_a_live_change_acts_and_traces_nothing(program, name):
    start = BASE.updated(LIVE_START)
    changed, unchanged = trainer_of(start, program), trainer_of(start, program)
    for trainer in (changed, unchanged):
        trainer.train(1)
    changed.set_live(start.updated({name: LIVE_VALUES[name]}))
    for trainer in (changed, unchanged):
        trainer.train(3)
    assert program.traces == 1
    assert same(changed.state, unchanged.state) == (name == "show_ema")


# -- classes ------------------------------------------------------------------------------------------------


def test_real_and_fake_share_their_classes(monkeypatch):
    """Those of the real batch, in both updates."""
    config = settings(conditional=True, loss="relativistic", penalty="r1_r2")
    trainer = trainer_of(config)
    program, told = trainer.program, []
    fake, judge = program._fake, program._judge
    monkeypatch.setattr(program, "_fake", lambda g, extra, z, y, **k: told.append(y) or fake(g, extra, z, y, **k))
    monkeypatch.setattr(program, "_judge", lambda d, extra, x, y, **k: told.append(y) or judge(d, extra, x, y, **k))
    trainer.train(1)
    seed, step = trainer._seed, tf.constant(0)
    _, of_d = program._draw_real(trainer.inputs, program._key(seed, step, REAL_D))
    _, of_g = program._draw_real(trainer.inputs, program._key(seed, step, REAL_G))
    # D: fake made, real and fake judged, both penalties; G: real judged, fake made and judged
    assert len(told) == 8
    for i, y in enumerate(told):
        assert np.array_equal(y, of_d if i < 5 else of_g)
    assert not np.array_equal(of_d, of_g)


def test_the_purposes_are_five():
    """Else the keys above would not be all."""
    assert sorted((REAL_D, Z_D, Z_G, REAL_G, LABELS)) == list(range(5))


def test_what_is_generated_depends_on_the_class():
    config = settings(conditional=True)
    trainer = trainer_of(config)
    z = tf.tile(trainer.latent(1), [3, 1])
    pictures = trainer.generated(z, ema=False, labels=np.arange(3))
    assert not np.allclose(pictures[0], pictures[1], atol=1e-3)
    again = trainer.generated(z, ema=False, labels=np.array([2, 2, 2]))
    np.testing.assert_allclose(again, np.repeat(pictures[2:], 3, 0), atol=1e-6)
    x = trainer.data.to_unit(DATA.pixels[:1])
    logits = [trainer.logits(x, np.array([c])).item() for c in range(3)]
    assert len(set(logits)) == 3


def test_drawn_classes_are_as_frequent_as_in_the_data():
    data = noise(1_000)
    uneven = Pictures(data.pixels, np.repeat(np.int32([0, 1, 2]), [700, 200, 100]), NAMES)
    trainer = trainer_of(settings(conditional=True), compiled(settings(conditional=True), uneven), uneven)
    drawn = trainer.labels(5_000)
    np.testing.assert_allclose(np.bincount(drawn) / 5_000, [0.7, 0.2, 0.1], atol=0.03)
    assert np.array_equal(drawn, trainer.labels(5_000)) and not np.array_equal(drawn, trainer.labels(5_000, draw=1))
    # Without classes given, samples have these.
    z = trainer.latent(8)
    assert np.array_equal(trainer.samples(z, True), trainer.samples(z, True, trainer.labels(8)))


def test_an_unconditional_run_ignores_classes(trainer):
    z = trainer.latent(3)
    assert trainer.classes == 0 and "y" not in trainer.inputs
    assert np.array_equal(trainer.samples(z, True), trainer.samples(z, True, np.array([0, 1, 2])))


# -- what does not go together ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, said",
    [
        (noise(classes=0), "has no classes"),
        (noise(classes=1), "has 1."),
        (noise(classes=101), "has 101."),
        (noise(classes=1_000), "has 1,000."),
    ],
    ids=["none", "1", "101", "1000"],
)
def test_classes_that_networks_cannot_be_told_are_a_sentence(data, said):
    config = settings(conditional=True)
    with pytest.raises(ConfigError) as caught:
        Trainer(config, data)
    assert str(caught.value) == f"Conditional training needs data of 2 to 100 classes; digits {said}".rstrip(".") + "."


def test_the_most_and_the_fewest_classes():
    for classes in (2, 100):
        data = noise(16, classes=classes)
        assert Trainer(settings(conditional=True), data, path="graph").classes == classes


@pytest.mark.parametrize("name, side", [("tutorial_conv", 64), ("tutorial_dcgan64", 28), ("dcgan", 40), ("resnet", 27)])
def test_pictures_of_another_size_are_a_sentence(name, side):
    with pytest.raises(ConfigError, match=f"the data are {side} x {side} pixels"):
        Trainer(settings(architecture=name), noise(16, side))


def test_convolutions_make_no_points():
    with pytest.raises(ConfigError, match="The architecture dcgan is for images, but ring has points"):
        GANConfig.from_flat({"data": "ring", "architecture": "dcgan"})
    with pytest.raises(ConfigError, match="the data are points"):
        TrainStep(settings(), (100, 2))


def test_uniform_z_is_uniform():
    z = draw_z(settings(z_dist="uniform"), 100, tf.constant([1, 2], tf.int64), "philox")
    assert np.abs(z).max() <= 1


# -- augmentation ---------------------------------------------------------------------------------------------


class Seen:
    """A discriminator's logits, and all batches that it was shown."""

    def __init__(self, program):
        self.batches, self._judge = [], program._judge
        program._judge = self

    def __call__(self, d, extra, x, y, training=False):
        self.batches.append(x.numpy())
        return self._judge(d, extra, x, y, training=training)


@pytest.mark.parametrize("name", ["diffaugment", "ada"])
def test_real_and_generated_pictures_are_moved_and_the_penalty_looks_at_the_same_ones(name):
    config = settings(augment=name, augment_cutout=1.0, augment_translation=0.0, instance_noise=0.0)
    trainer = trainer_of(config)
    if name == "ada":
        trainer.state = {**trainer.state, "augment": {"p": tf.constant(1.0), "r": tf.constant(1.0)}}
    seen = Seen(trainer.program)
    trainer.train(1)
    real, fake, penalised, again, of_g = seen.batches
    assert all((batch == 0).mean() > 0.4 for batch in seen.batches)  # cut out, at random places
    np.testing.assert_array_equal(penalised, real)
    assert not np.array_equal(real == 0, fake == 0) and not np.array_equal(again == 0, of_g == 0)


def test_what_is_seen_of_a_step_are_the_pictures_before_they_are_moved():
    config = settings(augment="diffaugment", augment_cutout=1.0)
    trainer = trainer_of(config)
    given = trainer.inputs, trainer.live, tf.constant(config.seed, tf.int64)
    _, of_d = trainer.program._update_d(trainer.state, *given, tf.constant(0))
    _, _, of_g = trainer.program._dissect_g(trainer.state, *given)
    pixels = {row.tobytes() for row in trainer.data.pixels}
    assert all(row.tobytes() in pixels for row in trainer.data.from_unit(of_d["real"].numpy()))
    cut = np.abs(of_g["at_samples"].numpy()).max((1, 2, 3))
    assert of_g["at_samples"].shape == of_g["fake"].shape and (cut > 0).any()


def test_ada_goes_by_the_discriminators_accuracy_and_stands_in_checkpoints(tmp_path):
    config = settings(augment="ada", ada_kimg=1, ada_target=0.0, d_steps=2)
    program = compiled(config)
    trainer = trainer_of(config, program)
    rows = trainer.train(6)
    p = float(trainer.state["augment"]["p"])
    assert 0 < p <= 6 * 2 * 8 / 1000 and np.isfinite(rows).all()
    other = trainer_of(config, program)
    other.restore({name: np.asarray(tensor) for name, tensor in trainer.named().items()})
    assert np.array_equal(other.train(4), trainer.train(4)) and same(other.state, trainer.state)
    frozen = trainer_of(config.updated({"d_steps": 0}), program)
    frozen.train(2)
    assert float(frozen.state["augment"]["p"]) == 0.0


def test_without_augmentation_nothing_is_drawn_and_no_state_is_kept():
    trainer = trainer_of(settings())
    assert "augment" not in trainer.state and not any(name.startswith("augment") for name in trainer.named())
    rows = trainer.train(2)
    idle = trainer_of(settings(augment_cutout=0.9, augment_translation=0.3, ada_target=0.1))
    assert np.array_equal(idle.train(2), rows)


@pytest.fixture(scope="module")
def augmented():
    data = noise(channels=3)
    config = settings(augment="ada", ada_kimg=1.0, ada_target=0.0)
    return config, data, compiled(config, data)


@pytest.mark.parametrize("name", LIVE_OF_IMAGES)
def test_a_live_change_of_an_augmentation_acts_and_traces_nothing(augmented, name):
    config, data, program = augmented
    changed, unchanged = trainer_of(config, program, data), trainer_of(config, program, data)
    for trainer in (changed, unchanged):  # where p is high already
        trainer.state = {**trainer.state, "augment": {"p": tf.constant(0.9), "r": tf.constant(0.5)}}
        trainer.train(1)
    changed.set_live(config.updated({name: LIVE_OF_IMAGES[name]}))
    for trainer in (changed, unchanged):
        trainer.train(3)
    assert program.traces == 1 and not same(changed.state, unchanged.state)


def test_augmented_in_xla():
    for name in ("diffaugment", "ada"):
        config = settings(augment=name, architecture="mlp", g_layers=1, d_layers=1)
        rows = trainer_of(config, compiled(config, path="xla")).train(3)
        assert np.isfinite(rows).all()


def test_what_cannot_be_augmented_is_said():
    with pytest.raises(ConfigError, match="augment=ada is for images, but the data set ring has points"):
        GANConfig.from_flat({"data": "ring", "augment": "ada"})
    with pytest.raises(ConfigError, match=r"augment_translation must be a number from 0 to 0\.5; got 0\.9"):
        GANConfig.from_flat({"data": "digits", "augment": "diffaugment", "augment_translation": 0.9})
    gray = GANConfig.from_flat({"data": "mnist", "augment": "diffaugment", "augment_color": 0.5})
    assert "augment_color=0.5 does nothing: the pictures of mnist are gray." in doubtful(gray, ["augment_color"])
    assert doubtful(gray.updated({"data": "mnist_rgb"}), ["augment_color"]) == []
