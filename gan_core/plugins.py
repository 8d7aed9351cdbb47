"""Rows of your own for the registries: `GANSCOPE_PLUGINS=my_losses.py streamlit run app.py` loads such a module.

A plugin is a Python file that adds rows to registries, as in `LOSSES["mine"] = Loss(...)`; CONTRIBUTING.md has an
example of each kind. It is code that runs with all of your rights, so it is loaded on your own machine only: never by a
server that listens for others (`load(shared=True)` refuses).

A plugin that cannot be imported, that takes the name of what exists, or whose functions give another shape or no
gradient, is left out whole, with a sentence that names file and line; everything else starts without it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock
from types import ModuleType

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.plugin_checks import (
    PLAIN,
    REGISTRIES,
    VARIABLE,
    Unusable,
    check_plain,
    check_rows,
    check_tensorflow,
    paths,
    said,
)
from gan_core.settings import all_settings

CHECK_SECONDS = 120.0
ONLY_YOURS = (
    f"{VARIABLE} is ignored: a plugin runs with all of your rights, so only a server that listens on your own computer "
    "alone (server.address 127.0.0.1, and no sign-in) loads one."
)


_problems: list[str] | None = None
_LOCK = Lock()


def load(shared: bool = False, checked: bool = True) -> list[str]:
    """Loads the plugins, once in a process; returns a sentence for each that is left out, with its file and line.

    shared: whether this process serves others; then none is loaded. checked: whether functions of TensorFlow are tried
    too, in a process of their own (some seconds): the training process leaves that to the server that started it.
    """
    global _problems
    with _LOCK:  # several pages may open at once
        if _problems is None:
            files = paths()
            refused = [ONLY_YOURS] if files and shared else []
            _problems = refused or [problem for path in files if (problem := _take_up(path, checked))]
        return _problems


def _take_up(path: Path, checked: bool) -> str:
    """Loads one plugin; returns why it is left out, or ""."""
    before = {kind: dict(registry) for kind, (registry, _) in REGISTRIES.items()}
    name = f"ganscope_plugin_{path.stem}"
    try:
        if not path.is_file():
            raise Unusable("there is no such file")
        _imported(name, path)
        for kind, (registry, row_type) in REGISTRIES.items():
            check_rows(kind, registry, before[kind], row_type)
        _collect()
        added = {kind: [n for n in registry if n not in before[kind]] for kind, (registry, _) in REGISTRIES.items()}
        if not any(added.values()):
            raise Unusable("it adds nothing to any registry")
        check_plain(added)
        if checked and any(added[kind] for kind in added if kind not in PLAIN):
            _check_elsewhere(path)
    except Unusable as error:
        for kind, (registry, _) in REGISTRIES.items():
            registry.clear()
            registry.update(before[kind])
        sys.modules.pop(name, None)
        all_settings.collect()
        return f"The plugin {path} is left out: {error}."
    return ""


def _collect() -> None:
    try:
        all_settings.collect()
    except ConfigError as error:
        raise Unusable(str(error).rstrip(".")) from None


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Unusable("it is not a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that its functions' texts are found for exported scripts
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a plugin may raise anything, SystemExit too
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Unusable(said(error, path)) from None
    return module


# -- functions of TensorFlow, in a process of their own -----------------------------------------------------


def _check_elsewhere(path: Path) -> None:
    """Tries the plugin's functions in another process, which may hang or die."""
    command = [sys.executable, "-m", "gan_core.plugins", str(path)]
    environment = {**os.environ, VARIABLE: str(path), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            env=environment,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unusable(f"its functions take longer than {CHECK_SECONDS:.0f} s") from None
    except OSError as error:
        raise Unusable(f"it cannot be tried: {error.strerror}") from None
    lines = done.stdout.strip().splitlines()
    try:
        problem = json.loads(lines[-1])["problem"]
    except (IndexError, ValueError, KeyError):
        raise Unusable(f"the process that tries its functions ended with status {done.returncode}") from None
    if problem:
        raise Unusable(problem)


def main(path: str) -> None:
    """What that process does: prints {"problem": a sentence's part, or ""} as its last line."""
    before = {kind: set(registry) for kind, (registry, _) in REGISTRIES.items()}
    problem = _take_up(Path(path), checked=False)
    if not problem:
        added = {kind: [n for n in registry if n not in before[kind]] for kind, (registry, _) in REGISTRIES.items()}
        try:
            check_tensorflow(added)
        except Unusable as error:
            problem = str(error)
    print(json.dumps({"problem": problem}), flush=True)


if __name__ == "__main__":
    # As the module that plugins import from, not as `__main__`: the registries are the same, but not `Unusable`.
    from gan_core import plugins

    plugins.main(sys.argv[1])
