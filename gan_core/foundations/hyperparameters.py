"""What a hyperparameter is: kind, range, default, when it acts, and how a text becomes its value."""

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0")
SHOWN_CHOICES = 16  # in a sentence


class ConfigError(ValueError):
    """A setting that cannot be used. The message is a sentence for the user."""


class Settings(Protocol):
    """The settings of a run as the rooms below `settings` see them: each under its flat name (`g_lr`, `g_layers`)."""

    def __getattr__(self, name: str) -> Any: ...


class Described(Mapping[str, str]):
    """The names of a registry, each with its row's description; a row that joins the registry later is there too."""

    def __init__(self, registry: Mapping[str, Any]):
        self._registry = registry

    def __getitem__(self, name: str) -> str:
        row = self._registry[name]
        return row if isinstance(row, str) else row.description

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    def __len__(self) -> int:
        return len(self._registry)


def shorten(value: Any, limit: int = 40) -> str:
    """`repr` of a user's value, cut so that a message stays a sentence."""
    try:
        text = repr(value) if not isinstance(value, str) else repr(value[: 2 * limit])
    except ValueError:  # Python does not print whole numbers of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str) -> str:
    """The text without what cannot be shown; new lines stay."""
    return "".join(c for c in text if c.isprintable() or c == "\n")


@dataclass(frozen=True)
class Hyperparameter:
    """One setting: `kind` is the Python type of its value.

    Numbers lie in [low, high]; texts are one of `choices` (names of a registry with their descriptions).
    `live` settings act on a running training; all others rebuild it. `stops` are the values a slider offers;
    any other value in the range is accepted too. A text without choices matches `pattern`; `form` says so in words.

    When it acts: `idle(settings)` says why it does nothing beside the others, "" where it acts, and `needs` what it
    needs for that, in words. Of one that rows of a registry carry, `carriers` names those rows together, and `lacking`
    says why it does nothing beside a row without it ("{}" stands for that row); both are found by themselves where
    nothing better is said. quiet: it only sizes or fine-tunes what another setting turns on, so that nobody expects it
    to act without.
    """

    kind: type
    default: Any
    label: str
    help: str
    group: str = ""
    low: float = -math.inf
    high: float = math.inf
    log: bool = False
    choices: Mapping[str, str] | None = None
    live: bool = False
    stops: tuple[float, ...] | None = None
    pattern: str = ""
    form: str = ""
    needs: str = ""
    idle: Callable[[Any], str] | None = field(default=None, compare=False)
    carriers: str = ""
    lacking: str = ""
    quiet: bool = False

    def ticks(self) -> list[float] | None:
        """The values at which a slider stops, or None for an even one: `stops`, or a logarithmic series."""
        if self.stops is not None:
            return list(self.stops)
        if not self.log:
            return None
        series = (1, 2, 3, 4, 6, 8) if self.kind is int else (1, 1.5, 2, 3, 4, 5, 7)
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = {self.kind(float(f"{m}e{d}")) for d in decades for m in series}
        if self.kind is int:
            values |= {2**k for k in range(3, 11)} | {self.default}
        return sorted({v for v in values if self.low <= v <= self.high} | {self.low, self.high})

    def accepts(self) -> str:
        """The accepted values, in words."""
        if self.kind is bool:
            return "true or false"
        if self.choices is not None:
            names, more = list(self.choices)[:SHOWN_CHOICES], len(self.choices) - SHOWN_CHOICES
            return "one of " + ", ".join(names) + (f" and {more} more" if more > 0 else "")
        if self.kind is str:
            return self.form
        if self.kind is int:
            return f"a whole number from {self.low:,} to {self.high:,}"
        return f"a number from {self.low:g} to {self.high:g}"

    def check(self, name: str, value: Any) -> Any:
        """`value` (a text, or a value of JSON) as this knob's type; raises ConfigError."""
        try:
            return self._convert(value)
        except (ValueError, TypeError, OverflowError):
            raise ConfigError(f"{name} must be {self.accepts()}; got {shorten(value)}.") from None

    def _convert(self, value: Any) -> Any:
        if self.kind is bool:
            word = str(value).strip().lower()
            if word not in TRUE_WORDS + FALSE_WORDS:
                raise ValueError
            return word in TRUE_WORDS
        if self.kind is str:
            if type(value) is int:  # JSON may say 32 for "32"
                value = str(value)
            if not isinstance(value, str) or (self.choices is not None and value not in self.choices):
                raise ValueError
            if self.pattern and not re.fullmatch(self.pattern, value):
                raise ValueError
            return value
        if isinstance(value, bool) or (isinstance(value, str) and len(value) > 40):
            raise ValueError
        number = float(value)
        if self.kind is int:
            if not number.is_integer():
                raise ValueError
            number = int(number)
        if not self.low <= number <= self.high:
            raise ValueError
        return number


def asked_for(function: Callable, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that a function of a registry's row names among its parameters."""
    return {name: value for name, value in values.items() if name in inspect.signature(function).parameters}
