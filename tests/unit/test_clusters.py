import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.duplicates import clusters, minhash
from sa1b_captions.quality.duplicates import signatures as dedup
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.shingles import arrow, jaccard


def vary(rng, words, changes):
    words = list(words)
    for place in rng.sample(range(len(words)), changes):
        words[place] = f"new{rng.randrange(10**9)}"
    return words


def planted(changes, pairs=150):
    rng = random.Random(changes)
    firsts = [[f"w{rng.randrange(5000)}" for _ in range(140)] for _ in range(pairs)]
    return firsts, [vary(rng, words, changes) for words in firsts]


@pytest.mark.parametrize(("changes", "found_share"), [(1, 1.0), (2, 1.0), (4, 0.96), (12, 0.0)])
def test_planted_copies_are_found_exactly_when_their_jaccard_says_so(changes, found_share):
    firsts, seconds = planted(changes)
    texts = [" ".join(words) for words in firsts + seconds]
    expected = [
        place
        for place, pair in enumerate(zip(firsts, seconds, strict=True))
        if jaccard(*pair) >= 0.7
    ]
    losers = {winner: loser for loser, winner in clustered(texts).items()}
    assert losers.keys() <= set(expected)
    assert all(losers[place] == place + len(firsts) for place in losers)
    assert len(losers) >= found_share * len(expected)
    assert bool(expected) == bool(found_share)


def index_of(texts):
    bands = minhash.sign(arrow(texts))
    rows = pa.table(
        {
            "sample_id": [str(place) for place in range(len(texts))],
            "image_ids": pa.array([[place] for place in range(len(texts))], pa.list_(pa.int64())),
            "caption": pa.array(texts, pa.string()),
        }
    )
    signatures = dedup.Signatures(len(texts))
    signatures.add(dedup.signature_table(rows, 0), "test")
    assert (np.stack(signatures.bands, axis=1) == bands).all()
    return signatures


def clustered(texts):
    index = index_of(texts)
    found = clusters.find_clusters(
        index.words, index.bands, lambda rows: arrow(texts).take(pa.array(rows)), 0.7
    )
    return dict(zip(found.losers.tolist(), found.winners.tolist(), strict=True))


def test_a_bucket_past_its_limit_is_counted_and_its_copies_still_found():
    rng = random.Random(3)
    words = [f"w{place}" for place in range(140)]
    texts = [" ".join(vary(rng, words, 1)) for _ in range(3 * clusters.BUCKET_ROWS)]
    index = index_of(texts)
    found = clusters.find_clusters(
        index.words, index.bands, lambda rows: arrow(texts).take(pa.array(rows)), 0.7
    )
    assert set(found.winners.tolist()) == {0}
    assert len(found.losers) == len(texts) - 1
    assert found.large_buckets > 0


@settings(max_examples=25, deadline=None)
@given(data=st.data(), rows=st.integers(1, 3000))
def test_no_row_that_shares_its_hash_is_passed_over_and_few_others_are_kept(data, rows):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    hashes = rng.integers(0, 2**64, rows, dtype=np.uint64)
    copies = rng.integers(0, rows, (2, data.draw(st.integers(0, rows))))
    hashes[copies[0]] = hashes[copies[1]]
    _, places, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    sharing = np.flatnonzero(counts[places] > 1)
    kept = clusters._repeated(hashes)
    assert (np.diff(kept) > 0).all()
    assert np.isin(sharing, kept).all()
    assert len(kept) - len(sharing) <= 0.1 * rows + 10


def test_pairs_are_the_same_however_often_they_are_united(monkeypatch):
    rng = random.Random(5)
    families = [[f"w{rng.randrange(5000)}" for _ in range(60)] for _ in range(8)]
    index = index_of([" ".join(vary(rng, words, 1)) for words in families for _ in range(5)])
    eligible = np.ones(len(index.words), np.bool_)
    at_the_end, _ = clusters._candidates(list(index.bands), eligible)
    monkeypatch.setattr(clusters, "PAIRS_PENDING", 10)
    now_and_then, _ = clusters._candidates(list(index.bands), eligible)
    assert len(at_the_end) > len(families)
    assert (np.diff(at_the_end) > 0).all()
    assert now_and_then.tolist() == at_the_end.tolist()


def test_clusters_are_the_same_however_few_pairs_are_compared_at_once(monkeypatch):
    firsts, seconds = planted(2, pairs=20)
    texts = [" ".join(words) for words in firsts + seconds]
    at_once = clustered(texts)
    monkeypatch.setattr(clusters, "PAIRS_AT_ONCE", 3)
    assert len(at_once) == len(firsts)
    assert clustered(texts) == at_once


def recipe():
    source = builders.demo_recipe().source
    quality = source["quality"] | {"near_duplicate_jaccard": 0.7}
    return parse_recipe(source | {"quality": quality}, where="tests")


def captions_of(seed, count):
    """Families of captions, some joined only through one another."""
    rng = random.Random(seed)
    kept = []
    for _ in range(count):
        words = [f"word{rng.randrange(3000)}" for _ in range(60)]
        if kept and rng.random() < 0.7:
            words = vary(rng, rng.choice(kept), rng.choice([0, 1, 1, 2]))
        kept.append(words)
    return [" ".join(words) for words in kept]


def run(tmp_path, texts, shard_of):
    """Ids that survive curate and dedup."""
    campaign = Campaign("test", FileStore(tmp_path), recipe())
    kept = set()
    for number, shard in enumerate(campaign.recipe.shards):
        ids = [place for place in range(len(texts)) if shard_of(place) == number]
        table = pa.concat_tables(
            builders.caption_rows(campaign.recipe, "single_en", shard, [texts[place]], place)
            for place in ids
        )
        builders.put_captions(campaign, shard, "single_en", table)
        curate_shard(campaign, shard, tracks=["single_en"])
        key = layout.curated_key(campaign.name, "single_en", shard, "accepted.parquet")
        kept |= {ids[0] for ids in records.read_table(campaign.store, key)["image_ids"].to_pylist()}
    dedup_track(campaign, "single_en")
    found = records.read_table(campaign.store, layout.duplicates_key(campaign.name, "single_en"))
    losers = {int(name.rsplit("/")[-1]) for name in found["sample_id"].to_pylist()}
    assert losers <= kept
    assert all(int(name.rsplit("/")[-1]) in kept - losers for name in found["winner"].to_pylist())
    return kept - losers


@pytest.mark.parametrize("seed", range(3))
def test_survivors_do_not_depend_on_where_a_shard_ends(tmp_path, seed):
    texts = captions_of(seed, 40)
    survivors = set(range(40)) - clustered(texts).keys()
    for place, edge in enumerate((13, 29)):
        found = run(tmp_path / str(place), texts, lambda number, edge=edge: int(number >= edge))
        assert found == survivors


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), data=st.data())
def test_clusters_do_not_depend_on_order(seed, data):
    texts = captions_of(seed, 20)
    order = data.draw(st.permutations(range(len(texts))))

    def losers(places):
        rows = pa.table(
            {
                "sample_id": [str(place) for place in places],
                "image_ids": pa.array([[place] for place in places], pa.list_(pa.int64())),
                "caption": pa.array([texts[place] for place in places], pa.string()),
            }
        )
        table = dedup.signature_table(rows, 0)
        return dedup.find_duplicates(table, rows.column("caption"), 0.7).to_pylist()

    assert losers(order) == losers(range(len(texts)))


def test_near_copies_within_a_shard_are_rejected_and_can_be_looked_at(tmp_path):
    words = [f"word{place}" for place in range(60)]
    texts = [" ".join(words), " ".join(vary(random.Random(1), words, 1))]
    campaign = Campaign("test", FileStore(tmp_path), recipe())
    table = builders.caption_rows(campaign.recipe, "single_en", "sa_000000", texts)
    builders.put_captions(campaign, "sa_000000", "single_en", table)
    found = curate_shard(campaign, "sa_000000", tracks=["single_en"])["tracks"]["single_en"]
    assert found["reasons"] == {"near_duplicate": 1}
    key = layout.curated_key(campaign.name, "single_en", "sa_000000", "duplicates.parquet")
    (row,) = records.read_table(campaign.store, key).to_pylist()
    assert (row["winner"], row["kind"]) == ("single_en/sa_000000/1", "near")
    assert 0.7 <= row["jaccard"] < 1
