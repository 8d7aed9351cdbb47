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


def _preset(description: str, **settings) -> Preset:
    return Preset(GANConfig.from_flat({**_STABLE, **settings}), description)


PRESETS: dict[str, Preset] = {
    "ring": _preset("8 modes on a circle, all found and kept", data="ring"),
    "grid": _preset("25 modes, all found", data="grid"),
    "gaussian": _preset("one blob", data="gaussian"),
    "disc": _preset("a disc with a hard edge", data="disc"),
    "moons": _preset("two half circles", data="moons"),
    "circles": _preset("a circle in a circle", data="circles"),
    "swiss_roll": _preset("a rolled-up curve", data="swiss_roll"),
    "spirals": _preset("two winding arms", data="spirals"),
    "pinwheel": _preset("five twisted blades", data="pinwheel"),
    "checkerboard": _preset("hard edges everywhere", data="checkerboard"),
    "line": _preset("a segment", data="line"),
}
