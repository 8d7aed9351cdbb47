"""A server with one training place, and two tabs that want it, in a real browser."""

import pytest

from tests.conftest import Server, wait_until
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A server with one place, where a closed tab gives its place back soon."""
    folder = tmp_path_factory.mktemp("narrow")
    server = Server(
        GANSCOPE_MAX_WORKERS="1",
        GANSCOPE_AWAY_SECONDS="2",
        GANSCOPE_RUNS_DIR=str(folder / "runs"),
        GANSCOPE_CACHE=str(folder / "cache"),
    )
    yield server
    server.stop()


def test_the_second_of_two_tabs_waits_and_starts_by_itself(narrow, chromium):
    first, second = (Tab(chromium.new_context(viewport=WINDOW), f"{narrow.url}/{SMALL}") for _ in range(2))
    try:
        first.play()
        second.click("play")
        wait_until(lambda: "Number 1 in the queue" in second.text("steps_per_second"), 30, "a place in the queue")
        assert second.step() == 0
        second.click("play")  # thinks better of it, and again
        wait_until(lambda: "in the queue" not in second.text("steps_per_second"), 30, "leaving the queue")
        second.click("play")
        wait_until(lambda: "Number 1 in the queue" in second.text("steps_per_second"), 30, "a place in the queue")
        stood = first.step()
        wait_until(lambda: first.step() > stood, 30, "the first to go on")
        assert len(narrow.workers()) == 1
        first.page.context.close()
        wait_until(lambda: second.step() > 0, PLAY_SECONDS, "the second to start by itself")
        assert "playing" in second.text("steps_per_second") and second.errors == []
        assert len(narrow.workers()) == 1
    finally:
        second.page.context.close()
