"""Optimizers and learning rates as script.py writes them."""

from __future__ import annotations

from gan_core.export.script_needs import NETWORKS, Needs, function_text
from gan_core.export.script_networks import INDENT
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.schedules import SCHEDULES


class Optimizers(Needs):
    """Writes what updates the weights."""

    def _optimizers(self) -> str:
        c, lines = self.c, ["# -- optimizers"]
        if self.falling:
            row = SCHEDULES[c.schedule]
            source = f" ({row.source})" if row.source else ""
            lines.append(f"# The learning rates fall over the steps: {row.description}{source}.")
            looked_at = [side for side in "gd" if getattr(c, f"{side}_steps") or (side == "d" and c.unroll)]
            lines += [f"{side}_rate = {row.keras.format(f'{side.upper()}_LR')}" for side in looked_at if row.keras]
        for side, network in NETWORKS.items():
            frozen = getattr(c, f"{side}_steps") == 0
            if side not in self.written_out and not frozen and (side == "g" or not c.unroll):
                lines.append(f"{side}_optimizer = {self._optimizer(side)}")
                lines.append(f"{side}_optimizer.build({network}.trainable_variables)")
        return "\n".join(lines) if len(lines) > 1 else ""

    def _written_rates(self) -> list[str]:
        """Both learning rates by a schedule that Keras lacks."""
        if not self.shares:
            return []
        row = SCHEDULES[self.c.schedule]
        share = self._call(row.share, t="t", **self._own(row))
        return [
            function_text(
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
            if getattr(self.c, f"{side}_steps") == 0:
                continue
            name, network = getattr(self.c, f"{side}_optimizer"), NETWORKS[side]
            row = OPTIMIZERS[name]
            rate = f"{side}_rate(step)" if self.falling else f"{side.upper()}_LR"
            about = dict(weight="weight", gradient="gradient", slots="slots", rate=rate, t=f"{side}_updates")
            blocks.append(f"{self._slots(side, network)}\n{side}_updates = tf.Variable(0.0)")
            blocks.append(
                function_text(
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
