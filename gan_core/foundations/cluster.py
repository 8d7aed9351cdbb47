"""A Ray cluster: functions and processes that run on its nodes. No other file imports Ray.

Ray ends the program that it is connected from a minute after the cluster's head has gone, and looks for one that does
not answer for two minutes. So whoever may not end, a web server above all, leaves the connection to a process of its
own, and `check` tries an address in one before anything else is begun.

`python -m gan_core.foundations.cluster ADDRESS` says in one JSON line how many nodes are there; with
`--places CPUS GPUS MEMORY` it says every second how many trainings of that size would find room, until its standard
input is closed.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import logging
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.remote_process import PACKAGE, Host, Lost, RemoteProcess, last_line

VARIABLE = "GANSCOPE_RAY"
CONNECT_SECONDS = 7.0  # a cluster that is there answers within two
HEAD_EVERY_SECONDS = 2.0  # how often the head is asked whether it is there
HEAD_GONE_SECONDS = 10.0  # a head that does not answer for so long is gone: Ray itself would end the process
PLACES_EVERY_SECONDS = 1.0

MISSING = "A cluster needs Ray, which is not installed: `pip install -r requirements-cluster.txt`."
NONE_HERE = "No Ray cluster runs on this machine: `ray start --head` starts one, or give its address as HOST:PORT."
SILENT = (
    "No Ray cluster answers at {}. Check the address (HOST:PORT, as `ray start --head` said it), and that this machine "
    "is one of its nodes: `ray start --address HOST:PORT --num-cpus 0` makes it one. A cluster that asks for a token "
    "wants RAY_AUTH_MODE=token and the token here, too."
)
OTHER_VERSION = "The cluster at {} does not fit: {} The same Ray and Python are needed everywhere."
NO_ROOM = (
    "No node of the cluster has {} to give, which one training takes here. (A cluster that grows by itself must have "
    "one such node up.)"
)
HEAD_GONE = "The head of the cluster does not answer any more. What was finished is kept."


@dataclass(frozen=True)
class Need:
    """What one training takes of a node: cores, a share of a GPU, bytes of memory."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = 0

    def times_in(self, resources: dict[str, float]) -> int:
        """How often it fits into a node's (or a cluster's) resources, as Ray names them."""
        wanted = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}
        return int(min(math.floor(resources.get(name, 0.0) / n + 1e-9) for name, n in wanted.items() if n > 0))

    def sentence(self) -> str:
        """For people."""
        gpu = f", {self.gpus:g} of a GPU" if self.gpus else ""
        return f"{self.cpus:g} core{'s' if self.cpus != 1 else ''}{gpu} and {self.memory / 1e9:.1f} GB of memory"


def address_of(chosen: str | None) -> str | None:
    """The cluster's address: `chosen`, else what GANSCOPE_RAY says; None where there is neither."""
    return (chosen or os.environ.get(VARIABLE) or "").strip() or None


def check(address: str) -> None:
    """Raises ConfigError, within CONNECT_SECONDS, where there is no cluster to be used."""
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(MISSING)
    command = [sys.executable, "-m", "gan_core.foundations.cluster", address]
    try:
        done = subprocess.run(
            command, cwd=PACKAGE.parent, capture_output=True, text=True, timeout=2 * CONNECT_SECONDS, check=False
        )
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise ConfigError(SILENT.format(shorten(address))) from None
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise ConfigError(f"The cluster at {shorten(address)} cannot be used: {last[:300]}") from None
    if "error" in said:
        raise ConfigError(said["error"])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """While it lasts, nothing is printed: Ray tells of its nodes' ends where a command's result is to stand alone."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def node_here() -> str:
    """The id of the node that the calling function runs on, which `Cluster.submit` has sent there."""
    import ray

    return ray.get_runtime_context().get_node_id()


class Cluster:
    """A connection to a cluster, which this process may have one of. Raises ConfigError with a sentence.

    environment: variables that all that runs there finds. The package goes there with them; the packages that it needs
    must be there. Call `check` first.
    """

    def __init__(self, address: str, environment: dict[str, str] | None = None):
        try:
            import ray
        except ImportError:
            raise ConfigError(MISSING) from None
        self._ray: Any = ray
        there: dict[str, Any] = {"env_vars": environment or {}}
        if environment is not None:
            there["py_modules"] = [str(PACKAGE)]
        try:
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env=there,
                configure_logging=False,
            )
        except ConnectionError:
            raise ConfigError(NONE_HERE if address == "auto" else SILENT.format(shorten(address))) from None
        except RuntimeError as error:
            what = " ".join(str(error).split())
            if "ersion mismatch" not in what:
                raise ConfigError(f"The cluster at {shorten(address)} cannot be used: {what[:300]}") from None
            raise ConfigError(OTHER_VERSION.format(shorten(address), what.removesuffix(".") + ".")) from None
        except ValueError as error:  # what is no address at all
            raise ConfigError(f"{SILENT.format(shorten(address))} ({str(error).splitlines()[0][:200]})") from None
        self._functions: dict[Callable[..., Any], Any] = {}
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._head = (host, int(port))
        self._head_seen = self._head_asked = time.monotonic()
        self._head_gone = False

    def close(self) -> None:
        """Ends whatever this process has running there."""
        if not self._head_gone:
            self._ray.shutdown()
        else:
            # Ray's own end would wait for the head for a minute, and without it the interpreter's end crashes (Ray
            # 2.60): once all else is cleared up, the process ends as for any ConfigError.
            atexit.unregister(self._ray.shutdown)
            atexit.register(_leave)

    # -- what is there ------------------------------------------------------------------------------------

    def nodes(self) -> list[dict[str, float]]:
        """The resources of each node that is there, free or not."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def free(self, need: Need) -> int:
        """How many trainings would find room now."""
        # Ray's public call adds up all nodes, and so what no node has by itself; this one needs no dashboard either.
        free = self._ray._private.state.available_resources_per_node()
        return sum(need.times_in(node) for node in free.values())

    def total(self, need: Need) -> int:
        """How many trainings would find room if nothing else ran."""
        return sum(need.times_in(node) for node in self.nodes())

    def check_room(self, need: Need) -> None:
        """Raises ConfigError where no node could ever take it: Ray would wait for such a one."""
        if not self.total(need):
            raise ConfigError(NO_ROOM.format(need.sentence()))

    def answers(self) -> bool:
        """Whether the head is there: without it, every other question waits for an answer."""
        with contextlib.suppress(OSError), socket.create_connection(self._head, timeout=2.0):
            return True
        return False

    def check_head(self) -> None:
        """Asks the head now and then; raises ConfigError once it has not answered for HEAD_GONE_SECONDS."""
        now = time.monotonic()
        if now < self._head_asked + HEAD_EVERY_SECONDS:
            return
        self._head_asked = now
        if self.answers():
            self._head_seen = now
        elif now > self._head_seen + HEAD_GONE_SECONDS:
            self._head_gone = True
            raise ConfigError(HEAD_GONE)

    # -- functions ----------------------------------------------------------------------------------------

    def share(self, value: Any) -> Any:
        """`value` for any number of calls, sent to each node once; stands for it among their arguments."""
        return self._ray.put(value)

    def submit(self, function: Callable[..., Any], *arguments: Any, need: Need) -> Any:
        """Has a function of a module called on whichever node has room first; returns what `finished` knows it by."""
        if function not in self._functions:  # each that is made anew goes to the head first, which may not answer
            # Whoever asks tries again: Ray would do so for ever where a node has too little memory.
            self._functions[function] = self._ray.remote(max_retries=0)(function)
        options = {"num_cpus": need.cpus, "num_gpus": need.gpus, "memory": need.memory}
        return self._functions[function].options(**options).remote(*arguments)

    def finished(self, calls: list[Any], seconds: float) -> list[tuple[Any, Any]]:
        """(call, result) of those that have ended, after at most so many seconds; a result may be `Lost`.

        Raises ConfigError for what would go wrong with every call there.
        """
        done, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
        if not done:
            done, _ = self._ray.wait(calls, num_returns=1, timeout=seconds)
        return [(call, self._result(call)) for call in done]

    def _result(self, call: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(call)
        except (errors.RuntimeEnvSetupError, errors.RayTaskError) as error:
            raise ConfigError(f"The cluster's nodes cannot train: {last_line(error)}") from None
        except errors.RayError as error:  # the node, the process, its memory, or the object
            return Lost(last_line(error))

    def cancel(self, calls: list[Any]) -> None:
        """Ends calls at once, whether they run or wait."""
        for call in calls:
            with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.cancel(call, force=True)

    # -- processes ----------------------------------------------------------------------------------------

    def process(self, arguments: list[str], need: Need, seen: tuple[str, bytes] | None = None) -> RemoteProcess:
        """Python with these arguments on whichever node has room first, with pipes to it.

        seen: a file and its content, by which a node shows that it sees this machine's folder.
        """
        host = self._ray.remote(
            num_cpus=need.cpus,
            num_gpus=need.gpus,
            memory=need.memory,
            max_restarts=0,
            scheduling_strategy="SPREAD",
            concurrency_groups={"input": 1, "output": 1, "errors": 1},
        )(Host)
        return RemoteProcess(self._ray, host.remote(arguments, seen))


def _leave() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(2)


def _say(row: dict[str, Any]) -> None:
    _ANSWERS.write(json.dumps(row) + "\n")
    _ANSWERS.flush()


_ANSWERS = sys.stdout


def _give_up(why: str) -> None:
    _say({"error": why})
    os._exit(1)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def main(arguments: list[str]) -> None:
    """`ADDRESS [--places CPUS GPUS MEMORY]`."""
    with contextlib.suppress(ImportError):
        import ray  # noqa: F401  (on a busy machine that takes seconds, which say nothing of the cluster)
    silent = threading.Timer(CONNECT_SECONDS, _give_up, (SILENT.format(shorten(arguments[0])),))
    silent.daemon = True
    silent.start()
    try:
        cluster = Cluster(arguments[0])
        silent.cancel()
        if len(arguments) == 1:
            _say({"nodes": len(cluster.nodes())})
            return
        threading.Thread(target=_end_with_input, daemon=True).start()
        cpus, gpus, memory = arguments[2:]
        need = Need(float(cpus), float(gpus), int(memory))
        while True:
            cluster.check_head()
            if cluster.answers():
                _say({"free": cluster.free(need), "total": cluster.total(need)})
            time.sleep(PLACES_EVERY_SECONDS)
    except ConfigError as error:
        _say({"error": str(error)})


if __name__ == "__main__":
    _ANSWERS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray writes on standard output, too
    main(sys.argv[1:])
