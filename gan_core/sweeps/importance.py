"""Which setting of a sweep matters for a score: permutation importance of a random forest (Breiman, Machine Learning
45, 2001), on trials that the forest has not seen.

How much of the score's variance a forest explains less when the values of one setting are shuffled among the trials;
0 for a setting that does not matter. It says nothing where the forest explains nothing (`explained` at or below 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.sweeps.training import DONE

LEAST_TRIALS = 12
MOST_TRIALS = 2_000  # drawn from more: a forest of ten thousand takes half a minute to grow, and says the same
FOLDS = 4
TREES = 60
SHUFFLES = 5


@dataclass(frozen=True)
class Importance:
    """explained: R² on unseen trials, mean over the folds. settings: name -> (mean, standard deviation over the folds
    and shuffles) of what R² loses."""

    explained: float
    trials: int
    settings: dict[str, tuple[float, float]]


def importance(rows: Sequence[dict[str, Any]], score: str) -> Importance | None:
    """Of each setting that differs among the finished trials that have this score; None where there are too few."""
    used = [row for row in rows if row["status"] == DONE and isinstance(row["metrics"].get(score), (int, float))]
    names = [name for name in (used[0]["settings"] if used else {}) if len({_said(row, name) for row in used}) > 1]
    if len(used) < LEAST_TRIALS or not names:
        return None
    if len(used) > MOST_TRIALS:
        drawn = np.random.default_rng(0).permutation(len(used))[:MOST_TRIALS]
        used = [used[i] for i in drawn]
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    x = np.column_stack([_numbers(used, name) for name in names])
    y = np.array([row["metrics"][score] for row in used], float)
    if np.ptp(y) == 0:
        return None
    explained, lost = [], []
    for seen, unseen in KFold(FOLDS, shuffle=True, random_state=0).split(x):
        forest = RandomForestRegressor(TREES, random_state=0, n_jobs=1).fit(x[seen], y[seen])
        if np.ptp(y[unseen]) == 0:
            continue  # R² of these is not defined
        explained.append(forest.score(x[unseen], y[unseen]))
        shuffled: Any = permutation_importance(forest, x[unseen], y[unseen], n_repeats=SHUFFLES, random_state=0)
        lost.append(shuffled.importances)
    if not lost:
        return None
    each = np.concatenate(lost, 1)
    found = {name: (float(each[i].mean()), float(each[i].std())) for i, name in enumerate(names)}
    return Importance(float(np.mean(explained)), len(used), found)


def _said(row: dict[str, Any], name: str) -> str:
    return repr(row["settings"][name])


def _numbers(rows: Sequence[dict[str, Any]], name: str) -> np.ndarray:
    """A setting as numbers that a tree can divide: those with a logarithmic slider by their logarithm, words by their
    order of appearance."""
    values = [row["settings"][name] for row in rows]
    if not all(isinstance(value, (int, float)) for value in values):
        order = {said: i for i, said in enumerate(dict.fromkeys(map(repr, values)))}
        return np.array([order[repr(value)] for value in values], float)
    numbers = np.array(values, float)
    knob = HYPERPARAMETERS.get(name)
    return np.log(numbers) if knob is not None and knob.log and (numbers > 0).all() else numbers
