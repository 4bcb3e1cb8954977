"""SQLite connection arguments, which Airflow takes as the name of a module attribute.

Two processes that write at once wait for each other here; with Airflow's defaults one of them ends
with "database is locked".
"""

import sqlite3
from typing import Any


class PatientCursor(sqlite3.Cursor):
    """Opens a transaction as a writer where Airflow opens it with a savepoint.

    A savepoint outside a transaction opens a reader. When another process has written since, SQLite
    refuses the reader's first write at once, whatever the timeout; a writer waits before it reads.
    """

    def execute(self, sql: str, *parameters: Any) -> "PatientCursor":
        """As in sqlite3."""
        if sql.startswith("SAVEPOINT") and not self.connection.in_transaction:
            super().execute("BEGIN IMMEDIATE")
        return super().execute(sql, *parameters)


class PatientConnection(sqlite3.Connection):
    """A connection whose cursors are patient."""

    def cursor(self, factory: Any = PatientCursor) -> Any:
        """As in sqlite3."""
        return super().cursor(factory)


# The default of 5 s ends the scheduler when many tasks finish at once.
connect_args = {"timeout": 60, "factory": PatientConnection}
