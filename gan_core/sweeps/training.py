"""One trial, in whatever process: the same run that its settings give by hand, with its scores and its picture."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.machine import cores
from gan_core.scores.registry import SCORES
from gan_core.scores.score import number_of
from gan_core.settings.config import GANConfig
from gan_core.sweeps.space import Begun, Trial
from gan_core.training.training_loop import ALONE_SECONDS, Pace

DONE, DIVERGED, FAILED, REFUSED = "done", "diverged", "failed", "refused"
STOPPED = "stopped"  # before its end, as hopeless (early_stopping.py)
LEAST_SECONDS = 0.01  # of a part of a trial: it takes a step at least
MOST_STRUCTURES = 4  # compiled steps that a process keeps: trials of other seeds and rates need none of their own


@dataclass(frozen=True)
class Look:
    """What a trial was scored at a step of its way, after so many seconds of training."""

    step: int
    seconds: float
    metrics: dict[str, Any]


@dataclass
class Outcome:
    """What is kept of a trial. row: of the table, in JSON types. arrays: the losses' history, the last frame, and the
    scores on the way: `looks_step` int [n], `looks_SCORE` float [n], NaN where it has no value.

    picture: a PNG of the last frame, or b"". run: the saved run as files, where its frames were asked for. begun: where
    the trial goes on that was handed back before its end.
    """

    row: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    picture: bytes = b""
    run: dict[str, bytes] = field(default_factory=dict)
    begun: Begun | None = None


def outcome_without_training(trial: Trial, status: str, reason: str) -> Outcome:
    """The row of a trial of which there is nothing but the reason."""
    return Outcome(_row(trial, status, reason, 0, 0.0, {}))


def _row(trial: Trial, status: str, reason: str, steps: int, seconds: float, metrics: dict) -> dict[str, Any]:
    return {
        "key": trial.key,
        "settings": trial.settings,
        "seed": trial.seed,
        "steps": steps,
        "seconds": round(seconds, 3),
        "status": status,
        "reason": reason,
        "node": {},
        "metrics": metrics,
    }


@dataclass
class _Program:
    """A structure's compiled step, and how fast this process takes it.

    The pace goes on from part to part and from trial to trial: one that began anew with each would guess, and a slow
    network would overrun a short part of its budget by far. For the same reason the very first chunk is one step.
    """

    step: Any
    pace: Pace


class Trainings:
    """What a process keeps from trial to trial: the last structures that it compiled, and the user's data."""

    def __init__(self, upload: Any = None) -> None:
        self._upload = upload
        self._programs: OrderedDict[tuple, _Program] = OrderedDict()

    def train(self, trial: Trial) -> Outcome:
        """Trains and scores it; whatever goes wrong is its row's status and reason."""
        try:
            return self._train(trial)
        except ConfigError as error:
            return outcome_without_training(trial, REFUSED, str(error))
        except MemoryError:
            return outcome_without_training(trial, FAILED, "The memory was not enough.")
        except Exception as error:  # TensorFlow's are of any kind
            line = (str(error).strip().splitlines() or [""])[0][:300]
            return outcome_without_training(trial, FAILED, f"{type(error).__name__}: {line}")

    def _train(self, trial: Trial) -> Outcome:
        from gan_core.data import loading
        from gan_core.networks.cost import check_memory
        from gan_core.recording import visuals
        from gan_core.recording.thumbnail import thumbnail
        from gan_core.recording.training_run import TrainingRun
        from gan_core.runs import unattended
        from gan_core.training.trainer import Trainer

        config = GANConfig.from_flat(trial.config)
        shape, _ = loading.extent(config, self._upload)
        check_memory(config, shape, data=loading.training_bytes([config], self._upload))
        data = loading.load(config, self._upload)
        program = self._program(config, data)
        trainer = Trainer(config, data, program.step)
        recording = None if trial.begun is None else _taken_up(trainer, trial.begun)
        trainer.compile(trial.steps)
        training = TrainingRun(trainer, recording, scored=False)
        looks = [] if trial.begun is None else list(trial.begun.looks)
        seconds = 0.0 if trial.begun is None else trial.begun.seconds
        problem = ""
        for part in trial.parts():
            began = time.perf_counter()
            most = None if trial.seconds is None else max(part * trial.seconds - seconds, LEAST_SECONDS)
            try:
                row, took = unattended.train(
                    training, trial.steps and trial.steps_at(part), most, _quiet, pace=program.pace
                )
            except unattended.Failed as failed:
                problem, seconds = str(failed), seconds + time.perf_counter() - began
                break
            seconds += took
            looks.append(Look(trainer.step, seconds, unattended.final_metrics(training, row, _quiet)))
        found = _row(trial, DIVERGED if problem else DONE, problem, trainer.step, seconds, {})
        if not problem:
            found["metrics"] = looks[-1].metrics
        found["node"] = node()
        history = training.recording.history.frame()
        frame = visuals.record(trainer)
        arrays = {f"history_{name}": history[name] for name in ("step", "mean", "low", "high")} | frame
        if len(looks) > 1:
            arrays |= _looked(looks)
        outcome = Outcome(found, arrays, thumbnail(frame, data) or b"")
        if trial.until < 1 and not problem:
            outcome.begun = Begun(trial.until, seconds, _run_files(training, None), tuple(looks))
        elif trial.frames:
            outcome.run = _run_files(training, self._upload)
        return outcome

    def _program(self, config: GANConfig, data: Any) -> _Program:
        """What is kept of this structure, or a new one."""
        from gan_core.serving.compiled_steps import structure
        from gan_core.training.train_step import TrainStep

        key = structure(config, data)
        if key not in self._programs:
            while len(self._programs) >= MOST_STRUCTURES:
                self._programs.popitem(last=False)
            pace = Pace(ALONE_SECONDS)
            pace.rate = 1 / ALONE_SECONDS
            self._programs[key] = _Program(TrainStep(config, data.array.shape, classes=key[-1]), pace)
        self._programs.move_to_end(key)
        return self._programs[key]


def _looked(looks: list[Look]) -> dict[str, np.ndarray]:
    """The scores on the way as arrays."""
    found: dict[str, np.ndarray] = {"looks_step": np.array([look.step for look in looks], np.int64)}
    for name in SCORES:
        values = [number_of(look.metrics.get(name)) for look in looks]
        if any(value is not None for value in values):
            found[f"looks_{name}"] = np.array([np.nan if value is None else value for value in values])
    return found


def _taken_up(trainer: Any, begun: Begun) -> Any:
    """Puts the trainer where the trial stood, and returns its recording."""
    from gan_core.runs import run_restoring

    with tempfile.TemporaryDirectory(prefix="ganscope-trial-") as folder:
        for name, content in begun.run.items():
            Path(folder, name).write_bytes(content)
        return run_restoring.restore(trainer, folder)


def _run_files(training: Any, upload: Any) -> dict[str, bytes]:
    """The run as it would be saved, to be written wherever the table is, or to go on from."""
    from gan_core.runs import run_writing

    with tempfile.TemporaryDirectory(prefix="ganscope-trial-") as folder:
        run_writing.save(Path(folder, "run"), run_writing.Content.of(training, upload))
        return {path.name: path.read_bytes() for path in Path(folder, "run").iterdir()}


def node() -> dict[str, Any]:
    """Where a trial was trained: on an equal node the same settings give the same bits."""
    from gan_core.foundations.lazy_imports import tf

    return {
        "name": platform.node(),
        "processor": platform.processor() or platform.machine(),
        "tensorflow": tf.__version__,
        "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS", cores())),
    }


def _quiet(text: str) -> None:
    """Nobody listens."""
