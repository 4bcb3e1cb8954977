"""Tasks on a Ray cluster. Only here is Ray imported, when somebody asks for it."""

import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.quality.duplicates.minhash import SIGNATURE_VERSION
from sa1b_captions.software import NAME, software

PATIENCE_S = 30.0
"""For the head of a cluster to take a connection."""
_SAME_IMAGE = "run this command and every node of the cluster from one image"


class RayTasks:
    """`scattered.Tasks` on the cluster that this process is connected to."""

    def __init__(self) -> None:
        import ray

        self._run = ray.remote(_run)

    def send(self, function: Any, *arguments: Any, returns: int = 1) -> list[Any]:
        """As `scattered.Tasks` says; Ray runs a task again whose process or machine is lost."""
        task = self._run.options(num_returns=returns, name=function.__name__)
        sent = task.remote(function, returns, *arguments)
        return [sent] if returns == 1 else sent

    def keep(self, value: Any) -> Any:
        """As `scattered.Tasks` says."""
        import ray

        return ray.put(value)

    def get(self, kept: Sequence[Any]) -> list[Any]:
        """As `scattered.Tasks` says.

        Raises:
            CaptioningError: what a task raised.
            RetryableError: the cluster lost work and could not do it again.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            found: list[Any] = ray.get(list(kept))
        except RayTaskError as error:
            if isinstance(error.cause, CaptioningError):
                raise error.cause from None
            raise
        except RayError as error:
            raise RetryableError(
                f"the Ray cluster lost work ({_line(error)}); look at its nodes, which may need "
                "more memory or disk, then run the command again"
            ) from None
        return found


def open_ray(address: str) -> RayTasks:
    """Connect to a Ray cluster, once in a process, and make sure that it runs the same code.

    Args:
        address: `host:port` of its head, `auto` on one of its nodes, or `local` to start one here
            for as long as the process lives.

    Raises:
        PermanentError: Ray is not installed, refuses this process, or a node has other versions.
        RetryableError: nothing answers at the address.
    """
    try:
        import ray
        from ray.exceptions import RayError
    except ModuleNotFoundError:
        raise PermanentError(
            "dedup on a Ray cluster needs the package ray, which is not installed here: install "
            "sa1b-captions[ray] in the cluster's version, or leave --ray-address and "
            "CAPTIONS_RAY_ADDRESS out to do the work in one process"
        ) from None
    if ray.is_initialized():
        return RayTasks()
    if why := _why_silent(address):
        raise RetryableError(_silent(address, why))
    on_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except ConnectionError as error:
        raise RetryableError(_silent(address, _line(error))) from None
    except (RayError, RuntimeError, ValueError) as error:
        raise PermanentError(
            f"Ray at {address} refuses this process: {_line(error)}; {_SAME_IMAGE}, and give it "
            "the cluster's token"
        ) from None
    if on_main:
        signal.signal(signal.SIGTERM, before)  # Ray would have it end without last words
    if why := why_not_alike(_look_here(), _look_at_nodes()):
        ray.shutdown()
        raise PermanentError(f"{why}; {_SAME_IMAGE}")
    return RayTasks()


def why_not_alike(here: Mapping[str, str], nodes: Mapping[str, Mapping[str, str]]) -> str:
    """Which node has other versions than this process, in words; empty if none has.

    Args:
        here: version by what it is of.
        nodes: the same of each node, by its name.
    """
    for node, there in nodes.items():
        if others := [what for what, version in here.items() if there.get(what) != version]:
            found = ", ".join(
                f"{what} {there[what]}" if what in there else f"no {what}" for what in others
            )
            wanted = ", ".join(f"{what} {here[what]}" for what in others)
            return f"node {node} of the Ray cluster has {found}, and this process {wanted}"
    return ""


def _why_silent(address: str) -> str:
    """Why nothing can be reached at `host:port`; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return ""
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        return str(error)
    return ""


def _silent(address: str, why: str) -> str:
    return (
        f"no Ray cluster answers at {address} ({why}); start it, or correct --ray-address or "
        "CAPTIONS_RAY_ADDRESS"
    )


def _look_here() -> dict[str, str]:
    import platform

    import ray

    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "Ray": str(ray.__version__),
        NAME: software().removeprefix(NAME).strip(),
        "signatures": SIGNATURE_VERSION,
    }


def _look_at_nodes() -> dict[str, dict[str, str]]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def look() -> dict[str, str]:  # it travels by value, for the package may be missing there
        try:
            from sa1b_captions.quality.duplicates import ray_tasks
        except ImportError:
            return {}
        return ray_tasks._look_here()

    task = ray.remote(look)
    names = {
        node["NodeID"]: f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
        for node in ray.nodes()
        if node["Alive"]
    }
    sent = [
        task.options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(name, False))
        for name in names
    ]
    found = RayTasks().get([one.remote() for one in sent])
    return dict(zip(names.values(), found, strict=True))


def _run(function: Any, returns: int, *arguments: Any) -> Any:
    found = function(*arguments)
    return found[0] if returns == 1 else tuple(found)


def _line(error: Exception) -> str:
    """What Ray says, on one line."""
    return " ".join(str(error).split())[:500]
