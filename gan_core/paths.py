"""How a step is run: as a plain graph at first, which is there soonest, then the way that was measured to be fastest.

Which way a step is run depends on the step and the machine alone, never on how long a compilation took, so that the
same seed gives the same run whenever it is made.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gan_core.architectures import ARCHITECTURES
from gan_core.cost import step_cost
from gan_core.lazy import tf
from gan_core.machine import worker_threads
from gan_core.pictures import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from gan_core.config import GANConfig
    from gan_core.program import Program

# name -> what it is, as the page says it
PATHS = {
    "graph": "graph",
    "xla": "XLA",  # the loop over the steps too
    "xla step": "XLA step by step",  # each update compiled, the loop a plain graph
}
FIRST_SECONDS = 1.0  # at a step's best; with the page at work it is two or three, about as long as XLA compiles
ROUNDS, CHUNK_SECONDS, CHUNK_STEPS = 3, 0.06, 1024  # of measuring


def candidates(config: GANConfig) -> tuple[str, ...]:
    """The ways that may be fastest here, the plain graph first.

    On a CPU XLA is never right for convolutions, so it is not compiled for them: a DCGAN's 29 steps/s as a graph are 22
    step by step, and 2 with the loop. Nor is a call for each update: 21, for a step's end overlaps the next's start.
    """
    if tf.config.list_physical_devices("GPU"):
        return tuple(PATHS)
    return ("graph", "xla") if ARCHITECTURES[config.architecture].dense else ("graph",)


def several_devices(config: GANConfig) -> Any:
    """A tf.distribute.MirroredStrategy where there are several GPUs that can share a batch, else None."""
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(gpus) < 2 or config.batch_size % (len(gpus) * config.packing):
        return None
    return tf.distribute.MirroredStrategy(gpus)


def first_steps(config: GANConfig, shape: tuple[int, ...]) -> int:
    """Steps that a run takes as a plain graph: a power of two, about FIRST_SECONDS on two laptop cores."""
    seconds = 3e-4 + step_cost(config, shape) / 6e10
    return 2 ** max(3, min(11, int(math.log2(FIRST_SECONDS / seconds))))


def kind(config: GANConfig, shape: tuple[int, ...]) -> str:
    """Networks of one kind run fastest in the same way."""
    device = "GPU" if tf.config.list_physical_devices("GPU") else f"{worker_threads()} threads"
    size = round(math.log2(step_cost(config, shape)))
    return f"TensorFlow {tf.__version__}, {device}: {config.architecture}, {config.penalty}, 2^{size} operations a step"


def _file() -> Path:
    return cache_folder() / "paths.json"


def kept() -> dict[str, dict[str, Any]]:
    """What was measured on this machine: kind -> {path, steps_per_second, steps_a_call}; else it is left out."""
    try:
        found = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    rows = found.items() if isinstance(found, dict) else ()
    rows = ((name, row) for name, row in rows if isinstance(row, dict) and "steps_a_call" in row)
    return {name: row for name, row in rows if row.get("path") in list(PATHS)}


def keep(name: str, row: dict[str, Any]) -> None:
    """Adds a measurement for the next start; where nothing can be written it is measured again."""
    rows = {**kept(), name: row}
    with suppress(OSError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=_file().parent, delete=False, encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
        os.replace(file.name, _file())


class Choice:
    """The programs of one structure, by path, and which of them runs a step. `plain` is the graph.

    make: path -> Program, sharing what `plain` is built of.
    """

    def __init__(self, plain: Program, make: Callable[[str], Program]):
        self.first = first_steps(plain.config, plain.shape)
        self.kind = kind(plain.config, plain.shape)
        self._names = candidates(plain.config)
        known = kept().get(self.kind, {}).get("path")
        if len(self._names) == 1:
            known = "graph"
        self.path = known if known in self._names else None  # None while it is unknown
        self.programs = {"graph": plain}
        self._make = make
        self.ready = self.path == "graph"
        self.failed: dict[str, str] = {}  # paths that could not be compiled, and why

    def compile(self, call: Callable[[Program, int], Any]) -> None:
        """Compiles what may run after the first steps; call(program, n) takes n steps. For another thread."""
        for name in self._names if self.path is None else (self.path,):
            if name in self.programs:
                continue
            try:
                program = self._make(name)
                call(program, 0)
                self.programs[name] = program
            except Exception as error:  # what XLA cannot compile runs as a graph
                self.failed[name] = str(error).strip().split("\n")[0][:300]
        if self.path is not None and self.path not in self.programs:
            self.path = "graph"
        self.ready = True

    def settle(self, call: Callable[[Program, int], Any]) -> None:
        """Measures the programs against each other if nobody has on this machine; call(program, n) changes nothing."""
        if self.path is not None:
            return
        if len(self.programs) == 1:
            self.path = "graph"
            return
        chunks, best = {}, {}
        for name, program in self.programs.items():
            chunks[name] = 1  # then as many as make what a call costs by itself small
            while chunks[name] < CHUNK_STEPS:
                # The better of two: a program's first call fetches code and memory.
                if min(_seconds(call, program, chunks[name]) for _ in range(2)) > CHUNK_SECONDS:
                    break
                chunks[name] *= 4
        for _ in range(ROUNDS):
            for name, program in self.programs.items():
                seconds = _seconds(call, program, chunks[name]) / chunks[name]
                best[name] = min(best.get(name, math.inf), seconds)
        self.path = min(best, key=best.__getitem__)
        speeds = {name: round(1 / best[name], 1) for name in best}
        keep(self.kind, {"path": self.path, "steps_per_second": speeds, "steps_a_call": chunks})
        self.programs = {name: self.programs[name] for name in {"graph", self.path}}

    def at(self, step: int) -> Program:
        """The program that runs the step after `step`; while its compilation is waited for, the plain one."""
        fastest = self.programs.get(self.path or "graph", self.programs["graph"])
        return self.programs["graph"] if step < self.first else fastest


def _seconds(call: Callable[[Program, int], Any], program: Program, n: int) -> float:
    started = time.perf_counter()
    call(program, n)
    return max(time.perf_counter() - started, 1e-6)
