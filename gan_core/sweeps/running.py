"""Training what a sweep still lacks, on whatever executes it, until all is there or somebody stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from gan_core.sweeps.early_stopping import PARTS, EarlyStopping
from gan_core.sweeps.processes import Executor
from gan_core.sweeps.space import Space, Trial
from gan_core.sweeps.store import Store, Writer
from gan_core.sweeps.training import DONE, FAILED, STOPPED, Outcome, outcome_without_training

WAIT_SECONDS = 0.2  # until somebody who stops it is heard
SAY_SECONDS = 5.0
TRIES = 2  # of a trial whose process or node ended: the system may have needed its memory
LOST = "Its process ended twice without a word: killed, or out of memory."


class Progress:
    """How far it is, and how long it will take."""

    def __init__(self, total: int, done: int):
        self.total, self.done, self.before = total, done, done
        self.bad = self.stopped = 0
        self._began = time.monotonic()

    def seconds_left(self) -> float | None:
        """From the pace so far; None before the first trial has ended."""
        made = self.done - self.before
        if not made:
            return None
        return (self.total - self.done) * (time.monotonic() - self._began) / made

    def sentence(self) -> str:
        """For people."""
        left = self.seconds_left()
        bad = f", {self.bad:,} of them without scores" if self.bad else ""
        bad += f", {self.stopped:,} stopped early" if self.stopped else ""
        return f"{self.done:,} of {self.total:,} trials{bad}" + ("" if left is None else f"; {spoken(left)} left")


def spoken(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 100:
        return f"about {max(1, round(seconds))} s"
    if seconds < 6_000:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


def run(
    store: Store,
    space: Space,
    executor: Executor,
    say: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """Trains what is missing of `space`, and returns the rows of its trials in its order.

    Ends early where `stopped` becomes true; what is finished stays. Raises ConfigError where nothing can be written.
    """
    with store.writing() as writer:
        finished = {row["key"]: row for row in store.rows()[0]}
        lacking, wanted = _missing(space, finished), _keys(space)
        progress = Progress(len(wanted), sum(key in finished for key in wanted))
        if progress.done:
            say(f"{progress.done:,} of {progress.total:,} trials are there already.")
        judge = EarlyStopping(space.stop_by, list(finished.values())) if space.stop_by else None
        _fill(lacking, executor, writer, finished, progress, say, stopped, judge)
    return space.rows_of([finished[key] for key in wanted if key in finished])


def _keys(space: Space) -> list[str]:
    """Each trial's key once, in order: rounded or drawn values may give a trial twice."""
    return list(dict.fromkeys(trial.key for trial in space.trials()))


def _missing(space: Space, finished: dict[str, Any]) -> Iterator[Trial]:
    seen = set(finished)
    for trial in space.trials():
        if trial.key not in seen:
            seen.add(trial.key)
            yield trial


def outcomes(
    jobs: Iterator[Any],
    executor: Executor,
    stopped: Callable[[], bool] = lambda: False,
    each_turn: Callable[[], None] = lambda: None,
    first: list[Any] | None = None,
) -> Iterator[tuple[Any, Any]]:
    """(job, outcome) of each as it ends; None for one that lost its process TRIES times.

    stopped: ends early once true. each_turn: called every WAIT_SECONDS or sooner. first: jobs that go before all
    others; whoever takes the outcomes may add some.
    """
    again: list[Any] = [] if first is None else first  # and those that were lost with their process
    tried: dict[str, int] = {}
    running = 0
    while not stopped():
        while executor.free > 0:
            job = again.pop() if again else next(jobs, None)
            if job is None:
                break
            tried[job.key] = tried.get(job.key, 0) + 1
            executor.start(job)
            running += 1
        if not running:
            return
        for job, outcome in executor.finished(WAIT_SECONDS):
            running -= 1
            if outcome is None and tried[job.key] < TRIES:
                again.append(job)
                continue
            tried.pop(job.key)
            yield job, outcome
        each_turn()


def _fill(
    lacking: Iterator[Trial],
    executor: Executor,
    writer: Writer,
    finished: dict[str, dict[str, Any]],
    progress: Progress,
    say: Callable[[str], None],
    stopped: Callable[[], bool],
    judge: EarlyStopping | None,
) -> None:
    said, first = time.monotonic(), []

    def tell() -> None:
        nonlocal said
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            say(progress.sentence())

    jobs = lacking if judge is None else map(_up_to_next, lacking)
    for trial, outcome in outcomes(jobs, executor, stopped, tell, first):
        outcome = outcome or outcome_without_training(trial, FAILED, LOST)
        begun = outcome.begun
        if judge is not None and begun is not None:
            if not judge.stops(outcome):
                first.append(_up_to_next(replace(trial, begun=begun)))
                continue
            if trial.frames:
                outcome.run = begun.run
        if judge is not None:
            judge.note(outcome)
        _keep(outcome, writer, finished, progress)


def _up_to_next(trial: Trial) -> Trial:
    """The trial, to be handed back where it is judged next, or at its end."""
    judged = (part for part in PARTS if trial.is_ahead(part) and trial.is_before(part, 1.0))
    return replace(trial, until=next(judged, 1.0))


def _keep(outcome: Outcome, writer: Writer, finished: dict[str, dict[str, Any]], progress: Progress) -> None:
    writer.add(outcome)
    finished[outcome.row["key"]] = outcome.row
    progress.done += 1
    progress.bad += outcome.row["status"] not in (DONE, STOPPED)
    progress.stopped += outcome.row["status"] == STOPPED
