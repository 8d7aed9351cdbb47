"""A plan: the layers of a network in their order, and what they are together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gan_core.networks.layers.layer import Layer, Shape

Plan = list[Layer]


def folded(plan: Sequence[Layer]) -> Plan:
    """The layers as they are computed: where two that follow each other can be one, they are."""
    made: Plan = []
    for layer in plan:
        if not isinstance(layer, Layer):
            raise TypeError(f"no such layer: {layer}")
        both = made[-1].joined(layer) if made else None
        made = [*made[:-1], both] if both is not None else [*made, layer]
    return made


def flattened(plan: Sequence[Layer]) -> Iterator[Layer]:
    """Every layer of a plan, also those in branches of others."""
    for layer in plan:
        yield layer
        for branch in layer.branches():
            yield from flattened(branch)


def measure(plan: Sequence[Layer], shape: Shape) -> tuple[int, int, Shape]:
    """(multiply-adds of one sample's forward pass, parameters, shape of the output) of a plan fed with `shape`.

    Parameters count as Keras counts them: running statistics and the vector of spectral norm too.
    """
    work = parameters = 0
    for layer in folded(plan):
        work += layer.multiply_adds(shape)
        parameters += layer.parameters(shape)
        shape = layer.output_shape(shape)
    return work, parameters, shape


def activations(plan: Sequence[Layer], shape: Shape) -> int:
    """How many numbers the layers of a plan put out for one sample of `shape`."""
    total = 0
    for layer in folded(plan):
        total += layer.outputs(shape)
        shape = layer.output_shape(shape)
    return total


def products(plan: Sequence[Layer], shape: Shape, batch: int) -> list[tuple[int, int, int]]:
    """The forward pass of a plan as matrix products: (rows, width, columns) of [rows, width] x [width, columns]."""
    found: list[tuple[int, int, int]] = []
    for layer in folded(plan):
        found += layer.products(shape, batch)
        shape = layer.output_shape(shape)
    return found


def connected(plan: Sequence[Layer], x: Any, seeds: Iterator[int]) -> Any:
    """What the layers of a plan, one after the other, make of the symbolic Keras tensor `x`."""
    for layer in folded(plan):
        x = layer.build(x, seeds)
    return x
