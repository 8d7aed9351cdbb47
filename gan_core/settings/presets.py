"""`PRESETS`: named settings that work, at least one for each data set, and those of the tutorials."""

from dataclasses import dataclass

from gan_core.data.datasets import DATASETS
from gan_core.settings.config import GANConfig


@dataclass(frozen=True)
class Preset:
    """A row of the registry. title: what a tutorial's example is called."""

    config: GANConfig
    description: str
    title: str = ""

    @property
    def kind(self) -> str:
        """`points` or `images`: which page shows it."""
        return DATASETS[self.config.data].kind


# Relativistic loss with R1 + R2 (R3GAN's recipe): the one that keeps all modes, see docs/figures.md.
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

# Falling rates put the last percents of the samples into the modes; a twentieth is left, so that settings still act.
_SETTLING = {"schedule": "cosine", "schedule_steps": 40_000, "schedule_floor": 0.05}

# What the source tutorials share: cross-entropy, z of 100 numbers, one update of each network, no averaging.
_TUTORIAL = {
    "latent_dim": 100,
    "loss": "non_saturating",
    "penalty": "none",
    "g_lr": 2e-4,
    "d_lr": 2e-4,
    "g_beta_1": 0.5,
    "d_beta_1": 0.5,
    "batch_size": 64,
    "show_ema": False,
    "architecture": "dcgan",
}
# Their dense networks: 157,954 and 132,609 parameters for points.
_DENSE = {
    "architecture": "mlp",
    "g_layers": 3,
    "g_units": 256,
    "g_activation": "relu",
    "d_layers": 3,
    "d_units": 256,
    "d_activation": "leaky_relu",
}
_POINTS = {**_TUTORIAL, **_DENSE, "data_size": 10_000}
_ADAM_DEFAULTS = {"g_lr": 1e-3, "d_lr": 1e-3, "g_beta_1": 0.9, "d_beta_1": 0.9}

# Networks that a CPU multiplies fast, with many channels at 7 x 7: docs/figures.md has what they were measured against.
_COARSE = {"architecture": "coarse", "filters": 48, "batch_size": 32, "ema_decay": 0.995}


def _preset(base: dict, description: str, title: str = "", **settings) -> Preset:
    return Preset(GANConfig.from_flat({**base, **settings}), description, title)


def _ours(description: str, **settings) -> Preset:
    return _preset(_STABLE, description, **settings)


def _image(description: str, **settings) -> Preset:
    return _preset({}, description, **settings)  # the defaults of images are their recipe, see config.py


PRESETS: dict[str, Preset] = {
    "ring": _ours("8 modes on a circle, all found and kept", data="ring", **_SETTLING),
    "grid": _ours("25 modes, all found", data="grid", gp_weight=0.02, **_SETTLING),
    "gaussian": _ours("a single Gaussian", data="gaussian"),
    "disc": _ours("a disc with a hard edge", data="disc"),
    "moons": _ours("two half circles", data="moons"),
    "circles": _ours("a circle in a circle", data="circles"),
    "swiss_roll": _ours("a rolled-up curve", data="swiss_roll"),
    "spirals": _ours("two winding arms", data="spirals"),
    "pinwheel": _ours("five twisted blades", data="pinwheel"),
    "checkerboard": _ours("hard edges everywhere", data="checkerboard"),
    "line": _ours("a segment", data="line"),
    "drawn": _ours("what you draw yourself; a heart to begin with", data="drawn"),
    "iris": _ours("petals of 150 irises: few points, two groups", data="iris"),
    "wine": _ours("178 wines by two of their measurements", data="wine"),
    "breast_cancer": _ours("569 tumours by two of their measurements", data="breast_cancer"),
    "digits": _image(
        "small handwritten digits, one class in each row; needs no internet", data="digits", conditional=True
    ),
    "mnist": _image("handwritten digits", data="mnist", **_COARSE),
    "fashion_mnist": _image("pieces of clothing", data="fashion_mnist"),
    "mnist_rgb": _image("handwritten digits in colour", data="mnist_rgb", **_COARSE),
    "stacked_mnist": _image(
        "three digits in one image: are all 1,000 combinations generated?", data="stacked_mnist", filters=24
    ),
    "mnist_conditional": _image(
        "you choose the digit: both networks are told the class", data="mnist", conditional=True
    ),
    "shapes": _image("circles, squares and triangles whose place, size and tone are known", data="shapes"),
    "shapes_rgb": _image("the same in colour, 32 x 32", data="shapes_rgb", filters=24),
    "cifar10": _image("photographs of ten classes: hard, and slow on a CPU", data="cifar10", filters=32),
    "tutorial-gaussian": _preset(
        _POINTS,
        "Points from N(0, 0.5²), z uniform, label noise 0.1, two discriminator steps. Corrected: the output is linear, "
        "because tanh cannot reach the 9 % of points beyond ±1",
        title="1. One Gaussian",
        data="gaussian",
        z_dist="uniform",
        label_noise=0.1,
        d_steps=2,
    ),
    "tutorial-disc": _preset(
        _POINTS,
        "Points uniform in the unit disc; dense 3 x 256 networks of 157,954 and 132,609 parameters, tanh output, "
        "Adam 2e-4, batch 64. Corrected: the discriminator returns a logit, and the loss reads it as one",
        title="2. Points in a disc",
        data="disc",
        g_output="tanh",
    ),
    "tutorial-mnist-mlp": _preset(
        {**_TUTORIAL, **_DENSE},
        "MNIST as vectors of 784 values in [-1, 1]; as example 2, with 784 pixels instead of 2 coordinates; batch 256. "
        "Corrected: the discriminator returns a logit",
        title="3. Dense GAN on MNIST",
        data="mnist",
        batch_size=256,
        g_output="tanh",
    ),
    "tutorial-mnist-conv": _preset(
        {**_TUTORIAL, **_ADAM_DEFAULTS},
        "MNIST with small convolutional networks, Adam's defaults. Corrected: as printed, stride 2 before stride 7 "
        "gives 56 x 56, so the first stride is 1; its ReLU output cannot reach -1, so it is tanh. Kept: a kernel of 4 "
        "with "
        "stride 7 leaves three of seven rows and columns to the bias, a lattice that no training removes",
        title="4. Small convolutional GAN on MNIST",
        data="mnist",
        architecture="tutorial_conv",
    ),
    "tutorial-rgb": _preset(
        {**_TUTORIAL, **_ADAM_DEFAULTS},
        "Digits in colour, 28 x 28 x 3, batch norm in both networks, Adam 1e-3. Corrected: as printed, the strides "
        "end at 14 x 14, and the loop mixes two frameworks and cannot run",
        title="5. Digits in colour",
        data="mnist_rgb",
        architecture="tutorial_rgb",
    ),
    "tutorial-dcgan64": _preset(
        _TUTORIAL,
        "DCGAN for 64 x 64 x 3: 12.7 million weights in the generator, several seconds a step on a CPU. Digits in "
        "colour "
        "replace its photographs, which need a download",
        title="6. DCGAN at 64 x 64",
        data="mnist_rgb",
        architecture="tutorial_dcgan64",
        **{"data.size": "64"},
    ),
    "tutorial-outline": _preset(
        _TUTORIAL,
        "The plain outline of such a tutorial on MNIST with the default DCGAN: cross-entropy from logits, Adam 1e-4 "
        "for "
        "both. Corrected: nothing; it leaves the networks open",
        title="7. Plain DCGAN on MNIST",
        data="mnist",
        g_lr=1e-4,
        d_lr=1e-4,
        g_beta_1=0.9,
        d_beta_1=0.9,
        filters=32,
        g_norm="batch",
        d_norm="batch",
    ),
}
TUTORIALS = tuple(name for name in PRESETS if name.startswith("tutorial-"))
