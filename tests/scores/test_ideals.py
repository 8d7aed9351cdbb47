"""Which run is the best: who is nearest to what real data get."""

import math

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.scores import point_metrics, point_scores
from gan_core.scores.registry import SCORES, better, leaders
from gan_core.settings.config import GANConfig

RING = GANConfig.from_flat({"data": "ring", "data_size": 500})


def ring_scores(samples):
    data = loading.load(RING)
    return point_scores.scores(RING, data, samples, point_scores.floors(RING, data, 200, repeats=2))


def test_a_perfect_generator_leads_a_collapsed_one_in_everything_that_sees_it():
    """The collapsed one has 100 % in high quality: more than perfect is no better."""
    perfect = ring_scores(point_metrics.fresh_draw(RING, loading.load(RING), 2_500, 50))
    collapsed = ring_scores(np.tile(np.float32([[1, 0]]), (2_500, 1)))
    assert collapsed["hq"] == 1.0 > perfect["hq"]
    for name in ("modes", "hq", "reverse_kl", "w1", "energy", "mmd"):
        assert better(perfect, collapsed, name) and not better(collapsed, perfect, name)
        assert leaders([collapsed, perfect], name) == {1}


@pytest.mark.parametrize(
    "name, scores, expected",
    [
        ("hq", {"hq": 1.0, "hq_perfect": 0.99}, 0.01),
        ("w1", {"w1": 0.05, "w1_floor": 0.02}, 0.03),
        ("w1", {"w1": 0.01, "w1_floor": 0.02}, 0.0),  # chance
        ("w1", {"w1": 0.01}, 0.01),
        ("recall", {"recall": 0.99, "recall_floor": 0.95}, 0.04),  # blur
        ("density", {"density": 3.0, "density_floor": 1.0}, 2.0),
        ("nearest_real", {"nearest_real": 0.2, "nearest_real_floor": 1.0}, 0.8),
        ("modes", {"modes": 7, "modes_total": 8}, 1.0),
        ("modes", {"modes": 640, "modes_total": 1_000, "modes_real": 632}, 8.0),
        ("modes", {"modes": 7}, None),
        ("hq", {}, None),
        ("reverse_kl", {"reverse_kl": None, "reverse_kl_floor": 0.001}, None),
        ("w1", {"w1": "0.1"}, None),
        ("w1", {"w1": math.nan}, None),
        ("modes", {"modes": True, "modes_total": 8}, None),
    ],
)
def test_the_distance_to_the_ideal(name, scores, expected):
    assert SCORES[name].distance_to_ideal(name, scores) == (expected if expected is None else pytest.approx(expected))


def test_each_run_is_held_against_its_own_ideal():
    """At fewer samples a distance has a higher floor."""
    few, many = {"w1": 0.21, "w1_floor": 0.2}, {"w1": 0.1, "w1_floor": 0.02}
    assert better(few, many, "w1") and SCORES["w1"].ideal("w1", few) == 0.2


def test_equals_lead_together_and_the_unknown_never():
    rows = [{"w1": 0.01, "w1_floor": 0.02}, {}, {"w1": 0.015, "w1_floor": 0.02}, {"w1": 0.03, "w1_floor": 0.02}]
    assert leaders(rows, "w1") == {0, 2} and leaders([{}, {}], "w1") == set()
    assert not better({}, rows[3], "w1") and better(rows[3], {}, "w1") and not better({}, {}, "w1")
