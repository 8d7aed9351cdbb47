"""Presentations without a browser: a frame that fails, a step of the past, a presenter who is gone, the plain page."""

import gzip
import json
import struct

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from gan_core.settings.presets import PRESETS
from pages.ui.frames import presentations, watch_page
from pages.ui.server import browser_code
from tests.conftest import wait_until
from tests.support.asking import run_apart


class Told(Run):
    """A run of which the test says where it stands."""

    def __init__(self, preset: str = "ring"):
        super().__init__(PRESETS[preset].config)
        self.worker, self.at = object(), 1
        self.now = "paused"

    def snapshot(self):
        return Snapshot(self.config, None, self.now, step=self.at, frame={"step": self.at, "metrics": {}})


class Picture:
    """What a page shows: its step. `breaks`: no frame can be made."""

    breaks = False

    def stills(self, snapshot):
        return {}

    def panels(self, snapshot):
        if self.breaks:
            raise RuntimeError("no frame")
        return {"samples": {"data": [{"x": np.array([snapshot.step])}], "layout": {}}}


@pytest.fixture
def shows(monkeypatch):
    """A server's presentations, refreshed fast."""
    shows = presentations.Shows()
    monkeypatch.setattr(presentations, "SHOWS", shows)
    monkeypatch.setattr(watch_page, "SHOWS", shows)
    monkeypatch.setattr(presentations, "FRAME_SECONDS", 0.02)
    monkeypatch.setattr(presentations, "IDLE_SECONDS", 0.02)
    yield shows
    for show in list(shows._shows.values()):
        shows.end(show)


def begin(shows, run: Run) -> presentations.Show:
    show = shows.begin(run)
    show.scores, show.display = (lambda snapshot: "<p>scores</p>"), Picture()
    return show


def get(path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        app = Starlette(routes=[*watch_page.routes(), *presentations.routes()])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path, timeout=30)

    return run_apart(ask())


def about(content: bytes) -> dict:
    """The words of a frame."""
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    (size,) = struct.unpack("<I", content[:4])
    return json.loads(content[4 : 4 + size])


def test_a_step_of_the_past_is_the_newest_frame_up_to_it(shows):
    run = Told()
    show = begin(shows, run)
    for step in (1, 5, 20):
        run.at = step
        wait_until(lambda step=step: step in show.past.steps, 10, f"step {step}")
    for asked, shown in ((0, 1), (1, 1), (4, 1), (5, 5), (19, 5), (20, 20), (999, 20)):
        answer = get(f"/ganscope/frames/{show.token}?at={asked}")
        assert answer.status_code == 200 and about(answer.content)["shown"] == shown
    assert about(get(f"/ganscope/frames/{show.token}").content)["past"]["$"][1] == 3


def test_a_frame_that_fails_is_one_frame_less(shows, caplog):
    run, other = Told(), Told()
    show, well = begin(shows, run), begin(shows, other)
    wait_until(lambda: show.number and well.number, 10, "the first frames")
    show.display.breaks = True
    run.at = other.at = 2
    wait_until(lambda: "could not be made" in caplog.text, 10, "the failure in the log")
    wait_until(lambda: 2 in well.past.steps, 10, "the other presentation's next frame")
    assert about(get(f"/ganscope/frames/{show.token}").content)["step"] == 1 and not show.ended
    assert caplog.text.count("could not be made") == 1  # said once, not at each of ten tries a second
    show.display.breaks = False
    run.at = 3
    wait_until(lambda: 3 in show.past.steps, 10, "the next frame")


def test_a_presentation_ends_after_its_run_has(shows, monkeypatch):
    monkeypatch.setattr(presentations, "ENDED_SECONDS", 0.2)
    run = Told()
    show = begin(shows, run)
    wait_until(lambda: show.number, 10, "a frame")
    run.worker = None
    wait_until(lambda: show.ended, 10, "the end")
    assert (answer := get(f"/ganscope/frames/{show.token}?after=9")).status_code == 404
    assert answer.text == presentations.ENDED and shows.get(show.token) is None
    assert shows.begin(run).token != show.token


def test_the_plain_page_needs_no_streamlit_and_holds_nothing_that_a_visitor_sends(shows):
    show = begin(shows, Told("digits"))
    answer = get(f"/ganscope/watch/{show.token}?x=<script>alert(1)</script>")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert "alert" not in answer.text and '"images"' in answer.text
    assert f"../../{browser_code.main()}" in answer.text and f"../../watch?run={show.token}" in answer.text
    assert answer.headers["cache-control"] == "no-store" and "no-referrer" in answer.text
    answer = get("/ganscope/watch/%3Cb%3Eguessed")
    assert answer.status_code == 404 and "guessed" not in answer.text and "Ask the presenter" in answer.text
