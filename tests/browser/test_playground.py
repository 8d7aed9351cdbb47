"""The real thing: a real server, real workers, a real browser.

The tests that share a tab come first, those of the playground before those of images, whose networks are slower.
"""

import contextlib
import io
import os
import re
import signal
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.conftest import Line, Server, wait_until
from tests.support.processes import running
from tests.support.tab import IMAGES, PLAY_SECONDS, SMALL, WINDOW, Tab, examples, moved, texture

# A browser, a server and a worker on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

# -- one tab for the playground -----------------------------------------------------------------------------


def test_play_trains_and_pause_stops(shared_tab):
    tab = shared_tab()
    assert tab.step() == 0
    tab.play(50)
    before, frames = tab.samples(), tab.attribute("samples", "frames")
    wait_until(lambda: tab.attribute("samples", "frames") >= frames + 3, 20, "three more frames")
    assert tab.samples() != before
    stood = tab.pause()
    tab.page.get_by_text("Layers and parameters").click()
    wait_until(lambda: "generator: 82 parameters" in tab.page.inner_text("body"), 20, "the table of layers")
    tab.page.wait_for_timeout(1500)
    assert tab.step() == stood
    assert tab.attribute("samples", "step") == stood


def test_every_click_counts_once(shared_tab):
    """Also those that leave the browser together with a tick of the live view."""
    tab = shared_tab()
    tab.play(5)
    for _ in range(6):
        tab.pause()
        tab.click("play")
        wait_until(lambda: "playing" in tab.text("steps_per_second"), 20, "the run to go on")
    tab.click("step")
    wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the pause")
    stood = tab.step()
    for n in range(1, 6):
        tab.click("step")
        wait_until(lambda n=n: tab.step() == stood + n, 20, f"step {n}")


def test_a_click_that_another_one_follows_at_once_counts(shared_tab):
    """The script has not begun to answer the first one when the next one comes."""
    tab = shared_tab()
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    for n in range(1, 13):
        tab.page.evaluate(
            """(ms) => { document.querySelector(".st-key-step button").click();
            setTimeout(() => document.querySelector(".st-key-log_losses input").click(), ms); }""",
            2 * n,
        )
        wait_until(lambda n=n: tab.step() == 1 + n, 20, f"step {1 + n}")


def test_step_pauses_and_adds_exactly_its_number(shared_tab):
    tab = shared_tab()
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    tab.page.get_by_role("radio", name="+10", exact=True).click()
    tab.click("step")
    wait_until(lambda: tab.step() == 11, 20, "ten more steps")
    tab.page.wait_for_timeout(800)
    assert tab.step() == 11
    tab.play(20)
    tab.click("step")
    wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the pause")
    assert "Play" in tab.text("play")


def test_reset_gives_back_the_first_frame(shared_tab):
    tab = shared_tab()
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    tab.drawn(1)  # else the plane below may still be at the step 0 before
    tab.click("reset")
    tab.drawn(0)
    first = wait_until(tab.samples, 20, "samples")
    tab.play(100)
    wait_until(lambda: tab.samples() != first, 20, "samples that moved")
    tab.click("reset")
    wait_until(lambda: tab.step() == 0, 20, "step 0")
    wait_until(lambda: tab.samples() == first, 20, "the first frame's samples")


def test_keys_play_and_step(shared_tab):
    tab = shared_tab()
    tab.page.keyboard.press("s")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    tab.page.keyboard.press("p")
    wait_until(lambda: tab.step() > 1, 20, "the run")
    tab.page.keyboard.press("p")
    wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the pause")
    tab.page.keyboard.press("0")
    wait_until(lambda: tab.step() == 0, 20, "step 0")


def test_keys_work_while_a_setting_has_the_focus_and_where_one_writes_they_are_letters(shared_tab):
    tab = shared_tab()
    page, opened = tab.page, tab.settings()
    slider = page.locator(".st-key-knob_g_lr input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    wait_until(lambda: tab.settings() != opened, 20, "the other learning rate in the address")
    page.keyboard.press("p")
    wait_until(lambda: tab.step() >= 20, PLAY_SECONDS, "the run, with the focus on a slider")
    page.locator(".st-key-log_losses label").first.click()  # a toggle has it
    page.keyboard.press("p")
    wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the pause")
    stood = tab.step()
    page.keyboard.press("s")
    wait_until(lambda: tab.step() == stood + 1, 20, "one step")
    page.locator(".st-key-log_losses label").first.click()

    # The arrows move the scrubber or the slider, whichever has the focus, and never both.
    looked = lambda: page.get_attribute(".ganscope-scrubber", "data-at")  # noqa: E731
    changed = tab.settings()
    page.locator(".ganscope-scrubber input").focus()
    page.keyboard.press("ArrowLeft")
    wait_until(looked, 10, "a step of the past")
    page.keyboard.press("p")
    wait_until(lambda: tab.step() > stood + 20 and not looked(), 20, "the run, from the scrubber")
    page.keyboard.press("p")
    wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the pause")
    assert tab.settings() == changed
    slider.focus()
    slider.press("ArrowLeft")
    wait_until(lambda: tab.settings() == opened, 20, "the first learning rate")
    page.wait_for_timeout(300)
    assert not looked()

    # Letters and digits that are written press nothing.
    stood = tab.step()
    page.locator(".st-key-keep_points button").first.click()
    name = page.get_by_label("Name", exact=True)
    name.press_sequentially("pns0s")
    page.wait_for_timeout(500)
    assert name.input_value() == "pns0s" and tab.step() == stood and "Play" in tab.text("play")
    page.keyboard.press("Escape")
    seed = page.locator(".st-key-knob_seed input")
    page.get_by_text("Batch and seed", exact=True).click()
    seed.focus()
    seed.press("0")
    page.wait_for_timeout(500)
    assert tab.step() == stood and seed.input_value() in ("0", "30", "03")
    seed.fill("3")
    seed.press("Enter")
    assert tab.settings() == opened


def test_undo_brings_back_what_reset_dropped(shared_tab):
    tab = shared_tab()
    tab.play(50)
    stood = tab.pause()
    tab.drawn(stood)
    samples = tab.samples()
    tab.click("reset")
    wait_until(lambda: tab.step() == 0, 20, "step 0")
    tab.click("undo")
    tab.drawn(stood)
    assert tab.step() == stood and tab.samples() == samples
    tab.click("play")
    wait_until(lambda: tab.step() > stood, 20, "the run to go on")


COVERED = """() => [...document.querySelectorAll("button, a, input, summary, [role=slider]")].filter((node) => {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || box.bottom > innerHeight || node.closest(".st-key-notices")) return false;
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return top?.closest(".st-key-notices");
  }).map((node) => node.innerText || node.getAttribute("aria-label"))"""


@pytest.mark.parametrize("width", [1280, 390])
def test_a_notice_covers_nothing_that_can_be_clicked_and_goes(open_tab, width):
    tab = open_tab()
    tab.page.set_viewport_size({"width": width, "height": 720})
    tab.page.reload()  # on a phone the sidebar is folded from the start
    tab.ready()
    keep = tab.page.locator(".st-key-keep_points button:visible").first  # Streamlit has another for wide screens
    keep.click()
    tab.page.get_by_role("button", name="Losses (CSV)", exact=True).first.click()
    notice = tab.page.locator(".ganscope-notices > div")
    notice.get_by_text("Nothing to save yet").wait_for(timeout=90_000)
    tab.page.keyboard.press("Escape")
    tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    assert tab.page.evaluate(COVERED) == []
    before = tab.page.locator(".st-key-live_samples .ganscope-plot").bounding_box()
    notice.get_by_label("Close").click()
    notice.wait_for(state="detached", timeout=90_000)
    assert tab.page.locator(".st-key-live_samples .ganscope-plot").bounding_box() == before  # nothing has moved
    keep.click()
    tab.page.get_by_role("button", name="Losses (CSV)", exact=True).first.click()
    notice.wait_for(timeout=90_000)
    tab.page.keyboard.press("Escape")
    tab.page.mouse.move(0, 0)
    notice.wait_for(state="detached", timeout=90_000)  # by itself


def test_zoom_and_node_survive_ten_frames(shared_tab):
    tab = shared_tab()
    tab.play(200)
    node = """document.querySelector(".st-key-live_losses .ganscope-plot")"""
    tab.page.evaluate(f"() => {{ {node}.mine = true }}")
    box = tab.page.locator(".st-key-live_losses .nsewdrag").first.bounding_box()
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"]
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    tab.page.mouse.move(x + 0.4 * box["width"], y + 0.5 * box["height"], steps=5)
    tab.page.mouse.up()
    ranges = f"() => [{node}.layout.xaxis.autorange, ...{node}.layout.xaxis.range]"
    zoomed = tab.page.evaluate(ranges)
    assert not zoomed[0]
    frames = tab.attribute("losses", "frames")
    wait_until(lambda: tab.attribute("losses", "frames") >= frames + 10, 30, "ten frames")
    assert tab.page.evaluate(ranges) == zoomed
    assert tab.page.evaluate(f"() => {node}.mine")


def test_frames_come_without_a_script(shared_tab):
    tab = shared_tab()
    messages = []
    tab.page.on("websocket", lambda socket: socket.on("framereceived", lambda _: messages.append(1)))
    tab.page.reload()  # only of a socket that is opened from now on
    tab.ready()
    tab.play(20)
    tab.page.wait_for_timeout(2_500)  # the script draws once more for the table of layers
    asked = """() => performance.getEntriesByType("resource").filter((e) => e.name.includes("/live/")).length"""
    shown, before, heard = tab.attribute("samples", "frames"), tab.page.evaluate(asked), len(messages)
    wait_until(lambda: tab.attribute("samples", "frames") >= shown + 20, 30, "twenty frames")
    assert tab.page.evaluate(asked) - before >= 10
    assert len(messages) - heard <= 3  # one drawing of the script has dozens
    stood = tab.pause()
    tab.page.wait_for_timeout(2_500)
    heard = len(messages)
    tab.page.keyboard.press("ArrowLeft")
    wait_until(lambda: tab.attribute("samples", "step") < stood and tab.step() < stood, 10, "a step of the past")
    assert len(messages) - heard <= 3


def test_switching_pages_keeps_run_and_knobs(shared_tab):
    tab = shared_tab()
    tab.play(20)
    tab.page.get_by_role("link", name="Guide").click()
    tab.page.wait_for_selector("h1:has-text('Guide')", timeout=90_000)
    tab.page.get_by_role("link", name="Points").click()
    tab.ready()
    wait_until(lambda: tab.step() > 20, 20, "the run after a switch of pages")
    wait_until(lambda: "g_units=16" in tab.settings(), 20, "the settings in the address")
    assert "Pause" in tab.text("play")


def test_a_link_to_a_page_is_followed_though_the_page_that_is_left_calls_the_script_back(open_tab):
    tab = open_tab()
    held: list[str] = []

    def pass_on(socket) -> None:
        server = socket.connect_to_server()

        def sent(message) -> None:
            wish = BackMsg.FromString(message) if isinstance(message, bytes) else BackMsg()
            if wish.rerun_script.page_script_hash not in ("", *held):
                held.append(wish.rerun_script.page_script_hash)
                if len(held) == 2:  # the first wish for another page: what was sent after it has put the old page back
                    wish.rerun_script.page_script_hash = held[0]
                    message = wish.SerializeToString()
            server.send(message)

        socket.on_message(sent)

    tab.page.route_web_socket("**/_stcore/stream", pass_on)
    tab.page.reload()
    tab.ready()
    tab.page.get_by_text("Layers and parameters").click()  # any message of this page
    tab.page.wait_for_timeout(1_000)
    tab.page.get_by_test_id("stTopNav").get_by_role("link", name="Guide").click()
    tab.page.wait_for_selector("h1:has-text('Guide')", timeout=60_000)
    assert len(held) == 2


def test_a_live_rate_change_leaves_its_marker_and_the_run(shared_tab, full):
    tab = shared_tab()
    opened = tab.settings()
    tab.play(20)
    mine = """() => document.querySelectorAll("[class*=st-key-live_] .ganscope-plot")"""
    assert tab.page.evaluate(
        f"() => {{ const all = ({mine})(); all.forEach((n) => n.mine = true); return all.length; }}"
    )
    slider = tab.page.locator(".st-key-knob_g_lr input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    marks = """() => document.querySelector(".st-key-live_losses .ganscope-plot").layout.annotations
        .map((a) => a.text).filter((t) => t.startsWith("g_lr"))"""
    assert wait_until(lambda: tab.page.evaluate(marks), 20, "the marker") == ["g_lr 0.001 → 0.0015"]
    assert tab.step() > 20
    assert "g_lr=0.0015" in tab.page.url
    for i in range(101 if full else 3):  # keys fall between frames, which once cost plots their nodes
        before = tab.settings()
        slider.press("ArrowRight" if i % 2 else "ArrowLeft")
        wait_until(lambda before=before: tab.settings() != before, 20, "the other rate in the address")
    assert tab.settings() == opened
    assert tab.page.evaluate(f"() => Array.from(({mine})()).every((node) => node.mine)")


def test_a_change_of_structure_asks_before_it_throws_steps_away(shared_tab):
    tab = shared_tab()
    opened = tab.settings()
    tab.play(20)
    slider = tab.page.locator(".st-key-knob_d_steps input[type=range]")
    tab.page.get_by_text("Batch and seed", exact=True).click()
    seed = tab.page.locator(".st-key-knob_seed input")
    seed.fill("9")
    seed.press("Enter")
    tab.page.wait_for_selector(".st-key-pending", timeout=90_000)
    assert "Seed" in tab.text("pending")
    stood = tab.step()
    slider.focus()
    slider.press("ArrowRight")  # live settings still act on the old run
    wait_until(lambda: tab.step() > stood, 20, "the run to go on")
    tab.click("keep")
    tab.page.wait_for_selector(".st-key-pending", state="detached", timeout=90_000)
    wait_until(lambda: seed.input_value() == "3", 20, "the old seed in its field")
    seed.fill("9")
    seed.press("Enter")
    tab.page.wait_for_selector(".st-key-pending", timeout=90_000)
    tab.pause()
    stood = tab.step()
    tab.click("apply")
    wait_until(lambda: tab.step() < stood, 20, "a new start")
    assert "seed=9" in tab.page.url
    seed.fill("3")  # at step 0 nothing is asked
    seed.press("Enter")
    slider.focus()
    slider.press("ArrowLeft")
    wait_until(lambda: tab.settings() == opened, 20, "the old settings in the address")


@pytest.mark.parametrize(("scheme", "query"), [("light", SMALL), ("dark", SMALL), ("light", IMAGES)])
def test_the_page_fits(shared_tab, scheme, query):
    tab = shared_tab(query, scheme)
    for width in (1280, 390):
        tab.page.set_viewport_size({"width": width, "height": 720})
        tab.page.wait_for_timeout(800)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        plot = tab.page.locator(".st-key-live_samples .ganscope-plot").bounding_box()
        assert plot["x"] >= 0 and plot["x"] + plot["width"] <= width
        beyond = """width => [...document.querySelectorAll("[data-testid=stButtonGroup] button")]
            .filter((button) => button.getBoundingClientRect().right > width).map((button) => button.innerText)"""
        assert tab.page.evaluate(beyond, width) == []
    background = tab.page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    bright = sum(map(int, re.findall(r"\d+", background)[:3])) > 380
    assert bright == (scheme == "light")


def test_a_tutorial_opens_with_one_click(shared_tab):
    tab = shared_tab()
    examples(tab.page)
    tab.page.wait_for_selector(".st-key-open_tutorial-disc", timeout=90_000)
    tab.click("open_tutorial-disc")
    wait_until(lambda: "data=disc" in tab.settings(), 20, "the playground with the disc")
    wait_until(lambda: "latent_dim=100" in tab.settings(), 20, "the tutorial's settings")
    tab.play(3)


def test_a_refresh_keeps_the_run(shared_tab):
    tab = shared_tab()
    tab.play(50)
    before = tab.step()
    tab.page.reload()
    tab.ready()
    wait_until(lambda: tab.step() >= before, 20, "the run after a refresh")
    wait_until(lambda: "Pause" in tab.text("play"), 20, "the run to play on")
    assert tab.pause() > before


def test_a_refresh_keeps_the_step_looked_at_the_question_and_the_switches(shared_tab):
    tab = shared_tab()
    page = tab.page
    tab.play(100)
    tab.pause()
    hundred = page.get_by_role("radio", name="+100", exact=True)
    hundred.click()
    wait_until(hundred.is_checked, 10, "the size of a step")
    page.locator(".st-key-smooth_losses label").first.click()
    wait_until(lambda: not page.locator(".st-key-smooth_losses input").is_checked(), 10, "the switch")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    at = wait_until(lambda: page.get_attribute(".ganscope-scrubber", "data-at"), 10, "the past")
    wait_until(lambda: tab.step() == int(at), 10, "the step of then")
    loss = page.locator(".st-key-knob_loss input")
    loss.fill("hinge")
    page.get_by_role("option").first.click()
    page.wait_for_selector(".st-key-pending", timeout=90_000)
    asked = tab.settings()
    page.reload()
    tab.ready()
    page.wait_for_selector(".st-key-pending", timeout=90_000)
    wait_until(lambda: page.get_attribute(".ganscope-scrubber", "data-at") == at, 20, "the step that was looked at")
    wait_until(lambda: tab.step() == int(at), 20, "its picture")
    assert tab.settings() == asked
    wait_until(hundred.is_checked, 10, "the size of a step after the refresh")
    assert not page.locator(".st-key-smooth_losses input").is_checked()
    page.locator(".st-key-smooth_losses label").first.click()
    page.get_by_role("radio", name="+1", exact=True).click()
    tab.click("keep")
    page.wait_for_selector(".st-key-pending", state="detached", timeout=90_000)


# -- one tab for images -------------------------------------------------------------------------------------


def test_images_play_and_the_grid_changes_without_a_blank_frame(shared_tab):
    tab = shared_tab(IMAGES)
    tab.page.wait_for_selector(".st-key-live_real .js-plotly-plot", timeout=90_000)
    real = texture(tab, "real")
    assert len(real) > 1_000
    tab.play(20)
    before = texture(tab)
    moved(tab, "samples", before)
    box = tab.page.locator(".st-key-live_samples .imagelayer image").bounding_box()
    for _ in range(10):  # digits on black; a blank frame would be white
        shot = Image.open(io.BytesIO(tab.page.screenshot(clip=box))).convert("L")
        assert np.asarray(shot).mean() < 150
    assert texture(tab, "real") == real
    tab.pause()
    stood = texture(tab)
    tab.page.wait_for_timeout(700)
    assert texture(tab) == stood
    tab.click("reset")
    wait_until(lambda: tab.step() == 0, 20, "step 0")
    tab.page.get_by_text("Layers and parameters").click()
    wait_until(lambda: "UpSampling2D" in tab.page.inner_text("body"), 20, "the table of layers")


def test_a_sample_opens_and_the_latent_slider_moves_while_training(shared_tab):
    tab = shared_tab(IMAGES)
    tab.play(5)
    box = tab.page.locator(".st-key-live_samples .imagelayer image").bounding_box()
    tab.page.mouse.click(box["x"] + 2.5 / 8 * box["width"], box["y"] + 1.5 / 8 * box["height"])
    tab.page.wait_for_selector(".st-key-live_neighbours .js-plotly-plot", timeout=90_000)
    title = """() => document.querySelector(".st-key-live_neighbours .ganscope-plot").layout.annotations[0].text"""
    assert tab.page.evaluate(title) == "<b>sample 10, then its nearest real images</b>"
    moved(tab, "neighbours", texture(tab, "neighbours"))
    tab.click("unpick")
    tab.page.wait_for_selector(".st-key-live_neighbours", state="detached", timeout=90_000)

    tab.page.locator(".st-key-latent label").first.click()
    tab.page.wait_for_selector(".st-key-live_blend .js-plotly-plot", timeout=90_000)
    slider = tab.page.locator(".st-key-blend_u input[type=range]")
    tab.page.locator(".st-key-corners [role=radio]").nth(1).click()
    tab.page.wait_for_selector(".st-key-blend_v", timeout=90_000)
    frames, step = tab.attribute("blend", "frames"), tab.step()
    for _ in range(5):
        slider.focus()
        slider.press("ArrowRight")
    wait_until(lambda: tab.attribute("blend", "frames") > frames and tab.step() > step, 20, "a new mixture")
    tab.pause()
    stood = texture(tab, "blend")
    slider.focus()
    slider.press("Home")  # standing still, only the slider moves the picture
    moved(tab, "blend", stood)


def test_a_digit_is_picked_in_conditional_training(shared_tab):
    tab = shared_tab(IMAGES)
    tab.page.set_viewport_size({"width": 1280, "height": 1_000})
    tab.page.get_by_text("Networks", exact=True).click()
    tab.page.locator(".st-key-knob_conditional label").first.click()
    wait_until(lambda: "conditional=true" in tab.settings(), 20, "the setting in the address")
    tab.play(3)
    tab.pause()
    labels = """() => document.querySelector(".st-key-live_samples .ganscope-plot").layout.yaxis.ticktext"""
    assert tab.page.evaluate(labels) == list("01234567")
    before = texture(tab)
    chooser = tab.page.locator(".st-key-rows input")

    chooser.scroll_into_view_if_needed()
    tab.page.wait_for_timeout(1_000)  # the run that the pause asks for, and scrolling, close an open list
    chooser.fill("7")
    tab.page.wait_for_selector("[role=option]", timeout=90_000)
    chooser.press("Enter")
    wait_until(lambda: tab.page.evaluate(labels) == ["7"] * 8, 20, "rows of sevens")
    moved(tab, "samples", before)


def test_a_refresh_keeps_the_image_run_and_the_other_page_its_own(shared_tab):
    tab = shared_tab(IMAGES)
    tab.play(10)
    tab.page.get_by_role("link", name="Points").click()
    wait_until(lambda: "data=ring" in tab.settings(), 20, "the playground")
    assert tab.step() == 0
    tab.page.get_by_role("link", name="Images").click()
    wait_until(lambda: "digits" in tab.text("steps_per_second"), 20, "the images page")
    wait_until(lambda: "filters=8" in tab.settings(), 20, "the settings in the address")
    before = wait_until(tab.step, 20, "the run")
    tab.page.reload()
    tab.ready()
    wait_until(lambda: tab.step() >= before, 20, "the run after a refresh")
    wait_until(lambda: "Pause" in tab.text("play"), 20, "the run to play on")


# -- tabs of their own --------------------------------------------------------------------------------------


def test_a_short_loss_of_network_keeps_the_run(server, chromium):
    line = Line(server.port)
    context = chromium.new_context()
    try:
        tab = Tab(context, f"{line.url}/{SMALL}")
        tab.play(20)
        before = tab.step()
        line.cut()
        tab.page.wait_for_timeout(4_000)  # long enough for the run to be held
        line.mend()
        wait_until(lambda: tab.step() > before + 50, 60, "the run to go on")
        assert "Pause" in tab.text("play")
        assert tab.pause() > before
    finally:
        context.close()
        line.close()


NO_STORAGE = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""


def test_without_storage_in_a_course_page_s_frame_the_run_survives_a_refresh(server, chromium):
    """A browser that denies storage, as in a frame of another site, and the address of such a frame."""
    context = chromium.new_context(viewport=WINDOW)
    context.add_init_script(NO_STORAGE)
    try:
        tab = Tab(context, f"{server.url}/{SMALL}&embed=true")
        tab.play(30)
        stood = tab.pause()
        tab.page.locator(".st-key-keep_points button").first.click()
        tab.page.get_by_text("keeps no storage for this page").wait_for(timeout=90_000)
        tab.page.keyboard.press("Escape")
        assert "embed=true" in tab.settings()
        tab.page.locator(".st-key-knob_d_steps input[type=range]").press("ArrowRight")  # makes the address a new one
        wait_until(lambda: "d_steps=2" in tab.settings(), 20, "the turned knob in the address")
        tab.page.reload()
        tab.ready()
        wait_until(lambda: tab.step() == stood, 20, "the run after a refresh")
    finally:
        context.close()


def test_two_sessions_of_one_link_have_the_same_samples_and_runs_of_their_own(open_tab):
    query = "?data=grid&data.side=3&g_lr=0.002&d_steps=3&loss=least_squares&g_units=8&d_units=8&seed=5"

    def ten_steps(tab: Tab) -> list[float]:
        tab.page.get_by_role("radio", name="+10", exact=True).click()
        tab.click("step")
        wait_until(lambda: tab.step() == 10, 2 * PLAY_SECONDS, "ten steps")
        tab.drawn(10)
        return tab.samples()

    one = open_tab(query)
    drawn = ten_steps(one)
    one.page.get_by_role("radio", name="10", exact=True).click()  # leaves the processor to the other
    one.play(12)
    two = open_tab(f"?{one.page.evaluate('location.search')[1:]}")
    assert two.step() == 0 and "Play" in two.text("play")  # the link gives no control of the run
    assert two.page.locator(".st-key-knob_d_steps input[type=range]").input_value() == "3"
    assert two.page.locator(".st-key-knob_loss input").input_value() == "least_squares"
    assert set(query[1:].split("&")) <= two.settings()
    assert ten_steps(two) == drawn
    assert "Pause" in one.text("play")
    before = one.step()
    wait_until(lambda: one.step() > before, 20, "the first session to go on")
    assert two.step() == 10


def test_a_malformed_link_says_so_and_takes_the_rest(open_tab):
    tab = open_tab("?data=moons&g_lr=7&nonsense=1&seed=x&d_steps=2")
    said = tab.page.inner_text("body")
    assert "g_lr must be a number from" in said
    assert "There is no setting 'nonsense'" in said
    assert "seed must be a whole number" in said
    assert "data=moons" in tab.page.url and "d_steps=2" in tab.page.url


def test_divergence_is_a_sentence(open_tab):
    tab = open_tab(SMALL + "&d_optimizer=sgd&d_lr=1.0&penalty=r1_r2&gp_weight=100.0")
    tab.click("play")
    wait_until(lambda: "Training diverged" in tab.page.inner_text("body"), PLAY_SECONDS, "the sentence")
    assert "became NaN or infinite" in tab.page.inner_text("body")
    assert "Play" in tab.text("play")


def test_a_killed_worker_is_a_sentence_and_play_starts_again(server, open_tab):
    tab = open_tab()
    tab.play(20)
    for pid in server.workers():  # its own, the spare one, and those of pages that are closed and not yet forgotten
        with contextlib.suppress(ProcessLookupError):  # such a one just ended
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "stopped unexpectedly" in tab.page.inner_text("body"), 20, "the sentence")
    wait_until(lambda: "Play" in tab.text("play"), 20, "the Play button")
    tab.play(5)


def test_uploads(open_tab, tmp_path):
    tab = open_tab("?data=file&g_units=8&d_units=8")
    assert "Upload a file in the sidebar" in tab.page.inner_text("body")
    bad = tmp_path / "bad.csv"
    bad.write_text("x,y\n" + "4,no number\n" * 30)
    tab.page.set_input_files(".st-key-upload_file_points input[type=file]", bad)
    wait_until(lambda: "is not numeric: row 1" in tab.page.inner_text("body"), 20, "the sentence")
    good = tmp_path / "good.csv"
    good.write_text("x,y\n" + "".join(f"{10 + i % 7},{20 + i % 5}\n" for i in range(200)))
    tab.page.set_input_files(".st-key-upload_file_points input[type=file]", good)
    use = tab.page.locator(".st-key-use_own_points button:visible")
    use.click()
    real = """() => Array.from(document.querySelector(".st-key-live_samples .ganscope-plot").data
        .find((t) => t.name === "real").x).slice(0, 9)"""
    wait_until(lambda: min(tab.page.evaluate(real)) >= 10, 20, "the file's points on the plane")
    tab.play(20)
    # Replaced while it plays: the run goes on until somebody says otherwise, and the old file can be kept.
    files = tab.page.locator(".st-key-upload_file_points input[type=file]")
    for answer, count in (("keep", 150), ("apply", 120)):
        other = tmp_path / f"{answer}.csv"
        other.write_text("x,y\n" + "".join(f"{-30 - i % 7},{20 + i % 5}\n" for i in range(count)))
        files.set_input_files(other)
        wait_until(lambda said=f"{count} points": said in tab.page.inner_text("body"), 30, "what was understood of it")
        use.click()
        tab.page.wait_for_selector(".st-key-pending", timeout=90_000)
        assert "Changing the file restarts training" in tab.text("pending")
        stood = tab.step()
        wait_until(lambda stood=stood: tab.step() > stood, 20, "the run to go on")
        assert min(tab.page.evaluate(real)) >= 10
        tab.click(answer)
        tab.page.wait_for_selector(".st-key-pending", state="detached", timeout=90_000)
        kept = "good.csv: 200 points" if answer == "keep" else "apply.csv: 120 points"
        wait_until(lambda kept=kept: kept in tab.page.inner_text("body"), 20, kept)
    wait_until(lambda: max(tab.page.evaluate(real)) <= -30, 20, "the other file's points on the plane")
    wait_until(lambda: tab.step() > 20, PLAY_SECONDS, "the run of the other file")
    # A race over it trains on it, too.
    tab.page.get_by_role("link", name="Compare").click()
    values = tab.page.locator("[class*=st-key-race_values_g_lr] input")
    values.wait_for(timeout=90_000)
    values.fill("0.001, 0.01")
    tab.page.locator(".st-key-race_go button").first.click()
    trainings = """() => Array.from(document.querySelectorAll("[class*=st-key-lane_plot_] .ganscope-plot"),
        (training) => Math.max(...(training.data?.find((trace) => trace.name === "real")?.x ?? [0])))"""
    wait_until(
        lambda: [x <= -30 for x in tab.page.evaluate(trainings)] == [True, True], 60, "the file in both trainings"
    )
    tab.page.locator(".st-key-play button").first.click()
    steps = """() => Array.from(document.querySelectorAll("[class*=st-key-lane_plot_] .ganscope-plot"),
        (training) => Number(training.dataset.step))"""
    wait_until(lambda: min(tab.page.evaluate(steps)) > 5, PLAY_SECONDS, "the race")


def test_a_zip_is_uploaded_and_trained_on(open_tab, tmp_path):
    tab = open_tab("images?data=picture_file&filters=8&batch_size=16&latent_dim=8")
    assert "Upload a file in the sidebar" in tab.page.inner_text("body")
    bad, good = tmp_path / "bad.zip", tmp_path / "good.zip"
    with zipfile.ZipFile(bad, "w") as file:
        file.writestr("../../escape.png", b"x" * 100)
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(good, "w") as file:
        for i in range(60):
            pixels = np.full((40, 40, 3), (0, 60 + 120 * (i % 2), 200), np.uint8)
            pixels += rng.integers(0, 20, pixels.shape, np.uint8)
            blob = io.BytesIO()
            Image.fromarray(pixels).save(blob, "PNG")
            file.writestr(f"{'dark' if i % 2 else 'light'}/{i}.png", blob.getvalue())
    digits = moved(tab, "real", "")
    tab.page.set_input_files(".st-key-upload_file_images input[type=file]", bad)
    wait_until(lambda: "escape.png" in tab.page.inner_text("body"), 20, "the sentence")
    tab.page.set_input_files(".st-key-upload_file_images input[type=file]", good)
    tab.page.locator(".st-key-use_own_images button:visible").click()
    wait_until(lambda: "60 images" in tab.page.inner_text("body"), 20, "the file's name")
    tab.play(3)
    moved(tab, "real", digits)  # the real pictures are the user's now


def test_an_open_page_costs_no_worker_and_a_closed_tab_ends_its_own(chromium):
    server = Server(GANSCOPE_AWAY_SECONDS="4", GANSCOPE_SPARE="1")
    try:
        context = chromium.new_context()
        tab = Tab(context, f"{server.url}/{SMALL}")
        wait_until(lambda: len(server.workers()) == 1, PLAY_SECONDS, "the spare")
        tab.play(20)
        assert len(server.workers()) == 1
        context.close()
        wait_until(lambda: not server.workers(), 30, "the worker to end")
    finally:
        server.stop()


def test_deep_links_as_the_first_visits_show_the_right_frame(chromium):
    """All at once, as when a class opens what is on the slide."""
    landmarks = {"playground": "text=New seed", "images": "text=New seed", "tutorials": "text=tutorial-rgb"}
    landmarks |= {"guide": "h1:has-text('Guide')", "runs": "h1:has-text('Saved runs')"}
    server = Server(GANSCOPE_SPARE="1")
    try:
        context = chromium.new_context(viewport=WINDOW)
        pages = {path: context.new_page() for path in landmarks}
        for path, page in pages.items():
            page.goto(f"{server.url}/{path}", wait_until="commit")
        for path, page in pages.items():
            page.wait_for_selector(landmarks[path], timeout=90_000)
            links = [link.inner_text() for link in page.locator("a[data-testid=stTopNavLink]").all()]
            assert {"Points", "Guide"} <= {link.split("\n")[-1] for link in links}, (path, links)
        context.close()
    finally:
        server.stop()


def test_stopping_the_server_ends_its_workers(chromium):
    server = Server()
    context = chromium.new_context()
    tab = Tab(context, f"{server.url}/{SMALL}")
    tab.play(5)
    workers = server.workers()
    assert workers
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(15)
    wait_until(lambda: not any(running(pid) for pid in workers), 20, "the workers to end with their server")
    context.close()
