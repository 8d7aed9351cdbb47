"""The process that owns TensorFlow: commands in, snapshots out. Started by worker_process.py, never by hand.

Between two chunks of steps it takes the newest config and the waiting commands, and answers the newest
request for a frame. An exception is data: it stops the training and travels in the snapshot.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.serving.compiled_steps import CompiledSteps
from gan_core.serving.mailbox import Mailbox
from gan_core.serving.saver import Saver
from gan_core.serving.set_aside import SetAside
from gan_core.serving.stepping import Stepping
from gan_core.serving.wire import Wire
from gan_core.settings.config import GANConfig, same_structure

if TYPE_CHECKING:
    from gan_core.runs.autosave import Autosave

NICENESS = 5  # beside busy programs 10 leaves it a tenth of a core, and 0 takes the frames of the page: docs/figures.md


class Worker(Stepping):
    """The loop. `generation` counts rebuilds and resets, as the server numbers them. Several trainings are a race: they
    take the same steps by turns."""

    def __init__(self, wire: Wire):
        self._wire = wire
        super().__init__(Mailbox(wire))
        self._compiled_steps = CompiledSteps()
        self._faster: list[Future] = []  # what runs the rest
        self._set_aside = SetAside()
        self._autosave: Autosave | None = None
        self._autosaves: list[Autosave] = []
        self._saver = Saver(wire)
        self._upload: Any = None  # the user's own data that the trainings are trained on
        self._generation: int = 0

    def run(self) -> None:
        """Until the server closes the pipe, or renews no more."""
        self._mail.may_save = True
        while True:
            for kind, body in self._mail.take(self._patience()):
                if kind == "quit":
                    self._leave()
                    for autosave in self._autosaves:
                        autosave.finish()
                    self._saver.finish()
                    return
                try:
                    getattr(self, "_on_" + kind)(body)
                except Exception as error:
                    self._fail(error)
            try:
                self._train()
            except Exception as error:
                self._fail(error)
            if self._autosave is not None:
                self._autosave.tick(self._trainings)

    def _leave(self) -> None:
        """The last state of an autosaved run, before it is given up."""
        if self._autosave is not None:
            self._autosave.last(self._trainings)
            self._autosaves = [*self._autosaves[-3:], self._autosave]  # they may still be writing
            self._autosave = None

    # -- commands -----------------------------------------------------------------------------------------

    def _on_configure(self, body: dict[str, Any]) -> None:
        """{flats, upload, generation, sources, restores, keeps, autosave}: live changes act at once, anything else
        rebuilds.

        sources: {folder, step, branch, error} of each saved run to go on from, or []. autosave: {folders, owner} to
        keep the trainings in.
        restores: the generation whose recording to go on from, which an earlier message had kept; keeps: the one to
        keep from now on. Each may be None.
        """
        from gan_core.runs.autosave import Autosave

        configs = [GANConfig.from_flat(flat) for flat in body["flats"]]
        if self._trainings and body["generation"] == self._generation:
            for training, config in zip(self._trainings, configs, strict=True):
                if not same_structure(training.trainer.config, config):
                    raise ValueError("a change of structure needs a new generation")
                training.set_live(config)
        else:
            self._leave()
            self._build(configs, body)
        autosave = body["autosave"]
        if autosave is None:
            self._autosave = None
        elif self._autosave is None or self._autosave.folders != autosave["folders"]:
            self._autosave = Autosave(autosave["folders"], autosave["owner"], body["upload"])

    def _build(self, configs: list[GANConfig], body: dict[str, Any]) -> None:
        from gan_core.data import loading
        from gan_core.networks.cost import check_memory
        from gan_core.recording.training_run import TrainingRun
        from gan_core.runs import run_restoring
        from gan_core.training.trainer import Trainer

        own = self._trainings, self._generation
        restored = self._set_aside.change(*own, body.get("restores"), body.get("keeps"))
        self._generation, self._upload = body["generation"], body["upload"]
        for training in self._trainings:
            training.close()
        self._trainings, self._error, self._slow_motion, self._hit = [], None, None, None
        self._wanted.clear()
        self._phases.clear()
        for future in (*self._compiling, *self._faster):
            future.cancel()  # a structure that nobody wants any more
        self._compiling, self._faster = [], []
        trainings = []
        shape, _ = loading.extent(configs[0], body["upload"])
        check_memory(configs[0], shape, configs[1:], loading.training_bytes(configs, body["upload"]))
        sources = body.get("sources") or [None] * len(configs)
        for config, source in zip(configs, sources, strict=True):
            data = loading.load(config, body["upload"])
            check_memory(config, data.shape)
            train_step, compiling = self._compiled_steps.of(config, data)
            trainer, recording, error = Trainer(config, data, train_step), None, source["error"] if source else ""
            if restored is not None:
                recording, error = restored[len(trainings)]
                trainer.restore(recording.checkpoints.items[-1].state)
            elif source is not None:
                recording = run_restoring.restore(trainer, source["folder"], source["step"], source["branch"])
            if compiling is None:
                compiling = self._compiled_steps.submit(trainer.compile_first)
                self._compiled_steps.keep(config, data, train_step, compiling)
            self._compiling.append(compiling)
            trainings.append(TrainingRun(trainer, recording))
            trainings[-1].error = error if len(configs) > 1 else ""  # in a race; else it may try again
        self._trainings = trainings
        self._breakpoints.begin(trainings)
        self._faster = [self._compiled_steps.submit(training.trainer.compile_rest) for training in trainings]
        self._rate.clear()
        self._pace.trainings = len(trainings)
        self._pace.restart()

    def _on_frame(self, body: dict[str, Any]) -> None:
        """{id, view}: answers with a snapshot."""
        self._wire.send("snapshot", {"id": body["id"], **self._snapshot(body["view"])})

    def _on_save(self, body: dict[str, Any]) -> None:
        """{id, folders, note, owner}: writes each training into its folder; `saved` tells the rest."""
        self._saver.save(self._trainings, self._upload, body)

    # -- looking ------------------------------------------------------------------------------------------

    def _snapshot(self, view) -> dict[str, Any]:
        snapshot: dict[str, Any] = {
            "generation": self._generation,
            "playing": self._playing,
            "pending": sum(n for n, _ in self._wanted) + len(self._phases),
            "ready": self._ready(),
            "error": self._error,
            "breakpoint": self._hit,
            "steps_per_second": self._rate.steps_per_second() if self._playing else 0.0,
            "autosave": None if self._autosave is None else self._autosave.state,
            "trainings": [],
        }
        try:
            idle, ready = not self._busy(), self._compiled()
            snapshot["pending"] += int(self._preparing())
            phase = None if self._slow_motion is None else self._slow_motion.shown
            snapshot["trainings"] = [training.look(view, idle, ready, phase) for training in self._trainings]
        except Exception as error:
            self._fail(error)
            snapshot["error"] = self._error
        return snapshot

    def warm_up(self, flat: dict[str, Any]) -> None:
        """Compiles the run that is most likely asked for first."""
        try:
            self._build([GANConfig.from_flat(flat)], {"generation": 0, "upload": None})
        except ConfigError:
            return  # data that only its page has, or that is not on this machine
        self._compiling[0].result()
        from gan_core.recording import visuals
        from gan_core.recording.snapshot import View

        visuals.look(self._trainings[0].trainer, View())
        # The rest compiles beside the first frames of who presses Play: better before, if there is time.
        while not self._faster[0].done() and not self._mail.waiting():
            time.sleep(0.02)
        self._trainings = []


def import_all() -> None:
    """Everything that a training needs before its first operation, TensorFlow above all."""
    import tensorflow  # noqa: F401  (first, so that it finds nothing half imported)

    from gan_core.data import loading  # noqa: F401
    from gan_core.networks import cost  # noqa: F401
    from gan_core.recording import training_run, visuals  # noqa: F401
    from gan_core.runs import autosave, run_restoring  # noqa: F401
    from gan_core.scores import live  # noqa: F401
    from gan_core.training import train_step, trainer  # noqa: F401


def main(*arguments: str) -> None:
    """`python -m gan_core.serving.worker [FLAT_CONFIG_AS_JSON]`: talks over standard input and output."""
    import json

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; its end closes our pipe
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the messages
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    wire = Wire(reader, writer)
    worker = Worker(wire)
    try:
        import_all()
        if hasattr(os, "nice"):
            # Only now: somebody waits for the import, which beside busy programs takes three times as long when nice.
            # TensorFlow starts the threads that compute with its first operation, and they are as nice as this one.
            os.nice(NICENESS)
        from gan_core import plugins

        plugins.load(checked=False)  # the server that started this process has tried them
        if arguments:
            worker.warm_up(json.loads(arguments[0]))
    except Exception as error:
        wire.send("broken", f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}")
        return
    wire.send("warm")
    with contextlib.suppress(OSError, ValueError):  # the pipe closed in the middle of an answer
        worker.run()
    os._exit(0)  # without waiting for a compilation that nobody wants any more


if __name__ == "__main__":
    main(*sys.argv[1:])
