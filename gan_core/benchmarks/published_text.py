"""The published benchmarks as tables for people."""

from typing import Any

from gan_core.benchmarks.benchmark_runs import MNIST_SCORES
from gan_core.scores.registry import SCORES

COLUMNS = {
    "modes": (("modes", "modes", ".1f"), ("hq", "HQ %", ".1f"), ("reverse_kl", "reverse KL", ".3f")),
    "stacked-mnist": (("modes", "modes", ".1f"), ("kl", "KL to uniform", ".3f")),
    "few": (
        ("classifier_fid", "classifier-FID", ".2f"),
        ("best_classifier_fid", "best on the way", ".2f"),
        ("classifier_kid", "classifier-KID", ".4f"),
        ("untrained_fid", "untrained-FID", ".3f"),
        ("precision", "precision", ".2f"),
        ("recall", "recall", ".2f"),
        ("p_training", "p(real), training", ".2f"),
        ("p_held_out", "p(real), held out", ".2f"),
    ),
    "mnist": tuple((name, SCORES[name].title, ".3f") for name in MNIST_SCORES),
}


def _cell(mean: float | None, error: float | None, form: str, missing: int = 0) -> str:
    if mean is None:
        return "none"
    text = f"{mean:{form}}" + ("" if error is None else f" ± {error:{form}}")
    return text + (f" ({missing} without)" if missing else "")


def _ran(row: dict[str, Any]) -> str:
    cut = f", cut from {row['cut_from_steps']:,}" if row["cut_from_steps"] else ""
    diverged = sum(1 for seed in row["seeds"] if seed["diverged"])
    lost = f", {diverged} diverged" if diverged else ""
    steps, seconds, n = row["steps"]["mean"], row["seconds"]["mean"], len(row["seeds"])
    return f"{steps:,.0f} steps in {seconds:.0f} s, {n} seed{'s' * (n > 1)}{cut}{lost}"


def as_text(result: dict[str, Any]) -> str:
    """The result as tables for people, ours above the published rows, then what is perfect."""
    columns = COLUMNS[result["benchmark"]]

    def line(*cells: str) -> str:
        return "".join(f"{cell:20s}" for cell in cells).rstrip()

    lines = []
    for data in dict.fromkeys(row["data"] for row in result["rows"]):
        lines.append(line(f"{data}:", *(title for _, title, _ in columns), "ran"))
        for row in (r for r in result["rows"] if r["data"] == data):
            name = row["recipe"] + (f", {row['after']:g} s" if "after" in row else "")
            cells = [_cell(row[k]["mean"], row[k]["error"], form, row[k]["missing"]) for k, _, form in columns]
            lines.append(line(name, *cells, _ran(row)))
        for name, *values in result["published"].get(data, ()):
            cells = [_cell(mean, error, form) for (mean, error), (*_, form) in zip(values, columns, strict=True)]
            lines.append(line(f"{name}, published", *cells))
        perfect = result["perfect"][data]
        lines.append(line("perfect", *(_cell(perfect.get(key), None, form) for key, _, form in columns)))
        lines.append("")
    m = result["machine"]
    gpus = f", {m['gpus']} GPU" if m["gpus"] else ""
    return "\n".join(
        [
            *lines,
            f"{result['samples']:,} samples each; ± is the standard error over the seeds. {m['cores']} cores{gpus}, "
            f"TensorFlow {m['tensorflow']}, {m['date']}.",
        ]
    )
