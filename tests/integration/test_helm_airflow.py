"""What deploy/helm and the compose file configure, asked of the Airflow that the image installs."""

import json
import os
import re
import subprocess
import sys

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.support.deployment import ROOT, SERVICES
from tests.support.helm_values import VARIANT_NAMES, as_environment, load_values, settings_of

ASK = """
import json, pathlib
from airflow.configuration import conf

conf.load_providers_configuration()
known = conf.configuration_description

from airflow.api_fastapi.app import get_auth_manager_cls
from airflow.config_templates.airflow_local_settings import REMOTE_TASK_LOG as log
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.executors.executor_loader import ExecutorLoader
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

hook = KubernetesHook(conn_id="kubernetes_default")
manager = get_auth_manager_cls()()
manager.init()
path = pathlib.Path(conf.get("logging", "base_log_folder"), "dag_id=d", "attempt=1.log")
path.parent.mkdir(parents=True)
path.write_text("what the task said")
log.upload(path)
print(json.dumps({
    "known": {section: list(found["options"]) for section, found in known.items()},
    "passwords": manager.get_passwords(),
    "bundles": [[b.name, str(b.path)] for b in DagBundlesManager().get_all_dag_bundles()],
    "log": log.s3_read(f"{conf.get('logging', 'remote_base_log_folder')}/dag_id=d/attempt=1.log"),
    "ports": {
        "api": conf.getint("api", "port"),
        "health": conf.getint("scheduler", "scheduler_health_check_server_port"),
    },
    "pods": [hook.conn_extras["in_cluster"], hook.get_namespace()],
    "executor": ExecutorLoader.import_default_executor_cls()[0].__name__,
}))
"""


@pytest.fixture(scope="module", params=VARIANT_NAMES)
def values(request):
    return load_values(request.param)


@pytest.fixture(scope="module")
def answer(values, tmp_path_factory):
    """What Airflow says with these values' own settings and the store's keys."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        name: text.replace("/opt/airflow", str(home))
        for name, text in as_environment(values).items()
    }
    (home / "auth").mkdir()
    (home / "auth" / "passwords.json").write_text('{"admin": "secret"}')
    (home / "dags").symlink_to(ROOT / "dags")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    store = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    connection = json.loads(environment["AIRFLOW_CONN_SA1B_LOGS"])
    environment["AIRFLOW_CONN_SA1B_LOGS"] = json.dumps(
        connection | {"extra": {"endpoint_url": endpoint}}
    )
    bucket = values["config"]["logging"]["remote_base_log_folder"].split("/")[2]
    keys = {name.lower(): value for name, value in store.items() if name != "AWS_DEFAULT_REGION"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=bucket)
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(home), "HOME": str(home)}
        | {"AIRFLOW__CORE__EXECUTOR": values["executor"], "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db"}
        | store
        | environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    server.stop()
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) | {"home": str(home)}


def test_airflow_has_every_option_that_is_set(values, answer):
    unknown = [
        f"[{section}] {option}"
        for section, options in values["config"].items()
        for option in options
        if option not in answer["known"].get(section, [])
    ]
    assert unknown == []


def test_the_auth_manager_takes_the_password_file(answer):
    assert answer["passwords"] == {"admin": "secret"}


def test_the_dag_bundle_is_the_folder_of_the_image(answer):
    assert answer["bundles"] == [["dags-folder", f"{answer['home']}/dags"]]


def test_a_tasks_log_reaches_the_bucket_and_is_read_back(answer):
    assert answer["log"].startswith("what the task said")


def test_the_kubernetes_connection_is_the_clusters_own(values, answer):
    assert answer["pods"] == [True, settings_of(values)["CAPTIONS_NAMESPACE"]]


def test_the_executor_is_installed(values, answer):
    assert answer["executor"] == values["executor"]


def test_airflow_has_every_option_that_compose_sets(answer):
    given = {
        tuple(name.removeprefix("AIRFLOW__").lower().split("__"))
        for service in SERVICES.values()
        for name in service["environment"]
        if name.startswith("AIRFLOW__")
    }
    assert len(given) > 10
    assert [each for each in given if each[1] not in answer["known"][each[0]]] == []


def test_composes_health_checks_ask_the_ports_that_airflow_listens_on(answer):
    asked = {
        name: set(
            re.findall(r"127\.0\.0\.1:(\d+)", " ".join(SERVICES[name]["healthcheck"]["test"]))
        )
        for name in ("airflow-apiserver", "airflow-scheduler")
    }
    assert asked == {
        "airflow-apiserver": {str(answer["ports"]["api"])},
        "airflow-scheduler": {str(answer["ports"]["health"])},
    }
    (published,) = SERVICES["airflow-apiserver"]["ports"]
    assert published.endswith(f":{answer['ports']['api']}")
