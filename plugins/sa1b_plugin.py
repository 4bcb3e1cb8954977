"""Registers the captions console with Airflow. Every Airflow process imports this: keep it cheap.

The web application behind it costs over a second to import, so it is loaded by the first request,
and only the API server gets one.
"""

import importlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

DAGS = ("caption_shards", "release_dataset")


class LazyApp:
    """ASGI application that imports the real one on first use."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._app: Callable[..., Awaitable[None]] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on."""
        if self._app is None:
            module, _, name = self._path.partition(":")
            self._app = getattr(importlib.import_module(module), name)
        await self._app(scope, receive, send)


class TrailingSlash:
    """ASGI middleware that leads from `/captions` to the console's own address."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on, or redirect it."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path != f"{scope.get('root_path', '').rstrip('/')}/captions":
            await self._app(scope, receive, send)
            return
        headers = [(b"location", f"{path}/".encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class RunNotes:
    """Makes what a task said of its run the run's note; a task itself cannot write one.

    Called in the scheduler when a run ends, with the run as it is about to be stored. A note that
    a person wrote stays.
    """

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Note what the run came to."""
        _take_note(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Note why the run was refused."""
        _take_note(dag_run)


class Preload:
    """Lets a process that forks others import what each of them would."""

    @hookimpl
    def on_starting(self, component: Any) -> None:
        """Called as a process of Airflow starts, with a job that does not know yet what it does.

        Every task calls it as well, with something else.
        """
        if type(component).__name__ != "Job":
            return
        from airflow.sdk.configuration import conf

        from sa1b_operators.preload import forks, preload

        if forks("".join(sys.argv[1:2]), conf.get("core", "executor")):
            preload()


def _take_note(dag_run: Any) -> None:
    if dag_run.dag_id not in DAGS:
        return
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is not None:
        _write_note(dag_run, session)
        return
    with create_session() as session:  # as in `dag.test`, which takes the run out of its session
        _write_note(session.get(DagRun, dag_run.id), session)


def _write_note(dag_run: Any, session: Any) -> None:
    from airflow.models.xcom import XComModel

    written = dag_run.dag_run_note
    if written is not None and written.user_id:
        return
    query = XComModel.get_many(run_id=dag_run.run_id, dag_ids=dag_run.dag_id, key="note", limit=1)
    with session.no_autoflush:
        found = session.scalars(query).first()
    if found is not None:
        dag_run.note = str(XComModel.deserialize_value(found))[:1000]


class CaptionsPlugin(AirflowPlugin):
    """The console below `/captions`, in the menu and as a tab of every run."""

    # Airflow declares these as plain attributes and reads them from the class.
    name = "sa1b_captions"
    fastapi_apps = [  # noqa: RUF012
        {"app": LazyApp("sa1b_console.app:app"), "url_prefix": "/captions", "name": "Captions"}
    ]
    fastapi_root_middlewares = [  # noqa: RUF012
        {"middleware": TrailingSlash, "args": [], "kwargs": {}, "name": "/captions to /captions/"}
    ]
    listeners = [RunNotes(), Preload()]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Campaign board",
            "href": "captions/",
            "destination": "nav",
            "category": "browse",
            "url_route": "campaign-board",
        },
        {
            "name": "Captions",
            "href": "captions/gallery",
            "destination": "nav",
            "category": "browse",
            "url_route": "captions",
        },
        {
            "name": "Quality report",
            "href": "captions/runs/{DAG_ID}/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "quality-report",
        },
    ]
