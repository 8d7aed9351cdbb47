"""The engine's options: packing, clipping, instance noise, schedules, unrolling, minibatch statistics.

Each against a step in plain TensorFlow, where the options are written out by hand.
"""

import numpy as np
import pytest
import tensorflow as tf

from gan_core.data.pictures import Pictures
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.recording import visuals
from gan_core.settings.config import GANConfig
from gan_core.training.batches import draw_z, pack
from gan_core.training.train_step import COLUMNS, ROWS, TrainStep
from gan_core.training.trainer import COMPANIONS, COMPUTED, Diverged, Trainer
from gan_core.training.updates import NOISE_D, NOISE_G, PENALTY, REAL_D, REAL_G, UNROLLED, Z_D, Z_G
from tests.support.trainers import (
    LIVE_START,
    LIVE_VALUES,
    SMALL,
    arrays,
    assert_weights,
    compiled,
    data_of,
    leaky_network,
    norm_of,
    same,
    settings,
    trainer_of,
)

SGD = {"g_optimizer": "sgd", "d_optimizer": "sgd", "g_lr": 0.1, "d_lr": 0.2}


def row_of(rows, step=0):
    return dict(zip(COLUMNS, rows[step], strict=True))


def norm_between(before, after, side):
    """How far the weights of a network moved."""
    return norm_of([b - a for a, b in zip(arrays(before[side]), arrays(after[side]), strict=True)])


def at_step(trainer, step):
    """The same state as if it were reached at `step`."""
    trainer.state = {**trainer.state, "step": tf.constant(step)}
    return trainer


# -- the step by hand ---------------------------------------------------------------------------------------


def draws(trainer):
    """`draw(step)` -> what a step draws by purpose, from the keys that the program documents."""
    program, c, data = trainer.program, trainer.config, trainer.inputs
    n, seed = c.batch_size, tf.constant(c.seed, tf.int64)

    def draw(step):
        def uniform(update):
            key = program._key(seed, step, PENALTY, update)
            return tf.random.stateless_uniform([n // c.packing, 1], key, alg=program._rng)

        def normal(purpose):
            return tf.random.stateless_normal([2, n, 2], program._key(seed, step, purpose), alg=program._rng)

        def real(purpose):
            return program._draw_real(data, program._key(seed, step, purpose))[0]

        def z(purpose):
            return draw_z(c, n, program._key(seed, step, purpose), program._rng)

        return {
            **{purpose: real(purpose) for purpose in (REAL_D, REAL_G)},
            **{purpose: z(purpose) for purpose in (Z_D, Z_G)},
            **{purpose: normal(purpose) for purpose in (NOISE_D, NOISE_G)},
            **{PENALTY: uniform(0), UNROLLED: uniform(UNROLLED)},
        }

    if program.path != "graph":  # XLA alone knows threefry
        draw = tf.function(draw, jit_compile=True, autograph=False)
    return lambda step: draw(tf.constant(step))


class ByHand:
    """Gradient descent on leaky ReLU networks with every option written out, non-saturating or relativistic."""

    def __init__(self, trainer):
        self.c, self.draw = trainer.config, draws(trainer)
        self.g = [tf.constant(w) for w in trainer.state["g"]]
        self.d = [tf.constant(w) for w in trainer.state["d"]]

    def packs(self, x):
        """Those that stand one after the other, side by side."""
        m = self.c.packing
        return tf.concat([x[i::m] for i in range(m)], 1)

    def losses(self, d, real, fake):
        """(D's, G's)"""
        real, fake = leaky_network(d, real), leaky_network(d, fake)
        if self.c.loss == "relativistic":
            pairs = real - fake
            return tf.reduce_mean(tf.math.softplus(-pairs)), tf.reduce_mean(tf.math.softplus(pairs))
        d_loss = tf.reduce_mean(tf.math.softplus(-real)) + tf.reduce_mean(tf.math.softplus(fake))
        return d_loss, tf.reduce_mean(tf.math.softplus(-fake))

    def moved(self, weights, gradients, rate):
        """The weights after a step, its gradient no longer than grad_clip."""
        length = tf.sqrt(sum(tf.reduce_sum(g * g) for g in gradients))
        if self.c.grad_clip and length > self.c.grad_clip:
            gradients = [g * self.c.grad_clip / length for g in gradients]
        return [w - rate * g for w, g in zip(weights, gradients, strict=True)], float(length)

    def better_d(self, d, real, fake, weight, factor):
        """(the discriminator after an update on these packs, its loss, penalty and length of gradient)"""
        with tf.GradientTape() as tape:
            tape.watch(d)
            loss, _ = self.losses(d, real, fake)
            penalty = tf.constant(0.0)
            if self.c.penalty == "wgan_gp":
                between = weight * real + (1 - weight) * fake
                with tf.GradientTape() as inner:
                    inner.watch(between)
                    total = tf.reduce_sum(leaky_network(d, between))
                penalty = tf.reduce_mean((tf.norm(inner.gradient(total, between), axis=1) - 1) ** 2)
            whole = loss + self.c.gp_weight * penalty
        d, length = self.moved(d, tape.gradient(whole, d), factor * self.c.d_lr)
        bound = self.c.weight_clip
        if bound:
            d = [tf.where(w > bound, bound, tf.where(w < -bound, -bound, w)) for w in d]
        return d, [float(loss), float(penalty), length]

    def step(self, i):
        """The step's g_loss, d_loss, penalty, d_gradient and g_gradient."""
        c, drawn = self.c, self.draw(i)
        level = c.instance_noise * max(0.0, 1 - i / c.instance_noise_steps)
        factor = 1.0
        if c.schedule == "linear":
            factor = c.schedule_floor + (1 - c.schedule_floor) * max(0.0, 1 - i / c.schedule_steps)

        def seen(x, noise, kind):
            return self.packs(x + level * noise[kind])

        real = seen(drawn[REAL_D], drawn[NOISE_D], 0)
        fake = seen(leaky_network(self.g, drawn[Z_D]), drawn[NOISE_D], 1)
        self.d, (d_loss, penalty, d_length) = self.better_d(self.d, real, fake, drawn[PENALTY], factor)
        with tf.GradientTape() as tape:
            tape.watch(self.g)
            real = seen(drawn[REAL_G], drawn[NOISE_G], 0)
            fake = seen(leaky_network(self.g, drawn[Z_G]), drawn[NOISE_G], 1)
            d = self.d
            for _ in range(c.unroll):
                d, _ = self.better_d(d, real, fake, drawn[UNROLLED], factor)
            _, g_loss = self.losses(d, real, fake)
        self.g, g_length = self.moved(self.g, tape.gradient(g_loss, self.g), factor * c.g_lr)
        return [float(g_loss), d_loss, penalty, d_length, g_length]


OPTIONS = {
    "nothing": {},
    "packs of 2": {"packing": 2},
    "packs of 4, relativistic": {"packing": 4, "loss": "relativistic"},
    "instance noise": {"instance_noise": 0.5, "instance_noise_steps": 100},
    "clipped gradients": {"grad_clip": 0.05},
    "clipped weights": {"weight_clip": 0.3},
    "a schedule": {"schedule": "linear", "schedule_steps": 100, "schedule_floor": 0.1, "g_lr": 0.5, "d_lr": 0.5},
    "one unrolled step": {"unroll": 1},
    "three unrolled steps, relativistic": {"unroll": 3, "loss": "relativistic"},
}
EVERYTHING = {
    **{"packing": 2, "unroll": 1, "loss": "relativistic", "penalty": "wgan_gp", "gp_weight": 0.5},
    **{"instance_noise": 0.2, "instance_noise_steps": 100, "grad_clip": 0.3, "weight_clip": 0.5},
    **{"schedule": "linear", "schedule_steps": 100},
}


def as_by_hand(trainer, steps=2):
    reference = ByHand(trainer)
    expected = [reference.step(i) for i in range(steps)]
    columns = [COLUMNS.index(name) for name in ("g_loss", "d_loss", "penalty", "d_gradient", "g_gradient")]
    np.testing.assert_allclose(trainer.train(steps)[:, columns], expected, rtol=1e-3, atol=1e-5)
    assert_weights(trainer.state["g"], reference.g)
    assert_weights(trainer.state["d"], reference.d)
    return reference


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_an_option_as_by_hand(options):
    leaky = {"g_activation": "leaky_relu", "seed": 3}
    trainer = trainer_of(settings(**{**SGD, **leaky, **options}))
    as_by_hand(trainer)
    if options:  # and it acts
        plain = trainer_of(settings(**{**SGD, **leaky, "loss": trainer.config.loss}))
        plain.train(2)
        assert plain.state["g"][0].shape == trainer.state["g"][0].shape
        assert not np.allclose(plain.state["g"][0], trainer.state["g"][0], rtol=1e-3)


def test_everything_at_once_as_by_hand_in_xla_and_live_changes_trace_nothing():
    config = settings(**{**SGD, "g_activation": "leaky_relu", **EVERYTHING})
    trainer = trainer_of(config, compiled(config, "xla"))
    as_by_hand(trainer)
    for changes in ({"schedule": "cosine"}, {"weight_clip": 0.0}, {"instance_noise": 0.0}, {"grad_clip": 0.0}):
        trainer.set_live(config.updated(changes))
        assert np.isfinite(trainer.train(2)).all()
    assert trainer.program.traces == 1


# -- packing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 2, 3])
def test_a_pack_has_its_samples_side_by_side(m):
    rng = np.random.default_rng(0)
    for shape in ((12, 2), (6, 4, 5, 3)):
        x = rng.normal(size=shape).astype(np.float32)
        packs = pack(tf.constant(x), m).numpy()
        assert packs.shape == (shape[0] // m, *shape[1:-1], m * shape[-1])
        for i, one in enumerate(packs):
            np.testing.assert_array_equal(one, np.concatenate(list(x[i * m : (i + 1) * m]), -1))


def judged(trainer, monkeypatch):
    """What the discriminator is shown from now on, as arrays."""
    seen, judge = [], trainer.program._judge
    monkeypatch.setattr(
        trainer.program, "_judge", lambda d, extra, x, y, **k: seen.append(x.numpy()) or judge(d, extra, x, y, **k)
    )
    return seen


@pytest.mark.parametrize("loss, penalty, times", [("relativistic", "r1_r2", 6), ("hinge", "none", 3)])
def test_the_discriminator_sees_nothing_but_packs(monkeypatch, loss, penalty, times):
    trainer = trainer_of(settings(packing=4, loss=loss, penalty=penalty))
    seen = judged(trainer, monkeypatch)
    trainer.train(1)
    assert [x.shape for x in seen] == [(2, 8)] * times


def test_the_packs_are_those_of_the_real_batch(monkeypatch):
    trainer = trainer_of(settings(packing=2))
    seen, drawn = judged(trainer, monkeypatch), draws(trainer)(0)
    trainer.train(1)
    np.testing.assert_array_equal(seen[0], drawn[REAL_D].numpy().reshape(4, 4))


@pytest.mark.parametrize("packing", [2, 3])
def test_logits_of_a_packed_discriminator_are_a_mean_over_real_companions(packing):
    trainer = trainer_of(settings(packing=packing, batch_size=12))
    x = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
    expected = np.zeros(5)
    for i in range(COMPANIONS):
        others = trainer.data.array[i * (packing - 1) : (i + 1) * (packing - 1)].reshape(-1)
        sets = np.stack([np.concatenate([one, others]) for one in x])
        expected += leaky_network(arrays(trainer.state["d"]), sets).numpy()[:, 0] / COMPANIONS
    logits = trainer.logits(x)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(trainer.logits(x[2:3]), logits[2:3], rtol=1e-5)  # whoever is judged beside it
    assert logits.dtype == np.float32


@pytest.mark.parametrize("packing", [1, 2, 3, 4])
def test_arrows_of_a_packed_discriminator_are_each_samples_own(packing):
    """The gradient of a pack's loss at each of its samples."""
    trainer = trainer_of(settings(packing=packing, batch_size=12, data_size=200))
    n = visuals.ARROWS
    assert n % packing == 0
    state, z = trainer.state, trainer.latent(n)
    _, push = trainer.program.push(
        state["g"], state["g_extra"], state["d"], state["d_extra"], trainer.inputs["x"][:n], z, trainer.live
    )
    with tf.GradientTape() as tape:
        fake = tf.constant(trainer.generated(z, ema=False))
        tape.watch(fake)
        logits = leaky_network(state["d"], tf.reshape(fake, [n // packing, -1]))
        total = tf.reduce_sum(tf.math.softplus(-logits))
    np.testing.assert_allclose(push * (n // packing), -tape.gradient(total, fake), rtol=1e-3, atol=1e-6)
    drawn = visuals.arrows(trainer, ema=False)
    assert drawn.shape == (n, 2, 2) and np.isfinite(drawn).all()
    assert (np.linalg.norm(drawn[:, 1] - drawn[:, 0], axis=1) > 0).all()


# -- clipping -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", [0.01, 0.1, 100.0])
def test_the_applied_gradient_is_at_most_as_long_as_the_clip(clip):
    """By gradient descent with a rate of 1 the weights move by the gradient; the row has it unclipped."""
    config = settings(**{**SGD, "g_lr": 1.0, "d_lr": 1.0, "grad_clip": clip})
    trainer = trainer_of(config)
    before = trainer.state
    row = row_of(trainer.train(1))
    for side in "gd":
        length = row[f"{side}_gradient"]
        assert length > 0.1
        assert norm_between(before, trainer.state, side) == pytest.approx(min(clip, length), rel=1e-3)


def test_a_clip_that_is_never_reached_changes_nothing():
    config = settings(penalty="r1")
    plain, clipped = trainer_of(config), trainer_of(config.updated({"grad_clip": 100.0}))
    assert np.array_equal(plain.train(2), clipped.train(2))
    assert same(plain.state, clipped.state)


def test_clipped_weights_are_the_discriminators_alone():
    trainer = trainer_of(settings(weight_clip=0.02))
    trainer.train(2)
    for weight in arrays(trainer.state["d"]):  # biases too
        assert np.abs(weight).max() <= np.float32(0.02)
    assert np.abs(arrays(trainer.state["d"])[0]).max() == np.float32(0.02)
    assert np.abs(arrays(trainer.state["g"])[0]).max() > 0.1


# -- instance noise -----------------------------------------------------------------------------------------


def test_noise_that_has_ended_is_bit_for_bit_no_noise():
    config = settings(instance_noise=0.0, instance_noise_steps=100)
    plain, ended = (at_step(trainer_of(c), 100) for c in (config, config.updated({"instance_noise": 0.7})))
    assert np.array_equal(plain.train(2), ended.train(2))
    assert same(plain.state, ended.state)


@pytest.mark.parametrize("step, level", [(0, 0.4), (25, 0.3), (99, 0.004), (100, 0.0), (5_000, 0.0)])
def test_every_sample_that_the_discriminator_sees_has_the_noise(monkeypatch, step, level):
    config = settings(loss="relativistic", instance_noise=0.4, instance_noise_steps=100, batch_size=200)
    trainer = at_step(trainer_of(config), step)
    seen, drawn = judged(trainer, monkeypatch), draws(trainer)(step)
    fakes = [trainer.generated(drawn[z], ema=False) for z in (Z_D, Z_G)]  # the generator moves at the step's end
    trainer.train(1)
    without = (drawn[REAL_D], fakes[0], drawn[REAL_G], fakes[1])
    noises = [np.asarray(a - b) for a, b in zip(seen, without, strict=True)]
    for noise in noises:
        assert noise.std() == pytest.approx(level, rel=0.15, abs=1e-6)
    if level:  # each with its own
        assert np.abs(np.corrcoef([noise.ravel() for noise in noises]) - np.eye(4)).max() < 0.25


# -- schedules of the rates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule, step, factor", [("linear", 25, 0.75), ("cosine", 50, 0.5), ("linear", 90, 0.1)])
def test_the_rates_follow_the_schedule(schedule, step, factor):
    config = settings(**{**SGD, "schedule_steps": 100, "d_lr": 1e-5})
    plain, scheduled = (at_step(trainer_of(c), step) for c in (config, config.updated({"schedule": schedule})))
    start = plain.state
    plain.train(1)
    scheduled.train(1)
    for side in "gd":  # the rate of D is so low that G meets next to the same D
        moved = [arrays(t.state[side]) for t in (plain, scheduled)]
        for before, a, b in zip(arrays(start[side]), *moved, strict=True):
            np.testing.assert_allclose(b - before, factor * (a - before), rtol=0.05, atol=3e-7)


def test_after_the_schedule_nothing_moves_without_a_floor():
    config = settings(schedule="cosine", schedule_steps=100)
    still, floored = (at_step(trainer_of(c), 100) for c in (config, config.updated({"schedule_floor": 0.25})))
    start = still.state
    still.train(2)
    floored.train(2)
    for side in "gd":
        for before, after in zip(arrays(start[side]), arrays(still.state[side]), strict=True):
            np.testing.assert_allclose(after, before, atol=1e-6)
        assert norm_between(start, floored.state, side) > 1e-3


# -- unrolling ----------------------------------------------------------------------------------------------


def test_the_unrolled_discriminator_is_for_the_generators_gradient_only():
    config = settings(penalty="r1", d_norm="spectral", dropout=0.3, minibatch_std=True)
    plain, unrolled = trainer_of(config), trainer_of(config.updated({"unroll": 2}))
    plain.train(1)
    unrolled.train(1)
    for name in ("d", "d_extra", "d_opt", "d_row"):
        assert same(plain.state[name], unrolled.state[name])
    assert not same(plain.state["g"], unrolled.state["g"])


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_takes_an_unrolled_step_of_packs(loss):
    trainer = trainer_of(settings(loss=loss, packing=2, unroll=1, penalty="dragan", gp_weight=1.0))
    assert np.isfinite(trainer.train(1)).all()


@pytest.mark.parametrize("penalty", PENALTIES)
def test_every_penalty_takes_an_unrolled_step_with_minibatch_std_and_maxout(penalty):
    config = settings(penalty=penalty, unroll=1, minibatch_std=True, d_activation="maxout", gp_weight=1.0)
    assert np.isfinite(trainer_of(config).train(1)).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_can_be_unrolled(optimizer):
    """Relu leaves some gradients at exactly 0, where a root has no slope."""
    trainer = trainer_of(settings(d_optimizer=optimizer, unroll=2, d_activation="relu", g_activation="relu"))
    assert np.isfinite(trainer.train(2)).all()


def test_unrolling_a_discriminator_that_has_no_gradient():
    """Hinge's, once every sample is beyond its margin. In XLA, where the slope of a root at 0 is no number."""
    config = settings(loss="hinge", unroll=1, d_layers=0, g_layers=0)
    trainer = trainer_of(config, compiled(config, "xla"))
    trainer.inputs = {"x": tf.ones([8, 2])}
    d = [tf.constant([[2.0], [2.0]]), tf.constant([-1.5])]  # 2.5 of what is real, -1.5 of a generator that gives 0
    start = {**trainer.state, "d": d, "g": [tf.zeros_like(w) for w in trainer.state["g"]]}
    for options in ({}, {"grad_clip": 1.0}, {"weight_clip": 1.0}):
        trainer.state = start
        trainer.set_live(config.updated(options))
        row = row_of(trainer.train(1))
        assert row["d_loss"] == 0.0 and row["d_gradient"] == pytest.approx(0.0, abs=1e-6)
        assert np.isfinite(list(row.values())).all() and row["g_gradient"] > 0
    assert trainer.program.traces == 1


# -- minibatch standard deviation ---------------------------------------------------------------------------


def test_xla_knows_the_way_back_through_two_unrolled_steps_with_minibatch_std():
    config = settings(penalty="r1", unroll=2, minibatch_std=True)
    trainer = Trainer(config, data_of(config), path="xla")
    assert np.isfinite(trainer.train(1)).all()


def test_minibatch_std_in_training_and_in_looking():
    """Its running mean is a tenth of the real batch's, then of the fake one's; a logit is each sample's own."""
    trainer = trainer_of(settings(minibatch_std=True, d_layers=0))
    drawn = draws(trainer)(0)
    fake = trainer.generated(drawn[Z_D], ema=False)
    expected = 1.0
    for batch in (drawn[REAL_D].numpy(), fake):
        expected = 0.9 * expected + 0.1 * batch.std(0).mean()
    trainer.train(1)
    (typical,) = arrays(trainer.state["d_extra"])
    np.testing.assert_allclose(typical, [expected], rtol=1e-5)
    x = trainer.data.array[:6]
    kernel, bias = arrays(trainer.state["d"])
    by_hand = np.concatenate([x, np.full((6, 1), expected)], 1) @ kernel + bias
    np.testing.assert_allclose(trainer.logits(x), by_hand[:, 0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(trainer.logits(x[3:4]), by_hand[3], rtol=1e-4, atol=1e-6)


def test_the_discriminator_tells_a_collapsed_batch_by_its_minibatch_std(monkeypatch):
    """Every sample at one point: the feature beside it is next to 0."""
    trainer = trainer_of(settings(minibatch_std=True, d_layers=0))
    kernel = tf.constant([[0.0], [0.0], [1.0]])  # the logit is the feature
    d, extra = [kernel, tf.zeros([1])], trainer.state["d_extra"]
    spread, _ = trainer.program._judge(d, extra, tf.constant(trainer.data.array[:8]), None, training=True)
    collapsed, _ = trainer.program._judge(d, extra, tf.ones([8, 2]), None, training=True)
    assert spread.numpy().min() > 0.3 and collapsed.numpy().max() < 1e-3


# -- pictures -----------------------------------------------------------------------------------------------


def test_pictures_with_every_option_take_a_finite_step(monkeypatch):
    rng = np.random.default_rng(0)
    data = Pictures(rng.integers(0, 256, (20, 28, 28, 3)).astype(np.uint8), None, ())
    options = {"d_activation": "maxout", "g_activation": "maxout", "minibatch_std": True, "instance_noise": 0.1}
    options |= {"g_norm": "batch", "d_norm": "layer", "dropout": 0.2, "packing": 2, "unroll": 1, "grad_clip": 1.0}
    small = {"data": "mnist_rgb", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 4}
    config = GANConfig.from_flat({**small, **options, "penalty": "wgan_gp", "loss": "wasserstein"})
    program = TrainStep(config, data.array.shape, path="graph")
    program.train = program._train
    trainer = Trainer(config, data, program)
    seen = judged(trainer, monkeypatch)
    row = row_of(trainer.train(1))
    assert np.isfinite(list(row.values())).all() and row["penalty"] > 0
    assert {x.shape for x in seen} == {(4, 28, 28, 6)}
    monkeypatch.undo()
    x = data.to_unit(data.pixels[:3])
    logits, d, extra = trainer.logits(x), trainer.state["d"], trainer.state["d_extra"]
    expected = np.zeros(3)
    for i in range(COMPANIONS):
        packs = np.concatenate([x, np.repeat(data.to_unit(data.pixels[i : i + 1]), 3, 0)], -1)
        expected += trainer.program._judge(d, extra, tf.constant(packs), None)[0].numpy()[:, 0] / COMPANIONS
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


# -- what broke first ---------------------------------------------------------------------------------------


def broken(trainer, monkeypatch, *columns):
    """The Diverged of a call in whose third row these columns are no numbers."""
    rows = np.zeros((ROWS, len(COLUMNS)), np.float32)
    for name in columns:
        rows[2:, COLUMNS.index(name)] = np.nan
    monkeypatch.setattr(
        trainer.program, "train", lambda state, *_: (state, tf.constant(rows), tf.constant([True, True]))
    )
    with pytest.raises(Diverged) as caught:
        trainer.train(5)
    assert caught.value.step == 3
    return caught.value.quantity


@pytest.mark.parametrize("first", range(len(COLUMNS)))
def test_diverged_names_what_broke_first(monkeypatch, first):
    """In the order in which a step computes: what comes later is broken by it."""
    order = list(COMPUTED)
    assert sorted(order) == sorted(COLUMNS)
    assert broken(trainer_of(settings()), monkeypatch, *order[first:]) == COMPUTED[order[first]]


def test_a_gradient_can_break_while_the_loss_is_finite():
    """A generated point at 1e20: the loss is as large, the square of the slope no number any more."""
    trainer = trainer_of(settings(loss="wasserstein", penalty="none"))
    trainer.state = {**trainer.state, "g": [tf.fill(w.shape, 1e10) for w in trainer.state["g"]]}
    with pytest.raises(Diverged, match="the discriminator's gradient became NaN or infinite at step 1"):
        trainer.train(1)


def test_live_start_is_live():
    assert set(LIVE_START) < set(LIVE_VALUES) and not set(SMALL) & set(LIVE_START)
