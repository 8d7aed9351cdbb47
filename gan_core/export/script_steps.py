"""The training steps as script.py writes them: objective, optimizers, random draws, and an update of each network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gan_core.export.script_networks import INDENT, WIDTH
from gan_core.export.script_sources import sources
from gan_core.networks.architectures import ARCHITECTURES, plans
from gan_core.networks.layers import flattened
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig


def _function(head: str, *lines: str) -> str:
    return head + "".join(f"\n{INDENT}{line}" if line else "\n" for line in lines)


def _indented(lines: list[str]) -> list[str]:
    return [INDENT + line for line in lines]


NETWORKS = {"g": "generator", "d": "discriminator"}
PHILOX = '"philox"'  # the random numbers of a plain graph, as text


class Steps:
    """Writes the training of one config on samples of `shape`; what its settings ask for is found out once, here."""

    def __init__(self, c: GANConfig, shape: tuple[int, ...]):
        self.c, self.shape = c, shape
        self.images = len(shape) > 1
        self.loss = LOSSES[c.loss]
        self.penalty = PENALTIES[c.penalty].function if c.gp_weight > 0 else None
        self.smooth = self.loss.labels and c.label_smoothing > 0
        self.noisy = self.loss.labels and c.label_noise > 0
        self.falling = c.schedule != "constant" and c.schedule_floor < 1
        self.averaged = c.show_ema and c.ema_decay > 0
        generator, discriminator = plans(c, shape)
        # Whether a network trains otherwise than it samples, and whether its layers keep what later calls look at. The
        # statistics of batch norm change samples only, and the discriminator has none.
        given = ARCHITECTURES[c.architecture].models is not None  # who knows what those keep
        g, d = list(flattened(generator)), list(flattened(discriminator))
        self.g_modes = self.g_keeps = given or any(layer.acts_otherwise_in_training() for layer in g)
        self.d_modes = given or any(layer.acts_otherwise_in_training() for layer in d)
        self.d_keeps = given or any(layer.changes_later_training() for layer in d)
        # Dense networks begin as a plain graph and go on in XLA, as the trainer's do; ALG is what each draws with.
        self.dense = ARCHITECTURES[c.architecture].dense
        self.alg, self.compiled = ("ALG", "") if self.dense else (PHILOX, "@tf.function\n")
        # The registries' functions that the script holds, and the arguments that each takes there.
        self.objective, self.parameters = sources(
            self.loss.discriminator, self.loss.generator, short=not (self.smooth or self.noisy)
        )
        if self.penalty:
            texts, parameters = sources(self.penalty)
            self.objective, self.parameters = self.objective + texts, self.parameters | parameters
        self.objective[0] = "# -- objective, of logits [batch, 1]\n" + self.objective[0]
        # Update rules are written out where Keras has none, and where the generator's gradient passes through them.
        rules = {side: OPTIMIZERS[getattr(c, f"{side}_optimizer")] for side in "gd"}
        self.written_out = [side for side in "gd" if not rules[side].keras and not (side == "d" and c.unroll)]
        self.update_rules: list[str] = []
        for side in [*self.written_out, *["d"] * (c.unroll > 0)]:
            texts, parameters = sources(rules[side].update)
            self.update_rules += [text for text in texts if text not in self.update_rules]
            self.parameters |= parameters
        self.shares: list[str] = []
        if self.falling and not SCHEDULES[c.schedule].keras:
            self.shares, parameters = sources(SCHEDULES[c.schedule].share)
            self.parameters |= parameters

    def blocks(self) -> list[str]:
        """All from the objective to the generator's update; `{purposes}` stands for the keys of random draws."""
        unrolled = self._unrolled() if self.c.unroll else []
        before = [*self.update_rules] * bool(self.written_out)
        return [
            *self.objective,
            *self.shares,
            *self._written_rates(),
            *before,
            self._optimizers(),
            *self._written_optimizers(),
            *self._draws(),
            *unrolled,
            self._train_discriminator(),
            self._train_generator(),
        ]

    def _call(self, function: Callable, **values: str) -> str:
        """A call of a registry's function, with those arguments that it looks at."""
        name = function.__name__
        return f"{name}({', '.join(values[parameter] for parameter in self.parameters[name])})"

    # -- optimizers and draws -----------------------------------------------------------------------------

    def _optimizers(self) -> str:
        c, lines = self.c, ["# -- optimizers"]
        if self.falling:
            row = SCHEDULES[c.schedule]
            source = f" ({row.source})" if row.source else ""
            lines.append(f"# The learning rates fall over the steps: {row.description}{source}.")
            lines += [f"{side}_rate = {row.keras.format(f'{side.upper()}_LR')}" for side in "gd" if row.keras]
        for side, network in NETWORKS.items():
            if side not in self.written_out and (side == "g" or not c.unroll):
                lines.append(f"{side}_optimizer = {self._optimizer(side)}")
                lines.append(f"{side}_optimizer.build({network}.trainable_variables)")
        return "\n".join(lines) if len(lines) > 1 else ""

    def _own(self, row: Any, side: str = "") -> dict[str, str]:
        """The constants that stand for a row's own settings, by the names of its function's parameters."""
        return {name: f"{side}_{name}".strip("_").upper() for name in row.knobs}

    def _written_rates(self) -> list[str]:
        """Both learning rates by a schedule that Keras lacks."""
        if not self.shares:
            return []
        row = SCHEDULES[self.c.schedule]
        share = self._call(row.share, t="t", **self._own(row))
        return [
            _function(
                f"def {side}_rate(step):",
                f'"""The learning rate of the {network}, which falls over the steps."""',
                "t = tf.minimum(tf.cast(step, tf.float32) / SCHEDULE_STEPS, 1.0)",
                f"return {side.upper()}_LR * (SCHEDULE_FLOOR + (1.0 - SCHEDULE_FLOOR) * {share})",
            )
            for side, network in NETWORKS.items()
        ]

    def _slots(self, side: str, network: str) -> str:
        """The line that makes an optimizer's memory of each weight."""
        names = OPTIMIZERS[getattr(self.c, f"{side}_optimizer")].slots
        slots = ", ".join(["tf.Variable(tf.zeros_like(w))"] * len(names)) + "," * (len(names) == 1)
        return f"{side}_slots = [({slots}) for w in {network}.trainable_variables]"

    def _clipped(self) -> list[str]:
        """The lines that bound the gradients of an update that is written out."""
        if not self.c.grad_clip:
            return []
        return [
            "norm = tf.sqrt(tf.add_n([tf.reduce_sum(gradient**2) for gradient in gradients]) + 1e-24)",
            "gradients = [GRAD_CLIP / tf.maximum(GRAD_CLIP, norm) * gradient for gradient in gradients]",
        ]

    def _written_optimizers(self) -> list[str]:
        """The updates by optimizers that Keras lacks."""
        blocks = []
        for side in self.written_out:
            name, network = getattr(self.c, f"{side}_optimizer"), NETWORKS[side]
            row = OPTIMIZERS[name]
            rate = f"{side}_rate(step)" if self.falling else f"{side.upper()}_LR"
            about = dict(weight="weight", gradient="gradient", slots="slots", rate=rate, t=f"{side}_updates")
            blocks.append(f"{self._slots(side, network)}\n{side}_updates = tf.Variable(0.0)")
            blocks.append(
                _function(
                    f"def {side}_apply(gradients, step):",
                    f'"""An update of the {network} by {name}, which Keras lacks."""',
                    *self._clipped(),
                    f"{side}_updates.assign_add(1.0)",
                    f"for weight, gradient, slots in zip({network}.trainable_variables, gradients, {side}_slots):",
                    f"{INDENT}change, new = {self._call(row.update, **about, **self._own(row, side))}",
                    f"{INDENT}weight.assign_add(change)",
                    f"{INDENT}for slot, value in zip(slots, new):",
                    f"{INDENT * 2}slot.assign(value)",
                )
            )
        return blocks

    def _applied(self, side: str, gradients: str) -> list[str]:
        """The lines that update a network by these gradients."""
        if side in self.written_out:
            return [f"{side}_apply({gradients}, step)"]
        assigned = self._assigned(side)
        lines = [f"{side}_optimizer.learning_rate.assign({side}_rate(step))"] if assigned else []
        return [*lines, f"{side}_optimizer.apply({gradients})"]

    def _assigned(self, side: str) -> bool:
        """Whether an optimizer of Keras is told its rate before each update: by a schedule that Keras lacks, or where
        the discriminator's updates are not the steps, by which rates fall."""
        counts_otherwise = side == "d" and (self.c.d_steps > 1 or self.c.g_steps > 1)
        return self.falling and (counts_otherwise or bool(self.shares))

    def _optimizer(self, side: str) -> str:
        name = getattr(self.c, f"{side}_optimizer")
        own = self.falling and not self._assigned(side)
        arguments = [f"{side}_rate" if own else f"{side.upper()}_LR"]
        for use in OPTIMIZERS[name].knobs:
            if use != "momentum" or getattr(self.c, f"{side}_momentum"):
                arguments.append(f"{use}={side.upper()}_{use.upper()}")
        arguments += ["global_clipnorm=GRAD_CLIP"] * (self.c.grad_clip > 0)
        return f"keras.optimizers.{OPTIMIZERS[name].keras}({', '.join(arguments)})"

    def _key(self, purpose: str, update: str = "") -> str:
        return f"key(step, {purpose}{f', {update}' if update else ''})"

    def _normal(self, shape: str, key: str, alg: str) -> str:
        return f"tf.random.stateless_normal({shape}, {key}, alg={alg})"

    def _uniform(self, shape: str, key: str, alg: str) -> str:
        return f"tf.random.stateless_uniform({shape}, {key}, -1.0, 1.0, alg={alg})"

    def z(self, n: int | str, key: str, alg: str = "") -> str:
        """A draw of n times z."""
        draw = self._uniform if self.c.z_dist == "uniform" else self._normal
        return draw(f"[{n}, LATENT_DIM]", key, alg or self.alg)

    def _draws(self) -> list[str]:
        """The helpers of a step: keys, real batches, noise, packs, and a call that keeps nothing."""
        c, shape = self.c, ", ".join(map(str, self.shape))
        counts = c.d_steps > 1 or c.unroll > 0  # whether draws differ by the update within a step
        update, counter = (", update=0", "8 * (16 * step + update)") if counts else ("", "128 * step")
        blocks = [
            "# -- training\n{purposes}",
            _function(
                f"def key(step, purpose{update}):",
                '"""A random draw is a function of the seed, the step and what it is for."""',
                f"return tf.stack([tf.constant(SEED, tf.int64), {counter} + purpose])",
            ),
        ]
        array, batch = "data", "tf.gather(data, rows)"
        if self.images:
            array, batch = "pixels", "tf.cast(tf.gather(pixels, rows), tf.float32) / 127.5 - 1.0"
        blocks.append(
            _function(
                "def real_batch(key):",
                f"rows = tf.random.stateless_uniform([BATCH_SIZE], key, 0, len({array}), tf.int32, alg={self.alg})",
                f"return {batch}{', tf.one_hot(tf.gather(labels, rows), CLASSES)' * c.conditional}",
            )
        )
        if c.instance_noise:
            level = "INSTANCE_NOISE * tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / INSTANCE_NOISE_STEPS)"
            blocks.append(
                _function(
                    "def instance_noise(step, key):",
                    '"""For real and for generated samples, falling straight to 0 (arXiv 1610.04490)."""',
                    f"level = {level}",
                    f"return level * {self._normal(f'[2, BATCH_SIZE, {shape}]', 'key', self.alg)}",
                )
            )
        if c.packing > 1:
            *sides, channels = self.shape
            before = [f"x = tf.transpose(tf.reshape(x, [-1, PACKING, {shape}]), [0, 2, 3, 1, 4])"] * self.images
            packs = ", ".join(["-1", *map(str, sides), f"PACKING * {channels}"])
            blocks.append(
                _function(
                    "def pack(x):",
                    '"""Samples side by side, to be judged together (PacGAN, arXiv 1712.04086)."""',
                    *before,
                    f"return tf.reshape(x, [{packs}])",
                )
            )
        if self.g_keeps or (self.d_keeps and not c.unroll):
            call = "model.stateless_call(model.trainable_variables, model.non_trainable_variables, x, training=True)"
            about = "What a model makes of x while training; what its layers keep beside weights stays as it is."
            blocks.append(_function("def unchanged(model, x):", f'"""{about}"""', f"return {call}[0]"))
        return blocks

    # -- parts of an update -------------------------------------------------------------------------------

    def _told(self, x: str) -> str:
        return f"[{x}, y]" if self.c.conditional else x

    def _generated(self, stays: bool) -> str:
        """G(z); stays: without a change of what its layers keep."""
        x = "tf.concat([z, y], 1)" if self.c.conditional else "z"
        if stays and self.g_keeps:
            return f"unchanged(generator, {x})"
        return f"generator({x}{', training=True' * self.g_modes})"

    def _judged(self, x: str, stays: bool) -> str:
        """The discriminator's logits of x; stays: without a change of what its layers keep."""
        if stays and self.d_keeps:
            return f"unchanged(discriminator, {self._told(x)})"
        return f"discriminator({self._told(x)}{', training=True' * self.d_modes})"

    def _unroll_judged(self, x: str) -> str:
        """The same by the discriminator of given weights."""
        return f"judged(weights, {'kept, ' * self.d_keeps}{self._told(x)})"

    def _batch(self, side: str, update: str, real: bool) -> tuple[list[str], str]:
        """(the lines that draw a batch for network `side`, noisy and packed where need be; its generated samples)."""
        c, name, lines = self.c, side.upper(), []
        if real or c.conditional:
            got = ("real" if real else "_") + ", y" * c.conditional
            lines.append(f"{got} = real_batch({self._key(f'REAL_{name}', update)})")
        lines.append(f"z = {self.z('BATCH_SIZE', self._key(f'Z_{name}', update))}")
        fake = self._generated(stays=side == "d")
        if side == "d":
            lines.append(f"fake = {fake}")
            fake = "fake"
        shown = {"real": "real", "fake": fake}
        if c.instance_noise:
            lines.append(f"noise = instance_noise(step, {self._key(f'NOISE_{name}', update)})")
            shown = {"real": "real + noise[0]", "fake": f"{fake} + noise[1]"}
        if c.packing > 1:
            shown = {kind: f"pack({text})" for kind, text in shown.items()}
        if shown["real"] != "real":
            if side == "d":
                lines.append(f"real, fake = {shown['real']}, {shown['fake']}")
            elif real:
                lines.append(f"real = {shown['real']}")
        return lines, shown["fake"]

    def _drawn(self, update: str) -> list[str]:
        """What an update of the discriminator draws beside its batch: noise of labels, and for the penalty."""
        lines = []
        if self.noisy:
            n = "n" if self.c.packing > 1 else "BATCH_SIZE"
            lines += ["n = BATCH_SIZE // PACKING"] * (n == "n")
            lines += [
                f"shift = {self._uniform(f'[2, {n}, 1]', self._key('LABELS', update), self.alg)}",
                f"real_labels = 1.0{' - LABEL_SMOOTHING' * self.smooth} + LABEL_NOISE * shift[0]",
                "fake_labels = LABEL_NOISE * shift[1]",
            ]
        if self.penalty and "uniform" in self.parameters[self.penalty.__name__]:
            key = self._key("PENALTY", update)
            draw = f"tf.random.stateless_uniform(shape, {key}, alg={self.alg})"
            lines += ["", "def uniform(shape):", f"{INDENT}return {draw}", ""]
        return lines

    def _d_losses(self, critic: str) -> list[str]:
        """d_loss of the logits and, with a penalty, total; critic: what the penalty calls."""
        labels = {"real_labels": "tf.ones_like(real_logits)", "fake_labels": "tf.zeros_like(fake_logits)"}
        if self.smooth:
            labels["real_labels"] = f"(1.0 - LABEL_SMOOTHING) * {labels['real_labels']}"

        def call(**labels: str) -> str:
            logits = {"real": "real_logits", "fake": "fake_logits"}
            return f"d_loss = {self._call(self.loss.discriminator, **logits, **labels, **self._own(self.loss))}"

        named = call(**{name: name for name in labels})
        if self.noisy:
            lines = [named]
        elif len(call(**labels)) <= WIDTH - 2 * len(INDENT):
            lines = [call(**labels)]
        else:
            lines = [*(f"{name} = {value}" for name, value in labels.items()), named]
        if self.penalty:
            given = dict(critic=critic, real="real", fake="fake", uniform="uniform")
            penalty = self._call(self.penalty, **given, **self._own(PENALTIES[self.c.penalty]))
            lines.append(f"total = d_loss + GP_WEIGHT * {penalty}")
        return lines

    # -- updates ------------------------------------------------------------------------------------------

    def _train_discriminator(self) -> str:
        c, update = self.c, "update" if self.c.d_steps > 1 else ""
        minimised = "total" if self.penalty else "d_loss"
        lines, _ = self._batch("d", update, real=True)
        if c.unroll:
            lines += [
                f"new, d_loss = improved({self._improved_with('d_state', update or '0')})",
                "for variable, value in zip(tf.nest.flatten(d_state), tf.nest.flatten(new)):",
                f"{INDENT}variable.assign(value)",
            ]
        else:
            simple = not (c.conditional or self.d_modes)
            critic = "discriminator" if simple else f"lambda x: {self._judged('x', stays=True)}"
            logits = f"{self._judged('real', stays=False)}, {self._judged('fake', stays=False)}"
            lines += [
                *self._drawn(update),
                "with tf.GradientTape() as tape:",
                *_indented([f"real_logits, fake_logits = {logits}", *self._d_losses(critic)]),
                *self._applied("d", f"tape.gradient({minimised}, discriminator.trainable_variables)"),
            ]
            if c.weight_clip:
                lines += [
                    "for weight in discriminator.trainable_variables:",
                    f"{INDENT}weight.assign(tf.clip_by_value(weight, -WEIGHT_CLIP, WEIGHT_CLIP))",
                ]
        return _function(
            f"{self.compiled}def train_discriminator(step{', update' * bool(update)}):",
            f'"""One update of the discriminator; returns its loss{", without the penalty" * bool(self.penalty)}."""',
            *lines,
            "return d_loss",
        )

    def _train_generator(self) -> str:
        c, paired = self.c, self.loss.generator_needs_real
        lines, fake = self._batch("g", "", real=paired or c.unroll > 0)
        inside = [f"fake = {fake}"]
        if c.unroll:
            inside += [
                "state = d_state",
                "for _ in range(UNROLL):",
                f"{INDENT}state, _ = improved({self._improved_with('state', 'UNROLLED')})",
                "weights, kept, *_ = state" if self.d_keeps else "weights = state[0]",
            ]
            logits = {kind: self._unroll_judged(kind) + "[0]" * self.d_keeps for kind in ("real", "fake")}
        else:
            logits = {kind: self._judged(kind, stays=True) for kind in ("real", "fake")}
        if paired:
            inside.append(f"real_logits, fake_logits = {logits['real']}, {logits['fake']}")
            logits = {kind: f"{kind}_logits" for kind in logits}
        inside.append(f"g_loss = {self._call(self.loss.generator, **logits, **self._own(self.loss))}")
        lines += ["with tf.GradientTape() as tape:", *_indented(inside)]
        lines += self._applied("g", "tape.gradient(g_loss, generator.trainable_variables)")
        if self.averaged:
            lines += [
                "t = tf.cast(step, tf.float32)",
                "decay = tf.minimum(EMA_DECAY, (1.0 + t) / (10.0 + t))  # a young average has a short memory",
                "for slow, fast in zip(average, generator.weights):",
                f"{INDENT}slow.assign(decay * slow + (1.0 - decay) * fast)",
            ]
        head = f"{self.compiled}def train_generator(step):"
        return _function(head, '"""One update of the generator; returns its loss."""', *lines, "return g_loss")

    # -- unrolling ----------------------------------------------------------------------------------------

    def _improved_with(self, state: str, update: str) -> str:
        """The arguments of improved()."""
        drawn = bool(self._drawn(update))
        step = ["step"] * (drawn or self.falling)
        return ", ".join([state, "real", "fake", *["y"] * self.c.conditional, *step, *[update] * drawn])

    def _unrolled(self) -> list[str]:
        """The discriminator's update as a function of its state, through which the generator's gradient passes."""
        c, rule = self.c, OPTIMIZERS[self.c.d_optimizer]
        kept = "kept, " * self.d_keeps
        state = [
            f"# The discriminator's state: its weights, {'what its layers keep, ' * self.d_keeps}"
            "the optimizer's slots for each, and updates so far.",
            self._slots("d", "discriminator"),
            "d_state = [discriminator.trainable_variables, "
            f"{'discriminator.non_trainable_variables, ' * self.d_keeps}d_slots, tf.Variable(0.0)]",
        ]
        given = "kept" if self.d_keeps else "discriminator.non_trainable_variables"
        judged = _function(
            f"def judged(weights, {kept}x):",
            f'"""Logits of x by a discriminator of these weights{", and what its layers keep then" * self.d_keeps}."""',
            f"return discriminator.stateless_call(weights, {given}, x, training=True){'[0]' * (not self.d_keeps)}",
        )
        real, fake, x = map(self._unroll_judged, ("real", "fake", "x"))
        inside = ["tape.watch(weights)", f"real_logits, fake_logits = {real}, {fake}"]
        if self.d_keeps:
            inside = ["tape.watch(weights)", f"real_logits, kept = {real}", f"fake_logits, kept = {fake}"]
        inside += self._d_losses(f"lambda x: {x}{'[0]' * self.d_keeps}")
        lines = [
            '"""(the state after an update on this batch, d_loss); gradients pass through it (arXiv 1611.02163)."""',
            f"weights, {kept}slots, t = tf.nest.map_structure(tf.convert_to_tensor, state)",
            *self._drawn("update"),
            "with tf.GradientTape(watch_accessed_variables=False) as tape:",
            *_indented(inside),
            f"gradients = tape.gradient({'total' if self.penalty else 'd_loss'}, weights)",
        ]
        lines += self._clipped()
        rate = "d_rate(step)" if self.falling else "D_LR"
        about = dict(weight="weight", gradient="gradient", slots="slot", rate=rate, t="t + 1.0")
        call = self._call(rule.update, **about, **self._own(rule, "d"))
        seen = ["weight"] * ("weight" in self.parameters[rule.update.__name__])  # where the rule looks at it
        each, all_of = (
            ", ".join([*seen, "gradient", "slot"]),
            ", ".join(["weights"] * len(seen) + ["gradients", "slots"]),
        )
        changes = f"{call} for {each} in zip({all_of})"
        if len(f"{INDENT}changes = [{changes}]") > WIDTH:
            lines += ["changes = [", INDENT + changes, "]"]
        else:
            lines.append(f"changes = [{changes}]")
        lines.append("weights = [weight + change for weight, (change, _) in zip(weights, changes)]")
        if c.weight_clip:
            lines.append("weights = [tf.clip_by_value(weight, -WEIGHT_CLIP, WEIGHT_CLIP) for weight in weights]")
        lines.append(f"return [weights, {kept}[slot for _, slot in changes], t + 1.0], d_loss")
        improved = _function(f"def improved({self._improved_with('state', 'update')}):", *lines)
        rules = [] if self.written_out else self.update_rules
        return [*rules, "\n".join(state), judged, improved]
