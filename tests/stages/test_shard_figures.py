"""What the summary keeps of a captioned track, read from what curate stored."""

import json

import pytest

from sa1b_captions import layout
from sa1b_captions.stages.status import campaign_summary
from sa1b_captions.stages.status.status import glance, read_shard, read_status
from sa1b_captions.storage import FileStore
from tests.support import builders, curated, receipts

SHARD = "sa_000000"


@pytest.fixture
def campaign(tmp_path):
    """Two shards, one of them captioned and curated in a track."""
    campaign = builders.demo_campaign(FileStore(tmp_path))
    receipts.put_ingest(campaign.store, SHARD)
    curated.put_texts(campaign, SHARD, "single_en", ["A red kettle.", curated.KETTLE * 3, ""])
    return campaign


def test_figures_are_those_of_the_curated_captions(campaign):
    (figures,) = read_shard(campaign, SHARD).figures.values()
    assert (figures.planned, figures.captions) == (3, 2)
    assert figures.chars == len("A red kettle.") + len(curated.KETTLE * 3)
    assert figures.rejected == 2
    assert figures.began_at is not None
    assert figures.finished is not None


def test_a_track_that_is_captioned_again_keeps_no_figures_of_before(campaign):
    receipts.put_caption(campaign, "single_en", SHARD, {"ok": 7})
    figures = read_shard(campaign, SHARD).figures["single_en"]
    assert (figures.planned, figures.rejected, figures.chars) == (7, None, None)


@pytest.mark.parametrize("data", [b"[]", b"", json.dumps({"planned": 3}).encode(), None])
def test_metrics_that_are_damaged_or_old_tell_nothing_and_stop_nobody(campaign, data):
    key = layout.curated_key(campaign.name, "single_en", SHARD, "metrics.json")
    if data is None:
        campaign.store.delete(key)
    else:
        campaign.store.write(key, data)
    figures = read_shard(campaign, SHARD).figures["single_en"]
    assert (figures.planned, figures.rejected, figures.chars) == (3, 2, None)


def test_a_glance_reads_the_summary_and_nothing_else(campaign, monkeypatch):
    assert glance(campaign) is None
    monkeypatch.setattr(campaign_summary, "WORTH_KEEPING", 1)
    found = read_status(campaign)
    assert glance(campaign) == found
    receipts.put_caption(campaign, "single_en", SHARD, {"ok": 7})
    assert glance(campaign) == found


@pytest.mark.parametrize("content", [b"", b"{}", b'{"sa_000000": {"mark": "x", "found": 3}}'])
def test_a_summary_that_is_none_tells_nothing_at_a_glance(campaign, content):
    campaign.store.write(layout.summary_key(campaign.name), content)
    assert glance(campaign) is None
