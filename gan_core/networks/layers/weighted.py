"""What layers with a kernel have in common: a width, a bias, and spectral norm where they are told so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from gan_core.foundations.lazy_imports import keras
from gan_core.networks.layers.layer import Layer, Place, Shape, Variables, copied
from gan_core.networks.layers.spectral_norm import divided, spectral_norm_class, spectral_norm_text


@dataclass(frozen=True)
class Weighted(Layer):
    """A layer with a kernel (Glorot-uniform at the start) and a bias (zero).

    The first field of each kind is its width: units or filters. `norm` "spectral" divides the kernel by its largest
    singular value, else it is "none".
    """

    norm = "none"  # a field of its kinds

    @property
    def width(self) -> int:
        """How many features it puts out."""
        return getattr(self, fields(self)[0].name)

    def widened(self, times: int) -> Self:
        """The same, so many times as wide."""
        return replace(self, **{fields(self)[0].name: times * self.width})

    def is_spectral(self) -> bool:
        return self.norm == "spectral"

    def kernel_size(self, shape: Shape) -> int:
        """How many numbers the kernel has, for inputs of `shape`."""
        raise NotImplementedError

    def parameters(self, shape: Shape) -> int:
        beside = 2 if self.is_spectral() else 1  # the bias, and the vector of spectral norm
        return self.kernel_size(shape) + beside * self.width

    # -- Keras ---------------------------------------------------------------------------------------------

    def plain_title(self) -> str:
        """Its title without spectral norm."""
        return type(self).__name__

    def title(self) -> str:
        return self.plain_title() + ", spectral norm" * self.is_spectral()

    def plain_layer(self, **kernel: Any) -> Any:
        """The Keras layer without spectral norm; kernel: how the kernel starts, and whether there is a bias."""
        raise NotImplementedError

    def keras_layer(self, seeds: Iterator[int], bias: bool = True) -> Any:
        start = keras.initializers.GlorotUniform(seed=next(seeds))
        if not self.is_spectral():
            return self.plain_layer(kernel_initializer=start, use_bias=bias)
        plain = self.plain_layer(kernel_initializer=start, use_bias=False)
        return spectral_norm_class()(plain, seed=next(seeds), use_bias=bias)

    def build(self, x: Any, seeds: Iterator[int], bias: bool = True) -> Any:
        return self.marked(self.keras_layer(seeds, bias))(x)

    def at_inference(self, made: Any, x: Any, variables: Variables) -> Any:
        if self.is_spectral():
            inner, weights = divided(made, variables)
            return self.plain_at_inference(inner, x, weights, use_bias=len(weights) > 1)
        return self.plain_at_inference(made, x, [variables(v) for v in made.weights])

    def plain_at_inference(self, made: Any, x: Any, weights: list[Any], **changes: Any) -> Any:
        """What `made`, without spectral norm and with these weights, makes of the symbolic `x`, by Keras's layers."""
        return copied(made, x, weights, **changes)

    # -- script --------------------------------------------------------------------------------------------

    def script_head(self, place: Place) -> str:
        """The start of its expression: class, width and what else it has, without the last bracket."""
        raise NotImplementedError

    def script(self, place: Place, bias: bool = True) -> str:
        head = self.script_head(place)
        head += f', activation="{place.activation}"' if place.activation else ""
        seed = place.seed()
        if self.is_spectral():
            place.seed()  # of the power iteration's vector
            return f"SpectralNorm({head}), {seed}{'' if bias else ', bias=False'})"
        return f"{head}{'' if bias else ', use_bias=False'}, kernel_initializer=glorot({seed}))"

    def script_class(self, layers: Sequence[Layer], conditional: bool) -> str:
        if not self.is_spectral():
            return ""
        spectral = [layer for layer in layers if isinstance(layer, Weighted) and layer.is_spectral()]
        return spectral_norm_text(conditional, any(layer.outputs_first() for layer in spectral))

    def outputs_first(self) -> bool:
        """Whether Keras's kernel has the outputs before the inputs: [..., outputs, inputs]."""
        return False

    def takes_activation(self) -> bool:
        return not self.is_spectral()

    def acts_otherwise_in_training(self) -> bool:
        return self.is_spectral()

    def changes_later_training(self) -> bool:
        return self.is_spectral()
