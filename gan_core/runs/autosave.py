"""Autosave: the worker's run is written into its folder every few seconds, and once more when the worker ends."""

import threading
import time
from pathlib import Path
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_writing
from gan_core.runs.run_reading import Race

FIRST_SECONDS = 4.0
EVERY_SECONDS = 20.0
SHARE = 0.05  # of the time, at most, goes into writing


class Autosave:
    """Keeps each training in its own of `folders`, to be taken up by `owner`.

    A save that fails is told (`state`), tried again later, and stops nothing.
    """

    def __init__(self, folders: list[str], owner: str, upload: Any):
        self.folders = folders
        self._owner = owner
        self.state: dict[str, Any] = {"step": 0, "error": ""}
        self._upload = upload
        self._writers = [run_writing.Writer(Path(folder)) for folder in folders]
        self._written: Any = None  # what `_moment` said of the trainings that are on disk
        self._next = time.monotonic() + FIRST_SECONDS
        self._thread: threading.Thread | None = None

    def _due(self, trainings: list[TrainingRun]) -> bool:
        trained = len(trainings) == len(self.folders) and any(training.trainer.step > 0 for training in trainings)
        return trained and self._moment(trainings) != self._written

    @staticmethod
    def _moment(trainings: list[TrainingRun]) -> Any:
        """What changes when there is something new: a knob may be turned while the run stands still."""
        return [(training.trainer.step, training.trainer.config, training.error) for training in trainings]

    def tick(self, trainings: list[TrainingRun]) -> None:
        """Writes in the background if it is time and there is something new."""
        if time.monotonic() < self._next or not self._due(trainings) or self._writing():
            return
        self._begin(trainings)

    def last(self, trainings: list[TrainingRun]) -> None:
        """Begins to write what is new, for there will be no more of it."""
        if self._due(trainings):
            self._begin(trainings)

    def finish(self) -> None:
        """Waits until all is written."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self, trainings: list[TrainingRun]) -> None:
        before = self._thread
        try:
            moment, contents = self._moment(trainings), [self._content(trainings, i) for i in range(len(trainings))]
        except Exception as error:
            self._failed(error)
            return

        def write() -> None:
            if before is not None:
                before.join()
            self._write(moment, contents)

        thread = threading.Thread(target=write)
        try:
            thread.start()
        except RuntimeError as error:  # "can't start new thread"
            self._failed(error)
            return
        self._thread = thread

    def _content(self, trainings: list[TrainingRun], i: int) -> run_writing.Content:
        race = None
        if len(trainings) > 1:
            race = Race(Path(self.folders[0]).name, i, len(trainings), trainings[i].error)
        return run_writing.Content.of(trainings[i], self._upload, owner=self._owner, race=race)

    def _writing(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _write(self, moment: Any, contents: list[run_writing.Content]) -> None:
        started = time.monotonic()
        try:
            for writer, content in zip(self._writers, contents, strict=True):
                writer.write(content)
            self._written = moment
            self.state = {"step": max(content.step for content in contents), "error": ""}
        except Exception as error:
            self._failed(error)
        took = time.monotonic() - started
        self._next = time.monotonic() + max(EVERY_SECONDS, took / SHARE)

    def _failed(self, error: Exception) -> None:
        """Whatever it is, the training goes on."""
        said = str(error) if isinstance(error, ConfigError) else f"Autosave failed ({type(error).__name__})."
        self.state = {"step": self.state["step"], "error": said}
        self._next = time.monotonic() + EVERY_SECONDS
