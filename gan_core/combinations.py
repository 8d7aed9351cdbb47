"""Settings that do not go together: `refused` cannot work, `doubtful` works but is known to disappoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_core.architectures import ARCHITECTURES
from gan_core.losses import LOSSES
from gan_core.penalties import PENALTIES

if TYPE_CHECKING:
    from gan_core.config import GANConfig

WITH_BATCH_NORM = ("tutorial_rgb", "tutorial_dcgan64")  # always, in the discriminator


def refused(c: GANConfig) -> list[tuple[str, str]]:
    """(the setting to take back, why) for each combination that cannot work."""
    found = []
    if c.batch_size % c.packing:
        found.append(
            ("packing", f"packing={c.packing} does not divide batch_size={c.batch_size}: no pack may be left over.")
        )
    elif c.packing > 1 and c.conditional:
        found.append(
            ("packing", f"packing={c.packing} and conditional do not go together: a pack would need one class.")
        )
    if c.architecture == "mlp" and c.g_norm == "spectral" and c.g_layers == 0:
        found.append(
            (
                "g_norm",
                "g_norm=spectral needs a generator with hidden layers: with g_layers=0 there is only the output, "
                "which is never normalised.",
            )
        )
    for side in "gd":
        if c.architecture == "resnet" and getattr(c, f"{side}_activation") == "maxout":
            found.append(
                (f"{side}_activation", f"{side}_activation=maxout does not fit resnet, whose blocks keep their width.")
            )
    return found


def doubtful(c: GANConfig) -> list[str]:
    """A sentence for each combination that works but is known to disappoint."""
    loss, found = LOSSES[c.loss], []
    penalised = PENALTIES[c.penalty].function is not None
    normed = "d_norm" in ARCHITECTURES[c.architecture].uses
    # The discriminator's first layer has no batch or layer norm, see architectures.py.
    idle = {"g": c.architecture == "mlp" and c.g_layers == 0, "d": c.architecture == "mlp" and c.d_layers <= 1}
    batch = (normed and c.d_norm == "batch" and not idle["d"]) or c.architecture in WITH_BATCH_NORM
    if batch and penalised:
        found.append(
            f"Batch norm in the discriminator ties the samples of a batch together, but {c.penalty} looks at the slope "
            "at each sample by itself: take a penalty of none, or another normalisation."
        )
    elif batch and loss.generator_needs_real:
        found.append(
            f"Batch norm in the discriminator does not go with the loss {c.loss}: real and fake are compared across "
            "batches that it has shifted apart."
        )
    spectral = normed and c.d_norm == "spectral"
    if not loss.bounded and not penalised and c.weight_clip == 0 and not spectral:
        found.append(
            f"The loss {c.loss} has no bound of its own: without a penalty, weight clipping or d_norm=spectral the "
            "discriminator's values grow without end."
        )
    if not loss.labels and (c.label_smoothing > 0 or c.label_noise > 0):
        found.append(f"Label smoothing and label noise do nothing: the loss {c.loss} looks at no labels.")
    if penalised and c.gp_weight == 0:
        found.append(f"The penalty {c.penalty} does nothing at a weight of 0.")
    for side, why in (("g", "there is no hidden layer"), ("d", "no hidden layer follows the first, which has none")):
        norm = getattr(c, f"{side}_norm")
        if norm in ("batch", "layer") and idle[side]:
            found.append(f"{side}_norm={norm} does nothing: {why}.")
    return found
