"""What a training process may take (machine.py), and that networks which want more are refused."""

import gc
import threading
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

from gan_core import command_arguments
from gan_core.data import datasets, loading
from gan_core.data.memory_cache import Kept, size_of
from gan_core.data.pictures import Pictures
from gan_core.foundations import machine
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.cost import BASE_BYTES, KEPT_DENSE, check_memory, step_memory
from gan_core.serving.hub import Hub
from gan_core.serving.mailbox import Mailbox
from gan_core.serving.set_aside import SetAside
from gan_core.serving.stepping import Stepping
from gan_core.serving.worker import Worker
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from pages.ui.session import own_run


@pytest.mark.parametrize("text", ["0", "x", "-1", "1.5", "9999999999"])
@pytest.mark.parametrize(
    ("name", "setting", "range_"),
    [
        ("GANSCOPE_MAX_WORKERS", machine.worker_limit, "from 1 to 1,000"),
        ("GANSCOPE_WORKER_THREADS", machine.worker_threads, "from 1 to 1,024"),
        ("GANSCOPE_WORKER_MB", machine.worker_memory, "from 1 to 10,000,000"),
        ("GANSCOPE_AWAY_SECONDS", machine.away_seconds, "from 1 to 86,400"),
        ("GANSCOPE_RUNS_MB", machine.runs_quota, "from 1 to 1,000,000,000"),
    ],
)
def test_a_bad_variable_is_a_sentence(monkeypatch, name, setting, range_, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(ValueError, match=f"{name} must be a whole number {range_}"):
        setting()
    with pytest.raises(ValueError, match=name):
        Hub(lambda session: False)


def test_a_spare_process_can_be_done_without(monkeypatch):
    monkeypatch.delenv("GANSCOPE_SPARE")
    assert machine.keeps_spare()
    for text, kept in (("0", False), ("1", True)):
        monkeypatch.setenv("GANSCOPE_SPARE", text)
        assert machine.keeps_spare() is kept
    monkeypatch.setenv("GANSCOPE_SPARE", "no")
    with pytest.raises(ValueError, match="GANSCOPE_SPARE must be 0 or 1; got 'no'"):
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
        ConfigError, match=r"would need about [\d,.]+ GB .* may take 4\.0 GB here\. Use a smaller batch"
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
        ConfigError, match=f"The networks of all {racers} runs of this race together would need about 2.* may take 2.0"
    ):
        check_memory(one, (2,), [one] * (racers - 1))


# -- data ----------------------------------------------------------------------------------------------------------

LARGE = {"data": "stacked_mnist", "data.size": "64", "data_size": 200_000}


def test_a_large_data_set_is_refused_before_it_is_loaded(monkeypatch):
    """2.6 GB, which TensorFlow holds once more: no page and no training process begins to load them."""
    monkeypatch.setenv("GANSCOPE_WORKER_MB", "1500")
    monkeypatch.setitem(
        datasets.DATASETS,
        "stacked_mnist",
        replace(datasets.DATASETS["stacked_mnist"], draw=lambda *a, **k: pytest.fail("it is loaded")),
    )
    config = GANConfig.from_flat({**LARGE, "architecture": "dcgan"})
    sentence = r"and their data would need about 6\.\d GB .* may take 1\.5 GB here\. Choose fewer training samples"
    with pytest.raises(ConfigError, match=sentence):
        own_run.check(config, None)
    with pytest.raises(ConfigError, match=sentence):
        command_arguments.data_of(config, Namespace(data=None))
    worker = Worker.__new__(Worker)
    Stepping.__init__(worker, Mailbox.__new__(Mailbox))
    worker._faster, worker._set_aside = [], SetAside()
    worker._generation = 0
    with pytest.raises(ConfigError, match=sentence):
        worker._build([config], {"generation": 1, "upload": None})


def test_a_server_holds_so_many_data_sets_at_once(monkeypatch):
    """Whether they are in use or only kept: what is only kept makes room first."""
    monkeypatch.setattr(machine, "_memory", lambda: 4 * 3_300_000)
    monkeypatch.setattr(loading, "_SETS", Kept(most=2_000_000))
    one = GANConfig.from_flat({"data": "digits", "data.size": "28"})  # 1.4 MB

    def load(seed):
        return loading.load(one.updated({"seed": seed, "data_size": 1_000}))

    held = [load(0), load(1)]  # 1 MB each, and nobody holds the first ones of the following
    for seed in range(2, 6):
        load(seed)
    assert loading._SETS.bytes() < 3_300_000
    assert load(0) is held[0]
    with pytest.raises(ConfigError, match=r"would take 0\.0 GB of memory; all open data sets .* smaller image size"):
        loading.load(one.updated({"data.size": "32", "seed": 7}))
    held.clear()
    assert len(loading.load(one.updated({"data.size": "32", "seed": 7}))) == 1_500


@pytest.mark.parametrize(
    "flat",
    [
        {"data": "ring", "data_size": 500},
        {"data": "digits", "data_size": 100},
        {"data": "digits", "data.size": "64"},
        {"data": "digits", "data.classes": "3,8"},
    ],
)
def test_the_estimate_of_the_data_holds(flat):
    config = GANConfig.from_flat(flat)
    data = loading.load(config)
    shape, size = loading.extent(config)
    assert shape == data.shape
    used = data.points.nbytes if data.kind == "points" else size_of(data)
    assert used <= size and (size < 1.2 * used or "data.classes" in flat)


@pytest.mark.parametrize("side", [20, 32, 50, 64])
@pytest.mark.parametrize("size", ["native", "28", "64"])
def test_the_estimate_of_a_user_s_pictures_holds(side, size):
    upload = Pictures(np.zeros((40, side, side, 3), np.uint8), np.zeros(40, np.int32), ("a",))
    config = GANConfig.from_flat({"data": "picture_file", "data.size": size, "data_size": 30})
    data = loading.load(config, upload)
    assert loading.extent(config, upload) == (data.shape, size_of(data))


def test_racers_share_one_data_set():
    one = GANConfig.from_flat({"data": "mnist"})
    size = loading.extent(one)[1]
    assert loading.training_bytes([one]) == 2 * size
    assert loading.training_bytes([one, one.updated({"g_lr": 1e-3})]) == 3 * size
    assert loading.training_bytes([one, one.updated({"seed": 1})]) == 4 * size


def test_what_is_kept_is_bounded_by_bytes_and_what_is_in_use_is_shared():
    def item(n):
        return Pictures(np.zeros((n, 10, 10, 1), np.uint8))

    kept = Kept(most=1_000)
    first = kept.get("a", lambda: item(4))
    kept.get("b", lambda: item(4))
    kept.get("c", lambda: item(4))
    assert kept.find("a") is first and kept.find("b") is not None  # "a" is in use
    large = kept.get("d", lambda: item(40))
    assert kept.find("b") is None and kept.find("c") is None and kept.get("d", pytest.fail) is large
    assert kept.bytes() == 4_400
    del first, large
    gc.collect()
    assert kept.bytes() == 0


def test_two_that_ask_at_once_load_once_and_a_failure_is_not_kept():
    kept, made, gate = Kept(), [], threading.Event()

    def slow():
        made.append(gate.wait(20))
        return Pictures(np.zeros((1, 2, 2, 1), np.uint8))

    got = []
    threads = [threading.Thread(target=lambda: got.append(kept.get("a", slow)), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(20)
    assert len(made) == 1 and got[0] is got[1] is got[2]
    for _ in range(2):
        with pytest.raises(ConfigError):
            kept.get("b", lambda: (_ for _ in ()).throw(ConfigError("no")))


def test_every_preset_fits_a_laptop(monkeypatch):
    monkeypatch.setenv("GANSCOPE_WORKER_MB", "6000")
    for preset in PRESETS.values():
        row = datasets.DATASETS[preset.config.data]
        shape = (2,) if row.kind == "points" else loading.sample_shape(preset.config)
        check_memory(preset.config, shape)


# -- control groups ------------------------------------------------------------------------------------------------


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Writes a tree of control groups for this process: its /proc/self/cgroup, and files by their path."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)

    def write(own: str, **files: str):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            file = tmp_path / "groups" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")

    return write


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        # version 2 in a container: its own group is the uppermost folder
        ("0::/\n", {"cpu.max": "800000 100000"}, 8),
        ("0::/\n", {"cpu.max": "max 100000"}, 64),
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),
        ("0::/\n", {"cpu.max": "20000 100000"}, 1),
        # a service: the narrowest of all that it lies in
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000", "cpu.max": "max 100000"}, 3),
        # version 1, in a container that shows the host's path, and with two controllers in one folder
        (
            "4:memory:/x\n3:cpu,cpuacct:/docker/f00\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "200000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            2,
        ),
        ("1:cpu:/\n0::/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ("1:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "500000", "cpu/a/cpu.cfs_period_us": "50000"}, 10),
        ("", {}, 64),
    ],
)
def test_a_quota_bounds_the_cores(groups, own, files, cores):
    groups(own, **files)
    assert machine.cores() == cores


def test_workers_share_what_a_quota_leaves(groups, monkeypatch):
    """Eight workers with eight cores' worth of a machine of 64: one thread each, not eight."""
    monkeypatch.delenv("GANSCOPE_WORKER_THREADS", raising=False)
    monkeypatch.setenv("GANSCOPE_MAX_WORKERS", "8")
    groups("0::/\n", **{"cpu.max": "800000 100000"})
    assert machine.worker_threads() == 1


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"memory.max": "2000000000"}, 2_000_000_000),
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "1000000000"}, 1_000_000_000),
        ("4:memory:/docker/f00\n", {"memory/memory.limit_in_bytes": "3000000000"}, 3_000_000_000),
        ("4:memory:/docker/f00\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)
def test_a_control_group_bounds_the_memory(groups, own, files, expected):
    groups("")
    machine_s = machine._memory()
    groups(own, **files)
    assert machine._memory() == (expected or machine_s)


def test_a_machine_without_control_groups_has_its_own_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "nothing")
    assert machine.cores() >= 1 and machine._memory() > 500_000_000
