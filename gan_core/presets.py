"""`PRESETS`: named starting points, one for each data set, and the tutorials'."""

from dataclasses import dataclass

from gan_core.config import GANConfig


@dataclass(frozen=True)
class Preset:
    """A row of the registry."""

    config: GANConfig
    description: str


# Relativistic loss with R1 + R2 (R3GAN's recipe): the one that keeps all modes, see the README's figures.
_STABLE = {
    "loss": "relativistic",
    "penalty": "r1_r2",
    "gp_weight": 0.1,
    "g_lr": 1e-3,
    "d_lr": 1e-3,
    "ema_decay": 0.998,
    "batch_size": 256,
    "g_units": 64,
    "d_units": 64,
}


# The networks that the source tutorials share: 157,954 and 132,609 parameters, cross-entropy, no averaging.
_TUTORIAL = {
    "latent_dim": 100,
    "g_layers": 3,
    "g_units": 256,
    "g_activation": "relu",
    "d_layers": 3,
    "d_units": 256,
    "d_activation": "leaky_relu",
    "loss": "non_saturating",
    "g_lr": 2e-4,
    "d_lr": 2e-4,
    "batch_size": 64,
    "data_size": 10_000,
    "show_ema": False,
}


def _preset(description: str, **settings) -> Preset:
    return Preset(GANConfig.from_flat({**_STABLE, **settings}), description)


def _tutorial(description: str, **settings) -> Preset:
    return Preset(GANConfig.from_flat({**_TUTORIAL, **settings}), description)


PRESETS: dict[str, Preset] = {
    "ring": _preset("8 modes on a circle, all found and kept", data="ring"),
    "grid": _preset("25 modes, all found", data="grid", gp_weight=0.02),
    "gaussian": _preset("one blob", data="gaussian"),
    "disc": _preset("a disc with a hard edge", data="disc"),
    "moons": _preset("two half circles", data="moons"),
    "circles": _preset("a circle in a circle", data="circles"),
    "swiss_roll": _preset("a rolled-up curve", data="swiss_roll"),
    "spirals": _preset("two winding arms", data="spirals"),
    "pinwheel": _preset("five twisted blades", data="pinwheel"),
    "checkerboard": _preset("hard edges everywhere", data="checkerboard"),
    "line": _preset("a segment", data="line"),
    "tutorial-disc": _tutorial(
        "the tutorial's uniform disc: 3 x 256 networks, tanh output, Adam 2e-4, batch 64",
        data="disc",
        g_output="tanh",
    ),
    "tutorial-gaussian": _tutorial(
        "the tutorial's N(0, 0.5²): z uniform, label noise 0.1, d_steps 2; output made linear, for tanh cannot "
        "reach the 9 % of points beyond ±1",
        data="gaussian",
        z_dist="uniform",
        label_noise=0.1,
        d_steps=2,
    ),
}
