"""What can be taken away of a run: one click each, made by `python -m gan_core export` in a process of its own."""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import TimeoutError as NoAnswer
from functools import partial
from pathlib import Path

import streamlit as st

from gan_core.client import ROOT, Run
from gan_core.datasets import DATASETS
from gan_core.export import EXPORTS
from gan_core.knobs import ConfigError
from gan_core.run_reading import Saved
from pages.ui import clicks, controls
from pages.ui.liveplot import deliver

MOST_SECONDS = 600.0
SAVE_SECONDS = 60.0
TICK_SECONDS = 0.4
PERCENT = re.compile(r"(\d{1,3}) ?%")


class Job:
    """One export on its way: `fraction` done, then `content` or `error`."""

    def __init__(self, kind: str, name: str, prepare: Callable[[Path], Path]):
        self.kind, self.name, self.number = kind, f"{name}{EXPORTS[kind].suffix}", uuid.uuid4().hex
        self.fraction, self.error, self.content = 0.0, "", b""
        self._prepare = prepare
        self._process: subprocess.Popen | None = None
        self._cancelled = False
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def cancel(self) -> None:
        """Ends it without a result."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()

    def _work(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="ganscope-export-"))
        try:
            self._make(self._prepare(folder), folder / f"result{EXPORTS[self.kind].suffix}")
        except RuntimeError as error:
            self.error = str(error)
        except Exception as error:  # a thread's traceback would reach nobody
            self.error = f"This could not be made ({type(error).__name__})."
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self, run: Path, result: Path) -> None:
        command = [sys.executable, "-m", "gan_core", "export", str(run), "--as", self.kind, "--output", str(result)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=pipe, text=True)
        killer = threading.Timer(MOST_SECONDS, self._process.kill)
        killer.daemon = True
        killer.start()
        last = ""
        for line in self._process.stderr:
            found = PERCENT.search(line)
            if found:
                self.fraction = min(int(found[1]), 100) / 100
            elif line.strip():
                last = line.strip()
        status = self._process.wait()
        killer.cancel()
        if self._cancelled:
            raise RuntimeError("Cancelled.")
        if status != 0:
            raise RuntimeError(last if status == 2 else "This could not be made: the exporting process failed.")
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

    Asked at the click: frames come without a script, so a button that the script drew disabled, before the first step,
    would refuse for seconds after it.
    """
    if run.worker is not None and run.step > 0:
        return False
    controls.say("There is something to keep after the first step: press Play or Step.")
    return True


def panel(source: Run | Saved) -> None:
    """A button for each export."""
    busy = running() is not None
    st.caption("Take away")
    with st.container(horizontal=True, gap="xsmall", key=f"takeaway_{type(source).__name__}"):
        for kind, row in EXPORTS.items():
            if not (row.points_only and DATASETS[source.config.data].kind == "images"):
                clicks.button(
                    kind,
                    f"take_{type(source).__name__}_{kind}",
                    partial(_begin, kind, source),
                    help=row.description,
                    disabled=busy,
                )


def _begin(kind: str, source: Run | Saved) -> None:
    if running() is not None or (isinstance(source, Run) and too_early(source)):
        return
    if isinstance(source, Run):
        name = f"{source.config.data} step {source.step}"
        job = Job(kind, name, partial(_saved_now, source, name))
    else:
        job = Job(kind, source.name, lambda _folder: source.folder)
    st.session_state.take_job = job


def running() -> Job | None:
    """The export that is being made now."""
    job = st.session_state.get("take_job")
    return job if job is not None and job.thread.is_alive() else None


def progress() -> None:
    """The export on its way, on whatever page, and its delivery."""
    if st.session_state.get("take_job") is not None:
        with st.container(key="take_progress"):
            st.fragment(_progress, run_every=TICK_SECONDS if running() is not None else None)(running() is not None)


def _progress(ticking: bool) -> None:
    job: Job = st.session_state.take_job
    if ticking and running() is None:
        st.rerun()  # the buttons come back, and the timer ends
    if running() is not None:
        st.progress(job.fraction, f"Making {job.name} …")
        st.button("Cancel", key="take_cancel", on_click=job.cancel)
    elif job.error:
        st.warning(job.error)
        st.button("Close", key="take_close", on_click=_forget)
    else:
        deliver(job.content, job.name, EXPORTS[job.kind].mime, job.number)
        st.success(f"{job.name}, {len(job.content) / 1e6:,.1f} MB, was given to your browser.")
        st.button("Close", key="take_close", on_click=_forget)


def _forget() -> None:
    st.session_state.take_job = None
