"""`RECIPES`: the objective, optimizers and stabilisers of well-known papers, as settings to apply to any data.

A recipe sets every knob of that kind, those that its paper does not use to off, and leaves data, sizes and seed alone;
`pacgan2` and `original` also set their networks for points. Where a paper's values are for pictures and its authors
used others for points, `points` holds those.
"""

from dataclasses import dataclass, field
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.settings.config import GANConfig


@dataclass(frozen=True)
class Recipe:
    """A row of the registry. settings: flat names; points, images: what is different there."""

    description: str
    source: str
    settings: dict[str, Any]
    points: dict[str, Any] = field(default_factory=dict)
    images: dict[str, Any] = field(default_factory=dict)

    def of(self, config: GANConfig) -> GANConfig:
        """`config` under this recipe; raises ConfigError where the two do not go together."""
        own = self.images if DATASETS[config.data].kind == "images" else self.points
        return config.updated({**OFF, **self.settings, **own})


def _adam(rate: float, beta_1: float, beta_2: float) -> dict[str, Any]:
    both = {"optimizer": "adam", "lr": rate, "beta_1": beta_1, "beta_2": beta_2}
    return {f"{side}_{name}": value for side in "gd" for name, value in both.items()}


def _norms(generator: str, discriminator: str) -> dict[str, Any]:
    return {"g_norm": generator, "d_norm": discriminator}


# What a recipe does not name: off, or what the field takes when a paper is silent.
OFF: dict[str, Any] = {
    "loss": "non_saturating",
    "penalty": "none",
    "d_steps": 1,
    "g_steps": 1,
    "schedule": "constant",
    "schedule_floor": 0.0,
    "g_activation": "relu",
    "d_activation": "leaky_relu",
    **_norms("none", "none"),
    **_adam(2e-4, 0.5, 0.999),
    "g_momentum": 0.0,
    "d_momentum": 0.0,
    "dropout": 0.0,
    "weight_clip": 0.0,
    "unroll": 0,
    "packing": 1,
    "minibatch_std": False,
    "label_smoothing": 0.0,
    "label_noise": 0.0,
    "instance_noise": 0.0,
    "grad_clip": 0.0,
    "z_dist": "normal",
    "show_ema": False,
}

RECIPES: dict[str, Recipe] = {
    "original": Recipe(
        "the first GAN: the minimax game, momentum SGD, a maxout discriminator with dropout. Easily stalls: that is "
        "what the later ones mend",
        "arXiv 1406.2661, Algorithm 1; rates from its code",
        {
            "loss": "minimax",
            "g_optimizer": "sgd",
            "d_optimizer": "sgd",
            "g_lr": 0.1,
            "d_lr": 0.1,
            "g_momentum": 0.5,
            "d_momentum": 0.5,
            "d_activation": "maxout",
            "dropout": 0.5,
            "z_dist": "uniform",
            "batch_size": 100,
        },
    ),
    "dcgan": Recipe(
        "batch norm, Adam 2e-4 with beta_1 0.5, z of 100 uniform numbers",
        "arXiv 1511.06434, section 4",
        {**_norms("batch", "batch"), "z_dist": "uniform", "latent_dim": 100, "batch_size": 128},
    ),
    "lsgan": Recipe(
        "least squares, batch norm, Adam 1e-3 with beta_1 0.5",
        "arXiv 1611.04076, section 4.1",
        {"loss": "least_squares", **_norms("batch", "batch"), **_adam(1e-3, 0.5, 0.999), "batch_size": 64},
    ),
    "wgan": Recipe(
        "Wasserstein loss, weights clipped to 0.01, RMSprop 5e-5, 5 discriminator steps",
        "arXiv 1701.07875, Algorithm 1",
        {
            "loss": "wasserstein",
            "weight_clip": 0.01,
            "g_optimizer": "rmsprop",
            "d_optimizer": "rmsprop",
            "g_lr": 5e-5,
            "d_lr": 5e-5,
            "d_steps": 5,
            "batch_size": 64,
        },
        images=_norms("batch", "batch"),
    ),
    "wgan_gp": Recipe(
        "Wasserstein loss with the gradient penalty, 5 discriminator steps, Adam 1e-4",
        "arXiv 1704.00028, Algorithm 1; for points the authors' toy code",
        {
            "loss": "wasserstein",
            "penalty": "wgan_gp",
            "gp_weight": 10.0,
            **_adam(1e-4, 0.0, 0.9),
            "d_steps": 5,
            "batch_size": 64,
        },
        points={"gp_weight": 0.1, **_adam(1e-4, 0.5, 0.9), "batch_size": 256},
        images=_norms("batch", "none"),
    ),
    "sngan": Recipe(
        "hinge loss, spectral norm in the discriminator, Adam 2e-4 with betas 0 and 0.9, 5 discriminator steps",
        "arXiv 1802.05957, the setting of its ResNets",
        {
            "loss": "hinge",
            "d_norm": "spectral",
            **_adam(2e-4, 0.0, 0.9),
            "d_steps": 5,
            "batch_size": 64,
        },
        images={"g_norm": "batch"},
    ),
    "pacgan2": Recipe(
        "the discriminator judges two samples at once. For points the paper's networks too: 4 x 400 with batch norm "
        "against 3 x 200 maxout; 100 packs a batch",
        "arXiv 1712.04086, section 4.1 and its code",
        {"packing": 2, "conditional": False, **_adam(1e-4, 0.8, 0.999), "batch_size": 200, "latent_dim": 2},
        points={
            "g_norm": "batch",
            "g_layers": 4,
            "g_units": 400,
            "d_layers": 3,
            "d_units": 200,
            "d_activation": "maxout",
        },
        images={
            **_norms("batch", "batch"),
            **_adam(2e-4, 0.5, 0.999),
            "batch_size": 128,
            "latent_dim": 100,
            "z_dist": "uniform",
        },
    ),
    "r3gan": Recipe(
        "relativistic pairs with R1 + R2, no normalization, beta_1 0, an averaged generator. Only the learning rates "
        "fall, to a quarter. Left out: over 20 million images the paper's code also lets the weight of R1 and R2 fall "
        "from 0.05 to 0.005 and beta_2 rise from 0.9 to 0.99 (here 0.05 and 0.99 throughout), and the half-life of the "
        "average rise from 0 to 5 million images",
        "arXiv 2501.05441, section 4 and its settings for CIFAR-10",
        {
            "loss": "relativistic",
            "penalty": "r1_r2",
            "gp_weight": 0.05,
            "g_activation": "leaky_relu",
            **_adam(2e-4, 0.0, 0.99),
            "schedule": "cosine",
            "schedule_floor": 0.25,
            "ema_decay": 0.999,
            "show_ema": True,
        },
    ),
}
