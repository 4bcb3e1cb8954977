"""Change anything at any place: all that lies behind is stale by name until it is done again."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness import read_shard
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release_freshness import read_stale
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.export import export_release
from sa1b_captions.stages.status import read_status
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts, releases

SHARDS = ("sa_000000", "sa_000001")


class Chain:
    """A campaign whose stages only write their receipts, and what should be stale of it."""

    def __init__(self, folder):
        self.store = FileStore(Path(folder))
        self.campaign = builders.demo_campaign(self.store)
        self.contents = 0
        self.stale = set()
        for shard in SHARDS:
            self.ingest(shard)
        self.stale.clear()
        for track in TRACKS:
            for shard in SHARDS:
                self.caption(track, shard)
        self.do_again()

    def _behind(self, *names):
        self.stale |= {*names, "validation of the release"}

    def _behind_curated(self, track, shard):
        self._behind(f"validation of {shard}", f"dedup of {track}")

    def ingest(self, shard):
        self.contents += 1
        receipts.put_ingest(self.store, shard, content=f"{self.contents:016x}")
        for track in TRACKS:
            self._behind(f"captions of {track}/{shard}", f"curated captions of {track}/{shard}")
            self._behind_curated(track, shard)

    def ingest_the_same(self, shard):
        receipts.put_ingest(self.store, shard, content=read_shard_content(self.campaign, shard))

    def caption_all_stale(self, shard):
        for track in TRACKS:
            if f"captions of {track}/{shard}" in self.stale:
                self.caption(track, shard)

    def caption(self, track, shard):
        receipts.put_caption(self.campaign, track, shard)
        self.stale.discard(f"captions of {track}/{shard}")
        self._behind(f"curated captions of {track}/{shard}")
        self._behind_curated(track, shard)

    def curate(self, track, shard):
        if f"captions of {track}/{shard}" not in self.stale:
            receipts.put_curate(self.campaign, track, shard)
            self.stale.discard(f"curated captions of {track}/{shard}")
            self._behind_curated(track, shard)

    def dedup(self, track):
        if not any(name.endswith(f"{track}/{shard}") for name in self.stale for shard in SHARDS):
            receipts.put_dedup(self.campaign, track)
            self.stale.discard(f"dedup of {track}")
            self._behind()

    def validate(self, shard):
        if not any(name.endswith(f"/{shard}") for name in self.stale):
            receipts.put_shard_validation(self.campaign, shard)
            self.stale.discard(f"validation of {shard}")
            self._behind()

    def validate_release(self):
        if self.stale <= {"validation of the release"}:
            receipts.put_release_validation(self.campaign)
            self.stale.clear()

    def do_again(self):
        """Every stage, in its order, where something is stale."""
        for shard in SHARDS:
            self.caption_all_stale(shard)
            for track in TRACKS:
                if f"curated captions of {track}/{shard}" in self.stale:
                    self.curate(track, shard)
            if f"validation of {shard}" in self.stale:
                self.validate(shard)
        for track in TRACKS:
            if f"dedup of {track}" in self.stale:
                self.dedup(track)
        self.validate_release()


def read_shard_content(campaign, shard):
    ingest = read_shard(campaign, shard).ingest
    return ingest and ingest.content


def names(campaign):
    return {one.what.removeprefix("results of the ") for one in read_stale(campaign)}


shards, tracks = st.sampled_from(SHARDS), st.sampled_from(TRACKS)
changes = st.one_of(
    st.tuples(st.sampled_from(["ingest", "ingest_the_same", "validate"]), shards),
    st.tuples(st.sampled_from(["caption", "curate"]), tracks, shards),
    st.tuples(st.just("dedup"), tracks),
    st.tuples(st.just("validate_release")),
)


@settings(max_examples=6, deadline=None)
@given(st.lists(changes, min_size=1, max_size=5))
def test_everything_behind_a_change_is_stale_by_name_until_it_is_done_again(done):
    with tempfile.TemporaryDirectory() as folder:
        chain = Chain(folder)
        assert names(chain.campaign) == set()
        for name, *where in done:
            getattr(chain, name)(*where)
            assert names(chain.campaign) == chain.stale
            for shard in read_status(chain.campaign).shards[: len(SHARDS)]:
                mine = {name for name in chain.stale if name.endswith(shard.shard)}
                assert bool(shard.stale) == bool(mine)
                assert shard.done == (not mine)
        chain.do_again()
        assert names(chain.campaign) == chain.stale == set()


@pytest.fixture
def curated(local):
    """Two shards, really curated and deduplicated, and validated by hand."""
    campaign = builders.demo_campaign(local)
    for place, shard in enumerate(SHARDS):
        receipts.put_ingest(local, shard, content=f"{place:016x}")
        for track in TRACKS:
            caption(campaign, track, shard)
        curate_shard(campaign, shard)
    judge(campaign)
    return campaign


def caption(campaign, track, shard, words="A path leads past a house"):
    english = f"{words} of {track} to the lake of {shard}. " * 5
    chinese = f"一条石板路通向山脚下的村庄，屋顶覆盖着积雪，湖水很蓝。{track} {shard}" * 3
    text = chinese if track.endswith("zh") else english
    texts = [f"{text}{number}." for number in range(3)]
    table = builders.caption_rows(campaign.recipe, track, shard, texts)
    builders.put_captions(campaign, shard, track, table)


def judge(campaign):
    for track in TRACKS:
        dedup_track(campaign, track)
    releases.put_validation(campaign)


def test_captions_made_again_are_published_only_when_they_are_curated(curated, local):
    assert export_release(curated, None)["version"] == "v1"
    caption(curated, "single_en", "sa_000001", "Another path leads past another house")
    message = (
        r"single_en: 1 of 2 shards must be curated first \(1: the track was captioned again "
        r"since\); run sa1b-captions curate --tracks single_en --shards 1"
    )
    for stage in (lambda: export_release(curated, None), lambda: dedup_track(curated, "single_en")):
        with pytest.raises(PermanentError, match=message):
            stage()
    assert [one.state for one in read_status(curated).shards] == ["captioned", "captioned"]
    assert "captioned again since" in read_status(curated).shards[1].stale[0]
    curate_shard(curated, "sa_000001")
    judge(curated)
    assert export_release(curated, None)["version"] == "v2"
    published = local.read("releases/v2/test_single_en.jsonl").decode()
    assert published.count("Another path") == 3 * 5


def test_captions_of_an_archive_that_is_there_no_more_are_refused_everywhere(curated, local):
    receipts.put_ingest(local, "sa_000001", content="f" * 16)
    message = "captions of .*sa_000001 are stale: the archive was .* --force, then curate it"
    stages = [
        lambda: curate_shard(curated, "sa_000001"),
        lambda: dedup_track(curated, "single_zh"),
        lambda: export_release(curated, None),
    ]
    for stage in stages:
        with pytest.raises(PermanentError, match=message):
            stage()
    local.delete(layout.ingest_receipt_key("sa_000001"))  # dropped
    assert export_release(curated, None)["version"] == "v1"


def test_an_archive_that_is_ingested_again_as_it_was_makes_nothing_stale(curated, local):
    receipts.put_ingest(local, "sa_000001", content=f"{1:016x}")
    assert export_release(open_campaign(local, "test"), None)["version"] == "v1"
