"""A shard in which too much fails, and what a later run does about it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.tally import ENOUGH, Tally
from sa1b_captions.caption.worker import MAX_ATTEMPTS
from sa1b_captions.chance import allowed_share
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt
from sa1b_captions.records import CaptionStatus
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply

SHARD = "sa_000000"
IMAGES = 24
TIMEOUT = Reply(CaptionStatus.ERROR, error_code="timeout", error="no caption within 900 s")
CUT = Reply(CaptionStatus.TRUNCATED, "A dog and", "length")


@pytest.fixture
def campaign(tmp_path):
    store = FileStore(tmp_path)
    jpegs = {n: builders.make_jpeg(n) for n in range(1, IMAGES + 1)}
    jpegs[7] = jpegs[7][:200]
    builders.put_shard(store, SHARD, jpegs)
    return builders.demo_campaign(store)


def caption(campaign, engine, tracks=("single_en",), limit=0.05):
    return caption_shards(
        campaign, [SHARD], lambda: engine, tracks=tracks, max_failure_share=limit
    )[SHARD]


def failing(reply_of):
    """An engine that answers image n of single_en with `reply_of(n)`, or honestly if None."""

    def script(request):
        track, _, image = request.sample_id.split("/")
        reply = reply_of(int(image)) if track == "single_en" else None
        return reply or honest_reply(request)

    return ScriptedEngine(script)


def every_third(image):
    return {0: TIMEOUT, 12: CUT}.get(image % 24 if image % 12 == 0 else image % 3)


def stored(campaign, track="single_en"):
    keys = [
        k
        for k in campaign.store.list(layout.captions_prefix(campaign.name, track, SHARD))
        if "part" in k
    ]
    return [row for key in keys for row in records.read_table(campaign.store, key).to_pylist()]


def test_too_many_failures_fail_the_shard_with_numbers_reasons_and_what_to_do(campaign):
    with pytest.raises(PermanentError) as failure:
        caption(campaign, failing(every_third))
    message = str(failure.value)
    assert message.startswith(
        f"{SHARD}: single_en/{SHARD}: 8 of 24 samples failed (34.8 %, limit 5 %): "
        "7 timeout (no caption within 900 s), 1 truncated; 1 more could not be decoded; "
    )
    assert "clear the task" in message
    assert read_receipt(campaign.store, caption_place(campaign.name, "single_en", SHARD)) is None
    assert len(stored(campaign)) == IMAGES


def test_a_later_run_captions_again_what_failed_and_nothing_else(campaign):
    with pytest.raises(PermanentError):
        caption(campaign, failing(every_third))
    before = {row["sample_id"]: row for row in stored(campaign)}
    engine = ScriptedEngine()
    result = caption(campaign, engine)
    failed = {s for s, row in before.items() if row["status"] not in ("ok", "undecodable")}
    assert set(engine.asked) == failed
    assert result["statuses"]["single_en"] == {"ok": 23, "undecodable": 1}
    after = {row["sample_id"]: row for row in stored(campaign)}
    assert list(after) == list(before)
    assert {s: row for s, row in after.items() if s not in failed} == {
        s: row for s, row in before.items() if s not in failed
    }


def test_what_fails_again_fails_the_shard_again_at_the_price_of_the_failures(campaign):
    for _ in range(2):
        engine = failing(every_third)
        with pytest.raises(PermanentError, match="8 of 24 samples failed"):
            caption(campaign, engine)
    assert len(engine.asked) == 8 * MAX_ATTEMPTS


def test_few_failures_are_rows_and_stay_rows(campaign):
    result = caption(campaign, failing(lambda image: TIMEOUT if image == 3 else None))
    assert result["statuses"]["single_en"] == {"ok": 22, "error": 1, "undecodable": 1}
    campaign.store.delete(layout.caption_receipt_key(campaign.name, "single_en", SHARD))
    engine = ScriptedEngine()
    assert caption(campaign, engine)["statuses"] == result["statuses"]
    assert engine.asked == []


def test_a_track_that_fails_leaves_the_receipts_of_the_others(campaign):
    with pytest.raises(PermanentError, match="single_en/"):
        caption(campaign, failing(lambda image: TIMEOUT), tracks=["single_en", "single_zh"])
    assert read_receipt(campaign.store, caption_place(campaign.name, "single_zh", SHARD))
    engine = ScriptedEngine()
    caption(campaign, engine, tracks=["single_en", "single_zh"])
    assert all(sample.startswith("single_en") for sample in engine.asked)


def test_a_hopeless_shard_is_given_up_early_and_the_next_is_captioned(tmp_path):
    store = FileStore(tmp_path)
    for number, shard in enumerate([SHARD, "sa_000001"]):
        jpegs = {n: builders.make_jpeg(n, (8, 8)) for n in range(500 * number, 500 * number + 200)}
        builders.put_shard(store, shard, jpegs, (8, 8))
    campaign = builders.demo_campaign(store)

    engine = failing(lambda image: TIMEOUT if image < 500 else None)
    with pytest.raises(PermanentError, match=rf"{SHARD}: 64 of 200 samples failed after 64 \(100"):
        caption_shards(
            campaign,
            [SHARD, "sa_000001"],
            lambda: engine,
            tracks=["single_en"],
            max_failure_share=0.05,
        )
    given_up = [sample for sample in engine.asked if SHARD in sample]
    assert len(set(given_up)) < ENOUGH + 2 * engine.window + 4
    receipt = read_receipt(store, caption_place(campaign.name, "single_en", "sa_000001"))
    assert receipt.statuses == {"ok": 200}


@settings(max_examples=50)
@given(
    limit=st.floats(0, 1),
    failed=st.integers(0, 300),
    fine=st.integers(0, 300),
    undecodable=st.integers(0, 50),
)
def test_hopeless_is_never_said_of_what_would_pass_and_undecodable_never_counts(
    limit, failed, fine, undecodable
):
    tally = Tally("here", failed + fine + undecodable, limit)
    for status, count in (("ok", fine), ("empty", failed), ("undecodable", undecodable)):
        for _ in range(count):
            tally.add(status, None, None)
    judged = failed + fine
    assert tally.passes_limit() == (failed > judged * allowed_share(limit, judged))
    assert not tally.is_hopeless() or tally.passes_limit()
