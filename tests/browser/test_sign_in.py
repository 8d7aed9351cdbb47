"""Sign-in for real: a server with an OpenID provider, a browser, and what each account may do."""

import re
from pathlib import Path

import httpx
import pytest

from tests.browser.test_watch import present
from tests.conftest import RUNS, Server, free_port, wait_until
from tests.support.provider import Provider
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab

pytestmark = pytest.mark.flaky(reruns=1)


@pytest.fixture(scope="module")
def provider():
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def closed(provider, tmp_path_factory):
    """A server that lets in who has an address of uni.example."""
    port = free_port()
    secrets = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    secrets.write_text(provider.secrets(f"http://127.0.0.1:{port}"), "utf-8")
    server = Server(
        port, options=(f"--secrets.files={secrets}",), GANSCOPE_SIGN_IN="@uni.example", GANSCOPE_AWAY_SECONDS="20"
    )
    yield server
    server.stop()


@pytest.fixture
def pages(chromium):
    """Gives pages, each in a browser session of its own."""
    contexts = []

    def opener():
        contexts.append(chromium.new_context(viewport=WINDOW))
        return contexts[-1].new_page()

    yield opener
    for context in contexts:
        context.close()


def sign_in(page, provider: Provider, email: str) -> None:
    provider.account = {"email": email, "email_verified": True, "name": email.split("@")[0]}
    page.get_by_role("button", name="Sign in").click(timeout=90_000)
    page.get_by_role("link", name=f"Sign in as {email}").click(timeout=90_000)


def test_a_visitor_signs_in_comes_where_the_link_leads_and_signs_out(closed, provider, pages):
    page = pages()
    page.goto(f"{closed.url}/images?data=digits&seed=41")
    page.get_by_text("Sign in to use GANscope").wait_for(timeout=90_000)
    assert page.locator(".st-key-play, .stSlider, .st-key-live_samples").count() == 0
    sign_in(page, provider, "alice@uni.example")
    page.wait_for_selector(".st-key-live_samples .js-plotly-plot", timeout=90_000)
    wait_until(lambda: page.evaluate("location.pathname") == "/images", 20, "the page of the link")
    wait_until(
        lambda: "seed=41" in page.url and page.locator(".st-key-live_samples .js-plotly-plot").is_visible(),
        20,
        "the settings of the link",
    )
    page.locator(".st-key-account button").first.click()
    page.get_by_text("Signed in as").wait_for(timeout=90_000)
    assert "alice@uni.example" in page.locator("[data-testid=stPopoverBody]").inner_text()
    page.locator(".st-key-sign_out button").first.click()
    page.get_by_role("button", name="Sign in").wait_for(timeout=90_000)
    assert provider.signed_out == 1 and page.evaluate("location.origin") == closed.url
    page.goto(f"{closed.url}/guide")
    page.get_by_role("button", name="Sign in").wait_for(timeout=90_000)
    assert page.get_by_role("heading", name="Guide").count() == 0


def test_an_account_that_is_not_on_the_list_stays_outside(closed, provider, pages):
    page = pages()
    page.goto(closed.url)
    sign_in(page, provider, "mallory@mail.example")
    page.get_by_text("may not use this server").wait_for(timeout=90_000)
    assert page.locator(".st-key-play").count() == 0
    page.locator(".st-key-sign_out button").first.click()
    page.get_by_role("button", name="Sign in").wait_for(timeout=90_000)


def test_a_presentation_is_watched_by_its_link_alone_and_a_saved_run_is_its_makers(closed, provider, pages):
    alice = pages()
    alice.goto(f"{closed.url}/{SMALL}")
    sign_in(alice, provider, "alice@uni.example")
    alice.wait_for_selector(".st-key-live_samples .js-plotly-plot", timeout=90_000)
    wait_until(lambda: "seed=3" in alice.evaluate("location.search"), 20, "the settings of the link")
    tab = object.__new__(Tab)
    tab.page, tab.errors = alice, []
    tab.play(5)
    tab.pause()
    address = present(tab)
    alice.keyboard.press("Escape")
    phone = pages()  # nobody signed in here
    phone.goto(address)
    phone.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
    assert httpx.get(f"{closed.url}/ganscope/live/guessed").status_code == 404
    assert httpx.get(f"{closed.url}/ganscope/frames/guessed").status_code == 404
    phone.get_by_role("link", name="Copy this run").click()
    bob = phone
    sign_in(bob, provider, "bob@uni.example")
    bob.locator(".st-key-take_copy button").first.wait_for(timeout=90_000)  # the link has survived the sign-in
    assert bob.url.endswith(f"/watch?run={address.rsplit('/', 1)[1]}")

    alice.locator(".st-key-keep_points button").first.click()
    alice.locator(".st-key-save_name_points input").fill("of alice")
    alice.locator(".st-key-save_go_points button").first.click()
    wait_until(lambda: (Path(RUNS) / "of alice").exists(), PLAY_SECONDS, "the saved run")
    for page, owns in ((alice, True), (bob, False)):
        page.goto(f"{closed.url}/runs")
        row = page.locator(".st-key-run_of_alice")
        row.get_by_role("button", name="More").click(timeout=90_000)
        page.get_by_role("dialog").get_by_text("branch from step").wait_for(timeout=90_000)
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("Delete this run" if owns else "Only its maker").wait_for(timeout=90_000)
        assert dialog.get_by_text("Save name and note").count() == owns
        assert dialog.get_by_text(re.compile("^Delete this run")).count() == owns
        page.keyboard.press("Escape")
    bob.locator(".st-key-run_of_alice").get_by_role("button", name="Open").click()
    bob.wait_for_selector(".st-key-step_counter", timeout=90_000)
