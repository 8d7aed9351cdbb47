"""A sweep that a page's server has started: `python -m gan_core.sweeps.background FOLDER`.

It ends with its server: by a signal, so that what is finished stays. Its last words are its progress.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from gan_core import plugins
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs.unattended import Failed
from gan_core.sweeps.command import go_on
from gan_core.sweeps.store import Store

NICE = 5  # whoever sits at this machine goes before


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(text: str, to: TextIO = sys.stdout) -> None:
    print(text, file=to, flush=True)


def main(folder: str) -> int:
    """Goes on with the sweep of the folder; returns the exit status."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICE)
    plugins.load(checked=False)  # the server has tried them
    store = Store(Path(folder))
    try:
        rows = go_on(store, store.upload(), None, _say)["rows"]
    except (ConfigError, Failed) as error:
        _say(str(error))
        return getattr(error, "status", 2)
    _say(f"All {len(rows):,} trials are finished.")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main(*sys.argv[1:]))
