"""What Airflow's database tells of a run, asked without Airflow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import create_engine

from tests.support.stack import Stack

_LAG = """
SELECT extract(epoch FROM behind.scheduled_dttm - ahead.end_date)::float8
FROM task_instance ahead JOIN task_instance behind USING (dag_id, run_id, map_index)
WHERE run_id = %s AND ahead.task_id = 'shard.caption' AND behind.task_id = 'shard.curate'
AND behind.scheduled_dttm IS NOT NULL
"""
_STARTS = """
SELECT extract(epoch FROM start_date - queued_dttm)::float8 FROM task_instance
WHERE run_id = %s AND task_id = 'shard.curate' AND start_date IS NOT NULL
"""
_HEARTBEAT = """
SELECT extract(epoch FROM now() - max(latest_heartbeat))::float8 FROM job
WHERE job_type = 'SchedulerJob'
"""


class Database:
    """A connection that only reads."""

    def __init__(self, services: Stack) -> None:
        password, port = services.variables["POSTGRES_PASSWORD"], services.ports["postgres"]
        url = f"postgresql+psycopg2://airflow:{password}@127.0.0.1:{port}/airflow"
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def size_mib(self) -> float:
        """Size of all tables and indexes."""
        return float(self._rows("SELECT pg_database_size(current_database())")[0][0]) / 2**20

    def heartbeat_age_s(self) -> float:
        """Seconds since the scheduler last said that it lives; it does so every 5 s."""
        return float(self._rows(_HEARTBEAT)[0][0])

    def states(self, run_id: str) -> dict[str, int]:
        """Task instances of a run by state."""
        query = "SELECT coalesce(state, 'none'), count(*) FROM task_instance WHERE run_id = %s"
        return dict(self._rows(f"{query} GROUP BY 1 ORDER BY 1", run_id))

    def rows(self) -> dict[str, int]:
        """Rows of every table that has some."""
        names = self._rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        counted = {
            name: int(self._rows(f'SELECT count(*) FROM "{name}"')[0][0])  # noqa: S608
            for (name,) in names
        }
        return {name: count for name, count in sorted(counted.items()) if count}

    def lag_s(self, run_id: str) -> list[float]:
        """From the end of each shard's `caption` until its `curate` is scheduled."""
        return [lag for (lag,) in self._rows(_LAG, run_id)]

    def start_s(self, run_id: str) -> list[float]:
        """From each `curate`'s being queued until it runs: most of it waits for a free process."""
        return [waited for (waited,) in self._rows(_STARTS, run_id)]

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.exec_driver_sql(query, values))


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and the largest; empty of none."""
    if not values:
        return {}
    p50, p95, most = np.percentile(values, [50, 95, 100])
    return {"p50": round(p50, 3), "p95": round(p95, 3), "max": round(most, 3)}
