"""One run of a published benchmark, in whatever process: trained within its budget, and scored in the paper's protocol.

`all_of` has many of them done: one after the other here, or by what trains a sweep's trials (processes of this machine,
the nodes of a cluster), so that ten seeds take as long as the machines allow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.data import loading
from gan_core.data.pictures import as_pictures
from gan_core.data.points import as_points
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores.registry import SCORES
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from gan_core.sweeps.processes import Executor
from gan_core.sweeps.running import TRIES, outcomes

OURS = "ganscope"  # stands for the preset of the data
PACGAN_POINTS, PACGAN_STACKS = 100_000, 128_000  # its training samples
STACKED_SAMPLES = 26_000
MNIST_SAMPLES = 2_500
MNIST_SCORES = ("classifier_fid", "confidence", "class_tv", "precision", "recall")
Say = Callable[[str], None]


def config_of(recipe: str, preset: str, seed: int, **changes: Any) -> GANConfig:
    """The preset, or a paper's recipe in its place, on the preset's data; not on networks of our own."""
    config = PRESETS[preset].config
    if recipe != OURS:
        usual = GANConfig.from_flat({"data": config.data}) if config.architecture == "coarse" else config
        config = RECIPES[recipe].of(usual)
    return config.updated({"seed": seed, **changes})


@dataclass
class Result:
    """What a run gives: a row at each of its marks, and what the table says of all. problem: why there is none."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class BenchmarkRun:
    """One run, as a job of a sweep's executors. marks: seconds of training at which it is scored, [None] for steps."""

    which: str
    data: str
    recipe: str
    seed: int
    steps: int | None
    marks: tuple[float | None, ...]

    @property
    def key(self) -> str:
        """Its name among the runs."""
        return f"{self.data} {self.recipe} seed {self.seed}"

    @property
    def config(self) -> dict[str, Any]:
        """Its settings, flat."""
        size = {"modes": PACGAN_POINTS, "stacked-mnist": PACGAN_STACKS}.get(self.which)
        return config_of(self.recipe, self.data, self.seed, **({"data_size": size} if size else {})).to_flat()

    def done_by(self, trainings: Any) -> Result:
        """Trains and scores it; what cannot be is its problem."""
        try:
            return _SCORED[self.which](self)
        except ConfigError as error:
            return Result(problem=str(error))


class Training:
    """One run within a budget; it can go on with a larger one."""

    def __init__(self, config: GANConfig, data: Any = None):
        from gan_core.training.trainer import Trainer

        self.trainer = Trainer(config, loading.load(config, None) if data is None else data)
        self.trainer.compile()
        self.seconds = 0.0
        self.diverged: str | None = None

    def until(self, steps: int | None, seconds: float | None) -> None:
        """Trains to `steps`, or for `seconds` in all, whichever comes first."""
        from gan_core.training.trainer import Diverged
        from gan_core.training.training_loop import fit

        if self.diverged is not None:
            return
        started = time.perf_counter()
        try:
            fit(self.trainer, steps, None if seconds is None else seconds - self.seconds)
        except Diverged as diverged:
            self.diverged = str(diverged)
        self.seconds += time.perf_counter() - started

    def took(self, seed: int) -> dict[str, Any]:
        """What each row says of its run."""
        return {"seed": seed, "steps": self.trainer.step, "seconds": self.seconds, "diverged": self.diverged}


def _training(run: BenchmarkRun) -> Training:
    return Training(GANConfig.from_flat(run.config))


def _modes(run: BenchmarkRun) -> Result:
    """Ring and grid in PacGAN's protocol (arXiv 1712.04086, section 4.1)."""
    from gan_core.scores import point_metrics

    training = _training(run)
    training.until(run.steps, run.marks[0])
    trainer, real = training.trainer, as_points(training.trainer.data)
    samples = trainer.samples(trainer.latent(point_metrics.MODE_SAMPLES, draw=1), trainer.config.show_ema)
    counts = point_metrics.mode_counts(samples, real.known_modes, real.mode_std)
    kl, found = point_metrics.reverse_kl(counts), int((counts > 0).sum())
    quality = 100 * float(counts.sum()) / len(samples)
    said = (
        f"{run.key}: {found} modes, HQ {quality:.1f} %, reverse KL {'none' if kl is None else f'{kl:.4f}'}, "
        f"{trainer.step:,} steps in {training.seconds:.0f} s"
        + (f"; diverged: {training.diverged}" if training.diverged else "")
    )
    return Result([{"modes": found, "hq": quality, "reverse_kl": kl, **training.took(run.seed)}], {}, [said])


def _stacked(run: BenchmarkRun) -> Result:
    """The 1,000 modes of stacked MNIST (arXiv 1712.04086, section 4.2): 26,000 samples, read by a classifier."""
    from gan_core.scores import classifier, image_metrics, point_metrics

    training = _training(run)
    trainer, data = training.trainer, as_pictures(training.trainer.data)
    judge = classifier.trained(data, _quiet)
    training.until(run.steps, run.marks[0])
    numbers = []
    for part in range(0, STACKED_SAMPLES, 1_000):
        pixels = trainer.samples(trainer.latent(1_000, draw=1 + part // 1_000), trainer.config.show_ema)
        numbers.append(image_metrics.read_stacks(judge, data, pixels))
    counts = np.bincount(np.concatenate(numbers), minlength=1_000)
    row = {"modes": int((counts > 0).sum()), "kl": point_metrics.reverse_kl(counts), **training.took(run.seed)}
    said = f"{run.recipe} seed {run.seed}: {row['modes']} modes, KL {row['kl']:.3f}, {trainer.step:,} steps"
    return Result([row], {"classifier_accuracy": judge.accuracy}, [said])


def _mnist(run: BenchmarkRun) -> Result:
    """Scores after so many seconds of training, at each mark."""
    from gan_core.scores import classifier, image_scores, trainer_scores

    training, result = _training(run), Result()
    data = as_pictures(training.trainer.data)
    judge = classifier.trained(data, _quiet)
    reference = image_scores.reference(judge, data, MNIST_SAMPLES, run.seed)
    for mark in run.marks:
        training.until(None, mark)
        found = trainer_scores.score_images(training.trainer, judge, reference)
        row = {name: found[name] for name in MNIST_SCORES}
        result.about = {"floors": {name: SCORES[name].ideal(name, found) for name in MNIST_SCORES}}
        result.rows.append({**row, **training.took(run.seed)})
        shown = ", ".join(f"{name} {row[name]:.3f}" for name in MNIST_SCORES)
        result.said.append(f"{run.recipe} seed {run.seed}, {mark:g} s: {shown}, {training.trainer.step:,} steps")
    return result


_SCORED: dict[str, Callable[[BenchmarkRun], Result]] = {"modes": _modes, "stacked-mnist": _stacked, "mnist": _mnist}


def _quiet(text: str) -> None:
    """Several processes at once would speak across each other."""


def all_of(runs: Sequence[BenchmarkRun], executor: Executor | None, say: Say) -> dict[str, Result]:
    """The result of each run by its key; None: one after the other in this process. Raises ConfigError."""
    found: dict[str, Result] = {}
    here = ((run, run.done_by(None)) for run in runs)
    for run, result in here if executor is None else outcomes(iter(runs), executor):
        if result is None:
            raise ConfigError(f"The process of {run.key} ended {TRIES} times: killed, or out of memory.")
        if result.problem:
            raise ConfigError(result.problem)
        found[run.key] = result
        for line in result.said:
            say(line)
    return found
