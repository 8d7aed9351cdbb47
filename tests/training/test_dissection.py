"""A step taken apart: each number against one that is worked out in NumPy from the same batch."""

import numpy as np
import pytest

from gan_core.objectives.losses import LOSSES
from gan_core.objectives.penalties import PENALTIES
from gan_core.training.dissection import PHASES, dissection
from gan_core.training.train_step import COLUMNS
from tests.support.trainers import compiled, settings, trainer_of


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


# The summands of each loss, of logits [n] in double precision.
D_TERMS = {
    "non_saturating": lambda r, f: [-log_sigmoid(r).mean(), -log_sigmoid(-f).mean()],
    "minimax": lambda r, f: [-log_sigmoid(r).mean(), -log_sigmoid(-f).mean()],
    "least_squares": lambda r, f: [((r - 1) ** 2).mean() / 2, (f**2).mean() / 2],
    "hinge": lambda r, f: [np.maximum(0, 1 - r).mean(), np.maximum(0, 1 + f).mean()],
    "wasserstein": lambda r, f: [f.mean(), -r.mean()],
    "relativistic": lambda r, f: [-log_sigmoid(r - f).mean()],
    "relativistic_average": lambda r, f: [-log_sigmoid(r - f.mean()).mean(), -log_sigmoid(r.mean() - f).mean()],
}
G_TERMS = {
    "non_saturating": lambda r, f: [-log_sigmoid(f).mean()],
    "minimax": lambda r, f: [log_sigmoid(-f).mean()],
    "least_squares": lambda r, f: [((f - 1) ** 2).mean() / 2],
    "hinge": lambda r, f: [-f.mean()],
    "wasserstein": lambda r, f: [-f.mean()],
    "relativistic": lambda r, f: [-log_sigmoid(f - r).mean()],
    "relativistic_average": lambda r, f: [-log_sigmoid(f - r.mean()).mean(), -log_sigmoid(f.mean() - r).mean()],
}


def weights_of(state, side):
    return [w.numpy().astype(float) for w in state[side]]


def slopes(function, x, h=1e-6):
    """The gradient of a scalar function at x, by central differences."""
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        there = x[place]
        x[place] = there + h
        above = function()
        x[place] = there - h
        found[place] = (above - function()) / (2 * h)
        x[place] = there
    return found


@pytest.mark.parametrize("loss", LOSSES)
def test_the_summands_are_those_of_the_formulas_and_make_the_loss(loss):
    trainer = trainer_of(settings(loss=loss))
    trainer.train(2)
    of_d, of_g = dissection(trainer)()
    for found, terms, row in ((of_d, D_TERMS, LOSSES[loss].d_terms), (of_g, G_TERMS, LOSSES[loss].g_terms)):
        real = None if found.real_logits is None else found.real_logits.astype(float)
        np.testing.assert_allclose(
            [value for _, value in found.terms],
            terms[loss](real, found.fake_logits.astype(float)),
            rtol=1e-4,
            atol=1e-6,
        )
        np.testing.assert_allclose(sum(value for _, value in found.terms), found.loss, rtol=1e-5, atol=1e-6)
        assert [formula for formula, _ in found.terms] == [term.formula for term in row]


def test_smoothed_labels_are_in_the_formulas_and_in_the_values():
    trainer = trainer_of(settings(label_smoothing=0.2))
    of_d, of_g = dissection(trainer)()
    real, fake = of_d.real_logits.astype(float), of_d.fake_logits.astype(float)
    first = -(0.8 * log_sigmoid(real) + 0.2 * log_sigmoid(-real)).mean()
    np.testing.assert_allclose([value for _, value in of_d.terms], [first, -log_sigmoid(-fake).mean()], rtol=1e-4)
    assert "y_" in of_d.terms[0][0] and "y_" not in of_g.terms[0][0]


def test_every_number_of_an_update_of_the_discriminator_is_that_of_its_batch():
    """Logits, loss, penalty, gradient, clipping, update: by NumPy in double precision, gradients by differences."""
    config = settings(penalty="r1", gp_weight=2.0, grad_clip=0.05, d_optimizer="sgd", d_lr=0.1, batch_size=8, d_units=3)
    trainer = trainer_of(config)
    trainer.train(1)
    update = dissection(trainer)()[0]
    weights, real, fake = weights_of(update.before, "d"), update.real.astype(float), update.fake.astype(float)

    def network(x):
        for i in range(0, len(weights), 2):
            x = x @ weights[i] + weights[i + 1]
            x = np.maximum(x, 0.2 * x) if i + 2 < len(weights) else x
        return x[:, 0]

    def penalty():
        x = real.copy()
        return 0.5 * (slopes(lambda: network(x).sum(), x) ** 2).sum(1).mean()

    def loss():
        return sum(D_TERMS[config.loss](network(real), network(fake)))

    np.testing.assert_allclose(update.real_logits, network(real), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(update.fake_logits, network(fake), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose([update.loss, update.penalty], [loss(), penalty()], rtol=1e-4)
    gradients = [slopes(lambda: loss() + 2.0 * penalty(), w, 1e-4) for w in weights]
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    np.testing.assert_allclose(update.gradient_norm, norm, rtol=1e-3)
    np.testing.assert_allclose(update.scale, 0.05 / norm, rtol=1e-3)
    np.testing.assert_allclose(
        update.largest_change, 0.1 * 0.05 / norm * max(abs(g).max() for g in gradients), rtol=2e-3
    )
    layers = [np.sqrt((a**2).sum() + (b**2).sum()) for a, b in zip(gradients[::2], gradients[1::2], strict=True)]
    np.testing.assert_allclose([size for _, size in update.layers], layers, rtol=2e-3, atol=1e-6)
    assert update.rate == pytest.approx(0.1) and update.penalty_weight == 2.0 and update.phases == PHASES


def test_the_generators_gradient_at_each_sample_is_that_of_its_loss():
    trainer = trainer_of(settings())
    update = dissection(trainer)()[1]
    weights, fake = weights_of(update.before, "d"), update.fake.astype(float)

    def loss():
        x = fake
        for i in range(0, len(weights), 2):
            x = x @ weights[i] + weights[i + 1]
            x = np.maximum(x, 0.2 * x) if i + 2 < len(weights) else x
        return G_TERMS[trainer.config.loss](None, x[:, 0])[0]

    np.testing.assert_allclose(update.gradient, slopes(loss, fake), rtol=1e-3, atol=1e-6)
    assert "penalty" not in update.phases


@pytest.mark.parametrize(
    "changes, sides",
    [
        ({"d_steps": 3}, "dddg"),
        ({"g_steps": 2}, "g"),  # the second step of a round
        ({"d_steps": 0}, "dg"),
        ({"g_steps": 0, "d_steps": 2}, "ddg"),
    ],
)
def test_the_updates_are_those_of_the_step(changes, sides):
    trainer = trainer_of(settings(**changes, penalty="wgan_gp", d_norm="layer"))
    trainer.train(1)
    found = dissection(trainer)()
    row = dict(zip(COLUMNS, trainer.train(1)[0], strict=True))
    assert "".join(update.side for update in found) == sides
    frozen = {side for side in "dg" if changes.get(f"{side}_steps") == 0}
    assert all(update.made == (update.side not in frozen) for update in found)
    assert all(update.largest_change > 0 for update in found if update.made)
    for update in found:
        if not update.made:
            assert update.largest_change == 0
            assert all(
                (a.numpy() == b.numpy()).all() for a, b in zip(update.before["d"], update.after["d"], strict=True)
            )
    np.testing.assert_allclose(found[-1].loss, row["g_loss"], rtol=1e-5)
    for side in "gd":
        for ours, theirs in zip(found[-1].after[side], trainer.state[side], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert int(found[-1].after["step"]) == trainer.step


@pytest.mark.parametrize("path", ["graph", "xla"])
def test_a_compiled_dissection_has_the_draws_of_the_step(path):
    """XLA draws with other numbers than a plain graph: those of the program that takes the step."""
    config = settings(penalty="dragan", instance_noise=0.1, label_noise=0.1, packing=2)
    trainer = trainer_of(config, compiled(config, path))
    trainer.train(3)
    of_d, of_g = dissection(trainer)()
    row = dict(zip(COLUMNS, trainer.train(1)[0], strict=True))
    np.testing.assert_allclose(
        [of_d.loss, of_d.penalty, of_g.loss], [row["d_loss"], row["penalty"], row["g_loss"]], rtol=1e-4
    )
    assert of_d.fake.shape == (8, 2) and of_d.fake_logits.shape == (4,)


def test_every_penalty_has_a_formula():
    assert all(row.formula for name, row in PENALTIES.items() if name != "none")
