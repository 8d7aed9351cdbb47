"""The live view, measured in a real browser: `python -m tests.bench_ui` prints medians and 95th percentiles.

Everything is measured in one run on one machine beside each other; a busy machine shows in all figures alike.
"""

import argparse
import http.client
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

from playwright.sync_api import sync_playwright

from gan_core.foundations.machine import cores
from tests.conftest import Server, chromium_path, wait_until
from tests.support.tab import SMALL, WINDOW, Tab

# Collects, in the page, each frame's time, what it took to draw, and whether a plot was ever gone or another node.
WATCH = """() => {
  const watch = window.watch = { at: [], ms: [], blank: 0, other: 0 };
  const find = () => document.querySelector(".st-key-live_samples .ganscope-plot");
  const first = find();
  let frames = first.dataset.frames;
  const look = () => {
    const node = find();
    if (!node || !node.querySelector(".main-svg")) watch.blank += 1;
    else if (node !== first) watch.other += 1;
    else if (node.dataset.frames !== frames) {
      frames = node.dataset.frames;
      watch.at.push(performance.now());
      watch.ms.push(Number(node.dataset.ms));
    }
    window.watching = requestAnimationFrame(look);
  };
  look();
}"""


def quantiles(values: list[float], unit: str) -> str:
    """Median and 95th percentile as text."""
    if len(values) < 2:
        return f"{values[0]:.0f} {unit} (once)" if values else "none"
    return (
        f"median {statistics.median(values):.0f} {unit}, 95th percentile "
        f"{statistics.quantiles(values, n=20)[-1]:.0f} {unit} (of {len(values)})"
    )


def say(name: str, text: str) -> None:
    """One line of the report."""
    print(f"{name:<34} {text}", flush=True)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rests(pid: int) -> bool:
    """Whether a process takes next to no time for two seconds."""
    before = cpu_seconds(pid)
    time.sleep(2)
    return cpu_seconds(pid) - before < 0.05


def megabytes(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def effect(act, shows, limit: float = 20.0) -> float:
    """Milliseconds from the beginning of `act()` until `shows()`."""
    started = time.perf_counter()
    act()
    while not shows():
        if time.perf_counter() - started > limit:
            raise TimeoutError(f"no effect within {limit:g} s")
    return 1e3 * (time.perf_counter() - started)


def played(server: Server, tab: Tab, seconds: float) -> tuple[dict, float, int]:
    """(what the page collected while it played, the server's CPU seconds, frames)."""
    tab.page.evaluate(WATCH)
    before = cpu_seconds(server.process.pid)
    time.sleep(seconds)
    spent = cpu_seconds(server.process.pid) - before
    seen = tab.page.evaluate("() => { cancelAnimationFrame(window.watching); return window.watch; }")
    return seen, spent, len(seen["at"])


BUTTONS = """
new MutationObserver((_, watch) => {
  if (!document.querySelector(".st-key-play button")) return;
  window.buttonsAt = performance.timeOrigin + performance.now();
  watch.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of each time of playing")
    parser.add_argument("--clicks", type=int, default=15, help="clicks on Pause, and turns of a live rate")
    parser.add_argument("--query", default=SMALL, help="the settings, as in the page's address")
    parser.add_argument(
        "--minutes", type=float, default=0, help="of playing at the end, to watch memory and frame times"
    )
    parser.add_argument("--watchers", type=int, default=50, help="of the presented run; 0 for none")
    parser.add_argument(
        "--busy", type=int, default=2, help="programs beside a page, each of which wants a core for itself; 0 for none"
    )
    args = parser.parse_args()
    print(f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}; {args.query}")
    path = chromium_path()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        folders = {"GANSCOPE_RUNS_DIR": f"{folder}/runs", "GANSCOPE_CACHE": f"{folder}/cache"}
        started = time.perf_counter()
        server = Server(**folders)
        try:
            alone = measure(server, browser, started, args)
        finally:
            server.stop()
        try:
            if args.busy:
                beside(browser, folders, alone, args)
        finally:
            browser.close()


def measure(server: Server, browser, started: float, args: argparse.Namespace) -> float:
    """Prints the figures, in the order in which a lecture begins; returns the training's steps/s while it is shown."""
    say("streamlit run to the first answer", f"{time.perf_counter() - started:.1f} s")
    context, clock = browser.new_context(viewport=WINDOW), time.time() - (time.perf_counter() - started)
    context.add_init_script(BUTTONS)
    tab = Tab(context, f"{server.url}/{args.query}")
    picture = time.perf_counter() - started
    buttons = tab.page.evaluate("window.buttonsAt") / 1e3 - clock
    say("... to a page with its buttons; with its pictures", f"{buttons:.1f} s; {picture:.1f} s")
    cold = effect(lambda: tab.click("play"), lambda: tab.step() > 0, 60)
    say("Play to the first trained frame", f"cold {cold / 1e3:.1f} s (the process had just been asked for)")
    other = Tab(browser.new_context(viewport=WINDOW), f"{server.url}/{args.query}")
    spare = wait_until(lambda: sorted(server.workers())[1:], 60, "the spare process")[-1]
    wait_until(lambda: rests(spare), 60, "the spare process to be warm")
    warm = effect(lambda: other.click("play"), lambda: other.step() > 0, 60)
    say("", f"warm {warm / 1e3:.1f} s (a spare process was ready)")
    other.pause()
    other.page.context.close()
    time.sleep(5)

    alone = playing(server, tab, args.seconds, "playing")
    seen, spent, frames = played(server, tab, args.seconds)
    say("the browser draws a frame in", quantiles(seen["ms"], "ms"))
    say("the server's CPU for a frame", f"{1e3 * spent / max(frames, 1):.1f} ms")
    say("blank frames; replaced plots", f"{seen['blank']}; {seen['other']}")

    say("click on Pause to standing still", quantiles(pauses(tab, args.clicks), "ms"))
    slider = tab.page.locator(".st-key-knob_g_lr input[type=range]")
    marks = """() => document.querySelector(".st-key-live_losses .ganscope-plot").layout.annotations
        .map((a) => a.text).filter((t) => t.startsWith("g_lr")).at(-1) ?? "" """
    turns, slider_keys = [], ("ArrowRight", "ArrowLeft")
    slider.focus()
    for n in range(args.clicks):
        before = tab.page.evaluate(marks)
        key = slider_keys[n % 2]
        turns.append(effect(lambda k=key: slider.press(k), lambda b=before: tab.page.evaluate(marks) != b))
    say("turn of a live rate to its marker", quantiles(turns, "ms"))

    say("with Anatomy open", f"{anatomy(tab, args.seconds):.2f} of the speed with the losses (median of pairs)")
    if args.watchers:
        lecture(server, tab, args)
    if args.minutes:
        soak(server, tab, args)
    return alone


def playing(server: Server, tab: Tab, seconds: float, what: str) -> float:
    """Prints the speed of training and the frames of a page that plays; returns the steps/s."""
    step, started = tab.step(), time.perf_counter()
    seen, _, frames = played(server, tab, seconds)
    speed = (tab.step() - step) / (time.perf_counter() - started)
    gaps = [b - a for a, b in zip(seen["at"], seen["at"][1:], strict=False)]
    say(what, f"{speed:,.0f} steps/s")
    say("", f"{frames / seconds:.1f} frames a second; from one to the next: {quantiles(gaps, 'ms')}")
    return speed


def anatomy(tab: Tab, seconds: float) -> float:
    """The training's speed with the drawing of a step open, as a share of that with the losses; in turns."""

    def speed() -> float:
        tab.click("anatomy")
        time.sleep(3)
        step, started = tab.step(), time.perf_counter()
        time.sleep(seconds / 2)
        return (tab.step() - step) / (time.perf_counter() - started)

    return statistics.median(opened / closed for opened, closed in ((speed(), speed()) for _ in range(5)))


def pauses(tab: Tab, clicks: int) -> list[float]:
    """Milliseconds from a click on Pause to standing still."""
    found = []
    for _ in range(clicks):
        found.append(effect(lambda: tab.click("play"), lambda: "paused" in tab.text("steps_per_second"), 60))
        tab.click("play")
        wait_until(lambda: "playing" in tab.text("steps_per_second"), 60, "the run to go on")
    return found


def beside(browser, folders: dict[str, str], alone: float, args: argparse.Namespace) -> None:
    """A first page on a machine that has other work to do: programs that never rest, as a video call and a second
    browser may, at the niceness that programs have."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(args.busy)]
    try:
        server = Server(**folders)
        try:
            tab = Tab(browser.new_context(viewport=WINDOW), f"{server.url}/{args.query}")
            first = effect(lambda: tab.click("play"), lambda: tab.step() > 0, 240)
            say(f"beside {args.busy} busy programs", f"Play to the first trained frame: cold {first / 1e3:.1f} s")
            time.sleep(10)
            speed = playing(server, tab, args.seconds, "")
            say("", f"that is {speed / alone:.2f} of the speed without them")
            say("", f"click on Pause to standing still: {quantiles(pauses(tab, 5), 'ms')}")
        finally:
            server.stop()
    finally:
        for process in others:
            process.kill()
            process.wait()


def lecture(server: Server, tab: Tab, args: argparse.Namespace) -> None:
    """Light clients that watch as browsers do, over the real protocol; the training's speed with them and without."""
    tab.page.get_by_role("button", name="Present").first.click()
    tab.page.locator("[class*=st-key-present_go] button").first.click()
    code = tab.page.locator("[data-testid=stPopoverBody] code")
    code.wait_for()
    token = code.inner_text().strip().rsplit("/", 1)[1]
    tab.page.keyboard.press("Escape")

    def speed() -> float:
        time.sleep(3)
        step, started = tab.step(), time.perf_counter()
        time.sleep(args.seconds)
        return (tab.step() - step) / (time.perf_counter() - started)

    alone, stop = speed(), threading.Event()
    lags: list[list[float]] = [[] for _ in range(args.watchers)]

    def watch(n: int) -> None:
        line, number = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30), 0
        while not stop.is_set():
            line.request("GET", f"/ganscope/frames/{token}?after={number}&watcher=client{n}")
            answer = line.getresponse()
            content = answer.read()
            if answer.status != 200:
                continue
            head = zlib.decompressobj(31).decompress(content, 400)
            number = int(re.search(rb'"number":(\d+)', head)[1])
            lags[n].append(1e3 * (time.time() - float(re.search(rb'"at":([\d.]+)', head)[1])))

    threads = [threading.Thread(target=watch, args=(n,), daemon=True) for n in range(args.watchers)]
    for thread in threads:
        thread.start()
    together = speed()
    stop.set()
    for thread in threads:
        thread.join(20)
    rates = [len(one) / (args.seconds + 3) for one in lags]
    say(
        f"{args.watchers} watchers",
        f"training keeps {together / alone:.2f} of its speed ({together:,.0f} of {alone:,.0f})",
    )
    say("", f"frames a second for each: {min(rates):.1f} to {max(rates):.1f}")
    late = [lag for one in lags for lag in one]
    say("", f"behind the presenter: {quantiles(late, 'ms')}, at most {max(late):.0f} ms")


def soak(server: Server, tab: Tab, args: argparse.Namespace) -> None:
    """Memory and frame times over minutes of playing."""
    worker = server.workers()[0]
    rows = []
    for _ in range(max(2, round(args.minutes * 60 / args.seconds))):
        seen, spent, frames = played(server, tab, args.seconds)
        cost = 1e3 * spent / max(frames, 1)
        rows.append((cost, statistics.median(seen["ms"]), megabytes(server.process.pid), megabytes(worker)))
        say(
            f"step {tab.step():,}",
            f"{frames / args.seconds:.1f} frames/s, server {cost:.1f} ms a frame, browser {rows[-1][1]:.0f} ms, "
            f"server {rows[-1][2]:.0f} MB, worker {rows[-1][3]:.0f} MB",
        )
    first, last = rows[0], rows[-1]
    say("end against start", f"server's frame {last[0] / first[0]:.2f} x, browser's {last[1] / first[1]:.2f} x, ")
    say("", f"memory of the server {last[2] - first[2]:+.0f} MB, of the worker {last[3] - first[3]:+.0f} MB")


if __name__ == "__main__":
    main()
