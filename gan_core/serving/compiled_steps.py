"""The training process's compiled train steps: one for each structure that was asked for lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from gan_core.settings.config import GANConfig, compile_key

if TYPE_CHECKING:
    from gan_core.training.train_step import TrainStep

MOST_KEPT = 4


class CompiledSteps:
    """Train steps by their structure, each with its compilation; one is compiled at a time, beside the training."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, tuple[TrainStep, Future]] = OrderedDict()
        self._compiler = ThreadPoolExecutor(1)

    def submit(self, compile_it: Callable[[], Any]) -> Future:
        """Has it compiled once those before it are."""
        return self._compiler.submit(compile_it)

    def of(self, config: GANConfig, data: Any) -> tuple[TrainStep, Future | None]:
        """A kept train step of this structure with its compilation, or a new one with None."""
        from gan_core.training.train_step import TrainStep

        key = structure(config, data)
        kept = self._kept.get(key)
        if kept is not None and not (kept[1].cancelled() or (kept[1].done() and kept[1].exception())):
            self._kept.move_to_end(key)
            return kept
        while len(self._kept) >= MOST_KEPT:
            self._kept.popitem(last=False)
        return TrainStep(config, data.array.shape, classes=key[-1]), None

    def keep(self, config: GANConfig, data: Any, step: TrainStep, compiling: Future) -> None:
        """Keeps a train step that is being compiled for those that ask for its structure next."""
        self._kept[structure(config, data)] = (step, compiling)


def structure(config: GANConfig, data: Any) -> tuple:
    """What a compiled step depends on; the last part is the number of classes that the networks are told."""
    from gan_core.data.loading import class_count

    return compile_key(config), data.array.shape, class_count(config, data)
