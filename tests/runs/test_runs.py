"""A run on disk: what is saved goes on as if it had not been, and the folder of all runs."""

import hashlib
import io
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.data import loading
from gan_core.data.own_images import image_rules
from gan_core.data.pictures import Pictures, from_arrays, to_arrays
from gan_core.data.points import OwnPoints
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording import thumbnail
from gan_core.recording.recorder import Parent
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_folders, run_reading, run_restoring, run_writing
from gan_core.runs.run_folders import Unreadable
from gan_core.runs.run_reading import Saved
from gan_core.runs.run_writing import Content
from gan_core.settings.config import GANConfig
from gan_core.training.trainer import Trainer
from tests.runs.conftest import (
    CONFIG,
    END,
    TURNED,
    about_of,
    contents,
    laid,
    looked_through,
    npz,
    png,
    refused,
    replaced,
    rows_of,
    sentence,
    trained,
)
from tests.support.tiny import point_trainer, quadrants
from tests.support.trainers import arrays, same, samples, trainer_of

IMAGES = {"data": "picture_file", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 6}


# -- round trip ---------------------------------------------------------------------------------------------


def test_a_saved_run_comes_back_bit_for_bit_and_trains_on_as_if_nothing_had_been(folder, training, program, spare):
    run = run_reading.read(folder)
    again = run_restoring.load(run, run_reading.data_of(run))
    assert again.config == training.trainer.config and again.step == END == run.step
    assert same(again.state, training.trainer.state)
    assert [a.dtype for a in arrays(again.state)] == [a.dtype for a in arrays(training.trainer.state)]
    again.program = program  # the other's, so that both draw alike
    original = TrainingRun(Trainer(run.config, training.trainer.data, program), training.recording.copy(), scored=False)
    original.trainer.restore(training.trainer.named())
    copy = TrainingRun(again, run_reading.recording_of(run, checkpoints=True), scored=False)
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
        assert x.flat == y.flat and list(x.state) == list(y.state)
        assert all(np.array_equal(tensor, y.state[name]) for name, tensor in x.state.items())
        a, b = ([m for m in point.history["markers"] if m["step"] < step] for point in (x, y))
        assert a == b


def test_the_whole_recording_comes_back(folder, training):
    alike(training.recording, run_reading.recording_of(run_reading.read(folder), checkpoints=True))
    assert (
        len(run_reading.recording_of(run_reading.read(folder)).checkpoints) == 0
    )  # they weigh most, and the pages need none


@pytest.mark.parametrize("step", [0, 2, 3, 5, END])
def test_a_branch_from_any_checkpoint_repeats_the_run_bit_for_bit(folder, training, program, step):
    """With the settings of then, and the same knobs turned at the same steps."""
    run = run_reading.read(folder)
    trainer = trainer_of(run.checkpoints[step], program)
    past = run_restoring.restore(trainer, folder, step)
    assert trainer.step == step and past.parent == Parent("run", step)
    assert past.history.steps == step
    for kept in (past.frames, past.checkpoints):
        assert kept.steps == list(range(step + 1))
    assert past.scores.steps == [s for s in (3, END) if s <= step]
    assert all(marker["step"] <= step for marker in past.history.markers)
    branch = trained(TrainingRun(trainer, past, scored=False), END)
    assert same(trainer.state, training.trainer.state)
    assert np.array_equal(samples(trainer), samples(training.trainer))
    past.scores = training.recording.scores  # nobody made them here
    alike(branch.recording, training.recording)


def test_a_branch_names_its_parent_also_after_it_was_saved(folder, program):
    for name, parent in (("child", "run"), ("grandchild", "child")):
        run = run_reading.read(folder.parent / parent)
        trainer = trainer_of(run.checkpoints[3], program)
        past = run_restoring.restore(trainer, run.folder, 3)
        run_writing.save(folder.parent / name, Content.of(trained(TrainingRun(trainer, past, scored=False), 4)))
        child = run_reading.read(folder.parent / name)
        assert child.parent == Parent(parent, 3) and child.step == 4
        assert run_reading.recording_of(child).parent == Parent(parent, 3)
        assert run_restoring.restore(trainer, child.folder).parent == Parent(parent, 3)  # taken up, not branched again
    assert run_reading.read(folder).parent is None


def test_a_branch_from_a_step_without_a_checkpoint_is_a_sentence(folder, spare):
    assert "no checkpoint at step 99; there are: [0, 1, 2, 3, 4, 5, 6, 7]" in sentence(
        run_restoring.restore, spare, folder, 99
    )
    assert "no checkpoint at step -1" in sentence(run_restoring.restore, spare, folder, -1)


def test_each_checkpoint_gives_back_its_own_settings(folder):
    run, then = run_reading.read(folder), CONFIG
    for step, config in run.checkpoints.items():
        then = then.updated(TURNED.get(step, {}))  # what goes on from here goes on with these
        assert config == then
    assert run.config == then and list(run.checkpoints) == list(range(END + 1))
    texts = ["g_lr 0.3 → 0.01", "schedule cosine → linear", "instance_noise 0.1 → 0.3"]
    for step in (0, 2, 3, 5, 6):
        point = run_reading.recording_of(run, checkpoints=True).checkpoints.at(step)[1]
        known = {marker["text"] for marker in point.history["markers"] if marker["step"] < step}
        assert known == {*texts[: 0 if step < 3 else 1 if step < 6 else 3]}


def test_a_run_without_a_step_taken_comes_back(tmp_path, program, spare):
    run_writing.save(tmp_path / "new", Content.of(TrainingRun(trainer_of(CONFIG, program), scored=False)))
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


@pytest.mark.parametrize("labels", [None, np.arange(300, dtype=np.int32) % 2])
def test_the_users_own_table_is_in_the_run(tmp_path, labels):
    points = (np.random.default_rng(0).normal(size=(300, 2)) * [3, 0.1] + 50).astype(np.float32)
    own = OwnPoints(points, labels, () if labels is None else ("kurz", "lang ü"), ("width (cm)", "price"))
    trainer = point_trainer(own, data="file")
    run_writing.save(tmp_path / "mine", Content.of(TrainingRun(trainer, scored=False), own))
    run = run_reading.read(tmp_path / "mine")
    found = run_reading.upload_of(run)
    assert np.array_equal(found.points, points) and (found.axes, found.class_names) == (own.axes, own.class_names)
    assert np.array_equal(found.labels, labels) if labels is not None else found.labels is None
    data = run_reading.data_of(run)
    assert np.array_equal(data.array, trainer.data.array) and np.abs(data.array).max(0) == pytest.approx([1, 1])
    assert same(run_restoring.load(run, data).state, trainer.state)


def test_points_of_an_earlier_version_are_in_the_run_and_keep_their_scale(tmp_path):
    points = (np.random.default_rng(0).normal(size=(300, 2)) * [3, 0.1] + 50).astype(np.float32)
    trainer = point_trainer(points, data="file")
    run_writing.save(tmp_path / "mine", Content.of(TrainingRun(trainer, scored=False), points))
    run = run_reading.read(tmp_path / "mine")
    assert np.array_equal(run_reading.upload_of(run), points)
    assert np.array_equal(run_reading.data_of(run).array, trainer.data.array)
    assert same(run_restoring.load(run, run_reading.data_of(run)).state, trainer.state)


@pytest.mark.parametrize("labelled", [True, False])
def test_the_users_own_pictures_are_in_the_run(tmp_path, labelled):
    own = quadrants(60, labelled, ("left", "rechts ü", "", "d"))
    held = quadrants(20, labelled, own.class_names)
    own = replace(own, test_pixels=held.pixels, test_labels=held.labels)
    config = GANConfig.from_flat({**IMAGES, "conditional": labelled})
    training = TrainingRun(Trainer(config, loading.load(config, own), path="graph"), scored=False)
    run_writing.save(tmp_path / "mine", Content.of(training, own))
    run = run_reading.read(tmp_path / "mine")
    for found in (run_reading.upload_of(run), run_reading.data_of(run)):
        assert np.array_equal(found.pixels, own.pixels) and found.class_names == own.class_names
        assert np.array_equal(found.labels, own.labels) if labelled else found.labels is None
        assert np.array_equal(found.test_pixels, own.test_pixels)
        assert np.array_equal(found.test_labels, own.test_labels) if labelled else found.test_labels is None
    frame = run_reading.recording_of(run).frames.items[0]
    assert frame["grid"].dtype == np.uint8 and np.array_equal(frame["grid"], training.recording.frames.items[0]["grid"])
    assert max(Image.open(io.BytesIO(run_reading.picture_of(run))).size) == thumbnail.SIDE
    assert same(run_restoring.load(run, run_reading.data_of(run)).state, training.trainer.state)


@pytest.mark.parametrize(("size", "side"), [("native", 28), ("64", 48)])
def test_pictures_of_48_pixels_of_an_older_run_are_of_the_size_it_trained_on(size, side):
    kept = from_arrays(size == "native", np.zeros((20, 48, 48, 1), np.uint8), np.array(["a"]))
    assert kept.pixels.shape == (20, side, side, 1)
    again = from_arrays(size == "native", **to_arrays(Pictures(np.zeros((20, 48, 48, 1), np.uint8))))
    assert again.pixels.shape == (20, 48, 48, 1)


def test_data_that_everybody_has_are_not_in_the_run(folder, training, tmp_path):
    assert run_reading.upload_of(run_reading.read(folder)) is None
    run_writing.save(tmp_path / "other", Content.of(training, np.zeros((20, 2), np.float32)))  # of another page's file
    assert "data" not in about_of(tmp_path / "other")["files"]


def test_the_largest_upload_can_be_read_again():
    assert 3 * image_rules.MOST_PICTURES * image_rules.STORED_SIDE**2 < run_reading.MOST_FILE


BROKEN_DATA = {
    "no points": {"points": np.zeros((0, 2), np.float32)},
    "one point": {"points": np.ones((1, 2), np.float32)},
    "points on a line": {"points": np.ones((30, 2), np.float32)},
    "points in space": {"points": np.ones((30, 3), np.float32)},
    "doubles": {"points": np.ones((30, 2))},
    "texts": {"points": np.full((30, 2), "x")},
    "an infinite point": {"points": np.full((30, 2), np.inf, np.float32)},
    "three axes": {"points": np.random.default_rng(0).random((30, 2), np.float32), "axes": np.array(["a", "b", "c"])},
    "a class too many": {
        "points": np.random.default_rng(0).random((30, 2), np.float32),
        "axes": np.array(["a", "b"]),
        "class_names": np.array(["k"]),
        "labels": np.ones(30, np.int32),
    },
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
    assert run_folders.checked_name(name) == name


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
    said = sentence(run_folders.checked_name, name)
    assert " cannot be used as a name" in said


def test_notes():
    assert run_folders.checked_note("  two\nlines, ü 🙂  ") == "two\nlines, ü 🙂"
    assert run_folders.checked_note("\x00a\x1b[31m\rb\ud800") == "a[31mb"
    assert run_folders.checked_note("x" * run_reading.NOTE_LENGTH) == "x" * run_reading.NOTE_LENGTH
    assert "at most 500 letters; this one has 501" in sentence(run_folders.checked_note, "x" * 501)


def test_the_folder_of_runs(monkeypatch, tmp_path):
    monkeypatch.delenv("GANSCOPE_RUNS_DIR", raising=False)
    assert str(run_folders.runs_folder()) == "runs"
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    assert run_folders.runs_folder() == tmp_path
    assert str(run_folders.runs_folder("elsewhere")) == "elsewhere"


def test_a_free_name(tmp_path, training):
    """Whoever saves with `numbered` gets the next name that no other run, file or folder has."""
    for name in ("ring 2", "x" * 80):
        (tmp_path / name).mkdir()
    (tmp_path / "ring 3").write_text("mine")
    content = Content.of(training)
    saved = [run_writing.save(tmp_path / "ring", content, numbered=True).name for _ in range(3)]
    assert saved == ["ring", "ring 4", "ring 5"]
    long = run_writing.save(tmp_path / ("x" * 80), content, numbered=True)
    assert long.name == run_folders.checked_name(long.name) and run_reading.read(long).step == END
    assert (tmp_path / "ring 3").read_text() == "mine" and list((tmp_path / "ring 2").iterdir()) == []


def test_a_copy_is_a_run_of_its_own(folder, training, spare, tmp_path):
    """It shares the files until either is written anew, and survives the other."""
    before = contents(folder)
    copied = [run_folders.copy(folder, folder.parent / "copy") for _ in range(2)]
    assert [path.name for path in copied] == ["copy", "copy 2"]
    run_folders.annotate(copied[0], "mine")
    run_writing.Writer(copied[1]).write(Content.of(training, note="another"))
    assert contents(folder) == before
    run_folders.delete(folder)
    assert [looked_through(path, spare).note for path in copied] == ["mine", "another"]
    with pytest.raises(ConfigError):
        run_folders.copy(folder, folder.parent / "copy")


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
    found = run_folders.listed(root)
    assert [run.name for run in found if isinstance(run, Saved)] == ["run", "new", "old", "older"]
    reasons = {run.name: run.reason for run in found if isinstance(run, Unreadable)}
    assert set(reasons) == {"empty", "foreign", "con?fig ?", "run?"}
    assert "config.json is missing or damaged" in reasons["empty"]
    assert "another version of GANscope" in reasons["foreign"]
    assert all(reason.isprintable() and reason.endswith(".") for reason in reasons.values())
    assert "a file" not in {run.name for run in found}


def test_a_folder_of_runs_that_is_not_there_is_empty(tmp_path):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "nothing", tmp_path / "file", tmp_path):
        assert run_folders.listed(root) == []


def test_what_killed_saves_left_goes_after_a_while(folder):
    for name, age in (
        (".part-new", 0),
        (".part-old", 2 * run_folders.STALE_SECONDS),
        (".mine", 2 * run_folders.STALE_SECONDS),
    ):
        (folder.parent / name).mkdir()
        (folder.parent / name / "config.json").write_text("half")
        os.utime(folder.parent / name, (time.time() - age,) * 2)
    assert [run.name for run in run_folders.listed(folder.parent)] == ["run"]
    assert {path.name for path in folder.parent.iterdir()} == {"run", ".part-new", ".mine"}


def test_is_run(folder, tmp_path):
    assert run_reading.is_run(folder)
    for other in (tmp_path, tmp_path / "nothing", folder / "config.json", tmp_path / ("x" * 5_000), Path("a\0b")):
        assert not run_reading.is_run(other)


def test_rename(folder, spare):
    target = run_folders.rename(folder, "another name")
    assert target == folder.parent / "another name" and not folder.exists()
    assert looked_through(target, spare).name == "another name"
    assert run_folders.rename(target, "another name") == target


def test_a_rename_that_cannot_be_leaves_the_run(folder):
    shutil.copytree(folder, folder.parent / "other")
    (folder.parent / "a file").write_text("mine")
    before = contents(folder)
    for name in ("other", "a file"):
        assert f"run with the name '{name}' already" in sentence(run_folders.rename, folder, name)
    for name in ("", "../up", "x" * 300, "nul"):
        sentence(run_folders.rename, folder, name)
    assert contents(folder) == before and (folder.parent / "a file").read_text() == "mine"
    assert "No such file" in sentence(run_folders.rename, folder.parent / "nothing", "x")


def test_a_note_is_changed_and_nothing_else(folder, spare):
    before = about_of(folder)
    run_folders.annotate(folder, "seen: ü\n🙂")
    assert about_of(folder) == before | {"note": "seen: ü\n🙂"}
    assert looked_through(folder, spare).note == "seen: ü\n🙂"
    run_folders.annotate(folder, "")
    assert run_reading.read(folder).note == ""
    sentence(run_folders.annotate, folder, "x" * 501)
    assert about_of(folder) == before | {"note": ""}
    sentence(run_folders.annotate, folder.parent, "x")


def test_delete(folder, template):
    shutil.copytree(folder, folder.parent / "other")
    run_folders.delete(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["other"]
    (folder.parent / "mine").mkdir()
    (folder.parent / "mine" / "thesis.txt").write_text("years")
    for path in (folder.parent, folder.parent / "mine", folder, folder.parent / "mine" / "thesis.txt"):
        assert "is not a readable run, so it is not deleted" in sentence(run_folders.delete, path)
    assert (folder.parent / "mine" / "thesis.txt").read_text() == "years"


def test_a_deleted_run_is_gone_at_once(folder, monkeypatch):
    """Also where its files take their time, or never go."""
    monkeypatch.setattr(run_folders.shutil, "rmtree", lambda *_, **__: None)
    run_folders.delete(folder)
    assert not folder.exists() and run_folders.listed(folder.parent) == []


# -- the small picture --------------------------------------------------------------------------------------


def picture(frame, data):
    return np.asarray(Image.open(io.BytesIO(thumbnail.thumbnail(frame, data))))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [0.0, 1e3, -1e30, 3.4e38, np.inf, -np.inf, np.nan], ids=str)
def test_a_picture_of_points_wherever_they_are(far):
    data = loading.draw("ring", 500, 0, {})
    made = np.zeros((100, 2), np.float32)
    made[:50, 0] = made[50:, 1] = far
    seen = picture({"samples": made}, data)
    assert seen.shape == (thumbnail.SIDE, thumbnail.SIDE, 3) and seen.dtype == np.uint8
    colors = {tuple(color) for color in seen.reshape(-1, 3)}
    assert thumbnail.REAL in colors and thumbnail.PAPER in colors
    assert (thumbnail.FAKE in colors) == (far == 0.0)


def test_points_lie_where_they_are():
    data = loading.draw("ring", 500, 0, {})
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
