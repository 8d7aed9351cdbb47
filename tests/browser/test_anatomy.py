"""The anatomy of a step: its drawing, slow motion, one network alone, and who watches."""

import pytest

from tests.browser.test_watch import end, present
from tests.conftest import wait_until
from tests.support.tab import IMAGES, PLAY_SECONDS, WINDOW, Tab

pytestmark = pytest.mark.flaky(reruns=1)
BOXES = [
    *("z", "g", "fake", "real", "d", "logits"),
    *("d_update", "d_gradient", "d_loss", "g_update", "g_gradient", "g_loss"),
]
PHASES = 6 + 6  # of a step without a gradient penalty


def phase(tab: Tab) -> int:
    return int(tab.page.get_attribute(".ganscope-anatomy", "data-phase") or 0)


def words(tab: Tab) -> str:
    return " ".join(tab.page.inner_text(".ganscope-anatomy .words").split())


def opened(tab: Tab) -> Tab:
    """The tab with the drawing open, which another test may have left so."""
    if not tab.page.locator(".ganscope-anatomy").count():
        tab.click("anatomy")
    tab.page.wait_for_selector(".ganscope-anatomy .box", timeout=20_000)
    return tab


def closed(tab: Tab) -> None:
    """As shared tabs are wanted by the next test."""
    if tab.page.locator(".ganscope-anatomy").count():
        tab.click("anatomy")
    tab.page.wait_for_selector(".st-key-live_losses .js-plotly-plot", timeout=20_000)


def following(tab: Tab, wanted: int) -> None:
    """The next phase, once it is shown."""
    tab.click("phase_next")
    wait_until(lambda: phase(tab) == wanted, PLAY_SECONDS, f"phase {wanted}")


@pytest.fixture
def tab(shared_tab):
    tab = opened(shared_tab())
    yield tab
    closed(tab)


@pytest.fixture
def painted():
    """How many boxes of a page have a picture: pixels of more than one colour."""
    count = """() => [...document.querySelectorAll(".ganscope-anatomy .box canvas")].filter((canvas) => {
        if (!canvas.width || !canvas.height) return false;
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size > 1;
    }).length"""
    return lambda page: page.evaluate(count)


def test_it_opens_in_the_place_of_the_losses_and_moves_nothing_else(shared_tab, painted):
    tab = shared_tab()
    page = tab.page
    place = lambda: page.locator(".st-key-live_samples").bounding_box()  # noqa: E731
    before = place()
    page.keyboard.press("a")
    page.wait_for_selector(".ganscope-anatomy .box", timeout=20_000)
    assert page.locator(".st-key-live_losses").count() == 0 and place() == before
    assert page.evaluate("[...document.querySelectorAll('.ganscope-anatomy .box')].map((b) => b.dataset.box)") == BOXES
    node = page.query_selector(".ganscope-anatomy")
    tab.play(30)
    wait_until(lambda: painted(page) >= 10, 20, "a picture in each box but the updates'")
    frames = int(node.get_attribute("data-frames"))
    wait_until(lambda: int(node.get_attribute("data-frames")) > frames + 10, 20, "ten more frames of the same drawing")
    assert "loss of the discriminator" in node.get_attribute("aria-label")
    tab.pause()

    page.reload()  # a refresh loses nothing
    tab.page.wait_for_selector(".ganscope-anatomy .box", timeout=90_000)
    page.get_by_role("link", name="Images").click()
    page.get_by_role("link", name="Points").click()
    page.wait_for_selector(".ganscope-anatomy .box", timeout=90_000)  # still open: a click would close it
    tab.click("anatomy")
    page.wait_for_selector(".st-key-live_losses .js-plotly-plot", timeout=20_000)
    wait_until(lambda: page.locator(".ganscope-anatomy").count() == 0, 20, "the drawing to be gone")


def test_a_step_in_slow_motion_leaves_what_step_leaves(tab):
    """Phase by phase, with a look back: the samples are those of Step, and the phases' words say their numbers."""
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    tab.drawn(1)
    after = tab.samples()
    tab.click("reset")
    wait_until(lambda: tab.step() == 0, 20, "step 0")
    seen = []
    for number in range(1, PHASES + 1):
        following(tab, number)
        seen.append(words(tab))
        assert tab.step() == (1 if number == PHASES else 0)
        if number == 4:
            tab.click("phase_back")
            wait_until(lambda: phase(tab) == 3, 20, "the phase before")
            following(tab, 4)
    wait_until(lambda: tab.samples() == after, 20, "the samples of a step")
    heads = [said.split(".")[0] for said in seen]
    assert heads[0] == "1/12 · Discriminator: draw" and heads[5] == "6/12 · Discriminator: update D"
    assert heads[10] == "11/12 · Generator: gradient through D"
    loss = seen[3].split("loss of this batch is ")[1].split(". ")[0]
    assert f"= {loss}" in seen[3] and f"Loss of D, {loss}" in tab.page.get_attribute(".box.d_loss", "aria-label")
    assert "largest change of a weight" in seen[5]
    tab.click("phase_back")  # back within the step that is taken: only a look
    wait_until(lambda: phase(tab) == PHASES - 1, 20, "the phase before the last")
    assert tab.step() == 1


def test_play_in_slow_motion_lights_one_phase_after_another(tab):
    page = tab.page
    page.locator(".st-key-slow_motion label").first.click()
    tab.click("play")
    for number in (2, 3, 4):
        wait_until(lambda n=number: phase(tab) >= n, PLAY_SECONDS, f"phase {number}")
    assert page.locator(".ganscope-anatomy .box.lit").count() >= 1
    assert page.locator(".ganscope-anatomy .box.dim").count() >= 3  # G's half has not begun
    page.keyboard.press("p")
    wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the pause")
    stood = phase(tab)
    page.wait_for_timeout(1_800)
    assert phase(tab) == stood and tab.step() in (0, 1)
    page.keyboard.press(".")
    wait_until(lambda: phase(tab) == stood + 1, 20, "the next phase by its key")
    page.keyboard.press(",")
    wait_until(lambda: phase(tab) == stood, 20, "the phase before by its key")
    page.keyboard.press("m")
    tab.click("play")
    wait_until(lambda: tab.step() > 50 and not phase(tab), 30, "full speed")
    tab.pause()


def test_one_network_alone(tab):
    """D alone leaves the samples as they are; G alone moves them; the losses say which steps were of one alone."""
    page = tab.page
    tab.drawn(0)
    first = tab.samples()
    page.keyboard.press("d")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "a step of D")
    tab.drawn(1)
    assert tab.samples() == first
    page.get_by_role("radio", name="+10", exact=True).click()
    tab.click("step_d")
    wait_until(lambda: tab.step() == 11, 30, "ten more")
    tab.drawn(11)
    assert tab.samples() == first
    tab.click("step_g")
    wait_until(lambda: tab.step() == 21, 30, "ten of G")
    tab.drawn(21)
    assert tab.samples() != first
    closed(tab)
    texts = (
        """() => document.querySelector(".st-key-live_losses .ganscope-plot").layout.annotations.map((a) => a.text)"""
    )
    wait_until(lambda: {"D alone", "G alone"} <= set(page.evaluate(texts)), 20, "the marks on the losses")


def test_a_network_is_frozen_live_and_never_both(shared_tab):
    tab = shared_tab()
    tab.play(20)
    slider = tab.page.locator(".st-key-knob_d_steps input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")
    wait_until(lambda: "d_steps=0" in tab.settings(), 20, "the frozen discriminator in the address")
    gone = tab.step()
    wait_until(lambda: tab.step() > gone + 20, 20, "the run to go on")
    opened(tab)
    wait_until(lambda: "frozen" in tab.page.inner_text(".box.d_update"), 20, "the box to say it")
    tab.page.get_by_text("Learning rates", exact=True).click()
    other = tab.page.locator(".st-key-knob_g_steps input[type=range]")
    other.focus()
    other.press("ArrowLeft")
    tab.page.get_by_text("cannot both be 0").first.wait_for(timeout=20_000)
    assert "g_steps=0" not in tab.settings() and "d_steps=0" in tab.settings()
    slider.focus()
    slider.press("ArrowRight")
    wait_until(lambda: "d_steps=0" not in tab.settings(), 20, "the discriminator to learn again")
    closed(tab)
    tab.pause()


def test_a_box_says_what_it_is_and_a_half_can_be_chosen(tab):
    page = tab.page
    page.locator(".box.g_gradient").click()
    assert "The gradient of G comes through D" in words(tab)
    assert page.get_attribute(".ganscope-anatomy .words a", "href") == "https://arxiv.org/abs/1701.04862"
    page.locator(".box.g_gradient").click()
    assert "Click a box" in words(tab)
    page.get_by_role("button", name="D learns").click()
    dim = """() => [...document.querySelectorAll(".ganscope-anatomy .box.dim")].map((b) => b.dataset.box)"""
    assert page.evaluate(dim) == ["g_update", "g_gradient", "g_loss"]
    page.get_by_role("button", name="Whole step").click()
    assert page.evaluate(dim) == []


def test_the_grid_of_z_unfolds_into_the_manifold(tab):
    """While the pointer is on the generator, and then it is the picture of before."""
    page = tab.page
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    picture = lambda: page.evaluate("document.querySelector('.box.g canvas').toDataURL()")  # noqa: E731
    wait_until(lambda: len(picture()) > 1_000, 20, "the manifold")
    still = picture()
    page.hover(".box.g")
    page.wait_for_timeout(300)
    assert picture() != still
    wait_until(lambda: picture() == still, 10, "the manifold at the end")


def test_images_have_their_anatomy_too(shared_tab, painted):
    tab = opened(shared_tab(IMAGES))
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    wait_until(lambda: painted(tab.page) >= 9, 20, "pictures in the boxes")
    for number in range(1, 6):
        following(tab, number)
    assert "Discriminator" in words(tab)
    closed(tab)


def test_who_watches_sees_it_and_its_phases(tab, chromium, painted):
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    address = present(tab)
    context = chromium.new_context(viewport=WINDOW)
    page = context.new_page()
    try:
        page.goto(address)
        page.wait_for_selector(".ganscope-watch .ganscope-anatomy .box", timeout=90_000)
        wait_until(lambda: painted(page) >= 8, 20, "pictures in the boxes")
        tab.page.keyboard.press("Escape")
        following(tab, 1)
        following(tab, 2)
        wait_until(lambda: page.get_attribute(".ganscope-anatomy", "data-phase") == "2", 20, "the watcher's phase")
        assert page.inner_text(".ganscope-anatomy .words").startswith("2/12")
        closed(tab)
        page.wait_for_selector(".ganscope-watch .losses .js-plotly-plot", timeout=30_000)
        wait_until(lambda: page.locator(".ganscope-anatomy").count() == 0, 20, "the losses in its place")
    finally:
        context.close()
        end(tab)
