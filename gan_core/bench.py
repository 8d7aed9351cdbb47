"""Speed, as ratios within one run: this engine, two reference loops, and the engine behind its worker.

The contenders take turns (`rounds` times), so that a slow moment of the machine hits all of them; each counts
with its median.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gan_core import datasets, views
from gan_core.client import Run, WorkerProcess
from gan_core.config import GANConfig
from gan_core.lane import Lane
from gan_core.lazy import keras, tf
from gan_core.presets import PRESETS
from gan_core.program import COLUMNS, ROWS, Program
from gan_core.recording import Checkpoint
from gan_core.snapshot import View
from gan_core.trainer import Trainer

FRAMES_PER_SECOND = 10
_CROSS = {"g_lr": 2e-4, "d_lr": 2e-4, "data": "disc", "data_size": 10_000, "ema_decay": 0.99}
NETWORKS: dict[str, dict[str, Any]] = {
    "2-32-32, batch 150": {**_CROSS, "latent_dim": 2, "layers": 2, "units": 32, "batch_size": 150},
    "2-128-128, batch 256": {**_CROSS, "latent_dim": 2, "layers": 2, "units": 128, "batch_size": 256},
    "100-256-256-256, batch 64": {**_CROSS, "latent_dim": 100, "layers": 3, "units": 256, "batch_size": 64},
}


def config_of(network: dict[str, Any]) -> GANConfig:
    """The cross-entropy GAN of a row of NETWORKS."""
    flat = dict(network)
    layers, units = flat.pop("layers"), flat.pop("units")
    return GANConfig.from_flat({**flat, "g_layers": layers, "d_layers": layers, "g_units": units, "d_units": units})


class Engine:
    """This engine, alone."""

    def __init__(self, config: GANConfig):
        self.trainer = Trainer(config, _data(config))
        started = time.perf_counter()
        self.trainer.compile()
        self.compile_seconds = time.perf_counter() - started
        self._n = 16

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        started, taken = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - started) < seconds:
            before = time.perf_counter()
            self.trainer.train(self._n)
            taken += self._n
            rate = self._n / (time.perf_counter() - before)
            self._n = int(min(ROWS, max(1, rate * 0.04), 4 * self._n))
        return taken / elapsed


class Recorded(Engine):
    """This engine, recording its frames and checkpoints as the worker has it do."""

    def __init__(self, config: GANConfig):
        super().__init__(config)
        self._lane = Lane(self.trainer, scored=False)

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        started, taken = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - started) < seconds:
            n = self._lane.until_due(self._n)
            before = time.perf_counter()
            self._lane.train(n)
            taken += n
            rate = n / (time.perf_counter() - before)
            self._n = int(min(ROWS, max(1, rate * 0.04), 4 * self._n))
        return taken / elapsed


class FunctionLoop:
    """The usual custom loop: Keras models and optimizers, one `tf.function` call a step."""

    def __init__(self, config: GANConfig):
        program = Program(config, (config.data_size, 2))
        generator, discriminator = program.generator, program.discriminator
        g_optimizer, d_optimizer = _optimizer(config.g_lr), _optimizer(config.d_lr)
        g_optimizer.build(generator.trainable_variables)
        d_optimizer.build(discriminator.trainable_variables)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        data, n = _unit_points(config), config.batch_size

        @tf.function
        def step():
            real = tf.gather(data, tf.random.uniform([n], 0, len(data), tf.int32))
            fake = generator(tf.random.normal([n, config.latent_dim]), training=True)
            with tf.GradientTape() as tape:
                on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
                d_loss = loss(tf.ones_like(on_real), on_real) + loss(tf.zeros_like(on_fake), on_fake)
            weights = discriminator.trainable_variables
            d_optimizer.apply(tape.gradient(d_loss, weights), weights)
            with tf.GradientTape() as tape:
                fake = generator(tf.random.normal([n, config.latent_dim]), training=True)
                on_fake = discriminator(fake, training=True)
                g_loss = loss(tf.ones_like(on_fake), on_fake)
            weights = generator.trainable_variables
            g_optimizer.apply(tape.gradient(g_loss, weights), weights)
            return g_loss, d_loss

        self._step = step
        step()

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        return _count(self._step, seconds)


class BatchLoop:
    """The tutorials' loop: `predict` and `train_on_batch` on a stacked model."""

    def __init__(self, config: GANConfig):
        program = Program(config, (config.data_size, 2))
        self._generator, self._discriminator = program.generator, program.discriminator
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        self._discriminator.compile(loss=loss, optimizer=_optimizer(config.d_lr))
        self._discriminator.trainable = False
        self._stacked = keras.Sequential([self._generator, self._discriminator])
        self._stacked.compile(loss=loss, optimizer=_optimizer(config.g_lr))
        self._discriminator.trainable = True
        self._data, self._config = _unit_points(config), config
        self._step()

    def _step(self) -> None:
        n, latent = self._config.batch_size, self._config.latent_dim
        z = np.random.normal(size=(n, latent)).astype("float32")
        fake = self._generator.predict(z, verbose=0)
        real = self._data[np.random.randint(0, len(self._data), n)]
        self._discriminator.train_on_batch(real, np.ones((n, 1)))
        self._discriminator.train_on_batch(fake, np.zeros((n, 1)))
        self._stacked.train_on_batch(np.random.normal(size=(n, latent)).astype("float32"), np.ones((n, 1)))

    def speed(self, seconds: float) -> float:
        """Steps/s over about `seconds`."""
        return _count(self._step, seconds)


class ThroughWorker:
    """The engine in its worker process, with a client that pulls ten frames a second."""

    def __init__(self, config: GANConfig):
        self._run = Run(config)
        self._worker = WorkerProcess()
        self._run.attach(self._worker)
        self.latency: list[float] = []
        self._run.play()
        self._wait_for(lambda snapshot: snapshot.step > 0)
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

    def close(self) -> None:
        """Ends the worker."""
        self._run.end("")


def _optimizer(rate: float):
    return keras.optimizers.Adam(rate, beta_1=0.5)


def _data(config: GANConfig):
    return datasets.draw(config.data, config.data_size, config.seed, config.params())


def _unit_points(config: GANConfig):
    data = _data(config)
    return data.to_unit(data.points)


def _count(step: Callable, seconds: float) -> float:
    started, taken = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds or taken == 0:
        step()
        taken += 1
    return taken / elapsed


def measure(name: str, seconds: float, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """One network's row: steps/s of each contender (medians), and their ratios."""
    config = config_of(NETWORKS[name])
    say(f"{name}: compiling the contenders ...")
    engine, function, batch = Engine(config), FunctionLoop(config), BatchLoop(config)
    worker = ThroughWorker(config)
    contenders = {"engine": engine, "tf_function": function, "train_on_batch": batch, "worker": worker}
    contenders["recorded"] = Recorded(config)
    speeds: dict[str, list[float]] = {key: [] for key in contenders}
    try:
        for turn in range(rounds + 1):
            for key, contender in contenders.items():
                speed = contender.speed(seconds)
                if turn > 0:  # the first round warms up
                    speeds[key].append(speed)
    finally:
        worker.close()
    median = {key: statistics.median(values) for key, values in speeds.items()}
    latency = sorted(worker.latency)
    return {
        "network": name,
        "steps_per_second": {key: round(value, 1) for key, value in median.items()},
        "engine_vs_tf_function": round(median["engine"] / median["tf_function"], 2),
        "engine_vs_train_on_batch": round(median["engine"] / median["train_on_batch"], 1),
        "worker_vs_engine": round(median["worker"] / median["engine"], 3),
        "recorded_vs_engine": round(median["recorded"] / median["engine"], 3),
        "compile_seconds": round(engine.compile_seconds, 2),
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
    lane = Lane(Trainer(config, datasets.load(config, None)), scored=False)
    recording, frame = lane.recording, views.record(lane.trainer)
    recording.history.append(np.zeros((min(steps, 4_096), len(COLUMNS)), np.float32))
    point = Checkpoint(config.to_flat(), lane.trainer.leaves(), recording.history.state())
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
    }


def as_text(result: dict[str, Any]) -> str:
    """The result as a table for people."""
    lines = [
        f"{result['cores']} cores, TensorFlow {result['tensorflow']}; medians of {result['rounds']} rounds of "
        f"{result['seconds']:g} s",
        f"{'steps/s':28s}{'engine':>9s}{'function':>10s}{'batch':>8s}{'worker':>9s}"
        f"{'x function':>12s}{'x batch':>9s}{'worker/engine':>15s}{'recorded/engine':>17s}{'latency':>11s}",
    ]
    for row in result["rows"]:
        s = row["steps_per_second"]
        lines.append(
            f"{row['network']:28s}{s['engine']:9,.0f}{s['tf_function']:10,.0f}{s['train_on_batch']:8,.1f}"
            f"{s['worker']:9,.0f}{row['engine_vs_tf_function']:12.2f}{row['engine_vs_train_on_batch']:9.1f}"
            f"{row['worker_vs_engine']:15.2f}{row['recorded_vs_engine']:17.2f}"
            f"{row['snapshot_latency_ms']['median']:8.0f} ms"
        )
    for row in result["recordings"]:
        lines.append(
            f"a recording of {row['steps']:,} steps of {row['preset']}: {row['frames']} frames, "
            f"{row['checkpoints']} checkpoints, {row['megabytes']:g} MB"
        )
    return "\n".join(lines)
