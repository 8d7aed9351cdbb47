"""Work beside a page's script: its result, its error, that the script can be left while it goes on, and what comes of
it then."""

import threading

import numpy as np
import pytest

from pages.ui.session import page_state, waiting
from pages.ui.session.page_state import Tab
from pages.ui.session.works import AT_ONCE, Works
from tests.support.workers import first_thread_fails

SECONDS = 60


class Left(Exception):
    """Stands for what Streamlit raises where a script is to end."""


class Held:
    """Work that goes on until it is let go; begun: what it was given."""

    def __init__(self):
        self.begun: list[int] = []
        self._begins, self._go_on = threading.Condition(), threading.Event()

    def __call__(self, number, of=None):
        with self._begins:
            self.begun.append(number)
            self._begins.notify_all()
        assert self._go_on.wait(SECONDS)
        if number < 0:
            raise ValueError("negative")
        return number

    def has_begun(self, *numbers):
        with self._begins:
            return self._begins.wait_for(lambda: sorted(self.begun) == list(numbers), SECONDS)

    def let_go(self):
        self._go_on.set()


@pytest.fixture
def held():
    work = Held()
    yield work
    work.let_go()


@pytest.mark.parametrize("seconds", [0, 2 * waiting.MOMENT_SECONDS])
def test_the_result_and_the_error_of_short_and_long_work(monkeypatch, seconds):
    tab = Tab()
    monkeypatch.setattr(page_state, "tab", lambda: tab)

    def work(divisor, dividend=1):
        threading.Event().wait(seconds)
        return dividend / divisor

    assert waiting.waited("Working", work, 4, dividend=2) == 0.5
    with pytest.raises(ZeroDivisionError):
        waiting.waited("Working", work, 0)


def test_who_leaves_and_comes_back_waits_for_the_same_work(monkeypatch, held):
    """A page that is left while it computes, and opened again, does not begin anew."""
    tab, looks = Tab(), []

    def leave():
        looks.append(0)
        if len(looks) > 1:  # the first one is where the work is asked for
            raise Left
        return tab

    monkeypatch.setattr(page_state, "tab", leave)
    with pytest.raises(Left):
        waiting.waited("Working", held, 1)
    assert held.has_begun(1)
    monkeypatch.setattr(page_state, "tab", lambda: held.let_go() or tab)
    assert waiting.waited("Working", held, 1) == 1
    assert held.begun == [1]


def test_the_same_work_is_that_of_equal_arguments(held):
    works, array, rows = Works(), np.zeros(3), [{"a": [1, 2]}]
    first = works.join(held, 1, of=array)
    assert works.join(held, 1, of=array) is first
    other = works.join(held, 1, of=rows)
    assert other is not first and works.join(held, 1, of=[{"a": [1, 2]}]) is other
    held.let_go()
    assert first.result(SECONDS) == other.result(SECONDS) == 1
    assert works.join(held, 1, of=rows) is not other  # it has ended
    with pytest.raises(ValueError, match="negative"):
        works.join(held, -1).result(SECONDS)


def test_of_what_waits_only_the_last_is_done(held):
    """As where a slider is dragged: each of its values is asked for, and only the last is wanted."""
    works = Works()
    futures = [works.join(held, number) for number in range(AT_ONCE + 3)]
    assert held.has_begun(*range(AT_ONCE))
    assert [future.cancelled() for future in futures] == [False] * AT_ONCE + [True, True, False]
    assert works.join(held, AT_ONCE + 2) is futures[-1]
    held.let_go()
    assert futures[-1].result(SECONDS) == AT_ONCE + 2
    assert sorted(held.begun) == [*range(AT_ONCE), AT_ONCE + 2]


def test_where_no_thread_can_start_it_is_told_and_the_next_try_works(monkeypatch):
    works = Works()
    assert first_thread_fails(monkeypatch) == []
    with pytest.raises(RuntimeError, match="new thread"):
        works.join(abs, -3).result(10)
    assert works.join(abs, -3).result(10) == 3


def test_nobody_waits_for_what_others_have_left(held):
    """Whatever a class has begun and left, the next one's work begins at once."""
    for number in range(20):
        works = Works()
        for _ in range(AT_ONCE + 1):
            works.join(held, number, of=object())
    assert Works().join(lambda: "done").result(SECONDS) == "done"
