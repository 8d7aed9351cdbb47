"""What one update of a network does: its random draws, its batch, its loss and penalty, its optimizer.

Everything is a pure function of tensors, so that a step can be compiled, unrolled, and looked at from inside.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gan_core.foundations.hyperparameters import asked_for
from gan_core.foundations.lazy_imports import tf
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS, TINY
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import noise_level, rate_factor
from gan_core.settings.all_settings import CARRIED, HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.config import GANConfig
from gan_core.training.batches import accuracies, draw_z, pack
from gan_core.training.devices import Devices

State = dict[str, Any]

# The purposes of random draws.
REAL_D, Z_D, Z_G, REAL_G, LABELS, PENALTY, NOISE_D, NOISE_G = range(8)
AUGMENT_D, AUGMENT_G = -(2**62), 1 - 2**62  # no counter of a step comes near
UNROLLED = 15  # stands for "update" in the keys of what the unrolled discriminator draws

# The parts of a state that an update of each network changes, beside `step`; `augment` is there where it adapts.
D_PARTS = ("d", "d_extra", "d_opt", "d_row", "augment")
G_PARTS = ("g", "g_extra", "g_opt", "ema", "ema_extra")

COUNTS = ("d_steps", "g_steps", "schedule")  # live settings that a step reads as whole numbers


def live_rates() -> tuple[str, ...]:
    """The other settings that a step reads as tensors, so that they may change between two calls: live numbers."""
    return tuple(n for n in LIVE_FIELDS if n not in COUNTS and HYPERPARAMETERS[n].kind in (int, float))


class Updates:
    """The updates of one structure, by networks that share what is drawn; holds no weights.

    classes: how many both networks are told, 0 without. models: generator and discriminator. xla: whether XLA compiles
    the updates.
    """

    def __init__(
        self, config: GANConfig, shape: tuple[int, ...], classes: int, models: tuple, devices: Devices, xla: bool
    ):
        self.config = config
        self.shape = shape
        self.classes = classes
        self.generator, self.discriminator = models
        self.loss = LOSSES[config.loss]
        self.penalty = PENALTIES[config.penalty].function
        self.augmentation = AUGMENTATIONS[config.augment]
        self.rates = live_rates()
        self._devices = devices
        self._batch = devices.share(config.batch_size, config.packing)
        self._xla = xla
        # XLA makes threefry numbers fastest, plain kernels know philox only.
        self._rng = "threefry" if xla else "philox"

    def named_live(self, live) -> dict[str, Any]:
        """By name the settings that functions of registries read: the live ones as scalar tensors, `schedule` as an
        index into SCHEDULES, and as they are those that rows bring and that are not live."""
        fixed = {name: getattr(self.config, name) for name in CARRIED if name not in self.rates}
        return fixed | dict(zip(self.rates, tf.unstack(live["rates"]), strict=True)) | {"schedule": live["counts"][2]}

    def _g_loss(self, real_logits, fake_logits, rate):
        return self.loss.generator(real_logits, fake_logits, **own_of(self.loss, self.loss.generator, rate))

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

    def _augmenter(self, key, rate, state: State):
        """What shows the discriminator pictures: (a batch, 0 for real ones, 1 for generated ones) -> as it sees them.

        The two kinds are moved by different draws, for they are different pictures.
        """
        row, function = self.augmentation, self.augmentation.function
        if function is None:
            return lambda x, kind: x
        draws = tf.random.stateless_uniform([2, self._batch, row.draws], key, alg=self._rng)
        own = own_of(row, function, rate) | ({"p": state["augment"]["p"]} if row.adapt else {})
        return lambda x, kind: function(x, draws[kind], **own)

    def _adapted(self, adapt: Callable, augment: State, real_accuracy, rate) -> State:
        """The augmentation's part of the state after an update of the discriminator."""
        own = own_of(self.augmentation, adapt, rate)
        p, r = adapt(augment["p"], augment["r"], real_accuracy, self.config.batch_size, **own)
        return {"p": p, "r": r}

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

        Returns it with the step's row (loss, penalty, both accuracies, norm of the gradient) and what was seen: logits
        and gradients.
        """
        d = own["d"]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(d)
            real_logits, extra = self._judge(d, own["d_extra"], real, y, training=True)
            fake_logits, extra = self._judge(d, extra, fake, y, training=True)
            loss = self.loss.discriminator(
                real_logits, fake_logits, *labels, **own_of(self.loss, self.loss.discriminator, rate)
            )
            penalty = tf.zeros([])
            total = loss
            if self.penalty is not None:
                own_of_penalty = own_of(PENALTIES[self.config.penalty], self.penalty, rate)
                penalty = self.penalty(
                    lambda x: self._judge(d, extra, x, y, training=True)[0], real, fake, uniform, **own_of_penalty
                )
                total = loss + rate["gp_weight"] * penalty
        gradients = tape.gradient(total, d)
        own, norm = self._apply("d", own, gradients, rate, step)
        row = tf.stack([loss, penalty, *accuracies(self.config.loss, real_logits, fake_logits), norm])
        seen = {"real_logits": real_logits, "fake_logits": fake_logits, "gradients": gradients}
        return {**own, "d_extra": self._devices.mean(extra)}, self._devices.mean(row), seen

    def _update_d(self, state: State, data, live, seed, update) -> tuple[State, dict[str, Any]]:
        """One discriminator update: the state with a new `d`, `d_extra`, `d_opt` and `d_row`, and what was seen.

        Seen are the batch as it was drawn, in training units, the discriminator's logits of it and its gradients: `z`,
        `real`, `fake`, `labels` (of real and of generated), `real_logits`, `fake_logits` [batch / packing, 1],
        `gradients`, with the penalty, if there is one.
        """
        rate, step, c = self.named_live(live), state["step"], self.config

        def key(purpose):
            return self._key(seed, step, purpose, update)

        # Real and fake share their classes, so that a relativistic pair compares like with like.
        real, y = self._draw_real(data, key(REAL_D))
        z = draw_z(c, self._batch, key(Z_D), self._rng)
        fake, _ = self._fake(state["g"], state["g_extra"], z, y, training=True)
        noise = self._noise(key(NOISE_D), rate, step)
        seen_as = self._augmenter(key(AUGMENT_D), rate, state)
        labels = self._labels(self._batch // c.packing, key(LABELS), rate)
        own, row, seen = self._improve_d(
            {name: state[name] for name in ("d", "d_extra", "d_opt")},
            pack(seen_as(real, 0) + noise[0], c.packing),
            pack(seen_as(fake, 1) + noise[1], c.packing),
            y,
            labels,
            self._uniform(key(PENALTY)),
            rate,
            step,
        )
        adapt = self.augmentation.adapt
        if adapt is not None:
            own["augment"] = self._adapted(adapt, state["augment"], row[2], rate)
        return {**state, **own, "d_row": row}, {**seen, "z": z, "real": real, "fake": fake, "labels": labels}

    def _update_g(self, state: State, data, live, seed, at_samples: bool = False):
        """One generator update, which is one step: the new state, the step's row of COLUMNS, and what was seen.

        Seen are `z`, `fake` in training units, `fake_logits` (`real_logits` and `real`, too, where the loss has them)
        and the generator's `gradients`. at_samples: also the loss's gradient at each sample, `at_samples`, like `fake`.
        """
        rate, step, c, g = self.named_live(live), state["step"], self.config, state["g"]
        z = draw_z(c, self._batch, self._key(seed, step, Z_G), self._rng)
        needs_real = self.loss.generator_needs_real or c.unroll > 0
        real = y = None
        if needs_real or self.classes:
            real, y = self._draw_real(data, self._key(seed, step, REAL_G))
        noise = self._noise(self._key(seed, step, NOISE_G), rate, step)
        seen_as = self._augmenter(self._key(seed, step, AUGMENT_G), rate, state)
        clean, real = real, pack(seen_as(real, 0) + noise[0], c.packing) if needs_real else None
        own = {name: state[name] for name in ("d", "d_extra", "d_opt")}
        real_logits = None
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(g)
            drawn, extra = self._fake(g, state["g_extra"], z, y, training=True)
            fake = pack(seen_as(drawn, 1) + noise[1], c.packing)
            # Unrolled (arXiv 1611.02163): G looks at the discriminator that this one would become, and how G could
            # change it. That discriminator is used for this gradient only.
            for _ in range(c.unroll):
                labels = self._labels(self._batch // c.packing, self._key(seed, step, LABELS, UNROLLED), rate)
                uniform = self._uniform(self._key(seed, step, PENALTY, UNROLLED))
                own, *_ = self._improve_d(own, real, fake, y, labels, uniform, rate, step)
            if self.loss.generator_needs_real:
                real_logits, _ = self._judge(own["d"], own["d_extra"], real, y, training=True)
            fake_logits, _ = self._judge(own["d"], own["d_extra"], fake, y, training=True)
            loss = self._g_loss(real_logits, fake_logits, rate)
        seen = {"z": z, "fake": drawn, "fake_logits": fake_logits}
        if at_samples:
            gradients, seen["at_samples"] = tape.gradient(loss, [g, drawn])
        else:
            gradients = tape.gradient(loss, g)
        seen["gradients"] = gradients
        if self.loss.generator_needs_real:
            seen |= {"real_logits": real_logits, "real": clean}
        state, norm = self._apply("g", state, gradients, rate, step)
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
        return state, tf.concat([[loss], state["d_row"], [norm]], 0), seen


def own_of(row: Any, function: Callable, rate: dict[str, Any]) -> dict[str, Any]:
    """Those settings that a row of a registry brings and that its function asks for."""
    return asked_for(function, {name: rate[name] for name in row.knobs})
