"""The quota of the runs folder: said before it is full, and what does not fit leaves everything as it was."""

import shutil
from collections import namedtuple

import pytest

from gan_core.recording.training_run import TrainingRun
from gan_core.runs import disk_quota as module
from gan_core.runs import run_folders, run_reading, run_writing
from gan_core.runs.autosave import Autosave
from gan_core.runs.disk_quota import Room, room
from gan_core.runs.run_writing import Content
from tests.conftest import wait_until
from tests.runs.conftest import CONFIG, END, contents, sentence, trained
from tests.support.trainers import trainer_of

MB = 1_000_000


@pytest.fixture
def full(folder, monkeypatch):
    """A runs folder in which the quota is used up by one run."""
    monkeypatch.setenv("GANSCOPE_RUNS_MB", "1")
    (folder.parent / "large").mkdir()
    (folder.parent / "large" / "file").write_bytes(bytes(2 * MB))
    return folder.parent


def test_what_all_runs_take_is_counted(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_RUNS_MB", "7")
    before = room(folder.parent)
    assert before.used == sum(path.stat().st_size for path in folder.iterdir()) > 10_000
    assert before.quota == 7 * MB and before.warning() == ""
    (folder / "link").symlink_to(tmp_path)  # is not followed, round and round
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "file").write_bytes(bytes(1_000))
    assert 1_000 <= room(folder.parent).used - before.used < 2_000
    assert room(tmp_path / "nowhere" / "yet").used == 0


def test_a_copy_shares_files_and_counts_for_what_it_adds(folder):
    before = room(folder.parent).used
    run_folders.copy(folder, folder.parent / "copy")
    assert before < room(folder.parent).used < before + 20_000


def test_it_is_said_before_it_is_full():
    assert Room(79, 100, 1_000).warning() == ""
    nearly = Room(81 * MB, 100 * MB, 1_000 * MB).warning()
    assert "nearly used up: 19 MB are left" in nearly
    assert "nearly used up: 10 MB are left" in Room(0, 100 * MB, 10 * MB).warning()  # of the disk
    assert "No room is left" in Room(100, 100, 1_000).warning()
    assert "saved runs already take 100 of 100 MB" in str(Room(100 * MB, 100 * MB, 1_000 * MB).refused())
    assert "the disk is almost full (3 MB are left" in str(Room(0, 100 * MB, 3 * MB).refused())


def test_a_run_that_does_not_fit_is_not_saved(full, training):
    before = contents(full / "run")
    for said in (
        sentence(run_writing.check_folder, full),  # before hours of training
        sentence(run_writing.save, full / "new", Content.of(training)),
        sentence(run_writing.Writer(full / "autosave").write, Content.of(training)),
        sentence(run_folders.copy, full / "run", full / "copy"),
    ):
        assert "saved runs already take 2 of 1 MB" in said and "GANSCOPE_RUNS_MB" in said
    assert sorted(path.name for path in full.iterdir()) == ["large", "run"]
    assert contents(full / "run") == before


def test_a_copy_that_cannot_share_its_files_has_to_fit(folder, monkeypatch):
    def refuse(*arguments):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(run_folders.os, "link", refuse)
    monkeypatch.setattr(run_folders, "room", lambda root: Room(0, 1_000, 1 << 40))
    assert "is not saved" in sentence(run_folders.copy, folder, folder.parent / "copy")
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("left", [1, 20_000])
def test_an_autosave_that_no_longer_fits_keeps_its_last_state(tmp_path, program, training, monkeypatch, left):
    """Nothing at all fits, or some of its files."""
    folder = tmp_path / "autosave"
    writer = run_writing.Writer(folder)
    writer.write(Content.of(trained(TrainingRun(trainer_of(CONFIG, program), scored=False), 3)))
    before = contents(folder)
    monkeypatch.setattr(run_writing, "room", lambda root: Room(0, left, 1 << 40))
    assert "is not saved" in sentence(writer.write, Content.of(training))
    assert contents(folder) == before and run_reading.read(folder).step == 3
    monkeypatch.undo()
    writer.write(Content.of(training))
    assert run_reading.read(folder).step == END


def test_the_page_is_told_and_the_training_goes_on(full, training):
    saver = Autosave([str(full / "autosave")], "somebody", None)
    saver.last([training])
    wait_until(lambda: saver.state["error"], 20, "the sentence")
    saver.finish()
    assert "saved runs already take 2 of 1 MB" in saver.state["error"]
    run_folders.delete(full / "run")
    shutil.rmtree(full / "large")
    saver.last([training])
    saver.finish()
    assert saver.state == {"step": END, "error": ""}


def test_a_part_of_the_disk_stays_free(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    for total, free, left in ((500_000 * MB, 3_000 * MB, 2_000 * MB), (1_000 * MB, 80 * MB, 30 * MB), (500 * MB, 1, 0)):
        monkeypatch.setattr(module.shutil, "disk_usage", lambda path, t=total, f=free: usage(t, t - f, f))
        assert room(tmp_path).disk == left
    assert "the disk is almost full" in sentence(run_writing.check_folder, tmp_path)
