"""What a training process may take (machine.py), and that networks which want more are refused."""

import pytest

from gan_core import datasets, machine
from gan_core.config import GANConfig
from gan_core.cost import BASE_BYTES, KEPT_DENSE, check_memory, step_memory
from gan_core.hub import Hub
from gan_core.knobs import ConfigError
from gan_core.presets import PRESETS


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
