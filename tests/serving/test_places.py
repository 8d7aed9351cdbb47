"""Where training processes find room; on a cluster's nodes: tests/browser/test_cluster.py."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gan_core.foundations.cluster import VARIABLE, Need
from gan_core.foundations.remote_process import Host
from gan_core.serving import cluster_worker
from gan_core.serving.client import Run
from gan_core.serving.hub import Hub
from gan_core.serving.places import MEMORY, UNKNOWN, ClusterPlaces, OwnPlaces, need, places
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.config import GANConfig
from tests.conftest import wait_until

SILENT = "127.0.0.1:1"


def test_this_machine_has_so_many_places():
    own = places(2)
    assert isinstance(own, OwnPlaces) and own.trouble() == ""
    assert own.has_room(1, 1) and not own.has_room(2, 0)


def test_a_cluster_s_places_are_those_that_are_not_for_what_is_coming(monkeypatch):
    found = ClusterPlaces(SILENT)
    monkeypatch.setattr(found, "_ask", lambda: None)
    found._free = 2
    assert found.has_room(30, 1) and not found.has_room(30, 2)


def test_what_a_process_takes_of_a_node(monkeypatch):
    assert need() == Need(1, 0.0, MEMORY)
    for name, value in (("THREADS", "4"), ("GPUS", "0.25"), ("MB", "900")):
        monkeypatch.setenv(f"GANSCOPE_WORKER_{name}", value)
    assert need() == Need(4, 0.25, 900_000_000)
    monkeypatch.setenv("GANSCOPE_WORKER_GPUS", "2")
    with pytest.raises(ValueError, match=r"GANSCOPE_WORKER_GPUS must be a share from 0 to 1, as 0\.25; got '2'"):
        need()


def test_a_cluster_that_does_not_answer_is_said_and_asked_again(monkeypatch, tmp_path):
    """The run waits, no process is started for it, and no run that stands idle is ended for its sake."""
    monkeypatch.setenv(VARIABLE, SILENT)
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    hub = Hub(lambda session: True, spare=True)
    try:
        run = Run(GANConfig.from_flat({}))
        hub.adopt("key", "session", run)
        hub.visit("session", run.configs[0])
        run.play()
        assert hub.start(run) == 1 and hub.hindrance() == UNKNOWN
        wait_until(lambda: "No Ray cluster answers at '127.0.0.1:1'" in hub.hindrance(), 20, "the sentence")
        assert hub.place(run) == 1 and run.worker is None and hub._spare is None
        asking = hub._places._process
        wait_until(lambda: hub._places._process is not asking, 20, "the next question")
    finally:
        hub.close()
    wait_until(lambda: hub._places._process.poll() is not None, 20, "the end of the one that asks")


def test_a_process_whose_cluster_does_not_answer_says_so_as_it_ends(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, SILENT)
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    process = WorkerProcess()
    wait_until(lambda: process.state == "gone", 20, "its end")
    assert process.reason.startswith("No Ray cluster answers at 127.0.0.1:1.")


def test_a_node_shows_that_it_sees_the_saved_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path / "runs"))
    file, content = cluster_worker._seen()
    assert os.path.dirname(file) == str(tmp_path / "runs") and cluster_worker._seen() == (file, content)
    for seen, sees in (((file, content), True), ((file, b"another"), False), ((f"{file}x", content), False)):
        host = Host(["-c", "print(input())"], seen)
        assert host.node()[1] is sees
        host.write(b"word\n")
        assert b"".join(iter(host.read, b"")) == b"word\n" and host.errors() == b"" and host.wait() == 0
        host.write(b"nobody hears it")


class Slowly(OwnPlaces):
    """Places that are seen to be free only long after they were given back, as a cluster's are."""

    lag_seconds = 30.0

    def has_room(self, workers, coming):
        return False


def test_one_that_waits_ends_one_idle_run_and_not_all(monkeypatch):
    from gan_core.serving import hub as module

    monkeypatch.setattr(module, "IDLE_SECONDS", 0.0)
    hub = Hub(lambda session: True, spare=False)
    hub._places, hub._stop = Slowly(2), hub._stop
    ended = []
    for name in ("one", "two", "waits"):
        run = Run(GANConfig.from_flat({}))
        hub.adopt(name, name, run)
        monkeypatch.setattr(run, "end", lambda why, name=name: ended.append(name))
    for name in ("one", "two"):
        monkeypatch.setattr(hub._seats[name].run, "worker", StandIn())
    assert hub.start(hub._seats["waits"].run) == 1
    for now in (1_000.0, 1_001.0, 1_002.0, 1_020.0, 1_029.0):
        hub._tend_queue(now)
    assert len(ended) == 1
    hub._tend_queue(1_032.0)
    assert len(ended) == 2
    hub._seats.clear()
    hub.close()


class StandIn:
    """A worker that stands still."""

    state = "warm"


def test_two_servers_that_begin_at_once_show_the_same_file(monkeypatch, tmp_path):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    with ThreadPoolExecutor(8) as threads:
        found = {threads.submit(cluster_worker._seen) for _ in range(8)}
    assert len({future.result() for future in found}) == 1


class Nodes:
    """A cluster of nodes that never run anything."""

    def __init__(self, *nodes):
        self._nodes, self.submitted = list(nodes), []

    def nodes(self):
        return self._nodes

    def check_room(self, need):
        pass

    def share(self, value):
        return value

    def check_head(self):
        pass

    def answers(self):
        return True

    def submit(self, function, trial, upload, need):
        self.submitted.append(need)
        return len(self.submitted)


def test_a_trial_that_no_node_could_take_is_a_row_that_says_so():
    from gan_core.sweeps.cluster_trials import ClusterTrials, need_of
    from gan_core.sweeps.space import parse_space

    base = GANConfig.from_flat({}).updated({"batch_size": 1024, "g_layers": 5, "d_layers": 5})
    room = need_of(base).memory
    cluster = Nodes({"CPU": 2.0, "memory": 1.1 * room}, {"CPU": 1.0, "memory": 0.5 * room})
    trials = ClusterTrials(cluster, base)
    assert trials.places == 1 and trials.free == 2
    small, large = parse_space(base, ["d_units=32,512"], 1, 10, None).trials()
    trials.start(small)
    trials.start(replace(large, config={**large.config, "g_units": 512}))
    assert [need.memory for need in cluster.submitted] == [room] and trials.free == 0
    ((trial, outcome),) = trials.finished(0)
    assert trial.settings == large.settings and outcome.row["status"] == "refused"
    assert "No node of the cluster has 1 core and" in outcome.row["reason"]
