"""The samples that people and the discriminator judge alike."""

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.objectives.losses import LOSSES
from gan_core.recording import judging
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from tests.support.trainers import settings
from tests.support.trainers import trainer_of as points_trainer

DIGITS = {"data": "digits", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 6}


def images_trainer(**changes) -> Trainer:
    config = GANConfig.from_flat({**DIGITS, **changes})
    data = loading.load(config, None)
    return Trainer(config, data, TrainStep(config, data.array.shape, "graph", loading.class_count(config, data)))


def among(samples: np.ndarray, data: np.ndarray) -> list[bool]:
    """Of each sample, whether it is one of the data."""
    known = {one.tobytes() for one in data}
    return [one.tobytes() in known for one in samples]


@pytest.mark.parametrize("conditional", [False, True], ids=["plain", "conditional"])
def test_half_of_the_images_are_real_and_the_discriminator_has_judged_each(conditional):
    trainer = images_trainer(conditional=conditional)
    found = judging.look(trainer, 5)
    n = judging.HALF
    assert found["samples"].shape == (2 * n, 28, 28, 1) and found["samples"].dtype == np.uint8
    assert among(found["samples"], trainer.data.pixels) == [True] * n + [False] * n
    assert found["p_real"].shape == (2 * n,) and 0 <= found["p_real"].min() <= found["p_real"].max() <= 1
    assert (found["number"], found["step"], len(found["crowd"])) == (5, 0, 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_half_of_the_points_are_real_and_stand_among_others(loss):
    trainer = points_trainer(settings(loss=loss, data_size=600))
    found = judging.look(trainer, 7)
    n = judging.HALF
    assert among(found["samples"], trainer.data.points) == [True] * n + [False] * n
    assert len(found["crowd"]) == judging.CROWD
    assert not any(among(found["crowd"], found["samples"]))
    if LOSSES[loss].p_real == "centered":  # the mean of real ones is as far from the middle as that of generated ones
        logits = np.log(found["p_real"] / (1 - found["p_real"]))
        assert abs(logits[:n].mean() + logits[n:].mean()) < 1e-3


def test_few_data_give_as_many_of_both(monkeypatch):
    monkeypatch.setattr(judging, "HALF", 100)
    found = judging.look(points_trainer(settings()), 1)  # 64 points
    assert len(found["samples"]) == 64 and len(found["p_real"]) == 64 and len(found["crowd"]) == 32


def test_they_come_with_a_frame_that_wants_them_of_the_step_of_now():
    run = TrainingRun(points_trainer(settings()))
    run.take(4)
    run.take(4)
    wanted = run.look(View(judge=9, at=1), True, False)
    assert wanted["judging"]["number"] == 9 and wanted["judging"]["step"] == run.step == 2 and wanted["at"] == 1
    again, other = judging.look(run.trainer, 9), judging.look(run.trainer, 10)
    assert np.array_equal(again["samples"], wanted["judging"]["samples"])
    assert not np.array_equal(again["samples"], other["samples"])
    assert "judging" not in run.look(View(), True, False)
    run.close()
