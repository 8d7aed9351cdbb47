"""The training steps as script.py writes them: objective, and an update of each network."""

from __future__ import annotations

from gan_core.export.script_draws import Draws
from gan_core.export.script_needs import function_text, indented
from gan_core.export.script_networks import INDENT, WIDTH
from gan_core.export.script_optimizers import Optimizers
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES


class Steps(Optimizers, Draws):
    """Writes the training of one config on samples of `shape`."""

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
            *[self._train_discriminator()] * (self.c.d_steps > 0),
            *[self._train_generator()] * (self.c.g_steps > 0),
        ]

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
        if self.augmentation.function:
            shape, key = f"[2, BATCH_SIZE, {self.augmentation.draws}]", self._key(f"AUGMENT_{name}", update)
            lines.append(f"u = tf.random.stateless_uniform({shape}, {key}, alg={self.alg})")
            shown = {"real": "augmented(real, u[0])", "fake": f"augmented({fake}, u[1])"}
        if c.instance_noise:
            lines.append(f"noise = instance_noise(step, {self._key(f'NOISE_{name}', update)})")
            shown = {kind: f"{shown[kind]} + noise[{i}]" for i, kind in enumerate(("real", "fake"))}
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

    def _right(self) -> list[str]:
        """The discriminator's accuracy on real samples, where the augmentation goes by it."""
        than = "fake_logits" if self.loss.p_real == "centered" else f"{self.loss.threshold:g}"
        return [f"right = tf.reduce_mean(tf.cast(real_logits > {than}, tf.float32))"] * self.adapts

    def _adapted(self) -> list[str]:
        if self.augmentation.adapt is None or not self.adapts:
            return []
        given = {"p": "augment_p", "r": "augment_r", "right": "right", "images": "BATCH_SIZE"}
        call = self._call(self.augmentation.adapt, **given, **self._own(self.augmentation))
        return [f"p, r = {call}", "augment_p.assign(p)", "augment_r.assign(r)"]

    # -- updates ------------------------------------------------------------------------------------------

    def _train_discriminator(self) -> str:
        c, update = self.c, "update" if self.c.d_steps > 1 else ""
        minimised = "total" if self.penalty else "d_loss"
        lines, _ = self._batch("d", update, real=True)
        if c.unroll:
            lines += [
                f"new, d_loss{', right' * self.adapts} = improved({self._improved_with('d_state', update or '0')})",
                "for variable, value in zip(tf.nest.flatten(d_state), tf.nest.flatten(new)):",
                f"{INDENT}variable.assign(value)",
                *self._adapted(),
            ]
        else:
            simple = not (c.conditional or self.d_modes)
            critic = "discriminator" if simple else f"lambda x: {self._judged('x', stays=True)}"
            logits = f"{self._judged('real', stays=False)}, {self._judged('fake', stays=False)}"
            lines += [
                *self._drawn(update),
                "with tf.GradientTape() as tape:",
                *indented([f"real_logits, fake_logits = {logits}", *self._d_losses(critic)]),
                *self._applied("d", f"tape.gradient({minimised}, discriminator.trainable_variables)"),
                *self._right(),
                *self._adapted(),
            ]
            if c.weight_clip:
                lines += [
                    "for weight in discriminator.trainable_variables:",
                    f"{INDENT}weight.assign(tf.clip_by_value(weight, -WEIGHT_CLIP, WEIGHT_CLIP))",
                ]
        return function_text(
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
                f"{INDENT}state, *_ = improved({self._improved_with('state', 'UNROLLED')})",
                "weights, kept, *_ = state" if self.d_keeps else "weights = state[0]",
            ]
            logits = {kind: self._unroll_judged(kind) + "[0]" * self.d_keeps for kind in ("real", "fake")}
        else:
            logits = {kind: self._judged(kind, stays=True) for kind in ("real", "fake")}
        if paired:
            inside.append(f"real_logits, fake_logits = {logits['real']}, {logits['fake']}")
            logits = {kind: f"{kind}_logits" for kind in logits}
        inside.append(f"g_loss = {self._call(self.loss.generator, **logits, **self._own(self.loss))}")
        lines += ["with tf.GradientTape() as tape:", *indented(inside)]
        lines += self._applied("g", "tape.gradient(g_loss, generator.trainable_variables)")
        if self.averaged:
            lines += [
                "t = tf.cast(step, tf.float32)",
                "decay = tf.minimum(EMA_DECAY, (1.0 + t) / (10.0 + t))  # a young average has a short memory",
                "for slow, fast in zip(average, generator.weights):",
                f"{INDENT}slow.assign(decay * slow + (1.0 - decay) * fast)",
            ]
        head = f"{self.compiled}def train_generator(step):"
        return function_text(head, '"""One update of the generator; returns its loss."""', *lines, "return g_loss")

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
        judged = function_text(
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
            *indented(inside),
            f"gradients = tape.gradient({'total' if self.penalty else 'd_loss'}, weights)",
            *self._right(),
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
        lines.append(f"return [weights, {kept}[slot for _, slot in changes], t + 1.0], d_loss{', right' * self.adapts}")
        improved = function_text(f"def improved({self._improved_with('state', 'update')}):", *lines)
        rules = [] if self.written_out else self.update_rules
        return [*rules, "\n".join(state), judged, improved]
