"""Exports of the whole server: how many at once, in what order, and what becomes of those that nobody wants."""

import threading
from pathlib import Path

import pytest

from pages.ui.run import exports_panel
from pages.ui.run.exports_panel import Job
from tests.conftest import wait_until


@pytest.fixture
def making(monkeypatch):
    """Exports that last until they are told to end; the names of those that were begun."""
    begun: list[str] = []
    ends: dict[str, threading.Event] = {}

    def make(self: Job, run: Path, result: Path) -> None:
        begun.append(self.name)
        assert ends.setdefault(self.name, threading.Event()).wait(20)
        self.content = b"x"

    monkeypatch.setattr(Job, "_make", make)
    monkeypatch.setattr(exports_panel, "_is_connected", lambda session: session != "gone")
    monkeypatch.setenv("GANSCOPE_MAX_EXPORTS", "1")
    yield begun, ends
    for end in ends.values():
        end.set()


def job(name: str) -> Job:
    return Job("csv", name, lambda folder: folder)


def test_exports_take_turns_on_the_whole_server(making):
    begun, ends = making
    first = job("first")
    wait_until(lambda: begun == ["first.csv"], 10, "the first one to begin")
    second = job("second")
    wait_until(lambda: second.ahead == 1, 10, "the second one to wait")
    third = job("third")
    wait_until(lambda: third.ahead == 2, 10, "the third one to wait")
    second.cancel()
    second.thread.join(10)
    assert second.error == exports_panel.CANCELLED and third.ahead == 1
    ends["first.csv"].set()
    wait_until(lambda: begun == ["first.csv", "third.csv"], 10, "the third one's turn")
    ends.setdefault("third.csv", threading.Event()).set()
    third.thread.join(10)
    assert (first.content, third.content, second.content) == (b"x", b"x", b"")
    assert exports_panel._LINE == []


def test_an_export_that_nobody_wants_any_more_ends(making, monkeypatch):
    begun, ends = making
    monkeypatch.setattr(exports_panel.machine, "away_seconds", lambda: 0)
    first = job("first")
    wait_until(lambda: begun == ["first.csv"], 10, "the first one to begin")
    left = job("left")
    left.owner = "gone"
    left.thread.join(10)
    assert left.error == exports_panel.CANCELLED and begun == ["first.csv"]
    assert first.thread.is_alive()  # its page is still there
    ends["first.csv"].set()
    first.thread.join(10)


def test_what_cannot_be_prepared_is_a_sentence_and_leaves_the_line(making):
    def fails(folder: Path) -> Path:
        raise OSError("no space")

    failed = Job("csv", "broken", fails)
    failed.thread.join(10)
    assert failed.error == "broken.csv could not be made (OSError)." and exports_panel._LINE == []
