"""The drawing *Anatomy*: the parts of a training step, each with what it holds now: a snapshot -> what
static/ganscope/anatomy.js draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.data.pictures import as_pictures
from gan_core.data.points import as_points
from gan_core.recording.snapshot import Snapshot
from gan_core.settings.config import GANConfig
from pages.ui.figures import anatomy_texts
from pages.ui.figures.anatomy_texts import number

BINS = 20
PHASES = tuple(anatomy_texts.TITLES["d"])
# The numbers that a phase brings.
BRINGS = {
    "loss": ("loss", "terms"),
    "penalty": ("penalty",),
    "gradient": ("gradient", "layers"),
    "update": ("change",),
}
# The boxes, and the lines between them, that take part in a phase of each network's half of a step.
LIT = {
    "draw": ("z", "real"),
    "generate": ("z", "g", "fake", "z>g", "g>fake"),
    "judge": ("fake", "real", "d", "logits", "fake>d", "real>d", "d>logits"),
    "loss": ("logits", "{}_loss", "logits>{}_loss"),
    "penalty": ("d", "{}_loss"),
    "gradient": ("{}_loss", "{}_gradient", "{}_loss>{}_gradient"),
    "update": ("{}_gradient", "{}_update", "{}", "{}_gradient>{}_update", "{}_update>{}"),
}


def anatomy(snapshot: Snapshot) -> dict[str, Any]:
    """What the drawing shows; before the first frame, its boxes with nothing in them."""
    config, frame = snapshot.config, snapshot.frame
    parts = frame.get("anatomy") or {}
    phase, numbers = parts.get("phase"), _known(parts)
    images = DATASETS[config.data].kind == "images"
    figure: dict[str, Any] = {
        "type": "anatomy",
        "step": snapshot.shown,
        "kind": "images" if images else "points",
        "boxes": anatomy_texts.about_boxes(config),
        "values": _values(config, numbers),
        "half": phase["side"] if phase else "",
        "lit": _lit(phase, config),
        "caption": anatomy_texts.caption(config, phase, numbers) if phase else "",
        "formula": _formulas(config, phase, numbers),
        "phase": phase["number"] if phase else 0,
        "needs_real": anatomy_texts.needs_real(config),
        "gauges": _gauges(numbers),
        "label": _label(snapshot, phase, numbers),
    }
    if not parts:
        if frame.get("at") is not None:
            figure["caption"] = "You look back. The anatomy shows the latest step: press Latest."
        return figure
    reach = 1.0 if config.z_dist == "uniform" else 3.0
    figure |= {"z": parts["z"].reshape(-1), "z_reach": reach, "logits": _histogram(parts)}
    figure["layers"] = {
        side: np.array([norm for _, norm in numbers[side].get("layers", [])], np.float32) for side in "dg"
    }
    if images:
        height, width, channels = as_pictures(snapshot.data).shape
        for name in ("real", "fake"):
            figure[name] = {"pixels": parts[name].reshape(-1), "shape": [len(parts[name]), height, width, channels]}
        if len(parts["gradient"]):
            pixels = (255 * np.sqrt(parts["gradient"])).astype(np.uint8)
            figure["gradient"] = {"pixels": pixels.reshape(-1), "shape": [len(pixels), height, width, 1]}
        return figure
    data = as_points(snapshot.data)
    figure |= {"center": list(data.center), "reach": list(data.limits), "heat": parts["heat"]}
    for name in ("real", "fake", "gradient"):
        figure[name] = parts[name].reshape(-1)
    lines, points, _ = parts["manifold"].shape
    figure["manifold"] = {
        "points": parts["manifold"].reshape(-1),
        "from": parts["unfolded"].reshape(-1),
        "shape": [lines, points],
    }
    return figure


def _known(parts: dict[str, Any]) -> dict[str, Any]:
    """The numbers of both networks without those that a later phase brings."""
    numbers, phase = parts.get("numbers") or {"d": {}, "g": {}}, parts.get("phase")
    if phase is None:
        return numbers
    side, reached = phase["side"], PHASES.index(phase["name"])
    later = {name for first, names in BRINGS.items() if PHASES.index(first) > reached for name in names}
    return {**numbers, side: {name: value for name, value in numbers[side].items() if name not in later}}


def _lit(phase: dict[str, Any] | None, config: GANConfig) -> list[str]:
    """The names of the boxes and lines of the phase."""
    if phase is None:
        return []
    side = phase["side"]
    found = [name.replace("{}", side) for name in LIT[phase["name"]]]
    if side == "g":
        if phase["name"] == "gradient":
            found += ["d", "fake"]
        if phase["name"] in ("draw", "judge") and not anatomy_texts.needs_real(config):
            found = [name for name in found if not name.startswith("real")]
    return found


def _histogram(parts: dict[str, Any]) -> dict[str, Any]:
    """How many logits of each kind are in each bin from `low` to `high`, as shares of the fullest."""
    both = np.concatenate([parts["real_logits"], parts["fake_logits"]])
    both = both[np.isfinite(both)]
    if not len(both):
        return {"low": -1.0, "high": 1.0, "real": np.zeros(0, np.float32), "fake": np.zeros(0, np.float32)}
    low, high = float(both.min()), float(both.max())
    margin = max(0.05 * (high - low), 1e-3 * max(abs(low), abs(high)), 1e-6)
    low, high = low - margin, high + margin
    counts = {
        kind: np.histogram(parts[f"{kind}_logits"], BINS, (low, high))[0].astype(np.float32)
        for kind in ("real", "fake")
    }
    shares = {kind: of / max(float(of.sum()), 1.0) for kind, of in counts.items()}
    most = max(float(share.max()) for share in shares.values()) or 1.0
    return {"low": low, "high": high, **{kind: share / most for kind, share in shares.items()}}


def _gauges(numbers: dict[str, Any]) -> dict[str, list[float]]:
    """[share, whether it is below 0] of both losses, the larger one being 1; of both norms, too."""
    found = {}
    for name in ("loss", "gradient"):
        known = {side: of[name] for side, of in numbers.items() if name in of and math.isfinite(of[name])}
        most = max((abs(value) for value in known.values()), default=0.0) or 1.0
        found |= {f"{side}_{name}": [abs(value) / most, float(value < 0)] for side, value in known.items()}
    return found


def _values(config: GANConfig, numbers: dict[str, Any]) -> dict[str, list[str]]:
    """One or two short lines for each box that says a number."""
    found: dict[str, list[str]] = {}
    for side in "dg":
        of = numbers[side]
        if "loss" in of:
            found[f"{side}_loss"] = [number(of["loss"])]
            weight = of.get("penalty_weight", config.gp_weight)
            if side == "d" and of.get("penalty"):
                found["d_loss"].append(f"+ {number(weight * of['penalty'])} penalty")
            elif len(of.get("terms", ())) > 1:
                found[f"{side}_loss"].append(" + ".join(number(value) for _, value in of["terms"]))
        if "gradient" in of:
            found[f"{side}_gradient"] = [f"norm {number(of['gradient'])}"]
        if "change" in of:
            changed = f"largest {number(of['change'])}" if of["made"] else "frozen"
            found[f"{side}_update"] = [changed, f"rate {number(of['rate'])}"]
        elif "rate" in of:
            frozen = getattr(config, f"{side}_steps") == 0
            found[f"{side}_update"] = [
                "frozen" if frozen else f"{of['updates']:,} so far",
                f"rate {number(of['rate'])}",
            ]
    return found


def _formulas(config: GANConfig, phase: dict[str, Any] | None, numbers: dict[str, Any]) -> str:
    """The formula of the half that is shown, with its values; between steps those of both networks, without."""
    if phase is not None:
        side = phase["side"]
        return f"<div>{anatomy_texts.formula(config, side, numbers[side])}</div>"
    return "".join(f"<div>{anatomy_texts.formula(config, side, {})}</div>" for side in "dg")


def _label(snapshot: Snapshot, phase: dict[str, Any] | None, numbers: dict[str, Any]) -> str:
    """The drawing in words, for who hears the page."""
    losses = [
        f"loss of the {anatomy_texts.NETWORK[side]} {number(of['loss'])}"
        for side, of in numbers.items()
        if "loss" in of
    ]
    where = f", phase {phase['number']} of {phase['of']}" if phase else ""
    return f"Anatomy of a training step at step {snapshot.shown:,}{where}: {', '.join(losses) or 'no step yet'}"
