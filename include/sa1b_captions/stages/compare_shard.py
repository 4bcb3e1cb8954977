"""One shard's track in two generations, campaigns or releases, aligned by sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.generations import FIRST, require_generation
from sa1b_captions.quality.features import measure
from sa1b_captions.quality.row_reasons import row_reasons
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.receipts.receipt_files import caption_place, past_caption_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.comparing.difference import TrackDifference, unique_samples
from sa1b_captions.release.comparing.sides import SAMPLES, CampaignSide, Side
from sa1b_captions.settings import parsers
from sa1b_captions.stages.diff import CAMPAIGN, release_of
from sa1b_captions.stages.stored_captions import read_captions

GENERATION = "generation:"
"""How the name of a side begins that is a generation of the shard's captions."""

MOST_GENERATIONS = 20


class GenerationSide:
    """Captions of one generation of a shard, judged by the present rules for single rows.

    Whether others say the same is not asked, of either generation: that takes curating it.
    """

    def __init__(self, campaign: Campaign, shard: str, generation: str) -> None:
        """Find the receipts that vouch for it.

        Raises PermanentError: no track of the shard has it, or a receipt is damaged.
        """
        try:
            require_generation(generation)
        except ValueError:
            raise PermanentError(f"{generation!r} names no generation of captions") from None
        self.name = f"{GENERATION}{generation}"
        self.campaign = campaign.name
        self.recipe: dict[str, Any] = campaign.recipe.source
        self._campaign, self._shard = campaign, shard
        self._receipts = {
            track: receipt
            for track in TRACKS
            if (receipt := _receipt(campaign, track, shard, generation)) is not None
        }
        if not self._receipts:
            raise PermanentError(
                f"{shard} has no captions of generation {generation}: none that ever counted, or "
                "drop has freed them"
            )
        self.tracks: Sequence[str] = list(self._receipts)
        self.software = ", ".join(sorted({one.software or "" for one in self._receipts.values()}))

    def shards(self, track: str) -> Sequence[str]:
        """The shard, if its track has the generation."""
        return [self._shard] if track in self._receipts else []

    def samples(self, track: str, shard: str) -> pl.DataFrame:
        """Samples of the shard in plan order. Raises as `read_captions`."""
        if shard not in self.shards(track):
            return pl.DataFrame(schema=SAMPLES)
        rows, _ = read_captions(self._campaign, track, self._receipts[track])
        reasons = row_reasons(self._campaign, track, rows, measure(rows.column("caption")))
        frame = pl.DataFrame(rows.select(["sample_id", "caption", "completion_tokens"]))
        frame = frame.rename({"completion_tokens": "tokens"}).with_columns(reasons=reasons)
        return frame.select(pl.col(name).cast(kind) for name, kind in SAMPLES.items())


def _receipt(campaign: Campaign, track: str, shard: str, generation: str) -> CaptionReceipt | None:
    present = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
    if present is not None and present.generation == generation:
        return present
    return read_receipt(campaign.store, past_caption_place(campaign.name, track, shard, generation))


def generations_of(campaign: Campaign, track: str, shard: str) -> list[str]:
    """Generations of a track that count or counted before, the present one first.

    They are followed from receipt to receipt, and no folder is listed.

    Raises PermanentError: a receipt is damaged.
    """
    receipt = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
    if receipt is None:
        return []
    found = [receipt.generation]
    todo = [receipt.previous, receipt.restored_from]
    while todo and len(found) < MOST_GENERATIONS:
        name = todo.pop(0)
        if name is None or name in found:
            continue
        past = read_receipt(campaign.store, past_caption_place(campaign.name, track, shard, name))
        if past is not None:
            found.append(name)
            todo += [past.previous, past.restored_from]
    return found


def open_shard_side(campaign: Campaign, shard: str, text: str) -> Side:
    """The side that a text names.

    Args:
        shard: that is compared; of a campaign nothing else is read.
        text: a release's version, `campaign:NAME`, or `generation:NAME`.

    Raises PermanentError: there is none of that name, or it cannot be read.
    """
    if text.startswith(GENERATION):
        return GenerationSide(campaign, shard, text.removeprefix(GENERATION) or FIRST)
    if text.startswith(CAMPAIGN):
        try:
            name = parsers.name(text.removeprefix(CAMPAIGN))
        except ValueError as error:
            raise PermanentError(f"{text!r} names no campaign: {error}") from None
        of = campaign if name == campaign.name else open_campaign(campaign.store, name)
        return CampaignSide(of, [shard])
    return release_of(campaign.store, text).side


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a shard's samples."""

    before: Side
    after: Side
    difference: TrackDifference
    rows: Mapping[str, pl.DataFrame]
    """By what became of them (`difference.KINDS`): `sample_id`, caption and reasons of each side,
    and `key`, by which they ascend: image ids as numbers."""


def compare_shard(before: Side, after: Side, track: str, shard: str) -> Compared:
    """Align a shard's track of two sides. Raises PermanentError if a side cannot be read."""
    found = TrackDifference()
    samples = [
        unique_samples(side, track, shard) if track in side.tracks else pl.DataFrame(schema=SAMPLES)
        for side in (before, after)
    ]
    rows = found.add(samples[0], samples[1], {})
    return Compared(before, after, found, {kind: _in_order(one) for kind, one in rows.items()})


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    ids = pl.col("sample_id").str.split("/").list.last().str.split("-")
    padded = ids.list.eval(pl.element().str.zfill(19)).list.join("-")
    return rows.with_columns(key=padded).sort("key")
