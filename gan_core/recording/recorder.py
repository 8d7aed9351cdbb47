"""What a run leaves behind while it trains: losses, frames, scores and checkpoints, in bounded memory.

Nothing here computes: the training run (training_run.py) decides when, and hands in what it saw. Plain NumPy, so that
the server reads saved runs without TensorFlow.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.diagnosis.coach import marks_until
from gan_core.recording.history import History
from gan_core.scores import registry

FRAMES = 240
SCORES = 240
CHECKPOINTS = 60
JUDGED = 5  # numbers that a frame of images holds of what the discriminator says (visuals.judged)
# Together below 50 MB, which is also what a saved run may weigh.
FRAME_BYTES = 22_000_000
CHECKPOINT_BYTES = 22_000_000
MOST_CHANGES = 200
ALONE, TOO_MANY = "alone", "more changes"  # in the place of a setting's name in `Recording.changes`

Arrays = dict[str, np.ndarray]


def weight(item: Any) -> int:
    """Bytes of the arrays or tensors in nested dicts and lists, and in checkpoints."""
    if isinstance(item, Checkpoint):
        return weight(item.state) + weight(item.history)
    if isinstance(item, dict):
        return sum(weight(part) for part in item.values())
    if isinstance(item, (list, tuple)):
        return sum(weight(part) for part in item)
    if hasattr(item, "nbytes"):
        return int(item.nbytes)
    return math.prod(item.shape) * item.dtype.size if hasattr(item, "shape") else 0  # a tensor has no nbytes


class Timeline:
    """Items at rising steps: at most `most` and about `most_bytes`, dense early and sparse late.

    `due` asks for the next after a `density`th part of the way so far, in cube roots of steps; once there are too many,
    those go whose neighbours are nearest by the same measure. The first and the newest always stay, and the one at the
    step `kept`, so three items can weigh more than `most_bytes`.
    """

    def __init__(self, most: int, density: int, most_bytes: int = 1 << 62):
        self.steps: list[int] = []
        self.items: list[Any] = []
        self.kept: int | None = None
        self._most, self._density, self._most_bytes = most, density, most_bytes

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def due(self) -> int:
        """The next step at which an item is wanted."""
        if not self.steps:
            return 0
        last, room = self.steps[-1], self._room(weight(self.items[-1]))
        return max(last + 1, math.ceil(last * (1 + 1 / min(room, self._density)) ** 3))

    def _room(self, size: int) -> int:
        return max(2, min(self._most, self._most_bytes // max(size, 1)))

    def add(self, step: int, item: Any) -> None:
        """Keeps `item`; one at the newest step replaces it, an earlier step is an error (ValueError)."""
        if self.steps and step < self.steps[-1]:
            raise ValueError(f"step {step} comes after step {self.steps[-1]}")
        if self.steps and step == self.steps[-1]:
            self.items[-1] = item
            return
        self.steps.append(step)
        self.items.append(item)
        room = self._room(weight(item))
        while len(self.steps) > room:
            roots = np.cbrt(self.steps)
            kept = -1 if self.kept is None else self.kept
            gaps = np.where(np.equal(self.steps[1:-1], kept), np.inf, roots[2:] - roots[:-2])
            drop = 1 + int(np.argmin(gaps))
            if not np.isfinite(gaps[drop - 1]):
                break
            del self.steps[drop], self.items[drop]

    def at(self, step: int) -> tuple[int, Any] | None:
        """(its step, the newest item that is not after `step`), the first one for a step before all; None if empty."""
        if not self.steps:
            return None
        i = max(0, int(np.searchsorted(self.steps, step, "right")) - 1)
        return self.steps[i], self.items[i]

    def until(self, step: int) -> "Timeline":
        """A new timeline of the items up to and with `step`."""
        new = Timeline(self._most, self._density, self._most_bytes)
        n = int(np.searchsorted(self.steps, step, "right"))
        new.steps, new.items, new.kept = self.steps[:n], self.items[:n], self.kept
        return new

    def copy(self) -> "Timeline":
        """As it is now; the items are shared."""
        return self.until(1 << 62)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that training goes on from, bit for bit. `state` is the trainer's: arrays or tensors by name.

    history: the losses up to here (History.state). flat: the settings at this step, which may have changed on the way.
    """

    flat: dict[str, Any]
    state: dict[str, Any]
    history: dict[str, Any]


@dataclass(frozen=True)
class Parent:
    """Where a branch came from."""

    name: str
    step: int


@dataclass
class Recording:
    """The memory of one run.

    frames: what views.record makes. scores: the scores' dicts. checkpoints: `Checkpoint`s. marks: what the coach has
    found, as `diagnosis.coach.Coach` notes it. changes: of settings while it trained, a {step, name, old, new} each, in
    order and exact, unlike the history's markers; not kept in files.
    """

    history: History = field(default_factory=History)
    frames: Timeline = field(default_factory=lambda: Timeline(FRAMES, FRAMES // 3, FRAME_BYTES))
    scores: Timeline = field(default_factory=lambda: Timeline(SCORES, SCORES))
    checkpoints: Timeline = field(default_factory=lambda: Timeline(CHECKPOINTS, CHECKPOINTS, CHECKPOINT_BYTES))
    parent: Parent | None = None
    marks: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def changed(self, step: int, name: str, old: Any, new: Any) -> None:
        """Notes a change that acts from `step` on; another one of the same setting at this step replaces it (a drag).

        ALONE stands for a step of one network by itself. After MOST_CHANGES the last one says that there are more.
        """
        last = self.changes[-1] if self.changes else {}
        if last.get("name") == TOO_MANY:
            return
        if (last.get("step"), last.get("name")) == (step, name):
            self.changes[-1] = {**last, "new": new}
            return
        if len(self.changes) == MOST_CHANGES:
            name, old, new = TOO_MANY, None, None
        self.changes.append({"step": step, "name": name, "old": old, "new": new})

    @property
    def bytes(self) -> int:
        """Bytes of all arrays that it holds."""
        kept = (self.frames, self.scores, self.checkpoints)
        return weight(self.history.state()) + sum(weight(line.items) for line in kept)

    def scores_at(self, step: int) -> dict[str, Any]:
        """The newest scores that were made up to `step`."""
        found = self.scores.at(step)
        if found is None or found[0] > step:
            return {"note": "No scores had been made up to this step."}
        return dict(found[1])

    def scored_until(self, step: int) -> int:
        """How many scores there are up to `step`."""
        return bisect_right(self.scores.steps, step)

    def keep_best(self, framed: Iterable[int] | None = None) -> None:
        """Has the best moment so far (`best`) stay, with what is or will be here of it, whatever goes to make room."""
        step = (self.best(framed) or {"step": None})["step"]
        self.frames.kept = self.checkpoints.kept = self.scores.kept = step

    def best(self, framed: Iterable[int] | None = None) -> dict[str, Any] | None:
        """The frame with the best main score of those that were scored at that very step: `step`, `name` of the score
        and its `value`, in words; None where there is none. It is there to look at, and need not have a checkpoint.

        framed: the steps of the frames, where those are not added yet.
        """
        found: tuple[int, str, dict[str, Any]] | None = None
        kept = {*(self.frames.steps if framed is None else framed)}
        for step, values in zip(self.scores.steps, self.scores.items, strict=True):
            name = registry.main_score(values)
            if name is None or step not in kept or values.get("step") != step:
                continue
            if found is None or registry.better(values, found[2], name):
                found = step, name, values
        if found is None:
            return None
        step, name, values = found
        return {"step": step, "name": registry.SCORES[name].title, "value": registry.SCORES[name].text(values[name])}

    def judged(self) -> dict[str, np.ndarray]:
        """What the discriminator said of pictures in all frames that have it: `step` int32 [n], `values` float32
        [n, JUDGED]; n is 0 for points."""
        found = [
            (step, item["judged"])
            for step, item in zip(self.frames.steps, self.frames.items, strict=True)
            if "judged" in item
        ]
        values = np.array([value for _, value in found], np.float32).reshape(-1, JUDGED)
        return {"step": np.array([step for step, _ in found], np.int32), "values": values}

    def look(self, step: int) -> dict[str, Any]:
        """The newest recorded frame up to `step` as the page draws it: its arrays, `at`, `metrics` and `history`."""
        found = self.frames.at(step)
        if found is None:
            return {"history": self.history.frame(), "metrics": {}, "judged": self.judged()}
        at, seen = found
        about = {"at": at, "metrics": self.scores_at(at), "history": self.history.frame(), "best": self.best()}
        return {**seen, **about, "judged": self.judged()}

    def until(self, step: int) -> "Recording":
        """The past of a branch that leaves at `step`, which must have a checkpoint (KeyError)."""
        found = self.checkpoints.at(step)
        if found is None or found[0] != step:
            raise KeyError(step)
        history = History.of_state(found[1].history)
        frames, scores, checkpoints = (line.until(step) for line in (self.frames, self.scores, self.checkpoints))
        changes = [change for change in self.changes if change["step"] < step]
        marks = marks_until(self.marks, step)
        return Recording(history, frames, scores, checkpoints, self.parent, marks, changes)

    def copy(self) -> "Recording":
        """As it is now, to be written while training goes on; what never changes is shared."""
        history = History.of_state(self.history.state())
        lines = self.frames.copy(), self.scores.copy(), self.checkpoints.copy()
        return Recording(history, *lines, self.parent, [dict(mark) for mark in self.marks], list(self.changes))
