"""Speed, as ratios within one run: this engine, two reference loops, and the engine behind its worker.

The contenders take turns (`rounds` times), so that a slow moment of the machine hits all of them; each counts
with its median.
"""

import math
import statistics
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.benchmarks import coach_cost, picture_reading
from gan_core.benchmarks.usual_loops import BatchLoop, FunctionLoop
from gan_core.data import loading
from gan_core.foundations.lazy_imports import tf
from gan_core.networks.architectures import plans
from gan_core.networks.cost import step_cost
from gan_core.networks.layers import products
from gan_core.recording import visuals
from gan_core.recording.recorder import Checkpoint
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.serving.client import Run
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.training.compilation import first_steps
from gan_core.training.train_step import COLUMNS, ROWS
from gan_core.training.trainer import Trainer
from gan_core.training.training_loop import Pace, Trainable, fit

FRAMES_PER_SECOND = 10
_CROSS = {"g_lr": 2e-4, "d_lr": 2e-4, "data": "disc", "data_size": 10_000, "ema_decay": 0.99}
_PICTURES = {"g_lr": 2e-4, "d_lr": 2e-4, "data": "digits", "batch_size": 64, "filters": 32, "latent_dim": 64}
_PICTURES |= {"loss": "non_saturating", "penalty": "none", "g_norm": "batch", "d_norm": "batch", "dropout": 0}
NETWORKS: dict[str, dict[str, Any]] = {
    "2-32-32, batch 150": {**_CROSS, "latent_dim": 2, "layers": 2, "units": 32, "batch_size": 150},
    "2-128-128, batch 256": {**_CROSS, "latent_dim": 2, "layers": 2, "units": 128, "batch_size": 256},
    "100-256-256-256, batch 64": {**_CROSS, "latent_dim": 100, "layers": 3, "units": 256, "batch_size": 64},
    "dcgan 32, 28 x 28, batch 64": {**_PICTURES, "architecture": "dcgan"},
    "dcgan_resize 32, 28 x 28": {**_PICTURES, "architecture": "dcgan_resize"},
    "coarse 48, 28 x 28": {**_PICTURES, "architecture": "coarse", "filters": 48},
}


def config_of(network: dict[str, Any]) -> GANConfig:
    """The cross-entropy GAN of a row of NETWORKS."""
    flat = dict(network)
    if "layers" in flat:
        layers, units = flat.pop("layers"), flat.pop("units")
        flat |= {"g_layers": layers, "d_layers": layers, "g_units": units, "d_units": units}
    return GANConfig.from_flat(flat)


class Engine:
    """This engine, alone."""

    def __init__(self, config: GANConfig):
        self.trainer = Trainer(config, loading.load(config, None))
        started = time.perf_counter()
        self.trainer.compile_first()
        self.first_seconds = time.perf_counter() - started
        self.trainer.compile()
        self.compile_seconds = time.perf_counter() - started
        self._pace = Pace()
        first = first_steps(config, self.trainer.program.shape)
        while self.trainer.step < first:  # what is measured is what runs on and on
            self.trainer.train(min(ROWS, first - self.trainer.step))

    @property
    def _trained(self) -> Trainable:
        return self.trainer

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        before = self.trainer.step
        elapsed = fit(self._trained, seconds=seconds, pace=self._pace)
        return (self.trainer.step - before) / elapsed


class Recorded(Engine):
    """This engine, recording its frames and checkpoints as the worker has it do."""

    def __init__(self, config: GANConfig):
        super().__init__(config)
        self._run = TrainingRun(self.trainer, scored=False)

    @property
    def _trained(self) -> Trainable:
        return self._run


class ThroughWorker:
    """The engine in its worker process, with a client that pulls ten frames a second."""

    def __init__(self, config: GANConfig):
        self._run = Run(config)
        self._worker = WorkerProcess()
        self._run.attach(self._worker)
        self.latency: list[float] = []
        self._run.play()
        first = first_steps(config, self._run.data.shape)
        self._wait_for(lambda snapshot: snapshot.step > first)
        self._run.pause()

    def _wait_for(self, ready: Callable) -> None:
        deadline = time.monotonic() + 120
        while not ready(self._run.poll(View(), 1.0)):
            if time.monotonic() > deadline or self._run.worker is None:
                raise RuntimeError("the worker did not answer")
            self._worker.send("lease")

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        self._worker.send("lease")
        self._run.play()
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:  # from standing still to full speed
            self._run.poll(View(), 1.0)
        first, started = self._run.poll(View(), 1.0).step, time.perf_counter()
        due = started
        while (now := time.perf_counter()) - started < seconds:
            due += 1 / FRAMES_PER_SECOND
            snapshot = self._run.poll(View(), 1.0)
            self.latency.append(time.perf_counter() - now)
            time.sleep(max(0.0, due - time.perf_counter()))
        snapshot = self._run.poll(View(), 1.0)
        elapsed = time.perf_counter() - started
        self._run.pause()
        self._wait_for(lambda s: s.status == "paused")
        return (snapshot.step - first) / elapsed

    def megabytes(self) -> int | None:
        """The most memory that the worker has held; None where the system does not say."""
        try:
            status = Path(f"/proc/{self._worker.pid}/status").read_text()
        except OSError:
            return None
        return int(status.split("VmHWM:")[1].split()[0]) // 1000

    def close(self) -> None:
        """Ends the worker."""
        self._run.end("")


def product_limit(config: GANConfig, shape: tuple[int, ...]) -> float:
    """Steps/s that matrix products of the step's shapes allow, one after another on all cores (NumPy's BLAS); a
    convolution counts as the product that it is of patches and kernel, without the making of the patches."""
    generator, discriminator = plans(config, shape)
    g = products(generator, (config.latent_dim,), config.batch_size)
    d = products(discriminator, shape, config.batch_size)
    seconds = 0.0
    for layers, forward, weights, inputs in ((g, 2, 1, 1), (d, 3, 2, 3)):
        for i, (rows, width, out) in enumerate(layers):
            # The way back into the layer's input; nobody asks for that into z or into real samples.
            back = inputs if i else (0 if layers is g else 1)
            seconds += forward * _product(rows, width, out) + weights * _product(width, rows, out)
            seconds += back * _product(rows, out, width)
    return 1 / seconds


@cache
def _product(rows: int, width: int, out: int) -> float:
    """Seconds of one product [rows, width] x [width, out], the fastest of some."""
    rng = np.random.default_rng(0)
    a, b = rng.random((rows, width), np.float32), rng.random((width, out), np.float32)
    into, best, until = np.empty((rows, out), np.float32), math.inf, time.perf_counter() + 0.1
    while time.perf_counter() < until:
        started = time.perf_counter()
        for _ in range(4):
            np.matmul(a, b, out=into)
        best = min(best, (time.perf_counter() - started) / 4)
    return best


def measure(name: str, seconds: float, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """One network's row: steps/s of each contender (medians), and their ratios."""
    config = config_of(NETWORKS[name])
    say(f"{name}: compiling the contenders ...")
    engine, function, batch = Engine(config), FunctionLoop(config), BatchLoop(config)
    worker = ThroughWorker(config)
    contenders = {"engine": engine, "tf_function": function, "train_on_batch": batch, "worker": worker}
    contenders["recorded"] = Recorded(config)
    speeds: dict[str, list[float]] = {key: [] for key in contenders}
    limits = []
    try:
        for turn in range(rounds + 1):
            for key, contender in contenders.items():
                speed = contender.speed(seconds)
                if turn > 0:  # the first round warms up
                    speeds[key].append(speed)
            _product.cache_clear()
            limits.append(product_limit(config, engine.trainer.program.shape))
        megabytes = worker.megabytes()
    finally:
        worker.close()
    median = {key: statistics.median(values) for key, values in speeds.items()}
    latency = sorted(worker.latency)
    return {
        "network": name,
        "path": engine.trainer.runs.label,
        "not_compiled": change.failed if (change := engine.trainer.program.change) is not None else "",
        "steps_per_second": {key: round(value, 1) for key, value in median.items()},
        "engine_vs_tf_function": round(median["engine"] / median["tf_function"], 2),
        "engine_vs_train_on_batch": round(median["engine"] / median["train_on_batch"], 1),
        "worker_vs_engine": round(median["worker"] / median["engine"], 3),
        "recorded_vs_engine": round(median["recorded"] / median["engine"], 3),
        "gigaflops": round(step_cost(config, engine.trainer.program.shape) * median["engine"] / 1e9, 1),
        "product_limit": round(statistics.median(limits), 1),
        "share_of_limit": round(median["engine"] / statistics.median(limits), 3),
        "compile_seconds": {"first": round(engine.first_seconds, 2), "all": round(engine.compile_seconds, 2)},
        "worker_megabytes": megabytes,
        "snapshot_latency_ms": {
            "median": round(1e3 * statistics.median(latency), 1),
            "p95": round(1e3 * latency[int(0.95 * (len(latency) - 1))], 1),
        },
    }


def recorded_memory(preset: str, steps: int) -> dict[str, Any]:
    """What a recording of `steps` steps holds: every frame and checkpoint that falls due, of networks that stand still.

    bytes: of all its arrays, each checkpoint counted in full.
    """
    config = PRESETS[preset].config
    training = TrainingRun(Trainer(config, loading.load(config, None)), scored=False)
    recording, frame = training.recording, visuals.record(training.trainer)
    recording.history.append(np.zeros((min(steps, 4_096), len(COLUMNS)), np.float32))
    point = Checkpoint(config.to_flat(), training.trainer.named(), recording.history.state())
    for line, item in ((recording.frames, frame), (recording.checkpoints, point)):
        while line.due <= steps:
            line.add(line.due, item)
    counts = {"frames": len(recording.frames), "checkpoints": len(recording.checkpoints)}
    return {"preset": preset, "steps": steps, **counts, "megabytes": round(recording.bytes / 1e6, 1)}


def run(seconds: float, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """All networks; `seconds` per measurement, in `rounds` interleaved rounds."""
    import os

    return {
        "cores": os.cpu_count(),
        "tensorflow": tf.__version__,
        "seconds": seconds,
        "rounds": rounds,
        "rows": [measure(name, seconds, rounds, say) for name in NETWORKS],
        "recordings": [recorded_memory("ring", 1_000_000), recorded_memory("digits", 20_000)],
        "coach": coach_cost.run(seconds * rounds),
        "picture_reading": picture_reading.run(rounds),
    }


def as_text(result: dict[str, Any]) -> str:
    """The result as tables for people."""
    lines = [
        f"{result['cores']} cores, TensorFlow {result['tensorflow']}; medians of {result['rounds']} rounds of "
        f"{result['seconds']:g} s",
        f"{'steps/s':30s}{'engine':>9s}{'function':>10s}{'batch':>8s}{'worker':>9s}{'x function':>12s}{'x batch':>9s}"
        f"{'worker/engine':>15s}{'recorded/engine':>17s}{'latency':>11s}",
    ]
    for row in result["rows"]:
        s = row["steps_per_second"]
        lines.append(
            f"{row['network']:30s}{s['engine']:9,.0f}{s['tf_function']:10,.0f}{s['train_on_batch']:8,.1f}"
            f"{s['worker']:9,.0f}{row['engine_vs_tf_function']:12.2f}{row['engine_vs_train_on_batch']:9.1f}"
            f"{row['worker_vs_engine']:15.2f}{row['recorded_vs_engine']:17.2f}"
            f"{row['snapshot_latency_ms']['median']:8.0f} ms"
        )
    lines.append("")
    lines.append(
        f"{'the engine':30s}{'runs as':>18s}{'GFLOP/s':>9s}{'products allow':>16s}{'share':>7s}{'first compiled':>16s}"
        f"{'all':>8s}{'worker':>10s}"
    )
    for row in result["rows"]:
        seconds, megabytes = row["compile_seconds"], row["worker_megabytes"]
        memory = "?" if megabytes is None else f"{megabytes:,} MB"
        lines.append(
            f"{row['network']:30s}{row['path']:>18s}{row['gigaflops']:9,.1f}{row['product_limit']:12,.0f} /s"
            f"{row['share_of_limit']:8.2f}{seconds['first']:14.1f} s{seconds['all']:6.1f} s{memory:>10s}"
        )
        lines += [f"    XLA could not compile it: {row['not_compiled']}"] * bool(row["not_compiled"])
    lines.append("")
    for row in result["recordings"]:
        lines.append(
            f"a recording of {row['steps']:,} steps of {row['preset']}: {row['frames']} frames, "
            f"{row['checkpoints']} checkpoints, {row['megabytes']:g} MB"
        )
    if "coach" in result:
        lines.append(coach_cost.as_text(result["coach"]))
    if "picture_reading" in result:
        lines.append(picture_reading.as_text(result["picture_reading"]))
    return "\n".join(lines)
