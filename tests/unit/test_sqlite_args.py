"""The demo's SQLite connections wait for each other, through the engine that Airflow uses."""

import threading

import pytest
from sqlalchemy import create_engine, event

from demo.sqlite_args import connect_args


@pytest.fixture
def engines(tmp_path):
    """Two processes, as it were: two engines on one file, set up as Airflow sets its own up."""
    url = f"sqlite:///{tmp_path}/airflow.db"
    pair = [
        create_engine(url, connect_args=connect_args | {"check_same_thread": False})
        for _ in range(2)
    ]
    for engine in pair:
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA journal_mode=WAL"))
    with pair[0].begin() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (id)")
    yield pair
    for engine in pair:
        engine.dispose()


def test_a_savepoint_that_reads_may_write_although_another_process_writes(engines):
    """As `airflow backfill create` beside the scheduler: read the latest run, then add one."""
    ours, theirs = engines

    def write():
        with theirs.begin() as other:
            other.exec_driver_sql("INSERT INTO runs VALUES (1)")

    writer = threading.Thread(target=write)
    with ours.connect() as connection:
        with connection.begin_nested():
            connection.exec_driver_sql("SELECT count(*) FROM runs").all()
            writer.start()
            writer.join(timeout=0.3)  # long enough to commit, were it let in
            connection.exec_driver_sql("INSERT INTO runs VALUES (2)")
        connection.commit()
    writer.join()
    with ours.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM runs ORDER BY id").scalars().all()
    assert rows == [1, 2]


def test_a_query_that_is_not_read_to_its_end_may_be_followed_by_a_write(engines):
    """As the scheduler, which looks at many tasks while runs are triggered."""
    ours, theirs = engines
    with theirs.begin() as other:
        other.exec_driver_sql("INSERT INTO runs VALUES (1), (2), (3)")
    with ours.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM runs ORDER BY id")
        assert rows.fetchone() == (1,)
        with theirs.begin() as other:
            other.exec_driver_sql("INSERT INTO runs VALUES (4)")
        connection.exec_driver_sql("INSERT INTO runs VALUES (5)")
        assert rows.fetchmany(1) == [(2,)]
        assert rows.all() == [(3,)]
        connection.commit()
        found = connection.exec_driver_sql("SELECT id FROM runs ORDER BY id").scalars()
        assert list(found) == [1, 2, 3, 4, 5]


def test_a_savepoint_rolled_back_leaves_nothing_and_no_lock(engines):
    ours, theirs = engines
    with ours.connect() as connection:
        nested = connection.begin_nested()
        connection.exec_driver_sql("INSERT INTO runs VALUES (1)")
        nested.rollback()
        connection.rollback()
        with theirs.begin() as other:
            other.exec_driver_sql("INSERT INTO runs VALUES (2)")
        assert connection.exec_driver_sql("SELECT id FROM runs").scalars().all() == [2]


def test_a_reader_does_not_wait_for_a_writer(engines):
    ours, theirs = engines
    with ours.connect() as connection, theirs.connect() as reader:
        with connection.begin_nested():
            connection.exec_driver_sql("INSERT INTO runs VALUES (1)")
            assert reader.exec_driver_sql("SELECT count(*) FROM runs").scalar() == 0
        connection.commit()
