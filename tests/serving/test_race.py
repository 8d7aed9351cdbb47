"""A race in a real worker: every run trains as it would alone, whatever its networks and whatever becomes of others."""

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import autosave_folders, run_reading, run_restoring, run_writing
from gan_core.runs.run_reading import Race
from gan_core.runs.run_writing import Content
from gan_core.serving.client import Run
from gan_core.settings.config import GANConfig
from gan_core.training.trainer import Trainer
from tests.support.trainers import settings, trainer_of, uncompiled
from tests.support.workers import hurried, poll_until

# Real processes on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

SMALL = GANConfig.from_flat(
    {"data": "ring", "g_layers": 1, "d_layers": 1, "g_units": 8, "d_units": 8, "batch_size": 8, "data_size": 500}
)
DIVERGES = {"d_optimizer": "sgd", "d_lr": 1.0, "penalty": "r1_r2", "gp_weight": 100.0}
TRIES = 60  # steps within which it has diverged


@pytest.fixture(scope="module")
def run():
    """A run with a worker of its own, which every test makes a race of."""
    run, process = Run(SMALL), hurried()
    run.attach(process)
    yield run
    process.process.kill()
    process.process.wait(15)


def raced(run, *changes):
    """Makes it a race of such settings that stands at step 0."""
    run.race(tuple(SMALL.updated(change) for change in changes))
    there = lambda s: s.status == "paused" and len(s.trainings) == len(changes) and s.step == 0  # noqa: E731
    poll_until(run, there, "the start", errors=True)


def stepped(run, n, to):
    """The frame after so many steps, which lead to step `to`."""
    run.steps(n)
    done = lambda s: s.status == "paused" and max(training["step"] for training in s.trainings) == to  # noqa: E731
    return poll_until(run, done, f"step {to}")


def alone(config, steps):
    """The samples of a trainer of its own after so many steps."""
    trainer = Trainer(config, loading.load(config), uncompiled(config))
    trainer.train(steps)
    return trainer.samples(trainer.latent(1_000), ema=True)


def test_runs_of_other_networks_batches_and_rounds_train_as_alone(run):
    raced(run, {}, {"g_units": 12}, {"batch_size": 16}, {"d_steps": 3})
    stepped(run, 7, 7)
    shown = stepped(run, 5, 12)
    assert [training["step"] for training in shown.trainings] == [12] * 4
    for config, training in zip(run.configs, shown.trainings, strict=True):
        np.testing.assert_array_equal(training["samples"], alone(config, 12))


def test_one_that_diverges_stays_behind_and_the_others_go_on_in_step(run):
    raced(run, DIVERGES, {}, {"g_layers": 2})
    shown = stepped(run, TRIES, TRIES)
    stood = shown.trainings[0]["step"]
    assert "became NaN or infinite" in shown.trainings[0]["training_error"] and stood < TRIES
    assert (
        [training["step"] for training in shown.trainings[1:]] == [TRIES] * 2 and run.step == TRIES and not shown.error
    )
    run.play()
    shown = poll_until(run, lambda s: s.step > TRIES + 5, "the others to go on")
    run.pause()
    shown = poll_until(run, lambda s: s.status == "paused", "the pause")
    assert shown.trainings[0]["step"] == stood and shown.trainings[0]["training_error"] and not shown.error
    one, other = shown.trainings[1:]
    assert one["step"] == other["step"] == run.step > TRIES
    np.testing.assert_array_equal(one["samples"], alone(run.configs[1], one["step"]))


def test_a_race_of_which_all_have_diverged_says_so_whatever_is_pressed(run):
    raced(run, DIVERGES, {**DIVERGES, "g_units": 12})
    for press in (lambda: run.steps(TRIES), run.play, lambda: run.steps(1)):
        press()
        shown = poll_until(run, lambda s: s.error, "the sentence", errors=True)
        assert shown.error.startswith("All runs of this race diverged.") and not run.busy
    run.race((SMALL, SMALL.updated({"g_units": 12})))
    stepped(run, 1, 1)


def test_an_autosaved_race_goes_on_where_its_runs_last_stood_together(run, tmp_path):
    """In another process, after the first was killed; one that had diverged stays out."""
    owner = "0123456789abcdef"
    first, process = Run(SMALL), hurried()
    try:
        first.attach(process)
        raced(first, DIVERGES, {}, {"g_layers": 2})
        folders = autosave_folders.new_folders(tmp_path, "ring", owner, 3)
        first.keep(folders, owner)
        shown = stepped(first, TRIES, TRIES)
        stood = shown.trainings[0]["step"]
        written = lambda s: s.frame["autosave"] and s.frame["autosave"]["step"] >= TRIES  # noqa: E731
        poll_until(first, written, "the autosave")
        first.play()
        poll_until(first, lambda s: s.step > TRIES + 20, "more steps")
    finally:
        process.process.kill()
        process.process.wait(15)
    saved = autosave_folders.left_behind(tmp_path, owner, autosave_folders.RACE, set())
    assert [one.folder for one in saved] == folders and "NaN" in saved[0].race.error
    run.open_race(saved, None)
    shown = poll_until(run, lambda s: s.status == "paused" and len(s.trainings) == 3, "the race")
    at = run.step
    assert at >= TRIES and [training["step"] for training in shown.trainings] == [stood, at, at]
    assert (
        all(training["parent"] is None for training in shown.trainings)
        and "NaN" in shown.trainings[0]["training_error"]
    )
    run.keep(folders, owner)
    shown = stepped(run, 5, at + 5)
    assert [training["step"] for training in shown.trainings] == [stood, at + 5, at + 5]
    np.testing.assert_array_equal(shown.trainings[1]["samples"], alone(SMALL, at + 5))
    run.race(run.configs)  # a new start drops it, and Undo brings it back as it was
    poll_until(run, lambda s: s.status == "paused" and s.step == 0 and len(s.trainings) == 3, "the new start")
    run.undo()
    shown = poll_until(run, lambda s: s.status == "paused" and s.step == at + 5, "the race of before")
    assert [training["step"] for training in shown.trainings] == [stood, at + 5, at + 5] and shown.trainings[0][
        "training_error"
    ]


def test_a_race_whose_runs_were_saved_at_other_steps_goes_on_from_the_newest_that_they_share(tmp_path):
    """As a process leaves it that is killed between the folders of its runs."""
    config = settings()
    trainings = [TrainingRun(trainer_of(config, uncompiled(config)), scored=False) for _ in range(2)]
    folders = autosave_folders.new_folders(tmp_path, "ring", "0123456789abcdef", 2)
    for training, steps in zip(trainings, ((2, 5), (2,)), strict=True):
        for step in steps:
            while training.trainer.step < step:
                training.train(training.until_due(step - training.trainer.step))
            training.record()
    for i, (training, folder) in enumerate(zip(trainings, folders, strict=True)):
        run_writing.save(folder, Content.of(training, race=Race(folders[0].name, i, 2)))
    run = Run(config)
    run.open_race([run_reading.read(folder) for folder in folders], None)
    assert [(source.step, source.branch) for source in run.sources] == [(2, False)] * 2
    trainer = trainer_of(config, trainings[0].trainer.program)
    past = run_restoring.restore(trainer, folders[0], 2, branch=False)
    assert trainer.step == 2 and past.parent is None
