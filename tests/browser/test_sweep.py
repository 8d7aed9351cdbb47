"""The page Sweep for real: a sweep is started, stopped and gone on with, and its map fills in place."""

import json

import pandas as pd
import pytest

from tests.conftest import wait_until
from tests.support.tab import WINDOW

pytestmark = [pytest.mark.timeout(600), pytest.mark.flaky(reruns=1)]

MAP = ".st-key-sweep_map .ganscope-plot"


# Where the middle of a cell is on the screen, scrolled to.
CELL = """([map, row, column]) => {
    const node = document.querySelector(map);
    node.scrollIntoView({ block: "center", behavior: "instant" });
    const { xaxis, yaxis } = node._fullLayout, box = node.getBoundingClientRect();
    return [box.left + xaxis._offset + xaxis.l2p(column), box.top + yaxis._offset + yaxis.l2p(row)];
}"""


def test_a_sweep_is_started_stopped_and_gone_on_with(server, chromium):
    context = chromium.new_context(viewport=WINDOW)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def done() -> int:
        said = page.inner_text(".st-key-sweep_progress")
        return int(said.split(" of ")[0].split()[-1]) if " of " in said else -1

    def fill(key: str, value: str) -> None:
        field = page.locator(f"[class*=st-key-{key}] input")
        field.fill(value)
        field.press("Enter")

    def choose(key: str, option: str) -> None:
        page.locator(f".st-key-{key}").get_by_role("combobox").click()
        page.get_by_role("option", name=option, exact=True).click()

    try:
        page.goto(f"{server.url}/sweep")
        page.wait_for_selector(".st-key-sweep_go button", timeout=90_000)
        fill("sweep_values_g_lr", "0.001, 0.01")
        fill("sweep_values_penalty", "none, r1")
        fill("sweep_name", "seen")
        for key in ("sweep_seeds", "sweep_seconds"):
            slider = page.locator(f".st-key-{key} input[type=range]")
            slider.focus()
            slider.press("Home")
        page.get_by_text("4 combinations x 1 seed = 4 trials").wait_for(timeout=30_000)
        page.click(".st-key-sweep_go button")
        page.wait_for_selector(".st-key-sweep_stop button", timeout=60_000)
        wait_until(lambda: done() >= 1, 90, "a trial")
        page.wait_for_selector(f"{MAP} .main-svg", timeout=60_000)
        page.evaluate(f"window.first = document.querySelector('{MAP}')")
        pictures = f"document.querySelector('{MAP}').layout?.images?.length ?? 0"
        assert page.evaluate(pictures) >= 1
        page.click(".st-key-sweep_stop button")
        page.wait_for_selector(".st-key-sweep_again button", timeout=60_000)
        stood = done()
        assert 1 <= stood < 4 and "The same command goes on." in page.inner_text("body")
        page.reload()  # the sweep that one looked at, and its numbers, are there again
        page.wait_for_selector(".st-key-sweep_again button", timeout=90_000)
        assert done() == stood
        page.wait_for_selector(f"{MAP} .main-svg", timeout=60_000)
        page.wait_for_timeout(1_500)  # the tab has said its key, with which the page is drawn once more
        page.wait_for_selector(".stApp[data-test-script-state=notRunning]", timeout=60_000)
        page.evaluate(f"window.first = document.querySelector('{MAP}')")
        page.click(".st-key-sweep_again button")
        page.wait_for_selector(".st-key-sweep_stop button", timeout=60_000)
        wait_until(lambda: done() == 4, 120, "all trials")
        page.wait_for_selector(".st-key-sweep_stop", state="detached", timeout=30_000)
        wait_until(lambda: page.evaluate(pictures) == 4, 20, "a picture in each cell")
        assert page.evaluate(f"window.first === document.querySelector('{MAP}')")  # redrawn in place
        choose("sweep_look", "Wasserstein-1")
        cells = f"JSON.stringify(document.querySelector('{MAP}').data[0].z ?? null)"
        z = json.loads(wait_until(lambda: (now := page.evaluate(cells)) != "null" and now, 20, "the scores' map"))
        assert len(z) == 2 and all(value > 0 for row in z for value in row)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download CSV").click()
        table = pd.read_csv(download.value.path())
        assert len(table) == 4 and set(table["status"]) == {"done"} and set(table["seed"]) == {0}
        means = table.groupby(["penalty", "g_lr"])["w1"].mean()
        assert sorted(means) == pytest.approx(sorted(value for row in z for value in row), rel=1e-6)
        # Two cells are chosen by a click, and raced against each other.
        page.locator(".st-key-sweep_lines .main-svg").first.wait_for(timeout=30_000)
        chosen = page.locator(".st-key-sweep_cells_bar [data-testid=stLinkButton]")
        for number, cell in enumerate((0, 3), 1):
            place = page.evaluate(CELL, [MAP, cell // 2, cell % 2])
            page.mouse.move(*place)
            page.locator(f"{MAP} .hovertext").first.wait_for(timeout=30_000)  # as nobody clicks who has not arrived
            page.mouse.click(*place)
            wait_until(lambda number=number: chosen.count() == number, 20, f"{number} chosen cells")
        assert "penalty=r1" in chosen.nth(1).locator("a").first.get_attribute("href")
        page.locator(".st-key-sweep_race button").first.click()
        trainings = "document.querySelectorAll('[class*=st-key-lane_plot_] .js-plotly-plot').length"
        wait_until(lambda: page.evaluate(trainings) == 2, 90, "the race of the two cells")
        assert page.url.endswith("/compare") and "r1" in page.inner_text("body")
        assert errors == []
    finally:
        context.close()
