"""The browser's side of the feed alone, without Streamlit or a run: what it asks for and says as answers change."""

import asyncio
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from pages.ui.components.liveplot import pack
from pages.ui.server import addresses, browser_code
from tests.conftest import free_port, wait_until
from tests.support.listening import Listening

PAGE = """<!doctype html><body class="stApp" data-test-connection-state="CONNECTED">
<div class="st-key-step_counter"><div id="text"></div></div><div id="feed"></div>
<script type="module">
const plots = await import("./app/static/code/test/main.js");
const at = (id) => document.getElementById(id);
plots.text({ parentElement: at("text"), data: { html: "<p>step 0</p>", place: ["t", 0] } });
window.drawings = 0;
window.draw = (wait, place) => plots.feed({
  parentElement: at("feed"), data: { token: "t", wait, place: ["t", place] },
  setTriggerValue: (name, value) => (window.drawings += 1, window.told = value),
});
window.leave = () => { const feed = at("feed"); feed.remove(); plots.removeFeed({ parentElement: feed }); };
window.draw(100, 0);
</script>"""


class Answers:
    """A server of one page under /gan whose answers to the feed the test chooses."""

    def __init__(self) -> None:
        self.mode, self.number, self.wait, self.fits = "frames", 0, 100, True
        self.held = threading.Event()  # whether answers, made already, are kept back
        self.queries: list[dict[str, str]] = []
        self.asked: list[float] = []
        routes = [
            Route("/gan/", lambda request: HTMLResponse(PAGE)),
            *(Route(f"/gan{code.path}", code.endpoint) for code in browser_code.routes()),
            Route("/gan/ganscope/live/t", self._frame),
            Route("/{path:path}", lambda request: HTMLResponse("<p>index", 404)),
        ]
        self.url = f"http://127.0.0.1:{(port := free_port())}/gan/"
        self._server = Listening(Starlette(routes=routes), port)

    def close(self) -> None:
        """Ends the server."""
        self._server.close()

    async def _frame(self, request: Request) -> Response:
        self.asked.append(time.monotonic())
        self.queries.append(dict(request.query_params))
        if self.mode == "page":
            return HTMLResponse("<p>index")
        if isinstance(self.mode, int):
            return PlainTextResponse("refused", self.mode)
        self.number += 1
        texts = {"step_counter": f"<p>step {self.number}</p>"}
        scrubber = {"key": "scrubber", "data": {}}
        frame = {"place": ["t", self.number], "texts": texts, "plots": {}, "scrubber": scrubber}
        frame |= {"wait": self.wait, "fits": self.fits}
        while self.held.is_set() and not self._server.ends:
            await asyncio.sleep(0.01)
        return Response(pack(frame), headers=addresses.HEADERS, media_type="application/octet-stream")


@pytest.fixture
def answers():
    answers = Answers()
    yield answers
    answers.close()


@pytest.fixture
def page(answers, chromium):
    """The page, with frames coming."""
    context = chromium.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(answers.url)
    wait_until(lambda: step(page) >= 3, 30, "the first frames")
    assert said(page) == ""
    yield page
    context.close()
    assert errors == []


def step(page) -> int:
    return int((page.inner_text("#text").split() or ["0"])[-1])  # empty before the first frame


def said(page) -> str:
    return page.evaluate("document.querySelector('.ganscope-line')?.textContent ?? ''")


@pytest.mark.parametrize(
    "mode, sentence",
    [
        (429, "allows fewer requests"),
        (503, "server is busy"),
        ("page", "a web page instead of data"),
        (403, "status 403"),
    ],
)
def test_what_is_wrong_with_the_answers_is_said_and_frames_come_again(answers, page, mode, sentence):
    answers.mode = mode
    wait_until(lambda: sentence in said(page), 30, "the sentence")
    stood, since = step(page), len(answers.asked)
    until = time.monotonic() + 3
    wait_until(lambda: time.monotonic() > until, 10, "three seconds")
    assert len(answers.asked) - since <= 6  # thirty before
    assert step(page) == stood
    answers.mode = "frames"
    wait_until(lambda: said(page) == "", 60, "silence")
    wait_until(lambda: step(page) > stood + 3, 30, "more frames")


def test_a_meter_is_given_what_it_allows(answers, page):
    answers.mode = 429
    wait_until(lambda: "fewer requests" in said(page), 30, "the sentence")
    answers.mode = "frames"
    stood = step(page)
    wait_until(lambda: step(page) > stood + 2, 30, "three frames")
    gaps = [b - a for a, b in zip(answers.asked[-3:-1], answers.asked[-2:], strict=True)]
    assert min(gaps) > 0.3 and "fewer requests" in said(page)  # it comes back step by step


def test_without_the_pages_own_connection_the_picture_stands_still_and_that_is_said(answers, page):
    page.evaluate("document.body.dataset.testConnectionState = 'PINGING_SERVER'")
    wait_until(lambda: said(page).startswith("Connection lost"), 10, "the sentence")
    stood, since = step(page), len(answers.asked)
    until = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > until, 10, "a second")
    assert step(page) == stood and len(answers.asked) == since
    page.evaluate("document.body.dataset.testConnectionState = 'CONNECTED'")
    wait_until(lambda: said(page) == "" and step(page) > stood + 2, 20, "more frames")


def test_where_a_frame_does_not_fit_the_script_draws_and_not_for_every_frame(answers, page):
    assert page.evaluate("window.drawings") == 0
    answers.fits = False
    wait_until(lambda: page.evaluate("window.drawings") == 1, 10, "the script's turn")
    stood = step(page)
    wait_until(lambda: step(page) > stood + 3, 10, "more frames meanwhile")
    assert page.evaluate("window.drawings") <= 2
    answers.fits = True
    page.evaluate(f"window.draw(100, {answers.number})")
    drawn = page.evaluate("window.drawings")
    stood = step(page)
    wait_until(lambda: step(page) > stood + 5, 10, "more frames")
    assert page.evaluate("window.drawings") == drawn


def test_a_script_that_runs_anyway_is_not_asked_for(answers, page):
    page.evaluate("document.body.dataset.testScriptState = 'running'")
    answers.fits = False
    stood = step(page)
    wait_until(lambda: step(page) > stood + 5, 10, "more frames")
    assert page.evaluate("window.drawings") == 0
    page.evaluate("document.body.dataset.testScriptState = 'notRunning'")
    wait_until(lambda: page.evaluate("window.drawings") == 1, 10, "the script's turn")


def test_without_frames_the_script_draws_now_and_then(answers, page):
    answers.mode = "page"
    wait_until(lambda: page.evaluate("window.drawings") >= 2, 30, "the script's turns")
    wish = {"at": 40, "of": "points 2"}
    page.evaluate("(detail) => document.dispatchEvent(new CustomEvent('ganscope-look', { detail }))", wish)
    wait_until(lambda: page.evaluate("window.told") == wish, 30, "the script to hear of a look at the past")


def test_a_look_at_the_past_is_asked_for_though_all_stands_still(answers, page):
    answers.wait = 0
    until = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > until, 10, "a second")
    since = len(answers.queries)
    look = """(at) => document.dispatchEvent(new CustomEvent("ganscope-look", { detail: { at, of: "points 2" } }))"""
    page.evaluate(look, 40)
    wait_until(lambda: len(answers.queries) > since, 10, "a request")
    assert answers.queries[since] == {"of": "points 2", "at": "40"}
    answers.wait = 100
    page.evaluate(f"window.draw(100, {answers.number})")
    wait_until(lambda: answers.queries[-3:] == [{}] * 3, 10, "requests without it: the server keeps what it was told")
    page.evaluate(look, None)
    wait_until(lambda: {"of": "points 2"} in answers.queries, 10, "another one")
    answers.wait = 0
    page.evaluate(f"(ats) => ats.forEach({look})", list(range(20)))  # faster than answers come
    wait_until(lambda: {"of": "points 2", "at": "19"} in answers.queries, 10, "the last one")


def test_an_answer_from_before_the_scripts_drawing_does_not_stop_the_clock(answers, page):
    answers.wait, answers.fits = 0, False
    answers.held.set()
    since = len(answers.asked)
    wait_until(lambda: len(answers.asked) > since, 10, "a request that is not answered yet")
    page.evaluate(f"window.draw(100, {answers.number})")  # as after Play
    answers.wait, answers.fits = 100, True
    answers.held.clear()
    stood = step(page)
    wait_until(lambda: step(page) > stood + 3, 10, "more frames")
    assert page.evaluate("window.drawings") == 0


def test_a_drawing_that_frames_have_overtaken_does_not_stop_the_clock(answers, page):
    """A script that began before a look at the past, and drew the present, says that nothing is to be expected."""
    answers.wait, answers.fits = 1_000, False
    since = answers.number
    wait_until(lambda: step(page) == answers.number > since + 1, 30, "a frame that does not fit, and none on its way")
    page.evaluate("window.draw(0, 1)")
    asked = page.evaluate("window.drawings")
    wait_until(lambda: page.evaluate("window.drawings") > asked, 20, "the script to be asked for another drawing")


def test_nothing_is_asked_or_said_once_nothing_moves_or_the_page_is_left(answers, page):
    answers.wait = 0
    stood = step(page)
    wait_until(lambda: step(page) > stood, 10, "the last frame")
    since = len(answers.asked)
    until = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > until, 10, "a second")
    # One may be on its way that was asked for before, and the next one while that is drawn.
    assert len(answers.asked) <= since + 2 and page.evaluate("window.drawings") == 0
    answers.wait = 100
    page.evaluate(f"window.draw(100, {answers.number})")
    wait_until(lambda: len(answers.asked) > since + 3, 20, "more frames")
    answers.mode = 429
    wait_until(lambda: said(page), 20, "the sentence")
    page.evaluate("window.leave()")
    assert said(page) == ""
    wait_until(lambda: time.monotonic() > answers.asked[-1] + 3, 20, "quiet")
