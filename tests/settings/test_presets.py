"""The presets: valid, complete, and trainable."""

import json
from dataclasses import replace

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.data.image_sources import SOURCES
from gan_core.networks.architectures import plans
from gan_core.settings.config import GANConfig, compile_key, config_from_json
from gan_core.settings.presets import PRESETS, TUTORIALS
from gan_core.training.train_step import COLUMNS, TrainStep
from gan_core.training.trainer import Trainer

each_preset = pytest.mark.parametrize("name", PRESETS)


@pytest.fixture(scope="module")
def programs():
    """Uncompiled programs by structure: most presets share one."""
    return {}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a small file of every known set of images: noise, in its own size."""
    rng = np.random.default_rng(0)
    for name, source in SOURCES.items():
        arrays = {"y_train": np.arange(80) % 10, "y_test": np.arange(20) % 10}
        for part, n in (("train", 80), ("test", 20)):
            arrays[f"x_{part}"] = rng.integers(0, 256, (n, *source.shape)).astype(np.uint8)
        np.savez(tmp_path / f"{name}.npz", **arrays)
    monkeypatch.setenv("GANSCOPE_DATA", str(tmp_path))
    loading.forget()
    yield tmp_path
    loading.forget()


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


@each_preset
def test_the_config_survives_a_url(name):
    config = PRESETS[name].config
    assert GANConfig.from_flat_lenient(config.to_query()) == (config, [])


@pytest.mark.parametrize("data", [name for name, row in DATASETS.items() if not row.upload])
def test_every_data_set_has_a_preset_of_its_name(data):
    assert PRESETS[data].config.data == data


def test_no_preset_needs_a_file():
    assert not any(DATASETS[preset.config.data].upload for preset in PRESETS.values())


@each_preset
def test_the_kind_is_the_datas(name):
    preset = PRESETS[name]
    assert preset.kind == DATASETS[preset.config.data].kind
    plans(preset.config, loading.sample_shape(preset.config))  # which raises where they do not go together


def test_what_a_preset_of_images_adds_to_the_defaults():
    """The defaults stay as they are, for links name what differs from them."""
    coarse = {"architecture": "coarse", "filters": 48, "batch_size": 32, "ema_decay": 0.995}
    for name, more in {"mnist": coarse, "mnist_rgb": coarse, "fashion_mnist": {}}.items():
        assert PRESETS[name].config == GANConfig.from_flat({"data": name, **more})


def test_the_tutorials_are_numbered_in_their_order():
    assert [PRESETS[name].title.split(".")[0] for name in TUTORIALS] == [str(i + 1) for i in range(7)]
    for name in TUTORIALS:
        config = PRESETS[name].config
        assert (config.loss, config.penalty, config.latent_dim, config.show_ema) == (
            "non_saturating",
            "none",
            100,
            False,
        )


def test_no_two_presets_are_the_same():
    assert len({preset.config for preset in PRESETS.values()}) == len(PRESETS)


@each_preset
def test_one_training_step(name, programs, folder):
    config = PRESETS[name].config
    if PRESETS[name].kind == "images":
        config = replace(config, batch_size=8)  # the shapes are the preset's
    data = loading.load(config)
    assert data.shape == loading.sample_shape(config)
    key = compile_key(config), data.array.shape
    if key not in programs:
        programs[key] = TrainStep(config, data.array.shape, "graph", loading.class_count(config, data))
        programs[key].train = programs[key]._train
    trainer = Trainer(config, data, programs[key])
    before = trainer.samples(trainer.latent(8), ema=False)
    rows = trainer.train(1)
    assert rows.shape == (1, len(COLUMNS)) and np.isfinite(rows).all()
    assert not np.array_equal(trainer.samples(trainer.latent(8), ema=False), before)
