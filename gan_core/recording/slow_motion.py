"""Slow motion: a run's next step, phase by phase, about a second each.

The step is the run's own: it is taken once, by the trainer, where its last phase begins. Before, and after, phases are
only looked at.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_core.recording.training_run import TrainingRun
    from gan_core.training.dissection import Dissected
    from gan_core.training.updates import State

PHASE_SECONDS = 1.25


@dataclass(frozen=True)
class Shown:
    """The phase that is looked at.

    updates: of the step's networks, in their order. place: of the update among them; phase: one of its phases. number,
    of: of the phase among all of the step, from 1. step: that the run stood at before. taken: whether the step is.
    """

    updates: tuple[Dissected, ...]
    place: int
    phase: str
    number: int
    of: int
    step: int
    taken: bool

    @property
    def update(self) -> Dissected:
        """The update whose phase it is."""
        return self.updates[self.place]

    @property
    def state(self) -> State:
        """The run's state in this phase: an update acts in its last one."""
        return self.update.after if self.phase == "update" else self.update.before


class SlowMotion:
    """The steps of one training run, by phases."""

    def __init__(self, training: TrainingRun):
        self._training = training
        self._pool = ThreadPoolExecutor(1, "dissection")  # a step's first dissection takes seconds
        self._coming: Future | None = None  # the dissection of what `_of` names
        self._updates: tuple[Dissected, ...] = ()
        self._of: tuple[Any, Any] = (None, None)  # the state and the live settings that are, or will be, dissected
        self._place = 0  # among all phases
        self._step, self._taken = 0, False
        self._due = 0.0

    # -- where it stands ----------------------------------------------------------------------------------

    def _now(self) -> tuple[Any, Any]:
        trainer = self._training.trainer
        return trainer.state, trainer.live

    def _current(self) -> bool:
        """Whether what is, or will be, known is of the run as it stands; a step or a setting may have come between."""
        return all(known is present for known, present in zip(self._of, self._now(), strict=True))

    def _all(self) -> list[tuple[int, str]]:
        return [(i, phase) for i, update in enumerate(self._updates) for phase in update.phases]

    @property
    def preparing(self) -> bool:
        """Whether a step is being dissected."""
        return self._coming is not None and self._current()

    @property
    def shown(self) -> Shown | None:
        """The phase that is looked at; None where none is, or where the run has gone on since."""
        if not self._updates or not self._current():
            return None
        every = self._all()
        place, phase = every[self._place]
        return Shown(self._updates, place, phase, self._place + 1, len(every), self._step, self._taken)

    # -- going on -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Has the next step dissected, if that is not under way."""
        if self.preparing:
            return
        from gan_core.training.dissection import dissection

        trainer = self._training.trainer
        self._of, self._updates, self._taken, self._step = self._now(), (), False, trainer.step
        self._coming = self._pool.submit(dissection(trainer))

    def _take(self) -> None:
        """Takes over what has been dissected. Raises what dissecting it raised."""
        coming = self._coming
        if coming is None or not coming.done():
            return
        self._coming = None
        if self._current():
            self._updates, self._place = tuple(coming.result()), 0
            self._due = time.monotonic() + PHASE_SECONDS

    def refresh(self) -> None:
        """Takes note of what was computed meanwhile, and forgets what is of a run that has gone on since."""
        self._take()
        if self._coming is None and not self._current():
            self._updates, self._of = (), (None, None)  # they hold all the weights around each update

    def move(self, by: int) -> None:
        """A phase forwards (1) or backwards (-1); after the last one, the first of the next step. The step is taken
        where its last phase begins."""
        self._take()
        if self.shown is None:
            self._begin()
            return
        if by > 0 and self._place == len(self._all()) - 1:
            self._begin()
            return
        self._place = max(0, self._place + by)
        if self._place == len(self._all()) - 1 and not self._taken:
            self._training.until_due(1)  # the frame of where the run begins
            if self._training.train(1) is None:
                self._updates = ()  # it diverged, and the run says so
                return
            self._taken, self._of = True, self._now()

    def tick(self) -> None:
        """Goes on by itself, a phase every PHASE_SECONDS; the first of a step is shown, however busy the machine."""
        waited = self.shown is None
        self._take()
        if self.shown is None:
            self._begin()
        elif not waited and time.monotonic() >= self._due:
            self.move(1)
            self._due = time.monotonic() + PHASE_SECONDS
