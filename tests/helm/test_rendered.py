"""`make test-helm`: the official Airflow chart, rendered with the values of deploy/helm."""

import configparser
import os
import re

import kubernetes_validate
import pytest
import yaml
from helm_python import Chart

from tests.support.deployment import ROOT
from tests.support.helm_values import FOLDER, VARIANT_NAMES, load_values, settings_of

RELEASE = NAMESPACE = "airflow"


@pytest.fixture(scope="module")
def chart():
    with Chart.load(os.environ["CHART"]) as loaded:
        yield loaded


@pytest.fixture(scope="module", params=VARIANT_NAMES)
def values(request):
    return load_values(request.param)


@pytest.fixture(scope="module")
def manifests(chart, values):
    """Everything that Helm would send to the cluster, hooks included."""
    files = chart.render(values, name=RELEASE, namespace=NAMESPACE, is_install=True)
    return [
        document
        for path, text in sorted(files.items())
        if path.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def find(manifests, kind, name):
    (found,) = [m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def pod_of(manifest):
    return manifest["spec"]["template"]["spec"]


def airflow_config(manifests):
    """The configuration file that every Airflow container mounts."""
    parser = configparser.RawConfigParser()
    parser.read_string(find(manifests, "ConfigMap", "airflow-config")["data"]["airflow.cfg"])
    return parser


def test_it_is_the_chart_that_the_values_are_for(chart):
    assert re.search(r"apache-airflow/airflow ([\d.]+),", (FOLDER / "values.yaml").read_text())[
        1
    ] == (chart.version)


def test_the_charts_schema_takes_the_values(chart, values):
    assert chart.schema is not None
    chart.validate_schema(values)


def test_kubernetes_takes_every_manifest(manifests):
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_every_airflow_container_gets_the_settings_and_the_stores_keys(manifests, values):
    settings = find(manifests, "ConfigMap", "sa1b-settings")["data"]
    assert settings == settings_of(values)
    wanted = [
        {"configMapRef": {"name": "sa1b-settings"}},
        {"secretRef": {"name": "sa1b-store"}},
    ]
    main = {"scheduler", "triggerer", "dag-processor", "api-server", "worker"}
    seen = set()
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            for container in pod_of(manifest)["containers"]:
                if container["name"] in main:
                    seen.add(container["name"])
                    assert container["envFrom"] == wanted
    assert seen == main - ({"worker"} if values["executor"] == "KubernetesExecutor" else set())


def test_the_migration_job_makes_the_pools_in_our_image(manifests, values):
    (container,) = pod_of(find(manifests, "Job", "airflow-run-airflow-migrations"))["containers"]
    assert container["args"] == ["bash", "/opt/airflow/migrate.sh"]
    assert container["image"] == (
        f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"
    )
    given = {each["name"]: each.get("value") for each in container["env"]}
    for each in values["migrateDatabaseJob"]["env"]:
        assert given[each["name"]] == each["value"]


def test_accounts_are_those_that_the_role_is_bound_to(manifests):
    rbac = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/rbac.yaml").read_text()))
    bound = {subject["name"] for subject in rbac[1]["subjects"]}
    made = {m["metadata"]["name"] for m in manifests if m["kind"] == "ServiceAccount"}
    assert bound <= made
    assert pod_of(find(manifests, "Deployment", "airflow-scheduler"))["serviceAccountName"] == (
        "airflow-scheduler"
    )
    assert pod_of(find(manifests, "Deployment", "airflow-triggerer"))["serviceAccountName"] == (
        "airflow-triggerer"
    )


def test_whatever_runs_tasks_has_the_account_and_the_links_file(manifests, values):
    if values["executor"] == "CeleryExecutor":
        pod = pod_of(find(manifests, "Deployment", "airflow-worker"))
    else:
        config = find(manifests, "ConfigMap", "airflow-config")["data"]
        pod = yaml.safe_load(config["pod_template_file.yaml"])["spec"]
    assert pod["serviceAccountName"] == "airflow-worker"
    assert values["workers"]["extraVolumes"][0] in pod["volumes"]
    mounts = [mount for each in pod["containers"] for mount in each["volumeMounts"]]
    assert values["workers"]["extraVolumeMounts"][0] in mounts


def test_the_password_file_is_copied_before_the_api_server_starts(manifests, values):
    pod = pod_of(find(manifests, "Deployment", "airflow-api-server"))
    assert values["apiServer"]["extraInitContainers"][0] in pod["initContainers"]
    (server,) = pod["containers"]
    assert values["apiServer"]["extraVolumeMounts"][0] in server["volumeMounts"]
    assert server["startupProbe"]["failureThreshold"] == 30


def test_the_configuration_is_what_the_values_say(manifests, values):
    config = airflow_config(manifests)
    assert config["core"]["executor"] == values["executor"]
    for section, options in values["config"].items():
        for option, value in options.items():
            assert config[section][option] == str(value)


def test_metrics_have_a_listener_where_the_settings_say(manifests, values):
    name, _, port = settings_of(values)["CAPTIONS_STATSD"].partition(":")
    ports = find(manifests, "Service", name.partition(".")[0])["spec"]["ports"]
    assert (int(port), "UDP") in {(each["port"], each["protocol"]) for each in ports}


def test_the_chart_makes_no_key_database_or_user_of_its_own(manifests):
    names = {(m["kind"], m["metadata"]["name"]) for m in manifests}
    for kind, word in (
        ("Secret", "fernet"),
        ("Secret", "jwt"),
        ("Secret", "api-secret"),
        ("Secret", "metadata"),
        ("Job", "create-user"),
        ("StatefulSet", "postgresql"),
    ):
        assert [name for found, name in names if found == kind and word in name] == []
