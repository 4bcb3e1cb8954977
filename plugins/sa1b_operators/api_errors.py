"""What Kubernetes' refusals and silences mean, in one sentence each.

Works on the errors of both clients: `kubernetes`, which the operator uses, and
`kubernetes_asyncio`, which the trigger uses.
"""

import json
import re
from http import HTTPStatus
from typing import Any

from aiohttp import ClientConnectionError
from airflow.providers.cncf.kubernetes.exceptions import KubernetesApiError
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes_asyncio.client.exceptions import ApiException as AsyncApiException
from kubernetes_asyncio.config.config_exception import ConfigException as AsyncConfigException
from urllib3.exceptions import HTTPError

ANSWERS = (ApiException, AsyncApiException)
SILENCES = (HTTPError, ClientConnectionError, TimeoutError, KubernetesApiError)
UNCONFIGURED = (ConfigException, AsyncConfigException)
ERRORS: tuple[type[BaseException], ...] = (*ANSWERS, *SILENCES, *UNCONFIGURED)
"""All that a question to Kubernetes may raise."""

ROLE = "the account needs the role of deploy/kubernetes/rbac.yaml"
_WHY = re.compile(r"\[Errno -?\d+\] ([^'\")\]]+)")
_MOST_CHARS = 500


def is_outage(error: BaseException) -> bool:
    """Whether the API server is away or overwhelmed: waiting helps, a retry is no better."""
    if isinstance(error, ANSWERS):
        return error.status in (None, 0, 408, 429) or error.status >= 500
    return isinstance(error, SILENCES)


def is_missing(error: BaseException) -> bool:
    """Whether there is no such object."""
    return isinstance(error, ANSWERS) and error.status == HTTPStatus.NOT_FOUND


def lacks_permission(error: BaseException) -> bool:
    """Whether the account may not do what it was asked to."""
    refused = isinstance(error, ANSWERS) and error.status == HTTPStatus.FORBIDDEN
    return refused and " cannot " in _message(error)


def over_quota(error: BaseException) -> bool:
    """Whether Kubernetes refused a pod because the namespace's quota is used up."""
    return (
        isinstance(error, ANSWERS)
        and error.status == HTTPStatus.FORBIDDEN
        and "exceeded quota" in str(error.body)
    )


def explain(error: BaseException, connection: str | None) -> str:
    """What went wrong and what to do, in one sentence; `connection` is the Airflow connection."""
    if isinstance(error, UNCONFIGURED):
        return (
            f"Airflow connection {connection} does not say how to reach Kubernetes: "
            f"{_one_line(str(error))}; deploy/README.md says what it must hold"
        )
    if isinstance(error, SILENCES):
        return f"Kubernetes does not answer{_where(error)}: {_why_silent(error)}"
    if not isinstance(error, ANSWERS):
        return _one_line(f"Kubernetes could not be asked: {type(error).__name__}: {error}")
    refused = f"Kubernetes refused with {error.status}: {_message(error)}"
    if error.status == HTTPStatus.UNAUTHORIZED:
        return f"{refused}; the credentials of Airflow connection {connection} are no longer valid"
    if over_quota(error):
        return f"{refused}; pool `gpu` must not hold more pods than the quota has GPUs for"
    if lacks_permission(error):
        return f"{refused}; {ROLE}"
    if is_missing(error) and "namespaces" in refused:
        return f"{refused}; make it with kubectl apply -k deploy/kubernetes"
    if is_outage(error):
        return f"Kubernetes cannot answer now ({error.status}: {_message(error)})"
    return refused


def _message(error: Any) -> str:
    try:
        found = json.loads(error.body)["message"]
    except (KeyError, TypeError, ValueError):
        found = error.reason
    return _one_line(str(found))


def _where(error: Any) -> str:
    place = getattr(error, "pool", error)
    host, port = getattr(place, "host", None), getattr(place, "port", None)
    return f" at {host}:{port}" if host and port else ""


def _why_silent(error: BaseException) -> str:
    text = _one_line(str(error.__cause__ or error))
    found = _WHY.search(text)
    return found[1] if found else text or type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MOST_CHARS]
