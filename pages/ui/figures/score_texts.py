"""Scores in words and numbers, the same wherever they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.scores import ideals
from gan_core.settings.config import GANConfig

Cell = tuple[str, str, str]  # value, name, what real data get


@dataclass(frozen=True)
class Measure:
    """A score that runs can be compared by; which values are good says gan_core/scores/ideals.py."""

    title: str
    form: Callable[[float], str]


def number(value: float) -> str:
    """A score in about three significant digits."""
    return f"{value:.4f}" if value < 0.01 else f"{value:.3f}" if value < 10 else f"{value:.3g}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _hundredths(value: float) -> str:
    return f"{value:.2f}"


def _three_digits(value: float) -> str:
    return f"{value:.3g}"


MEASURES = {
    "modes": Measure("modes captured", "{:.0f}".format),
    "hq": Measure("high quality (HQ)", _share),
    "reverse_kl": Measure("reverse KL", number),
    "w1": Measure("Wasserstein-1", number),
    "energy": Measure("energy distance", number),
    "mmd": Measure("MMD", number),
    "classifier_fid": Measure("classifier-FID", _three_digits),
    "confidence": Measure("confidence", _hundredths),
    "class_tv": Measure("class balance (TV)", _hundredths),
    "precision": Measure("precision", _hundredths),
    "recall": Measure("recall", _hundredths),
    "density": Measure("density", _hundredths),
    "coverage": Measure("coverage", _hundredths),
    "nearest_real": Measure("distance to nearest real", _three_digits),
}


def of_points(m: dict[str, Any]) -> tuple[list[Cell], str]:
    """(the scores of points, a note on how they were measured)."""
    cells = []
    if "modes" in m:
        cells.append((f"{m['modes']} / {m['modes_total']}", "modes captured", f"real data {m['modes_total']}"))
        cells.append((_share(m["hq"]), "high quality", f"real data {_share(m['hq_perfect'])}"))
        kl = "no value yet" if m["reverse_kl"] is None else number(m["reverse_kl"])
        cells.append((kl, "reverse KL", f"real data {number(m['reverse_kl_floor'])}"))
    for key, name in (("w1", "Wasserstein-1"), ("energy", "energy distance"), ("mmd", "MMD")):
        cells.append((number(m[key]), name, f"real data {number(m[f'{key}_floor'])}"))
    return cells, f"{m['samples']:,} samples; distances use {m['w1_samples']:,}"


def of_images(m: dict[str, Any]) -> tuple[list[Cell], str]:
    """(the scores of images, a note on how they were measured)."""
    cells = [
        (f"{m['classifier_fid']:.3g}", "classifier-FID", f"real data {m['classifier_fid_floor']:.2g}"),
        (f"{m['confidence']:.2f}", "confidence", f"real data {m['confidence_real']:.2f}"),
        (f"{m['class_tv']:.2f}", "class balance (TV)", f"real data {m['class_tv_floor']:.2f}"),
    ]
    for key in ("precision", "recall", "density", "coverage"):
        cells.append((f"{m[key]:.2f}", key, f"real data {m[f'{key}_floor']:.2f}"))
    nearest = f"{m['nearest_real']:.3g}", "distance to nearest real", f"real data {m['nearest_real_floor']:.3g}"
    cells.append(nearest)
    if "modes" in m:
        cells.append((str(m["modes"]), f"of {m['modes_total']:,} modes", f"real data {m['modes_real']}"))
    return cells, f"{m['samples']:,} samples; classifier accuracy {_share(m['classifier_accuracy'])}"


def cells(config: GANConfig, m: dict[str, Any]) -> list[Cell]:
    """The scores that a file holds; none where they are not in GANscope's form."""
    try:
        return (of_images if DATASETS[config.data].kind == "images" else of_points)(m)[0]
    except (KeyError, TypeError, ValueError):
        return []


def leaders(rows: list[dict[str, Any]]) -> list[tuple[str, list[str], set[int]]]:
    """(title, each run's value, who leads) of every score that at least one of the runs has.

    Who leads is who is nearest to what real data get, with those whose value reads the same; nobody where all do.
    """
    table = []
    for key, measure in MEASURES.items():
        values = [row.get(key) for row in rows]
        known = [isinstance(v, (int, float)) and not isinstance(v, bool) for v in values]
        if not any(known):
            continue
        texts = [measure.form(v) if is_known else "–" for v, is_known in zip(values, known, strict=True)]
        best = {texts[i] for i in ideals.leaders(rows, key)}
        lead = {i for i, text in enumerate(texts) if text in best}
        table.append((measure.title, texts, lead if sum(known) > 1 and len(lead) < sum(known) else set()))
    return table
