"""The drawing of a step: its words, formulas and numbers against those of the batch, and what it shows without one."""

import itertools
import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest

from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.recording import anatomy as parts_of_a_step
from gan_core.recording.slow_motion import Shown
from gan_core.recording.snapshot import Snapshot, View
from gan_core.recording.training_run import TrainingRun
from gan_core.training.dissection import dissection
from pages.ui.components.liveplot import pack
from pages.ui.figures import anatomy_texts
from pages.ui.figures.anatomy_figure import anatomy
from pages.ui.figures.anatomy_texts import number
from tests.support.tiny import image_trainer
from tests.support.trainers import settings, trainer_of


def phases_of(trainer):
    """The phases of the trainer's next step."""
    updates = tuple(dissection(trainer)())
    every = [(place, phase) for place, update in enumerate(updates) for phase in update.phases]
    for i, (place, phase) in enumerate(every):
        yield Shown(updates, place, phase, i + 1, len(every), trainer.step, False)


def snapshot_of(trainer, shown=None, row=None):
    state = trainer.state if shown is None else shown.state
    with trainer.standing_at(state):
        frame = {"anatomy": parts_of_a_step.look(trainer, row, shown), "at": None}
    return Snapshot(trainer.config, trainer.data, "paused", trainer.step, frame=frame)


def said(snapshot):
    """The caption of a phase, as text."""
    return re.sub("<[^>]+>", "", anatomy(snapshot)["caption"])


def test_the_captions_say_the_numbers_of_the_batch():
    """Each worked out here from the arrays of the batch, the weights before and the weights after."""
    config = settings(penalty="r1", gp_weight=2.0, grad_clip=0.02, d_optimizer="sgd", g_lr=0.03)
    trainer = trainer_of(config)
    trainer.train(2)
    captions, shown = {}, None
    for shown in phases_of(trainer):
        captions[shown.update.side, shown.phase] = said(snapshot_of(trainer, shown))
    of_d, of_g = shown.updates

    def log_sigmoid(x):
        return -np.logaddexp(0, -x.astype(float))

    def change(update, side):
        pairs = zip(update.before[side], update.after[side], strict=True)
        return max(abs(new.numpy() - old.numpy()).max() for old, new in pairs)

    d_loss = -log_sigmoid(of_d.real_logits).mean() - log_sigmoid(-of_d.fake_logits).mean()
    assert f"{config.batch_size} random z are drawn and {config.batch_size} real samples" in captions["d", "draw"]
    assert (
        f"on average real {number(of_d.real_logits.mean())}, generated {number(of_d.fake_logits.mean())}"
        in (captions["d", "judge"])
    )
    assert f"loss of this batch is {number(d_loss)}." in captions["d", "loss"]
    both = d_loss + 2 * of_d.penalty
    assert (
        f"It is {number(of_d.penalty)} now, and counts 2 times: {number(2 * of_d.penalty)} more, {number(both)} in all"
        in (captions["d", "penalty"])
    )
    assert (
        f"its norm is {number(of_d.gradient_norm)}. That is longer than 0.02, so it is scaled"
        in captions["d", "gradient"]
    )
    assert (
        f"Learning rate 0.02; the largest change of a weight is {number(change(of_d, 'd'))}." in captions["d", "update"]
    )
    g_loss = -log_sigmoid(of_g.fake_logits).mean()
    assert f"loss of this batch is {number(g_loss)}." in captions["g", "loss"] and "real" not in captions["g", "draw"]
    assert (
        f"Learning rate 0.03; the largest change of a weight is {number(change(of_g, 'g'))}." in captions["g", "update"]
    )
    assert captions["g", "gradient"].startswith("12/13 · Generator: gradient through D.")


@pytest.mark.parametrize("loss, penalty, optimizer", itertools.product(LOSSES, PENALTIES, OPTIMIZERS))
def test_every_choice_has_words_and_a_formula_for_every_phase(loss, penalty, optimizer):
    config = settings(loss=loss, penalty=penalty, d_optimizer=optimizer, g_optimizer=optimizer)
    about = {"batch": 8, "fake_mean": -0.5, "real_mean": 0.5, "loss": 1.5, "penalty": 0.25, "penalty_weight": 0.1}
    about |= {"gradient": 0.3, "scale": 1.0, "rate": 0.01, "change": 0.002, "made": True, "number": 1, "of": 1}
    for side in "dg":
        row = LOSSES[loss]
        terms = [(term.formula, 0.75) for term in (row.d_terms if side == "d" else row.g_terms)]
        phases = [name for name in anatomy_texts.TITLES[side] if name != "penalty" or penalty != "none"]
        for i, name in enumerate(phases):
            phase = {"side": side, "name": name, "number": i + 1, "of": 12}
            text = anatomy_texts.caption(config, phase, {side: about})
            assert text.count("<b>") == 1 and "{" not in text and "None" not in text
        html = anatomy_texts.formula(config, side, {**about, "terms": terms})
        penalised = side == "d" and penalty != "none"
        assert html.count("<i>") == len(terms) + penalised and html.count("<math") == html.count("</math>") >= 2
        assert f"<b>{number(1.5 + 0.1 * 0.25 * penalised)}</b>" in html and "\\" not in html
        assert "<i>" not in anatomy_texts.formula(config, side, {})
    for about_box in anatomy_texts.about_boxes(config).values():
        assert about_box["text"].count(".") >= 1 and about_box["link"].startswith(("", "https://arxiv.org/abs/"))


def test_a_loss_whose_summands_are_unknown_has_its_value(monkeypatch):
    """As one of a plugin."""
    row = replace(LOSSES["hinge"], d_terms=(), g_terms=())
    monkeypatch.setitem(LOSSES, "hinge", row)
    config = settings(loss="hinge")
    html = anatomy_texts.formula(config, "g", {"loss": -0.5, "terms": []})
    assert "<i>−0.5</i>" in html and "loss" in html
    assert anatomy_texts.formula(config, "d", {})


def test_numbers_of_later_phases_are_not_told_yet():
    trainer = trainer_of(settings(penalty="r1"))
    trainer.train(1)
    seen = {}
    for shown in phases_of(trainer):
        figure = anatomy(snapshot_of(trainer, shown))
        assert figure["half"] == shown.update.side and figure["phase"] == shown.number
        seen[shown.update.side, shown.phase] = figure
    d = [seen["d", phase]["values"] for phase in anatomy_texts.TITLES["d"]]
    assert ["d_loss" in of for of in d] == [False] * 3 + [True] * 4
    assert ["d_gradient" in of for of in d] == [False] * 5 + [True] * 2
    assert ["largest" in of["d_update"][0] for of in d] == [False] * 6 + [True]
    told = [seen["d", phase]["formula"].count("<i>") for phase in anatomy_texts.TITLES["d"]]
    assert told == [0, 0, 0, 2, 3, 3, 3]  # the penalty's value comes with its phase, and the sum of all
    assert ["= <b>" in seen["d", phase]["formula"] for phase in ("loss", "penalty")] == [False, True]
    assert len(seen["d", "loss"]["values"]["d_loss"]) == 2 and "penalty" in seen["d", "penalty"]["values"]["d_loss"][1]
    assert "logits>g_loss" in seen["g", "loss"]["lit"] and {"d", "fake"} <= set(seen["g", "gradient"]["lit"])


def unpacked(figure):
    content = pack(figure)
    (size,) = struct.unpack("<I", content[:4])
    return json.loads(content[4 : 4 + size])


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_points_between_steps_and_before_the_first(latent_dim):
    run = TrainingRun(trainer_of(settings(latent_dim=latent_dim)), scored=False)
    idle = anatomy(Snapshot(run.trainer.config, run.trainer.data, "idle"))
    assert "z" not in unpacked(idle) and idle["caption"] == "" and idle["values"] == {}
    run.train(1)
    frame = run.look(View(anatomy=True), idle=True, scored=False)
    figure = anatomy(Snapshot(run.trainer.config, run.trainer.data, "paused", 1, frame=frame))
    shown = unpacked(figure)
    assert shown["manifold"]["shape"] == {1: [1, 256], 2: [42, 21], 5: [1, 96]}[latent_dim]
    assert figure["manifold"]["points"].size == figure["manifold"]["from"].size
    assert figure["values"]["g_loss"][0] == number(float(run.row[0])) and figure["lit"] == []
    past = {**frame, "at": 0}
    del past["anatomy"]
    assert "look back" in anatomy(Snapshot(run.trainer.config, run.trainer.data, "paused", 1, frame=past))["caption"]


def test_images_have_pictures_of_their_batch():
    trainer = image_trainer()
    trainer.train(1)
    phases = [*phases_of(trainer)]
    figures = [unpacked(anatomy(snapshot_of(trainer, shown))) for shown in phases]
    for shown, figure in zip(phases, figures, strict=True):
        n, height, width, channels = figure["fake"]["shape"]
        assert (height, width, channels) == trainer.data.shape and n <= parts_of_a_step.PICTURES
        assert (n > 0) == (shown.phase != "draw")
    assert "gradient" not in figures[0] and figures[-1]["gradient"]["shape"][-1] == 1


@pytest.mark.parametrize("value, text", [(0, "0"), (0.69314, "0.693"), (-12345.6, "−1.23e+04"), (1e-9, "1e−09")])
def test_numbers_have_three_digits_that_count(value, text):
    assert number(value) == text
    assert number(float("nan")) == number(float("inf")) == "not finite"
