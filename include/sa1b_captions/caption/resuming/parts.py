"""Caption parts: one Parquet file per block, the unit of checkpoint.

Block k of a track holds samples [k*B, k*B + B) of its plan. A part is written whole, so a part that
exists is done and resuming is listing parts; only one that is damaged is written again. Two workers
in one generation can only write equal blocks.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.decoding.perceptual_hash import ImageHashes
from sa1b_captions.caption.engines.base import Engine, Reply
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.errors import DamagedObjectError, MissingKeyError
from sa1b_captions.receipts import CaptionReceipt

_READERS = 16
"""Parts read at once."""

Block = tuple[str, int]
"""Track and number of a block."""


def read_digests(
    campaign: Campaign, track: str, shard: str, generation: str, blocks: int
) -> list[str]:
    """`records.content_digest` of each part as it is stored, in the order of the blocks."""

    def read(block: int) -> str:
        key = layout.part_key(campaign.name, track, shard, generation, block)
        return records.content_digest(campaign.store.read(key))

    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(read, range(blocks)))


def damaged_blocks(campaign: Campaign, receipt: CaptionReceipt) -> list[int]:
    """Blocks of a whole generation whose part is gone or damaged, ascending.

    A part that is not what the receipt names is as good if a worker that was believed dead wrote it
    again whole: curate takes it, and writes the receipt anew.
    """

    def is_damaged(block: int) -> bool:
        place = (receipt.track, receipt.shard, receipt.generation, block)
        key = layout.part_key(campaign.name, *place)
        try:
            data = campaign.store.read(key)
            if receipt.parts and records.content_digest(data) == receipt.parts[block]:
                return False
            part = records.parse_table(data, campaign.store.locate(key), key)
        except (MissingKeyError, DamagedObjectError):
            return True
        return bool(receipt.parts) and not records.proves_itself(part)

    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(is_damaged, range(receipt.blocks)))
    return [block for block, damaged in enumerate(found) if damaged]


def block_of(sample: Sample, block_size: int) -> int:
    """Block a sample belongs to."""
    return sample.position // block_size


def caption_row(
    sample: Sample,
    reply: Reply,
    *,
    engine: Engine,
    fingerprint: str,
    attempt: int,
    latency_s: float,
    hashes: Sequence[ImageHashes] | None = None,
) -> dict[str, Any]:
    """One row of `records.CAPTION_SCHEMA`."""
    return {
        "sample_id": sample.sample_id,
        "shard": sample.shard,
        "track": sample.track.name,
        "language": sample.track.language,
        "image_ids": [image.image_id for image in sample.images],
        "images": [f"{sample.shard}/{image.file_name}" for image in sample.images],
        "widths": [image.width for image in sample.images],
        "heights": [image.height for image in sample.images],
        "image_xxh3s": hashes and [found.jpeg_xxh3 for found in hashes],
        "image_dhashes": hashes and [found.dhash for found in hashes],
        "caption": reply.caption,
        "status": reply.status.value,
        "error_code": reply.error_code,
        "error": reply.error,
        "finish_reason": reply.finish_reason,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "latency_ms": round(latency_s * 1000),
        "attempt": attempt,
        "engine": engine.name,
        "model": engine.model,
        "model_revision": engine.model_revision,
        "recipe_fingerprint": fingerprint,
        "captioned_at": dt.datetime.now(dt.UTC),
    }


class BlockWriter:
    """Collects rows in any order and writes each block's part when its last row is in."""

    def __init__(
        self,
        campaign: Campaign,
        shard: str,
        generations: Mapping[str, str],
        samples: Sequence[Sample],
        captioned: Mapping[Block, Mapping[int, dict[str, Any]]] | None = None,
    ) -> None:
        """Make a writer.

        Args:
            generations: in which they are, by track.
            samples: those still to caption, of one or more tracks.
            captioned: the other rows of their blocks by position, where some are captioned already.
        """
        self._campaign = campaign
        self._shard = shard
        self._generations = generations
        self._missing: dict[Block, set[int]] = {}
        self._rows: dict[Block, dict[int, dict[str, Any]]] = {}
        self._captioned = dict(captioned or {})
        for sample in samples:
            self._missing.setdefault(self._block(sample), set()).add(sample.position)

    def _block(self, sample: Sample) -> Block:
        return sample.track.name, block_of(sample, self._campaign.recipe.block_size)

    def add(self, sample: Sample, row: dict[str, Any]) -> None:
        """Take one row; writes the part if it was the block's last."""
        block = self._block(sample)
        self._rows.setdefault(block, {})[sample.position] = row
        self._missing[block].discard(sample.position)
        if not self._missing[block]:
            rows = {**self._captioned.pop(block, {}), **self._rows.pop(block)}
            ordered = [rows[position] for position in sorted(rows)]
            table = pa.Table.from_pylist(ordered, schema=records.CAPTION_SCHEMA)
            track, number = block
            key = layout.part_key(
                self._campaign.name, track, self._shard, self._generations[track], number
            )
            proven = records.with_proof(table)
            records.write_table(self._campaign.store, key, proven, records.CAPTION_SCHEMA)

    @property
    def unwritten_rows(self) -> int:
        """Rows of blocks that are not complete; a kill now loses these."""
        return sum(len(rows) for rows in self._rows.values())
