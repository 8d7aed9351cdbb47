"""Sweeps on a cluster of three nodes, simulated on this machine: the local sweep's bits, whatever is killed."""

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from gan_core.__main__ import main
from gan_core.foundations import cluster as clusters
from gan_core.foundations.cluster import Need
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.sweeps.store import Store
from tests.conftest import ROOT, wait_until
from tests.support.cluster import simulated

TINY = [f"--set={s}" for s in ("g_units=8", "d_units=8", "batch_size=16", "data_size=500", "g_layers=1", "d_layers=1")]


def sweep(folder, *arguments, **environment):
    """The command in a process of its own: this one may be connected to one cluster only, and not for ever."""
    return subprocess.Popen(
        [sys.executable, "-m", "gan_core", "sweep", "--preset", "ring", *TINY, *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, "GANSCOPE_SWEEPS_DIR": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process, seconds=300):
    """(exit status, JSON or None, what it said) of a command, which ends in any case."""
    try:
        out, said = process.communicate(timeout=seconds)
    finally:
        process.kill()
        process.wait(15)
    return process.returncode, json.loads(out) if out else None, said


@pytest.fixture(scope="module")
def three_nodes():
    with simulated(3) as found:
        yield found


def test_on_nodes_as_here_and_a_node_that_dies_loses_nothing(three_nodes, tmp_path, full):
    """Each trial's scores, history and picture are those of the local sweep, bit for bit; one node dies meanwhile."""
    cluster, nodes = three_nodes
    seeds = "12" if full else "3"
    arguments = ["--over", "g_lr=1e-3,1e-2", "--seeds", seeds, "--steps", "40", "--save", "map"]
    there, here = tmp_path / "there", tmp_path / "here"
    process = sweep(there, *arguments, "--ray", cluster.address)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()
    store = Store(there / "map")
    wait_until(lambda: len({row["node"]["id"] for row in store.rows()[0]}) >= 2, 120, "rows of two nodes")
    dead = nodes.pop()
    cluster.remove_node(dead, allow_graceful=False)
    wait_until(lambda: process.poll() is not None, 240, "the end of the sweep")
    reader.join(10)
    assert process.returncode == 0, "".join(lines)[-2_000:]
    rows = json.loads(process.stdout.read())["rows"]
    assert f"{len(rows)} trials on the cluster at {cluster.address}, 3 at once" in "".join(lines)
    assert len(rows) == 2 * int(seeds) == len(store.rows()[0]) and {row["status"] for row in rows} == {"done"}

    status, local, said = result(sweep(here, *arguments))
    assert status == 0, said[-2_000:]
    for one, other in zip(rows, local["rows"], strict=True):
        assert one["key"] == other["key"] and one["metrics"] == other["metrics"]
        assert {**one["node"], "id": ""} == {**other["node"], "id": ""}
        found, wanted = store.arrays(one["key"]), Store(here / "map").arrays(one["key"])
        assert found.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)
        assert store.picture(one["key"]) == Store(here / "map").picture(one["key"])


def test_own_data_go_there_and_the_trial_s_run_comes_back(three_nodes, tmp_path):
    cluster, _ = three_nodes
    points = tmp_path / "points.csv"
    points.write_text("\n".join(f"{i % 7},{i % 5}" for i in range(60)))
    arguments = ["--data", str(points), "--over", "g_lr=1e-3", "--steps", "3", "--frames", "--save", "own"]
    command = sweep(tmp_path, *arguments, GANSCOPE_RAY=cluster.address)
    status, found, said = result(command)
    assert status == 0, said[-2_000:]
    (row,) = found["rows"]
    assert row["status"] == "done" and row["node"]["id"]
    assert main(["evaluate", str(tmp_path / "own" / "runs" / row["key"]), "--samples", "64", "--resamples", "39"]) == 0


def test_a_training_that_no_node_has_room_for_is_refused(three_nodes, tmp_path):
    cluster, _ = three_nodes
    arguments = ["--over", "g_lr=1e-3", "--steps", "3", "--ray", cluster.address]
    status, found, said = result(sweep(tmp_path, *arguments, GANSCOPE_WORKER_GPUS="1"))
    assert (status, found) == (2, None) and "No node of the cluster has 1 core, 1 of a GPU and " in said


def test_another_version_of_ray_is_a_sentence(three_nodes, tmp_path):
    cluster, _ = three_nodes
    (tmp_path / "sitecustomize.py").write_text("import ray\nray.__version__ = '1.2.3'\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    status, found, said = result(
        sweep(tmp_path, "--over", "g_lr=1e-3", "--steps", "3", "--ray", cluster.address, PYTHONPATH=path)
    )
    assert (status, found) == (2, None)
    assert "does not fit: Version mismatch" in said and "1.2.3" in said and "needed everywhere." in said


def test_the_head_that_goes_is_noticed_and_the_sweep_goes_on_later(three_nodes, tmp_path):
    """The last test of this cluster."""
    cluster, _ = three_nodes
    arguments = ["--over", "g_lr=1e-3,1e-2", "--seeds", "20", "--steps", "300", "--save", "map"]
    process = sweep(tmp_path, *arguments, "--ray", cluster.address)
    store = Store(tmp_path / "map")
    wait_until(lambda: store.rows()[0], 120, "the first row")
    cluster.remove_node(cluster.head_node, allow_graceful=False)
    status, found, said = result(process, 90)
    rows = store.rows()[0]
    assert (status, found) == (2, None) and clusters.HEAD_GONE in said and 0 < len(rows) < 40
    fewer = ["--over", "g_lr=1e-3", "--seeds", "1", "--steps", "300", "--save", "map"]
    status, found, said = result(sweep(tmp_path, *fewer))
    assert status == 0 and store.rows()[0][: len(rows)] == rows, said[-2_000:]


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:1", "No Ray cluster answers"), ("nonsense", "No Ray cluster answers at 'nonsense'")],
)
def test_an_address_without_a_cluster_is_a_sentence(address, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        clusters.check(address)


def test_ray_that_is_not_installed_is_a_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(clusters.importlib.util, "find_spec", lambda name: None)
    arguments = ["sweep", "--steps", "3", "--ray", "auto", "--sweeps-dir", str(tmp_path)]
    assert main(arguments) == 2
    assert clusters.MISSING in capsys.readouterr().err


def test_what_finds_room():
    node = {"CPU": 4.0, "memory": 8e9}
    assert Need(1, 0, 2 * 10**9).times_in(node) == 4 and Need(1, 0, 3 * 10**9).times_in(node) == 2
    assert Need(1, 0.25, 10**9).times_in(node) == 0
    assert Need(1, 0.25, 10**9).times_in({**node, "GPU": 1.0}) == 4
    assert Need(2, 0, 1_200_000_000).sentence() == "2 cores and 1.2 GB of memory"
