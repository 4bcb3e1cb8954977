"""Pairs of captions that a person chooses between without knowing where they come from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import xxhash
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Request
from fastapi.responses import HTMLResponse

from sa1b_captions.errors import PermanentError
from sa1b_captions.marks import Better, PairMark, text_digest
from sa1b_captions.quality.report.differences import parse_sample
from sa1b_console.common import NotThere, Refused, may_judge, open_campaign, show_live
from sa1b_console.compare_page import page_of
from sa1b_console.comparisons import Asked, align, marks_of_pair, parse_asked
from sa1b_console.marking import MAX_BODY, store_mark

PAGE_PAIRS = 6
SHOWN_CHARS = 6000
_TEXTS = ("before", "after", "track", "shard", "sample_id", "left_xxh3", "right_xxh3", "better")


@dataclass(frozen=True, slots=True)
class BlindPair:
    """Two captions of a sample."""

    sample_id: str
    language: str
    shard: str
    images: Sequence[int]
    texts: tuple[str, str]
    """Left and right."""
    digests: tuple[str, str]
    chosen: Better | None
    """What the reader chose before."""


def show_pairs(request: Request, user: BaseUser) -> HTMLResponse:
    """Captions that both sides publish with other words, in an order that the seed draws."""
    campaign = open_campaign()
    asked = parse_asked(campaign, request.query_params)
    try:
        compared = align(campaign, asked)
        marks = marks_of_pair(campaign, compared)
        drawn = _drawn(compared.rows["changed"], asked.seed)
        rows, after = page_of(drawn, asked.after_key, PAGE_PAIRS)
        shown = list(rows.iter_rows(named=True))
        who = user.get_name()
        mine = {
            mark.sample_id: mark
            for row in shown
            for mark in marks.get(row["sample_id"], ())
            if isinstance(mark, PairMark) and mark.who == who
        }
        pairs = [_pair(asked, who, row, mine.get(row["sample_id"])) for row in shown]
    except PermanentError as error:
        raise NotThere(str(error)) from None
    return show_live(
        request,
        "blind.html",
        campaign=campaign,
        asked=asked,
        pairs=pairs,
        total=drawn.height,
        may=may_judge(user),
        next=asked.query(after_key=after) if after else None,
    )


def _drawn(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows in the order that a seed draws."""
    keys = [xxhash.xxh3_128_hexdigest(f"{seed}/pair/{one}".encode()) for one in rows["sample_id"]]
    return rows.with_columns(key=pl.Series(keys, dtype=pl.String)).sort("key")


def is_swapped(asked: Asked, who: str, sample_id: str) -> bool:
    """Whether a person sees the later caption of a sample on the left, as if by a coin."""
    sides = sorted((asked.before, asked.after))
    coin = f"{who}/{sample_id}/{sides}/{asked.before}"
    return bool(xxhash.xxh3_64_intdigest(coin.encode()) & 1)


def _pair(asked: Asked, who: str, row: Mapping[str, Any], mark: PairMark | None) -> BlindPair:
    track, shard, images = parse_sample(row["sample_id"])
    texts = (row["caption"], row["caption_after"])
    left, right = texts[::-1] if is_swapped(asked, who, row["sample_id"]) else texts
    digests = (text_digest(left), text_digest(right))
    return BlindPair(
        row["sample_id"],
        track.rpartition("_")[2],
        shard,
        images,
        (left[:SHOWN_CHARS], right[:SHOWN_CHARS]),
        digests,
        None if mark is None else _seen(mark, digests),
    )


def _seen(mark: PairMark, digests: tuple[str, str]) -> Better | None:
    """A choice as this page shows its captions; None of other captions."""
    if {mark.left_xxh3, mark.right_xxh3} != set(digests):
        return None
    if mark.better == Better.NEITHER or mark.left_xxh3 == digests[0]:
        return mark.better
    return Better.LEFT if mark.better == Better.RIGHT else Better.RIGHT


def add_choice(body: bytes, user: BaseUser) -> PairMark:
    """Store a choice that a page's script sent.

    Raises Refused: it says nothing, or the captions are others by now.
    """
    if len(body) > MAX_BODY:
        raise Refused("this is no choice: it is too long")
    try:
        content = json.loads(body)
        texts = {name: content[name] for name in _TEXTS}
        if not all(isinstance(one, str) for one in texts.values()):
            raise ValueError("a value is no text")
        better = Better(texts["better"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(f"this is no choice: {error}") from None
    campaign = open_campaign()
    asked = Asked(*(texts[name] for name in ("before", "after", "track", "shard")))
    try:
        compared = align(campaign, asked)
        rows = compared.rows["changed"].filter(pl.col("sample_id") == texts["sample_id"])
        if not rows.height:
            raise Refused("both sides do not publish other captions of such a sample")
        pair = _pair(asked, user.get_name(), rows.row(0, named=True), None)
        if pair.digests != (texts["left_xxh3"], texts["right_xxh3"]):
            raise Refused("the captions are others by now; load the page again")
        sides = (asked.before, asked.after)
        swapped = is_swapped(asked, user.get_name(), pair.sample_id)
        left, right = sides[::-1] if swapped else sides
        mark = PairMark(
            sample_id=pair.sample_id,
            who=user.get_name(),
            left=left,
            right=right,
            left_xxh3=pair.digests[0],
            right_xxh3=pair.digests[1],
            better=better,
        )
        store_mark(campaign.store, compared.after.campaign, mark)
        marks_of_pair(campaign, compared, fresh=True)
    except PermanentError as error:
        raise Refused(str(error)) from None
    return mark
