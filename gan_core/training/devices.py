"""The devices that share every batch of a run: one, or several GPUs (`tf.distribute`)."""

from collections.abc import Callable
from typing import Any

from gan_core.foundations.lazy_imports import tf


class Devices:
    """strategy: a tf.distribute strategy over several devices, each of which takes its part of every batch; or None."""

    def __init__(self, strategy: Any):
        self._strategy = strategy

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 if self._strategy is None else self._strategy.num_replicas_in_sync

    def share(self, batch: int, packing: int) -> int:
        """The samples of a batch that each device takes. ValueError where they cannot share it in whole packs."""
        share, rest = divmod(batch, self.count)
        if self._strategy is not None and (rest or share % packing):
            raise ValueError(f"a batch of {batch} cannot be shared by {self.count}")
        return share

    def own(self, seed):
        """The seed of a device's random draws, int64: each draws its own part of the batch."""
        if self._strategy is None:
            return seed
        return seed + tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int64) * 2**40

    def everywhere(self, update: Callable) -> Callable:
        """`update` on every device, each with its part of the batch; what it returns is the same on all of them."""
        if self._strategy is None:
            return update

        def run(*arguments):
            found = self._strategy.run(update, args=arguments)
            return tf.nest.map_structure(lambda part: self._strategy.experimental_local_results(part)[0], found)

        return run

    def mean(self, values):
        """The mean over the devices of a nest of float32 tensors; tensors of other kinds as they are."""
        if self._strategy is None:
            return values
        flat = tf.nest.flatten(values)
        floats = [i for i, value in enumerate(flat) if value.dtype == tf.float32]
        if not floats:
            return values
        means = tf.distribute.get_replica_context().all_reduce("mean", [flat[i] for i in floats])
        for i, mean in zip(floats, means, strict=True):
            flat[i] = mean
        return tf.nest.pack_sequence_as(values, flat)
