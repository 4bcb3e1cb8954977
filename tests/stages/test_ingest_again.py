"""Ingesting a shard again: the old archive counts, and stays, until the new one has its receipt."""

import contextlib

import pytest

from sa1b_captions import layout, records
from sa1b_captions.caption.sampling import read_index
from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.generations import FIRST
from sa1b_captions.ingest.downloading.http_client import Patience
from sa1b_captions.ingest.downloading.links import parse_links
from sa1b_captions.quality.report.thumbnails import Thumbnails
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.ingesting.drop import drop_shards
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.stages.ingesting.shard_archive import stored_archives
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts
from tests.support.engines import ScriptedEngine
from tests.support.fault_server import serve
from tests.support.faulty_store import Fault, FaultyStore, Killed

SHARD = "sa_000000"
SIZE = (48, 32)
IDS = (1, 2, 3, 4)
OLD = builders.make_archive(builders.sa1b_members(IDS, SIZE))
OTHER_IMAGES = builders.make_archive(
    [
        member
        for n in IDS
        for member in (
            (f"sa_{n}.jpg", builders.make_jpeg(50 + n, SIZE)),
            (f"sa_{n}.json", builders.annotation(n, SIZE)),
        )
    ]
)
QUICK = Patience(attempts=2, backoff_s=0, stall_timeout_s=1)


@pytest.fixture
def store(tmp_path):
    made = FileStore(tmp_path)
    ingest(made, OLD)
    return made


def ingest(store, archive, **options):
    with serve(archive) as server:
        links = parse_links(server.links())
        return ingest_shard(store, SHARD, links, patience=QUICK, **options)


def require_whole(store):
    """The receipt fits the archive and the index; returns what it says of the content."""
    receipt = read_receipt(store, ingest_place(SHARD))
    archive = layout.archive_key(SHARD, receipt.generation)
    assert len(store.read(archive)) == receipt.archive_bytes
    index = records.read_table(store, layout.index_key(SHARD, receipt.generation)).to_pylist()
    seeds = {builders.make_jpeg(s, SIZE): s for s in (*IDS, *(50 + n for n in IDS))}
    found = [seeds[store.read_range(archive, row["offset"], row["size"])] for row in index]
    assert found in ([*IDS], [50 + n for n in IDS])
    return receipt.content


def test_at_any_call_a_killed_repeat_leaves_a_whole_old_or_a_whole_new_archive(store, tmp_path):
    old, seen = require_whole(store), []
    for call in range(1, 100):
        for after in (False, True):
            faulty = FaultyStore(store, Fault(call, kills=True, after=after))
            with contextlib.suppress(Killed):
                ingest(faulty, OTHER_IMAGES, force=True, run_id="monday")
            seen.append(require_whole(store))
        if faulty.calls < call:
            break
    assert seen[0] == old != seen[-1]
    assert sorted(set(seen), key=seen.index) == [old, seen[-1]]  # once switched, never back
    assert len(seen) > 10
    assert len(stored_archives(store, SHARD)) == 1
    assert not list(tmp_path.rglob("*.partial"))


def test_a_repeat_that_fails_leaves_what_there_is(store):
    before = {key: store.read(key) for key in store.list("")}
    with pytest.raises(CaptioningError):
        ingest(store, OTHER_IMAGES[:-30], force=True)
    assert {key: store.read(key) for key in store.list("")} == before


def test_a_run_ingests_again_once_and_by_hand_every_command_does(store):
    ingest(store, OTHER_IMAGES, force=True, run_id="monday")
    receipt = read_receipt(store, ingest_place(SHARD))
    assert ingest_shard(store, SHARD, {}, force=True, run_id="monday") == receipt
    assert ingest(store, OTHER_IMAGES, force=True).id != receipt.id
    assert ingest(store, OTHER_IMAGES, force=True).generation == "0004-hand"
    assert stored_archives(store, SHARD) == {"0004-hand"}


class OvertakenStore(FileStore):
    """Another run ingests the shard at the n-th look at the receipt."""

    def __init__(self, root, look, other):
        super().__init__(root)
        self.looks, self.look, self.other = 0, look, other

    def read(self, key):
        if key == layout.ingest_receipt_key(SHARD):
            self.looks += 1
            if self.looks == self.look:
                self.other()
        return super().read(key)


@pytest.mark.parametrize("look", [2, 3])
def test_a_worker_that_ends_late_writes_over_nothing_that_counts(store, tmp_path, look):
    def other():
        ingest(store, OTHER_IMAGES, force=True, run_id="monday")

    late = OvertakenStore(tmp_path, look, other)
    with pytest.raises(RetryableError, match="another run ingested sa_000000 meanwhile"):
        ingest(late, OLD, force=True, run_id="monday")
    require_whole(store)
    assert ingest_shard(store, SHARD, {}, force=True, run_id="monday").run_id == "monday"


def test_captions_are_of_the_archive_that_counts_or_stale(store):
    campaign = builders.demo_campaign(store)
    caption_shards(campaign, [SHARD], ScriptedEngine)
    ingest(store, OLD, force=True)
    found = caption_shards(campaign, [SHARD], lambda: pytest.fail("the bytes are the same"))
    assert found[SHARD]["captioned"] == 0
    ingest(store, OTHER_IMAGES, force=True)
    with pytest.raises(PermanentError, match="captions of .* are stale"):
        caption_shards(campaign, [SHARD], lambda: pytest.fail("they are whole"))
    caption_shards(campaign, [SHARD], ScriptedEngine, force=True)
    caption_shards(campaign, [SHARD], lambda: pytest.fail("they are new"))
    assert Thumbnails(store).uri(SHARD, 1) is not None
    generation = read_receipt(store, ingest_place(SHARD)).generation
    assert [image.image_id for image in read_index(store, SHARD, generation)] == [*IDS]


def test_a_worker_whose_archive_is_replaced_comes_again(store):
    campaign = builders.demo_campaign(store)

    def open_engine():
        ingest(store, OTHER_IMAGES, force=True)
        return ScriptedEngine()

    with pytest.raises(RetryableError, match="the shard was ingested again, or dropped"):
        caption_shards(campaign, [SHARD], open_engine)
    caption_shards(campaign, [SHARD], ScriptedEngine)


def test_drop_deletes_every_generation_of_an_archive(store):
    ingest(store, OTHER_IMAGES, force=True)
    store.write(layout.archive_key(SHARD, FIRST), b"left")
    campaign = builders.demo_campaign(store)
    caption_shards(campaign, [SHARD], ScriptedEngine)
    for track in TRACKS:
        receipts.put_curate(campaign, track, SHARD)
    receipts.put_shard_validation(campaign, SHARD)
    assert drop_shards(campaign, [SHARD])["dropped"] == [SHARD]
    assert list(store.list("shards/")) == []
