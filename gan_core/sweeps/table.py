"""The table of a sweep's trials, for people and for other programs."""

from __future__ import annotations

import io
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_core.foundations.files import write_whole
from gan_core.scores.registry import SCORES
from gan_core.sweeps.space import Axis
from gan_core.sweeps.training import DONE

if TYPE_CHECKING:
    import pandas as pd

CSV, PARQUET = "trials.csv", "trials.parquet"


def table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A line for each trial: its settings, seed, steps, seconds, status, reason, node, and every score by its name.

    What is a list (the histogram of classes) stands there as JSON.
    """
    import pandas as pd

    found = []
    for row in rows:
        line = dict(row["settings"])
        line |= {name: row[name] for name in ("seed", "steps", "seconds", "status", "reason", "key")}
        line |= {f"node_{name}": value for name, value in row["node"].items()}
        for name, value in row["metrics"].items():
            line[name if name not in line else f"score_{name}"] = json.dumps(value) if _many(value) else value
        found.append(line)
    return pd.DataFrame(found)


def _many(value: Any) -> bool:
    return isinstance(value, (list, dict, tuple))


def write_tables(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """trials.csv and trials.parquet of the folder; raises OSError."""
    found = table(rows)
    write_whole(folder / CSV, found.to_csv(index=False).encode())
    buffer = io.BytesIO()
    # A column of mixed kinds (a setting that is a number in one trial and a word in another) is text in Parquet.
    mixed = [name for name in found if len({type(value) for value in found[name]}) > 1]
    found.astype({name: "string" for name in mixed}).to_parquet(buffer, index=False)
    write_whole(folder / PARQUET, buffer.getvalue())


def mean_and_error(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and its standard error; None of a single value."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return statistics.fmean(values), error


def ordered_values(rows: Sequence[dict[str, Any]], axis: Axis) -> list[Any]:
    """The values of a setting, the axis's and those of the trials: numbers by size, names as they were given."""
    of_trials = (row["settings"][axis.name] for row in rows if axis.name in row["settings"])
    found = list(dict.fromkeys([*axis.values, *of_trials]))
    return sorted(found) if all(isinstance(value, (int, float)) for value in found) else found


def by_settings(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each settings, over its seeds: {settings, seeds, statuses, scores: {name: (mean, standard error or None)}}.

    Scores are those of the registry, of the trials that ended well.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(json.dumps(row["settings"], sort_keys=True), []).append(row)
    found = []
    for group in groups.values():
        done = [row["metrics"] for row in group if row["status"] == DONE]
        scores = {}
        for name in SCORES:
            values = [metrics[name] for metrics in done if isinstance(metrics.get(name), (int, float))]
            if values:
                scores[name] = mean_and_error(values)
        statuses = [row["status"] for row in group]
        found.append({"settings": group[0]["settings"], "seeds": len(group), "statuses": statuses, "scores": scores})
    return found


def as_text(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each settings: the mean of each score over the seeds, with its standard error."""
    lines = []
    for group in by_settings(rows):
        name = ", ".join(f"{name}={value}" for name, value in group["settings"].items()) or "as it is"
        bad = [status for status in group["statuses"] if status != DONE]
        said = [
            f"{name} {mean:.4g}" + ("" if error is None else f" ± {error:.2g}")
            for name, (mean, error) in group["scores"].items()
        ]
        said += [f"{bad.count(status)} of {group['seeds']} {status}" for status in dict.fromkeys(bad)]
        lines.append(
            f"{name} ({group['seeds']} seeds): {'; '.join(said)}"
            if group["seeds"] > 1
            else f"{name}: {'; '.join(said)}"
        )
    return "\n".join(lines)
