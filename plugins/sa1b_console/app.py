"""The console's pages. Read only: it shows what the store holds and starts nothing.

Airflow does not protect applications that plugins mount, so every page asks for a logged-in user
who may see plugins and the runs of the DAG whose results it shows. Captions are untrusted text:
templates escape everything, and no page may run a script or load anything.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jinja2
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.errors import CaptioningError, MissingKeyError
from sa1b_captions.receipt_files import read_receipt, run_summary_place
from sa1b_captions.recipe import TRACKS
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import SHARD_PATTERN
from sa1b_captions.stages.status import read_status
from sa1b_captions.storage import open_store

CAPTION_DAG, RELEASE_DAG = "caption_shards", "release_dataset"
_RUN_COLUMNS = ("planned", "accepted", "rejected", "checks_failed")
_AIRFLOW_ID = re.compile(r"[\w.+:~-]{1,250}")
_HEADERS = {
    # No script, no form, nothing loaded; `allow-same-origin` keeps the login on links in a frame.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)

app = FastAPI(
    title="Captions",
    dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)
_caption_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN, CAPTION_DAG))
_release_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN, RELEASE_DAG))
_named_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN))


class NotThere(Exception):
    """There is nothing to show yet, or never will be; the message says what to do."""


@app.middleware("http")
async def _harden(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


@app.exception_handler(NotThere)
def _not_there(request: Request, error: Exception) -> HTMLResponse:
    return _page(request, "notice.html", 404, title="Nothing to show yet", message=str(error))


@app.exception_handler(CaptioningError)
def _failed(request: Request, error: Exception) -> HTMLResponse:
    return _page(request, "notice.html", 503, title="Cannot be shown", message=str(error))


@app.get("/", dependencies=[_caption_runs])
def overview(request: Request) -> HTMLResponse:
    """How far every shard is."""
    campaign = _campaign()
    found = read_status(campaign)
    return _page(request, "overview.html", campaign=campaign, found=found, tracks=TRACKS)


@app.get("/shards/{shard}", dependencies=[_caption_runs])
def shard_report(shard: str) -> HTMLResponse:
    """Quality report of a shard, as the validate stage wrote it."""
    if not re.fullmatch(SHARD_PATTERN, shard):
        raise NotThere("a shard is named like sa_000017")
    campaign = _campaign()
    return _stored(
        campaign,
        layout.shard_report_key(campaign.name, shard),
        f"{shard} has no quality report yet; the validate task of {CAPTION_DAG} writes it",
    )


@app.get("/release", dependencies=[_release_runs])
def release_report() -> HTMLResponse:
    """Quality report over all shards."""
    campaign = _campaign()
    return _stored(
        campaign,
        layout.release_report_key(campaign.name),
        f"the release has no quality report yet; the validate task of {RELEASE_DAG} writes it",
    )


@app.get("/runs/{dag_id}/{run_id}", dependencies=[_named_runs])
def run_report(request: Request, dag_id: str, run_id: str) -> HTMLResponse:
    """What a run validated; for a run of the release DAG, the release's report."""
    if not _AIRFLOW_ID.fullmatch(dag_id) or not _AIRFLOW_ID.fullmatch(run_id):
        raise NotThere("no such run")
    if dag_id == RELEASE_DAG:
        return release_report()
    if dag_id != CAPTION_DAG:
        raise NotThere(f"{dag_id} makes no captions; open a run of {CAPTION_DAG}")
    campaign = _campaign()
    summary = read_receipt(campaign.store, run_summary_place(campaign.name, run_id))
    if summary is None:
        raise NotThere(
            f"run {run_id} has validated nothing yet; its validate task writes this page"
        )
    return _page(request, "run.html", run=summary, columns=_RUN_COLUMNS)


def _campaign() -> Campaign:
    """Open the campaign as it is stored; a page must not start one."""
    settings = load_settings()
    store = open_store(settings)
    if not store.exists(layout.recipe_key(settings.campaign)):
        raise NotThere(
            f"campaign {settings.campaign} has not started: nothing lies in {store.url}; "
            f"trigger {CAPTION_DAG}"
        )
    return open_campaign(store, settings.campaign)


def _stored(campaign: Campaign, key: str, missing: str) -> HTMLResponse:
    try:
        return HTMLResponse(campaign.store.read(key))
    except MissingKeyError:
        raise NotThere(missing) from None


def _page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    root = request.scope.get("root_path", "")
    return HTMLResponse(_templates.get_template(template).render(root=root, **values), status)
