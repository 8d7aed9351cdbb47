"""Autosave: written when it is time and something is new, never in the way, and once more at the end."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import autosave, run_folders, run_reading, run_restoring, run_writing
from gan_core.runs.autosave import Autosave
from tests.runs.conftest import contents
from tests.support.tiny import point_trainer
from tests.support.trainers import same, settings, trainer_of, uncompiled

CONFIG = settings()


@pytest.fixture(scope="module")
def program():
    return uncompiled(CONFIG)


@pytest.fixture
def training(program):
    return TrainingRun(trainer_of(CONFIG, program), scored=False)


@pytest.fixture
def clock(monkeypatch):
    """The saver's time, which goes on when a test says so."""
    clock = SimpleNamespace(now=1_000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(autosave, "time", clock)
    return clock


@pytest.fixture
def written(monkeypatch):
    """The steps that were written, in order."""
    steps, write = [], run_writing.Writer.write

    def noted(self, content):
        write(self, content)
        steps.append(content.step)

    monkeypatch.setattr(run_writing.Writer, "write", noted)
    return steps


def keeper_of(folder, upload=None):
    return Autosave([str(folder / "auto")], "me", upload)


def ticked(keeping, *trainings):
    keeping.tick(list(trainings))
    keeping.finish()


def step_on(training, n=1):
    for _ in range(n):
        training.train(training.until_due(1))


def test_it_writes_when_it_is_time_and_something_is_new(tmp_path, training, clock, written):
    keeping = keeper_of(tmp_path)
    ticked(keeping, training)
    clock.now += autosave.FIRST_SECONDS
    ticked(keeping, training)
    assert written == [] and not (tmp_path / "auto").exists()  # nobody has trained
    step_on(training, 2)
    ticked(keeping, training)
    assert written == [2] and keeping.state == {"step": 2, "error": ""}
    step_on(training)
    clock.now += autosave.EVERY_SECONDS - 1
    ticked(keeping, training)
    assert written == [2]  # too early
    clock.now += 1
    ticked(keeping, training)
    assert written == [2, 3]
    run = run_reading.read(tmp_path / "auto")
    assert (run.step, run.owner, run.note) == (3, "me", "") and run.config == CONFIG


def test_the_first_seconds_are_waited_for(tmp_path, training, clock, written):
    keeping = keeper_of(tmp_path)
    step_on(training)
    clock.now += autosave.FIRST_SECONDS - 0.01
    ticked(keeping, training)
    assert written == []
    clock.now += 0.01
    ticked(keeping, training)
    assert written == [1]


def test_nothing_is_written_while_nothing_changes(tmp_path, training, clock, written):
    keeping = keeper_of(tmp_path)
    step_on(training)
    for _ in range(5):
        clock.now += 1_000
        ticked(keeping, training)
    keeping.last([training])
    keeping.finish()
    assert written == [1]


def test_several_trainings_are_never_written(tmp_path, training, program, clock, written):
    keeping, other = keeper_of(tmp_path), TrainingRun(trainer_of(CONFIG, program), scored=False)
    step_on(training)
    step_on(other)
    clock.now += 1_000
    for trainings in ([training, other], []):
        ticked(keeping, *trainings)
        keeping.last(trainings)
        keeping.finish()
    assert written == [] and not (tmp_path / "auto").exists()


def test_what_takes_long_is_done_seldom(tmp_path, training, clock, monkeypatch):
    """At most a twentieth of the time goes into it."""
    keeping, began, write = keeper_of(tmp_path), [], run_writing.Writer.write

    def slowly(self, content):
        began.append(clock.now)
        write(self, content)
        clock.now += 10

    monkeypatch.setattr(run_writing.Writer, "write", slowly)
    clock.now += 10
    for _ in range(120):
        if training.trainer.step == len(began):
            step_on(training)
        ticked(keeping, training)
        clock.now += 5
    assert np.diff(began).tolist() == [210.0, 210.0]


def test_an_error_is_told_and_the_next_attempt_is_made(tmp_path, training, clock):
    keeping = keeper_of(tmp_path)
    (tmp_path / "auto").write_text("in the way")
    step_on(training)
    clock.now += 1_000
    ticked(keeping, training)
    assert keeping.state["step"] == 0 and keeping.state["error"].startswith("The run cannot be saved in ")
    (tmp_path / "auto").unlink()
    ticked(keeping, training)
    assert keeping.state["error"]  # not at once
    clock.now += autosave.EVERY_SECONDS
    ticked(keeping, training)
    assert keeping.state == {"step": 1, "error": ""} and run_reading.read(tmp_path / "auto").step == 1


@pytest.mark.parametrize("where", ["write", "of"])
def test_an_error_of_any_kind_stops_nothing(tmp_path, training, clock, monkeypatch, where):
    """While writing, and while taking what is to be written."""
    keeping = keeper_of(tmp_path)

    def broken(*arguments, **options):
        raise MemoryError

    step_on(training)
    clock.now += 1_000
    with monkeypatch.context() as patched:
        patched.setattr(run_writing.Writer if where == "write" else run_writing.Content, where, broken)
        ticked(keeping, training)
        assert keeping.state == {"step": 0, "error": "Autosave failed (MemoryError)."}
        keeping.last([training])
        keeping.finish()
    clock.now += 1_000
    ticked(keeping, training)
    assert keeping.state == {"step": 1, "error": ""}


def test_an_error_leaves_the_step_that_is_on_disk(tmp_path, training, clock, monkeypatch):
    keeping = keeper_of(tmp_path)
    step_on(training)
    clock.now += 1_000
    ticked(keeping, training)
    before = contents(tmp_path / "auto")
    step_on(training)
    clock.now += 1_000

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_writing.os, "replace", full)
    ticked(keeping, training)
    assert keeping.state["step"] == 1 and "No space left on device" in keeping.state["error"]
    assert contents(tmp_path / "auto") == before


@pytest.fixture
def held(monkeypatch):
    """Writes wait for `go`; `began` tells that one does."""
    held = SimpleNamespace(began=threading.Event(), go=threading.Event(), steps=[])
    write = run_writing.Writer.write

    def waits(self, content):
        held.began.set()
        assert held.go.wait(20)
        write(self, content)
        held.steps.append(content.step)

    monkeypatch.setattr(run_writing.Writer, "write", waits)
    yield held
    held.go.set()


def test_training_goes_on_while_it_writes(tmp_path, training, clock, held):
    """And what is written is the moment at which it began."""
    keeping = keeper_of(tmp_path)
    step_on(training, 2)
    state = training.trainer.state
    clock.now += 1_000
    keeping.tick([training])
    assert held.began.wait(20)
    step_on(training, 2)
    clock.now += 1_000
    keeping.tick([training])  # still writing: no second one beside it
    held.go.set()
    keeping.finish()
    assert held.steps == [2] == [run_reading.read(tmp_path / "auto").step]
    restored = trainer_of(CONFIG, training.trainer.program)
    run_restoring.restore(restored, tmp_path / "auto")
    assert same(restored.state, state)


def test_the_end_waits_for_the_newest_step(tmp_path, training, clock, held):
    """Also while an older one is being written, which must not come after it."""
    keeping = keeper_of(tmp_path)
    step_on(training)
    clock.now += 1_000
    keeping.tick([training])
    assert held.began.wait(20)
    step_on(training, 2)
    keeping.last([training])
    held.go.set()
    keeping.finish()
    assert held.steps == [1, 3] and keeping.state == {"step": 3, "error": ""}
    assert run_reading.read(tmp_path / "auto").step == 3
    assert len(list((tmp_path / "auto").glob("checkpoint-*"))) == 4


def test_the_end_does_not_wait_for_the_time(tmp_path, training, written):
    keeping = keeper_of(tmp_path)
    step_on(training)
    keeping.last([training])
    keeping.finish()
    assert written == [1]
    keeping.finish()


def test_an_end_without_a_step_writes_nothing(tmp_path, training):
    keeping = keeper_of(tmp_path)
    keeping.finish()
    keeping.last([training])
    keeping.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_taken_up_goes_on_in_its_folder(tmp_path, training, program, clock):
    """Its note stays, its old checkpoints are not written again."""
    first = keeper_of(tmp_path)
    step_on(training, 2)
    first.last([training])
    first.finish()
    run_folders.annotate(tmp_path / "auto", "good so far")
    before = {path.name: path.stat().st_ino for path in (tmp_path / "auto").glob("checkpoint-*")}
    trainer = trainer_of(CONFIG, program)
    again = TrainingRun(trainer, run_restoring.restore(trainer, tmp_path / "auto"), scored=False)
    step_on(again, 2)
    second = keeper_of(tmp_path)
    second.last([again])
    second.finish()
    run = run_reading.read(tmp_path / "auto")
    assert (run.step, run.note, run.parent) == (4, "good so far", None) and list(run.checkpoints) == [0, 1, 2, 3, 4]
    after = {path.name: path.stat().st_ino for path in (tmp_path / "auto").glob("checkpoint-*")}
    assert before.items() <= after.items()


def test_the_users_own_data_are_kept_once(tmp_path, clock):
    points = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    training = TrainingRun(point_trainer(points, data="file"), scored=False)
    keeping, seen = keeper_of(tmp_path, points), set()
    for _ in range(2):
        step_on(training)
        clock.now += 1_000
        ticked(keeping, training)
        (path,) = (tmp_path / "auto").glob("data-*")
        seen.add((path.name, path.stat().st_ino))
    assert len(seen) == 1 and np.array_equal(run_reading.upload_of(run_reading.read(tmp_path / "auto")), points)


def test_a_folder_that_was_deleted_is_made_anew(tmp_path, training, clock):
    keeping = keeper_of(tmp_path)
    for step in (1, 2):
        step_on(training)
        clock.now += 1_000
        ticked(keeping, training)
        assert run_restoring.restore(training.trainer, tmp_path / "auto").checkpoints.steps == list(range(step + 1))
        run_folders.delete(tmp_path / "auto")
    with pytest.raises(ConfigError):
        run_reading.read(tmp_path / "auto")
