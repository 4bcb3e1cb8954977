"""The efficiency in caption receipts: what it is taken from, and what stands where it cannot be."""

import threading
import time

import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.preview.engine import PreviewEngine
from sa1b_captions.efficiency import Efficiency, compare, read_efficiency
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipts import read_receipt
from sa1b_captions.records import CaptionStatus
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply
from tests.support.simulated_engine import SimulatedEngine

SHARD = "sa_000000"
JPEGS = [builders.make_jpeg(n) for n in range(8)]
APART = 1 << 20
"""Bytes between photographs of a distant store: so far that each takes a read of its own."""


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
    """A campaign over shards of so many photographs."""
    for number in range(shards):
        shard = f"sa_{number:06d}"
        builders.put_shard(store, shard, {1000 * number + n: JPEGS[n % 8] for n in range(images)})
        if isinstance(store, DistantStore):
            index = records.read_table(store, layout.index_key(shard)).to_pylist()
            rows = [row | {"offset": place * APART} for place, row in enumerate(index)]
            table = pa.Table.from_pylist(rows, schema=records.INDEX_SCHEMA)
            records.write_table(store, layout.index_key(shard), table, records.INDEX_SCHEMA)
    return builders.demo_campaign(store, builders.demo_recipe(shards=f"0-{shards - 1}"))


def efficiencies(campaign, engine, shards=(SHARD,), tracks=("single_en",), **options):
    """What the receipts of the first track say."""
    caption_shards(campaign, list(shards), lambda: engine, tracks=tracks, **options)
    keys = [layout.caption_receipt_key(campaign.name, tracks[0], shard) for shard in shards]
    return [read_efficiency(read_receipt(campaign.store, key)) for key in keys]


def test_receipts_are_read_as_written_and_older_ones_have_no_number():
    found = compare(95.0, 100.0, 500, 8)
    assert read_efficiency({"stage": "caption", **found.facts()}) == found
    assert read_efficiency({"stage": "caption"}) == Efficiency()


def fleet(tmp_path, *, window, images, read_s, speedup=10.0):
    """Efficiency of an engine that takes JPEGs, from a store that may be slow."""
    campaign = campaign_of(DistantStore(tmp_path, read_s), images)
    engine = SimulatedEngine(window=window, speedup=speedup)
    engine.needs_pixels = False
    return efficiencies(campaign, engine)[0]


def test_a_wide_window_over_a_fleet_shows_a_slow_store(tmp_path, caplog):
    found = fleet(tmp_path, window=256, images=600, read_s=0.004, speedup=30.0)
    assert found.efficiency < 0.8
    assert (found.efficiency_low, found.efficiency_note) == (True, None)
    assert caplog.text.count("sa_000000: the GPU waits for photographs: efficiency 0.") == 1


def test_a_store_that_keeps_up_shows_as_well(tmp_path, caplog):
    assert fleet(tmp_path, window=16, images=48, read_s=0.0).efficiency > 0.8
    assert "waits" not in caplog.text


def test_receipts_carry_both_rates_and_no_sample_is_captioned_twice(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 40)
    engine = ScriptedEngine(honest_reply, window=2, delay_s=0.002)
    (found,) = efficiencies(campaign, engine)
    assert len(engine.asked) == len(set(engine.asked)) == 40
    ratio = found.pipeline_tokens_per_s / found.engine_tokens_per_s
    assert found.efficiency == pytest.approx(ratio, abs=0.01)
    assert found.efficiency_samples == 36


def stop_after(engine, samples):
    """An event that is set while the engine works on a sample, by its number."""
    stop, script = threading.Event(), engine._script

    def counting(request):
        if len(engine.asked) >= samples:
            stop.set()
        return script(request)

    engine._script = counting
    return stop


def interrupted(campaign, samples, window=2):
    engine = ScriptedEngine(honest_reply, window=window, delay_s=0.002)
    with pytest.raises(RetryableError, match="stopped on request"):
        efficiencies(campaign, engine, stop=stop_after(engine, samples))


def test_what_is_left_of_a_shard_is_measured_anew(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 40)
    interrupted(campaign, 20)
    (found,) = efficiencies(campaign, ScriptedEngine(window=2, delay_s=0.002))
    assert found.efficiency > 0
    assert found.efficiency_samples < 36


def test_a_short_rest_keeps_the_number_of_the_worker_before_it(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 60)
    interrupted(campaign, 55)
    (found,) = efficiencies(campaign, ScriptedEngine(window=20))
    assert found.efficiency > 0
    assert found.efficiency_samples > 40


def test_a_store_that_fails_during_an_interruption_costs_the_number_alone(tmp_path, caplog):
    class Full(FileStore):
        def write(self, key, data):
            if key.endswith("efficiency.json"):
                raise RetryableError("no space left")
            super().write(key, data)

    campaign = campaign_of(Full(tmp_path), 60)
    interrupted(campaign, 55)
    assert "the efficiency so far is lost: no space left" in caplog.text
    assert efficiencies(campaign, ScriptedEngine(window=20))[0].efficiency is None


def test_a_forced_run_forgets_what_an_earlier_one_measured(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 60)
    interrupted(campaign, 55)
    efficiencies(campaign, ScriptedEngine(window=8), force=True, run_id="monday")
    (found,) = efficiencies(campaign, ScriptedEngine(window=60), force=True, run_id="tuesday")
    assert found.efficiency is None


def test_too_few_samples_have_no_number_but_a_reason(tmp_path):
    (found,) = efficiencies(campaign_of(FileStore(tmp_path), 6), ScriptedEngine(window=8))
    assert found.efficiency is None
    assert found.efficiency_note == (
        "this run captioned 6 single images, and the engine takes 8 at once: nothing had to wait"
    )


def test_an_engine_that_counts_no_tokens_has_no_number_but_a_reason(tmp_path):
    engine = ScriptedEngine(lambda request: Reply(CaptionStatus.OK, "A dog."), window=2)
    (found,) = efficiencies(campaign_of(FileStore(tmp_path), 12), engine)
    assert found.efficiency_note == "the engine does not say how many tokens it wrote"


def test_groups_alone_have_no_number_but_a_reason(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 12)
    (found,) = efficiencies(campaign, ScriptedEngine(window=2), tracks=["multi_en"])
    assert found.efficiency_note == "this run captioned no single image"


def test_a_receipt_that_was_lost_alone_has_no_number_but_a_reason(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 12)
    efficiencies(campaign, ScriptedEngine(window=2))
    campaign.store.delete(layout.caption_receipt_key(campaign.name, "single_en", SHARD))
    (found,) = efficiencies(campaign, ScriptedEngine(window=2))
    assert found.efficiency_note == "this run captioned no single image"


def test_shards_after_a_small_first_one_are_measured(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 24, shards=3)
    builders.put_shard(campaign.store, SHARD, dict(enumerate(JPEGS)))
    names = [SHARD, "sa_000001", "sa_000002"]
    small, *full = efficiencies(campaign, ScriptedEngine(window=8, delay_s=0.002), names)
    assert small.efficiency is None
    assert all(found.efficiency > 0 for found in full)
    assert len({found.engine_tokens_per_s for found in full}) == 1


def test_shards_after_a_broken_first_one_are_measured(tmp_path):
    campaign = campaign_of(FileStore(tmp_path), 24, shards=2)
    campaign.store.write(layout.archive_key(SHARD), b"")
    with pytest.raises(PermanentError, match=SHARD):
        efficiencies(campaign, ScriptedEngine(window=2, delay_s=0.002), [SHARD, "sa_000001"])
    key = layout.caption_receipt_key(campaign.name, "single_en", "sa_000001")
    assert read_receipt(campaign.store, key)["efficiency"] > 0


def test_the_preview_engine_is_measured_and_never_called_starving(tmp_path):
    (found,) = efficiencies(campaign_of(FileStore(tmp_path), 16), PreviewEngine())
    assert found.efficiency > 0
    assert not found.efficiency_low
    assert "shares its cores" in found.efficiency_note
