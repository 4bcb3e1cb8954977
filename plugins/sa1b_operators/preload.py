"""What every process that parses a DAG would import anew, imported once by what forks them.

Most of the CPU time that a task costs Airflow goes into these imports. Only packages of others: our
own modules are read by each task process, as DAG files are.
"""

import contextlib
import importlib

from airflow.sdk import Asset

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import load_settings

_PODS = (
    "airflow.providers.cncf.kubernetes.operators.pod",
    "airflow.providers.cncf.kubernetes.triggers.pod",
)


def forks(command: str, executor: str) -> bool:
    """Whether an Airflow command, with the executors of the setting, forks what parses DAGs."""
    if command == "scheduler":
        return "LocalExecutor" in executor
    return command == "dag-processor"


def preload() -> None:
    """Import it; a setting that is wrong is left for the tasks to tell."""
    # The first asset makes Airflow import the asset types of every provider, boto3 with them.
    Asset(name="preload", uri="sa1b-captions://preload")
    with contextlib.suppress(SettingsError, ImportError):
        if load_settings().runtime == "pod":
            for name in _PODS:
                importlib.import_module(name)
