"""How a step is run: as a plain graph, which is there soonest, or by XLA, which runs dense networks fastest.

Which of the two runs a step depends on the structure of the networks and on the step's number alone: not on a
measurement, not on how long a compilation took, not on a setting that may change while training. So a run depends on
its settings and its seed, whoever trains it: the page, a race, a branch, the command line.

The two draw with different generators: philox is all that plain kernels know, and in XLA it cost up to a sixth
of the steps/s of six dense networks against threefry (in the median 8 %, of one of them nothing).
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gan_core.foundations.lazy_imports import tf
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.networks.cost import step_cost

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig
    from gan_core.training.train_step import TrainStep

# name -> what it is in words
PATHS = {"graph": "graph", "xla": "XLA"}
# Of first steps as a graph, on two free laptop cores: about as long as XLA compiles beside them, so that a run hardly
# ever waits for it. Unrolling compiles as many updates more.
FIRST_SECONDS = 3.0
FEWEST, MOST = 3, 12  # first steps, as powers of two
# Operations of a step from which a batch is worth sharing: smaller ones are over on one GPU before several have agreed.
SHARED_COST = 5e10


def lasting(config: GANConfig) -> str:
    """How all steps but the first ones are run, one of PATHS: XLA for dense networks, a graph for convolutions.

    On two cores XLA makes 1.2 to 3.4 times the steps of a graph for dense networks, but 2 steps/s of a DCGAN's 29.
    """
    return "xla" if ARCHITECTURES[config.architecture].dense else "graph"


def first_steps(config: GANConfig, shape: tuple[int, ...]) -> int:
    """Steps that a run takes as a graph before XLA, 0 where no XLA follows: a power of two, by what a step costs with
    one update of each network, for the counts of updates may change while training."""
    if lasting(config) == "graph":
        return 0
    seconds = 3e-4 + step_cost(replace(config, d_steps=1, g_steps=1), shape) / 6e10
    return 2 ** max(FEWEST, min(MOST, int(math.log2(FIRST_SECONDS * (1 + config.unroll) / seconds))))


def several_devices(config: GANConfig, shape: tuple[int, ...]) -> Any:
    """A tf.distribute.MirroredStrategy where there are several GPUs that can share a batch and a step is large enough
    to be worth it, else None."""
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(gpus) < 2 or config.batch_size % (len(gpus) * config.packing):
        return None
    if lasting(config) == "xla" or step_cost(replace(config, d_steps=1, g_steps=1), shape) < SHARED_COST:
        return None
    return shared_by(tuple(gpus))


@functools.cache
def shared_by(devices: tuple[str, ...]) -> Any:
    """The tf.distribute.MirroredStrategy over these devices, one for all programs of this process.

    TensorFlow numbers the sums over devices anew for each strategy, and refuses a number that has summed something of
    another shape before: a second strategy over the same devices would end every training after the first.
    """
    return tf.distribute.MirroredStrategy(list(devices))


class Change:
    """The change of a run from a plain graph to XLA, after its `first` steps.

    plain: the program of the first steps. make: () -> the one that follows, sharing what `plain` is built of.
    """

    def __init__(self, plain: TrainStep, make: Callable[[], TrainStep]):
        self.first = first_steps(plain.config, plain.shape)
        self.ready = False  # whether what follows is compiled
        self.failed = ""  # why XLA could not compile it, so that the plain graph goes on
        self._plain, self._make = plain, make
        self._next = plain

    def compile(self, call: Callable[[TrainStep, int], Any]) -> None:
        """Compiles what follows the first steps; call(program, n) takes n steps. May run in another thread."""
        if self.ready:
            return
        try:
            program = self._make()
            call(program, 0)
            self._next = program
        except Exception as error:
            # A system without XLA trains as well, only slower.
            self.failed = str(error).strip().split("\n")[0][:300] or type(error).__name__
            logging.getLogger(__name__).warning("XLA could not compile this network: %s", self.failed)
        self.ready = True

    def at(self, step: int) -> TrainStep:
        """The program that runs the step after `step`; while its compilation is waited for, the plain one."""
        return self._plain if step < self.first else self._next
