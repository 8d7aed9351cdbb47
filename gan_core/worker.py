"""The process that owns TensorFlow: commands in, snapshots out. Started by client.py, never by hand.

Between two chunks of steps it takes the newest config and the waiting commands, and answers the newest
request for a frame. An exception is data: it stops the training and travels in the snapshot.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections import OrderedDict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gan_core.config import GANConfig, changed, compile_key, same_structure
from gan_core.knobs import ConfigError
from gan_core.wire import Wire

CHUNK_SECONDS = 0.04
NICENESS = 10  # on two cores the browser that draws comes first, or the picture stutters
PROGRAMS = 4  # compiled structures kept
LEASE_SECONDS = 20.0  # without a renewal: pause
ORPHAN_SECONDS = 90.0  # without a renewal: end
RATE_WINDOW = 1.5  # seconds over which steps/s are measured


class Mailbox:
    """What the server has said and the loop has not yet taken. The newest config and frame request win."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._news = threading.Condition()
        self._commands: deque[tuple[str, Any]] = deque()
        self._newest: dict[str, Any] = {}
        self.lease_until = time.monotonic() + ORPHAN_SECONDS
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                kind, body = self._wire.receive()
            except (EOFError, OSError):
                os._exit(0)  # the server is gone, and nobody is left to train for
            with self._news:
                if kind == "lease":
                    self.lease_until = time.monotonic() + LEASE_SECONDS
                elif kind in ("configure", "frame"):
                    self._newest[kind] = body
                else:
                    self._commands.append((kind, body))
                self._news.notify()

    def _watch(self) -> None:
        while time.monotonic() < self.lease_until + ORPHAN_SECONDS - LEASE_SECONDS:
            time.sleep(1)
        os._exit(0)

    def leased(self) -> bool:
        """Whether somebody still wants this worker to train."""
        return time.monotonic() < self.lease_until

    def take(self, wait: float) -> list[tuple[str, Any]]:
        """The waiting messages, the config first, after waiting at most `wait` seconds for one."""
        with self._news:
            if wait > 0 and not self._newest and not self._commands:
                self._news.wait(wait)
            messages = [("configure", self._newest.pop("configure"))] if "configure" in self._newest else []
            messages += self._commands
            self._commands.clear()
            if "frame" in self._newest:
                messages.append(("frame", self._newest.pop("frame")))
            return messages


class Pace:
    """How many steps may be taken now: none waits, a chunk lasts about CHUNK_SECONDS, a chosen speed is kept."""

    def __init__(self) -> None:
        self.speed = 0.0  # steps/s, 0 for as fast as it goes
        self._rate = 100.0  # measured steps/s within a chunk
        self._allowed, self._since = 1.0, time.monotonic()

    def restart(self) -> None:
        """From standing still: the first step comes at once."""
        self._allowed, self._since = 1.0, time.monotonic()

    def steps(self, most: int) -> int:
        """Steps to take in the next chunk, 0 if it is too early."""
        chunk = max(1, min(most, int(self._rate * CHUNK_SECONDS)))
        if self.speed <= 0:
            return chunk
        now = time.monotonic()
        self._allowed = min(self._allowed + (now - self._since) * self.speed, max(1.0, self.speed * 0.2))
        self._since = now
        n = min(chunk, int(self._allowed))
        self._allowed -= n
        return n

    def measured(self, n: int, seconds: float) -> None:
        """Learns from a chunk of n steps."""
        rate = n / max(seconds, 1e-6)
        # Grow by at most 4 at a time: the first chunk of a fresh function can mislead.
        self._rate = min(0.5 * self._rate + 0.5 * rate, 4 * self._rate)


class Worker:
    """The loop. `generation` counts rebuilds and resets, as the server numbers them."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._mail = Mailbox(wire)
        self._pace = Pace()
        self._programs: OrderedDict[tuple, Any] = OrderedDict()
        self._compiler = ThreadPoolExecutor(1)
        self._compiling: Future | None = None
        self._trainer = None
        self._scores = None
        self._history = None
        self._generation = 0
        self._playing = False
        self._pending = 0  # steps still to take for Step
        self._error: str | None = None
        self._recent: deque[tuple[float, int]] = deque()

    def run(self) -> None:
        """Until the server closes the pipe or says quit."""
        while True:
            for kind, body in self._mail.take(self._patience()):
                if kind == "quit":
                    return
                try:
                    getattr(self, "_on_" + kind)(body)
                except Exception as error:
                    self._fail(error)
            try:
                self._train()
            except Exception as error:
                self._fail(error)

    def _busy(self) -> bool:
        return (self._playing or self._pending > 0) and self._trainer is not None and self._mail.leased()

    def _ready(self) -> bool:
        return self._compiling is not None and self._compiling.done()

    def _patience(self) -> float:
        if self._busy() and self._ready():
            return 0.0 if self._pending or self._pace.speed <= 0 else 0.005
        return 0.02 if self._busy() else 0.5

    # -- commands -----------------------------------------------------------------------------------------

    def _on_configure(self, body: dict[str, Any]) -> None:
        """{flat, upload, generation}: live changes act at once, anything else rebuilds."""
        config = GANConfig.from_flat(body["flat"])
        if self._trainer is not None and body["generation"] == self._generation:
            for name, (old, new) in changed(self._trainer.config, config).items():
                if self._trainer.step > 0 and name != "show_ema":
                    self._history.mark(self._trainer.step, f"{name} {_short(old)} → {_short(new)}")
            if not same_structure(self._trainer.config, config):
                raise ValueError("a change of structure needs a new generation")
            self._trainer.set_live(config)
            return
        self._build(config, body)

    def _build(self, config: GANConfig, body: dict[str, Any]) -> None:
        from gan_core import datasets
        from gan_core.history import History
        from gan_core.scores import live_scores
        from gan_core.trainer import Trainer

        self._generation = body["generation"]
        if self._scores is not None:
            self._scores.close()
        self._trainer = self._scores = None
        self._error, self._pending = None, 0
        data = datasets.load(config, body["upload"])
        program, self._compiling = self._program(config, data)
        self._trainer = Trainer(config, data, program)
        if self._compiling is None:
            self._compiling = self._compiler.submit(self._trainer.compile)
            self._programs[self._program_key(config, data)] = (program, self._compiling)
        self._history, self._scores = History(), live_scores(self._trainer)
        self._recent.clear()
        self._pace.restart()

    @staticmethod
    def _program_key(config: GANConfig, data) -> tuple:
        from gan_core.datasets import class_count

        return compile_key(config), data.array.shape, class_count(config, data)

    def _program(self, config: GANConfig, data):
        """A kept program of this structure with its compilation, or a new one with None."""
        from gan_core.trainer import Program

        key = self._program_key(config, data)
        kept = self._programs.get(key)
        if kept is not None and not (kept[1].cancelled() or (kept[1].done() and kept[1].exception())):
            self._programs.move_to_end(key)
            return kept
        while len(self._programs) >= PROGRAMS:
            self._programs.popitem(last=False)
        if self._compiling is not None:
            self._compiling.cancel()  # a structure that nobody wants any more
        return Program(config, data.array.shape, classes=key[-1]), None

    def _on_play(self, _) -> None:
        if self._trainer is None:
            return  # what was asked for could not be built, and the error says why
        self._playing, self._error = True, None
        self._recent.clear()
        self._pace.restart()

    def _on_pause(self, _) -> None:
        self._playing, self._pending = False, 0

    def _on_step(self, n: int) -> None:
        if self._trainer is None:
            return
        self._playing, self._error = False, None
        self._pending += n

    def _on_speed(self, speed: float) -> None:
        self._pace.speed = speed
        self._pace.restart()

    def _on_frame(self, body: dict[str, Any]) -> None:
        """{id, view}: answers with a snapshot."""
        self._wire.send("snapshot", {"id": body["id"], **self._snapshot(body["view"])})

    # -- training -----------------------------------------------------------------------------------------

    def _train(self) -> None:
        if not self._busy() or not self._ready():
            return
        self._compiling.result()  # an error in compiling belongs to the page
        from gan_core.trainer import ROWS

        n = self._pace.steps(ROWS) if not self._pending else min(self._pace.steps(ROWS) or 1, self._pending)
        if n == 0:
            return
        started = time.monotonic()
        if not self._recent:
            self._recent.append((started, self._trainer.step))
        rows = self._trainer.train(n)
        ended = time.monotonic()
        self._pace.measured(n, ended - started)
        self._history.append(rows)
        self._pending -= min(n, self._pending)
        self._recent.append((ended, self._trainer.step))
        while ended - self._recent[0][0] > RATE_WINDOW and len(self._recent) > 2:
            self._recent.popleft()
        self._scores.refresh(idle=False)

    def _fail(self, error: Exception) -> None:
        from gan_core.trainer import Diverged

        self._playing, self._pending = False, 0
        if isinstance(error, Diverged):
            self._error = (
                f"Training diverged: {error} The networks stand as they were at step {self._trainer.step:,}, the "
                "last good state. Lower a rate (or reset) and press Play to go on."
            )
        elif isinstance(error, ConfigError):
            self._error = str(error)
        else:
            line = str(error).strip().split("\n")[0][:300]
            self._error = f"Training stopped with an error ({type(error).__name__}: {line}). Reset to start over."

    def _rate(self) -> float:
        if len(self._recent) < 2:
            return 0.0
        (t0, s0), (t1, s1) = self._recent[0], self._recent[-1]
        return (s1 - s0) / max(t1 - t0, 1e-6)

    def _snapshot(self, view) -> dict[str, Any]:
        snapshot: dict[str, Any] = {
            "generation": self._generation,
            "playing": self._playing,
            "pending": self._pending,
            "ready": self._trainer is not None and self._ready(),
            "error": self._error,
        }
        if self._trainer is None:
            return snapshot
        from gan_core import views

        trainer = self._trainer
        try:
            if self._ready():
                self._scores.refresh(idle=not self._busy())
            snapshot |= views.look(trainer, view, still=not self._busy())
        except Exception as error:
            self._fail(error)
            snapshot["error"] = self._error
        return snapshot | {
            "step": trainer.step,
            "steps_per_second": self._rate() if self._playing else 0.0,
            "history": self._history.frame(),
            "metrics": dict(self._scores.values),
            "layers": trainer.program.layers(),
        }

    def warm_up(self, flat: dict[str, Any]) -> None:
        """Compiles the run that is most likely asked for first."""
        try:
            self._build(GANConfig.from_flat(flat), {"generation": 0, "upload": None})
        except ConfigError:
            return  # data that only its page has, or that is not on this machine
        self._compiling.result()
        from gan_core import views
        from gan_core.snapshot import View

        views.look(self._trainer, View())
        self._trainer = None


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def main() -> None:
    """`python -m gan_core.worker [FLAT_CONFIG_AS_JSON]`: talks over standard input and output."""
    import json

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; its end closes our pipe
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the messages
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    wire = Wire(reader, writer)
    worker = Worker(wire)
    try:
        import tensorflow  # noqa: F401

        if len(sys.argv) > 1:
            worker.warm_up(json.loads(sys.argv[1]))
    except Exception as error:
        wire.send("broken", f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}")
        return
    wire.send("warm")
    with contextlib.suppress(OSError, ValueError):  # the pipe closed in the middle of an answer
        worker.run()
    os._exit(0)  # without waiting for a compilation that nobody wants any more


if __name__ == "__main__":
    main()
