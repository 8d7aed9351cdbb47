"""What stands between the browser and the server: a prefix, a proxy, a meter, a line that breaks."""

import time

import httpx
import pytest

from tests.browser.test_watch import present
from tests.conftest import Server, wait_until
from tests.support.proxy import Proxy
from tests.support.tab import SMALL, WINDOW, Tab

pytestmark = pytest.mark.flaky(reruns=1)


@pytest.fixture
def tab_at(chromium):
    """Opens tabs at any address; closed at the end."""
    contexts = []

    def opener(url: str) -> Tab:
        contexts.append(chromium.new_context(viewport=WINDOW))
        return Tab(contexts[-1], url)

    yield opener
    for context in contexts:
        context.close()


def frames_go_on(tab: Tab) -> None:
    """The feed brings frames, and the plot goes on."""
    first = tab.attribute("samples", "frames")
    for _ in range(3):
        with tab.page.expect_response(lambda answer: "/ganscope/live/" in answer.url and answer.status == 200) as got:
            pass
        assert got.value.headers["content-type"] == "application/octet-stream"
    wait_until(lambda: tab.attribute("samples", "frames") >= first + 3, 20, "three more frames")


def said(tab: Tab) -> str:
    return tab.page.evaluate("document.querySelector('.ganscope-line')?.textContent ?? ''")


def through(tab: Tab, url: str) -> None:
    """All of it, under this address: the live picture, another page and back, the link, Watch, a slash too many."""
    tab.play(5)
    frames_go_on(tab)
    assert said(tab) == ""
    address = present(tab)
    assert address.startswith(f"{url}/ganscope/watch/")
    tab.page.keyboard.press("Escape")
    watch = tab.page.context.new_page()
    failed = []
    watch.on("requestfailed", lambda request: "ABORTED" in request.failure or failed.append(request.url))
    watch.on("pageerror", lambda error: failed.append(str(error)))
    watch.goto(address)
    watch.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
    number = lambda: int(watch.get_attribute(".ganscope-watch", "data-number"))  # noqa: E731
    first = number()
    wait_until(lambda: number() >= first + 3, 20, "three more frames")
    watch.get_by_role("link", name="Copy this run").click()
    watch.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
    watch.locator(".st-key-take_copy button").first.wait_for()
    assert watch.url.startswith(f"{url}/watch?run=") and failed == []
    watch.goto(f"{url}/watch/?run={address.rsplit('/', 1)[1]}")
    watch.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
    assert watch.url.startswith(f"{url}/watch?run=")
    watch.close()
    tab.page.get_by_role("link", name="Images").first.click()
    address_of = lambda: tab.page.evaluate("location.origin + location.pathname")  # noqa: E731
    tab.page.wait_for_selector(".st-key-live_real .js-plotly-plot", timeout=90_000)
    wait_until(lambda: address_of() == f"{url}/images", 20, "the address of Images")
    tab.page.locator("header a").first.click()
    wait_until(lambda: address_of() == f"{url}/", 20, "the address of Points")
    tab.ready()
    if "Pause" not in tab.text("play"):
        tab.click("play")
    frames_go_on(tab)
    tab.pause()


@pytest.mark.parametrize("end", ["", "/"])
def test_behind_a_proxy_that_takes_a_prefix_off(server, tab_at, end):
    with Proxy(server.url, "/user/x/proxy/8501") as proxy:
        through(tab_at(f"{proxy.url}{end}{SMALL}"), proxy.url)


def test_with_a_base_path_of_its_own_and_behind_a_proxy_that_leaves_it(tab_at):
    server = Server(base="gan")
    try:
        assert httpx.get(f"http://127.0.0.1:{server.port}/ganscope/live/x").text != "This page was left."
        answer = httpx.get(f"{server.url}/ganscope/live/x")
        assert (answer.status_code, answer.text) == (404, "This page was left.")
        through(tab_at(f"{server.url}{SMALL}"), server.url)
        with Proxy(f"http://127.0.0.1:{server.port}", "/gan", strips=False) as proxy:
            through(tab_at(f"{proxy.url}/{SMALL}"), proxy.url)
    finally:
        server.stop()


def test_a_proxy_that_answers_frames_with_its_page_is_said(server, tab_at):
    with Proxy(server.url, swallows="/ganscope/") as proxy:
        tab = tab_at(f"{proxy.url}/{SMALL}")
        tab.play(5)
        wait_until(lambda: "a web page instead of data" in said(tab), 30, "the sentence")
        first = tab.attribute("samples", "frames")
        wait_until(lambda: tab.attribute("samples", "frames") >= first + 2, 20, "the script's own drawings")
        tab.pause()
        wait_until(lambda: said(tab) == "", 10, "the sentence to go")


@pytest.mark.parametrize("trouble", ["metered", "down"])
def test_frames_that_are_refused_are_asked_for_less_often_until_they_are_not(server, tab_at, trouble):
    with Proxy(server.url) as proxy:
        tab = tab_at(f"{proxy.url}/{SMALL}")
        tab.play(5)
        frames_go_on(tab)
        if trouble == "metered":
            proxy.per_second = 0.5
        else:
            proxy.down = True
        wait_until(lambda: "Slower updates" in said(tab), 60, "the sentence")
        assert ("fewer requests" if trouble == "metered" else "busy") in said(tab)
        since, until = time.monotonic(), time.monotonic() + 6
        wait_until(lambda: time.monotonic() > until, 20, "six seconds")
        assert sum(when > since for when, _ in proxy.asked) <= 9  # ten a second before
        proxy.per_second, proxy.down = None, False
        wait_until(lambda: said(tab) == "", 120, "the recovery")
        frames_go_on(tab)
        tab.pause()


def test_a_lost_connection_is_said_and_the_picture_stands_still_with_the_buttons(server, tab_at):
    with Proxy(server.url) as proxy:
        tab = tab_at(f"{proxy.url}/{SMALL}")
        tab.play(5)
        frames_go_on(tab)
        proxy.deaf = True  # frames could still come
        wait_until(lambda: said(tab).startswith("Connection lost"), 20, "the sentence")
        stood = tab.attribute("samples", "frames")
        until = time.monotonic() + 3
        wait_until(lambda: time.monotonic() > until, 10, "three seconds")
        assert tab.attribute("samples", "frames") == stood
        proxy.deaf = False
        wait_until(lambda: said(tab) == "", 40, "the connection")
        frames_go_on(tab)
        tab.pause()


def test_a_line_that_hangs_is_said(server, tab_at):
    from tests.conftest import Line

    line = Line(server.port)
    try:
        tab = tab_at(f"{line.url}/{SMALL}")
        tab.play(5)
        frames_go_on(tab)
        line.hush()
        wait_until(lambda: said(tab).startswith("Connection lost"), 60, "the sentence")
        line.mend()
        wait_until(lambda: said(tab) == "", 40, "the connection")
        frames_go_on(tab)
    finally:
        line.close()


def test_a_refresh_finds_its_run_though_nobody_has_missed_the_old_connection(server, tab_at):
    """As where a network went away and came back: the server believes the old page to be there for half a minute."""
    from tests.conftest import Line

    line = Line(server.port)
    try:
        tab = tab_at(f"{line.url}/{SMALL}")
        tab.play(5)
        stood = tab.pause()
        line.lose()
        tab.page.reload()
        tab.ready()
        wait_until(lambda: tab.step() == stood, 40, "the run")
    finally:
        line.close()
