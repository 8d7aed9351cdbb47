"""How settings change over the steps of a run. `SCHEDULES` is the registry of learning-rate schedules.

Each is `schedule(t) -> share` of both rates, from 1 at t = 0 to 0 at t = 1 (t = step / schedule_steps), as tensors.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gan_core.foundations.lazy_imports import tf


@dataclass(frozen=True)
class Schedule:
    """A row of the registry."""

    share: Callable
    description: str
    source: str = ""


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule(lambda t: 1.0 + 0.0 * t, "the learning rates stay the same"),
    "cosine": Schedule(
        lambda t: 0.5 + 0.5 * tf.cos(math.pi * t),
        "fall as a cosine: slowly at first and at the end",
        "arXiv 1608.03983",
    ),
    "linear": Schedule(lambda t: 1.0 - t, "fall in a straight line"),
}


def rate_factor(kind, step, steps, floor):
    """The factor of both learning rates at `step`: from 1 to `floor` at `steps`, and there it stays.

    kind: index into SCHEDULES, an int tensor, so that it can change while training.
    """
    t = tf.clip_by_value(tf.cast(step, tf.float32) / steps, 0.0, 1.0)
    share = tf.gather(tf.stack([row.share(t) for row in SCHEDULES.values()]), kind)
    return floor + (1.0 - floor) * share


def noise_level(start, step, steps):
    """Standard deviation of the instance noise at `step`: from `start` straight down to 0 at `steps`."""
    return start * tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / steps)
