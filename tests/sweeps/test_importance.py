"""Which setting matters: by the forest what was put into the scores, and nothing where nothing was."""

import numpy as np
import pytest

from gan_core.settings.config import GANConfig
from gan_core.sweeps.importance import LEAST_TRIALS, importance
from gan_core.sweeps.space import parse_space
from gan_core.sweeps.training import outcome_without_training

SPACE = parse_space(
    GANConfig.from_flat({}), ["g_lr=1e-4:1e-2:5", "penalty=none,r1,r1_r2", "label_noise=0,0.1"], 3, 10, None
)


def rows_of(score, most=None):
    rng, rows = np.random.default_rng(0), []
    for trial in list(SPACE.trials())[:most]:
        row = outcome_without_training(trial, "done", "").row
        row["metrics"] = {"w1": score(trial.settings, rng)}
        rows.append(row)
    return rows


def test_the_setting_that_makes_the_score_is_found():
    found = importance(rows_of(lambda s, rng: np.log10(s["g_lr"]) + 0.05 * rng.normal()), "w1")
    assert found.explained > 0.9 and found.trials == 90
    rate, penalty, noise = (found.settings[name][0] for name in ("g_lr", "penalty", "label_noise"))
    assert rate > 1 and abs(penalty) < 0.1 and abs(noise) < 0.1


def test_two_settings_share_by_what_they_do():
    def score(settings, rng):
        return {"none": 2.0, "r1": 0.0, "r1_r2": 0.1}[settings["penalty"]] + 10 * settings["label_noise"]

    found = importance(rows_of(score), "w1")
    assert found.settings["penalty"][0] > found.settings["label_noise"][0] > 0.2 > abs(found.settings["g_lr"][0])
    assert all(spread >= 0 for _, spread in found.settings.values())


def test_of_chance_nothing_is_explained():
    found = importance(rows_of(lambda s, rng: rng.normal()), "w1")
    assert found.explained < 0.2 and all(mean < 0.3 for mean, _ in found.settings.values())


@pytest.mark.parametrize(
    "rows", [[], rows_of(lambda s, rng: 1.0), rows_of(lambda s, rng: rng.normal(), LEAST_TRIALS - 1)]
)
def test_too_few_trials_and_equal_scores_say_nothing(rows):
    assert importance(rows, "w1") is None


def test_trials_without_the_score_do_not_count():
    rows = rows_of(lambda s, rng: s["label_noise"])
    for row in rows[:60]:
        row["metrics"] = {}
    assert importance(rows, "w1").trials == 30 and importance(rows, "hq") is None
