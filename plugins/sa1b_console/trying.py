"""Addresses of the what-if page. What answers is imported by the first request that needs it."""

from fastapi import APIRouter, Request, Response

from sa1b_console.common import caption_runs

router = APIRouter(dependencies=[caption_runs])


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
