"""Takes people's marks, shows what they say, and hands them out."""

import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.mark_logs import MAX_NOTE_CHARS, MarkLog, line_of, read_marks
from sa1b_captions.marks import CaptionMark, Fault, Judgement, Mark, last_of_each
from sa1b_captions.storage import Store
from sa1b_console.common import Refused, caption_runs, judging, open_campaign

router = APIRouter(dependencies=[caption_runs])

FAULTS = {
    Fault.FALSE_STATEMENT: "false statement",
    Fault.MISSING_THING: "missing thing",
    Fault.LANGUAGE: "language",
    Fault.STYLE: "style",
    Fault.RULE_WAS_WRONG: "rule was wrong",
}
"""Faults in the order of their keys, 1 to 5, and their names for people."""

_FRESH_S = 3.0
MAX_BODY = 16_000
_lock = threading.Lock()
_logs: dict[tuple[str, str], MarkLog] = {}
_read: dict[tuple[str, str], tuple[float, list[CaptionMark]]] = {}


def caption_marks(campaign: Campaign) -> list[CaptionMark]:
    """Marks that count, at most `_FRESH_S` old; of this process's own, all."""
    key = (campaign.store.url, campaign.name)
    with _lock:
        at, marks = _read.get(key, (0.0, []))
    if time.monotonic() - at > _FRESH_S:
        marks = last_of_each(read_marks(campaign.store, campaign.name, CaptionMark))
        with _lock:
            _read[key] = (time.monotonic(), marks)
    return [mark for mark in marks if mark.judgement != Judgement.WITHDRAWN]


def marks_of(campaign: Campaign, user: BaseUser) -> dict[str, CaptionMark]:
    """What a user said, by sample."""
    return {mark.sample_id: mark for mark in caption_marks(campaign) if mark.who == user.get_name()}


@router.post("/marks", dependencies=[judging])
async def add_mark(request: Request, user: GetUserDep) -> Response:
    """Store what the user says of a caption."""
    require_own_page(request)
    body = await request.body()
    from starlette.concurrency import run_in_threadpool

    mark = await run_in_threadpool(_add, body, user)
    return JSONResponse({"id": mark.id, "at": mark.at, "judgement": mark.judgement}, 201)


def require_own_page(request: Request) -> None:
    """Refuse what another site makes a browser send: its login goes along with it."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    plain = request.headers.get("content-type", "").partition(";")[0] == "application/json"
    # A page of another site cannot set this header without asking Airflow, which says no.
    if (
        not same
        or not plain
        or site not in (None, "same-origin")
        or (request.headers.get("x-captions") != "mark")
    ):
        raise Refused("a mark is only taken from the console's own pages")


def _add(body: bytes, user: BaseUser) -> CaptionMark:
    from sa1b_console.gallery_pages import require_caption

    if len(body) > MAX_BODY:
        raise Refused(f"a note has at most {MAX_NOTE_CHARS:,} characters")
    try:
        content = json.loads(body)
        values = {name: content.get(name) for name in ("fault", "rule", "draw")}
        texts = {name: content[name] for name in ("sample_id", "text_xxh3", "judgement")}
        note = content.get("note") or ""
        if not all(isinstance(one, str) for one in (*texts.values(), note)):
            raise ValueError("a value is no text")
        if not all(one is None or isinstance(one, str) for one in values.values()):
            raise ValueError("a value is no text")
        judgement = Judgement(texts["judgement"])
        fault = Fault(values["fault"]) if values["fault"] else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"this is no mark: {error}") from None
    if judgement == Judgement.BAD and fault is None:
        raise Refused("say what is bad: false statement, missing thing, language, style or rule")
    campaign = open_campaign()
    try:
        reasons, text_xxh3 = require_caption(campaign, texts["sample_id"])
        if text_xxh3 != texts["text_xxh3"]:
            raise Refused("the caption is another one by now; load the page again")
        mark = CaptionMark(
            sample_id=texts["sample_id"],
            who=user.get_name(),
            note=" ".join(note.split()),
            draw=(values["draw"] or "")[:400] or None,
            text_xxh3=text_xxh3,
            judgement=judgement,
            fault=fault if judgement == Judgement.BAD else None,
            rule=_rule(values["rule"], reasons, fault),
            reasons=reasons,
        )
        store_mark(campaign.store, campaign.name, mark)
    except PermanentError as error:
        raise Refused(str(error)) from None
    key = (campaign.store.url, campaign.name)
    with _lock:
        if key in _read:
            at, marks = _read[key]
            _read[key] = (at, last_of_each([*marks, mark]))
    return mark


def store_mark(store: Store, campaign: str, mark: Mark) -> None:
    """Add a mark to this process's log of a campaign. Raises as `MarkLog.add` does."""
    with _lock:
        log = _logs.setdefault((store.url, campaign), MarkLog(store, campaign))
    log.add(mark)


def _rule(named: str | None, reasons: tuple[str, ...], fault: Fault | None) -> str | None:
    """The rule that was wrong: the one named, or the only one there is."""
    from sa1b_captions.quality.rules import MEANINGS

    if fault != Fault.RULE_WAS_WRONG:
        return None
    if named and named not in MEANINGS:
        raise Refused("there is no such rule")
    return named or (reasons[0] if len(reasons) == 1 else None)


@router.get("/marks")
def marks_page(request: Request) -> Response:
    """What the marks say of the captions, and how many more a claim needs."""
    from sa1b_console.marks_page import show_marks

    return show_marks(request, open_campaign())


@router.get("/marks.jsonl")
def export_marks(gold: bool = False) -> Response:
    """All marks, or those that are labels of rules, as JSON lines."""
    campaign = open_campaign()
    if gold:
        from sa1b_captions.quality.browse.labels import gold_lines
        from sa1b_console.gallery_pages import catalogue_of

        lines: Any = gold_lines(campaign, catalogue_of(campaign))
    else:
        lines = [line_of(mark) for mark in read_marks(campaign.store, campaign.name, Mark)]
    name = f"{campaign.name}-{'gold' if gold else 'marks'}.jsonl"
    return PlainTextResponse(
        "".join(f"{line}\n" for line in lines),
        media_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
