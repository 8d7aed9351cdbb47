"""The coach: which findings a run has now, and since when. `findings` is a pure function of what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gan_core.diagnosis.facts import Recorded
from gan_core.diagnosis.finding import Finding
from gan_core.diagnosis.findings import FINDINGS, FIRST_STEPS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig

EARLY = FIRST_STEPS  # steps before which the coach says nothing
SAME_PART = 0.2  # of the way so far: a finding that comes again within it is the same one
MOST_PAST = 40  # findings that are over, which are kept as marks


def findings(run: Recorded) -> list[Finding]:
    """What goes wrong at the newest step, the most serious first; [] where all is well."""
    found = []
    for name, row in FINDINGS.items():
        evidence = row.find(run)
        if evidence is None:
            continue
        remedy = _changes(run.config, row.remedy(run.config))
        sentence = f"{row.sentence} {evidence.said}".strip()
        found.append(Finding(name, row.title, sentence, row.why, *evidence[:3], remedy))
    return found


def _changes(config: GANConfig, remedy: Mapping[str, Any]) -> dict[str, Any]:
    """What the remedy changes; {} where the other settings do not take it."""
    changes = {name: value for name, value in remedy.items() if getattr(config, name) != value}
    try:
        config.updated(changes)
    except ConfigError:
        return {}
    return changes


def marks_until(marks: Iterable[Mapping[str, Any]], step: int) -> list[dict[str, Any]]:
    """The marks of a `Coach` as they stood at `step`: those that came later are not there, those that ended later are
    open. New dictionaries, bounded as a coach's own."""
    found = [dict(mark) for mark in marks if mark["first"] <= step]
    for mark in found:
        if mark["last"] is not None and mark["last"] > step:
            mark["last"] = None
    return found[-MOST_PAST:]


class Coach:
    """The findings of a run that trains, with those that are over: {name, title, first, last} each, in the order in
    which they came; `last` is None while one holds. It goes on with the marks that it is given."""

    def __init__(self, marks: Iterable[Mapping[str, Any]] = ()) -> None:
        self.now: list[Finding] = []
        self.marks: list[dict] = [dict(mark) for mark in marks]

    def look(self, run: Recorded) -> list[Finding]:
        """The findings now; what has come and gone is noted in `marks`."""
        self.now = findings(run)
        names = {finding.name for finding in self.now}
        open_marks = {mark["name"]: mark for mark in self.marks if mark["last"] is None}
        for name, mark in open_marks.items():
            if name not in names:
                mark["last"] = run.step
        for finding in self.now:
            if finding.name in open_marks or self._goes_on(finding.name, run.step):
                continue
            self.marks.append({"name": finding.name, "title": finding.title, "first": run.step, "last": None})
        self.marks = self.marks[-MOST_PAST:]
        return self.now

    def _goes_on(self, name: str, step: int) -> bool:
        """Whether the newest mark of this name ended only now: then it is the same trouble, and the mark goes on."""
        mark = next((mark for mark in reversed(self.marks) if mark["name"] == name), None)
        if mark is None or mark["last"] is None or step - mark["last"] > SAME_PART * step:
            return False
        mark["last"] = None
        return True
