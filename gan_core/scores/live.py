"""The scores of a live run in the worker, on a budget of time."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gan_core.data.pictures import as_pictures
from gan_core.scores import image_scores, trainer_scores
from gan_core.scores.point_scores import Floors

if TYPE_CHECKING:
    from gan_core.training.trainer import Trainer

SHARE = 0.03  # of the time, at most, goes into scores
# The first ones come sooner, for in the first seconds most changes: after FIRST_SECONDS, and each next one after LONGER
# times as long, while no more than CREDIT_SECONDS of scoring in all are taken before their time.
FIRST_SECONDS, LONGER, CREDIT_SECONDS = 0.7, 1.6, 0.5


class LiveScores:
    """The scores of the shown generator, made anew as often as SHARE of the time allows."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.values: dict[str, Any] = {}
        self._next = 0.0
        self._early, self._credit = 0, CREDIT_SECONDS
        self._of: tuple | None = None

    def refresh(self, idle: bool) -> None:
        """Makes them anew if it is time, or (when standing still) if they are not of this very state."""
        this = (self.trainer.step, self.trainer.config.show_ema)
        if this == self._of or (time.monotonic() < self._next and not idle):
            return
        started = time.monotonic()
        try:
            if not self._ready():
                return
            started = time.monotonic()
            self.values = {**self._make(), "step": self.trainer.step}
        except Exception as error:  # scores are missing, training goes on
            self.values = {"note": f"The scores of step {self.trainer.step:,} failed. {_said(error)}"}
        self._of = this
        now = time.monotonic()
        cost = now - started
        self._next = now + (cost / SHARE if idle else self._wait(cost))

    def _wait(self, cost: float) -> float:
        """Seconds until the next ones, after some that took `cost` seconds."""
        wait, soon = cost / SHARE, FIRST_SECONDS * LONGER**self._early
        before_its_time = SHARE * (wait - soon)
        if not 0 < before_its_time <= self._credit:
            return wait
        self._early += 1
        self._credit -= before_its_time
        return soon

    def close(self) -> None:
        """Stops what works for it in the background."""

    def _ready(self) -> bool:
        return True

    def _make(self) -> dict[str, Any]:
        return {}


def _said(error: Exception) -> str:
    """The error in a line of its own words."""
    line = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
    return f"{type(error).__name__}: {line}"


class PointScores(LiveScores):
    """Scores of points (point_scores.py)."""

    @cached_property
    def _floors(self) -> Floors:
        return trainer_scores.point_floors(self.trainer)

    def _ready(self) -> bool:
        return bool(self._floors)  # made here, once, so that it is not counted as a score's own cost

    def _make(self) -> dict[str, Any]:
        return trainer_scores.score_points(self.trainer, self._floors)


class ImageScores(LiveScores):
    """Scores of images (image_scores.py), where there are classes.

    The classifier is trained, or taken from its cache, in a thread of its own; until then `values` says so.
    """

    def __init__(self, trainer: Trainer) -> None:
        super().__init__(trainer)
        self._judge: tuple[Any, Any] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        if not trainer_scores.has_classes(trainer.data):
            self.values = {"note": trainer_scores.NO_CLASSES}

    def close(self) -> None:
        self._closed = True

    def _ready(self) -> bool:
        if self._judge is None and self._thread is None and "note" not in self.values:
            self.values = {"note": "Preparing the scores: training a small classifier, once per data set."}
            self._thread = threading.Thread(target=self._prepare, daemon=True)
            self._thread.start()
        return self._judge is not None

    def _prepare(self) -> None:
        from gan_core.scores import classifier, classifier_cache

        data = as_pictures(self.trainer.data)
        try:
            judge = classifier.trained(data, stopped=lambda: self._closed)
            reference = image_scores.reference(judge, data, trainer_scores.IMAGE_SAMPLES, self.trainer.config.seed)
        except classifier_cache.Stopped:
            return
        except Exception as error:  # scores are missing, training goes on
            self.values = {"note": f"There are no scores: {_said(error)}"}
            return
        self._judge = judge, reference

    def _make(self) -> dict[str, Any]:
        if self._judge is None:
            raise RuntimeError("there is no classifier yet: ask _ready first")
        judge, reference = self._judge
        return trainer_scores.score_images(self.trainer, judge, reference)


def live_scores(trainer: Trainer) -> LiveScores:
    """The scores that the trainer's data allow."""
    return (ImageScores if trainer.data.kind == "images" else PointScores)(trainer)
