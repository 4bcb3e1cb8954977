"""An Airflow of its own: a home, SQLite, the project's DAGs and plugins."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def airflow_home(home: Path, users: str, logging_level: str) -> dict[str, str]:
    """Variables of an Airflow that lies in a folder; it reads them once, when it is imported.

    Args:
        home: the folder.
        users: of the simple auth manager, as `name:role`, separated by commas.
        logging_level: below which Airflow is silent.
    """
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of this home alone " * 3,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": logging_level,
    }
