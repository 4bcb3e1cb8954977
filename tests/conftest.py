"""One Airflow for all tests that want one: a temporary home, SQLite, the project's folders.

Nothing here imports Airflow before a test asks for it, so the unit tests do not pay.
"""

import atexit
import contextlib
import copy
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.airflow_home import airflow_home

ROOT = Path(__file__).parents[1]
HOME = Path(tempfile.mkdtemp(prefix="sa1b-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

# Before anything imports airflow: it reads these once.
os.environ |= {
    **airflow_home(HOME, "admin:admin,viewer:viewer", "WARNING"),
    # Between questions to a Kubernetes that is away; the defaults are 1 s and 15 s.
    "AIRFLOW__WORKERS__API_RETRY_WAIT_MIN": "0.01",
    "AIRFLOW__WORKERS__API_RETRY_WAIT_MAX": "0.02",
    "CAPTIONS_ROOT": (HOME / "store").as_uri(),
    "CAPTIONS_RECIPE": str(ROOT / "tests" / "support" / "two_shards.toml"),
    "CAPTIONS_CAMPAIGN": "test",
    "CAPTIONS_SHARDS_PER_RUN": "1",
    "CAPTIONS_START_DATE": "2026-11-01",
    "GX_ANALYTICS_ENABLED": "false",
}
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT)]

# A busy machine is slow, not wrong. Some environments have no hypothesis.
with contextlib.suppress(ImportError):
    from hypothesis import settings

    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


@pytest.fixture(scope="session")
def airflow_db():
    """The metadata database, with the pools of the DAGs."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.pool import Pool
    from airflow.utils.db import initdb

    initdb()
    DagBundlesManager().sync_bundles_to_db()
    for name in ("gpu", "download"):
        Pool.create_or_update_pool(name, slots=2, description="", include_deferred=True)
    yield
    from airflow import settings

    settings.dispose_orm()


@pytest.fixture(scope="session")
def dag_bag(airflow_db):
    """All DAGs of the project."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags"))


@pytest.fixture
def run_dag(airflow_db):
    """Run a DAG that a test wrote itself: `dag.test()` wants it in the database first."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    def run(dag, **arguments):
        bag = DagBag(str(HOME / "no-dags"), collect_dags=False)
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
        owners = [dag, *dag.tasks]
        defaults = [copy.deepcopy(owner.params) for owner in owners]
        try:
            return dag.test(**arguments)
        finally:  # a run's conf overwrites the values of the DAG and its tasks
            for owner, params in zip(owners, defaults, strict=True):
                owner.params = params

    return run


@pytest.fixture
def put_task(run_dag):
    """Write a task instance of caption_shards."""
    from tests.support.caption_tasks import task_writer

    with task_writer(run_dag) as put:
        yield put


@pytest.fixture(scope="module")
def free_port():
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
