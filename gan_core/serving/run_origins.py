"""What a run can go on from: a saved run, or the one whose place it took."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs.run_reading import Saved
from gan_core.settings.config import GANConfig


@dataclass(frozen=True)
class Source:
    """A saved run to go on from, at its checkpoint `step` (None: the last), which makes a branch of it or not.

    error: why it stands still for good, in a race.
    """

    folder: Path
    step: int | None
    branch: bool = False
    error: str = ""


@dataclass(frozen=True)
class Dropped:
    """A run whose place another start took, `step` steps old; its training process keeps the recording of
    `generation`, so `Run.undo` brings it back."""

    generation: int
    step: int
    configs: tuple[GANConfig, ...]
    upload: Any
    sources: "tuple[Source, ...]"
    autosave: dict[str, Any] | None


def where_a_race_goes_on(racers: list[Saved]) -> tuple[tuple[GANConfig, ...], tuple[Source, ...]]:
    """(settings, sources) of a saved race at the last step at which all its runs stood together.

    Those that had diverged stay out, as they did. Raises ConfigError where the runs have no step in common.
    """
    errors = ["" if saved.race is None else saved.race.error for saved in racers]
    going = [saved for saved, error in zip(racers, errors, strict=True) if not error] or racers
    shared = set.intersection(*(set(saved.checkpoints) for saved in going))
    if not shared:
        raise ConfigError("This race cannot go on: its runs were saved at different steps.")
    at = max(shared)
    steps = [at if saved in going else max(saved.checkpoints, default=None) for saved in racers]
    configs = tuple(saved.checkpoints[s] for saved, s in zip(racers, steps, strict=True) if s is not None)
    if len(configs) < len(racers):
        raise ConfigError("This race cannot go on: a run has nothing to go on from.")
    each = zip(racers, steps, errors, strict=True)
    return configs, tuple(Source(saved.folder, step, False, error) for saved, step, error in each)
