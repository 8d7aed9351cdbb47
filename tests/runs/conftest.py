"""Saved runs to look at, harm and write over: fixtures, and what is done with a run's folder."""

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording import thumbnail
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_folders, run_reading, run_restoring, run_writing
from gan_core.runs.run_folders import Unreadable
from gan_core.runs.run_reading import Saved
from gan_core.runs.run_writing import Content
from tests.support.tiny import point_trainer
from tests.support.trainers import settings, trainer_of, uncompiled

# Something of every kind that a state has: statistics, a counter of dropout, slots of two optimizers.
CONFIG = settings(
    **{"g_norm": "batch", "d_norm": "spectral", "d_layers": 2, "dropout": 0.2, "minibatch_std": True, "seed": 6},
    **{"d_optimizer": "rmsprop", "schedule": "cosine", "instance_noise": 0.1, "g_lr": 0.1 + 0.2},
)
# What is turned on the way, at which step.
TURNED = {2: {"g_lr": 0.01}, 5: {"instance_noise": 0.3, "schedule": "linear"}}
END = 7


@pytest.fixture(scope="module")
def program():
    return uncompiled(CONFIG)


def trained(training, until):
    """The training, trained until a step, its knobs turned on the way."""
    while training.trainer.step < until:
        training.set_live(training.trainer.config.updated(TURNED.get(training.trainer.step, {})))
        training.train(training.until_due(1))
        training._spent = 0.0  # a busy machine, too, has time for each frame
    return training


@pytest.fixture(scope="module")
def training(program):
    """A run with scores, and with a checkpoint and a frame of every step."""
    training = trained(TrainingRun(trainer_of(CONFIG, program), scored=False), 3)
    training.recording.scores.add(
        3, {"step": 3, "w1": 0.1 + 0.2, "reverse_kl": None, "mode_counts": [1, 2], "note": "ü"}
    )
    training = trained(training, END)
    training.recording.scores.add(END, {"step": END, "w1": 0.25})
    training.record()
    return training


@pytest.fixture(scope="module")
def template(training, tmp_path_factory):
    """A saved run that nothing changes."""
    folder = tmp_path_factory.mktemp("saved") / "run"
    run_writing.save(folder, Content.of(training, note="the first"))
    return folder


@pytest.fixture
def folder(template, tmp_path):
    """A saved run of one's own."""
    return Path(shutil.copytree(template, tmp_path / "run"))


@pytest.fixture(scope="module")
def spare(program):
    """A trainer to be put anywhere."""
    return trainer_of(CONFIG, program)


@pytest.fixture(scope="module")
def small(program, tmp_path_factory):
    """A small saved run of the user's own points: its files' contents by name."""
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    training = TrainingRun(point_trainer(points, data="file", g_units=4, d_units=4, latent_dim=4), scored=False)
    training.until_due(1)
    training.train(1)
    training.recording.scores.add(1, {"step": 1, "w1": 0.5})
    training.recording.history.mark(1, "g_lr 1 → 2")
    folder = tmp_path_factory.mktemp("small") / "run"
    run_writing.save(folder, Content.of(training, points))
    return training, {path.name: path.read_bytes() for path in folder.iterdir()}


def laid(folder, files):
    """The folder with those files in it and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def about_of(folder):
    return json.loads((folder / "config.json").read_text("utf-8"))


def looked_through(folder, trainer):
    """Everything that can be read of a run, as the pages do; raises what that raises."""
    run = run_reading.read(folder)
    assert all(isinstance(step, int) for step in run.checkpoints)
    picture = run_reading.picture_of(run)
    assert picture is None or Image.open(io.BytesIO(picture)).size[0] <= thumbnail.SIDE
    upload = run_reading.upload_of(run)
    if upload is not None and run.config.to_flat() == trainer.config.to_flat():
        run_reading.data_of(run).array[:1]
    recording = run_reading.recording_of(run)
    for step in recording.frames.steps[:1] + recording.frames.steps[-1:]:
        recording.look(step)
    run_restoring.restore(trainer, folder)
    return run


def sentence(function, *arguments):
    """What is said when that is refused."""
    with pytest.raises(ConfigError) as caught:
        function(*arguments)
    said = str(caught.value)
    assert said.endswith((".", "?")) and len(said) < 400 and "Traceback" not in said and said.isprintable(), said
    return said


def refused(folder, trainer):
    """What is said when the run is opened; and that the list of runs says so too, or does not look so far."""
    said = sentence(looked_through, folder, trainer)
    (listed,) = run_folders.listed(folder.parent)
    try:
        run_reading.read(folder)
        assert isinstance(listed, Saved)
    except ConfigError as error:
        assert isinstance(listed, Unreadable) and listed.reason == str(error)
    return said


def rows_of(about):
    """Every file that a config.json names."""
    return [*about["files"].values(), *about["checkpoints"]]


def replaced(folder, stem, content):
    """Puts other content in place of a file, with the right checksum in its name and in config.json."""
    about = about_of(folder)
    row = next(row for row in rows_of(about) if row["file"].rpartition("-")[0] == stem)
    (folder / row["file"]).unlink()
    digest = hashlib.sha256(content).hexdigest()
    row |= {"file": f"{stem}-{digest[:16]}.{row['file'].rpartition('.')[2]}", "sha256": digest}
    (folder / row["file"]).write_bytes(content)
    (folder / "config.json").write_text(json.dumps(about))


def npz(**named):
    content = io.BytesIO()
    np.savez(content, **named)
    return content.getvalue()


def npy(value, **options):
    content = io.BytesIO()
    np.save(content, value, **options)
    return content.getvalue()


def inside(folder, stem):
    """The arrays of a file."""
    (path,) = folder.glob(f"{stem}-*.npz")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def claiming(shape, descr="<f4"):
    """A file of NumPy's that says it holds so much, and holds nothing."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(f"{name}.npy", member)
    return content.getvalue()


def bomb():
    """A small zip whose one array would unpack to more than is read."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("step.npy", npy(np.zeros(1)))
    # The directory's claim is what is looked at before anything is unpacked.
    raw = bytearray(content.getvalue())
    entry = raw.rindex(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = (run_reading.MOST_FILE + 1).to_bytes(4, "little")
    return bytes(raw)


def png(width, height):
    content = io.BytesIO()
    Image.new("1", (width, height)).save(content, "PNG")
    return content.getvalue()
