"""The coach and breakpoints in a real browser: a collapse is said, marked, raced; training stops where it is told."""

import re

import pytest

from tests.conftest import wait_until
from tests.support.tab import PLAY_SECONDS, SMALL, Tab

# A browser, a server and a worker on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

COLLAPSE = (
    "?preset=ring&g_lr=0.0002&d_lr=0.002&loss=non_saturating&penalty=none&latent_dim=16&g_beta_1=0.5&d_beta_1=0.5"
    "&show_ema=false&g_units=32&d_units=32&g_layers=2&d_layers=2&schedule=constant"
)
FINDING_SECONDS = 120  # until enough scores agree
BANDS = """() => document.querySelector(".st-key-live_losses .ganscope-plot").layout.shapes
    .filter((shape) => shape.type === "rect").length"""


def plane(tab: Tab) -> dict:
    return tab.page.locator(".st-key-live_samples .ganscope-plot").bounding_box()


def test_a_collapse_is_said_marked_and_raced_and_nothing_moves(open_tab):
    tab = open_tab(COLLAPSE)
    page, before = tab.page, plane(tab)
    assert page.evaluate(BANDS) == 0
    tab.play(1)
    race = page.locator(".st-key-coach_race button:visible").first
    race.wait_for(timeout=3_000 * FINDING_SECONDS)  # the script drew it, for the finding came with a frame
    assert re.search(r"Mode collapse\. .*\d of 8 modes since step", tab.text("coach"))
    tab.pause()
    assert plane(tab) == before
    assert page.evaluate(BANDS) >= 1
    mark = page.locator(".ganscope-scrubber .findings button", has_text="◆").first
    assert "Mode collapse, from step" in mark.get_attribute("aria-label")
    mark.focus()
    page.keyboard.press("Enter")
    wait_until(lambda: page.get_attribute(".ganscope-scrubber", "data-at"), 20, "the step of the mark")
    wait_until(lambda: not race.is_visible(), 30, "the button to go, for the past cannot be changed")
    assert "Mode collapse" in tab.text("coach")
    page.click(".ganscope-scrubber .live")
    race.wait_for(timeout=90_000)
    race.click()
    page.wait_for_selector(".st-key-lane_1", timeout=90_000)
    titles = [page.inner_text(f".st-key-lane_title_{i}") for i in (0, 1)]
    assert "non_saturating" in titles[0] and "relativistic" in titles[1]
    ready = lambda: "paused" in page.inner_text(".st-key-race_status")  # noqa: E731
    wait_until(ready, PLAY_SECONDS, "both to stand at step 0")
    assert all(re.search(r"step 0$", page.inner_text(f".st-key-lane_title_{i}")) for i in (0, 1))


def test_a_breakpoint_pauses_exactly_at_its_step_play_goes_on_and_a_refresh_keeps_it(open_tab):
    tab = open_tab(SMALL)
    page = tab.page
    opener = page.locator(".st-key-breakpoints button:visible").first
    field = page.get_by_role("spinbutton", name="At step")
    opener.click()
    field.fill("150")
    field.press("Enter")
    wait_until(lambda: "Breakpoints: 1" in tab.text("breakpoints"), 30, "the breakpoint to be known")
    page.keyboard.press("Escape")
    tab.click("play")
    stopped = lambda: "paused at step 150: breakpoint: step 150" in tab.text("steps_per_second")  # noqa: E731
    wait_until(stopped, PLAY_SECONDS, "step 150")
    assert tab.step() == 150
    wait_until(lambda: "Play" in tab.text("play"), 30, "the button to say Play again")
    page.reload()
    tab.ready()
    wait_until(stopped, 30, "the run to be found as it stood")
    assert "Breakpoints: 1" in tab.text("breakpoints")
    tab.play(160)
    assert tab.pause() > 150
