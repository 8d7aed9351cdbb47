"""One training run inside the worker (or the command line): its trainer, its scores, and the recording of both."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from gan_core.recording import anatomy, judging, visuals
from gan_core.recording.coaching import Coaching
from gan_core.recording.goal_watch import GoalWatch
from gan_core.recording.recorder import ALONE, Checkpoint, Recording
from gan_core.recording.slow_motion import Shown
from gan_core.recording.snapshot import View
from gan_core.scores.live import LiveScores, live_scores
from gan_core.scores.registry import better, main_score
from gan_core.settings.config import GANConfig, changed
from gan_core.training.trainer import Diverged, Trainer

SHARE = 0.03  # of the training time, at most, goes into recording frames
# Seconds that frames may take beyond that, for early training changes fastest: at once, and over some seconds.
CREDIT, LATER_CREDIT, CREDIT_SECONDS = 0.12, 0.3, 4.0
TRAIL_POINTS = 160
TRAIL_FRAMES = 8


class TrainingRun:
    """A trainer that is watched. `scored` is off where nobody looks at live scores: then there is no coach either."""

    def __init__(self, trainer: Trainer, recording: Recording | None = None, scored: bool = True):
        self.trainer = trainer
        self.recording = recording or Recording()
        self.recording.keep_best()
        self.error = ""  # why it stands still for good, or until somebody turns a knob
        self.scores = live_scores(trainer) if scored else LiveScores(trainer)
        self.coaching = Coaching(self.recording) if scored else None
        # Whether it stands still at the last step before one that diverges, once for each such step.
        self.careful = False
        self.breaks: Diverged | None = None  # the step that it stood still before
        self.goal = GoalWatch()
        self.row: np.ndarray | None = None  # of the last step that was taken here
        self._alone: tuple[str, int] = ("", 0)  # the network that was trained alone last, and until which step
        self._spent = self._trained = 0.0  # seconds

    # -- training -----------------------------------------------------------------------------------------

    def set_live(self, config: GANConfig) -> None:
        """Takes the live settings of `config`, and marks on the losses what has changed."""
        if config == self.trainer.config:
            return
        for name, (old, new) in changed(self.trainer.config, config).items():
            if self.trainer.step > 0 and name != "show_ema":
                self.recording.history.mark(self.trainer.step, f"{name} {_short(old)} → {_short(new)}")
            if self.trainer.step > 0:
                self.recording.changed(self.trainer.step, name, old, new)
        self.trainer.set_live(config)
        if self.trainer.step > 0 and self.recording.checkpoints.steps[-1:] == [self.trainer.step]:
            self.checkpoint()  # a branch from here, or the saved run, starts with the settings as they are now

    @property
    def step(self) -> int:
        """Steps done."""
        return self.trainer.step

    def take(self, most: int) -> np.ndarray | None:
        """At most `most` steps, fewer where a frame is due on the way; as `train`."""
        return self.train(self.until_due(most))

    def until_due(self, n: int) -> int:
        """At most `n` steps, fewer where a frame, or a look at a goal, is due on the way."""
        n = self.goal.until(self.trainer.step, n)
        if not self.recording.frames.steps:
            self.record()
        due = self.recording.frames.due - self.trainer.step
        return min(n, max(1, due)) if self._may_record() else n

    def train(self, n: int) -> np.ndarray | None:
        """n steps, and what is due is recorded: the steps' rows. A divergence becomes `error`, and None."""
        return self._recorded(self._advance(n))

    def train_alone(self, side: str) -> np.ndarray | None:
        """One step in which only network `side`, "g" or "d", is updated, marked on the losses; as `train`."""
        self.until_due(1)
        rows = self._recorded(self._advance(1, side))
        if rows is not None:
            if self._alone != (side, self.trainer.step - 1):  # a mark where a series of such steps begins
                self.recording.history.mark(self.trainer.step, f"{side.upper()} alone")
                self.recording.changed(self.trainer.step - 1, ALONE, None, side)
            self._alone = side, self.trainer.step
        return rows

    def _recorded(self, rows: np.ndarray | None) -> np.ndarray | None:
        """These rows; a frame is recorded if one is due."""
        if rows is not None and self._frame_due() and self._may_record():
            self._frame()
        return rows

    def _advance(self, n: int, alone: str = "") -> np.ndarray | None:
        """As `train`, or as `train_alone`, without the frame."""
        started = time.perf_counter()
        try:
            rows = self.trainer.train_alone(alone) if alone else self.trainer.train(n)
        except Diverged as diverged:
            if self.careful and (self.breaks is None or self.breaks.step != diverged.step):
                self.breaks, left = diverged, diverged.step - 1 - self.trainer.step
                return self._advance(left) if left else None
            self.error = (
                f"Training diverged at step {diverged.step:,}: {diverged.quantity} became NaN or infinite. "
                f"The run is back at step {self.trainer.step:,}, the last good state."
            )
            self._coach(at_once=True)
            return None
        self.recording.history.append(rows)
        self.row = rows[-1]
        self._trained += time.perf_counter() - started
        if self.trainer.step >= self.recording.checkpoints.due:
            self.checkpoint()
        return rows

    def refresh_scores(self, idle: bool) -> None:
        """Makes the scores anew if their budget allows, and keeps them."""
        before = self.scores.values
        self.scores.refresh(idle or (self.goal.scores and self.goal.due(self.trainer.step)))
        values = self.scores.values
        if values is not before and "step" in values:
            best = self.recording.best()
            self.recording.scores.add(values["step"], values)
            self._keep_best(values, best)
        if self.goal.due(self.trainer.step) or values is not before:
            self._look_at_goal()
        self._coach(at_once=idle)

    def _coach(self, at_once: bool) -> None:
        if self.coaching is not None:
            self.coaching.look(self.trainer.config, self.error, at_once)

    def _look_at_goal(self) -> None:
        """Sees whether the goal that is waited for holds at this step."""
        if self.goal.judges:
            self.record()
        self.goal.look(self.recording, self.trainer.config, self.trainer.step, bool(self.error))

    def _keep_best(self, values: dict[str, Any], best: dict[str, Any] | None) -> None:
        """Keeps the present frame and state where the main score is better than that of the best before, so that one
        can look at it, and go back to it."""
        name = main_score(values)
        if name is None or values["step"] != self.trainer.step:
            return
        if best is None or better(values, self.recording.scores_at(best["step"]), name):
            self.record()
            self.recording.keep_best()

    # -- recording ----------------------------------------------------------------------------------------

    def _frame_due(self) -> bool:
        return self.trainer.step >= self.recording.frames.due

    def _may_record(self) -> bool:
        later = LATER_CREDIT * self._trained / (self._trained + CREDIT_SECONDS)
        return self._spent < CREDIT + later + SHARE * self._trained

    def checkpoint(self) -> None:
        """Keeps the present state, which costs no time."""
        kept = Checkpoint(self.trainer.config.to_flat(), self.trainer.named(), self.recording.history.state())
        self.recording.checkpoints.add(self.trainer.step, kept)

    def _frame(self) -> None:
        first = not self.recording.frames.steps  # which builds functions
        started = time.perf_counter()
        self.recording.frames.add(self.trainer.step, visuals.record(self.trainer))
        self._spent += 0.0 if first else time.perf_counter() - started

    def record(self) -> None:
        """Frame and checkpoint of this very step, where they are not there yet."""
        if self.recording.frames.steps[-1:] != [self.trainer.step]:
            self._frame()
        if self.recording.checkpoints.steps[-1:] != [self.trainer.step]:
            self.checkpoint()

    # -- looking ------------------------------------------------------------------------------------------

    def look(self, view: View, idle: bool, scored: bool, phase: Shown | None = None) -> dict[str, Any]:
        """The frame that `view` asks for: of now, of the recorded step that is nearest before `view.at`, or, where the
        anatomy of a step is shown, of now in a phase of the next step."""
        phase = phase if view.anatomy else None
        recording, trainer = self.recording, self.trainer
        if self.goal.ask(view.goal, trainer.config, view.goal_every, view.goal_last):
            self._look_at_goal()
        if scored:
            self.refresh_scores(idle)
        else:
            self._coach(at_once=idle)
        frame: dict[str, Any] = {
            "step": trainer.step,
            "history": recording.history.frame(),
            "layers": trainer.program.layers(),
            "path": trainer.runs.label,
            "recorded": np.array(recording.frames.steps, np.int32),
            "checkpoints": np.array(recording.checkpoints.steps, np.int32),
            "parent": recording.parent,
            "judged": recording.judged(),
            "best": recording.best(),
            "training_error": self.error,
            "findings": [] if self.coaching is None else self.coaching.states,
            "marks": [dict(mark) for mark in recording.marks],
            "goal": self.goal.state(recording),
        }
        if view.at is None or view.at >= trainer.step or not recording.frames.steps:
            with trainer.standing_at(trainer.state if phase is None else phase.state):
                frame |= {"at": None, **visuals.look(trainer, view, still=idle), "metrics": dict(self.scores.values)}
                if view.anatomy:
                    frame["anatomy"] = anatomy.look(trainer, self._last_row(), phase)
        else:
            frame |= recording.look(view.at)
            frame |= visuals.neighbours(trainer, frame, view)
            if self.coaching is not None:
                frame["findings"] = self.coaching.at(frame["at"], trainer.config)
        frame["scored"] = recording.scored_until(trainer.step if frame["at"] is None else frame["at"])
        if view.judge:
            frame["judging"] = judging.look(trainer, view.judge)
        if view.trails and "samples" in frame:
            shown = trainer.step if frame["at"] is None else frame["at"]
            frame["trails"] = trails(recording, frame["samples"], shown)
        return frame

    def _last_row(self) -> np.ndarray | None:
        """That of the last step, or where that was taken elsewhere, the newest mean of the history."""
        means = self.recording.history.frame()["mean"] if self.row is None else []
        return means[-1] if len(means) else self.row

    def close(self) -> None:
        """Stops what works for it in the background."""
        self.scores.close()


def train_abreast(trainings: Sequence[TrainingRun], n: int) -> int:
    """Takes the trainings, which stand at the same step, the same number of steps on: `n` at most. Returns that number.

    All record frames of the same steps, for they are looked at side by side.
    """
    n = min(training.until_due(n) for training in trainings)
    framed = [training for training in trainings if training.recording.frames.steps[-1:] == [training.step]]
    for training in trainings if framed else ():  # one alone has a frame of its best scores
        if training not in framed:
            training._frame()
    for training in trainings:
        training._advance(n)
    going = [training for training in trainings if not training.error]
    if any(training._frame_due() for training in going) and all(training._may_record() for training in going):
        for training in going:
            training._frame()
    return n


def trails(recording: Recording, samples: np.ndarray, step: int) -> np.ndarray:
    """Where the first samples were in the last recorded frames before `step`, and are: float32 [frames, points, 2]."""
    past = recording.frames.until(step - 1).items[-TRAIL_FRAMES:]
    return np.stack([*(frame["samples"][:TRAIL_POINTS] for frame in past), samples[:TRAIL_POINTS]])


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
