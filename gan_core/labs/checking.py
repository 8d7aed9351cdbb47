"""Training a receipt again: the same settings and seed, each change at its own step, scored as the page scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.labs.goals import Goal
from gan_core.labs.lab import Lab
from gan_core.labs.receipts import Receipt, versions
from gan_core.recording import goal_watch
from gan_core.recording.recorder import Recording
from gan_core.scores import trainer_scores
from gan_core.training.trainer import Diverged, Trainer

Say = Callable[[str], None]
MOST_AT_ONCE = 500  # steps between two words to who waits


@dataclass(frozen=True)
class Verdict:
    """confirmed: whether the goal was reached again; reason: a sentence; step: where training ended; metrics: the
    scores there, ready for JSON, {} where there are none."""

    confirmed: bool
    reason: str
    step: int = 0
    metrics: dict[str, Any] | None = None


def objection(receipt: Receipt, lab: Lab) -> str:
    """Why the receipt is refuted before anything is trained, in a sentence, or "". Raises ConfigError where it is of
    another version of the lab, so that nobody can say."""
    if receipt.digest != lab.digest:
        raise ConfigError(f"The lab {lab.name} here asks for something else than the lab that the receipt is of.")
    if receipt.step > lab.goal.within:
        return f"Step {receipt.step:,} is too late: the lab gives {lab.goal.within:,} steps."
    if receipt.prediction not in lab.answers:
        return f"The prediction {shorten(receipt.prediction)} is none of the lab's answers."
    changes = [{"name": change.name} for change in receipt.changes]
    return lab.goal.not_allowed(lab.start, receipt.start.to_flat(), changes)


def check(receipt: Receipt, lab: Lab, data: Any, say: Say) -> Verdict:
    """Trains as the receipt says and sees whether the goal of its lab holds at its step.

    data: those of `receipt.start`. What decides is the goal itself, not equality of bits: another machine or TensorFlow
    may come by another way. Raises ConfigError as `objection` does."""
    wrong = objection(receipt, lab)
    if wrong:
        return Verdict(False, f"Refuted without training: {wrong}")
    trainer = Trainer(receipt.start, data)
    say("Compiling ...")
    trainer.compile(receipt.step)
    try:
        recording = trained(trainer, receipt, lab.goal, say)
    except Diverged as diverged:
        return Verdict(False, f"Refuted: training diverged on the way. {diverged}", trainer.step, {})
    run = goal_watch.recorded(recording, trainer.config, False)
    metrics = dict(recording.scores.items[-1])
    has = lab.goal.values(run)
    found = f"at step {trainer.step:,} it has {has}" if has else f"at step {trainer.step:,}"
    if lab.goal.holds(run):
        return Verdict(True, f"Confirmed: trained again, the goal is reached; {found}.", trainer.step, metrics)
    said = f"Refuted: trained again, the goal is not reached; {found}.{_elsewhere(receipt)}"
    return Verdict(False, said, trainer.step, metrics)


def looks(receipt: Receipt, goal: Goal, images: bool) -> set[int]:
    """The steps at which a run has looked at its goal on its way, whatever the receipt says of them: else who edits one
    chooses by which scores it is judged. Images have no scores before their judge is trained."""
    first = min([*receipt.scored[:1], receipt.step // 2]) if images else 0
    return {step for step in range(goal.every, receipt.step, goal.every) if step >= first} | {receipt.step}


def trained(trainer: Trainer, receipt: Receipt, goal: Goal, say: Say) -> Recording:
    """Takes the trainer to the receipt's step, and records on the way what its goal can depend on. Raises Diverged."""
    from gan_core.recording import visuals

    recording = Recording()
    images = trainer.data.kind == "images"
    looked_at = looks(receipt, goal, images)
    framed = {*receipt.framed, *looked_at} if images and goal_watch.judges(goal.condition) else set()
    scored = {*receipt.scored, *looked_at} if goal_watch.scores(goal.condition) else {receipt.step}
    stops = sorted({*framed, *scored, *(change.step for change in receipt.changes)})
    for stop in stops:
        while trainer.step < stop:
            rows = trainer.train(min(MOST_AT_ONCE, stop - trainer.step))
            recording.history.append(rows)
            if trainer.step % 1_000 < len(rows):
                say(f"step {trainer.step:,} of {receipt.step:,}")
        # Those at the last step came before the goal was reached; those of one step are one: some go together only.
        changes = {change.name: change.value for change in receipt.changes if change.step == stop}
        if changes:
            trainer.set_live(trainer.config.updated(changes))
        if stop in framed:
            recording.frames.add(stop, {"judged": visuals.judged(trainer)})
        if stop in scored:
            recording.scores.add(stop, {**scores_of(trainer, say), "step": stop})
    return recording


def scores_of(trainer: Trainer, say: Say) -> dict[str, Any]:
    """The scores as a live run has them, at its sample sizes."""
    points = trainer.data.kind == "points"
    most = trainer_scores.W1_SAMPLES if points else trainer_scores.IMAGE_SAMPLES
    return trainer_scores.all_scores(trainer, most, trainer_scores.FLOOR_REPEATS, say)


def _elsewhere(receipt: Receipt) -> str:
    """A note where the receipt is of another machine, whose arithmetic may differ."""
    here = versions()
    other = [
        f"{name} {receipt.versions.get(name, 'unknown')}" for name in here if here[name] != receipt.versions.get(name)
    ]
    if not other:
        return ""
    return f" It was made with {', '.join(other)}; here it is {', '.join(f'{n} {v}' for n, v in here.items())}."
