"""The scores of a trainer, of points or of images; and, on a budget, those of a live run in the worker."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from gan_core.data.image_datasets import Pictures
from gan_core.scores import image_metrics, point_metrics

if TYPE_CHECKING:
    import numpy as np

    from gan_core.scores.classifier import Classifier
    from gan_core.training.trainer import Trainer

SHARE = 0.03  # of the time, at most, goes into scores
W1_SAMPLES = 500
FLOOR_REPEATS = 5
IMAGE_SAMPLES = 1_000


def w1_samples(trainer: Trainer, most: int) -> int:
    """Sample size of the distances of points: `most`, or half of a user's file, whose halves are held against each
    other for the floors; other data are drawn afresh."""
    return min(most, len(trainer.data) // 2) if trainer.config.data == "file" else most


def generated_points(trainer: Trainer, n: int) -> np.ndarray:
    """The shown generator's points that are scored, float32 [n, 2] in the data's units."""
    return trainer.samples(trainer.latent(n, draw=1), trainer.config.show_ema)


def score_points(trainer: Trainer, floors: point_metrics.Floors) -> dict[str, Any]:
    """The scores of the shown generator's points (point_metrics.py)."""
    return point_metrics.scores(
        trainer.config, trainer.data, generated_points(trainer, point_metrics.MODE_SAMPLES), floors
    )


def has_classes(trainer: Trainer) -> bool:
    """Whether images can be scored: a classifier needs at least two classes in the set that they were chosen from."""
    data = trainer.data
    names = data.class_names if data.whole is None else data.whole.class_names
    return data.labels is not None and len(names) >= 2


def generated_images(trainer: Trainer, n: int) -> np.ndarray:
    """The shown generator's images that are scored, uint8 [n, H, W, C]; of the data's classes if it is told them."""
    labels = trainer.labels(n, draw=1) if trainer.classes else None
    return trainer.samples(trainer.latent(n, draw=1), trainer.config.show_ema, labels)


def score_images(trainer: Trainer, judge: Classifier, reference: image_metrics.Reference) -> dict[str, Any]:
    """The scores of the shown generator's images (image_metrics.py)."""
    return image_metrics.scores(reference, judge, generated_images(trainer, reference.n))


class LiveScores:
    """The scores of the shown generator, made anew as often as SHARE of the time allows."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.values: dict[str, Any] = {}
        self._next = 0.0
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
        self._next = time.monotonic() + (time.monotonic() - started) / SHARE

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
    """Modes, high quality, distances (point_metrics.py)."""

    _floors: point_metrics.Floors | None = None

    def _ready(self) -> bool:
        if self._floors is None:  # once, and not counted as a score's own cost
            n = w1_samples(self.trainer, W1_SAMPLES)
            self._floors = point_metrics.floors(self.trainer.config, self.trainer.data, n, FLOOR_REPEATS)
        return True

    def _make(self) -> dict[str, Any]:
        return score_points(self.trainer, self._floors)


class ImageScores(LiveScores):
    """Classifier-FID, precision and recall, the histogram of classes (image_metrics.py), where there are classes.

    The classifier is trained, or taken from its cache, in a thread of its own; until then `values` says so.
    """

    def __init__(self, trainer: Trainer) -> None:
        super().__init__(trainer)
        self._judge: tuple[Any, Any] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        if not has_classes(trainer):
            self.values = {"note": "Scores of images need data with at least two classes."}

    def close(self) -> None:
        self._closed = True

    def _ready(self) -> bool:
        if self._judge is None and self._thread is None and "note" not in self.values:
            self.values = {"note": "Preparing the scores: training a small classifier, once per data set."}
            self._thread = threading.Thread(target=self._prepare, daemon=True)
            self._thread.start()
        return self._judge is not None

    def _prepare(self) -> None:
        from gan_core.scores import classifier

        data: Pictures = self.trainer.data
        try:
            judge = classifier.trained(data, stopped=lambda: self._closed)
            reference = image_metrics.reference(judge, data, IMAGE_SAMPLES, self.trainer.config.seed)
        except classifier.Stopped:
            return
        except Exception as error:  # scores are missing, training goes on
            self.values = {"note": f"There are no scores: {_said(error)}"}
            return
        self._judge = judge, reference

    def _make(self) -> dict[str, Any]:
        return score_images(self.trainer, *self._judge)


def live_scores(trainer: Trainer) -> LiveScores:
    """The scores that the trainer's data allow."""
    return (ImageScores if trainer.data.kind == "images" else PointScores)(trainer)
