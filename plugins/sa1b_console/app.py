"""The console's pages. Read only: it shows what the store holds and starts nothing.

Airflow does not protect applications that plugins mount, so every page asks for a logged-in user
who may see plugins and the runs of the DAG whose results it shows. Captions are untrusted text:
templates escape everything, and no page may run a script or load anything.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, look_at_campaign
from sa1b_captions.errors import CaptioningError
from sa1b_captions.receipt_files import read_receipt, run_summary_place
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import SHARD_PATTERN
from sa1b_captions.stages.status import read_status
from sa1b_captions.storage import open_store
from sa1b_console import reports

CAPTION_DAG, RELEASE_DAG = "caption_shards", "release_dataset"
_RUN_COLUMNS = ("planned", "accepted", "rejected", "checks_failed")
_AIRFLOW_ID = re.compile(r"[\w.+:~-]{1,250}")
_REPORT_NAME = re.compile(r"\w{1,64}")
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
@app.get("/shards/{shard}/{name}", dependencies=[_caption_runs])
def shard_report(request: Request, shard: str, name: str | None = None) -> HTMLResponse:
    """Quality report of a shard, as the validate stage wrote it; by default the present one."""
    if not re.fullmatch(SHARD_PATTERN, shard):
        raise NotThere("a shard is named like sa_000017")
    found = reports.shard_report(_campaign(), shard, _report_name(name))
    missing = f"{shard} has no quality report yet; the validate task of {CAPTION_DAG} writes it"
    return _show(request, found, missing, name)


@app.get("/release", dependencies=[_release_runs])
@app.get("/release/{name}", dependencies=[_release_runs])
def release_report(request: Request, name: str | None = None) -> HTMLResponse:
    """Quality report over all shards; by default the present one."""
    found = reports.release_report(_campaign(), _report_name(name))
    missing = f"the release has no quality report yet; the validate task of {RELEASE_DAG} writes it"
    return _show(request, found, missing, name)


@app.get("/runs/{dag_id}/{run_id}", dependencies=[_named_runs])
def run_report(request: Request, dag_id: str, run_id: str) -> HTMLResponse:
    """What a run validated; for a run of the release DAG, the report that belongs to it."""
    if not _AIRFLOW_ID.fullmatch(dag_id) or not _AIRFLOW_ID.fullmatch(run_id):
        raise NotThere("no such run")
    if dag_id not in (CAPTION_DAG, RELEASE_DAG):
        raise NotThere(f"{dag_id} makes no captions; open a run of {CAPTION_DAG}")
    campaign = _campaign()
    summary = read_receipt(campaign.store, run_summary_place(campaign.name, run_id))
    if dag_id == RELEASE_DAG:
        key = None if summary is None else summary.release
        name = PurePosixPath(key).stem if key else reports.release_report_of_run(campaign, run_id)
        if name is not None:
            return release_report(request, name)
    elif summary is not None:
        names = {shard: PurePosixPath(one.report).stem for shard, one in summary.shards.items()}
        return _page(request, "run.html", run=summary, names=names, columns=_RUN_COLUMNS)
    raise NotThere(
        f"run {run_id} has validated nothing; the validate task of {dag_id} writes this page, and "
        "a run that did not get there says why in its note and in the log of its first task"
    )


def _campaign() -> Campaign:
    """Open the campaign as it is stored; a page must not start one."""
    settings = load_settings()
    store = open_store(settings)
    if not store.exists(layout.recipe_key(settings.campaign)):
        raise NotThere(
            f"campaign {settings.campaign} has not started: nothing lies in {store.url}; "
            f"trigger {CAPTION_DAG}"
        )
    return look_at_campaign(store, settings.campaign, load_recipe(settings.recipe))


def _report_name(name: str | None) -> str | None:
    if name is not None and not _REPORT_NAME.fullmatch(name):
        raise NotThere("no such report")
    return name


def _show(
    request: Request, report: reports.Report | None, missing: str, name: str | None
) -> HTMLResponse:
    if report is None:
        raise NotThere(missing if name is None else f"report {name} is gone, or never was there")
    root = request.scope.get("root_path", "")
    notice = _templates.get_template("standing.html").render(root=root, report=report)
    return HTMLResponse(report.below(notice))


def _page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    root = request.scope.get("root_path", "")
    return HTMLResponse(_templates.get_template(template).render(root=root, **values), status)
