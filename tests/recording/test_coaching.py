"""The coach beside a run: it looks within its budget, its marks stay with the recording, and so does what it said."""

import numpy as np
import pytest
import tensorflow as tf

from gan_core.recording import coaching as module
from gan_core.recording.coaching import Coaching, marks_of
from gan_core.recording.recorder import Recording
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_restoring, run_writing
from gan_core.runs.run_writing import Content
from gan_core.training.train_step import COLUMNS
from tests.support.tiny import point_trainer

COLLAPSED = {"modes": 2, "modes_total": 8, "hq": 0.9, "mode_counts": [9, 9, 0, 0, 0, 0, 0, 0], "samples": 18}
FOUND = {**COLLAPSED, "modes": 8, "mode_counts": [2] * 8}


def scored(training, values, *steps):
    """Goes to each of these steps as if it had trained, which would take long, and scores it as `values`."""
    trainer = training.trainer
    training.scores._make = lambda: dict(values)
    for step in steps:
        training.recording.history.append(np.full((step - trainer.step, len(COLUMNS)), 0.5, np.float32))
        trainer.state = {**trainer.state, "step": tf.constant(step, trainer.state["step"].dtype)}
        training.record()
        training.refresh_scores(idle=True)


@pytest.fixture
def collapsed():
    """A run that has stood at two of eight modes since step 100, of 400."""
    training = TrainingRun(point_trainer(data="ring"))
    scored(training, COLLAPSED, 100, 200, 250, 300, 350, 400)
    return training


def names(frame):
    return [finding["name"] for finding in frame["findings"]]


def looked(training, **view):
    return training.look(View(heat=False, **view), idle=True, scored=True)


def test_a_run_that_collapses_says_so_in_its_frames_and_marks_where_it_began(collapsed):
    frame = looked(collapsed)
    assert names(frame) == ["mode_collapse"] and frame["findings"][0]["curve"] == "modes"
    (mark,) = frame["marks"]
    assert mark["name"] == "mode_collapse" and 200 <= mark["first"] <= 400 and mark["last"] is None
    scored(collapsed, FOUND, 420)
    frame = looked(collapsed)
    assert names(frame) == [] and frame["marks"] == [{**mark, "last": 420}]


def test_looking_back_says_what_was_found_then(collapsed):
    (mark,) = looked(collapsed)["marks"]
    scored(collapsed, FOUND, 420)
    assert names(looked(collapsed, at=150)) == []
    assert names(looked(collapsed, at=410)) == ["mode_collapse"]
    assert looked(collapsed, at=410)["marks"] == [{**mark, "last": 420}]


def test_marks_are_saved_with_the_run_and_a_branch_takes_those_up_to_its_step(collapsed, tmp_path):
    scored(collapsed, FOUND, 420)
    marks = looked(collapsed)["marks"]
    folder = run_writing.save(tmp_path / "a run", Content.of(collapsed))
    assert run_reading.opened(folder)[1].marks == marks
    trainer = point_trainer(data="ring")
    steps = [step for step in collapsed.recording.checkpoints.steps if marks[0]["first"] < step < 420]
    branch = TrainingRun(trainer, run_restoring.restore(trainer, folder, steps[-1]))
    assert branch.recording.marks == [{**marks[0], "last": None}]
    scored(branch, FOUND, steps[-1] + 5)
    assert looked(branch)["marks"] == [{**marks[0], "last": steps[-1] + 5}]
    before = run_restoring.restore(point_trainer(data="ring"), folder, collapsed.recording.checkpoints.steps[0])
    assert before.marks == []


def test_a_recording_that_was_made_without_a_coach_gets_its_marks_when_it_is_opened(collapsed, tmp_path):
    scored(collapsed, FOUND, 420)
    content = Content.of(collapsed)
    content.recording.marks = []
    folder = run_writing.save(tmp_path / "old", content)
    config = folder / run_reading.CONFIG
    config.write_text(config.read_text().replace('"findings"', '"of another version"'))
    (mark,) = run_reading.opened(folder)[1].marks
    assert mark["name"] == "mode_collapse" and 200 <= mark["first"] < 420 and mark["last"] == 420


def test_scores_of_a_file_that_are_no_scores_are_no_findings():
    recording = Recording()
    for step in range(100, 1_000, 100):
        recording.scores.add(step, {"modes": "many", "modes_total": "all", "mode_counts": 5})
    config = point_trainer().config
    assert module.states(config, recording) == [] and marks_of(config, recording) == []


def test_a_divergence_is_found_at_once_and_gone_with_the_next_steps():
    training = TrainingRun(point_trainer())
    training.record()
    training.train(3)
    good = training.trainer.state
    training.trainer.state = {**good, "g": [w * np.float32("nan") for w in good["g"]]}
    assert training.train(3) is None
    training.trainer.state = good
    assert names(training.look(View(heat=False), idle=False, scored=False)) == ["diverged"]
    assert names(looked(training, at=1)) == []
    training.error = ""
    training.train(1)
    assert names(looked(training)) == []


def test_nobody_coaches_a_run_that_nobody_scores(collapsed):
    training = TrainingRun(collapsed.trainer, collapsed.recording.copy(), scored=False)
    assert training.coaching is None and looked(training)["findings"] == []


def test_the_coach_looks_at_new_scores_at_once_and_else_twice_a_second_within_its_budget(monkeypatch):
    clock, recording, looks = [0.0], Recording(), []
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    coaching, config = Coaching(recording), point_trainer().config

    def look(run):
        looks.append(run.step)
        clock[0] += 0.004  # so that 0.4 s may pass until the next
        return []

    monkeypatch.setattr(coaching._coach, "look", look)

    def at(seconds, score=False, at_once=False):
        """Whether it looks at this moment, with one more step taken."""
        clock[0], before = max(clock[0], seconds), len(looks)
        recording.history.append(np.zeros((1, len(COLUMNS)), np.float32))
        if score:
            recording.scores.add(recording.history.steps, {"w1": 1.0})
        coaching.look(config, "", at_once)
        return len(looks) > before

    assert at(1.0) and not at(1.2, score=True) and not at(1.3)
    assert at(1.42)  # the scores of 1.2 still wait, and the budget allows
    assert not at(1.85) and at(1.95)  # without news only every half second
    assert at(1.96, at_once=True)
    assert coaching.seconds == pytest.approx(0.016)
    before = len(looks)
    coaching.look(config, "", True)
    assert len(looks) == before  # nothing has changed
    coaching.look(config, "diverged", True)
    assert len(looks) == before + 1
