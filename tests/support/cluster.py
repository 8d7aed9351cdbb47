"""A Ray cluster of several nodes on this machine, by Ray's own utility for tests."""

import contextlib

MB = 1_000_000


@contextlib.contextmanager
def simulated(nodes: int, cpus: int = 1, memory: int = 3_000 * MB):
    """(the cluster, its nodes that train): a head that trains nothing, and `nodes` others; ended in any case."""
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 100 * MB}
    head = {"num_cpus": 0, "include_dashboard": False, **small}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster, [cluster.add_node(num_cpus=cpus, memory=memory, **small) for _ in range(nodes)]
    finally:
        cluster.shutdown()
