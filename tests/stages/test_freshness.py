"""Change anything at any place: all that lies behind is stale by name until it is done again."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.caption.resuming.track_generations import count, earlier, restore
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.release_freshness import read_stale
from sa1b_captions.freshness.shard_freshness import captions_version
from sa1b_captions.generations import following
from sa1b_captions.receipts.receipt_files import (
    audit_place,
    caption_place,
    curate_place,
    dedup_place,
    digest,
    read_receipt,
    shard_validation_place,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.exporting.export_inputs import read_inputs
from sa1b_captions.stages.status.status import read_status
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts, releases

SHARDS = ("sa_000000", "sa_000001")


@dataclass
class Made:
    """An output: what tells it from the one before, and what it was made from."""

    id: str
    of: object


class Chain:
    """A campaign whose stages only write their receipts, beside what they were made from.

    The stages run in any order, as people run them, and refuse what the real ones refuse.
    """

    def __init__(self, folder):
        self.store = FileStore(Path(folder))
        recipe = builders.demo_recipe(audit={})
        self.campaign = builders.demo_campaign(self.store, recipe)
        self.contents = 0
        self.archives, self.captions, self.earlier = {}, {}, {}
        self.curated, self.audits, self.validations, self.dedups = {}, {}, {}, {}
        self.release = None
        for shard in SHARDS:
            self.ingest(shard)
            for track in TRACKS:
                self.caption(track, shard)
        self.do_again()

    # What somebody changes.

    def ingest(self, shard):
        self.contents += 1
        self.archives[shard] = f"{self.contents:016x}"
        self.ingest_the_same(shard)

    def ingest_the_same(self, shard):
        receipts.put_ingest(self.store, shard, content=self.archives[shard])

    def change_a_rule(self):
        quality = self.campaign.recipe.quality
        self._with(quality=replace(quality, min_rows=quality.min_rows + 1))

    def change_a_question(self):
        audit = self.campaign.recipe.audit
        self._with(audit=replace(audit, captions_per_shard=audit.captions_per_shard + 1))

    def change_a_target(self):
        tracks = self.campaign.recipe.tracks
        more = replace(tracks["multi_zh"], target=(tracks["multi_zh"].target or 0) + 1)
        self._with(tracks=tracks | {"multi_zh": more})

    def _with(self, **changes):
        self.campaign = replace(self.campaign, recipe=replace(self.campaign.recipe, **changes))

    def pin(self):
        self.contents += 1
        self.campaign = replace(self.campaign, reference_digest=f"{self.contents:016x}")

    # What stages do.

    def caption(self, track, shard):
        place = caption_place("test", track, shard)
        old = read_receipt(self.store, place)
        if old is None:
            new = receipts.put_caption(self.campaign, track, shard)
        else:
            generation = following((), "hand", old.highest)
            stored = self.store.read(place.key)
            new = receipts.put_caption(self.campaign, track, shard, generation=generation)
            self.store.write(place.key, stored)
            new = count(self.campaign, new)
            self.earlier[track, shard] = self.captions[track, shard]
        self.captions[track, shard] = Made(captions_version(new), self.archives[shard])

    def go_back(self, track, shard):
        """Let earlier captions count again; one that is of another archive is refused."""
        before = self.earlier.pop((track, shard), None)
        if before is not None and before.of == self.archives[shard]:
            restore(self.campaign, *earlier(self.campaign, track, shard))
            self.captions[track, shard] = before

    def curate(self, track, shard, others=False):
        if not self._stale_captions(track, shard):
            of = (self.captions[track, shard].id, self._rules)
            accepted = f"{self.contents:016x}" if others else "a" * 16
            files = {"accepted.parquet": accepted}
            made = receipts.put_curate(self.campaign, track, shard, files=files)
            self.curated[track, shard] = Made((digest(made), accepted), of)

    def curate_to_others(self, track, shard):
        self.contents += 1
        self.curate(track, shard, others=True)

    def audit(self, track, shard):
        if (curated := self._fresh_curated(track, shard)) is not None:
            made = receipts.put_audit(self.campaign, track, shard)
            self.audits[track, shard] = Made(digest(made), (curated[1], self._question))

    def validate(self, shard):
        if self._seen(shard):
            made = receipts.put_shard_validation(self.campaign, shard)
            self.validations[shard] = Made(digest(made), self._seen(shard))

    def dedup(self, track):
        if None not in (of := self._curated(track)):
            made = receipts.put_dedup(self.campaign, track)
            self.dedups[track] = Made(digest(made), of)

    def validate_release(self):
        if not self._lacks_something_released():
            releases.put_validation(self.campaign)
            self.release = Made("", self._released)

    # What is lost.

    def lose(self, kind, track, shard):
        gone = {
            "curated": (self.curated, (track, shard), curate_place("test", track, shard)),
            "audit": (self.audits, (track, shard), audit_place("test", track, shard)),
            "validation": (self.validations, shard, shard_validation_place("test", shard)),
            "dedup": (self.dedups, track, dedup_place("test", track)),
        }
        made, key, place = gone[kind]
        made.pop(key, None)
        self.store.delete(place.key)

    # What should be stale.

    @property
    def _rules(self):
        return self.campaign.quality_fingerprint

    @property
    def _question(self):
        return self.campaign.recipe.audit.captions_per_shard

    @property
    def _released(self):
        """What a validation of the release is made from."""
        target = self.campaign.recipe.tracks["multi_zh"].target
        dedups = [self.dedups[track].id if track in self.dedups else None for track in TRACKS]
        results = [self.validations[s].id if s in self.validations else None for s in SHARDS]
        return ([self._curated(track) for track in TRACKS], dedups, results, target)

    def _stale_captions(self, track, shard):
        return self.captions[track, shard].of != self.archives[shard]

    def _stale_curated(self, track, shard):
        made = self.curated.get((track, shard))
        now = (self.captions[track, shard].id, self._rules)
        return made is not None and (self._stale_captions(track, shard) or made.of != now)

    def _fresh_curated(self, track, shard):
        made = self.curated.get((track, shard))
        return None if made is None or self._stale_curated(track, shard) else made.id

    def _curated(self, track):
        return [self._fresh_curated(track, shard) for shard in SHARDS]

    def _fresh_audit(self, track, shard):
        made, curated = self.audits.get((track, shard)), self._fresh_curated(track, shard)
        fits = made and curated and made.of == (curated[1], self._question)
        return made.id if fits else None

    def _seen(self, shard):
        """What a validation of a shard is made from."""
        found = {}
        for track in TRACKS:
            for read in (self._fresh_curated, self._fresh_audit):
                if (made := read(track, shard)) is not None:
                    found[read.__name__, track] = made
        return found

    def _lacks_something_released(self):
        curated, dedups, _, _ = self._released
        stale = self.stale - {"validation of the release"}
        return bool(stale) or any(None in one for one in (*curated, dedups))

    @property
    def stale(self):
        """Names of all that does not fit what it was made from."""
        names = set()
        for shard in SHARDS:
            for track in TRACKS:
                if self._stale_captions(track, shard):
                    names.add(f"captions of {track}/{shard}")
                if self._stale_curated(track, shard):
                    names.add(f"curated captions of {track}/{shard}")
                if (track, shard) in self.audits and not self._fresh_audit(track, shard):
                    names.add(f"answers of the audit of {track}/{shard}")
            made = self.validations.get(shard)
            if made is not None and made.of != self._seen(shard):
                names.add(f"validation of {shard}")
        for track, made in self.dedups.items():
            if made.of != self._curated(track):
                names.add(f"dedup of {track}")
        behind = [one for one in names if not one.startswith("answers")]
        if self.release is not None and (behind or self.release.of != self._released):
            names.add("validation of the release")
        return names

    def do_again(self):
        """Every stage, in its order, where something is stale or missing."""
        for shard in SHARDS:
            for track in TRACKS:
                if self._stale_captions(track, shard):
                    self.caption(track, shard)
                if not self._fresh_curated(track, shard):
                    self.curate(track, shard)
                if not self._fresh_audit(track, shard):
                    self.audit(track, shard)
            if shard not in self.validations or f"validation of {shard}" in self.stale:
                self.validate(shard)
        for track in TRACKS:
            if track not in self.dedups or f"dedup of {track}" in self.stale:
                self.dedup(track)
        self.validate_release()


def names(campaign):
    return {one.what.removeprefix("results of the ") for one in read_stale(campaign)}


shards, tracks = st.sampled_from(SHARDS), st.sampled_from(TRACKS)
of_recipe = ["change_a_rule", "change_a_question", "change_a_target", "pin", "validate_release"]
of_track = ["caption", "go_back", "curate", "curate_to_others", "audit"]
kinds = st.sampled_from(["curated", "audit", "validation", "dedup"])
changes = st.one_of(
    st.tuples(st.sampled_from(["ingest", "ingest_the_same", "validate"]), shards),
    st.tuples(st.sampled_from(of_track), tracks, shards),
    st.tuples(st.just("dedup"), tracks),
    st.tuples(st.sampled_from(of_recipe)),
    st.tuples(st.just("lose"), kinds, tracks, shards),
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
                assert not (shard.done and any(not one.startswith("answers") for one in mine))
            require_published_only_if_fresh(chain)
        chain.do_again()
        assert names(chain.campaign) == chain.stale == set()
        read_inputs(chain.campaign, ["pass"])


def require_published_only_if_fresh(chain):
    """A release is made of what is there now, or refused for what is stale or missing."""
    behind = {name for name in chain.stale if not name.startswith("answers of")}
    refusal = ""
    try:
        inputs = read_inputs(chain.campaign, ["pass"])
    except PermanentError as error:
        refusal = str(error)
    assert bool(refusal) == bool(behind or chain._lacks_something_released()), refusal or behind
    if refusal:
        return
    of = {t: {s: digest(one) for s, one in found.items()} for t, found in inputs.curated.items()}
    assert of == {
        track: {shard: chain.curated[track, shard].id[0] for shard in SHARDS} for track in TRACKS
    }


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
