"""What GANscope uses of Streamlit that Streamlit does not promise: it is there, and it is in one file."""

import ast
import inspect
from types import SimpleNamespace

import pytest

from pages.ui.server import streamlit_private
from tests.test_layers import SCREEN, each, imports_of, name_of, within

PRIVATE = "pages/ui/server/streamlit_private.py"
PUBLIC = ("streamlit.components.v2", "streamlit.testing", "streamlit.errors")
NAMES = ("_session_mgr", "_browser_queue", "_event_loop", "uses_pages_directory")


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


def test_the_queue_of_what_is_not_yet_sent():
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
    from streamlit.runtime.runtime import Runtime
    from streamlit.runtime.session_manager import SessionManager

    assert "_session_mgr" in inspect.getsource(Runtime.__init__)
    assert "_browser_queue" in (source := inspect.getsource(AppSession.__init__)) and "_event_loop" in source
    assert ForwardMsgQueue().is_empty() and callable(SessionManager.get_active_session_info)


def test_it_waits_for_the_queue_and_not_for_ever(monkeypatch):
    import asyncio
    import threading

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asked = []
    full = SimpleNamespace(is_empty=lambda: asked.append(1) or len(asked) > 3)
    session = SimpleNamespace(_browser_queue=full, _event_loop=loop)
    manager = SimpleNamespace(get_active_session_info=lambda name: SimpleNamespace(session=session))
    runtime = SimpleNamespace(exists=lambda: True, instance=lambda: SimpleNamespace(_session_mgr=manager))
    monkeypatch.setattr(streamlit_private, "Runtime", runtime)
    monkeypatch.setattr(streamlit_private, "session_id", lambda: "me")
    try:
        streamlit_private.wait_until_sent()
        assert len(asked) == 4
        monkeypatch.setattr(streamlit_private, "SEND_SECONDS", 0.05)
        full.is_empty = lambda: False
        streamlit_private.wait_until_sent()  # and comes back
    finally:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(10)  # what was cancelled ends
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_the_navigation(monkeypatch):
    from streamlit.runtime.pages_manager import PagesManager

    assert hasattr(PagesManager, "uses_pages_directory")
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    streamlit_private.own_navigation()
    assert PagesManager.uses_pages_directory is False


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
