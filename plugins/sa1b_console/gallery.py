"""Addresses of the gallery. What answers is imported by the first request that needs it."""

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response

from sa1b_console.common import caption_runs

router = APIRouter(dependencies=[caption_runs])


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
