"""A goal that is waited for: whether a run has reached it, at which step, and what is needed to go that way again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gan_core.data.datasets import DATASETS
from gan_core.diagnosis import coach, facts
from gan_core.diagnosis.conditions import Condition
from gan_core.diagnosis.facts import Recorded
from gan_core.diagnosis.findings import FINDINGS
from gan_core.recording.recorder import ALONE, TOO_MANY
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.setting_texts import DATA_PREFIX
from gan_core.training.train_step import COLUMNS

if TYPE_CHECKING:
    from gan_core.recording.recorder import Recording
    from gan_core.settings.config import GANConfig


def read(text: str, config: GANConfig) -> Condition:
    """The condition on a run of `config`; raises ConfigError."""
    return Condition.read(text, facts.names(FINDINGS, DATASETS[config.data].knobs))


def recorded(recording: Recording, config: GANConfig, diverged: bool) -> Recorded:
    """What is known of a run at its newest step."""
    return Recorded(config, recording.history.frame(), recording.scores.items, recording.judged(), diverged)


def known(condition: Condition, run: Recorded) -> Any:
    """All names with their values; the coach is asked only where the condition asks for a finding."""
    if not condition.names & set(FINDINGS):
        return facts.known(run)
    found = {finding.name for finding in coach.findings(run)}
    return facts.known(run, {name: name in found for name in FINDINGS})


def holds(condition: Condition, run: Recorded) -> bool:
    """Whether the condition holds at the run's newest step."""
    return condition.holds(known(condition, run))


def judges(condition: Condition) -> bool:
    """Whether it asks what the discriminator says of pictures, which frames hold."""
    return bool(condition.names & {*facts.JUDGED, "memorized", *FINDINGS})


def scores(condition: Condition) -> bool:
    """Whether it asks for scores, or for what is made of them."""
    others = {"step", "d_accuracy", "memorized", *facts.JUDGED, *COLUMNS, *HYPERPARAMETERS}
    return any(name not in others and not name.startswith(DATA_PREFIX) for name in condition.names)


def begun_with(config: GANConfig, changes: list[dict[str, Any]]) -> dict[str, Any]:
    """The flat settings at step 0 of a run that has those of `config` now."""
    flat = config.to_flat()
    for change in reversed(changes):
        if change["name"] not in (ALONE, TOO_MANY):
            flat[change["name"]] = change["old"]
    return flat


class GoalWatch:
    """The goal of one run. `reached` says when it held first, and how the run came there; None until then:

    step; scores: of that step, ready for JSON, {} where none were made; settings: flat, at step 0; changes: as in
    Recording; scored, framed: the steps of which scores and frames are kept, on which some conditions depend.
    """

    def __init__(self) -> None:
        self.text = ""
        self.every = 0  # steps between two looks, whatever their scores cost: a goal must not be passed unseen
        self.last = 0  # the last step that counts, which is looked at, too
        self.reached: dict[str, Any] | None = None
        self._condition: Condition | None = None

    def ask(self, text: str, config: GANConfig, every: int = 0, last: int = 0) -> bool:
        """Waits for this condition from now on, for none where it is ""; returns whether it is another one."""
        self.every, self.last = every, last
        if text == self.text:
            return False
        self._condition = read(text, config) if text else None
        self.text, self.reached = text, None
        return True

    def _waits(self) -> bool:
        return self._condition is not None and self.reached is None and self.every > 0

    def until(self, step: int, n: int) -> int:
        """At most `n` steps from `step` on, fewer where a look is due on the way."""
        if not self._waits():
            return n
        after = self.every - step % self.every
        return min(n, self.last - step if step < self.last < step + after else after)

    def due(self, step: int) -> bool:
        """Whether the goal is to be looked at after `step`."""
        return self._waits() and step > 0 and (step % self.every == 0 or step == self.last)

    @property
    def scores(self) -> bool:
        """Whether it takes the scores of a step to look at the goal there."""
        return self._condition is not None and scores(self._condition)

    @property
    def judges(self) -> bool:
        """Whether it takes a frame of a step to look at the goal there."""
        return self._condition is not None and judges(self._condition)

    def look(self, recording: Recording, config: GANConfig, step: int, diverged: bool) -> None:
        """Sees whether the goal holds at `step`, the newest one of the recording, where it has the scores for that.
        Before the first step there is nothing that a run has reached."""
        if self._condition is None or self.reached is not None or step < 1:
            return
        scored = recording.scores.steps[-1:] == [step]
        if not scored and scores(self._condition):
            return
        if holds(self._condition, recorded(recording, config, diverged)):
            self.reached = {
                "step": step,
                "scores": dict(recording.scores.items[-1]) if scored else {},
                "settings": begun_with(config, recording.changes),
                "changes": [dict(change) for change in recording.changes],
                "scored": list(recording.scores.steps),
                "framed": list(recording.frames.steps),
            }

    def state(self, recording: Recording) -> dict[str, Any]:
        """For the page: the goal's text, the changes so far, and how it was reached."""
        return {"text": self.text, "changes": list(recording.changes) if self.text else [], "reached": self.reached}
