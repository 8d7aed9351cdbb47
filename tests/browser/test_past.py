"""The time machine in a real browser: scrub, replay, branch, race, compare, save, take up, take away."""

import hashlib
import json
import os
import re
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_writing
from tests.conftest import RUNS, Server, wait_until
from tests.support.processes import running
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab, examples, saved_runs
from tests.support.trainers import settings, trainer_of, uncompiled

# A browser, a server and a worker on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

SCRUBBER = ".ganscope-scrubber"


def shown(tab: Tab) -> int | None:
    """The step that the scrubber looks back at."""
    at = tab.page.get_attribute(SCRUBBER, "data-at")
    return int(at) if at else None


def live_step(tab: Tab) -> int:
    """How far training is, as the scrubber says while it looks back."""
    return int(re.search(r"of ([\d,]+)", tab.page.inner_text(f"{SCRUBBER} output"))[1].replace(",", ""))


def drag(tab: Tab, fraction: float) -> int:
    """Drags the scrubber's thumb there, and waits until the plane shows that step."""
    box = tab.page.locator(f"{SCRUBBER} input").bounding_box()
    y = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + box["width"] - 8, y)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] * fraction, y, steps=5)
    tab.page.mouse.up()
    wait_until(lambda: shown(tab) is not None, 10, "the past")
    wait_until(lambda: tab.attribute("samples", "step") == shown(tab) == tab.step(), 10, "the plane of then")
    return shown(tab)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def folder_of(name: str) -> Path:
    return Path(RUNS) / name


@pytest.fixture(scope="module")
def two_runs():
    """Two saved runs that differ in a rate."""
    names = ["pair one", "pair two"]
    for name, rate in zip(names, (1e-3, 4e-3), strict=True):
        config = settings(g_lr=rate)
        training = TrainingRun(trainer_of(config, uncompiled(config)), scored=False)
        for _ in range(6):
            training.train(1)
        run_writing.save(folder_of(name), run_writing.Content.of(training))
    return names


# -- scrubbing ----------------------------------------------------------------------------------------------


def test_the_past_stands_still_while_training_goes_on_and_live_comes_back(shared_tab):
    tab = shared_tab()
    tab.play(300)
    at = drag(tab, 0.5)
    then, far = tab.samples(), live_step(tab)
    assert 0 < at < far
    wait_until(lambda: live_step(tab) > far + 20, 20, "training to go on")
    assert tab.samples() == then and tab.step() == at
    assert "at " in tab.text("steps_per_second")  # how far it is
    tab.page.keyboard.press("ArrowRight")
    wait_until(lambda: tab.step() > at, 10, "the next frame")
    tab.page.keyboard.press("ArrowLeft")
    wait_until(lambda: tab.step() == at and tab.samples() == then, 10, "the frame before")
    tab.page.click(f"{SCRUBBER} .live")
    wait_until(lambda: shown(tab) is None and tab.step() > far, 10, "the present")
    tab.pause()
    drag(tab, 0.3)
    tab.click("play")  # who presses Play wants to see it
    wait_until(lambda: shown(tab) is None and tab.step() > far, 20, "the present")


def test_a_replay_runs_through_the_frames_and_ends(shared_tab):
    tab = shared_tab()
    tab.page.get_by_role("radio", name="+10", exact=True).click()
    for step in (10, 20, 30, 40):  # a frame wherever it stands; between them as many as there is time for
        tab.click("step")
        wait_until(lambda step=step: tab.step() == step, PLAY_SECONDS, "ten steps")
        wait_until(lambda: "paused" in tab.text("steps_per_second"), 20, "the run to stand")
    tab.page.select_option(f"{SCRUBBER} select", "10")
    # Noted by the page itself, for a busy one answers less often than it goes on.
    tab.page.evaluate(
        f"""() => {{ const node = document.querySelector("{SCRUBBER}"); window.seen = new Set();
        new MutationObserver(() => seen.add(node.dataset.at)).observe(node, {{ attributeFilter: ["data-at"] }}); }}"""
    )
    tab.page.click(f"{SCRUBBER} .replay")
    wait_until(lambda: shown(tab) == 40, 20, "the last frame")
    assert len(set(tab.page.evaluate("() => [...seen]")) - {""}) >= 4
    wait_until(lambda: "▶" in tab.page.inner_text(f"{SCRUBBER} .replay"), 5, "the end of the replay")


# -- branches -----------------------------------------------------------------------------------------------


def test_the_best_is_gone_back_to_by_its_button_and_by_its_key(shared_tab):
    tab = shared_tab(SMALL)
    tab.play(to=200)
    best = tab.page.locator(f"{SCRUBBER} .best")
    wait_until(lambda: best.is_enabled(), 30, "the first scores")
    tab.pause()
    step = int(re.search(r"at step ([\d,]+)", best.get_attribute("title"))[1].replace(",", ""))
    best.click()
    wait_until(lambda: shown(tab) == step or (shown(tab) is None and tab.step() == step), 10, "the best")
    wait_until(lambda: f"Branch from {step:,}" in tab.page.inner_text(SCRUBBER), 10, "a branch from there")
    tab.page.click(f"{SCRUBBER} .live")
    wait_until(lambda: shown(tab) is None, 10, "the latest")
    tab.page.keyboard.press("b")
    wait_until(lambda: shown(tab) == step, 10, "the best again")
    tab.page.click(f"{SCRUBBER} .live")


def test_a_branch_leaves_its_parent_untouched_and_trains_on(shared_tab):
    tab = shared_tab()
    tab.play(300)
    tab.pause()
    drag(tab, 0.6)
    text = tab.page.inner_text(f"{SCRUBBER} .fork")
    at = int(re.search(r"Branch from ([\d,]+)", text)[1].replace(",", ""))
    end = live_step(tab)
    tab.page.click(f"{SCRUBBER} .fork")
    wait_until(lambda: "branch of" in tab.text("steps_per_second"), 20, "the branch")
    wait_until(lambda: tab.step() == at, 10, "the branch's first step")
    parent = folder_of(f"ring seed 3 step {end}")
    saved, before = run_reading.read(parent), contents(parent)
    assert saved.step == end and saved.parent is None
    tab.click("play")
    wait_until(lambda: tab.step() > at + 20, 20, "the branch to train")
    assert contents(parent) == before


# -- saving and the page Runs -------------------------------------------------------------------------------


def test_save_find_rename_and_delete(shared_tab):
    tab = shared_tab()
    page = tab.page
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    page.locator(".st-key-keep_points button").first.click()
    for left in ("kept by hand", "another name"):  # by a first try
        shutil.rmtree(folder_of(left), ignore_errors=True)
    page.get_by_label("Name", exact=True).fill("../out")
    page.keyboard.press("Enter")
    page.get_by_text("cannot be used as a name").wait_for(timeout=90_000)
    page.get_by_label("Name", exact=True).fill("kept by hand")
    page.get_by_label("Note", exact=True).fill("a *first* note")
    page.get_by_label("Note", exact=True).press("Enter")
    wait_until(lambda: run_reading.is_run(folder_of("kept by hand")), 20, "the saved run")
    page.get_by_text("Saved: “").wait_for(timeout=90_000)
    page.keyboard.press("Escape")
    saved_runs(page, "by hand")
    page.get_by_text("kept by hand", exact=True).wait_for(timeout=90_000)
    assert page.get_by_text("a *first* note", exact=True).is_visible()
    page.get_by_placeholder("name, data set").fill("nothing has this")
    page.keyboard.press("Enter")
    page.get_by_text("No run matches.").wait_for(timeout=90_000)
    page.get_by_placeholder("name, data set").fill("by hand")
    page.keyboard.press("Enter")
    page.locator(".st-key-more_kept_by_hand button").first.click()
    page.locator(".st-key-rename_name input").fill("another name")
    page.get_by_role("button", name="Save name and note").first.click()
    wait_until(lambda: run_reading.is_run(folder_of("another name")), 20, "the new name")
    page.get_by_placeholder("name, data set").fill("another")
    page.keyboard.press("Enter")
    page.locator(".st-key-more_another_name button").first.click()
    page.locator(".st-key-delete_sure label").click()
    assert run_reading.is_run(folder_of("another name"))  # asked once
    page.locator(".st-key-delete_go button").first.click()
    wait_until(lambda: not folder_of("another name").exists(), 20, "the deletion")
    page.get_by_text("was deleted").wait_for(timeout=90_000)


def test_a_click_on_a_saved_run_counts_though_another_one_follows_at_once(shared_tab, two_runs):
    """The script has not begun to answer the first one when the next one comes, as on a run's own page."""
    tab = shared_tab()
    page = tab.page
    both = """([first, ms]) => { document.querySelector(`.st-key-${first} button`).click();
        setTimeout(() => document.querySelector(".st-key-runs_autosaved input").click(), ms); }"""
    for n in range(1, 7):
        name = two_runs[n % 2].replace(" ", "_")
        saved_runs(page, "pair")
        page.locator(f".st-key-more_{name} button").first.wait_for(timeout=90_000)
        page.evaluate(both, [f"more_{name}", 3 * n])
        page.locator(".st-key-rename_name input").wait_for(timeout=20_000)
        page.wait_for_timeout(500)  # the second click's script has been drawn, too
        assert page.locator(".st-key-rename_name input").input_value() == two_runs[n % 2]
        page.keyboard.press("Escape")
        page.locator(".st-key-rename_name").wait_for(state="detached", timeout=20_000)
        page.evaluate(both, [f"open_{name}", 3 * n])
        page.locator(".st-key-play").wait_for(timeout=20_000)
        wait_until(lambda n=n: ("g_lr=0.004" in tab.settings()) == (n % 2), 20, "the run that was opened")
        page.wait_for_timeout(1_500)  # nobody goes back sooner, and a page sends nothing later
        assert page.locator(".st-key-play").is_visible()


def test_a_table_is_taken_away_with_one_click(shared_tab):
    tab = shared_tab()
    tab.click("step")
    wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
    tab.page.locator(".st-key-keep_points button").first.click()
    with tab.page.expect_download(timeout=90_000) as download:
        tab.page.get_by_role("button", name="Losses (CSV)", exact=True).first.click()
    assert download.value.suggested_filename == "ring step 1.csv"
    assert list(pd.read_csv(download.value.path())["step"]) == [1]
    tab.page.get_by_text("Downloaded: ring step 1.csv").wait_for(timeout=90_000)


def test_exports_of_a_saved_run_arrive_on_any_page_and_a_failure_is_a_sentence(shared_tab, two_runs):
    tab = shared_tab()
    page, name = tab.page, two_runs[0]

    def ask(label: str) -> None:
        saved_runs(page, name)
        page.locator(f".st-key-more_{name.replace(' ', '_')} button").first.click(timeout=90_000)
        page.get_by_role("dialog").get_by_role("button", name=label, exact=True).click(timeout=90_000)

    with page.expect_download(timeout=90_000) as download:
        ask("Scores (CSV)")
    assert download.value.suggested_filename == f"{name}.csv"
    page.get_by_text(f"Downloaded: {name}.csv").wait_for(timeout=90_000)

    with page.expect_download(timeout=90_000) as download:  # asked for here, received there
        ask("Python script")
        page.get_by_role("link", name="Guide").click()
    assert "tensorflow" in Path(download.value.path()).read_text()
    arrived = []
    page.on("download", lambda one: arrived.append(one))
    examples(page)  # it is not sent again
    page.wait_for_selector(".st-key-open_tutorial-disc", timeout=90_000)
    page.wait_for_timeout(1_000)
    assert arrived == []

    with page.expect_download(timeout=90_000) as download:  # a refresh does not lose it
        ask("Web page")
        page.locator(".st-key-take_cancel button").first.wait_for(timeout=90_000)  # the click has reached the server
        page.reload()
    assert download.value.suggested_filename == f"{name}.html"

    ask("Keras models")
    page.locator(".st-key-take_cancel button").first.click(timeout=90_000)
    page.get_by_text("The export was cancelled").wait_for(timeout=90_000)
    frames = folder_of(name) / "config.json"
    whole = frames.read_bytes()
    try:
        saved_runs(page, name)
        page.locator(f".st-key-more_{name.replace(' ', '_')} button").first.click(timeout=90_000)
        button = page.get_by_role("dialog").get_by_role("button", name="Losses (CSV)", exact=True)
        button.wait_for(timeout=90_000)
        frames.write_bytes(b"{")
        button.click()
        page.get_by_text("config.json").first.wait_for(timeout=90_000)
    finally:
        frames.write_bytes(whole)
    page.keyboard.press("Escape")


def test_an_autosaved_run_is_taken_up_after_the_server_was_killed(chromium, tmp_path):
    """Killed without a word, and started again; the page is still open."""
    environment = {"GANSCOPE_RUNS_DIR": str(tmp_path), "GANSCOPE_MAX_WORKERS": "1"}
    server = Server(**environment)
    context = chromium.new_context(viewport=WINDOW)
    try:
        tab = Tab(context, f"{server.url}/{SMALL}")
        tab.play(50)
        folder = wait_until(
            lambda: next((p for p in tmp_path.iterdir() if run_reading.is_run(p)), None), 30, "an autosave"
        )
        workers = server.workers()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(15)
        wait_until(lambda: not any(running(pid) for pid in workers), 20, "the worker's end")
        kept = run_reading.read(folder).step
        assert kept >= 50
        server = Server(server.port, **environment)
        tab.page.wait_for_selector(".st-key-take_up", timeout=90_000)
        assert f"step {kept:,}" in tab.text("offer")
        tab.click("take_up")
        wait_until(lambda: tab.step() == kept, PLAY_SECONDS, "the run as it stood")
        tab.click("play")
        wait_until(lambda: tab.step() > kept, 30, "the run to go on")
    finally:
        context.close()
        server.stop()


# -- side by side -------------------------------------------------------------------------------------------


def racer_steps(page) -> list[int]:
    plots = page.locator("[class*=st-key-lane_plot_] .ganscope-plot")
    return [int(plots.nth(i).get_attribute("data-step") or -1) for i in range(plots.count())]


def drawn_points(page) -> list[list[float]] | None:
    """The x of some generated points of each training, once all trainings have some."""
    return page.evaluate(
        """() => {
        const trainings = [...document.querySelectorAll("[class*=st-key-lane_plot_] .ganscope-plot")];
        const clouds = trainings.map((training) => training.data?.find((trace) => trace.name === "generated"));
        return clouds.every((cloud) => cloud) ? clouds.map((cloud) => Array.from(cloud.x).slice(0, 20)) : null; }"""
    )


def test_a_race_of_two_rates_is_run_in_lock_step(open_tab):
    tab = open_tab()
    page = tab.page
    page.get_by_role("link", name="Compare").click()
    values = page.locator("[class*=st-key-race_values_g_lr] input")
    values.wait_for(timeout=90_000)
    values.fill("0.001")
    page.locator(".st-key-race_go button").first.click()
    page.get_by_text("Enter 2 to 4 values").wait_for(timeout=90_000)
    values.fill("0.001, 0.01")
    page.locator(".st-key-race_go button").first.click()
    page.wait_for_selector(".st-key-play button", timeout=90_000)
    wait_until(lambda: racer_steps(page) == [0, 0], PLAY_SECONDS, "both at the start")
    first = wait_until(lambda: drawn_points(page), 20, "both clouds")
    assert first[0] == first[1]  # the same initial weights and the same z
    tab.click("step")
    wait_until(lambda: racer_steps(page) == [1, 1], PLAY_SECONDS, "a step each")
    tab.click("play")
    wait_until(lambda: min(racer_steps(page)) > 20, 30, "the race")
    tab.click("play")
    wait_until(lambda: "paused" in page.inner_text(".st-key-race_status"), 20, "the pause")
    steps = wait_until(lambda: (s := racer_steps(page))[0] == s[1] and s, 10, "lock-step")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: (s := racer_steps(page))[0] == s[1] < steps[0], 20, "both a frame before")
    before = racer_steps(page)
    page.reload()
    page.wait_for_selector(".st-key-play button", timeout=90_000)
    wait_until(lambda: racer_steps(page) == before, 20, "the race, and the frame looked at, after a refresh")
    assert "G learning rate 0.01" in page.inner_text("body")


def test_saved_runs_side_by_side_share_a_slider(open_tab, two_runs, server):
    tab, workers = open_tab(), {*server.workers()}
    page = tab.page
    saved_runs(page, "pair")
    for name in two_runs:
        page.locator(f".st-key-tick_{name.replace(' ', '_')} label").click(timeout=90_000)
    page.get_by_role("button", name="Compare 2").first.click()
    wait_until(lambda: racer_steps(page) == [6, 6], 30, "both at their end")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: racer_steps(page)[0] == racer_steps(page)[1] < 6, 10, "both in the past")
    before = racer_steps(page)
    page.reload()
    wait_until(lambda: racer_steps(page) == before, 30, "the comparison, and the frame looked at, after a refresh")
    page.get_by_text("Settings that differ: 1").wait_for(timeout=90_000)
    assert "Generator learning rate" in page.inner_text(".ganscope-table >> nth=-1")
    config = json.loads((folder_of(two_runs[0]) / "config.json").read_text())
    assert config["step"] == 6
    assert {*server.workers()} <= workers  # reading runs starts nothing
