"""A training step in words: what happens in each phase, with the numbers of this batch; formulas; what each box is."""

from __future__ import annotations

import functools
import math
from html import escape
from typing import Any

from latex2mathml.converter import convert

from gan_core.data.datasets import DATASETS
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.settings.config import GANConfig

NETWORK = {"d": "discriminator", "g": "generator"}
TITLES = {  # of the phases of each network's half of a step
    "d": {
        "draw": "draw",
        "generate": "generate",
        "judge": "judge",
        "loss": "loss of D",
        "penalty": "gradient penalty",
        "gradient": "gradient of D",
        "update": "update D",
    },
    "g": {
        "draw": "draw",
        "generate": "generate",
        "judge": "judge",
        "loss": "loss of G",
        "gradient": "gradient through D",
        "update": "update G",
    },
}


def number(value: float) -> str:
    """As all boxes and captions write it: three digits that count."""
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "0"
    text = f"{value:.3g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.2g}"
    return text.replace("-", "−")


def caption(config: GANConfig, phase: dict[str, Any], numbers: dict[str, Any]) -> str:
    """The sentences of a phase (recording/anatomy.py has both), as HTML."""
    side, name = phase["side"], phase["name"]
    about = numbers[side]
    place = f"update {about['number']} of {about['of']}, " if about["of"] > 1 else ""
    head = f"{phase['number']}/{phase['of']} · {NETWORK[side].capitalize()}: {place}{TITLES[side][name]}."
    return f"<b>{escape(head)}</b> {escape(SENTENCES[name](config, side, about))}"


def needs_real(c: GANConfig) -> bool:
    """Whether G's half of a step looks at real samples, too."""
    return LOSSES[c.loss].generator_needs_real or c.unroll > 0


def _draw(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    n, real = about["batch"], ""
    if side == "d" or needs_real(c):
        real = f" and {n:,} real samples"
    return f"{n:,} random z are drawn{real}."


def _generate(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    learns = "It will learn from them." if side == "g" and about["made"] else "It does not learn from these."
    return f"The generator turns each z into a sample: {about['batch']:,} generated samples. {learns}"


def _judge(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    fake, real = number(about["fake_mean"]), about.get("real_mean")
    means = f"generated {fake}" if real is None else f"real {number(real)}, generated {fake}"
    row = LOSSES[c.loss]
    if row.p_real == "centered":
        reads = "Only differences of logits count."
    elif row.p_real == "clip":
        reads = "It says real where its output is above 0.5."
    else:
        reads = "It says real where the logit is above 0."
    packs = f" It judges {c.packing} samples at once." if c.packing > 1 else ""
    moved = f" It sees each picture moved by {c.augment}, not as it is drawn here." if c.augment != "none" else ""
    return f"The discriminator gives each sample a logit; on average {means}. {reads}{packs}{moved}"


def _loss(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    row = LOSSES[c.loss]
    wants = row.d_wants if side == "d" else row.g_wants
    return f"The loss of this batch is {number(about['loss'])}. {wants}"


def _penalty(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    weight, value = about["penalty_weight"], about["penalty"]
    kind = PENALTIES[c.penalty].description
    return (
        f"The gradient penalty {c.penalty} {kind}. It is {number(value)} now, and counts {number(weight)} times: "
        f"{number(weight * value)} more, {number(about['loss'] + weight * value)} in all."
    )


def _gradient(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    clipped = ""
    if about["scale"] < 1:
        clipped = f" That is longer than {number(c.grad_clip)}, so it is scaled down to that."
    if side == "d":
        return (
            f"How would a change of each weight of D change the loss? The gradient says it; its norm is "
            f"{number(about['gradient'])}.{clipped}"
        )
    through = "D"
    if c.unroll:
        through = f"D as it would be {c.unroll} update{'s' * (c.unroll > 1)} later"
    shown = "bright: what should change" if DATASETS[c.data].kind == "images" else "arrows: where it should move"
    return (
        f"The loss goes back through {through}, which stays as it is, to each generated sample ({shown}), and on to "
        f"the weights of G; norm {number(about['gradient'])}.{clipped}"
    )


def _update(c: GANConfig, side: str, about: dict[str, Any]) -> str:
    letter = side.upper()
    if not about["made"]:
        return f"{letter} is frozen ({side}_steps is 0): its weights stay as they are."
    row = OPTIMIZERS[getattr(c, f"{side}_optimizer")]
    same = math.isclose(about["rate"], getattr(c, f"{side}_lr"), rel_tol=1e-3)
    rate = "" if same else f" ({number(about['rate'])} now, by the schedule)"
    cut = f", and each is cut to ± {number(c.weight_clip)}" if side == "d" and c.weight_clip else ""
    return (
        f"{row.moves} Learning rate {number(getattr(c, f'{side}_lr'))}{rate}{cut}; the largest change of a weight is "
        f"{number(about['change'])}."
    )


SENTENCES = {
    "draw": _draw,
    "generate": _generate,
    "judge": _judge,
    "loss": _loss,
    "penalty": _penalty,
    "gradient": _gradient,
    "update": _update,
}


# -- formulas -----------------------------------------------------------------------------------------------


def formula(config: GANConfig, side: str, about: dict[str, Any]) -> str:
    """The loss of network `side`, with its penalty, as HTML with MathML; under each summand its value, if `about` (of
    recording/anatomy.py's numbers) has them."""
    row, penalty = LOSSES[config.loss], PENALTIES[config.penalty]
    terms, total = about.get("terms"), about.get("loss")
    if terms is None:
        terms, total = [(term.formula, None) for term in (row.d_terms if side == "d" else row.g_terms)], None
    if not terms:  # a loss whose summands are not known
        terms = [(r"\text{loss}", total)]
    if side == "d" and penalty.function is not None and config.gp_weight:
        value = config.gp_weight * about["penalty"] if total is not None and "penalty" in about else None
        text = penalty.formula or r"\text{penalty}"
        terms = [*terms, (rf"{config.gp_weight:g}\cdot({text})", value)]
        total = None if total is None or value is None else total + value
    parts = "".join(_summand(text, value, first=not i) for i, (text, value) in enumerate(terms))
    ends = "" if total is None else f"<span>= <b>{number(total)}</b></span>"
    return f"<span>{_math(f'L_{side.upper()}')} =</span>{parts}{ends}"


def _summand(text: str, value: float | None, first: bool) -> str:
    """A summand above its value."""
    sign = "" if first or text.startswith("-") else "+"
    below = "" if value is None else f"<i>{number(value)}</i>"
    return f"<span>{_math(sign + text)}{below}</span>"


@functools.cache
def _math(text: str) -> str:
    try:
        return convert(text)
    except Exception:  # a formula of a plugin's that cannot be read is shown as it is written
        return f"<code>{escape(text)}</code>"


# -- what each box is ---------------------------------------------------------------------------------------


def about_boxes(config: GANConfig) -> dict[str, dict[str, str]]:
    """For each box two sentences, and the paper to read on: {text, source, link}; the last two may be ""."""
    loss, penalty = LOSSES[config.loss], PENALTIES[config.penalty]
    dense = ARCHITECTURES[config.architecture].dense
    goodfellow = "arXiv 1406.2661"
    images = DATASETS[config.data].kind == "images"
    stretched = "" if images else "; in its map small differences are stretched"
    where = "bright pixels should change" if images else "arrows show where each generated sample should move"
    texts = {
        "z": (
            f"z, the latent vector: {config.latent_dim} random number{'s' * (config.latent_dim > 1)} for each sample, "
            f"{'normal' if config.z_dist == 'normal' else 'uniform'}. It is all that the generator is given.",
            goodfellow,
        ),
        "g": (
            f"The generator G, {'dense layers' if dense else 'convolutions'}: it turns z into a sample, and never sees "
            "a real one. All that it learns comes through the discriminator.",
            goodfellow if dense else "arXiv 1511.06434",
        ),
        "fake": (
            "Generated samples: what G makes of these z. They are good where D cannot tell them from real ones.",
            goodfellow,
        ),
        "real": (
            f"Real samples of the data set {config.data}. Only D sees them; each update draws a new batch.",
            goodfellow,
        ),
        "d": (
            f"The discriminator D says how real a sample is{stretched}. "
            "It is trained on both kinds, and G is trained through it.",
            goodfellow,
        ),
        "logits": (
            "The logits: D's output for each sample, real ones above the line, generated ones below. Where both "
            "look alike, D can only guess.",
            loss.source,
        ),
        "d_loss": (f"The loss of D ({config.loss}), which it makes small. {loss.d_wants}", loss.source),
        "g_loss": (f"The loss of G ({config.loss}), which it makes small. {loss.g_wants}", loss.source),
        "d_gradient": (
            "The gradient of D: how its loss changes with each of its weights. Bars: its norm in each layer, input "
            "first.",
            penalty.source,
        ),
        "g_gradient": (
            f"The gradient of G comes through D: {where}. A short gradient means that G learns little.",
            "arXiv 1701.04862",
        ),
    }
    for side, rival in (("d", "G"), ("g", "D")):
        name = getattr(config, f"{side}_optimizer")
        row = OPTIMIZERS[name]
        texts[f"{side}_update"] = (
            f"The update of {side.upper()} by {name}. {row.moves} {rival} stays as it is meanwhile.",
            row.source,
        )
    return {box: {"text": text, "source": source, "link": _link(source)} for box, (text, source) in texts.items()}


def _link(source: str) -> str:
    """The address of the first paper that a row names."""
    first = source.split(",")[0].removeprefix("arXiv ").strip()
    return f"https://arxiv.org/abs/{first}" if first.replace(".", "").isdigit() else ""
