"""Addresses of comparisons. What answers is imported by the first request that needs it."""

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from sa1b_console.common import caption_runs, judging
from sa1b_console.marking import require_own_page

router = APIRouter(dependencies=[caption_runs])


@router.get("/compare")
def compare(request: Request) -> Response:
    """Two generations, campaigns or releases of a shard, sample by sample."""
    from sa1b_console.compare_page import show_comparison

    return show_comparison(request)


@router.get("/compare/blind")
def blind(request: Request, user: GetUserDep) -> Response:
    """Pairs of captions without a word on where they come from."""
    from sa1b_console.blind_page import show_pairs

    return show_pairs(request, user)


@router.post("/compare/pairs", dependencies=[judging])
async def add_pair(request: Request, user: GetUserDep) -> Response:
    """Store which of two captions the user calls better."""
    require_own_page(request)
    body = await request.body()
    from starlette.concurrency import run_in_threadpool

    from sa1b_console.blind_page import add_choice

    mark = await run_in_threadpool(add_choice, body, user)
    return JSONResponse({"id": mark.id, "at": mark.at}, 201)
