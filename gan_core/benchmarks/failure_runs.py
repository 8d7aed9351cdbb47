"""`benchmark failures` and `benchmark coach`: the settings that fail, do they, and does the coach say so?

Each run is one training of a failure's settings, of its cure, or of a healthy preset, scored at LOOKS even steps of its
way; at each the coach looks, as it does beside a page.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from gan_core.benchmarks.benchmark_runs import BenchmarkRun, Result
from gan_core.data.pictures import as_pictures
from gan_core.diagnosis import facts
from gan_core.diagnosis.coach import findings
from gan_core.diagnosis.conditions import Condition
from gan_core.diagnosis.facts import Recorded
from gan_core.diagnosis.failures import FAILURES
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS

LOOKS = 30
FAILING, CURED, HEALTHY = "failing", "cured", "healthy"


@dataclass(frozen=True)
class FailureRun(BenchmarkRun):
    """One run: `recipe` is FAILING or CURED, and `data` the name of a failure; or HEALTHY, and that of a preset."""

    @property
    def key(self) -> str:
        return f"{self.data} {self.recipe} seed {self.seed}"

    @property
    def config(self) -> dict[str, Any]:
        if self.recipe == HEALTHY:
            config = PRESETS[self.data].config
        else:
            row = FAILURES[self.data]
            config = row.config if self.recipe == FAILING else row.cured
        return config.updated({"seed": self.seed}).to_flat()

    def done_by(self, trainings: Any) -> Result:
        try:
            return _trained(self)
        except ConfigError as error:
            return Result(problem=str(error))


def _trained(run: FailureRun) -> Result:
    """Trains it to its `steps`: one row, with what the coach found at each look, and whether the criterion held."""
    from gan_core.data import loading
    from gan_core.recording.training_run import TrainingRun
    from gan_core.scores import trainer_scores
    from gan_core.training.trainer import Trainer
    from gan_core.training.training_loop import fit

    config, steps = GANConfig.from_flat(run.config), run.steps or 1
    data = loading.load(config)
    training = TrainingRun(Trainer(config, data), scored=False)
    trainer, judged_by = training.trainer, None
    if data.kind == "images":
        judged_by = trainer_scores.judge_and_reference(
            as_pictures(data), trainer_scores.IMAGE_SAMPLES, config.seed, _quiet
        )
    trainer.compile(steps)
    scores: list[dict[str, Any]] = []
    found: list[tuple[int, list[str]]] = []
    seconds, recorded = 0.0, Recorded(config, training.recording.history.frame())
    for look in range(1, LOOKS + 1):
        before = time.perf_counter()
        fit(training, max(1, steps * look // LOOKS))
        seconds += time.perf_counter() - before
        training.record()
        if judged_by is not None:
            values = trainer_scores.score_images(trainer, *judged_by)
        else:
            values = trainer_scores.score_points(trainer, trainer_scores.point_floors(trainer))
        scores.append({**values, "step": training.step})
        history, judged = training.recording.history.frame(), training.recording.judged()
        recorded = Recorded(config, history, scores, judged, bool(training.error))
        found.append((training.step, [finding.name for finding in findings(recorded)]))
        if training.error:
            break
    row: dict[str, Any] = {"seed": run.seed, "steps": training.step, "seconds": seconds, "found": found}
    said = f"{run.key}: {training.step:,} steps in {seconds:.1f} s"
    if run.recipe != HEALTHY:
        condition = Condition.read(FAILURES[run.data].criterion, facts.names())
        known = facts.known(recorded)
        row["failed"] = condition.holds(known)
        row["values"] = {name: known.values.get(name) for name in sorted(condition.names)}
        said += f"; {'the fault shows' if row['failed'] else 'free of the fault'}"
    return Result([row], {"recorded": recorded}, [said])


def _quiet(text: str) -> None:
    """Several processes at once would speak across each other."""
