"""Work beside a page's script: its result, its error, and that the script can be left while it goes on."""

import threading

import pytest

from pages.ui.session import page_state, waiting


class Left(Exception):
    """Stands for what Streamlit raises where a script is to end."""


@pytest.mark.parametrize("seconds", [0, 2 * waiting.MOMENT_SECONDS])
def test_the_result_and_the_error_of_short_and_long_work(monkeypatch, seconds):
    monkeypatch.setattr(page_state, "tab", lambda: None)

    def work(divisor, dividend=1):
        threading.Event().wait(seconds)
        return dividend / divisor

    assert waiting.waited("Working", work, 4, dividend=2) == 0.5
    with pytest.raises(ZeroDivisionError):
        waiting.waited("Working", work, 0)


def test_the_script_is_left_while_the_work_goes_on(monkeypatch):
    go_on, ended = threading.Event(), threading.Event()

    def work():
        go_on.wait(60)
        ended.set()

    def leave():
        raise Left

    monkeypatch.setattr(page_state, "tab", leave)
    with pytest.raises(Left):
        waiting.waited("Working", work)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(60)
