"""`Layer`: all that the rest of GANscope asks of a layer. A kind of layers is one subclass, described nowhere else.

A new kind, in a file of its own:

    @dataclass(frozen=True)
    class Noise(Layer):
        '''Normal noise on each feature while training.'''

        deviation: float

        def keras_layer(self, seeds):
            return keras.layers.GaussianNoise(self.deviation, seed=next(seeds))

        def script(self, place):
            return f"layers.GaussianNoise({self.deviation}, seed={place.base} + {place.seed()})"

        def acts_otherwise_in_training(self):
            return True

        def changes_later_training(self):
            return True  # it counts its draws

With an architecture (architectures.py) that puts it into its plans, it is trained, priced, shown and exported. What
Keras lacks is a Keras layer of one's own: `keras_layer` makes one, and `script_class` gives its text (`source_of`).
"""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Protocol

from gan_core.foundations.hyperparameters import ConfigError

Shape = tuple[int, ...]  # of one sample, without the batch
Variables = Callable[[Any], Any]  # a variable of a Keras layer -> its values, a float32 array


class Place(Protocol):
    """Where a layer stands in an exported script, and how numbers are written there."""

    base: str  # the seed that the numbers of `seed` count from, as an expression
    activation: str  # what Keras calls the activation that the layer takes as an argument; "" for none

    def seed(self) -> str:
        """The number of the network's next seed: ask as often, and in the same order, as the Keras layer is built."""
        ...

    def units(self, n: int) -> str:
        """This layer's n units, in terms of the settings where they say so."""
        ...

    def filters(self, n: int) -> str:
        """This layer's n filters, in terms of the settings where they say so."""
        ...

    def channels(self, n: int) -> str:
        """n channels of any layer, in terms of the setting `filters` where they are a multiple of it."""
        ...

    def setting(self, name: str, value: Any) -> str:
        """The constant of the architecture's setting `name` where it has this value, else the value itself."""
        ...

    def block(self, head: str, branches: Sequence[Sequence[Layer]]) -> str:
        """The call of a function that returns `head([...], [...])`: a list of layers for each branch."""
        ...


class Layer:
    """One layer of a plan; the fields of its class are its parameters. Frozen, and equal where the fields are."""

    # How many features of the layer before make one of its own: so many times wider has that layer to be.
    pieces: ClassVar[int] = 1

    # -- what it costs: known without Keras ----------------------------------------------------------------

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of what it makes of a sample of `shape`."""
        return shape

    def parameters(self, shape: Shape) -> int:
        """How many numbers it holds, as Keras counts: running statistics and vectors of spectral norm too."""
        return 0

    def products(self, shape: Shape, batch: int) -> list[tuple[int, int, int]]:
        """Its forward pass as matrix products: (rows, width, columns) of [rows, width] x [width, columns]."""
        return []

    def multiply_adds(self, shape: Shape) -> int:
        """Of one sample's forward pass; what is done number by number is not worth counting."""
        return sum(math.prod(product) for product in self.products(shape, 1))

    def outputs(self, shape: Shape) -> int:
        """How many numbers it puts out for one sample, which training keeps for the way back."""
        return math.prod(self.output_shape(shape))

    def branches(self) -> Sequence[Sequence[Layer]]:
        """The plans inside of it, each of which sees its input."""
        return ()

    def joined(self, after: Layer) -> Layer | None:
        """One layer that does what this and the next one do, cheaper; None where there is none."""
        return None

    # -- what it is in Keras -------------------------------------------------------------------------------

    def title(self) -> str:
        """Its name in the table of layers."""
        return type(self).__name__

    def keras_layer(self, seeds: Iterator[int]) -> Any:
        """The Keras layer that it is. All that is random in it takes a seed of its own: the same seeds, the same
        weights."""
        raise NotImplementedError(f"The layer {type(self).__name__} does not say which Keras layer it is.")

    def build(self, x: Any, seeds: Iterator[int]) -> Any:
        """What it makes of the symbolic tensor `x`."""
        return self.marked(self.keras_layer(seeds))(x)

    def marked(self, made: Any) -> Any:
        """`made`, a Keras layer that now knows which layer of a plan it is (`kind_of`)."""
        made.kind = self
        return made

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        """What the Keras layer `made` makes of the symbolic `x` outside of training, by layers of Keras's own alone.

        Where `made` is of another class, who opens an exported .keras file needs that class, unless this says better.
        """
        return copied(made, x, [variables(v) for v in made.weights])

    # -- what it is in an exported script ------------------------------------------------------------------

    def script(self, place: Place) -> str:
        """The expression that makes its Keras layer there. Raises ConfigError where a kind has none."""
        raise ConfigError(f"There is no script of the layer {type(self).__name__} yet.")

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        """The text of the class that its expression needs there, "" for none; `{seed}` stands for the first seed.

        layers: all of both networks. conditional: whether the networks are told the class.
        """
        return ""

    def argument(self) -> str:
        """How the layer before names it as its argument `activation`; "" where it cannot."""
        return ""

    def takes_activation(self) -> bool:
        """Whether its expression may take the activation behind it as an argument."""
        return False

    def acts_otherwise_in_training(self) -> bool:
        """Whether the script's Keras layer looks at `training`."""
        return False

    def changes_later_training(self) -> bool:
        """Whether a training call of the script's Keras layer leaves something that the next training call looks at."""
        return False


def kind_of(made: Any) -> Layer | None:
    """The layer of a plan that a Keras layer was made by; None for what only joins layers, such as a sum."""
    return getattr(made, "kind", None)


def source_of(keras_class: type) -> str:
    """The text of a class, for `script_class`; one that uses no other names than keras, layers, math, np and tf."""
    return textwrap.dedent(inspect.getsource(keras_class)).rstrip()


def copied(made: Any, x: Any, weights: list[Any], keras_class: Any = None, **changes: Any) -> Any:
    """What a copy of the Keras layer `made`, with these weights, makes of the symbolic tensor `x`.

    keras_class: of the copy, `made`'s own if None. changes: of its settings.
    """
    copy = (keras_class or type(made)).from_config({**made.get_config(), **changes})
    y = copy(x)
    copy.set_weights(weights)
    return y
