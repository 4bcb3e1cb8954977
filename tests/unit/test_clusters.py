import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.duplicates import buckets, clusters, in_memory
from sa1b_captions.quality.duplicates import signatures as dedup
from tests.support import near_copies
from tests.support.near_copies import captions_of, clustered, index_of, vary
from tests.support.shingles import jaccard


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


def test_a_bucket_past_its_limit_is_counted_and_its_copies_still_found():
    rng = random.Random(3)
    words = [f"w{place}" for place in range(140)]
    texts = [" ".join(vary(rng, words, 1)) for _ in range(3 * buckets.BUCKET_ROWS)]
    found = clusters.find_clusters(near_copies.in_memory(texts), 0.7)
    assert set(found.winners.tolist()) == {0}
    assert len(found.losers) == len(texts) - 1
    assert found.large_buckets > 0


def test_more_captions_than_have_numbers_are_refused_before_anything_is_read():
    search = in_memory.InMemory(np.empty((0, 2), np.uint64), [], lambda rows: rows)
    search.rows = 2**31
    with pytest.raises(PermanentError, match=r"2,147,483,648 captions of one track are more than"):
        clusters.find_clusters(search, 0.7)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), rows=st.integers(1, 3000))
def test_no_row_that_shares_its_hash_is_passed_over_and_few_others_are_kept(data, rows):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    hashes = rng.integers(0, 2**64, rows, dtype=np.uint64)
    copies = rng.integers(0, rows, (2, data.draw(st.integers(0, rows))))
    hashes[copies[0]] = hashes[copies[1]]
    _, places, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    sharing = np.flatnonzero(counts[places] > 1)
    kept = buckets.repeated(hashes)
    assert (np.diff(kept) > 0).all()
    assert np.isin(sharing, kept).all()
    assert len(kept) - len(sharing) <= 0.1 * rows + 10


def test_pairs_are_the_same_however_often_they_are_united(monkeypatch):
    rng = random.Random(5)
    families = [[f"w{rng.randrange(5000)}" for _ in range(60)] for _ in range(8)]
    index = index_of([" ".join(vary(rng, words, 1)) for words in families for _ in range(5)])
    eligible = np.ones(len(index.words), np.bool_)
    at_the_end, _ = in_memory.candidates(list(index.bands), eligible)
    monkeypatch.setattr(in_memory, "PAIRS_PENDING", 10)
    now_and_then, _ = in_memory.candidates(list(index.bands), eligible)
    assert len(at_the_end) > len(families)
    assert (np.diff(at_the_end) > 0).all()
    assert now_and_then.tolist() == at_the_end.tolist()


def test_clusters_are_the_same_however_few_pairs_are_compared_at_once(monkeypatch):
    firsts, seconds = planted(2, pairs=20)
    texts = [" ".join(words) for words in firsts + seconds]
    at_once = clustered(texts)
    monkeypatch.setattr(in_memory, "PAIRS_AT_ONCE", 3)
    assert len(at_once) == len(firsts)
    assert clustered(texts) == at_once


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
