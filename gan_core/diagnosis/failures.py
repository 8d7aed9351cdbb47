"""`FAILURES`: settings under which a GAN fails, and the changes that heal it. `benchmark failures` proves both.

A row is kept only where the fault shows in at least 9 of 10 seeds and the healed run is free of it in at least 9
(docs/figures.md has the table); public reports are where most of the settings come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS


@dataclass(frozen=True)
class Failure:
    """A row of the registry. preset, settings: what fails; cure: what is changed to heal it, flat.

    title: its name; look_for: where to look; why: two sentences; source: the paper or report. criterion: a condition
    (conditions.py) that is true of the run at its end where it failed; findings: what the coach may call it. steps: how
    long it trains, under a minute on two cores.
    """

    title: str
    look_for: str
    why: str
    source: str
    preset: str
    settings: Mapping[str, Any]
    cure: Mapping[str, Any]
    criterion: str
    findings: tuple[str, ...]
    steps: int

    @cached_property
    def config(self) -> GANConfig:
        """The settings that fail."""
        return PRESETS[self.preset].config.updated(dict(self.settings))

    @cached_property
    def cured(self) -> GANConfig:
        """The settings that do not."""
        return self.config.updated(dict(self.cure))

    @property
    def kind(self) -> str:
        """`points` or `images`: which page shows it."""
        return DATASETS[self.config.data].kind


# Small networks and constant rates, so that a minute is long.
_SMALL = {"g_units": 32, "d_units": 32, "g_layers": 2, "d_layers": 2, "schedule": "constant"}
# What the first papers used: no penalty, no averaged generator.
_PLAIN = {**_SMALL, "loss": "non_saturating", "penalty": "none", "show_ema": False, "g_beta_1": 0.5, "d_beta_1": 0.5}
_WASSERSTEIN = {**_PLAIN, "loss": "wasserstein", "d_steps": 5, "latent_dim": 2, "data.radius": 2.0}
_DIGITS = {"filters": 8, "latent_dim": 16, "conditional": False}
_PLAIN_DIGITS = {
    **_DIGITS,
    "loss": "non_saturating",
    "penalty": "none",
    "show_ema": False,
    "g_beta_1": 0.5,
    "d_beta_1": 0.5,
}

FAILURES: dict[str, Failure] = {
    "mode-collapse": Failure(
        "Mode collapse",
        "Orange stays in a few of the eight clusters, however long it trains.",
        "The generator is paid for fooling the discriminator now, not for variety. A discriminator that learns ten "
        "times as fast leaves it only the clusters that it already has.",
        "Goodfellow, arXiv 1701.00160, section 5.1.1; Metz et al., arXiv 1611.02163",
        "ring",
        {**_PLAIN, "latent_dim": 16, "g_lr": 2e-4, "d_lr": 2e-3},
        {"g_lr": 1e-3, "d_lr": 1e-3},
        "best_modes < modes_total and modes <= 5",
        ("mode_collapse",),
        6_000,
    ),
    "mode-hopping": Failure(
        "Hopping between modes",
        "All orange points are one clump. It leaves each cluster when the discriminator has learned to reject it.",
        "The generator learns faster than the discriminator, so its best answer is always one place. Once that is "
        "rejected, the next place is the best answer.",
        "Metz et al., arXiv 1611.02163, figure 2",
        "ring",
        {**_PLAIN, "latent_dim": 16, "g_lr": 1e-3, "d_lr": 1e-4},
        {"d_lr": 1e-3},
        "mean(modes) <= 3 and mode_changes >= 3",
        ("mode_hopping",),
        6_000,
    ),
    "vanishing-gradient": Failure(
        "Vanishing generator gradient",
        "D accuracy stands near 100 %, the generator's gradient near 0, and orange hardly moves.",
        "The minimax loss is flat where the discriminator is sure, so the better it is, the less it teaches. The "
        "non-saturating loss has its steepest slope there.",
        "Goodfellow et al., arXiv 1406.2661, section 3; Arjovsky & Bottou, arXiv 1701.04862",
        "ring",
        {**_PLAIN, "loss": "minimax", "g_lr": 1e-4, "d_lr": 2e-3, "d_steps": 5},
        {"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.1, "g_lr": 1e-3, "d_lr": 1e-3, "d_steps": 1},
        "modes < modes_total and mean(d_accuracy) > 0.85",
        ("discriminator_wins",),
        3_000,
    ),
    "oscillation": Failure(
        "Around the target, never in it",
        "Orange circles the blue cluster. The distance (Wasserstein-1) rises and falls and never settles.",
        "Each network follows where the other was a moment ago, and momentum carries it past. A penalty on the "
        "discriminator's gradient takes the turn out of the game.",
        "Mescheder et al., arXiv 1801.04406",
        "gaussian",
        {**_PLAIN, "g_lr": 1e-3, "d_lr": 1e-3, "g_beta_1": 0.9, "d_beta_1": 0.9, "data.std": 0.1},
        {"penalty": "r1", "gp_weight": 0.5, "g_beta_1": 0.0, "d_beta_1": 0.0},
        "mean(w1) > 4 * w1_floor and highest(w1) > 2 * lowest(w1)",
        ("oscillation",),
        3_000,
    ),
    "blow-up": Failure(
        "Blow-up to NaN",
        "The losses and gradients explode within a few steps, and training stops.",
        "Without a bound the critic's output grows with its weights, and its gradient with both. A gradient penalty "
        "keeps the slope near 1.",
        "Gulrajani et al., arXiv 1704.00028",
        "ring",
        {**_WASSERSTEIN, "g_optimizer": "sgd", "d_optimizer": "sgd", "g_lr": 0.1, "d_lr": 0.1},
        {
            "penalty": "wgan_gp",
            "gp_weight": 0.1,
            "g_optimizer": "adam",
            "d_optimizer": "adam",
            "g_lr": 5e-4,
            "d_lr": 5e-4,
        },
        "diverged",
        ("diverged",),
        3_000,
    ),
    "rate-too-high": Failure(
        "Learning rates far too high",
        "The points jump about, and then all sit on one spot.",
        "Each step undoes more than the last one gained. Once the networks are saturated, nothing moves them any more.",
        "Goodfellow, Bengio & Courville, Deep Learning, section 8.3",
        "moons",
        {**_SMALL, "loss": "least_squares", "penalty": "none", "show_ema": False, "g_lr": 0.05, "d_lr": 0.05},
        {"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.1, "g_lr": 1e-3, "d_lr": 1e-3},
        "lowest(w1) > 5 * w1_floor",
        ("oscillation", "no_progress"),
        2_000,
    ),
    "weight-clipping": Failure(
        "A critic too weak to teach",
        "After thousands of steps orange is still one blob in the middle.",
        "Weights clipped to 0.01 make the critic almost flat, so the gradient that reaches the generator is tiny. A "
        "gradient penalty bounds the slope and leaves the critic its strength.",
        "Gulrajani et al., arXiv 1704.00028, figure 1",
        "ring",
        {
            **_WASSERSTEIN,
            "data.std": 0.02,
            "weight_clip": 0.01,
            "g_optimizer": "rmsprop",
            "d_optimizer": "rmsprop",
            "g_lr": 5e-5,
            "d_lr": 5e-5,
        },
        {
            "weight_clip": 0.0,
            "penalty": "wgan_gp",
            "gp_weight": 0.1,
            "g_optimizer": "adam",
            "d_optimizer": "adam",
            "g_lr": 5e-4,
            "d_lr": 5e-4,
        },
        "best_modes <= 4",
        ("no_progress",),
        3_000,
    ),
    "batch-norm-and-penalty": Failure(
        "Batch norm against a gradient penalty",
        "The losses look calm, and orange is spread over the plane or on one side, not in the clusters.",
        "The penalty asks for the slope at each sample, but with batch norm a sample's output depends on the whole "
        "batch. The two pull against each other; layer norm looks at one sample alone.",
        "Gulrajani et al., arXiv 1704.00028, section 4",
        "ring",
        {**_WASSERSTEIN, "penalty": "wgan_gp", "gp_weight": 10.0, "g_lr": 5e-4, "d_lr": 5e-4, "d_norm": "batch"},
        {"d_norm": "none", "gp_weight": 0.1},
        "mean(modes) <= 4",
        ("batch_norm_and_penalty",),
        3_000,
    ),
    "memorizing": Failure(
        "Few images, memorized",
        "D trusts the images that it is trained on more than other real ones, and the gap grows.",
        "With 32 images the discriminator can memorize each of them, and then has nothing to teach. Augmentation "
        "shows it each image in many versions.",
        "Karras et al., arXiv 2006.06676; Zhao et al., arXiv 2006.10738",
        "digits",
        {**_DIGITS, "data_size": 32, "penalty": "none"},
        {"augment": "diffaugment"},
        "memorized > 0.25",
        ("memorizing",),
        1_500,
    ),
    "digits-all-alike": Failure(
        "Mode collapse of images",
        "The same few shapes again and again, in every row.",
        "The generator learns twenty times as fast as the discriminator, and one shape that passes is enough. Recall, "
        "which measures variety, is 0 while single images may look fine.",
        "Kynkäänniemi et al., arXiv 1904.06991",
        "digits",
        {**_PLAIN_DIGITS, "g_lr": 4e-3, "d_lr": 2e-4},
        {"g_lr": 2e-3, "d_lr": 2e-3, "loss": "relativistic", "penalty": "r1", "g_beta_1": 0.0, "d_beta_1": 0.0},
        "recall < 0.1",
        ("mode_collapse",),
        1_000,
    ),
}


def config_named(name: str) -> GANConfig:
    """The settings of a preset or of a failure; raises ConfigError where there is none of this name."""
    if name in PRESETS:
        return PRESETS[name].config
    if name in FAILURES:
        return FAILURES[name].config
    known = f"{', '.join(PRESETS)}; and, to see it fail: {', '.join(FAILURES)}"
    raise ConfigError(f"There is no preset {shorten(name)}; there are: {known}.")
