"""Which settings act beside the others, and combinations that are known to disappoint.

`doubtful` works, but asks for what is not there or goes badly; what cannot work at all is refused by config.py. Each
setting says itself when it acts (Hyperparameter.idle, and the rows of registries that carry it): one that does not
changes no bit of a run, whatever its value.
"""

from __future__ import annotations

from collections.abc import Collection

from gan_core.networks.architectures import ARCHITECTURES
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.penalties import PENALTIES
from gan_core.settings.all_settings import CARRIED, HYPERPARAMETERS
from gan_core.settings.config import GANConfig

# -- what acts ----------------------------------------------------------------------------------------------


def needs(name: str) -> str:
    """What the setting `name` needs to act, in words; "" where it always does."""
    knob = HYPERPARAMETERS[name]
    if name not in CARRIED:
        return knob.needs
    carriers = CARRIED[name]
    rows = f"the {_words(carriers[0].choice)} {' or '.join(c.row for c in carriers)}"
    own = [f"; with {c.row}, {c.knob.needs}" for c in carriers if c.knob.needs]
    return (knob.carriers or rows) + "".join(own)


def why_idle(name: str, config: GANConfig) -> str:
    """Why the setting `name` does nothing under the other settings; "" where it acts."""
    knob = HYPERPARAMETERS[name]
    if name in CARRIED:
        choice = CARRIED[name][0].choice
        chosen = getattr(config, choice)
        own = next((c.knob for c in CARRIED[name] if c.row == chosen), None)
        if own is None:
            return (knob.lacking or f"the {_words(choice)} {{}} does not use it").format(chosen)
        knob = own
    return knob.idle(config) if knob.idle else ""


def _words(choice: str) -> str:
    """A choice as a sentence names it: "optimizer" for `g_optimizer`."""
    return choice[2:] if choice[:2] in ("g_", "d_") else choice


def acts(name: str, config: GANConfig) -> bool:
    """Whether the setting `name` does anything under the other settings."""
    return not why_idle(name, config)


def _idle(c: GANConfig, named: Collection[str]) -> list[str]:
    """A sentence for each reason why settings do nothing: those `named`, and those not at their default."""
    usual, found = c.from_flat({"data": c.data}), {}
    for name, knob in HYPERPARAMETERS.items():
        why = why_idle(name, c)
        if why and (name in named or (not knob.quiet and getattr(c, name) != getattr(usual, name))):
            found.setdefault(why, []).append(name)
    no_norm = ARCHITECTURES[c.architecture].d_norm_idle(c)
    if no_norm:
        found.setdefault(no_norm, []).append("d_norm")
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


# -- what disappoints ---------------------------------------------------------------------------------------


def doubtful(c: GANConfig, named: Collection[str] = ()) -> list[str]:
    """A sentence for each combination that works but is known to disappoint, and for each setting that does nothing.

    Of settings that do nothing, those that are not at their default; and `named`, which somebody asked for.
    """
    loss, found = LOSSES[c.loss], []
    penalised = PENALTIES[c.penalty].function is not None
    architecture = ARCHITECTURES[c.architecture]
    normed = acts("d_norm", c) and not architecture.d_norm_idle(c)
    batch = (normed and c.d_norm == "batch") or architecture.batch_norm_in_d
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
