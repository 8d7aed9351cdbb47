"""The compiled training step of a GAN: what one step does, and many of them in one call.

The whole state of a run is one nest of tensors, `state`, that goes into the compiled function and comes out
changed. Nothing is assigned anywhere, so a state that somebody holds never changes: a checkpoint is a
reference, compiling in another thread has no side effect, and looking never changes training.

Every random draw is a function of (seed, step, purpose), so a run does not depend on how its steps are
grouped into calls.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gan_core.foundations.hyperparameters import asked_for
from gan_core.foundations.lazy_imports import tf
from gan_core.networks import keras_models
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS, TINY
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES, noise_level, rate_factor
from gan_core.settings.all_settings import CARRIED, HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.config import GANConfig
from gan_core.training import compilation
from gan_core.training.batches import accuracies, draw_z, pack
from gan_core.training.devices import Devices

State = dict[str, Any]

# The columns of a history row, one row a step. d_loss is without the penalty; accuracies are fractions of the
# last discriminator batch, before its update; d_gradient and g_gradient are the norms of the whole gradients, before
# they are clipped.
COLUMNS = ("g_loss", "d_loss", "penalty", "real_accuracy", "fake_accuracy", "d_gradient", "g_gradient")
ROWS = 1024  # rows that one call can return, so its most steps

# The purposes of random draws.
REAL_D, Z_D, Z_G, REAL_G, LABELS, PENALTY, NOISE_D, NOISE_G = range(8)
UNROLLED = 15  # stands for "update" in the keys of what the unrolled discriminator draws

COUNTS = ("d_steps", "g_steps", "schedule")  # live settings that a step reads as whole numbers


def live_rates() -> tuple[str, ...]:
    """The other settings that a step reads as tensors, so that they may change between two calls: live numbers."""
    return tuple(n for n in LIVE_FIELDS if n not in COUNTS and HYPERPARAMETERS[n].kind in (int, float))


class TrainStep:
    """The compiled functions for one structure (`compile_key`, the data's shape, the classes); holds no weights.

    path: how a step is run, one of PATHS; None for a graph, which XLA follows where `paths` says so (`change`).
    classes: how many both networks are told, 0 without. models: those of another program of the same structure, to
    share.
    strategy: a tf.distribute strategy over several devices, each of which takes its part of every batch; None where no
    path is asked for: over all GPUs, if there are several.
    """

    def __init__(
        self,
        config: GANConfig,
        data_shape: tuple[int, ...],
        path: str | None = None,
        classes: int = 0,
        models: tuple | None = None,
        strategy: Any = None,
    ):
        self.config = config
        self.shape = tuple(data_shape[1:])
        self.path = path or "graph"
        self.classes = classes
        if path is strategy is None:
            strategy = compilation.several_devices(config, self.shape)
        self._devices = Devices(strategy)
        self._batch = self._devices.share(config.batch_size, config.packing)
        self.generator, self.discriminator = models or keras_models.build(config, self.shape, 0, classes)
        self.loss = LOSSES[config.loss]
        self.penalty = PENALTIES[config.penalty].function
        self.rates = live_rates()
        # XLA makes threefry numbers fastest, plain kernels know philox only.
        self._rng = "philox" if self.path == "graph" else "threefry"
        self.traces = 0
        self.train = tf.function(self._train, jit_compile=self.path == "xla", autograph=False)
        self.change: compilation.Change | None = None
        if path is None and strategy is None and compilation.first_steps(config, self.shape):
            both = (self.generator, self.discriminator)
            self.change = compilation.Change(self, lambda: TrainStep(config, data_shape, "xla", classes, both))
        self.generate = tf.function(
            lambda g, extra, z, y: self._fake(g, extra, z, y)[0], autograph=False, reduce_retracing=True
        )
        self.discriminate = tf.function(
            lambda d, extra, x, y: self._judge(d, extra, x, y)[0], autograph=False, reduce_retracing=True
        )
        self.push = tf.function(self._push, autograph=False, reduce_retracing=True)

    @property
    def label(self) -> str:
        """How a step is run, in words."""
        devices = self._devices.count
        alone = " (XLA could not compile it)" if self.change is not None and self.change.failed else ""
        return compilation.PATHS[self.path] + (f" on {devices} devices" if devices > 1 else alone)

    def initial_state(self, seed: int) -> State:
        """The state at step 0; the same seed gives the same weights.

        `g`, `d`: the trainable weights; `g_extra`, `d_extra`: what else the layers keep (batch statistics, the
        power iteration's vectors, dropout's counter); `ema`, `ema_extra`: the averaged generator.
        """
        models = keras_models.build(self.config, self.shape, 1000 * (seed % 2_000_000), self.classes)
        state: State = {"step": tf.constant(0), "d_row": tf.zeros([len(COLUMNS) - 2])}
        for side, model in zip("gd", models, strict=True):
            state[side] = [tf.convert_to_tensor(v) for v in model.trainable_variables]
            state[f"{side}_extra"] = [tf.convert_to_tensor(v) for v in model.non_trainable_variables]
            state[f"{side}_opt"] = self._slots(side, state[side])
        return state | {"ema": list(state["g"]), "ema_extra": list(state["g_extra"])}

    def live(self, config: GANConfig) -> dict[str, Any]:
        """The live settings as tensors: their values may change between calls, and nothing is traced again."""
        rates = [getattr(config, name) for name in self.rates]
        counts = [config.d_steps, config.g_steps, list(SCHEDULES).index(config.schedule)]
        return {"rates": tf.constant(rates, tf.float32), "counts": tf.constant(counts)}

    def _named(self, live) -> dict[str, Any]:
        """By name the settings that functions of registries read: the live ones as scalar tensors, `schedule` as an
        index into SCHEDULES, and as they are those that rows bring and that are not live."""
        fixed = {name: getattr(self.config, name) for name in CARRIED if name not in self.rates}
        return fixed | dict(zip(self.rates, tf.unstack(live["rates"]), strict=True)) | {"schedule": live["counts"][2]}

    def _g_loss(self, real_logits, fake_logits, rate):
        return self.loss.generator(real_logits, fake_logits, **_own(self.loss, self.loss.generator, rate))

    # -- random draws -------------------------------------------------------------------------------------

    def _key(self, seed, step, purpose: int, update=0):
        """int64 [2]: a key of its own for each purpose of each discriminator update of each step."""
        counter = (tf.cast(step, tf.int64) * 16 + tf.cast(update, tf.int64)) * 8 + purpose
        return tf.stack([self._devices.own(seed), counter])

    def _draw_real(self, data, key):
        """(a batch in training units, its classes one-hot [batch, classes] or None)."""
        n = self._batch
        rows = tf.random.stateless_uniform([n], key, 0, data["x"].shape[0], tf.int32, alg=self._rng)
        x = tf.gather(data["x"], rows)
        if x.dtype == tf.uint8:
            x = tf.cast(x, tf.float32) / 127.5 - 1.0
        return x, tf.one_hot(tf.gather(data["y"], rows), self.classes) if self.classes else None

    def _uniform(self, key):
        """What a penalty draws with."""
        return lambda shape: tf.random.stateless_uniform(shape, key, alg=self._rng)

    def _labels(self, n: int, key, rate):
        """(real, fake) labels [n, 1], smoothed and moved by noise."""
        shift = tf.random.stateless_uniform([2, n, 1], key, -1.0, 1.0, alg=self._rng)
        noise = rate["label_noise"]
        return 1.0 - rate["label_smoothing"] + noise * shift[0], noise * shift[1]

    def _noise(self, key, rate, step):
        """Instance noise for a batch of both kinds, [2, n, ...] (arXiv 1610.04490); zeros while it is off."""
        level = noise_level(rate["instance_noise"], step, rate["instance_noise_steps"])
        shape = [2, self._batch, *self.shape]
        return tf.cond(  # drawing costs time even where the level is 0
            level > 0.0,
            lambda: level * tf.random.stateless_normal(shape, key, alg=self._rng),
            lambda: tf.zeros(shape),
        )

    # -- the networks -------------------------------------------------------------------------------------

    def _fake(self, g, extra, z, y, training: bool = False):
        """(G(z | y), the generator's extra state afterwards)."""
        return self.generator.stateless_call(g, extra, z if y is None else tf.concat([z, y], 1), training=training)

    def _judge(self, d, extra, x, y, training: bool = False):
        """(logits of x | y, the discriminator's extra state afterwards)."""
        return self.discriminator.stateless_call(d, extra, x if y is None else [x, y], training=training)

    # -- one step -----------------------------------------------------------------------------------------

    def _optimizer(self, side: str):
        return OPTIMIZERS[getattr(self.config, f"{side}_optimizer")]

    def _slots(self, side: str, weights) -> dict[str, Any]:
        """An optimizer's state at the start: the number of updates, and zeros for every slot of every weight."""
        slots = [tuple(tf.zeros_like(w) for _ in self._optimizer(side).slots) for w in weights]
        return {"updates": tf.constant(0), "slots": slots}

    def _apply(self, side: str, state: State, gradients, rate, step) -> tuple[State, Any]:
        """(the state with the optimizer's update of network `side`, "g" or "d"; the norm of the gradients)."""
        optimizer, gradients = self._optimizer(side), self._devices.mean(gradients)
        own = {name: rate[f"{side}_{name}"] for name in optimizer.knobs}
        lr = rate[f"{side}_lr"] * rate_factor(step, rate)
        norm = tf.sqrt(tf.add_n([tf.reduce_sum(gradient**2) for gradient in gradients]) + TINY)
        most = rate["grad_clip"]
        scale = tf.where(most > 0.0, most / tf.maximum(most, norm), 1.0)
        bound = tf.where(rate["weight_clip"] > 0.0, rate["weight_clip"], np.inf)
        updates = state[f"{side}_opt"]["updates"] + 1
        weights, slots = [], []
        for weight, slot, gradient in zip(state[side], state[f"{side}_opt"]["slots"], gradients, strict=True):
            t = tf.cast(updates, tf.float32)
            change, slot = optimizer.update(weight, scale * gradient, slot, lr, t, **own)
            weight = weight + change
            weights.append(tf.clip_by_value(weight, -bound, bound) if side == "d" else weight)
            slots.append(slot)
        return {**state, side: weights, f"{side}_opt": {"updates": updates, "slots": slots}}, norm

    def _improve_d(self, own: State, real, fake, y, labels, uniform, rate, step):
        """One update of the discriminator's part of the state (`d`, `d_extra`, `d_opt`) on this batch, of packs.

        Returns it with the step's row: loss, penalty, both accuracies, norm of the gradient.
        """
        d = own["d"]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(d)
            real_logits, extra = self._judge(d, own["d_extra"], real, y, training=True)
            fake_logits, extra = self._judge(d, extra, fake, y, training=True)
            loss = self.loss.discriminator(
                real_logits, fake_logits, *labels, **_own(self.loss, self.loss.discriminator, rate)
            )
            penalty = tf.zeros([])
            total = loss
            if self.penalty is not None:
                own_of_penalty = _own(PENALTIES[self.config.penalty], self.penalty, rate)
                penalty = self.penalty(
                    lambda x: self._judge(d, extra, x, y, training=True)[0], real, fake, uniform, **own_of_penalty
                )
                total = loss + rate["gp_weight"] * penalty
        own, norm = self._apply("d", own, tape.gradient(total, d), rate, step)
        row = tf.stack([loss, penalty, *accuracies(self.config.loss, real_logits, fake_logits), norm])
        return {**own, "d_extra": self._devices.mean(extra)}, self._devices.mean(row)

    def _update_d(self, state: State, data, live, seed, update) -> State:
        """One discriminator update: the state with a new `d`, `d_opt` and `d_row`."""
        rate, step, c = self._named(live), state["step"], self.config

        def key(purpose):
            return self._key(seed, step, purpose, update)

        # Real and fake share their classes, so that a relativistic pair compares like with like.
        real, y = self._draw_real(data, key(REAL_D))
        z = draw_z(c, self._batch, key(Z_D), self._rng)
        fake, _ = self._fake(state["g"], state["g_extra"], z, y, training=True)
        noise = self._noise(key(NOISE_D), rate, step)
        own, row = self._improve_d(
            {name: state[name] for name in ("d", "d_extra", "d_opt")},
            pack(real + noise[0], c.packing),
            pack(fake + noise[1], c.packing),
            y,
            self._labels(self._batch // c.packing, key(LABELS), rate),
            self._uniform(key(PENALTY)),
            rate,
            step,
        )
        return {**state, **own, "d_row": row}

    def _update_g(self, state: State, data, live, seed):
        """One generator update, which is one step: the new state and the step's row of COLUMNS."""
        rate, step, c, g = self._named(live), state["step"], self.config, state["g"]
        z = draw_z(c, self._batch, self._key(seed, step, Z_G), self._rng)
        needs_real = self.loss.generator_needs_real or c.unroll > 0
        real = y = None
        if needs_real or self.classes:
            real, y = self._draw_real(data, self._key(seed, step, REAL_G))
        noise = self._noise(self._key(seed, step, NOISE_G), rate, step)
        real = pack(real + noise[0], c.packing) if needs_real else None
        own = {name: state[name] for name in ("d", "d_extra", "d_opt")}
        real_logits = None
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(g)
            fake, extra = self._fake(g, state["g_extra"], z, y, training=True)
            fake = pack(fake + noise[1], c.packing)
            # Unrolled (arXiv 1611.02163): G looks at the discriminator that this one would become, and how G could
            # change it. That discriminator is used for this gradient only.
            for _ in range(c.unroll):
                labels = self._labels(self._batch // c.packing, self._key(seed, step, LABELS, UNROLLED), rate)
                uniform = self._uniform(self._key(seed, step, PENALTY, UNROLLED))
                own, _ = self._improve_d(own, real, fake, y, labels, uniform, rate, step)
            if self.loss.generator_needs_real:
                real_logits, _ = self._judge(own["d"], own["d_extra"], real, y, training=True)
            fake_logits, _ = self._judge(own["d"], own["d_extra"], fake, y, training=True)
            loss = self._g_loss(real_logits, fake_logits, rate)
        state, norm = self._apply("g", state, tape.gradient(loss, g), rate, step)
        state, loss = {**state, "g_extra": self._devices.mean(extra)}, self._devices.mean(loss)
        # A young average has a short memory, else it would show the initial weights for long.
        t = tf.cast(step, tf.float32)
        decay = tf.minimum(rate["ema_decay"], (1.0 + t) / (10.0 + t))

        def averaged(name: str, of: str):
            return [
                old * decay + new * (1.0 - decay) if new.dtype == tf.float32 else new
                for old, new in zip(state[name], state[of], strict=True)
            ]

        ema = {"ema": averaged("ema", "g"), "ema_extra": averaged("ema_extra", "g_extra")}
        state = {**state, **ema, "step": step + 1}
        return state, tf.concat([[loss], state["d_row"], [norm]], 0)

    def _step(self, state: State, data, live, seed):
        """A round starts every g_steps steps, with d_steps discriminator updates."""
        d_steps, g_steps = live["counts"][0], live["counts"][1]
        updates = tf.where(state["step"] % g_steps == 0, d_steps, 0)
        # Only the discriminator's part goes through the inner loop: XLA copies what a loop carries.
        names = ("d", "d_extra", "d_opt", "d_row")
        rest = {name: value for name, value in state.items() if name not in names}

        def body(update, own):
            own = self._devices.everywhere(self._update_d)({**rest, **own}, data, live, seed, update)
            return update + 1, {name: own[name] for name in names}

        start = (tf.constant(0), {name: state[name] for name in names})
        _, own = tf.while_loop(lambda update, _: update < updates, body, start)
        return self._devices.everywhere(self._update_g)({**rest, **own}, data, live, seed)

    def _train(self, state: State, data, live, seed, n):
        """n steps (n <= ROWS, an int32 tensor) -> (state, rows float32 [ROWS, len(COLUMNS)], finite bool [2]).

        finite: whether all weights of the generator and of the discriminator are; told here, for reading the weights
        to find out would copy all of them from a GPU.
        """
        self.traces += 1

        def body(i, s, rows):
            s, row = self._step(s, data, live, seed)
            return i + 1, s, tf.tensor_scatter_nd_update(rows, [[i]], [row])

        rows = tf.zeros([ROWS, len(COLUMNS)])
        _, state, rows = tf.while_loop(lambda i, s, r: i < n, body, (tf.constant(0), state, rows))
        finite = [tf.reduce_all([tf.reduce_all(tf.math.is_finite(w)) for w in state[side]]) for side in "gd"]
        return state, rows, tf.stack(finite)

    def _push(self, g, g_extra, d, d_extra, real, z, live):
        """Where the generator's loss pushes its samples: (samples [n, ...], -d loss / d sample [n, ...])."""
        fake, _ = self._fake(g, g_extra, z, None)
        real_logits, _ = self._judge(d, d_extra, pack(real, self.config.packing), None)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fake)
            logits, _ = self._judge(d, d_extra, pack(fake, self.config.packing), None)
            loss = self._g_loss(real_logits, logits, self._named(live))
        return fake, -tape.gradient(loss, fake)

    def layers(self) -> list[dict[str, Any]]:
        """A row for each layer: network, layer, output shape, parameters."""
        return keras_models.layers(self.generator) + keras_models.layers(self.discriminator)


def _own(row: Any, function: Callable, rate: dict[str, Any]) -> dict[str, Any]:
    """Those settings that a row of a registry brings and that its function asks for."""
    return asked_for(function, {name: rate[name] for name in row.knobs})
