"""The trigger that waits for pods, many at once in one event loop as in Airflow's triggerer."""

import asyncio
import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.soak.console import airflow_home
from tests.support.fake_kubernetes import FakeKubernetes, ended, now

PODS = 4
WATCHED = {"progress_interval_s": 0.05}
SHOWN = "_shown"
"""What the operator hands on of an event: the line that is told already."""


@contextmanager
def triggers(folder: Path) -> Iterator[Callable[[], None]]:
    """A round waits for pods that tell their progress, is cancelled on others, and sees all end."""
    airflow_home()
    cluster = FakeKubernetes()
    cluster.log = f"{now()[:-1]}.000000000Z progress: sa_000000 3/9 samples\n"
    connection = {"conn_type": "kubernetes", "extra": {"kube_config": cluster.kube_config()}}
    os.environ["AIRFLOW_CONN_KUBERNETES_DEFAULT"] = json.dumps(connection)
    try:
        with asyncio.Runner() as loop:
            yield lambda: loop.run(wait_for_pods(cluster))
    finally:
        cluster.close()


async def wait_for_pods(cluster: FakeKubernetes) -> None:
    """One round.

    Raises:
        RuntimeError: a trigger fired with something else.
    """
    names = [f"pod-{number}" for number in range(PODS)]
    # A pod of an hour ago would be past its deadline.
    running = {"phase": "Running", "startTime": now(), "containerStatuses": []}
    for name in names:
        cluster.pods[name] = pod(name, running)
    left = asyncio.gather(*[first_event(cluster, name, {}) for name in names])
    await asyncio.sleep(0.01)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    told = await asyncio.gather(*[first_event(cluster, name, WATCHED) for name in names])
    for name in names:
        cluster.pods[name] = pod(name, ended(0))
    shown = WATCHED | {SHOWN: told[0]["message"]}
    done = await asyncio.gather(*[first_event(cluster, name, shown) for name in names])
    statuses = {event["status"] for event in told}, {event["status"] for event in done}
    if statuses != ({"progress"}, {"success"}):
        raise RuntimeError(f"the triggers fired with {statuses}: {told[0]} {done[0]}")


async def first_event(cluster: FakeKubernetes, name: str, watched: dict[str, Any]) -> Any:
    """What a trigger fires with, asked for in the triggerer's way."""
    from sa1b_operators.trigger import ProgressPodTrigger

    trigger = ProgressPodTrigger(
        pod_name=name,
        pod_namespace="captions",
        trigger_start_time=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1),
        base_container_name="base",
        kubernetes_conn_id="kubernetes_default",
        connection_extras={"kube_config": cluster.kube_config()},
        poll_interval=0.05,
        startup_check_interval=0.05,
        trigger_kwargs=dict(watched),
    )
    try:
        (event,) = [event async for event in trigger.run()]
        return event.payload
    finally:
        await trigger.cleanup()


def pod(name: str, status: dict[str, Any]) -> dict[str, Any]:
    """A pod as the API server tells of it."""
    return {
        "metadata": {"name": name, "namespace": "captions"},
        "spec": {"containers": [{"name": "base"}], "activeDeadlineSeconds": 600},
        "status": status,
    }
