"""How settings change over the steps of a run. `SCHEDULES` is the registry of learning-rate schedules.

Each is `share(t, **own) -> share` of both rates, from 1 at t = 0 to 0 at t = 1 (t = step / schedule_steps), as tensors;
`own` are those of the row's hyperparameters that it names.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gan_core.foundations.hyperparameters import Hyperparameter, asked_for
from gan_core.foundations.lazy_imports import tf

SCHEDULE_FLOOR = Hyperparameter(
    float,
    0.0,
    "Final share of the learning rate",
    "The share of the learning rates that is left at the end of the schedule. 0: nothing moves after it, whatever you "
    "change. High: it hardly settles.",
    "Learning rates",
    stops=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1),
    low=0.0,
    high=1.0,
    live=True,
    carriers="a schedule that is not constant",
    lacking="the schedule is {}",
    quiet=True,
)
SCHEDULE_STEPS = replace(
    SCHEDULE_FLOOR,
    kind=int,
    default=20_000,
    label="Schedule length (steps)",
    help="The step at which the learning rates have fallen to their final share. Too low: training settles before it "
    "is good. Too high: as without a schedule.",
    stops=None,
    low=100,
    high=1_000_000,
    log=True,
    idle=lambda c: "schedule_floor=1 leaves the learning rates as they are" if c.schedule_floor == 1 else "",
)


@dataclass(frozen=True)
class Schedule:
    """A row of the registry.

    knobs: its own hyperparameters, by name; those of every schedule that falls are its length and its final share.
    keras: the same schedule by Keras, as text with {0} for the rate it starts from; "" where Keras has none.
    """

    share: Callable
    description: str
    source: str = ""
    knobs: dict[str, Hyperparameter] = field(
        default_factory=lambda: {"schedule_steps": SCHEDULE_STEPS, "schedule_floor": SCHEDULE_FLOOR}
    )
    keras: str = ""


def cosine(t):
    """Half a cosine (Loshchilov and Hutter, arXiv 1608.03983, without restarts)."""
    return 0.5 + 0.5 * tf.cos(math.pi * t)


def linear(t):
    """A straight line."""
    return 1.0 - t


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule(lambda t: 1.0 + 0.0 * t, "the learning rates stay the same", knobs={}),
    "cosine": Schedule(
        cosine,
        "fall as a cosine: slowly at first and at the end",
        "arXiv 1608.03983",
        keras="keras.optimizers.schedules.CosineDecay({0}, SCHEDULE_STEPS, alpha=SCHEDULE_FLOOR)",
    ),
    "linear": Schedule(
        linear,
        "fall in a straight line",
        keras="keras.optimizers.schedules.PolynomialDecay({0}, SCHEDULE_STEPS, SCHEDULE_FLOOR * {0})",
    ),
}


def rate_factor(step, values: Mapping[str, Any]):
    """The factor of both learning rates at `step`: from 1 to `schedule_floor` at `schedule_steps`, and there it stays.

    values: the live settings by name, tensors; `schedule` is an index into SCHEDULES, so that it can change while
    training.
    """
    t = tf.clip_by_value(tf.cast(step, tf.float32) / values["schedule_steps"], 0.0, 1.0)
    shares = [
        row.share(t, **asked_for(row.share, {name: values[name] for name in row.knobs})) for row in SCHEDULES.values()
    ]
    floor = values["schedule_floor"]
    return floor + (1.0 - floor) * tf.gather(tf.stack(shares), values["schedule"])


def noise_level(start, step, steps):
    """Standard deviation of the instance noise at `step`: from `start` straight down to 0 at `steps`."""
    return start * tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / steps)
