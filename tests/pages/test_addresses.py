"""What the server answers to whom: names, base path, and requests that pages elsewhere make."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import config

from pages.ui.frames import feed, presentations, watch_page
from pages.ui.server import addresses
from tests.support.asking import run_apart


@pytest.fixture
def options(monkeypatch):
    """Sets Streamlit's options; as they were at the end."""
    kept = {name: config.get_option(f"server.{name}") for name in ("allowedHosts", "address", "baseUrlPath")}

    def setter(**wanted):
        for name, value in wanted.items():
            config.set_option(f"server.{name}", value)

    yield setter
    setter(**kept)


class Client:
    """Asks an application without a server."""

    def __init__(self, app: Starlette):
        self._app = app

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8501") as client:
                return await client.request(method, path, headers=headers)

        return run_apart(ask())


def browser() -> Client:
    """A client of the server's own addresses, and one page behind the guard."""
    page = Route(f"{addresses.base_path()}/images", lambda request: PlainTextResponse("the page"))
    routes = [*watch_page.routes(), *presentations.routes(), *feed.routes(), page]
    app = Starlette(routes=routes, middleware=[Middleware(addresses.Guard)])
    return Client(app)


@pytest.mark.parametrize(
    "address, given, answers, refuses",
    [
        ("127.0.0.1", [], ["localhost", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST."], ["evil.example", "10.0.0.1"]),
        ("localhost", [], ["localhost"], ["evil.example"]),
        ("::1", [], ["localhost"], ["localhost.evil.example"]),
        ("127.0.0.1", ["gan.example.org"], ["gan.example.org", "127.0.0.1:8501"], ["evil.example", "x@localhost"]),
        ("0.0.0.0", [], ["gan.example.org", "10.0.0.1:8501"], []),
        ("", [], ["gan.example.org"], []),
        ("0.0.0.0", ["*.example.org"], ["gan.example.org", "localhost"], ["evil.example"]),
    ],
)
def test_a_name_that_is_not_the_servers_is_refused_with_a_sentence(options, address, given, answers, refuses):
    options(address=address, allowedHosts=given)
    client = browser()
    for name in answers:
        assert client.get("/images", headers={"host": name}).text == "the page"
    for name in refuses:
        for path in ("/images", "/ganscope/live/x", "/ganscope/frames/x", "/ganscope/watch/x", "/nowhere"):
            answer = client.get(path, headers={"host": name})
            assert answer.status_code == 421 and "--server.allowedHosts=" in answer.text
    assert len(config.get_option("server.allowedHosts")) <= 4


def test_frames_are_for_the_servers_own_pages(options):
    options(allowedHosts=[])
    client = browser()
    for path in ("/ganscope/live/x", "/ganscope/frames/x"):
        assert client.get(path).status_code == 404  # not a browser
        assert client.get(path, headers={"sec-fetch-site": "same-origin"}).status_code == 404
        for site in ("cross-site", "same-site"):
            answer = client.get(path, headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})
            assert answer.status_code == 403
        answer = client.get(path)
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert "Ask the presenter" in client.get("/ganscope/watch/x", headers=link).text  # a link in a mail
    assert client.get("/ganscope/live/x", method="POST").status_code == 405


@pytest.mark.parametrize("base", ["", "gan", "/a/b/"])
def test_everything_is_below_the_base_path(options, base):
    options(allowedHosts=[], baseUrlPath=base)
    client, path = browser(), addresses.base_path()
    assert path == {"": "", "gan": "/gan", "/a/b/": "/a/b"}[base]
    assert client.get(f"{path}/ganscope/live/x").text == feed.GONE
    assert client.get(f"{path}/ganscope/frames/x").text == presentations.ENDED
    answer = client.get(f"{path}/images/?data=digits&seed=3")
    assert (answer.status_code, answer.headers["location"]) == (302, "../images?data=digits&seed=3")
    for other in (f"{path}/", f"{path}//evil.example/", f"{path}/ganscope/live/"):
        assert client.get(other).status_code in (404, 307)
        assert not client.get(other).headers.get("location", "").startswith("//")
    if base:
        assert client.get("/ganscope/live/x").status_code == 404
        assert client.get("/ganscope/live/x").text != feed.GONE
