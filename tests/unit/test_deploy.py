import ast
import json
import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from sa1b_captions.profiles import load_profile, profile_names
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import VARIABLE_NAMES, load_settings

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yaml"
COMPOSE = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES = COMPOSE["services"]
AIRFLOW = [name for name in SERVICES if name.startswith("airflow-")]
SECRETS = [
    "ADMIN_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_SECRET_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "POSTGRES_PASSWORD",
]
DOCKERFILES = sorted((ROOT / "deploy").glob("Dockerfile.*"))
MANIFESTS = [
    (path.name, document)
    for path in sorted((ROOT / "deploy" / "kubernetes").rglob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]


def env_example():
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def manifest(kind, name=None):
    (found,) = [
        document
        for _, document in MANIFESTS
        if document["kind"] == kind and name in (None, document["metadata"]["name"])
    ]
    return found


# Settings


def test_env_example_has_exactly_the_settings_there_are():
    named = {name for name in env_example() if name.startswith("CAPTIONS_")}
    assert named == set(VARIABLE_NAMES)


def test_env_example_is_usable_as_it_is():
    settings = load_settings(env_example())
    assert settings.campaign == "internvl2-76b"
    load_profile(settings.gpu_profile)


def test_compose_takes_only_variables_that_env_example_explains():
    used = set(re.findall(r"\$\{(\w+)", COMPOSE_FILE.read_text()))
    assert used == set(env_example())


def test_compose_hands_every_setting_to_every_stage():
    for name in [*AIRFLOW, "worker"]:
        assert set(VARIABLE_NAMES) <= set(SERVICES[name]["environment"])


def test_secrets_have_no_value_in_the_repository():
    assert [name for name in SECRETS if env_example()[name]] == []
    text = COMPOSE_FILE.read_text()
    for name in SECRETS:
        assert re.findall(rf"\$\{{{name}(:\?)?", text) == [":?"] * text.count(f"${{{name}")


def test_no_secret_object_is_committed():
    assert "Secret" not in {document["kind"] for _, document in MANIFESTS}


# Compose


def test_everything_is_published_on_the_loopback_only():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_airflow_processes_share_their_secrets():
    names = [
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    ]
    shared = {tuple(SERVICES[name]["environment"][key] for key in names) for name in AIRFLOW}
    assert len(shared) == 1


def test_the_command_line_container_has_no_airflow_secret():
    assert not [name for name in SERVICES["worker"]["environment"] if name.startswith("AIRFLOW")]


def test_start_order():
    for name in AIRFLOW:
        conditions = {
            before: after["condition"] for before, after in SERVICES[name]["depends_on"].items()
        }
        if name == "airflow-init":
            assert conditions == {"postgres": "service_healthy", "seaweedfs": "service_healthy"}
            continue
        assert conditions.pop("airflow-init") == "service_completed_successfully"
        assert conditions == (
            {} if name == "airflow-apiserver" else {"airflow-apiserver": "service_healthy"}
        )


def test_every_running_service_has_a_health_check_that_can_fail():
    for name, service in SERVICES.items():
        if name in ("airflow-init", "worker"):
            continue
        command = " ".join(service["healthcheck"]["test"])
        assert "-le " not in command
        assert ";" not in command
        assert "|| true" not in command
        if "curl" in command:
            assert command.count("--fail") == command.count("curl")


def test_health_of_the_api_server_warms_the_execution_api():
    assert "/execution/health/ping" in str(SERVICES["airflow-apiserver"]["healthcheck"]["test"])
    assert (
        SERVICES["airflow-scheduler"]["environment"]["AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT"]
        == "60"
    )


def test_init_makes_pools_that_count_deferred_pods():
    pools = re.findall(r"^airflow pools set (\w+) .*", (ROOT / "deploy/init.sh").read_text(), re.M)
    assert pools == ["gpu", "download"]
    assert (ROOT / "deploy/init.sh").read_text().count("--include-deferred") == 2
    subprocess.run(["bash", "-n", str(ROOT / "deploy/init.sh")], check=True)


def test_images_are_pinned():
    images = [service["image"] for service in SERVICES.values()]
    for path in DOCKERFILES:
        arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", path.read_text(), re.M))
        for image in re.findall(r"^FROM (\S+)", path.read_text(), re.M):
            name = re.fullmatch(r"\$\{(\w+)\}", image)
            images.append(arguments[name[1]] if name else image)
    for image in images:
        assert re.search(r":v?\d+\.\d|:slim-\d", image), image
    assert len(images) == len(SERVICES) + 2 * len(DOCKERFILES)


def test_seaweedfs_has_conditional_writes():
    version = SERVICES["seaweedfs"]["image"].rpartition(":")[2]
    assert tuple(int(part) for part in version.split(".")) >= (4, 44)


def compose_command():
    """A compose of version 2, if this machine has one."""
    for command in (["docker-compose"], ["docker", "compose"]):
        if shutil.which(command[0]) is None:
            continue
        reply = subprocess.run(
            [*command, "version", "--short"], capture_output=True, text=True, check=False
        )
        if reply.returncode == 0 and reply.stdout.startswith("2"):
            return command
    return None


@pytest.fixture
def check_compose(tmp_path):
    """Run `compose config -q` on our file with these variables, without an engine."""
    command = compose_command()
    if command is None:
        pytest.skip("needs docker-compose 2")

    def check(values):
        env = tmp_path / "env"
        env.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        return subprocess.run(
            [*command, "--file", str(COMPOSE_FILE), "--env-file", str(env), "config", "--quiet"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},  # no variable of ours
        )

    return check


def test_compose_accepts_the_file(check_compose):
    reply = check_compose(env_example() | dict.fromkeys(SECRETS, "x"))
    assert reply.returncode == 0, reply.stderr


@pytest.mark.parametrize("secret", SECRETS)
def test_compose_refuses_to_start_without_a_secret(check_compose, secret):
    reply = check_compose(env_example() | dict.fromkeys(SECRETS, "x") | {secret: ""})
    assert reply.returncode != 0
    assert secret in reply.stderr


# Images


def test_worker_images_run_as_nobody_special_and_without_airflow():
    for name in ("worker", "worker-cpu"):
        text = (ROOT / f"deploy/Dockerfile.{name}").read_text()
        assert re.findall(r"^USER (.*)$", text, re.M)[-1] == "1000:1000"
        assert 'ENTRYPOINT ["sa1b-captions"]' in text
        assert "apache/airflow" not in text


def test_airflow_image_is_of_the_pinned_version():
    version = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.txt").read_text(), re.M)[1]
    assert f"-{version}-python3.11" in (ROOT / "deploy/Dockerfile.airflow").read_text()


def test_what_the_docker_files_copy_is_let_through():
    let_through = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for path in DOCKERFILES:
        text = path.read_text()
        copied = re.findall(r"^COPY ((?:[\w.-]+ )+)[\w./-]+$", text, re.M)
        mounted = re.findall(r"type=bind,source=([\w.-]+)", text)
        names = {name for line in copied for name in line.split()} | set(mounted)
        assert names
        assert names <= let_through
        assert all((ROOT / name).exists() for name in names)


def test_worker_requirements_hold_all_that_the_caption_stage_imports():
    package = ROOT / "include/sa1b_captions"
    stage = [
        package / "stages/caption.py",
        *package.glob("cli/*.py"),
        *package.glob("caption/**/*.py"),
        *package.glob("storage/*.py"),
        *package.glob("*.py"),
        *package.glob("cli/*.py"),
    ]
    assert len(stage) > 15
    imported = {
        name.partition(".")[0]
        for path in stage
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }
    distributions = packages_distributions()
    needed = {name for module in imported for name in distributions.get(module, [])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = project["dependencies"] + project["optional-dependencies"]["openai"]
    ours = {re.split(r"[<>=\[]", line)[0] for line in dependencies}
    worker = (ROOT / "requirements-worker.txt").read_text().splitlines()
    given = {re.split(r"[<>=]", line)[0] for line in worker if not line.startswith("#")}
    assert needed & ours == given
    assert set(line for line in worker if not line.startswith("#")) <= set(dependencies)


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


# Kubernetes


@pytest.mark.parametrize(("name", "document"), MANIFESTS)
def test_manifests_are_valid(name, document):
    kubernetes_validate.validate(document, "1.34", strict=True)


def test_names_are_those_that_the_settings_expect():
    settings = load_settings(env_example())
    assert manifest("Namespace")["metadata"]["name"] == settings.namespace
    manifest("ServiceAccount", settings.service_account)
    manifest("PersistentVolumeClaim", settings.model_claim)
    for name in profile_names():
        manifest("PriorityClass", load_profile(name).priority_class)
    for _, document in MANIFESTS:
        if document["kind"] not in ("Namespace", "PriorityClass"):
            assert document["metadata"]["namespace"] == settings.namespace


def test_namespace_enforces_restricted_pods():
    labels = manifest("Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_airflow_may_not_execute_commands_in_pods():
    rules = manifest("Role")["rules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {
        "pods",
        "pods/log",
        "events",
    }
    assert not [rule for rule in rules if "*" in rule["verbs"]]


def test_quota_has_room_for_a_pod_of_every_profile():
    hard = manifest("ResourceQuota")["spec"]["hard"]
    assert max(load_profile(name).gpus for name in profile_names()) <= int(
        hard["requests.nvidia.com/gpu"]
    )


ONE_TIME = {"model-download.yaml", "model-node-local.yaml"}


@pytest.mark.parametrize("folder", ["deploy/kubernetes", "deploy/kubernetes/fleet"])
def test_kustomizations_name_every_manifest_but_the_one_time_jobs(folder):
    named = set(yaml.safe_load((ROOT / folder / "kustomization.yaml").read_text())["resources"])
    there = {path.name for path in (ROOT / folder).glob("*.yaml")}
    assert named == there - {"kustomization.yaml"} - ONE_TIME


# The warm fleet


def fleet_server():
    return manifest("StatefulSet", "captions")["spec"]["template"]["spec"]


def test_the_fleet_has_the_chat_template_that_servers_need():
    stored = manifest("ConfigMap", "sa1b-fleet")["data"]["chat-template.json"]
    template = ROOT / "deploy" / "internvl2-chat-template.json"
    assert json.loads(stored) == json.loads(template.read_text())


def test_the_fleet_serves_the_recipes_model_and_revision():
    data = manifest("ConfigMap", "sa1b-fleet")["data"]
    model = load_recipe("internvl").model
    assert data["MODEL_NAME"] == f"{model.id}@{model.revision}"
    assert model.id.replace("/", "--") in data["MODEL_FOLDER"]


def test_fleet_pods_meet_the_restricted_standard():
    spec = fleet_server()
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    for container in [*spec["initContainers"], *spec["containers"]]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"] == container["resources"]["requests"]
    assert not any("hostPath" in volume for volume in spec["volumes"])


def test_the_fleet_asks_for_what_a_pod_of_the_same_gpus_asks_for_and_fits_the_quota():
    (server,) = fleet_server()["containers"]
    profile = load_profile("h100x4")
    limits = server["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == str(profile.gpus)
    assert limits["memory"] == f"{profile.memory_gib}Gi"
    assert f"--tp={profile.gpus}" in server["args"]
    assert fleet_server()["nodeSelector"] == profile.node_selector
    replicas = manifest("StatefulSet", "captions")["spec"]["replicas"]
    quota = manifest("ResourceQuota")["spec"]["hard"]["requests.nvidia.com/gpu"]
    assert replicas * profile.gpus <= int(quota)


def test_traffic_reaches_the_servers_from_caption_pods_alone():
    policy = manifest("NetworkPolicy", "sa1b-fleet")["spec"]
    labels = manifest("StatefulSet", "captions")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert manifest("Service", "captions")["spec"]["selector"].items() <= labels.items()
    (port,) = fleet_server()["containers"][0]["ports"]
    assert policy["ingress"][0]["ports"] == [{"port": port["name"]}]
