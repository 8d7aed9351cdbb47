"""Trials that look hopeless end early; those that go on are what they would have been, wherever each part is done."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import unattended
from gan_core.settings.config import GANConfig
from gan_core.sweeps import early_stopping, running
from gan_core.sweeps.early_stopping import PARTS, EarlyStopping
from gan_core.sweeps.space import Begun, Space, parse_space
from gan_core.sweeps.store import Store
from gan_core.sweeps.training import DONE, STOPPED, Trainings, outcome_without_training
from tests.sweeps.test_running import Instant

SMALL = {"g_layers": 1, "d_layers": 1, "g_units": 16, "d_units": 16, "batch_size": 32}
BASE = GANConfig.from_flat({"data": "ring", **SMALL})


def space(steps=90, seconds=None, **more):
    return parse_space(BASE, ["g_lr=1e-4,1e-3,1e-2", "penalty=none,r1"], 2, steps, seconds, **more)


def test_parts_of_a_budget_are_a_step_apart():
    trial = next(space(looks=3).trials())
    assert trial.parts() == [0.25, 0.5, 0.75, 1.0] and [trial.steps_at(p) for p in trial.parts()] == [23, 45, 68, 90]
    first = replace(trial, until=PARTS[0])
    assert first.parts() == [PARTS[0]]
    second = replace(trial, until=PARTS[1], begun=Begun(PARTS[0], 1.0, {}, ()))
    assert second.parts() == [0.25, PARTS[1]]
    assert replace(next(space(steps=2, looks=3).trials()), until=1.0).parts() == [0.5, 1.0]  # steps 1 and 2
    assert next(space(steps=1, looks=3).trials()).parts() == [1.0]
    assert next(space(None, 9.0, looks=1).trials()).parts() == [0.5, 1.0]
    for steps, handed_back in ((1, [1.0]), (2, [PARTS[0], 1.0]), (90, [*PARTS, 1.0])):
        found, trial = [], next(space(steps=steps).trials())
        while not found or found[-1] < 1:
            trial = running._up_to_next(trial)
            found.append(trial.until)
            trial = replace(trial, begun=Begun(trial.until, 0.0, {}, ()))
        assert found == handed_back


def test_a_trial_in_parts_is_the_trial_in_one(monkeypatch):
    """Each part by another process's `Trainings`: all that goes from one to the next is in `begun`."""
    trial = next(space(looks=1).trials())
    whole = Trainings().train(replace(trial, looks=0))
    looked = Trainings().train(trial)
    outcome, part = None, trial
    for until in (*PARTS, 1.0):
        part = replace(part, until=until, begun=outcome and outcome.begun)
        outcome = Trainings().train(part)
        assert (outcome.begun is None) == (until == 1.0) and outcome.row["status"] == DONE
    for found in (looked, outcome):
        assert found.row["metrics"] == whole.row["metrics"] and found.row["steps"] == 90
        for name in ("history_step", "history_mean", "history_low", "history_high", "samples"):
            np.testing.assert_array_equal(found.arrays[name], whole.arrays[name])
    assert "looks_step" not in whole.arrays
    assert looked.arrays["looks_step"].tolist() == [45, 90]
    assert outcome.arrays["looks_step"].tolist() == [10, 30, 45, 90]
    np.testing.assert_array_equal(outcome.arrays["looks_w1"][-2:], looked.arrays["looks_w1"])
    assert outcome.arrays["looks_w1"][-1] == whole.row["metrics"]["w1"]


def test_all_parts_know_how_fast_the_network_is(monkeypatch):
    """Each part and each trial of a structure begins at the pace that the one before had; the first takes one step."""
    paces, chunks, train, take = [], [], unattended.train, TrainingRun.take

    def noted(*args, pace=None, **rest):
        paces.append((pace, pace and pace.rate))
        return train(*args, pace=pace, **rest)

    def counted(run, most):
        chunks.append(most)
        return take(run, most)

    monkeypatch.setattr(unattended, "train", noted)
    monkeypatch.setattr(TrainingRun, "take", counted)
    monkeypatch.setattr(unattended, "final_metrics", lambda *_: {"w1": 0.5})
    trials, trainings = itertools.islice(space(looks=1).trials(), 0, None, 2), Trainings()  # without a penalty
    outcome = trainings.train(replace(next(trials), until=PARTS[0]))
    assert outcome.row["reason"] == "" and chunks[0] == 1
    assert trainings.train(replace(next(trials), until=1.0)).row["status"] == DONE
    assert len(paces) == 3 and len({id(pace) for pace, _ in paces}) == 1
    assert 10.0 not in [rate for _, rate in paces[1:]]  # what the first one begins with


def judged(distance):
    """An executor whose trials have this distance from the ideal at each part."""

    def ends(trial):
        found = outcome_without_training(trial, DONE, "")
        found.row["metrics"] = {"w1": distance(trial, trial.until), "w1_floor": 0.0}
        found.row["steps"] = trial.steps_at(trial.until)
        if trial.until < 1:
            looks = (*(trial.begun.looks if trial.begun else ()), trial.until)
            found.begun = Begun(trial.until, 1.0, {"config.json": b"{}"}, looks)
        return found

    return Instant(slots=2, ends=ends)


def test_of_each_three_the_best_goes_on(tmp_path):
    """Which settings are bad is known from the first part on: few of them come to the end, and all the good ones do."""
    store, wanted = Store(tmp_path / "map"), space(stop_by="w1")
    store.begin(wanted)
    assert Store(tmp_path / "map").space() == wanted
    executor = judged(lambda trial, until: trial.settings["g_lr"] * 100 + trial.seed / 1000)
    said = []
    rows = running.run(store, wanted, executor, said.append)
    status = {(row["settings"]["g_lr"], row["settings"]["penalty"], row["seed"]): row["status"] for row in rows}
    assert len(rows) == len(wanted) == 12 and set(status.values()) == {DONE, STOPPED}
    assert all(status[1e-4, penalty, 0] == DONE for penalty in ("none", "r1"))
    stopped = [row for row in rows if row["status"] == STOPPED]
    assert len(stopped) >= 6
    for row in stopped:
        assert row["steps"] in (10, 30) and len(row["rungs"]) == (1 if row["steps"] == 10 else 2)
        assert re.search(r"1 was not (the best so far|among the best third) of \d+ trials\.$", row["reason"])
    assert all(len(row["rungs"]) == 2 for row in rows if row["status"] == DONE)
    # What is there is not trained again, and the next trials are judged beside it.
    again = judged(lambda trial, until: 0.5 if trial.settings["g_lr"] < 1e-3 else 5.0)
    more = replace(wanted, seeds=4)
    store.begin(more)
    rows = running.run(store, more, again, said.append)
    assert len(rows) == 24 and not {row["key"] for row in rows[:12]} & set(again.started)
    assert {row["status"] for row in rows[12:]} == {STOPPED}  # none is as good as those of before


def test_a_score_without_a_value_is_the_worst():
    judge = EarlyStopping("reverse_kl", [])
    trials = list(space().trials())
    for trial, value, stops in ((trials[0], 0.1, False), (trials[1], None, True), (trials[2], 0.05, False)):
        outcome = outcome_without_training(trial, DONE, "")
        outcome.begun = Begun(PARTS[0], 1.0, {}, ())
        outcome.row["metrics"] = {"reverse_kl": value, "reverse_kl_floor": 0.0}
        assert judge.stops(outcome) is stops
        assert (outcome.begun is None) is stops and (outcome.row["status"] == STOPPED) is stops


def test_the_reason_says_what_is_true():
    """Of the first five only the best goes on; then the best third."""
    judge, reasons = EarlyStopping("w1", []), []
    for number in range(7):
        outcome = outcome_without_training(next(space().trials()), DONE, "")
        outcome.row |= {"key": str(number), "metrics": {"w1": 1.0 + number, "w1_floor": 0.0}}
        judge.stops(outcome)
        reasons.append(outcome.row["reason"])
    said = "After a ninth of its budget its Wasserstein-1 was not"
    assert reasons[:2] == ["", f"{said} the best so far of 2 trials."]
    assert reasons[4:6] == [f"{said} the best so far of 5 trials.", f"{said} among the best third of 6 trials."]


def test_what_trials_can_be_judged_by():
    names = early_stopping.accepted(BASE)
    assert "w1" in names and "modes" in names and early_stopping.checked("w1", BASE) == "w1"
    assert "modes" not in early_stopping.accepted(GANConfig.from_flat({"data": "moons"}))
    with pytest.raises(ConfigError, match="Trials of different data sets cannot be stopped early"):
        parse_space(BASE, ["data=ring,moons"], 1, 10, None, stop_by="w1")
    with pytest.raises(ConfigError, match=r"Trials are stopped early by one of the scores modes, .*; got 'fid'"):
        early_stopping.checked("fid", BASE)


def test_a_sweep_of_before_there_was_early_stopping_opens():
    about = space().to_json()
    del about["looks"], about["stop_by"]
    assert Space.of_json(about) == space()
    assert not space().same_trainings(space(stop_by="w1"))
    assert space().same_trainings(space(looks=2))  # that sweep may be added to by who scores on the way
