"""A lab in a real browser: the prediction opens Play, the goal is seen by the machine, its receipt is confirmed."""

import json

import pytest

from gan_core import __main__ as cli
from tests.conftest import wait_until
from tests.support.tab import PLAY_SECONDS, Tab

pytestmark = pytest.mark.flaky(reruns=1)
LAB = "?lab=strong-discriminator"
CURED = f"{LAB}&g_lr=0.001&d_lr=0.001"


def held(tab: Tab) -> bool:
    return tab.page.locator(".st-key-play button").first.is_disabled()


def test_a_lab_from_the_prediction_to_a_receipt_that_is_confirmed(open_tab, tmp_path, capsys):
    tab = open_tab(CURED)
    assert tab.settings() == {"lab=strong-discriminator", "g_lr=0.001", "d_lr=0.001"}
    assert held(tab) and "Give your prediction first" in tab.text("lab")
    for key in "psdg.":
        tab.page.keyboard.press(key)
    tab.page.wait_for_timeout(1_000)
    assert tab.step() == 0 and held(tab)

    tab.page.get_by_role("radio", name="No, it learns nearly nothing").click()
    wait_until(lambda: not held(tab), 20, "Play to be free")
    wait_until(lambda: "You predicted: No, it learns nearly nothing" in tab.text("lab"), 20, "the goal")
    tab.play(10)
    tab.page.wait_for_selector(".st-key-lab_receipt button", timeout=3_000 * PLAY_SECONDS)
    tab.pause()
    wait_until(lambda: "Reached at step" in tab.text("lab"), 20, "the goal's step")
    assert "What happens" in tab.text("lab")

    tab.page.reload()  # what was reached is not lost
    tab.ready()
    tab.page.wait_for_selector(".st-key-lab_receipt button", timeout=60_000)
    with tab.page.expect_download() as download:
        tab.click("lab_receipt")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert cli.main(["check", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    claimed = json.loads(path.read_text())
    assert found["step"] == claimed["step"] and found["metrics"]["w1"] == claimed["scores"]["w1"]

    tab.click("lab_next")
    wait_until(lambda: tab.settings() == {"lab=the-first-loss"}, 30, "the next lab")
    wait_until(lambda: held(tab) and tab.step() == 0, 30, "its first step")
    tab.click("lab_leave")
    wait_until(lambda: "loss=minimax" in tab.settings() and not held(tab), 20, "all settings")


def test_the_panel_never_covers_the_picture(server, chromium):
    for width, height in ((1280, 720), (390, 844)):
        context = chromium.new_context(viewport={"width": width, "height": height})
        try:
            for query in (LAB, f"{LAB}&embed=true"):
                page = Tab(context, f"{server.url}/{query}").page
                panel, plot = (page.locator(f".st-key-{key}").bounding_box() for key in ("lab", "live_samples"))
                assert panel["y"] + panel["height"] <= plot["y"]
                beyond = page.locator("[data-testid=stMain]").evaluate("(node) => node.scrollWidth - node.clientWidth")
                assert beyond <= 0 and "lab=strong-discriminator" in page.evaluate("location.search")
                page.close()
        finally:
            context.close()


def test_a_lab_is_opened_from_learn_over_a_run_that_plays(open_tab):
    tab = open_tab()
    tab.play(5)
    tab.page.get_by_role("link", name="Learn").click()
    tab.page.wait_for_selector(".st-key-open_lab_collapse button", timeout=90_000)
    tab.click("open_lab_collapse")
    tab.ready()
    wait_until(lambda: tab.settings() == {"lab=collapse"}, 30, "the lab's settings")
    wait_until(lambda: held(tab) and tab.step() == 0, 30, "its first step")
    assert not tab.page.locator(".st-key-pending").count()
