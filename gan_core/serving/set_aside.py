"""What a training process keeps of runs that were given up, so that Undo can bring one back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gan_core.foundations.hyperparameters import ConfigError

if TYPE_CHECKING:
    from gan_core.recording.recorder import Recording
    from gan_core.recording.training_run import TrainingRun


class SetAside:
    """The recordings of one generation: that of the run which Undo would bring back.

    The networks of a training that is given up are not kept: its recording has a checkpoint of where it stood.
    """

    def __init__(self) -> None:
        self._kept: dict[int, list[tuple[Recording, str]]] = {}

    def change(
        self, trainings: Sequence[TrainingRun], generation: int, restores: int | None, keeps: int | None
    ) -> list[tuple[Recording, str]] | None:
        """The recordings of the generation `restores`, and why they stand still, or None if none is wanted; those of
        the generation `keeps` stay, all others are given up. Raises ConfigError where they are not there any more.

        trainings: those of the present `generation`, which ends now.
        """
        known = dict(self._kept)
        if trainings and generation in (restores, keeps):
            for training in trainings:
                training.record()
            known[generation] = [(training.recording, training.error) for training in trainings]
        self._kept = {keeps: known[keeps]} if keeps in known else {}
        if restores is None:
            return None
        if restores not in known:
            raise ConfigError("The run before can no longer be brought back. Press Reset to start over.")
        return known[restores]
