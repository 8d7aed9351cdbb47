"""Rows of your own for the registries: `GANSCOPE_PLUGINS=my_losses.py streamlit run app.py` loads such a module.

A plugin is a Python file that adds rows to registries, as in `LOSSES["mine"] = Loss(...)`; CONTRIBUTING.md has an
example of each kind. It is code that runs with all of your rights, so it is loaded on your own machine only: never by a
server that listens for others (`load(shared=True)` refuses).

A plugin that cannot be imported, that takes the name of what exists, or whose functions give another shape or no
gradient, is left out whole, with a sentence that names file and line; everything else starts without it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from gan_core.data.datasets import DATASETS, Data, Dataset
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter, asked_for, shorten
from gan_core.foundations.lazy_imports import tf
from gan_core.networks import architectures
from gan_core.networks.architectures import ARCHITECTURES, Architecture
from gan_core.networks.layers import measure
from gan_core.objectives.losses import LOSSES, Loss
from gan_core.objectives.optimizers import OPTIMIZERS, Optimizer
from gan_core.objectives.penalties import PENALTIES, Penalty
from gan_core.objectives.schedules import SCHEDULES, Schedule
from gan_core.settings import config as settings

VARIABLE = "GANSCOPE_PLUGINS"
CHECK_SECONDS = 120.0
ONLY_YOURS = (
    f"{VARIABLE} is ignored: a plugin runs with all of your rights, so only a server that listens on your own computer "
    "alone (server.address 127.0.0.1, and no sign-in) loads one."
)
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

REGISTRIES: dict[str, tuple[dict[str, Any], type]] = {
    "data set": (DATASETS, Dataset),
    "architecture": (ARCHITECTURES, Architecture),
    "loss": (LOSSES, Loss),
    "penalty": (PENALTIES, Penalty),
    "optimizer": (OPTIMIZERS, Optimizer),
    "schedule": (SCHEDULES, Schedule),
}


class Unusable(Exception):
    """Why a plugin is left out, in words, without the file's name."""


def paths() -> list[Path]:
    """The files that the environment variable names, parted as the system parts paths, or by commas."""
    given = os.environ.get(VARIABLE, "").replace(",", os.pathsep)
    return [Path(part.strip()).expanduser().absolute() for part in given.split(os.pathsep) if part.strip()]


_problems: list[str] | None = None
_LOCK = Lock()


def load(shared: bool = False, checked: bool = True) -> list[str]:
    """Loads the plugins, once in a process; returns a sentence for each that is left out, with its file and line.

    shared: whether this process serves others; then none is loaded. checked: whether functions of TensorFlow are tried
    too, in a process of their own (some seconds): the training process leaves that to the server that started it.
    """
    global _problems
    with _LOCK:  # several pages may open at once
        if _problems is None:
            files = paths()
            refused = [ONLY_YOURS] if files and shared else []
            _problems = refused or [problem for path in files if (problem := _take_up(path, checked))]
        return _problems


def _take_up(path: Path, checked: bool) -> str:
    """Loads one plugin; returns why it is left out, or ""."""
    before = {kind: dict(registry) for kind, (registry, _) in REGISTRIES.items()}
    name = f"ganscope_plugin_{path.stem}"
    try:
        if not path.is_file():
            raise Unusable("there is no such file")
        _imported(name, path)
        for kind, (registry, row_type) in REGISTRIES.items():
            _check_rows(kind, registry, before[kind], row_type)
        _collect()
        added = {kind: [n for n in registry if n not in before[kind]] for kind, (registry, _) in REGISTRIES.items()}
        if not any(added.values()):
            raise Unusable("it adds nothing to any registry")
        _check_numpy(added)
        if checked and any(added[kind] for kind in added if kind != "data set"):
            _check_elsewhere(path)
    except Unusable as error:
        for kind, (registry, _) in REGISTRIES.items():
            registry.clear()
            registry.update(before[kind])
        sys.modules.pop(name, None)
        settings.collect()
        return f"The plugin {path} is left out: {error}."
    return ""


def _collect() -> None:
    try:
        settings.collect()
    except ConfigError as error:
        raise Unusable(str(error).rstrip(".")) from None


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Unusable("it is not a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that its functions' texts are found for exported scripts
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a plugin may raise anything, SystemExit too
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Unusable(_said(error, path)) from None
    return module


def _said(error: BaseException, path: Path) -> str:
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


def _check_rows(kind: str, registry: dict[str, Any], before: dict[str, Any], row_type: type) -> None:
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
        for key, knob in row.knobs.items():
            if not NAME.fullmatch(str(key)) or not isinstance(knob, Hyperparameter):
                raise Unusable(
                    f"the {kind} {name} brings {shorten(key)}, which is no Hyperparameter with a usable name"
                )
        if not row.description:
            raise Unusable(f"the {kind} {name} has no description")
        if kind == "data set" and (row.kind != "points" or row.upload):
            raise Unusable(f"the data set {name} must be one of points")


def _tried(what: str, function: Callable[[], Any]) -> Any:
    """What `function` gives; an error in it is one of the plugin."""
    try:
        return function()
    except (Unusable, KeyboardInterrupt):
        raise
    except Exception as error:
        files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        path = next((path for path in paths() if str(path) in files), Path())
        raise Unusable(f"{what}: {_said(error, path)}") from None


def _check_numpy(added: dict[str, list[str]]) -> None:
    """Data sets are drawn and plans are measured."""
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


# -- functions of TensorFlow, in a process of their own -----------------------------------------------------


def _check_elsewhere(path: Path) -> None:
    """Tries the plugin's functions in another process, which may hang or die."""
    command = [sys.executable, "-m", "gan_core.plugins", str(path)]
    environment = {**os.environ, VARIABLE: str(path), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            env=environment,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unusable(f"its functions take longer than {CHECK_SECONDS:.0f} s") from None
    except OSError as error:
        raise Unusable(f"it cannot be tried: {error.strerror}") from None
    lines = done.stdout.strip().splitlines()
    try:
        problem = json.loads(lines[-1])["problem"]
    except (IndexError, ValueError, KeyError):
        raise Unusable(f"the process that tries its functions ended with status {done.returncode}") from None
    if problem:
        raise Unusable(problem)


def main(path: str) -> None:
    """What that process does: prints {"problem": a sentence's part, or ""} as its last line."""
    before = {kind: set(registry) for kind, (registry, _) in REGISTRIES.items()}
    problem = _take_up(Path(path), checked=False)
    if not problem:
        added = {kind: [n for n in registry if n not in before[kind]] for kind, (registry, _) in REGISTRIES.items()}
        try:
            _try_all(added)
        except Unusable as error:
            problem = str(error)
    print(json.dumps({"problem": problem}), flush=True)


def _try_all(added: dict[str, list[str]]) -> None:
    """Each function of a row is tried alone, then a step of training with it."""
    for name in added["loss"]:
        _check_loss(name)
    for name in added["penalty"]:
        _check_penalty(name)
    for name in added["optimizer"]:
        _check_optimizer(name)
    for name in added["schedule"]:
        _check_schedule(name)
    choices = {"loss": "loss", "penalty": "penalty", "optimizer": "d_optimizer", "schedule": "schedule"}
    for kind, choice in choices.items():
        for name in added[kind]:
            _check_step(f"the {kind} {name}", _config({choice: name, "g_units": 8, "d_units": 8}))
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


def _check_penalty(name: str) -> None:
    row = PENALTIES[name]
    if row.function is None:
        raise Unusable(f"the penalty {name} has no function")
    weight, what = tf.constant([[0.5], [-1.0]]), f"the penalty {name}"
    x = tf.constant(np.random.default_rng(0).normal(size=(8, 2)), tf.float32)

    def critic(batch: Any) -> Any:
        return tf.tanh(batch @ weight)

    def penalty() -> Any:
        return row.function(critic, x, x[::-1], tf.random.uniform, **_own(row, row.function))

    with tf.GradientTape() as tape:
        tape.watch(weight)
        value = _scalar(what, _tried(what, penalty))
    if tape.gradient(value, weight) is None:
        raise Unusable(f"{what} has no gradient with respect to the discriminator's weights")


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


if __name__ == "__main__":
    # As the module that plugins import from, not as `__main__`: the registries are the same, but not `Unusable`.
    from gan_core import plugins

    plugins.main(sys.argv[1])
