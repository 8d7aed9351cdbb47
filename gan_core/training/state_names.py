"""The names of a state's tensors, by which checkpoints keep them: `g/0/kernel`, `g_opt/0/kernel/m`, `step`.

A name is the part of the state, the number of the layer among those of its network that hold something, what the
layer calls it, and for the optimizer's state the slot. A tensor is found by its name and not by its place, so a part
that the state gets later leaves older checkpoints readable: what they do not hold is as it is at step 0.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gan_core.foundations.lazy_imports import tf
from gan_core.objectives.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    from gan_core.training.train_step import State, TrainStep

# What every checkpoint holds. Format 2 of saved runs knew tensors by their place in the flattened nest of these.
PARTS = ("d", "d_extra", "d_opt", "d_row", "ema", "ema_extra", "g", "g_extra", "g_opt", "step")


def names(program: TrainStep, state: State) -> State:
    """`state`, or some parts of one, with the name of each tensor in its place."""
    found: State = {part: part for part in state}  # right for what is one tensor
    for side, model in (("g", program.generator), ("d", program.discriminator)):
        weights, extra = _weights(model)
        slots = OPTIMIZERS[getattr(program.config, f"{side}_optimizer")].slots
        found[side] = [f"{side}/{name}" for name in weights]
        found[f"{side}_extra"] = [f"{side}_extra/{name}" for name in extra]
        found[f"{side}_opt"] = {
            "updates": f"{side}_opt/updates",
            "slots": [tuple(f"{side}_opt/{name}/{slot}" for slot in slots) for name in weights],
        }
        if side == "g":
            found["ema"] = [f"ema/{name}" for name in weights]
            found["ema_extra"] = [f"ema_extra/{name}" for name in extra]
    if "augment" in state:
        found["augment"] = {name: f"augment/{name}" for name in state["augment"]}
    found = {part: found[part] for part in state}
    tf.nest.assert_same_structure(found, state)
    return found


def _weights(model: Any) -> tuple[list[str], list[str]]:
    """The names within the model of its trainable variables and of the others, in the state's order."""
    holding = [layer for layer in model.layers if layer.variables]
    named, taken = {}, Counter()
    for i, layer in enumerate(holding):
        for variable in layer.variables:
            name = f"{i}/{variable.name}"
            taken[name] += 1  # a model within a model may hold several of one name
            named[id(variable)] = name if taken[name] == 1 else f"{name}_{taken[name]}"
    trainable, other = (
        [named[id(v)] for v in some] for some in (model.trainable_variables, model.non_trainable_variables)
    )
    return trainable, other


def named(program: TrainStep, state: State) -> dict[str, Any]:
    """The state's tensors by their names."""
    return dict(zip(tf.nest.flatten(names(program, state)), tf.nest.flatten(state), strict=True))


def of_format_2(program: TrainStep, state: State, tensors: dict[str, Any]) -> dict[str, Any]:
    """By their names the tensors of a checkpoint that knows them by their places, `0000` and so on.

    state: any of the program. Raises LookupError or ValueError where they are not those of its networks.
    """
    every = names(program, state)
    order = tf.nest.flatten({part: every[part] for part in PARTS})
    return dict(zip(order, (tensors[f"{i:04d}"] for i in range(len(tensors))), strict=True))


def restored(program: TrainStep, start: State, tensors: dict[str, Any]) -> State:
    """The state of these tensors or arrays; a part that is none of PARTS, and of which they hold nothing, is `start`'s.

    start: the state at step 0. Raises ValueError where the tensors are those of other networks.
    """
    held = {name.partition("/")[0] for name in tensors} | {*PARTS}
    kept = {part: value for part, value in start.items() if part in held}
    wanted = named(program, kept)
    if wanted.keys() != tensors.keys():
        raise ValueError("the state of other networks")
    made = {name: tf.convert_to_tensor(tensors[name]) for name in wanted}
    if any((made[name].shape, made[name].dtype) != (t.shape, t.dtype) for name, t in wanted.items()):
        raise ValueError("the state of other networks")
    return {**start, **tf.nest.pack_sequence_as(kept, [made[name] for name in wanted])}
