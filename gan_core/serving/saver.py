"""Saves that the training process writes beside the training."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.serving.wire import Wire

if TYPE_CHECKING:
    from gan_core.recording.training_run import TrainingRun
    from gan_core.runs.run_writing import Content

MOST_AT_ONCE = 2


class Saver:
    """Writes runs into folders, and tells the server by `wire` what became of each save."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE)

    def save(self, trainings: list[TrainingRun], upload: Any, body: dict[str, Any]) -> None:
        """Writes each training, as it is now, into its folder, or the next free name.

        body: {id, folders, note, owner}. upload: the user's own data that the trainings are trained on.
        """
        from gan_core.runs.run_writing import Content

        try:
            if len(trainings) != len(body["folders"]):
                raise ConfigError("There is no run to save: it could not be built.")
            contents = [Content.of(training, upload, body["note"], body["owner"]) for training in trainings]
        except Exception as error:
            self._say(body["id"], [], error)
            return
        self._threads.submit(self._write, body, contents)

    def finish(self) -> None:
        """Returns once all is written."""
        self._threads.shutdown(wait=True)

    def _write(self, body: dict[str, Any], contents: list[Content]) -> None:
        from gan_core.runs import run_writing

        taken: list[Path] = []
        try:
            for folder, content in zip(body["folders"], contents, strict=True):
                taken.append(run_writing.save(folder, content, numbered=True))
        except Exception as error:
            self._say(body["id"], taken, error)
        else:
            self._say(body["id"], taken, None)

    def _say(self, number: int, taken: list[Path], error: Exception | None) -> None:
        """Whatever went wrong, the training goes on, and whoever asked hears of it."""
        said = "" if error is None else str(error)
        if error is not None and not isinstance(error, ConfigError):
            said = f"The run could not be saved ({type(error).__name__})."
        with contextlib.suppress(OSError, ValueError):  # nobody is left to hear it
            self._wire.send("saved", {"id": number, "folders": taken, "error": said})
