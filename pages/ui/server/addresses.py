"""What the server answers beside Streamlit's own pages: at which addresses, to which names, and to whom."""

import re
from collections.abc import Callable
from ipaddress import ip_address

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.ui.server import streamlit_private

OWN_NAMES = ("localhost", "127.0.0.1", "::1")  # of this computer: no page elsewhere can take one
HEADERS = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def base_path() -> str:
    """What stands before every path, from the option server.baseUrlPath: "" or "/gan"."""
    path = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def route(path: str, endpoint: Callable, method: str = "GET") -> Route:
    """One of GANscope's own addresses, below the server's base path."""
    return Route(base_path() + path, endpoint, methods=[method])


def limit_names() -> None:
    """Has a server that listens on this computer alone answer only to its own names and to those that are allowed.

    Else a page on the internet could give its own name this computer's address and read, or steer, what runs here
    (DNS rebinding). Where the server listens for others too, any name is right until some are named.
    """
    given = list(st.get_option("server.allowedHosts"))
    missing = [name for name in OWN_NAMES if name not in given]
    if missing and (given or is_for_oneself()):
        streamlit_private.allow_names([*given, *missing])


def is_for_oneself() -> bool:
    """Whether only programs on this computer reach the server: the option server.address is a loopback address."""
    return _is_loopback(st.get_option("server.address"))


def _is_loopback(address: str | None) -> bool:
    try:
        return address == "localhost" or ip_address(address or "").is_loopback
    except ValueError:
        return False


class Guard:
    """Stands before all addresses: the name must be one of the server's, and frames go to its own pages only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what is refused, and hands on the rest. WebSockets are Streamlit's to judge, by the same names."""
        limit_names()  # each time: Streamlit forgets it when the file of its options changes
        answer = self._answer(scope) if scope["type"] == "http" else None
        await (self._app if answer is None else answer)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        if not streamlit_private.answers_to(headers.get("host")):
            name = re.sub(r":\d+$", "", headers.get("host", ""))
            shown = name if re.fullmatch(r"[A-Za-z0-9.-]{1,100}", name) else "NAME"
            text = (
                f"GANscope does not answer to the name {shown}.\n"
                "If it is the name of your own proxy or hub, start GANscope with\n\n"
                f"    streamlit run app.py --server.allowedHosts={shown}\n"
            )
            return Response(text, 421, HEADERS, "text/plain")
        own = path.startswith(f"{base_path()}/ganscope/")
        if own and _is_of_elsewhere(headers) and not (scope["method"] == "GET" and _is_visit(headers)):
            return Response("Frames are for GANscope's own pages.", 403, HEADERS, "text/plain")
        page = path.rstrip("/")
        name = page.removeprefix(f"{base_path()}/")
        if scope["method"] == "GET" and path == f"{page}/" and name.isidentifier() and page != base_path():
            # A page's address with a slash behind it. The answer is relative, so that it keeps the prefix that a
            # proxy may have taken off; Streamlit's own would lose it.
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(f"../{name}" + (f"?{query}" if query else ""), 302)
        return None


def _is_of_elsewhere(headers: Headers) -> bool:
    """Whether a page of another server has asked; a browser that does not say so names that server where it sends."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is not None:
        return origin.partition("://")[2] != headers.get("host")
    return site in ("cross-site", "same-site")


def _is_visit(headers: Headers) -> bool:
    """Whether somebody follows a link, rather than a page elsewhere asking behind their back."""
    return headers.get("sec-fetch-mode") == "navigate"
