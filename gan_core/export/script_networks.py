"""The networks as script.py writes them: a plan (architectures.py) as a list of Keras layers.

What a layer is in a script, it says itself (layers/); here is where it stands: the seed that keras_models.py gives it,
so that a script starts from the same weights, and numbers in terms of the settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gan_core.export.script_sources import sources
from gan_core.networks.architectures import ARCHITECTURES, plans
from gan_core.networks.keras_models import D_SEED
from gan_core.networks.layers import Layer, PixelShuffle, Plan, Weighted, flattened

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig

WIDTH = 120  # of a line
INDENT = "    "

_GLOROT = '''# -- networks
def glorot(i):
    """Initial weights, apart for every i; the same seed gives the same."""
    return keras.initializers.GlorotUniform(seed={seed} + i)'''


def first_seed(c: GANConfig) -> str:
    """The seed of the generator's first layer, as an expression."""
    return "1000 * SEED" if c.seed < 2_000_000 else "1000 * (SEED % 2_000_000)"


def _given(function: Callable[..., Any], c: GANConfig, shape: tuple[int, ...], averaged: bool) -> list[str]:
    """The blocks for an architecture that makes its Keras models itself: its function, and a call of it."""
    texts, _ = sources(function)
    asked = set(re.findall(r"\.([a-z]\w*)", "\n".join(texts)))
    told = {name: value for name, value in c.to_flat().items() if name in asked}
    given = ", ".join(f"{n}={v!r}" if isinstance(v, str) else f"{n}={n.upper()}" for n, v in told.items())
    made = f"settings = SimpleNamespace({given})\nkeras.utils.set_random_seed({first_seed(c)})\n"
    made += f"generator, discriminator = {function.__name__}(settings, {tuple(shape)})"
    made += "\naverage = [tf.Variable(weight) for weight in generator.weights]" * averaged
    return ["# -- networks", *texts, made]


def unwritten(c: GANConfig, shape: tuple[int, ...]) -> str:
    """Why the networks of these settings cannot be written, in a sentence, or ""; raises ConfigError where there are
    none."""
    for layer in flattened([layer for plan in plans(c, shape) for layer in plan]):
        if type(layer).script is Layer.script:
            return f"There is no script of the layer {type(layer).__name__} yet."
    return ""


def networks(c: GANConfig, shape: tuple[int, ...], averaged: bool) -> list[str]:
    """The blocks of a script that build `generator` and `discriminator`; averaged: and the `average` of its weights."""
    generator, discriminator = plans(c, shape)
    own = ARCHITECTURES[c.architecture].models
    if own is not None:
        return _given(own, c, shape, averaged)
    g, d = _Network(c, "g", 0), _Network(c, "d", D_SEED)
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
    classes = [text.replace("{seed}", first_seed(c)) for text in _classes([*generator, *discriminator], c.conditional)]
    return [_GLOROT.replace("{seed}", first_seed(c)), *classes, *blocks, "\n".join(built)]


def _classes(layers: Sequence[Layer], conditional: bool) -> list[str]:
    """The layers that Keras lacks, each once."""
    every = list(flattened(layers))
    return list(filter(None, dict.fromkeys(layer.script_class(every, conditional) for layer in every)))


def _sequential(lines: list[str]) -> str:
    inside = "".join(f"{INDENT * 2}{line},\n" for line in lines)
    return f"keras.Sequential(\n{INDENT}[\n{inside}{INDENT}]\n)"


def _conditional(d: _Network, layers: Plan, x: str) -> str:
    """The discriminator that is told the class."""
    body = _sequential(d.lines(layers[:-1], last=False))
    last: Any = layers[-1]  # the Dense layer that makes the logit
    logit = last.script(_Place(d, width="1"))
    row = last.script(_Place(d, width="features.shape[-1]"), bias=False)
    return f"""
# The class by projection (arXiv 1802.05637): how much the features look like that class.
x, y = {x}, keras.Input((CLASSES,))
features = {body}(x)
logit = {logit}(features)
row = {row}(y)
discriminator = keras.Model([x, y], layers.Add()([logit, layers.Dot(axes=1)([features, row])]))"""


class _Network:
    """Writes the layers of one network.

    side: "g" or "d". seed: of its first layer. `blocks`: the bodies of functions that make residual blocks, with their
    names.
    """

    def __init__(self, c: GANConfig, side: str, seed: int):
        self.c, self.side, self._next = c, side, seed
        own = {name: getattr(c, name) for name in ARCHITECTURES[c.architecture].knobs}
        self.settings = own  # of the architecture: what its layers may be named by
        self._units, self._filters = own.get(f"{side}_units", 0), own.get("filters", 0)
        self.blocks: dict[str, str] = {}

    def seed(self) -> str:
        """The number of the next seed, from keras_models.build's on."""
        self._next += 1
        return str(self._next - 1)

    def lines(self, layers: Sequence[Layer], last: bool = True) -> list[str]:
        """A line for each layer; last: whether the last layer with a kernel has a width that no setting names."""
        start = self._next
        lines = self._lines(layers, last, joined=True)
        if max(map(len, lines), default=0) < WIDTH - 3 * len(INDENT):
            return lines
        self._next = start
        return self._lines(layers, last, joined=False)

    def _lines(self, layers: Sequence[Layer], last: bool, joined: bool) -> list[str]:
        """joined: an activation is an argument of the layer just before it, where that may be."""
        out, i = [], 0
        while i < len(layers):
            rest = layers[i + 1 :]
            argument = rest[0].argument() if joined and rest and layers[i].takes_activation() else ""
            out.append(layers[i].script(_Place(self, rest, last, argument)))
            i += 2 if argument else 1
        return out

    def units(self, n: int, rest: Sequence[Layer], last: bool) -> str:
        """The n units of a layer before `rest`, in terms of the settings."""
        pieces, between = _until_next_kernel(rest)
        n, times = n // pieces, f"{pieces} * " * (pieces > 1)
        shape = (n * pieces,)
        for layer in between:
            shape = layer.output_shape(shape)
            if len(shape) == 3:  # the units become pixels
                height, width, _ = shape
                return f"{times}{height} * {width} * {self.channels(n // (height * width))}"
        final = not any(isinstance(layer, Weighted) for layer in rest)
        if n == self._units and not (final and last):
            return f"{times}{self.side.upper()}_UNITS"
        return f"{times}{n}"

    def filters(self, n: int, rest: Sequence[Layer]) -> str:
        """The n filters of a layer before `rest`, in terms of the settings."""
        pieces, between = _until_next_kernel(rest)
        if any(isinstance(layer, PixelShuffle) for layer in between):  # pixels, however many filters there are
            return str(n)
        return f"{pieces} * " * (pieces > 1) + self.channels(n // pieces)

    def channels(self, n: int) -> str:
        """A number of filters or channels."""
        if not self._filters or n % self._filters:
            return str(n)
        return "FILTERS" if n == self._filters else f"{n // self._filters} * FILTERS"

    def block(self, head: str, branches: Sequence[Sequence[Layer]]) -> str:
        """A call of the function that makes this block; those that differ in width only share one."""
        first = self._next
        width = next((layer.width for branch in branches for layer in branch if isinstance(layer, Weighted)), 0)
        parts = [_Block(self, width, first).lines(branch, last=False) for branch in branches]
        lines = [f"{INDENT}return {head}("]
        for part in parts:
            lines += [f"{INDENT * 2}[", *(f"{INDENT * 3}{line}," for line in part), f"{INDENT * 2}],"]
        body = "\n".join([*lines, f"{INDENT})"])
        number = len(self.blocks) + 1
        name = self.blocks.setdefault(body, f"{self.side}_block" + f"_{number}" * (number > 1))
        return f"{name}({self.channels(width)}, {first})"


class _Block(_Network):
    """Writes the layers inside of a residual block, whose width and first seed are arguments."""

    def __init__(self, network: _Network, width: int, first: int):
        super().__init__(network.c, network.side, network._next)
        self._network, self._block_width, self._first = network, width, first
        self._filters = 0

    def seed(self) -> str:
        self._next += 1
        self._network._next = self._next
        passed = self._next - 1 - self._first
        return f"i + {passed}" if passed else "i"

    def units(self, n: int, rest: Sequence[Layer], last: bool) -> str:
        return self.filters(n, rest)

    def filters(self, n: int, rest: Sequence[Layer]) -> str:
        return "filters" if n == self._block_width else str(n)


class _Place:
    """A `layers.Place`: before the layers `rest` of a network, or where its width is the expression `width`."""

    def __init__(
        self, network: _Network, rest: Sequence[Layer] = (), last: bool = True, activation: str = "", width: str = ""
    ):
        self._network, self._rest, self._last, self._width = network, rest, last, width
        self.base, self.activation = first_seed(network.c), activation
        self.seed, self.channels, self.block = network.seed, network.channels, network.block

    def units(self, n: int) -> str:
        return self._width or self._network.units(n, self._rest, self._last)

    def filters(self, n: int) -> str:
        return self._width or self._network.filters(n, self._rest)

    def setting(self, name: str, value: Any) -> str:
        own = self._network.settings
        return name.upper() if name in own and own[name] == value else repr(value)


def _until_next_kernel(rest: Sequence[Layer]) -> tuple[int, list[Layer]]:
    """(how many of a layer's features the activation behind it makes one of, the layers up to the next kernel)."""
    ends = (i for i, layer in enumerate(rest) if isinstance(layer, Weighted) or layer.branches())
    between = list(rest[: next(ends, len(rest))])
    return max((layer.pieces for layer in between), default=1), between
