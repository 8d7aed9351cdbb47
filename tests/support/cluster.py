"""A Ray cluster of several nodes on this machine, by Ray's own utility for tests."""

import contextlib

import pytest

MB = 1_000_000
SMALL = {"object_store_memory": 100 * MB}


@contextlib.contextmanager
def simulated(nodes: int, cpus: int = 1, memory: int = 3_000 * MB):
    """(the cluster, its nodes that train): a head that trains nothing, and `nodes` others; ended in any case.

    Where Ray itself cannot start here (it wants ports and shared memory), the test is skipped and says why.
    """
    from ray.cluster_utils import Cluster

    try:
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **SMALL})
    except Exception as error:
        pytest.skip(f"Ray cannot start a node here: {error}")
    try:
        yield cluster, [cluster.add_node(num_cpus=cpus, memory=memory, **SMALL) for _ in range(nodes)]
    finally:
        cluster.shutdown()
