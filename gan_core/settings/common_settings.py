"""What all runs have: a field for each setting, with its range and its help, and for each choice from a registry."""

from dataclasses import dataclass
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import Settings
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES
from gan_core.settings.fields import choice, knob_field, learning_rate, optimizer


def _points_only(c: Settings) -> str:
    return "" if DATASETS[c.data].kind == "images" else "points have no classes"


def _not_augmented(c: Settings) -> str:
    return "" if DATASETS[c.data].kind == "images" else "only images are augmented"


def _all_are_used(c: Settings) -> str:
    row = DATASETS[c.data]
    if row.upload and row.kind == "points":
        return "all points of the file are used"
    few = row.finite and row.most is not None and c.data_size >= row.most
    return f"{c.data} has {row.most} points, and all are used" if few else ""


def _one_choice(c: Settings) -> str:
    makers = [name for name, row in ARCHITECTURES.items() if not row.images_only]
    return "" if DATASETS[c.data].kind == "images" or len(makers) > 1 else f"only {makers[0]} makes points"


def _looks_at_labels(c: Settings) -> str:
    return "" if LOSSES[c.loss].labels else f"the loss {c.loss} looks at no labels"


_WITH_LABELS = "the loss " + " or ".join(name for name, row in LOSSES.items() if row.labels)


@dataclass(frozen=True, init=False)
class CommonSettings:
    """The settings that every run has, with their ranges and helps, and the choices from registries.

    `data_params` holds only the parameters that the data set has, all of them. `own` holds what rows bring, where it is
    not at its default, sorted by name.
    """

    data: str = choice(
        "ring", DATASETS, "Data set", "Data", "The distribution that the generator learns. Real data are blue."
    )
    data_params: tuple[tuple[str, Any], ...] = ()
    data_size: int = knob_field(
        int,
        20_000,
        "Training samples",
        "Data",
        "How many real samples there are to learn from. With few samples the discriminator can memorize them "
        "(overfitting).",
        low=16,
        high=200_000,
        log=True,
        needs="data of more points, and not your own",
        idle=_all_are_used,
    )
    g_lr: float = learning_rate(
        "Generator learning rate",
        "Step size of the generator. Too high: samples jump about or fly off. Too low: nothing moves. Usual: 1e-4 to "
        "2e-3.",
    )
    d_lr: float = learning_rate(
        "Discriminator learning rate",
        "Step size of the discriminator. Too high: it wins and the generator gets no direction. Too low: the generator "
        "chases an outdated opponent. Usual: 1e-4 to 2e-3.",
    )
    loss: str = choice(
        "non_saturating",
        LOSSES,
        "Loss",
        "Loss and penalty",
        "What each network minimizes. It decides how strong the generator's gradients are while it is still bad, and "
        "so how easily training stalls or ends in mode collapse.",
    )
    d_steps: int = knob_field(
        int,
        1,
        "Discriminator steps",
        "Learning rates",
        "Discriminator updates per round. Higher: better directions for the generator, but slower; too high, and the "
        "discriminator wins. 0: it is frozen. Usual: 1, with a Wasserstein loss 5.",
        low=0,
        high=10,
        live=True,
    )
    g_steps: int = knob_field(
        int,
        1,
        "Generator steps",
        "Learning rates",
        "Generator updates per round. More than 1 lets the generator run into whatever the discriminator likes now: "
        "often mode collapse. 0: it is frozen. Usual: 1.",
        low=0,
        high=10,
        live=True,
    )
    schedule: str = choice(
        "constant",
        SCHEDULES,
        "Learning rate schedule",
        "Learning rates",
        "How both learning rates change over the steps. Falling rates let the networks settle on fine detail. Too "
        "short a schedule freezes what is not learned yet.",
        live=True,
    )
    latent_dim: int = knob_field(
        int,
        2,
        "Latent dimension",
        "Generator",
        "Length of z, the generator's random input. With 1 or 2 you can see the manifold, but separate modes are hard "
        "to reach. More is easier.",
        low=1,
        high=128,
        log=True,
    )
    z_dist: str = choice(
        "normal",
        {"normal": "z from N(0, 1)", "uniform": "z uniform in [-1, 1]"},
        "z distribution",
        "Generator",
        "What z is drawn from. normal has no edges and some far values; uniform has hard edges.",
    )
    architecture: str = choice(
        "mlp",
        ARCHITECTURES,
        "Architecture",
        "Networks",
        "The kind of networks. Convolutions know that neighbouring pixels belong together; dense layers must learn it. "
        "Large ones are slow on a CPU.",
        needs="images",
        idle=_one_choice,
        quiet=True,
    )
    conditional: bool = knob_field(
        bool,
        False,
        "Conditional",
        "Networks",
        "Both networks are told the class, so you choose what is generated. Needs labelled data. With few images of "
        "each class the discriminator can memorize them (overfitting).",
        needs="images",
        idle=_points_only,
    )
    g_optimizer: str = optimizer(OPTIMIZERS, "Generator")
    d_optimizer: str = optimizer(OPTIMIZERS, "Discriminator")
    penalty: str = choice(
        "none",
        PENALTIES,
        "Gradient penalty",
        "Loss and penalty",
        "An extra loss that keeps the discriminator's gradient small or near 1. Training is more stable and keeps more "
        "modes. Without it the generator may get no useful gradient.",
    )
    weight_clip: float = knob_field(
        float,
        0.0,
        "Weight clipping",
        "Loss and penalty",
        "After each update every weight of the discriminator is cut to ± this. 0: off. The original WGAN used 0.01 to "
        "limit its gradient. Too small: it can say little.",
        stops=(0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
        low=0.0,
        high=1.0,
        live=True,
    )
    unroll: int = knob_field(
        int,
        0,
        "Unrolled steps",
        "Loss and penalty",
        "The generator looks this many discriminator updates ahead (unrolled GAN), so it stops chasing one mode after "
        "another. Each takes about as long as a step. 0: off.",
        low=0,
        high=5,
    )
    packing: int = knob_field(
        int,
        1,
        "Packing",
        "Batch and seed",
        "The discriminator judges this many samples at once (PacGAN), so it notices when they are all alike. 2 is "
        "usual; more is harder to learn. The batch size must be a multiple of it.",
        low=1,
        high=4,
    )
    minibatch_std: bool = knob_field(
        bool,
        False,
        "Minibatch standard deviation",
        "Discriminator",
        "One more feature for the discriminator: how much the samples of a batch differ. It notices mode collapse, but "
        "can also win by this number alone.",
    )
    batch_size: int = knob_field(
        int,
        256,
        "Batch size",
        "Batch and seed",
        "Samples per update. Small: noisy, and may not show every mode. Large: steady and slow. Usual: 64 to 256.",
        low=8,
        high=1024,
        log=True,
    )
    label_smoothing: float = knob_field(
        float,
        0.0,
        "Label smoothing",
        "Stabilizers",
        "The label of real samples becomes 1 minus this (one-sided). A little keeps the discriminator from being too "
        "sure. Too high: it cannot tell them apart. Usual: 0 to 0.1.",
        low=0.0,
        high=0.5,
        live=True,
        needs=_WITH_LABELS,
        idle=_looks_at_labels,
    )
    label_noise: float = knob_field(
        float,
        0.0,
        "Label noise",
        "Stabilizers",
        "Every label is moved by uniform noise of ± this. A little helps against an overconfident discriminator. Too "
        "high: its signal is lost. Usual: 0 to 0.1.",
        low=0.0,
        high=0.5,
        live=True,
        needs=_WITH_LABELS,
        idle=_looks_at_labels,
    )
    instance_noise: float = knob_field(
        float,
        0.0,
        "Instance noise",
        "Stabilizers",
        "Standard deviation of noise on every sample that the discriminator sees. Some makes real and generated "
        "overlap, so that gradients exist. Too high: details stay blurred.",
        stops=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1),
        low=0.0,
        high=1.0,
        live=True,
    )
    instance_noise_steps: int = knob_field(
        int,
        20_000,
        "Instance noise ends at step",
        "Stabilizers",
        "Instance noise falls in a straight line to 0 at this step. Too low: it does not help. Too high: details stay "
        "blurred for long.",
        low=100,
        high=1_000_000,
        log=True,
        live=True,
        needs="instance_noise above 0",
        idle=lambda c: "" if c.instance_noise > 0 else "instance_noise is 0",
        quiet=True,
    )
    augment: str = choice(
        "none",
        AUGMENTATIONS,
        "Augmentation",
        "Augmentation",
        "Moves the pictures that the discriminator sees, real and generated ones alike, so that it cannot memorize a "
        "few real ones. Helps with few data. With many it costs some quality and time.",
        needs="images",
        idle=_not_augmented,
    )
    grad_clip: float = knob_field(
        float,
        0.0,
        "Gradient clipping",
        "Stabilizers",
        "Largest gradient norm of a network; larger gradients are scaled down. Stops sudden jumps. Too small: very "
        "slow. 0: off.",
        stops=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100),
        low=0.0,
        high=100.0,
        live=True,
    )
    ema_decay: float = knob_field(
        float,
        0.99,
        "EMA decay",
        "Stabilizers",
        "Averages the generator's weights over time (exponential moving average, EMA). Higher: steadier, slower to "
        "follow. 0: no average. Usual: 0.99 to 0.999.",
        stops=(0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999),
        low=0.0,
        high=0.9999,
        live=True,
    )
    show_ema: bool = knob_field(
        bool,
        True,
        "Show the averaged generator (EMA)",
        "Stabilizers",
        "On: samples and scores come from the averaged generator. Off: from the current generator, which changes with "
        "every step. Training is the same.",
        live=True,
        needs="ema_decay above 0",
        idle=lambda c: "" if c.ema_decay > 0 else "ema_decay=0 keeps no average",
    )
    seed: int = knob_field(
        int,
        0,
        "Seed",
        "Batch and seed",
        "Fixes data, initial weights and every random draw: the same seed and settings give the same run.",
        low=0,
        high=2**31 - 1,
    )
    own: tuple[tuple[str, Any], ...] = ()
