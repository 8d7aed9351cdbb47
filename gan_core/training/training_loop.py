"""The loop that takes steps: `fit`, and `Pace`, how many of them at a time.

The training process of a page takes its chunks by the same `Pace`, but between the messages that it gets.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

CHUNK_SECONDS = 0.04  # after which whoever looks at a run is answered
SLOW_CHUNK_SECONDS = 0.1  # for two or three slow steps: one by one they cannot overlap, a sixth slower for convolutions
ALONE_SECONDS = 0.1  # where nobody waits for an answer
RATE_WINDOW = 1.5  # seconds over which steps/s are measured


class Trainable(Protocol):
    """What takes steps: a Trainer, or a TrainingRun, which records them."""

    @property
    def step(self) -> int:
        """Steps done."""
        ...

    def take(self, most: int) -> np.ndarray | None:
        """Takes 1 to `most` steps: their rows, or None where it stands still for good."""


class Pace:
    """How many steps may be taken now: none waits, a chunk lasts about `chunk` seconds, a chosen speed is kept."""

    def __init__(self, chunk: float = CHUNK_SECONDS) -> None:
        self.chunk = chunk
        self.speed = 0.0  # steps/s, 0 for as fast as it goes
        self.trainings = 1  # that share a chunk: each call costs a millisecond by itself
        self.rate = 100.0  # measured steps/s within a chunk
        self._allowed, self._since = 1.0, time.monotonic()

    def restart(self) -> None:
        """From standing still: the first step comes at once."""
        self._allowed, self._since = 1.0, time.monotonic()

    def steps(self, most: int) -> int:
        """Steps to take in the next chunk, 0 if it is too early."""
        chunk = int(self.rate * self.chunk * self.trainings)
        if chunk < 3:
            chunk = min(3, int(self.rate * SLOW_CHUNK_SECONDS))
        chunk = max(1, min(most, chunk))
        if self.speed <= 0:
            return chunk
        now = time.monotonic()
        self._allowed = min(self._allowed + (now - self._since) * self.speed, max(1.0, self.speed * 0.2))
        self._since = now
        n = min(chunk, int(self._allowed))
        self._allowed -= n
        return n

    def measured(self, n: int, seconds: float) -> None:
        """Learns from a chunk of n steps."""
        rate = n / max(seconds, 1e-6)
        # Grow by at most 4 at a time: the first chunk of a fresh function can mislead.
        self.rate = min(0.5 * self.rate + 0.5 * rate, 4 * self.rate)


class StepRate:
    """Steps per second over the last moments."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()

    def clear(self) -> None:
        """From standing still: what was measured before counts no more."""
        self._recent.clear()

    def begin(self, seconds: float, step: int) -> None:
        """The first chunk after standing still begins now, at `step`."""
        if not self._recent:
            self._recent.append((seconds, step))

    def at(self, seconds: float, step: int) -> None:
        """A chunk ended at this time, at `step`."""
        self._recent.append((seconds, step))
        while seconds - self._recent[0][0] > RATE_WINDOW and len(self._recent) > 2:
            self._recent.popleft()

    def steps_per_second(self) -> float:
        """0.0 before the first chunk's end."""
        if len(self._recent) < 2:
            return 0.0
        (t0, s0), (t1, s1) = self._recent[0], self._recent[-1]
        return (s1 - s0) / max(t1 - t0, 1e-6)


def fit(
    run: Trainable,
    steps: int | None = None,
    seconds: float | None = None,
    on_chunk: Callable[[np.ndarray], None] | None = None,
    pace: Pace | None = None,
) -> float:
    """Takes the run to step `steps`, or trains it for `seconds`, whichever is less; returns the seconds of training.

    on_chunk: is given the rows of each chunk, float32 [n, len(COLUMNS)]; its own time does not count, and what it
    raises ends the training. pace: one that knows the run's speed already. Ends, too, where the run stands still for
    good (a TrainingRun whose `error` says why); a Trainer raises Diverged. ValueError where neither limit is given.
    """
    from gan_core.training.train_step import ROWS

    if steps is None and seconds is None:
        raise ValueError("fit needs a number of steps or of seconds")
    pace, elapsed = pace or Pace(ALONE_SECONDS), 0.0
    while (steps is None or run.step < steps) and (seconds is None or elapsed < seconds):
        n = max(1, pace.steps(ROWS))
        if steps is not None:
            n = min(n, steps - run.step)
        if seconds is not None:
            n = max(1, min(n, int(pace.rate * (seconds - elapsed))))
        before = time.perf_counter()
        rows = run.take(n)
        spent = time.perf_counter() - before
        elapsed += spent
        if rows is None:
            break
        pace.measured(len(rows), spent)
        if on_chunk is not None:
            on_chunk(rows)
    return elapsed
