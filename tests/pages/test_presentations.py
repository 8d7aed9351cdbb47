"""What goes wrong with one presentation, or for a moment, ends no other (presentations.py)."""

from types import SimpleNamespace

from pages.ui.frames.presentations import Shows
from tests.conftest import wait_until
from tests.support.workers import first_thread_fails


def counted(show, error=None):
    """Has a show count its frames, or fail at each."""
    show.frames = 0

    def refresh():
        show.frames += 1
        if error:
            raise error

    show.refresh = refresh
    return show


def test_a_presentation_that_fails_leaves_the_others_alone():
    shows = Shows()
    bad = counted(shows.begin(SimpleNamespace()), RuntimeError("its run is broken"))
    worse, good = shows.begin(SimpleNamespace()), counted(shows.begin(SimpleNamespace()))
    worse.watchers = None
    wait_until(lambda: bad.frames > 2 and good.frames > 2, 20, "frames of both")
    for show in (bad, worse, good):
        show.ended = True
    wait_until(lambda: shows._thread is None, 20, "the thread's end")


def test_a_thread_that_cannot_start_is_started_by_who_asks_for_a_frame(monkeypatch):
    refused = first_thread_fails(monkeypatch)
    shows = Shows()
    show = counted(shows.begin(SimpleNamespace()))
    assert refused and shows.get(show.token) is show
    wait_until(lambda: show.frames > 1, 20, "its frames")
    show.ended = True
