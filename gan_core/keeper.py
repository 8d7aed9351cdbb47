"""Autosave: the worker's run is written into its folder every few seconds, and once more when the worker ends."""

import threading
import time
from pathlib import Path
from typing import Any

from gan_core import run_writing
from gan_core.knobs import ConfigError
from gan_core.lane import Lane

FIRST_SECONDS = 4.0
EVERY_SECONDS = 20.0
SHARE = 0.05  # of the time, at most, goes into writing


class Keeper:
    """Keeps one lane in `folder`, to be taken up by `owner`.

    A save that fails is told (`state`), tried again later, and stops nothing.
    """

    def __init__(self, folder: str, owner: str, upload: Any):
        self.folder = folder
        self._owner = owner
        self.state: dict[str, Any] = {"step": 0, "error": ""}
        self._upload = upload
        self._writer = run_writing.Writer(Path(folder))
        self._next = time.monotonic() + FIRST_SECONDS
        self._thread: threading.Thread | None = None

    def _due(self, lanes: list[Lane]) -> bool:
        return len(lanes) == 1 and 0 < lanes[0].trainer.step != self.state["step"]

    def tick(self, lanes: list[Lane]) -> None:
        """Writes in the background if it is time and there is something new."""
        if time.monotonic() < self._next or not self._due(lanes) or self._writing():
            return
        self._begin(lanes)

    def last(self, lanes: list[Lane]) -> None:
        """Begins to write what is new, for there will be no more of it."""
        if self._due(lanes):
            self._begin(lanes)

    def finish(self) -> None:
        """Waits until all is written."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self, lanes: list[Lane]) -> None:
        before = self._thread
        try:
            content = self._content(lanes[0])
        except Exception as error:
            self._failed(error)
            return

        def write() -> None:
            if before is not None:
                before.join()
            self._write(content)

        self._thread = threading.Thread(target=write)
        self._thread.start()

    def _content(self, lane: Lane) -> run_writing.Content:
        return run_writing.Content.of(lane, self._upload, owner=self._owner)

    def _writing(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _write(self, content: run_writing.Content) -> None:
        started = time.monotonic()
        try:
            self._writer.write(content)
            self.state = {"step": content.step, "error": ""}
        except Exception as error:
            self._failed(error)
        took = time.monotonic() - started
        self._next = time.monotonic() + max(EVERY_SECONDS, took / SHARE)

    def _failed(self, error: Exception) -> None:
        """Whatever it is, the training goes on."""
        said = str(error) if isinstance(error, ConfigError) else f"Autosave failed ({type(error).__name__})."
        self.state = {"step": self.state["step"], "error": said}
        self._next = time.monotonic() + EVERY_SECONDS
