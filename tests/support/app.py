"""The app without a browser: its pages, drawn by Streamlit's AppTest, and a hub that starts nothing."""

from streamlit.testing.v1 import AppTest

from pages.ui.session.page_state import Page
from tests.conftest import ROOT


class FakeHub:
    """A hub that starts nothing."""

    def __init__(self):
        self.started: list = []
        self.owned: list = []
        self.full = False
        self.limit = 2

    def visit(self, session, config):
        pass

    def adopt(self, key, session, run):
        self.owned.append(run)

    def knows(self, run):
        return run in self.owned

    def take_up(self, key, session, alone=False):
        return None

    def start(self, run):
        if not self.full:
            self.started.append(run)
        return int(self.full)

    def place(self, run):
        return int(self.full)

    def waits(self, run):
        return self.full

    def leave(self, run):
        self.full = False

    def hindrance(self):
        return ""

    def autosaved(self):
        return set()


def open_page(script: str = "app.py", **query: str) -> AppTest:
    """A page, the app's first if none is named, opened by a link."""
    app = AppTest.from_file(str(ROOT / script), default_timeout=60)
    for name, value in query.items():
        app.query_params[name.replace("__", ".")] = value
    app.run()
    assert not app.exception
    return app


def news(app: AppTest) -> str:
    """What the page has to say, as the browser is told it."""
    return " ".join(note["text"] for note, _ in app.session_state["ganscope"].news)


def own(app: AppTest, kind: str) -> Page:
    """What the page of this kind holds in the app's session."""
    return app.session_state["ganscope"].pages[kind]
