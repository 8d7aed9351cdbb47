"""Does this setting act? A run tells: what is said not to act changes no bit of it, what acts changes something."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.data.drawing import Stroke, encode
from gan_core.data.loading import class_count
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.architectures import ARCHITECTURES, plans
from gan_core.settings.all_settings import CARRIED, HYPERPARAMETERS
from gan_core.settings.combinations import acts, needs, why_idle
from gan_core.settings.config import IMAGE_DEFAULTS, GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from tests.support.tiny import quadrants

STEPS = 3
POINTS = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
SMALL = {"batch_size": 8, "data_size": 40, "latent_dim": 3, "g_units": 4, "d_units": 4, "filters": 8}
TINY = {"data": "ring", **SMALL}
PICTURES = {"data": "digits", **SMALL, "d_lr": 0.01, "g_lr": 0.01}
CONFIGS = {
    "the default": TINY,
    "two layers": {**TINY, "g_layers": 2, "d_layers": 2, "d_norm": "layer", "loss": "hinge", "penalty": "r1"},
    "no layers": {**TINY, "g_layers": 0, "d_layers": 0},
    "no layers, normed": {**TINY, "g_layers": 0, "d_layers": 0, "d_norm": "spectral", "loss": "wasserstein"},
    "no layers in the generator": {**TINY, "g_layers": 0, "d_layers": 1, "g_optimizer": "sgd", "g_lr": 0.01},
    "no layers in the discriminator": {**TINY, "g_layers": 1, "d_layers": 0, "d_optimizer": "rmsprop", "d_lr": 0.01},
    "a schedule": {**TINY, "schedule": "cosine", "schedule_steps": 100, "ema_decay": 0},
    "a schedule that ends where it starts": {**TINY, "schedule": "linear", "schedule_floor": 1, "instance_noise": 0.1},
    "one's own points": {**TINY, "data": "file", "loss": "relativistic", "unroll": 1, "packing": 2},
    "dense pictures": {**PICTURES, "architecture": "mlp"},
    "dense pictures without layers": {**PICTURES, "architecture": "mlp", "g_layers": 0, "d_layers": 0},
    "convolutions": {**PICTURES, "architecture": "dcgan"},
    "convolutions, no dense layers": {**PICTURES, "architecture": "dcgan", "g_layers": 0, "d_layers": 0},
    "enlarged": {**PICTURES, "architecture": "dcgan_resize", "g_layers": 0, "g_optimizer": "rmsprop", "ema_decay": 0},
    "residual": {**PICTURES, "architecture": "resnet", "loss": "hinge", "penalty": "none"},
    "augmented, in color": {**PICTURES, "data": "mnist_rgb", "architecture": "dcgan", "augment": "diffaugment"},
    "augmented, gray": {**PICTURES, "architecture": "dcgan", "augment": "ada", "ada_target": 0, "ada_kimg": 1},
    "the tutorial's": {**PICTURES, "architecture": "tutorial_conv", "conditional": True, "d_optimizer": "sgd"},
}
# What to try instead, where the ends of the range would be slow or say nothing.
OTHERS = {
    "data_size": (16, 100),
    "batch_size": (16,),
    "latent_dim": (5,),
    "g_units": (6,),
    "d_units": (6,),
    "filters": (12,),
    "g_layers": (1, 2),
    "d_layers": (1, 2),
    "seed": (1,),
    "unroll": (2, 0),
    "packing": (2, 1),
    "d_steps": (2,),
    "g_steps": (2,),
    "weight_clip": (0.01,),
    "grad_clip": (0.01,),
    "g_lr": (0.02,),
    "d_lr": (0.02,),
    "ema_decay": (0.5, 0.0),  # as long as a run is young, its average forgets as quickly as at 0.99
    "schedule_steps": (1_000,),
    "instance_noise_steps": (1_000,),
}


def others(name, config):
    """Valid settings that differ from `config` in `name` only."""
    knob = HYPERPARAMETERS[name]
    values = OTHERS.get(name) or knob.choices or ((True, False) if knob.kind is bool else (knob.low, knob.high, 0.3))
    if name == "data":
        values = [n for n, row in DATASETS.items() if row.kind == DATASETS[config.data].kind and not row.upload][:2]
    for value in values:
        if value == getattr(config, name):
            continue
        with contextlib.suppress(ConfigError):
            yield config.updated({name: value})


def run_of(config):
    """All that a run of a few steps leaves and shows, as bytes."""
    channels = DATASETS[config.data].native[-1]
    data = (
        quadrants(config.data_size, channels=channels)
        if DATASETS[config.data].kind == "images"
        else loading.load(config, POINTS)
    )
    program = TrainStep(config, data.array.shape, "graph", class_count(config, data))
    program.train = program._train
    trainer = Trainer(config, data, program)
    rows, shown = trainer.train(STEPS), "ema" if config.show_ema else "g"
    parts = [rows, *trainer.state[shown], *trainer.state[f"{shown}_extra"], *tf.nest.flatten(trainer.state)]
    return [np.asarray(part).tobytes() for part in parts]


def settings_of(name):
    return GANConfig.from_flat(CONFIGS[name])


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_said_not_to_act_changes_no_bit_of_a_run(name):
    """All of it changed at once, for a run of each takes minutes."""
    config = changed = settings_of(name)
    idle = [knob for knob in HYPERPARAMETERS if not acts(knob, config)]
    assert idle and all(why_idle(knob, config) for knob in idle)
    for knob in idle:
        changed = next(others(knob, changed), changed)
    assert (
        sum(getattr(changed, knob) != getattr(config, knob) for knob in idle) >= len(idle) - 3
    )  # what points refuse stays as it is
    assert run_of(changed) == run_of(config)


ACTING = {}  # setting: the first of CONFIGS where it acts
for _name in CONFIGS:
    for _knob in HYPERPARAMETERS:
        if acts(_knob, settings_of(_name)):
            ACTING.setdefault(_knob, _name)


@pytest.fixture(scope="module")
def runs():
    return {}


@pytest.mark.parametrize(("knob", "name"), ACTING.items())
def test_what_acts_changes_something(runs, knob, name):
    config = settings_of(name)
    if name not in runs:
        runs[name] = run_of(config)
    assert any(run_of(changed) != runs[name] for changed in others(knob, config))


def test_every_setting_acts_somewhere():
    assert set(ACTING) == set(HYPERPARAMETERS)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize("norm", ["none", "spectral", "layer"])
def test_networks_are_the_same_where_a_setting_is_said_not_to_act(name, layers, norm):
    """All architectures, the heavy ones too, by their plans."""
    size = "64" if name == "tutorial_dcgan64" else "28"
    flat = {**PICTURES, "data": "mnist_rgb", "data.size": size, "architecture": name}
    own = {"g_layers": layers, "d_layers": layers, "d_norm": norm, "g_norm": norm, "dropout": 0.1}
    config, _ = GANConfig.from_flat_lenient({**flat, **own})
    shape = (int(size), int(size), 3)
    for knob in set(HYPERPARAMETERS) - {"data", "architecture"}:
        changed = [plans(other, shape) != plans(config, shape) for other in others(knob, config)]
        if not acts(knob, config):
            assert not any(changed), knob
        elif knob in {use for row in ARCHITECTURES.values() for use in row.knobs}:
            assert any(changed), knob


def test_a_convolution_s_activation_acts_whatever_the_dense_layers():
    config = GANConfig.from_flat({"data": "mnist", "architecture": "dcgan", "g_layers": 0, "d_layers": 0})
    assert all(acts(name, config) for name in ("g_activation", "d_activation", "dropout", "g_norm", "d_norm"))
    assert not acts("g_units", config) and why_idle("g_units", config) == "the architecture dcgan does not use it"


@pytest.mark.parametrize("data", [name for name, row in DATASETS.items() if row.kind == "points" and row.knobs])
def test_every_parameter_of_points_acts(data):
    for flat in ({"data": data}, {"data": data, "data.modes": 1}, {"data": data, "data.side": 1}):
        config, problems = GANConfig.from_flat_lenient({**flat, "data_size": 50})
        for name, knob in DATASETS[data].knobs.items() if not problems else ():
            others = [value for value in knob.choices or () if value not in dict(config.data_params).values()]
            ends = others[:2] or (knob.low, knob.high)
            if data == "drawn":
                ends = (knob.default, "ring") if knob.choices else (knob.default, encode([Stroke(np.zeros((1, 2)))]))
            low, high = (config.updated({f"data.{name}": end}) for end in ends)
            assert not np.array_equal(loading.load(low).array, loading.load(high).array), name


def test_a_setting_that_may_do_nothing_says_what_it_needs():
    assert {name for name, knob in HYPERPARAMETERS.items() if knob.idle} | {*CARRIED} == {
        name for name in HYPERPARAMETERS if needs(name)
    }
    assert set(IMAGE_DEFAULTS) <= set(HYPERPARAMETERS)
