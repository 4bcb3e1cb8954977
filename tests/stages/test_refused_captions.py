import pytest

from sa1b_captions import layout
from sa1b_captions.outputs import read_answers
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.browse.finding.filters import LONG, RANDOM, REFUSED, SHORT, Filters
from sa1b_captions.quality.browse.finding.find import count
from sa1b_captions.receipts.receipt_files import audit_place, require_receipt
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.auditing.refused_captions import (
    RefusedCaptions,
    sentences_of,
    worst_units,
)
from sa1b_captions.stages.curate import curate_shard
from tests.support import builders
from tests.support.audited import SHARD, THINGS, audited_recipe_campaign, judge
from tests.support.planted_falsehoods import plant

UNIT = f"single_en/{SHARD}"


@pytest.fixture
def campaign(tmp_path):
    """Forty captions of three sentences, of which a judge refuses those that name a thing."""
    campaign = audited_recipe_campaign(tmp_path, plant(40, 0.3), captions_per_shard=20)
    audit_shards(campaign, [SHARD], judge(sure=0.9))
    return campaign


@pytest.fixture
def refused(campaign):
    return RefusedCaptions(campaign, Catalogue(campaign))


def answered_no(campaign, track="single_en"):
    audit = require_receipt(campaign.store, audit_place(campaign.name, track, SHARD))
    return [row for row in read_answers(campaign, audit).to_pylist() if row["answer"] == "no"]


def names(page):
    return [f"{hit.facets.unit}/{hit.facets.rows['image_ids'][hit.place][0]}" for hit in page.hits]


@pytest.mark.parametrize("order", ["plan", SHORT, LONG, RANDOM])
def test_the_filter_finds_each_caption_with_a_refused_sentence_once(campaign, refused, order):
    wanted = {row["sample_id"] for row in answered_no(campaign)}
    assert 3 < len(wanted) < 20
    filters = Filters(track="single_en", audit=REFUSED, order=order)
    refused.counting.refresh()
    assert count(refused.counts(), filters) == len(wanted)
    catalogue, found, after = Catalogue(campaign), [], ""
    while after is not None:
        page = catalogue.page(filters, after, refused, rows=3)
        found += names(page)
        after = page.after
    assert sorted(found) == sorted(wanted)


def test_other_filters_hold_too(campaign, refused):
    refused.counting.refresh()
    catalogue = Catalogue(campaign)
    assert catalogue.page(Filters(audit=REFUSED, verdict="rejected"), "", refused).hits == []
    (word,) = {row["text"].split()[-1] for row in answered_no(campaign)[:1]}
    page = catalogue.page(Filters(track="single_en", audit=REFUSED, text=word), "", refused)
    assert set(names(page)) <= {row["sample_id"] for row in answered_no(campaign)}
    assert page.hits


def test_the_surest_sentence_comes_first(tmp_path):
    campaign = audited_recipe_campaign(tmp_path, plant(40, 0.3), captions_per_shard=40)
    sure = dict(zip(THINGS.split("|"), (0.6, 0.9, 0.7, 0.8), strict=True))
    audit_shards(campaign, [SHARD], judge(sure=sure))
    told = RefusedCaptions(campaign, Catalogue(campaign)).sentences(UNIT)["probability"].to_list()
    assert len({round(one, 6) for one in told}) > 1
    assert told == sorted(told, reverse=True)


def test_sentences_come_with_their_place(campaign, refused):
    rows = refused.sentences(UNIT)
    assert rows.height == len(answered_no(campaign))
    assert rows["probability"].to_list() == pytest.approx([0.9] * rows.height)
    for row in rows.iter_rows(named=True):
        assert row["end"] - row["start"] == len(row["text"])
    counts = refused.counting.refresh()
    units = worst_units(counts, set(counts.units))
    assert units[0] == UNIT
    every = list(sentences_of(refused, units, 0, 0))
    assert len(every) == sum(len(answered_no(campaign, unit.split("/")[0])) for unit in units)
    assert [one[:2] for one in sentences_of(refused, units, 0, 3)] == [one[:2] for one in every[3:]]


def test_an_audit_of_other_captions_counts_for_nothing(campaign, refused):
    table = builders.caption_rows(campaign.recipe, "single_en", SHARD, ["It is another. " * 20] * 3)
    builders.put_captions(campaign, SHARD, "single_en", table)
    curate_shard(campaign, SHARD, tracks=["single_en"])
    assert UNIT not in refused.counting.refresh().units


def test_counts_are_kept_for_whoever_comes_next(campaign, refused):
    held = refused.counting.refresh().captions
    assert campaign.store.exists(layout.refused_counts_key(campaign.name))
    key = layout.audit_key(campaign.name, "single_en", SHARD, "answers.parquet")
    campaign.store.delete(key)
    later = RefusedCaptions(campaign, Catalogue(campaign))
    assert later.counting.refresh().captions == held


def test_damaged_answers_leave_the_others(campaign, refused):
    key = layout.audit_key(campaign.name, "single_en", SHARD, "answers.parquet")
    campaign.store.write(key, b"no Parquet")
    counts = refused.counting.refresh()
    assert UNIT not in counts.units
    assert refused.counting.lacking == 1
    assert list(sentences_of(refused, [UNIT], 0, 0)) == []
