"""The frames of a run for its own page: the browser asks for them by HTTP, so that no script runs for a frame.

The page's script says what is shown and draws it now and then; between two drawings the same plots and texts are kept
fresh from here, ten times a second.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gan_core.recording.snapshot import Snapshot, View
from gan_core.serving.client import Run
from pages.ui.components.liveplot import pack
from pages.ui.figures.figure_parts import Figure
from pages.ui.server import addresses

GONE = "This page was left."
# What a run does now (gan_core.recording.snapshot), in words.
STATUS = {
    "idle": "ready",
    "warming": "starting, a few seconds",
    "compiling": "preparing the networks, a few seconds",
    "loading": "loading",
    "playing": "playing",
    "stepping": "stepping",
    "paused": "paused",
    "ended": "ended",
}


@dataclass(eq=False)
class Feed:
    """What one page shows of a run. The script sets `view` and what follows it each time that it draws.

    figures, texts: of a snapshot, by the keys of the elements that the script draws with them (texts as HTML).
    scrubber: its key, and what it shows of a snapshot.
    """

    run: Run
    view: View = field(default_factory=View)
    figures: Callable[[Snapshot], dict[str, Figure]] = lambda snapshot: {}
    texts: Callable[[Snapshot], dict[str, str]] = lambda snapshot: {}
    scrubber: tuple[str, Callable[[Snapshot], dict[str, Any]]] = ("", lambda snapshot: {})
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _number: int = 0
    _sent: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> tuple[Snapshot, list[Any]]:
        """(the newest snapshot, its place): among frames of one feed, those with a smaller number are older."""
        with self._lock:
            snapshot = self.run.poll(self.view)
            self._number += 1
            return snapshot, [self.token[:6], self._number]

    def shown(self, snapshot: Snapshot, place: list[Any]) -> dict[str, Any]:
        """What the page shows of it, drawn by the script or by the browser: {place, moving, texts, plots, scrubber}."""
        key, about = self.scrubber
        return {
            "place": place,
            "moving": snapshot.moving,
            "texts": self.texts(snapshot),
            "plots": {name: {**figure, "place": place} for name, figure in self.figures(snapshot).items()},
            "scrubber": {"key": key, "data": {**about(snapshot), "place": place}},
        }

    def frame(self) -> bytes | None:
        """The newest frame for the browser; None where there is nothing new."""
        snapshot, place = self.look()
        if snapshot.moving and snapshot.frame is self._sent:
            return None
        self._sent = snapshot.frame
        shown = self.shown(snapshot, place)
        plots = {key: np.frombuffer(pack(figure), np.uint8) for key, figure in shown["plots"].items()}
        return pack({**shown, "plots": plots})


_FEEDS: WeakValueDictionary[str, Feed] = WeakValueDictionary()  # those that some session still holds


def feed_of(run: Run, kept: Feed | None) -> Feed:
    """`kept` if it is of this run, else a new one; it can be asked for as long as somebody holds it."""
    feed = kept if kept is not None and kept.run is run else Feed(run)
    _FEEDS[feed.token] = feed
    return feed


async def _frame(request: Request) -> Response:
    """GET /ganscope/live/TOKEN: the newest frame, 204 where there is nothing new."""
    feed = _FEEDS.get(request.path_params["token"])
    if feed is None:
        return Response(GONE, 404, addresses.HEADERS, "text/plain")
    content = await run_in_threadpool(feed.frame)
    if content is None:
        return Response(status_code=204, headers=addresses.HEADERS)
    # Said to be encoded, else the server would compress it: most goes over loopback, and noise does not shrink.
    head = {"content-encoding": "identity", **addresses.HEADERS}
    return Response(content, media_type="application/octet-stream", headers=head)


def routes() -> list[Route]:
    """Where the frames are asked for."""
    return [addresses.route("/ganscope/live/{token}", _frame)]
