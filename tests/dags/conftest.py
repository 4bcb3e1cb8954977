import datetime as dt
import json

import pytest

from tests.support.caption_pods import IMAGE
from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.role import documented


@pytest.fixture
def pod_settings(monkeypatch):
    """What a deployment with pods sets."""
    for name, value in {
        "CAPTIONS_ROOT": "s3://sa1b/demo",
        "CAPTIONS_S3_ENDPOINT_URL": "http://store:8333",
        "CAPTIONS_WORKER_IMAGE": IMAGE,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def no_waits(request, monkeypatch):
    """Where pods are waited for, nothing but the wait itself is left out."""
    if {"cluster", "machine"} & set(request.fixturenames):
        from sa1b_operators import pod, trigger

        monkeypatch.setattr(trigger, "FIRST_EVENT_S", 0.0)
        monkeypatch.setattr(trigger, "OUTAGE_POLL_S", 0.05)
        for name in ("WAIT", "DYING_WAIT"):
            monkeypatch.setattr(pod, name, dt.timedelta())


@pytest.fixture
def cluster(monkeypatch, pod_settings):
    """An API server of Kubernetes whose pods end as the test says.

    It allows what the documented Role allows and no more.
    """
    cluster = FakeKubernetes()
    cluster.allowed = documented()
    extra = {"kube_config": cluster.kube_config()}
    connection = {"conn_type": "kubernetes", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KUBERNETES_DEFAULT", json.dumps(connection))
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def airflow_app(airflow_db):
    """Airflow's own API server with the console mounted by the plugin."""
    from airflow.api_fastapi.app import create_app

    return create_app(apps="all")


@pytest.fixture
def login(airflow_app):
    """Make a client that is logged in with a role."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from starlette.testclient import TestClient

    def make(role="viewer", name=None):
        client = TestClient(airflow_app)
        if role:
            user = SimpleAuthManagerUser(username=name or role, role=role.upper())
            client.cookies.set("_token", airflow_app.state.auth_manager.generate_jwt(user))
        return client

    return make
