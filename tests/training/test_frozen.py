"""A network that is frozen: its count of updates is 0, or the other one is trained alone."""

from dataclasses import replace

import numpy as np
import pytest

from gan_core.training.train_step import COLUMNS
from gan_core.training.updates import D_PARTS, G_PARTS
from tests.support.trainers import arrays, compiled, settings, trainer_of

KEEPING = {"penalty": "r1", "d_norm": "spectral", "dropout": 0.3, "g_norm": "batch", "ema_decay": 0.9}
FROZEN = {"d": [part for part in D_PARTS if part not in ("d_row", "augment")], "g": list(G_PARTS)}


def held(trainer, parts):
    """Copies of the arrays of those parts of the state."""
    return {part: arrays(trainer.state[part]) for part in parts}


def assert_same(before, after):
    for part, wanted in before.items():
        for a, b in zip(wanted, after[part], strict=True):
            np.testing.assert_array_equal(a, b, part)


@pytest.fixture(scope="module", params=["graph", "xla"])
def program(request):
    return compiled(settings(**KEEPING), request.param)


@pytest.mark.parametrize("side, other", ["dg", "gd"])
def test_what_is_frozen_stays_to_the_bit_and_the_other_learns(program, side, other):
    trainer = trainer_of(settings(**KEEPING), program)
    trainer.train(3)
    trainer.set_live(trainer.config.updated({f"{side}_steps": 0}))
    frozen, learning = held(trainer, FROZEN[side]), held(trainer, [other])
    rows = trainer.train(5)
    assert trainer.step == 8
    assert_same(frozen, held(trainer, FROZEN[side]))
    assert any((a != b).any() for a, b in zip(learning[other], arrays(trainer.state[other]), strict=True))
    # What the frozen network would do is seen all the same, anew in each step.
    for column in ("g_loss", "d_loss", "penalty", "d_gradient", "g_gradient"):
        values = rows[:, COLUMNS.index(column)]
        assert np.isfinite(values).all() and len(set(values.tolist())) == 5, column


@pytest.mark.parametrize("side, other", ["dg", "gd"])
def test_the_other_learns_as_beside_one_that_does_not_move(program, side, other):
    """A learning rate of 0 leaves the weights, too, but not what the layers keep: without those layers it is the same
    run, to the bit."""
    plain = compiled(settings(), program.path)
    frozen = trainer_of(settings(**{f"{side}_steps": 0}), plain)
    still = trainer_of(replace(settings(), **{f"{side}_lr": 0.0}), plain)
    a, b = frozen.train(6), still.train(6)
    np.testing.assert_array_equal(a, b)
    assert_same(held(frozen, ["d", "g"]), held(still, ["d", "g"]))


def test_where_the_generator_is_frozen_each_step_is_a_round(program):
    trainer = trainer_of(settings(**KEEPING, d_steps=3, g_steps=0), program)
    trainer.train(4)
    assert int(trainer.state["d_opt"]["updates"]) == 12 and int(trainer.state["g_opt"]["updates"]) == 0


@pytest.mark.parametrize("side, other", ["dg", "gd"])
def test_one_network_alone_is_a_step_with_one_update_of_it(program, side, other):
    """Whatever the counts say, which act again afterwards."""
    config = settings(**KEEPING, d_steps=2, g_steps=2)
    trainer = trainer_of(config, program)
    trainer.train(2)
    frozen, updates = held(trainer, FROZEN[other]), int(trainer.state[f"{side}_opt"]["updates"])
    row = trainer.train_alone(side)
    assert row.shape == (1, len(COLUMNS)) and np.isfinite(row).all() and trainer.step == 3
    assert_same(frozen, held(trainer, FROZEN[other]))
    assert int(trainer.state[f"{side}_opt"]["updates"]) == updates + 1
    as_setting = trainer_of(config, program)
    as_setting.train(2)
    as_setting.set_live(config.updated({"d_steps": 1, "g_steps": 0} if side == "d" else {"d_steps": 0, "g_steps": 1}))
    np.testing.assert_array_equal(as_setting.train(1), row)
    as_setting.set_live(config)
    np.testing.assert_array_equal(as_setting.train(3), trainer.train(3))
    assert program.traces == 1
