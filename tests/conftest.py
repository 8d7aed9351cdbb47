"""What several test files need: a real server on a free port of 127.0.0.1, and a real Chromium."""

import atexit
import contextlib
import gc
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

# One thread for NumPy's matrix products, here and in all that is started, before NumPy is imported: on cores that are
# busy with other things, too, OpenBLAS's threads spin until the last of them has had its turn, which made products of
# small matrices ten times as slow.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pytest
from hypothesis import settings

from tests.support.processes import running

pytest_plugins = ["tests.support.tab"]

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


# Nothing that a test autosaves lands among anybody's runs.
HOME = tempfile.mkdtemp(prefix="ganscope-tests-")
RUNS = f"{HOME}/runs"
os.environ["GANSCOPE_RUNS_DIR"] = RUNS
SWEEPS = f"{HOME}/sweeps"
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


def pytest_configure(config):
    """Nor is anything else of whoever runs the tests read or written: caches, data sets, settings of a server."""
    examples = 2_000 if config.getoption("--full") else 50
    # The same examples every time, and no limit on one's time: the suite's machine may be slow.
    settings.register_profile("suite", max_examples=examples, derandomize=True, deadline=None, database=None)
    settings.load_profile("suite")
    for name in [name for name in os.environ if name.startswith("GANSCOPE_")]:
        del os.environ[name]
    os.environ |= {
        "GANSCOPE_RUNS_DIR": RUNS,
        "GANSCOPE_SWEEPS_DIR": SWEEPS,
        "GANSCOPE_CACHE": f"{HOME}/cache",
        "KERAS_HOME": f"{HOME}/keras",
        # A spare process for each page that is opened would be most of what the browser's tests compute.
        "GANSCOPE_SPARE": "0",
    }


def _scope(nodeid: str) -> str:
    """What one process takes as a whole: a file, or all that use a browser: two browsers at once starve each other."""
    name = nodeid.split("::")[0]
    return "browser" if name.startswith("tests/browser/") else name


def pytest_collection_modifyitems(items):
    """The tests with a browser, which mostly wait, begin first; beside them, and after them on both, go the others."""
    for item in items:
        if _scope(item.nodeid) == "browser":
            item.add_marker("browser")
    items.sort(key=lambda item: _scope(item.nodeid) != "browser")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n 2` each process takes the next scope as soon as it is free."""
    from xdist.scheduler import LoadScopeScheduling

    class Scopes(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    config.option.loadscopereorder = False  # xdist would begin with the scope of the most tests
    return Scopes(config, log)


def pytest_terminal_summary(terminalreporter):
    """Why a test was tried again, which pytest does not say of one that then passed."""
    for report in terminalreporter.stats.get("rerun", []):
        why = getattr(getattr(report.longrepr, "reprcrash", None), "message", "") or str(report.longrepr)
        told = "".join(f"\n    {title}: {text}" for title, text in report.sections if title == "a page")
        terminalreporter.write_line(f"TRIED AGAIN {report.nodeid}: {why.splitlines()[0][:200]}{told}")


def pytest_collection_finish():
    """Sets apart what all the test files have loaded, TensorFlow above all: nothing of it is ever garbage.

    Streamlit collects garbage after each run of a page; going through all of that took half a second each time.
    """
    gc.collect()
    gc.freeze()


def pytest_addoption(parser):
    """`--full`: faults at the length of real ones. By default they are short, for the suite is run often."""
    about = "the faults at full length (ten minutes of sleep, 200 openings, eight sessions for five minutes, ...)"
    parser.addoption("--full", action="store_true", help=about)


@pytest.fixture(scope="session")
def full(request) -> bool:
    """Whether the long tests run at full length."""
    return request.config.getoption("--full")


# What nothing that is read may lead to: other programs, connections, and pickles, by which any code is run.
RUNS_SOMETHING = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen"}
RUNS_SOMETHING |= {"socket.connect", "pickle.find_class"}
_heard: list[str] | None = None
_listens = False


def _hear(event: str, args: tuple) -> None:
    if _heard is None:
        return
    if event in RUNS_SOMETHING and "gan_core.data.parquet_trial" not in str(args):  # which only reads the file, too
        _heard.append(f"{event} {str(args)[:200]}")


@pytest.fixture
def nothing_is_run():
    """Fails a test in which anything that was read is run: Python itself tells of it, whatever library does it."""
    global _heard, _listens
    if not _listens:
        sys.addaudithook(_hear)  # for good: Python takes none back
        _listens = True
    _heard = []
    yield
    heard, _heard = _heard, None
    assert heard == []


PATIENCE = 3  # A limit costs nothing where all is well, and the suite's machine may be slow, and busy with two lanes.


def wait_until(ready, seconds: float, what: str):
    """The first true value of `ready()`, which a good machine has within `seconds`; fails after PATIENCE times that."""
    limit = PATIENCE * seconds
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        value = ready()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {limit:g} s in vain for {what}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def children(pid: int) -> list[int]:
    """The training processes that process `pid` started, itself or by its fork server, and that still run."""
    try:
        output = subprocess.run(["ps", "-ewwo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, timeout=10)
    except FileNotFoundError:
        pytest.skip("this test counts processes with ps, which is not here")
    rows = [line.split(None, 3) for line in output.stdout.splitlines()]
    lives = [(int(row[0]), int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")]
    forking = {own for own, parent, command in lives if parent == pid and "gan_core.serving.fork_server" in command}
    return [
        own
        for own, parent, command in lives
        if parent in forking or (parent == pid and "gan_core.serving.worker" in command)
    ]


class Server:
    """`streamlit run app.py`, as a user starts it; in `root`, which may be a copy of the sources.

    base: the option server.baseUrlPath. options: more of the command line.
    """

    def __init__(
        self,
        port: int | None = None,
        root: Path = ROOT,
        base: str = "",
        options: tuple[str, ...] = (),
        **environment: str,
    ):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}" + (f"/{base}" if base else "")
        if base:
            options = (*options, f"--server.baseUrlPath={base}")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (not a pipe: nobody has to empty it)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port), *options],
            cwd=root,
            env={**os.environ, **environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        wait_until(self._answers, 60, "the server to answer")

    def said(self) -> str:
        """All that the server has written on standard output and standard error, without colours."""
        size = os.fstat(self._log.fileno()).st_size
        return re.sub(r"\x1b\[[\d;]*m", "", os.pread(self._log.fileno(), size, 0).decode(errors="replace"))

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the server ended with status {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Process ids of the server's training processes."""
        return children(self.process.pid)

    def stop(self) -> None:
        """Ends the server, and waits until it has ended."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)


class Line:
    """A network line to a server's port that can be cut and mended; `url` goes through it."""

    def __init__(self, port: int):
        self._target = port
        self._whole = True
        self._upgraded: set[socket.socket] = set()
        self._lost: set[socket.socket] = set()
        self._carries = threading.Event()
        self._carries.set()
        self._sockets: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return  # closed
            if not self._whole:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:  # the server is away
                near.close()
                continue
            far.settimeout(None)
            self._sockets |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._carries.wait()
                if b"Upgrade: websocket" in data:
                    self._upgraded |= {one, other}
                if one not in self._lost:
                    other.sendall(data)
        for end in (one, other):
            if one not in self._lost:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Breaks every connection and takes no new one."""
        self._whole = False
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def lose(self) -> None:
        """Has neither side of the WebSockets that there are hear anything of the other again, not even its end."""
        self._lost |= self._upgraded

    def hush(self) -> None:
        """Keeps every connection, and lets nothing through until it is mended."""
        self._carries.clear()

    def mend(self) -> None:
        """Takes connections again, and lets everything through."""
        self._whole = True
        self._carries.set()

    def close(self) -> None:
        """Ends the line."""
        self.cut()
        self._carries.set()
        self._door.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and few steps of the classifier's training."""
    from gan_core.scores import classifier

    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(classifier, "STEPS", (60, 60))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def server():
    """One server for the browser tests; closed tabs give their places back soon."""
    cache = tempfile.mkdtemp(prefix="ganscope-tests-")
    server = Server(GANSCOPE_MAX_WORKERS="8", GANSCOPE_AWAY_SECONDS="20", GANSCOPE_CACHE=cache)
    yield server
    workers = server.workers()
    server.stop()
    wait_until(lambda: not any(running(pid) for pid in workers), 15, "the workers to end with their server")
    shutil.rmtree(cache, ignore_errors=True)


def chromium_path() -> str | None:
    """The Chromium to use: one that is there, else Debian's (as root); None leaves it to Playwright's own."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            subprocess.run(command, check=False, timeout=900, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = shutil.which("chromium")
    if found is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True, timeout=900)
    return found


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
