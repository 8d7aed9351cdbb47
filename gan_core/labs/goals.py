"""What a lab asks for: a condition on the run, within so many steps, with only these settings changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gan_core.diagnosis import facts
from gan_core.diagnosis.conditions import Condition
from gan_core.diagnosis.facts import Recorded
from gan_core.diagnosis.findings import FINDINGS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording import goal_watch
from gan_core.recording.recorder import ALONE, TOO_MANY
from gan_core.scores.registry import SCORES
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig

MOST_STEPS = 1_000_000
_TITLES = {
    "g_loss": "generator's loss",
    "d_loss": "discriminator's loss",
    "d_accuracy": "D accuracy",
    "best_modes": "most modes so far",
    "largest_mode": "share of the largest mode",
    "mode_changes": "changes of the largest mode",
    "memorized": "p(real) of known less that of unseen images",
}
LOOKS = 20  # on the way to the last step that counts, at least


@dataclass(frozen=True)
class Goal:
    """text: the condition, as it is written; within: the last step that counts; changing: the settings, by their flat
    names, that may differ from the lab's and may change on the way."""

    text: str
    within: int
    changing: tuple[str, ...]
    condition: Condition = field(compare=False)  # with `within`

    @classmethod
    def read(cls, text: str, within: int, changing: Iterable[str], config: GANConfig) -> Goal:
        """Raises ConfigError. config: the settings to start from."""
        by_itself = goal_watch.read(text, config)  # first, for what is said of it quotes what was written
        if "diverged" in by_itself.names:
            raise ConfigError("It cannot ask for diverged: such a run goes back to its last good state.")
        return cls(text, within, tuple(changing), goal_watch.read(f"({text}) and step <= {within}", config))

    @property
    def every(self) -> int:
        """Steps between two looks at it."""
        return max(1, self.within // LOOKS)

    def holds(self, run: Recorded) -> bool:
        """Whether it is reached at the newest step of the run."""
        return goal_watch.holds(self.condition, run)

    def not_allowed(self, start: GANConfig, begun: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> str:
        """Why a way to the goal does not count, in a sentence; "" where it does.

        start: the lab's settings; begun: the flat ones at step 0; changes: as in Recording."""
        lab = start.to_flat()
        differ = [name for name in lab | dict(begun) if lab.get(name) != begun.get(name)]
        names = dict.fromkeys([*differ, *(str(change["name"]) for change in changes)])
        if ALONE in names:
            return "A network was trained alone, by Step D or Step G."
        if TOO_MANY in names:
            return "Settings were changed more often than a receipt can hold."
        wrong = [name for name in names if name not in self.changing]
        if not wrong:
            return ""
        return f"{_listed(wrong)} {'was' if len(wrong) == 1 else 'were'} changed; only {_listed(self.changing)} may be."

    def values(self, run: Recorded) -> str:
        """What the run has of each number that the goal asks for, in words; "" where nothing is known yet."""
        known = goal_watch.known(self.condition, run).values
        named = [name for name in _in_order(self.text, self.condition.names) if name != "step"]
        found = {name: known[name] for name in named if name not in HYPERPARAMETERS}
        return ", ".join(f"{title(name)} {_shown(name, value)}" for name, value in found.items() if value is not None)


def title(name: str) -> str:
    """A name of a condition, in words."""
    if name in SCORES:
        return SCORES[name].title
    if name in FINDINGS:
        return FINDINGS[name].title
    of = facts.floor_names().get(name)
    return f"{SCORES[of].title} of real data" if of else _TITLES.get(name, name)


def _in_order(text: str, names: Iterable[str]) -> list[str]:
    return sorted((name for name in names if name in text), key=text.index)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    score = facts.floor_names().get(name, name)
    if score in SCORES and isinstance(value, (int, float)):
        return SCORES[score].text(value)
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"


def _listed(names: Iterable[str]) -> str:
    """Names as a sentence has them."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def checked_steps(value: Any, what: str) -> int:
    """A number of steps; raises ConfigError, which says `what` it is."""
    if type(value) is not int or not 1 <= value <= MOST_STEPS:
        raise ConfigError(f"{what} must be a whole number of steps from 1 to {MOST_STEPS:,}.")
    return value
