"""The frames that a page's browser asks for itself: newest first, for this page alone, and only while it is there."""

import gc

import pytest
from starlette.applications import Starlette

from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from gan_core.settings.presets import PRESETS
from pages.ui.frames import feed
from pages.ui.frames.feed import feed_of
from tests.support.asking import run_apart


class Still(Run):
    """A run of which the test says what it shows."""

    status, shown = "playing", {"step": 1}

    def poll(self, view, timeout=0.1):
        self.asked = view
        return Snapshot(self.config, None, self.status, step=self.shown["step"], frame=self.shown)


@pytest.fixture
def run():
    return Still(PRESETS["ring"].config)


def answer(path: str) -> tuple[int, bytes]:
    """(status, content) of the route's answer, without a server."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "query_string": b"", "headers": []}
    app = Starlette(routes=feed.routes())
    run_apart(app({**scope, "http_version": "1.1", "scheme": "http"}, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_a_frame_holds_what_the_script_would_draw(run):
    shown = feed_of(run, None)
    shown.figures = lambda snapshot: {"live_samples": {"data": [], "layout": {}, "step": snapshot.step}}
    shown.texts = lambda snapshot: {"step_counter": f"<p>step {snapshot.step}</p>"}
    shown.scrubber = "scrubber_points", lambda snapshot: {"step": snapshot.step, "of": "now"}
    status, content = answer(f"/ganscope/live/{shown.token}")
    assert status == 200 and b"<p>step 1</p>" in content and b'"moving":true' in content
    assert b'"key":"scrubber_points"' in content and b'"of":"now"' in content
    assert run.asked == shown.view
    assert answer(f"/ganscope/live/{shown.token}") == (204, b"")  # nothing new
    run.shown = {"step": 2}
    assert b"<p>step 2</p>" in answer(f"/ganscope/live/{shown.token}")[1]
    run.status = "paused"  # the same frame, but the page is to know
    assert b'"moving":false' in answer(f"/ganscope/live/{shown.token}")[1]


def test_later_looks_have_larger_numbers(run):
    shown = feed_of(run, None)
    places = [shown.look()[1] for _ in range(3)]
    assert [place[1] for place in places] == [1, 2, 3] and len({place[0] for place in places}) == 1


def test_a_page_keeps_its_feed_until_it_has_another_run(run):
    shown = feed_of(run, None)
    assert feed_of(run, shown) is shown
    other = feed_of(Still(run.config), shown)
    assert other is not shown and other.token != shown.token


def test_a_feed_ends_with_its_page(run):
    shown = feed_of(run, None)
    path = f"/ganscope/live/{shown.token}"
    assert answer(path)[0] == 200
    del shown
    gc.collect()
    assert answer(path)[0] == 404
    assert answer("/ganscope/live/guessed")[0] == 404
