"""The frames of a run for its own page: the browser asks for them by HTTP, so that no script runs for a frame.

The page's script says what is shown, and draws it once for each thing that a user does. From then on the browser keeps
the plots and texts fresh from here, and it alone says when: ten times a second while anything moves, less often while
something is awaited, never while all stands still. A frame also says whether it fits what the script drew; where it
does not (a network has its layers now, a save has ended), the browser has the script draw once more.
"""

import secrets
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gan_core.recording.snapshot import Snapshot, View
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


MOVING_MS = 100  # from one frame to the next while anything moves
OUTDATED_MS = 1_000  # while all stands still, until the script has drawn what frames fit no more


class Shown(Protocol):
    """What can be shown: a run, a race, saved runs side by side."""

    def poll(self, view: View) -> Snapshot:
        """Its newest state, with what `view` wants to see."""
        ...


@dataclass
class Past:
    """The step that a user looks back at, None for the present, and `of` what: the era (time_machine.py) it counts in.

    The page's script and its feed hold the same one; the tab's next session after a refresh begins with a copy.
    """

    at: int | None = None
    of: str = ""


@dataclass(eq=False)
class Feed:
    """What one page shows of a run. The script sets `view` and what follows it each time that it draws.

    era: what a step of the past counts in now. figures, texts: of a snapshot, by the keys of the elements that the
    script draws with them (texts as HTML). scrubber: its key, and what it shows of a snapshot and the step looked at.
    waits: milliseconds until the next frame, 0 where none is to be expected. revision: of a snapshot, what decides how
    the rest of the page looks, which only the script draws. drawn: the revision that the script drew last, None where
    it changed meanwhile.
    """

    run: Shown
    past: Past = field(default_factory=Past)
    view: View = field(default_factory=View)
    era: str = ""
    figures: Callable[[Snapshot], dict[str, Figure]] = lambda snapshot: {}
    texts: Callable[[Snapshot], dict[str, str]] = lambda snapshot: {}
    scrubber: tuple[str, Callable[[Snapshot, int | None], dict[str, Any]]] = ("", lambda snapshot, at: {})
    waits: Callable[[Snapshot], int] = lambda snapshot: MOVING_MS if snapshot.moving else 0
    revision: Callable[[Snapshot], Hashable] = lambda snapshot: ""
    drawn: Hashable = ""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _number: int = 0
    _sent: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def at(self) -> int | None:
        """The step that the user looks back at; None for the present."""
        return self.past.at if self.past.of == self.era else None

    def look_at(self, at: int | None, of: str) -> None:
        """Looks at a step of the past from now on, None for the present, unless `of` is no more what is looked at."""
        if of == self.era:
            self.past.at, self.past.of = at, of

    def look(self) -> tuple[Snapshot, list[Any]]:
        """(the newest snapshot, its place): among frames of one feed, those with a smaller number are older."""
        with self._lock:
            snapshot = self.run.poll(replace(self.view, at=self.at))
            self._number += 1
            return snapshot, [self.token[:6], self._number]

    def shown(self, snapshot: Snapshot, place: list[Any]) -> dict[str, Any]:
        """What the page shows of it, drawn by the script or by the browser: {place, wait, texts, plots, scrubber}."""
        key, about = self.scrubber
        return {
            "place": place,
            "wait": self.waits(snapshot),
            "texts": self.texts(snapshot),
            "plots": {name: {**figure, "place": place} for name, figure in self.figures(snapshot).items()},
            "scrubber": {"key": key, "data": {**about(snapshot, self.at), "place": place}},
        }

    def frame(self) -> bytes | None:
        """The newest frame for the browser; None where there is nothing new, and something is to be expected."""
        snapshot, place = self.look()
        fits, texts = self.revision(snapshot) == self.drawn, self.texts(snapshot)
        sent, self._sent = self._sent, (snapshot.frame, texts)
        same = sent is not None and sent[0] is snapshot.frame and sent[1] == texts
        if same and fits and self.waits(snapshot):
            return None  # before the figures are made, which take longest
        shown = self.shown(snapshot, place)
        if not fits:
            shown["wait"] = shown["wait"] or OUTDATED_MS
        plots = {key: np.frombuffer(pack(figure), np.uint8) for key, figure in shown["plots"].items()}
        return pack({**shown, "plots": plots, "fits": fits})


_FEEDS: WeakValueDictionary[str, Feed] = WeakValueDictionary()  # those that some session still holds


def feed_of(run: Shown, kept: Feed | None, past: Past) -> Feed:
    """`kept` if it is of this run, else a new one; it can be asked for as long as somebody holds it."""
    feed = kept if kept is not None and kept.run is run else Feed(run)
    feed.past = past
    _FEEDS[feed.token] = feed
    return feed


async def _frame(request: Request) -> Response:
    """GET /ganscope/live/TOKEN: the newest frame, 204 where there is nothing new.

    ?of=ERA&at=STEP looks at a step of the past from now on, ?of=ERA at the present.
    """
    feed = _FEEDS.get(request.path_params["token"])
    if feed is None:
        return Response(GONE, 404, addresses.HEADERS, "text/plain")
    wanted = request.query_params
    if "of" in wanted:
        at = wanted.get("at", "")
        feed.look_at(int(at) if at.isdecimal() and len(at) < 12 else None, wanted["of"])
    content = await run_in_threadpool(feed.frame)
    if content is None:
        return Response(status_code=204, headers=addresses.HEADERS)
    # Said to be encoded, else the server would compress it: most goes over loopback, and noise does not shrink.
    head = {"content-encoding": "identity", **addresses.HEADERS}
    return Response(content, media_type="application/octet-stream", headers=head)


def routes() -> list[Route]:
    """Where the frames are asked for."""
    return [addresses.route("/ganscope/live/{token}", _frame)]
