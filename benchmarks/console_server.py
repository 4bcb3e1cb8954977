"""Airflow's own API server with the console, and a database with a campaign's task instances.

Nothing of Airflow is imported before its home is named.
"""

import datetime as dt
import os
import uuid
from pathlib import Path
from typing import Any

from sa1b_captions.shards import shard_name
from tests.support.airflow_home import airflow_home


def prepare(home: Path, url: str, s3_endpoint_url: str | None) -> None:
    """Name an Airflow that lies in a folder, for a campaign of a store."""
    os.environ |= {
        **airflow_home(home, "viewer:viewer", "ERROR"),
        "CAPTIONS_ROOT": url,
        "CAPTIONS_CAMPAIGN": "bench",
        "CAPTIONS_RECIPE": "internvl",
    }
    if s3_endpoint_url:
        os.environ["CAPTIONS_S3_ENDPOINT_URL"] = s3_endpoint_url


def start(shards: int) -> Any:
    """A client that is logged in, before a database with a caption task for each shard."""
    from airflow.api_fastapi.app import create_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils.db import initdb
    from starlette.testclient import TestClient

    initdb()
    put_tasks(shards)
    app = create_app(apps="all")
    client = TestClient(app)
    user = SimpleAuthManagerUser(username="viewer", role="VIEWER")
    client.cookies.set("_token", app.state.auth_manager.generate_jwt(user))
    return client


def put_tasks(shards: int) -> None:
    """Task instances of one run; of the last twenty, pods are running."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, TaskGroup
    from airflow.utils.session import create_session
    from sqlalchemy import insert, select

    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]
    with DAG("caption_shards", schedule=None) as dag, TaskGroup("shard"):
        EmptyOperator(task_id="caption")
    bag = DagBag(os.environ["AIRFLOW_HOME"], collect_dags=False)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, "dags-folder", None)
    run = dag.test()
    began = dt.datetime.now(dt.UTC)
    table = TaskInstance.__table__
    with create_session() as session:
        found = session.execute(select(table).where(table.c.run_id == run.run_id)).mappings().one()
        rows = []
        for number in range(shards):
            runs = number >= shards - 20
            changed = {
                "id": uuid.UUID(int=number + 1),
                "map_index": number,
                "rendered_map_index": shard_name(number),
                "state": "deferred" if runs else "success",
                "start_date": began - dt.timedelta(hours=shards - number),
                "end_date": None if runs else began,
            }
            rows.append(dict(found) | changed)
            if runs:
                line = f"{shard_name(number)} 3420/12340 samples, 3.9 images/s, 790 tokens/s"
                kept = {"dag_run_id": run.id, "dag_id": run.dag_id, "run_id": run.run_id}
                kept |= {"task_id": "shard.caption", "map_index": number}
                session.add(TaskStateStoreModel(key="progress", value=f'"{line}"', **kept))
        session.execute(insert(table), rows)


def get(client: Any, path: str) -> None:
    """Ask for a page of the console.

    Raises:
        RuntimeError: it is not served.
    """
    reply = client.get(f"/captions{path}")
    if reply.status_code != 200:
        raise RuntimeError(f"{path}: {reply.status_code} {reply.text[:300]}")
