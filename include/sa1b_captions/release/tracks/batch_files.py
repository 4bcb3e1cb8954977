"""Write one track of a batch of shards: JSONL, Parquet and its sidecars, a shard at a time.

Memory holds one shard's captions and one row group of each Parquet file, and what is read ahead.
Rows keep the order of the shards and of each shard's plan, so the same inputs make the same bytes.
"""

import logging
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import checked_json, layout, records
from sa1b_captions.ahead import read_ahead
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.outputs import read_curated
from sa1b_captions.receipts import CurateReceipt, IngestReceipt
from sa1b_captions.receipts.receipt_files import digest
from sa1b_captions.release import guards
from sa1b_captions.release.tracks import rows
from sa1b_captions.release.tracks.batch_counts import BatchCounts, Batched, Split
from sa1b_captions.release.tracks.batches import Batch
from sa1b_captions.release.tracks.json_rows import json_lines
from sa1b_captions.release.tracks.left_out import Finding, repeats_within
from sa1b_captions.release.tracks.trim import stays
from sa1b_captions.release.written import HashingWriter, ParquetTable, open_hashed
from sa1b_captions.software import software
from sa1b_captions.storage import Store
from sa1b_captions.typed_json import build

_log = logging.getLogger(__name__)

KINDS = ("data", "provenance", "image_hashes", "rejected")
"""Tables of a batch."""

AHEAD = 2
"""Shards that are read while one is written."""

DUPLICATE_REASON = "duplicate_of_other_shard"
BEYOND_TARGET = "beyond_target"


@dataclass(frozen=True, slots=True)
class BatchInputs:
    """All that a batch's files are made from."""

    track: str
    batch: Batch
    curated: Mapping[str, CurateReceipt]
    """By shard."""
    ingests: Mapping[str, IngestReceipt | None]
    """By shard; None of one whose archive is dropped."""
    winners: Mapping[str, Finding]
    """By shard: what dedup leaves out of it."""
    shares: Mapping[str, int] | None
    """By shard: how many of its samples stay; None where the recipe trims no track."""
    repairs: Mapping[str, Mapping[str, str]] | None = None
    """By shard and sample: what captions are published as; None where all are as written."""

    def digest(self, campaign: Campaign) -> str:
        """Digest of all that decides the bytes of the files."""
        track = campaign.recipe.tracks[self.track]
        decided_by = {
            "software": software(),
            "recipe": campaign.recipe.fingerprint,
            "model": campaign.recipe.model.id,
            "track": [track.name, track.prompt, track.images_min, track.images_max],
            "shards": self.batch.shards,
            "first_id": self.batch.first_id,
            "indexes": [
                None if one is None else [one.generation, one.index]
                for one in (self.ingests[shard] for shard in self.batch.shards)
            ],
            "winners": [sorted(self.winners[shard].items()) for shard in self.batch.shards],
            "shares": self.shares,
            "repairs": self.repairs,
        }
        return digest(decided_by, *(self.curated[shard] for shard in self.batch.shards))


def write_batch(campaign: Campaign, inputs: BatchInputs) -> Batched:
    """Write the files of a batch under names that no other writer uses, then what names them.

    Raises PermanentError: a row that must not be published, or counts that do not add up.
    """
    attempt = uuid.uuid4().hex[:12]
    names = {"jsonl": f"{attempt}.jsonl"}
    names |= {kind: f"{attempt}.{kind}.parquet" for kind in KINDS}
    place = (campaign.name, inputs.track, inputs.digest(campaign))
    keys = {kind: layout.batch_key(*place, name) for kind, name in names.items()}
    track = campaign.recipe.tracks[inputs.track]
    schemas = {
        "data": rows.published_schema(track),
        "provenance": rows.provenance_schema(repairs=inputs.repairs is not None),
        "image_hashes": rows.IMAGE_HASHES_SCHEMA,
        "rejected": rows.REJECTED_SCHEMA,
    }
    tally = BatchCounts()
    with ExitStack() as stack:
        writers = {
            kind: stack.enter_context(open_hashed(campaign.store, key, pieces_only=kind == "jsonl"))
            for kind, key in keys.items()
        }
        tables = {kind: ParquetTable(writers[kind], schemas[kind]) for kind in KINDS}
        try:
            _write_shards(campaign, inputs, writers["jsonl"], tables, tally)
        except BaseException:
            for table in tables.values():
                table.give_up()
            raise
        for table in tables.values():
            table.close()
    written = {kind: writer.written() for kind, writer in writers.items()}
    found = tally.batched(written.pop("jsonl"), written)
    found.stamps = campaign.store.stamps(found.keys)
    campaign.store.write(layout.batch_receipt_key(*place), checked_json.render(asdict(found)))
    return found


def read_batch(campaign: Campaign, inputs: BatchInputs) -> Batched | None:
    """What is known of a batch, if it was written from these inputs and its files are untouched."""
    key = layout.batch_receipt_key(campaign.name, inputs.track, inputs.digest(campaign))
    try:
        found = build(Batched, checked_json.parse(campaign.store.read(key)))
    except MissingKeyError:
        return None
    except ValueError as error:
        _log.warning("%s is damaged (%s); its batch is written anew", key, error)
        return None
    if campaign.store.stamps(found.keys) != found.stamps:
        _log.warning("%s: its files are not as they were written; they are written anew", key)
        return None
    return found


def _write_shards(
    campaign: Campaign,
    inputs: BatchInputs,
    jsonl: HashingWriter,
    tables: Mapping[str, ParquetTable],
    tally: BatchCounts,
) -> None:
    track, first_id = campaign.recipe.tracks[inputs.track], inputs.batch.first_id
    stored = read_ahead(partial(_read, campaign, inputs), inputs.batch.shards, AHEAD)
    for shard, found in zip(inputs.batch.shards, stored, strict=True):
        split = _split(campaign, inputs, shard, found)
        kept, originals = split.kept, None
        if inputs.repairs is not None:
            kept, originals = rows.repaired(kept, inputs.repairs[shard])
            guards.check_rows(campaign.recipe, track, kept, f"{track.name}/{shard}")
        published = rows.published_table(track, kept, first_id)
        jsonl.write(json_lines(published, *rows.turns(track, kept)))
        jsonl.cut(shard=shard)
        jsonl.rows += published.num_rows
        tables["data"].add(published)
        tables["provenance"].add(rows.provenance_table(kept, first_id, found.index, originals))
        tables["image_hashes"].add(rows.image_hashes_table(kept, first_id))
        tables["rejected"].add(split.left_out)
        tally.add(replace(split, kept=kept))
        first_id += published.num_rows


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the store has of one shard."""

    accepted: pa.Table
    rejected: pa.Table
    repeats: Finding
    """What curate found within the shard."""
    index: pa.Table | None


def _read(campaign: Campaign, inputs: BatchInputs, shard: str) -> _Stored:
    receipt = inputs.curated[shard]
    accepted, rejected = (
        read_curated(campaign, receipt, name, records.CURATED_SCHEMA.names)
        for name in ("accepted.parquet", "rejected.parquet")
    )
    index = _read_index(campaign.store, shard, inputs.ingests[shard])
    return _Stored(accepted, rejected, repeats_within(campaign, receipt), index)


def _read_index(store: Store, shard: str, ingest: IngestReceipt | None) -> pa.Table | None:
    """Where the shard's JPEGs lie; None when its photographs were removed since."""
    if ingest is None:
        _log.warning("%s has no archive, so its captions do not say where their JPEGs lie", shard)
        return None
    key = layout.index_key(shard, ingest.generation)
    columns = ["image_id", "offset", "size"]
    try:
        return records.read_table(store, key, columns, digest=ingest.index)
    except MissingKeyError:
        _log.warning("%s has no index, so its captions do not say where their JPEGs lie", shard)
        return None


def _split(campaign: Campaign, inputs: BatchInputs, shard: str, stored: _Stored) -> Split:
    where = f"{inputs.track}/{shard}"
    accepted, rejected = stored.accepted, stored.rejected
    guards.check_counts(inputs.curated[shard], accepted, rejected, where)
    guards.check_rows(campaign.recipe, campaign.recipe.tracks[inputs.track], accepted, where)
    winners = inputs.winners[shard]
    goes = pc.is_in(accepted.column("sample_id"), value_set=pa.array(list(winners), pa.string()))
    # Nothing is copied where nothing goes.
    kept, repeats = accepted.filter(pc.invert(goes)) if winners else accepted, accepted.filter(goes)
    if repeats.num_rows != len(winners):
        key = layout.duplicates_key(campaign.name, inputs.track)
        known = set(accepted.column("sample_id").to_pylist())
        sample = next(one for one in winners if one not in known)
        raise PermanentError(
            f"{key}: {sample} is not an accepted sample; run sa1b-captions dedup --force"
        )
    beyond = kept.slice(0, 0)
    if inputs.shares is not None:
        stay = stays(campaign.recipe.seed, inputs.shares[shard], kept.column("sample_id"))
        kept, beyond = kept.filter(stay), kept.filter(pc.invert(stay))
    left_out = [
        rows.rejected_table(rejected, rejected.column("reasons"), stored.repeats),
        rows.rejected_table(repeats, _same_reason(DUPLICATE_REASON, repeats), winners),
        rows.rejected_table(beyond, _same_reason(BEYOND_TARGET, beyond), {}),
    ]
    return Split(kept, pa.concat_tables(left_out), repeats.num_rows, beyond.num_rows)


def _same_reason(reason: str, table: pa.Table) -> pa.Array:
    return pa.array([[reason]] * table.num_rows, pa.list_(pa.string()))
