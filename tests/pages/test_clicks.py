"""What a click asks for is done by a callback, so that it counts even where another message follows it at once."""

import ast
import math

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gan_core.foundations.hyperparameters import ConfigError
from pages.ui.run import saved_run
from pages.ui.session import own_run, page_state
from pages.ui.session.page_state import Tab
from tests.conftest import ROOT
from tests.support.app import FakeHub

BUTTONS = {"button", "form_submit_button"}


@pytest.fixture
def hub(monkeypatch):
    fake = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: fake)
    return fake


def read_values(tree):
    """Lines on which a button is drawn and its value used."""
    drawn = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [node.lineno for node in calls if node.func.attr in BUTTONS and node not in drawn]


def test_no_page_reads_a_button_s_value():
    """A script that asks for it can be ended before it begins (clicks.py, which alone may)."""
    assert read_values(ast.parse("st.button('a')\nif st.button('b'): pass\nc = st.form_submit_button('c')")) == [2, 3]
    files = [ROOT / "app.py", *(path for path in ROOT.glob("pages/**/*.py") if path.name != "clicks.py")]
    assert len(files) > 40
    read = {path.relative_to(ROOT).as_posix(): read_values(ast.parse(path.read_text("utf-8"))) for path in files}
    assert {name: lines for name, lines in read.items() if lines} == {}


def test_the_page_that_was_asked_for_opens_whatever_the_old_one_sends(hub, monkeypatch):
    """A message of the old page runs that one again: the wish stays until the new one is there."""
    went, tab = [], Tab(goes_to="pages/tutorials.py")
    monkeypatch.setattr(st, "switch_page", lambda page: (went.append(page), st.stop()))

    def draw():
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.session_state["ganscope"] = tab
        app.run()
        assert not app.exception

    monkeypatch.setattr(page_state, "AT_ONCE_SECONDS", math.inf)
    draw()
    draw()
    assert went == 2 * ["pages/tutorials.py"] and tab.goes_to == "pages/tutorials.py"
    for going in (("pages/runs.py", math.inf), ("pages/playground.py", 0.0)):  # a third page, or the old one later on
        tab.goes_to, tab.going = "pages/tutorials.py", going
        draw()
        assert len(went) == 2 and tab.goes_to == "" and tab.going is None
    tab.goes_to, tab.going = "pages/playground.py", ("pages/runs.py", math.inf)
    draw()
    assert len(went) == 2 and tab.goes_to == "" and tab.going is None


@pytest.mark.parametrize("page", ["guide", "tutorials"])
def test_a_preset_is_opened(hub, page):
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60).run()
    app.button(key="open_tutorial-disc" if page == "tutorials" else "open_grid").click().run()
    tab = app.session_state["ganscope"]
    assert not app.exception and tab.goes_to == "pages/playground.py"
    assert tab.pages["points"].config.data == ("disc" if page == "tutorials" else "grid")


def buttons():
    import streamlit as st

    from pages.ui.session import clicks

    st.session_state.setdefault("acted", [])
    clicks.button("Both", "both", lambda: st.session_state.acted.append("both"), at_first=True)
    clicks.button("Later", "later", lambda: st.session_state.acted.append("later"))


def test_a_click_on_what_another_session_drew_counts_where_it_may(monkeypatch):
    """After a lost connection the new session knows no callback yet, and is told the button's value alone."""
    values = {"both": True, "later": True}
    monkeypatch.setattr(st, "button", lambda label, key, on_click: values.pop(key, False))
    app = AppTest.from_function(buttons).run()
    assert app.session_state.acted == ["both"] and not app.exception
    values["both"] = True  # in a session that drew it, its callback has acted
    assert app.run().session_state.acted == ["both"]


def test_a_click_acts_once(monkeypatch):
    app = AppTest.from_function(buttons).run()
    for key in ("both", "later"):
        app.button(key=key).click().run()
    assert app.run().session_state.acted == ["both", "later"]


def test_what_a_dialog_refuses_is_said_and_what_it_does_closes_it(hub, monkeypatch):
    """A drawing of a dialog is not to be had twice here: its callbacks alone."""

    def refuse():
        raise ConfigError("No.")

    tab = Tab(opened="a run")
    monkeypatch.setattr(page_state, "tab", lambda: tab)
    saved_run._do(refuse, "Done.")
    assert (tab.opened, tab.refused, page_state.news()) == ("a run", "No.", [])
    saved_run._do(lambda: None, "Done.")
    assert tab.opened == "" and [row["text"] for row in page_state.news()] == ["Done."]
