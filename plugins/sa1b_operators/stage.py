"""The one function that DAGs call for a stage's task, and the defaults of all of them."""

import datetime as dt
from typing import Any

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import Runtime
from sa1b_operators.base import StageOperator
from sa1b_operators.local import LocalStageOperator

STAGE_DEFAULTS: dict[str, Any] = {
    "owner": "data-team",
    # Two at least: one for a lost pod or worker, one for an API server that is still starting.
    "retries": 3,
    "retry_delay": dt.timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": dt.timedelta(minutes=15),
    "execution_timeout": dt.timedelta(hours=2),
}
"""`default_args` of every DAG here."""


def stage(
    *, runtime: Runtime = "local", each_arguments: list[list[str]] | None = None, **options: Any
) -> Any:
    """Make the task of a stage.

    Args:
        runtime: `local` for a process beside Airflow, `pod` for Kubernetes.
        each_arguments: instead of `arguments`, a list of them for each instance of a mapped task.
        options: as for the runtime's class.
    """
    operator = operator_class(runtime)
    if each_arguments is None:
        return operator(**options)
    # What the class itself would choose has no say in a mapped task.
    mapped = operator.partial(map_index_template=StageOperator.NAMED_BY_LABEL, **options)
    return mapped.expand(arguments=each_arguments)


def operator_class(runtime: Runtime) -> type[StageOperator]:
    """The operator of a runtime; only that of pods needs the Kubernetes provider.

    Raises:
        SettingsError: the provider is not installed.
    """
    if runtime == "local":
        return LocalStageOperator
    try:
        from sa1b_operators.pod import PodStageOperator
    except ModuleNotFoundError as error:
        provider = "apache-airflow-providers-cncf-kubernetes"
        raise SettingsError(
            f"CAPTIONS_RUNTIME=pod needs the package {provider}, which is not installed here"
        ) from error
    return PodStageOperator
