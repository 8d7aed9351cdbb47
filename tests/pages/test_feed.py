"""The frames that a page's browser asks for itself: newest first, for this page alone, and only while it is there."""

import gc

import pytest
from starlette.applications import Starlette

from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from gan_core.settings.presets import PRESETS
from pages.ui.frames import feed
from pages.ui.frames.feed import Past, feed_of
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


def answer(path: str, query: str = "") -> tuple[int, bytes]:
    """(status, content) of the route's answer, without a server."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    scope["query_string"] = query.removeprefix("?").encode()
    app = Starlette(routes=feed.routes())
    run_apart(app({**scope, "http_version": "1.1", "scheme": "http"}, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_a_frame_holds_what_the_script_would_draw(run):
    shown = feed_of(run, None, Past())
    shown.figures = lambda snapshot: {"live_samples": {"data": [], "layout": {}, "step": snapshot.step}}
    shown.texts = lambda snapshot: {"step_counter": f"<p>step {snapshot.step}</p>"}
    shown.scrubber = "scrubber_points", lambda snapshot, at: {"step": snapshot.step, "of": "now", "at": at}
    status, content = answer(f"/ganscope/live/{shown.token}")
    assert status == 200 and b"<p>step 1</p>" in content and b'"wait":100' in content and b'"fits":true' in content
    assert b'"key":"scrubber_points"' in content and b'"of":"now"' in content
    assert run.asked == shown.view and shown.at is None
    assert answer(f"/ganscope/live/{shown.token}") == (204, b"")  # nothing new
    run.shown = {"step": 2}
    assert b"<p>step 2</p>" in answer(f"/ganscope/live/{shown.token}")[1]
    run.status = "paused"  # the same frame, but the page is to know
    assert b'"wait":0' in answer(f"/ganscope/live/{shown.token}")[1]


def test_a_request_looks_at_the_past_of_what_is_looked_at_now(run):
    shown = feed_of(run, None, Past())
    shown.era, path = "points 2", f"/ganscope/live/{shown.token}"
    for query, at in (
        ("", None),
        ("?of=points+2&at=40", 40),
        ("", 40),
        ("?of=points+1&at=7", 40),
        ("?of=points+2", None),
    ):
        assert answer(path, query)[0] in (200, 204)
        assert run.asked.at == shown.at == at
    for strange in ("-3", "x", "9" * 40):
        answer(path, f"?of=points+2&at={strange}")
        assert run.asked.at is None
    shown.look_at(5, "points 2")
    shown.era = "points 3"
    assert shown.at is None and feed_of(run, shown, shown.past).past.at == 5


def test_a_frame_that_fits_not_what_was_drawn_says_so_until_the_script_has_drawn(run):
    shown = feed_of(run, None, Past())
    path, layers = f"/ganscope/live/{shown.token}", False
    shown.revision = lambda snapshot: layers
    shown.drawn = False
    assert b'"fits":true' in answer(path)[1]
    layers = True
    assert b'"fits":false' in answer(path)[1] and b'"fits":false' in answer(path)[1]  # though it is no new frame
    run.status = "paused"
    assert b'"wait":1000' in answer(path)[1]
    shown.drawn = True
    content = answer(path)[1]
    assert b'"fits":true' in content and b'"wait":0' in content


def test_words_that_change_beside_the_same_picture_are_sent(run):
    shown = feed_of(run, None, Past())
    said = "starting"
    shown.texts = lambda snapshot: {"steps_per_second": said}
    path = f"/ganscope/live/{shown.token}"
    assert answer(path)[0] == 200 and answer(path)[0] == 204
    said = "preparing the networks"
    assert b"preparing" in answer(path)[1]


def test_later_looks_have_larger_numbers(run):
    shown = feed_of(run, None, Past())
    places = [shown.look()[1] for _ in range(3)]
    assert [place[1] for place in places] == [1, 2, 3] and len({place[0] for place in places}) == 1


def test_a_page_keeps_its_feed_until_it_has_another_run(run):
    shown = feed_of(run, None, Past())
    assert feed_of(run, shown, shown.past) is shown
    other = feed_of(Still(run.config), shown, shown.past)
    assert other is not shown and other.token != shown.token


def test_a_feed_ends_with_its_page(run):
    shown = feed_of(run, None, Past())
    path = f"/ganscope/live/{shown.token}"
    assert answer(path)[0] == 200
    del shown
    gc.collect()
    assert answer(path)[0] == 404
    assert answer("/ganscope/live/guessed")[0] == 404
