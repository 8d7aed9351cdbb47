"""Settings that do not go together, and settings that do nothing beside others.

`refused` cannot work; `doubtful` works, but is known to disappoint, or asks for what is not there. `CONDITIONS` says
when each setting acts: one that does not changes no bit of a run, whatever its value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gan_core.data.datasets import DATASETS
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig

WITH_BATCH_NORM = ("tutorial_rgb", "tutorial_dcgan64")  # always, in the discriminator


# -- what acts ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Condition:
    """When a setting acts. needs: what it needs, in words. why: config -> why it does nothing there, "" where it acts.

    quiet: whether it only sizes or fine-tunes what another setting turns on, so that nobody expects it to act without.
    """

    needs: str
    why: Callable[[GANConfig], str]
    quiet: bool = False


def _shape(name: str, layers: str = "", quiet: bool = False) -> Condition:
    """A setting that shapes the networks of some architectures; of `mlp` only where `layers` is above 0."""
    users = [architecture for architecture, row in ARCHITECTURES.items() if name in row.uses]
    needs = f"the architecture {' or '.join(users)}"
    if layers:
        needs += f"; with mlp, {layers} above 0"

    def why(c: GANConfig) -> str:
        if c.architecture not in users:
            return f"the architecture {c.architecture} does not use it"
        if layers and c.architecture == "mlp" and getattr(c, layers) == 0:
            return f"{layers}=0 leaves no hidden layer"
        return ""

    return Condition(needs, why, quiet)


def _optimizer(side: str, name: str) -> Condition:
    """A hyperparameter of some optimizers."""
    users = [optimizer for optimizer, row in OPTIMIZERS.items() if name in row.uses]

    def why(c: GANConfig) -> str:
        chosen = getattr(c, f"{side}_optimizer")
        return "" if chosen in users else f"the optimizer {chosen} has none"

    return Condition(f"{side}_optimizer {' or '.join(users)}", why, quiet=True)


def _labels(c: GANConfig) -> str:
    return "" if LOSSES[c.loss].labels else f"the loss {c.loss} looks at no labels"


def _schedule(c: GANConfig) -> str:
    return "the schedule is constant" if c.schedule == "constant" else ""


def _schedule_steps(c: GANConfig) -> str:
    return _schedule(c) or ("schedule_floor=1 leaves the learning rates as they are" if c.schedule_floor == 1 else "")


_WITH_LABELS = "the loss " + " or ".join(name for name, row in LOSSES.items() if row.labels)
_IMAGES = "images"

CONDITIONS: dict[str, Condition] = {
    "data_size": Condition(
        "any data but your own points",
        lambda c: "all points of the file are used" if c.data == "file" else "",
    ),
    "architecture": Condition(
        _IMAGES, lambda c: "" if DATASETS[c.data].kind == "images" else "only mlp makes points", quiet=True
    ),
    "conditional": Condition(_IMAGES, lambda c: "" if DATASETS[c.data].kind == "images" else "points have no classes"),
    "filters": _shape("filters", quiet=True),
    "dropout": _shape("dropout", "d_layers"),
    "g_layers": _shape("g_layers", quiet=True),
    "d_layers": _shape("d_layers", quiet=True),
    "g_units": _shape("g_units", "g_layers", quiet=True),
    "d_units": _shape("d_units", "d_layers", quiet=True),
    "g_activation": _shape("g_activation", "g_layers"),
    "d_activation": _shape("d_activation", "d_layers"),
    "g_output": _shape("g_output"),
    "g_norm": _shape("g_norm", "g_layers"),
    "d_norm": _shape("d_norm"),  # spectral norm acts on the output layer too
    **{f"{side}_{name}": _optimizer(side, name) for side in "gd" for name in ("beta_1", "beta_2", "momentum")},
    "gp_weight": Condition(
        "a gradient penalty",
        lambda c: "" if PENALTIES[c.penalty].function is not None else "there is no gradient penalty",
        quiet=True,
    ),
    "label_smoothing": Condition(_WITH_LABELS, _labels),
    "label_noise": Condition(_WITH_LABELS, _labels),
    "schedule_floor": Condition("a schedule that is not constant", _schedule, quiet=True),
    "schedule_steps": Condition("a schedule that is not constant", _schedule_steps, quiet=True),
    "instance_noise_steps": Condition(
        "instance_noise above 0", lambda c: "" if c.instance_noise > 0 else "instance_noise is 0", quiet=True
    ),
    "show_ema": Condition("ema_decay above 0", lambda c: "" if c.ema_decay > 0 else "ema_decay=0 keeps no average"),
}


def why_idle(name: str, config: GANConfig) -> str:
    """Why the setting `name` does nothing under the other settings; "" where it acts."""
    return CONDITIONS[name].why(config) if name in CONDITIONS else ""


def acts(name: str, config: GANConfig) -> bool:
    """Whether the setting `name` does anything under the other settings."""
    return not why_idle(name, config)


def _idle(c: GANConfig, named: Collection[str]) -> list[str]:
    """A sentence for each reason why settings do nothing: those `named`, and those not at their default."""
    usual, found = c.from_flat({"data": c.data}), {}
    for name, condition in CONDITIONS.items():
        why = condition.why(c)
        if why and (name in named or (not condition.quiet and getattr(c, name) != getattr(usual, name))):
            found.setdefault(why, []).append(name)
    # The discriminator's first layer has no batch or layer norm, see architectures.py.
    if c.architecture == "mlp" and c.d_layers <= 1 and c.d_norm in ("batch", "layer"):
        found.setdefault("no hidden layer follows the first, which has none", []).append("d_norm")
    if c.schedule != "constant" and c.schedule_floor == 1:
        found.setdefault("schedule_floor=1 leaves the learning rates as they are", []).append("schedule")
    sentences = []
    for why, names in found.items():
        *most, last = [f"{name}={_text(getattr(c, name))}" for name in names]
        both = f"{', '.join(most)} and {last} do" if most else f"{last} does"
        sentences.append(f"{both} nothing: {why.replace('not use it', 'not use them') if most else why}.")
    return sentences


def _text(value) -> str:
    """A value as it is written on the command line."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


# -- what does not go together ------------------------------------------------------------------------------


def refused(c: GANConfig) -> list[tuple[str, str]]:
    """(the setting to take back, why) for each combination that cannot work."""
    found = []
    if c.batch_size % c.packing:
        found.append(
            (
                "packing",
                f"The batch size ({c.batch_size}) must be a multiple of packing ({c.packing}). Change one of them.",
            )
        )
    elif c.packing > 1 and c.conditional:
        found.append(
            ("packing", f"Packing ({c.packing}) does not work with conditional training. Switch one of them off.")
        )
    if c.architecture == "mlp" and c.g_norm == "spectral" and c.g_layers == 0:
        found.append(
            (
                "g_norm",
                "g_norm=spectral needs a generator with hidden layers: with g_layers=0 there is only the output, "
                "which is never normalized.",
            )
        )
    for side in "gd":
        if c.architecture == "resnet" and getattr(c, f"{side}_activation") == "maxout":
            found.append(
                (f"{side}_activation", f"{side}_activation=maxout does not fit resnet, whose blocks keep their width.")
            )
    return found


def doubtful(c: GANConfig, named: Collection[str] = ()) -> list[str]:
    """A sentence for each combination that works but is known to disappoint, and for each setting that does nothing.

    Of settings that do nothing, those that are not at their default; and `named`, which somebody asked for.
    """
    loss, found = LOSSES[c.loss], []
    penalised = PENALTIES[c.penalty].function is not None
    normed = acts("d_norm", c) and (c.d_norm == "spectral" or c.architecture != "mlp" or c.d_layers > 1)
    batch = (normed and c.d_norm == "batch") or c.architecture in WITH_BATCH_NORM
    if batch and penalised:
        found.append(
            "Batch norm in the discriminator does not fit a gradient penalty, because it mixes the samples of a batch. "
            f"Set the gradient penalty ({c.penalty}) to none, or use layer norm."
        )
    elif batch and loss.generator_needs_real:
        found.append(
            f"Batch norm in the discriminator does not fit the loss {c.loss}, which compares real with generated "
            "samples: it shifts their two batches apart. Use another normalization."
        )
    spectral = normed and c.d_norm == "spectral"
    if not loss.bounded and not penalised and c.weight_clip == 0 and not spectral:
        found.append(
            f"With the loss {c.loss} the discriminator's logits grow without limit. Add a gradient penalty, weight "
            "clipping or spectral norm in the discriminator."
        )
    if penalised and c.gp_weight == 0:
        found.append(f"The gradient penalty {c.penalty} does nothing at a weight of 0.")
    return found + _idle(c, named)
