"""SQLite connection arguments, which Airflow takes as the name of a module attribute.

Two processes that write at once wait for each other here; with Airflow's defaults one of them ends
with "database is locked".
"""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any


class PatientCursor(sqlite3.Cursor):
    """Never writes as a reader.

    When another process has written since a reader began, SQLite refuses the reader's first write
    at once, whatever the timeout; a writer waits before it reads. A savepoint outside a transaction
    would be a reader, and is opened as a writer. So would be a query with rows left to fetch, and
    all are fetched at once.
    """

    _rows: Iterator[Any] = iter(())

    def execute(self, sql: str, *parameters: Any) -> "PatientCursor":
        """As in sqlite3, with all rows fetched."""
        if sql.startswith("SAVEPOINT") and not self.connection.in_transaction:
            super().execute("BEGIN IMMEDIATE")
        super().execute(sql, *parameters)
        self._rows = iter(super().fetchall())
        return self

    def fetchone(self) -> Any:
        """As in sqlite3."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """As in sqlite3."""
        return list(islice(self._rows, self.arraysize if size is None else size))

    def fetchall(self) -> list[Any]:
        """As in sqlite3."""
        return list(self._rows)

    def __next__(self) -> Any:
        return next(self._rows)


class PatientConnection(sqlite3.Connection):
    """A connection whose cursors are patient."""

    def cursor(self, factory: Any = PatientCursor) -> Any:
        """As in sqlite3."""
        return super().cursor(factory)


# The default of 5 s ends the scheduler when many tasks finish at once. SQLite does not serve in
# turn those that wait, so that one of them may wait for long.
connect_args = {"timeout": 300, "factory": PatientConnection}
