"""A Ray cluster on this machine, every node with processes of its own."""

import socket
import time
from typing import Any
from unittest import mock

from ray._private import services
from ray.cluster_utils import Cluster

PATIENCE_S = 600
"""For the daemons of a node; Ray 2.60.0 itself has 30 s, too few where many want a core."""
OBJECT_STORE_BYTES = 1 << 30
_PORTS = (
    *("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port"),
    "runtime_env_agent_port",
)
"""Of a node's agents. Where they choose their own, the node waits 30 s for them to say which."""


def start_cluster(nodes: int) -> Cluster:
    """Nodes of one CPU each, without the dashboard, which is ten processes more."""
    get_node = services.get_node

    def wait_for_node(*arguments: Any) -> Any:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return get_node(*arguments)
            except RuntimeError:
                if time.monotonic() > until:
                    raise

    cluster = Cluster()
    with mock.patch.object(services, "get_node", wait_for_node):
        for _ in range(nodes):
            cluster.add_node(
                num_cpus=1,
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
                **dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True)),
            )
    return cluster


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
