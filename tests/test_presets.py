"""The presets: valid, complete, and trainable."""

import json

import numpy as np
import pytest

from gan_core import datasets
from gan_core.config import GANConfig, compile_key, config_from_json
from gan_core.datasets import DATASETS
from gan_core.presets import PRESETS
from gan_core.trainer import COLUMNS, Program, Trainer

each_preset = pytest.mark.parametrize("name", PRESETS)


@pytest.fixture(scope="module")
def programs():
    """Uncompiled programs by structure: most presets share one."""
    return {}


@each_preset
def test_the_config_is_valid(name):
    config = PRESETS[name].config
    assert GANConfig.from_flat_lenient(config.to_flat()) == (config, [])


@each_preset
def test_the_config_survives_json(name):
    config = PRESETS[name].config
    assert config_from_json(json.dumps(config.to_flat())) == config


@each_preset
def test_it_is_described(name):
    assert PRESETS[name].description.strip()


@pytest.mark.parametrize("data", [name for name in DATASETS if name != "file"])
def test_every_data_set_has_a_preset_of_its_name(data):
    assert PRESETS[data].config.data == data


def test_no_preset_needs_a_file():
    assert "file" not in {preset.config.data for preset in PRESETS.values()}


def test_no_two_presets_are_the_same():
    assert len({preset.config for preset in PRESETS.values()}) == len(PRESETS)


@each_preset
def test_one_training_step(name, programs):
    config = PRESETS[name].config
    data = datasets.draw(config.data, config.data_size, config.seed, config.params())
    key = compile_key(config), data.points.shape
    if key not in programs:
        programs[key] = Program(config, data.points.shape, jit=False)
        programs[key].train = programs[key]._train
    trainer = Trainer(config, data, programs[key])
    before = trainer.samples(trainer.latent(8), ema=False)
    rows = trainer.train(1)
    assert rows.shape == (1, len(COLUMNS)) and np.isfinite(rows).all()
    assert not np.array_equal(trainer.samples(trainer.latent(8), ema=False), before)
