"""What mends damaged tables, and what tells damage from parts that were written again."""

import contextlib
import json
import os
import shutil

import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.campaign import open_campaign
from sa1b_captions.errors import DamagedObjectError
from sa1b_captions.freshness.release_freshness import read_stale
from sa1b_captions.outputs import read_curated, read_metrics
from sa1b_captions.receipts.receipt_files import curate_place, require_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts, releases

SHARD, TRACK = "sa_000000", "single_en"
ENGLISH = f"A path of {TRACK} leads past a house to the lake of the village. " * 5


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A campaign of one shard: captions, curated captions, dedup, validations, a release."""
    store = FileStore(tmp_path_factory.mktemp("whole"))
    campaign = builders.demo_campaign(store, builders.demo_recipe(shards="0"))
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 4)})
    for track in TRACKS:
        text = releases.ZH * 5 if track.endswith("zh") else ENGLISH
        table = builders.caption_rows(
            campaign.recipe, track, SHARD, [f"{text}{number}." for number in range(3)]
        )
        builders.put_captions(campaign, SHARD, track, table)
    curate_shard(campaign, SHARD)
    receipts.put_shard_validation(campaign, SHARD)
    for track in TRACKS:
        dedup_track(campaign, track)
    releases.put_validation(campaign)
    export_release(campaign, "v1")
    return store.root


@pytest.fixture
def store(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "store")
    return FileStore(tmp_path / "store")


def _open(store):
    return open_campaign(store, "test")


def _curated(name):
    def read(store):
        campaign = _open(store)
        receipt = require_receipt(store, curate_place(campaign.name, TRACK, SHARD))
        if name == "metrics.json":
            read_metrics(campaign, receipt)
        else:
            read_curated(campaign, receipt, name)

    return read


def _key(name):
    return layout.curated_key("test", TRACK, SHARD, name)


def _flipped(data):
    """One bit in the middle."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("name", ["accepted.parquet", "signatures.parquet", "metrics.json"])
def test_the_command_of_the_sentence_mends_curated_files(store, name):
    campaign = _open(store)
    store.write(_key(name), _flipped(store.read(_key(name))))
    with pytest.raises(DamagedObjectError, match=f"curate --shards {SHARD} --tracks {TRACK} --for"):
        _curated(name)(store)
    curate_shard(campaign, SHARD, tracks=[TRACK], force=True)
    _curated(name)(store)


def test_every_flipped_bit_of_a_table_is_noticed(tmp_path):
    store = FileStore(tmp_path)
    schema = pa.schema([("caption", pa.string()), ("rows", pa.int64())])
    table = pa.table({"caption": [f"A hill {n}." for n in range(50)], "rows": range(50)}, schema)
    digest = records.write_table(store, "t.parquet", table, schema)
    good = store.read("t.parquet")
    footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    for place in range(0, len(good), 7):
        bad = bytearray(good)
        bad[place] ^= 1 << place % 8
        store.write("t.parquet", bytes(bad))
        with pytest.raises(DamagedObjectError):
            records.read_table(store, "t.parquet", digest=digest)
        if place < footer:  # found without a receipt, too, or of no consequence
            with contextlib.suppress(DamagedObjectError):
                assert records.read_table(store, "t.parquet").equals(table)


def test_a_part_that_a_late_worker_wrote_again_costs_no_captions(store):
    """Its rows are the planned ones: what is stored counts, and all behind it is stale."""
    campaign = _open(store)
    texts = [f"{ENGLISH}Later {number}." for number in range(3)]
    table = builders.caption_rows(campaign.recipe, TRACK, SHARD, texts)
    key = layout.part_key("test", TRACK, SHARD, "0001", 0)
    place = layout.caption_receipt_key("test", TRACK, SHARD)
    stored = json.loads(store.read(place))
    digest = records.content_digest(store.read(key))
    receipts.edit(store, place, parts=[digest])
    curate_shard(campaign, SHARD)
    assert json.loads(store.read(place))["id"] == stored["id"]
    proven = records.with_proof(table)
    written = records.write_table(store, key, proven, records.CAPTION_SCHEMA)
    curate_shard(campaign, SHARD, force=True)
    assert json.loads(store.read(place))["parts"] == [written]
    assert "results of the dedup of single_en" in {one.what for one in read_stale(campaign)}


def test_a_flip_beside_the_rows_of_a_part_is_told_as_what_it_is(store, caplog):
    campaign = _open(store)
    key = layout.part_key("test", TRACK, SHARD, "0001", 0)
    place = layout.caption_receipt_key("test", TRACK, SHARD)
    table = builders.caption_rows(campaign.recipe, TRACK, SHARD, [f"{ENGLISH}{n}." for n in "123"])
    proven = records.with_proof(table)
    digest = records.write_table(store, key, proven, records.CAPTION_SCHEMA)
    receipts.edit(store, place, parts=[digest])
    whole = store.read(key)
    by_whom = whole.rindex(b"parquet-cpp")  # who wrote the file, in its footer
    store.write(key, whole[:by_whom] + b"q" + whole[by_whom + 1 :])
    assert store.read(key) != whole
    curate_shard(campaign, SHARD, force=True)
    assert "parts 0 are not the bytes that their receipt names, but their rows are whole" in (
        caplog.text
    )


def test_a_part_whose_rows_are_not_what_was_written_is_damaged(store):
    """Its pages may be readable: a flipped bit beside them turns up in the rows alone."""
    campaign = _open(store)
    key = layout.part_key("test", TRACK, SHARD, "0001", 0)
    place = layout.caption_receipt_key("test", TRACK, SHARD)
    table = builders.caption_rows(campaign.recipe, TRACK, SHARD, [f"{ENGLISH}{n}." for n in "123"])
    good = records.with_proof(table)
    digest = records.write_table(store, key, good, records.CAPTION_SCHEMA)
    receipts.edit(store, place, parts=[digest])
    stored = json.loads(store.read(place))
    rows = good.to_pylist()
    rows[1]["prompt_tokens"] = 7
    flipped = pa.Table.from_pylist(rows, schema=good.schema)
    assert records.proves_itself(good)
    assert flipped.schema.metadata == good.schema.metadata
    records.write_table(store, key, flipped, records.CAPTION_SCHEMA)
    with pytest.raises(DamagedObjectError, match=f"{key}.*; run sa1b-captions caption --shards "):
        curate_shard(campaign, SHARD, force=True)
    assert json.loads(store.read(place)) == stored


def test_a_part_whose_schema_no_value_can_be_read_by_proves_nothing():
    """A flipped bit in the name of a time zone, for one, turns up when values are read."""
    moments = pa.array([0], pa.timestamp("us", "UTC"))
    good = records.with_proof(pa.table({"captioned_at": moments}))
    flipped = pa.table({"captioned_at": moments.cast(pa.timestamp("us", "UTB"))})
    assert records.proves_itself(good)
    assert not records.proves_itself(flipped.replace_schema_metadata(good.schema.metadata))


def test_what_killed_writers_left_behind_is_cleared_by_the_next_run(store):
    campaign = _open(store)
    kept = "releases/v1/.card.young.partial"
    left = [
        _key(".accepted.parquet.x.partial"),
        f"{layout.captions_prefix('test', TRACK, SHARD)}.part-00000.parquet.x.partial",
        f"{layout.dedup_prefix('test', TRACK)}.duplicates.parquet.x.partial",
        "releases/v2/data/.train-00000.parquet.x.partial",
    ]
    for key in (*left, kept):
        path = store.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
        os.utime(path, (1, 1))
    curate_shard(campaign, SHARD, force=True)
    receipts.put_shard_validation(campaign, SHARD)
    for track in TRACKS:
        dedup_track(campaign, track)
    releases.put_validation(campaign)
    export_release(campaign, "v2")
    assert [key for key in left if (store.root / key).exists()] == []
    assert (store.root / kept).exists()  # nobody worked on that release
