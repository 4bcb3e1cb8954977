"""Several shards through one engine."""

import json
import threading

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipts.receipt_files import caption_place, curate_place, read_receipt
from sa1b_captions.recipe import TRACKS, parse_recipe
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply

NAMES = ["sa_000000", "sa_000001", "sa_000002"]


@pytest.fixture
def campaign(tmp_path):
    store = FileStore(tmp_path)
    for number, shard in enumerate(NAMES):
        jpegs = {n: builders.make_jpeg(n) for n in range(100 * number + 1, 100 * number + 9)}
        builders.put_shard(store, shard, jpegs)
    return builders.demo_campaign(store, builders.demo_recipe(shards="0-2"))


class Opener:
    """Opens one engine after another and keeps them."""

    def __init__(self, *engines: Engine) -> None:
        self.left = list(engines) or [ScriptedEngine()]
        self.opened = []

    def __call__(self):
        self.opened.append(self.left.pop(0))
        return self.opened[-1]


def captioned(campaign):
    """Shards with all receipts."""
    return [
        shard
        for shard in NAMES
        if all(read_receipt(campaign.store, caption_place(campaign.name, t, shard)) for t in TRACKS)
    ]


def test_one_engine_captions_all_shards(campaign):
    opener = Opener()
    results = caption_shards(campaign, NAMES, opener)
    assert list(results) == NAMES
    assert {result["statuses"]["single_en"]["ok"] for result in results.values()} == {8}
    assert captioned(campaign) == NAMES
    (engine,) = opener.opened
    assert engine.closed
    assert len(engine.asked) == len(set(engine.asked))


def test_receipts_name_the_image_of_the_worker_up_to_curate(campaign):
    image = "registry/worker@sha256:" + "ab" * 32
    caption_shards(campaign, NAMES[:1], Opener(), tracks=["single_en"], image=image)
    caption_shards(campaign, NAMES[1:2], Opener(), tracks=["single_en"])
    for shard, expected in zip(NAMES, (image, None), strict=False):
        curate_shard(campaign, shard, tracks=["single_en"])
        for place in (caption_place, curate_place):
            found = read_receipt(campaign.store, place(campaign.name, "single_en", shard))
            assert found.image == expected


def test_the_window_stays_full_from_one_shard_to_the_next(campaign):
    """All requests wait for each other: a window that empties between shards never lets go."""
    together = threading.Barrier(6)

    def script(request):
        together.wait(timeout=30)
        return honest_reply(request)

    engine = ScriptedEngine(script, window=6)
    caption_shards(campaign, NAMES, lambda: engine, tracks=["single_en"])
    assert len(engine.asked) == 3 * 8  # and 6 does not divide 8


def test_shards_that_are_done_need_no_engine(campaign):
    caption_shards(campaign, NAMES, Opener())
    again = caption_shards(campaign, NAMES, lambda: pytest.fail("the model was loaded for nothing"))
    assert {shard: result["captioned"] for shard, result in again.items()} == dict.fromkeys(
        NAMES, 0
    )


def test_a_shard_that_fails_for_good_does_not_keep_the_others_from_being_captioned(campaign):
    campaign.store.delete(layout.ingest_receipt_key(NAMES[0]))
    archive = campaign.store.read(layout.archive_key(NAMES[1]))
    campaign.store.write(layout.archive_key(NAMES[1]), archive[:5000])
    with pytest.raises(PermanentError) as failure:
        caption_shards(campaign, NAMES, Opener())
    message = str(failure.value)
    assert message.startswith("2 of 3 shards failed: sa_000000: ingest of sa_000000 has not")
    assert "; sa_000001: " in message
    assert "run sa1b-captions ingest --shards sa_000001 --force" in message
    assert "\n" not in message
    assert captioned(campaign) == [NAMES[2]]


def test_one_shard_alone_fails_with_its_own_words(campaign):
    with pytest.raises(PermanentError, match=r"^sa_000009: ingest of sa_000009 has not finished"):
        caption_shards(campaign, ["sa_000009"], Opener())


def test_an_engine_that_is_gone_stops_everything_and_a_retry_does_the_rest(campaign):
    campaign.store.delete(layout.ingest_receipt_key(NAMES[0]))
    gone = threading.Event()

    def script(request):
        if request.sample_id.startswith("multi_zh/sa_000001") or gone.is_set():
            gone.set()
            raise RetryableError("the engine has stopped")
        return honest_reply(request)

    first, second = ScriptedEngine(script, window=1), ScriptedEngine()
    with pytest.raises(
        RetryableError, match=r"the engine has stopped; .* sa_000000 failed: ingest"
    ):
        caption_shards(campaign, NAMES, Opener(first))
    assert not any("sa_000002" in sample for sample in first.asked)
    with pytest.raises(PermanentError, match="sa_000000: ingest"):
        caption_shards(campaign, NAMES, Opener(second))
    assert captioned(campaign) == NAMES[1:]
    assert not any(sample.startswith("single_en/sa_000001") for sample in second.asked)


def test_stop_between_two_shards_keeps_the_finished_one(campaign):
    stop = threading.Event()

    def script(request):
        if "sa_000001" in request.sample_id:
            stop.set()
        return honest_reply(request)

    with pytest.raises(RetryableError, match="stopped on request"):
        caption_shards(campaign, NAMES, Opener(ScriptedEngine(script, window=1)), stop=stop)
    assert captioned(campaign) == [NAMES[0]]


def test_spare_samples_are_planned_for_new_shards_and_what_was_captioned_stays(campaign):
    caption_shards(campaign, NAMES[:1], Opener())
    half_done = ScriptedEngine()
    caption_shards(campaign, NAMES[1:2], lambda: half_done, tracks=["single_zh"])
    key = layout.caption_receipt_key(campaign.name, "single_zh", NAMES[1])
    campaign.store.delete(key)
    source = json.loads(json.dumps(campaign.recipe.source))
    source["tracks"]["single_zh"]["spare_samples_per_shard"] = 2
    spacious = open_campaign(campaign.store, campaign.name, parse_recipe(source, where="tests"))

    before = {
        key: campaign.store.read(key) for key in campaign.store.list("campaigns/test/captions/")
    }
    results = caption_shards(spacious, NAMES, Opener())
    planned = [sum(results[shard]["statuses"]["single_zh"].values()) for shard in NAMES]
    assert planned == [3, 5, 5]
    kept = [key for key in before if f"/{NAMES[0]}/" in key]
    assert all(campaign.store.read(key) == before[key] for key in kept)
    for shard, rows in zip(NAMES, planned, strict=True):
        assert curate_shard(spacious, shard)["tracks"]["single_zh"]["planned"] == rows
