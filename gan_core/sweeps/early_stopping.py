"""Trials that look hopeless are stopped before their end: asynchronous successive halving (Li et al., MLSys 2020,
arXiv 1810.05934), by Optuna.

Each trial is scored after a ninth and after a third of its budget, and goes on if it is among the best third of those
that have come so far; while fewer than six have, if it is the best of them. What learns slowly at first is stopped,
too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gan_core.data import loading
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.scores.registry import SCORES, shown
from gan_core.scores.trainer_scores import NO_CLASSES, has_classes
from gan_core.settings.config import GANConfig
from gan_core.sweeps.training import STOPPED, Outcome

FACTOR = 3  # one in so many goes on
PARTS = (1 / 9, 1 / 3)  # of a trial's budget, after which it is judged
SPOKEN = ("a ninth", "a third")
RUNGS = "rungs"  # in a row: how far from its ideal the score was at each of PARTS


def accepted(base: GANConfig, upload: Any = None) -> list[str]:
    """The names of the scores that trials on the base's data can be judged by."""
    data = loading.load(base, upload)
    return [name for name, _ in shown(data.kind, data)] if data.kind == "points" or has_classes(data) else []


def checked(name: str, base: GANConfig, upload: Any = None) -> str:
    """`name`, if it is one of the `accepted`; raises ConfigError."""
    names = accepted(base, upload)
    if not names:
        raise ConfigError(f"No trial can be stopped early by a score. {NO_CLASSES}")
    if name not in names:
        raise ConfigError(f"Trials are stopped early by one of the scores {', '.join(names)}; got {shorten(name)}.")
    return name


class EarlyStopping:
    """Judges trials by a score. rows: of the trials that were finished before, in their order.

    Optuna counts in steps: 1, 3 and 9 stand for a ninth, a third, and all of a trial's budget.
    """

    def __init__(self, score: str, rows: Sequence[dict[str, Any]]):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=FACTOR)
        self._score = score
        self._study = optuna.create_study(direction="minimize", pruner=pruner)
        self._trials: dict[str, Any] = {}
        self._rungs: dict[str, list[float | None]] = {}
        self._judged = [0] * len(PARTS)  # how many trials were, after each of them
        for row in rows:
            for value in row.get(RUNGS, ()):
                self._is_hopeless(row["key"], value)

    def stops(self, outcome: Outcome) -> bool:
        """Whether a trial that was handed back ends here; then its row says so."""
        row = outcome.row
        value = SCORES[self._score].distance_to_ideal(self._score, row["metrics"])
        hopeless = self._is_hopeless(row["key"], value)
        self.note(outcome)
        if hopeless:
            place = len(row[RUNGS]) - 1
            count, title = self._judged[place], SCORES[self._score].title
            least = "the best so far" if count // FACTOR < 2 else "among the best third"
            row["status"] = STOPPED
            row["reason"] = f"After {SPOKEN[place]} of its budget its {title} was not {least} of {count:,} trials."
            outcome.begun = None
        return hopeless

    def note(self, outcome: Outcome) -> None:
        """Writes into the row what the trial was judged by, so that a sweep that goes on knows it."""
        outcome.row[RUNGS] = self._rungs.get(outcome.row["key"], [])

    def _is_hopeless(self, key: str, value: float | None) -> bool:
        if key not in self._trials:
            self._trials[key] = self._study.ask()
        rungs = self._rungs.setdefault(key, [])
        trial = self._trials[key]
        trial.report(math.inf if value is None else value, FACTOR ** len(rungs))
        self._judged[len(rungs)] += 1
        rungs.append(value)
        return trial.should_prune()
