"""The labs in the box, played twice each: with nothing done their goal is not reached, with their solution it is."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from gan_core.data import loading
from gan_core.labs import checking, library, receipts
from gan_core.labs.lab import Lab
from gan_core.recording import goal_watch
from gan_core.recording.recorder import Recording
from gan_core.settings.config import GANConfig, compile_key
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer


class Solution(NamedTuple):
    """start: settings that are changed before Play; changes: on the way, by step; idle: steps after which a run in
    which nothing is done can be left, where that is sooner than the lab's own end."""

    start: dict[str, Any]
    changes: Mapping[int, dict[str, Any]] = MappingProxyType({})
    idle: int = 10**9


SOLUTIONS = {
    "two-networks": Solution({}, {50: {"g_steps": 1}}, idle=100),  # a generator that is frozen stays where it is
    "learning-rates": Solution({"g_lr": 1e-3, "d_lr": 1e-3}),
    "collapse": Solution({"g_lr": 1e-3, "d_lr": 1e-3}),
    "loss-and-quality": Solution({"d_lr": 1e-4}),
    "strong-discriminator": Solution({"g_lr": 1e-3, "d_lr": 1e-3}),
    "the-first-loss": Solution({"loss": "non_saturating"}),
    "what-r1-does": Solution({"penalty": "r1"}),
    "wasserstein": Solution({"weight_clip": 0.0, "penalty": "wgan_gp", "g_lr": 5e-4, "d_lr": 5e-4}),
    "average": Solution({}, {300: {"show_ema": True}}),
    "mode-count": Solution({"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.02}),
    "memorizing": Solution({"data_size": 1_500}),
    "published-table": Solution(
        {"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.1, "g_lr": 1e-3, "d_lr": 1e-3, "show_ema": True}
    ),
}


_PROGRAMS: dict[tuple, TrainStep] = {}  # most labs share their networks, and compiling takes longest


def trainer_of(config: GANConfig) -> Trainer:
    data = loading.load(config)
    kept = _PROGRAMS.get((compile_key(config), data.shape, config.data_size))
    trainer = Trainer(config, data, kept)
    _PROGRAMS[compile_key(config), data.shape, config.data_size] = trainer.program
    return trainer


def play(lab: Lab, solution: Solution, last: int) -> dict[str, Any] | None:
    """Trains to the step `last`, and looks at the goal as often as a page does; how it was reached, or None."""
    config = lab.start.updated(solution.start)
    trainer, recording, watch = trainer_of(config), Recording(), goal_watch.GoalWatch()
    watch.ask(lab.goal.condition.text, config)
    every = lab.goal.every
    for stop in sorted({*range(every, last + 1, every), last, *solution.changes}):
        while trainer.step < stop:
            recording.history.append(trainer.train(min(500, stop - trainer.step)))
        for name, value in solution.changes.get(stop, {}).items():
            recording.changed(stop, name, getattr(trainer.config, name), value)
            trainer.set_live(trainer.config.updated({name: value}))
        if trainer.data.kind == "images":
            from gan_core.recording import visuals

            recording.frames.add(stop, {"judged": visuals.judged(trainer)})
        if goal_watch.scores(lab.goal.condition):
            recording.scores.add(stop, {**checking.scores_of(trainer, lambda text: None), "step": stop})
        watch.look(recording, trainer.config, stop, False)
        if watch.reached:
            return watch.reached
    return None


def test_each_has_a_solution():
    assert set(SOLUTIONS) == set(library.COURSE)


@pytest.mark.parametrize("name", library.COURSE)
def test_with_nothing_done_the_goal_is_not_reached(name):
    lab = library.built_in()[name]
    assert play(lab, Solution({}), min(lab.goal.within, SOLUTIONS[name].idle)) is None


@pytest.mark.parametrize("name", library.COURSE)
def test_the_goal_can_be_reached_by_what_the_lab_allows(name):
    lab = library.built_in()[name]
    reached = play(lab, SOLUTIONS[name], lab.goal.within)
    assert reached is not None and reached["step"] <= lab.goal.within
    assert lab.goal.not_allowed(lab.start, reached["settings"], reached["changes"]) == ""
    receipt = receipts.read(receipts.written(lab, lab.answers[0], reached).encode())
    assert checking.objection(receipt, lab) == ""
    assert json.loads(receipts.written(lab, lab.answers[0], reached))["seed"] == lab.start.seed
