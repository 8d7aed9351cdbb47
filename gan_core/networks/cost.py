"""What a step costs, before anything is built."""

from __future__ import annotations

from collections.abc import Sequence

from gan_core.foundations.hyperparameters import ConfigError, Settings
from gan_core.foundations.machine import worker_memory
from gan_core.networks.architectures import ARCHITECTURES, packed, plans
from gan_core.networks.layers import activations, measure
from gan_core.objectives.penalties import PENALTIES


def step_cost(config: Settings, shape: tuple[int, ...]) -> float:
    """Floating-point operations of one step, roughly: a backward pass counts two forward ones, a penalty's gradient
    of a gradient three more for each batch it looks at; unrolling adds updates, and the way back through them."""
    generator, discriminator = plans(config, shape)
    g, *_ = measure(generator, (config.latent_dim,))
    d = measure(discriminator, packed(shape, config.packing))[0] / config.packing
    update = d * (6 + 5 * PENALTIES[config.penalty].batches)
    d_update = g + update
    g_update = 3 * g + 2 * d + 3 * update * config.unroll
    rounds = max(config.d_steps, 1) / max(config.g_steps, 1)  # a frozen network's update is computed and not made
    return 2.0 * config.batch_size * (d_update * rounds + g_update)


BASE_BYTES = 900_000_000  # TensorFlow itself and compiled programs
DATA_MATTERS = 0.25  # of all that is needed: then less of the data helps more than smaller networks
# What training was seen to hold of what layers put out: XLA keeps it with copies, a plain graph shares much of it.
KEPT_DENSE, KEPT_GRAPH = 1.6, 0.6


def step_memory(config: Settings, shape: tuple[int, ...]) -> int:
    """Bytes that training holds at once, roughly: weights with what optimizer, average, update and two checkpoints add,
    and what the layers put out for all the batches that a step looks at, kept for the way back."""
    generator, discriminator = plans(config, shape)
    look = packed(shape, config.packing)
    weights = measure(generator, (config.latent_dim,))[1] * 16 + measure(discriminator, look)[1] * 15
    g = activations(generator, (config.latent_dim,))
    d = activations(discriminator, look) / config.packing
    # Real and fake, each twice (values and gradients); the gradient of a gradient keeps as much again.
    update = d * (4 + 4 * PENALTIES[config.penalty].batches)
    outputs = config.batch_size * (2 * g + update * (1 + config.unroll))
    kept = KEPT_DENSE if ARCHITECTURES[config.architecture].dense else KEPT_GRAPH
    return BASE_BYTES + int(4 * (weights + kept * outputs))


def check_memory(config: Settings, shape: tuple[int, ...], rivals: Sequence[Settings] = (), data: int = 0) -> None:
    """Raises ConfigError where training these networks would need more memory than `worker_memory`.

    rivals: what the same process trains with them, in a race. data: bytes of their data (datasets.training_bytes).
    """
    networks = step_memory(config, shape) + sum(step_memory(rival, shape) - BASE_BYTES for rival in rivals)
    needed, limit = networks + data, worker_memory()
    if needed > limit:
        who = f"The networks of all {1 + len(rivals)} runs of this race together" if rivals else "These networks"
        advice = "Use a smaller batch, fewer units or filters, or less unrolling."
        if data > DATA_MATTERS * needed:
            who, advice = f"{who} and their data", "Choose fewer training samples or a smaller image size."
        raise ConfigError(
            f"{who} would need about {needed / 1e9:,.1f} GB of memory in training; one training may take "
            f"{limit / 1e9:,.1f} GB here. {advice}"
        )
