"""Random draws as script.py writes them: z, real batches, noise, packs."""

from __future__ import annotations

from gan_core.export.script_needs import Needs, function_text


class Draws(Needs):
    """Writes what a step draws."""

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
            function_text(
                f"def key(step, purpose{update}):",
                '"""A random draw is a function of the seed, the step and what it is for."""',
                f"return tf.stack([tf.constant(SEED, tf.int64), {counter} + purpose])",
            ),
        ]
        array, batch = "data", "tf.gather(data, rows)"
        if self.images:
            array, batch = "pixels", "tf.cast(tf.gather(pixels, rows), tf.float32) / 127.5 - 1.0"
        blocks.append(
            function_text(
                "def real_batch(key):",
                f"rows = tf.random.stateless_uniform([BATCH_SIZE], key, 0, len({array}), tf.int32, alg={self.alg})",
                f"return {batch}{', tf.one_hot(tf.gather(labels, rows), CLASSES)' * c.conditional}",
            )
        )
        if c.instance_noise:
            level = "INSTANCE_NOISE * tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / INSTANCE_NOISE_STEPS)"
            blocks.append(
                function_text(
                    "def instance_noise(step, key):",
                    '"""For real and for generated samples, falling straight to 0 (arXiv 1610.04490)."""',
                    f"level = {level}",
                    f"return level * {self._normal(f'[2, BATCH_SIZE, {shape}]', 'key', self.alg)}",
                )
            )
        if self.augmentation.function:
            given = {"x": "x", "u": "u", "p": "augment_p", **self._own(self.augmentation)}
            blocks += self.moves
            if self.adapts:
                blocks.append("augment_p, augment_r = tf.Variable(0.0), tf.Variable(0.0)")
            elif "p" in self.parameters[self.augmentation.function.__name__]:
                blocks.append("augment_p = 0.0")
            blocks.append(
                function_text(
                    "def augmented(x, u):",
                    '"""Pictures as the discriminator sees them in training."""',
                    f"return {self._call(self.augmentation.function, **given)}",
                )
            )
        if c.packing > 1:
            *sides, channels = self.shape
            before = [f"x = tf.transpose(tf.reshape(x, [-1, PACKING, {shape}]), [0, 2, 3, 1, 4])"] * self.images
            packs = ", ".join(["-1", *map(str, sides), f"PACKING * {channels}"])
            blocks.append(
                function_text(
                    "def pack(x):",
                    '"""Samples side by side, to be judged together (PacGAN, arXiv 1712.04086)."""',
                    *before,
                    f"return tf.reshape(x, [{packs}])",
                )
            )
        if self.g_keeps or (self.d_keeps and not c.unroll):
            call = "model.stateless_call(model.trainable_variables, model.non_trainable_variables, x, training=True)"
            about = "What a model makes of x while training; what its layers keep beside weights stays as it is."
            blocks.append(function_text("def unchanged(model, x):", f'"""{about}"""', f"return {call}[0]"))
        return blocks
