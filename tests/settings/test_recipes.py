"""The recipes: their papers' values, what they leave alone, and that they train."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.settings.all_settings import HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.combinations import acts, doubtful
from gan_core.settings.config import GANConfig, config_from_json
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import OFF, RECIPES
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer

POINTS, IMAGES = PRESETS["ring"].config, PRESETS["mnist"].config
DIGITS = GANConfig.from_flat({"data": "digits"})
each_recipe = pytest.mark.parametrize("name", RECIPES)
each_config = pytest.mark.parametrize(
    "config", [POINTS, PRESETS["grid"].config, DIGITS, IMAGES], ids=["ring", "grid", "digits", "mnist"]
)

# What a recipe may set beyond OFF: sizes that its paper names, and what goes with a knob of OFF.
SIZES = {"batch_size", "latent_dim", "g_layers", "g_units", "d_layers", "d_units"}
COMPANIONS = {"gp_weight", "ema_decay", "schedule_steps", "instance_noise_steps"}


def adam(rate, beta_1, beta_2):
    return {"optimizer": "adam", "lr": rate, "beta_1": beta_1, "beta_2": beta_2}


def papers(name, images):
    """(settings of both networks by their bare names, the others) as the papers have them, by hand."""
    match name:
        case "original":  # minimax, momentum, dropout in a maxout discriminator
            both = {"optimizer": "sgd", "lr": 0.1, "momentum": 0.5, "norm": "none"}
            rest = {"d_activation": "maxout", "dropout": 0.5, "z_dist": "uniform"}
            return both, {**rest, "loss": "minimax", "d_steps": 1, "batch_size": 100}
        case "dcgan":
            both = {**adam(2e-4, 0.5, 0.999), "norm": "batch"}
            rest = {"g_activation": "relu", "d_activation": "leaky_relu", "latent_dim": 100, "batch_size": 128}
            return both, {**rest, "loss": "non_saturating", "z_dist": "uniform"}
        case "lsgan":
            return {**adam(1e-3, 0.5, 0.999), "norm": "batch"}, {"loss": "least_squares", "batch_size": 64}
        case "wgan":
            both = {"optimizer": "rmsprop", "lr": 5e-5}
            return both, {"loss": "wasserstein", "weight_clip": 0.01, "d_steps": 5, "batch_size": 64, "penalty": "none"}
        case "wgan_gp":
            rest = {"loss": "wasserstein", "penalty": "wgan_gp", "d_steps": 5, "weight_clip": 0, "d_norm": "none"}
            if images:
                return adam(1e-4, 0.0, 0.9), {**rest, "gp_weight": 10, "batch_size": 64}
            return adam(1e-4, 0.5, 0.9), {**rest, "gp_weight": 0.1, "batch_size": 256}
        case "sngan":
            return adam(2e-4, 0.0, 0.9), {"loss": "hinge", "d_norm": "spectral", "d_steps": 5, "batch_size": 64}
        case "pacgan2":
            if images:
                rest = {"packing": 2, "batch_size": 128, "latent_dim": 100, "z_dist": "uniform"}
                return {**adam(2e-4, 0.5, 0.999), "norm": "batch"}, rest
            rest = {"g_layers": 4, "g_units": 400, "d_layers": 3, "d_units": 200, "d_activation": "maxout"}
            rest |= {"g_norm": "batch", "batch_size": 200, "latent_dim": 2, "z_dist": "normal"}
            return adam(1e-4, 0.8, 0.999), {"packing": 2, **rest}
        case "r3gan":
            both = {**adam(2e-4, 0.0, 0.99), "norm": "none", "activation": "leaky_relu"}
            return both, {"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.05, "show_ema": True}
    raise AssertionError(f"look {name} up in its paper")


@each_recipe
@pytest.mark.parametrize("config", [POINTS, IMAGES], ids=["points", "images"])
def test_the_papers_values(name, config):
    both, rest = papers(name, config is IMAGES)
    made = RECIPES[name].of(config)
    expected = {f"{side}_{knob}": value for side in "gd" for knob, value in both.items()} | rest
    assert {knob: getattr(made, knob) for knob in expected} == expected


@each_recipe
@each_config
def test_a_recipe_gives_a_valid_config_that_survives_json_and_a_url(name, config):
    made = RECIPES[name].of(config)
    assert GANConfig.from_flat_lenient(made.to_flat()) == (made, [])
    assert config_from_json(json.dumps(made.to_flat())) == made
    assert GANConfig.from_flat_lenient(made.to_query()) == (made, [])


@each_recipe
@each_config
def test_a_recipe_leaves_data_seed_and_what_it_does_not_know_alone(name, config):
    config = replace(config, seed=77)
    made = RECIPES[name].of(config)
    row = RECIPES[name]
    own = {*OFF, *row.settings, *row.points, *row.images}
    assert own <= {*OFF, *SIZES, *COMPANIONS, "conditional"}
    assert {n for n in HYPERPARAMETERS if getattr(made, n) != getattr(config, n)} <= own
    assert made.params() == config.params()


def test_off_has_every_knob_of_the_objective_the_optimizers_and_the_stabilisers():
    groups = ("Learning rates", "Loss and penalty", "Batch and seed", "Stabilizers", "Generator", "Discriminator")
    kinds = {name for name, knob in HYPERPARAMETERS.items() if knob.group in groups}
    assert set(OFF) == kinds - SIZES - COMPANIONS - {"g_output", "seed"}
    assert OFF.keys() & set(LIVE_FIELDS)


@pytest.mark.parametrize("first, second", itertools.permutations(RECIPES, 2))
@pytest.mark.parametrize("config", [POINTS, IMAGES], ids=["points", "images"])
def test_the_second_of_two_recipes_has_nothing_of_the_first(first, second, config):
    """But for sizes that only the first sets, and numbers that act only with a knob that is off."""
    one, other = RECIPES[second].of(config), RECIPES[second].of(RECIPES[first].of(config))
    left = {name for name in HYPERPARAMETERS if getattr(one, name) != getattr(other, name)}
    assert left <= SIZES | COMPANIONS
    acts = {"gp_weight": one.penalty != "none", "ema_decay": one.show_ema, "schedule_floor": one.schedule != "constant"}
    assert not any(acts.get(name, False) for name in left)


@each_recipe
def test_a_recipe_twice_is_the_recipe_once(name):
    made = RECIPES[name].of(POINTS)
    assert RECIPES[name].of(made) == made


def test_recipes_differ():
    for config in (POINTS, IMAGES):
        assert len({row.of(config) for row in RECIPES.values()}) == len(RECIPES)


@each_recipe
@pytest.mark.parametrize("data", ["ring", "grid", "digits"])
def test_one_finite_step_of_small_networks(name, data):
    small = {"g_layers": 1, "g_units": 8, "d_layers": 2, "d_units": 8, "data_size": 64, "d_steps": 1, "batch_size": 8}
    start = GANConfig.from_flat({"data": data, "seed": 5})
    if data == "digits":
        small = {"filters": 8, "d_steps": 1, "batch_size": 8}
        start = start.updated({"architecture": "dcgan"})
    config = RECIPES[name].of(start).updated(small)
    samples = loading.load(config)
    program = TrainStep(config, samples.array.shape, path="graph")
    program.train = program._train
    trainer = Trainer(config, samples, program)
    before = trainer.samples(trainer.latent(8), ema=False)
    assert np.isfinite(trainer.train(1)).all()
    assert not np.array_equal(trainer.samples(trainer.latent(8), ema=False), before)


@pytest.mark.parametrize(
    "name, settings, words",
    [
        ("original", {"data": "digits", "architecture": "resnet"}, "maxout does not fit resnet"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_in_a_sentence(name, settings, words):
    with pytest.raises(ConfigError, match=words):
        RECIPES[name].of(GANConfig.from_flat(settings))


@each_recipe
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_on_every_architecture_a_recipe_acts_is_refused_or_says_what_does_nothing(name, architecture):
    config = GANConfig.from_flat({"data": "digits", "architecture": architecture})
    try:
        made = RECIPES[name].of(config)
    except ConfigError:
        return
    row = RECIPES[name]
    asked = {**row.settings, **row.images}
    said = " ".join(sentence for sentence in doubtful(made) if "nothing" in sentence)
    for knob, value in asked.items():
        # what equals the default of all data is not asked for
        if not acts(knob, made) and value != getattr(GANConfig.from_flat({"data": "digits"}), knob):
            assert knob in said


def test_spectral_norm_that_residual_blocks_do_not_have_is_said():
    made = RECIPES["sngan"].of(GANConfig.from_flat({"data": "digits", "architecture": "resnet"}))
    assert any("d_norm=spectral do nothing: the architecture resnet" in sentence for sentence in doubtful(made))


def test_r3gan_says_what_it_leaves_out():
    row, config = RECIPES["r3gan"], RECIPES["r3gan"].of(IMAGES)
    assert all(part in row.description for part in ("Left out", "0.05 to 0.005", "0.9 to 0.99", "5 million images"))
    assert (config.gp_weight, config.d_beta_2) == (0.05, 0.99) and config.schedule_floor == 5e-5 / 2e-4


def test_packs_have_no_class_so_pacgan_is_told_none():
    assert not RECIPES["pacgan2"].of(GANConfig.from_flat({"data": "digits", "conditional": True})).conditional


@each_recipe
def test_every_row_is_described(name):
    assert RECIPES[name].description and RECIPES[name].source.startswith("arXiv ")
