"""What goes wrong around a running page, done for real: a lost network, a clock that jumps, edited sources, sleep, a
killed server. By default briefly; `--full` takes the lengths of real life.

The tests share a server, which runs from a copy of the sources, and a tab that plays: each finds the run that the one
before it left, for a worker takes 5 to 8 s to start on two busy cores.
"""

import os
import shutil
import signal
import textwrap
import time
from pathlib import Path

import pytest

from gan_core.runs import run_reading
from gan_core.serving.mailbox import LEASE_SECONDS
from tests.conftest import ROOT, Line, Server, wait_until
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab

pytestmark = [pytest.mark.timeout(1200), pytest.mark.flaky(reruns=1)]

SOURCES = ("app.py", "gan_core", "pages", "static", ".streamlit")

# Every error box that stands on a page, however briefly, becomes an error in its console.
WATCHED = """
const seen = new WeakSet();
new MutationObserver(() => {
  for (const box of document.querySelectorAll("[data-testid=stException]")) {
    if (!seen.has(box)) console.error(`an exception on the page: ${box.innerText}`);
    seen.add(box);
  }
}).observe(document, { childList: true, subtree: true });
"""
TRACEBACK = "Traceback (most recent call last)"

# A clock that is set anew: what Python's programs read is wrong by the seconds in a file; `time.monotonic` is not, as
# on a real machine. Python loads a module of this name first.
CLOCK = """
import os
import time

_time, _ns, _local, _utc = time.time, time.time_ns, time.localtime, time.gmtime

def _wrong():
    try:
        with open(os.environ["CLOCK_IS_WRONG_BY"]) as file:
            return float(file.read() or 0)
    except OSError:
        return 0.0

class Parts:  # an object, for `logging` has localtime as an attribute of a class
    def __init__(self, real):
        self.real = real

    def __call__(self, seconds=None):
        return self.real(time.time() if seconds is None else seconds)

time.time = lambda: _time() + _wrong()
time.time_ns = lambda: _ns() + int(_wrong() * 1e9)
time.localtime, time.gmtime = Parts(_local), Parts(_utc)
"""


class Hall:
    """A server on a copy of the sources with a clock that can be set, a line to it, and a tab that plays."""

    def __init__(self, folder: Path, chromium, away: int):
        self.root, self.runs, self._clock = folder / "sources", folder / "runs", folder / "clock"
        self.root.mkdir()
        for name in SOURCES:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, self.root / name)
        (folder / "first").mkdir()
        (folder / "first" / "sitecustomize.py").write_text(textwrap.dedent(CLOCK))
        self.environment = {
            "GANSCOPE_AWAY_SECONDS": str(away),
            "GANSCOPE_RUNS_DIR": str(self.runs),
            "PYTHONPATH": os.pathsep.join([str(folder / "first"), os.environ.get("PYTHONPATH", "")]),
            "CLOCK_IS_WRONG_BY": str(self._clock),
        }
        self._chromium = chromium
        self._contexts: list = []
        self.errors: list[str] = []
        self.server = Server(root=self.root, **self.environment)
        self.line = Line(self.server.port)
        self._tab: Tab | None = None
        self.taken_up = 0.0  # when a run was taken up

    def set_clock(self, wrong_by: float) -> None:
        """Sets the clock of the server and its workers."""
        self._clock.write_text(str(wrong_by))

    def open(self, query: str = SMALL) -> Tab:
        """A tab in a browser session of its own."""
        context = self._chromium.new_context(viewport=WINDOW)
        context.add_init_script(WATCHED)
        context.on("console", lambda m: self.errors.append(m.text) if "an exception on the page" in m.text else None)
        self._contexts.append(context)
        return Tab(context, f"{self.line.url}/{query}")

    def playing(self) -> Tab:
        """The tab, in which the run plays; another one if the last test left it otherwise."""
        tab = self._tab
        if tab is None or not tab.page.locator(".st-key-play button", has_text="Pause").count():
            self._tab = tab = self.open()
            tab.play(20)
            tab.page.get_by_role("radio", name="100", exact=True).click()  # leaves the processor to the others
        self.goes_on(tab)
        return tab

    @staticmethod
    def goes_on(tab: Tab, past: int | None = None) -> None:
        """Waits until the run has gone on, beyond step `past` where it is given."""
        past = tab.step() if past is None else past
        wait_until(lambda: tab.step() > past + 20, PLAY_SECONDS, f"the run to go on from step {past}")
        wait_until(lambda: "Pause" in tab.text("play"), 20, "the button Pause")

    def close(self) -> None:
        """Ends everything."""
        for context in self._contexts:
            context.close()
        self.line.close()
        self.server.stop()


@pytest.fixture(scope="module")
def the_hall(chromium, full, tmp_path_factory):
    hall = Hall(tmp_path_factory.mktemp("hall"), chromium, away=60 if full else 12)
    yield hall
    hall.close()


@pytest.fixture
def hall(the_hall):
    """The hall. After each test no page may ever have shown an exception, nor the server have written one."""
    yield the_hall
    errors, the_hall.errors = the_hall.errors, []
    assert errors == []
    assert TRACEBACK not in the_hall.server.said(), the_hall.server.said()


def test_a_network_that_is_silent_or_cut_comes_back_to_the_run(hall, full):
    """First nothing gets through, as without a signal; then every connection breaks and none can be made."""
    tab = hall.playing()
    for trouble, seconds in ((hall.line.hush, 40 if full else 4), (hall.line.cut, 40 if full else 5)):
        before = tab.step()
        trouble()
        tab.page.wait_for_timeout(1_000 * seconds)
        hall.line.mend()
        hall.goes_on(tab, before)
    hall.goes_on(tab)
    assert tab.pause() > before  # the run that it was
    tab.click("play")
    hall.goes_on(tab)


def test_a_clock_that_jumps_changes_nothing(hall):
    tab = hall.playing()
    workers = hall.server.workers()
    for days in (1, -400):
        hall.set_clock(86_400 * days)
        before = tab.step()
        tab.page.wait_for_timeout(1_500)  # three turns of the hub's watch
        hall.goes_on(tab, before)
        stood = tab.pause()
        tab.click("step")
        wait_until(lambda stood=stood: tab.step() == stood + 1, 20, "one step")
        tab.click("play")
        hall.goes_on(tab, stood)
    hall.set_clock(0)
    assert hall.server.workers() == workers
    kept = wait_until(lambda: next((p for p in hall.runs.iterdir() if run_reading.is_run(p)), None), 30, "an autosave")
    written = run_reading.read(kept).step
    assert written > 0


def test_sources_that_are_edited_meanwhile_leave_the_run_alone(hall):
    """A page, a part of all pages, and what the next worker reads: changed, broken and mended. (The next test starts
    that worker.)"""
    tab = hall.playing()
    names = (
        "pages/playground.py",
        "pages/ui/run/run_page.py",
        "pages/scores.py",
        "gan_core/serving/hub.py",
        "gan_core/settings/config.py",
    )
    good = {name: (hall.root / name).read_text() for name in names}
    try:
        for end in ("\n# edited\n", "\nthis is no Python (\n"):
            before = tab.step()
            for name, text in good.items():
                (hall.root / name).write_text(text + end)
            tab.pause()
            tab.click("play")
            hall.goes_on(tab, before)
            tab.page.get_by_role("link", name="Guide").click()
            tab.page.wait_for_selector("h1:has-text('Guide')", timeout=90_000)
            tab.page.get_by_role("link", name="Points").click()
            tab.ready()
            hall.goes_on(tab, before)
        other = hall.open()  # its worker is of the sources that the server runs, or cannot start
        other.click("play")
        wait_until(
            lambda: "stopped unexpectedly" in other.page.inner_text("body") or other.step() > 5,
            PLAY_SECONDS,
            "steps, or the sentence",
        )
    finally:
        for name, text in good.items():
            (hall.root / name).write_text(text)
    other.page.context.close()
    hall.goes_on(tab, before)


def test_a_duplicated_tab_gets_a_run_of_its_own(hall):
    """The browser copies the tab's storage, and with it the key to the run."""
    tab = hall.playing()
    with tab.page.expect_popup() as opened:
        tab.page.evaluate("() => { window.open(location.href); }")
    other, key = opened.value, "sessionStorage.getItem('ganscope-tab')"
    other.wait_for_selector(".st-key-live_samples .js-plotly-plot", timeout=90_000)
    mine = tab.page.evaluate(key)
    wait_until(lambda: other.evaluate(key) not in (None, mine), 30, "another key")
    wait_until(lambda: other.inner_text(".st-key-step_counter").strip() == "step 0", 20, "a run of its own")
    assert "Play" in other.inner_text(".st-key-play")
    other.close()
    assert tab.page.evaluate(key) == mine
    hall.goes_on(tab)


def test_a_tab_that_was_asleep_takes_up_its_run(hall, full):
    """Frozen, and without a connection, for longer than a run waits: a lid that was closed."""
    tab = hall.playing()
    before = tab.step()
    tab.page.wait_for_timeout(1_000)
    devtools = tab.page.context.new_cdp_session(tab.page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    hall.line.cut()
    time.sleep(600 if full else 14)
    assert hall.server.workers() == []
    hall.line.mend()
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    tab.page.wait_for_selector(".st-key-take_up", timeout=90_000)
    tab.click("take_up")
    wait_until(lambda: tab.step() >= before and "paused" in tab.text("steps_per_second"), PLAY_SECONDS, "the run")
    tab.click("play")
    hall.goes_on(tab, before)
    hall.taken_up = time.monotonic()


def test_a_server_that_is_killed_and_started_again_finds_its_pages(hall, full):
    """Every open page comes back by itself, without an exception, and can be used."""
    tab = hall.playing()
    tab.page.get_by_role("button", name="Present").first.click()
    tab.page.locator(".st-key-present_go_points button").first.click(timeout=90_000)
    code = tab.page.locator("[data-testid=stPopoverBody] code")
    code.wait_for(timeout=90_000)
    watched = tab.page.context.new_page()
    watched.goto(code.inner_text().strip())
    watched.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
    tab.page.keyboard.press("Escape")
    scores = tab.page.context.new_page()
    scores.goto(f"{hall.line.url}/scores")
    scores.wait_for_selector(".st-key-cheat_real .js-plotly-plot", timeout=90_000)
    time.sleep(max(0.0, hall.taken_up + LEASE_SECONDS + 2 - time.monotonic()))
    hall.goes_on(tab)  # the hub still renews the lease of the process that took up the run
    os.kill(hall.server.process.pid, signal.SIGKILL)
    hall.server.process.wait(15)
    time.sleep(10 if full else 1)
    hall.server = Server(hall.server.port, hall.root, **hall.environment)
    tab.page.wait_for_selector(".st-key-take_up", timeout=90_000)
    watched.get_by_text("This presentation has ended").wait_for(timeout=90_000)
    points = """() => document.querySelector(".st-key-disc_real .ganscope-plot").data[0].x.length"""
    before = scores.evaluate(points)
    scores.locator(".st-key-disc_points").get_by_role("radio").first.click(timeout=90_000)
    wait_until(lambda: scores.evaluate(points) < before, 30, "another experiment")
    tab.click("decline")
    tab.page.wait_for_selector(".st-key-offer", state="detached", timeout=90_000)
    if full:  # else the test before has shown that a worker starts
        tab.click("play")
        wait_until(lambda: tab.step() > 0, PLAY_SECONDS, "a run from the start")
