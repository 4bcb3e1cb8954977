"""What another limit would keep and drop, told from what is stored: nothing is curated for it.

Lengths and whole rules are counted over the campaign from facet counts. Other limits are tried on
the stored features of chosen shards, by the very rules that curate asks. A caption that is left out
as a duplicate stays so, though the one that it repeats may be dropped, and of captions that are let
in, those that repeat another one are not seen.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.outputs import read_curated
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.limits.limit_changes import OFF, Change
from sa1b_captions.quality.health.reference import read_reference
from sa1b_captions.quality.rules import LengthReference, find_reasons
from sa1b_captions.quality.thresholds import some_ids
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.recipe.limits import LanguageQuality
from sa1b_captions.records import FEATURE_SCHEMA

READERS = 8
SHARDS = 10
"""Shards that a limit is tried on where nobody chose any."""

EXAMPLES = 6
"""Captions shown on each side of the line."""

_LENGTHS = ("min_chars", "max_chars")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one track of a shard."""

    track: str
    shard: str
    planned: int
    kept: int
    """Captions that are accepted as it is."""
    dropped: int
    """Of these, those that the change would reject."""
    restored: int
    """Captions that are rejected as it is, and that the change would accept."""

    @property
    def then(self) -> int:
        """Captions that are accepted with the change."""
        return self.kept - self.dropped + self.restored


@dataclass(frozen=True, slots=True)
class Sides:
    """Captions nearest to the line."""

    inside: tuple[str, ...]
    """sample_ids that the changed limit still allows, and a slightly stricter one would not."""
    outside: tuple[str, ...]
    """Some that it rejects, and a slightly looser one would not; of a rule that is switched off,
    some that it would let in."""


def concerns(campaign: Campaign, change: Change, track: str) -> bool:
    """Whether a change is about a track's language."""
    return change.language in (None, campaign.recipe.tracks[track].language)


def is_counted(change: Change) -> bool:
    """Whether facet counts alone tell what becomes of all captions."""
    return change.name == OFF or change.name in _LENGTHS


def count_outcomes(
    campaign: Campaign, counts: FacetCounts, change: Change, units: Sequence[str]
) -> list[Outcome]:
    """What becomes of units by a change that `is_counted`, from the counts.

    Raises PermanentError: the value is out of range.
    """
    rule = change.rule.name
    rows = counts.rows.filter(pl.col("unit").is_in(list(units)))
    kind = rows.schema["reasons"]
    names = kind.categories if isinstance(kind, pl.Enum) else pl.Series([], dtype=pl.String)
    alone = [code for code, name in enumerate(names) if name == rule]
    fit = [code for code, name in enumerate(names) if not name]
    code = pl.col("reasons").to_physical()
    found = []
    for language, quality in campaign.recipe.quality.languages.items():
        of_language = [
            unit
            for unit in units
            if campaign.recipe.tracks[unit.split("/")[0]].language == language
        ]
        if change.language not in (None, language) or not of_language:
            continue
        changed = change.applied(quality)
        if change.name == OFF:
            broken = pl.lit(value=False)
        elif change.name == "min_chars":
            broken = pl.col("caption_chars") < changed.min_chars
        else:
            broken = pl.col("caption_chars") > changed.max_chars
        found.append(
            rows.filter(pl.col("unit").is_in(of_language))
            .with_columns(
                kept=code.is_in(fit) * pl.col("rows"),
                dropped=(code.is_in(fit) & broken) * pl.col("rows"),
                restored=(code.is_in(alone) & ~broken) * pl.col("rows"),
            )
            .group_by("unit")
            .agg(pl.col("rows", "kept", "dropped", "restored").sum())
        )
    order = {unit: place for place, unit in enumerate(units)}
    outcomes = [
        Outcome(*str(unit).split("/"), *numbers)  # type: ignore[arg-type]  # its two names
        for frame in found
        for unit, *numbers in frame.iter_rows()
    ]
    return sorted(outcomes, key=lambda one: order[f"{one.track}/{one.shard}"])


def try_change(
    campaign: Campaign, receipts: Sequence[CurateReceipt], change: Change
) -> tuple[list[Outcome], dict[str, Sides]]:
    """What becomes of some units by any change, and the captions nearest to the line by track.

    Raises PermanentError: the value is out of range, or features were stored by rules so old that
    they lack a number.
    """
    reference = read_reference(campaign)

    def read(receipt: CurateReceipt) -> tuple[Outcome, pl.DataFrame]:
        settings = campaign.recipe.tracks[receipt.track]
        limits = campaign.recipe.quality.languages[settings.language]
        of_track = None if reference is None else reference.tracks.get(receipt.track)
        return _try_unit(campaign, receipt, change, limits, of_track)

    wanted = [one for one in receipts if concerns(campaign, change, one.track)]
    with ThreadPoolExecutor(READERS) as pool:
        tried = list(pool.map(read, wanted))
    sides: dict[str, Sides] = {}
    for track in dict.fromkeys(one.track for one in wanted):
        near = pl.concat([frame for outcome, frame in tried if outcome.track == track])
        inside, outside = (some_ids(near, near[one], EXAMPLES) for one in ("inside", "outside"))
        sides[track] = Sides(inside, outside)
    return [outcome for outcome, _ in tried], sides


def _try_unit(
    campaign: Campaign,
    receipt: CurateReceipt,
    change: Change,
    limits: LanguageQuality,
    reference: LengthReference | None,
) -> tuple[Outcome, pl.DataFrame]:
    table = read_curated(campaign, receipt, "features.parquet")
    if lacking := set(FEATURE_SCHEMA.names) - set(table.schema.names):
        raise PermanentError(
            f"{receipt.track}/{receipt.shard} was curated by older rules, which did not measure "
            f"{sorted(lacking)[0]}; run sa1b-captions curate --tracks {receipt.track} --shards "
            f"{receipt.shard}"
        )
    frame = pl.DataFrame(table)
    changed = change.applied(limits)
    rules = change.rule.breaks
    then = find_reasons(frame, changed, reference)
    now = find_reasons(frame, limits, reference)
    near = frame.select(
        "sample_id",
        reads=(pl.col("status") == "ok") & (pl.col("units") > 0),
        breaks=rules(changed, reference),
        looser=rules(_moved(change, changed, 1), reference),
        stricter=rules(_moved(change, changed, -1), reference),
        kept=pl.col("rejected") == 0,
        # What no rule rejects and is rejected all the same repeats another one.
        copy=(pl.col("rejected") == 1) & pl.Series(now.list.len() == 0),
        fit=pl.Series(then.list.len() == 0),
    )
    then_kept = pl.col("fit") & ~pl.col("copy")
    kept, dropped, restored = near.select(
        pl.col("kept").sum(),
        (pl.col("kept") & ~then_kept).sum().alias("dropped"),
        (~pl.col("kept") & then_kept).sum().alias("restored"),
    ).row(0)
    if change.name == OFF:
        inside, outside = pl.lit(value=False), ~pl.col("kept") & then_kept
    else:
        inside = pl.col("reads") & ~pl.col("breaks") & pl.col("stricter")
        outside = pl.col("reads") & pl.col("breaks") & ~pl.col("looser")
    sides = near.select("sample_id", inside=inside, outside=outside)
    return Outcome(receipt.track, receipt.shard, frame.height, kept, dropped, restored), sides


def _moved(change: Change, limits: LanguageQuality, way: int) -> LanguageQuality:
    """Limits with the changed one a tenth looser (1) or stricter (-1), at least by one."""
    if change.name == OFF:
        return limits
    value = getattr(limits, change.name)
    step = max(1, round(value * 0.1)) if isinstance(value, int) else max(value * 0.1, 0.01)
    sign = -way if change.name.startswith("min_") else way
    moved: dict[str, Any] = {change.name: max(0, value + sign * step)}
    return replace(limits, **moved)


def totals(outcomes: Sequence[Outcome]) -> Mapping[str, Outcome]:
    """Outcomes of each track over its shards."""
    found: dict[str, Outcome] = {}
    for one in outcomes:
        sum_ = found.get(one.track, Outcome(one.track, "", 0, 0, 0, 0))
        found[one.track] = Outcome(
            one.track,
            "",
            sum_.planned + one.planned,
            sum_.kept + one.kept,
            sum_.dropped + one.dropped,
            sum_.restored + one.restored,
        )
    return found
