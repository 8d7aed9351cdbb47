"""`Lab`: one question about GANs, as a file of JSON or TOML holds it. Reading one runs nothing of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, printable, shorten
from gan_core.labs.goals import Goal, checked_steps
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.setting_texts import DATA_PREFIX, unknown_setting

MOST_BYTES = 60_000
SUFFIXES = (".json", ".toml")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
ANSWERS = (2, 4)  # how many a prediction has
MOST_SHOWN = 12
# The texts of a lab: the most letters, and whether it can be without.
TEXTS: dict[str, tuple[int, bool]] = {
    "title": (80, False),
    "question": (400, False),
    "look_at": (400, False),
    "task": (300, False),
    "reveal": (1_200, False),
    "next": (60, True),
}
MOST_ANSWER = 80
FIELDS = (*TEXTS, "answers", "right", "settings", "shown", "goal", "within", "changing")


@dataclass(frozen=True)
class Lab:
    """name: as a link has it. title, question; answers: of the prediction, `right` the one that comes true, from 1, or
    0 where none is. start: all settings. shown: those that the page shows, by flat names.
    look_at: where to look. task: the goal in words. reveal: what happened, and why. next: the lab that follows, "" for
    the one after it in the list."""

    name: str
    title: str
    question: str
    answers: tuple[str, ...]
    right: int
    start: GANConfig
    shown: tuple[str, ...]
    look_at: str
    task: str
    goal: Goal
    reveal: str
    next: str

    @property
    def kind(self) -> str:
        """The page that it is on, `points` or `images`."""
        return DATASETS[self.start.data].kind

    @property
    def digest(self) -> str:
        """Names what a receipt is of: the settings and the goal, whatever the words around them."""
        checked = {"settings": self.start.to_query(), "goal": self.goal.text, "within": self.goal.within}
        text = json.dumps({**checked, "changing": sorted(self.goal.changing)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def not_shown(self, config: GANConfig) -> list[str]:
        """The settings in which `config` differs from the lab's, though the lab does not show them."""
        mine, other = self.start.to_flat(), config.to_flat()
        return [n for n in mine | other if mine.get(n) != other.get(n) and n not in self.shown]


def read_file(path: Path) -> Lab:
    """The lab in a file, called as it is; raises ConfigError, whose sentence names the file."""
    try:
        return read(path.stem, _content(path))
    except ConfigError as error:
        raise ConfigError(f"The lab {printable(path.name)}: {error}") from None


def _content(path: Path) -> Mapping[str, Any]:
    """What the file holds, as a table."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait for its writer
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError("it is not a file.")
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"it cannot be read: {error.strerror}.") from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"it is larger than {MOST_BYTES:,} bytes.")
    try:
        text = raw.decode("utf-8-sig")
        content = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except UnicodeDecodeError:
        raise ConfigError("it is not UTF-8 text.") from None
    except (ValueError, RecursionError) as error:
        kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
        raise ConfigError(f"it is not valid {kind}: {str(error)[:120]}.") from None
    if not isinstance(content, dict):
        raise ConfigError('it must be an object, for example {"title": "...", "question": "..."}.')
    return content


def read(name: str, content: Mapping[str, Any]) -> Lab:
    """The lab `name` of a file's content; raises ConfigError, a sentence with the field and what is accepted there."""
    if not NAME.fullmatch(name):
        raise ConfigError("a lab's name has small letters a-z, digits, _ and - only, at most 60.")
    unknown = [str(field) for field in content if field not in FIELDS]
    if unknown:
        raise ConfigError(f"there is no field {shorten(unknown[0])}; there are: {', '.join(FIELDS)}.")
    texts = {field: _text(content, field, most, optional) for field, (most, optional) in TEXTS.items()}
    if texts["next"] and not NAME.fullmatch(texts["next"]):
        raise ConfigError("`next` must be the name of a lab: small letters a-z, digits, _ and -.")
    answers = _list(content, "answers", ANSWERS)
    if any(not answer or len(answer) > MOST_ANSWER for answer in answers) or len(set(answers)) < len(answers):
        raise ConfigError(f"`answers` must be different texts of 1 to {MOST_ANSWER} letters.")
    right = content.get("right", 0)
    if type(right) is not int or not 0 <= right <= len(answers):
        raise ConfigError(f"`right` must be the number of the right answer, 1 to {len(answers)}, or 0 for none.")
    start = _start(content.get("settings"))
    shown = _names(content, "shown", start.to_flat(), start)
    changing = _names(content, "changing", shown, start) if "changing" in content else shown
    within = checked_steps(content.get("within"), "`within`")
    goal = content.get("goal")
    if not isinstance(goal, str):
        raise ConfigError('`goal` must be a condition as a text, for example "modes == 8 and hq >= 0.9".')
    try:
        wanted = Goal.read(goal, within, changing, start)
    except ConfigError as error:
        raise ConfigError(f"`goal`: {error}") from None
    return Lab(
        name=name,
        answers=answers,
        right=right,
        start=start,
        shown=shown,
        goal=wanted,
        **texts,
    )


def _text(content: Mapping[str, Any], field: str, most: int, optional: bool) -> str:
    value = content.get(field, "" if optional else None)
    text = " ".join(printable(value).split()) if isinstance(value, str) else ""
    if not isinstance(value, str) or len(text) > most or (not text and not optional):
        raise ConfigError(f"`{field}` must be a text of {'0' if optional else '1'} to {most:,} letters.")
    return text


def _list(content: Mapping[str, Any], field: str, sizes: tuple[int, int]) -> tuple[str, ...]:
    """A list of texts."""
    value, (least, most) = content.get(field), sizes
    if not isinstance(value, list) or not least <= len(value) <= most or not all(isinstance(v, str) for v in value):
        raise ConfigError(f"`{field}` must be a list of {least} to {most} texts.")
    return tuple(" ".join(printable(v).split()) for v in value)


def _names(content: Mapping[str, Any], field: str, among: Any, start: GANConfig) -> tuple[str, ...]:
    """A list of settings, each one of `among`."""
    names = _list(content, field, (1, MOST_SHOWN))
    for name in names:
        if name not in start.to_flat() or name == "data":
            why = "`data` is fixed in a lab." if name == "data" else unknown_setting(name, start.data)
            raise ConfigError(f"`{field}`: {why}")
        if name not in among:
            raise ConfigError(f"`{field}`: {name} is not in `shown`, so nobody could change it.")
    return names


def _start(given: Any) -> GANConfig:
    """The settings to start from: a preset, where one is named, with these changes."""
    if not isinstance(given, dict) or not given:
        raise ConfigError('`settings` must be an object of settings, for example {"preset": "ring", "d_lr": 0.001}.')
    changes = {str(name): value for name, value in given.items() if name != "preset"}
    base: dict[str, Any] = {}
    if "preset" in given:
        if not isinstance(given["preset"], str) or given["preset"] not in PRESETS:
            raise ConfigError(f"`settings`: there is no preset {shorten(given['preset'])}; there are: {_presets()}.")
        base = PRESETS[given["preset"]].config.to_flat()
        if changes.get("data", base["data"]) != base["data"]:
            base = {name: value for name, value in base.items() if not name.startswith(DATA_PREFIX)}
    try:
        start = GANConfig.from_flat({**base, **changes})
    except ConfigError as error:
        raise ConfigError(f"`settings`: {error}") from None
    if DATASETS[start.data].upload:
        raise ConfigError(f"`settings`: the data set {start.data} needs a file, and a lab brings none.")
    return start


def _presets() -> str:
    return ", ".join(PRESETS)


def written(content: Mapping[str, Any], name: str) -> str:
    """A lab's file, as JSON, of what `read` takes; raises ConfigError where that is not a lab."""
    read(name, content)
    return json.dumps(dict(content), indent=2, ensure_ascii=False) + "\n"
