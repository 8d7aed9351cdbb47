"""The scores of a trainer: which of its samples are scored, and against which real data."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from gan_core.data.datasets import DATASETS
from gan_core.data.pictures import Pictures, as_pictures
from gan_core.data.points import Data, as_points
from gan_core.scores import image_scores, point_scores
from gan_core.scores.point_metrics import MODE_SAMPLES
from gan_core.scores.registry import SCORES

if TYPE_CHECKING:
    import numpy as np

    from gan_core.scores.classifier import Classifier
    from gan_core.scores.comparisons import RealImages
    from gan_core.training.trainer import Trainer

W1_SAMPLES = 500
FLOOR_REPEATS = 5
IMAGE_SAMPLES = 1_000
MOST_FLOORS = 32
MOST_REFERENCES = 4  # each the features of some thousand images: with a hundred features 4 MB
# By what they depend on, each with its data, which are told apart by their identity as long as somebody holds them.
_FLOORS: dict[tuple, tuple[Data, point_scores.Floors]] = {}
_REFERENCES: dict[tuple, tuple[Classifier, RealImages]] = {}  # likewise, of one data set at a time
_LOCK = Lock()
NO_CLASSES = "Scores of images need data with at least two classes."


def w1_samples(trainer: Trainer, most: int) -> int:
    """Sample size of the distances of points: `most`, or half of what is finite (a user's file), whose halves are
    held against each other for the floors; other data are drawn afresh."""
    return min(most, len(trainer.data) // 2) if DATASETS[trainer.config.data].finite else most


def generated_points(trainer: Trainer, n: int) -> np.ndarray:
    """The shown generator's points that are scored, float32 [n, 2] in the data's units."""
    return trainer.samples(trainer.latent(n, draw=1), trainer.config.show_ema)


def point_floors(trainer: Trainer, most: int = W1_SAMPLES, repeats: int = FLOOR_REPEATS) -> point_scores.Floors:
    """What real points get over so many pairs of draws, distances at `most` points; a live run has little time.

    The last ones are kept: in a sweep or after a reset the same data are scored again, and seconds go into them.
    """
    config, data, n = trainer.config, as_points(trainer.data), w1_samples(trainer, most)
    key = id(data), config.data, config.data_params, config.seed, n, repeats, *SCORES
    with _LOCK:
        kept = _FLOORS.get(key)
    if kept is None:
        kept = data, point_scores.floors(config, data, n, repeats)
        with _LOCK:
            while len(_FLOORS) >= MOST_FLOORS:
                del _FLOORS[next(iter(_FLOORS))]
            _FLOORS[key] = kept
    return kept[1]


def score_points(trainer: Trainer, floors: point_scores.Floors) -> dict[str, Any]:
    """The scores of the shown generator's points (point_scores.py)."""
    return point_scores.scores(trainer.config, as_points(trainer.data), generated_points(trainer, MODE_SAMPLES), floors)


def has_classes(data: Data | Pictures) -> bool:
    """Whether images can be scored: a classifier needs at least two classes in the set that they were chosen from."""
    if not isinstance(data, Pictures):
        return False
    names = data.class_names if data.whole is None else data.whole.class_names
    return data.labels is not None and len(names) >= 2


def generated_images(trainer: Trainer, n: int) -> np.ndarray:
    """The shown generator's images that are scored, uint8 [n, H, W, C]; of the data's classes if it is told them."""
    labels = trainer.labels(n, draw=1) if trainer.classes else None
    return trainer.samples(trainer.latent(n, draw=1), trainer.config.show_ema, labels)


def judge_and_reference(data: Pictures, n: int, seed: int, say: Callable[[str], None]) -> tuple[Classifier, RealImages]:
    """Who judges images, and what generated ones are held against (classifier.trained, image_scores.reference).

    The last ones are kept: a trial of a sweep is scored several times on its way, and each time the whole set would be
    read for its classifier, and thousands of real images judged. They are of one data set alone, for each holds its
    own in memory. `say` hears of the classifier's training. ValueError for fewer than 4 images, or of one class.
    """
    from gan_core.scores import classifier

    key = id(data), n, seed, *SCORES
    with _LOCK:
        kept = _REFERENCES.get(key)
        of_data = [judge for judge, reference in _REFERENCES.values() if reference.data is data]
    if kept is None:
        judge = of_data[0] if of_data else classifier.trained(data, say)
        kept = judge, image_scores.reference(judge, data, n, seed)
        with _LOCK:
            for other in [k for k, (_, reference) in _REFERENCES.items() if reference.data is not data]:
                del _REFERENCES[other]
            while len(_REFERENCES) >= MOST_REFERENCES:
                del _REFERENCES[next(iter(_REFERENCES))]
            _REFERENCES[key] = kept
    return kept


def score_images(trainer: Trainer, judge: Classifier, reference: RealImages) -> dict[str, Any]:
    """The scores of the shown generator's images (image_scores.py)."""
    return image_scores.scores(reference, judge, generated_images(trainer, reference.n))


def all_scores(trainer: Trainer, most: int, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """All scores, from `most` images, or points of distances, beside floors from `repeats` pairs of real draws;
    {"samples": 0}, and a word to `say`, if there are none.

    The classifier of images is trained now if no cache has it; `say` hears of that too.
    """
    if trainer.data.kind == "points":
        return score_points(trainer, point_floors(trainer, most, repeats))
    if not has_classes(trainer.data):
        say(f"No scores. {NO_CLASSES}")
        return {"samples": 0}
    data = as_pictures(trainer.data)
    try:
        judge, reference = judge_and_reference(data, most, trainer.config.seed, say)
    except ValueError as error:  # two names, and pictures of one class only
        say(f"No scores: {error}")
        return {"samples": 0}
    return score_images(trainer, judge, reference)
