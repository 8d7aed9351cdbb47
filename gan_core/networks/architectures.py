"""The networks, as plans: lists of layers (layers/) that keras_models.py builds. `ARCHITECTURES` is their registry.

`plan(config, shape) -> (generator, discriminator)`, each a list of layers. The generator maps a
vector [batch, latent_dim (+ classes)] to samples [batch, *shape] in training units, the discriminator maps samples to
logits [batch, 1]; its last layer is the Dense one that makes the logit. A plan knows no Keras, so the page can say
what a network costs before any process has imported TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter, Settings
from gan_core.networks import network_hyperparameters as own
from gan_core.networks.layers import (
    NORM_LAYERS,
    Activation,
    Conv,
    ConvTransposed,
    Dense,
    Dropout,
    Flatten,
    MinibatchStd,
    PixelShuffle,
    PixelUnshuffle,
    Plan,
    Pool,
    Reshape,
    Residual,
    Upsample,
    Weighted,
    activation,
    measure,
)


@dataclass(frozen=True)
class Architecture:
    """A row of the registry.

    knobs: its own hyperparameters, by flat name: what shapes it beside the latent ones. dense: no convolutions, so XLA
    runs it fastest on a CPU. images_only: makes no points. sides: the picture sizes it can make, None for any.
    batch_norm_in_d: whether its discriminator always has batch norm. d_norm_idle: settings -> why the discriminator's
    chosen normalization does nothing, "" where it acts. refuses: settings -> (the one to take back, why)
    of each combination that it cannot be built with. models: (settings, shape) -> (generator, discriminator), Keras
    models, in the place of a plan, which is None then; what a step costs is known only once it trains.
    """

    plan: Callable[[Settings, tuple[int, ...]], tuple[Plan, Plan]] | None
    description: str
    knobs: dict[str, Hyperparameter] = field(default_factory=dict)
    dense: bool = False
    images_only: bool = True
    sides: tuple[int, ...] | None = None
    batch_norm_in_d: bool = False
    d_norm_idle: Callable[[Settings], str] = lambda settings: ""
    refuses: Callable[[Settings], list[tuple[str, str]]] = lambda settings: []
    models: Callable[[Settings, tuple[int, ...]], tuple[Any, Any]] | None = None


def _normed(layer: Weighted, norm: str, bend: str) -> Plan:
    """A weighted layer with its normalisation and the activation named `bend`."""
    after = activation(bend)
    layer = layer.widened(after.pieces)
    if norm == "spectral":
        return [replace(layer, norm="spectral"), after]
    return [layer, *([NORM_LAYERS[norm]] if norm != "none" else []), after]


def _first(layer: Weighted, norm: str, bend: str) -> Plan:
    """The discriminator's first layer: batch and layer norm would wipe out the picture's own level (DCGAN)."""
    return _normed(layer, norm if norm == "spectral" else "none", bend)


def _dropout(rate: float) -> Plan:
    return [Dropout(rate)] if rate > 0 else []


def mlp(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """Dense layers with one activation between them."""
    c = config
    generator: Plan = []
    for _ in range(c.g_layers):
        generator += _normed(Dense(c.g_units), c.g_norm, c.g_activation)
    generator.append(Dense(math.prod(shape)))
    if c.g_output != "linear":
        generator.append(Activation(c.g_output))
    discriminator: Plan = []
    if len(shape) > 1:
        generator.append(Reshape(shape))
        discriminator.append(Flatten())
    for i in range(c.d_layers):
        block = _first if i == 0 else _normed
        discriminator += block(Dense(c.d_units), c.d_norm, c.d_activation) + _dropout(c.dropout)
    discriminator.append(_logit(c))
    return generator, discriminator


def _logit(c: Settings) -> Dense:
    return Dense(1, "spectral" if c.d_norm == "spectral" else "none")


def _stages(side: int, base: int) -> tuple[int, list[int]]:
    """(the side to start from, filters of each stage from there up): 7-14-28, 4-8-16-32, 6-12-24-48
    or 4-8-16-32-64."""
    start = {28: 7, 48: 6}.get(side, 4)
    count = round(math.log2(side / start))
    return start, [base * 2**i for i in range(count)][::-1]


def _from_z(c: Settings, side: int, filters: int) -> Plan:
    """From z to the generator's first picture, [side, side, filters]."""
    plan = _normed(Dense(side * side * filters), c.g_norm, c.g_activation)
    if c.g_norm not in NORM_LAYERS:
        return [*plan, Reshape((side, side, filters))]
    width = plan[0].output_shape((c.latent_dim,))[0]  # normalised by channel, as DCGAN does
    return [plan[0], Reshape((side, side, width // side**2)), *plan[1:]]


def _convolutional(
    config: Settings, shape: tuple[int, ...], grow: Callable[..., Plan], last: Callable[[int], Plan]
) -> tuple[Plan, Plan]:
    """DCGAN's shape: the generator grows by stages that halve the filters, the discriminator mirrors it."""
    c, (side, _, channels) = config, shape
    start, filters = _stages(side, c.filters)
    generator = _from_z(c, start, filters[0])
    for n in filters[1:]:
        generator += grow(n, c.g_norm, c.g_activation)
    generator += [*last(channels), Activation("tanh")]
    discriminator: Plan = []
    for i, n in enumerate(filters[::-1]):
        block = _first if i == 0 else _normed
        discriminator += block(Conv(n, 4, 2), c.d_norm, c.d_activation) + _dropout(c.dropout)
    return generator, [*discriminator, Flatten(), _logit(c)]


def dcgan(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """Strided convolutions both ways (Radford et al., arXiv 1511.06434), kernel 4."""
    return _convolutional(
        config,
        shape,
        lambda n, norm, bend: _normed(ConvTransposed(n, 4), norm, bend),
        lambda channels: [ConvTransposed(channels, 4)],
    )


def dcgan_resize(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """The generator enlarges, then convolves: no checkerboard (Odena et al., distill.pub/2016/deconv-checkerboard)."""
    return _convolutional(
        config,
        shape,
        lambda n, norm, bend: [Upsample(), *_normed(Conv(n, 3), norm, bend)],
        lambda channels: [Upsample(), Conv(channels, 3)],
    )


def coarse(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """Works on 7 x 7 or 8 x 8 places with many channels, which is what a CPU multiplies fastest.

    A pixel shuffle paints the picture from the last convolution's features (sub-pixel convolution, arXiv 1609.05158),
    whose kernel overlaps the patches, so that no seam is seen. The discriminator begins with its reverse, and judges
    with one more stage of half the side and twice the channels.
    """
    c, (side, _, channels) = config, shape
    start = 7 if side == 28 else 8
    patch = side // start
    generator = [*_from_z(c, start, c.filters), *_normed(Conv(c.filters, 3), c.g_norm, c.g_activation)]
    generator += [Conv(patch**2 * channels, 3), PixelShuffle(patch), Activation("tanh")]
    discriminator: Plan = [PixelUnshuffle(patch), *_first(Conv(c.filters, 3), c.d_norm, c.d_activation)]
    discriminator += _dropout(c.dropout)
    for stage in (Conv(c.filters, 3), Conv(2 * c.filters, 3, 2)):
        discriminator += _normed(stage, c.d_norm, c.d_activation) + _dropout(c.dropout)
    return generator, [*discriminator, Flatten(), _logit(c)]


def resnet(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """Small residual networks without normalisation, one block a stage (in the manner of R3GAN, arXiv 2501.05441)."""
    c, (side, _, channels) = config, shape
    start, filters = _stages(side, c.filters)
    generator: Plan = [Dense(start * start * filters[0]), Reshape((start, start, filters[0]))]
    for n in [*filters[1:], filters[-1]]:
        main = (activation(c.g_activation), Upsample(), Conv(n, 3), activation(c.g_activation), Conv(n, 3))
        generator.append(Residual(main, (Conv(n, 1), Upsample())))
    generator += [activation(c.g_activation), Conv(channels, 3), Activation("tanh")]
    discriminator: Plan = [Conv(filters[-1], 3)]
    for n in filters[::-1]:
        main = (activation(c.d_activation), Conv(n, 3), activation(c.d_activation), Conv(n, 3), Pool())
        discriminator.append(Residual(main, (Pool(), Conv(n, 1))))
    discriminator += [activation(c.d_activation), *_dropout(c.dropout), Flatten(), Dense(1)]
    return generator, discriminator


def tutorial_conv(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """The source tutorial's small convolutional pair, its strides and output corrected (presets.py says how)."""
    generator: Plan = [Dense(128), Activation("relu"), Reshape((4, 4, 8)), ConvTransposed(64, 4, 1), Activation("relu")]
    generator += [ConvTransposed(shape[2], 4, 7), Activation("tanh")]
    return generator, [Conv(64, 4, 2), Activation("leaky_relu"), Flatten(), Dense(1)]


def tutorial_rgb(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """The source tutorial's networks for 28 x 28 x 3, its strides corrected."""
    generator: Plan = [Dense(7 * 7 * 128), Activation("relu"), Reshape((7, 7, 128))]
    discriminator: Plan = []
    for _ in range(2):
        generator += _normed(ConvTransposed(128, 5), "batch", "relu")
        discriminator += _normed(Conv(128, 5, 2), "batch", "leaky_relu")
    return [*generator, Conv(shape[2], 5), Activation("tanh")], [*discriminator, Flatten(), Dense(1)]


def tutorial_dcgan64(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """The source tutorial's DCGAN for 64 x 64 x 3: 12.7 million weights in the generator."""
    generator = [*_normed(Dense(4 * 4 * 1024), "batch", "leaky_relu"), Reshape((4, 4, 1024))]
    for n in (512, 256, 128):
        generator += _normed(ConvTransposed(n, 4), "batch", "leaky_relu")
    discriminator: Plan = [Conv(64, 4, 2), Activation("leaky_relu")]
    for n in (128, 256, 512):
        discriminator += _normed(Conv(n, 4, 2), "batch", "leaky_relu")
    return [*generator, ConvTransposed(shape[2], 4), Activation("tanh")], [*discriminator, Flatten(), Dense(1)]


def _refused_by_mlp(c: Settings) -> list[tuple[str, str]]:
    if c.g_norm == "spectral" and c.g_layers == 0:
        why = "with g_layers=0 there is only the output, which is never normalized."
        return [("g_norm", f"g_norm=spectral needs a generator with hidden layers: {why}")]
    return []


def _refused_by_resnet(c: Settings) -> list[tuple[str, str]]:
    maxout = [name for name in ("g_activation", "d_activation") if getattr(c, name) == "maxout"]
    return [(name, f"{name}=maxout does not fit resnet, whose blocks keep their width.") for name in maxout]


_SIDES = (28, 32, 48, 64)
ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture(
        mlp,
        "dense layers; right for points, and a start for small images",
        own.dense(),
        dense=True,
        images_only=False,
        d_norm_idle=lambda c: (
            "no hidden layer follows the first, which has none"
            if c.d_layers <= 1 and c.d_norm in ("batch", "layer")
            else ""
        ),
        refuses=_refused_by_mlp,
    ),
    "dcgan": Architecture(
        dcgan, "strided convolutions; the usual choice for images", own.convolutional(), sides=_SIDES
    ),
    "dcgan_resize": Architecture(
        dcgan_resize,
        "enlarges, then convolves: no checkerboard pattern, slower",
        own.convolutional(),
        sides=_SIDES,
    ),
    "coarse": Architecture(
        coarse,
        "many channels at 7 x 7 or 8 x 8: the best images that a CPU makes in a minute",
        own.convolutional(),
        sides=_SIDES,
    ),
    "resnet": Architecture(
        resnet,
        "residual blocks without normalization; good and slow",
        own.convolutional(normalised=False),
        sides=_SIDES,
        refuses=_refused_by_resnet,
    ),
    "tutorial_conv": Architecture(tutorial_conv, "the tutorial's small pair for 28 x 28", sides=(28,)),
    "tutorial_rgb": Architecture(
        tutorial_rgb, "the tutorial's pair for 28 x 28 in colour; heavy", sides=(28,), batch_norm_in_d=True
    ),
    "tutorial_dcgan64": Architecture(
        tutorial_dcgan64,
        "the tutorial's DCGAN for 64 x 64; very heavy on a CPU",
        sides=(64,),
        batch_norm_in_d=True,
    ),
}


def plans(config: Settings, shape: tuple[int, ...]) -> tuple[Plan, Plan]:
    """Both plans of the config for samples of `shape`, empty for an architecture that has none.

    Raises ConfigError where the two do not go together.
    """
    row = ARCHITECTURES[config.architecture]
    if row.images_only and row.sides is None and len(shape) != 3:
        raise ConfigError(f"The architecture {config.architecture} makes images, but the data are points.")
    if row.sides is not None and (len(shape) != 3 or shape[0] not in row.sides or shape[0] != shape[1]):
        made = " or ".join(f"{side} x {side}" for side in row.sides)
        have = " x ".join(str(n) for n in shape[:2]) + " pixels" if len(shape) == 3 else "points"
        raise ConfigError(
            f"The architecture {config.architecture} makes images of {made} pixels, but the data are {have}."
        )
    if row.plan is None:
        return [], []
    generator, discriminator = row.plan(config, shape)
    if config.minibatch_std:
        discriminator.insert(-1, MinibatchStd())
    return generator, discriminator


def packed(shape: tuple[int, ...], packing: int) -> tuple[int, ...]:
    """The shape of what the discriminator judges: `packing` samples side by side, in the last dimension."""
    return (*shape[:-1], packing * shape[-1])


def parameter_counts(config: Settings, shape: tuple[int, ...]) -> tuple[int, int]:
    """(generator's, discriminator's) parameters, without classes."""
    generator, discriminator = plans(config, shape)
    return (
        measure(generator, (config.latent_dim,))[1],
        measure(discriminator, packed(shape, config.packing))[1],
    )
