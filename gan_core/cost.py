"""What a step costs, before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_core.architectures import measure, packed, plans
from gan_core.penalties import PENALTIES

if TYPE_CHECKING:
    from gan_core.config import GANConfig


def step_cost(config: GANConfig, shape: tuple[int, ...]) -> float:
    """Floating-point operations of one step, roughly: a backward pass counts two forward ones, a penalty's gradient
    of a gradient three more for each batch it looks at; unrolling adds updates, and the way back through them."""
    generator, discriminator = plans(config, shape)
    g, *_ = measure(generator, (config.latent_dim,))
    d = measure(discriminator, packed(shape, config.packing))[0] / config.packing
    update = d * (6 + 5 * PENALTIES[config.penalty].batches)
    d_update = g + update
    g_update = 3 * g + 2 * d + 3 * update * config.unroll
    return 2.0 * config.batch_size * (d_update * config.d_steps / config.g_steps + g_update)
