"""Training without a screen: to a step or for a time, saved on the way and at its end, whatever ends it."""

from __future__ import annotations

import contextlib
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_writing
from gan_core.training.training_loop import Pace, fit

SAVE_SECONDS = 180.0  # of training between two saves
SAY_SECONDS = 2.0
SAMPLES = 2_500  # images, or points of distances, behind the scores after a training
FLOOR_REPEATS = 3  # pairs of real draws behind their floors
CHANGE_SAMPLES = 16
# Ctrl-C, a system that ends its processes, and a terminal that closes (not on Windows).
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

Say = Callable[[str], None]


class Failed(RuntimeError):
    """A run that did not succeed; the message is for the user. status: the command's exit status."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status


@dataclass
class Saver:
    """Saves one run, again and again, into `folder`; where `new`, the first time takes the name for it.

    about: what else the run's Content says, such as its goal.
    """

    folder: Path
    upload: Any
    new: bool
    about: dict[str, Any]
    _writer: run_writing.Writer = field(init=False)

    def __post_init__(self) -> None:
        self._writer = run_writing.Writer(self.folder)

    def save(self, training: TrainingRun) -> None:
        """Writes the run as it stands; raises ConfigError."""
        content = replace(run_writing.Content.of(training, self.upload), **self.about)
        if self.new:
            run_writing.save(self.folder, content)
            self.new = False
        else:
            self._writer.write(content)

    def how_to_resume(self) -> str:
        """The command that goes on from the last save."""
        folder = shlex.quote(str(self.folder.parent))
        return f"python -m gan_core train --resume {shlex.quote(self.folder.name)} --runs-dir {folder}"


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """The signals of SIGNALS that came, which end nothing yet. The second one acts as it would without this.

    What somebody had ignored (nohup, a job in the background) stays ignored.
    """
    came: list[int] = []

    def note(number: int, _frame: Any) -> None:
        came.append(number)
        for each, before in handlers.items():
            signal.signal(each, before)

    handlers = {each: signal.getsignal(each) for each in SIGNALS}
    handlers = {each: handler for each, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}
    for each in handlers:
        signal.signal(each, note)
    try:
        yield came
    finally:
        for each, before in handlers.items():
            signal.signal(each, before)


def train(
    training: TrainingRun,
    steps: int | None,
    seconds: float | None,
    say: Say,
    saver: Saver | None = None,
    pace: Pace | None = None,
) -> tuple[np.ndarray, float]:
    """Takes the training to step `steps` or trains it for `seconds`, whichever is less; one of them must be given.

    Returns (the last step's row, the seconds of training). With a saver the run is saved after the first steps, then
    every SAVE_SECONDS, and at the end, also if that is a divergence, Ctrl-C, SIGTERM or a closed terminal. Raises
    Failed for these, ConfigError where the run cannot be saved at its beginning or its end. pace: one that knows the
    run's speed already.
    """
    if saver is None:
        return _train(training, steps, seconds, say, None, [], pace)
    with noted_signals() as came:
        try:
            done = _train(training, steps, seconds, say, saver, came, pace)
        except Failed as failed:
            saver.save(training)
            raise Failed(f"{failed}\n{_saved(training, saver)}", failed.status) from None
        saver.save(training)
        if came:
            raise Failed(f"{_interrupted(came)}\n{_saved(training, saver)}", 128 + came[0])
    return done


def final_metrics(training: TrainingRun, row: np.ndarray, say: Say) -> dict[str, Any]:
    """The scores of a training as it stands, with what it says of itself, in JSON types.

    row: the last step's. sample_change: by how much CHANGE_SAMPLES samples differ from those of the first weights, in
    the data's units.
    """
    from gan_core.scores.trainer_scores import all_scores

    trainer = training.trainer
    scores = all_scores(trainer, SAMPLES, FLOOR_REPEATS, say)
    z, last, ema = trainer.latent(CHANGE_SAMPLES), trainer.state, trainer.config.show_ema
    shown = trainer.samples(z, ema).astype(np.float32)
    trainer.reset()
    change = np.abs(shown - trainer.samples(z, ema)).mean()
    trainer.state = last
    return {**scores, "g_loss": float(row[0]), "d_loss": float(row[1]), "sample_change": float(change)}


def _interrupted(came: list[int]) -> str:
    return f"Interrupted ({signal.Signals(came[0]).name})."


def _saved(training: TrainingRun, saver: Saver) -> str:
    options = " --set NAME=VALUE" if training.error else ""  # the same settings would diverge at the same step
    return f"Saved at step {training.trainer.step:,} as {saver.folder}. To continue: {saver.how_to_resume()}{options}"


def _train(
    training: TrainingRun,
    steps: int | None,
    seconds: float | None,
    say: Say,
    saver: Saver | None,
    came: list[int],
    pace: Pace | None,
) -> tuple[np.ndarray, float]:
    spoken = saved = time.monotonic()
    row = np.empty(0)

    def after(rows: np.ndarray) -> None:
        nonlocal row, spoken, saved
        row, now = rows[-1], time.monotonic()
        if came:
            raise Failed(_interrupted(came), 128 + came[0])
        if saver is not None and (saver.new or now - saved >= SAVE_SECONDS):
            first = saver.new
            try:
                saver.save(training)
            except ConfigError as error:
                if first:
                    raise
                say(f"{error} The training goes on, and the next save is tried in {SAVE_SECONDS:g} s.")
            saved = time.monotonic()
        if now - spoken > SAY_SECONDS:
            spoken = now
            say(f"step {training.step:,}  g_loss {row[0]:.4f}  d_loss {row[1]:.4f}")

    elapsed = fit(training, steps, seconds, after, pace)
    if training.error:
        raise Failed(training.error)
    return row, elapsed
