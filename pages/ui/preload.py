"""Tells the browser together with the page what the page is going to need, so that it asks for all of it at once.

Else it finds out file after file: Streamlit's code asks for the run's elements, those for the code of their widgets,
and the plots' component at last for plotly.js, a megabyte to send and seconds to read on a slow machine.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.liveplot import addresses

WIDGETS = ("BidiComponent", "Button", "ButtonGroup", "Checkbox", "Html", "NumberInput", "Selectbox", "Slider")
_IMPORT = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')


@cache
def _modules() -> tuple[str, ...]:
    """Streamlit's script files for the widgets of our pages with all that they import, without what its page names."""
    static = Path(st.__file__).parent / "static"
    known = set(re.findall(r"static/js/([\w.-]+\.js)", (static / "index.html").read_text("utf-8")))
    waiting = [path.name for widget in WIDGETS for path in (static / "static" / "js").glob(f"{widget}.*.js")]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name not in known and name not in found:
            found[name] = None
            waiting += _IMPORT.findall((static / "static" / "js" / name).read_text("utf-8"))
    return tuple(found)


@cache
def link() -> bytes:
    """The Link header of every page."""
    base = f"/{st.get_option('server.baseUrlPath').strip('/')}".rstrip("/")
    script, plotly = addresses()
    rows = [f"<{base}/{plotly}>; rel=preload; as=script", f"<{base}/{script}>; rel=modulepreload"]
    rows += [f"<{base}/static/js/{name}>; rel=modulepreload" for name in _modules()]
    return ", ".join(rows).encode()


class Preload:
    """ASGI middleware: adds `link` to the answers that are a page."""

    def __init__(self, app: Any):
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def told(message: Any) -> None:
            if (
                not __import__("os").environ.get("GANSCOPE_NOPRELOAD")
                and message["type"] == "http.response.start"
                and message["status"] == 200
            ):
                kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
                if any(kind.startswith(b"text/html") for kind in kinds):
                    message = {**message, "headers": [*message["headers"], (b"link", link())]}
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "http" else send)
