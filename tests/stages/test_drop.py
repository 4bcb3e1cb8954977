import pytest

from sa1b_captions import layout
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.ingesting.drop import drop_shards, is_dropped
from sa1b_captions.stages.status.status import is_done
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts
from tests.support.engines import ScriptedEngine

SHARD = "sa_000000"


@pytest.fixture
def campaign(tmp_path):
    store = FileStore(tmp_path)
    put_raw(store)
    return builders.demo_campaign(store)


def put_raw(store):
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 8)})


def caption(campaign, open_engine, **options):
    return caption_shards(campaign, [SHARD], open_engine, **options)[SHARD]


def finish(campaign, verdict="pass"):
    """Caption the shard, and leave the receipts that curate and validate leave."""
    caption(campaign, ScriptedEngine)
    for track in TRACKS:
        receipts.put_curate(campaign, track, SHARD)
    receipts.put_shard_validation(campaign, SHARD, verdict)


def raw(campaign):
    return list(campaign.store.list("shards/"))


def refuse():
    raise AssertionError("the model was loaded for nothing")


def test_a_done_shard_is_dropped_and_its_captions_stay_valid(campaign):
    finish(campaign)
    captions = list(campaign.store.list("campaigns/"))
    assert drop_shards(campaign, [SHARD])["dropped"] == [SHARD]
    assert raw(campaign) == []
    assert is_dropped(campaign, SHARD)
    again = caption(campaign, refuse)
    assert again["statuses"]["single_en"] == {"ok": 7}
    assert drop_shards(campaign, [SHARD])["kept"] == {
        SHARD: "it was dropped before; there is no archive to delete"
    }
    assert list(campaign.store.list("campaigns/")) == captions


@pytest.mark.parametrize("verdict", [None, "fail"])
def test_a_shard_that_may_still_be_needed_is_kept(campaign, verdict):
    if verdict:
        finish(campaign, verdict)
    before = raw(campaign)
    assert list(drop_shards(campaign, [SHARD])["kept"]) == [SHARD]
    assert raw(campaign) == before
    assert not is_dropped(campaign, SHARD)


def test_a_dropped_shard_comes_back_by_ingest(campaign):
    finish(campaign)
    drop_shards(campaign, [SHARD])
    with pytest.raises(PermanentError, match="run sa1b-captions ingest"):
        caption(campaign, refuse, force=True)
    put_raw(campaign.store)
    assert not is_dropped(campaign, SHARD)
    assert caption(campaign, refuse)["captioned"] == 0


def test_a_shard_captioned_anew_is_not_done_until_it_is_judged_again(campaign):
    finish(campaign)
    assert is_done(campaign, SHARD)

    def fail():
        raise RetryableError("no GPU")

    with pytest.raises(RetryableError):
        caption(campaign, fail, force=True, tracks=["single_zh"])
    assert is_done(campaign, SHARD)  # by its old captions, of which nothing is lost
    caption(campaign, ScriptedEngine, force=True, tracks=["single_zh"])
    assert not is_done(campaign, SHARD)
    receipts.put_curate(campaign, "single_zh", SHARD)
    assert not is_done(campaign, SHARD)  # the report is of the old captions
    receipts.put_shard_validation(campaign, SHARD)
    assert is_done(campaign, SHARD)


def test_a_half_dropped_shard_has_no_receipt_and_is_dropped_by_the_next_call(campaign):
    finish(campaign)
    campaign.store.delete(layout.ingest_receipt_key(SHARD))
    drop_shards(campaign, [SHARD])
    assert raw(campaign) == []
