"""A run: a compiled program, its data and its state, which training takes from step to step."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gan_core.data.loading import class_count
from gan_core.data.pictures import Pictures, as_pictures
from gan_core.data.points import Data
from gan_core.foundations.lazy_imports import tf
from gan_core.settings.config import GANConfig
from gan_core.training import state_names
from gan_core.training.batches import draw_z
from gan_core.training.train_step import COLUMNS, ROWS, TrainStep
from gan_core.training.updates import G_PARTS, State

# The columns in the order in which a step computes them: the first that breaks is the one to name.
COMPUTED = {
    "d_loss": "the discriminator's loss (d_loss)",
    "penalty": "the penalty",
    "real_accuracy": "the discriminator's accuracy",
    "fake_accuracy": "the discriminator's accuracy",
    "d_gradient": "the discriminator's gradient",
    "g_loss": "the generator's loss (g_loss)",
    "g_gradient": "the generator's gradient",
}
LATENTS = 8  # sets of z that are kept
FROZEN_STEPS = 16  # at once, for each takes milliseconds whatever the pace was before
COMPANIONS = 4  # sets of real samples beside which a packed discriminator is shown a sample


class Diverged(ArithmeticError):
    """Training left the finite numbers. `step` and `quantity` say where; the trainer holds the last good state."""

    def __init__(self, step: int, quantity: str):
        super().__init__(f"{quantity} became NaN or infinite at step {step:,}.")
        self.step, self.quantity = step, quantity


def not_finite(finite: np.ndarray) -> str:
    """The name of what holds a number that is not finite, or ""; finite: of the generator, of the discriminator."""
    names = ("a generator weight", "a discriminator weight")
    return next((name for name, good in zip(names, finite, strict=True) if not good), "")


class Trainer:
    """A run: a program, its data and its state."""

    def __init__(
        self, config: GANConfig, data: Data | Pictures, program: TrainStep | None = None, path: str | None = None
    ):
        self.config = config
        self.data = data
        self.classes = class_count(config, data)
        self.program = program or TrainStep(config, data.array.shape, path, self.classes)
        self.inputs = {"x": tf.constant(data.array)}
        if self.classes:
            self.inputs["y"] = tf.constant(data.labels)
        self.neighbours: tuple | None = None  # what visuals.py found last
        self._latents: dict[tuple[int, int, int], Any] = {}
        self._seed = tf.constant(config.seed, tf.int64)
        self.live = self.program.live(config)
        self.reset()

    def reset(self) -> None:
        """Back to step 0 and the seed's initial weights."""
        self.state = self.program.initial_state(self.config.seed)

    def named(self) -> dict[str, Any]:
        """The state's tensors by their names: a checkpoint, which costs nothing, for no state ever changes."""
        return state_names.named(self.program, self.state)

    def restore(self, tensors: dict[str, Any]) -> None:
        """To a state, of tensors or arrays by name as `named` gives them; ValueError if it is of other networks."""
        self.state = state_names.restored(self.program, self.state, tensors)

    def set_live(self, config: GANConfig) -> None:
        """Takes the live settings of `config` from the next call on."""
        self.config = config
        self.live = self.program.live(config)

    @property
    def step(self) -> int:
        """Steps so far; each is one update of the generator, unless that is frozen."""
        return int(self.state["step"])

    # -- training -----------------------------------------------------------------------------------------

    def compile_first(self) -> None:
        """Compiles what runs the first steps, without training; safe in another thread."""
        self._call(self.program, 0)

    def compile_rest(self) -> None:
        """Compiles what runs the steps after the first ones, without training; safe in another thread."""
        if self.program.change is not None:
            self.program.change.compile(self._call)

    def compile(self, until: int | None = None) -> None:
        """Compiles what the steps up to `until` run through (None: all steps), for who waits anyway."""
        self.compile_first()
        change = self.program.change
        if until is None or (change is not None and until > change.first):
            self.compile_rest()

    @property
    def runs(self) -> TrainStep:
        """What runs the next step."""
        change = self.program.change
        return self.program if change is None else change.at(self.step)

    def at_once(self, n: int) -> int:
        """At most `n` steps, fewer where a compilation would be waited for or a frozen network makes each a call of its
        own; 0 if there is nothing but to wait."""
        if 0 in (self.config.d_steps, self.config.g_steps):
            n = min(n, FROZEN_STEPS)
        change = self.program.change
        return n if change is None or change.ready else min(n, max(0, change.first - self.step))

    def train(self, n: int) -> np.ndarray:
        """n steps (1 to ROWS) -> rows float32 [n, len(COLUMNS)]. Waits for a compilation that is not done.

        Raises Diverged, with the state left as it was before the call, when a row or a weight is not finite.
        """
        if not 1 <= n <= ROWS:
            raise ValueError(f"n must be from 1 to {ROWS}, got {n}.")
        before, change = self.state, self.program.change
        left = n if change is None else change.first - self.step
        try:
            if not 0 < left < n:
                return self._advance(n)
            return np.concatenate([self._advance(left), self._advance(n - left)])
        except Diverged:
            self.state = before
            raise

    def train_alone(self, side: str) -> np.ndarray:
        """One step with one update of network `side`, "g" or "d", and the other frozen; as `train`."""
        own = self.config, self.live
        self.set_live(replace(self.config, d_steps=int(side == "d"), g_steps=int(side == "g")))
        try:
            return self.train(1)
        finally:
            self.config, self.live = own

    def take(self, most: int) -> np.ndarray:
        """`most` steps, as `train`: what training_loop.fit calls."""
        return self.train(most)

    def _advance(self, n: int) -> np.ndarray:
        """n steps, all on one side of the change."""
        change = self.program.change
        if change is not None and self.step >= change.first:
            self.compile_rest()
        program = self.runs
        state, rows, finite = self._call(program, n)
        bad = ~np.isfinite(rows)
        if bad.any():
            i = int(bad.any(1).argmax())
            first = next(name for name in COMPUTED if bad[i, COLUMNS.index(name)])
            raise Diverged(self.step + i + 1, COMPUTED[first])
        if not_finite(finite):
            # A bad weight can hide behind a relu; the first step that made one is found by halving.
            low, high = 1, n
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if not_finite(self._call(program, middle)[2]) else (middle + 1, high)
            raise Diverged(self.step + low, not_finite(self._call(program, low)[2]))
        self.state = state
        return rows

    def _call(self, program: TrainStep, n: int) -> tuple[State, np.ndarray, np.ndarray]:
        """(the state n steps on, their rows, whether the weights of each network are finite); changes nothing."""
        if n and 0 in (self.config.d_steps, self.config.g_steps):
            return self._call_frozen(program, n)
        state, rows, finite = program.train(self.state, self.inputs, self.live, self._seed, tf.constant(n))
        return state, rows.numpy()[:n], finite.numpy()

    def _call_frozen(self, program: TrainStep, n: int) -> tuple[State, np.ndarray, np.ndarray]:
        """As `_call`, where one network is frozen: its update is computed, so that its loss and gradient are seen, and
        not made. Where that is the generator, each step is a round.

        Step by step, and out of what is compiled: choosing there, weight by weight, cost a run a tenth of its speed.
        """
        c, state, rows = self.config, self.state, []
        finite = np.ones(2, bool)

        def step(state: State, d_steps: int) -> tuple[State, np.ndarray, np.ndarray]:
            live = program.live(replace(c, d_steps=d_steps, g_steps=1))
            state, rows, finite = program.train(state, self.inputs, live, self._seed, tf.constant(1))
            return state, rows.numpy()[:1], finite.numpy()

        for _ in range(n):
            if c.g_steps == 0:
                after, row, good = step(state, c.d_steps)
                state = {**after, **{part: state[part] for part in G_PARTS}}
                good = good | [True, False]  # an update that is not made cannot break anything
            else:
                seen = step(state, 1)[0]["d_row"]
                state, row, good = step({**state, "d_row": seen}, 0)
            rows.append(row)
            finite &= good
        return state, np.concatenate(rows), finite

    @contextlib.contextmanager
    def standing_at(self, state: State) -> Iterator[None]:
        """For looking at another state of this run: it is back at its own afterwards."""
        own, self.state = self.state, state
        try:
            yield
        finally:
            self.state = own

    # -- looking ------------------------------------------------------------------------------------------

    def latent(self, n: int, draw: int = 0) -> Any:
        """z to look at, float32 [n, latent_dim]: fixed by (seed, draw), and never one of training's own."""
        name = self.config.seed, n, draw
        kept = self._latents.get(name)
        if kept is None:  # drawing costs more than what is made of it: a frame looks at the same z every time
            key = tf.constant([self.config.seed, -1 - draw], tf.int64)
            kept = draw_z(self.config, n, key, "philox")
            while len(self._latents) >= LATENTS:
                del self._latents[next(iter(self._latents))]
            self._latents[name] = kept
        return kept

    def labels(self, n: int, draw: int = 0) -> np.ndarray:
        """Classes for n samples, int32 [n], as frequent as in the data."""
        rows = np.random.default_rng([self.config.seed, 2, draw]).integers(len(self.data), size=n)
        return as_pictures(self.data).known_labels[rows]

    def _one_hot(self, n: int, labels: np.ndarray | None) -> Any:
        if not self.classes:
            return None
        return tf.one_hot(self.labels(n) if labels is None else labels, self.classes)

    def generated(self, z: Any, ema: bool, labels: np.ndarray | None = None) -> np.ndarray:
        """G(z) in training units, float32 [n, ...]; labels: int [n] for conditional networks, else drawn."""
        weights, extra = ("ema", "ema_extra") if ema else ("g", "g_extra")
        y = self._one_hot(len(z), labels)
        return self.program.generate(self.state[weights], self.state[extra], z, y).numpy()

    def samples(self, z: Any, ema: bool, labels: np.ndarray | None = None) -> np.ndarray:
        """G(z) in the data's units: float32 [n, 2], or uint8 [n, H, W, C]."""
        return self.data.from_unit(self.generated(z, ema, labels))

    def logits(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """The discriminator's logits of samples in training units, float32 [n].

        One that judges packs is shown each sample beside the same real ones; the mean of COMPANIONS such sets.
        """
        y, d, extra = self._one_hot(len(x), labels), self.state["d"], self.state["d_extra"]
        others = self.config.packing - 1
        if others == 0:
            return self.program.discriminate(d, extra, tf.constant(x), y).numpy()[:, 0]
        total = np.zeros(len(x), np.float32)
        for i in range(COMPANIONS):
            real = self._real(np.arange(i * others, (i + 1) * others) % len(self.data))
            beside = [np.broadcast_to(one, x.shape) for one in real]
            packs = tf.constant(np.concatenate([x, *beside], -1))
            total += self.program.discriminate(d, extra, packs, y).numpy()[:, 0]
        return total / COMPANIONS

    def _real(self, rows: np.ndarray) -> np.ndarray:
        """Those real samples in training units, float32 [n, ...]."""
        real = tf.gather(self.inputs["x"], rows).numpy()
        return self.data.to_unit(real) if real.dtype == np.uint8 else real
