import dataclasses
import functools

import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.errors import DamagedObjectError, PermanentError
from sa1b_captions.quality.browse.finding import facet_counts, facets
from sa1b_captions.quality.browse.finding.facets import read_facets
from sa1b_captions.receipts.receipt_files import curate_place, write_receipt
from sa1b_captions.storage import FileStore
from tests.support import builders, curated

SHARD = "sa_000000"


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def old_receipt(campaign, receipt):
    """What a version before this one left: no facets, and a receipt that names none."""
    campaign.store.delete(facets_key())
    files = {name: digest for name, digest in receipt.files.items() if name != facets.NAME}
    place = curate_place("test", receipt.track, receipt.shard)
    return write_receipt(campaign.store, place, dataclasses.replace(receipt, files=files))


def facets_key():
    return layout.curated_key("test", "single_en", SHARD, facets.NAME)


def test_curate_leaves_one_row_of_facets_per_sample(campaign):
    receipt = curated.put_curated(campaign, SHARD, rows=12)
    found = facets.read_facets(campaign, receipt)
    assert found.generation == "0001"
    rows = found.rows.to_dicts()
    assert [row["image_ids"] for row in rows] == [[number] for number in range(1, 13)]
    assert [row["block"] for row in rows] == [number // 4 for number in range(12)]
    assert [row["reasons"] for row in rows][3] == "too_short"
    assert rows[7]["reasons"] == "exact_duplicate"
    assert rows[7]["winner"] == f"single_en/{SHARD}/7"
    assert sum(row["reasons"] == "" for row in rows) == receipt.accepted
    texts = curated.captions(12)
    assert [row["caption_chars"] for row in rows] == [len(text) for text in texts]


def test_rows_are_ordered_by_image_ids_as_numbers(campaign):
    table = builders.caption_rows(campaign.recipe, "single_en", SHARD, ["x", "y", "z"])
    ids = pa.array([[10], [9], [100]], pa.list_(pa.int64()))
    table = table.set_column(table.schema.get_field_index("image_ids"), "image_ids", ids)
    table = table.append_column("reasons", pa.array([[], [], []], pa.list_(pa.string())))
    copies = records.SHARD_DUPLICATE_SCHEMA.empty_table()
    made = facets.facet_table(table, copies, 2, "0001")
    assert made.column("image_ids").to_pylist() == [[9], [10], [100]]
    assert made.column("block").to_pylist() == [0, 0, 1]


def test_old_shards_get_facets_without_being_curated_again(campaign):
    receipt = old_receipt(campaign, curated.put_curated(campaign, SHARD, rows=12))
    before = campaign.store.read(layout.curate_receipt_key("test", "single_en", SHARD))
    made = facets.read_facets(campaign, receipt)
    assert made.generation is None
    assert made.rows["block"].null_count() == 12
    assert made.rows["reasons"].to_list()[7] == "exact_duplicate"
    assert campaign.store.read(layout.curate_receipt_key("test", "single_en", SHARD)) == before
    assert campaign.store.exists(facets_key())
    assert facets.read_facets(campaign, receipt).rows.equals(made.rows)


def test_facets_of_other_captions_are_made_anew(campaign):
    old = old_receipt(campaign, curated.put_curated(campaign, SHARD, rows=4))
    facets.read_facets(campaign, old)
    left = campaign.store.read(facets_key())
    newer = curated.put_curated(campaign, SHARD, rows=8)
    newer = old_receipt(campaign, newer)
    campaign.store.write(facets_key(), left)
    assert facets.read_facets(campaign, newer).rows.height == 8


def test_a_store_that_takes_no_writes_still_has_facets(campaign, monkeypatch):
    receipt = old_receipt(campaign, curated.put_curated(campaign, SHARD, rows=4))

    def refuse(key, data):
        raise PermanentError("this account may not write")

    monkeypatch.setattr(campaign.store, "write", refuse)
    assert facets.read_facets(campaign, receipt).rows.height == 4


def test_damaged_facets_that_a_receipt_names_are_reported(campaign):
    receipt = curated.put_curated(campaign, SHARD, rows=4)
    campaign.store.write(facets_key(), b"PAR1")
    with pytest.raises(DamagedObjectError, match="curate --shards sa_000000"):
        facets.read_facets(campaign, receipt)


def receipts_of(campaign, *shards, rows=10):
    found = {}
    for number, shard in enumerate(shards):
        one = curated.put_curated(campaign, shard, rows=rows, seed=number)
        found[f"{one.track}/{one.shard}"] = one
    return found


def test_counts_hold_every_row_once_and_are_kept(campaign):
    receipts = receipts_of(campaign, "sa_000000", "sa_000001")
    counts = facet_counts.read_counts(campaign)
    assert counts.captions == 0
    counts = facet_counts.update_counts(counts, receipts, functools.partial(read_facets, campaign))
    assert counts.captions == 20
    facet_counts.store_counts(campaign, counts)
    stored = facet_counts.read_counts(campaign)
    assert stored.units == counts.units
    assert stored.rows.equals(counts.rows)
    assert stored.lacking(receipts) == []
    assert (
        facet_counts.update_counts(stored, receipts, functools.partial(read_facets, campaign))
        is stored
    )


def test_counts_follow_what_is_curated_again_and_what_is_gone(campaign):
    receipts = receipts_of(campaign, "sa_000000", "sa_000001")
    counts = facet_counts.update_counts(
        facet_counts.read_counts(campaign), receipts, functools.partial(read_facets, campaign)
    )
    again = receipts | receipts_of(campaign, "sa_000000", rows=4)
    del again["single_en/sa_000001"]
    counts = facet_counts.update_counts(counts, again, functools.partial(read_facets, campaign))
    assert counts.captions == 4
    assert set(counts.units) == {"single_en/sa_000000"}


def test_counting_stops_when_its_time_is_over_and_goes_on_later(campaign, monkeypatch):
    monkeypatch.setattr(facet_counts, "READERS", 1)
    receipts = receipts_of(campaign, "sa_000000", "sa_000001")
    counts = facet_counts.read_counts(campaign)
    first = facet_counts.update_counts(
        counts, receipts, functools.partial(read_facets, campaign), at_most_s=0
    )
    assert len(first.units) == 1
    assert (
        facet_counts.update_counts(
            first, receipts, functools.partial(read_facets, campaign)
        ).captions
        == 20
    )


def test_a_stored_table_that_is_none_is_made_anew(campaign):
    campaign.store.write(layout.facet_counts_key("test"), b"no Parquet")
    assert facet_counts.read_counts(campaign).captions == 0
