"""A receipt: how a run reached a lab's goal, so that anybody can have it trained again. `checking.py` does that."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import gan_core
from gan_core.foundations.hyperparameters import ConfigError, printable, shorten
from gan_core.labs.goals import MOST_STEPS
from gan_core.labs.lab import NAME, Lab
from gan_core.recording.recorder import FRAMES, MOST_CHANGES, SCORES
from gan_core.settings.all_settings import LIVE_FIELDS
from gan_core.settings.config import GANConfig

FORMAT = 1
MOST_BYTES = 200_000
_FIELDS = (
    *("ganscope_receipt", "lab", "digest", "title", "prediction", "settings", "seed", "changes", "step", "scores"),
    *("scored", "framed", "versions", "checksum"),
)


@dataclass(frozen=True)
class Change:
    """A setting that took another value at a step: it acts on the step after it."""

    step: int
    name: str
    value: Any


@dataclass(frozen=True)
class Receipt:
    """lab, digest: which lab, and which version of what it asks for. prediction: what was answered before. start: the
    settings at step 0. step: at which the goal was reached; scores: of that step. scored, framed: the steps of the
    scores and frames that were kept on the way. versions: of GANscope, TensorFlow and the machine."""

    lab: str
    digest: str
    prediction: str
    start: GANConfig
    changes: tuple[Change, ...]
    step: int
    scores: Mapping[str, Any]
    scored: tuple[int, ...]
    framed: tuple[int, ...]
    versions: Mapping[str, str]


def versions() -> dict[str, str]:
    """What this machine trains with."""
    try:
        tensorflow = version("tensorflow")
    except PackageNotFoundError:  # a build of another name
        tensorflow = "unknown"
    machine = f"{platform.system()} {platform.machine()}"
    return {"ganscope": gan_core.__version__, "tensorflow": tensorflow, "machine": machine}


def written(lab: Lab, prediction: str, reached: Mapping[str, Any]) -> str:
    """The receipt, as JSON, of how a run reached the goal of `lab` (GoalWatch.reached)."""
    content = {
        "ganscope_receipt": FORMAT,
        "lab": lab.name,
        "digest": lab.digest,
        "title": lab.title,
        "prediction": prediction,
        "settings": dict(reached["settings"]),
        "seed": reached["settings"]["seed"],
        "changes": [{"step": c["step"], "name": c["name"], "value": c["new"]} for c in reached["changes"]],
        "step": reached["step"],
        "scores": dict(reached["scores"]),
        "scored": list(reached["scored"]),
        "framed": list(reached["framed"]),
        "versions": versions(),
    }
    return json.dumps({**content, "checksum": checksum(content)}, indent=1, ensure_ascii=False) + "\n"


def checksum(content: Mapping[str, Any]) -> str:
    """Of everything in a receipt but this: whether it was edited. It keeps nobody from lying; training again does."""
    rest = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def read_file(path: str | Path) -> Receipt:
    """The receipt in a file; raises ConfigError, whose sentence names the file."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait for its writer
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"{path} is not a file.")
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:  # a name with a zero byte
        raise ConfigError(f"{shorten(str(path))} cannot be read.") from None
    try:
        return read(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def read(raw: bytes) -> Receipt:
    """The receipt of a file's bytes; raises ConfigError where it is none, or was edited."""
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"it is larger than {MOST_BYTES:,} bytes, so it is not a receipt.")
    try:
        content = json.loads(raw.decode("utf-8-sig"))
        same = isinstance(content, dict) and content.get("checksum") == checksum(content)
    except (ValueError, RecursionError):
        raise ConfigError("it is not a receipt: it is not valid JSON.") from None
    if not isinstance(content, dict) or "ganscope_receipt" not in content:
        raise ConfigError("it is not a receipt of a lab.")
    if content["ganscope_receipt"] != FORMAT:
        raise ConfigError("it is a receipt of another version of GANscope. Update GANscope to check it.")
    if not same:
        raise ConfigError("it was edited: its checksum does not fit. Download it again from the lab.")
    return _understood(content)


def _understood(content: dict[str, Any]) -> Receipt:
    """The receipt of content whose checksum fits; raises ConfigError for what GANscope never writes."""
    if set(content) != set(_FIELDS):
        raise ConfigError("it is not a receipt of this version: its fields are others.")
    texts = {name: content[name] for name in ("lab", "digest", "title", "prediction")}
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts.values()):
        raise ConfigError("its lab and prediction must be texts.")
    if not NAME.fullmatch(content["lab"]):
        raise ConfigError(f"there is no lab with the name {shorten(content['lab'])}.")
    step = _step(content["step"], 1, "its step")
    if not isinstance(content["settings"], dict):
        raise ConfigError("its settings must be an object.")
    start = GANConfig.from_flat(content["settings"])
    if content["seed"] != start.seed:
        raise ConfigError("its seed is not that of its settings.")
    scores, known = content["scores"], content["versions"]
    if not isinstance(scores, dict) or not isinstance(known, dict):
        raise ConfigError("its scores and versions must be objects.")
    return Receipt(
        lab=content["lab"],
        digest=content["digest"],
        prediction=printable(content["prediction"]),
        start=start,
        changes=_changes(content["changes"], start, step),
        step=step,
        scores=scores,
        scored=_steps(content["scored"], SCORES, step, "scored"),
        framed=_steps(content["framed"], FRAMES, step, "framed"),
        versions={str(name): printable(str(value))[:60] for name, value in known.items()},
    )


def _step(value: Any, least: int, what: str) -> int:
    if type(value) is not int or not least <= value <= MOST_STEPS:
        raise ConfigError(f"{what} must be a whole number from {least} to {MOST_STEPS:,}.")
    return value


def _steps(value: Any, most: int, last: int, what: str) -> tuple[int, ...]:
    """Rising steps up to `last`."""
    if not isinstance(value, list) or len(value) > most:
        raise ConfigError(f"its {what} must be a list of at most {most} steps.")
    steps = [_step(each, 0, f"each of its {what}") for each in value]
    if steps != sorted(set(steps)) or any(each > last for each in steps):
        raise ConfigError(f"its {what} must be rising steps up to step {last:,}.")
    return tuple(steps)


def _changes(value: Any, start: GANConfig, last: int) -> tuple[Change, ...]:
    """The changes on the way, each tried on the settings that it meets; those of one step together, for some are
    accepted only so."""
    if not isinstance(value, list) or len(value) > MOST_CHANGES:
        raise ConfigError(f"its changes must be a list of at most {MOST_CHANGES}.")
    at: dict[int, dict[str, Any]] = {}
    before = 1
    for each in value:
        if not isinstance(each, dict) or set(each) != {"step", "name", "value"}:
            raise ConfigError('each of its changes must have "step", "name" and "value".')
        before = _step(each["step"], before, "the step of each of its changes")
        if before > last:
            raise ConfigError("one of its changes comes after the goal was reached.")
        if each["name"] not in LIVE_FIELDS:
            raise ConfigError(f"{shorten(each['name'])} cannot be changed while a run trains.")
        at.setdefault(before, {})[each["name"]] = each["value"]
    changes, config = [], start
    for step, together in at.items():
        config = config.updated(together)
        changes += [Change(step, name, getattr(config, name)) for name in together]
    return tuple(changes)
