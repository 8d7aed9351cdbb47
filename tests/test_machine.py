"""What a training process may take (machine.py), and that networks which want more are refused."""

import pytest

from gan_core import datasets, machine
from gan_core.config import GANConfig
from gan_core.cost import BASE_BYTES, KEPT_DENSE, check_memory, step_memory
from gan_core.hub import Hub
from gan_core.knobs import ConfigError
from gan_core.presets import PRESETS


@pytest.mark.parametrize("text", ["0", "x", "-1", "1.5", "999999999"])
@pytest.mark.parametrize(
    ("name", "setting", "range_"),
    [
        ("GANSCOPE_MAX_WORKERS", machine.worker_limit, "from 1 to 1,000"),
        ("GANSCOPE_WORKER_THREADS", machine.worker_threads, "from 1 to 1,024"),
        ("GANSCOPE_WORKER_MB", machine.worker_memory, "from 1 to 10,000,000"),
        ("GANSCOPE_AWAY_SECONDS", machine.away_seconds, "from 1 to 86,400"),
    ],
)
def test_a_bad_variable_is_a_sentence(monkeypatch, name, setting, range_, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(ValueError, match=f"{name} must be a whole number {range_}"):
        setting()
    with pytest.raises(ValueError, match=name):
        Hub(lambda session: False)


def test_cores_are_shared_where_many_train_at_once(monkeypatch):
    for name in ("GANSCOPE_MAX_WORKERS", "GANSCOPE_WORKER_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "cores", lambda: 8)
    assert (machine.worker_limit(), machine.worker_threads()) == (8, 8)  # one person, one laptop
    for workers, threads in (("8", 1), ("3", 2), ("50", 1), ("1", 8)):
        monkeypatch.setenv("GANSCOPE_MAX_WORKERS", workers)
        assert machine.worker_threads() == threads
    monkeypatch.setenv("GANSCOPE_WORKER_THREADS", "5")
    assert machine.worker_threads() == 5


def test_memory_is_a_share_of_the_machine_s(monkeypatch):
    monkeypatch.delenv("GANSCOPE_WORKER_MB", raising=False)
    monkeypatch.setattr(machine, "_memory", lambda: 16_000_000_000)
    assert machine.worker_memory() == 12_000_000_000
    monkeypatch.setenv("GANSCOPE_WORKER_MB", "1500")
    assert machine.worker_memory() == 1_500_000_000
    monkeypatch.undo()
    assert 500_000_000 < machine.worker_memory() < 1 << 50


def test_the_memory_of_a_step_by_hand():
    """G: 5 z -> 1 unit -> 2, D: 2 -> 1 unit -> 1: 9 and 5 weights with biases."""
    point = {"data": "ring", "g_layers": 1, "g_units": 1, "d_layers": 1, "d_units": 1, "batch_size": 10}
    config = GANConfig.from_flat({**point, "latent_dim": 5, "penalty": "none"})
    # Each layer puts its numbers out, and so does its activation: 1 + 1 + 2 and 1 + 1 + 1.
    weights, g, d = 10 * 16 + 5 * 15, 4, 3
    for more, factor in (({}, 4), ({"penalty": "r1"}, 8), ({"unroll": 2}, 12)):
        bytes_ = 4 * (weights + KEPT_DENSE * 10 * (2 * g + factor * d))
        assert step_memory(config.updated(more), (2,)) == BASE_BYTES + int(bytes_)


def test_networks_that_want_more_are_refused_with_both_numbers(monkeypatch):
    monkeypatch.setenv("GANSCOPE_WORKER_MB", "4000")
    giant = GANConfig.from_flat(
        {"data": "mnist", "data.size": "64", "architecture": "resnet", "filters": 128, "batch_size": 1024, "unroll": 5}
    )
    with pytest.raises(
        ConfigError, match=r"would need about [\d,.]+ GB .* may take 4\.0 GB here\. Take a smaller batch"
    ):
        check_memory(giant, (64, 64, 1))


def test_racers_share_the_memory_of_one_process(monkeypatch):
    monkeypatch.setenv("GANSCOPE_WORKER_MB", "2000")
    one = GANConfig.from_flat({"data": "ring", "g_units": 512, "d_units": 512, "batch_size": 1024, "penalty": "r1_r2"})
    alone = step_memory(one, (2,))
    racers = int((2_000_000_000 - BASE_BYTES) / (alone - BASE_BYTES)) + 1
    assert racers > 1
    check_memory(one, (2,), [one] * (racers - 2))
    with pytest.raises(
        ConfigError, match=f"The networks of all {racers} racers together would need about 2.* may take 2.0"
    ):
        check_memory(one, (2,), [one] * (racers - 1))


def test_every_preset_fits_a_laptop(monkeypatch):
    monkeypatch.setenv("GANSCOPE_WORKER_MB", "6000")
    for preset in PRESETS.values():
        row = datasets.DATASETS[preset.config.data]
        shape = (2,) if row.kind == "points" else datasets.sample_shape(preset.config)
        check_memory(preset.config, shape)
