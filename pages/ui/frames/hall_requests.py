"""How watchers' pages hear of polls and rounds, and answer, by plain requests: no script runs for any.

The addresses lie below those of the frames, so that a proxy that passes on those passes on these too. An answer that
does not count is a status and a sentence, and nothing else happens.
"""

import asyncio
import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.components.liveplot import pack
from pages.ui.frames.polls import Refused
from pages.ui.frames.presentations import ENDED, SHOWS, Show
from pages.ui.server import addresses

MOST_BYTES = 2_000  # of an answer
BODY_SECONDS = 10.0  # in which it must have come
COUNTED = "Your answer counts."
MALFORMED = "This is not an answer that GANscope understands."
KEY = re.compile(r"[0-9A-Za-z_-]{8,64}")  # with which a watcher's page counts: static/ganscope/tab.js makes it


def _show(request: Request) -> Show:
    show = SHOWS.get(request.path_params["token"])
    if show is None or show.ended:
        raise Refused(404, ENDED)
    return show


def _said(refused: Refused) -> Response:
    return Response(str(refused), refused.status, addresses.HEADERS, "text/plain")


async def _hall(request: Request) -> Response:
    """GET /ganscope/frames/TOKEN/hall?watcher=KEY: what this watcher is told of the poll and the rounds."""
    try:
        told = _show(request).hall.told(request.query_params.get("watcher", ""))
    except Refused as refused:
        return _said(refused)
    return Response(pack(told), media_type="application/octet-stream", headers=addresses.HEADERS)


async def _samples(request: Request) -> Response:
    """GET /ganscope/frames/TOKEN/rounds/NUMBER: the samples of the round that is on, all in one, the same for all."""
    try:
        number = request.path_params["number"]
        content = _show(request).hall.samples(int(number) if number.isdecimal() and len(number) < 10 else -1)
        if not content:
            raise Refused(404, "This round is over.")
    except Refused as refused:
        return _said(refused)
    head = {"content-encoding": "gzip", **addresses.HEADERS}
    return Response(content, media_type="application/octet-stream", headers=head)


async def _answer(request: Request) -> Response:
    """POST /ganscope/frames/TOKEN/answers, JSON: what `Hall.answer` takes, with the watcher's key as `watcher`."""
    try:
        show, said = _show(request), await _body(request)
        watcher = said.get("watcher")
        if not isinstance(watcher, str) or not KEY.fullmatch(watcher):
            raise Refused(400, MALFORMED)
        show.hall.answer(watcher, said)
    except Refused as refused:
        return _said(refused)
    return Response(COUNTED, 200, addresses.HEADERS, "text/plain")


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; raises Refused."""
    # No page elsewhere can have a browser send this type without asking the server first.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "An answer is sent as application/json.")
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                content += part
                if len(content) > MOST_BYTES:
                    raise Refused(413, f"An answer has at most {MOST_BYTES:,} bytes.")
    except TimeoutError:
        raise Refused(408, "The answer came too slowly. Try again.") from None
    except ClientDisconnect:
        raise Refused(400, MALFORMED) from None
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused(400, MALFORMED) from None
    if not isinstance(said, dict):
        raise Refused(400, MALFORMED)
    return said


def routes() -> list[Route]:
    """Where watchers ask and answer."""
    return [
        addresses.route("/ganscope/frames/{token}/hall", _hall),
        addresses.route("/ganscope/frames/{token}/rounds/{number}", _samples),
        addresses.route("/ganscope/frames/{token}/answers", _answer, "POST"),
    ]
