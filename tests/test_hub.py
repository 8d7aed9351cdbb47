"""Who owns which run (hub.py), with real workers where a process matters."""

import time

import pytest

from gan_core import hub as module
from gan_core.client import Run
from gan_core.config import GANConfig
from gan_core.hub import Full, Hub
from gan_core.snapshot import View
from tests.conftest import wait_until

SMALL = GANConfig.from_flat({"g_layers": 1, "d_layers": 1, "g_units": 8, "d_units": 8, "batch_size": 16})
KEY = "k" * 36


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


def test_the_limit_is_a_sentence(hub):
    first, second = Run(SMALL), Run(SMALL)
    hub.adopt("a" * 36, "one", first)
    hub.adopt("b" * 36, "two", second)
    hub.start(first)
    with pytest.raises(Full, match="All 1 training places"):
        hub.start(second)
    hub.start(first)  # it has its place already


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


@pytest.mark.parametrize("text", ["0", "x", "-1", "1.5", "999999"])
def test_a_bad_limit_is_a_sentence(monkeypatch, text):
    monkeypatch.setenv("GANSCOPE_MAX_WORKERS", text)
    with pytest.raises(ValueError, match="GANSCOPE_MAX_WORKERS must be a whole number from 1 to 1,000"):
        module.worker_limit()
