"""A release is put together from batches of shards; only those that changed are written."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.release.tracks import batches as batches_module
from sa1b_captions.release.tracks import track_files
from sa1b_captions.release.tracks.batch_files import KINDS
from sa1b_captions.release.tracks.batches import LEAST_ROWS, MOST_BATCHES, plan_batches
from sa1b_captions.release.verify import verify_release
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.exporting.export import export_release
from tests.support import builders, releases
from tests.support.counting_store import CountingStore

SHARDS = 5
JSONL = "test_single_en.jsonl"


def receipts(planned, accepted=None):
    accepted = accepted or planned
    return {
        shard_name(number): CurateReceipt(
            shard=shard_name(number),
            track="single_en",
            planned=rows,
            accepted=kept,
            rejected=rows - kept,
            reasons={},
            recipe_fingerprint="",
            quality_fingerprint="",
            signature_version="",
            input="",
        )
        for number, (rows, kept) in enumerate(zip(planned, accepted, strict=True))
    }


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=300))
def test_batches_cover_the_shards_in_order_with_room_for_every_id(planned):
    found = plan_batches(receipts(planned))
    assert [one for batch in found for one in batch.shards] == list(receipts(planned))
    assert len(found) <= MOST_BATCHES
    starts = [batch.first_id for batch in found]
    sizes = [sum(planned[int(shard[3:])] for shard in batch.shards) for batch in found]
    assert starts == [sum(sizes[:number]) for number in range(len(found))]
    assert all(size >= LEAST_ROWS for size in sizes[:-1])


@given(st.data(), st.lists(st.integers(1, 30_000), min_size=1, max_size=50))
def test_what_a_rule_leaves_out_moves_no_batch_and_no_first_id(data, planned):
    accepted = [data.draw(st.integers(0, rows)) for rows in planned]
    assert plan_batches(receipts(planned, accepted)) == plan_batches(receipts(planned))


@pytest.fixture
def many(request, monkeypatch, tmp_path):
    """A campaign of SHARDS batches, or as asked for, whose JSONL files the store assembles."""
    shards = getattr(request, "param", SHARDS)
    monkeypatch.setattr(batches_module, "LEAST_ROWS", 1)
    monkeypatch.setattr(track_files, "ASSEMBLED_BYTES", 1)
    recipe = builders.demo_recipe(shards=f"0-{shards - 1}")
    return releases.ready_campaign(MeasuringStore(tmp_path), recipe, rows=40)


def trimmed(tmp_path):
    """Such a campaign, of whose English captions 36 in 40 are published."""
    tracks = builders.demo_recipe().source["tracks"]
    tracks["single_en"] |= {"target": 36 * SHARDS, "trim": True}
    recipe = builders.demo_recipe(shards=f"0-{SHARDS - 1}", tracks=tracks)
    return releases.ready_campaign(MeasuringStore(tmp_path), recipe, rows=40)


class MeasuringStore(CountingStore):
    """Counts the bytes that pass through its user, too."""

    def __init__(self, root):
        super().__init__(root)
        self.moved = 0

    def read(self, key):
        data = super().read(key)
        self.moved += len(data)
        return data

    @contextlib.contextmanager
    def open_writer(self, key):
        with super().open_writer(key) as writer:
            yield _MeasuringWriter(self, writer)


class _MeasuringWriter:
    def __init__(self, store, writer):
        self._store, self._writer = store, writer
        self.copy = writer.copy

    def write(self, data):
        self._store.moved += len(data)
        return self._writer.write(data)


def change(campaign, shard):
    """Curate a shard's track again: one caption fewer."""
    captions = releases.captions_of("single_en", shard, 39)
    releases.put_curated(campaign, "single_en", shard, captions, [("Short.", ["too_short"])])
    for track in TRACKS:
        releases.put_duplicates(campaign, track, {})


def curated_reads(store):
    return {key.split("/")[4] for key in store.reads if "/curated/single_en/" in key}


@pytest.mark.parametrize("many", [24], indirect=True)
def test_only_the_batch_that_changed_is_read_and_written_again(many):
    store = many.store
    store.moved = 0
    export_release(many, "v1")
    moved = store.moved
    change(many, "sa_000007")
    store.forget()
    store.moved = 0
    export_release(many, "v2")
    assert store.moved < moved / 3
    read = {key for key in store.reads if key.endswith("accepted.parquet")}
    assert read == {"campaigns/test/curated/single_en/sa_000007/accepted.parquet"}
    first, second = (
        {f.name: f.sha256 for f in read_manifest(store, v).files if f.name.endswith(".parquet")}
        for v in ("v1", "v2")
    )
    changed = {name for name in first if first[name] != second[name]}
    kinds = ("data", "image_hashes", "provenance")
    # What was rejected is in the first file of such rows: no batch had any before.
    assert changed == {f"{kind}/single_en/train-00007.parquet" for kind in kinds} | {
        "rejected/single_en/train-00000.parquet"
    }
    assert verify_release(store, "v2") == []


@pytest.mark.usefixtures("many")
def test_a_caption_fewer_in_a_trimmed_track_writes_one_other_batch_again(tmp_path):
    campaign = trimmed(tmp_path / "trimmed")
    export_release(campaign, "v1")
    before = batches_of(campaign.store)
    change(campaign, "sa_000003")
    export_release(campaign, "v2")
    # The one that lost it, and the one whose next caption takes its place.
    assert len(before - batches_of(campaign.store)) == 2
    assert read_manifest(campaign.store, "v2").tracks["single_en"].rows == 36 * SHARDS
    assert verify_release(campaign.store, "v2") == []


def batches_of(store):
    keys = store.list("campaigns/test/release/single_en/")
    return {key.rpartition("/")[0] for key in keys}


def test_ids_of_other_shards_stay_when_one_changes(many):
    export_release(many, "v1")
    change(many, "sa_000002")
    export_release(many, "v2")
    first, second = (
        {row["image"]: row["id"] for row in releases.read_lines(many.store, JSONL, version)}
        for version in ("v1", "v2")
    )
    ids = list(first.values())
    assert ids == sorted(set(ids))
    lost = first.keys() - second.keys()
    assert len(lost) == 1
    assert {name: first[name] for name in second if not name.startswith("sa_000002")} == {
        name: number for name, number in second.items() if not name.startswith("sa_000002")
    }


def test_batches_make_what_one_batch_makes(many, monkeypatch, tmp_path):
    export_release(many, "v1")
    monkeypatch.setattr(batches_module, "LEAST_ROWS", 10**9)
    export_release(many, "v2")
    for track in TRACKS:
        name = f"test_{track}.jsonl"
        assert many.store.read(f"releases/v1/{name}") == many.store.read(f"releases/v2/{name}")
        for kind in ("data", "provenance", "image_hashes", "rejected"):
            folder = f"{kind}/{track}/"
            one, other = (releases.read_parquet(many.store, folder, v) for v in ("v1", "v2"))
            assert one == other
    assert read_manifest(many.store, "v1").tracks == read_manifest(many.store, "v2").tracks


def test_an_assembled_file_is_proven_by_its_pieces(many):
    export_release(many, "v1")
    store, key = many.store, f"releases/v1/{JSONL}"
    (file,) = [one for one in read_manifest(store, "v1").files if one.name == JSONL]
    assert file.sha256 is None
    assert JSONL not in store.read("releases/v1/SHA256SUMS").decode()
    data = store.read(key)
    assert len(data) == file.bytes
    place = data.index(b"sa_000001")
    for damaged, said in (
        (data[:place] + b"sa_000004" + data[place + 9 :], "the lines of sa_000001"),
        (data[:-1], "the lines of sa_000004"),
        (data + b"\n", "is longer than"),
    ):
        store.write(key, damaged)
        (difference,) = verify_release(store, "v1")
        assert said in difference
    store.delete(key)
    assert verify_release(store, "v1") == [f"{key} is missing"]


def test_batches_that_lost_a_file_or_their_receipt_are_written_again(many):
    store = many.store
    export_release(many, "v1")
    keys = [key for key in store.list("campaigns/test/release/single_en/")]
    receipt = next(key for key in keys if key.endswith("batch.json"))
    store.write(receipt, b"{")
    folders = sorted({key.rpartition("/")[0] for key in keys} - {receipt.rpartition("/")[0]})
    store.delete(next(key for key in keys if key.startswith(folders[0]) and "data" in key))
    export_release(many, "v2")
    for name in (JSONL, "data/single_en/train-00000.parquet"):
        assert store.read(f"releases/v1/{name}") == store.read(f"releases/v2/{name}")
    assert verify_release(store, "v2") == []


@pytest.mark.parametrize("name", [".jsonl", *(f".{kind}.parquet" for kind in KINDS), "batch.json"])
def test_a_batch_with_a_flipped_bit_is_written_again(many, name):
    store = many.store
    export_release(many, "v1")
    key = next(k for k in store.list("campaigns/test/release/single_en/") if k.endswith(name))
    data = bytearray(store.read(key))
    data[len(data) // 2] ^= 1
    store.write(key, bytes(data))
    export_release(many, "v2")
    files = [one.name for one in read_manifest(store, "v1").files if "single_en" in one.name]
    assert len(files) > len(KINDS)
    for file in files:
        assert store.read(f"releases/v1/{file}") == store.read(f"releases/v2/{file}")
    assert verify_release(store, "v2") == []


def test_a_batch_that_rots_where_no_store_tells_it_is_named(many, monkeypatch):
    monkeypatch.setattr(track_files, "ASSEMBLED_BYTES", 1 << 30)
    store = many.store
    export_release(many, "v1")
    key = next(k for k in store.list("campaigns/test/release/") if k.endswith(".jsonl"))
    stamps = store.stamps([key])
    data = bytearray(store.read(key))
    data[len(data) // 2] ^= 1
    store.write(key, bytes(data))
    real = type(store).stamps
    monkeypatch.setattr(
        type(store),
        "stamps",
        lambda one, keys: real(one, keys) | {k: stamps[k] for k in keys if k in stamps},
    )
    with pytest.raises(PermanentError, match=f"{key} is damaged: .* delete it and export again"):
        export_release(many, "v2")


def test_what_no_release_needs_any_more_is_removed(many):
    export_release(many, "v1")
    before = set(many.store.list("campaigns/test/release/"))
    change(many, "sa_000003")
    export_release(many, "v2")
    after = set(many.store.list("campaigns/test/release/"))
    assert len(after) == len(before)
    assert len({key.rpartition("/")[0] for key in before - after}) == 1


def test_a_batch_that_another_export_removed_is_a_matter_of_running_again(many, monkeypatch):
    export_release(many, "v1")

    def removing(campaign, wanted):
        found = original(campaign, wanted)
        campaign.store.delete(found[3].tables["provenance"].key)
        return found

    original = track_files.make_batches
    monkeypatch.setattr("sa1b_captions.stages.exporting.release_files.make_batches", removing)
    with pytest.raises(RetryableError, match="run it again"):
        export_release(many, "v2")
    monkeypatch.undo()
    assert export_release(many, "v2")["version"] == "v2"


def test_writers_side_by_side_write_what_one_does(many, monkeypatch):
    found = {}
    for version, processors in (("v1", {0}), ("v2", {0, 1, 2})):
        monkeypatch.setattr(track_files.os, "sched_getaffinity", lambda _, n=processors: n)
        export_release(many, version)
        files = read_manifest(many.store, version).files
        found[version] = {file.name: file.sha256 for file in files if file.rows}
        for key in list(many.store.list("campaigns/test/release/")):
            many.store.delete(key)
    assert len(found["v1"]) > SHARDS
    assert found["v1"] == found["v2"]
    lines = {many.store.read(f"releases/{version}/{JSONL}") for version in found}
    assert len(lines) == 1


def test_a_batch_of_lines_that_was_changed_is_not_joined(many, monkeypatch):
    monkeypatch.setattr(track_files, "ASSEMBLED_BYTES", 1 << 30)

    def damaging(campaign, wanted):
        found = original(campaign, wanted)
        key = found[2].jsonl.key
        campaign.store.write(key, campaign.store.read(key).replace(b"gpt", b"cat"))
        return found

    original = track_files.make_batches
    monkeypatch.setattr("sa1b_captions.stages.exporting.release_files.make_batches", damaging)
    with pytest.raises(PermanentError, match="is damaged.*delete it and export again"):
        export_release(many, "v1")
