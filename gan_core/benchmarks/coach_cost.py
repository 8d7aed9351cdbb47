"""What the coach costs a run that trains, as a share of that run's own time."""

import statistics
import time
from typing import Any

import numpy as np

from gan_core.data import loading
from gan_core.recording.coaching import states
from gan_core.recording.recorder import SCORES, Recording
from gan_core.recording.training_run import TrainingRun
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.training.train_step import COLUMNS, ROWS
from gan_core.training.trainer import Trainer
from gan_core.training.training_loop import Pace

PRESET = "ring"
LOOKS = 50


def run(seconds: float, config: GANConfig = PRESETS[PRESET].config, program: Any = None) -> dict[str, Any]:
    """Trains for about `seconds` with scores and coach, as a worker does; program: one that is compiled already."""
    trainer = Trainer(config, loading.load(config, None), program)
    if program is None:
        trainer.compile()
    training, pace = TrainingRun(trainer), Pace()
    coaching = training.coaching
    if coaching is None:
        raise RuntimeError("a run with scores has a coach")
    training.take(1)
    training.refresh_scores(idle=True)  # the first scores build functions
    before, started = coaching.seconds, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds and not training.error:
        first, n = time.perf_counter(), max(1, pace.steps(ROWS))
        training.take(n)
        pace.measured(n, time.perf_counter() - first)
        training.refresh_scores(idle=False)
    return {
        "network": PRESET,
        "steps": training.step,
        "share": round((coaching.seconds - before) / elapsed, 5),
        "full_look_ms": round(1e3 * _full_look(training), 3),
    }


def _full_look(training: TrainingRun) -> float:
    """Seconds of a look at a recording that is full: the most that one takes."""
    recording, config = Recording(), training.trainer.config
    recording.history.append(np.full((100_000, len(COLUMNS)), 0.5, np.float32))
    for step in range(400, 400 * (SCORES + 1), 400):
        recording.scores.add(step, {**training.scores.values, "step": step})
    times = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        states(config, recording)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def as_text(result: dict[str, Any]) -> str:
    """The result as a line for people."""
    return (
        f"the coach takes {100 * result['share']:.2g} % of the training time of {result['network']} "
        f"({result['steps']:,} steps; a look at a full recording takes {result['full_look_ms']:.2g} ms)"
    )
