"""The networks as script.py writes them: a plan (architectures.py) as a list of Keras layers.

Every layer has the seed that keras_models.py gives it, so that a script starts from the same weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gan_core.export.script_sources import sources
from gan_core.networks import architectures as plan
from gan_core.networks.keras_models import BATCH_NORM_MOMENTUM, D_SEED

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig

WIDTH = 120  # of a line
INDENT = "    "

_GLOROT = '''# -- networks
def glorot(i):
    """Initial weights, apart for every i; the same seed gives the same."""
    return keras.initializers.GlorotUniform(seed={seed} + i)'''

_SPECTRAL = '''class SpectralNorm(layers.Layer):
    """Divides a kernel by its largest singular value (arXiv 1802.05957): one power iteration a training call.

    The gradient passes through that value too; Keras's own SpectralNormalization passes none.
    """

    def __init__(self, layer, i, bias=True):
        super().__init__()
        layer.kernel_initializer, layer.use_bias = glorot(i), False  # the bias comes after the division
        self.layer, self.i, self.use_bias = layer, i, bias

    def build(self, shape):
        self.layer.build(shape)
        columns = self.layer.kernel.shape[-1]
        start = keras.initializers.RandomNormal(stddev=1.0, seed={seed} + self.i + 1)
        self.u = self.add_weight(shape=(columns, 1), initializer=start, trainable=False, name="u")
        if self.use_bias:
            self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")

    def call(self, x, training=False):
        matrix = tf.reshape(self.layer.kernel, [-1, self.layer.kernel.shape[-1]])
        fixed = tf.stop_gradient(matrix)
        v = tf.math.l2_normalize(tf.matmul(fixed, self.u))
        u = tf.math.l2_normalize(tf.matmul(fixed, v, transpose_a=True))
        if training:
            self.u.assign(u)
        y = self.layer(x) / tf.squeeze(tf.matmul(v, tf.matmul(matrix, u), transpose_a=True))
        return y + self.bias if self.use_bias else y'''
_BIASED = {  # where no layer goes without a bias: only the row of a class does
    ", bias=True": "",
    ", self.use_bias = layer, i, bias": " = layer, i",
    "        if self.use_bias:\n    ": "",
    " if self.use_bias else y": "",
}
_TRANSPOSED = {  # where a transposed convolution is among the layers
    "columns = self.layer.kernel.shape[-1]": (
        "self.transposed = isinstance(self.layer, layers.Conv2DTranspose)\n"
        "        columns = self.layer.kernel.shape[-2 if self.transposed else -1]"
    ),
    "matrix = tf.reshape(self.layer.kernel, [-1, self.layer.kernel.shape[-1]])": (
        "kernel = tf.convert_to_tensor(self.layer.kernel)\n"
        "        if self.transposed:  # [height, width, outputs, inputs]\n"
        "            kernel = tf.transpose(kernel, [0, 1, 3, 2])\n"
        "        matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])"
    ),
}

_MAXOUT = f'''class Maxout(layers.Layer):
    """The largest of {plan.MAXOUT_PIECES} linear pieces (arXiv 1302.4389)."""

    def call(self, x):
        pieces = [-1, *x.shape[1:-1], x.shape[-1] // {plan.MAXOUT_PIECES}, {plan.MAXOUT_PIECES}]
        return tf.reduce_max(tf.reshape(x, pieces), -1)'''

_MINIBATCH_STD = '''class MinibatchStd(layers.Layer):
    """One more feature: how much the samples of the batch differ (arXiv 1710.10196, 3)."""

    def call(self, x):
        std = tf.reduce_mean(tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8), keepdims=True)
        n = x.shape[1]
        return tf.matmul(x, tf.eye(n, n + 1)) + std * tf.one_hot([n], n + 1)  # x with one more feature'''

_RESIDUAL = '''class Residual(layers.Layer):
    """The sum of what two stacks of layers make of the same input."""

    def __init__(self, main, shortcut):
        super().__init__()
        self.main, self.shortcut = keras.Sequential(main), keras.Sequential(shortcut)

    def call(self, x):
        return self.main(x) + self.shortcut(x)'''


def flattened(layers) -> Iterator:
    """The layers of a plan, those inside of residual blocks too."""
    for layer in layers:
        if isinstance(layer, plan.Residual):
            yield from flattened([*layer.main, *layer.shortcut])
        else:
            yield layer


def first_seed(c: GANConfig) -> str:
    """The seed of the generator's first layer, as an expression."""
    return "1000 * SEED" if c.seed < 2_000_000 else "1000 * (SEED % 2_000_000)"


def _given(c: GANConfig, shape: tuple[int, ...], averaged: bool) -> list[str]:
    """The blocks for an architecture that makes its Keras models itself: its function, and a call of it."""
    function = plan.ARCHITECTURES[c.architecture].models
    texts, _ = sources(function)
    asked = set(re.findall(r"\.([a-z]\w*)", "\n".join(texts)))
    told = {name: value for name, value in c.to_flat().items() if name in asked}
    given = ", ".join(f"{n}={v!r}" if isinstance(v, str) else f"{n}={n.upper()}" for n, v in told.items())
    made = f"settings = SimpleNamespace({given})\nkeras.utils.set_random_seed({first_seed(c)})\n"
    made += f"generator, discriminator = {function.__name__}(settings, {tuple(shape)})"
    made += "\naverage = [tf.Variable(weight) for weight in generator.weights]" * averaged
    return ["# -- networks", *texts, made]


def networks(c: GANConfig, shape: tuple[int, ...], averaged: bool) -> list[str]:
    """The blocks of a script that build `generator` and `discriminator`; averaged: and the `average` of its weights."""
    generator, discriminator = plan.plans(c, shape)
    if plan.ARCHITECTURES[c.architecture].models is not None:
        return _given(c, shape, averaged)
    uses = plan.ARCHITECTURES[c.architecture].knobs
    filters = c.filters if "filters" in uses else 0
    g = _Network("g", 0, c.g_units if "g_units" in uses else 0, filters, first_seed(c))
    d = _Network("d", D_SEED, c.d_units if "d_units" in uses else 0, filters, first_seed(c))
    z = f"keras.Input(({'LATENT_DIM + CLASSES' if c.conditional else 'LATENT_DIM'},))"
    *sides, channels = shape
    x = [*map(str, sides), f"PACKING * {channels}" if c.packing > 1 else str(channels)]
    x = f"keras.Input(({', '.join(x)}{',' * (len(x) == 1)}))"
    built = [f"generator = {_sequential([z, *g.lines(generator)])}"]
    built += ["average = [tf.Variable(weight) for weight in generator.weights]"] * averaged
    if c.conditional:
        built.append(_conditional(d, discriminator, x))
    else:
        built.append(f"discriminator = {_sequential([x, *d.lines(discriminator)])}")
    blocks = [f"def {name}(filters, i):\n{body}" for network in (g, d) for body, name in network.blocks.items()]
    classes = _classes([*generator, *discriminator], c)
    return [_GLOROT.replace("{seed}", first_seed(c)), *classes, *blocks, "\n".join(built)]


def _classes(layers: list, c: GANConfig) -> list[str]:
    """The layers that Keras lacks, those of them that the plans hold."""
    flat, texts = list(flattened(layers)), []
    spectral = [layer for layer in flat if getattr(layer, "norm", "") == "spectral"]
    if spectral:
        text = _SPECTRAL.replace("{seed}", first_seed(c))
        changes = {} if c.conditional else _BIASED
        if any(isinstance(layer, plan.ConvTransposed) for layer in spectral):
            changes = {**changes, **_TRANSPOSED}
        for old, new in changes.items():
            text = text.replace(old, new)
        texts.append(text)
    if any(isinstance(layer, plan.Activation) and layer.name == "maxout" for layer in flat):
        texts.append(_MAXOUT)
    if any(isinstance(layer, plan.MinibatchStd) for layer in flat):
        texts.append(_MINIBATCH_STD)
    if any(isinstance(layer, plan.Residual) for layer in layers):
        texts.append(_RESIDUAL)
    return texts


def _sequential(lines: list[str]) -> str:
    inside = "".join(f"{INDENT * 2}{line},\n" for line in lines)
    return f"keras.Sequential(\n{INDENT}[\n{inside}{INDENT}]\n)"


def _conditional(d: _Network, layers: list, x: str) -> str:
    """The discriminator that is told the class."""
    *features, last = layers
    body = _sequential(d.lines(features, last=False))
    logit, row = d.weighted(last, "1"), d.weighted(last, "features.shape[-1]", bias=False)
    return f"""
# The class by projection (arXiv 1802.05637): how much the features look like that class.
x, y = {x}, keras.Input((CLASSES,))
features = {body}(x)
logit = {logit}(features)
row = {row}(y)
discriminator = keras.Model([x, y], layers.Add()([logit, layers.Dot(axes=1)([features, row])]))"""


class _Network:
    """Writes the layers of one network.

    units, filters: what the settings name so, 0 where the plan has widths of its own. `blocks`: the bodies of functions
    that make residual blocks, with their names.
    """

    def __init__(self, side: str, seed: int, units: int, filters: int, base: str):
        self.side, self._next, self._units, self._filters, self._base = side, seed, units, filters, base
        self.blocks: dict[str, str] = {}

    def _seed(self) -> str:
        """The number of the next seed, from networks.build's on."""
        self._next += 1
        return str(self._next - 1)

    def lines(self, layers: list, last: bool = True) -> list[str]:
        """A line for each layer; last: whether the last Dense layer has a width that no setting names."""
        start = self._next
        lines = self._lines(layers, last, joined=True)
        if max(map(len, lines), default=0) < WIDTH - 3 * len(INDENT):
            return lines
        self._next = start
        return self._lines(layers, last, joined=False)

    def _lines(self, layers: list, last: bool, joined: bool) -> list[str]:
        """joined: an activation is an argument of the layer just before it, where that may be."""
        out, i = [], 0
        while i < len(layers):
            layer, after = layers[i], layers[i + 1] if i + 1 < len(layers) else None
            if isinstance(layer, plan.Residual):
                out.append(self._block(layer))
            elif hasattr(layer, "norm"):
                join = joined and isinstance(after, plan.Activation) and after.name != "maxout"
                join = join and layer.norm != "spectral"
                out.append(self.weighted(layer, self._width(layers, i, last), _name(after) if join else ""))
                i += join
            else:
                out.append(self._plain(layer))
            i += 1
        return out

    def weighted(self, layer, width: str, activation: str = "", bias: bool = True) -> str:
        """A layer with a kernel."""
        seed = self._seed()
        match layer:
            case plan.Dense():
                head = f"layers.Dense({width}"
            case plan.Conv(_, kernel, stride):
                head = f'layers.Conv2D({width}, {kernel}{f", strides={stride}" * (stride > 1)}, padding="same"'
            case plan.ConvTransposed(_, kernel, stride):
                head = f'layers.Conv2DTranspose({width}, {kernel}, strides={stride}, padding="same"'
        head += f', activation="{activation}"' if activation else ""
        if layer.norm == "spectral":
            self._seed()  # of the power iteration's vector
            return f"SpectralNorm({head}), {seed}{'' if bias else ', bias=False'})"
        return f"{head}{'' if bias else ', use_bias=False'}, kernel_initializer=glorot({seed}))"

    def _width(self, layers: list, i: int, last: bool) -> str:
        """The width of the weighted layer i, in terms of the settings."""
        layer, rest = layers[i], layers[i + 1 :]
        maxout = next((a.name == "maxout" for a in rest if isinstance(a, plan.Activation)), False)
        n, times = layer[0], ""
        if maxout:
            n, times = n // plan.MAXOUT_PIECES, f"{plan.MAXOUT_PIECES} * "
        if not isinstance(layer, plan.Dense):
            return times + self._amount(n)
        final = not any(isinstance(a, plan.Dense) for a in rest)
        shaped = next((a.shape for a in rest if isinstance(a, plan.Reshape)), None)
        if final and shaped is not None:
            height, width, _ = shaped
            return f"{times}{height} * {width} * {self._amount(n // (height * width))}"
        if n == self._units and not (final and last):
            return f"{times}{self.side.upper()}_UNITS"
        return f"{times}{n}"

    def _amount(self, n: int) -> str:
        """A number of filters or channels."""
        if not self._filters or n % self._filters:
            return str(n)
        return "FILTERS" if n == self._filters else f"{n // self._filters} * FILTERS"

    def _plain(self, layer) -> str:
        """A layer without a kernel."""
        match layer:
            case plan.Activation("maxout"):
                self._seed()  # keras_models.py names its layer by one
                return "Maxout()"
            case plan.Activation():
                return f'layers.Activation("{_name(layer)}")'
            case plan.Norm("batch"):
                return f"layers.BatchNormalization(momentum={BATCH_NORM_MOMENTUM})"
            case plan.Norm("layer"):
                return "layers.GroupNormalization(groups=1)"
            case plan.Dropout():
                return f"layers.Dropout(DROPOUT, seed={self._base} + {self._seed()})"
            case plan.MinibatchStd():
                return "MinibatchStd()"
            case plan.Reshape((height, width, n)):
                return f"layers.Reshape(({height}, {width}, {self._amount(n)}))"
            case plan.Flatten():
                return "layers.Flatten()"
            case plan.Upsample():
                return "layers.UpSampling2D(2)"
            case plan.Pool():
                return "layers.AveragePooling2D(2)"
        raise TypeError(f"no such layer: {layer}")

    def _block(self, layer: plan.Residual) -> str:
        """A call of the function that makes this residual block; those that differ in width only share one."""
        first, width = self._next, next(n[0] for n in layer.main if hasattr(n, "norm"))
        parts = [_Block(self, width, first).lines(list(part), last=False) for part in layer]
        lines = [f"{INDENT}return Residual("]
        for part in parts:
            lines += [f"{INDENT * 2}[", *(f"{INDENT * 3}{line}," for line in part), f"{INDENT * 2}],"]
        body = "\n".join([*lines, f"{INDENT})"])
        number = len(self.blocks) + 1
        name = self.blocks.setdefault(body, f"{self.side}_block" + f"_{number}" * (number > 1))
        return f"{name}({self._amount(width)}, {first})"


class _Block(_Network):
    """Writes the layers inside of a residual block, whose width and first seed are arguments."""

    def __init__(self, network: _Network, width: int, first: int):
        super().__init__(network.side, network._next, 0, 0, network._base)
        self._network, self._block_width, self._first = network, width, first

    def _seed(self) -> str:
        self._next += 1
        self._network._next = self._next
        passed = self._next - 1 - self._first
        return f"i + {passed}" if passed else "i"

    def _width(self, layers: list, i: int, last: bool) -> str:
        n = layers[i][0]
        return "filters" if n == self._block_width else str(n)


def _name(activation) -> str:
    """As Keras calls it; its leaky_relu has our slope, 0.2."""
    return "silu" if activation.name == "swish" else activation.name
