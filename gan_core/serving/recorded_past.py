"""What an opened run shows until its training process answers: its recorded past, from the files that hold it.

Reading them takes milliseconds, and no TensorFlow; a process takes seconds to start, or waits in a queue.
"""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording import coaching
from gan_core.recording.recorder import Parent, Recording
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import trails
from gan_core.runs import run_folders, run_reading
from gan_core.serving.run_origins import Source
from gan_core.settings.config import GANConfig


class RecordedPast:
    """The past of the saved runs `sources`, each up to where it is gone on from; read once, when it is first looked at.

    What cannot be read has no past: its training process will say why.
    """

    def __init__(self, sources: tuple[Source, ...]):
        self._sources = sources
        self._found: list[tuple[Recording, int, GANConfig]] | None = None
        self._shown: tuple[View, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path | None:
        """The saved run that this is as a whole: not a branch of it, and not a race."""
        whole = len(self._sources) == 1 and not self._sources[0].branch
        return self._sources[0].folder if whole else None

    @property
    def step(self) -> int:
        """Where it ends; of a race, where the run that came furthest stands."""
        with self._lock:
            return max((step for _, step, _ in self._read()), default=0)

    def look(self, view: View) -> dict[str, Any]:
        """What a training process would answer (worker.py), as far as it was recorded; {} where nothing can be read.

        The same dictionary as before for the same view.
        """
        with self._lock:
            if self._shown is None or self._shown[0] != view:
                self._shown = view, self._frame(view)
            return self._shown[1]

    def save(self, folders: list[Path], owner: str) -> "Future[list[Path]]":
        """Copies the run, as `Run.save` would have its training process write it."""
        done: Future[list[Path]] = Future()
        try:
            done.set_result([run_folders.copy(source.folder, folders[0], owner) for source in self._sources])
        except ConfigError as error:
            done.set_exception(error)
        return done

    def _frame(self, view: View) -> dict[str, Any]:
        trainings = [
            _looked_at(recording, end, config, view, source.error)
            for (recording, end, config), source in zip(self._read(), self._sources, strict=False)
        ]
        if not trainings:
            return {}
        return {"autosave": None, **trainings[0], "trainings": trainings, "step": max(t["step"] for t in trainings)}

    def _read(self) -> list[tuple[Recording, int, GANConfig]]:
        if self._found is None:
            try:
                self._found = [_up_to(source) for source in self._sources]
            except (ConfigError, KeyError):
                self._found = []
        return self._found


def _up_to(source: Source) -> tuple[Recording, int, GANConfig]:
    """The past that is gone on from, with its last step and the settings there; raises ConfigError, or KeyError without
    a checkpoint there."""
    saved = run_reading.read(source.folder)
    at = max(saved.checkpoints) if source.step is None else source.step
    saved, recording = run_reading.opened(source.folder, checkpoints=at != saved.step)
    if at != saved.step:
        recording = recording.until(at)
    recording.checkpoints = Recording().checkpoints
    for step in saved.checkpoints:
        if step <= at:
            recording.checkpoints.add(step, ())  # only their steps are shown
    if source.branch:
        recording.parent = Parent(saved.name, at)
    return recording, at, saved.checkpoints[at]


def _looked_at(recording: Recording, end: int, config: GANConfig, view: View, error: str) -> dict[str, Any]:
    """The frame that TrainingRun.look would make of a run that stands at `end`."""
    past = view.at is not None and view.at < end
    frame = {
        **recording.look(view.at if past and view.at is not None else end),
        "step": end,
        "recorded": np.array(recording.frames.steps, np.int32),
        "checkpoints": np.array(recording.checkpoints.steps, np.int32),
        "parent": recording.parent,
        "training_error": error,
        "marks": recording.marks,
    }
    shown = frame.get("at", end)
    frame["at"] = shown if past and recording.frames.steps else None
    frame["scored"] = recording.scored_until(shown)
    frame["findings"] = coaching.states(config, recording, bool(error) and frame["at"] is None, frame["at"])
    if view.trails and "samples" in frame:
        frame["trails"] = trails(recording, frame["samples"], shown)
    return frame
