"""What a run is known by: the names that conditions and the coach's findings ask for, of what was recorded.

All of it is plain NumPy over what is kept anyway, so the same is known of a run that trains, of one that is looked back
at, and of one that was saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gan_core.diagnosis.conditions import Kind, Known
from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.scores.registry import SCORES
from gan_core.scores.score import number_of
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from gan_core.settings.setting_texts import DATA_PREFIX
from gan_core.training.train_step import COLUMNS

# Beside scores, what real data get of each (`w1_floor`), settings and the columns of the losses.
RUN = {
    "step": "the newest step",
    "diverged": "whether training left the finite numbers",
    "d_accuracy": "the discriminator's accuracy, over real and generated samples",
    "best_modes": "the most modes that were captured at any time",
    "mode_changes": "how often the mode with the most samples became another one, in the last half",
    "largest_mode": "the share of high-quality samples in the mode with the most of them",
    "p_training": "the discriminator's mean p(real) of images that it is trained on",
    "p_held_out": "its mean p(real) of real images that it has never seen",
    "p_generated": "its mean p(real) of generated images",
    "memorized": "p_training - p_held_out",
}
JUDGED = ("p_training", "p_held_out", "p_generated")  # the first columns of what the discriminator says of pictures


def floor_names() -> dict[str, str]:
    """Under which names the scores of a run hold what real data get, each with its score."""
    return {
        (measure.ideal or f"{name}_floor"): name
        for name, row in SCORES.items()
        for measure in (row.points, row.images)
        if measure is not None
    }


def names(findings: Iterable[str] = (), data_settings: Mapping[str, Hyperparameter] | None = None) -> dict[str, Kind]:
    """All names that a condition may ask for, each with what it stands for. data_settings: those of the data set, such
    as `std`, asked for as `data.std`."""
    curves = {*SCORES, *floor_names(), *COLUMNS, "d_accuracy", *JUDGED, "memorized", *_OF_COUNTS}
    found = {name: Kind(bool if name == "diverged" else float) for name in (*RUN, *SCORES, *floor_names(), *COLUMNS)}
    found |= {name: _kind(knob) for name, knob in HYPERPARAMETERS.items()}  # `penalty` is the choice, its mean the loss
    found |= {DATA_PREFIX + name: _kind(knob) for name, knob in (data_settings or {}).items()}
    found |= {name: Kind(bool) for name in findings}
    return {name: replace(kind, curve=name in curves) for name, kind in found.items()}


def _kind(knob: Hyperparameter) -> Kind:
    kind = knob.kind if knob.kind in (bool, str) else float
    return Kind(kind, tuple(knob.choices or ()) if kind is str else ())


@dataclass(frozen=True)
class Recorded:
    """What is known of a run, as arrays. history: as History.frame() gives it; scores: those that were made, in the
    order of their steps, each with its `step`; judged: {step int [n], values float32 [n, at least 3]}, n 0 for points.

    at: the step at which one looks: nothing later counts.
    """

    config: GANConfig
    history: Mapping[str, Any]
    scores: Sequence[Mapping[str, Any]] = ()
    judged: Mapping[str, Any] = field(default_factory=dict)
    diverged: bool = False
    at: int | None = None
    # Curves that were asked for: one look of the coach asks for the same ones again and again.
    _curves: dict[str, tuple[np.ndarray, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def step(self) -> int:
        """The newest step that counts."""
        steps = self.history["step"]
        last = int(steps[-1]) if len(steps) else 0
        return last if self.at is None else min(last, self.at)

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(steps int [n], values float [n]) of a number over the recording; n = 0 where it has none.

        Of a column of the losses a value is the mean of a bin of steps."""
        if name not in self._curves:
            self._curves[name] = self._made(name)
        return self._curves[name]

    def _made(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if name in COLUMNS or name == "d_accuracy":
            steps, means = np.asarray(self.history["step"]), np.asarray(self.history["mean"], float)
            names = ("real_accuracy", "fake_accuracy") if name == "d_accuracy" else (name,)
            values = means.reshape(len(steps), len(COLUMNS))[:, [COLUMNS.index(each) for each in names]].mean(1)
        elif name in JUDGED or name == "memorized":
            steps = np.asarray(self.judged.get("step", ()), int)
            table = np.asarray(self.judged.get("values", ()), float) if len(steps) else np.zeros((0, len(JUDGED)))
            column = table[:, JUDGED.index(name)] if name in JUDGED else table[:, 0] - table[:, 1]
            steps, values = steps[np.isfinite(column)], column[np.isfinite(column)]
        else:
            read = _OF_COUNTS.get(name, lambda scores: number_of(scores.get(name)))
            found = [(scores["step"], value) for scores in self.scores if (value := read(scores)) is not None]
            steps, values = np.array([at for at, _ in found], int), np.array([value for _, value in found], float)
        seen = steps <= self.step
        return steps[seen], values[seen]

    def largest(self) -> tuple[np.ndarray, np.ndarray]:
        """(steps int [n], the mode with the most samples int [n]) wherever modes were counted."""
        found = [
            (scores["step"], int(np.argmax(scores["mode_counts"])))
            for scores in self.scores
            if scores["step"] <= self.step and sum(scores.get("mode_counts") or ()) > 0
        ]
        return np.array([at for at, _ in found], int), np.array([mode for _, mode in found], int)


def _largest_mode(scores: Mapping[str, Any]) -> float | None:
    counts = scores.get("mode_counts") or ()
    return max(counts) / sum(counts) if sum(counts) else None


_OF_COUNTS = {"largest_mode": _largest_mode}


def later_half(steps: np.ndarray) -> np.ndarray:
    """Which of these steps lie in the last half of the way to the last one, bool [n]."""
    return steps > steps[-1] / 2 if len(steps) else np.zeros(0, bool)


def known(run: Recorded, findings: Mapping[str, bool] | None = None) -> Known:
    """All names with their values. findings: which the coach has found, and which not."""
    return Known(_Values(run, findings or {}), _Series(run))


class _Series(Mapping[str, Sequence[float]]):
    """The last half of each number of a run, made when it is asked for."""

    def __init__(self, run: Recorded):
        self._run = run

    def __getitem__(self, name: str) -> Sequence[float]:
        steps, values = self._run.curve(name)
        return values[later_half(steps)].tolist()

    def __iter__(self):
        return iter(names())

    def __len__(self) -> int:
        return len(names())


class _Values(Mapping[str, Any]):
    """The newest value of each name, made when it is asked for; None where there is none."""

    def __init__(self, run: Recorded, findings: Mapping[str, bool]):
        self._run, self._findings = run, findings

    def __getitem__(self, name: str) -> Any:
        run = self._run
        if name in self._findings:
            return self._findings[name]
        if name in HYPERPARAMETERS:
            return getattr(run.config, name)
        if name.startswith(DATA_PREFIX):
            return run.config.params().get(name.removeprefix(DATA_PREFIX))
        if name == "step":
            return run.step
        if name == "diverged":
            return run.diverged
        if name == "best_modes":
            found = run.curve("modes")[1]
            return int(found.max()) if len(found) else None
        if name == "mode_changes":
            steps, modes = run.largest()
            late = modes[later_half(steps)]
            return int((late[1:] != late[:-1]).sum()) if len(late) else None
        _, values = run.curve(name)
        return float(values[-1]) if len(values) else None

    def __iter__(self):
        return iter(names())

    def __len__(self) -> int:
        return len(names())
