"""Task instances of caption_shards as Airflow has them while their pods run."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def task_writer(run_dag: Callable[..., Any]) -> Iterator[Callable[..., str]]:
    """Write such tasks, and delete them at the end."""
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, TaskGroup
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    made = []

    def put(label: str, state: str = "deferred", **kept: str) -> str:
        """A task of this label; what its state store keeps besides. Returns its run."""
        with DAG("caption_shards", schedule=None) as dag, TaskGroup("shard"):
            EmptyOperator(task_id="caption")
        run = run_dag(dag)
        made.append(run.run_id)
        with create_session() as session:
            where = {"run_id": run.run_id, "task_id": "shard.caption"}
            began = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
            found = session.query(TaskInstance).filter_by(**where)
            found.update(
                {
                    TaskInstance.state: state,
                    TaskInstance.map_index: 3,
                    TaskInstance._rendered_map_index: label,
                    TaskInstance.start_date: began,
                    TaskInstance.end_date: began + dt.timedelta(hours=1)
                    if state == "success"
                    else None,
                }
            )
            for key, value in kept.items():
                row = {"dag_run_id": run.id, "dag_id": "caption_shards", "map_index": 3, **where}
                session.add(TaskStateStoreModel(key=key, value=json.dumps(value), **row))
        return str(run.run_id)

    yield put
    with create_session() as session:
        session.execute(delete(TaskInstance).where(TaskInstance.run_id.in_(made)))
