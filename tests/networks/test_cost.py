"""What a step costs, by hand."""

import pytest

from gan_core.networks.architectures import ARCHITECTURES, plans
from gan_core.networks.cost import step_cost
from gan_core.networks.layers import measure, products
from gan_core.settings.config import GANConfig


def test_the_cost_of_a_step_by_hand():
    """G: 5 z -> 1 unit -> 2, D: 2 -> 1 unit -> 1, without the biases: 7 and 3 products a sample.

    D's update: G once, D forward and backward on real and fake; G's: both forward, G backward, D backward
    to its input.
    """
    point = {"data": "ring", "g_layers": 1, "g_units": 1, "d_layers": 1, "d_units": 1, "batch_size": 10}
    config = GANConfig.from_flat({**point, "latent_dim": 5, "penalty": "none"})
    generator, discriminator = plans(config, (2,))
    assert (measure(generator, (5,))[0], measure(discriminator, (2,))[0]) == (7, 3)
    d_update, g_update = 7 + 6 * 3, 3 * 7 + 2 * 3
    assert step_cost(config, (2,)) == 20 * (d_update + g_update)
    assert step_cost(config.updated({"d_steps": 3, "g_steps": 2}), (2,)) == 20 * (1.5 * d_update + g_update)


def test_a_pack_is_judged_once():
    """Two samples at once: D is 4 -> 1 unit -> 1, 5 products a pack, so half of that a sample."""
    point = {"data": "ring", "g_layers": 1, "g_units": 1, "d_layers": 1, "d_units": 1, "batch_size": 10}
    config = GANConfig.from_flat({**point, "latent_dim": 5, "penalty": "none", "packing": 2})
    assert step_cost(config, (2,)) == 20 * (7 + 6 * 2.5 + 3 * 7 + 2 * 2.5)


def test_each_unrolled_step_costs_an_update_and_the_way_back():
    none, one, three = (step_cost(GANConfig.from_flat({"data": "ring", "unroll": k}), (2,)) for k in (0, 1, 3))
    assert one > none and three - none == pytest.approx(3 * (one - none))


def test_a_penalty_costs_more_and_two_cost_twice():
    none, one, two = (
        step_cost(GANConfig.from_flat({"data": "mnist", "penalty": p}), (28, 28, 1)) for p in ("none", "r1", "r1_r2")
    )
    assert none < one < two and two - one == pytest.approx(one - none)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_products_of_a_plan_are_its_work(name):
    side = (ARCHITECTURES[name].sides or (28,))[-1]
    config, shape = GANConfig.from_flat({"data": "digits", "architecture": name, "filters": 8}), (side, side, 3)
    for plan, start in zip(plans(config, shape), ((config.latent_dim,), shape), strict=True):
        rows = products(plan, start, 5)
        assert rows and sum(a * b * c for a, b, c in rows) == 5 * measure(plan, start)[0]
