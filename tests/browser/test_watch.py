"""Presenting to a hall: a real presenter, real watchers, and light clients that ask as a watcher's browser does."""

import gzip
import itertools
import json
import struct
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gan_core.runs import run_reading
from pages.ui import shell as frame_of_pages
from tests.conftest import RUNS, wait_until
from tests.support.tab import IMAGES, PLAY_SECONDS, WINDOW, Tab

pytestmark = pytest.mark.flaky(reruns=1)


def present(tab: Tab) -> str:
    """Presents the tab's run; the address to watch it at."""
    tab.page.get_by_role("button", name="Present").first.click()
    tab.page.locator(".st-key-present_go_points button").first.click(timeout=90_000)
    code = tab.page.locator("[data-testid=stPopoverBody] code")
    code.wait_for(timeout=90_000)
    tab.page.locator("[data-testid=stPopoverBody] img").wait_for(timeout=90_000)  # the QR code
    return code.inner_text().strip()


def end(tab: Tab) -> None:
    """Ends the tab's presentation."""
    if not tab.page.locator(".st-key-present_end_points").is_visible():
        tab.page.get_by_role("button", name="Presenting").first.click()
    tab.page.locator(".st-key-present_end_points button").first.click(timeout=90_000)
    tab.page.keyboard.press("Escape")


def frame(url: str) -> dict:
    """The words of a frame: what stands before the buffers."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        content = answer.read()
        assert answer.headers["Content-Encoding"] == "gzip" and answer.headers["Cache-Control"] == "no-store"
    content = gzip.decompress(content)
    (size,) = struct.unpack("<I", content[:4])
    return json.loads(content[4 : 4 + size])


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_presented_run_is_watched_looked_back_at_copied_and_ended(shared_tab, server, chromium):
    tab = shared_tab()
    tab.play(20)
    address = present(tab)
    token = address.rsplit("/", 1)[1]
    assert address == f"{server.url}/ganscope/watch/{token}" and len(token) >= 22
    context = chromium.new_context(viewport=WINDOW)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(address)
        page.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
        watch = page.locator(".ganscope-watch")
        number = lambda: int(watch.get_attribute("data-number"))  # noqa: E731
        first = number()
        wait_until(lambda: number() >= first + 5, 20, "five more frames")
        wait_until(lambda: "1 viewer" in tab.text("steps_per_second"), 20, "the presenter to see the watcher")
        assert page.locator(".st-key-play").count() == 0 and page.locator(".stSlider").count() == 0  # no control
        traces = """() => document.querySelector(".ganscope-watch .samples .ganscope-plot").data.map((t) => t.name)"""
        assert "generated" in page.evaluate(traces)
        page.get_by_role("checkbox", name="generated").uncheck()
        wait_until(lambda: "generated" not in page.evaluate(traces), 10, "the layer to go")

        tab.page.keyboard.press("Escape")
        stood = tab.pause()
        shown = lambda: int(watch.get_attribute("data-step"))  # noqa: E731
        wait_until(lambda: shown() == stood, 20, "the watcher to stand where the presenter stands")
        slider = page.locator(".ganscope-watch input[type=range]")
        slider.focus()
        slider.press("Home")
        wait_until(lambda: shown() < stood, 20, "a step of the past")
        assert tab.step() == stood
        page.locator(".ganscope-watch .live").click()
        wait_until(lambda: shown() == stood, 20, "the present")

        page.get_by_role("link", name="Copy this run").click()  # from here on in Streamlit
        page.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
        assert page.url == f"{server.url}/watch?run={token}"  # the address of older links
        page.locator(".st-key-take_copy button").first.click()
        page.wait_for_selector(".st-key-step_counter", timeout=90_000)
        counter = lambda: int(page.inner_text(".st-key-step_counter").split()[-1].replace(",", ""))  # noqa: E731
        wait_until(lambda: counter() == stood, PLAY_SECONDS, "the copy")
        page.click(".st-key-play button")
        wait_until(lambda: counter() > stood, PLAY_SECONDS, "the copy to train on")
        assert tab.step() == stood
        assert any(run.name.endswith("copy") for run in map(run_reading.read, Path(RUNS).glob("*copy")))

        page.goto(address)
        page.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
        end(tab)
        page.get_by_text("This presentation has ended").wait_for(timeout=90_000)
        assert status_of(f"{server.url}/ganscope/frames/{token}") == 404
        page.goto(address)
        page.get_by_text("This presentation has ended").wait_for(timeout=90_000)
    finally:
        context.close()
    assert errors == []


def test_many_watchers_see_the_same_frames_and_training_goes_on(shared_tab, server):
    tab = shared_tab()
    tab.play(20)
    token = present(tab).rsplit("/", 1)[1]
    seen: dict[int, list[tuple[int, int]]] = {n: [] for n in range(12)}

    def watch(n: int) -> None:
        number, until = 0, time.monotonic() + 30
        while len(seen[n]) < 8 and time.monotonic() < until:
            got = frame(f"{server.url}/ganscope/frames/{token}?after={number}&watcher=client{n}")
            number = got["number"]
            seen[n].append((number, got["step"]))

    before = tab.step()
    threads = [threading.Thread(target=watch, args=(n,)) for n in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(len(frames) == 8 for frames in seen.values())
    assert all(a < b for frames in seen.values() for a, b in itertools.pairwise(frames))
    steps = [dict(frames) for frames in seen.values()]
    assert all(one[k] == other[k] for one in steps for other in steps for k in one.keys() & other.keys())
    wait_until(lambda: "12 viewers" in tab.text("steps_per_second"), 20, "all twelve to be counted")
    assert tab.step() > before
    for wrong in ("x" * 22, token[:-1], token + "a", "%2e%2e", "..%2f" + token):
        assert status_of(f"{server.url}/ganscope/frames/{wrong}") in (400, 404)
    for odd in ("after=-1", "after=x", "at=", "at=9999999999999999", "after=%00", f"watcher={'w' * 9000}"):
        assert status_of(f"{server.url}/ganscope/frames/{token}?{odd}") == 200
    end(tab)
    wait_until(lambda: status_of(f"{server.url}/ganscope/frames/{token}") == 404, 10, "the end")


def test_images_are_watched_on_a_phone_without_a_websocket_in_light_and_dark(shared_tab, chromium):
    tab = shared_tab(IMAGES)
    tab.play(3)
    tab.page.get_by_role("button", name="Present").first.click()
    tab.page.locator(".st-key-present_go_images button").first.click(timeout=90_000)
    code = tab.page.locator("[data-testid=stPopoverBody] code")
    code.wait_for(timeout=90_000)
    address = code.inner_text().strip()
    tab.page.keyboard.press("Escape")
    phone = {"width": 390, "height": 844}
    context = chromium.new_context(viewport=phone, is_mobile=True, has_touch=True, color_scheme="dark")
    page, errors, sockets = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("websocket", lambda socket: sockets.append(socket.url))
    try:
        page.goto(address)
        for panel in ("samples", "real", "losses"):
            page.wait_for_selector(f".ganscope-watch .{panel} .js-plotly-plot", timeout=90_000)
        watch = page.locator(".ganscope-watch")
        number = lambda: int(watch.get_attribute("data-number"))  # noqa: E731
        first = number()
        wait_until(lambda: number() >= first + 3, 20, "three more frames")
        assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        ground = "getComputedStyle(document.body).backgroundColor"
        colour = "document.querySelector('.losses .ganscope-plot').layout.font.color"
        dark = page.evaluate(ground), page.evaluate(colour)
        page.emulate_media(color_scheme="light")
        wait_until(lambda: page.evaluate(colour) != dark[1], 10, "the light theme")
        assert page.evaluate(ground) != dark[0]
        assert sockets == []
    finally:
        context.close()
    assert errors == []


def test_no_request_leaves_the_server_on_any_page(shared_tab, server, chromium):
    tab = shared_tab()
    tab.play(3)
    addresses = [present(tab)]
    tab.page.keyboard.press("Escape")
    pages = [Path(path).stem for path, *_ in frame_of_pages.PAGES]
    addresses += [f"{server.url}/{'' if page == 'playground' else page}" for page in pages]
    addresses.append(addresses[0].replace("/ganscope/watch/", "/watch?run="))
    context = chromium.new_context(viewport=WINDOW)
    page, away = context.new_page(), []
    page.on(
        "request", lambda request: request.url.startswith((server.url, "data:", "blob:")) or away.append(request.url)
    )
    page.on(
        "websocket", lambda socket: socket.url.startswith(server.url.replace("http", "ws")) or away.append(socket.url)
    )
    try:
        for address in addresses:
            page.goto(address)
            page.wait_for_load_state("networkidle" if "watch" not in address else "load", timeout=90_000)
            shown = ".js-plotly-plot, h1, .st-key-race_setup, [data-testid=stMain] button"
            page.wait_for_selector(shown, timeout=90_000)
    finally:
        context.close()
        end(tab)
    assert away == []
