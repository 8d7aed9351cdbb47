"""Streamlit's private parts: all that GANscope uses of them is here, each with what it is for and what may replace it.

Streamlit promises none of this from one minor version to the next, so requirements.txt stays below the next one. To
move to it, run tests/pages/test_streamlit_private.py and the tests in the browser first. (The look, in ganscope.css and
the static scripts, leans on `data-testid` and `.st-key-` of Streamlit's pages besides; only the latter is promised.)
"""

from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed


def session_id() -> str:
    """The id of the browser session whose script runs in this thread, "" outside of any.

    Used: `get_script_run_ctx().session_id`. May replace it: an id of our own in `st.session_state`, once `connected`
    needs Streamlit's no more.
    """
    context = get_script_run_ctx()
    return context.session_id if context else ""


def connected(session: str) -> bool:
    """Whether the session's browser is connected now; timers of a hidden tab are too slow to tell.

    Used: `Runtime.is_active_session`. May replace it: `on_release` of `st.cache_resource(scope="session")`, once it
    fires for a session that is gone for good only, and not for each connection that drops.
    """
    return Runtime.exists() and Runtime.instance().is_active_session(session)


def own_navigation() -> None:
    """Tells Streamlit that app.py makes the navigation, as `st.navigation` does once it has run.

    Else Streamlit takes the folder pages/ for a menu of its own, and whoever comes first, or while the first page is
    being made, gets a page without app.py: in the wrong frame, for as long as that page is open.

    Used: `PagesManager.uses_pages_directory`. May replace it: a setting that turns the folder pages/ off.
    """
    PagesManager.uses_pages_directory = False


def finish_callbacks() -> None:
    """Has Streamlit do whole what a click asks for, before the next message of the browser is looked at.

    Else a message that follows at once (another click, the browser's wish for a drawing) ends the click's callback at
    its next look into the session's state, or before it has begun, and the click is lost. With
    `runner.fastReruns = false` in .streamlit/config.toml, without which a run can be ended before it begins.

    Used: `ScriptRunner._maybe_handle_execution_control_request`, called wherever a script may be interrupted, and
    `ScriptRunContext.has_script_started`. May replace it: nothing, once Streamlit interrupts scripts only.
    """
    interrupt = ScriptRunner._maybe_handle_execution_control_request
    if interrupt.__module__ == __name__:
        return

    def interrupt_scripts_only(self: ScriptRunner) -> None:
        context = get_script_run_ctx(suppress_warning=True)
        if context is None or context.has_script_started:
            interrupt(self)

    ScriptRunner._maybe_handle_execution_control_request = interrupt_scripts_only


def allow_names(names: list[str]) -> None:
    """Sets the option server.allowedHosts while the server runs.

    Used: `streamlit.config.set_option`. May replace it: the option in .streamlit/config.toml, once it can say "the
    names of this computer, if the server listens on this computer alone".
    """
    config.set_option("server.allowedHosts", names)


def answers_to(name: str | None) -> bool:
    """Whether the option server.allowedHosts has the name of a request's Host header, as for WebSockets.

    Used: `starlette_websocket.is_host_allowed`. May replace it: nothing, once Streamlit asks it for plain requests.
    """
    return is_host_allowed(name)
