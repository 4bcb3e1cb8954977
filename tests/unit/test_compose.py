import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sa1b_captions.settings import VARIABLE_NAMES, load_settings
from sa1b_captions.settings.profiles import load_profile
from tests.support.deployment import COMPOSE_FILE, ROOT, SERVICES, env_example

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


# Settings


def test_env_example_is_usable_as_it_is():
    settings = load_settings(env_example())
    assert settings.campaign == "internvl2-76b"
    load_profile(settings.gpu_profile)


def test_env_example_asks_for_nothing_that_is_off_by_default():
    settings = load_settings(env_example())
    optional = ("alert_connection", "deadline_h", "price_per_gpu_hour", "statsd", "publish_to")
    assert [name for name in optional if getattr(settings, name) is not None] == []


def test_compose_takes_only_variables_that_env_example_explains():
    used = set(re.findall(r"\$\{(\w+)", COMPOSE_FILE.read_text()))
    assert used == set(env_example())


def test_compose_hands_every_setting_to_every_stage():
    for name in [*AIRFLOW, "worker"]:
        assert set(VARIABLE_NAMES) <= set(SERVICES[name]["environment"])


def test_whatever_reads_the_recipe_sees_the_folder_that_may_hold_it():
    """The console and the command line do too."""
    for name in [*AIRFLOW, "worker"]:
        if name != "airflow-init":
            assert "./data:/opt/airflow/data:ro" in SERVICES[name]["volumes"]


def test_init_refuses_a_misspelt_setting_in_env():
    assert SERVICES["airflow-init"]["env_file"] == [{"path": ".env", "required": False}]
    reply = subprocess.run(
        ["bash", str(ROOT / "deploy/init.sh")],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "CAPTIONS_ROOT": "s3://sa1b/captions",
            "CAPTIONS_WINDOWS": "5",
        },
    )
    assert reply.returncode != 0
    assert reply.stderr.startswith(
        "settings: CAPTIONS_WINDOWS is no setting (did you mean CAPTIONS_WINDOW?)"
    )


def init(folder: Path, root: str) -> subprocess.CompletedProcess[str]:
    """Run init.sh as in the image, after a migration that has nothing to do."""
    shutil.copy(ROOT / "deploy/init.sh", folder)
    (folder / "migrate.sh").write_text("")
    return subprocess.run(
        ["bash", str(folder / "init.sh")],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "CAPTIONS_ROOT": root,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "logins"),
            "ADMIN_PASSWORD": "secret",
        },
    )


def test_init_makes_no_bucket_for_a_store_that_is_a_folder(tmp_path):
    reply = init(tmp_path, tmp_path.as_uri())
    assert (reply.returncode, reply.stderr) == (0, "")
    assert json.loads((tmp_path / "logins").read_text()) == {"admin": "secret"}


def test_init_refuses_a_folder_that_is_not_mounted(tmp_path):
    reply = init(tmp_path, (tmp_path / "store").as_uri())
    assert reply.returncode == 1
    assert reply.stderr.startswith(f"CAPTIONS_ROOT is {(tmp_path / 'store').as_uri()}, no folder")


def test_what_env_example_names_by_host_is_a_service_of_compose():
    values = " ".join(env_example().values())
    hosts = set(re.findall(r"(?:https?://)?([a-z][\w.-]*):\d+\b", values))
    assert hosts == {"seaweedfs"} <= set(SERVICES)


def test_secrets_have_no_value_in_the_repository():
    assert [name for name in SECRETS if env_example()[name]] == []
    text = COMPOSE_FILE.read_text()
    for name in SECRETS:
        assert re.findall(rf"\$\{{{name}(:\?)?", text) == [":?"] * text.count(f"${{{name}")


# Compose


def test_everything_is_published_on_the_loopback_only():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_nothing_serves_logs_that_the_api_server_reads_itself():
    """Airflow's log servers listen on every address, and cannot be told another."""
    for name in ("airflow-scheduler", "airflow-triggerer"):
        assert "--skip-serve-logs" in SERVICES[name]["command"]
        assert "airflow-logs:/opt/airflow/logs" in SERVICES[name]["volumes"]
    assert "airflow-logs:/opt/airflow/logs" in SERVICES["airflow-apiserver"]["volumes"]


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


def test_volumes_are_folders_of_this_repository_the_users_data_or_declared():
    mounted = [
        volume.split(":") for service in SERVICES.values() for volume in service.get("volumes", [])
    ]
    declared = set(yaml.safe_load(COMPOSE_FILE.read_text())["volumes"])
    assert {source for source, *_ in mounted if "/" not in source} == declared
    for source, *rest in mounted:
        if source.startswith("./"):
            assert rest[1:] == ["ro"]
            assert source == "./data" or (ROOT / source).exists()


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
    text = (ROOT / "deploy/migrate.sh").read_text()
    pools = json.loads(
        re.sub(r"\$\{\w+:\?[^}]*\}", "1", re.search(r"<<JSON\n(.*?)JSON", text, re.S)[1])
    )
    assert set(pools) == {"gpu", "download"}
    assert [pool["include_deferred"] for pool in pools.values()] == [True, True]


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
