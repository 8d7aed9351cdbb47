"""The sweep that this server has running: one at a time, in a process of its own, which ends with the server."""

import atexit
import contextlib
import subprocess
import sys
import threading
from pathlib import Path

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.serving.worker_process import ROOT

LOG = "log.txt"
LAST_BYTES = 4_000
END_SECONDS = 20.0

_LOCK = threading.Lock()
_running: tuple[Path, subprocess.Popen] | None = None


def start(folder: Path) -> None:
    """Trains what the sweep of the folder lacks; raises ConfigError where another one runs, or none can be started."""
    global _running
    with _LOCK:
        if _running is not None and _running[1].poll() is None:
            if _running[0] == folder:
                return
            raise ConfigError(f"The sweep {_running[0].name} is running: stop it first, or wait until it ends.")
        command = [sys.executable, "-m", "gan_core.sweeps.background", str(folder.absolute())]
        try:
            with open(folder / LOG, "wb") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT)
        except OSError as error:
            raise ConfigError(f"The sweep cannot be started: {error.strerror or error}.") from None
        _running = folder, process
        atexit.register(_end, process)


def stop(folder: Path) -> None:
    """Has the sweep of the folder end; what is finished stays."""
    with _LOCK:
        if _running is not None and _running[0] == folder:
            _running[1].terminate()


def is_running(folder: Path) -> bool:
    """Whether this server has the sweep of the folder running."""
    with _LOCK:
        return _running is not None and _running[0] == folder and _running[1].poll() is None


def last_words(folder: Path) -> str:
    """The last line that the sweep's process has written, or ""."""
    with contextlib.suppress(OSError), open(folder / LOG, "rb") as log:
        log.seek(max(0, log.seek(0, 2) - LAST_BYTES))
        lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""
    return ""


def _end(process: subprocess.Popen) -> None:
    """With the server: told to end, and then made to."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
