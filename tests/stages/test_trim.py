import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.release.tracks.trim import shares, stays
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, releases

shards = st.lists(
    st.lists(st.text("abc123/", min_size=1, max_size=5), unique=True, max_size=8), max_size=6
)


def columns(shards):
    return [pa.chunked_array([pa.array(names, pa.string())]) for names in shards]


def kept(seed, target, shards):
    samples = {f"shard {place}": column for place, column in enumerate(columns(shards))}
    found = shares(seed, target, samples.items())
    flags = [stays(seed, found[shard], column).to_pylist() for shard, column in samples.items()]
    return [
        name
        for names, stays in zip(shards, flags, strict=True)
        for name, stay in zip(names, stays, strict=True)
        if stay
    ]


@given(shards, st.integers(1, 50), st.integers(0, 9))
def test_exactly_the_target_stays_or_all_there_is(shards, target, seed):
    assert len(kept(seed, target, shards)) == min(target, sum(map(len, shards)))


@given(st.sets(st.text("abc", min_size=1)), st.integers(1, 9), st.randoms())
def test_the_choice_depends_on_names_alone(names, target, rng):
    names = sorted(names)
    shuffled = rng.sample(names, len(names))
    assert set(kept(1, target, [names])) == set(kept(1, target, [shuffled[:3], shuffled[3:]]))
    assert set(kept(1, target, [names])) <= set(kept(1, target + 1, [names]))


@given(shards, st.integers(1, 50), st.integers(0, 9))
def test_a_caption_lost_in_one_shard_changes_the_share_of_one_other_at_most(shards, target, seed):
    names = [[f"{place}/{name}" for name in one] for place, one in enumerate(shards)]
    before = shares(seed, target, enumerate(columns(names)))
    lost = [one[1:] if place == 0 else one for place, one in enumerate(names)]
    after = shares(seed, target, enumerate(columns(lost)))
    assert sum(before[place] != after[place] for place in range(1, len(names))) <= 1


def campaign_with(tmp_path, **changes):
    recipe = builders.demo_recipe()
    source = recipe.source
    source["tracks"]["single_en"] |= changes
    recipe = builders.demo_recipe(tracks=source["tracks"])
    return releases.ready_campaign(FileStore(tmp_path), recipe, rows=5)


def test_a_trimmed_track_holds_its_target_and_keeps_the_rest_with_the_rejected(tmp_path):
    campaign = campaign_with(tmp_path, target=7, trim=True)
    export_release(campaign, "v1")
    lines = releases.read_lines(campaign.store, "test_single_en.jsonl")
    assert [line["id"] for line in lines] == list(range(7))
    rejected = releases.read_parquet(campaign.store, "rejected/single_en/")
    assert [row["reasons"] for row in rejected] == [["beyond_target"]] * 3
    totals = read_manifest(campaign.store, "v1").tracks["single_en"]
    assert (totals.planned, totals.accepted, totals.rows) == (10, 10, 7)
    assert (totals.trimmed, totals.rejected, totals.duplicates) == (3, 0, 0)
    assert "beyond the target" in campaign.store.read("releases/v1/README.md").decode()


def test_what_dedup_leaves_out_is_not_counted_towards_the_target(tmp_path):
    campaign = campaign_with(tmp_path, target=9, trim=True)
    accepted = [f"single_en/sa_00000{shard}/{shard * 1000 + 1}" for shard in (0, 1)]
    releases.put_duplicates(campaign, "single_en", {accepted[1]: accepted[0]})
    export_release(campaign, "v1")
    totals = read_manifest(campaign.store, "v1").tracks["single_en"]
    assert (totals.rows, totals.duplicates, totals.trimmed) == (9, 1, 0)


@pytest.mark.parametrize("changes", [{"target": 7}, {"target": 99, "trim": True}])
def test_a_target_alone_or_out_of_reach_trims_nothing(tmp_path, changes):
    campaign = campaign_with(tmp_path, **changes)
    export_release(campaign, "v1")
    totals = read_manifest(campaign.store, "v1").tracks["single_en"]
    assert (totals.rows, totals.trimmed) == (10, 0)
    assert "beyond the target" not in campaign.store.read("releases/v1/README.md").decode()
