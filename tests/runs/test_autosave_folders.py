"""Which autosaves are a browser's, what of them goes, and what is offered again."""

import os
import time
from itertools import chain

import pytest

from gan_core.recording.training_run import TrainingRun
from gan_core.runs import autosave_folders, run_writing
from gan_core.runs.run_reading import AUTOSAVE, Race
from gan_core.runs.run_writing import Content
from tests.support.trainers import settings, trainer_of, uncompiled

OWNER, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(scope="module")
def training():
    training = TrainingRun(trainer_of(settings(), uncompiled(settings())), scored=False)
    training.train(training.until_due(1))
    return training


def kept(root, training, owner=OWNER, runs=1, errors=("", "", ""), age=0.0):
    """An autosave, that was written some seconds ago: its folders."""
    folders = autosave_folders.new_folders(root, "ring", owner, runs)
    for i, folder in enumerate(folders):
        race = Race(folders[0].name, i, runs, errors[i]) if runs > 1 else None
        run_writing.save(folder, Content.of(training, owner=owner, race=race))
        os.utime(folder, (time.time() - age,) * 2)
    return folders


def offered(root, kind="points", owner=OWNER, in_use=()):
    return [saved.folder for saved in autosave_folders.left_behind(root, owner, kind, {str(path) for path in in_use})]


def test_what_begins_in_one_second_has_names_of_its_own(tmp_path, training):
    names = [autosave_folders.new_folders(tmp_path, "ring", OWNER, 1)[0].name for _ in range(1_000)]
    assert len(set(names)) == len(names)


def test_the_shorter_names_of_earlier_versions_are_offered_and_pruned(tmp_path, training):
    (new,) = kept(tmp_path, training)
    old = new.rename(new.with_name(f"{AUTOSAVE}ring 2026-11-27 21.12.17 {OWNER[:6]}dc"))
    assert offered(tmp_path) == [old] and offered(tmp_path, in_use=[old]) == []
    newer = [kept(tmp_path, training)[0] for _ in range(autosave_folders.KEPT)]
    os.utime(old, (0, 0))
    autosave_folders.prune(tmp_path, OWNER, set())
    assert not old.exists() and newer[-1].exists()


def test_the_autosaves_of_five_tabs_that_play_stay(tmp_path, training):
    """The sixth makes room among those that nobody trains; the oldest of all, which is in use, stays."""
    playing = [kept(tmp_path, training, age=10_000 - i) for i in range(5)]
    resting = [kept(tmp_path, training, age=100 - i) for i in range(5)]
    theirs = kept(tmp_path, training, owner=OTHER, age=20_000)
    in_use = {str(folder) for folders in playing for folder in folders}
    autosave_folders.prune(tmp_path, OWNER, in_use)
    left = set(tmp_path.iterdir())
    assert left == {*chain(*playing, *resting[-(autosave_folders.KEPT - 1) :]), *theirs}


def test_a_race_is_one_autosave_and_goes_or_stays_whole(tmp_path, training):
    races = [kept(tmp_path, training, runs=3, age=1_000 - i) for i in range(4)]
    autosave_folders.prune(tmp_path, OWNER, {str(races[0][1])})
    assert set(tmp_path.iterdir()) == {*chain(*races)}
    autosave_folders.prune(tmp_path, OWNER, set())
    assert set(tmp_path.iterdir()) == {*chain(*races[-3:])}


def test_the_newest_of_the_wanted_kind_is_offered_to_its_owner(tmp_path, training):
    single, race = kept(tmp_path, training), kept(tmp_path, training, runs=3, errors=("", "diverged", ""))
    kept(tmp_path, training, owner=OTHER)
    assert offered(tmp_path) == single and offered(tmp_path, autosave_folders.RACE) == race
    assert offered(tmp_path, "images") == [] == offered(tmp_path, owner="")
    assert offered(tmp_path, in_use=single) == [] == offered(tmp_path, autosave_folders.RACE, in_use=race[2:])
    assert offered(tmp_path / "nothing") == []


def test_a_race_that_is_not_whole_or_cannot_be_read_is_not_offered(tmp_path, training):
    race = kept(tmp_path, training, runs=2)
    (race[1] / "config.json").rename(race[1] / "gone")
    assert offered(tmp_path, autosave_folders.RACE) == []
    (race[1] / "gone").rename(race[1] / "config.json")
    assert offered(tmp_path, autosave_folders.RACE) == race
    race[1].rename(tmp_path / "kept under another name")
    assert offered(tmp_path, autosave_folders.RACE) == [] == offered(tmp_path)


def test_what_nobody_has_trained_or_is_old_is_not_offered(tmp_path, training, monkeypatch):
    run_writing.save(
        autosave_folders.new_folders(tmp_path, "ring", OWNER, 1)[0],
        Content(settings(), 0, training.recording.until(0), training.trainer.data, owner=OWNER),
    )
    assert offered(tmp_path) == []
    folders = kept(tmp_path, training)
    assert offered(tmp_path) == folders
    monkeypatch.setattr(autosave_folders, "OFFERED_DAYS", 0)
    assert offered(tmp_path) == []
    assert autosave_folders.age_seconds("yesterday") == float("inf")
