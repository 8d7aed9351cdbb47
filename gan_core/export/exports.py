"""What a saved run can be made into for others: `EXPORTS` is the registry.

`make(run, say) -> bytes` of a whole file; `say` is told the fraction done, from 0 to 1. Folders are made as zips. All
of them raise ConfigError where the run, or the data that it was trained on, cannot be read.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.data.pictures import Pictures
from gan_core.data.points import Data, as_points
from gan_core.export import animation, html_player, model_files, tensorboard_log
from gan_core.export.frame_pictures import file_of, grid_picture, plane_picture
from gan_core.foundations.files import npz_bytes, write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.recording import visuals
from gan_core.recording.snapshot import View
from gan_core.runs import run_reading, run_restoring
from gan_core.training.train_step import COLUMNS

if TYPE_CHECKING:
    from gan_core.runs.run_reading import Saved
    from gan_core.training.trainer import Trainer

Say = Callable[[float], None]

POINTS = 2_500
IMAGES = 1_000
CHUNK = 100  # images that are generated at once
DRAW = 50  # of z: apart from those that pages and scores look at
GRID_SIDE = 10
PLANE_SIDE = 960
UPLOAD_NAMES = {"points": "points.csv", "images": "pictures.npz"}  # a run keeps the data, not their file's name


@dataclass(frozen=True)
class Export:
    """A row of the registry. suffix: of the file. tensorflow: whether `make` needs it, so not in the page's server.

    points_only: images have no such form. folder: the zip's content may be written as a folder instead. label: on a
    button.
    """

    make: Callable[[Saved, Say], bytes]
    suffix: str
    mime: str
    description: str
    tensorflow: bool = False
    points_only: bool = False
    folder: bool = False
    label: str = ""


# -- text -----------------------------------------------------------------------------------------------------


def script(run: Saved, say: Say) -> bytes:
    """The run's settings as a Python script that trains the same without GANscope."""
    from gan_core.export import script as module

    row = DATASETS[run.config.data]
    # The settings do not know the size of a user's pictures, or the columns of their table.
    data = run_reading.data_of(run) if row.upload else None
    own = data if isinstance(data, Data) else None
    text = module.script(run.config, UPLOAD_NAMES[row.kind] if row.upload else "", getattr(data, "shape", None), own)
    say(1.0)
    return text.encode()


def _csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Numbers are written so that they read back exactly."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()


def history_csv(run: Saved, say: Say) -> bytes:
    """`step` (the last of each bin), and of every column of a history row its mean, lowest and highest in the bin."""
    history = run_reading.recording_of(run).history.frame()
    parts = ("mean", "low", "high")
    head = [f"{column}_{part}" for column in COLUMNS for part in parts]
    values = np.stack([history[part] for part in parts], -1).reshape(-1, len(head))
    say(1.0)
    return _csv(["step", *head], ([s, *row] for s, row in zip(history["step"].tolist(), values.tolist(), strict=True)))


def scores_csv(run: Saved, say: Say) -> bytes:
    """A row for each time that scores were made; those that are single numbers, empty where there was none."""
    scores = run_reading.recording_of(run).scores
    rows = [animation.scalars(item) for item in scores.items]
    names = list(dict.fromkeys(name for row in rows for name in row))
    say(1.0)
    lines = ([step, *(row.get(name, "") for name in names)] for step, row in zip(scores.steps, rows, strict=True))
    return _csv(["step", *names], lines)


def data_npz(run: Saved, say: Say) -> bytes:
    """The real data, in the order in which training takes them: `points` float32 [N, 2] in their own units, or
    `x_train` uint8 [N, H, W, C]; with `y_train` int32 [N] where there are classes, `x_test`, `y_test` where some images
    are held out. A user's own data are whole, of others what the settings chose."""
    upload = run_reading.upload_of(run)
    data = run_reading.data_of(run) if upload is None else upload
    say(0.3)
    if isinstance(data, Pictures):
        arrays = {"x_train": data.pixels, "x_test": data.test_pixels, "y_test": data.test_labels}
    else:
        arrays = {"points": getattr(data, "points", data)}  # those of an earlier version are a bare array
    arrays["y_train"] = getattr(data, "labels", None)
    content = npz_bytes(
        {name: part for name, part in arrays.items() if part is not None and len(part)}, compressed=True
    )
    say(1.0)
    return content


# -- samples --------------------------------------------------------------------------------------------------


def _trainer(run: Saved, say: Say) -> Trainer:
    trainer = run_restoring.load(run, run_reading.data_of(run))
    say(0.4)
    return trainer


def _images(trainer: Trainer, n: int, labels: np.ndarray | None, say: Say) -> np.ndarray:
    """uint8 [n, H, W, C] of the shown generator."""
    z, made = trainer.latent(n, DRAW), []
    for i in range(0, n, CHUNK):
        part = None if labels is None else labels[i : i + CHUNK]
        made.append(trainer.samples(z[i : i + CHUNK], trainer.config.show_ema, part))
        say(0.4 + 0.5 * min(n, i + CHUNK) / n)
    return np.concatenate(made)


def _points(trainer: Trainer) -> np.ndarray:
    """float32 [POINTS, 2] of the shown generator, in the data's units."""
    return trainer.samples(trainer.latent(POINTS, DRAW), trainer.config.show_ema)


def samples_csv(run: Saved, say: Say) -> bytes:
    """2,500 fresh points, under the names of the axes: `x,y`, or the columns of the user's own table."""
    if DATASETS[run.config.data].kind == "images":
        raise ConfigError(f"{run.name} makes images, which are no table: export its samples as samples-npz or png.")
    trainer = _trainer(run, say)
    points = _points(trainer)
    say(1.0)
    return _csv(as_points(trainer.data).axes, points.tolist())


def samples_npz(run: Saved, say: Say) -> bytes:
    """`samples`: float32 [2500, 2], or uint8 [1000, H, W, C] with `labels`, int32 [1000], where both networks are told
    the class."""
    trainer = _trainer(run, say)
    if trainer.data.kind == "points":
        arrays = {"samples": _points(trainer)}
    else:
        labels = trainer.labels(IMAGES, DRAW) if trainer.classes else None
        arrays = {"samples": _images(trainer, IMAGES, labels, say)}
        arrays |= {} if labels is None else {"labels": labels}
    content = npz_bytes(arrays, compressed=True)
    say(1.0)
    return content


def samples_png(run: Saved, say: Say) -> bytes:
    """A picture of fresh samples: the plane, or GRID_SIDE x GRID_SIDE images, a class a row where it is told."""
    trainer = _trainer(run, say)
    if trainer.data.kind == "points":
        samples = _points(trainer)
        heat = visuals.heat_map(trainer, samples)
        picture = plane_picture(samples, as_points(trainer.data), heat, f"step {trainer.step:,}", PLANE_SIDE)
    else:
        labels = visuals.grid_labels(trainer, View(side=GRID_SIDE))
        picture = grid_picture(_images(trainer, GRID_SIDE**2, labels, say))
    say(1.0)
    return file_of(picture, optimize=True)


EXPORTS: dict[str, Export] = {
    "script": Export(
        script,
        ".py",
        "text/x-python",
        "A Python script that trains the same GAN without GANscope, to read or change.",
        label="Python script",
    ),
    "gif": Export(
        animation.gif,
        ".gif",
        "image/gif",
        "The training as an animated image, for slides.",
        label="Animated GIF",
    ),
    "html": Export(
        html_player.page,
        ".html",
        "text/html",
        "One page that plays the training in any browser, without internet, next to the losses.",
        label="Web page",
    ),
    "csv": Export(
        history_csv,
        ".csv",
        "text/csv",
        "Losses, accuracies and gradients over all steps, as a table.",
        label="Losses (CSV)",
    ),
    "scores": Export(
        scores_csv, ".csv", "text/csv", "The recorded scores over the steps, as a table.", label="Scores (CSV)"
    ),
    "data": Export(
        data_npz,
        ".npz",
        "application/octet-stream",
        "The real data of the run as a NumPy file. Of your own data: what its Python script reads.",
        label="Data (NumPy)",
    ),
    "samples-csv": Export(
        samples_csv,
        ".csv",
        "text/csv",
        "2,500 fresh points of the generator, as a table.",
        True,
        points_only=True,
        label="Samples (CSV)",
    ),
    "samples-npz": Export(
        samples_npz,
        ".npz",
        "application/octet-stream",
        "Fresh samples of the generator as a NumPy file: 2,500 points or 1,000 images.",
        True,
        label="Samples (NumPy)",
    ),
    "png": Export(
        samples_png, ".png", "image/png", "An image of fresh samples of the generator.", True, label="Image (PNG)"
    ),
    "keras": Export(
        model_files.archive,
        ".zip",
        "application/zip",
        "Generator and discriminator as Keras files that load without GANscope.",
        True,
        label="Keras models",
    ),
    "tensorboard": Export(
        tensorboard_log.archive,
        ".zip",
        "application/zip",
        "Event files for TensorBoard: losses, scores and images over the steps.",
        True,
        folder=True,
        label="TensorBoard",
    ),
}


def file_name(run: Saved, name: str) -> str:
    """What the export `name` of the run may be called."""
    suffix = EXPORTS[name].suffix
    return f"{run.name}{'' if suffix == f'.{name}' else f'-{name}'}{suffix}"


# -- files ----------------------------------------------------------------------------------------------------


def write(run: Saved, name: str, output: Path, say: Say) -> int:
    """Makes the export `name` and writes it to `output`, whole or not at all; returns its bytes.

    An export that is a folder is written as one where `output` does not end in its suffix. Raises ConfigError.
    """
    row = EXPORTS[name]
    if row.folder and output.suffix.lower() != row.suffix:
        return _write_folder(run, row, output, say)
    if os.path.exists(output) and not os.path.isfile(output):
        what = "a folder" if os.path.isdir(output) else "no file"
        raise ConfigError(f"{output} is {what}; give the name of a file to write.")
    _check_writable(output.parent, output.name)
    content = row.make(run, say)
    try:
        write_whole(output, content)
    except OSError as error:
        raise _unwritten(output, error) from None
    return len(content)


def _write_folder(run: Saved, row: Export, folder: Path, say: Say) -> int:
    """The files of the zip in a folder, which may be there already."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise ConfigError(f"{folder} is a file; give the name of a folder, or one that ends in {row.suffix}.")
    _check_writable(*((folder, "") if os.path.isdir(folder) else (folder.parent, folder.name)))
    content = row.make(run, say)
    try:
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = {name: file.read(name) for name in file.namelist()}
        for name, member in members.items():
            write_whole(folder / name, member)
    except OSError as error:
        raise _unwritten(folder, error) from None
    return sum(map(len, members.values()))


def _check_writable(folder: Path, name: str) -> None:
    """Raises ConfigError where no file of that name can be made, before the work is done."""
    if not os.path.isdir(folder):
        raise ConfigError(f"The folder {shorten(str(folder), 200)} does not exist: make it first.")
    try:
        tempfile.NamedTemporaryFile(prefix=name, suffix=".tmp", dir=folder).close()
    except OSError as error:
        raise _unwritten(folder / name, error) from None


def _unwritten(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{shorten(str(path), 200)} cannot be written: {error.strerror or error}.")
