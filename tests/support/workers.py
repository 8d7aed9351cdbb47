"""Real workers for tests: each with a main function of its own, which makes it quick, slow or broken."""

import subprocess
import sys
import threading
import time

import pytest

from gan_core.recording.snapshot import View
from gan_core.runs import run_writing
from gan_core.serving import fork_server, worker_process
from gan_core.serving.forking import Forking
from gan_core.serving.worker_process import WorkerProcess
from tests.conftest import wait_until

SLOW_SECONDS = 6.0


def hurry(first=0.05):
    """The main function of a worker that compiles nothing, and autosaves as often as it can, after `first` seconds."""
    from gan_core.runs import autosave
    from gan_core.serving import worker
    from gan_core.training import train_step, trainer

    made = trainer.TrainStep

    def plain(*arguments, **options):
        new = made(*arguments, **{**options, "path": "graph"})
        new.train = new._train
        return new

    train_step.TrainStep = trainer.TrainStep = plain
    autosave.FIRST_SECONDS, autosave.EVERY_SECONDS = first, 0.05
    autosave.SHARE = 1.0
    worker.NICENESS = 0
    worker.main()


def slow():
    """As `hurry`, but autosaves at its end only, which takes seconds; one that nobody renews ends soon."""
    from gan_core.serving import mailbox

    write = run_writing.Writer.write

    def slowly(self, content):
        time.sleep(SLOW_SECONDS)
        write(self, content)

    run_writing.Writer.write = slowly
    mailbox.LEASE_SECONDS, mailbox.ORPHAN_SECONDS = 1.0, 3.0
    hurry(first=1_000.0)


def unscored():
    """As `hurry`, but no score can be made."""
    from gan_core.scores import live

    def fail(self):
        raise ValueError("a score that fails")

    live.PointScores._make = fail
    hurry()


def fork_server_of_these():
    """A fork server whose processes are such workers: the argument names the main function."""
    fork_server.main(lambda arguments: {"hurry": hurry, "slow": slow, "unscored": unscored}[arguments[0]]())


_HERE = "from tests.support.workers import {0}; {0}()"
_forking = Forking([sys.executable, "-c", _HERE.format("fork_server_of_these")])


def hurried(main="hurry"):
    """The process of a worker with that main function."""

    def started(arguments, environment):
        pipe, command = subprocess.PIPE, [sys.executable, "-c", _HERE.format(main)]
        return _forking.start([main], environment) or subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=worker_process.ROOT, env=environment
        )

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker_process, "started", started)
        return WorkerProcess()


def poll_until(run, ready, what, seconds=90, errors=False):
    """The first snapshot for which `ready` holds; the worker's lease is renewed meanwhile. errors: they may come."""

    def look():
        run.worker.send("lease")
        snapshot = run.poll(View(heat=False), 0.1)
        assert snapshot.status != "ended" and (errors or not snapshot.error), snapshot.error
        return snapshot if ready(snapshot) else None

    return wait_until(look, seconds, what)


def first_thread_fails(monkeypatch) -> list:
    """Has the first thread that starts from now on fail, as where there are too many; then it stands in the list."""
    start, refused = threading.Thread.start, []

    def busy(thread):
        if not refused:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", busy)
    return refused
