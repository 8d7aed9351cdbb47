"""A saved run, to go on with: its networks and its recording as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.recording.recorder import Parent, Recording
from gan_core.runs import finished_runs
from gan_core.training import state_names

if TYPE_CHECKING:
    from gan_core.training.trainer import Trainer
from gan_core.runs.run_reading import JUNK, Saved, countable, opened


def restore(trainer: Trainer, folder: str | Path, step: int | None = None, branch: bool = True) -> Recording:
    """Puts `trainer` where the run stood at its checkpoint `step` (None: the last), and returns the past up to there.

    With a step it is a branch, whose recording names the parent, unless `branch` is off. Raises ConfigError.
    """
    run, recording = opened(finished_runs.here(Path(folder)), checkpoints=True)
    steps = recording.checkpoints.steps
    at = steps[-1] if step is None and steps else step
    if at not in steps:
        raise ConfigError(f"{run.folder} has no checkpoint at step {step}; there are: {shorten(steps, 200)}.")
    try:
        past = recording.until(at)
        if run.about["format"] == 2:  # so that what goes on is written with names, its past too
            kept = (state_names.of_format_2(trainer.program, trainer.state, p.state) for p in past.checkpoints.items)
            past.checkpoints.items = [replace(p, state=s) for p, s in zip(past.checkpoints.items, kept, strict=True)]
        countable(past.history)
        trainer.restore(past.checkpoints.items[-1].state)
    except JUNK:
        raise ConfigError(f"{run.folder} does not hold the weights of the networks that it describes.") from None
    if trainer.step != at:
        raise ConfigError(f"{run.folder} holds another step than it says.")
    if step is not None and branch:
        past.parent = Parent(run.name, at)
    return past


def load(run: Saved, data: Data | Pictures) -> Trainer:
    """The trainer as it was saved; raises ConfigError."""
    from gan_core.training.trainer import Trainer

    trainer = Trainer(run.config, data)
    restore(trainer, run.folder)
    return trainer
