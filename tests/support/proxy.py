"""A small reverse proxy, as stands before GANscope in a class: takes a prefix off, passes WebSockets on, can meter."""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic

import httpx
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.conftest import free_port
from tests.support.listening import Listening

HOP = {"connection", "transfer-encoding", "keep-alive", "upgrade", "host", "content-length"}  # of one line only


class Proxy:
    """Serves what stands at `target` under `prefix`; `url` is where, without a slash at its end.

    prefix: "" or "/user/x/proxy/8501". strips: whether the target knows nothing of the prefix. swallows: answers these
    paths with the target's front page, as a proxy that does not know them. per_second: how many requests for frames
    pass in a second; those beyond it get status 429.
    """

    def __init__(self, target: str, prefix: str = "", strips: bool = True, swallows: str = ""):
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = self.origin + prefix
        self.per_second: float | None = None
        self.down = False  # frames get status 503
        self.deaf = False  # WebSockets are closed, and none is let through
        self.asked: deque[tuple[float, int]] = deque(maxlen=10_000)  # (when, status) of each request for frames
        self._target, self._prefix, self._strips, self._swallows = target, prefix, strips, swallows
        self._client = httpx.AsyncClient(base_url=target, timeout=60)
        every = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
        app = Starlette(
            routes=[Route("/{path:path}", self._http, methods=every), WebSocketRoute("/{path:path}", self._socket)]
        )
        self._server = Listening(app, self.port)

    def close(self) -> None:
        """Ends the proxy."""
        self._server.close()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _path(self, path: str) -> str | None:
        if not path.startswith(f"{self._prefix}/"):
            return None
        return path.removeprefix(self._prefix) if self._strips else path

    async def _http(self, request: Request) -> Response:
        if self._prefix and request.url.path == self._prefix:
            return RedirectResponse(f"{self._prefix}/", 301)  # as JupyterHub and nginx do
        path = self._path(request.url.path)
        if path is None:
            return PlainTextResponse("another application", 404)
        frames = "/ganscope/live/" in path or "/ganscope/frames/" in path
        if frames:
            refused = self._refusal()
            self.asked.append((monotonic(), refused or 200))
            if refused:
                return PlainTextResponse("too many requests", refused)
        if self._swallows and path.startswith(self._swallows):
            path = "/"
        head = [(name, value) for name, value in request.headers.raw if name.decode().lower() not in HOP]
        try:
            answer = await self._client.request(
                request.method,
                path + (f"?{request.url.query}" if request.url.query else ""),
                headers=[*head, (b"host", request.headers["host"].encode())],
                content=await request.body(),
            )
        except httpx.HTTPError:
            return PlainTextResponse("bad gateway", 502)
        gone = HOP | {"content-encoding"}  # httpx has unpacked it
        kept = [(n.lower(), v) for n, v in answer.headers.raw if n.decode().lower() not in gone]
        made = Response(answer.content, answer.status_code)
        made.raw_headers = [*kept, (b"content-length", str(len(answer.content)).encode())]
        return made

    def _refusal(self) -> int:
        if self.down:
            return 503
        since = monotonic() - 1
        passed = sum(1 for when, status in self.asked if when > since and status == 200)
        return 429 if self.per_second is not None and passed >= self.per_second else 0

    async def _socket(self, near: WebSocket) -> None:
        path = self._path(near.url.path)
        if path is None or self.deaf:
            await near.close()
            return
        head = {name: near.headers[name] for name in ("cookie", "origin") if name in near.headers}
        host, port = self._target.removeprefix("http://").split(":")
        try:
            far = await websockets.connect(
                f"ws://{near.headers['host']}{path}",  # the name that the browser used
                host=host,
                port=int(port),
                subprotocols=near.scope["subprotocols"] or None,
                additional_headers=head,
                max_size=None,
                proxy=None,
            )
        except (OSError, websockets.WebSocketException):
            await near.close()
            return
        await near.accept(subprotocol=far.subprotocol)

        async def there() -> None:
            while (message := await near.receive())["type"] == "websocket.receive":
                await far.send(message.get("bytes") or message.get("text"))

        async def back() -> None:
            async for message in far:
                await (near.send_bytes if isinstance(message, bytes) else near.send_text)(message)

        async def cut() -> None:
            while not self.deaf:
                await asyncio.sleep(0.05)

        both = [asyncio.create_task(work()) for work in (there, back, cut)]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, websockets.WebSocketException, RuntimeError):
                await task
        await far.close()
        with suppress(WebSocketDisconnect, RuntimeError):
            await near.close()
