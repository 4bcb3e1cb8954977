"""The window occupancy in caption receipts: what it is of, and what stands where it cannot be."""

import threading
import time

import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.caption.engines.preview.engine import PreviewEngine
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply
from tests.support.simulated_engine import SimulatedEngine

SHARD = "sa_000000"
JPEGS = [builders.make_jpeg(n) for n in range(8)]
APART = 1 << 20
"""Bytes between images of a distant store: so far that each takes a read of its own."""


class DistantStore(FileStore):
    """Photographs lie far apart in its archives, and reads take their time, one after the other."""

    def __init__(self, root, read_s):
        super().__init__(root)
        self._read_s = read_s
        self._line = threading.Lock()

    def read_range(self, key, offset, size):
        with self._line:
            time.sleep(self._read_s)
        return JPEGS[offset // APART % 8][:size]


def campaign_of(store, images, shards=1):
    """A campaign over shards of so many images."""
    for number in range(shards):
        shard = f"sa_{number:06d}"
        builders.put_shard(store, shard, {1000 * number + n: JPEGS[n % 8] for n in range(images)})
        if isinstance(store, DistantStore):
            index = records.read_table(store, layout.index_key(shard)).to_pylist()
            rows = [row | {"offset": place * APART} for place, row in enumerate(index)]
            table = pa.Table.from_pylist(rows, schema=records.INDEX_SCHEMA)
            records.write_table(store, layout.index_key(shard), table, records.INDEX_SCHEMA)
    return builders.demo_campaign(store, builders.demo_recipe(shards=f"0-{shards - 1}"))


def occupancies(campaign, engine, shards=(SHARD,), tracks=("single_en",), **options):
    """What the receipts of the first track say."""
    caption_shards(campaign, list(shards), lambda: engine, tracks=tracks, **options)
    return [occupancy_of(campaign, tracks[0], shard) for shard in shards]


def occupancy_of(campaign, track, shard):
    return read_receipt(campaign.store, caption_place(campaign.name, track, shard)).occupancy


def fleet(tmp_path, *, window, images, read_s, speedup=10.0):
    """Window occupancy of an engine that takes JPEGs, from a store that may be slow."""
    campaign = campaign_of(DistantStore(tmp_path, read_s), images)
    engine = SimulatedEngine(window=window, speedup=speedup)
    engine.needs_pixels = False
    return occupancies(campaign, engine)[0]


def test_a_wide_window_over_a_fleet_shows_a_slow_store(tmp_path, caplog):
    found = fleet(tmp_path, window=64, images=200, read_s=0.008, speedup=30.0)
    assert found.share < 0.8
    assert (found.low, found.note) == (True, None)
    assert caplog.text.count("sa_000000: the GPU waits for images: window occupancy 0.") == 1


def test_a_store_that_keeps_up_shows_as_well(tmp_path, caplog):
    assert fleet(tmp_path, window=16, images=48, read_s=0.0).share > 0.9
    assert "waits" not in caplog.text


def test_all_tracks_of_a_run_have_its_one_number(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 40)
    tracks = ("single_en", "single_zh", "multi_en")
    engine = ScriptedEngine(honest_reply, window=2, delay_s=0.002)
    occupancies(campaign, engine, tracks=tracks)
    found = {occupancy_of(campaign, track, SHARD) for track in tracks}
    assert len(found) == 1
    assert found.pop().samples > 40


def test_what_is_left_of_a_shard_is_measured_anew(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 40)
    stop = threading.Event()

    def script(request):
        if len(engine.asked) >= 20:
            stop.set()
        return honest_reply(request)

    engine = ScriptedEngine(script, window=2, delay_s=0.002)
    with pytest.raises(RetryableError, match="stopped on request"):
        occupancies(campaign, engine, stop=stop)
    (found,) = occupancies(campaign, ScriptedEngine(window=2, delay_s=0.002))
    assert 0 < found.samples < 36


def test_what_versions_with_other_numbers_left_is_harmless(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 12)
    leftover = layout.captions_prefix(campaign.name, "single_en", SHARD) + "efficiency.json"
    campaign.store.write(leftover, b'{"stage": "caption", "efficiency": 0.98}')
    for run_id in ("monday", "tuesday"):
        (found,) = occupancies(campaign, ScriptedEngine(window=2), force=True, run_id=run_id)
        assert found.share > 0


def test_a_receipt_that_was_lost_alone_has_no_number_but_a_reason(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 12)
    occupancies(campaign, ScriptedEngine(window=2))
    campaign.store.delete(layout.caption_receipt_key(campaign.name, "single_en", SHARD))
    (found,) = occupancies(campaign, ScriptedEngine(window=2))
    assert (found.share, found.note) == (None, "this run captioned nothing")


def test_a_shard_that_follows_another_finds_the_window_full(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 32, shards=3)
    engine = ScriptedEngine(window=8, delay_s=0.1)  # far slower than a loaded machine prepares
    first, *others = occupancies(campaign, engine, [SHARD, "sa_000001", "sa_000002"])
    assert first.samples < 32
    assert all(found.samples >= 30 for found in others)  # it need not fill again


def test_shards_after_a_broken_first_one_are_measured(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 24, shards=2)
    campaign.store.write(layout.archive_key(SHARD), b"")
    with pytest.raises(PermanentError, match=SHARD):
        occupancies(campaign, ScriptedEngine(window=2, delay_s=0.002), [SHARD, "sa_000001"])
    assert occupancy_of(campaign, "single_en", "sa_000001").share > 0


def test_the_preview_engine_is_measured_and_never_called_starving(tmp_path):
    (found,) = occupancies(campaign_of(FileStore(tmp_path), 24), PreviewEngine())
    assert found.share > 0
    assert not found.low
    assert "shares its cores" in found.note
