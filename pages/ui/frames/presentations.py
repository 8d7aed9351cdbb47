"""Presenting: the frames of one run, made once, for everybody who has its link. Its page is pages/watch.py.

A watcher's browser asks for the newest frame by HTTP, and is answered when there is one: no script runs for it, and
nothing that it sends reaches the run.
"""

import asyncio
import gzip
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gan_core.recording.recorder import Timeline
from gan_core.recording.snapshot import Snapshot
from gan_core.serving.client import Run
from gan_core.serving.copies import Copies
from pages.ui.components.liveplot import pack
from pages.ui.frames.feed import STATUS
from pages.ui.frames.hall import Hall
from pages.ui.frames.polls import MOST_WATCHERS, Poll
from pages.ui.server import addresses

FRAME_SECONDS = 0.2
HELD_SECONDS = 10.0  # a request waits this long for a newer frame
AWAY_SECONDS = 15.0  # who has asked for nothing since then watches no more
IDLE_SECONDS = 1.0  # between two frames that nobody watches, which are kept for the past
ENDED_SECONDS = 120.0  # a run without a training process ends its presentation
PAST_FRAMES, PAST_BYTES = 160, 16_000_000
MOST_SHOWS = 100
ENDED = "This presentation has ended, or the link is incomplete."
ABOUT = "You are watching a live run. You can zoom, switch layers and look back. Only the presenter controls it."

_LOGGER = logging.getLogger(__name__)


@dataclass
class Show:
    """One presentation. token: its unguessable name. display: what the presenter's page shows (display.Display), with
    its scores as HTML; both known from the page's next drawing."""

    run: Run
    display: Any = None
    scores: Callable[[Snapshot], str] | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    number: int = 0
    content: bytes = b""
    made: float = 0.0
    past: Timeline = field(default_factory=lambda: Timeline(PAST_FRAMES, PAST_FRAMES // 2, PAST_BYTES))
    ended: bool = False
    hall: Hall = field(default_factory=Hall)
    copies: Copies = field(init=False)
    _seen: dict[str, float] = field(default_factory=dict)
    failure: str = ""  # why the last frame could not be made
    _drawn: tuple[Any, ...] = ()
    _idle_since: float | None = None

    def __post_init__(self) -> None:
        self.copies = Copies(self.run)

    def heard(self, watcher: str) -> None:
        """A watcher asks."""
        name = watcher[:40]
        if name in self._seen or len(self._seen) < MOST_WATCHERS:
            self._seen[name] = time.monotonic()

    def watchers(self) -> int:
        """How many watch now."""
        limit = time.monotonic() - AWAY_SECONDS
        self._seen = {name: at for name, at in list(self._seen.items()) if at > limit}
        return len(self._seen)

    def refresh(self) -> None:
        """Makes the next frame, if there is something new; the round of the hall goes on."""
        if self.display is None:
            return
        self.run.judge = self.hall.wish
        snapshot = self.run.snapshot()
        if snapshot.moving or self.run.judge:
            snapshot = self.run.refresh(FRAME_SECONDS)  # if the presenter's own page, or tab, is out of sight
        self.hall.tick(snapshot)
        self._idle_since = None if self.run.worker is not None else self._idle_since or time.monotonic()
        if self._idle_since is not None and time.monotonic() - self._idle_since > ENDED_SECONDS:
            self.ended = True
        drawn = (snapshot.frame, snapshot.status, snapshot.config, self.display)
        if self._drawn and drawn[0] is self._drawn[0] and drawn[1:] == self._drawn[1:]:
            return
        self._drawn = drawn
        step = snapshot.shown
        if self.past.steps and snapshot.step < self.past.steps[-1]:
            self.past = self.past.until(-1)  # reset
        content = self._packed(snapshot, self.number + 1)
        due = step == snapshot.step and step >= self.past.due and "metrics" in snapshot.frame
        if due:
            self.past.add(step, np.frombuffer(content, np.uint8))
        self.content, self.made = content, time.monotonic()
        self.number += 1  # last: whoever waits for it takes the content at once

    def _packed(self, snapshot: Snapshot, number: int) -> bytes:
        panels = {**self.display.stills(snapshot), **self.display.panels(snapshot)}
        about = {
            "number": number,
            "at": round(time.time(), 3),
            "step": snapshot.step,
            "shown": snapshot.shown,
            "past": np.array(self.past.steps, np.int32),
            "status": f"{STATUS[snapshot.status]} · {snapshot.config.data} · seed {snapshot.config.seed}",
            "rate": round(float(snapshot.steps_per_second), 1),
            "scores": "" if self.scores is None else self.scores(snapshot),
            "panels": {name: np.frombuffer(pack(figure), np.uint8) for name, figure in panels.items()},
        }
        return gzip.compress(pack(about), 1)

    def end(self) -> None:
        """Nobody watches any more, so nothing is made for it."""
        self.ended = True
        self.run.judge = 0

    def at(self, step: int) -> bytes:
        """The newest kept frame up to `step`, else the newest of all."""
        found = self.past.at(step)
        return self.content if found is None else found[1].tobytes()


class Shows:
    """All presentations of this server; a thread refreshes them, those that nobody watches once a second."""

    def __init__(self) -> None:
        self._shows: dict[str, Show] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self, run: Run) -> Show:
        """A new presentation of `run`, or the one that it has."""
        with self._lock:
            show = self._of(run)
            if show is None:
                while len(self._shows) >= MOST_SHOWS:
                    self._shows.pop(next(iter(self._shows))).end()
                show = Show(run)
                self._shows[show.token] = show
            self._keep_fresh()
            return show

    def _keep_fresh(self) -> None:
        """Starts the thread if there is something to show and none; with the lock."""
        if self._shows and (self._thread is None or not self._thread.is_alive()):
            thread = threading.Thread(target=self._work, daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # "can't start new thread": the next one who asks for a frame tries again
                _LOGGER.exception("the frames of presentations cannot be made now")

    def _of(self, run: Run) -> Show | None:
        return next((show for show in self._shows.values() if show.run is run), None)

    def of(self, run: Run) -> Show | None:
        """The presentation of `run`, if there is one."""
        with self._lock:
            return self._of(run)

    def ask(self, run: Run, poll: Poll) -> bool:
        """Opens a poll among those who watch `run`; whether it is presented at all.

        `of(run).hall` then closes it, and marks what happened.
        """
        show = self.of(run)
        if show is not None:
            show.hall.ask(poll)
        return show is not None

    def get(self, token: str) -> Show | None:
        """The presentation with this link."""
        with self._lock:
            self._keep_fresh()
            return self._shows.get(token)

    def end(self, show: Show) -> None:
        """Ends a presentation: its link is of no use any more."""
        show.end()
        with self._lock:
            self._shows.pop(show.token, None)

    def _work(self) -> None:
        while True:
            time.sleep(FRAME_SECONDS)
            with self._lock:
                shows = list(self._shows.values())
                if not shows:
                    self._thread = None
                    return
            for show in shows:
                try:
                    if show.watchers() or time.monotonic() > show.made + IDLE_SECONDS:
                        show.refresh()
                        show.failure = ""
                except Exception as error:  # one frame less; the other presentations go on
                    if repr(error) != show.failure:  # ten tries a second would fill the log
                        _LOGGER.exception("a frame of a presentation could not be made")
                    show.failure = repr(error)
                if show.ended:
                    self.end(show)


SHOWS = Shows()


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1


async def _frames(request: Request) -> Response:
    """GET /ganscope/frames/TOKEN?after=NUMBER: the newest frame, once it is newer; ?at=STEP: one of the past.

    Its header ganscope-hall is the revision of what the hall is told (hall_requests.py). One who says the last that was
    heard of, ?hall=REVISION, is answered at once where there is another.
    """
    show = SHOWS.get(request.path_params["token"])
    asked = request.query_params
    if show is not None:
        show.heard(asked.get("watcher", ""))
        after, until = _number(asked.get("after")), time.monotonic() + HELD_SECONDS
        heard = _number(asked.get("hall"))
        while show.number <= max(after, 0) and not show.ended and time.monotonic() < until:
            if heard not in (-1, show.hall.revision):
                break
            await asyncio.sleep(0.04)
    if show is None or show.ended:
        return Response(ENDED, 404, addresses.HEADERS, "text/plain")
    own = {**addresses.HEADERS, "ganscope-hall": str(show.hall.revision)}
    if show.number <= max(after, 0):
        return Response(status_code=204, headers=own)
    content = show.at(_number(asked["at"])) if "at" in asked else show.content
    # Compressed once for all, so the server's own compression leaves it alone.
    head = {"content-encoding": "gzip", **own}
    return Response(content, media_type="application/octet-stream", headers=head)


def routes() -> list[Route]:
    """Where the frames are asked for."""
    return [addresses.route("/ganscope/frames/{token}", _frames)]
