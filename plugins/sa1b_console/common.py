"""What all pages of the console share: who may see them, headers, the campaign, templates.

Airflow does not protect applications that plugins mount. Captions are untrusted text: templates
escape everything, and the only script that a page may run is the one that this package put there,
named by a nonce of the request.
"""

import functools
import secrets
from pathlib import Path
from typing import Any

import jinja2
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, look_at_campaign
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import load_settings
from sa1b_captions.storage import Store, open_store_url

CAPTION_DAG, RELEASE_DAG = "caption_shards", "release_dataset"

READ_ONLY = (
    # No script, no form, nothing loaded; `allow-same-origin` keeps the login on links in a frame.
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)
"""Content-Security-Policy of pages that run nothing."""

HEADERS = {
    "Content-Security-Policy": READ_ONLY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

caption_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN, CAPTION_DAG))
release_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN, RELEASE_DAG))
named_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
judging = Depends(requires_access_dag("PUT", DagAccessEntity.HITL_DETAIL, CAPTION_DAG))
"""Whose word counts: those whom Airflow lets answer for people in a run."""

templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters["counted"] = counted
templates.filters["count"] = lambda number: "–" if number is None else f"{number:,}"
templates.filters["percent"] = lambda share: f"{share:.1%}"
templates.filters["decimal"] = lambda number, digits: (
    "–" if number is None else f"{number:,.{digits if abs(number) < 1000 else 0}f}"
)
templates.filters["hours"] = lambda number: (
    "–" if number is None else f"{number:,.1f}" if number >= 0.95 or not number else f"{number:.2g}"
)
templates.filters["span_of_time"] = lambda width: next(
    counted(round(width.total_seconds() / seconds), unit)
    for unit, seconds in (("day", 86_400), ("hour", 3600), ("minute", 60))
    if width.total_seconds() >= seconds
)


def may_judge(user: BaseUser) -> bool:
    """Whether a user's marks are taken."""
    manager = get_auth_manager()
    details = DagDetails(id=CAPTION_DAG)
    return manager.is_authorized_dag(
        method="PUT", access_entity=DagAccessEntity.HITL_DETAIL, details=details, user=user
    )


class NotThere(Exception):
    """There is nothing to show yet, or never will be; the message says what to do."""


class Refused(Exception):
    """What a form or a script sent is not taken; the message says why."""


def open_campaign() -> Campaign:
    """Open the campaign as it is stored; a page must not start one."""
    settings = load_settings()
    store = _store(settings.captions_root, settings.s3_endpoint_url)
    if not store.exists(layout.recipe_key(settings.campaign)):
        raise NotThere(
            f"campaign {settings.campaign} has not started: nothing lies in {store.url}; "
            f"trigger {CAPTION_DAG}"
        )
    return look_at_campaign(store, settings.campaign, load_recipe(settings.recipe))


@functools.lru_cache(maxsize=4)
def _store(url: str, s3_endpoint_url: str | None) -> Store:
    """One for all requests: a client of S3 takes longer to make than a photograph to show."""
    return open_store_url(url, s3_endpoint_url)


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page that runs nothing."""
    root = request.scope.get("root_path", "")
    return HTMLResponse(templates.get_template(template).render(root=root, **values), status)


def show_live(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A page with forms, photographs of this console, and this package's own script."""
    nonce = secrets.token_urlsafe(18)
    response = show(request, template, nonce=nonce, **values)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'self'"
    )
    return response
