"""How watchers answer, by HTTP: each answer counts once, and what is no answer is a status and a sentence."""

import asyncio
import json
import logging
import struct

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.serving.client import Run
from gan_core.settings.presets import PRESETS
from pages.ui.frames import hall_requests, presentations, rounds
from pages.ui.frames.polls import Poll
from pages.ui.server import addresses
from tests.conftest import free_port, wait_until
from tests.pages.test_hall import judging, unpacked
from tests.pages.test_presenting import Told, begin
from tests.support.asking import run_apart
from tests.support.listening import Listening

POLL = Poll("How many?", ("All", "Some", "None"))
JSON = {"content-type": "application/json"}


@pytest.fixture
def show(monkeypatch):
    """A presentation with an open poll, the first thing that its hall was asked."""
    shows = presentations.Shows()
    for module in (presentations, hall_requests):
        monkeypatch.setattr(module, "SHOWS", shows)
    monkeypatch.setattr(presentations, "FRAME_SECONDS", 0.02)
    monkeypatch.setattr(presentations, "IDLE_SECONDS", 0.02)
    run = Told()
    show = begin(shows, run)
    assert shows.ask(run, POLL) and not shows.ask(Told(), POLL)
    yield show
    shows.end(show)


def app() -> Starlette:
    routes = [*presentations.routes(), *hall_requests.routes()]
    return Starlette(routes=routes, middleware=[Middleware(addresses.Guard)])


def ask(method: str, path: str, **rest) -> httpx.Response:
    async def asking() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://localhost:8501") as client:
            return await client.request(method, path, timeout=30, **rest)

    return run_apart(asking())


def answer(show, **rest) -> httpx.Response:
    return ask("POST", f"/ganscope/frames/{show.token}/answers", **rest)


def poll_answer(show, watcher: str = "watcher-1", **changes) -> httpx.Response:
    return answer(show, json={"watcher": watcher, "poll": 1, "answer": 0, **changes})


def sentence(response: httpx.Response, status: int) -> str:
    """What a refused request was told, which is one or two sentences."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/plain") and response.headers["cache-control"] == "no-store"
    assert response.text.endswith(".") and len(response.text) < 150
    return response.text


def test_an_answer_counts_once(show):
    assert poll_answer(show).text == hall_requests.COUNTED
    assert "already" in sentence(poll_answer(show, answer=1), 409)
    assert show.hall.ballot.counts() == [1, 0, 0]
    assert poll_answer(show, "watcher-2", answer=2).status_code == 200
    show.hall.close()
    assert "closed" in sentence(poll_answer(show, "watcher-3"), 410)
    assert show.hall.ballot.counts() == [1, 0, 1]


@pytest.mark.parametrize(
    "status, rest",
    [
        (400, {"content": b"not json", "headers": JSON}),
        (400, {"content": b"", "headers": JSON}),
        (400, {"content": b"\xff\xfe", "headers": JSON}),
        (400, {"content": b"[" * 1_900, "headers": JSON}),
        (400, {"json": [1, 2]}),
        (400, {"json": {}}),
        (400, {"json": {"poll": 1, "answer": 0}}),
        (400, {"json": {"watcher": "short", "poll": 1, "answer": 0}}),
        (400, {"json": {"watcher": "<script>alert(1)", "poll": 1, "answer": 0}}),
        (400, {"json": {"watcher": 12345678, "poll": 1, "answer": 0}}),
        (400, {"json": {"watcher": "w" * 65, "poll": 1, "answer": 0}}),
        (400, {"json": {"watcher": "watcher-1", "poll": 1, "answer": 7}}),
        (400, {"json": {"watcher": "watcher-1", "poll": 1, "answer": 0.0}}),
        (410, {"json": {"watcher": "watcher-1", "poll": 5, "answer": 0}}),
        (410, {"json": {"watcher": "watcher-1", "round": 1, "judged": [[0, True]]}}),
        (413, {"json": {"watcher": "watcher-1", "poll": 1, "answer": 0, "more": "x" * 2_000}}),
        (413, {"content": b"x" * 5_000_000, "headers": JSON}),
        (415, {"data": {"watcher": "watcher-1", "poll": 1, "answer": 0}}),
        (
            415,
            {"content": b'{"watcher": "watcher-1", "poll": 1, "answer": 0}', "headers": {"content-type": "text/plain"}},
        ),
    ],
    ids=range(19),
)
def test_what_is_no_answer_changes_nothing(show, status, rest):
    sentence(answer(show, **rest), status)
    assert show.hall.ballot.counts() == [0, 0, 0] and show.hall.revision == 1


def test_pages_elsewhere_cannot_answer(show):
    good = {"watcher": "watcher-1", "poll": 1, "answer": 0}
    for headers in (
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},  # a form that is sent
        {"origin": "https://evil.example"},  # of a browser that does not say the rest
        {"origin": "null"},
    ):
        sentence(answer(show, json=good, headers=headers), 403)
    assert show.hall.ballot.counts() == [0, 0, 0]
    own = {"sec-fetch-site": "same-origin", "origin": "http://other.example"}  # a proxy has another name
    assert answer(show, json=good, headers=own).status_code == 200
    assert answer(show, json={**good, "watcher": "watcher-2"}, headers={"origin": "http://localhost:8501"}).is_success


def test_there_is_nothing_to_ask_or_answer_without_a_presentation(show):
    for path in ("hall", "rounds/1"):
        assert sentence(ask("GET", f"/ganscope/frames/guessed/{path}"), 404) == presentations.ENDED
    good = {"watcher": "watcher-1", "poll": 1, "answer": 0}
    assert sentence(ask("POST", "/ganscope/frames/guessed/answers", json=good), 404) == presentations.ENDED
    presentations.SHOWS.end(show)
    assert sentence(poll_answer(show), 404) == presentations.ENDED
    assert ask("GET", f"/ganscope/frames/{show.token}/answers").status_code == 405


def test_a_watcher_hears_of_a_poll_at_once_wherever_it_looks(show):
    wait_until(lambda: show.number, 10, "a frame")
    path = f"/ganscope/frames/{show.token}?watcher=watcher-1"
    newest = ask("GET", path)
    assert (newest.status_code, newest.headers["ganscope-hall"]) == (200, "1")
    never = ask("GET", f"{path}&after={2**29}&hall=0")  # looks at a step of the past, and would wait
    assert (never.status_code, never.headers["ganscope-hall"]) == (204, "1")
    told = ask("GET", f"/ganscope/frames/{show.token}/hall?watcher=watcher-1")
    assert told.headers["content-type"] == "application/octet-stream" and told.headers["cache-control"] == "no-store"
    about = hall_of(told)
    assert about["poll"]["question"] == "How many?" and about["poll"]["open"] and about["revision"] == 1


def hall_of(response: httpx.Response) -> dict:
    """What a watcher is told."""
    (size,) = struct.unpack("<I", response.content[:4])
    return json.loads(response.content[4 : 4 + size])


def deal(show) -> None:
    """Begins a round, long enough for a slow machine, and has the run make its samples."""
    show.hall.begin_round(seconds=600.0)
    wait_until(lambda: show.run.judge, 10, "the wish for samples")
    made = judging(show.run.judge)
    snapshot = show.run.snapshot
    show.run.snapshot = lambda: (s := snapshot(), s.frame.update(judging=made))[0]
    wait_until(lambda: show.hall.round.stage == rounds.ON, 10, "the round")
    wait_until(lambda: show.run.judge == 0, 10, "the wish to be over")


def test_a_round_by_http(show):
    assert sentence(ask("GET", f"/ganscope/frames/{show.token}/rounds/2"), 404) == "This round is over."
    deal(show)
    for wrong in ("1", "x", "-1", "9" * 30):
        sentence(ask("GET", f"/ganscope/frames/{show.token}/rounds/{wrong}"), 404)
    first, other = (ask("GET", f"/ganscope/frames/{show.token}/rounds/2?watcher={w}") for w in ("a" * 8, "b" * 8))
    assert first.content == other.content and first.headers == other.headers  # nobody is told more than anybody
    assert set(first.headers) <= {"content-encoding", "content-length", "content-type", *addresses.HEADERS}
    count = unpacked(show.hall.samples(2))["count"]
    all_real = {"watcher": "watcher-1", "round": 2, "judged": [[i, True] for i in range(count)]}
    assert answer(show, json=all_real).status_code == 200
    sentence(answer(show, json=all_real), 409)
    show.hall.stop_round()
    told = hall_of(ask("GET", f"/ganscope/frames/{show.token}/hall?watcher=watcher-1"))
    assert told["round"]["mine"] == [count // 2, count] and "50 %" in told["rounds"]


def test_the_run_makes_no_samples_for_a_presentation_that_has_ended(show):
    show.hall.begin_round()
    wait_until(lambda: show.run.judge, 10, "the wish for samples")
    presentations.SHOWS.end(show)
    assert show.run.judge == 0


def test_a_thousand_answers_at_once_are_counted_right_and_nobody_is_named(show, caplog):
    deal(show)
    for name in ("ganscope", "pages", "uvicorn", "uvicorn.access", "uvicorn.error"):
        caplog.set_level(logging.DEBUG, name)
    server = Listening(app(), port := free_port())
    limits = httpx.Limits(max_connections=100)

    async def all_at_once() -> list[int]:
        async with httpx.AsyncClient(limits=limits, timeout=60, base_url=f"http://127.0.0.1:{port}") as client:
            path = f"/ganscope/frames/{show.token}/answers"

            async def one(i: int) -> list[int]:
                said = {"watcher": f"key-{i % 900:05}", "poll": 1, "answer": i % 900 % 3}
                judged = {"watcher": f"key-{i % 900:05}", "round": 2, "judged": [[i % 900 % 16, True]]}
                return [(await client.post(path, json=body)).status_code for body in (said, judged)]

            return [status for statuses in await asyncio.gather(*map(one, range(1_000))) for status in statuses]

    try:
        statuses = run_apart(all_at_once(), 120)
    finally:
        server.close()
    assert {status: statuses.count(status) for status in (200, 409)} == {200: 1_800, 409: 200}  # 100 answered twice
    assert show.hall.ballot.counts() == [300, 300, 300]
    assert show.hall.round.progress() == (900, 900)
    assert "key-0" not in "".join(record.getMessage() for record in caplog.records)


def test_a_lab_may_know_the_truth_before(show):
    run: Run = show.run
    assert presentations.SHOWS.ask(run, Poll("Which loss wins?", ("A", "B"), truth=1))
    assert show.hall.ballot.truth is None  # until it is to be shown
    show.hall.mark(show.hall.ballot.poll.truth)
    assert "what happened" in show.hall.told("anna")["poll"]["bars"]
    with pytest.raises(ConfigError):
        presentations.SHOWS.ask(run, Poll("?", ("A",)))
    assert run.config == PRESETS["ring"].config
