"""Breakpoints: each is hit when it becomes true, once, and the training stands where it says."""

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.scores.registry import SCORES
from gan_core.serving.breakpoints import KINDS, Breakpoints, made
from gan_core.serving.client import Run
from gan_core.serving.mailbox import Mailbox
from gan_core.serving.stepping import Stepping
from gan_core.training.train_step import COLUMNS
from gan_core.training.trainer import Diverged, Trainer
from tests.support.tiny import point_trainer
from tests.support.trainers import same, settings, trainer_of, uncompiled

DIVERGES = settings(d_optimizer="sgd", d_lr=1.0, penalty="r1_r2", gp_weight=100.0)
TRIES = 60  # steps within which it has diverged


class Training:
    """As much of a training run as breakpoints look at."""

    def __init__(self, trainer):
        self.trainer, self.error, self.breaks, self.careful, self.names = trainer, "", None, False, frozenset()
        self.recording = TrainingRun(trainer, scored=False).recording
        self.coaching, self.step, self.seen = self, 0, frozenset()

    def look(self, config, error, at_once):
        """As a coach that has been given the recording of a run that goes on."""
        self.names |= self.seen if at_once else frozenset()

    def score(self, step, **values):
        self.recording.history.append(np.full((step - self.step, len(COLUMNS)), 0.5, np.float32))
        self.recording.scores.add(step, {**values, "step": step})
        self.step = step


@pytest.fixture(scope="module")
def trainer():
    return point_trainer()


@pytest.fixture
def training(trainer):
    return Training(trainer)


def watched(training, *wanted):
    breakpoints = Breakpoints()
    breakpoints.set(wanted, [training])
    return lambda: breakpoints.hit([training])


def test_a_score_must_come_from_the_other_side(training):
    said = watched(training, {"kind": "score", "score": "w1", "above": False, "value": 0.5})
    training.score(10, w1=0.4)  # below from the start: it has not passed the value
    assert said() == ""
    training.score(20, w1=0.6)
    assert said() == ""
    training.score(30, w1=0.45)
    assert said() == "Wasserstein-1 below 0.500 (0.450)"
    training.score(40, w1=0.3)
    assert said() == ""  # still so
    training.score(50, w1=0.7)
    training.score(60, note="failed")
    assert said() == ""
    training.score(70, w1=0.2)
    assert said() == ""  # nobody has seen it above
    training.score(80, w1=0.7)
    assert said() == ""
    training.score(90, w1=0.2)
    assert said()
    training.score(100, w1=0.7)
    assert said() == ""
    training.score(110, note="failed")
    assert said() == ""
    training.score(120, w1=0.2)
    assert said()  # above when it was last seen, though a scoring without a value came between


def test_what_the_coach_finds_of_a_run_that_goes_on_is_no_hit(training):
    training.seen = frozenset({"mode_collapse"})
    training.score(10, w1=0.4)
    said = watched(training, {"kind": "finding"}, {"kind": "condition", "text": "mode_collapse"})
    assert said() == "" and training.names == training.seen
    training.names |= {"oscillation"}
    assert said() == "Oscillation"


def test_a_mode_is_lost_between_two_scorings_each_time_anew(training):
    said = watched(training, {"kind": "modes"})
    training.score(10, modes=8)
    assert said() == ""
    training.score(20, modes=7)
    assert said() == "modes lost (8 to 7)" and said() == ""
    training.score(30, modes=5)
    assert said() == "modes lost (7 to 5)"
    training.score(40, modes=8)
    assert said() == ""


def test_a_condition_must_become_true_and_false_and_true_again(training):
    training.score(10, modes=8)
    said = watched(training, {"kind": "condition", "text": "modes == 8  and step > 5"})
    assert said() == ""  # it held before anybody asked
    training.score(20, modes=7)
    assert said() == ""
    training.score(30, modes=8)
    assert said() == "modes == 8 and step > 5" and said() == ""


def test_a_condition_may_ask_for_the_coach_s_findings_settings_losses_and_those_of_the_data(training):
    text = "mode_collapse and batch_size == 8 and g_loss < 1 and data.std > 0"
    said = watched(training, {"kind": "condition", "text": text})
    training.score(10, modes=1)
    assert said() == ""
    training.names = frozenset({"mode_collapse"})
    assert said() == text


def test_a_condition_may_ask_for_what_a_plugin_has_added_after_this_was_imported(training, monkeypatch):
    monkeypatch.setitem(SCORES, "spread", SCORES["w1"])
    training.score(10, spread=2.0)
    said = watched(training, {"kind": "condition", "text": "spread < 1"})
    training.score(20, spread=0.5)
    assert "spread < 1" in said()


def test_each_new_finding_is_one(training):
    training.names = frozenset({"memorizing"})
    said = watched(training, {"kind": "finding"})
    assert said() == ""
    training.names = frozenset({"memorizing", "mode_collapse"})
    assert said() == "Mode collapse" and said() == ""
    training.names = frozenset()
    assert said() == ""
    training.names = frozenset({"mode_collapse"})
    assert said() == "Mode collapse"


def test_a_step_is_reached_exactly_and_once(training):
    breakpoints = Breakpoints()
    breakpoints.set([{"kind": "step", "step": 30}, {"kind": "step", "step": 50}], [training])
    assert breakpoints.room(0, 100) == 30 and breakpoints.room(0, 7) == 7
    training.step = 30
    assert breakpoints.hit([training]) == "step 30" and breakpoints.hit([training]) == ""
    assert breakpoints.room(30, 100) == 20 and breakpoints.room(50, 100) == 100
    breakpoints.set([{"kind": "step", "step": 30}], [training])
    assert breakpoints.room(30, 100) == 100 and breakpoints.hit([training]) == ""


def test_a_breakpoint_that_stays_goes_on_as_it_stood_and_a_new_run_begins_anew(training):
    breakpoints, modes = Breakpoints(), {"kind": "modes"}
    breakpoints.set([modes], [training])
    training.score(10, modes=8)
    assert breakpoints.hit([training]) == ""
    training.score(20, modes=7)
    breakpoints.set([{"kind": "finding"}, dict(modes)], [training])
    assert breakpoints.hit([training]) == "modes lost (8 to 7)"
    fresh = Training(training.trainer)
    breakpoints.begin([fresh])
    fresh.score(10, modes=3)
    assert breakpoints.hit([fresh]) == ""


def test_in_a_race_any_run_stops_all_and_is_named(trainer):
    trainings, breakpoints = [Training(trainer), Training(trainer)], Breakpoints()
    breakpoints.set([{"kind": "modes"}, {"kind": "step", "step": 20}, {"kind": "not_finite"}], trainings)
    assert not any(training.careful for training in trainings)
    for training, counts in zip(trainings, ((8, 8), (8, 6)), strict=True):
        training.score(10, modes=counts[0])
    assert breakpoints.hit(trainings) == ""
    for training, counts in zip(trainings, ((8, 8), (8, 6)), strict=True):
        training.score(20, modes=counts[1])
    assert breakpoints.hit(trainings) == "step 20; modes lost (8 to 6) in run B"


def test_one_that_diverged_stands_still_anyway_and_is_no_hit_afterwards(training):
    said = watched(training, {"kind": "finding"})
    training.names, training.error = frozenset({"diverged"}), "Training diverged."
    assert said() == ""
    training.error = ""
    assert said() == ""


@pytest.mark.parametrize(
    "junk",
    [
        {"kind": "nothing"},
        {},
        {"kind": "step"},
        {"kind": "step", "step": "soon"},
        {"kind": "score", "score": "beauty", "above": True, "value": 1},
        {"kind": "condition", "text": "__import__('os')"},
    ],
)
def test_what_is_no_breakpoint_is_refused_in_a_sentence_and_the_others_stay(training, junk):
    with pytest.raises(ConfigError):
        made(junk)
    breakpoints = Breakpoints()
    breakpoints.set([{"kind": "step", "step": 5}], [training])
    with pytest.raises(ConfigError):
        breakpoints.set([junk], [training])
    assert breakpoints.room(0, 9) == 5


def test_every_kind_can_be_made():
    texts = {"step": 1, "score": "w1", "above": True, "value": 1, "text": "step > 1"}
    assert all(made({"kind": kind, **texts}) for kind in KINDS)


# -- of a real training -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program():
    return uncompiled(DIVERGES)


@pytest.fixture(scope="module")
def last(program):
    """The last good step of the run that diverges, taken step by step, and its state there."""
    trainer = trainer_of(DIVERGES, program)
    with pytest.raises(Diverged):
        for _ in range(TRIES):
            trainer.train(1)
    return trainer.step, trainer.state


class Nobody(Mailbox):
    """A mailbox to which nobody writes, of a run that somebody wants."""

    def __init__(self):
        pass

    def leased(self):
        return True


def stepping_of(training, *wanted):
    """What takes the steps of a training in a worker, with these breakpoints."""
    stepping = Stepping(Nobody())
    stepping._trainings = [training]
    stepping._ready = stepping._compiled = lambda: True
    stepping._breakpoints.begin([training])
    stepping._on_breakpoints(list(wanted))
    return stepping


def played(stepping, command=("play", None)):
    """Plays until it stands still."""
    getattr(stepping, f"_on_{command[0]}")(command[1])
    for _ in range(500):
        if not stepping._busy():
            return
        stepping._train()
    pytest.fail("it does not stand still")


def test_it_stands_at_the_last_finite_step_exactly_and_then_says_what_broke(program, last):
    step, state = last
    training = TrainingRun(trainer_of(DIVERGES, program), scored=False)
    stepping = stepping_of(training, {"kind": "not_finite"})
    stepping._pace.rate = 1_000.0  # chunks of many steps
    played(stepping)
    assert training.step == step and same(training.trainer.state, state) and training.error == ""
    assert stepping._error is None and stepping._hit["step"] == step
    assert f"in step {step + 1:,}, " in stepping._hit["said"] and "becomes NaN or infinite" in stepping._hit["said"]
    assert training.recording.history.steps == step and training.recording.checkpoints.steps[-1] == step
    played(stepping)  # now it takes the step that breaks
    assert training.step == step and "diverged" in training.error and stepping._error and stepping._hit is None


def test_without_the_breakpoint_it_diverges_as_before(program, last):
    training = TrainingRun(trainer_of(DIVERGES, program), scored=False)
    stepping = stepping_of(training)
    played(stepping)
    assert "diverged" in training.error and training.breaks is None and training.step <= last[0]


@pytest.mark.parametrize("command", [("play", None), ("step", {"n": 100, "alone": ""})])
def test_play_and_step_stop_exactly_at_the_step_and_play_goes_on(command):
    training = TrainingRun(point_trainer(), scored=False)
    stepping = stepping_of(training, {"kind": "step", "step": 9}, {"kind": "step", "step": 12})
    stepping._pace.rate = 1_000.0
    played(stepping, command)
    assert training.step == 9 and stepping._hit == {"step": 9, "said": "step 9"} and not stepping._wanted
    assert training.recording.checkpoints.steps[-1] == 9  # a branch may start here
    played(stepping)
    assert training.step == 12


def test_the_server_s_side_hears_that_training_stopped_by_itself():
    run = Run(point_trainer().config)
    run.wants_play, run._asked = True, 1
    about = {"generation": run.generation, "error": None, "pending": 0, "trainings": [{"step": 9}], "ready": True}
    run._said = 1
    hit = {"step": 9, "said": "step 9"}
    run._take({"id": 1, **about, "breakpoint": hit})  # it was asked for before Play
    assert run.wants_play
    run._take({"id": 2, **about, "breakpoint": hit})
    assert not run.wants_play and run.snapshot().frame["breakpoint"] == hit
    run.play()
    assert run.wants_play and run.snapshot().frame["breakpoint"] is None


def test_a_trainer_s_chunks_may_be_cut_anywhere(program, last):
    """What standing at the last finite step exactly rests on."""
    step, state = last
    trainer = Trainer(DIVERGES, trainer_of(DIVERGES, program).data, program)
    if step > 1:
        trainer.train(1)
    trainer.train(step - trainer.step)
    assert same(trainer.state, state)
