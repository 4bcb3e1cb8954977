"""What Airflow knows of the tasks that work on shards: state, run, progress and node.

Read from Airflow's own database, in one question each, whatever the campaign's size.
"""

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

from sa1b_captions.errors import PermanentError
from sa1b_captions.shards import parse_selection
from sa1b_console.common import CAPTION_DAG
from sa1b_operators.state_keys import NODE_KEY, PROGRESS_KEY

TASKS = ("shard.ingest", "shard.caption", "shard.curate", "shard.audit")
ACTIVE = (
    *("queued", "scheduled", "running", "deferred", "restarting"),
    *("up_for_retry", "up_for_reschedule"),
)
MOST = 2000
"""Task instances that are looked at, the newest first."""

_SAMPLES = re.compile(r"(sa_[0-9]{6}) ([0-9]+)/([0-9]+) samples")


@dataclass(frozen=True, slots=True)
class Task:
    """A task instance that works, or worked, on shards."""

    task_id: str
    run_id: str
    map_index: int
    label: str
    """Its shard, or a selection of shards; of one that has not started, empty."""
    state: str
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    tries: int
    progress: str = ""
    """Last line of its stage."""
    node: str = ""
    """Where its pod runs."""

    @property
    def stage(self) -> str:
        """Such as `caption`."""
        return self.task_id.rpartition(".")[2]

    @property
    def shards(self) -> Sequence[str]:
        """Names of its shards, as far as it is labelled."""
        try:
            return parse_selection(self.label)
        except PermanentError:
            return ()

    @property
    def hours(self) -> float | None:
        """Since it began, or as long as it took."""
        if self.began_at is None:
            return None
        ended = self.ended_at or dt.datetime.now(dt.UTC)
        return (ended - self.began_at).total_seconds() / 3600

    def path(self) -> str:
        """Of its page in Airflow, which opens with its log."""
        mapped = f"/mapped/{self.map_index}" if self.map_index >= 0 else ""
        run = quote(self.run_id, safe="")
        return f"/dags/{CAPTION_DAG}/runs/{run}/tasks/{self.task_id}{mapped}"

    @property
    def captioned(self) -> tuple[str, float] | None:
        """Shard that is captioned right now and the part of its samples that is done."""
        found = _SAMPLES.search(self.progress)
        if found is None or not int(found[3]):
            return None
        return found[1], int(found[2]) / int(found[3])


def may_see_tasks(user: BaseUser) -> bool:
    """Whether Airflow shows a user the task instances of the DAG."""
    return get_auth_manager().is_authorized_dag(
        method="GET",
        access_entity=DagAccessEntity.TASK_INSTANCE,
        details=DagDetails(id=CAPTION_DAG),
        user=user,
    )


def tasks_at_work() -> list[Task]:
    """Tasks that run or wait for their turn, those that began first in front."""
    from airflow.models.taskinstance import TaskInstance

    found = _read(TaskInstance.state.in_(ACTIVE))
    begun = [task for task in found if task.began_at is not None]
    waiting = [task for task in found if task.began_at is None]
    return [*sorted(begun, key=lambda task: str(task.began_at)), *waiting]


def tasks_of(shard: str) -> list[Task]:
    """Of each stage the newest task that worked on a shard."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import or_

    label = TaskInstance._rendered_map_index  # `rendered_map_index` is no column
    # Several shards of one pod are a selection, as in 0-9, which does not begin like a name.
    found = _read(or_(label == shard, label.not_like("sa/_%", escape="/")))
    newest: dict[str, Task] = {}
    for task in found:
        if shard in task.shards:
            newest.setdefault(task.stage, task)
    stages = [name.rpartition(".")[2] for name in TASKS]
    return [newest[stage] for stage in stages if stage in newest]


def _read(wanted: Any) -> list[Task]:
    """Task instances with what their state store holds, the newest first."""
    from airflow.models.taskinstance import TaskInstance as TI
    from airflow.utils.session import create_session
    from sqlalchemy import select

    columns = (TI.task_id, TI.run_id, TI.map_index, TI._rendered_map_index, TI.state)
    times = (TI.start_date, TI.end_date, TI.try_number)
    question = (
        select(*columns, *times)
        .where(TI.dag_id == CAPTION_DAG, TI.task_id.in_(TASKS), wanted)
        .order_by(TI.start_date.desc().nulls_first())  # databases differ in where they put them
        .limit(MOST)
    )
    with create_session() as session:
        rows = session.execute(question).all()
        told = _told(session, {row[1] for row in rows if row[4] in ACTIVE})
    return [
        Task(
            *row[:3],
            row[3] or "",
            str(row[4] or ""),
            *row[5:],
            *(told.get((*row[:3], key), "") for key in (PROGRESS_KEY, NODE_KEY)),
        )
        for row in rows
    ]


def _told(session: Any, runs: set[str]) -> dict[tuple[str, str, int, str], str]:
    """What tasks of some runs keep in their state store, by task, run, map index and key."""
    from airflow.models.task_state_store import TaskStateStoreModel as Kept
    from sqlalchemy import select

    question = select(Kept.task_id, Kept.run_id, Kept.map_index, Kept.key, Kept.value).where(
        Kept.dag_id == CAPTION_DAG,
        Kept.run_id.in_(runs),
        Kept.task_id.in_(TASKS),
        Kept.key.in_((PROGRESS_KEY, NODE_KEY)),
    )
    found = {}
    for *where, value in session.execute(question):
        try:
            text = json.loads(value)
        except ValueError:
            continue
        found[tuple(where)] = str(text)[:300]
    return found
