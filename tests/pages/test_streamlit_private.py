"""What GANscope uses of Streamlit that Streamlit does not promise: it is there, and it is in one file."""

import ast
import inspect

import pytest

from pages.ui.server import streamlit_private
from tests.test_layers import SCREEN, each, imports_of, name_of, within

PRIVATE = "pages/ui/server/streamlit_private.py"
PUBLIC = ("streamlit.components.v2", "streamlit.testing", "streamlit.errors")
NAMES = ("_session_mgr", "uses_pages_directory", "_maybe_handle_execution_control_request")


@each([path for path in SCREEN if name_of(path) != PRIVATE])
def test_private_parts_are_used_in_one_file(path):
    found = {n for n in within(imports_of(path), "streamlit") if n != "streamlit"} - {"streamlit.App"}
    assert found == within(found, *PUBLIC)
    attributes = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
    assert not attributes & {*NAMES}


def test_each_says_what_may_replace_it():
    made = [f for _, f in inspect.getmembers(streamlit_private, inspect.isfunction) if f.__module__.startswith("pages")]
    assert len(made) >= 4
    for function in made:
        assert "Used: " in function.__doc__ and "May replace it: " in function.__doc__


def test_the_script_of_a_session():
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    assert get_script_run_ctx(suppress_warning=True) is None
    assert streamlit_private.session_id() == ""


def test_the_connected_sessions():
    from streamlit.runtime import Runtime

    assert list(inspect.signature(Runtime.is_active_session).parameters) == ["self", "session_id"]
    assert callable(Runtime.exists) and callable(Runtime.instance)
    assert streamlit_private.connected("nobody") is False


def test_the_navigation(monkeypatch):
    from streamlit.runtime.pages_manager import PagesManager

    assert hasattr(PagesManager, "uses_pages_directory")
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    streamlit_private.own_navigation()
    assert PagesManager.uses_pages_directory is False


def test_a_callback_is_not_interrupted_and_a_script_is(monkeypatch):
    from types import SimpleNamespace

    from streamlit.runtime.scriptrunner import script_runner
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

    name = "_maybe_handle_execution_control_request"
    assert list(inspect.signature(getattr(script_runner.ScriptRunner, name)).parameters) == ["self"]
    assert isinstance(ScriptRunContext.has_script_started, property)
    asked = []
    monkeypatch.setattr(script_runner.ScriptRunner, name, lambda self: asked.append(self))
    for _ in range(2):  # the second time changes nothing
        streamlit_private.finish_callbacks()
    for started in (False, True):
        context = SimpleNamespace(has_script_started=started)
        monkeypatch.setattr(streamlit_private, "get_script_run_ctx", lambda context=context, **_: context)
        getattr(script_runner.ScriptRunner, name)("runner")
        assert asked == ["runner"] * started


@pytest.mark.parametrize("name", ["App", "navigation", "Page"])
def test_what_the_frame_is_made_of(name):
    import streamlit

    assert hasattr(streamlit, name)


def test_the_names_that_the_server_answers_to():
    from streamlit import config

    kept = config.get_option("server.allowedHosts")
    try:
        streamlit_private.allow_names(["gan.example.org"])
        assert streamlit_private.answers_to("gan.example.org:8501")
        assert not streamlit_private.answers_to("evil.example") and not streamlit_private.answers_to(None)
    finally:
        streamlit_private.allow_names(kept)
