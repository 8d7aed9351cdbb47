"""The coach beside a run: when it looks at one that trains, and what it says of a recording, now or at a step before.

Plain NumPy, so that the server says it of saved runs without TensorFlow.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from gan_core.diagnosis.coach import Coach, findings
from gan_core.diagnosis.facts import Recorded
from gan_core.recording.recorder import Recording
from gan_core.settings.config import GANConfig

SHARE = 0.01  # of the training time, at most, goes into looking
EVERY_SECONDS = 0.5  # from one look to the next where no new scores ask for one
UNFIT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)  # what junk among the scores may raise


def recorded(config: GANConfig, recording: Recording, diverged: bool = False, at: int | None = None) -> Recorded:
    """What the coach, and conditions, know of a recording. at: the step looked at, None for the newest."""
    scores = [{**item, "step": step} for step, item in zip(recording.scores.steps, recording.scores.items, strict=True)]
    return Recorded(config, recording.history.frame(), scores, recording.judged(), diverged, at)


def states(config: GANConfig, recording: Recording, diverged: bool = False, at: int | None = None) -> list[dict]:
    """The findings, as frames hold them, the most serious first; none where scores of a file are not as scores are."""
    with contextlib.suppress(*UNFIT):
        return [finding.state() for finding in findings(recorded(config, recording, diverged, at))]
    return []


def marks_of(config: GANConfig, recording: Recording) -> list[dict[str, Any]]:
    """What the coach would have found of a recording that was made without one, had it looked with each score."""
    coach = Coach()
    with contextlib.suppress(*UNFIT):
        for step in recording.scores.steps:
            coach.look(recorded(config, recording, at=step))
    return coach.marks


class Coaching:
    """The coach of one run that trains, on a budget of time; its marks are the recording's.

    seconds: that its looks have taken. states: the findings of the last one, as frames hold them.
    """

    def __init__(self, recording: Recording):
        self._recording = recording
        self._coach = Coach(recording.marks)
        self.seconds = 0.0
        self.states: list[dict[str, Any]] = []
        self._of: tuple[Any, ...] = ()
        self._last, self._next = -EVERY_SECONDS, 0.0
        self._then: tuple[Any, list[dict[str, Any]]] = (None, [])

    @property
    def names(self) -> frozenset[str]:
        """The kinds of the findings of the last look."""
        return frozenset(finding.name for finding in self._coach.now)

    def look(self, config: GANConfig, error: str, at_once: bool) -> None:
        """Looks again if something has changed since the last time, and the budget allows, or `at_once`.

        error: why the run stands still for good, "" where it does not.
        """
        recording, now = self._recording, time.monotonic()
        of = recording.history.steps, recording.scores.steps[-1:], config, error
        if of == self._of:
            return
        news = not self._of or of[1] != self._of[1]
        if not at_once and now < (self._next if news else max(self._next, self._last + EVERY_SECONDS)):
            return
        self.states = []
        with contextlib.suppress(*UNFIT):  # training goes on without a coach
            found = self._coach.look(recorded(config, recording, diverged=bool(error)))
            self.states = [finding.state() for finding in found]
        recording.marks = self._coach.marks
        self._of, self._last = of, time.monotonic()
        self.seconds += self._last - now
        self._next = self._last + (self._last - now) / SHARE

    def at(self, step: int, config: GANConfig) -> list[dict[str, Any]]:
        """The findings as they were at `step`; the same as before where nothing new is known of it."""
        of = step, config, tuple(self._recording.scores.steps[-1:]), self._recording.history.stride
        if self._then[0] != of:
            self._then = of, states(config, self._recording, at=step)
        return self._then[1]
