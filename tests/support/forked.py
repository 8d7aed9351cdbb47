"""Fork servers for tests: what their processes do is of the tests' own, and most of them import nothing for it."""

import errno
import json
import os
import signal
import sys
import threading

from gan_core.serving import fork_server, worker
from gan_core.serving.forking import Forking


def forking(kind: str) -> Forking:
    """A fork server of that kind: one of the functions below."""
    return Forking([sys.executable, "-c", f"from tests.support.forked import {kind}; {kind}()"])


def plain():
    """Imports nothing, so that it is there at once."""
    worker.import_all = lambda: None
    fork_server.main(_be)


def imported():
    """Imports what every fork server does."""
    fork_server.main(_be)


def programs():
    """Imports what every fork server does; its processes run the Python program that they are given."""
    fork_server.main(_run_program)


def _run_program(arguments):
    sys.argv = ["-c", *arguments[1:]]
    exec(compile(arguments[0], "<string>", "exec"), {"__name__": "__main__"})
    sys.stdout.flush()


def refused():
    """The system gives it no process."""

    def fork():
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    os.fork = fork
    plain()


def _be(arguments):
    {"tell": _tell, "listen": _listen, "fail": _fail, "compute": _compute}[arguments[0]]()


def _tell():
    print(
        json.dumps(
            {
                "environment": dict(os.environ),
                "folder": os.getcwd(),
                "handles": sorted(int(handle) for handle in os.listdir("/proc/self/fd"))[:-1],  # but that of the list
                "threads": threading.active_count(),
                "child": signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL,
            }
        ),
        flush=True,
    )


def _listen():
    print("listens", flush=True)
    os._exit(len(sys.stdin.read()))


def _fail():
    raise ValueError("a sentence")


def _compute():
    """How many threads an operation of TensorFlow gets, and what it computes."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(0)  # it raises where anything has been computed before
    product = float(tf.reduce_sum(tf.random.stateless_normal((300, 300), (1, 2)) @ tf.ones((300, 300))))
    print(json.dumps({"product": product, "threads": len(os.listdir("/proc/self/task"))}), flush=True)
