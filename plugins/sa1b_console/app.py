"""The console's pages: they show what the store holds, take people's marks, and start nothing.

Airflow does not protect applications that plugins mount, so every page asks for a logged-in user
who may see plugins and the runs of the DAG whose results it shows. Captions are untrusted text:
templates escape everything, and these pages may run no script and load nothing.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse

from sa1b_captions.errors import CaptioningError
from sa1b_captions.receipts.receipt_files import read_receipt, run_summary_place
from sa1b_captions.shards import SHARD_PATTERN
from sa1b_console import addresses, marking, reports
from sa1b_console.common import (
    CAPTION_DAG,
    HEADERS,
    RELEASE_DAG,
    NotThere,
    Refused,
    caption_runs,
    named_runs,
    open_campaign,
    release_runs,
    show,
    templates,
)

_RUN_COLUMNS = ("planned", "accepted", "rejected", "checks_failed")
_AIRFLOW_ID = re.compile(r"[\w.+:~-]{1,250}")
_REPORT_NAME = re.compile(r"\w{1,64}")
app = FastAPI(
    title="Captions",
    dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)
app.include_router(addresses.router)
app.include_router(marking.router)


@app.middleware("http")
async def _harden(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@app.exception_handler(404)
def _no_such_page(request: Request, error: Exception) -> HTMLResponse:
    message = "the console has no page of this address"
    return show(request, "notice.html", 404, title="No such page", message=message)


@app.exception_handler(NotThere)
def _not_there(request: Request, error: Exception) -> HTMLResponse:
    return show(request, "notice.html", 404, title="Nothing to show yet", message=str(error))


@app.exception_handler(RequestValidationError)
def _of_no_kind(request: Request, error: Exception) -> HTMLResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    names = " and ".join(dict.fromkeys(str(one["loc"][-1]) for one in faults))
    message = f"the address has no value of {names}, or one that it cannot have"
    return show(request, "notice.html", 422, title="No such page", message=message)


@app.exception_handler(Refused)
def _refused(request: Request, error: Exception) -> PlainTextResponse:
    return PlainTextResponse(str(error), 400)


@app.exception_handler(CaptioningError)
def _failed(request: Request, error: Exception) -> HTMLResponse:
    return show(request, "notice.html", 503, title="Cannot be shown", message=str(error))


@app.get("/shards/{shard}", dependencies=[caption_runs])
@app.get("/shards/{shard}/{name}", dependencies=[caption_runs])
def shard_report(request: Request, shard: str, name: str | None = None) -> HTMLResponse:
    """Quality report of a shard, as the validate stage wrote it; by default the present one."""
    if not re.fullmatch(SHARD_PATTERN, shard):
        raise NotThere("a shard is named like sa_000017")
    found = reports.shard_report(open_campaign(), shard, _report_name(name))
    missing = f"{shard} has no quality report yet; the validate task of {CAPTION_DAG} writes it"
    return _show(request, found, missing, name)


@app.get("/release", dependencies=[release_runs])
@app.get("/release/{name}", dependencies=[release_runs])
def release_report(request: Request, name: str | None = None) -> HTMLResponse:
    """Quality report over all shards; by default the present one."""
    found = reports.release_report(open_campaign(), _report_name(name))
    missing = f"the release has no quality report yet; the validate task of {RELEASE_DAG} writes it"
    return _show(request, found, missing, name)


@app.get("/runs/{dag_id}/{run_id}", dependencies=[named_runs])
def run_report(request: Request, dag_id: str, run_id: str) -> HTMLResponse:
    """What a run validated; for a run of the release DAG, the report that belongs to it."""
    if not _AIRFLOW_ID.fullmatch(dag_id) or not _AIRFLOW_ID.fullmatch(run_id):
        raise NotThere("no such run")
    if dag_id not in (CAPTION_DAG, RELEASE_DAG):
        raise NotThere(f"{dag_id} makes no captions; open a run of {CAPTION_DAG}")
    campaign = open_campaign()
    summary = read_receipt(campaign.store, run_summary_place(campaign.name, run_id))
    if dag_id == RELEASE_DAG:
        key = None if summary is None else summary.release
        name = PurePosixPath(key).stem if key else reports.release_report_of_run(campaign, run_id)
        if name is not None:
            return release_report(request, name)
    elif summary is not None:
        names = {shard: PurePosixPath(one.report).stem for shard, one in summary.shards.items()}
        return show(request, "run.html", run=summary, names=names, columns=_RUN_COLUMNS)
    raise NotThere(
        f"run {run_id} has validated nothing; the validate task of {dag_id} writes this page, and "
        "a run that did not get there says why in its note and in the log of its first task"
    )


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
    around = None if report.subject == "release" else _neighbours(report.subject)
    notice = templates.get_template("report_head.html").render(
        root=root, report=report, around=around
    )
    return HTMLResponse(report.below(notice, root))


def _neighbours(shard: str) -> tuple[str | None, str | None]:
    """The shards before and behind one in the recipe's order."""
    shards = list(open_campaign().recipe.shards)
    if shard not in shards:
        return None, None
    at = shards.index(shard)
    return (shards[at - 1] if at else None, shards[at + 1] if at + 1 < len(shards) else None)
