"""A Ray cluster on this machine, every node with processes of its own.

It needs a machine with little else to do: Ray 2.60.0 gives a node's daemons 15 s to say where they
listen, in its code, and ends a node whose daemons get no CPU.
"""

from ray.cluster_utils import Cluster

OBJECT_STORE_BYTES = 1 << 30


def start_cluster(nodes: int) -> Cluster:
    """Nodes of one CPU each, without the dashboard, which is ten processes more."""
    cluster = Cluster()
    for _ in range(nodes):
        cluster.add_node(
            num_cpus=1, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False
        )
    return cluster
