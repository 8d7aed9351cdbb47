"""Processes that save runs and are killed: what is on disk opens, and is what was written last."""

import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.recorder import Checkpoint, Recording
from gan_core.runs import run_folders, run_reading, run_writing
from gan_core.runs.run_reading import Saved
from gan_core.runs.run_writing import Content
from gan_core.serving.client import Run
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.config import GANConfig
from tests.conftest import ROOT
from tests.support.workers import SLOW_SECONDS, hurried, poll_until

# Real processes on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

CONFIG = GANConfig.from_flat({"data": "file"})
POINTS = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
COLUMNS = 7  # of a history row


# -- what the killed processes do ---------------------------------------------------------------------------


def grow(recording, step):
    """Adds the next step, all of whose numbers are the step's own."""
    recording.history.append(np.full((1, COLUMNS), step, np.float32))
    if step % 3 == 0:
        recording.history.mark(step, f"g_lr {step} → {step + 1}")
    recording.frames.add(step, {"samples": np.full((1_000, 2), step, np.float32)})
    recording.scores.add(step, {"step": step, "w1": float(step)})
    state = {"g/0/kernel": np.full((300, 100), step, np.float32), "step": np.array(step)}
    recording.checkpoints.add(step, Checkpoint(CONFIG.to_flat(), state, recording.history.state()))


def content(recording, step):
    return Content(CONFIG, step, recording.copy(), loading.load(CONFIG, POINTS), POINTS)


def whole(folder):
    """The run, after looking at every number in it."""
    run = run_reading.read(folder)
    recording, step = run_reading.recording_of(run, checkpoints=True), run.step
    assert recording.history.steps == step and run.scores == {"step": step, "w1": float(step)}
    assert [m["step"] for m in recording.history.markers] == list(range(3, step + 1, 3))[-40:]
    assert np.allclose(recording.history.frame()["high"][-1], step)
    for kept in (recording.frames, recording.scores, recording.checkpoints):
        assert kept.steps[-1] == step
    for at, frame in zip(recording.frames.steps, recording.frames.items, strict=True):
        assert (frame["samples"] == at).all()
    for at, point in zip(recording.checkpoints.steps, recording.checkpoints.items, strict=True):
        assert all((part == at).all() for part in point.state.values())
    assert run_reading.picture_of(run) is not None and np.array_equal(run_reading.upload_of(run), POINTS)
    return run


def write_on(folder):
    """Writes a run's next steps for ever, from where it stands, and says which is written."""
    recording, step = Recording(), 0
    if folder.exists():
        run = whole(folder)
        recording, step = run_reading.recording_of(run, checkpoints=True), run.step
    writer = run_writing.Writer(folder)
    while True:
        step += 1
        grow(recording, step)
        writer.write(content(recording, step))
        say(f"wrote {step}")


def save_on(folder):
    """Saves new runs for ever, and says how many there are."""
    recording = Recording()
    grow(recording, 1)
    for i in range(sum(not path.name.startswith(".") for path in folder.iterdir()), 1_000_000):
        run_writing.save(folder / f"run {i}", content(recording, 1))
        say(f"wrote {i + 1}")


def save_at_once(folder):
    """Saves a name that others save too, when all are there."""
    recording = Recording()
    grow(recording, 1)
    said = "won"
    folder.with_name(f"ready {os.getpid()}").touch()
    while len([*folder.parent.glob("ready *")]) < RACERS:
        time.sleep(0.0005)
    try:
        run_writing.save(folder, content(recording, 1))
    except ConfigError as error:
        said = str(error)
    say(said)


def share(folder):
    """Autosaves a run that others autosave too, and changes its note."""
    recording = Recording()
    writer = run_writing.Writer(folder)
    for step in range(1, 13):
        grow(recording, step)
        writer.write(content(recording, step))
        run_folders.annotate(folder, f"{os.getpid()} at {step}")
    say("done")


RACERS = 4
WORKS = {"write": write_on, "save": save_on, "race": save_at_once, "share": share}


def say(line):
    os.write(1, f"{line}\n".encode())  # at once and whole


def nursery():
    """For every line `WORK FOLDER` of standard input a new process that does it, whose end is told."""
    for line in sys.stdin:
        work, _, folder = line.strip().partition(" ")
        pids = []
        for _ in range(RACERS if work in ("race", "share") else 1):
            pid = os.fork()
            if pid == 0:
                try:
                    WORKS[work](Path(folder))
                except BaseException as error:
                    say(f"broken {error!r}")
                os._exit(0)
            pids.append(pid)
            say(f"pid {pid}")
        for pid in pids:
            os.waitpid(pid, 0)
        say("gone")


# -- a hand-made run, killed many times ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def born():
    """Has the nursery begin a work; `line()` is the next thing that is said."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from tests.runs.test_run_kills import nursery; nursery()"],
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT, "text": True},
    )
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line.strip()) for line in process.stdout], daemon=True).start()

    def begin(work, folder):
        process.stdin.write(f"{work} {folder}\n")
        process.stdin.flush()
        return int(line().removeprefix("pid "))

    def line():
        said = lines.get(timeout=30)
        assert not said.startswith("broken"), said
        return said

    yield SimpleNamespace(begin=begin, line=line)
    process.stdin.close()
    try:
        process.wait(10)
    finally:
        process.kill()


def killed(born, work, folder, rng):
    """Begins a work and kills it at a random moment, some before their first report; the last one's number, or 0."""
    pid, last, early = born.begin(work, folder), 0, rng.random() < 0.3
    if not early:
        last = int(born.line().removeprefix("wrote "))
    time.sleep(rng.random() * (0.03 if early else 0.12))
    os.kill(pid, signal.SIGKILL)
    while (said := born.line()) != "gone":
        last = int(said.removeprefix("wrote "))
    return last


def test_a_run_that_is_killed_while_it_is_written_is_whole_and_as_new_as_was_said(born, tmp_path):
    rng = random.Random(1)
    for kill in range(36):
        if kill % 4 == 0:
            folder, before = tmp_path / f"run {kill}", 0
        said = killed(born, "write", folder, rng)
        if said or before or folder.exists():
            run = whole(folder)
            assert run.step >= max(said, before)
            before = run.step
    # What the killed ones left half written goes with the next save.
    recording = run_reading.recording_of(run, checkpoints=True)
    grow(recording, run.step + 1)
    run_writing.Writer(folder).write(content(recording, run.step + 1))
    about = whole(folder).about
    named = {row["file"] for row in (*about["files"].values(), *about["checkpoints"])}
    assert {path.name for path in folder.iterdir()} == {"config.json", *named}


def test_new_runs_that_are_killed_while_they_are_saved_are_there_whole_or_not_at_all(born, tmp_path):
    rng, n = random.Random(2), 0
    for _ in range(10):
        said = killed(born, "save", tmp_path, rng)
        found = run_folders.listed(tmp_path)
        assert all(isinstance(run, Saved) for run in found) and len(found) >= max(n, said)
        n = len(found)
    assert all(whole(run.folder).step == 1 for run in found) and n > 10


def test_of_processes_that_save_one_name_at_once_exactly_one_wins(born, tmp_path):
    for attempt in range(4):
        root = tmp_path / str(attempt)
        root.mkdir()
        born.begin("race", root / "run")
        said = []
        while (line := born.line()) != "gone":
            said.append(line)
        said = [line for line in said if not line.startswith("pid ")]
        assert sorted(said) == ["There is a run with the name 'run' already: choose another."] * (RACERS - 1) + ["won"]
        assert whole(root / "run").step == 1 and not [*root.glob(".part-*")]


def test_processes_that_write_one_run_and_its_note_at_once_leave_it_whole(born, tmp_path):
    """As servers do that share a folder of runs: what config.json names is there, whoever wrote last."""
    folder = tmp_path / "autosave ring"
    grown = Recording()
    grow(grown, 1)
    run_writing.save(folder, content(grown, 1))
    born.begin("share", folder)
    said = []
    while (line := born.line()) != "gone":
        said.append(line)
        whole_or_newer(folder)
    assert said.count("done") == RACERS
    run = whole(folder)
    assert run.step == 12 and run.note.endswith("at 12") and not [*folder.glob("*.tmp")]
    named = {row["file"] for row in (*run.about["files"].values(), *run.about["checkpoints"])}
    assert {path.name for path in folder.iterdir()} == {"config.json", *named}


def whole_or_newer(folder):
    """What is read while others write is of one moment."""
    run, recording = run_reading.opened(folder, checkpoints=True)
    assert recording.checkpoints.steps[-1] == recording.frames.steps[-1] == run.step


# -- a real worker, killed while it trains and autosaves ----------------------------------------------------

SMALL = GANConfig.from_flat(
    {"data": "ring", "g_layers": 1, "d_layers": 1, "g_units": 8, "d_units": 8, "batch_size": 8, "data_size": 500}
)
KILLS = 2


def ended(process):
    """Waits for a worker's end, and makes sure of it."""
    try:
        process.process.wait(15)
    finally:
        process.process.kill()


def goes_on(saved, worker):
    """A run that a new worker takes up where the folder's stood, with the very picture that was saved."""
    recording = run_reading.recording_of(saved, checkpoints=True)
    assert recording.checkpoints.steps[-1] == recording.frames.steps[-1] == saved.step == recording.history.steps
    run = Run(saved.config)
    run.open(saved, run_reading.upload_of(saved))
    run.attach(worker)
    shown = poll_until(run, lambda s: s.status == "paused" and "samples" in s.frame, "the saved step")
    assert shown.step == saved.step
    assert np.array_equal(shown.frame["samples"], recording.frames.items[-1]["samples"])
    assert list(shown.frame["checkpoints"]) == recording.checkpoints.steps
    return run


def test_a_worker_that_is_killed_leaves_a_run_that_a_new_one_goes_on_from(tmp_path):
    """And one that ends with its page leaves the last step that was shown."""
    rng, folder, spares = random.Random(3), tmp_path / "autosave ring", [hurried(), hurried()]
    try:
        run, step = Run(SMALL), 0
        run.attach(spares[0])
        for kill in range(KILLS):
            worker = run.worker
            run.keep([folder], "owner")
            run.play()
            wanted = step + rng.randrange(1, 20)
            seen = poll_until(run, lambda s, n=wanted: s.step > n and folder.exists(), "steps and a save")
            time.sleep(rng.random() * 0.4)
            os.kill(worker.pid, signal.SIGKILL)
            worker.process.wait(15)
            saved = run_reading.read(folder)
            assert saved.owner == "owner" and saved.step >= max(step, seen.frame["autosave"]["step"])
            assert [found.step for found in run_folders.listed(tmp_path)] == [saved.step]
            step = saved.step
            # The last one is as every worker is: it saves for the first time after four seconds, and when it ends.
            spares.append(hurried() if kill < KILLS - 1 else WorkerProcess())
            run = goes_on(saved, spares[kill + 1])
        run.keep([folder], "owner")
        run.play()
        shown = poll_until(run, lambda s: s.step > step + 5, "a few steps")
        process = run.worker
        run.end("its page was closed")
        ended(process)
        saved = run_reading.read(folder)
        assert saved.step >= shown.step and run_reading.recording_of(saved).frames.steps[-1] == saved.step
        # And standing still: that very step, with the very picture.
        run = goes_on(saved, spares[-1])
        run.keep([folder], "owner")
        run.steps(7)
        shown = poll_until(run, lambda s: s.status == "paused" and s.step == saved.step + 7, "seven steps")
        process = run.worker
        run.end("its page was closed")
        ended(process)
        recording = run_reading.recording_of(run_reading.read(folder), checkpoints=True)
        assert recording.frames.steps[-1] == recording.checkpoints.steps[-1] == shown.step
        assert np.array_equal(recording.frames.items[-1]["samples"], shown.frame["samples"])
    finally:
        for process in spares:
            process.process.kill()
            process.process.wait(15)


@pytest.mark.parametrize("end", ["its page was closed", "nobody renews it"])
def test_a_worker_ends_when_its_run_is_saved_however_long_that_takes(tmp_path, end):
    """One rule for all ends, within a bound: the last step that was shown is on disk."""
    process, folder = hurried("slow"), tmp_path / "autosave ring"
    try:
        run = Run(SMALL)
        run.attach(process)
        run.keep([folder], "owner")
        run.steps(5)
        poll_until(run, lambda s: s.status == "paused" and s.step == 5, "five steps")
        asked = run.save([tmp_path / "by hand"])  # what was asked for before the end is done as well
        if end == "its page was closed":
            run.end(end)
        process.process.wait(2 * SLOW_SECONDS + 15)
        assert process.process.returncode == 0
        assert run_reading.read(folder).step == 5
        (by_hand,) = asked.result(10)
        assert run_reading.read(by_hand).step == 5
    finally:
        process.process.kill()
        process.process.wait(15)


def test_scores_that_fail_stop_nothing(tmp_path):
    """They are a note, and the run trains and is saved."""
    process = hurried("unscored")
    try:
        run = Run(SMALL)
        run.attach(process)
        run.play()
        playing = poll_until(run, lambda s: s.step > 5 and "metrics" in s.frame, "steps")
        assert playing.status == "playing" and "a score that fails" in playing.frame["metrics"]["note"]
        poll_until(run, lambda s: s.step > playing.step, "more steps")
        (folder,) = run.save([tmp_path / "kept"]).result(30)
        assert run_reading.read(folder).step > 5
    finally:
        process.process.kill()
        process.process.wait(15)
