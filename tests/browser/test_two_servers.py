"""Two servers on one folder of runs, both started at once, as two people of a lab do who share a home folder."""

from pathlib import Path

import pytest

from gan_core.runs import run_reading
from tests.conftest import Server, wait_until
from tests.support.tab import PLAY_SECONDS, SMALL, WINDOW, Tab, saved_runs

pytestmark = pytest.mark.flaky(reruns=1)


def save_as(tab: Tab, name: str) -> None:
    page = tab.page
    if not page.get_by_label("Name", exact=True).is_visible():
        page.locator(".st-key-keep_points button").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Note", exact=True).press("Enter")


def answer(tab: Tab, said: list[str]) -> str:
    """Which of these words stands on the page."""
    return wait_until(lambda: next((text for text in said if tab.page.get_by_text(text).count()), None), 20, str(said))


def whole(folder: Path) -> list[str]:
    """The runs of the folder, every one of which can be read in full; nothing half written is left."""
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    assert all(run_reading.is_run(folder / name) for name in names), names
    for name in names:
        run_reading.read(folder / name)
    return sorted(names)


def test_two_servers_share_a_folder_of_runs(chromium, tmp_path):
    environment = {"GANSCOPE_RUNS_DIR": str(tmp_path), "GANSCOPE_MAX_WORKERS": "1"}
    servers, contexts = [], []
    try:
        for _ in range(2):
            servers.append(Server(**environment))
        for _ in servers:
            contexts.append(chromium.new_context(viewport=WINDOW))
        tabs = [Tab(context, f"{server.url}/{SMALL}") for server, context in zip(servers, contexts, strict=True)]
        for tab in tabs:
            tab.click("step")
        for tab in tabs:
            wait_until(lambda tab=tab: tab.step() == 1, PLAY_SECONDS, "one step")

        for tab in tabs:  # the same name, the second before the first has answered
            save_as(tab, "ours")
        # The second is told that the name is taken, or, where both asked before either was written, gets a number.
        answers = [answer(tab, ["Saved: “ours 2", "Saved: “ours”", "There is"]) for tab in tabs]
        assert answers.count("Saved: “ours”") == 1, answers
        assert "ours" in whole(tmp_path)
        if "There is" in answers:
            save_as(tabs[answers.index("There is")], "ours 2")
        wait_until(lambda: run_reading.is_run(tmp_path / "ours 2"), 20, "the other name")

        # each lists what the other saved; one deletes a run that the other's list still shows
        for tab in tabs:
            tab.page.keyboard.press("Escape")
            saved_runs(tab.page, "ours")
            tab.page.locator(".st-key-open_ours button").first.wait_for(timeout=90_000)
        first, second = (tab.page for tab in tabs)
        first.locator(".st-key-more_ours button").first.click()
        first.locator(".st-key-delete_sure label").click()
        first.locator(".st-key-delete_go button").first.click()
        wait_until(lambda: not (tmp_path / "ours").exists(), 20, "the deletion")
        second.locator(".st-key-open_ours button").first.click()
        wait_until(lambda: second.locator(".st-key-open_ours").count() == 0, 20, "the list without it")
        assert second.locator("[data-testid=stException]").count() == 0
        assert "ours 2" in whole(tmp_path) and "ours" not in whole(tmp_path)
        assert not [error for tab in tabs for error in tab.errors]
    finally:
        for context in contexts:
            context.close()
        for server in servers:
            server.stop()
