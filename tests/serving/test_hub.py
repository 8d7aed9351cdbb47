"""Who owns which run (hub.py), with real workers where a process matters."""

import errno
import shutil
import sys
import threading
import time

import pytest
import streamlit as st

from gan_core.recording.snapshot import View
from gan_core.serving import forking, worker_process
from gan_core.serving import hub as module
from gan_core.serving.client import Run
from gan_core.serving.hub import Hub
from gan_core.settings.config import GANConfig
from pages.ui.session import own_run
from tests.conftest import wait_until
from tests.support.workers import first_thread_fails

# Real processes on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

SMALL = GANConfig.from_flat({"g_layers": 1, "d_layers": 1, "g_units": 8, "d_units": 8, "batch_size": 16})
KEY = "k" * 36
PYTHON = sys.executable


@pytest.fixture
def connected():
    """The sessions whose browsers are there."""
    return {"one"}


@pytest.fixture(autouse=True)
def rested(monkeypatch):
    """How often the fork server was sent away: here it stays, for all tests."""
    rested = []
    monkeypatch.setattr(forking.the_forking, "rest", lambda: rested.append(True))
    return rested


@pytest.fixture
def hub(connected, monkeypatch):
    """A hub without a spare, that waits two seconds for a lost page."""
    monkeypatch.setattr(module, "AWAY_PAUSE_SECONDS", 0.5)
    monkeypatch.setenv("GANSCOPE_AWAY_SECONDS", "4")
    hub = Hub(lambda session: session in connected, limit=1, spare=False)
    hub.visit("one", SMALL)
    yield hub
    hub.close()


def test_a_key_finds_its_run_again(hub, connected):
    run = Run(SMALL)
    hub.adopt(KEY, "one", run)
    connected.clear()
    connected.add("two")
    assert hub.take_up(KEY, "two") is run
    assert hub.take_up("x" * 36, "two") is None


def test_a_connected_owner_keeps_its_run(hub, connected):
    """A duplicated tab says the same key."""
    connected.add("two")
    hub.adopt(KEY, "one", Run(SMALL))
    with pytest.raises(PermissionError):
        hub.take_up(KEY, "two")


def test_a_page_that_is_alone_with_its_key_need_not_wait_for_an_old_connection(hub, connected):
    connected.add("two")
    run = Run(SMALL)
    hub.adopt(KEY, "one", run)
    assert hub.take_up(KEY, "two", alone=True) is run
    with pytest.raises(PermissionError):
        hub.take_up(KEY, "one")


def test_a_run_has_one_key(hub):
    run = Run(SMALL)
    hub.adopt("session one", "one", run)
    hub.adopt(KEY, "one", run)
    assert hub.take_up("session one", "one") is None
    assert hub.take_up(KEY, "one") is run


def test_runs_beyond_the_limit_wait_in_a_queue(hub, connected):
    connected |= {"two", "three"}
    runs = [Run(SMALL) for _ in range(3)]
    for key, owner, run in zip("abc", ("one", "two", "three"), runs, strict=True):
        hub.adopt(key * 36, owner, run)
    first, second, third = runs
    assert [hub.start(run) for run in (first, second, third, first, second)] == [0, 1, 2, 0, 1]
    third.play()
    hub.leave(second)
    assert hub.place(second) == 0 and hub.place(third) == 1
    first.end("somebody pressed a button")
    wait_until(lambda: hub.place(third) == 0, 10, "the free place to be given")
    wait_until(lambda: third.poll(View(), 0.2).step > 0, 90, "the first step")  # it plays by itself
    assert second.worker is None


def test_who_stands_still_for_long_gives_way_to_one_that_waits(hub, connected, monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 1.0)
    connected.add("two")
    idle, waiting = Run(SMALL), Run(SMALL)
    hub.adopt("a" * 36, "one", idle)
    hub.adopt("b" * 36, "two", waiting)
    hub.start(idle)
    time.sleep(2.5)
    assert idle.worker is not None  # nobody waits
    assert hub.start(waiting) == 1
    wait_until(lambda: waiting.worker is not None, 10, "the place of the idle one")
    assert idle.worker is None and "paused for five minutes while others were waiting" in idle.snapshot().error


def test_a_queued_page_that_is_gone_holds_up_nobody(hub, connected):
    gone, waiting = Run(SMALL), Run(SMALL)
    holder = Run(SMALL)
    hub.adopt("h" * 36, "one", holder)
    hub.start(holder)
    hub.adopt("a" * 36, "two", gone)  # "two" is not connected
    connected.add("three")
    hub.adopt("b" * 36, "three", waiting)
    assert [hub.start(gone), hub.start(waiting)] == [1, 2]
    holder.end("")
    wait_until(lambda: waiting.worker is not None, 10, "the place")
    assert gone.worker is None


def test_away_pauses_back_resumes_and_gone_ends(hub, connected):
    run = Run(SMALL)
    hub.adopt(KEY, "one", run)
    hub.start(run)
    run.play()
    process = run.worker.process
    wait_until(lambda: run.poll(View(), 0.2).step > 0, 90, "the first step")
    connected.clear()
    time.sleep(2)
    stood = run.poll(View(), 1.0).step
    time.sleep(0.5)
    assert run.poll(View(), 1.0).step == stood
    assert run.wants_play and process.poll() is None
    connected.add("one")
    wait_until(lambda: run.poll(View(), 0.2).step > stood, 20, "the run to go on")
    connected.clear()
    wait_until(lambda: process.poll() is not None, 30, "the worker to end")
    assert "away for too long" in run.snapshot().error
    assert hub.take_up(KEY, "two") is None


def test_a_spare_comes_with_a_page_and_goes_with_it(connected, monkeypatch, rested):
    monkeypatch.setenv("GANSCOPE_AWAY_SECONDS", "1")
    hub = Hub(lambda session: session in connected, limit=2, spare=True)
    try:
        assert hub._spare is None
        hub.visit("one", SMALL)
        spare = wait_until(lambda: hub._spare, 20, "the spare")
        assert spare.state == "starting"
        connected.clear()
        wait_until(lambda: hub._spare is None, 20, "the spare to be dropped")
        assert rested  # and what it was forked from
        spare.process.wait(90)
    finally:
        hub.close()


def test_a_spare_that_cannot_start_is_not_tried_again_at_once(connected, monkeypatch):
    """Each try would take a core for seconds, for as long as a page is open."""
    monkeypatch.setattr(module, "SPARE_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(forking, "the_forking", forking.Forking())
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    started = []
    real = module.WorkerProcess
    monkeypatch.setattr(module, "WorkerProcess", lambda **rest: started.append(real(**rest)) or started[-1])
    hub = Hub(lambda session: session in connected, limit=2, spare=True)
    try:
        hub.visit("one", SMALL)
        wait_until(lambda: started and started[0].state == "gone", 20, "the spare's end")
        time.sleep(4 * module.TICK_SECONDS)
        assert len(started) == 1 and hub._spare is None
        monkeypatch.setattr(sys, "executable", PYTHON)
        hub._spare_from = 0.0  # as if the time were over
        wait_until(lambda: hub._spare and hub._spare.state == "warm", 90, "the next one")
    finally:
        hub.close()


# -- what goes wrong with one stays with that one ------------------------------------------------------------------


class Stub:
    """A worker process as the hub knows it, without a process."""

    def __init__(self, prewarm=None):
        self.state, self.was_warm, self.answer, self.sent, self.ended = "warm", True, None, [], False

    def send(self, kind, body=None):
        self.sent.append(kind)

    def wait_answer(self, after, timeout):
        return self.answer

    def end(self):
        self.ended, self.state = True, "gone"


def leases(run: Run) -> int:
    return run.worker.sent.count("lease")


@pytest.fixture
def stubs(monkeypatch):
    """Hubs that start stubs, and renew their leases at each turn; all are closed."""
    monkeypatch.setattr(module, "WorkerProcess", Stub)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(module, "LEASE_EVERY_SECONDS", 0.02)
    made = []

    def make(is_connected=lambda session: True, **rest):
        made.append(Hub(is_connected, **{"limit": 2, "spare": False, **rest}))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


def seated(hub: Hub, session: str) -> Run:
    """A run of `session` that has asked for a worker."""
    run = Run(SMALL)
    hub.adopt(f"{session} points", session, run)
    hub.start(run)
    return run


def goes_on(*runs: Run) -> None:
    """Their leases are renewed."""
    before = [leases(run) for run in runs]
    wait_until(lambda: all(leases(r) > n + 2 for r, n in zip(runs, before, strict=True)), 20, "leases")


def test_a_process_that_the_system_refuses_once_stops_nothing(hub, connected, monkeypatch):
    """EAGAIN, for a run in the queue: the watch goes on, says why it waits, and tries again."""
    connected.add("two")
    monkeypatch.setattr(module, "START_AGAIN_SECONDS", 1.5)
    hub._places.limit = 2
    first = seated(hub, "one")
    sent, send = [], first.worker.send
    monkeypatch.setattr(first.worker, "send", lambda kind, body=None: (sent.append(kind), send(kind, body)))
    really, refused = worker_process.started, []

    def busy(*given):
        if len(refused) < 2:
            refused.append(given)
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        return really(*given)

    monkeypatch.setattr(worker_process, "started", busy)
    second = Run(SMALL)
    hub.adopt(KEY, "two", second)
    assert hub.start(second) == 1 and len(refused) == 1
    assert "cannot start another training process now (Resource temporarily unavailable)" in hub.hindrance()
    second.play()
    wait_until(lambda: len(refused) == 2, 20, "the watch to try")
    renewed = sent.count("lease")
    wait_until(lambda: second.worker is not None, 20, "another try")
    assert hub.place(second) == 0 and hub.hindrance() == "" and hub._thread.is_alive()
    wait_until(lambda: sent.count("lease") > renewed, 20, "the other run's lease")
    wait_until(lambda: second.poll(View(), 0.2).step > 0, 90, "the first step")


def test_a_spare_that_the_system_refuses_stops_nothing(stubs, monkeypatch):
    monkeypatch.setattr(module, "SPARE_AFTER_SECONDS", 0.0)
    hub = stubs(spare=True, limit=3)
    run = seated(hub, "one")
    tried = []

    def refuse(prewarm=None):
        tried.append(prewarm)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(module, "WorkerProcess", refuse)
    hub.visit("two", SMALL)
    wait_until(lambda: tried, 20, "the spare")
    goes_on(run)
    assert len(tried) == 1 and hub._spare is None and hub.hindrance() == ""
    monkeypatch.setattr(module, "WorkerProcess", Stub)
    assert hub.start(other := Run(SMALL)) == 0 and other.worker is not None


def test_whatever_is_wrong_with_one_run_the_others_go_on(stubs, monkeypatch, caplog):
    def is_connected(session):
        if session == "broken":
            raise RuntimeError("the session's manager is gone")
        return True

    hub = stubs(is_connected, limit=9)
    monkeypatch.setattr(module, "IDLE_SECONDS", -1.0)
    hub.visit("one", SMALL)
    broken, whole = seated(hub, "broken"), seated(hub, "one")
    goes_on(whole)
    monkeypatch.setattr(broken.worker, "send", None)  # not even this
    goes_on(whole)
    assert hub._thread.is_alive() and caplog.text.count("goes on without its part for a run") == 1


def test_a_watch_that_cannot_start_is_started_by_the_next_page(stubs, monkeypatch):
    hub = stubs()
    refused = first_thread_fails(monkeypatch)
    run = seated(hub, "one")
    hub.visit("one", SMALL)
    assert refused
    hub.visit("one", SMALL)
    goes_on(run)


def test_while_a_process_is_being_started_nobody_waits_and_the_limit_holds(stubs, monkeypatch):
    """Six pages press Play at once where there are two places, and the system takes its time."""
    hub = stubs()
    hub.visit("one", SMALL)
    first = seated(hub, "one")
    gate, begun = threading.Event(), []

    def slow(prewarm=None):
        begun.append(prewarm)
        assert gate.wait(30)
        return Stub()

    monkeypatch.setattr(module, "WorkerProcess", slow)
    runs = [Run(SMALL) for _ in range(6)]
    for n, run in enumerate(runs):
        hub.adopt(f"{n} points", f"{n}", run)
    threads = [threading.Thread(target=hub.start, args=(run,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: sum(hub.place(run) > 0 for run in runs) == 5, 20, "a place in the queue for the others")
        goes_on(first)
        assert len(begun) == 1
        assert all(hub.waits(run) for run in runs)  # the one that is being started as well
    finally:
        gate.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert len(begun) == 1 and sum(run.worker is not None for run in runs) == 1


def test_a_run_that_nobody_looks_at_is_asked_whether_it_still_trains(stubs, monkeypatch):
    """The page of a hidden tab asks for no frames; one that has ended is to give its place away all the same."""
    monkeypatch.setattr(module, "HIDDEN_SECONDS", 0.0)
    hub = stubs()
    hub.visit("one", SMALL)
    run = seated(hub, "one")
    run.poll(View(), 0.0)
    run.play()
    before = run.worker.sent.count("frame")
    wait_until(lambda: run.worker.sent.count("frame") > before, 20, "a question")
    run.worker.answer = {
        "id": run._asked,
        "generation": run.generation,
        "trainings": [],
        "error": "diverged",
        "pending": 0,
    }
    wait_until(lambda: not run.busy, 20, "the run to be known as standing still")


def test_two_clicks_at_once_start_one_process(stubs, monkeypatch):
    hub, gate, begun = stubs(limit=5), threading.Event(), []
    monkeypatch.setattr(module, "WorkerProcess", lambda prewarm=None: begun.append(gate.wait(30)) or Stub())
    run = Run(SMALL)
    hub.adopt(KEY, "one", run)
    saw = []
    threads = [threading.Thread(target=lambda: saw.append((hub.start(run), run.worker)), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: run in hub._starting, 20, "the first")
    gate.set()
    for thread in threads:
        thread.join(20)
    assert len(begun) == 1 and saw == [(0, run.worker)] * 2 and run.worker is not None


def test_no_message_of_a_browser_makes_a_second_hub():
    """Any client may have Streamlit clear its caches."""
    before = own_run.hub()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert own_run.hub() is before
