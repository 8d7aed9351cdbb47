"""The published benchmarks, for named recipes: `python -m gan_core benchmark modes | stacked-mnist | mnist`.

Each prints what it ran: steps, seconds and whether the budget cut a recipe short of its paper's steps. Published rows
stand beside ours only where the protocol is the same.
"""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.data import loading
from gan_core.data.pictures import as_pictures
from gan_core.data.points import as_points
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.scores.registry import SCORES
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from gan_core.sweeps.table import mean_and_error

OURS = "ganscope"  # stands for the preset of the data


@dataclass(frozen=True)
class Budget:
    """What a benchmark runs if nothing else is said: seconds of training, at each of which a run is scored."""

    recipes: tuple[str, ...]
    seeds: int
    seconds: tuple[float, ...]


FULL = {
    "modes": Budget((OURS, "pacgan2", "r3gan", "wgan_gp"), 10, (60.0,)),
    "stacked-mnist": Budget((OURS, "dcgan", "pacgan2"), 1, (300.0,)),
    "mnist": Budget((OURS, "dcgan", "sngan", "r3gan"), 1, (60.0, 300.0)),
}
# About two minutes each.
QUICK = {
    "modes": Budget((OURS, "pacgan2"), 1, (25.0,)),
    "stacked-mnist": Budget((OURS,), 1, (60.0,)),
    "mnist": Budget((OURS, "dcgan"), 1, (45.0,)),
}
PACGAN_POINTS, PACGAN_STACKS = 100_000, 128_000  # its training samples
STACKED_SAMPLES = 26_000
STACKED_FLOOR = 0.019  # KL of as many samples of a perfect generator (1,000 modes): (1000 - 1) / (2 * 26000)
# Updates in the paper: of the toys 400,000; of stacked MNIST 50 epochs of 2,000 batches.
PAPER_STEPS = {"modes": {"pacgan2": 400_000}, "stacked-mnist": {"pacgan2": 100_000}}
MNIST_SAMPLES = 2_500

# (name, modes, high quality in %, reverse KL), each with its standard error: PacGAN, arXiv 1712.04086, Table 1.
PUBLISHED_MODES = {
    "ring": (
        ("GAN", (6.3, 0.5), (98.2, 0.2), (0.45, 0.09)),
        ("ALI", (6.6, 0.3), (97.6, 0.4), (0.36, 0.04)),
        ("PacGAN2", (7.9, 0.1), (95.6, 2.0), (0.07, 0.03)),
        ("PacGAN4", (7.8, 0.1), (95.9, 1.4), (0.07, 0.02)),
    ),
    "grid": (
        ("GAN", (17.3, 0.8), (94.8, 0.7), (0.70, 0.07)),
        ("ALI", (24.1, 0.4), (95.7, 0.6), (0.14, 0.03)),
        ("PacGAN2", (23.8, 0.7), (91.3, 0.8), (0.13, 0.04)),
        ("PacGAN4", (24.8, 0.2), (93.6, 0.6), (0.04, 0.01)),
    ),
}
# (name, modes, KL), each with its ±: PacGAN, Table 2, the rows that its authors ran (10 trials, 128,000 training
# samples, 50 epochs of batches of 64; the DCGAN of 99.0 modes and a KL of 3.40 beside them is quoted from VEEGAN, arXiv
# 1705.07761); R3GAN, arXiv 2501.05441, Table 2.
PUBLISHED_STACKED = (
    ("DCGAN", (78.9, 6.5), (4.50, 0.13)),
    ("PacDCGAN2", (1000.0, 0.0), (0.06, 0.003)),
    ("R3GAN", (1000.0, None), (0.029, None)),
)


def chosen_recipes(text: str | None, default: tuple[str, ...]) -> tuple[str, ...]:
    """The recipes named in `text`, divided by commas; raises ConfigError."""
    names = default if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name != OURS and name not in RECIPES:
            raise ConfigError(
                f"There is no recipe {shorten(name)}; there are: {OURS} (the preset of the data), {', '.join(RECIPES)}."
            )
    return names


def config_of(recipe: str, preset: str, seed: int, **changes: Any) -> GANConfig:
    """The preset, or a paper's recipe in its place, on the preset's data."""
    config = PRESETS[preset].config
    if recipe != OURS:
        config = RECIPES[recipe].of(config)
    return config.updated({"seed": seed, **changes})


class Training:
    """One run within a budget; it can go on with a larger one."""

    def __init__(self, config: GANConfig):
        from gan_core.training.trainer import Trainer

        self.trainer = Trainer(config, loading.load(config, None))
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


def _summary(rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """Mean and standard error of each name over the seeds; a seed without a value (None) is counted as missing."""
    found: dict[str, Any] = {}
    for name in names:
        values = [row[name] for row in rows if row[name] is not None]
        mean, error = mean_and_error(values) if values else (None, None)
        found[name] = {"mean": mean, "error": error, "missing": len(rows) - len(values)}
    return found


def run(
    which: str,
    recipes: str | None,
    seeds: int | None,
    steps: int | None,
    seconds: float | None,
    quick: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """A benchmark, of FULL's or QUICK's budget where None is given; raises ConfigError.

    recipes: names divided by commas. steps, seconds: the most of a run; with steps alone, seconds have no limit.
    """
    budget = (QUICK if quick else FULL)[which]
    names, seeds = chosen_recipes(recipes, budget.recipes), seeds or budget.seeds
    if which == "mnist":
        if steps is not None:
            raise ConfigError("benchmark mnist compares what a time buys: give --seconds, not --steps.")
        found = mnist(names, seeds, (seconds,) if seconds else budget.seconds, say)
    else:
        if seconds is None and steps is None:
            (seconds,) = budget.seconds
        found = {"modes": modes, "stacked-mnist": stacked_mnist}[which](names, seeds, steps, seconds, say)
    return {"benchmark": which, "machine": machine(), **found}


def machine() -> dict[str, Any]:
    """Where it ran."""
    from gan_core.foundations.lazy_imports import tf

    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "gpus": len(tf.config.list_physical_devices("GPU")),
        "tensorflow": tf.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


# -- modes --------------------------------------------------------------------------------------------------


def modes(
    recipes: tuple[str, ...], seeds: int, steps: int | None, seconds: float | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Ring and grid in PacGAN's protocol (arXiv 1712.04086, section 4.1), a row for each recipe and data set."""
    from gan_core.scores import point_metrics

    table = []
    for data in PUBLISHED_MODES:
        for recipe in recipes:
            rows = []
            for seed in range(seeds):
                config = config_of(recipe, data, seed, data_size=PACGAN_POINTS)
                run = Training(config)
                run.until(steps, seconds)
                trainer, real = run.trainer, as_points(run.trainer.data)
                samples = trainer.samples(trainer.latent(point_metrics.MODE_SAMPLES, draw=1), config.show_ema)
                counts = point_metrics.mode_counts(samples, real.known_modes, real.mode_std)
                rows.append(
                    {
                        "seed": seed,
                        "modes": int((counts > 0).sum()),
                        "hq": 100 * float(counts.sum()) / len(samples),
                        "reverse_kl": point_metrics.reverse_kl(counts),
                        "steps": trainer.step,
                        "seconds": run.seconds,
                        "diverged": run.diverged,
                    }
                )
                kl = rows[-1]["reverse_kl"]
                say(
                    f"{data} {recipe} seed {seed}: {rows[-1]['modes']} modes, HQ {rows[-1]['hq']:.1f} %, reverse KL "
                    f"{'none' if kl is None else f'{kl:.4f}'}, {trainer.step:,} steps in {run.seconds:.0f} s"
                    + (f"; diverged: {run.diverged}" if run.diverged else "")
                )
            table.append({"data": data, "recipe": recipe, **_of("modes", recipe, rows, ("modes", "hq", "reverse_kl"))})
    return {
        "samples": point_metrics.MODE_SAMPLES,
        "perfect": {
            data: {
                "modes": n,
                "hq": 100 * point_metrics.PERFECT_HQ,
                "reverse_kl": point_metrics.reverse_kl_floor(n, point_metrics.MODE_SAMPLES),
            }
            for data, n in (("ring", 8), ("grid", 25))
        },
        "published": PUBLISHED_MODES,
        "rows": table,
    }


def _of(which: str, recipe: str, rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """What a row of the benchmark's table says of its runs."""
    most = PAPER_STEPS.get(which, {}).get(recipe)
    cut = most is not None and min(row["steps"] for row in rows) < most
    return {
        **_summary(rows, (*names, "steps", "seconds")),
        "cut_from_steps": most if cut else None,
        "seeds": rows,
    }


# -- stacked MNIST ------------------------------------------------------------------------------------------


def stacked_mnist(
    recipes: tuple[str, ...], seeds: int, steps: int | None, seconds: float | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """The 1,000 modes of stacked MNIST (arXiv 1712.04086, section 4.2): 26,000 samples, read by a classifier."""
    from gan_core.scores import classifier, image_metrics, point_metrics

    table, accuracy = [], None
    for recipe in recipes:
        rows = []
        for seed in range(seeds):
            run = Training(config_of(recipe, "stacked_mnist", seed, data_size=PACGAN_STACKS))
            data = as_pictures(run.trainer.data)
            judge = classifier.trained(data, say)
            accuracy = judge.accuracy
            run.until(steps, seconds)
            trainer = run.trainer
            numbers = []
            for part in range(0, STACKED_SAMPLES, 1_000):
                z = trainer.latent(1_000, draw=1 + part // 1_000)
                pixels = trainer.samples(z, trainer.config.show_ema)
                numbers.append(image_metrics.read_stacks(judge, data, pixels))
            counts = np.bincount(np.concatenate(numbers), minlength=1_000)
            rows.append(
                {
                    "seed": seed,
                    "modes": int((counts > 0).sum()),
                    "kl": point_metrics.reverse_kl(counts),
                    "steps": trainer.step,
                    "seconds": run.seconds,
                    "diverged": run.diverged,
                }
            )
            say(f"{recipe} seed {seed}: {rows[-1]['modes']} modes, KL {rows[-1]['kl']:.3f}, {trainer.step:,} steps")
        table.append({"data": "stacked_mnist", "recipe": recipe, **_of("stacked-mnist", recipe, rows, ("modes", "kl"))})
    return {
        "samples": STACKED_SAMPLES,
        "classifier_accuracy": accuracy,
        "perfect": {"stacked_mnist": {"modes": 1_000, "kl": STACKED_FLOOR}},
        "published": {"stacked_mnist": PUBLISHED_STACKED},
        "rows": table,
    }


# -- MNIST --------------------------------------------------------------------------------------------------

MNIST_SCORES = ("classifier_fid", "confidence", "class_tv", "precision", "recall")


def mnist(recipes: tuple[str, ...], seeds: int, marks: tuple[float, ...], say: Callable[[str], None]) -> dict[str, Any]:
    """Scores of each recipe after so many seconds of training, of one run each seed."""
    from gan_core.scores import classifier, image_scores, trainer_scores

    table: list[dict[str, Any]] = []
    floors: dict[str, Any] = {}
    for recipe in recipes:
        rows: dict[float, list[dict[str, Any]]] = {mark: [] for mark in marks}
        for seed in range(seeds):
            run = Training(config_of(recipe, "mnist", seed))
            data = as_pictures(run.trainer.data)
            judge = classifier.trained(data, say)
            reference = image_scores.reference(judge, data, MNIST_SAMPLES, seed)
            for mark in sorted(marks):
                run.until(None, mark)
                found = trainer_scores.score_images(run.trainer, judge, reference)
                row = {name: found[name] for name in MNIST_SCORES}
                floors = {name: SCORES[name].ideal(name, found) for name in MNIST_SCORES}
                row |= {"seed": seed, "steps": run.trainer.step, "seconds": run.seconds, "diverged": run.diverged}
                rows[mark].append(row)
                shown = ", ".join(f"{name} {row[name]:.3f}" for name in MNIST_SCORES)
                say(f"{recipe} seed {seed}, {mark:g} s: {shown}, {run.trainer.step:,} steps")
        for mark in sorted(marks):
            table.append(
                {"data": "mnist", "recipe": recipe, "after": mark, **_of("mnist", recipe, rows[mark], MNIST_SCORES)}
            )
    return {
        "samples": MNIST_SAMPLES,
        "perfect": {"mnist": floors},
        "published": {},
        "rows": table,
    }
