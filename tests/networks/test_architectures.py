"""The plans: what each architecture asks for, what it costs, and which pictures it can make. Without Keras."""

import math
import subprocess
import sys

import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.architectures import ARCHITECTURES, packed, parameter_counts, plans
from gan_core.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    ConvTransposed,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    Maxout,
    MinibatchStd,
    Norm,
    PixelShuffle,
    PixelUnshuffle,
    Pool,
    Pooled,
    Reshape,
    Residual,
    Upsample,
    Upsampled,
    folded,
    measure,
)
from gan_core.networks.network_hyperparameters import ACTIVATIONS, NORMS
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from tests.conftest import ROOT

SMALL = {"data": "digits", "filters": 8, "latent_dim": 5, "g_layers": 2, "g_units": 7, "d_layers": 2, "d_units": 6}
SMALL |= {"g_norm": "none", "d_norm": "none", "dropout": 0, "g_output": "tanh"}
SHAPES = [(side, side, channels) for side in (28, 32, 48, 64) for channels in (1, 3)]


def config_of(**settings):
    return GANConfig.from_flat({**SMALL, **settings})


def accepted(name, shape):
    """Whether the architecture makes samples of `shape`, by its own row."""
    sides = ARCHITECTURES[name].sides
    return sides is None or (len(shape) == 3 and shape[0] in sides)


GOOD = [(name, shape) for name in ARCHITECTURES for shape in SHAPES if accepted(name, shape)]
each_plan = pytest.mark.parametrize("name, shape", GOOD, ids=lambda v: "x".join(map(str, v)) if type(v) is tuple else v)


def flat(plan):
    """Every layer, those of residual branches too."""
    for layer in plan:
        if isinstance(layer, Residual):
            yield from flat(layer.main)
            yield from flat(layer.shortcut)
        else:
            yield layer


# -- measure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer, shape, work, parameters, out",
    [
        (Dense(4), (3,), 12, 16, (4,)),  # 3 * 4 products, 4 biases
        (Dense(4, "spectral"), (3,), 12, 20, (4,)),  # and u of 4
        # 3 * 3 * 2 weights for each of 5 maps, at each of 6 * 6 places
        (Conv(5, 3), (6, 6, 2), 36 * 90, 95, (6, 6, 5)),
        (Conv(5, 3, 2), (6, 6, 2), 9 * 90, 95, (3, 3, 5)),
        (Conv(5, 4, 2), (7, 7, 2), 16 * 160, 165, (4, 4, 5)),  # an odd side is rounded up
        (Conv(5, 3, 1, "spectral"), (6, 6, 2), 36 * 90, 100, (6, 6, 5)),
        # each of the 4 * 4 input places feeds 3 * 3 * 5 outputs from 2 maps
        (ConvTransposed(5, 3), (4, 4, 2), 16 * 90, 95, (8, 8, 5)),
        (ConvTransposed(5, 4, 7), (4, 4, 2), 16 * 160, 165, (28, 28, 5)),
        (ConvTransposed(5, 3, 1, "spectral"), (4, 4, 2), 16 * 90, 100, (4, 4, 5)),
        (BatchNorm(), (4, 4, 3), 0, 12, (4, 4, 3)),  # scale, shift, running mean and variance of each map
        (LayerNorm(), (4, 4, 3), 0, 6, (4, 4, 3)),
        (Activation("relu"), (4,), 0, 0, (4,)),
        (Dropout(0.5), (4,), 0, 0, (4,)),
        (Reshape((2, 2, 3)), (12,), 0, 0, (2, 2, 3)),
        (Flatten(), (2, 2, 3), 0, 0, (12,)),
        (Upsample(), (2, 2, 3), 0, 0, (4, 4, 3)),
        (Pool(), (4, 4, 3), 0, 0, (2, 2, 3)),
        (Maxout(), (10,), 0, 0, (2,)),  # the largest of each 5
        (Maxout(), (4, 4, 15), 0, 0, (4, 4, 3)),
        (PixelShuffle(3), (2, 2, 18), 0, 0, (6, 6, 2)),
        (PixelUnshuffle(3), (6, 6, 2), 0, 0, (2, 2, 18)),
        (MinibatchStd(), (4,), 0, 1, (5,)),  # the running mean of the feature it adds
    ],
    ids=lambda v: str(v).replace(" ", "") if not isinstance(v, int) else "",
)
def test_one_layer_by_hand(layer, shape, work, parameters, out):
    assert measure([layer], shape) == (work, parameters, out)


def test_layers_add_up():
    """3 -> 4 -> 2 x 2 x 1 -> 4 x 4 x 1 -> a convolution of kernel 3 to 2 maps -> a convolution of kernel 1 to 1."""
    plan = [Dense(4), Activation("relu"), Reshape((2, 2, 1)), Upsample(), Conv(2, 3), Conv(1, 1)]
    enlarged = 4 * 16 * 2  # each of 2 x 2 places feeds 4 x 4 x 2 outputs: enlarging is in the kernel
    assert measure(plan, (3,)) == (12 + enlarged + 16 * 2, 16 + 20 + 3, (4, 4, 1))


def test_changes_of_size_are_folded_into_the_convolution_beside_them():
    conv, other = Conv(2, 3), Conv(2, 4, 2)
    assert folded([Upsample(), conv, Upsample(), other]) == [Upsampled(conv), Upsample(), other]
    assert folded([conv, Pool(), other, Pool()]) == [Pooled(conv), other, Pool()]
    assert folded([conv, Activation("relu"), Pool()]) == [conv, Activation("relu"), Pool()]


def test_a_residual_is_both_branches():
    """Main: 4 x 4 x 3 -> kernel 3 to 5 maps, pooled (kernel 4, stride 2). Shortcut: pooled -> kernel 1 to 5 maps."""
    block = Residual((Conv(5, 3), Pool()), (Pool(), Conv(5, 1)))
    assert measure([block], (4, 4, 3)) == (4 * 16 * 15 + 4 * 15, 140 + 20, (2, 2, 5))


def test_nothing_costs_nothing():
    assert measure([], (3, 3, 1)) == (0, 0, (3, 3, 1))


# -- the registry -------------------------------------------------------------------------------------------


def test_every_row_is_described():
    for name, row in ARCHITECTURES.items():
        assert row.description.strip(), name
        assert set(row.knobs) <= set(HYPERPARAMETERS), name
    assert [name for name, row in ARCHITECTURES.items() if not row.images_only] == ["mlp"]
    assert [name for name, row in ARCHITECTURES.items() if row.dense] == ["mlp"]


@each_plan
def test_a_plan_makes_samples_and_logits(name, shape):
    config = config_of(architecture=name)
    generator, discriminator = plans(config, shape)
    assert measure(generator, (5,))[2] == shape
    assert measure(discriminator, shape)[2] == (1,)
    assert isinstance(discriminator[-1], Dense) and discriminator[-1].units == 1
    assert isinstance(generator[-2 if name == "mlp" else -1], Activation)
    both = parameter_counts(config, shape)
    assert both == (measure(generator, (5,))[1], measure(discriminator, shape)[1])


@each_plan
def test_pictures_are_bounded(name, shape):
    """The last activation is tanh, right before the reshape of the dense network."""
    generator, _ = plans(config_of(architecture=name), shape)
    assert [layer for layer in flat(generator) if isinstance(layer, Activation)][-1] == Activation("tanh")


def other(name):
    """A value of the knob `name` that is not SMALL's."""
    knob, now = HYPERPARAMETERS[name], getattr(config_of(), name)
    if knob.kind is bool:
        return not now
    if knob.choices is not None:
        return next(c for c in knob.choices if c != now)
    return knob.high if now != knob.high else knob.low


STRUCTURE = [name for name, knob in HYPERPARAMETERS.items() if knob.group in ("Networks", "Generator", "Discriminator")]


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("knob", [n for n in STRUCTURE if n not in ("architecture", "minibatch_std")])
def test_an_architecture_uses_what_it_says(name, knob):
    """The page hides the knobs that an architecture does not use."""
    shape = (64, 64, 3) if ARCHITECTURES[name].sides == (64,) else (28, 28, 3)
    config = config_of(architecture=name)
    changed = plans(config, shape) != plans(config.updated({knob: other(knob)}), shape)
    assert changed == (knob in ARCHITECTURES[name].knobs)


@pytest.mark.parametrize("name", [n for n, row in ARCHITECTURES.items() if "d_norm" in row.knobs])
@pytest.mark.parametrize("norm", NORMS)
def test_where_normalisation_goes(name, norm):
    """Batch and layer norm neither on the discriminator's first layer nor on a network's last one."""
    generator, discriminator = plans(config_of(architecture=name, g_norm=norm, d_norm=norm), (28, 28, 1))
    for plan in (generator, discriminator):
        weighted = [i for i, layer in enumerate(plan) if isinstance(layer, (Dense, Conv, ConvTransposed))]
        kinds = [layer.kind for layer in plan if isinstance(layer, Norm)]
        if norm in ("batch", "layer"):
            assert kinds == [norm] * (len(weighted) - (1 if plan is generator else 2))
            assert all(not isinstance(layer, Norm) for layer in plan[weighted[-1] :])
        else:
            assert not kinds
    first = next(i for i, layer in enumerate(discriminator) if isinstance(layer, (Dense, Conv)))
    assert not isinstance(discriminator[first + 1], Norm)
    spectral = {layer.norm for layer in flat(discriminator) if isinstance(layer, (Dense, Conv))}
    assert spectral == {"spectral" if norm == "spectral" else "none"}


@pytest.mark.parametrize("name", [n for n, row in ARCHITECTURES.items() if "dropout" in row.knobs])
def test_dropout_is_the_discriminators_alone(name):
    generator, discriminator = plans(config_of(architecture=name, dropout=0.3), (28, 28, 1))
    assert Dropout(0.3) in discriminator and not any(isinstance(layer, Dropout) for layer in flat(generator))
    assert not any(isinstance(layer, Dropout) for layer in plans(config_of(architecture=name), (28, 28, 1))[1])


@pytest.mark.parametrize("name", ["dcgan", "dcgan_resize", "resnet"])
@pytest.mark.parametrize("side, sides", [(28, [7, 14, 28]), (32, [4, 8, 16, 32]), (64, [4, 8, 16, 32, 64])])
def test_stages_grow_from_7_or_4(name, side, sides):
    generator, discriminator = plans(config_of(architecture=name), (side, side, 1))
    for plan, start, expected in ((generator, (5,), sides), (discriminator, (side, side, 1), sides[::-1])):
        seen = []
        for i in range(len(plan) + 1):
            shape = measure(plan[:i], start)[2]
            if len(shape) == 3 and shape[0] not in seen:
                seen.append(shape[0])
        assert seen == expected


def test_dcgans_filters_double_as_pixels_get_coarser():
    generator, discriminator = plans(config_of(architecture="dcgan"), (64, 64, 3))
    assert [layer.filters for layer in discriminator if isinstance(layer, Conv)] == [8, 16, 32, 64]
    assert generator[0] == Dense(4 * 4 * 64)
    assert [layer.filters for layer in generator if isinstance(layer, ConvTransposed)] == [32, 16, 8, 3]


def test_activations_are_each_networks_own():
    for name in ("mlp", "dcgan", "dcgan_resize", "resnet"):
        config = config_of(architecture=name, g_activation="elu", d_activation="swish")
        generator, discriminator = plans(config, (28, 28, 1))
        assert {a.name for a in flat(generator) if isinstance(a, Activation)} == {"elu", "tanh"}
        assert {a.name for a in flat(discriminator) if isinstance(a, Activation)} == {"swish"}
    assert set(ACTIVATIONS) == {"relu", "leaky_relu", "tanh", "elu", "swish", "maxout"}


@pytest.mark.parametrize("name", ["mlp", "dcgan", "dcgan_resize"])
@pytest.mark.parametrize("norm", NORMS)
def test_maxout_keeps_the_width_by_five_times_the_weights(name, norm):
    """Of every layer but the last; the features that come out are as many as with relu."""
    settings = {"architecture": name, "g_norm": norm, "d_norm": norm}
    plain = plans(config_of(**settings, g_activation="relu", d_activation="relu"), (28, 28, 1))
    maxout = plans(config_of(**settings, g_activation="maxout", d_activation="maxout"), (28, 28, 1))
    for before, after, shape in zip(plain, maxout, ((5,), (28, 28, 1)), strict=True):
        widths = []
        for plan in (before, after):
            kinds = [i for i, layer in enumerate(plan) if isinstance(layer, (Dense, Conv, ConvTransposed))]
            widths.append([plan[i].width for i in kinds])
            bends = [
                measure(plan[: i + 1], shape)[2] for i, a in enumerate(plan) if isinstance(a, (Activation, Maxout))
            ]
            widths.append([math.prod(out) for out in bends])
        assert widths[2] == [5 * n for n in widths[0][:-1]] + widths[0][-1:]
        assert widths[3] == widths[1]


# -- what is beside the architectures -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_minibatch_std_goes_before_the_last_layer_of_every_discriminator(name):
    shape = (64, 64, 3) if ARCHITECTURES[name].sides == (64,) else (28, 28, 3)
    plain, with_std = config_of(architecture=name), config_of(architecture=name, minibatch_std=True)
    generator, discriminator = plans(plain, shape)
    assert plans(with_std, shape) == (generator, [*discriminator[:-1], MinibatchStd(), discriminator[-1]])
    more = parameter_counts(with_std, shape)[1] - parameter_counts(plain, shape)[1]
    assert more == 1 + 1  # its running mean, and a weight of the last layer


def test_a_discriminator_without_hidden_layers_can_have_minibatch_std():
    config = GANConfig.from_flat({"d_layers": 0, "minibatch_std": True})
    assert plans(config, (2,))[1] == [MinibatchStd(), Dense(1)]
    assert parameter_counts(config, (2,))[1] == 1 + 4


def test_a_pack_is_as_wide_as_its_samples():
    assert packed((2,), 3) == (6,) and packed((28, 28, 3), 2) == (28, 28, 6) and packed((28, 28, 1), 1) == (28, 28, 1)
    one, two = (GANConfig.from_flat({"d_layers": 1, "d_units": 7, "packing": m}) for m in (1, 2))
    assert parameter_counts(two, (2,))[1] - parameter_counts(one, (2,))[1] == 2 * 7
    assert parameter_counts(two, (2,))[0] == parameter_counts(one, (2,))[0]


# -- what does not go together ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, row in ARCHITECTURES.items() if row.sides is not None])
def test_a_shape_that_an_architecture_cannot_make_is_a_sentence(name):
    config, sides = config_of(architecture=name), ARCHITECTURES[name].sides
    for side in (8, 27, 28, 32, 48, 64, 128):
        if side in sides:
            assert plans(config, (side, side, 1))
            continue
        with pytest.raises(ConfigError) as caught:
            plans(config, (side, side, 1))
        said = str(caught.value)
        assert f"The architecture {name} makes images of {sides[0]} x {sides[0]}" in said
        assert said.endswith(f", but the data are {side} x {side} pixels.")


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "mlp"])
def test_points_and_oblongs_are_refused(name):
    with pytest.raises(ConfigError, match=r"the data are points\.$"):
        plans(config_of(architecture=name), (2,))
    with pytest.raises(ConfigError, match=r"the data are 28 x 32 pixels\.$"):
        plans(config_of(architecture=name), (28, 32, 1))


def test_the_dense_network_takes_anything():
    for shape in ((2,), (5, 9, 3), (64, 64, 1)):
        generator, discriminator = plans(config_of(architecture="mlp"), shape)
        assert measure(generator, (5,))[2] == shape and measure(discriminator, shape)[2] == (1,)


def test_what_a_network_costs_is_known_without_keras():
    """The page says it before any process has imported TensorFlow."""
    code = """
import sys
from gan_core.networks import architectures, cost
from gan_core.settings import config
from gan_core.data import loading
from gan_core.data import datasets
row = config.GANConfig.from_flat({"data": "mnist"})
shape = loading.sample_shape(row)
assert shape == (28, 28, 1)
assert min(architectures.parameter_counts(row, shape)) > 1000 and cost.step_cost(row, shape) > 1e6
print([name for name in ("tensorflow", "keras", "sklearn") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
