"""Many pages, and pages that are used without sense: nothing is left behind, nothing gets stuck, no traceback anywhere.

By default a few openings; `--full` takes 200, and eight sessions for five minutes.
"""

import contextlib
import os
import random
import time
from pathlib import Path

import pytest
from playwright.sync_api import Error as BrowserError

from tests.browser.test_faults import TRACEBACK, WATCHED
from tests.conftest import Server, wait_until
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab

pytestmark = [pytest.mark.timeout(1200), pytest.mark.flaky(reruns=1)]

PAGES = {  # address -> what is on the page once it is drawn
    SMALL: ".st-key-live_samples .js-plotly-plot",
    "images": ".st-key-live_real .js-plotly-plot",
    "compare": ".st-key-race_go button",
    "sweep": ".st-key-sweep_go button",
    "runs": "h1:has-text('Saved runs')",
    "tutorials": ".st-key-open_tutorial-disc",
    "scores": ".st-key-cheat_real .js-plotly-plot",
    "guide": "h1:has-text('Guide')",
}


def offline(folder: Path) -> dict[str, str]:
    """An environment in which nothing is found elsewhere and nothing is kept elsewhere."""
    places = {"GANSCOPE_SPARE": "1"} | {
        name: str(folder / name) for name in ("GANSCOPE_RUNS_DIR", "GANSCOPE_CACHE", "KERAS_HOME")
    }
    return places | {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}


def family(pid: int) -> list[int]:
    """The process's descendants that still run."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
            if state != "Z":
                parents[int(stat.parent.name)] = int(parent)
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def held(pid: int) -> dict[str, int]:
    """What a process holds: threads, sockets, open files, and megabytes of memory."""
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            links.append(os.readlink(link))
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "threads": int(status["Threads"]),
        "sockets": sum(link.startswith("socket:") for link in links),
        "files": len(links),
        "MB": int(status["VmRSS"].split()[0]) // 1024,
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts what Linux shows of a process in /proc")
def test_pages_that_were_opened_and_closed_leave_nothing(chromium, full, tmp_path):
    # Sessions are forgotten soon, else the test would wait a minute for that.
    server = Server(GANSCOPE_AWAY_SECONDS="2", STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="2", **offline(tmp_path))
    pid = server.process.pid
    context = chromium.new_context(viewport=WINDOW)

    def visit(path: str, play: bool = False) -> None:
        page = context.new_page()
        page.goto(f"{server.url}/{path}")
        page.wait_for_selector(PAGES[path], timeout=90_000)
        if play:
            page.locator(".st-key-play button").first.click()
            page.wait_for_selector(".st-key-play button:has-text('Pause')", timeout=PLAY_SECONDS * 1_000)
            wait_until(lambda: "playing" in page.inner_text(".st-key-steps_per_second"), PLAY_SECONDS, "the run")
        page.close()

    def quiet() -> dict[str, int]:
        """What the server holds once all pages are forgotten."""
        wait_until(lambda: not family(pid), 60, "the last process to end")
        time.sleep(4)
        return held(pid)

    try:
        for path in PAGES:
            visit(path, play=path == SMALL)
        before = quiet()
        paths = random.Random(0).choices(list(PAGES), k=200 if full else 4)
        for i, path in enumerate(paths):
            visit(path, play=path == SMALL and i % 20 > 15)
        after = quiet()
        for name in ("threads", "sockets", "files"):
            slack = wait_until(lambda name=name: held(pid)[name] <= before[name] and held(pid), 60, f"{name}: {after}")
        print(f"{len(paths)} openings: before {before}, after {after}, at last {slack}")
        assert slack["MB"] - before["MB"] < 50, (before, slack)
        assert TRACEBACK not in server.said(), server.said()
    finally:
        context.close()
        server.stop()


# -- use without sense --------------------------------------------------------------------------------------

# Within each page: three times a second something that is there is pressed, chosen by a generator with a seed. What was
# pressed last is kept beyond a reload. `usable` is for the test's own mouse and keyboard, too. What starts a sweep is
# left alone: that takes minutes, and goes on without its page.
MONKEY = """
window.usable = () => {
  const kinds = `button, summary, [role=radio], [role=tab], [role=option], input[type=range], input[type=number],
    input[type=text], label:has(input[type=checkbox]), a[data-testid=stTopNavLink]`;
  const off = `[data-testid=stMainMenu], [data-testid=stFileUploader], [data-testid=stAppDeployButton],
    .st-key-sweep_go, .st-key-sweep_again`;
  return Array.from(document.querySelectorAll(kinds)).filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 2 && box.height > 2 && !node.disabled && node.ariaDisabled !== "true" && !node.closest(off);
  });
};
window.called = (node) => {
  const key = node.closest("[class*=st-key-]")?.className.match(/st-key-\\S+/)?.[0] ?? "";
  return `${node.tagName} ${key} ${node.innerText.slice(0, 30)}`.replace(/\\s+/g, " ");
};
let state = Number(sessionStorage.getItem("monkey state") ?? SEED);
const draw = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  sessionStorage.setItem("monkey state", state);
  return Math.floor((state / 2 ** 32) * n);
};
const press = () => {
  if (sessionStorage.getItem("monkey sleeps")) return;
  const all = usable().filter((node) => node.tagName !== "A" || draw(10) === 0);
  if (!all.length) return;
  const node = all[draw(all.length)];
  sessionStorage.setItem("monkey presses", 1 + Number(sessionStorage.getItem("monkey presses") ?? 0));
  const done = (sessionStorage.getItem("monkey did") ?? "").split("; ").slice(-30);
  sessionStorage.setItem("monkey did", [...done, called(node)].join("; "));
  if (node.type !== "range") return node.click();
  const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  set.call(node, Number(node.min) + draw(1e6) / 1e6 * (node.max - node.min));
  for (const kind of ["input", "change"]) node.dispatchEvent(new Event(kind, { bubbles: true }));
};
setInterval(press, 300);
"""
WORDS = ("7", "0.002, 0.02, 0.2", "", "a name", "../out", "<b>$x$</b>", "-1e999", "ring", "x" * 300, "a_name")
KEYS = ("p", "s", "0", "n", "ArrowLeft", "ArrowRight", "Escape", "Escape")
NOW = 500  # milliseconds; what is covered or gone by then is left


class Visitor:
    """Somebody who presses whatever is there: the page by itself, and with a real mouse and keyboard."""

    def __init__(self, context, url: str, seed: int):
        self._rng = random.Random(seed)
        self.errors: list[str] = []
        self.complaints: list[str] = []  # of the libraries in the browser: pressed like this, they lose plots under way
        context.add_init_script(WATCHED)
        context.add_init_script(f"{{{MONKEY.replace('SEED', str(seed))}}}")
        self.page = context.new_page()
        self.page.on("console", lambda m: self.errors.append(m.text) if "an exception on" in m.text else None)
        self.page.on("pageerror", self._erred)
        self.page.goto(url, wait_until="commit", timeout=90_000)

    def _erred(self, error) -> None:
        """An exception in the browser: one that our own script raises is a fault, whoever called it."""
        self.complaints.append(str(error)[:100])
        place = next((line for line in (error.stack or "").splitlines() if line.strip().startswith("at ")), "")
        if "/app/static/code/" in place:
            self.errors.append(f"{error} {place.strip()}")

    def act(self) -> None:
        """Does one thing at random."""
        page, rng, chance = self.page, self._rng, self._rng.random()
        try:
            if chance < 0.05:
                page.reload(wait_until="commit")
            elif chance < 0.25:
                page.keyboard.press(rng.choice(KEYS))
            else:
                self._use()
        except BrowserError:  # covered, or gone meanwhile
            page.keyboard.press("Escape")

    def _use(self) -> None:
        page, rng = self.page, self._rng
        node = page.evaluate_handle("i => { const all = usable(); return all[i % all.length]; }", rng.randrange(10_000))
        node = node.as_element()
        if node is None:
            return
        tag, kind, role = node.evaluate("n => [n.tagName, n.type, n.role]")
        if kind == "range":
            node.focus()
            node.press(rng.choice(("ArrowLeft", "ArrowRight", "Home", "End", "PageUp")))
        elif role == "combobox":
            node.click(timeout=NOW)
            options = page.locator("[role=option]")
            options.first.wait_for(timeout=NOW)
            options.nth(rng.randrange(options.count() or 1)).click(timeout=NOW)  # they may have gone meanwhile
        elif tag == "INPUT":
            node.fill(rng.choice(("3", "-1", "12345", "1e9") if kind == "number" else WORDS), timeout=NOW)
            node.press("Enter")
        else:
            node.click(timeout=NOW)

    def go(self, link: str, landmark: str) -> None:
        """Opens a page by its link, like anybody with a second click where the first one does nothing.

        Streamlit's browser names the page that it shows in every message, and that is the old one until the new one
        begins: what a page that still draws itself says by itself, or a click just before, calls the old one back.
        """
        found = self.page.locator(landmark)
        for seconds in (20, 40):
            self.page.locator("a[data-testid=stTopNavLink]", has_text=link).first.evaluate("link => link.click()")
            with contextlib.suppress(BrowserError):
                return found.first.wait_for(timeout=seconds * 1000)
        pytest.fail(f"{link} did not come; {self.page.evaluate('sessionStorage.getItem(`monkey did`)')}")

    def check(self) -> None:
        """No page ever showed an exception."""
        if self.errors or TRACEBACK in self.page.inner_text("body"):
            done = self.page.evaluate("sessionStorage.getItem('monkey did')")
            pytest.fail(f"{self.errors} after {done}")


def test_sessions_that_press_everything_leave_the_server_well(chromium, full, tmp_path):
    sessions, seconds = (8, 300) if full else (2, 10)
    server = Server(GANSCOPE_AWAY_SECONDS="4", GANSCOPE_WORKER_MB="2500", **offline(tmp_path))
    contexts = [chromium.new_context(viewport=WINDOW) for _ in range(sessions)]
    try:
        paths = [path for path in PAGES if path != "tutorials"]
        visitors = [
            Visitor(context, f"{server.url}/{paths[seed % len(paths)]}", seed) for seed, context in enumerate(contexts)
        ]
        ends, acts = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            for visitor in visitors:
                visitor.act()
                visitor.check()
            acts += len(visitors)
            assert TRACEBACK not in server.said(), server.said()
        for visitor in visitors:  # each page still answers
            page = visitor.page
            page.evaluate("sessionStorage.setItem('monkey sleeps', 1)")
            page.keyboard.press("Escape")
            for link, landmark in (("Guide", PAGES["guide"]), ("Points", ".st-key-step_counter")):
                visitor.go(link, landmark)
            visitor.check()
            acts += int(page.evaluate("sessionStorage.getItem('monkey presses')") or 0)
        complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
        print(f"{acts} clicks, keys and turns in {sessions} sessions; complaints in the browser: {complaints}")
        for context in contexts:
            context.close()
        wait_until(lambda: not family(server.process.pid), 90, "the last process to end")
        contexts = [chromium.new_context(viewport=WINDOW)]
        tab = Tab(contexts[0], f"{server.url}/{SMALL}")
        tab.play(20)
        assert tab.errors == []
        assert TRACEBACK not in server.said(), server.said()
    finally:
        for context in contexts:
            context.close()
        server.stop()
