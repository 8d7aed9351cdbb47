"""What an opened run shows until its training process answers: its recorded past, from the files."""

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.recorder import Parent
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_writing
from gan_core.runs.run_reading import Race
from gan_core.serving.client import Run
from gan_core.serving.worker_process import NOT_SAVED
from tests.support.trainers import settings, trainer_of

STEPS = 6


class Silent:
    """A training process that says nothing yet."""

    state, answer = "starting", None

    def __init__(self):
        self.told = []

    def send(self, kind, body=None):
        self.told.append((kind, body))

    def wait_answer(self, after, seconds):
        return self.answer

    def end(self):
        pass


@pytest.fixture(scope="module")
def training():
    """A training with a frame and a checkpoint at every step."""
    training = TrainingRun(trainer_of(settings()), scored=False)
    training.record()
    for _ in range(STEPS):
        training.train(1)
        training.record()
        training.recording.scores.add(training.step, {"samples": 10, "step": training.step})
    return training


@pytest.fixture
def saved(training, tmp_path):
    return run_reading.read(run_writing.save(tmp_path / "kept", run_writing.Content.of(training)))


def opened(saved, step=None) -> Run:
    run = Run(saved.config)
    run.open(saved, None, step)
    return run


@pytest.mark.parametrize("at", [None, 0, 3, STEPS, STEPS + 5])
def test_it_is_what_the_training_process_would_answer(training, saved, at):
    run = opened(saved)
    view = View(at=at, trails=True)
    snapshot, wanted = run.poll(view), training.look(view, idle=True, scored=False)
    shown = STEPS if at is None else min(at, STEPS)
    assert (run.step, snapshot.step, snapshot.shown, snapshot.status) == (STEPS, STEPS, shown, "paused")
    frame = snapshot.frame
    for name in ("samples", "trails", "recorded", "checkpoints"):
        np.testing.assert_array_equal(frame[name], wanted[name])
    np.testing.assert_allclose(frame["heat"], wanted["heat"], atol=2e-3)
    assert (frame["at"], frame["step"], frame["parent"]) == (wanted["at"], wanted["step"], None)
    np.testing.assert_array_equal(frame["history"]["mean"], wanted["history"]["mean"])
    assert frame["metrics"].get("step") == (shown or None)
    assert not snapshot.moving and snapshot.trainings[0]["step"] == STEPS


def test_a_frame_is_the_same_object_until_another_is_wanted(saved):
    """By that the feed knows that there is nothing new."""
    run = opened(saved)
    first = run.poll(View(at=2)).frame
    assert run.poll(View(at=2)).frame is first and run.poll(View(at=3)).frame is not first


def test_a_branch_ends_where_it_leaves(saved):
    run = opened(saved, 2)
    frame = run.poll(View()).frame
    assert run.step == 2 and frame["recorded"].tolist() == frame["checkpoints"].tolist() == [0, 1, 2]
    assert frame["parent"] == Parent("kept", 2) and len(frame["history"]["mean"]) == 2
    assert run.folder is None


def test_the_process_takes_over_with_its_first_answer(saved):
    run, process = opened(saved), Silent()
    run.poll(View())
    run.attach(process)
    assert run.poll(View()).status == "warming" and run.recorded and run.step == STEPS
    assert len(run.poll(View(at=1)).frame["samples"])
    (source,) = process.told[0][1]["sources"]
    assert source["folder"] == saved.folder
    process.state = "warm"
    process.answer = {"id": 10**6, "generation": run.generation, "trainings": [], "error": "It failed.", "pending": 0}
    failed = run.poll(View())
    assert failed.error == "It failed." and len(failed.frame["samples"]) and run.recorded
    training = {"step": STEPS + 1, "samples": np.zeros((1, 2))}
    process.answer = {**process.answer, "id": 10**6 + 1, "error": None, "trainings": [training]}
    run._asked = 10**6 + 1
    snapshot = run.poll(View())
    assert snapshot.step == STEPS + 1 and not run.recorded and run.folder is None


def test_live_settings_leave_the_past_and_others_drop_it(saved):
    run = opened(saved)
    run.configure(saved.config.updated({"g_lr": 0.5}))
    assert run.recorded and run.poll(View()).step == STEPS
    run.configure(saved.config.updated({"g_units": 7}))
    snapshot = run.poll(View())
    assert not run.recorded and snapshot.status == "idle" and snapshot.step == run.step == 0 and not snapshot.frame


def test_nothing_is_offered_to_be_undone_that_no_process_has(saved):
    run = opened(saved)
    run.attach(Silent())
    run.reset(saved.config, None)
    assert run.dropped is None and run.step == 0


def test_what_cannot_be_read_has_no_past(saved):
    run = opened(saved)
    next(saved.folder.glob("frames-*")).write_bytes(b"cut")
    snapshot = run.poll(View())
    assert snapshot.step == 0 and not snapshot.frame and snapshot.error is None  # its process says what is wrong


def test_saving_what_is_only_looked_at_copies_it(saved, tmp_path):
    (copy,) = opened(saved).save([tmp_path / "copy"], owner="me").result(5)
    again = run_reading.read(copy)
    assert (again.step, again.owner, again.config) == (STEPS, "me", saved.config) and saved.folder.exists()
    with pytest.raises(ConfigError, match=NOT_SAVED):
        opened(saved, 2).save([tmp_path / "branch"]).result(5)


def test_a_race_shows_all_its_runs(training, tmp_path):
    racers = []
    for i in range(2):
        content = run_writing.Content.of(training, race=Race("race", i, 2, "It diverged." if i else ""))
        racers.append(run_reading.read(run_writing.save(tmp_path / f"run {i}", content)))
    run = Run(racers[0].config)
    run.open_race(racers, None)
    snapshot = run.poll(View(at=2))
    assert [t["at"] for t in snapshot.trainings] == [2, 2] and snapshot.step == STEPS and len(snapshot.configs) == 2
    assert [t["training_error"] for t in snapshot.trainings] == ["", "It diverged."]
