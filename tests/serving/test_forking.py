"""Training processes that are forked from one that has imported TensorFlow (forking.py, fork_server.py)."""

import gc
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gan_core.foundations.machine import has_gpu
from gan_core.serving import forking as module
from gan_core.serving import worker_process
from gan_core.serving.client import Run
from gan_core.serving.forking import UNKNOWN, ForkedProcess, Forking
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.config import GANConfig
from gan_core.training import compilation
from tests.conftest import wait_until
from tests.support.forked import forking
from tests.support.processes import running
from tests.support.workers import poll_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or has_gpu(), reason="processes are forked on Linux, without a GPU"
)


@pytest.fixture
def plain():
    """A fork server that imports nothing."""
    plain = forking("plain")
    yield plain
    plain.rest()


def start(server: Forking, what: str, **environment: str) -> ForkedProcess:
    process = server.start([what], {**os.environ, **environment})
    assert process is not None
    return process


def said(process) -> dict:
    """What it prints until it ends well."""
    text, complaints = process.stdout.read(), process.stderr.read()
    assert process.wait(10) == 0, complaints
    return json.loads(text)


def test_it_is_given_what_a_process_of_its_own_would_be(plain, monkeypatch):
    monkeypatch.setenv("GANSCOPE_GOES", "1")
    start(plain, "tell").wait(10)
    monkeypatch.delenv("GANSCOPE_GOES")
    told = said(start(plain, "tell", GANSCOPE_RUNS_MB="77", TF_NUM_INTRAOP_THREADS="3"))
    environment = {**os.environ, "GANSCOPE_RUNS_MB": "77", "TF_NUM_INTRAOP_THREADS": "3"}
    assert {**told["environment"], "TF_CPP_MIN_LOG_LEVEL": ""} == {**environment, "TF_CPP_MIN_LOG_LEVEL": ""}
    assert told["folder"] == str(worker_process.ROOT) and told["threads"] == 1 and told["child"]


def test_it_holds_no_pipe_of_another(plain):
    """Else one would not see that the other has ended."""
    others = [start(plain, "listen") for _ in range(3)]
    for other in others:
        assert other.stdout.readline() == b"listens\n"
    assert len(said(start(plain, "tell"))["handles"]) == 4  # standard input, output and error, and its status
    for other in others:
        other.stdin.close()
        assert other.wait(10) == 0


@pytest.mark.parametrize(("what", "status"), [("listen", 5), ("fail", 1), ("kill", -signal.SIGKILL)])
def test_its_end_is_told(plain, what, status):
    process = start(plain, "listen" if what == "kill" else what)
    if what == "fail":
        assert process.stderr.read().endswith(b"ValueError: a sentence\n")
    else:
        assert process.stdout.readline() == b"listens\n" and process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        if what == "kill":
            process.kill()
        else:
            process.stdin.write(b"12345")
            process.stdin.close()
    assert process.wait(10) == process.poll() == process.returncode == status
    process.kill()  # nobody else


def test_a_fork_server_that_is_killed_takes_nobody_along_and_comes_again(plain):
    process = start(plain, "listen")
    assert process.stdout.readline() == b"listens\n"
    plain._server.process.kill()
    plain._server.process.wait()
    assert process.poll() is None
    other = start(plain, "tell")
    assert said(other) and other.pid != process.pid
    process.kill()
    assert process.wait(10) == UNKNOWN


def test_a_fork_server_ends_after_its_last_process(plain):
    process = start(plain, "listen")
    assert process.stdout.readline() == b"listens\n"
    server = plain._server.process
    plain.rest()
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(0.3)
    process.stdin.close()
    assert process.wait(10) == 0 and server.wait(10) == 0


def test_it_ends_with_the_process_that_wanted_it():
    code = "import os; from tests.support.forked import forking; f = forking('plain');"
    code += "p = f.start(['listen'], {**os.environ}); print(p.pid, f._server.process.pid, flush=True);"
    code += "os.kill(os.getpid(), 9)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    for pid in map(int, ended.stdout.split()):
        wait_until(lambda pid=pid: not running(pid), 20, "its end")


def test_a_process_that_the_system_refuses_is_an_error_as_of_any_other():
    server = forking("refused")
    try:
        first = start(server, "tell")  # nobody waits for a server that is starting
        assert first.wait(20) == 1
        with pytest.raises(OSError, match="Resource temporarily unavailable"):
            _ = first.pid
        with pytest.raises(OSError, match="Resource temporarily unavailable"):
            start(server, "tell")
    finally:
        server.rest()


def test_one_that_cannot_import_is_not_asked_again():
    """And the process that is then started by itself says why."""
    server = Forking([sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(3)"])
    first = server.start([], {**os.environ})
    assert first is None or first.wait(10) == UNKNOWN  # it has ended before it was asked, or after
    wait_until(lambda: server._server is None or server._server.process.poll() is not None, 10, "its end")
    assert server.start([], {**os.environ}) is None and server._server is None


def test_what_is_read_at_import_must_be_what_was_imported_with(plain):
    start(plain, "tell").wait(10)
    assert plain.start(["tell"], {**os.environ, "PYTHONPATH": "/elsewhere"}) is None
    assert plain.start(["tell"], {**os.environ, "XLA_FLAGS": "--xla_dump_to=/elsewhere"}) is None
    start(plain, "tell").wait(10)


def test_it_leaves_no_handle(plain):
    start(plain, "tell").wait(10)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        start(plain, "tell").wait(10)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_gpu_forbids_it(monkeypatch):
    monkeypatch.setattr(module, "has_gpu", lambda: True)
    assert Forking().start([], {**os.environ}) is None


def test_nothing_has_been_computed_before_the_fork_and_threads_are_as_asked():
    """TensorFlow's own check: a context that exists takes no number of threads any more."""
    server = forking("imported")
    try:
        few, many = (
            said(start(server, "compute", TF_NUM_INTRAOP_THREADS=n, TF_NUM_INTEROP_THREADS=n)) for n in ("1", "9")
        )
        assert few["product"] == pytest.approx(many["product"], rel=1e-3)
        assert many["threads"] - few["threads"] >= 8
    finally:
        server.rest()


def test_a_forked_training_is_that_of_a_process_of_its_own(monkeypatch):
    """Bit for bit, across the change from the graph to XLA."""
    wide = {"data": "ring", "g_units": 256, "d_units": 256, "g_layers": 2, "d_layers": 2, "batch_size": 256}
    config, shown = GANConfig.from_flat(wide), []
    steps = compilation.first_steps(config, (2,)) + 36
    for forks in (True, False):
        if not forks:
            monkeypatch.setattr(module, "the_forking", Forking(["false"]))
            module.the_forking._works = False
        process = WorkerProcess()
        assert isinstance(process.process, ForkedProcess) is forks
        run = Run(replace(config))
        try:
            run.attach(process)
            run.steps(steps)
            shown.append(poll_until(run, lambda s: s.status == "paused" and s.step == steps, "its steps").frame)
        finally:
            process.process.kill()
            process.process.wait(15)
    assert shown[0]["path"] == shown[1]["path"] == "XLA"
    assert np.array_equal(shown[0]["samples"], shown[1]["samples"])


def test_it_hears_a_handle_above_1023():
    """A lecture's connections take the low ones, and select.select knows no other."""
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1_100:
        pytest.skip("this process may have no such handle")
    fcntl = pytest.importorskip("fcntl")
    reads, writes = os.pipe()
    high = fcntl.fcntl(reads, fcntl.F_DUPFD, 1_050)
    try:
        assert not module._readable(high, 0)
        os.write(writes, b"x")
        assert module._readable(high, 5)
    finally:
        for handle in (reads, writes, high):
            os.close(handle)
