"""Streamlit's private parts: all that GANscope uses of them is here, each with what it is for and what may replace it.

Streamlit promises none of this from one minor version to the next, so requirements.txt stays below the next one. To
move to it, run tests/pages/test_streamlit_private.py and the tests in the browser first. (The look, in ganscope.css and
the static scripts, leans on `data-testid` and `.st-key-` of Streamlit's pages besides; only the latter is promised.)
"""

import asyncio
from concurrent.futures import Future
from contextlib import suppress

from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

SEND_SECONDS = 0.5  # a browser that is gone takes nothing more


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


def wait_until_sent() -> None:
    """Ends a full run only once the browser has been sent what it drew.

    Streamlit drops the unsent elements of a fragment when the fragment's next run begins, and still tells the browser
    that the full run before it was whole: then the browser removes those elements, and the charts lose their zoom.

    Used: `Runtime._session_mgr`, `AppSession._browser_queue` and `._event_loop`. May replace it: nothing, once
    Streamlit keeps those elements.
    """
    session = session_id()
    if not session or not Runtime.exists():
        return
    sessions = getattr(Runtime.instance(), "_session_mgr", None)  # page tests have a runtime without a browser
    info = sessions and sessions.get_active_session_info(session)
    if info is None:
        return
    queue = info.session._browser_queue

    async def emptied() -> None:
        while not queue.is_empty():
            await asyncio.sleep(0.004)

    # Through the server's loop, behind the elements that are still on their way into the queue.
    sent: Future = asyncio.run_coroutine_threadsafe(emptied(), info.session._event_loop)
    with suppress(TimeoutError):
        sent.result(SEND_SECONDS)
    sent.cancel()


def own_navigation() -> None:
    """Tells Streamlit that app.py makes the navigation, as `st.navigation` does once it has run.

    Else Streamlit takes the folder pages/ for a menu of its own, and whoever comes first, or while the first page is
    being made, gets a page without app.py: in the wrong frame, for as long as that page is open.

    Used: `PagesManager.uses_pages_directory`. May replace it: a setting that turns the folder pages/ off.
    """
    PagesManager.uses_pages_directory = False


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
