"""A run on disk: what is saved goes on as if it had not been, and what is broken is a sentence."""

import hashlib
import io
import itertools
import json
import os
import random
import re
import shutil
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core import datasets, picture_files, run_reading, run_writing, runs, thumbnail
from gan_core.config import GANConfig
from gan_core.knobs import ConfigError
from gan_core.lane import Lane
from gan_core.recording import Parent
from gan_core.run_reading import Saved
from gan_core.run_writing import Content
from gan_core.runs import Unreadable
from gan_core.trainer import Trainer
from tests.test_trainer import arrays, same, samples, settings, trainer_of, uncompiled
from tests.tiny import point_trainer, quadrants

# Something of every kind that a state has: statistics, a counter of dropout, slots of two optimizers.
CONFIG = settings(
    **{"g_norm": "batch", "d_norm": "spectral", "d_layers": 2, "dropout": 0.2, "minibatch_std": True, "seed": 6},
    **{"d_optimizer": "rmsprop", "schedule": "cosine", "instance_noise": 0.1, "g_lr": 0.1 + 0.2},
)
IMAGES = {"data": "picture_file", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 6}
# What is turned on the way, at which step.
TURNED = {2: {"g_lr": 0.01}, 5: {"instance_noise": 0.3, "schedule": "linear"}}
END = 7


@pytest.fixture(scope="module")
def program():
    return uncompiled(CONFIG)


def trained(lane, until):
    """The lane, trained until a step, its knobs turned on the way."""
    while lane.trainer.step < until:
        lane.set_live(lane.trainer.config.updated(TURNED.get(lane.trainer.step, {})))
        lane.train(lane.until_due(1))
    return lane


@pytest.fixture(scope="module")
def lane(program):
    """A run with scores, and with a checkpoint and a frame of every step."""
    lane = trained(Lane(trainer_of(CONFIG, program), scored=False), 3)
    lane.recording.scores.add(3, {"step": 3, "w1": 0.1 + 0.2, "reverse_kl": None, "mode_counts": [1, 2], "note": "ü"})
    lane = trained(lane, END)
    lane.recording.scores.add(END, {"step": END, "w1": 0.25})
    lane.record()
    return lane


@pytest.fixture(scope="module")
def template(lane, tmp_path_factory):
    """A saved run that nothing changes."""
    folder = tmp_path_factory.mktemp("saved") / "run"
    run_writing.save(folder, Content.of(lane, note="the first"))
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
    lane = Lane(point_trainer(points, data="file", g_units=4, d_units=4, latent_dim=4), scored=False)
    lane.until_due(1)
    lane.train(1)
    lane.recording.scores.add(1, {"step": 1, "w1": 0.5})
    lane.recording.history.mark(1, "g_lr 1 → 2")
    folder = tmp_path_factory.mktemp("small") / "run"
    run_writing.save(folder, Content.of(lane, points))
    return lane, {path.name: path.read_bytes() for path in folder.iterdir()}


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
    run_reading.restore(trainer, folder)
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
    (listed,) = runs.listed(folder.parent)
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


# -- round trip ---------------------------------------------------------------------------------------------


def test_a_saved_run_comes_back_bit_for_bit_and_trains_on_as_if_nothing_had_been(folder, lane, program, spare):
    run = run_reading.read(folder)
    again = run_reading.load(run, run_reading.data_of(run))
    assert again.config == lane.trainer.config and again.step == END == run.step
    assert same(again.state, lane.trainer.state)
    assert [a.dtype for a in arrays(again.state)] == [a.dtype for a in arrays(lane.trainer.state)]
    again.program = program  # the other's, so that both draw alike
    original = Lane(Trainer(run.config, lane.trainer.data, program), lane.recording.copy(), scored=False)
    original.trainer.restore(lane.trainer.leaves())
    copy = Lane(again, run_reading.recording_of(run, checkpoints=True), scored=False)
    for side in (original, copy):
        trained(side, END + 3)
    assert same(original.trainer.state, again.state)
    z = again.latent(20)
    for ema in (False, True):
        assert np.array_equal(original.trainer.samples(z, ema), again.samples(z, ema))
    alike(original.recording, copy.recording)


def alike(one, other):
    """Whether two recordings are the same to the last bit."""
    a, b = one.history.state(), other.history.state()
    assert a.pop("markers") == b.pop("markers")
    assert all(np.array_equal(a[name], b[name]) for name in a)
    for kept in ("frames", "scores", "checkpoints"):
        assert getattr(one, kept).steps == getattr(other, kept).steps
    assert one.scores.items == other.scores.items
    for x, y in zip(one.frames.items, other.frames.items, strict=True):
        assert x.keys() == y.keys()
        assert all(x[name].dtype == y[name].dtype and np.array_equal(x[name], y[name]) for name in x)
    for step, x, y in zip(one.checkpoints.steps, one.checkpoints.items, other.checkpoints.items, strict=True):
        assert x.flat == y.flat and all(np.array_equal(p, q) for p, q in zip(x.state, y.state, strict=True))
        a, b = ([m for m in point.history["markers"] if m["step"] < step] for point in (x, y))
        assert a == b


def test_the_whole_recording_comes_back(folder, lane):
    alike(lane.recording, run_reading.recording_of(run_reading.read(folder), checkpoints=True))
    assert (
        len(run_reading.recording_of(run_reading.read(folder)).checkpoints) == 0
    )  # they weigh most, and the pages need none


@pytest.mark.parametrize("step", [0, 2, 3, 5, END])
def test_a_branch_from_any_checkpoint_repeats_the_run_bit_for_bit(folder, lane, program, step):
    """With the settings of then, and the same knobs turned at the same steps."""
    run = run_reading.read(folder)
    trainer = trainer_of(run.checkpoints[step], program)
    past = run_reading.restore(trainer, folder, step)
    assert trainer.step == step and past.parent == Parent("run", step)
    assert past.history.steps == step
    for kept in (past.frames, past.checkpoints):
        assert kept.steps == list(range(step + 1))
    assert past.scores.steps == [s for s in (3, END) if s <= step]
    assert all(marker["step"] <= step for marker in past.history.markers)
    branch = trained(Lane(trainer, past, scored=False), END)
    assert same(trainer.state, lane.trainer.state)
    assert np.array_equal(samples(trainer), samples(lane.trainer))
    past.scores = lane.recording.scores  # nobody made them here
    alike(branch.recording, lane.recording)


def test_a_branch_names_its_parent_also_after_it_was_saved(folder, program):
    for name, parent in (("child", "run"), ("grandchild", "child")):
        run = run_reading.read(folder.parent / parent)
        trainer = trainer_of(run.checkpoints[3], program)
        past = run_reading.restore(trainer, run.folder, 3)
        run_writing.save(folder.parent / name, Content.of(trained(Lane(trainer, past, scored=False), 4)))
        child = run_reading.read(folder.parent / name)
        assert child.parent == Parent(parent, 3) and child.step == 4
        assert run_reading.recording_of(child).parent == Parent(parent, 3)
        assert run_reading.restore(trainer, child.folder).parent == Parent(parent, 3)  # taken up, not branched again
    assert run_reading.read(folder).parent is None


def test_a_branch_from_a_step_without_a_checkpoint_is_a_sentence(folder, spare):
    assert "no checkpoint at step 99; there are: [0, 1, 2, 3, 4, 5, 6, 7]" in sentence(
        run_reading.restore, spare, folder, 99
    )
    assert "no checkpoint at step -1" in sentence(run_reading.restore, spare, folder, -1)


def test_each_checkpoint_gives_back_its_own_settings(folder):
    run, then = run_reading.read(folder), CONFIG
    for step, config in run.checkpoints.items():
        assert config == then
        then = then.updated(TURNED.get(step, {}))
    assert run.config == then and list(run.checkpoints) == list(range(END + 1))
    texts = ["g_lr 0.3 → 0.01", "schedule cosine → linear", "instance_noise 0.1 → 0.3"]
    for step in (0, 2, 3, 5, 6):
        point = run_reading.recording_of(run, checkpoints=True).checkpoints.at(step)[1]
        known = {marker["text"] for marker in point.history["markers"] if marker["step"] < step}
        assert known == {*texts[: 0 if step < 3 else 1 if step < 6 else 3]}


def test_a_run_without_a_step_taken_comes_back(tmp_path, program, spare):
    run_writing.save(tmp_path / "new", Content.of(Lane(trainer_of(CONFIG, program), scored=False)))
    run = looked_through(tmp_path / "new", spare)
    assert run.step == 0 and list(run.checkpoints) == [0] and run_reading.recording_of(run).frames.steps == [0]


def test_what_a_run_says_of_itself(folder):
    run = run_reading.read(folder)
    assert (run.name, run.note, run.owner, run.parent, run.autosaved) == ("run", "the first", "", None, False)
    assert run.scores == {"step": END, "w1": 0.25}
    assert abs(time.time() - time.mktime(time.strptime(run.saved, "%Y-%m-%dT%H:%M:%SZ")) + time.timezone) < 600
    assert Image.open(io.BytesIO(run_reading.picture_of(run))).size == (thumbnail.SIDE, thumbnail.SIDE)
    assert run_reading.read(folder.rename(folder.parent / "autosave ring")).autosaved


def test_a_folder_holds_what_its_config_names_and_no_pickles(folder):
    about, there = about_of(folder), contents(folder)
    assert {row["file"]: row["sha256"] for row in rows_of(about)} == {
        name: hashlib.sha256(content).hexdigest() for name, content in there.items() if name != "config.json"
    }
    assert about["format"] == run_reading.FORMAT and about["step"] == END
    for path in folder.glob("*.npz"):
        with np.load(path, allow_pickle=False) as file:
            assert all(file[name].dtype != object for name in file)


# -- the user's own data ------------------------------------------------------------------------------------


def test_the_users_own_points_are_in_the_run(tmp_path):
    points = (np.random.default_rng(0).normal(size=(300, 2)) * [3, 0.1] + 50).astype(np.float32)
    trainer = point_trainer(points, data="file")
    run_writing.save(tmp_path / "mine", Content.of(Lane(trainer, scored=False), points))
    run = run_reading.read(tmp_path / "mine")
    assert np.array_equal(run_reading.upload_of(run), points)
    assert np.array_equal(run_reading.data_of(run).array, trainer.data.array)
    assert same(run_reading.load(run, run_reading.data_of(run)).state, trainer.state)


@pytest.mark.parametrize("labelled", [True, False])
def test_the_users_own_pictures_are_in_the_run(tmp_path, labelled):
    own = quadrants(60, labelled, ("left", "rechts ü", "", "d"))
    config = GANConfig.from_flat({**IMAGES, "conditional": labelled})
    lane = Lane(Trainer(config, datasets.load(config, own), path="graph"), scored=False)
    run_writing.save(tmp_path / "mine", Content.of(lane, own))
    run = run_reading.read(tmp_path / "mine")
    for found in (run_reading.upload_of(run), run_reading.data_of(run)):
        assert np.array_equal(found.pixels, own.pixels) and found.class_names == own.class_names
        assert np.array_equal(found.labels, own.labels) if labelled else found.labels is None
    frame = run_reading.recording_of(run).frames.items[0]
    assert frame["grid"].dtype == np.uint8 and np.array_equal(frame["grid"], lane.recording.frames.items[0]["grid"])
    assert max(Image.open(io.BytesIO(run_reading.picture_of(run))).size) == thumbnail.SIDE
    assert same(run_reading.load(run, run_reading.data_of(run)).state, lane.trainer.state)


def test_data_that_everybody_has_are_not_in_the_run(folder, lane, tmp_path):
    assert run_reading.upload_of(run_reading.read(folder)) is None
    run_writing.save(tmp_path / "other", Content.of(lane, np.zeros((20, 2), np.float32)))  # of another page's file
    assert "data" not in about_of(tmp_path / "other")["files"]


def test_the_largest_upload_can_be_read_again():
    assert 3 * picture_files.MOST_PICTURES * picture_files.STORED_SIDE**2 < run_reading.MOST_FILE


BROKEN_DATA = {
    "no points": {"points": np.zeros((0, 2), np.float32)},
    "one point": {"points": np.ones((1, 2), np.float32)},
    "points on a line": {"points": np.ones((30, 2), np.float32)},
    "points in space": {"points": np.ones((30, 3), np.float32)},
    "doubles": {"points": np.ones((30, 2))},
    "texts": {"points": np.full((30, 2), "x")},
    "an infinite point": {"points": np.full((30, 2), np.inf, np.float32)},
    "something else": {"weights": np.ones(3)},
    "pictures without names": {"pixels": np.zeros((20, 28, 28, 1), np.uint8)},
    "wide pictures": {"pixels": np.zeros((20, 28, 20, 1), np.uint8), "class_names": np.array(["a"])},
    "two channels": {"pixels": np.zeros((20, 28, 28, 2), np.uint8), "class_names": np.array(["a"])},
    "empty pictures": {"pixels": np.zeros((20, 0, 0, 1), np.uint8), "class_names": np.array(["a"])},
    "float pictures": {"pixels": np.zeros((20, 28, 28, 1)), "class_names": np.array(["a"])},
    "more": {"pixels": np.zeros((20, 28, 28, 1), np.uint8), "class_names": np.array(["a"]), "x": np.zeros(1)},
    **{
        f"labels {i}": {"pixels": np.zeros((20, 28, 28, 1), np.uint8), "class_names": np.array(["a"]), "labels": labels}
        for i, labels in enumerate((np.zeros(19, np.int32), np.ones(20, np.int32), np.zeros(20), np.array(0, np.int32)))
    },
}


@pytest.mark.parametrize("what", BROKEN_DATA)
def test_data_that_no_training_could_use(small, tmp_path, what):
    folder = laid(tmp_path / "run", small[1])
    replaced(folder, "data", npz(**BROKEN_DATA[what]))
    assert "The data of" in refused(folder, small[0].trainer)


# -- names and notes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "7", "Ring", "first run_2.0-b", "x" * 80, "consul", "com", "a.nul"])
def test_good_names(name):
    assert runs.checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../a", "a/b", "a\\b", "/a", "-a", " a", "a ", "a.", ".a", "ä", "a\n", "a\0", "a:b", "x" * 81),
        *("\x1b[2J", "a\tb", "x" * 300, "🙂", "run 🙂", "a\u202eb", "a*", "a?", "~", "$HOME", "%TEMP%", "\ud800"),
        *("con", "NUL", "aux.txt", "Com1", "lpt9.tar.gz", "prn .x"),
    ],
    ids=repr,
)
def test_bad_names(name):
    said = sentence(runs.checked_name, name)
    assert re.match(r"^A run.* name ", said)


def test_notes():
    assert runs.checked_note("  two\nlines, ü 🙂  ") == "two\nlines, ü 🙂"
    assert runs.checked_note("\x00a\x1b[31m\rb\ud800") == "a[31mb"
    assert runs.checked_note("x" * run_reading.NOTE_LENGTH) == "x" * run_reading.NOTE_LENGTH
    assert "at most 500 letters; this one has 501" in sentence(runs.checked_note, "x" * 501)


def test_the_folder_of_runs(monkeypatch, tmp_path):
    monkeypatch.delenv("GANSCOPE_RUNS_DIR", raising=False)
    assert str(runs.runs_folder()) == "runs"
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    assert runs.runs_folder() == tmp_path
    assert str(runs.runs_folder("elsewhere")) == "elsewhere"


def test_a_free_name(tmp_path):
    assert runs.free_name(tmp_path / "nothing", "ring") == "ring"
    for name in ("ring", "ring 2", "x" * 80):
        (tmp_path / name).mkdir()
    assert runs.free_name(tmp_path, "ring") == "ring 3" and runs.free_name(tmp_path, "rin") == "rin"
    long = runs.free_name(tmp_path, "x" * 80)
    assert long == runs.checked_name(long) and not (tmp_path / long).exists()


# -- the folder of all runs ---------------------------------------------------------------------------------


def test_the_newest_run_comes_first_and_what_is_none_is_said(folder):
    root = folder.parent
    for name, saved in (("old", "2020-01-01T00:00:00Z"), ("new", "2024-01-01T00:00:00Z"), ("older", "2019-01-01")):
        shutil.copytree(folder, root / name)
        (root / name / "config.json").write_text(json.dumps(about_of(folder) | {"saved": saved}))
    (root / "empty").mkdir()
    (root / "foreign").mkdir()
    (root / "foreign" / "config.json").write_text('{"name": "my-app", "version": "1.0.0"}')
    (root / "a file").write_text("mine")
    (root / "con\nfig \x1b").mkdir()
    shutil.copytree(folder, root / os.fsdecode(b"run\xff"))
    found = runs.listed(root)
    assert [run.name for run in found if isinstance(run, Saved)] == ["run", "new", "old", "older"]
    reasons = {run.name: run.reason for run in found if isinstance(run, Unreadable)}
    assert set(reasons) == {"empty", "foreign", "con?fig ?", "run?"}
    assert "config.json is missing or broken" in reasons["empty"]
    assert "another version of GANscope" in reasons["foreign"]
    assert all(reason.isprintable() and reason.endswith(".") for reason in reasons.values())
    assert "a file" not in {run.name for run in found}


def test_a_folder_of_runs_that_is_not_there_is_empty(tmp_path):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "nothing", tmp_path / "file", tmp_path):
        assert runs.listed(root) == []


def test_what_killed_saves_left_goes_after_a_while(folder):
    for name, age in ((".part-new", 0), (".part-old", 2 * runs.STALE_SECONDS), (".mine", 2 * runs.STALE_SECONDS)):
        (folder.parent / name).mkdir()
        (folder.parent / name / "config.json").write_text("half")
        os.utime(folder.parent / name, (time.time() - age,) * 2)
    assert [run.name for run in runs.listed(folder.parent)] == ["run"]
    assert {path.name for path in folder.parent.iterdir()} == {"run", ".part-new", ".mine"}


def test_is_run(folder, tmp_path):
    assert run_reading.is_run(folder)
    for other in (tmp_path, tmp_path / "nothing", folder / "config.json", tmp_path / ("x" * 5_000), Path("a\0b")):
        assert not run_reading.is_run(other)


def test_rename(folder, spare):
    target = runs.rename(folder, "another name")
    assert target == folder.parent / "another name" and not folder.exists()
    assert looked_through(target, spare).name == "another name"
    assert runs.rename(target, "another name") == target


def test_a_rename_that_cannot_be_leaves_the_run(folder):
    shutil.copytree(folder, folder.parent / "other")
    (folder.parent / "a file").write_text("mine")
    before = contents(folder)
    for name in ("other", "a file"):
        assert f"run with the name '{name}' already" in sentence(runs.rename, folder, name)
    for name in ("", "../up", "x" * 300, "nul"):
        sentence(runs.rename, folder, name)
    assert contents(folder) == before and (folder.parent / "a file").read_text() == "mine"
    assert "No such file" in sentence(runs.rename, folder.parent / "nothing", "x")


def test_a_note_is_changed_and_nothing_else(folder, spare):
    before = about_of(folder)
    runs.annotate(folder, "seen: ü\n🙂")
    assert about_of(folder) == before | {"note": "seen: ü\n🙂"}
    assert looked_through(folder, spare).note == "seen: ü\n🙂"
    runs.annotate(folder, "")
    assert run_reading.read(folder).note == ""
    sentence(runs.annotate, folder, "x" * 501)
    assert about_of(folder) == before | {"note": ""}
    sentence(runs.annotate, folder.parent, "x")


def test_delete(folder, template):
    shutil.copytree(folder, folder.parent / "other")
    runs.delete(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["other"]
    (folder.parent / "mine").mkdir()
    (folder.parent / "mine" / "thesis.txt").write_text("years")
    for path in (folder.parent, folder.parent / "mine", folder, folder.parent / "mine" / "thesis.txt"):
        assert "holds no run, so it is not deleted" in sentence(runs.delete, path)
    assert (folder.parent / "mine" / "thesis.txt").read_text() == "years"


def test_a_deleted_run_is_gone_at_once(folder, monkeypatch):
    """Also where its files take their time, or never go."""
    monkeypatch.setattr(runs.shutil, "rmtree", lambda *_, **__: None)
    runs.delete(folder)
    assert not folder.exists() and runs.listed(folder.parent) == []


# -- what is broken -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["nothing", "", "a file", "x" * 300, "a\0b"], ids=repr)
def test_a_missing_run(tmp_path, where):
    (tmp_path / "a file").write_text("mine")
    with pytest.raises(ConfigError, match="holds no run that can be read"):
        run_reading.read(tmp_path / where)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff\xfe", b"\x00" * 100, b"null", b"[]", b"7", b'"text"', b"\xef\xbb\xbf{}"),
        *(b"[" * 100_000, b'{"a":' * 100_000, b'{"format": 2' + b"0" * 5_000 + b"}", b" " * 4_000_001),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_config_that_is_no_json(folder, spare, content):
    (folder / "config.json").write_bytes(content)
    assert "config.json is missing or broken" in refused(folder, spare)


def test_a_config_that_is_no_file(folder, spare):
    for make in (Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path)):
        (folder / "config.json").unlink()
        make(folder / "config.json")
        assert "config.json is missing or broken" in refused(folder, spare)
        if make is Path.mkdir:
            (folder / "config.json").rmdir()
            (folder / "config.json").touch()


@pytest.mark.parametrize("depth", [50, 300, 600, 900, 950, 980, 2_000, 20_000, 100_000])
@pytest.mark.parametrize("where", ["note", "config", "markers", "g_lr", "sha256", "changes"])
def test_a_config_that_is_nested_deep(folder, spare, where, depth):
    """Deep enough for one of the readers and too deep for the next, and sentences only."""
    about, deep = about_of(folder), "[" * depth + "]" * depth
    if where == "g_lr":
        about["config"]["g_lr"] = "HERE"
    elif where in ("sha256", "changes"):
        about["checkpoints"][0][where] = "HERE"
    else:
        about[where] = "HERE"
    (folder / "config.json").write_text(json.dumps(about).replace('"HERE"', deep))
    try:
        looked_through(folder, spare)
    except ConfigError as error:
        assert len(str(error)) < 400
    runs.listed(folder.parent)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"format": run_reading.FORMAT + 1}, "a newer version of GANscope"),
        ({"format": 1}, "another version of GANscope"),
        ({"format": "2"}, "another version of GANscope"),
        ({"format": None}, "another version of GANscope"),
        ({"config": []}, "missing or broken"),
        ({"config": {"data": "moon"}}, "data must be one of"),
        ({"config": {"invented": 1}}, "There is no setting 'invented'"),
        ({"config": {"packing": 3}}, "packing=3 does not divide"),
        ({"config": {"g_lr": 1e9}}, "g_lr must be a number from"),
        ({"config": {"g_units": 10**15}}, "g_units must be a whole number"),
        ({"config": {"seed": float("nan")}}, "seed must be"),
        ({"config": {f"knob {i}" * 9: i for i in range(2_000)}}, "There are 1,999 more such problems"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_config_of_another_version_or_make(folder, spare, change, words):
    (folder / "config.json").write_text(json.dumps(about_of(folder) | change))
    assert words in refused(folder, spare)


JUNK = [
    *(None, True, -1, 0, 3, 1.5, 1e300, 10**17, 10**30, float("inf"), float("nan"), "", "7", "x" * 3_000, "\x00\ud800"),
    *("../../etc/passwd", "/dev/zero", "config.json", [], {}, [[]], [{}], {"": None}, {"step": {}}, [[0, 0]] * 3),
]
FIELDS = ["format", "step", "saved", "note", "config", "parent", "owner", "markers", "scores", "files", "checkpoints"]


def opens_or_says(folder, trainer):
    """Whether the run opens; raises whatever is not a sentence."""
    try:
        runs.listed(folder.parent)
        looked_through(folder, trainer)
        return True
    except ConfigError as error:
        assert str(error).endswith((".", "?")) and len(str(error)) < 400, error
        return False


@pytest.mark.parametrize("field", FIELDS)
def test_any_type_in_any_field(small, tmp_path, field):
    folder, spare = laid(tmp_path / "run", small[1]), small[0].trainer
    about, opened = about_of(folder), []
    for value in JUNK:
        (folder / "config.json").write_text(json.dumps(about | {field: value}))
        if opens_or_says(folder, spare):
            opened.append(value)
            run = run_reading.read(folder)
            text = run.note + run.saved + run.owner + (run.parent.name if run.parent else "")
            assert len(text) < 1_000 and text.encode().decode() == text
    del about[field]
    (folder / "config.json").write_text(json.dumps(about))
    assert not opens_or_says(folder, spare)
    # Texts may be anything, and no settings are the defaults; the rest has one right type.
    if field in ("format", "step", "config", "files"):
        assert opened == {"config": [{}], "step": [3]}.get(field, [])


@pytest.mark.parametrize(
    "name",
    [
        *("../checkpoint-3-0123456789abcdef.npz", "/etc/passwd", "..", "config.json", "checkpoint-3.npz", "", None),
        *("checkpoint-3-0123456789ABCDEF.npz", "checkpoint-../3-0123456789abcdef.npz", "a\0b", 7, ["x"], {}),
        *("frames-0123456789abcdef.npz\n", "checkpoint-3-0123456789abcdef.npz/../config.json"),
    ],
    ids=repr,
)
def test_a_file_elsewhere_is_never_opened(folder, spare, name, monkeypatch):
    opened = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or read(path))
    for row in (lambda about: about["files"]["frames"], lambda about: about["checkpoints"][3]):
        about = about_of(folder)
        row(about)["file"] = name
        (folder / "config.json").write_text(json.dumps(about))
        assert "config.json is missing or broken" in refused(folder, spare)
    assert set(opened) == {"config.json"}


def changed_checkpoint(**changes):
    return lambda about: about["checkpoints"][3].update(changes)


@pytest.mark.parametrize(
    "change, words",
    [
        (changed_checkpoint(sha256="0" * 64), "is not what was saved with its config.json"),
        (changed_checkpoint(sha256="no checksum"), "missing or broken"),
        (changed_checkpoint(sha256=None), "missing or broken"),
        (changed_checkpoint(step=2), "missing or broken"),
        (changed_checkpoint(step=-3), "missing or broken"),
        (changed_checkpoint(step=3.0), "missing or broken"),
        (changed_checkpoint(step=True), "missing or broken"),
        (changed_checkpoint(step="3"), "missing or broken"),
        (changed_checkpoint(changes=None), "missing or broken"),
        (changed_checkpoint(changes=[["g_lr", 1]]), "missing or broken"),
        (changed_checkpoint(changes={"g_lr": "fast"}), "g_lr must be a number"),
        (changed_checkpoint(changes={"invented": 1}), "'invented' cannot change on the way"),
        (changed_checkpoint(changes={"g_units": 7}), "'g_units' cannot change on the way"),
        (changed_checkpoint(changes={"data": "spiral"}), "'data' cannot change on the way"),
        (lambda about: about["checkpoints"].reverse(), "missing or broken"),
        (lambda about: about["checkpoints"].append(dict(about["checkpoints"][0])), "missing or broken"),
        (lambda about: about["checkpoints"].clear(), "has no checkpoint"),
        (lambda about: about["files"].pop("history"), "missing or broken"),
        (lambda about: about["files"].update(scores=about["files"]["frames"]), "is not in GANscope's form"),
        (lambda about: about["files"].update(frames=about["files"]["history"]), "is not in GANscope's form"),
        (lambda about: about.update(step=END - 1), "missing or broken"),
        (lambda about: about["config"].update(g_units=7), "does not hold the weights of the networks"),
        (lambda about: about.update(config={"data": "digits", "g_units": 6}), "are not of the data that it names"),
        (lambda about: about["checkpoints"][-1].update(about["checkpoints"][3], step=END), "another step than it says"),
    ],
    ids=range(24),
)
def test_a_config_that_was_tampered_with(folder, program, change, words):
    about = about_of(folder)
    change(about)
    (folder / "config.json").write_text(json.dumps(about))
    config = CONFIG.updated({"g_units": about["config"]["g_units"]})
    said = refused(folder, trainer_of(config, program if config == CONFIG else uncompiled(config)))
    assert words in said


@pytest.mark.parametrize("stem", ["history", "frames", "scores", "picture", "checkpoint-3", "data"])
@pytest.mark.parametrize("harm", ["missing", "a folder", "a pipe", "empty", "cut", "one bit", "longer"])
def test_a_file_that_is_not_what_was_saved(folder, small, spare, tmp_path, harm, stem):
    if stem == "data":
        folder, spare = laid(tmp_path / "run", small[1]), small[0].trainer
    (path,) = folder.glob(f"{stem}-*")
    content = bytearray(path.read_bytes())
    path.unlink()
    if harm == "a folder":
        path.mkdir()
    elif harm == "a pipe":
        os.mkfifo(path)  # to read it would wait for ever
    elif harm != "missing":
        content[len(content) // 2] ^= 1 if harm == "one bit" else 0
        path.write_bytes({"empty": b"", "cut": content[:-10], "longer": content + b"x"}.get(harm, content))
    if stem == "picture":  # a run without its picture is still one
        assert run_reading.picture_of(looked_through(folder, spare)) is None
    else:
        said = refused(folder, spare)
        assert path.name in said and "cannot be read: " in said
        gone = harm in ("missing", "a folder", "a pipe")
        assert gone or "it is not what was saved with its config.json" in said


def without(arrays, name):
    return {key: value for key, value in arrays.items() if key != name}


# Of whose maker put the right checksum to it: stem -> {what is wrong: the content, of the arrays that were there}.
FOREIGN = {
    "no zip": lambda own: b"nothing of the kind",
    "nothing": lambda own: b"",
    "an array": lambda own: npy(np.zeros(3)),
    "an empty zip": lambda own: npz(),
    "a pickle": lambda own: npy(np.array([{}], object), allow_pickle=True),
    "a pickle inside": lambda own: npz(**own | {next(iter(own)): np.array([{}], object)}),
    "a bomb": lambda own: bomb(),
    "a claim": lambda own: zipped(**{next(iter(own)): claiming((10**12,))}),
    "a claim of nothings": lambda own: zipped(**{name: claiming((10**12,), "|V0") for name in own}),
    "a member that is no array": lambda own: zipped(**{name: b"text" for name in own}),
    "other names": lambda own: npz(weights=np.zeros(3)),
    "texts": lambda own: npz(**{name: np.full(value.shape, "x") for name, value in own.items()}),
    "one array less": lambda own: npz(**without(own, list(own)[-1])),
    "flat": lambda own: npz(**{name: value.ravel() for name, value in own.items()}),
    "single numbers": lambda own: npz(**{name: np.float32(0) for name in own}),
    "dates": lambda own: npz(**{name: np.zeros(value.shape, "M8[s]") for name, value in own.items()}),
    "complex": lambda own: npz(**{name: value + 1j for name, value in own.items()}),
}


@pytest.mark.parametrize("stem", ["history", "frames", "checkpoint-3", f"checkpoint-{END}"])
@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_of_another_make(folder, spare, what, stem):
    if (what, stem) == ("flat", "history"):
        return  # its arrays but for one are flat already
    replaced(folder, stem, FOREIGN[what](inside(folder, stem)))
    said = refused_at(folder, spare, 3)
    assert re.search("cannot be read|does not hold the weights|not of the data that it names", said), said


def refused_at(folder, trainer, step):
    """What is said when the run is looked through, and its branch from `step` opened."""

    def both():
        looked_through(folder, trainer)
        run_reading.restore(trainer, folder, step)

    return sentence(both)


FOREIGN_FRAMES = {
    "infinite steps": {"step": np.array([np.inf, 1])},
    "steps that fall": {"step": np.array([5, 1])},
    "huge steps": {"step": np.array([0, 2**40])},
    "no steps but frames": {"step": np.zeros(0, np.int64)},
    "other data": {"grid": np.zeros((2, 64, 28, 28, 1), np.uint8), "samples": None},
    "samples in space": {"samples": np.zeros((2, 100, 3), np.float32)},
    "no samples": {"samples": np.zeros((2, 0, 2), np.float32)},
    "whole samples": {"samples": np.zeros((2, 100, 2), np.int64)},
    "a flat heat map": {"heat": np.zeros((2, 1600), np.float16)},
    "one manifold": {"manifold": np.zeros((1, 3, 3, 2), np.float32)},
    "something more": {"weights": np.zeros((2, 3))},
}


@pytest.mark.parametrize("what", FOREIGN_FRAMES)
def test_frames_of_another_make(folder, spare, what):
    own = {"step": np.array([0, 1]), "samples": np.zeros((2, 100, 2), np.float32)} | FOREIGN_FRAMES[what]
    replaced(folder, "frames", npz(**{name: value for name, value in own.items() if value is not None}))
    refused(folder, spare)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"7", b'"x"', b'{"a": 1}', b"[" * 100_000, b"[7]", b"[[]]", b"[[1, 2, 3]]", b"[[1, 2]]"),
        *(b"[[1e999, {}]]", b"[[NaN, {}]]", b'[["1", {}]]', b"[[-1, {}]]", b"[[5, {}], [4, {}]]", b"[[1, [[[]]]]]"),
        *(b"[[1" + b"0" * 5_000 + b", {}]]", b"[[true, {}]]", b" " * 4_000_001),
    ],
    ids=lambda content: repr(content[:16]),
)
def test_scores_of_another_make(folder, spare, content):
    replaced(folder, "scores", content)
    refused(folder, spare)


def png(width, height):
    content = io.BytesIO()
    Image.new("1", (width, height)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", png(40_000, 40_000), png(9, 9)[:-20], b"GIF89a"]
)
def test_a_picture_that_cannot_be_shown_is_none(folder, spare, content):
    replaced(folder, "picture", content)
    assert run_reading.picture_of(looked_through(folder, spare)) is None


def test_what_unpacks_to_too_much_is_not_unpacked(small, tmp_path, monkeypatch):
    """The same with a real one, and a smaller limit."""
    folder = laid(tmp_path / "run", small[1])
    content = io.BytesIO()
    np.savez_compressed(content, **inside(folder, "history") | {"count": np.zeros(1_000_000)})
    assert len(content.getvalue()) < 20_000
    replaced(folder, "history", content.getvalue())
    monkeypatch.setattr(run_reading, "MOST_FILE", 4_000_000)
    assert "cannot be read (ValueError)" in refused(folder, small[0].trainer)


def test_a_file_that_is_too_large_is_not_read(folder, spare):
    (path,) = folder.glob("frames-*")
    os.truncate(path, run_reading.MOST_FILE + 1)
    assert "is too large: at most 800 MB are read" in refused(folder, spare)


# -- anything at all ----------------------------------------------------------------------------------------


def places(tree):
    """Every place in nested dicts and lists, as (container, key)."""
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in list(keys):
        yield tree, key
        yield from places(tree[key])


def json_mutated(rng, content):
    tree = json.loads(content)
    container, key = rng.choice([*places([tree])])
    if rng.random() < 0.2:
        del container[key]
        return json.dumps(tree if container and container is not tree else container).encode()
    container[key] = rng.choice(JUNK)
    return json.dumps(tree).encode()


def bytes_mutated(rng, content):
    raw = bytearray(content)
    kind = rng.random()
    if kind < 0.15:
        return bytes(raw[: rng.randrange(len(raw) + 1)])
    if kind < 0.25:
        at = rng.randrange(len(raw) + 1)
        return bytes(raw[:at] + rng.randbytes(rng.randrange(1, 40)) + raw[at:])
    for _ in range(rng.choice((1, 1, 3, 20))):
        at = rng.randrange(len(raw)) if rng.random() < 0.5 else rng.randrange(min(len(raw), 300))
        raw[at] = rng.choice((0, 255, raw[at] ^ (1 << rng.randrange(8)), rng.randrange(256)))
    return bytes(raw)


def arrays_mutated(rng, content):
    with np.load(io.BytesIO(content)) as file:
        named = dict(file)
    name = rng.choice(sorted(named))
    value = named[name]
    with np.errstate(all="ignore"):
        named[name] = rng.choice(
            (
                lambda: value.astype(rng.choice(("<f2", "<f8", "<i4", "<u1", "?", "<c8", "<U3", "M8[D]", "V8"))),
                lambda: value.reshape(-1),
                lambda: value[None],
                lambda: value[..., :-1] if value.ndim else value,
                lambda: np.zeros((0, *value.shape[1:]), value.dtype),
                lambda: value * 0 + rng.choice((-1, 0, 1, 255, 2**31, 2**62, 1e30)),
                lambda: np.full(value.shape, rng.choice((np.nan, np.inf, -np.inf, 1e300))),
                lambda: value[::-1] if value.ndim else -value,
                lambda: np.array(rng.choice((0, -1, 2**63 - 1, np.nan, "x", True))),
            )
        )()
    if rng.random() < 0.2:
        named[rng.choice(("step", "0000", "9999", "history_table", "points", "x"))] = named.pop(name)
    return npz(**named)


def mutated(rng, folder):
    """Changes something of the run; mostly so that the checksums are right and the readers behind them are reached."""
    about = about_of(folder)
    row = rng.choice(rows_of(about))
    path, stem = folder / row["file"], row["file"].rpartition("-")[0]
    kind = rng.random()
    if kind < 0.1:
        path.write_bytes(bytes_mutated(rng, path.read_bytes()))
    elif kind < 0.2:
        (folder / "config.json").write_bytes(bytes_mutated(rng, (folder / "config.json").read_bytes()))
    elif kind < 0.5:
        (folder / "config.json").write_bytes(json_mutated(rng, (folder / "config.json").read_bytes()))
    elif stem == "scores":
        replaced(folder, stem, json_mutated(rng, path.read_bytes()))
    elif stem == "picture" or kind < 0.7:
        replaced(folder, stem, bytes_mutated(rng, path.read_bytes()))
    else:
        replaced(folder, stem, arrays_mutated(rng, path.read_bytes()))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numbers that nobody ever trained
@pytest.mark.parametrize("part", range(3))
def test_whatever_was_done_to_a_run_is_a_sentence_or_opens(small, tmp_path, part, full, nothing_is_run):
    """And what opens can be saved again."""
    lane, files = small
    opened, count = 0, 334 if full else 100
    for seed in range(1_000 * part, 1_000 * part + count):
        folder, rng = laid(tmp_path / "run", files), random.Random(seed)
        for _ in range(rng.choice((1, 1, 1, 2))):
            try:
                mutated(rng, folder)
            except (ValueError, KeyError, TypeError, StopIteration, IndexError, AttributeError):
                break  # what the first change made cannot be changed again
        if not opens_or_says(folder, lane.trainer):
            continue
        opened += 1
        run = run_reading.read(folder)
        try:
            recording = run_reading.restore(lane.trainer, folder)
            np.array([*recording.frames.steps, *recording.checkpoints.steps, *recording.scores.steps], np.int32)
            recording.history.frame()
            upload = run_reading.upload_of(run)
            again = Content(run.config, run.step, recording, lane.trainer.data, upload, run.note)
            run_writing.Writer(tmp_path / "again").write(again)
            run_reading.recording_of(run_reading.read(tmp_path / "again"), checkpoints=True)
        except ConfigError:
            pass
    assert 0.05 < opened / count < 0.9


# -- where nothing can be written ---------------------------------------------------------------------------


def unsaved(folder, lane):
    """What is said before the training, and after it."""
    said = [sentence(run_writing.check_folder, folder.parent), sentence(run_writing.save, folder, Content.of(lane))]
    assert all(text.startswith("The run cannot be saved in ") for text in said)
    return said[1]


def test_a_name_that_is_taken(folder, lane):
    before = contents(folder)
    (folder.parent / "a file").write_text("mine")
    (folder.parent / "empty").mkdir()
    for name in ("run", "a file", "empty"):
        said = sentence(run_writing.save, folder.parent / name, Content.of(lane, note="another"))
        assert f"There is a run with the name '{name}' already: choose another." == said
    assert contents(folder) == before
    assert {path.name for path in folder.parent.iterdir()} == {"run", "a file", "empty"}


def test_a_file_in_place_of_a_folder(tmp_path, lane):
    (tmp_path / "file").write_text("mine")
    assert "cannot be saved" in unsaved(tmp_path / "file" / "run", lane)
    writer = run_writing.Writer(tmp_path / "file")
    assert sentence(writer.write, Content.of(lane)).startswith("The run cannot be saved in ")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to(folder, lane, monkeypatch):
    """As root every folder can be, so the system's refusal is a stand-in."""

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    before = contents(folder)
    for name in ("mkstemp", "mkdtemp", "TemporaryFile"):
        monkeypatch.setattr(run_writing.tempfile, name, refuse)
    assert "Permission denied" in unsaved(folder.parent / "new", lane)
    assert "Permission denied" in sentence(runs.annotate, folder, "x")
    assert "Permission denied" in sentence(run_writing.Writer(folder).write, Content.of(lane, note="x"))
    monkeypatch.setattr(runs.os, "rename", refuse)
    assert "Permission denied" in sentence(runs.rename, folder, "x")
    assert "Permission denied" in sentence(runs.delete, folder)
    assert contents(folder) == before and [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_folder_that_can_be_written_to(tmp_path):
    run_writing.check_folder(tmp_path / "some" / "where")
    run_writing.check_folder(tmp_path / "some" / "where")
    assert list((tmp_path / "some" / "where").iterdir()) == []


def failing(monkeypatch, module, name, count):
    """The call of that name and count, and all later ones, find the disk full."""
    function, calls = getattr(module, name), itertools.count(1)

    def until(*arguments, **options):
        if next(calls) >= count:
            raise OSError(28, "No space left on device")
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, until)


CALLS = {"mkstemp": run_writing.tempfile, "fdopen": os, "fsync": os, "chmod": os, "replace": os}


@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_is_full_leaves_no_new_run(folder, small, monkeypatch, call):
    content = Content.of(small[0])
    for count in itertools.count(1):
        with monkeypatch.context() as patched:
            failing(patched, CALLS[call], call, count)
            try:
                run_writing.save(folder.parent / "new", content)
                break
            except ConfigError as error:
                assert str(error) == f"The run cannot be saved in {folder.parent / 'new'}: No space left on device."
        assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert count > 6 and run_reading.read(folder.parent / "new").step == 1  # every write was one that failed


@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_is_full_leaves_the_older_state_of_a_run(folder, program, spare, monkeypatch, call):
    lane = Lane(trainer_of(CONFIG, program), scored=False)
    writer = run_writing.Writer(folder.parent / "auto")
    writer.write(Content.of(lane))
    lane.trainer.restore(
        run_reading.recording_of(run_reading.read(folder), checkpoints=True).checkpoints.at(3)[1].state
    )
    for count in itertools.count(1):
        with monkeypatch.context() as patched:
            failing(patched, CALLS[call], call, count)
            try:
                writer.write(Content.of(lane))
                break
            except ConfigError as error:
                assert str(error) == f"The run cannot be saved in {folder.parent / 'auto'}: No space left on device."
        assert looked_through(folder.parent / "auto", spare).step == 0
        assert not [*(folder.parent / "auto").glob("*.tmp"), *folder.parent.glob(".part-*")]
    # An attempt leaves what it wrote whole, so the next needs fewer writes; the last one wrote config.json.
    assert count > 1 and looked_through(folder.parent / "auto", spare).step == 3
    assert set(contents(folder.parent / "auto")) == {
        "config.json",
        *(row["file"] for row in rows_of(about_of(folder.parent / "auto"))),
    }


def test_files_that_the_system_cuts_short(folder, small, spare):
    """Every write ends after so many bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    content, before = Content.of(small[0]), contents(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for most in (0, 1, 700, 2_000, 9_000):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
            with pytest.raises(ConfigError) as caught:
                run_writing.save(folder.parent / "new", content)
            with pytest.raises(ConfigError) as again:
                run_writing.Writer(folder).write(content)
            if most < len(before["config.json"]):
                assert sentence(runs.annotate, folder, "x")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        for said in map(str, (caught.value, again.value)):
            assert said.startswith("The run cannot be saved in ") and "too large" in said and ".part-" not in said
        assert [path.name for path in folder.parent.iterdir()] == ["run"]
        assert looked_through(folder, spare).step == END and not [*folder.glob("*.tmp")]
        assert contents(folder).items() >= before.items()


# -- what dies while it saves -------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a save as a signal would, between two calls of the system."""


def killed_at(monkeypatch, call, count, save):
    """Saves until the call of that name and count, which never returns; whether it came so far."""
    module = CALLS[call]
    function, calls = getattr(module, call), itertools.count(1)

    def until(*arguments, **options):
        if next(calls) == count:
            raise Killed
        return function(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, call, until)
        # What a killed process would have left: nothing is tidied up.
        patched.setattr(os, "unlink", lambda path: None)
        patched.setattr(run_writing.shutil, "rmtree", lambda *_, **__: None)
        try:
            save()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("save", [run_writing.save, lambda folder, content: run_writing.Writer(folder).write(content)])
@pytest.mark.parametrize("call", ["mkstemp", "fdopen", "replace"])
def test_a_kill_leaves_no_run_or_a_whole_one(tmp_path, small, monkeypatch, call, save):
    lane, count = small[0], 1
    content = Content.of(lane)
    while killed_at(monkeypatch, call, count, lambda: save(tmp_path / "run", content)):
        assert not (tmp_path / "run").exists() and runs.listed(tmp_path) == []
        count += 1
    assert count > 6 and looked_through(tmp_path / "run", lane.trainer).step == 1


@pytest.mark.parametrize("call", ["mkstemp", "fdopen", "replace"])
def test_a_kill_while_saving_over_an_older_state_leaves_that(folder, lane, spare, monkeypatch, call):
    """What is there is the older state whole, until the newer one is."""
    root, count = folder.parent, 1
    whole = run_reading.recording_of(run_reading.read(folder), checkpoints=True)
    older, newer = (Content(CONFIG, step, whole.until(step), lane.trainer.data) for step in (0, 2))
    run_writing.Writer(root / "older").write(older)
    while True:
        shutil.rmtree(root / "auto", ignore_errors=True)
        shutil.copytree(root / "older", root / "auto")
        if not killed_at(monkeypatch, call, count, lambda: run_writing.Writer(root / "auto").write(newer)):
            break
        assert about_of(root / "auto") == about_of(root / "older")
        run_reading.recording_of(run_reading.read(root / "auto"), checkpoints=True)
        count += 1
    assert count > 6 and looked_through(root / "auto", spare).step == 2
    # What the last killed one left is tidied up by the next save.
    shutil.rmtree(root / "auto")
    shutil.copytree(root / "older", root / "auto")
    assert killed_at(monkeypatch, call, count - 1, lambda: run_writing.Writer(root / "auto").write(newer))
    run_writing.Writer(root / "auto").write(newer)
    assert set(contents(root / "auto")) == {"config.json", *(r["file"] for r in rows_of(about_of(root / "auto")))}


# -- two at once --------------------------------------------------------------------------------------------


def test_of_many_that_save_one_name_at_once_exactly_one_wins(tmp_path, small, monkeypatch):
    """All arrive at the last step together."""
    lane, n = small[0], 4
    together, rename = threading.Barrier(n), os.rename

    def held(*arguments):
        together.wait(20)
        rename(*arguments)

    monkeypatch.setattr(os, "rename", held)
    for attempt in range(3):
        said, root = [], tmp_path / str(attempt)

        def save(i, root=root, said=said):
            try:
                run_writing.save(root / "run", Content.of(lane, note=f"number {i}"))
                said.append(i)
            except ConfigError as error:
                said.append(str(error))

        threads = [threading.Thread(target=save, args=(i,)) for i in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        (won,) = [i for i in said if isinstance(i, int)]
        assert said.count("There is a run with the name 'run' already: choose another.") == n - 1
        assert [path.name for path in root.iterdir()] == ["run"]
        assert looked_through(root / "run", lane.trainer).note == f"number {won}"


# -- written again and again --------------------------------------------------------------------------------


def stamps(folder):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_run_that_is_written_again_and_again(tmp_path, lane, program, spare):
    """Checkpoints that are there stay as they are, what is no longer named goes, and the folder opens each time."""
    folder, going = tmp_path / "auto", Lane(trainer_of(CONFIG, program), scored=False)
    writer = run_writing.Writer(folder)
    before = {}
    for step in range(4):
        trained(going, step)
        writer.write(Content.of(going))
        assert looked_through(folder, spare).step == step
        now, about = stamps(folder), about_of(folder)
        assert set(now) == {"config.json", *(row["file"] for row in rows_of(about))}
        old = {name for name in before if name.startswith("checkpoint-")}
        assert len(old) == step and all(now[name] == before[name] for name in old)
        before = now
    run_writing.Writer(folder).write(Content.of(going))  # a new process that took the run up
    assert {n: s for n, s in stamps(folder).items() if n != "config.json"} == {
        n: s for n, s in before.items() if n != "config.json"
    }
    whole = going.recording
    whole.checkpoints = whole.checkpoints.until(1)  # as if thinned
    writer.write(Content(going.trainer.config, 3, whole, going.trainer.data))
    assert sorted(path.name[:12] for path in folder.glob("checkpoint-*")) == ["checkpoint-0", "checkpoint-1"]


@pytest.mark.parametrize("what", ["deleted", "renamed", "emptied", "halved"])
def test_a_folder_that_goes_meanwhile_is_made_anew(small, tmp_path, what):
    lane, points = small[0], run_reading.upload_of(run_reading.read(laid(tmp_path / "small", small[1])))
    folder = tmp_path / "auto"
    writer = run_writing.Writer(folder)
    writer.write(Content.of(lane, points))
    if what == "deleted":
        runs.delete(folder)
    elif what == "renamed":
        runs.rename(folder, "mine")
    else:
        for path in list(folder.iterdir())[:: 1 if what == "emptied" else 2]:
            path.unlink()
    writer.write(Content.of(lane, points))
    for name in ("auto", "mine") if what == "renamed" else ("auto",):
        assert looked_through(tmp_path / name, lane.trainer).step == 1
        assert np.array_equal(run_reading.upload_of(run_reading.read(tmp_path / name)), points)


def test_a_note_that_was_written_meanwhile_stays(small, tmp_path):
    writer = run_writing.Writer(tmp_path / "auto")
    writer.write(Content.of(small[0]))
    runs.annotate(tmp_path / "auto", "remember this")
    writer.write(Content.of(small[0], owner="me"))
    run = run_reading.read(tmp_path / "auto")
    assert (run.note, run.owner) == ("remember this", "me")


def test_a_run_is_not_written_over_while_training_goes_on(tmp_path, program, spare):
    """What is written is the moment at which the content was taken."""
    going = trained(Lane(trainer_of(CONFIG, program), scored=False), 2)
    content = Content.of(going)
    state = going.trainer.state
    trained(going, 4)
    going.recording.scores.add(4, {"w1": 1.0})
    run_writing.save(tmp_path / "run", content)
    assert looked_through(tmp_path / "run", spare).step == 2 and same(spare.state, state)
    assert run_reading.recording_of(run_reading.read(tmp_path / "run")).history.steps == 2
    assert len(run_reading.recording_of(run_reading.read(tmp_path / "run")).scores) == 0


# -- the small picture --------------------------------------------------------------------------------------


def picture(frame, data):
    return np.asarray(Image.open(io.BytesIO(thumbnail.thumbnail(frame, data))))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [0.0, 1e3, -1e30, 3.4e38, np.inf, -np.inf, np.nan], ids=str)
def test_a_picture_of_points_wherever_they_are(far):
    data = datasets.draw("ring", 500, 0, {})
    made = np.zeros((100, 2), np.float32)
    made[:50, 0] = made[50:, 1] = far
    seen = picture({"samples": made}, data)
    assert seen.shape == (thumbnail.SIDE, thumbnail.SIDE, 3) and seen.dtype == np.uint8
    colors = {tuple(color) for color in seen.reshape(-1, 3)}
    assert thumbnail.REAL in colors and thumbnail.PAPER in colors
    assert (thumbnail.FAKE in colors) == (far == 0.0)


def test_points_lie_where_they_are():
    data = datasets.draw("ring", 500, 0, {})
    corner = np.float32([[data.center[0] - 0.99 * data.limit, data.center[1] + 0.99 * data.limit]])
    seen = picture({"samples": corner}, data)
    rows, columns = np.nonzero((seen == thumbnail.FAKE).all(-1))
    assert rows.max() < 5 and columns.max() < 5  # up is up


@pytest.mark.parametrize("shape", [(64, 28, 28, 1), (64, 28, 28, 3), (36, 64, 64, 3), (3, 8, 8, 1), (1, 300, 300, 1)])
def test_a_picture_of_pictures(shape):
    grid = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    seen = picture({"grid": grid, "p_real": np.zeros(len(grid), np.float32)}, quadrants())
    assert max(seen.shape[:2]) == thumbnail.SIDE and seen.shape[2] == 3
    assert seen.std() > 0


def test_nothing_to_show_is_no_picture():
    assert thumbnail.thumbnail({}, None) is None


@pytest.mark.parametrize("content, right", [(png(192, 192), True), (png(193, 9), False), (b"", False), (b"x", False)])
def test_what_is_a_small_picture(content, right):
    assert thumbnail.is_thumbnail(content) == right
