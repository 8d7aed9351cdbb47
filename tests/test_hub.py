"""Who owns which run (hub.py), with real workers where a process matters."""

import shutil
import sys
import time

import pytest

from gan_core import hub as module
from gan_core.client import Run
from gan_core.config import GANConfig
from gan_core.hub import Hub
from gan_core.snapshot import View
from tests.conftest import wait_until

# Real processes on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

SMALL = GANConfig.from_flat({"g_layers": 1, "d_layers": 1, "g_units": 8, "d_units": 8, "batch_size": 16})
KEY = "k" * 36
PYTHON = sys.executable


@pytest.fixture
def connected():
    """The sessions whose browsers are there."""
    return {"one"}


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


def test_a_run_has_one_key(hub):
    run = Run(SMALL)
    hub.adopt("session one", "one", run)
    hub.adopt(KEY, "one", run)
    assert hub.take_up("session one", "one") is None
    assert hub.take_up(KEY, "one") is run


def test_runs_beyond_the_limit_wait_in_a_queue(hub, connected):
    connected |= {"two", "three"}
    runs = [Run(SMALL) for _ in range(3)]
    for key, session, run in zip("abc", ("one", "two", "three"), runs, strict=True):
        hub.adopt(key * 36, session, run)
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
    assert idle.worker is None and "gave up its own" in idle.snapshot().error


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


def test_a_spare_comes_with_a_page_and_goes_with_it(connected, monkeypatch):
    monkeypatch.setenv("GANSCOPE_AWAY_SECONDS", "1")
    hub = Hub(lambda session: session in connected, limit=2)
    try:
        assert hub._spare is None
        hub.visit("one", SMALL)
        spare = wait_until(lambda: hub._spare, 20, "the spare")
        assert hub.warmth() == "starting"
        connected.clear()
        wait_until(lambda: hub._spare is None, 20, "the spare to be dropped")
        spare.process.wait(20)
    finally:
        hub.close()


def test_a_spare_that_cannot_start_is_not_tried_again_at_once(connected, monkeypatch):
    """Each try would take a core for seconds, for as long as a page is open."""
    monkeypatch.setattr(module, "SPARE_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    started = []
    real = module.WorkerProcess
    monkeypatch.setattr(module, "WorkerProcess", lambda **rest: started.append(real(**rest)) or started[-1])
    hub = Hub(lambda session: session in connected, limit=2)
    try:
        hub.visit("one", SMALL)
        wait_until(lambda: started and started[0].state == "gone", 20, "the spare's end")
        time.sleep(4 * module.TICK_SECONDS)
        assert len(started) == 1 and hub.warmth() == "none"
        monkeypatch.setattr(sys, "executable", PYTHON)
        hub._spare_from = 0.0  # as if the time were over
        wait_until(lambda: hub.warmth() == "warm", 90, "the next one")
    finally:
        hub.close()
