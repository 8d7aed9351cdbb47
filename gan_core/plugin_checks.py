"""Whether rows of a plugin can be used: what they must be, and each of their functions tried on small inputs."""

from __future__ import annotations

import math
import os
import re
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.data import point_datasets
from gan_core.data.datasets import DATASETS, Dataset
from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter, asked_for, shorten
from gan_core.foundations.lazy_imports import tf
from gan_core.networks import architectures
from gan_core.networks.architectures import ARCHITECTURES, Architecture
from gan_core.networks.layers import measure
from gan_core.objectives.augmentations import AUGMENTATIONS, Augmentation
from gan_core.objectives.losses import LOSSES, Loss
from gan_core.objectives.optimizers import OPTIMIZERS, Optimizer
from gan_core.objectives.penalties import PENALTIES, Penalty
from gan_core.objectives.schedules import SCHEDULES, Schedule
from gan_core.scores.comparisons import ImageComparison, PointComparison, RealImages, RealPoints, Resamples
from gan_core.scores.registry import SCORES
from gan_core.scores.score import FORMS, GOOD, GROUPS, Measure, Score
from gan_core.settings import config as settings

VARIABLE = "GANSCOPE_PLUGINS"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

REGISTRIES: dict[str, tuple[dict[str, Any], type]] = {
    "data set": (DATASETS, Dataset),
    "architecture": (ARCHITECTURES, Architecture),
    "loss": (LOSSES, Loss),
    "penalty": (PENALTIES, Penalty),
    "augmentation": (AUGMENTATIONS, Augmentation),
    "optimizer": (OPTIMIZERS, Optimizer),
    "schedule": (SCHEDULES, Schedule),
    "score": (SCORES, Score),
}
PLAIN = ("data set", "score")  # kinds whose functions know no TensorFlow, and are tried where the plugin is loaded


def paths() -> list[Path]:
    """The files that the environment variable names, parted as the system parts paths, or by commas."""
    given = os.environ.get(VARIABLE, "").replace(",", os.pathsep)
    return [Path(part.strip()).expanduser().absolute() for part in given.split(os.pathsep) if part.strip()]


class Unusable(Exception):
    """Why a plugin is left out, in words, without the file's name."""


def said(error: BaseException, path: Path) -> str:
    """An error with the line of the plugin that it comes from."""
    if isinstance(error, SyntaxError) and error.lineno:
        line = error.lineno
    else:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = lines[-1] if lines else None
    if isinstance(error, ConfigError):
        return str(error).rstrip(".")
    what = " ".join(str(error).split())[:300].rstrip(".")
    where = f"line {line}: " if line else ""
    return f"{where}{type(error).__name__}{': ' + what if what else ''}"


def check_rows(kind: str, registry: dict[str, Any], before: dict[str, Any], row_type: type) -> None:
    for name, row in before.items():
        if registry.get(name) is not row:
            raise Unusable(f"it takes the name of the {kind} {name}, which exists")
    for name, row in registry.items():
        if name in before:
            continue
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise Unusable(
                f"the {kind} is called {shorten(name)}; a name is small letters, digits and underscores, 40 at most"
            )
        if not isinstance(row, row_type):
            raise Unusable(f"the {kind} {name} is a {type(row).__name__}, and must be a {row_type.__name__}")
        if kind == "score":
            _check_words(name, row)
            continue
        for key, knob in row.knobs.items():
            if not NAME.fullmatch(str(key)) or not isinstance(knob, Hyperparameter):
                raise Unusable(
                    f"the {kind} {name} brings {shorten(key)}, which is no Hyperparameter with a usable name"
                )
        if not row.description:
            raise Unusable(f"the {kind} {name} has no description")
        if kind == "data set" and (row.kind != "points" or row.upload):
            raise Unusable(f"the data set {name} must be one of points")


def _check_words(name: str, row: Score) -> None:
    if not (row.title and row.what):
        raise Unusable(f"the score {name} has no title, or does not say what it measures")
    for what, given, accepted in (("form", row.form, FORMS), ("good", row.good, GOOD), ("group", row.group, GROUPS)):
        if given not in accepted:
            raise Unusable(
                f"the {what} of the score {name} is {shorten(given)}, and must be one of: {'; '.join(accepted)}"
            )
    measures = [measure for measure in (row.points, row.images) if measure is not None]
    if not measures or not all(isinstance(measure, Measure) for measure in measures):
        raise Unusable(f"the score {name} needs a Measure, of points or of images")


def _tried(what: str, function: Callable[[], Any]) -> Any:
    """What `function` gives; an error in it is one of the plugin."""
    try:
        return function()
    except (Unusable, KeyboardInterrupt):
        raise
    except Exception as error:
        files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        path = next((path for path in paths() if str(path) in files), Path())
        raise Unusable(f"{what}: {said(error, path)}") from None


def check_plain(added: dict[str, list[str]]) -> None:
    """Data sets are drawn, scores are taken, and plans are measured."""
    for name in added["score"]:
        _check_score(name)
    for name in added["data set"]:
        data = _tried(f"the data set {name}", partial(_drawn, DATASETS[name]))
        if not isinstance(data, Data):
            raise Unusable(f"the data set {name} gives a {type(data).__name__}, and must give Data")
        points = np.asarray(data.points)
        if points.shape != (16, 2) or points.dtype != np.float32 or not np.isfinite(points).all():
            raise Unusable(
                f"the data set {name} gives points of shape {points.shape} and {points.dtype}, and must give finite "
                "float32 of shape (16, 2) when asked for 16"
            )
    for name in (name for name in added["architecture"] if ARCHITECTURES[name].models is None):
        for shape in _shapes(name):
            c = _config({"architecture": name}, shape)
            plans = _tried(f"the architecture {name}", partial(architectures.plans, c, shape))
            for side, plan, given, wanted in (
                ("generator", plans[0], (c.latent_dim,), shape),
                ("discriminator", plans[1], shape, (1,)),
            ):
                what = f"the {side} of the architecture {name}"
                made = tuple(_tried(what, partial(measure, plan, given))[2])
                if made != wanted:
                    raise Unusable(f"{what} gives samples of shape {made}, and must give {wanted}")


def _drawn(row: Dataset) -> Any:
    return row.draw(16, np.random.default_rng(0), **{name: knob.default for name, knob in row.knobs.items()})


def _shapes(name: str) -> list[tuple[int, ...]]:
    """Shapes of samples to try an architecture with."""
    row = ARCHITECTURES[name]
    side = row.sides[0] if row.sides else 28
    return ([] if row.images_only else [(2,)]) + [(side, side, 1)]


def _config(changes: dict[str, Any], shape: tuple[int, ...] = (2,)) -> settings.GANConfig:
    """A small run of those settings."""
    data = {"data": "ring"} if len(shape) == 1 else {"data": "mnist", "data.size": str(shape[0])}
    return settings.GANConfig.from_flat_lenient({**data, "batch_size": 8, **changes})[0]


def _check_score(name: str) -> None:
    """Its functions, on a few points of a ring or a few features of images."""
    row, rng = SCORES[name], np.random.default_rng(0)
    points = point_datasets.ring(64, rng)
    shares = np.full(len(points.known_modes), 1 / len(points.known_modes))
    real_points = RealPoints(points, 48, shares)
    of_points = PointComparison(points, points.points[:48], points.points[32:], points.points, (0.5, 1.0))
    classes, features = np.arange(16) % 2, rng.normal(size=(32, 4))
    pictures = Pictures(np.zeros((16, 4, 4, 1), np.uint8), classes.astype(np.int32), ("a", "b"))
    even, certain = np.array([0.5, 0.5]), np.full(16, 0.9)
    real_images = RealImages(pictures, 16, features[:16], features[:16], even, None, certain, even[None], even)
    of_images = ImageComparison(real_images, features[16:], classes, certain)
    for kind, how, real, comparison, n in (
        ("points", row.points, real_points, of_points, 48 if row.points and row.points.whole else 32),
        ("images", row.images, real_images, of_images, 16),
    ):
        if how is None or not how.needs(comparison.data):
            continue
        what = f"the score {name} of {kind}"
        _check_number(what, _tried(what, partial(how.value, comparison)))
        if how.floor is not None:
            _check_number(f"{what}, of real data", _tried(what, partial(how.floor, real)))
        if how.replicates is not None:
            drawn = Resamples(
                comparison, rng.multinomial(n, np.full(n, 1 / n), 5).T.astype(np.float64), lambda text: None
            )
            found = np.asarray(_tried(what, partial(how.replicates, drawn)))
            if found.ndim != 1 or len(found) > 5:
                raise Unusable(
                    f"the replicates of {what} have shape {found.shape}, and must be one number for each of 5 resamples"
                )


def _check_number(what: str, value: Any) -> None:
    if value is not None and not (np.ndim(value) == 0 and np.isreal(value) and math.isfinite(value)):
        raise Unusable(f"{what} gives {shorten(value)}, and must give one number, or None; not NaN or infinite")


# -- functions of TensorFlow --------------------------------------------------------------------------------


def check_tensorflow(added: dict[str, list[str]]) -> None:
    """Each function of a row is tried alone, then a step of training with it."""
    for name in added["loss"]:
        _check_loss(name)
    for name in added["penalty"]:
        _check_penalty(name)
    for name in added["augmentation"]:
        _check_augmentation(name)
    for name in added["optimizer"]:
        _check_optimizer(name)
    for name in added["schedule"]:
        _check_schedule(name)
    choices = {"loss": "loss", "penalty": "penalty", "optimizer": "d_optimizer", "schedule": "schedule"}
    for kind, choice in choices.items():
        for name in added[kind]:
            _check_step(f"the {kind} {name}", _config({choice: name, "g_units": 8, "d_units": 8}))
    for name in added["augmentation"]:
        _check_step(f"the augmentation {name}", _config({"augment": name, "filters": 8}, (28, 28, 1)), (28, 28, 1))
    for name in added["architecture"]:
        for shape in _shapes(name):
            _check_step(f"the architecture {name}", _config({"architecture": name}, shape), shape)


def _own(row: Any, function: Callable) -> dict[str, Any]:
    return asked_for(function, {key: knob.default for key, knob in row.knobs.items()})


def _scalar(what: str, value: Any) -> Any:
    value = tf.convert_to_tensor(value)
    if value.shape.rank != 0 or value.dtype != tf.float32:
        raise Unusable(f"{what} gives {value.dtype.name} of shape {tuple(value.shape)}, and must give one float32")
    return value


def _check_loss(name: str) -> None:
    row = LOSSES[name]
    rng = np.random.default_rng(0)
    real, fake = (tf.constant(rng.normal(size=(8, 1)), tf.float32) for _ in "rf")
    labels = tf.ones([8, 1]), tf.zeros([8, 1])
    for side, function, given in (("discriminator", row.discriminator, labels), ("generator", row.generator, ())):
        what = f"the {side}'s part of the loss {name}"
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            value = _scalar(what, _tried(what, lambda f=function, g=given: f(real, fake, *g, **_own(row, f))))
        if tape.gradient(value, fake) is None:
            raise Unusable(f"{what} has no gradient with respect to the logits of generated samples")
        total = 0.0
        for term in (terms := row.d_terms if side == "discriminator" else row.g_terms):
            one = f"the term {term.formula} of {what}"
            part = _tried(one, lambda t=term, g=given: t.value(real, fake, *g, **_own(row, t.value)))
            total += float(_scalar(one, part))
        if terms and abs(total - float(value)) > 1e-3 * max(1.0, abs(float(value))):
            raise Unusable(f"the terms of {what} make {total:g}, and must make the loss, which is {float(value):g}")


def _check_penalty(name: str) -> None:
    row = PENALTIES[name]
    function = row.function
    if function is None:
        raise Unusable(f"the penalty {name} has no function")
    weight, what = tf.constant([[0.5], [-1.0]]), f"the penalty {name}"
    x = tf.constant(np.random.default_rng(0).normal(size=(8, 2)), tf.float32)

    def critic(batch: Any) -> Any:
        return tf.tanh(batch @ weight)

    def penalty() -> Any:
        return function(critic, x, x[::-1], tf.random.uniform, **_own(row, function))

    with tf.GradientTape() as tape:
        tape.watch(weight)
        value = _scalar(what, _tried(what, penalty))
    if tape.gradient(value, weight) is None:
        raise Unusable(f"{what} has no gradient with respect to the discriminator's weights")


def _check_augmentation(name: str) -> None:
    row, what = AUGMENTATIONS[name], f"the augmentation {name}"
    function = row.function
    if function is None:
        raise Unusable(f"{what} has no function")
    given = _own(row, function) | ({"p": tf.constant(0.5)} if row.adapt else {})
    for channels in (1, 3):
        x, u = (
            tf.random.stateless_uniform([4, 8, 8, channels], [0, 1], -1.0),
            tf.random.stateless_uniform([4, 99], [0, 2]),
        )
        with tf.GradientTape() as tape:
            tape.watch(x)
            made = _tried(what, lambda x=x, u=u: function(x, u[:, : row.draws], **given))
        if tuple(made.shape) != tuple(x.shape) or made.dtype != tf.float32:
            raise Unusable(f"{what} makes {made.dtype.name} of shape {tuple(made.shape)} of shape {tuple(x.shape)}")
        if tape.gradient(made, x) is None:
            raise Unusable(f"{what} has no gradient with respect to the pictures")


def _check_optimizer(name: str) -> None:
    row, what = OPTIMIZERS[name], f"the optimizer {name}"
    weight, gradient = tf.ones([3, 2]), tf.fill([3, 2], 0.5)
    slots = tuple(tf.zeros_like(weight) for _ in row.slots)
    made = _tried(what, lambda: row.update(weight, gradient, slots, 0.1, tf.constant(1.0), **_own(row, row.update)))
    if not isinstance(made, tuple) or len(made) != 2 or len(made[1]) != len(row.slots):
        raise Unusable(f"{what} must give (change, slots), with a slot for each of {', '.join(row.slots) or 'none'}")
    for part in (made[0], *made[1]):
        if tuple(part.shape) != (3, 2):
            raise Unusable(f"{what} gives shape {tuple(part.shape)} for a weight of shape (3, 2)")


def _check_schedule(name: str) -> None:
    row, what = SCHEDULES[name], f"the schedule {name}"
    for t in (0.0, 0.5, 1.0):
        share = _scalar(what, _tried(what, lambda t=t: row.share(tf.constant(t), **_own(row, row.share))))
        if not 0.0 <= float(share) <= 1.0 + 1e-6:
            raise Unusable(f"{what} gives {float(share):g} at {t:g} of its length, and must stay from 0 to 1")


def _check_step(what: str, c: settings.GANConfig, shape: tuple[int, ...] = (2,)) -> None:
    """Two steps of training, as a graph."""
    from gan_core.training.train_step import TrainStep

    def steps() -> Any:
        program = TrainStep(c, (16, *shape), "graph")
        data = {"x": tf.zeros([16, *shape])}
        return program.train(program.initial_state(0), data, program.live(c), tf.constant(0, tf.int64), tf.constant(2))

    _tried(f"{what}, in a step of training", steps)
