"""`python -m gan_core benchmark failures | coach`: do the failures fail, do the cures heal, is it seen?

Every run is trained to a fixed step, so that the answer is the same however busy the machine is; the seconds beside it
are what that took.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from gan_core.benchmarks import published
from gan_core.benchmarks.benchmark_runs import Result, all_of
from gan_core.benchmarks.failure_runs import CURED, FAILING, HEALTHY, FailureRun
from gan_core.diagnosis.failures import FAILURES
from gan_core.foundations import cluster
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.settings.presets import PRESETS, TUTORIALS

SEEDS, QUICK_SEEDS = 10, 1
QUICK_ROWS = ("mode-collapse", "blow-up")
# Steps of a healthy run: as long as the failures train.
HEALTHY_STEPS = {"points": 5_000, "images": 600}
NAMED_WITHIN = 1 / 3  # of its steps, a failure must be named
# Pictures of 32 x 32 in three colours take seconds a step on two cores.
TOO_SLOW = ("cifar10", "stacked_mnist", "mnist_rgb", "shapes_rgb")
HEALTHY_PRESETS = tuple(name for name in PRESETS if name not in (*TUTORIALS, *TOO_SLOW))


def chosen(names: str | None, known: Sequence[str], what: str) -> tuple[str, ...]:
    """The names in `names`, divided by commas, all of them for None; raises ConfigError."""
    if names is None:
        return tuple(known)
    found = tuple(name.strip() for name in names.split(","))
    for name in found:
        if name not in known:
            raise ConfigError(f"There is no {what} {shorten(name)}; there are: {', '.join(known)}.")
    return found


def _run(
    runs: list[FailureRun], say: Callable[[str], None], processes: int | None, ray: str | None
) -> tuple[dict[str, Result], dict[str, Any]]:
    """(the result of each run by its key, what is said of how they were run)."""
    with contextlib.ExitStack() as stack:
        executor, threads = published.executor_of(runs[0], processes, cluster.address_of(ray), stack)
        found = all_of(runs, executor, say)
    beside = {"processes": processes or 1, "threads": threads, "cluster": cluster.address_of(ray) is not None}
    return found, {"machine": published.machine(), **beside}


def _of(name: str, kind: str, seeds: int) -> list[FailureRun]:
    steps = HEALTHY_STEPS[PRESETS[name].kind] if kind == HEALTHY else FAILURES[name].steps
    return [FailureRun("failures", name, kind, seed, steps, (None,)) for seed in range(seeds)]


def run(
    names: str | None,
    seeds: int | None,
    quick: bool,
    say: Callable[[str], None],
    processes: int | None = None,
    ray: str | None = None,
) -> dict[str, Any]:
    """Each failure with its settings and with its cure, from the same seeds: a row says in how many the fault showed
    (`failed`) and in how many the cure was free of it (`healed`). Raises ConfigError."""
    rows = chosen(names, QUICK_ROWS if quick and names is None else tuple(FAILURES), "failure")
    seeds = seeds or (QUICK_SEEDS if quick else SEEDS)
    runs = [one for name in rows for kind in (FAILING, CURED) for one in _of(name, kind, seeds)]
    found, about = _run(runs, say, processes, ray)
    table = []
    for name in rows:
        failing, cured = ([found[one.key].rows[0] for one in _of(name, kind, seeds)] for kind in (FAILING, CURED))
        table.append(
            {
                "name": name,
                "seeds": seeds,
                "failed": sum(row["failed"] for row in failing),
                "healed": sum(not row["failed"] for row in cured),
                "seconds": max(row["seconds"] for row in (*failing, *cured)),
                "criterion": FAILURES[name].criterion,
                "steps": FAILURES[name].steps,
                "cure": dict(FAILURES[name].cure),
                "failing_runs": [_told(row) for row in failing],
                "cured_runs": [_told(row) for row in cured],
            }
        )
    return {"benchmark": "failures", **about, "rows": table}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("seed", "steps", "seconds", "failed", "values")}


def run_coach(
    names: str | None,
    seeds: int | None,
    quick: bool,
    say: Callable[[str], None],
    processes: int | None = None,
    ray: str | None = None,
) -> dict[str, Any]:
    """What the coach says of each failure, and of healthy presets. Raises ConfigError.

    A row of a failure: in how many of the seeds it was `named` within the first third, and `named_at` which part of the
    way, the median; of a healthy preset: in how many anything was said (`false_alarms`), and what.
    """
    every = (*FAILURES, *HEALTHY_PRESETS)
    rows = chosen(names, (*QUICK_ROWS, "ring") if quick and names is None else every, "failure or healthy preset")
    seeds = seeds or (QUICK_SEEDS if quick else SEEDS)
    kinds = {name: FAILING if name in FAILURES else HEALTHY for name in rows}
    runs = [one for name, kind in kinds.items() for one in _of(name, kind, seeds)]
    found, about = _run(runs, say, processes, ray)
    table = []
    for name, kind in kinds.items():
        own = [found[one.key].rows[0] for one in _of(name, kind, seeds)]
        table.append(_of_failure(name, own) if kind == FAILING else _of_healthy(name, own))
    failures = [row for row in table if row["kind"] == FAILING]
    healthy = [row for row in table if row["kind"] == HEALTHY]
    about["recall"] = sum(row["named"] for row in failures) / max(1, sum(row["seeds"] for row in failures))
    about["false_alarms"] = sum(row["false_alarms"] for row in healthy) / max(1, sum(row["seeds"] for row in healthy))
    return {"benchmark": "coach", **about, "rows": table}


def _of_failure(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    wanted, steps = FAILURES[name].findings, FAILURES[name].steps
    first = [next((step for step, names in row["found"] if set(wanted) & set(names)), None) for row in rows]
    named = sorted(step / steps for step in first if step is not None)
    return {
        "name": name,
        "kind": FAILING,
        "findings": list(wanted),
        "seeds": len(rows),
        "named": sum(part <= NAMED_WITHIN for part in named),
        "named_at": named[len(named) // 2] if named else None,
        "named_later": sum(part > NAMED_WITHIN for part in named),
        "false_alarms": 0,
        "also": _counted(rows, wanted),
    }


def _of_healthy(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    alarms = sum(any(names for _, names in row["found"]) for row in rows)
    return {
        "name": name,
        "kind": HEALTHY,
        "findings": [],
        "seeds": len(rows),
        "named": 0,
        "named_at": None,
        "named_later": 0,
        "false_alarms": alarms,
        "also": _counted(rows, ()),
    }


def _counted(rows: list[dict[str, Any]], but: Sequence[str]) -> dict[str, int]:
    """In how many of the runs each other finding was made."""
    found = [{name for _, names in row["found"] for name in names} - set(but) for row in rows]
    return {name: sum(name in each for each in found) for name in sorted(set().union(*found))}


def as_text(result: dict[str, Any]) -> str:
    """The result as a table for people."""
    lines = []
    if result["benchmark"] == "failures":
        lines.append(f"{'failure':26s}{'failed':>8s}{'healed':>8s}{'seconds':>9s}  criterion")
        lines += [
            f"{row['name']:26s}{row['failed']:>5d}/{row['seeds']:<2d}{row['healed']:>5d}/{row['seeds']:<2d}"
            f"{row['seconds']:>9.1f}  {row['criterion']}"
            for row in result["rows"]
        ]
    else:
        lines.append(f"{'run':26s}{'named':>8s}  {'at':>5s}  {'alarms':>7s}  also found")
        for row in result["rows"]:
            at = "" if row["named_at"] is None else f"{100 * row['named_at']:.0f} %"
            named = f"{row['named']}/{row['seeds']}" if row["kind"] == FAILING else ""
            alarms = f"{row['false_alarms']}/{row['seeds']}" if row["kind"] == HEALTHY else ""
            also = ", ".join(f"{name} {n}" for name, n in row["also"].items())
            lines.append(f"{row['name']:26s}{named:>8s}  {at:>5s}  {alarms:>7s}  {also}".rstrip())
        lines.append(
            f"Named within the first third: {100 * result['recall']:.0f} % of the failing runs. Anything said of "
            f"{100 * result['false_alarms']:.0f} % of the healthy ones."
        )
    m = result["machine"]
    return "\n".join([*lines, f"{m['cores']} cores, TensorFlow {m['tensorflow']}, {m['date']}."])
