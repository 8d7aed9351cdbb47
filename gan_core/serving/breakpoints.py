"""Breakpoints: what a training stops at. The training process looks at them after each chunk of steps.

Each is hit when it becomes true: what was true before is hit again only once it has been false. The server sends them
as plain dictionaries, `kind` and what that needs:

    {"kind": "step", "step": 500}                          exactly there, once
    {"kind": "finding"}                                    the coach finds something new
    {"kind": "score", "score": "w1", "above": False, "value": 0.1}    it passes the value
    {"kind": "modes"}                                      of two scorings, the later one counts fewer modes
    {"kind": "not_finite"}                                 at the last step before a number is NaN or infinite
    {"kind": "condition", "text": "modes == 8 and hq > 0.9"}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gan_core.data.datasets import DATASETS
from gan_core.diagnosis import facts
from gan_core.diagnosis.conditions import Condition, Kind
from gan_core.diagnosis.findings import FINDINGS
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.recording.coaching import recorded
from gan_core.scores.registry import SCORES
from gan_core.scores.score import number_of

if TYPE_CHECKING:
    from gan_core.recording.training_run import TrainingRun

MOST = 20


def names() -> dict[str, Kind]:
    """What a condition may ask for: with what plugins have added, so it is asked for when one is read."""
    return facts.names(FINDINGS, {name: knob for row in DATASETS.values() for name, knob in row.knobs.items()})


class Breakpoint:
    """One breakpoint of one training."""

    def begin(self, training: TrainingRun) -> None:
        """Takes note of how the training stands: what is true already is not hit."""

    def hit(self, training: TrainingRun) -> str:
        """What has become true since the last time, in words; "" where nothing has."""
        raise NotImplementedError

    def room(self, step: int) -> int | None:
        """The steps from `step` until it must be looked at again; None where that is of no matter."""
        return None


class AtStep(Breakpoint):
    """At step N."""

    def __init__(self, wanted: Mapping[str, Any]):
        self._step = int(wanted["step"])

    def begin(self, training: TrainingRun) -> None:
        self._before = training.step

    def hit(self, training: TrainingRun) -> str:
        before, self._before = self._before, training.step
        return f"step {self._step:,}" if before < self._step <= training.step else ""

    def room(self, step: int) -> int | None:
        return self._step - step if step < self._step else None


class NewFinding(Breakpoint):
    """When the coach finds something that it did not find before."""

    def __init__(self, wanted: Mapping[str, Any]):
        pass

    def begin(self, training: TrainingRun) -> None:
        self._before = _found_already(training)

    def hit(self, training: TrainingRun) -> str:
        before, self._before = self._before, _found(training)
        return ", ".join(FINDINGS[name].title for name in FINDINGS if name in self._before - before)


class ScorePasses(Breakpoint):
    """When a score goes from one side of a value to the other."""

    def __init__(self, wanted: Mapping[str, Any]):
        self._score, self._above, self._value = str(wanted["score"]), bool(wanted["above"]), float(wanted["value"])
        if self._score not in SCORES:
            raise ConfigError(f"There is no score {shorten(self._score)}.")

    def begin(self, training: TrainingRun) -> None:
        self._before = self._beyond(_newest(training, self._score))

    def _beyond(self, now: float | None) -> bool | None:
        return None if now is None else (now > self._value if self._above else now < self._value)

    def hit(self, training: TrainingRun) -> str:
        now = _newest(training, self._score)
        if now is None:  # a scoring without a value, as where no sample is good: what was before stands
            return ""
        before, self._before = self._before, self._beyond(now)
        if not self._before or before is not False:
            return ""
        row, side = SCORES[self._score], "above" if self._above else "below"
        return f"{row.title} {side} {row.text(self._value)} ({row.text(now)})"


class ModesLost(Breakpoint):
    """When fewer modes are captured than at the scoring before."""

    def __init__(self, wanted: Mapping[str, Any]):
        pass

    def begin(self, training: TrainingRun) -> None:
        self._before = _newest(training, "modes")

    def hit(self, training: TrainingRun) -> str:
        before, now = self._before, _newest(training, "modes")
        if now is None:
            return ""
        self._before = now
        return "" if before is None or now >= before else f"modes lost ({before:,.0f} to {now:,.0f})"


class NotFinite(Breakpoint):
    """At the last step before a number is not finite; the training itself stands still there (TrainingRun.careful)."""

    def __init__(self, wanted: Mapping[str, Any]):
        pass

    def begin(self, training: TrainingRun) -> None:
        self._before = training.breaks

    def hit(self, training: TrainingRun) -> str:
        before, self._before = self._before, training.breaks
        if self._before is None or self._before is before:
            return ""
        return f"in step {self._before.step:,}, {self._before.quantity} becomes NaN or infinite"


class When(Breakpoint):
    """When a condition holds."""

    def __init__(self, wanted: Mapping[str, Any]):
        self._condition = Condition.read(str(wanted["text"]), names())

    def begin(self, training: TrainingRun) -> None:
        _found_already(training)
        self._before = self._holds(training)

    def _holds(self, training: TrainingRun) -> bool:
        if training.recording.history.steps == 0:
            return False  # nothing is known before the first step
        run, found = recorded(training.trainer.config, training.recording, bool(training.error)), _found(training)
        return self._condition.holds(facts.known(run, {name: name in found for name in FINDINGS}))

    def hit(self, training: TrainingRun) -> str:
        before, self._before = self._before, self._holds(training)
        return self._condition.text if self._before and not before else ""


KINDS: dict[str, Callable[[Mapping[str, Any]], Breakpoint]] = {
    "step": AtStep,
    "finding": NewFinding,
    "score": ScorePasses,
    "modes": ModesLost,
    "not_finite": NotFinite,
    "condition": When,
}


def _found(training: TrainingRun) -> frozenset[str]:
    return frozenset() if training.coaching is None else training.coaching.names


def _found_already(training: TrainingRun) -> frozenset[str]:
    """The same of a training that has just begun: the coach has looked at none that goes on from a saved one."""
    if training.coaching is not None:
        training.coaching.look(training.trainer.config, training.error, at_once=True)
    return _found(training)


def _newest(training: TrainingRun, score: str) -> float | None:
    """The value of a score in the last scoring."""
    scores = training.recording.scores.items
    return number_of(scores[-1].get(score)) if scores else None


def made(wanted: Mapping[str, Any]) -> Breakpoint:
    """The breakpoint that a dictionary describes; raises ConfigError."""
    try:
        return KINDS[wanted["kind"]](wanted)
    except (LookupError, TypeError, ValueError, OverflowError):
        raise ConfigError(f"This breakpoint cannot be used: {shorten(wanted)}.") from None


class Breakpoints:
    """The breakpoints of a training process. Several trainings are a race, which stops as one."""

    def __init__(self) -> None:
        self._wanted: list[Mapping[str, Any]] = []
        self._watched: list[list[Breakpoint]] = []  # of each training, one for each that is wanted

    def set(self, wanted: Iterable[Mapping[str, Any]], trainings: Sequence[TrainingRun]) -> None:
        """These from now on; those that were there before go on as they stood. Raises ConfigError."""
        wanted = list(wanted)[:MOST]
        for one in wanted:
            made(one)
        if len(self._watched) != len(trainings):
            self._watched = [[] for _ in trainings]
        found = []
        for training, had in zip(trainings, self._watched, strict=True):
            found.append([had[self._wanted.index(one)] if had and one in self._wanted else made(one) for one in wanted])
            for one in found[-1]:
                if one not in had:
                    one.begin(training)
        self._wanted, self._watched = wanted, found
        self._tell(trainings)

    def begin(self, trainings: Sequence[TrainingRun]) -> None:
        """Other trainings: nothing of them was hit."""
        self._watched = [[made(wanted) for wanted in self._wanted] for _ in trainings]
        for training, watched in zip(trainings, self._watched, strict=True):
            for one in watched:
                one.begin(training)
        self._tell(trainings)

    def _tell(self, trainings: Sequence[TrainingRun]) -> None:
        """A race stands at one step, so none of its runs stops at a step of its own."""
        careful = len(trainings) == 1 and any(one["kind"] == "not_finite" for one in self._wanted)
        for training in trainings:
            training.careful = careful

    def room(self, step: int, most: int) -> int:
        """At most `most` steps from `step`, fewer where a breakpoint is on the way."""
        rooms = [one.room(step) for watched in self._watched[:1] for one in watched]
        return min([most, *(room for room in rooms if room is not None)])

    def hit(self, trainings: Sequence[TrainingRun]) -> str:
        """What was hit since the last time, in words; "" where nothing was."""
        said: list[str] = []
        for i, (training, watched) in enumerate(zip(trainings, self._watched, strict=True)):
            where = f" in run {'ABCD'[i]}" if len(trainings) > 1 else ""
            for one in watched:
                hit = one.hit(training)
                if hit and not training.error:  # else it stands still anyway, and the page says why
                    said.append(hit if isinstance(one, AtStep) else f"{hit}{where}")
        return "; ".join(dict.fromkeys(said))
