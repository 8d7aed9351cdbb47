"""A browser tab on GANscope, and the fixtures that open and share tabs."""

import contextlib
import re
import weakref
from typing import ClassVar

import pytest
from playwright.sync_api import Error as BrowserError

from tests.conftest import wait_until

PLAY_SECONDS = 60  # a worker's start on two busy cores
SMALL = "?data=ring&g_layers=1&d_layers=1&g_units=16&d_units=16&batch_size=32&seed=3"
IMAGES = "images?data=digits&filters=8&batch_size=16&latent_dim=8&seed=3"
WINDOW = {"width": 1280, "height": 720}


class Tab:
    """One browser tab on the playground or on images."""

    open: ClassVar[weakref.WeakSet["Tab"]] = weakref.WeakSet()

    def __init__(self, context, url: str):
        Tab.open.add(self)
        self.url = url
        self.page = context.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.goto(url)
        self.ready()

    def _failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what was on its way when the page was left
            self.errors.append(f"{request.url} {request.failure}")

    def _heard(self, message) -> None:
        # Streamlit looks for its own address below a page's path first, and forgets a list's pictures once the page
        # that shows them is left, which may be while they are fetched.
        about = f"{message.location.get('url', '')} {message.text}"
        if message.type == "error" and not re.search("/_stcore/|/media/", about):
            self.errors.append(message.text)

    def ready(self) -> None:
        self.page.wait_for_selector(".st-key-live_samples .js-plotly-plot", timeout=90_000)
        self.page.wait_for_selector(".st-key-live_losses .js-plotly-plot", timeout=90_000)

    def click(self, key: str) -> None:
        self.page.click(f".st-key-{key} button")

    def text(self, key: str) -> str:
        return self.page.inner_text(f".st-key-{key}")

    def step(self) -> int:
        said = wait_until(lambda: re.fullmatch(r"step ([\d,]+)", self.text("step_counter").strip()), 10, "the step")
        return int(said[1].replace(",", ""))

    def told(self) -> str:
        """What the page says now, for whoever reads that a test failed."""
        parts = {}
        for key in ("play", "step_counter", "steps_per_second", "questions", "problems"):
            found = self.page.locator(f".st-key-{key}")
            parts[key] = " ".join(found.first.inner_text(timeout=1_000).split()) if found.count() else "not there"
        return f"{self.page.url}: {parts}, {self.errors}"

    def attribute(self, plot: str, name: str) -> int:
        return int(self.page.get_attribute(f".st-key-live_{plot} .ganscope-plot", f"data-{name}") or 0)

    def drawn(self, step: int) -> None:
        """Waits until the plane shows exactly this step."""
        wait_until(lambda: self.attribute("samples", "step") == step, 20, f"step {step} on the plane")

    def samples(self) -> list[float]:
        """The x of the generated points, as drawn."""
        return self.page.evaluate(
            """() => { const node = document.querySelector(".st-key-live_samples .ganscope-plot");
            const trace = node.data.find((t) => t.name === "generated");
            return trace ? Array.from(trace.x).slice(0, 50) : []; }"""
        )

    def play(self, to: int = 1) -> None:
        self.click("play")
        wait_until(lambda: self.step() >= to, PLAY_SECONDS, f"step {to}")

    def pause(self) -> int:
        """Pauses, and returns the step at which the run stands."""
        self.click("play")
        wait_until(lambda: "paused" in self.text("steps_per_second"), 20, "the pause")
        return self.step()

    def settings(self) -> set[str]:
        """What the address says of the run. Asks the page: `page.url` stands still while nobody asks for anything."""
        return set(self.page.evaluate("location.search")[1:].split("&"))

    def start_over(self, scheme: str = "light") -> None:
        """Opens its link again: a new session, which remembers the tab's switches, with the run that it had.

        Then the run stands at step 0. Its settings and its speed are the run's: a test changes those back.
        """
        self.page.set_viewport_size(WINDOW)
        self.page.emulate_media(color_scheme=scheme)
        self.page.goto(self.url)
        self.ready()
        # Until the page has found its run it shows one without a worker.
        wait_until(lambda: "Press Play" not in self.text("steps_per_second"), 20, "the tab's run")
        if "Pause" in self.text("play"):
            self.pause()
        one = self.page.get_by_role("radio", name="+1", exact=True)
        if not one.is_checked():
            one.click()
        self.click("reset")
        self.page.mouse.move(0, 0)  # away from the button, whose help covers the links to the pages
        wait_until(lambda: self.step() == 0 and "paused" in self.text("steps_per_second"), 20, "step 0")
        self.drawn(0)
        assert self.page.get_by_role("radio", name="max", exact=True).is_checked()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With a test that fails stands what its pages said then."""
    outcome = yield
    if call.when == "call" and call.excinfo is not None and "chromium" in item.fixturenames:
        for tab in (tab for tab in list(Tab.open) if not tab.page.is_closed()):
            with contextlib.suppress(Exception):  # the test's own failure is what is told
                outcome.get_result().sections.append(("a page", tab.told()))


@pytest.fixture
def open_tab(server, chromium):
    """Opens tabs, each in a browser session of its own; at the end no console may hold an error."""
    tabs: list[Tab] = []
    contexts = []

    def opener(query: str = SMALL, **options) -> Tab:
        context = chromium.new_context(**{"viewport": WINDOW, **options})
        contexts.append(context)
        tabs.append(Tab(context, f"{server.url}/{query}"))
        return tabs[-1]

    yield opener
    errors = [error for tab in tabs for error in tab.errors]
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def kept_tabs():
    """The tabs that tests share, by their links, each with the settings that its link stands for."""
    tabs: dict[str, tuple[Tab, set[str]]] = {}
    yield tabs
    for tab, _ in tabs.values():
        tab.page.context.close()


@pytest.fixture
def shared_tab(request, server, chromium, kept_tabs):
    """Gives the one tab of a link, at step 0 and standing still; at the end its console may hold no error.

    For every test that needs no session of its own: a worker takes 5 to 8 s to start on two busy cores, and then
    it compiles. A tab that does not come back as it was is closed and another opened, so a test that fails leaves
    the next ones alone; so is the tab of a test that gets its second chance.
    """
    used: list[Tab] = []

    def as_it_was(tab: Tab, settings: set[str], scheme: str) -> bool:
        try:
            tab.start_over(scheme)
        except (BrowserError, AssertionError, pytest.fail.Exception):
            return False
        return tab.settings() == settings

    def opener(query: str = SMALL, scheme: str = "light") -> Tab:
        if query in kept_tabs:
            tab, settings = kept_tabs[query]
            if getattr(request.node, "execution_count", 1) == 1 and as_it_was(tab, settings, scheme):
                used.append(tab)
                return tab
            del kept_tabs[query]
            tab.page.context.close()
        tab = Tab(chromium.new_context(viewport=WINDOW), f"{server.url}/{query}")
        used.append(tab)
        kept_tabs[query] = tab, set()  # should this fail, the next test opens another
        tab.click("step")  # its worker starts and compiles
        wait_until(lambda: tab.step() == 1, PLAY_SECONDS, "one step")
        tab.start_over(scheme)
        kept_tabs[query] = tab, tab.settings()
        return tab

    yield opener
    errors = [error for tab in used for error in tab.errors]
    for tab in used:
        tab.errors.clear()
        with contextlib.suppress(BrowserError, pytest.fail.Exception):  # the next test sees whether it is of use
            if tab.page.locator(".st-key-play button", has_text="Pause").count():  # not every page has the button
                tab.pause()  # else it trains beside the tests of other tabs
    assert errors == []


def texture(tab: Tab, plot: str = "samples") -> str:
    """The picture that a grid shows now, as drawn."""
    return tab.page.evaluate(
        f"""() => document.querySelector(".st-key-live_{plot} .ganscope-plot")?.data?.[0]?.source ?? "" """
    )


def moved(tab: Tab, plot: str, before: str) -> str:
    """The grid's picture once it is another than `before`."""
    return wait_until(lambda: (now := texture(tab, plot)) != before and now, 20, f"another picture in {plot}")


def examples(page) -> None:
    """Opens the examples of the page Learn."""
    page.get_by_role("link", name="Learn").click()
    page.get_by_role("radio", name="Examples", exact=True).click(timeout=90_000)


def saved_runs(page, words: str) -> None:
    """Opens the page Saved runs with only the runs of these words: other tests' autosaves would fill its first page."""
    page.get_by_role("link", name="Saved runs").click()
    search = page.get_by_placeholder("name, data set")
    search.fill(words, timeout=90_000)
    search.press("Enter")
