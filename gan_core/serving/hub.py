"""Who owns which run: one hub in the server keeps every run, its lease, the spare worker and the limit.

A run belongs to a tab by a key that only that tab knows, and at any time to one session. As long as that session is
connected its lease is renewed; away for seconds its run pauses, and after a minute without it its worker ends.

All pages of the server stand on one thread here. So nothing that can take long (starting a process, ending a run) is
done while the lock is held, and whatever goes wrong with one run is logged and stays with that run.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from gan_core.foundations import machine
from gan_core.serving import forking
from gan_core.serving.client import Run
from gan_core.serving.guard import Guard
from gan_core.serving.places import places
from gan_core.serving.visitors import Visitors
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.config import GANConfig

TICK_SECONDS = 0.5
SPARE_AFTER_SECONDS = 1.5  # lets the first page load before a process takes the cores for its imports
SPARE_AGAIN_SECONDS = 30.0  # after one that could not even start: the next would take a core for nothing, too
START_SECONDS = 10.0  # for the system to make a process, which then warms up by itself
START_AGAIN_SECONDS = 3.0  # after a process that the system refused, while a run waits for it
AWAY_PAUSE_SECONDS = 3.0
LEASE_EVERY_SECONDS = 2.0
HIDDEN_SECONDS = 30.0  # whether a run still trains is asked at least so often: nobody may look at its page
IDLE_SECONDS = 300.0  # a run that stands still for longer gives its place to one that waits
ENDED_AWAY = "The page was away for too long, so the server stopped its training."
GIVEN_AWAY = "This run was paused for five minutes while others were waiting, so the server stopped it."
STOPPED = "The server was stopped."
REFUSED = "The computer cannot start another training process now ({}). GANscope tries again every few seconds."

_LOGGER = logging.getLogger(__name__)


@dataclass
class _Seat:
    run: Run
    session: str
    away_since: float | None = None
    held: bool = False
    still_since: float | None = None


class Hub:
    """All runs of this server. `is_connected(session)` says whether a session's browser is there."""

    def __init__(self, is_connected: Callable[[str], bool], limit: int | None = None, spare: bool | None = None):
        machine.check()
        self._is_connected = is_connected
        self._places = places(limit)
        self._away_end = machine.away_seconds()
        self._keep_spare = machine.keeps_spare() if spare is None else spare
        self._lock = threading.RLock()
        self._given = threading.Condition(self._lock)
        self._seats: dict[str, _Seat] = {}
        self._queue: list[Run] = []  # those that wait for a place, the next one first
        self._starting: list[Run | None] = []  # whose process is being started now; None: the spare's
        self._refused = ""  # why the system gave no process when one was last wanted
        self._start_from = self._give_away_from = 0.0
        self._visitors = Visitors(is_connected, self._away_end)
        self._prewarm: GANConfig | None = None
        self._spare: WorkerProcess | None = None
        self._spare_from = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._guard = Guard("the hub's watch")
        atexit.register(self.close)

    # -- pages --------------------------------------------------------------------------------------------

    def visit(self, session: str, config: GANConfig) -> None:
        """A page is open: from now on a spare worker warms up, compiled for `config` if it is the first."""
        with self._lock:
            if not self._visitors:
                self._spare_from = time.monotonic() + SPARE_AFTER_SECONDS
            self._visitors.come(session)
            self._prewarm = self._prewarm or config
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._watch, daemon=True)
                try:
                    thread.start()
                    self._thread = thread
                except RuntimeError:  # "can't start new thread": the next page that is drawn tries again
                    _LOGGER.exception("the hub's watch could not be started")

    def take_up(self, key: str, session: str, alone: bool = False) -> Run | None:
        """The run of this key, now owned by `session`; None where there is none.

        Raises PermissionError while another connected session owns it: a duplicated tab has the same key, but so has a
        tab whose old connection nobody has missed yet. alone: the browser knows that no other page has it.
        """
        with self._lock:
            if (seat := self._seats.get(key)) is None:
                return None
            if not alone and seat.session != session and self._is_connected(seat.session):
                raise PermissionError("another tab owns this run")
            self._back(seat, session)
            return seat.run

    def adopt(self, key: str, session: str, run: Run) -> None:
        """Keeps `run` under `key` for `session`, and under no other; another run of that key ends."""
        before: list[Run] = []
        with self._lock:
            for other, seat in list(self._seats.items()):
                if seat.run is run or other == key:
                    del self._seats[other]
                    if seat.run is not run:
                        before.append(seat.run)
            self._seats[key] = _Seat(run, session)
        for other in before:
            other.end(other.ended)

    def knows(self, run: Run) -> bool:
        """Whether somebody owns `run`: one whose page was away for too long belongs to nobody."""
        with self._lock:
            return any(seat.run is run for seat in self._seats.values())

    def start(self, run: Run) -> int:
        """Gives `run` a worker if it has none: the spare, or a new process. Returns 0, or its place in the queue: there
        it waits where all places are taken, or the system gives no process. `wants_play` says whether it then plays.
        """
        with self._lock:
            self._given.wait_for(lambda: run not in self._starting, START_SECONDS)  # two clicks at once
            if _has_worker(run) or run in self._starting:
                return 0
            if run in self._queue or self._queue or not self._reserve(run):
                if run not in self._queue:
                    self._queue.append(run)
                return self.place(run)
            spare = self._taken_spare()
        self._give(run, spare)
        return self.place(run)

    def place(self, run: Run) -> int:
        """Its place in the queue, 1 for the next one; 0 if it does not wait."""
        with self._lock:
            return self._queue.index(run) + 1 if run in self._queue else 0

    def waits(self, run: Run) -> bool:
        """Whether a process is to come by itself: in the queue, or while it is being started."""
        with self._lock:
            return run in self._queue or run in self._starting

    def leave(self, run: Run) -> None:
        """Takes `run` out of the queue."""
        with self._lock:
            self._queue = [other for other in self._queue if other is not run]

    def hindrance(self) -> str:
        """Why no run gets a process though there are places (or why there are none), else ""."""
        return self._refused or self._places.trouble()

    def _reserve(self, run: Run) -> bool:
        """Keeps a place for a run whose worker comes at once; with the lock."""
        free = self._has_room() or (self._spare is not None and self._spare.state != "gone")
        if free:
            self._starting.append(run)
        return free

    def _taken_spare(self) -> WorkerProcess | None:
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.state != "gone" else None

    def _give(self, run: Run, worker: WorkerProcess | None) -> bool:
        """Gives a run whose place is reserved this worker, or a new one; without the lock. False: back to the queue."""
        try:
            worker = worker or self._new_worker()
            if worker is not None:
                run.attach(worker)
                worker.send("lease")
        finally:
            with self._lock:
                self._starting.remove(run)
                if worker is None and run not in self._queue:
                    self._queue.insert(0, run)
                self._given.notify_all()
        if self._stop.is_set():
            run.end(STOPPED)
        return worker is not None

    def _new_worker(self, prewarm: GANConfig | None = None) -> WorkerProcess | None:
        """A process; None, with the reason in `hindrance`, where the system gives none."""
        try:
            worker = WorkerProcess(prewarm=prewarm)
        except (OSError, MemoryError) as error:
            _LOGGER.exception("a training process could not be started")
            self._refused = REFUSED.format(getattr(error, "strerror", None) or error or "out of memory")
            self._start_from = time.monotonic() + START_AGAIN_SECONDS
            return None
        self._refused = ""
        return worker

    def autosaved(self) -> set[str]:
        """The folders that runs are being kept in now."""
        with self._lock:
            kept = [seat.run.autosave for seat in self._seats.values() if seat.run.worker is not None]
            return {folder for autosave in kept if autosave is not None for folder in autosave["folders"]}

    # -- the watch ----------------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        """Whether one more process would find a place, by a snapshot of a moment; with the lock."""
        there = [seat.run.worker for seat in self._seats.values() if seat.run not in self._starting]
        states = [worker.state for worker in (*there, self._spare) if worker is not None and worker.state != "gone"]
        states += ["starting"] * len(self._starting)
        return self._places.has_room(len(states), states.count("starting"))

    def _back(self, seat: _Seat, session: str) -> None:
        held, seat.session, seat.away_since, seat.held = seat.held, session, None, False
        if held:
            seat.run.resume()

    def _watch(self) -> None:
        next_lease = 0.0
        while not self._stop.wait(TICK_SECONDS):
            now = time.monotonic()
            renew = now >= next_lease
            if renew:
                next_lease = now + LEASE_EVERY_SECONDS
            for key in list(self._seats):
                self._guard.run("a run", self._tend, key, now, renew)
            self._guard.run("the queue", self._tend_queue, now)
            self._guard.run("the spare process", self._tend_spare, now, renew)

    def _tend(self, key: str, now: float, renew: bool) -> None:
        with self._lock:
            seat = self._seats.get(key)
            if seat is None:
                return
            here, worker = self._is_connected(seat.session), seat.run.worker
            if here:
                self._back(seat, seat.session)
                if renew and worker is not None:
                    worker.send("lease")
        if not here:
            self._tend_absent(key, seat, now)
        elif seat.run.busy:
            seat.run.refresh(HIDDEN_SECONDS)

    def _tend_absent(self, key: str, seat: _Seat, now: float) -> None:
        ending = False
        with self._lock:
            if self._seats.get(key) is not seat or self._is_connected(seat.session):
                return  # it came back just now
            seat.away_since = seat.away_since or now
            if now - seat.away_since > AWAY_PAUSE_SECONDS and not seat.held:
                seat.held = True
                seat.run.hold()
            if now - seat.away_since > self._away_end:
                ending = True
                del self._seats[key]
        if ending:
            away = f"{ENDED_AWAY} {seat.run.afterwards()}"
            seat.run.end(away if seat.run.worker is not None else seat.run.ended)

    def _tend_queue(self, now: float) -> None:
        for run in self._next_in_queue(now):
            with self._lock:
                if run not in self._queue or not self._reserve(run):
                    continue
                self._queue.remove(run)
                spare = self._taken_spare()
            if not self._give(run, spare):
                return
            run.resume()
        with self._lock:
            waits = any(self._is_present(run) for run in self._queue)
            idle = [s for s in self._seats.values() if s.still_since and now - s.still_since > IDLE_SECONDS]
        if waits and idle and not self.hindrance() and now > self._give_away_from:
            self._give_away_from = now + self._places.lag_seconds  # else all would go for one that waits
            run = min(idle, key=lambda seat: seat.still_since or now).run
            run.end(f"{GIVEN_AWAY} {run.afterwards()}")

    def _next_in_queue(self, now: float) -> list[Run]:
        """Those that wait and are there, in their order, if it is time to give out places."""
        with self._lock:
            for seat in self._seats.values():
                still = seat.run.worker is not None and not seat.run.busy
                seat.still_since = (seat.still_since or now) if still else None
            owned = [seat.run for seat in self._seats.values()]
            self._queue = [run for run in self._queue if run in owned]
            if not self._queue:
                self._refused = ""
            return [run for run in self._queue if self._is_present(run)] if now > self._start_from else []

    def _is_present(self, run: Run) -> bool:
        return any(seat.run is run and self._is_connected(seat.session) for seat in self._seats.values())

    def _tend_spare(self, now: float, renew: bool) -> None:
        ending = None
        with self._lock:
            busy = {seat.session for seat in self._seats.values() if seat.run.worker is not None}
            waiting = bool(self._visitors.present(now) - busy)
            if self._spare is not None and self._spare.state == "gone":
                if not self._spare.was_warm:
                    self._spare_from = now + SPARE_AGAIN_SECONDS
                self._spare = None
            wanted = self._spare is None and waiting and now > self._spare_from and self._keep_spare and not self._queue
            wanted = wanted and self._has_room()
            if wanted:
                self._starting.append(None)
            if self._spare is not None and not self._visitors:
                ending, self._spare = self._spare, None
            if self._spare is not None and renew:
                self._spare.send("lease")
        if ending is not None:
            ending.end()
        if wanted:
            self._start_spare()
        if not self._visitors:
            forking.the_forking.rest()

    def _start_spare(self) -> None:
        spare = None
        try:
            spare = self._new_worker(self._prewarm)
        finally:
            with self._lock:
                self._starting.remove(None)
                self._spare = spare
                if spare is None:
                    self._refused = ""  # nobody has asked for it
                    self._spare_from = time.monotonic() + SPARE_AGAIN_SECONDS
        if spare is not None and self._stop.is_set():
            spare.end()

    def close(self) -> None:
        """Ends every worker; for the server's end and for tests."""
        self._stop.set()
        self._places.close()
        with self._lock:
            seats, spare, self._spare = list(self._seats.values()), self._spare, None
            self._seats.clear()
        for seat in seats:
            seat.run.end(STOPPED)
        if spare is not None:
            spare.end()


def _has_worker(run: Run) -> bool:
    worker = run.worker
    return worker is not None and worker.state != "gone"
