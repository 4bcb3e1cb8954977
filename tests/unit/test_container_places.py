"""What the stack of processes takes for compose's containers."""

import pytest

from tests.support.compose_file import load_services
from tests.support.container_places import PORTS, ContainerPlace
from tests.support.deployment import env_example

VARIABLES = {name: value or "x" for name, value in env_example().items()}


def place(name, folder):
    made = ContainerPlace(load_services(VARIABLES)[name], folder, dict.fromkeys(PORTS, 7))
    made.make()
    return made


def test_a_variable_that_must_be_set_is_asked_for_in_the_files_own_words():
    with pytest.raises(ValueError, match="AIRFLOW_JWT_SECRET: set it in .env; .env.example says"):
        load_services(VARIABLES | {"AIRFLOW_JWT_SECRET": ""})


def test_defaults_are_filled_in_and_doubled_dollars_are_one():
    services = load_services(VARIABLES | {"GPU_SLOTS": "", "S3_PORT": ""})
    assert services["airflow-init"].environment["GPU_SLOTS"] == "1"
    assert services["seaweedfs"].ports == ["127.0.0.1:8333:8333"]
    assert services["airflow-triggerer"].health[-1].endswith('--hostname "$(hostname)"')


def test_a_place_has_what_its_service_mounts_and_nothing_else(tmp_path):
    (tmp_path / "data").mkdir()
    with_auth, without = place("airflow-apiserver", tmp_path), place("airflow-scheduler", tmp_path)
    assert with_auth.path("/opt/airflow/auth").is_dir()
    assert not without.path("/opt/airflow/auth").exists()
    assert without.path("/opt/airflow/dags/caption_shards.py").is_file()
    assert without.path("/opt/airflow/data").resolve() == (tmp_path / "data").resolve()
    assert with_auth.path("/opt/airflow/logs").samefile(without.path("/opt/airflow/logs"))


def test_paths_and_addresses_lead_to_this_machine(tmp_path):
    made = place("airflow-scheduler", tmp_path)
    environment = made.environment()
    assert environment["PYTHONPATH"] == str(made.path("/opt/airflow/include"))
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == (
        "http://127.0.0.1:7/execution/"
    )
    assert "@127.0.0.1:7/airflow" in environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    values = " ".join(environment.values())
    for theirs in ("seaweedfs", "airflow-apiserver", "/opt/airflow/plugins"):
        assert theirs not in values
    assert made.texts(made.service.health)[-1] == "http://127.0.0.1:7/health"
    assert made.command() == ["airflow", "scheduler", "--skip-serve-logs"]
