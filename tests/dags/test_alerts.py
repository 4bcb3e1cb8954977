"""Runs that fail or are late are told to a real HTTP server, by an Airflow connection."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, Connection
from airflow.serialization.serialized_objects import DagSerialization
from airflow.triggers.callback import CallbackTrigger

from sa1b_captions.settings import load_settings
from sa1b_operators import alerts
from tests.support.statsd_listener import listening


class Webhook:
    """A server that keeps what it is told and answers as it is told to."""

    def __init__(self) -> None:
        self.requests = []
        self.answers = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.requests.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(webhook.answers.pop(0) if webhook.answers else 200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook(monkeypatch):
    """The server, and the connection that names it."""
    found = Webhook()
    connection = {
        **{"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": found.port},
        **{"password": "s3cret-token", "extra": {"path": "/services/T0/B1"}},
    }
    monkeypatch.setenv("AIRFLOW_CONN_CAPTIONS_ALERTS", json.dumps(connection))
    monkeypatch.setenv("CAPTIONS_ALERT_CONNECTION", "captions_alerts")
    monkeypatch.setattr(alerts, "PAUSE_S", 0.0)
    yield found
    found.close()


def failed(reason="task_failure"):
    """What Airflow gives a DAG's callback where it knows no task."""
    return {
        "dag": SimpleNamespace(dag_id="caption_shards"),
        "run_id": "manual__7",
        "reason": reason,
    }


def test_a_run_that_fails_is_told_to_the_connections_webhook(webhook):
    alerts.run_failed(failed())
    ((path, headers, body),) = webhook.requests
    assert path == "/services/T0/B1"
    assert headers["Authorization"] == "Bearer s3cret-token"
    assert body["event"] == "run_failed"
    assert body["text"].startswith("caption_shards failed: run manual__7")
    assert body["reason"] == "task_failure"


def test_a_run_that_is_late_is_told_too(webhook):
    run = {"dag_id": "caption_shards", "dag_run_id": "scheduled__1"}
    missed = CallbackTrigger(
        "sa1b_operators.alerts.deadline_missed", {"hours": 24, "context": {"dag_run": run}}
    )

    async def play():
        return [event async for event in missed.run()]

    assert asyncio.run(play())[-1].payload["state"] == "success"
    ((_, _, body),) = webhook.requests
    assert body["event"] == "run_late"
    assert "caption_shards is late: run scheduled__1 has not ended 24 h after" in body["text"]


def test_a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(webhook, caplog):
    webhook.answers = [503, 429, 200]
    alerts.run_failed(failed())
    assert len(webhook.requests) == 3
    webhook.answers = [404]
    alerts.run_failed(failed())
    assert len(webhook.requests) == 4
    assert "was not told of run_failed: it answered 404" in caplog.text


def test_a_webhook_that_is_away_fails_nothing_and_leaks_nothing(webhook, caplog):
    webhook.close()
    alerts.run_failed(failed())
    assert "of connection captions_alerts" in caplog.text
    assert "ConnectError" in caplog.text
    for secret in ("s3cret-token", "/services"):
        assert secret not in caplog.text


def test_a_connection_that_is_not_there_is_said_in_a_sentence(airflow_db, monkeypatch, caplog):
    monkeypatch.setenv("CAPTIONS_ALERT_CONNECTION", "nowhere")
    alerts.run_failed(failed())
    asyncio.run(alerts.deadline_missed(hours=1, context={"dag_run": {"dag_id": "d"}}))
    assert caplog.text.count("there is no Airflow connection nowhere; add it, or unset") == 2


def test_both_are_counted(webhook, monkeypatch):
    with listening() as listener:
        monkeypatch.setenv("CAPTIONS_STATSD", listener.address)
        alerts.run_failed(failed())
        asyncio.run(alerts.deadline_missed(hours=1, context={"dag_run": {"dag_id": "d"}}))
        assert listener.lines("sa1b.run.failed") == ["sa1b.run.failed:1|c|#dag:caption_shards"]
        assert listener.lines("sa1b.run.late") == ["sa1b.run.late:1|c|#dag:d"]


def test_without_a_connection_a_failure_is_only_counted(monkeypatch):
    monkeypatch.delenv("CAPTIONS_ALERT_CONNECTION", raising=False)
    with listening() as listener:
        monkeypatch.setenv("CAPTIONS_STATSD", listener.address)
        alerts.run_failed(failed())
        assert listener.lines("sa1b.run.failed")


def test_nothing_is_watched_unless_asked_for(dag_bag):
    assert alerts.alerts(load_settings()) == {}
    for dag in dag_bag.dags.values():
        assert not dag.has_on_failure_callback
        assert not dag.deadline


def test_a_watched_dag_survives_serialization(monkeypatch):
    monkeypatch.setenv("CAPTIONS_ALERT_CONNECTION", "captions_alerts")
    watched = alerts.alerts(load_settings(), deadline_h=24)
    dag = DAG("watched", schedule=None, **watched)
    copy = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    assert copy.has_on_failure_callback
    assert dag.on_failure_callback is alerts.run_failed
    (deadline,) = dag.deadline
    assert deadline.callback.path == "sa1b_operators.alerts.deadline_missed"


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (
            {"host": "hooks.example.org", "extra": '{"path": "a/b"}'},
            "https://hooks.example.org/a/b",
        ),
        ({"host": "https://hooks.example.org/x/y"}, "https://hooks.example.org/x/y"),
        ({"host": "hooks", "schema": "http", "port": 8080}, "http://hooks:8080/"),
    ],
)
def test_connections_name_a_webhook_in_several_ways(connection, url):
    found, where = alerts._url(Connection(conn_id="c", conn_type="http", **connection))
    assert found == url
    assert where in url
