"""The server's end of a training process on a node (cluster_worker.py), with a cluster that never answers."""

import subprocess
import sys

from tests.conftest import ROOT

SILENT = """
import sys, time
sys.modules["ray"] = None
from gan_core.serving import cluster_worker

class Silent:
    def __init__(self, address, variables): pass
    def process(self, arguments, wanted, seen): return self
    def node(self, seconds): return "node", True
    def read(self):
        print("waits", file=sys.stderr, flush=True)
        time.sleep(600)
    def errors(self): time.sleep(600)
    def write(self, data): time.sleep(600)

cluster_worker.Cluster, cluster_worker.ORPHAN_SECONDS = Silent, 0.2
cluster_worker.need = cluster_worker._variables = cluster_worker._seen = lambda *_: None
cluster_worker.main()
"""


def test_it_ends_after_its_server_though_the_cluster_answers_nothing(monkeypatch):
    monkeypatch.setenv("GANSCOPE_RAY", "127.0.0.1:1")
    pipe, command = subprocess.PIPE, [sys.executable, "-c", SILENT]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stderr.readline() == b"waits\n"
            process.stdin.write(b"a message")
            process.stdin.close()  # as the end of the server, however it came
            process.wait(60)
        finally:
            process.kill()
