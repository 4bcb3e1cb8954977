"""A caption task that runs in a pod, alone in its DAG."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from airflow.sdk import DAG

from sa1b_operators.pod import PodStageOperator
from sa1b_operators.stage import STAGE_DEFAULTS

ARGUMENTS = ["caption", "--shards", "sa_000017", "--engine", "preview"]
IMAGE = "registry.example/sa1b-captions-worker:0.2.0"


def caption(**arguments: Any) -> PodStageOperator:
    """A caption task that runs in a pod."""
    return PodStageOperator(
        **{"task_id": "caption", "shard": "sa_000017", "arguments": ARGUMENTS} | arguments
    )


def run_caption(run_dag: Callable[[DAG], Any], **arguments: Any) -> str:
    """State of a caption task at the end, after one retry at most."""
    defaults = STAGE_DEFAULTS | {"retries": 1, "retry_delay": dt.timedelta(seconds=0.1)}
    with DAG("caption_pod", schedule=None, default_args=defaults) as dag:
        caption(poll_interval=0.05, startup_check_interval_seconds=1, **arguments)
    return str(run_dag(dag).get_task_instance("caption").state)
