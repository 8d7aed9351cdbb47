"""The server's end of a training process that runs on a cluster's node: `python -m gan_core.serving.cluster_worker`.

It stands where `gan_core.serving.worker` stands on a machine of one's own, with the same arguments, and hands on what
goes over its pipes, byte for byte: the server knows no difference. Ray may end this process together with its cluster;
the server then finds one training process gone, as it always might.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from gan_core.foundations.cluster import SILENT, VARIABLE, Cluster, Need
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.machine import own_variables, thread_variables
from gan_core.foundations.remote_process import Lost, RemoteProcess
from gan_core.runs.run_folders import runs_folder
from gan_core.serving.places import need
from gan_core.serving.worker_process import CLUSTER_STATUS

REACH_SECONDS = 30.0  # for the cluster to answer beside many others that start: the server knows that it is there
ROOM_SECONDS = 30.0  # for a node to have room: the server has counted the places, but others may be faster
ORPHAN_SECONDS = (
    60.0  # for a last autosave on a node that still answers, once the server has closed our pipe or is gone
)
SHARED = ".shared-by-all-nodes"
PIECE = 1 << 20
NOT_SHARED = "{} does not see the folder {} of this server's saved runs: all nodes must share it (docs/cluster.md)"


def main() -> None:
    """Until the process on the node has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; its end closes our pipe
    reader, writer = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # what libraries print must not get between the messages
    threading.Thread(target=_end_with_server, args=(reader,), daemon=True).start()
    address = os.environ[VARIABLE]
    with contextlib.suppress(ImportError):
        import ray  # noqa: F401  (many may start at once, which says nothing of the cluster)
    silent = threading.Timer(REACH_SECONDS, _end, (SILENT.format(address),))
    silent.daemon = True
    silent.start()
    placed = False
    try:
        wanted = need()
        cluster = Cluster(address, _variables(wanted))
        silent.cancel()
        seen = _seen()
        process = cluster.process(["-m", "gan_core.serving.worker", *sys.argv[1:]], wanted, seen)
        node, sees = process.node(ROOM_SECONDS)
        placed = True
        if seen is not None and not sees:
            _end(NOT_SHARED.format(node, Path(seen[0]).parent))
        threading.Thread(target=_to_node, args=(process, reader), daemon=True).start()
        complaints = threading.Thread(target=_complaints, args=(process,), daemon=True)
        complaints.start()
        while data := process.read():
            _write(writer, data)
        os.close(writer)
        status = process.wait()
        complaints.join(1.0)  # the last line may say why
    except TimeoutError:
        _end(f"No node of the cluster had room within {ROOM_SECONDS:g} s.")
    except Lost as lost:
        if not placed:
            _end(f"no process could be started on the cluster: {lost}")
        _end("the node of the cluster that it ran on is gone, or its process there was killed")
    except ConfigError as error:
        _end(str(error))
    os._exit(status if status >= 0 else 128 - status)  # Ray's own end takes a second


def _end_with_server(reader: int) -> None:
    """Ends this process ORPHAN_SECONDS after the server has closed its end of the pipe, as the server's own end does: a
    cluster that is gone as well, or a node that hangs, would leave everything here waiting for an answer."""
    if hasattr(select, "poll"):  # all systems but Windows, on which Ray's clusters do not run
        closed = select.poll()
        closed.register(reader, 0)  # tells of nothing but the other end's closing
        closed.poll()
        time.sleep(ORPHAN_SECONDS)
        os._exit(CLUSTER_STATUS)


def _variables(wanted: Need) -> dict[str, str]:
    """What the process finds there: our own settings, and no more threads and memory than it was counted for."""
    counted = {**thread_variables(round(wanted.cpus)), "GANSCOPE_WORKER_MB": str(wanted.memory // 1_000_000)}
    return {**own_variables(), **counted, "TF_CPP_MIN_LOG_LEVEL": "3"}


def _seen() -> tuple[str, bytes] | None:
    """A file in the folder of saved runs by which a node shows that it sees them; None where nothing can be saved."""
    folder = runs_folder().resolve()
    file = folder / SHARED
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            own = file.with_name(f"{SHARED}-{os.urandom(8).hex()}")
            own.write_bytes(os.urandom(16).hex().encode())
            with contextlib.suppress(FileExistsError):  # another was faster, and all read what is there
                os.link(own, file)
            own.unlink()
        return str(file), file.read_bytes()
    return None


def _to_node(process: RemoteProcess, reader: int) -> None:
    with contextlib.suppress(Lost):
        while data := os.read(reader, PIECE):
            process.write(data)
        process.write(b"")


def _complaints(process: RemoteProcess) -> None:
    with contextlib.suppress(Lost):
        while data := process.errors():
            _write(2, data)


def _write(to: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(to, rest) :]


def _end(why: str) -> NoReturn:
    _write(2, f"{why}\n".encode())
    os._exit(CLUSTER_STATUS)


if __name__ == "__main__":
    main()
