"""Addresses of the board and of a shard's page. What answers is imported by the first request."""

import re

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response

from sa1b_captions.shards import SHARD_PATTERN
from sa1b_console.common import NotThere, caption_runs

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
