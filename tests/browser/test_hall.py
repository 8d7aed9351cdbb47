"""A presenter asks the hall: a poll and a round of Real or generated?, with a real run and real watchers."""

import json
import urllib.error
import urllib.request

import pytest

from tests.browser.test_watch import end, present
from tests.conftest import wait_until

pytestmark = pytest.mark.flaky(reruns=1)

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def phones(chromium):
    """Opens watchers' pages on phones; at the end nothing may have failed on any."""
    contexts, wrong = [], []

    def opener(address: str):
        contexts.append(chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        page.wait_for_selector(".ganscope-watch .samples .js-plotly-plot", timeout=90_000)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert wrong == []


def posted(url: str, body: dict) -> tuple[int, str]:
    """(status, sentence) of an answer."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_hall_answers_a_poll_and_the_presenter_sees_it_live_and_marks_the_truth(shared_tab, server, phones):
    tab = shared_tab()
    tab.play(20)
    tab.pause()
    address = present(tab)
    answers_url = address.replace("/watch/", "/frames/") + "/answers"
    anna, berta = phones(address), phones(address)
    popover = tab.page.locator("[data-testid=stPopoverBody]")
    popover.get_by_role("tab", name="Poll").click()
    question = popover.get_by_role("textbox", name="What you ask")
    assert question.input_value() == "How many of the 8 modes will it find?"
    popover.get_by_role("textbox", name="Answer B").fill("Four, or *less*")
    popover.get_by_role("textbox", name="Answer C").fill("All 8")
    tab.click("poll_go_points")
    popover.get_by_text("Two of the answers are the same").wait_for(timeout=90_000)
    popover.get_by_role("textbox", name="Answer C").fill("")
    popover.get_by_role("textbox", name="Answer D").fill("")
    tab.click("poll_go_points")
    asked = tab.page.locator(".st-key-hall .ganscope-asked")
    asked.get_by_text("0 answers from").wait_for(timeout=90_000)
    popover.wait_for(state="hidden", timeout=90_000)  # it would lie over the bars

    for page, choice in ((anna, 1), (berta, 1)):
        page.locator(".ganscope-hall .answers button").nth(choice).tap(timeout=90_000)
        page.get_by_text("Your answer: B").wait_for(timeout=90_000)
    asked.get_by_text("2 · 100 %").wait_for(timeout=90_000)  # without a script: nobody has clicked here
    anna.locator(".ganscope-hall .answers button").nth(0).tap()
    anna.get_by_text("You have answered this poll already").wait_for(timeout=90_000)
    anna.reload()  # the same person: the answer stands, and counts once
    anna.get_by_text("Your answer: B").wait_for(timeout=90_000)
    anna.locator(".ganscope-hall .answers button").nth(0).tap()
    anna.get_by_text("You have answered this poll already").wait_for(timeout=90_000)
    status, said = posted(answers_url, {"watcher": "somebody-else", "poll": 1, "answer": 0})
    assert (status, said) == (200, "Your answer counts.")
    assert posted(answers_url, {"watcher": "somebody-else", "poll": 1, "answer": 1})[0] == 409
    asked.get_by_text("1 · 33 %").wait_for(timeout=90_000)
    assert anna.locator(".ganscope-bars").count() == 0
    tab.page.locator(".st-key-poll_bars label").first.click()
    asked.locator(".ganscope-bars").wait_for(state="detached", timeout=90_000)

    tab.click("poll_close")
    anna.get_by_text("2 · 67 %").wait_for(timeout=90_000)
    tab.click("poll_truth_1")
    for page in (anna, berta, tab.page):
        page.locator(".truth", has_text="B: Four, or *less*").wait_for(timeout=90_000)
    assert posted(answers_url, {"watcher": "one-more-of-them", "poll": 1, "answer": 1})[0] == 410
    tab.click("poll_away")
    asked.wait_for(state="detached", timeout=90_000)
    anna.locator(".ganscope-hall").wait_for(state="hidden", timeout=90_000)
    end(tab)
    assert "somebody-else" not in server.said()


def test_a_hall_and_the_discriminator_judge_the_same_samples(shared_tab, phones):
    tab = shared_tab()
    tab.play(200)
    address = present(tab)
    anna = phones(address)
    popover = tab.page.locator("[data-testid=stPopoverBody]")
    popover.get_by_role("tab", name="Real or generated?").click()
    tab.click("round_go_points")
    game = anna.locator(".ganscope-game")
    game.wait_for(timeout=90_000)
    asked = tab.page.locator(".st-key-hall .ganscope-asked")
    anna.keyboard.press("ArrowLeft")
    anna.keyboard.press("ArrowRight")
    game.get_by_role("button", name="Generated").tap()
    asked.get_by_text("3 answers from 1 player").wait_for(timeout=90_000)
    anna.reload()
    game.get_by_text("3 judged").wait_for(timeout=90_000)
    anna.keyboard.press("ArrowLeft")
    asked.get_by_text("4 answers from 1 player").wait_for(timeout=90_000)
    before = tab.step()
    tab.click("round_stop")  # what was judged counts
    game.wait_for(state="detached", timeout=90_000)
    row = asked.locator(".ganscope-rounds tr").nth(1).locator("td")
    row.first.wait_for(timeout=90_000)
    step, hall, interval, answers, d = row.all_inner_texts()
    assert 200 <= int(step.replace(",", "")) <= before and answers == "4" and " to " in interval
    quarters = ("0 %", "25 %", "50 %", "75 %", "100 %")
    assert hall in quarters and d in quarters
    anna.locator(".ganscope-rounds").get_by_text(step).wait_for(timeout=90_000)
    anna.get_by_text("of 4 right in the last round").wait_for(timeout=90_000)

    tab.pause()
    tab.click("round_next")  # while all stands still, too, and by itself to its end after 30 seconds
    game.wait_for(timeout=90_000)
    anna.keyboard.press("ArrowLeft")
    wait_until(lambda: asked.locator(".ganscope-rounds tr").count() == 3, 60, "the end of the second round")
    assert asked.locator(".ganscope-rounds tr").nth(2).locator("td").nth(3).inner_text() == "1"
    tab.click("rounds_clear")
    asked.wait_for(state="detached", timeout=90_000)
    end(tab)
