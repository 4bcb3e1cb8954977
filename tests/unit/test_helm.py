"""deploy/helm fits the code, deploy/kubernetes, and the chart as far as it is known here.

`make test-helm` renders the real chart with the same values.
"""

import json
import re
import shlex
import subprocess
import tomllib

import jsonschema
import pytest
import yaml

from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import VARIABLE_NAMES, load_settings
from sa1b_captions.settings.profiles import load_profile
from tests.support.deployment import ROOT, SERVICES
from tests.support.helm_values import (
    FOLDER,
    KNOWN,
    VARIANT_NAMES,
    VARIANTS,
    load_values,
    secrets_of,
    settings_of,
)

PAGE = (ROOT / "docs" / "deploy.md").read_text()
RBAC = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/rbac.yaml").read_text()))


@pytest.fixture(params=VARIANT_NAMES)
def values(request):
    return load_values(request.param)


# The chart


def test_values_have_only_what_the_chart_knows(values):
    jsonschema.validate(values, KNOWN)


def test_a_misspelt_value_would_be_found(values):
    values["workers"]["persistance"] = {"enabled": False}
    with pytest.raises(jsonschema.ValidationError, match="persistance"):
        jsonschema.validate(values, KNOWN)


def test_each_variant_says_how_it_is_installed_and_the_page_says_the_same():
    for files in VARIANTS.values():
        options = " ".join(f"--values deploy/helm/{name}" for name in files)
        text = " ".join((FOLDER / files[-1]).read_text().replace("#", " ").split())
        command = (
            "helm upgrade --install airflow apache-airflow/airflow --version 1.22.0 \\ "
            f"--namespace airflow {options}"
        )
        assert command in text
        assert command in " ".join(PAGE.split())


def test_the_celery_overlay_changes_the_executor_and_no_setting():
    kubernetes, celery = load_values("kubernetes"), load_values("celery")
    assert (kubernetes["executor"], celery["executor"]) == ("KubernetesExecutor", "CeleryExecutor")
    for key in ("extraConfigMaps", "extraEnvFrom", "env", "data", "migrateDatabaseJob"):
        assert kubernetes[key] == celery[key]


# The image


def test_the_images_are_ours_of_this_version(values):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert values["defaultAirflowTag"] == version
    image = f"{values['defaultAirflowRepository']}:{version}"
    assert {each["image"] for each in values["apiServer"]["extraInitContainers"]} == {image}
    assert image.rpartition("/")[2] == SERVICES["airflow-init"]["image"]


def test_the_chart_is_told_the_airflow_that_the_image_has(values):
    pinned = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.txt").read_text(), re.M)[1]
    assert values["airflowVersion"] == pinned


def test_the_migration_job_runs_the_script_of_the_image(values):
    docker_file = (ROOT / "deploy/Dockerfile.airflow").read_text()
    assert re.search(r"^COPY .*deploy/migrate.sh /opt/airflow/$", docker_file, re.M)
    assert values["migrateDatabaseJob"]["args"] == ["bash", "/opt/airflow/migrate.sh"]
    given = {each["name"] for each in values["migrateDatabaseJob"]["env"]}
    script = (ROOT / "deploy/migrate.sh").read_text()
    assert given == set(re.findall(r"\$\{(\w+)", script))


def test_the_image_has_the_providers_that_the_values_need():
    pins = (ROOT / "requirements.txt").read_text()
    for provider in ("amazon", "celery", "cncf-kubernetes"):
        assert f"\napache-airflow-providers-{provider}==" in pins


# The package's settings


def test_settings_are_strings_that_the_package_takes(values):
    given = settings_of(values)
    assert {name for name, value in given.items() if not isinstance(value, str)} == set()
    assert set(given) <= set(VARIABLE_NAMES)
    settings = load_settings(given)
    assert settings.runtime == "pod"
    load_profile(settings.gpu_profile)


def test_the_model_path_is_where_the_download_puts_the_recipes_model(values):
    settings = load_settings(settings_of(values))
    folder = load_recipe(settings.recipe).model.id.replace("/", "--")
    assert settings.model_path == f"/models/hub/models--{folder}/snapshots/<commit>"


def test_settings_name_what_kubernetes_has(values):
    settings = load_settings(settings_of(values))
    role, binding = RBAC
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == settings.namespace
    assert settings.store_secret in set(secrets_of(values))


def test_metrics_go_to_the_charts_exporter_from_both_namespaces(values):
    assert values["statsd"] == {"enabled": True}
    assert settings_of(values)["CAPTIONS_STATSD"] == "airflow-statsd.airflow:9125"
    assert values["config"]["metrics"]["statsd_on"] == (
        "True" if "\nstatsd==" in (ROOT / "requirements.txt").read_text() else "False"
    )


def test_the_pool_of_pods_fits_the_quota(values):
    quota = yaml.safe_load_all((ROOT / "deploy/kubernetes/quota.yaml").read_text())
    gpus = int(next(quota)["spec"]["hard"]["requests.nvidia.com/gpu"])
    slots = {each["name"]: int(each["value"]) for each in values["migrateDatabaseJob"]["env"]}
    settings = load_settings(settings_of(values))
    assert slots["GPU_SLOTS"] * load_profile(settings.gpu_profile).gpus <= gpus


def test_the_links_file_lies_where_the_settings_say(values):
    (mount,) = values["workers"]["extraVolumeMounts"]
    (volume,) = values["workers"]["extraVolumes"]
    assert mount["name"] == volume["name"]
    assert settings_of(values)["CAPTIONS_LINKS"] == f"{mount['mountPath']}/links.txt"
    assert f"{volume['secret']['secretName']} --from-file=links.txt" in PAGE


# Access


def test_accounts_are_those_that_the_role_is_bound_to(values):
    _, binding = RBAC
    bound = {(subject["name"], subject["namespace"]) for subject in binding["subjects"]}
    parts = ("scheduler", "triggerer", "workers")
    assert bound == {(values[part]["serviceAccount"]["name"], "airflow") for part in parts}


def test_the_kubernetes_connection_is_the_clusters_own(values):
    (text,) = [e["value"] for e in values["env"] if e["name"] == "AIRFLOW_CONN_KUBERNETES_DEFAULT"]
    connection = json.loads(text)
    settings = load_settings(settings_of(values))
    assert connection["conn_type"] == "kubernetes"
    assert connection["extra"] == {"in_cluster": True, "namespace": settings.namespace}


def test_logs_go_to_a_bucket_by_a_connection_that_is_given(values):
    logging = values["config"]["logging"]
    assert logging["remote_base_log_folder"].startswith("s3://")
    given = {each["name"] for each in values["env"]}
    assert f"AIRFLOW_CONN_{logging['remote_log_conn_id'].upper()}" in given


def test_the_password_file_is_copied_to_where_the_auth_manager_writes(values):
    (copy,) = values["apiServer"]["extraInitContainers"]
    (mount,) = values["apiServer"]["extraVolumeMounts"]
    file = values["config"]["core"]["simple_auth_manager_passwords_file"]
    program, source, target = copy["command"]
    assert (program, f"{target}passwords.json") == ("cp", file)
    mounts = {each["mountPath"]: each["name"] for each in copy["volumeMounts"]}
    assert mounts[mount["mountPath"]] == mount["name"]
    assert source == "/passwords/passwords.json"
    volumes = {each["name"] for each in values["apiServer"]["extraVolumes"]}
    assert set(mounts.values()) <= volumes


def test_secrets_are_named_only_and_the_page_makes_every_one(values):
    names = set(secrets_of(values))
    made = set(re.findall(r"kubectl -n airflow create secret generic ([\w-]+)", PAGE))
    assert names == made
    for text in ("PASSWORD", "SECRET_ACCESS_KEY"):
        assert text not in yaml.safe_dump(values)


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("airflow-metadata", "connection"),
        ("airflow-fernet-key", "fernet-key"),
        ("airflow-api-secret", "api-secret-key"),
        ("airflow-jwt-secret", "jwt-secret"),
    ],
)
def test_the_page_gives_secrets_the_keys_that_the_chart_reads(secret, key):
    command = re.search(rf"create secret generic {secret}(.*?)\n\n", PAGE + "\n\n", re.S)[1]
    assert re.match(rf"\s*(\\\s*)?--from-literal={key}=", command)


# The page


def commands_of_the_page():
    """Its indented blocks, a command a line."""
    blocks = re.findall(r"(?:^    \S.*\n(?:^    .*\n)*)+", PAGE, re.M)
    text = "\n".join(line.removeprefix("    ") for line in "".join(blocks).splitlines())
    return text.replace("\\\n", " ").splitlines()


def test_the_pages_commands_are_shell():
    script = "\n".join(commands_of_the_page())
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_pages_commands_name_files_that_are_there():
    words = [word for command in commands_of_the_page() for word in shlex.split(command)]
    named = {word for word in words if word.startswith("deploy/") and "airflow-" not in word}
    assert len(named) >= 5
    assert {word for word in named if not (ROOT / word).exists()} == set()


def test_the_page_builds_the_images_that_the_values_name(values):
    built = {
        shlex.split(command)[-2]
        for command in commands_of_the_page()
        if command.startswith("docker build")
    }
    airflow = f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"
    assert built == {airflow, settings_of(values)["CAPTIONS_WORKER_IMAGE"]}
    pushed = {c.split()[-1] for c in commands_of_the_page() if c.startswith("docker push")}
    assert pushed == built


def test_the_pages_backfill_is_a_command_that_airflow_has():
    (command,) = [c for c in commands_of_the_page() if "backfill create" in c]
    assert "--dag-id caption_shards --from-date" in " ".join(command.split())
    assert (
        "airflow backfill create --dag-id caption_shards"
        in (ROOT / "dags/caption_shards.py").read_text()
    )
