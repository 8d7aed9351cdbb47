"""The engine: its step against two written out by hand, its schedule, determinism and live settings."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import EPSILON, OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.recording import visuals
from gan_core.recording.snapshot import View
from gan_core.settings.all_settings import HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.config import GANConfig
from gan_core.training.batches import accuracies, draw_z
from gan_core.training.compilation import PATHS
from gan_core.training.dissection import dissection
from gan_core.training.train_step import COLUMNS, ROWS, TrainStep
from gan_core.training.trainer import COMPUTED, Diverged, Trainer
from gan_core.training.updates import NOISE_G, UNROLLED
from tests.support.trainers import (
    LIVE_OF_IMAGES,
    LIVE_START,
    LIVE_VALUES,
    arrays,
    assert_weights,
    compiled,
    data_of,
    drawer,
    leaky_network,
    norm_of,
    same,
    samples,
    settings,
    trainer_of,
    uncompiled,
)

# One structure for most tests, so that few functions are compiled.
BASE = settings(penalty="r1", ema_decay=0.5)


@pytest.fixture(scope="module")
def graph():
    return compiled(BASE, "graph")


@pytest.fixture(scope="module")
def xla():
    return compiled(BASE, "xla")


@pytest.fixture(params=["graph", "xla"])
def program(request):
    """Each in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def graph_trainer(graph):
    return trainer_of(BASE, graph)


# -- every registry -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss, penalty, optimizer", itertools.product(LOSSES, PENALTIES, OPTIMIZERS))
def test_every_loss_penalty_and_optimizer_does_a_finite_step(loss, penalty, optimizer):
    config = settings(loss=loss, penalty=penalty, g_optimizer=optimizer, d_optimizer=optimizer, gp_weight=1.0)
    trainer = trainer_of(config)
    before = trainer.state
    seen = dissection(trainer)()
    assert trainer.state is before
    rows = trainer.train(1)
    assert rows.shape == (1, len(COLUMNS))
    of_d, of_g = seen  # the same step, update by update; the state after it is that of a step without anybody looking
    np.testing.assert_allclose([of_g.loss, of_d.loss, of_d.penalty], rows[0, :3], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([of_d.gradient_norm, of_g.gradient_norm], rows[0, -2:], rtol=1e-4, atol=1e-7)
    for side in ("g", "d", "ema"):
        for ours, theirs in zip(of_g.after[side], trainer.state[side], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    plain = trainer_of(config)
    plain.train(1)
    assert same(plain.state, trainer.state)
    row = dict(zip(COLUMNS, rows[0], strict=True))
    assert np.isfinite(rows).all()
    assert (row["penalty"] > 0) == (penalty != "none")
    assert 0 <= row["real_accuracy"] <= 1 and 0 <= row["fake_accuracy"] <= 1
    for side in ("g", "d", "ema"):
        for old, new in zip(before[side], trainer.state[side], strict=True):
            assert np.isfinite(new.numpy()).all()
            assert old.shape == new.shape
        assert not all(np.array_equal(old, new) for old, new in zip(before[side], trainer.state[side], strict=True))


# -- the step by hand ---------------------------------------------------------------------------------------


class NumPyNetwork:
    """Dense layers with tanh between them in double precision, their gradients, and Adam."""

    def __init__(self, weights, rate, beta_1, beta_2):
        self.weights = [w.numpy().astype(float) for w in weights]
        self.rate, self.beta_1, self.beta_2 = rate, beta_1, beta_2
        self.m = [0 * w for w in self.weights]
        self.v = [0 * w for w in self.weights]
        self.updates = 0

    def forward(self, x):
        """The input of every layer, and the output last."""
        inputs = [x]
        for i in range(0, len(self.weights), 2):
            x = x @ self.weights[i] + self.weights[i + 1]
            if i + 2 < len(self.weights):
                x = np.tanh(x)
            inputs.append(x)
        return inputs

    def backward(self, inputs, upstream):
        """(d/d weights, d/d input) of a loss whose gradient at the output is `upstream`."""
        gradients = []
        for i in reversed(range(0, len(self.weights), 2)):
            x = inputs[i // 2]
            gradients = [x.T @ upstream, upstream.sum(0), *gradients]
            upstream = upstream @ self.weights[i].T
            if i > 0:
                upstream = upstream * (1 - x**2)
        return gradients, upstream

    def adam(self, gradients):
        self.updates += 1
        t = self.updates
        for i, g in enumerate(gradients):
            self.m[i] = self.beta_1 * self.m[i] + (1 - self.beta_1) * g
            self.v[i] = self.beta_2 * self.v[i] + (1 - self.beta_2) * g * g
            m = self.m[i] / (1 - self.beta_1**t)
            v = self.v[i] / (1 - self.beta_2**t)
            epsilon = EPSILON / np.sqrt(1 - self.beta_2**t)  # Keras's epsilon-hat
            self.weights[i] = self.weights[i] - self.rate * m / (np.sqrt(v) + epsilon)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(logits, labels):
    return (np.logaddexp(0, logits) - labels * logits).mean()


@pytest.mark.parametrize("path", PATHS)
def test_the_step_against_numpy(path):
    """Non-saturating loss, Adam, smoothed and noisy labels, 2 discriminator steps every 2 generator steps."""
    config = settings(
        loss="non_saturating",
        seed=5,
        d_steps=2,
        g_steps=2,
        g_layers=2,
        g_activation="tanh",
        d_activation="tanh",
        g_beta_1=0.5,
        g_beta_2=0.99,
        d_beta_1=0.0,
        d_beta_2=0.9,
        label_smoothing=0.2,
        label_noise=0.1,
        ema_decay=0.3,
        latent_dim=3,
    )
    trainer = trainer_of(config, compiled(config, path))
    g = NumPyNetwork(trainer.state["g"], 0.01, 0.5, 0.99)
    d = NumPyNetwork(trainer.state["d"], 0.02, 0.0, 0.9)
    ema = list(g.weights)
    n, steps, draw = config.batch_size, 6, drawer(trainer)
    expected, d_row = [], None
    for step in range(steps):
        for update in range(2 if step % 2 == 0 else 0):
            real, z, shift, *_ = draw(step, update)
            real_labels, fake_labels = 0.8 + 0.1 * shift[0], 0.1 * shift[1]
            on_real, on_fake = d.forward(real), d.forward(g.forward(z)[-1])
            from_real, _ = d.backward(on_real, (sigmoid(on_real[-1]) - real_labels) / n)
            from_fake, _ = d.backward(on_fake, (sigmoid(on_fake[-1]) - fake_labels) / n)
            gradients = [a + b for a, b in zip(from_real, from_fake, strict=True)]
            d_row = [
                cross_entropy(on_real[-1], real_labels) + cross_entropy(on_fake[-1], fake_labels),
                0.0,
                (on_real[-1] > 0).mean(),
                (on_fake[-1] <= 0).mean(),
                norm_of(gradients),
            ]
            d.adam(gradients)
        through_g = g.forward(draw(step, 0)[3])
        through_d = d.forward(through_g[-1])
        _, push = d.backward(through_d, (sigmoid(through_d[-1]) - 1) / n)
        gradients, _ = g.backward(through_g, push)
        expected.append([cross_entropy(through_d[-1], 1.0), *d_row, norm_of(gradients)])
        g.adam(gradients)
        decay = min(0.3, (1 + step) / (10 + step))
        ema = [decay * old + (1 - decay) * new for old, new in zip(ema, g.weights, strict=True)]
    np.testing.assert_allclose(trainer.train(steps), expected, rtol=1e-3, atol=1e-5)
    assert_weights(trainer.state["g"], g.weights)
    assert_weights(trainer.state["d"], d.weights)
    assert_weights(trainer.state["ema"], ema)
    assert not np.allclose(ema[0], g.weights[0], atol=1e-4)


def softplus_mean(x):
    return tf.reduce_mean(tf.math.softplus(x))


@pytest.mark.parametrize("path", PATHS)
def test_the_step_against_plain_tensorflow(path):
    """Relativistic loss with R1 + R2, uniform z, Keras's RMSprop and SGD."""
    config = settings(
        loss="relativistic",
        penalty="r1_r2",
        gp_weight=0.3,
        seed=9,
        z_dist="uniform",
        g_activation="leaky_relu",
        d_activation="leaky_relu",
        d_layers=2,
        g_output="tanh",
        g_optimizer="rmsprop",
        g_momentum=0.5,
        d_optimizer="sgd",
        d_momentum=0.9,
        d_lr=0.1,
        ema_decay=0.0,
    )
    trainer = trainer_of(config, compiled(config, path))
    g = [tf.Variable(w) for w in trainer.state["g"]]
    d = [tf.Variable(w) for w in trainer.state["d"]]
    g_optimizer, d_optimizer = keras.optimizers.RMSprop(0.01, momentum=0.5), keras.optimizers.SGD(0.1, 0.9)
    expected, draw = [], drawer(trainer)

    def generator(z):
        return tf.tanh(leaky_network(g, z))

    for step in range(4):
        real, z, _, z_g, real_g = map(tf.constant, draw(step, 0))
        fake = generator(z)
        with tf.GradientTape() as outer:
            with tf.GradientTape(persistent=True) as inner:
                inner.watch([real, fake])
                real_logits, fake_logits = leaky_network(d, real), leaky_network(d, fake)
            slopes = [inner.gradient(real_logits, real), inner.gradient(fake_logits, fake)]
            penalty = sum(tf.reduce_mean(tf.norm(slope, axis=1) ** 2) / 2 for slope in slopes)
            d_loss = softplus_mean(fake_logits - real_logits)
            total = d_loss + 0.3 * penalty
        d_gradients = outer.gradient(total, d)
        d_optimizer.apply(d_gradients, d)
        with tf.GradientTape() as tape:
            g_loss = softplus_mean(leaky_network(d, real_g) - leaky_network(d, generator(z_g)))
        g_gradients = tape.gradient(g_loss, g)
        g_optimizer.apply(g_gradients, g)
        in_order = float(np.mean(real_logits > fake_logits))
        losses = [float(g_loss), float(d_loss), float(penalty)]
        expected.append([*losses, in_order, in_order, norm_of(d_gradients), norm_of(g_gradients)])
    np.testing.assert_allclose(trainer.train(4), expected, rtol=1e-3, atol=1e-5)
    assert_weights(trainer.state["g"], g)
    assert_weights(trainer.state["d"], d)
    assert same(trainer.state["ema"], trainer.state["g"])


def test_the_draws_of_purposes_updates_and_steps_are_of_different_keys():
    program = compiled(BASE, "graph")
    seed = tf.constant(3, tf.int64)
    keys = {
        tuple(program._key(seed, step, purpose, update).numpy())
        for step in (0, 1, 2, 1_000_000, 2**31 - 1)
        for purpose in range(NOISE_G + 1)
        for update in (*range(HYPERPARAMETERS["d_steps"].high), UNROLLED)
    }
    assert len(keys) == 5 * 8 * 11
    assert {key[0] for key in keys} == {3}
    assert min(key[1] for key in keys) >= 0  # below 0 is for looking


@pytest.mark.parametrize("z_dist", ["normal", "uniform"])
def test_z_is_of_the_stated_distribution(z_dist):
    z = draw_z(settings(z_dist=z_dist, latent_dim=5), 20_000, tf.constant([1, 2], tf.int64), "philox").numpy()
    assert z.shape == (20_000, 5) and z.dtype == np.float32
    np.testing.assert_allclose(z.mean(0), 0, atol=0.05)
    np.testing.assert_allclose(z.std(0), 1.0 if z_dist == "normal" else 3**-0.5, rtol=0.03)
    np.testing.assert_allclose(np.corrcoef(z.T), np.eye(5), atol=0.05)
    assert (np.abs(z).max() > 1) == (z_dist == "normal")


def test_accuracies_by_hand():
    real, fake = tf.constant([[2.0], [-1.0], [0.7], [0.4]]), tf.constant([[0.6], [-2.0], [0.0], [3.0]])
    assert [float(a) for a in accuracies("non_saturating", real, fake)] == [0.75, 0.5]
    assert [float(a) for a in accuracies("least_squares", real, fake)] == [0.5, 0.5]
    assert [float(a) for a in accuracies("relativistic", real, fake)] == [0.75, 0.75]


# -- schedule -----------------------------------------------------------------------------------------------


def test_discriminator_and_generator_steps_follow_the_schedule(graph):
    config = BASE.updated({"d_steps": 3, "g_steps": 2})
    trainer = trainer_of(config, graph)
    seen = []
    for _ in range(5):
        trainer.train(1)
        seen.append([int(trainer.state[side]["updates"]) for side in ("d_opt", "g_opt")] + [trainer.step])
    assert seen == [[3, 1, 1], [3, 2, 2], [6, 3, 3], [6, 4, 4], [9, 5, 5]]
    # Between rounds the discriminator's part of the row is that of its last update.
    rows = trainer_of(config, graph).train(4)[:, 1:-1]
    assert np.array_equal(rows[0], rows[1]) and np.array_equal(rows[2], rows[3])
    assert not np.array_equal(rows[1], rows[2])


@pytest.mark.parametrize("d_steps, g_steps", [(1, 1), (10, 1), (1, 10), (4, 3)])
def test_counts_of_updates(graph, d_steps, g_steps):
    trainer = trainer_of(BASE.updated({"d_steps": d_steps, "g_steps": g_steps}), graph)
    trainer.train(12)
    assert int(trainer.state["g_opt"]["updates"]) == trainer.step == 12
    assert int(trainer.state["d_opt"]["updates"]) == d_steps * -(-12 // g_steps)


# -- determinism --------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run_however_the_steps_are_grouped(program):
    runs = []
    for groups in ([12], [1] * 12, [5, 1, 6]):
        trainer = trainer_of(BASE, program)
        rows = np.concatenate([trainer.train(n) for n in groups])
        runs.append((rows, samples(trainer), trainer.state))
    for rows, points, state in runs[1:]:
        assert np.array_equal(rows, runs[0][0])
        assert np.array_equal(points, runs[0][1])
        assert same(state, runs[0][2])
    assert len({row.tobytes() for row in runs[0][0]}) == 12


def test_the_same_seed_gives_the_same_run_in_another_program(graph, graph_trainer):
    other = trainer_of(BASE, compiled(BASE, "graph"))
    assert np.array_equal(graph_trainer.train(5), other.train(5))
    assert same(graph_trainer.state, other.state)


def test_another_seed_gives_another_run(graph):
    a, b = (trainer_of(BASE.updated({"seed": seed}), graph) for seed in (1, 2))
    for side in ("g", "d"):
        assert not np.array_equal(a.state[side][0], b.state[side][0])
    b.state = a.state  # the same weights: draws and data differ too
    assert not np.array_equal(a.train(1), b.train(1))


def test_the_seed_alone_changes_the_draws(graph):
    a, b = (Trainer(BASE.updated({"seed": seed}), data_of(BASE), graph) for seed in (1, 2))
    b.state = a.state
    assert not np.array_equal(a.train(1), b.train(1))


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_seeds_at_both_ends_of_the_range(graph, seed):
    assert np.isfinite(trainer_of(BASE.updated({"seed": seed}), graph).train(2)).all()


def test_looking_between_steps_changes_nothing(program):
    plain, watched = trainer_of(BASE, program), trainer_of(BASE, program)
    everything = View(heat=True, manifold=True, arrows=True)
    for _ in range(3):
        plain.train(2)
        before = arrays(watched.state)
        visuals.look(watched, everything)
        assert all(np.array_equal(a, b) for a, b in zip(before, arrays(watched.state), strict=True))
        watched.train(2)
    assert same(plain.state, watched.state)


def test_a_state_that_somebody_holds_never_changes(program):
    trainer = trainer_of(BASE, program)
    trainer.train(3)
    held, copy = trainer.state, arrays(trainer.state)
    first = trainer.train(4)
    assert all(np.array_equal(a, b) for a, b in zip(copy, arrays(held), strict=True))
    trainer.state = held  # a checkpoint is a reference
    assert np.array_equal(trainer.train(4), first)


def test_reset_goes_back_to_the_same_start(graph_trainer):
    start = samples(graph_trainer)
    first = graph_trainer.train(6)
    end = samples(graph_trainer)
    assert not np.array_equal(start, end)
    graph_trainer.reset()
    assert graph_trainer.step == 0
    assert np.array_equal(samples(graph_trainer), start)
    assert np.array_equal(graph_trainer.train(6), first)
    assert np.array_equal(samples(graph_trainer), end)


def test_compiling_does_not_train():
    config = settings()
    trainer = trainer_of(config, compiled(config, "graph"))
    before = trainer.state
    trainer.compile()
    assert trainer.state is before
    assert trainer.program.traces == 1
    trainer.train(2)
    assert trainer.program.traces == 1


def test_latent_is_fixed_and_never_a_draw_of_training(graph_trainer):
    z = graph_trainer.latent(64).numpy()
    graph_trainer.train(3)
    assert np.array_equal(graph_trainer.latent(64), z)
    assert not np.array_equal(graph_trainer.latent(64, draw=1), z)
    draw = drawer(graph_trainer)
    drawn = np.concatenate([draw(step, 0)[i] for step in range(3) for i in (1, 3)])
    assert not np.isin(z[:, 0], drawn[:, 0]).any()


# -- n ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1, ROWS + 1])
def test_a_call_takes_1_to_ROWS_steps(graph_trainer, n):
    with pytest.raises(ValueError, match=f"from 1 to {ROWS}"):
        graph_trainer.train(n)
    assert graph_trainer.step == 0


def test_the_longest_call_fills_every_row(xla):
    trainer = trainer_of(BASE, xla)
    rows = trainer.train(ROWS)
    assert rows.shape == (ROWS, len(COLUMNS)) and rows.dtype == np.float32
    assert trainer.step == ROWS
    assert (rows[:, 1] > 0).all()  # d_loss of a cross-entropy: none was left at its initial 0
    assert xla.traces == 1


def test_fewer_points_than_a_batch(graph):
    config = settings(data_size=16, batch_size=64)
    assert np.isfinite(trainer_of(config).train(1)).all()


# -- live settings ------------------------------------------------------------------------------------------


def test_every_live_field_is_tested():
    assert set(LIVE_VALUES) | set(LIVE_OF_IMAGES) == set(LIVE_FIELDS)


@pytest.mark.parametrize("name", LIVE_VALUES)
def test_a_live_change_acts_and_traces_nothing(xla, name):
    """On a run under way; show_ema is for looking only."""
    start = BASE.updated(LIVE_START)
    changed, unchanged = trainer_of(start, xla), trainer_of(start, xla)
    changed.train(3)
    unchanged.train(3)
    changed.set_live(start.updated({name: LIVE_VALUES[name]}))
    changed.train(3)
    unchanged.train(3)
    assert xla.traces == 1
    assert same(changed.state, unchanged.state) == (name == "show_ema")
    assert changed.step == unchanged.step == 6


def test_a_live_change_back_goes_on_as_if_set_from_the_start(graph):
    """Nothing of an old value stays behind."""
    fast = BASE.updated({"g_lr": 0.1, "label_noise": 0.2})
    a, b = trainer_of(fast, graph), trainer_of(BASE, graph)
    b.set_live(fast)
    assert np.array_equal(a.train(4), b.train(4))


@pytest.mark.parametrize("side", ["g", "d"])
def test_a_rate_acts_on_its_own_network_only(graph, side):
    """In the first step: later each network answers to the other."""
    slow, fast = trainer_of(BASE, graph), trainer_of(BASE.updated({f"{side}_lr": 0.2}), graph)
    slow.train(1)
    fast.train(1)
    start = graph.initial_state(BASE.seed)[side][0].numpy()
    ratio = np.abs(fast.state[side][0] - start).mean() / np.abs(slow.state[side][0] - start).mean()
    assert ratio == pytest.approx(0.2 / getattr(BASE, f"{side}_lr"), rel=0.05)
    if side == "g":
        assert same(slow.state["d"], fast.state["d"])


@pytest.mark.parametrize("name", ["label_smoothing", "label_noise"])
@pytest.mark.parametrize("loss", LOSSES)
def test_label_noise_and_smoothing_change_the_loss_of_a_discriminator_that_looks_at_labels(loss, name):
    config = settings(loss=loss)
    program = uncompiled(config)
    plain, moved = (trainer_of(c, program).train(1)[0] for c in (config, config.updated({name: 0.3})))
    if not LOSSES[loss].labels:
        assert np.array_equal(plain, moved)
        return
    plain, moved = (dict(zip(COLUMNS, row, strict=True)) for row in (plain, moved))
    assert abs(plain["d_loss"] - moved["d_loss"]) > 1e-3
    # They are the discriminator's alone: what it got right before its update is the same.
    for column in ("penalty", "real_accuracy", "fake_accuracy"):
        assert plain[column] == moved[column]


def test_the_reported_d_loss_is_without_the_penalty(graph):
    light, heavy = (trainer_of(BASE.updated({"gp_weight": w}), graph).train(1)[0] for w in (0.0, 100.0))
    gradient = COLUMNS.index("d_gradient")
    assert np.array_equal(light[1:gradient], heavy[1:gradient])
    assert light[COLUMNS.index("penalty")] > 0 and heavy[gradient] > light[gradient]


def test_without_decay_the_average_is_the_generator(graph):
    trainer = trainer_of(BASE.updated({"ema_decay": 0.0}), graph)
    trainer.train(5)
    assert same(trainer.state["ema"], trainer.state["g"])


def test_the_average_lags_behind(graph_trainer):
    graph_trainer.train(5)
    z = graph_trainer.latent(16)
    assert not same(graph_trainer.state["ema"], graph_trainer.state["g"])
    assert not np.array_equal(graph_trainer.samples(z, ema=True), graph_trainer.samples(z, ema=False))


# -- divergence ---------------------------------------------------------------------------------------------


def poisoned(trainer, side, value):
    """Puts `value` into every entry of the first weight of a network."""
    weights = list(trainer.state[side])
    weights[0] = tf.fill(weights[0].shape, value)
    trainer.state = {**trainer.state, side: weights}
    return trainer.state


@pytest.mark.parametrize("side", ["g", "d"])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_weight_that_is_not_finite_is_diverged(program, side, value):
    """At the first step that sees it, whatever the number of steps in the call."""
    trainer = trainer_of(BASE, program)
    trainer.train(4)
    before = poisoned(trainer, side, np.float32(value))
    with pytest.raises(Diverged) as caught:
        trainer.train(3)
    assert caught.value.step == 5
    assert caught.value.quantity in (*COMPUTED.values(), "a generator weight", "a discriminator weight")
    assert "at step 5" in str(caught.value) and caught.value.quantity in str(caught.value)
    assert trainer.state is before


def test_a_wild_rate_diverges_and_the_last_good_state_stays():
    config = settings(
        **{"data": "gaussian", "data.std": 2.0, "loss": "least_squares", "d_units": 64},
        **{"g_optimizer": "sgd", "d_optimizer": "sgd", "g_lr": 1.0, "d_lr": 1.0},
    )
    trainer = trainer_of(config, compiled(config, "graph"))
    trainer.train(1)
    before, copy = trainer.state, arrays(trainer.state)
    with pytest.raises(Diverged) as caught:
        trainer.train(200)
    assert trainer.state is before
    assert all(np.array_equal(a, b) for a, b in zip(copy, arrays(trainer.state), strict=True))
    assert trainer.step == 1
    # The step is the first that was not finite: the ones before it can be taken.
    good = caught.value.step - 1 - trainer.step
    assert good >= 1
    assert np.isfinite(trainer.train(good)).all()
    with pytest.raises(Diverged) as again:
        trainer.train(1)
    assert (again.value.step, again.value.quantity) == (caught.value.step, caught.value.quantity)


def test_a_weight_can_diverge_while_the_losses_are_still_finite():
    config = settings(g_optimizer="sgd", g_momentum=0.5)
    trainer = trainer_of(config)
    endless = [(tf.fill(w.shape, np.float32(np.inf)),) for w in trainer.state["g"]]  # the momentum
    trainer.state = {**trainer.state, "g_opt": {"updates": tf.constant(0), "slots": endless}}
    with pytest.raises(Diverged) as caught:
        trainer.train(1)
    assert (caught.value.step, caught.value.quantity) == (1, "a generator weight")
    assert trainer.step == 0


def test_training_goes_on_after_a_divergence_with_lower_rates():
    """What the page advises: the last good state, a lower rate, and on."""
    wild = {"g_lr": 1.0, "d_lr": 1.0, "d_units": 64}
    config = settings(loss="least_squares", g_optimizer="sgd", d_optimizer="sgd", **wild)
    trainer = trainer_of(config, compiled(config, "graph"))
    with pytest.raises(Diverged):
        trainer.train(200)
    trainer.set_live(config.updated({"g_lr": 1e-4, "d_lr": 1e-4}))
    assert np.isfinite(trainer.train(200)).all()


# -- about the program --------------------------------------------------------------------------------------


def test_layers_lists_every_layer_with_its_parameters():
    config = GANConfig.from_flat({"latent_dim": 100, "g_units": 256, "d_units": 256, "g_output": "tanh"})
    program = TrainStep(config, (16, 2), path="graph")
    rows = program.layers()
    total = {n: sum(r["parameters"] for r in rows if r["network"] == n) for n in ("generator", "discriminator")}
    assert total == {"generator": 157_954, "discriminator": 132_609}
    assert [r["output"] for r in rows if r["network"] == "generator"][-1] == "2"
    names = [r["layer"] for r in rows]
    assert "Activation (tanh)" in names and "Activation (relu)" in names and "LeakyReLU" in names


def test_push_is_the_gradient_of_the_generators_loss(graph_trainer):
    """For the non-saturating loss: -d softplus(-logit) / d sample, divided by the batch."""
    z = graph_trainer.latent(10)
    state, real = graph_trainer.state, graph_trainer.inputs["x"][:10]
    fake, push = graph_trainer.program.push(
        state["g"], state["g_extra"], state["d"], state["d_extra"], real, z, graph_trainer.live
    )
    w1, b1, w2, b2 = (w.numpy().astype(float) for w in graph_trainer.state["d"])
    hidden = fake.numpy() @ w1 + b1
    logits = np.where(hidden > 0, hidden, 0.2 * hidden) @ w2 + b2
    slope = (np.where(hidden > 0, 1.0, 0.2) * w2[:, 0]) @ w1.T
    np.testing.assert_allclose(push, (1 - sigmoid(logits)) * slope / 10, rtol=1e-4, atol=1e-7)
