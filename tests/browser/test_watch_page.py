"""The plain page that watches a presentation, in a browser and without Streamlit: on a phone, and in trouble."""

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse
from starlette.routing import Route

from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from gan_core.settings.presets import PRESETS
from pages.ui.frames import hall_requests, presentations, rounds, watch_page
from pages.ui.frames.polls import Poll
from pages.ui.server import browser_code
from pages.ui.server.browser_code import STATIC
from tests.conftest import free_port, wait_until
from tests.pages.test_hall import RING, judging
from tests.support.listening import Listening

PHONE = {"width": 390, "height": 844}


class Told(Run):
    """A run of which the test says where it stands. makes: the samples of a round, `images` or `points`."""

    def __init__(self) -> None:
        super().__init__(PRESETS["ring"].config)
        self.worker, self.at, self.makes = object(), 1, "images"

    def snapshot(self) -> Snapshot:
        frame = {"step": self.at, "metrics": {}}
        if self.judge:
            frame["judging"] = judging(self.judge, self.makes) | {"step": 123_456}
        return Snapshot(self.config, RING, "paused", step=self.at, frame=frame)


class Picture:
    """A plot with one point at the step."""

    def stills(self, snapshot: Snapshot) -> dict:
        return {}

    def panels(self, snapshot: Snapshot) -> dict:
        at = np.array([snapshot.step])
        layout = {"height": 260, "margin": {"l": 40, "r": 5, "t": 5, "b": 30}, "font": {"color": "$text"}}
        layout |= {"paper_bgcolor": "$bg", "plot_bgcolor": "$bg", "xaxis": {}, "yaxis": {}, "uirevision": 1}
        points = {"type": "scatter", "mode": "markers", "name": "generated", "x": at, "y": at}
        return {name: {"data": [dict(points)], "layout": dict(layout)} for name in ("samples", "losses")}


class Hall:
    """A server of the page under a prefix that it does not know of; `refuses`: a status for all frames, or a page."""

    def __init__(self) -> None:
        self.refuses: int | str = 0
        watching_route = presentations.routes()[0]

        async def frames(request: Request):
            if self.refuses == "page":
                return HTMLResponse("<p>index")
            if self.refuses:
                return PlainTextResponse("refused", self.refuses)
            return await watching_route.endpoint(request)

        def static(request: Request) -> FileResponse:
            return FileResponse(STATIC / request.path_params["name"])

        routes = [
            Route(f"/a/b{watching_route.path}", frames),
            *(
                Route(f"/a/b{route.path}", route.endpoint, methods=route.methods)
                for route in watch_page.routes() + browser_code.routes() + hall_requests.routes()
            ),
            Route("/a/b/app/static/{name}", static),
        ]
        self.url = f"http://127.0.0.1:{(port := free_port())}/a/b"
        self._server = Listening(Starlette(routes=routes), port)

    def close(self) -> None:
        """Ends the server."""
        self._server.close()


@pytest.fixture
def hall(monkeypatch):
    browser_code.plotly_version()
    monkeypatch.setattr(presentations, "FRAME_SECONDS", 0.05)
    monkeypatch.setattr(presentations, "IDLE_SECONDS", 0.05)
    hall = Hall()
    yield hall
    hall.close()


@pytest.fixture
def show():
    run = Told()
    show = presentations.SHOWS.begin(run)
    show.scores, show.display = (lambda snapshot: "<p>scores</p>"), Picture()
    yield show
    presentations.SHOWS.end(show)


@pytest.fixture
def phone(chromium):
    """A phone in the dark; at the end nothing may have failed, and no WebSocket been opened."""
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="dark")
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("websocket", lambda socket: wrong.append(socket.url))
    yield page
    context.close()
    assert wrong == []


def shown(page) -> int:
    return int(page.get_attribute(".ganscope-watch", "data-step") or 0)


def test_a_phone_watches_looks_back_and_hears_of_trouble_and_the_end(hall, show, phone):
    phone.goto(f"{hall.url}/ganscope/watch/{show.token}")
    for panel in ("samples", "losses"):
        phone.wait_for_selector(f".ganscope-watch .{panel} .js-plotly-plot", timeout=90_000)
    for at in (5, 50):
        show.run.at = at
        wait_until(lambda at=at: shown(phone) == at, 20, f"step {at}")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    link = phone.get_by_role("link", name="Copy this run")
    assert phone.evaluate("(link) => link.href", link.element_handle()) == f"{hall.url}/watch?run={show.token}"
    slider = phone.locator(".ganscope-watch input[type=range]")
    slider.focus()
    slider.press("Home")
    wait_until(lambda: shown(phone) == 1, 20, "the first step")
    phone.locator(".ganscope-watch .live").click()
    wait_until(lambda: shown(phone) == 50, 20, "the latest step")

    ground = "getComputedStyle(document.body).backgroundColor"
    colour = "document.querySelector('.losses .ganscope-plot').layout.font.color"
    dark = phone.evaluate(ground), phone.evaluate(colour)
    phone.emulate_media(color_scheme="light")
    wait_until(lambda: phone.evaluate(colour) != dark[1], 10, "the light theme")
    assert phone.evaluate(ground) != dark[0]

    trouble = phone.locator(".ganscope-watch .trouble")
    assert trouble.is_hidden()
    for refusal, sentence in ((429, "fewer requests"), ("page", "a web page instead of data"), (502, "busy")):
        hall.refuses = refusal
        show.run.at += 1  # so that the request which waits is answered
        wait_until(lambda sentence=sentence: sentence in trouble.inner_text(), 40, sentence)
        hall.refuses = 0
        show.run.at += 1
        wait_until(lambda: shown(phone) == show.run.at, 40, "the newest frame")
    presentations.SHOWS.end(show)
    wait_until(lambda: trouble.inner_text() == presentations.ENDED, 30, "the end")


def test_a_link_that_is_wrong_is_said(hall, phone):
    answer = phone.goto(f"{hall.url}/ganscope/watch/guessed")
    assert answer.status == 404
    assert "Ask the presenter for a new link" in phone.inner_text("body")


# -- what the presenter asks --------------------------------------------------------------------------------

POLL = Poll("How many <i>modes</i> will it find?", ("All 8", "<b>Some</b>", "One"))
BEYOND = """() => [...document.querySelectorAll(".ganscope-game, .ganscope-game *, .ganscope-hall, .ganscope-hall *")]
    .map((node) => [node.className, node.getBoundingClientRect()])
    .filter(([, box]) => box.right > 390 || box.left < 0).map(([name, box]) => [name, box.right])"""
SMALL_TARGETS = """() => [...document.querySelectorAll(".ganscope-game button, .ganscope-hall button")]
    .filter((button) => button.getBoundingClientRect().height < 48).map((button) => button.textContent)"""


def watched(page, hall, show) -> None:
    """Opens the plain page of a presentation."""
    page.goto(f"{hall.url}/ganscope/watch/{show.token}")
    page.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)


def test_a_phone_answers_a_poll_once_and_sees_the_bars_and_what_happened(hall, show, phone):
    watched(phone, hall, show)
    asked = phone.locator(".ganscope-hall")
    assert asked.is_hidden()
    show.hall.ask(POLL)
    asked.get_by_text(POLL.question).wait_for(timeout=30_000)
    answers = asked.locator(".answers button")
    assert answers.all_inner_texts() == ["A: All 8", "B: <b>Some</b>", "C: One"]
    assert phone.evaluate(BEYOND) == [] and phone.evaluate(SMALL_TARGETS) == []
    answers.nth(1).tap()
    wait_until(lambda: show.hall.ballot.counts() == [0, 1, 0], 20, "the answer")
    asked.get_by_text("Your answer: B").wait_for(timeout=30_000)
    assert answers.nth(1).get_attribute("aria-pressed") == "true" and asked.locator(".ganscope-bars").count() == 0
    answers.nth(0).tap()
    asked.get_by_text("You have answered this poll already").wait_for(timeout=30_000)
    assert show.hall.ballot.counts() == [0, 1, 0]
    show.hall.close()
    asked.get_by_text("1 · 100 %").wait_for(timeout=30_000)
    assert asked.locator(".truth").count() == 0 and answers.count() == 0
    show.hall.mark(2)
    asked.get_by_text("This is what happened").wait_for(timeout=30_000)
    assert asked.locator(".truth span").inner_text() == "C: One"
    assert "your answer" in asked.locator("li").nth(1).inner_text() and phone.evaluate(BEYOND) == []
    show.hall.put_away()
    asked.wait_for(state="hidden", timeout=30_000)


@pytest.mark.parametrize("kind", ["images", "points"])
def test_a_phone_judges_samples_by_touch_and_by_key_and_sees_the_table(hall, show, phone, monkeypatch, kind):
    monkeypatch.setattr(rounds, "GRACE_SECONDS", 1.0)
    show.run.makes = kind
    watched(phone, hall, show)
    show.run.at = 50  # so that there is something to look back at by the arrows, which the game has for itself
    wait_until(lambda: shown(phone) == 50, 20, "step 50")
    show.hall.begin_round(seconds=12.0)
    game = phone.locator(".ganscope-game")
    game.wait_for(timeout=30_000)
    assert phone.evaluate(BEYOND) == [] and phone.evaluate(SMALL_TARGETS) == []
    picture = "document.querySelector('.ganscope-game canvas').toDataURL()"
    first = phone.evaluate(picture)
    game.get_by_role("button", name="Real").tap()
    wait_until(lambda: phone.evaluate(picture) != first, 20, "the next sample")
    phone.keyboard.press("ArrowRight")
    phone.keyboard.press("ArrowLeft")
    wait_until(lambda: show.hall.round.progress() == (3, 1), 20, "three answers")
    said = sorted(next(iter(show.hall.round._answers.values())).values())
    assert said == [False, True, True] and shown(phone) == 50
    game.wait_for(state="detached", timeout=60_000)
    table = phone.locator(".ganscope-hall .ganscope-rounds")
    table.wait_for(timeout=30_000)
    assert "95 % interval" in table.inner_text() and phone.evaluate(BEYOND) == []
    phone.get_by_text("of 3 right in the last round").wait_for(timeout=30_000)
    assert len(show.hall.results) == 1 and show.hall.results[0].answers == 3
