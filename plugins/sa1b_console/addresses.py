"""Addresses of the live pages. What answers is imported by the first request that needs it."""

import re

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from sa1b_captions.shards import SHARD_PATTERN
from sa1b_console.common import NotThere, caption_runs, judging
from sa1b_console.marking import require_own_page

router = APIRouter(dependencies=[caption_runs])


@router.get("/")
def board(request: Request, user: GetUserDep, track: str = "single_en") -> Response:
    """How far all shards are, how fast, at what price, and which are odd."""
    from sa1b_console.board_page import show_board

    return show_board(request, user, track)


@router.get("/board/{shard}")
def shard_page(request: Request, user: GetUserDep, shard: str) -> Response:
    """How one shard stands."""
    from sa1b_console.board_page import show_shard

    if not re.fullmatch(SHARD_PATTERN, shard):
        raise NotThere("a shard is named like sa_000017")
    return show_shard(request, user, shard)


@router.get("/gallery")
def gallery(request: Request, user: GetUserDep, after: str = "") -> Response:
    """Captions that a filter finds."""
    from sa1b_console.gallery_pages import gallery_page

    return gallery_page(request, user, after)


@router.get("/samples/{track}/{shard}/{ids}")
def sample(request: Request, user: GetUserDep, track: str, shard: str, ids: str) -> Response:
    """One sample."""
    from sa1b_console.gallery_pages import sample_page

    return sample_page(request, user, f"{track}/{shard}/{ids}")


@router.get("/clusters")
def clusters(
    request: Request, track: str = "single_en", shard: str = "", start: int = 0
) -> Response:
    """Clusters of duplicates."""
    from sa1b_console.gallery_pages import clusters_page

    return clusters_page(request, track, shard, start)


@router.get("/refused")
def refused(request: Request, track: str = "", shards: str = "", after: str = "") -> Response:
    """Sentences that the audit's judge refused."""
    from sa1b_console.refused_page import show_refused

    return show_refused(request, track, shards, after)


@router.get("/images/{shard}/{image_id}")
def image(shard: str, image_id: int, width: int = 320) -> Response:
    """A photograph made small."""
    from sa1b_console.gallery_pages import photograph

    return photograph(shard, image_id, width)


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


@router.get("/what-if")
def what_if(request: Request, change: str = "", shards: str = "", tracks: str = "") -> Response:
    """What another limit would keep and drop."""
    from sa1b_console.what_if_page import show_what_if

    return show_what_if(request, change, shards, tracks)


@router.get("/what-if.patch")
def patch(change: str) -> Response:
    """The change as a patch of the recipe."""
    from sa1b_console.what_if_page import show_patch

    return show_patch(change)
