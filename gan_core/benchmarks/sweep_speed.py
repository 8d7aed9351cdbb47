"""How well a sweep uses its machines: trials beside each other against one after the other, and the loop alone.

`python -m gan_core bench sweep`. The loop is measured with trials that only wait, on as many slots as a cluster has.
"""

import contextlib
import heapq
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from gan_core.foundations import cluster
from gan_core.foundations.machine import cores
from gan_core.settings.config import GANConfig
from gan_core.sweeps import cluster_trials
from gan_core.sweeps.processes import Executor, Processes
from gan_core.sweeps.running import run as run_sweep
from gan_core.sweeps.space import Space, Trial, parse_space
from gan_core.sweeps.store import Store
from gan_core.sweeps.training import DONE, Outcome, outcome_without_training

SMALL = {"data": "ring", "g_units": 32, "d_units": 32, "g_layers": 2, "d_layers": 2, "batch_size": 128}
TRIALS_A_CORE = 4
SLOTS, TRIALS = 200, 10_000
SHORTEST, LONGEST = 0.5, 1.5  # of a trial that waits, in its mean


class Waiting:
    """An Executor whose trials train nothing: each waits for a while, the same each time for the same trial."""

    def __init__(self, slots: int, mean_seconds: float):
        self.slots, self.waited = slots, 0.0
        self._mean, self._number = mean_seconds, count()
        self._ends: list[tuple[float, int, Trial]] = []

    @property
    def free(self) -> int:
        """How many trials could be started now."""
        return self.slots - len(self._ends)

    def start(self, trial: Trial) -> None:
        """Has a trial wait."""
        seconds = self._mean * random.Random(trial.key).uniform(SHORTEST, LONGEST)
        self.waited += seconds
        heapq.heappush(self._ends, (time.monotonic() + seconds, next(self._number), trial))

    def finished(self, seconds: float) -> list[tuple[Trial, Outcome | None]]:
        """The trials that have waited enough, after at most so many seconds."""
        until = time.monotonic() + seconds
        if self._ends:
            time.sleep(max(0.0, min(until, self._ends[0][0]) - time.monotonic()))
        found: list[tuple[Trial, Outcome | None]] = []
        while self._ends and self._ends[0][0] <= time.monotonic():
            trial = heapq.heappop(self._ends)[2]
            found.append((trial, outcome_without_training(trial, DONE, "")))
        return found

    def close(self) -> None:
        """Forgets all."""
        self._ends.clear()


def megabytes() -> float:
    """The most memory that this process has taken so far; 0 where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def waiting(trials: int, slots: int, mean_seconds: float) -> dict[str, Any]:
    """The loop alone: the share of the slots' time in which a trial waited, and what memory all of it took."""
    space = parse_space(GANConfig.from_flat({}), ["g_lr=1e-4,1e-3"], -(-trials // 2), 1, None)
    before = megabytes()
    with tempfile.TemporaryDirectory(prefix="ganscope-bench-") as folder:
        store = Store(Path(folder))
        store.begin(space)
        executor, began = Waiting(slots, mean_seconds), time.monotonic()
        rows = run_sweep(store, space, executor, lambda text: None)
        took = time.monotonic() - began
        size = (Path(folder) / "trials.jsonl").stat().st_size
    return {
        "trials": len(rows),
        "slots": slots,
        "seconds": round(took, 1),
        "mean_seconds": mean_seconds,
        "busy": round(executor.waited / (slots * took), 3),
        "megabytes_more": round(megabytes() - before, 1),
        "table_megabytes": round(size / 1e6, 2),
    }


def trials_a_minute(space: Space, executor: Executor, at_once: int, say: Callable[[str], None]) -> float:
    """Of real trials in so many warm processes: what comes after each of them has trained one."""
    for _ in range(at_once):
        executor.start(next(space.trials()))
    ended = 0
    while ended < at_once:
        ended += len(executor.finished(0.2))
    with tempfile.TemporaryDirectory(prefix="ganscope-bench-") as folder:
        store, began = Store(Path(folder)), time.monotonic()
        store.begin(space)
        rows = run_sweep(store, space, executor, say)
        return 60 * len(rows) / (time.monotonic() - began)


def _beside_each_other(space: Space, processes: int) -> float:
    with contextlib.closing(Processes(processes)) as executor:
        return trials_a_minute(space, executor, processes, lambda text: None)


def run(seconds: float, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Trials of `seconds` of training each, by turns in one process and in one a core; then the loop alone.

    With GANSCOPE_RAY also one after the other on that cluster, whose nodes should be like this machine.
    """
    many, address = cores(), cluster.address_of(None)
    space = parse_space(GANConfig.from_flat(SMALL), ["g_lr=1e-3,2e-3"], many * TRIALS_A_CORE // 2 or 1, None, seconds)
    ways: dict[str, Callable[[], float]] = {
        "one_after_the_other": lambda: _beside_each_other(space, 1),
        "one_a_core": lambda: _beside_each_other(space, many),
    }
    with contextlib.ExitStack() as stack:
        if address is not None:
            there = cluster_trials.connected(address, space.base, most=1)
            trials = stack.enter_context(contextlib.closing(there))
            ways["one_after_the_other_on_the_cluster"] = lambda: trials_a_minute(space, trials, 1, lambda text: None)
        speeds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, measure in ways.items():
                speeds[way].append(measure())
                say(f"{way.replace('_', ' ')}: {speeds[way][-1]:.1f} trials a minute")
    medians = {way: round(sorted(found)[len(found) // 2], 2) for way, found in speeds.items()}
    one = medians["one_after_the_other"]
    say(f"{TRIALS:,} trials that wait, on {SLOTS} slots ...")
    result = {
        "cores": many,
        "processor": os.uname().machine if hasattr(os, "uname") else "",
        "seconds": seconds,
        "rounds": rounds,
        "trials": len(space),
        "trials_per_minute": medians,
        "ratio": round(medians["one_a_core"] / one, 2),
        "loop": waiting(TRIALS, SLOTS, 2.0),
    }
    if address is not None:
        result["cluster_overhead"] = round(one / medians["one_after_the_other_on_the_cluster"] - 1, 4)
    return result


def as_text(result: dict[str, Any]) -> str:
    """The result for people."""
    speed, loop = result["trials_per_minute"], result["loop"]
    there = speed.get("one_after_the_other_on_the_cluster")
    on_cluster = (
        "" if there is None else f"; {there:.1f} on the cluster: {100 * result['cluster_overhead']:+.1f} % of time"
    )
    return "\n".join(
        (
            f"{result['trials']} trials of {result['seconds']:g} s, medians of {result['rounds']} rounds: "
            f"{speed['one_after_the_other']:.1f} a minute one after the other, {speed['one_a_core']:.1f} on "
            f"{result['cores']} cores: {result['ratio']:.2f} times as many{on_cluster}",
            f"{loop['trials']:,} trials that wait {loop['mean_seconds']:g} s, on {loop['slots']} slots: "
            f"{loop['seconds']:.0f} s, {100 * loop['busy']:.1f} % of the slots' time busy; "
            f"{loop['megabytes_more']:.0f} MB more memory, a table of {loop['table_megabytes']:.1f} MB",
        )
    )
