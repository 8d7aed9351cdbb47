"""A run's next step, taken apart: each update of a network with its batch, its numbers and its phases.

It computes the updates that the step itself computes, with the same draws, and changes nothing: the step is taken by
the trainer, and leaves the state that it leaves without anybody looking.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.foundations.lazy_imports import tf
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import rate_factor
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from gan_core.training.updates import State, own_of

PHASES = ("draw", "generate", "judge", "loss", "penalty", "gradient", "update")


@dataclass(frozen=True)
class Dissected:
    """One update of a network, as it is in the step.

    side: "d" or "g". number, of: which of the network's updates in this step, from 1. made: False where the network is
    frozen, so that the update is only looked at. before, after: the run's state around it.

    In training units: z float32 [batch, latent_dim]; fake, and real where it is looked at, [batch, ...]; gradient: of
    the generator's loss at each sample, like fake; None of D. Logits float32 [batch / packing], real ones where the
    loss needs them.

    loss: without the penalty. terms: (formula, value) of its summands, [] where they are not known. penalty: its value
    without its weight, 0 without one. gradient_norm: of all weights, before clipping. layers: (layer, norm) of the
    network's layers that learn. scale: what clipping leaves of the gradient, 1 for all. rate: the learning rate now.
    largest_change: of a weight, 0 where the update is not made.
    """

    side: str
    number: int
    of: int
    made: bool
    z: np.ndarray
    fake: np.ndarray
    fake_logits: np.ndarray
    real: np.ndarray | None
    real_logits: np.ndarray | None
    gradient: np.ndarray | None
    loss: float
    penalty: float
    penalty_weight: float
    gradient_norm: float
    scale: float
    rate: float
    largest_change: float
    before: State = field(repr=False)
    after: State = field(repr=False)
    terms: list[tuple[str, float]] = field(default_factory=list)
    layers: list[tuple[str, float]] = field(default_factory=list)

    @property
    def phases(self) -> tuple[str, ...]:
        """Those of PHASES that it has."""
        return tuple(phase for phase in PHASES if phase != "penalty" or self.penalty_weight)


@dataclass(frozen=True)
class _Moment:
    """A trainer as it stands at one moment: nothing here changes afterwards."""

    program: TrainStep
    config: GANConfig
    live: dict[str, Any]
    inputs: dict[str, Any]
    state: State


def dissection(trainer: Trainer) -> Callable[[], list[Dissected]]:
    """What computes the updates of the trainer's next step, in their order, whatever becomes of the trainer meanwhile;
    so it may be called in another thread. The first call of a structure builds functions, which takes seconds."""
    moment = _Moment(trainer.runs, trainer.config, trainer.live, trainer.inputs, trainer.state)
    return lambda: _updates(moment)


def _updates(now: _Moment) -> list[Dissected]:
    state, config = now.state, now.config
    given = now.inputs, now.live, tf.constant(config.seed, tf.int64)
    found = []
    starts = config.d_steps == 0 or int(state["step"]) % max(config.g_steps, 1) == 0
    updates = max(config.d_steps, 1) if starts else 0
    for i in range(updates):
        changed, seen = now.program.dissect_d(state, *given, tf.constant(i))
        loss, penalty, *_, norm = changed["d_row"].numpy().tolist()
        about = {"number": i + 1, "of": updates, "made": config.d_steps > 0}
        about |= {"loss": loss, "penalty": penalty, "gradient_norm": norm}
        found.append(_dissected(now, "d", state, changed, seen, about))
        state = found[-1].after
    changed, row, seen = now.program.dissect_g(state, *given)
    loss, *_, norm = row.numpy().tolist()
    about = {"number": 1, "of": 1, "made": config.g_steps > 0, "loss": loss, "penalty": 0.0, "gradient_norm": norm}
    found.append(_dissected(now, "g", state, changed, seen, about))
    return found


def _dissected(
    now: _Moment, side: str, before: State, changed: State, seen: dict[str, Any], about: dict[str, Any]
) -> Dissected:
    """changed: the state with the update; seen: what Updates saw of it; about: what of a Dissected is known already."""
    program, config, row = now.program, now.config, LOSSES[now.config.loss]
    live = program.named_live(now.live)
    penalised = side == "d" and PENALTIES[config.penalty].function is not None
    arrays = {name: seen[name].numpy() for name in ("z", "fake", "fake_logits")}
    more = {name: seen[name].numpy() for name in ("real_logits", "real", "at_samples") if seen.get(name) is not None}
    real_logits = more.get("real_logits")
    alone = program.devices == 1  # of several, only one's part of the batch is seen
    terms = row.d_terms if side == "d" else row.g_terms
    soft = side == "d" and row.labels and (config.label_smoothing > 0 or config.label_noise > 0)
    logits = (seen.get("real_logits"), seen["fake_logits"], *seen.get("labels", ()))
    changes = (tf.reduce_max(tf.abs(new - old)) for new, old in zip(changed[side], before[side], strict=True))
    return Dissected(
        side=side,
        z=arrays["z"],
        fake=arrays["fake"],
        fake_logits=arrays["fake_logits"][:, 0],
        real=more.get("real"),
        real_logits=None if real_logits is None else real_logits[:, 0],
        gradient=more.get("at_samples"),
        penalty_weight=config.gp_weight if penalised else 0.0,
        scale=min(1.0, config.grad_clip / about["gradient_norm"]) if config.grad_clip > 0 else 1.0,
        rate=float(live[f"{side}_lr"] * rate_factor(before["step"], live)),
        largest_change=max(map(float, changes)) if about["made"] else 0.0,
        before=before,
        after={**(changed if about["made"] else before), "step": before["step"] + (side == "g")},
        terms=[
            (
                term.soft if soft and term.soft else term.formula,
                float(term.value(*logits, **own_of(row, term.value, live))),
            )
            for term in (terms if alone else ())
        ],
        layers=_layers(program.generator if side == "g" else program.discriminator, seen["gradients"]) if alone else [],
        **about,
    )


def _layers(model: Any, gradients: list[Any]) -> list[tuple[str, float]]:
    """(its name, the norm of the gradients of its weights) of each layer that learns, from the input on."""
    squares = [float(tf.reduce_sum(gradient**2)) for gradient in gradients]
    place, found = {id(v): i for i, v in enumerate(model.trainable_variables)}, []
    for layer in model.layers:
        own = [squares[place[id(v)]] for v in layer.trainable_variables if id(v) in place]
        if own:
            found.append((layer.name, math.sqrt(sum(own))))
    return found
