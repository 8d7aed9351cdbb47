"""What the training of one config needs in script.py: which of its parts are there, and how functions are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gan_core.export.script_networks import INDENT
from gan_core.export.script_sources import sources
from gan_core.networks.architectures import ARCHITECTURES, plans
from gan_core.networks.layers import flattened
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig


def function_text(head: str, *lines: str) -> str:
    """A function of this head, `def name(...):`, and these lines."""
    return head + "".join(f"\n{INDENT}{line}" if line else "\n" for line in lines)


def indented(lines: list[str]) -> list[str]:
    """The lines, one level deeper."""
    return [INDENT + line for line in lines]


NETWORKS = {"g": "generator", "d": "discriminator"}
PHILOX = '"philox"'  # the random numbers of a plain graph, as text


class Needs:
    """What the training of one config on samples of `shape` asks for, found out once."""

    def __init__(self, c: GANConfig, shape: tuple[int, ...]):
        self.c, self.shape = c, shape
        self.images = len(shape) > 1
        self.loss = LOSSES[c.loss]
        self.penalty = PENALTIES[c.penalty].function if c.gp_weight > 0 else None
        self.augmentation = AUGMENTATIONS[c.augment]
        self.adapts = self.augmentation.adapt is not None and c.d_steps > 0
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
        self.moves: list[str] = []
        if self.augmentation.function:
            adapt = [self.augmentation.adapt] if self.augmentation.adapt and self.adapts else []
            self.moves, parameters = sources(self.augmentation.function, *adapt)
            self.parameters |= parameters
        self.shares: list[str] = []
        if self.falling and not SCHEDULES[c.schedule].keras:
            self.shares, parameters = sources(SCHEDULES[c.schedule].share)
            self.parameters |= parameters

    def _call(self, function: Callable, **values: str) -> str:
        """A call of a registry's function, with those arguments that it looks at."""
        name = function.__name__
        return f"{name}({', '.join(values[parameter] for parameter in self.parameters[name])})"

    def _own(self, row: Any, side: str = "") -> dict[str, str]:
        """The constants that stand for a row's own settings, by the names of its function's parameters."""
        return {name: f"{side}_{name}".strip("_").upper() for name in row.knobs}
