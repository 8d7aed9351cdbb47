"""Finished trainings in a real browser: watched and scrubbed without any training process, then gone on with."""

import re

import pytest

from gan_core.runs import finished_runs
from gan_core.runs.finished_runs import FINISHED
from tests.browser.test_past import SCRUBBER, contents, drag, shown
from tests.conftest import Server, wait_until
from tests.support.tab import PLAY_SECONDS, WINDOW, Tab, examples, texture

# A browser, a server and a worker on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)


@pytest.fixture(scope="module")
def quiet():
    """A server without any training process: it keeps no spare one, and nobody has pressed Play yet."""
    server = Server(GANSCOPE_SPARE="0")
    yield server
    server.stop()


@pytest.fixture
def tab(quiet, chromium):
    """A fresh page, whose console may hold no error."""
    context = chromium.new_context(viewport=WINDOW)
    tab = Tab(context, f"{quiet.url}/")
    yield tab
    context.close()
    assert tab.errors == []


def top(tab: Tab) -> float:
    """Where the plane begins, in pixels from the top of the window."""
    return tab.page.locator(".st-key-live_samples .ganscope-plot").bounding_box()["y"]


def test_a_finished_training_is_watched_scrubbed_branched_from_and_gone_on_with(quiet, tab):
    name = "ring-all-modes"
    row, end, before = FINISHED[name], finished_runs.read(name).step, contents(finished_runs.folder_of(name))
    place = top(tab)
    tab.click("watch_finished")
    wait_until(lambda: len(tab.samples()) == 50, 10, "the generated points")
    assert row.look_for in tab.text("steps_per_second") and row.title in tab.text("steps_per_second")
    assert "modes captured" in tab.text("metrics") and not tab.page.locator(".st-key-watch_finished").count()
    wait_until(lambda: (shown(tab) or 0) > 0, 10, "the replay")
    middle = drag(tab, 0.6)
    assert 100 < middle < end and f"step {middle:,} of {end:,}" in tab.page.inner_text(f"{SCRUBBER} output")
    then = tab.samples()
    assert drag(tab, 0.2) < middle and tab.samples() != then
    assert top(tab) == pytest.approx(place, abs=1)
    assert quiet.workers() == []

    tab.click("play")
    wait_until(lambda: tab.step() > end, 2 * PLAY_SECONDS, "steps beyond its end")
    assert row.look_for in tab.text("steps_per_second")
    tab.pause()
    wait_until(lambda: top(tab) == pytest.approx(place, abs=1), 5, "the plane in its place")
    assert contents(finished_runs.folder_of(name)) == before  # what goes on is another run


def test_a_branch_needs_no_training_process(quiet, tab):
    tab.click("watch_finished")
    wait_until(lambda: (shown(tab) or 0) > 0, 10, "the replay")
    drag(tab, 0.75)
    fork = tab.page.locator(f"{SCRUBBER} .fork")
    at = int(re.sub(r"\D", "", fork.inner_text()))
    workers = quiet.workers()
    fork.click()
    wait_until(lambda: f"branch of ring-all-modes at {at:,}" in tab.text("steps_per_second"), 10, "the branch")
    assert tab.step() == at and quiet.workers() == workers
    assert FINISHED["ring-all-modes"].look_for not in tab.text("steps_per_second")


def test_the_anatomy_of_a_step_has_the_place_of_the_invitation(tab):
    """On a page that nobody has touched: its buttons can be pressed, and the invitation comes back with the losses."""
    page = tab.page
    page.wait_for_selector(".st-key-watch_finished", timeout=20_000)
    tab.click("anatomy")
    page.wait_for_selector(".ganscope-anatomy .box", timeout=20_000)
    page.locator(".st-key-slow_motion label").first.click(timeout=20_000)
    assert page.locator(".st-key-watch_finished").count() == 0
    tab.click("anatomy")
    page.wait_for_selector(".st-key-watch_finished", timeout=20_000)


def test_one_of_images_is_opened_from_the_examples(quiet, tab):
    name = "digits-readable"
    workers = quiet.workers()
    examples(tab.page)
    tab.page.wait_for_selector(f".st-key-watch_{name} button", timeout=60_000)
    for each, row in FINISHED.items():
        card = tab.text(f"finished_{each}")
        assert row.title in card and row.look_for in card and ("ends well" in card) is row.good
    tab.click(f"watch_{name}")
    tab.page.wait_for_selector(".st-key-live_real .js-plotly-plot", timeout=60_000)
    wait_until(lambda: FINISHED[name].look_for in tab.text("steps_per_second"), 10, "what to look for")
    wait_until(lambda: (shown(tab) or 0) > 0, 10, "the replay")
    slider = tab.page.locator(f"{SCRUBBER} input")  # by keys: while the page is laid out, a mouse may miss it
    slider.focus()
    slider.press("Home")
    wait_until(
        lambda: shown(tab) is not None and shown(tab) == tab.attribute("samples", "step") < 5, 10, "the first frame"
    )
    first, early = shown(tab), texture(tab)
    for _ in range(8):
        slider.press("ArrowRight")
    wait_until(lambda: (shown(tab) or 0) > first and texture(tab) != early, 10, "another picture")
    at = shown(tab)
    tab.page.reload()
    tab.ready()
    wait_until(lambda: FINISHED[name].look_for in tab.text("steps_per_second"), 20, "the same after a refresh")
    wait_until(lambda: shown(tab) == at, 10, "the step that was looked at")
    assert quiet.workers() == workers
