"""Drawing a data set: the plane, its tools, by mouse and by finger, and the link that carries the drawing."""

import pytest

from gan_core.data import drawing
from tests.conftest import wait_until
from tests.support.tab import PLAY_SECONDS, Tab

pytestmark = pytest.mark.flaky(reruns=1)
SMALL = "?data=drawn&g_layers=1&d_layers=1&g_units=16&d_units=16&batch_size=32&seed=3"


def opened(tab: Tab) -> dict:
    """Opens the plane; where it stands on the screen."""
    tab.page.click(".st-key-draw button:visible")
    tab.page.wait_for_selector(".ganscope-drawing canvas", timeout=30_000)
    wait_until(lambda: strokes(tab) == 1, 20, "the heart")
    return tab.page.locator(".ganscope-drawing canvas").bounding_box()


def strokes(tab: Tab) -> int:
    return int(tab.page.get_attribute(".ganscope-drawing", "data-strokes") or 0)


def draw(tab: Tab, box: dict, places) -> None:
    """A stroke by mouse, through places in shares of the plane."""
    for i, (x, y) in enumerate(places):
        tab.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if i == 0:
            tab.page.mouse.down()
    tab.page.mouse.up()


def press(tab: Tab, name: str) -> None:
    tab.page.click(f".ganscope-drawing {name}")


def link(tab: Tab) -> dict:
    return tab.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")


def real(tab: Tab) -> list:
    """The real points as the plane of the run shows them, of all classes."""
    return tab.page.evaluate(
        """() => { const node = document.querySelector(".st-key-live_samples .ganscope-plot");
        const traces = (node?.data ?? []).filter((t) => /^(real|first|second)$/.test(t.name ?? "") && t.x);
        const every = traces.flatMap((trace) => Array.from(trace.x).map((x, i) => [x, trace.y[i]]));
        const points = every.filter(([x, y]) => x !== null && y !== null);
        return points.length ? points : [[0, 9]]; }"""
    )


def test_what_is_drawn_is_trained_on_and_lives_in_the_link(open_tab):
    tab = open_tab(SMALL)
    box = opened(tab)
    press(tab, ".clear")
    wait_until(lambda: strokes(tab) == 0, 10, "an empty plane")
    draw(tab, box, [(0.1, 0.25), (0.5, 0.25), (0.9, 0.25)])
    press(tab, "[data-tool=second]")
    draw(tab, box, [(0.2, 0.75), (0.8, 0.75)])
    press(tab, "[data-tool=eraser]")
    draw(tab, box, [(0.5, 0.1), (0.5, 0.9)])
    wait_until(lambda: strokes(tab) == 3, 10, "three strokes")
    press(tab, ".undo")
    wait_until(lambda: strokes(tab) == 2, 10, "one less")
    press(tab, ".redo")
    wait_until(lambda: strokes(tab) == 3, 10, "three again")
    press(tab, ".use")
    tab.page.wait_for_selector(".ganscope-drawing", state="detached", timeout=30_000)
    drawn = drawing.decode(wait_until(lambda: link(tab).get("data.strokes"), 20, "the link"))
    assert [s.tool for s in drawn] == ["brush", "second", "eraser"]
    # Before it the plane shows what a drawing begins with.
    wait_until(
        lambda: all(abs(abs(y) - 0.75) < 0.1 and abs(x) > 0.05 for x, y in real(tab)), 20, "the drawing on the plane"
    )
    tab.click("play")
    wait_until(lambda: tab.step() > 20, PLAY_SECONDS, "steps on the drawing")
    tab.click("play")
    again = open_tab(f"?{tab.page.url.partition('?')[2]}")
    assert link(again)["data.strokes"] == link(tab)["data.strokes"]
    assert max(y for _, y in real(again)) < 1.0
    assert tab.errors == again.errors == []


def test_a_drawing_that_is_not_used_yet_stays_while_the_plane_is_closed(open_tab):
    tab = open_tab(SMALL.replace("seed=3", "seed=4"))
    box = opened(tab)
    draw(tab, box, [(0.1, 0.1), (0.4, 0.1)])
    wait_until(lambda: strokes(tab) == 2, 10, "a second stroke")
    tab.page.keyboard.press("Escape")
    tab.page.wait_for_selector(".ganscope-drawing", state="detached", timeout=30_000)
    tab.click("draw")
    tab.page.wait_for_selector(".ganscope-drawing canvas", timeout=30_000)
    wait_until(lambda: strokes(tab) == 2, 20, "what was drawn before")
    press(tab, ".clear")
    wait_until(lambda: strokes(tab) == 0, 10, "an empty plane")
    assert tab.page.is_disabled(".ganscope-drawing .use")  # there is nothing to train on
    assert tab.errors == []


def test_a_finger_draws_without_scrolling(open_tab):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    tab = open_tab(SMALL.replace("seed=3", "seed=5"), **phone)
    tab.page.click("[data-testid=stExpandSidebarButton]")
    box = opened(tab)
    assert box["width"] >= 250 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    touch = tab.page.context.new_cdp_session(tab.page)
    for kind, share in (("touchStart", 0.2), ("touchMove", 0.5), ("touchMove", 0.8), ("touchEnd", None)):
        places = [] if share is None else [{"x": box["x"] + 0.5 * box["width"], "y": box["y"] + share * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    wait_until(lambda: strokes(tab) == 2, 10, "a stroke by finger")
    assert tab.page.locator(".ganscope-drawing canvas").bounding_box() == box
    assert tab.errors == []


def test_an_eraser_that_leaves_nothing_is_a_sentence_on_the_plane(open_tab):
    tab = open_tab(SMALL.replace("seed=3", "seed=6"))
    box = opened(tab)
    press(tab, ".clear")
    draw(tab, box, [(0.3, 0.3), (0.6, 0.3)])
    press(tab, "[data-tool=eraser]")
    tab.page.evaluate(
        """() => { const width = document.querySelector(".ganscope-drawing .width"); width.value = width.max; }"""
    )
    draw(tab, box, [(0.2, 0.3), (0.7, 0.3)])
    press(tab, ".use")
    tab.page.wait_for_selector("text=nothing of the drawing", timeout=20_000)
    assert strokes(tab) == 2  # nothing is lost
    assert tab.errors == []
