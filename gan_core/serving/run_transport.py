"""Play, pause, step and what to stop at, as the server tells them to a run's training process."""

import threading
from typing import Any

from gan_core.serving.worker_process import WorkerProcess


class Transport:
    """What a run's user wants of its worker; all methods return at once.

    wants_play: whether the user wants it to train. speed: steps per second, 0 for as fast as it goes. slow: whether it
    goes phase by phase. breakpoints: what it stops at (serving/breakpoints.py).
    """

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.wants_play = False
        self.speed = 0.0
        self.slow = False
        self.breakpoints: list[dict[str, Any]] = []
        self._stepping = False
        self._asked = 0  # id of the last frame that was asked for
        self._said = 0  # answers up to this id were asked for before the last command
        self._last: dict[str, Any] = {}
        self._lock = threading.RLock()

    def play(self) -> None:
        """Trains until `pause`; needs a worker."""
        self.wants_play = True
        self._command()
        self.resume()

    def pause(self) -> None:
        """Stops after the present chunk."""
        self.wants_play = self._stepping = False
        self._command()
        self.hold()

    def _command(self) -> None:
        """Answers to frames that were asked for before now do not speak of the new command."""
        with self._lock:
            self._said = self._asked
            self._last = {**self._last, "error": None, "breakpoint": None} if self._last else {}

    def resume(self) -> None:
        """Lets the worker train if the user wants it to; the other half of `hold`."""
        if self.worker is not None and self.wants_play:
            self.worker.send("play")

    def hold(self) -> None:
        """Stops the worker without forgetting whether the user wanted to play."""
        if self.worker is not None:
            self.worker.send("pause")

    def steps(self, n: int, alone: str = "") -> None:
        """Pauses, then takes exactly n steps. alone: the network, "g" or "d", that is updated, once a step, while the
        other is frozen."""
        self._pressed("step", {"n": n, "alone": alone})

    def phase(self, by: int) -> None:
        """Pauses, then goes a phase on (1) or back (-1) in the next step's slow motion; a step is taken where its last
        phase begins."""
        self._pressed("phase", by)

    def _pressed(self, kind: str, body: Any) -> None:
        self.wants_play, self._stepping = False, True
        self._command()
        if self.worker is not None:
            self.worker.send(kind, body)

    def set_slow(self, slow: bool) -> None:
        """Whether Play goes through each step phase by phase."""
        self.slow = slow
        if self.worker is not None:
            self.worker.send("slow", slow)

    def set_breakpoints(self, wanted: list[dict[str, Any]]) -> None:
        """What training stops at from now on, each as serving/breakpoints.py reads it."""
        self.breakpoints = wanted
        if self.worker is not None:
            self.worker.send("breakpoints", wanted)

    def set_speed(self, speed: float) -> None:
        """Steps per second, 0 for as fast as it goes."""
        self.speed = speed
        if self.worker is not None:
            self.worker.send("speed", speed)
