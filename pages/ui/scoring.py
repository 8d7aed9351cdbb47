"""Scores in words and numbers, the same wherever they are shown, and which end of each is good."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gan_core.config import GANConfig
from gan_core.datasets import DATASETS

Cell = tuple[str, str, str]  # value, name, what real data get


@dataclass(frozen=True)
class Measure:
    """A score that runs can be compared by. better: "high" or "low"."""

    title: str
    better: str
    form: Callable[[float], str]


def number(value: float) -> str:
    """A score in about three significant digits."""
    return f"{value:.4f}" if value < 0.01 else f"{value:.3f}" if value < 10 else f"{value:.3g}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


MEASURES = {
    "modes": Measure("modes captured", "high", lambda n: f"{n:.0f}"),
    "hq": Measure("HQ", "high", _share),
    "reverse_kl": Measure("reverse KL", "low", number),
    "w1": Measure("Wasserstein-1", "low", number),
    "energy": Measure("energy distance", "low", number),
    "mmd": Measure("MMD", "low", number),
    "classifier_fid": Measure("classifier-FID", "low", lambda v: f"{v:.3g}"),
    "confidence": Measure("confidence", "high", lambda v: f"{v:.2f}"),
    "class_tv": Measure("class TV", "low", lambda v: f"{v:.2f}"),
    "precision": Measure("precision", "high", lambda v: f"{v:.2f}"),
    "recall": Measure("recall", "high", lambda v: f"{v:.2f}"),
    "coverage": Measure("coverage", "high", lambda v: f"{v:.2f}"),
}


def of_points(m: dict[str, Any]) -> tuple[list[Cell], str]:
    """(the scores of points, a note on how they were measured)."""
    cells = []
    if "modes" in m:
        cells.append((f"{m['modes']} / {m['modes_total']}", "modes", "captured"))
        cells.append((_share(m["hq"]), "HQ", f"ideal {_share(m['hq_perfect'])}"))
        kl = "none" if m["reverse_kl"] is None else number(m["reverse_kl"])
        cells.append((kl, "reverse KL", f"floor {number(m['reverse_kl_floor'])}"))
    for key, name in (("w1", "Wasserstein-1"), ("energy", "energy"), ("mmd", "MMD")):
        cells.append((number(m[key]), name, f"floor {number(m[f'{key}_floor'])}"))
    return cells, f"{m['samples']:,} samples, distances of {m['w1_samples']:,}"


def of_images(m: dict[str, Any]) -> tuple[list[Cell], str]:
    """(the scores of images, a note on how they were measured)."""
    cells = [
        (f"{m['classifier_fid']:.3g}", "classifier-FID", f"floor {m['classifier_fid_floor']:.2g}"),
        (f"{m['confidence']:.2f}", "confidence", f"real {m['confidence_real']:.2f}"),
        (f"{m['class_tv']:.2f}", "class TV", f"floor {m['class_tv_floor']:.2f}"),
    ]
    for key in ("precision", "recall", "density", "coverage"):
        cells.append((f"{m[key]:.2f}", key, f"real {m[f'{key}_floor']:.2f}"))
    cells.append((f"{m['nearest_real']:.3g}", "nearest real", f"real {m['nearest_real_floor']:.3g}"))
    if "modes" in m:
        cells.append((str(m["modes"]), f"of {m['modes_total']:,} modes", f"real {m['modes_real']}"))
    return cells, f"{m['samples']:,} samples; classifier {_share(m['classifier_accuracy'])} right"


def cells(config: GANConfig, m: dict[str, Any]) -> list[Cell]:
    """The scores that a file holds; none where they are not in GANscope's form."""
    try:
        return (of_images if DATASETS[config.data].kind == "images" else of_points)(m)[0]
    except (KeyError, TypeError, ValueError):
        return []


def leaders(rows: list[dict[str, Any]]) -> list[tuple[str, list[str], set[int]]]:
    """(title, each run's value, who leads) of every score that at least one of the runs has."""
    table = []
    for key, measure in MEASURES.items():
        values = [row.get(key) for row in rows]
        known = {i: v for i, v in enumerate(values) if isinstance(v, (int, float)) and not isinstance(v, bool)}
        if not known:
            continue
        best = (max if measure.better == "high" else min)(known.values())
        texts = [measure.form(known[i]) if i in known else "–" for i in range(len(rows))]
        lead = {i for i in known if texts[i] == measure.form(best)} if len(known) > 1 else set()
        table.append((measure.title, texts, lead if len(lead) < len(known) else set()))
    return table
