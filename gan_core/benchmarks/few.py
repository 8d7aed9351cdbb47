"""Few data: `python -m gan_core benchmark few`, the whole set of images and parts of it, with and without augmentation.

Each run trains on its part for the same time; all are scored against the whole set by the same judges, on the way and
at the end: with few data and no augmentation a GAN is better before its end. The shape to expect is that of
DiffAugment's table of CIFAR-10 (arXiv 2006.10738): at 100, 20 and 10 % of the data an FID of 11.1, 23.1 and 36.0
without, of 9.9, 12.2 and 14.5 with it. Those values are no match for these: another network, other features, days of
training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.benchmarks import benchmark_runs, published
from gan_core.benchmarks.benchmark_runs import BenchmarkRun, Result, Training
from gan_core.data import loading
from gan_core.data.own_files import uploads
from gan_core.data.pictures import Pictures, as_pictures
from gan_core.foundations import cluster
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.scores.registry import SCORES
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS

SHARES = (1.0, 0.2, 0.1, 0.02)
QUICK_SHARES = (1.0, 0.02)
AUGMENTED = ("none", "diffaugment")
SECONDS, QUICK_SECONDS = 60.0, 20.0
SEEDS = 3
LOOKS = 4  # at how many times a run is scored, the last one its end
SAMPLES = 2_500
NAMES = ("classifier_fid", "classifier_kid", "untrained_fid", "precision", "recall")
# Beside the scores at the end: the best classifier-FID on the way, and D's mean p(real) of images that it is trained on
# and of others, whose distance is how far it has memorized them.
MORE = ("best_classifier_fid", "p_training", "p_held_out")
MOST = 200_000  # images of a set: all of them


@dataclass(frozen=True)
class FewRun(BenchmarkRun):
    """One run, whose `recipe` is an augmentation. share: of all images that it learns from, size of them; file: of the
    user's, "" for the set's own."""

    share: float = 1.0
    size: int = 0
    file: str = ""

    @property
    def key(self) -> str:
        return f"{self.data} {100 * self.share:g} % ({self.size:,}), {self.recipe}, seed {self.seed}"

    @property
    def config(self) -> dict[str, Any]:
        changes = {"seed": self.seed, "data_size": self.size, "augment": self.recipe}
        return _base(self.data).updated(changes).to_flat()

    def done_by(self, trainings: Any) -> Result:
        try:
            return _scored(self)
        except ConfigError as error:
            return Result(problem=str(error))


def _base(data: str) -> GANConfig:
    return PRESETS[data].config if data in PRESETS else GANConfig.from_flat({"data": data})


def _upload(file: str) -> Pictures | None:
    """The user's pictures; raises ConfigError."""
    if not file:
        return None
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None
    upload, _ = uploads.parsed(Path(file).name, content)
    if not isinstance(upload, Pictures):
        raise ConfigError("benchmark few is for images, and the file of --data has points.")
    return upload


def _scored(run: FewRun) -> Result:
    from gan_core.recording import visuals
    from gan_core.scores import trainer_scores

    config, upload = GANConfig.from_flat(run.config), _upload(run.file)
    whole = as_pictures(loading.load(config.updated({"data_size": MOST, "seed": 0}), upload))
    try:
        judge, reference = trainer_scores.judge_and_reference(whole, SAMPLES, 0, lambda text: None)
    except ValueError as error:  # too few images, or one class only
        raise ConfigError(f"These images cannot be scored: {error}.") from None
    training, marks = Training(config, loading.load(config, upload)), []
    for look in range(1, LOOKS + 1):
        seconds = None if run.marks[0] is None else run.marks[0] * look / LOOKS
        steps = None if run.steps is None else max(1, run.steps * look // LOOKS)
        training.until(steps, seconds)
        marks.append(trainer_scores.score_images(training.trainer, judge, reference))
    found, said = marks[-1], visuals.judged(training.trainer).tolist()
    row: dict[str, Any] = {name: found[name] for name in NAMES}
    row["best_classifier_fid"] = min(each["classifier_fid"] for each in marks)
    row |= {name: None if np.isnan(p) else p for name, p in zip(("p_training", "p_held_out"), said, strict=False)}
    about = {"floors": {name: SCORES[name].ideal(name, found) for name in NAMES}, "samples": found["samples"]}
    words = f"{run.key}: classifier-FID {row['classifier_fid']:.2f} (best {row['best_classifier_fid']:.2f})"
    words += f", untrained-FID {row['untrained_fid']:.2f}, {training.trainer.step:,} steps"
    return Result([{**row, **training.took(run.seed)}], about, [words])


def chosen(text: str | None) -> tuple[str, ...]:
    """The augmentations named in `text`, divided by commas; raises ConfigError."""
    names = AUGMENTED if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in AUGMENTATIONS:
            raise ConfigError(f"There is no augmentation {shorten(name)}; there are: {', '.join(AUGMENTATIONS)}.")
    return names


def run(
    file: str | None,
    augment: str | None,
    seeds: int | None,
    steps: int | None,
    seconds: float | None,
    quick: bool,
    say: Callable[[str], None],
    processes: int | None = None,
    ray: str | None = None,
) -> dict[str, Any]:
    """The benchmark on MNIST, or on a file of the user's; raises ConfigError. The rest as published.run."""
    address = cluster.address_of(ray)
    if file and address is not None:
        raise ConfigError("benchmark few trains on a file of yours on this machine alone: give --data without --ray.")
    names, data = chosen(augment), "picture_file" if file else "mnist"
    upload = _upload(file or "")
    total = len(loading.load(_base(data).updated({"data_size": MOST}), upload))
    least = _base(data).batch_size
    sizes = {share: round(share * total) for share in (QUICK_SHARES if quick else SHARES)}
    for share in [share for share, size in sizes.items() if size < least]:
        say(f"{100 * share:g} % are left out: {sizes.pop(share):,} images are fewer than a batch of {least}.")
    if not sizes:
        raise ConfigError(f"benchmark few needs at least {least} images; there are {total:,}.")
    mark = seconds or (None if steps is not None else QUICK_SECONDS if quick else SECONDS)
    runs = [
        FewRun("few", data, name, seed, steps, (mark,), share, size, file or "")
        for share, size in sizes.items()
        for name in names
        for seed in range(seeds or (1 if quick else SEEDS))
    ]
    with contextlib.ExitStack() as stack:
        executor, threads = published.executor_of(runs[0], processes, address, stack)
        found = benchmark_runs.all_of(runs, executor, say)
    about = next(iter(found.values())).about
    beside = {"processes": processes or 1, "threads": threads, "cluster": address is not None}
    table = []
    for share, size in sizes.items():
        for name in names:
            rows = [found[one.key].rows[0] for one in runs if (one.share, one.recipe) == (share, name)]
            what = {"data": data, "recipe": f"{100 * share:g} %, {name}", "share": share, "size": size, "augment": name}
            table.append({**what, **published.summary_of("few", "", rows, (*NAMES, *MORE))})
    perfect = {data: about["floors"]}
    return {
        **{"benchmark": "few", "machine": published.machine(), **beside, "samples": about["samples"]},
        **{"images": total, "perfect": perfect, "published": {}, "rows": table},
    }
