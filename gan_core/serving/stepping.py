"""Play, pause and step, as the training process does them between two messages."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.serving.breakpoints import Breakpoints
from gan_core.serving.mailbox import Mailbox
from gan_core.training.training_loop import Pace, StepRate

if TYPE_CHECKING:
    from gan_core.recording.slow_motion import SlowMotion
    from gan_core.recording.training_run import TrainingRun

ALL_DIVERGED = "All runs of this race diverged. Start a new race with lower learning rates."


class Stepping:
    """Takes the steps that were asked for. Several trainings are a race: they take the same steps by turns."""

    def __init__(self, mail: Mailbox):
        self._mail = mail
        self._pace = Pace()
        self._compiling: list[Future] = []  # what runs the first steps
        self._trainings: list[TrainingRun] = []
        self._playing = False
        # Steps still to take for Step: how many, and of which network alone, "g" or "d"; "" for both.
        self._wanted: deque[tuple[int, str]] = deque()
        self._slow = False  # whether Play goes phase by phase
        self._phases: deque[int] = deque()  # phases still to go in slow motion, 1 on or -1 back each
        self._slow_motion: SlowMotion | None = None  # of the one training, once that is wanted
        self._error: str | None = None
        self._breakpoints = Breakpoints()
        self._hit: dict[str, Any] | None = (
            None  # the breakpoint that it stands at: its `step`, and what is `said` of it
        )
        self._rate = StepRate()

    def _busy(self) -> bool:
        return (self._playing or bool(self._wanted or self._phases)) and bool(self._trainings) and self._mail.leased()

    def _compiled(self) -> bool:
        return bool(self._compiling) and all(future.done() for future in self._compiling)

    def _ready(self) -> bool:
        """Whether a step can be taken at once."""
        return self._compiled() and all(training.trainer.at_once(1) for training in self._trainings)

    def _patience(self) -> float:
        if self._busy() and self._ready():
            if self._phases or (self._playing and self._slow):
                return 0.02
            return 0.0 if self._wanted or self._pace.speed <= 0 else 0.005
        return 0.02 if self._busy() else 0.5

    # -- commands -----------------------------------------------------------------------------------------

    def _on_play(self, _) -> None:
        if not self._trainings:
            return  # what was asked for could not be built, and the error says why
        self._playing = self._forgive()
        self._rate.clear()
        self._pace.restart()

    def _on_pause(self, _) -> None:
        self._stop()
        self._stood_still()

    def _on_step(self, body: dict[str, Any]) -> None:
        """{n, alone}: so many steps more, of both networks ("") or with one of them, "g" or "d", alone."""
        if not self._trainings:
            return
        self._playing = False
        if self._forgive():
            self._wanted.append((body["n"], body["alone"]))

    def _on_breakpoints(self, wanted: list[dict[str, Any]]) -> None:
        """All of them, as serving/breakpoints.py reads them."""
        self._breakpoints.set(wanted, self._trainings)

    def _on_slow(self, slow: bool) -> None:
        self._slow = slow
        self._rate.clear()
        self._pace.restart()

    def _on_phase(self, by: int) -> None:
        """A phase on (1) or back (-1) in slow motion, standing still."""
        self._playing = False
        if len(self._trainings) == 1 and self._forgive():
            self._phases.append(by)

    def _slowly(self) -> SlowMotion:
        if self._slow_motion is None:
            from gan_core.recording.slow_motion import SlowMotion

            self._slow_motion = SlowMotion(self._trainings[0])
        return self._slow_motion

    def _forgive(self) -> bool:
        """A run that diverged may try again; whether there is one that may. In a race it may not: it stands at an
        earlier step than the others, which go on in step."""
        self._error = self._hit = None
        if len(self._trainings) == 1:
            self._trainings[0].error = ""
        elif all(training.error for training in self._trainings):
            self._error = ALL_DIVERGED
        return self._error is None

    def _stop(self) -> None:
        self._playing = False
        self._wanted.clear()
        self._phases.clear()

    def _on_speed(self, speed: float) -> None:
        self._pace.speed = speed
        self._pace.restart()

    # -- training -----------------------------------------------------------------------------------------

    def _train(self) -> None:
        if not self._busy() or not self._ready():
            return
        for future in self._compiling:
            future.result()  # an error in compiling belongs to the page
        if self._phases:
            self._go_through()
            return
        if self._playing and self._slow and len(self._trainings) == 1:
            self._slowly().tick()
            self._go_on(self._trainings)
            self._look_at_breakpoints()
            return
        from gan_core.recording.training_run import train_abreast
        from gan_core.training.train_step import ROWS

        wanted, alone = self._wanted[0] if self._wanted else (0, "")
        n = self._pace.steps(ROWS) if not wanted else min(self._pace.steps(ROWS) or 1, wanted)
        if n == 0:
            return
        started = time.monotonic()
        trainings = [training for training in self._trainings if not training.error]
        n = min(training.trainer.at_once(n) for training in trainings)
        n = self._breakpoints.room(trainings[0].step, n)
        self._rate.begin(started, trainings[0].trainer.step)
        if alone:
            n = 1
            for training in trainings:
                training.train_alone(alone)
        else:
            n = train_abreast(trainings, n)
        ended = time.monotonic()
        self._pace.measured(n, ended - started)
        if wanted:
            self._wanted.popleft()
            if n < wanted:
                self._wanted.appendleft((wanted - n, alone))
        going = self._go_on(trainings)
        if not going:
            return
        self._rate.at(ended, going[0].trainer.step)
        for training in going:
            training.refresh_scores(idle=False)
        self._look_at_breakpoints()
        if not (self._playing or self._wanted):
            self._stood_still()

    def _go_through(self) -> None:
        """The next of the phases that were asked for, once the step that it is of is known."""
        slow, step = self._slowly(), self._trainings[0].step
        slow.refresh()
        if slow.preparing:
            return
        slow.move(self._phases.popleft())
        if self._go_on(self._trainings):
            self._look_at_breakpoints()
            if self._trainings[0].step > step:
                self._stood_still()

    def _look_at_breakpoints(self) -> None:
        """Stands still where one was hit."""
        said = self._breakpoints.hit(self._trainings)
        if said:
            self._stop()
            self._hit = {"step": max(training.step for training in self._trainings), "said": said}
            self._stood_still()

    def _go_on(self, trainings: list[TrainingRun]) -> list[TrainingRun]:
        """Those of them that have not diverged; without any, training stops and the page hears why."""
        going = [training for training in trainings if not training.error]
        if not going:
            self._stop()
            alone = f"{trainings[0].error} Lower a learning rate and press Play, or press Reset."
            self._error = alone if len(self._trainings) == 1 else ALL_DIVERGED
        return going

    def _stood_still(self) -> None:
        """Where somebody stops, somebody may want to go on from."""
        for training in self._trainings:
            if training.trainer.step > 0 and self._compiled():
                training.record()

    def _fail(self, error: Exception) -> None:
        self._stop()
        if isinstance(error, ConfigError):
            self._error = str(error)
        else:
            line = str(error).strip().split("\n")[0][:300]
            what = f"{type(error).__name__}: {line}"
            self._error = f"Training stopped: {what}. Press Reset. If it happens again, start from a preset."

    def _preparing(self) -> bool:
        """Whether a phase is awaited."""
        if self._slow_motion is None:
            return False
        self._slow_motion.refresh()
        return self._slow_motion.preparing
