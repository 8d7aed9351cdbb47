"""`FINDINGS`: what can go wrong with a GAN and is seen in its recording, the most serious first.

Each row's function says where it is seen, or None. It asks that the thing has held: over the last scores that were
made, and over a part of the way, so that what passes by is no finding. Thresholds are measured: `python -m gan_core
benchmark coach`, and docs/figures.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gan_core.diagnosis.facts import Recorded
from gan_core.diagnosis.finding import Evidence, Row
from gan_core.objectives.losses import LOSSES
from gan_core.settings.config import GANConfig

HELD_SCORES = 4  # scores in a row that must agree
HELD_PART = 0.2  # of the way so far, at least, that they must span
FIRST_STEPS = 200  # before which nothing is said: every GAN begins with a blob

_STABLE = {"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.1}


def _held(steps: np.ndarray, bad: np.ndarray, now: int, least: int = HELD_SCORES) -> int | None:
    """The step since which `bad` has held without a break up to now; None where that is too short."""
    if not len(steps) or not bad[-1]:
        return None
    good = np.flatnonzero(~bad)
    since = 0 if not len(good) else int(good[-1]) + 1
    long_enough = len(steps) - since >= least and steps[-1] - steps[since] >= HELD_PART * now
    return int(steps[since]) if long_enough and now >= FIRST_STEPS else None


def _total_modes(run: Recorded) -> int:
    return next((int(scores["modes_total"]) for scores in reversed(run.scores) if scores.get("modes_total")), 0)


# -- one function a finding ---------------------------------------------------------------------------------


def _diverged(run: Recorded) -> Evidence | None:
    return Evidence("d_loss", max(0, run.step - 1), run.step) if run.diverged else None


def _mode_collapse(run: Recorded) -> Evidence | None:
    total = _total_modes(run)
    if total >= 3:
        steps, modes = run.curve("modes")
        since = _held(steps, modes <= total / 2, run.step)
        if since is not None:
            return Evidence("modes", since, run.step, f"{int(modes[-1])} of {total} modes since step {since:,}.")
    steps, recall = run.curve("recall")
    since = _held(steps, recall < 0.05, run.step)
    if since is not None and total == 0 and run.config.data and "classifier_fid" in (run.scores or [{}])[-1]:
        return Evidence("recall", since, run.step, f"Recall is {recall[-1]:.2f} since step {since:,}.")
    return None


def _discriminator_wins(run: Recorded) -> Evidence | None:
    if LOSSES[run.config.loss].equilibrium[0] is None:
        return None
    steps, accuracy = run.curve("d_accuracy")
    since = _held(steps, accuracy > 0.95, run.step, 10)
    if since is None:
        return None
    return Evidence("d_accuracy", since, run.step, f"It is right on {100 * accuracy[-1]:.0f} % of all samples.")


def _memorizing(run: Recorded) -> Evidence | None:
    steps, gap = run.curve("memorized")
    since = _held(steps, gap > 0.25, run.step)
    if since is None:
        return None
    return Evidence("memorized", since, run.step, f"p(real) is {gap[-1]:.2f} higher on images that it is trained on.")


# -- remedies -----------------------------------------------------------------------------------------------


def _slower(config: GANConfig) -> dict[str, Any]:
    return {"g_lr": config.g_lr / 4, "d_lr": config.d_lr / 4}


def _stable(config: GANConfig) -> dict[str, Any]:
    return dict(_STABLE)


def _slower_d(config: GANConfig) -> dict[str, Any]:
    return {"d_lr": config.d_lr / 4, "d_steps": 1}


def _augmented(config: GANConfig) -> dict[str, Any]:
    return {"augment": "ada"}


FINDINGS: dict[str, Row] = {
    "diverged": Row(
        "Diverged",
        "Training left the finite numbers.",
        "Too large a learning rate makes each step undo more than the last one gained.",
        _diverged,
        _slower,
    ),
    "mode_collapse": Row(
        "Mode collapse",
        "The generator makes only a part of the data.",
        "It is paid for every sample that fools the discriminator, and not for variety.",
        _mode_collapse,
        _stable,
    ),
    "discriminator_wins": Row(
        "The discriminator wins",
        "The discriminator tells real from generated samples nearly without an error.",
        "Then its output hardly changes with a sample, and the generator gets no gradient to follow.",
        _discriminator_wins,
        _slower_d,
    ),
    "memorizing": Row(
        "Memorizing",
        "The discriminator knows its images by name: it trusts them more than other real ones.",
        "With few images it can tell them apart one by one, and then teaches the generator nothing.",
        _memorizing,
        _augmented,
    ),
}
