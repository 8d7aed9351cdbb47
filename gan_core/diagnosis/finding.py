"""What the coach says: `Finding`, and `Row`, how a finding of one kind is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gan_core.diagnosis.facts import Recorded
from gan_core.settings.all_settings import LIVE_FIELDS
from gan_core.settings.config import GANConfig

Remedy = Callable[[GANConfig], Mapping[str, Any]]


class Evidence(NamedTuple):
    """Where it is seen. curve: a column of the losses, `d_accuracy`, a score or another name of facts.py; first, last:
    the steps of the band. said: the numbers, in words, as the end of the sentence."""

    curve: str
    first: int
    last: int
    said: str = ""


@dataclass(frozen=True)
class Row:
    """A kind of finding. title: two or three words. sentence: what happens, in plain words, which the numbers of the
    evidence follow. find: of what was recorded, the evidence, or None. remedy: settings to change, {} where none
    helps for sure. why: the reason in a sentence."""

    title: str
    sentence: str
    why: str
    find: Callable[[Recorded], Evidence | None]
    remedy: Remedy


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong, as it is shown."""

    name: str
    title: str
    sentence: str
    why: str
    curve: str
    first: int
    last: int
    remedy: Mapping[str, Any]

    @property
    def live(self) -> bool:
        """Whether the remedy can be applied while it trains."""
        return bool(self.remedy) and set(self.remedy) <= set(LIVE_FIELDS)

    def state(self) -> dict[str, Any]:
        """As a dictionary, for frames and files."""
        return {**vars(self), "remedy": dict(self.remedy), "live": self.live}
