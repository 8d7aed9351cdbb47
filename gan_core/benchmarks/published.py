"""The published benchmarks, for named recipes: `python -m gan_core benchmark modes | stacked-mnist | mnist`.

Each prints what it ran: steps, seconds and whether the budget cut a recipe short of its paper's steps. Published rows
stand beside ours only where the protocol is the same.
"""

import contextlib
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gan_core.benchmarks.benchmark_runs import (
    MNIST_SAMPLES,
    MNIST_SCORES,
    OURS,
    STACKED_SAMPLES,
    BenchmarkRun,
    Result,
    all_of,
)
from gan_core.foundations import cluster
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.machine import cores
from gan_core.settings.config import GANConfig
from gan_core.settings.recipes import RECIPES
from gan_core.sweeps import cluster_trials
from gan_core.sweeps.processes import Executor, Processes
from gan_core.sweeps.table import mean_and_error


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
STACKED_FLOOR = 0.019  # KL of as many samples of a perfect generator (1,000 modes): (1000 - 1) / (2 * 26000)
# Updates in the paper: of the toys 400,000; of stacked MNIST 50 epochs of 2,000 batches.
PAPER_STEPS = {"modes": {"pacgan2": 400_000}, "stacked-mnist": {"pacgan2": 100_000}}

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
    processes: int | None = None,
    ray: str | None = None,
) -> dict[str, Any]:
    """A benchmark, of FULL's or QUICK's budget where None is given; raises ConfigError.

    recipes: names divided by commas. steps, seconds: the most of a run; with steps alone, seconds have no limit.
    processes, ray: runs beside each other on this machine, which share its cores, or on a cluster, with one core each.
    """
    budget = (QUICK if quick else FULL)[which]
    names, seeds = chosen_recipes(recipes, budget.recipes), seeds or budget.seeds
    if which == "mnist" and steps is not None:
        raise ConfigError("benchmark mnist compares what a time buys: give --seconds, not --steps.")
    marks: tuple[float | None, ...] = budget.seconds
    if seconds is not None or steps is not None:
        marks = (seconds,)
    data_sets = tuple(PUBLISHED_MODES) if which == "modes" else (which.replace("-", "_"),)
    runs = [
        BenchmarkRun(which, data, recipe, seed, steps, tuple(sorted(marks, key=lambda mark: mark or 0)))
        for data in data_sets
        for recipe in names
        for seed in range(seeds)
    ]
    with contextlib.ExitStack() as stack:
        executor, threads = executor_of(runs[0], processes, cluster.address_of(ray), stack)
        found = all_of(runs, executor, say)
    beside = {"processes": processes or 1, "threads": threads, "cluster": cluster.address_of(ray) is not None}
    return {"benchmark": which, "machine": machine(), **beside, **_TABLES[which](runs, found)}


def executor_of(
    first: BenchmarkRun, processes: int | None, ray: str | None, stack: contextlib.ExitStack
) -> tuple[Executor | None, int]:
    """(what has the runs done, None for this process itself; the threads that each computes with)."""
    if ray is not None:
        stack.enter_context(cluster.quiet())
        trials = cluster_trials.connected(ray, GANConfig.from_flat(first.config), most=processes)
        return stack.enter_context(contextlib.closing(trials)), 1
    if processes is None:
        return None, cores()
    threads = max(1, cores() // processes)
    return stack.enter_context(contextlib.closing(Processes(processes, threads))), threads


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


# -- tables -------------------------------------------------------------------------------------------------


def _table(
    which: str, runs: list[BenchmarkRun], found: dict[str, Result], names: tuple[str, ...], marked: bool = False
) -> list[dict[str, Any]]:
    """A row for each data set, recipe and mark, of all its seeds."""
    table = []
    groups: dict[tuple[str, str], list[BenchmarkRun]] = {}
    for one in runs:
        groups.setdefault((one.data, one.recipe), []).append(one)
    for (data, recipe), group in groups.items():
        for i, mark in enumerate(group[0].marks):
            rows = [found[one.key].rows[i] for one in group]
            about = {"data": data, "recipe": recipe, **({"after": mark} if marked else {})}
            table.append({**about, **summary_of(which, recipe, rows, names)})
    return table


def summary_of(which: str, recipe: str, rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """What a row of the benchmark's table says of its runs."""
    most = PAPER_STEPS.get(which, {}).get(recipe)
    cut = most is not None and min(row["steps"] for row in rows) < most
    return {
        **_summary(rows, (*names, "steps", "seconds")),
        "cut_from_steps": most if cut else None,
        "seeds": rows,
    }


def _modes(runs: list[BenchmarkRun], found: dict[str, Result]) -> dict[str, Any]:
    """Ring and grid, a row for each recipe and data set."""
    from gan_core.scores import point_metrics

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
        "rows": _table("modes", runs, found, ("modes", "hq", "reverse_kl")),
    }


def _stacked(runs: list[BenchmarkRun], found: dict[str, Result]) -> dict[str, Any]:
    """The 1,000 modes, a row for each recipe."""
    accuracies = [result.about["classifier_accuracy"] for result in found.values()]
    return {
        "samples": STACKED_SAMPLES,
        "classifier_accuracy": accuracies[-1],
        "perfect": {"stacked_mnist": {"modes": 1_000, "kl": STACKED_FLOOR}},
        "published": {"stacked_mnist": PUBLISHED_STACKED},
        "rows": _table("stacked-mnist", runs, found, ("modes", "kl")),
    }


def _mnist(runs: list[BenchmarkRun], found: dict[str, Result]) -> dict[str, Any]:
    """A row for each recipe and time."""
    floors = [result.about["floors"] for result in found.values()]
    return {
        "samples": MNIST_SAMPLES,
        "perfect": {"mnist": floors[-1]},
        "published": {},
        "rows": _table("mnist", runs, found, MNIST_SCORES, marked=True),
    }


_TABLES = {"modes": _modes, "stacked-mnist": _stacked, "mnist": _mnist}
