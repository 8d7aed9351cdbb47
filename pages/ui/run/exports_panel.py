"""What a run can be exported as: one click each, made by `python -m gan_core export` in a process of its own."""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import TimeoutError as NoAnswer
from functools import partial
from pathlib import Path

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.export.exports import EXPORTS
from gan_core.foundations import machine
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs.run_reading import Saved
from gan_core.serving.client import Run
from gan_core.serving.worker_process import ROOT
from pages.ui.components.liveplot import deliver
from pages.ui.server.streamlit_private import connected as _is_connected
from pages.ui.server.streamlit_private import session_id as _session
from pages.ui.session import clicks, page_state, remembered

MOST_SECONDS = 600.0
SAVE_SECONDS = 60.0
TICK_SECONDS = 0.4
CANCELLED = "The export was cancelled."
PERCENT = re.compile(r"(\d{1,3}) ?%")


_LINE: list["Job"] = []  # all exports of the server, in the order in which they were asked for
_LOCK = threading.Lock()


class Job:
    """One export on its way: it waits for its turn, `fraction` of it is done, then there is `content` or `error`.

    It belongs to a page. When that has gone for good (`machine.away_seconds`), nobody wants it, and it ends.
    """

    def __init__(self, kind: str, name: str, prepare: Callable[[Path], Path]):
        self.kind, self.name, self.number = kind, f"{name}{EXPORTS[kind].suffix}", uuid.uuid4().hex
        self.fraction, self.error, self.content = 0.0, "", b""
        self.said = False  # whether its page has told of the end
        self.owner = _session()
        self._prepare = prepare
        self._process: subprocess.Popen | None = None
        self._cancelled = False
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def ahead(self) -> int:
        """How many exports are to end before this one can begin."""
        with _LOCK:
            place = _LINE.index(self) if self in _LINE else 0
        return max(0, place - machine.export_limit() + 1)

    def cancel(self) -> None:
        """Ends it without a result."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()

    def _watch(self) -> None:
        seen = time.monotonic()
        while self.thread.is_alive():
            if _is_connected(self.owner):
                seen = time.monotonic()
            elif time.monotonic() - seen > machine.away_seconds():
                self.cancel()
            self.thread.join(0.5)

    def _work(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="ganscope-export-"))
        with _LOCK:
            _LINE.append(self)
        try:
            run = self._prepare(folder)
            while self.ahead and not self._cancelled:
                time.sleep(0.1)
            if self._cancelled:
                raise RuntimeError(CANCELLED)
            self._make(run, folder / f"result{EXPORTS[self.kind].suffix}")
        except RuntimeError as error:
            self.error = str(error)
        except Exception as error:  # a thread's traceback would reach nobody
            self.error = f"{self.name} could not be made ({type(error).__name__})."
        finally:
            with _LOCK:
                _LINE.remove(self)
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self, run: Path, result: Path) -> None:
        command = [sys.executable, "-m", "gan_core", "export", str(run), "--as", self.kind, "--output", str(result)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=pipe, text=True)
        if self._cancelled:  # in between
            self._process.kill()
        killer = threading.Timer(MOST_SECONDS, self._process.kill)
        killer.daemon = True
        killer.start()
        last = ""
        for line in self._process.stderr or ():
            found = PERCENT.search(line)
            if found:
                self.fraction = min(int(found[1]), 100) / 100
            elif line.strip():
                last = line.strip()
        status = self._process.wait()
        killer.cancel()
        if self._cancelled:
            raise RuntimeError(CANCELLED)
        if status != 0:
            raise RuntimeError(last if status == 2 else f"{self.name} could not be made. Try again, or export less.")
        self.content = result.read_bytes()


def _saved_now(run: Run, name: str, folder: Path) -> Path:
    """Has the worker write the run as it stands into `folder`, under `name`; raises RuntimeError."""
    try:
        return run.save([folder / name]).result(SAVE_SECONDS)[0]
    except ConfigError as error:
        raise RuntimeError(str(error)) from None
    except NoAnswer:
        raise RuntimeError("The run was not saved in time. Press Pause and try again.") from None


def too_early(run: Run) -> bool:
    """Whether there is nothing to keep of it yet, and says so.

    Asked at the click: the script draws the page a moment after the first step, and until then a disabled button would
    refuse.
    """
    if run.folder is not None or (run.worker is not None and run.step > 0):
        return False
    page_state.say("Nothing to save yet. Press Play or Step first.")
    return True


def panel(source: Run | Saved) -> None:
    """A button for each export."""
    busy = running() is not None
    st.caption("Export")
    with st.container(horizontal=True, gap="xsmall", key=f"takeaway_{type(source).__name__}"):
        for kind, row in EXPORTS.items():
            if not (row.points_only and DATASETS[source.config.data].kind == "images"):
                clicks.button(
                    row.label,
                    f"take_{type(source).__name__}_{kind}",
                    partial(_begin, kind, source),
                    help=row.description,
                    disabled=busy,
                )


def _begin(kind: str, source: Run | Saved) -> None:
    if running() is not None or (isinstance(source, Run) and too_early(source)):
        return
    saved = source.folder
    if saved is not None:
        job = Job(kind, saved.name, lambda _folder: saved)
    elif isinstance(source, Run):
        name = f"{source.config.data} step {source.step}"
        job = Job(kind, name, partial(_saved_now, source, name))
    else:
        return
    tab = page_state.tab()
    tab.export, tab.export_begun = job, True
    remembered.keep()  # at once: a refresh may come before the page is drawn to its end


def begun() -> bool:
    """Whether an export was asked for since the page was drawn: a dialog that draws itself alone has it drawn anew."""
    return page_state.tab().export_begun


def running() -> Job | None:
    """The export that is being made now."""
    job: Job | None = page_state.tab().export
    return job if job is not None and job.thread.is_alive() else None


def progress() -> None:
    """The export on its way, on whatever page, and its delivery."""
    tab = page_state.tab()
    job: Job | None = tab.export
    tab.export_begun = False
    if job is None:
        return
    job.owner = _session()
    busy = job.thread.is_alive()
    if not busy and not job.said:
        job.said = True
        page_state.say(job.error or f"Downloaded: {job.name}, {len(job.content) / 1e6:,.1f} MB.")
        st.rerun()
    if busy or job.content:
        with st.container(key="take_progress" if busy else "take_done"):
            st.fragment(_progress, run_every=TICK_SECONDS if busy else None)(job, busy)


def _progress(job: Job, ticking: bool) -> None:
    if not ticking:
        if not job.content:
            return  # it was received just now
        deliver(job.content, job.name, EXPORTS[job.kind].mime, job.number, partial(_received, job))
    elif not job.thread.is_alive():
        st.rerun()  # the buttons come back, and the timer ends
    else:
        ahead = job.ahead
        waits = f"Waiting for {ahead} other export{'s' if ahead > 1 else ''}: {job.name}"
        st.progress(job.fraction, waits if ahead else f"Making {job.name}")
        st.button("Cancel", key="take_cancel", on_click=job.cancel)


def _received(job: Job) -> None:
    """The browser has the file: it is sent no more."""
    job.content = b""
