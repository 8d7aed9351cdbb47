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
from gan_core.objectives.penalties import PENALTIES
from gan_core.scores.score import number_of
from gan_core.settings.config import GANConfig

HELD_SCORES = 4  # scores in a row that must agree
HELD_PART = 0.2  # of the way so far, at least, that they must span
FIRST_STEPS = 200  # before which nothing is said: every GAN begins with a blob

SWING_SCORES = 6  # in which a distance must have gone up and down
SWING = 1.5  # its largest by its smallest value there
BACK = 1.15  # and how far it went the other way, too: what only rises or falls is no swing
LATER = 0.15  # of the way so far: what was before it counts for nothing that holds now
FAR = 3.0  # times the distance between real and real data, from which on a cloud has not arrived

GOOD = 0.02  # of the samples, at least, must be good where modes are missing

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


def _lately(steps: np.ndarray, now: int, least: int) -> slice | None:
    """The last scores, `least` at least, that span HELD_PART of the way; None where there are too few after its first
    LATER part."""
    if len(steps) < least or now < FIRST_STEPS:
        return None
    early_enough = np.flatnonzero(steps <= steps[-1] - HELD_PART * now)
    if not len(early_enough):
        return None
    first = min(int(early_enough[-1]), len(steps) - least)
    return slice(first, None) if steps[first] >= LATER * now else None


def _far_off(run: Recorded) -> tuple[np.ndarray, np.ndarray] | None:
    """(steps, distances) of the last scores of points, where all are far above those of real data."""
    steps, distances = run.curve("w1")
    lately = _lately(steps, run.step, SWING_SCORES)
    floor = number_of(run.scores[-1].get("w1_floor")) if run.scores else None
    if lately is None or floor is None:
        return None
    steps, distances = steps[lately], distances[lately]
    return (steps, distances) if distances.mean() > FAR * floor else None


def _improves(distances: np.ndarray) -> bool:
    """Whether the later half of these distances is clearly smaller than the first one."""
    half = len(distances) // 2
    return half > 0 and bool(distances[half:].mean() < 0.9 * distances[:half].mean())


def _swings(distances: np.ndarray) -> bool:
    """Whether they have gone up and down again, or down and up: one way by SWING, the other by BACK at least."""
    risen = distances / np.maximum(np.minimum.accumulate(distances), 1e-12)
    fallen = np.maximum.accumulate(distances) / np.maximum(distances, 1e-12)
    smaller, larger = sorted((float(risen.max()), float(fallen.max())))
    return larger >= SWING and smaller >= BACK


def _nearer(run: Recorded, since: int) -> bool:
    """Whether the points have come nearer since that step, and still do: over the last half of the way, or the last
    scores where those are few. Then nothing is stuck, it only takes long."""
    steps, distances = run.curve("w1")
    lately = max(int((steps >= run.step / 2).sum()), SWING_SCORES)
    return _improves(distances[steps >= since][-lately:])


# -- one function a finding ---------------------------------------------------------------------------------


def _diverged(run: Recorded) -> Evidence | None:
    return Evidence("d_loss", max(0, run.step - 1), run.step) if run.diverged else None


def _mode_hopping(run: Recorded) -> Evidence | None:
    total, far = _total_modes(run), _far_off(run)
    if total < 3 or far is None:
        return None
    steps, distances = far
    of_modes, modes = run.curve("modes")
    at, largest = run.largest()
    visited = set(largest[at >= steps[0]].tolist())
    lately = modes[of_modes >= steps[0]]
    few = len(lately) > 0 and lately.mean() <= total / 4
    if not few or _improves(distances) or len(visited) < 2 or distances.max() < SWING * distances.min():
        return None
    return Evidence("w1", int(steps[0]), run.step, f"It was at {len(visited)} modes since step {steps[0]:,}.")


def _mode_collapse(run: Recorded) -> Evidence | None:
    total = _total_modes(run)
    if total >= 3:
        steps, modes = run.curve("modes")
        good = run.curve("hq")[1] >= GOOD  # a blob that has not found anything yet is no collapse
        since = _held(steps, (modes <= total / 2) & good, run.step)
        if since is None or _nearer(run, since) or _mode_hopping(run) is not None:
            return None
        return Evidence("modes", since, run.step, f"{int(modes[-1])} of {total} modes since step {since:,}.")
    steps, recall = run.curve("recall")
    since = _held(steps, recall < 0.05, run.step)
    if since is None:
        return None
    return Evidence("recall", since, run.step, f"Recall, which measures variety, is {recall[-1]:.2f}.")


def _batch_norm_and_penalty(run: Recorded) -> Evidence | None:
    """Only where it goes badly: the settings alone are no finding, and combinations.py warns of them at once."""
    config, far = run.config, _far_off(run)
    mixed = config.d_norm == "batch" and PENALTIES[config.penalty].function is not None
    if not mixed or far is None:
        return None
    return Evidence("w1", int(far[0][0]), run.step, f"Wasserstein-1 is {far[1][-1]:.2g}.")


def _discriminator_wins(run: Recorded) -> Evidence | None:
    if LOSSES[run.config.loss].equilibrium[0] is None:
        return None
    steps, accuracy = run.curve("d_accuracy")
    since = _held(steps, accuracy > 0.95, run.step, 10)
    if since is None:
        return None
    return Evidence("d_accuracy", since, run.step, f"It is right on {100 * accuracy[-1]:.0f} % of all samples.")


def _oscillation(run: Recorded) -> Evidence | None:
    far = _far_off(run)
    if far is None or _mode_hopping(run) is not None or _mode_collapse(run) is not None:
        return None
    steps, distances = far
    if _improves(distances) or distances.max() < SWING * distances.min():
        return None
    every, whole = run.curve("w1")  # a slow swing is longer than what is looked at as the latest
    steps, distances = every[every >= LATER * run.step], whole[every >= LATER * run.step]
    if not _swings(distances):
        return None
    said = f"Wasserstein-1 went up and down between {distances.min():.2g} and {distances.max():.2g}."
    return Evidence("w1", int(steps[0]), run.step, said)


def _no_progress(run: Recorded) -> Evidence | None:
    far = _far_off(run)
    others = _mode_hopping, _mode_collapse, _oscillation, _batch_norm_and_penalty
    if far is None or any(find(run) is not None for find in others):
        return None
    steps, distances = far
    first = run.curve("w1")[1][0]
    if distances.min() < 0.6 * first or distances.max() > SWING * distances.min() or _improves(distances):
        return None
    return Evidence("w1", int(steps[0]), run.step, f"Wasserstein-1 stands at {distances[-1]:.2g}.")


def _memorizing(run: Recorded) -> Evidence | None:
    steps, gap = run.curve("memorized")
    since = _held(steps, gap > 0.2, run.step)
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


def _faster_d(config: GANConfig) -> dict[str, Any]:
    return {"d_lr": config.g_lr} if config.d_lr < config.g_lr else dict(_STABLE)


def _damped(config: GANConfig) -> dict[str, Any]:
    return {"penalty": "r1", "gp_weight": 0.5, "g_beta_1": 0.0, "d_beta_1": 0.0}


def _no_batch_norm(config: GANConfig) -> dict[str, Any]:
    return {"d_norm": "layer"}


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
    "batch_norm_and_penalty": Row(
        "Batch norm against the penalty",
        "The samples do not arrive, and the discriminator has both batch norm and a gradient penalty.",
        "The penalty asks for the slope at each sample, but batch norm mixes all samples of a batch.",
        _batch_norm_and_penalty,
        _no_batch_norm,
    ),
    "mode_hopping": Row(
        "Hopping between modes",
        "The generator makes one clump, which leaves each mode when the discriminator has learned to reject it.",
        "It learns faster than the discriminator, so its best answer is always one single place.",
        _mode_hopping,
        _faster_d,
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
    "oscillation": Row(
        "Oscillation",
        "The generated samples circle around the real ones and do not arrive.",
        "Each network answers to where the other one was, and momentum carries it past.",
        _oscillation,
        _damped,
    ),
    "no_progress": Row(
        "No progress",
        "The generated samples are far from the real ones and come no nearer.",
        "The gradient that reaches the generator is too small, or the learning rates are.",
        _no_progress,
        _stable,
    ),
    "memorizing": Row(
        "Memorizing",
        "The discriminator knows its images by name: it trusts them more than other real ones.",
        "With few images it can tell them apart one by one, and then teaches the generator nothing.",
        _memorizing,
        _augmented,
    ),
}
