"""Who owns which run: one hub in the server keeps every run, its lease, the spare worker and the limit.

A run belongs to a tab by a key that only that tab knows, and at any time to one session. As long as that
session is connected its worker's lease is renewed. A session that is away pauses its run within seconds; one
that comes back within a minute takes it up again, else its worker ends.
"""

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from gan_core import machine
from gan_core.client import Run, WorkerProcess
from gan_core.config import GANConfig

TICK_SECONDS = 0.5
SPARE_AFTER_SECONDS = 1.5  # lets the first page load before a process takes the cores for its imports
SPARE_AGAIN_SECONDS = 30.0  # after one that could not even start: the next would take a core for nothing, too
AWAY_PAUSE_SECONDS = 3.0
LEASE_EVERY_SECONDS = 2.0
IDLE_SECONDS = 300.0  # a run that stands still for longer gives its place to one that waits
ENDED_AWAY = "The page was away for too long, so its training was ended."
GIVEN_AWAY = (
    "Somebody waited for a training place, so this run, which stood still for five minutes, gave up its own. What was "
    "autosaved can be taken up again; the settings are kept."
)


@dataclass
class _Seat:
    run: Run
    session: str
    away_since: float | None = None
    held: bool = False
    still_since: float | None = None


class Hub:
    """All runs of this server. `is_connected(session)` says whether a session's browser is there."""

    def __init__(self, is_connected: Callable[[str], bool], limit: int | None = None, spare: bool = True):
        machine.check()
        self._is_connected = is_connected
        self.limit = machine.worker_limit() if limit is None else limit
        self._away_end = machine.away_seconds()
        self._keep_spare = spare
        self._lock = threading.RLock()
        self._seats: dict[str, _Seat] = {}
        self._queue: list[Run] = []  # those that wait for a place, the next one first
        self._visitors: dict[str, float] = {}  # session -> when it was last seen connected
        self._prewarm: GANConfig | None = None
        self._spare: WorkerProcess | None = None
        self._spare_from = 0.0
        self._spare_failed = False  # the last one ended before it was warm
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        atexit.register(self.close)

    # -- pages --------------------------------------------------------------------------------------------

    def visit(self, session: str, config: GANConfig) -> None:
        """A page is open: from now on a spare worker warms up, compiled for `config` if it is the first."""
        with self._lock:
            if not self._visitors:
                self._spare_from = time.monotonic() + SPARE_AFTER_SECONDS
            self._visitors[session] = time.monotonic()
            self._prewarm = self._prewarm or config
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()

    def take_up(self, key: str, session: str) -> Run | None:
        """The run of this key, now owned by `session`; None where there is none.

        Raises PermissionError while another connected session owns it (a duplicated tab has the same key).
        """
        with self._lock:
            seat = self._seats.get(key)
            if seat is None:
                return None
            if seat.session != session and self._is_connected(seat.session):
                raise PermissionError("another tab owns this run")
            self._back(seat, session)
            return seat.run

    def adopt(self, key: str, session: str, run: Run) -> None:
        """Keeps `run` under `key` for `session`, and under no other; another run of that key ends."""
        with self._lock:
            for other, seat in list(self._seats.items()):
                if seat.run is run or other == key:
                    del self._seats[other]
                    if seat.run is not run:
                        seat.run.end(seat.run.ended)
            self._seats[key] = _Seat(run, session)

    def knows(self, run: Run) -> bool:
        """Whether somebody owns `run`: one whose page was away for too long belongs to nobody."""
        with self._lock:
            return any(seat.run is run for seat in self._seats.values())

    def start(self, run: Run) -> int:
        """Gives `run` a worker if it has none: the spare, or a new process. Returns 0, or its place in the queue.

        Where all places are taken it waits for one; whether it then plays is up to its `wants_play`.
        """
        with self._lock:
            if run.worker is not None and run.worker.state != "gone":
                return 0
            if run not in self._queue:
                if not self._queue and self._give(run):
                    return 0
                self._queue.append(run)
            return self.place(run)

    def place(self, run: Run) -> int:
        """Its place in the queue, 1 for the next one; 0 if it does not wait."""
        with self._lock:
            return self._queue.index(run) + 1 if run in self._queue else 0

    def leave(self, run: Run) -> None:
        """Takes `run` out of the queue."""
        with self._lock:
            if run in self._queue:
                self._queue.remove(run)

    def _give(self, run: Run) -> bool:
        spare, self._spare = self._spare, None
        if spare is None or spare.state == "gone":
            if self._workers() >= self.limit:
                return False
            spare = WorkerProcess()
        run.attach(spare)
        spare.send("lease")
        return True

    def autosaved(self) -> set[str]:
        """The folders that runs are being kept in now."""
        with self._lock:
            kept = [seat.run.autosave for seat in self._seats.values() if seat.run.worker is not None]
            return {autosave["folder"] for autosave in kept if autosave is not None}

    def warmth(self) -> str:
        """Of the spare worker: `warm`, `starting` (also if it is only due), or `none`: there is no place."""
        with self._lock:
            if self._spare is not None and self._spare.state != "gone":
                return self._spare.state
            due = self._keep_spare and self._workers() < self.limit and not self._spare_failed
            return "starting" if due else "none"

    # -- the watch ----------------------------------------------------------------------------------------

    def _workers(self) -> int:
        own = sum(s.run.worker is not None and s.run.worker.state != "gone" for s in self._seats.values())
        return own + (self._spare is not None)

    def _back(self, seat: _Seat, session: str) -> None:
        seat.session, seat.away_since = session, None
        if seat.held:
            seat.held = False
            seat.run.resume()

    def _watch(self) -> None:
        next_lease = 0.0
        while not self._stop.wait(TICK_SECONDS):
            now = time.monotonic()
            renew = now >= next_lease
            if renew:
                next_lease = now + LEASE_EVERY_SECONDS
            with self._lock:
                for key in list(self._seats):
                    self._tend(key, now, renew)
                self._tend_queue(now)
                self._tend_spare(now, renew)

    def _tend(self, key: str, now: float, renew: bool) -> None:
        seat = self._seats[key]
        if self._is_connected(seat.session):
            self._back(seat, seat.session)
            if renew and seat.run.worker is not None:
                seat.run.worker.send("lease")
            return
        seat.away_since = seat.away_since or now
        if now - seat.away_since > AWAY_PAUSE_SECONDS and not seat.held:
            seat.held = True
            seat.run.hold()
        if now - seat.away_since > self._away_end:
            away = f"{ENDED_AWAY} {seat.run.afterwards()}"
            seat.run.end(away if seat.run.worker is not None else seat.run.ended)
            del self._seats[key]

    def _tend_queue(self, now: float) -> None:
        seats = {id(seat.run): seat for seat in self._seats.values()}
        for seat in seats.values():
            still = seat.run.worker is not None and not seat.run.busy
            seat.still_since = (seat.still_since or now) if still else None
        self._queue = [run for run in self._queue if id(run) in seats]
        present = [run for run in self._queue if self._is_connected(seats[id(run)].session)]
        for run in present:
            if not self._give(run):
                break
            self._queue.remove(run)
            run.resume()
        else:
            return
        idle = [seat for seat in seats.values() if seat.still_since and now - seat.still_since > IDLE_SECONDS]
        if idle:
            min(idle, key=lambda seat: seat.still_since).run.end(GIVEN_AWAY)

    def _tend_spare(self, now: float, renew: bool) -> None:
        for session in list(self._visitors):
            if self._is_connected(session):
                self._visitors[session] = now
            elif now - self._visitors[session] > self._away_end:
                del self._visitors[session]
        busy = {seat.session for seat in self._seats.values() if seat.run.worker is not None}
        waiting = any(session not in busy and seen == now for session, seen in self._visitors.items())
        spare = self._spare
        if spare is not None and spare.state == "gone":
            self._spare_failed = not spare.was_warm
            if self._spare_failed:
                self._spare_from = now + SPARE_AGAIN_SECONDS
            self._spare = spare = None
        waiting = waiting and now > self._spare_from
        if spare is None and waiting and self._keep_spare and not self._queue and self._workers() < self.limit:
            self._spare = spare = WorkerProcess(prewarm=self._prewarm)
            self._spare_failed = False
        if spare is not None and not self._visitors:
            spare.end()
            self._spare = spare = None
        if spare is not None and renew:
            spare.send("lease")

    def close(self) -> None:
        """Ends every worker; for the server's end and for tests."""
        self._stop.set()
        with self._lock:
            for seat in self._seats.values():
                seat.run.end("The server was stopped.")
            self._seats.clear()
            if self._spare is not None:
                self._spare.end()
                self._spare = None
