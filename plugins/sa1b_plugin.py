"""Registers the captions console with Airflow. Every Airflow process imports this: keep it cheap.

The web application behind it costs over a second to import, so it is loaded by the first request,
and only the API server gets one.
"""

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from airflow.plugins_manager import AirflowPlugin


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


class CaptionsPlugin(AirflowPlugin):
    """The console below `/captions`, in the menu and as a tab of every run."""

    # Airflow declares these as plain attributes and reads them from the class.
    name = "sa1b_captions"
    fastapi_apps = [  # noqa: RUF012
        {"app": LazyApp("sa1b_console.app:app"), "url_prefix": "/captions", "name": "Captions"}
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Captions",
            "href": "captions/",
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
