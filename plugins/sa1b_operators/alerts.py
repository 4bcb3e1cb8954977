r"""Who is told of runs that fail or are late: a webhook that an Airflow connection names.

    airflow connections add captions_alerts --conn-type http \
        --conn-host https://hooks.example.org --conn-password TOKEN \
        --conn-extra '{"path": "/services/captions"}'

The request is a POST of a JSON object, whose `text` chat servers show. A password is sent as a
bearer token. Neither path nor token is logged, and a webhook that is away fails no run.
"""

import contextlib
import datetime as dt
import json
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseHook
from airflow.sdk.configuration import conf
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException

from sa1b_captions.observing import telemetry
from sa1b_captions.settings import Settings, load_settings

log = logging.getLogger(__name__)

TRIES = 3
TIMEOUT_S = 5.0
"""Airflow ends a callback in the DAG processor after 50 seconds, all of it together."""
PAUSE_S = 1.0
_MOST_CHARS = 1000


def alerts(settings: Settings, *, deadline_h: int | None = None) -> dict[str, Any]:
    """Arguments of a DAG that is watched; none of them where nothing is set.

    Args:
        settings: of the deployment.
        deadline_h: hours from when a run is queued to when it should have ended; None for none.
    """
    watched: dict[str, Any] = {}
    if settings.alert_connection is not None or settings.statsd is not None:
        watched["on_failure_callback"] = run_failed
    if deadline_h is not None:
        watched["deadline"] = DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=dt.timedelta(hours=deadline_h),
            callback=AsyncCallback(deadline_missed, kwargs={"hours": deadline_h}),
            name=f"ends within {deadline_h} h",
        )
    return watched


def run_failed(context: Mapping[str, Any]) -> None:
    """Tell of a run that failed; Airflow calls this in the DAG processor."""
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    settings = _count(telemetry.RUNS_FAILED, dag_id)
    if settings.alert_connection is None:
        return
    body = _body("run_failed", f"{dag_id} failed: run {run_id}", dag_id, run_id)
    body["reason"] = str(context.get("reason") or "")[:_MOST_CHARS]
    with _missing_is_said(settings.alert_connection):
        post(BaseHook.get_connection(settings.alert_connection), body)


async def deadline_missed(hours: int, context: Mapping[str, Any] | None = None) -> None:
    """Tell of a run that is late; Airflow calls this in the triggerer."""
    import asyncio

    run = (context or {}).get("dag_run") or {}
    dag_id, run_id = str(run.get("dag_id", "")), str(run.get("dag_run_id", ""))
    settings = _count(telemetry.DEADLINES, dag_id)
    if settings.alert_connection is None:
        return
    sentence = f"{dag_id} is late: run {run_id} has not ended {hours} h after it was queued"
    with _missing_is_said(settings.alert_connection):
        connection = await BaseHook.aget_connection(settings.alert_connection)
        await asyncio.to_thread(post, connection, _body("run_late", sentence, dag_id, run_id))


@contextlib.contextmanager
def _missing_is_said(connection: str) -> Iterator[None]:
    try:
        yield
    except AirflowNotFoundException:
        log.warning(
            "nobody was told: there is no Airflow connection %s; add it, or unset "
            "CAPTIONS_ALERT_CONNECTION",
            connection,
        )


def _count(metric: telemetry.Metric, dag_id: str) -> Settings:
    settings = load_settings()
    telemetry.send_to(settings.statsd)
    telemetry.send(telemetry.of(metric, dag=dag_id))
    return settings


def _body(event: str, sentence: str, dag_id: str, run_id: str) -> dict[str, Any]:
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    link = f"{base}/dags/{dag_id}/runs/{run_id}" if base else None
    return {
        "event": event,
        "text": f"{sentence}{f' ({link})' if link else ''}",
        "dag_id": dag_id,
        "run_id": run_id,
        "url": link,
    }


def post(connection: Any, body: dict[str, Any]) -> bool:
    """Send a JSON object to a connection's webhook; whether it was taken.

    A server that is away, busy or broken is asked again; what it says to a wrong request is logged.
    """
    import httpx

    url, where = _url(connection)
    headers = {"Content-Type": "application/json"}
    if connection.password:
        headers["Authorization"] = f"Bearer {connection.password}"
    for attempt in range(1, TRIES + 1):
        try:
            reply = httpx.post(url, content=json.dumps(body), headers=headers, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = type(error).__name__
        else:
            if reply.is_success:
                return True
            why = f"it answered {reply.status_code}"
            if reply.status_code < 500 and reply.status_code != 429:
                break
        if attempt < TRIES:
            time.sleep(PAUSE_S * attempt)
    log.warning(
        "the webhook of connection %s at %s was not told of %s: %s",
        *(connection.conn_id, where, body["event"], why),
    )
    return False


def _url(connection: Any) -> tuple[str, str]:
    """Address of a webhook, and its server's name alone for the log."""
    host = connection.host or ""
    base = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    parts = urlsplit(base)
    netloc = parts.netloc
    if connection.port and parts.port is None:
        netloc = f"{netloc}:{connection.port}"
    path = (connection.extra_dejson or {}).get("path") or parts.path
    return f"{parts.scheme}://{netloc}/{path.lstrip('/')}", netloc
