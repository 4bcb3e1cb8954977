"""The campaign board: how far all shards are, how fast, at what price, and which are odd."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.report.charts import series_chart
from sa1b_captions.recipe import TRACKS
from sa1b_captions.settings import load_settings
from sa1b_captions.stages.status.outliers import Outlier, find_outliers, slowest
from sa1b_captions.stages.status.outlook import gpus_of_worker, outlook, shares_done
from sa1b_captions.stages.status.over_time import OverTime, Totals, over_time, sum_up
from sa1b_captions.stages.status.status import CampaignStatus, ShardStatus, project_tracks
from sa1b_console.airflow_tasks import Task, may_see_tasks, tasks_at_work, tasks_of
from sa1b_console.board import Seen, board_of
from sa1b_console.common import NotThere, open_campaign, show_live

SLOWEST, ODDEST = 8, 12
"""Rows of the two tables."""

MEASURES: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "rejected": ("rejected", lambda value: f"{value:.1%}"),
    "characters": ("mean length in characters", lambda value: f"{value:,.0f}"),
    "occupancy": ("window occupancy", lambda value: f"{value:.2f}"),
}
"""Names of `outliers.MEASURES` for people, and how they write the numbers."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A shard on the map."""

    shard: str
    number: str
    state: str
    done: float
    """Part that is captioned, by receipts and by what its task says."""
    title: str

    @property
    def css(self) -> str:
        """Classes of the cell."""
        tenths = min(9, int(self.done * 10))
        return f"captioning p{tenths}0" if self.state == "captioning" else self.state


@dataclass(frozen=True, slots=True)
class Odd:
    """An odd number of a shard, for people."""

    shard: str
    track: str
    measure: str
    value: str
    median: str
    deviations: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One number over time."""

    title: str
    picture: Markup
    rows: list[tuple[str, str]]
    """Span and number, for who cannot see the picture."""
    made_of: str


def show_board(request: Request, user: BaseUser, track: str) -> HTMLResponse:
    """The page."""
    if track not in TRACKS:
        raise NotThere(f"there is no track {track}; there are {', '.join(TRACKS)}")
    campaign = open_campaign()
    seen = _look(campaign)
    may = may_see_tasks(user)
    tasks = tasks_at_work() if may else []
    return show_live(
        request,
        "board.html",
        **board_values(campaign, seen, tasks, track, dt.datetime.now(dt.UTC)),
        tracks=TRACKS,
        may=may,
        airflow=airflow_root(request),
    )


def _look(campaign: Campaign) -> Seen:
    seen = board_of(campaign).look()
    if seen is None:
        raise NotThere(
            f"the receipts of {len(campaign.recipe.shards):,} shards are asked for the first "
            "time; load the page again in a moment"
        )
    return seen


def airflow_root(request: Request) -> str:
    """Where Airflow itself is served, before the paths of its pages."""
    root: str = request.scope.get("root_path", "")
    return root.removesuffix("/captions")


def board_values(
    campaign: Campaign, seen: Seen, tasks: Sequence[Task], track: str, now: dt.datetime
) -> dict[str, Any]:
    """What the page's template shows."""
    found, settings = seen.status, load_settings()
    told = outlook(found, now)
    spans = over_time(found.shards, track)
    return {
        "campaign": campaign,
        "found": found,
        "seen": seen,
        "told": told,
        "gpus": gpus_of_worker(settings),
        "price": settings.price_per_gpu_hour,
        "totals": sum_up(found.shards, track),
        "chosen": track,
        "projected": {one.track: one for one in project_tracks(campaign, found)},
        "cells": cells(found, tasks),
        "tasks": tasks,
        "charts": list(_charts(spans, track)),
        "span": spans.width,
        "slowest": slowest(found.shards, SLOWEST),
        "odd": [_odd(one) for one in find_outliers(found.shards)[:ODDEST]],
    }


def cells(found: CampaignStatus, tasks: Sequence[Task]) -> list[Cell]:
    """The map, with what running tasks say of their shards."""
    captioned = dict(one for task in tasks if (one := task.captioned) is not None)
    made = []
    for shard, done in zip(found.shards, shares_done(found.shards), strict=True):
        state, part = shard.state, max(done, captioned.get(shard.shard, 0.0))
        if shard.shard in captioned and state in ("waiting", "ingested"):
            state = "captioning"
        title = shard.summary if state != "captioning" else f"{shard.summary}; {part:.0%} captioned"
        made.append(Cell(shard.shard, shard.number, state, part, title))
    return made


def _charts(spans: OverTime, track: str) -> list[Chart]:
    if not spans.begins:
        return []
    wanted: list[tuple[str, Callable[[Totals], float | None], Callable[[float], str], str]] = [
        (
            "Shards captioned",
            lambda one: float(one.shards),
            lambda value: f"{value:,.0f}",
            "shards by when their last caption came",
        ),
        (
            "Tokens per second of a worker",
            lambda one: one.tokens_per_s,
            lambda value: f"{value:,.0f}",
            "tokens of all captions over the time from a shard's first caption to its last",
        ),
        (
            f"Window occupancy, {track}",
            lambda one: one.occupancy,
            lambda value: f"{value:.2f}",
            "caption receipts, of runs long enough to tell",
        ),
        (
            f"Rejected, {track}",
            lambda one: one.reject_share,
            lambda value: f"{value:.1%}",
            "curate receipts, of the planned samples",
        ),
        (
            f"Mean length in characters, {track}",
            lambda one: one.mean_chars,
            lambda value: f"{value:,.0f}",
            "all captions of curated shards, rejected ones too",
        ),
    ]
    form = "%Y-%m-%d" if spans.width >= dt.timedelta(days=1) else "%Y-%m-%d %H:%M"
    names = [begin.strftime(form) for begin in spans.begins]
    made = []
    for title, number, write, made_of in wanted:
        values = spans.values(number)
        rows = [
            (name, write(value))
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]
        if rows:
            made.append(Chart(title, series_chart(names, values, write, title), rows, made_of))
    return made


def _odd(one: Outlier) -> Odd:
    name, write = MEASURES[one.measure]
    above = "above" if one.deviations > 0 else "below"
    times = min(abs(one.deviations), 999)
    return Odd(
        one.shard, one.track, name, write(one.value), write(one.median), f"{times:,.0f} × {above}"
    )


def show_shard(request: Request, user: BaseUser, shard: str) -> HTMLResponse:
    """How one shard stands, and where to go from here."""
    campaign = open_campaign()
    seen = _look(campaign)
    names = [one.shard for one in seen.status.shards]
    if shard not in names:
        raise NotThere(f"{shard} is none of the recipe's {len(names):,} shards")
    at = names.index(shard)
    found = seen.status.shards[at]
    may = may_see_tasks(user)
    tasks = [_of_label(task) for task in tasks_of(shard)] if may else []
    return show_live(
        request,
        "shard.html",
        campaign=campaign,
        shard=found,
        seen=seen,
        done=cells(seen.status, tasks)[at].done,
        tracks=_tracks(found),
        odd=[_odd(one) for one in find_outliers(seen.status.shards) if one.shard == shard],
        tasks=tasks,
        may=may,
        before=names[at - 1] if at else None,
        behind=names[at + 1] if at + 1 < len(names) else None,
        airflow=airflow_root(request),
    )


def _of_label(task: Task) -> Task:
    """Progress of a task that has ended says nothing of the present."""
    return task if task.ended_at is None else replace(task, progress="")


def _tracks(found: ShardStatus) -> list[tuple[str, str, Totals, int | None, int | None]]:
    """Of each track its last step, its numbers, planned samples and accepted captions."""
    rows = []
    for track, step in found.tracks.items():
        totals = sum_up([found], track)
        planned = found.figures[track].planned if track in found.figures else None
        rows.append((track, step, totals, planned, found.accepted.get(track)))
    return rows
