"""Axes, grids and draws: what a sweep trains."""

import json

import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig
from gan_core.sweeps.space import Axis, Space, parse_axis, parse_space

BASE = GANConfig.from_flat({"seed": 3})


def space(*over, **more):
    return parse_space(BASE, list(over), **{"seeds": 1, "steps": 10, "seconds": None, **more})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("penalty=none, r1,r1_r2", ("none", "r1", "r1_r2")),
        ("g_lr=1e-4:1e-2:3", (1e-4, 1e-3, 1e-2)),  # its slider is logarithmic
        ("label_noise=0:0.2:3", (0.0, 0.1, 0.2)),
        ("g_units=16:256:5", (16, 32, 64, 128, 256)),
        ("d_steps=1:3:9", (1, 2, 3)),  # whole numbers, each once
        ("conditional=no,yes", (False, True)),
        ("data.radius=1,2", (1.0, 2.0)),
        ("g_lr=0.001,1e-3", (0.001,)),
    ],
)
def test_values_of_an_axis(text, values):
    assert parse_axis(text, BASE, draws=False) == Axis(text.partition("=")[0], values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("g_lr", "NAME=LOW:HIGH:COUNT"),
        ("g_lr=", "NAME=LOW:HIGH:COUNT"),
        ("g_lr=1:2:3:4", "NAME=LOW:HIGH:COUNT"),
        ("foo=1", "There is no setting 'foo'"),
        ("data.foo=1", "has no setting 'data.foo'"),
        ("seed=1,2", "--seeds"),
        ("g_lr=2", "g_lr must be a number from 1e-05 to 1"),
        ("g_lr=1e-2:1e-4:3", "must rise"),
        ("g_lr=1e-4:1e-2", "needs a number of values"),
        ("g_lr=1e-4:1e-2:1", "from 2 to 100"),
        ("g_lr=1e-4:1e-2:x", "from 2 to 100"),
        ("penalty=none:r1:2", "penalty must be one of"),
        (f"seed_=1{',1' * 200}", "There is no setting"),
        ("batch_size=" + ",".join(map(str, range(8, 200))), "at most 100 values"),
    ],
)
def test_a_bad_axis_is_a_sentence(text, said):
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        parse_axis(text, BASE, draws=False)


def test_the_grid_has_every_pair_with_the_first_seed_first():
    grid = space("g_lr=1e-3,1e-2", "penalty=none,r1", seeds=2)
    found = [(trial.seed, trial.settings["g_lr"], trial.settings["penalty"]) for trial in grid.trials()]
    pairs = [(rate, penalty) for rate in (1e-3, 1e-2) for penalty in ("none", "r1")]
    assert found == [(seed, *pair) for seed in (3, 4) for pair in pairs] and len(grid) == len(found)


def test_a_trial_has_the_settings_that_are_given_by_hand():
    for trial in space("g_lr=1e-3,1e-2", "data=ring,moons", "penalty=none,r1").trials():
        by_hand = BASE.updated({**trial.settings, "seed": trial.seed})
        assert GANConfig.from_flat(trial.config) == by_hand


def test_without_an_axis_there_are_the_seeds():
    assert [trial.seed for trial in space(seeds=3, draws=7).trials()] == [3, 4, 5]


def test_draws_are_the_same_every_time_and_stay_in_their_range():
    drawn = space("g_lr=1e-4:1e-2", "d_steps=1:5", "penalty=none,r1", draws=40, seeds=2)
    first, again = list(drawn.settings()), list(drawn.settings())
    assert first == again and len(first) == 40 and len(drawn) == 80
    assert all(1e-4 <= row["g_lr"] <= 1e-2 and row["d_steps"] in range(1, 6) for row in first)
    assert {row["penalty"] for row in first} == {"none", "r1"}
    assert sum(row["g_lr"] < 1e-3 for row in first) in range(10, 31)  # by factors, not by differences
    fewer = space("g_lr=1e-4:1e-2", "d_steps=1:5", "penalty=none,r1", draws=20, seeds=2)
    assert list(fewer.settings()) == first[:20]  # more of them later train none again


def test_a_trial_s_name_says_its_settings_and_its_budget():
    one = next(space("g_lr=1e-3").trials())
    keys = {trial.key for trial in space("g_lr=1e-2,1e-3", seeds=2).trials()}
    assert one.key in keys and len(keys) == 4
    assert one.key not in {trial.key for trial in space("g_lr=1e-3", steps=11).trials()}
    assert one.key == next(space("g_lr=0.001", f"penalty={BASE.penalty}").trials()).key  # however it is said


def test_to_json_and_back():
    for each in (space("g_lr=1e-3,1e-2", "penalty=none,r1", seeds=2), space("g_lr=1e-4:1e-2", draws=5, frames=True)):
        assert Space.of_json(json.loads(json.dumps(each.to_json()))) == each


def test_which_trainings_are_the_same():
    grid = space("g_lr=1e-3,1e-2")
    assert grid.same_trainings(space("penalty=none,r1", seeds=4))
    assert not grid.same_trainings(space("g_lr=1e-3,1e-2", steps=11))
    assert not grid.same_trainings(space("g_lr=1e-3,1e-2", frames=True))


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (["g_lr=1e-3", "g_lr=1e-2"], "g_lr is an axis twice"),
        (["g_lr=1e-4:1e-2:100", "d_lr=1e-4:1e-2:100", "batch_size=8:500:100"], "at most 100,000"),
    ],
)
def test_what_cannot_be_a_space_is_a_sentence(over, said):
    with pytest.raises(ConfigError, match=said):
        space(*over)
