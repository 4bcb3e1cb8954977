import os
import random
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from sa1b_captions import records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality import clusters, dedup, minhash, wording
from sa1b_captions.quality.kernels import compiled
from sa1b_captions.recipe import load_recipe, parse_recipe
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore

WIDTH = minhash.kernel.SHINGLE_UNITS


def arrow(texts):
    return pa.array(texts, pa.large_string())


def shingles(units):
    if not units:
        return set()
    width = min(WIDTH, len(units))
    return {tuple(units[place : place + width]) for place in range(len(units) - width + 1)}


def likeness(first, second):
    a, b = shingles(first), shingles(second)
    return len(a & b) / len(a | b) if a | b else 0.0


def compare(first, second):
    (found,) = minhash.jaccard(arrow([first, second]), np.array([0]), np.array([1]))
    return found


def test_a_signature_never_changes():
    """Signatures are stored: whoever changes these values must change SIGNATURE_VERSION."""
    assert minhash.SIGNATURE_VERSION == "1-20x5-5-b37f8a48"
    bands = minhash.sign(arrow(["a red kettle on a table", "木桌上的红色水壶"]))
    assert [f"{value:016x}" for value in bands[:, [0, 19]].ravel()] == [
        "41a300c3b4bc6c4b",
        "ded44f8b42265eb3",
        "4d5933bd2ec98a1e",
        "c289274bd7be4975",
    ]


@settings(max_examples=40, deadline=None)
@given(
    first=st.lists(st.sampled_from(["a", "b", "cat", "é", "两", "3"]), max_size=14),
    second=st.lists(st.sampled_from(["a", "b", "cat", "é", "两", "3"]), max_size=14),
)
def test_jaccard_is_that_of_the_shingle_sets(first, second):
    found = compare(" ".join(first), " ".join(second))
    assert found == pytest.approx(likeness(first, second))


def test_chinese_is_compared_by_characters_and_mixed_script_by_both():
    first, second = "红色的水壶放在木桌上 旁边有杯子", "红色的水壶放在木桌上 旁边有瓶子"
    plain = [text.replace(" ", "") for text in (first, second)]
    assert compare(first, second) == pytest.approx(likeness(*plain))
    assert compare("写着open的牌子hotel", "写着 open 的 牌子 hotel") == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "一",
        "🙂",
        "🙂 🙃 👩‍👩‍👧",
        "x" * 200_000,
        "word " * 70_000,
        "a\u0301 é ß ﬀ",
        "\x00",
    ],
)
def test_any_text_can_be_signed_and_is_like_itself_only(text):
    texts = wording.normalised(pa.array([text, "a plain caption of six words", None]))
    bands = minhash.sign(texts)
    assert (bands[0] == 0).all() == (texts[0].as_py() == "")
    assert (bands[2] == 0).all()
    assert compare(texts[0].as_py(), texts[0].as_py()) == (1.0 if texts[0].as_py() else 0.0)
    assert compare(texts[0].as_py(), texts[1].as_py()) == 0.0


def test_a_text_past_65536_words_is_compared_whole():
    words = [str(number) for number in range(140_000)]
    half = words[:70_000]
    assert compare(" ".join(words), " ".join(half)) == pytest.approx(likeness(words, half))


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
        if likeness(*pair) >= 0.7
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
        key = campaign.curated("single_en", shard, "accepted.parquet")
        kept |= {ids[0] for ids in records.read_table(campaign.store, key)["image_ids"].to_pylist()}
    dedup_track(campaign, "single_en")
    found = records.read_table(campaign.store, campaign.duplicates("single_en"))
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
    key = campaign.curated("single_en", "sa_000000", "duplicates.parquet")
    (row,) = records.read_table(campaign.store, key).to_pylist()
    assert (row["winner"], row["kind"]) == ("single_en/sa_000000/1", "near")
    assert 0.7 <= row["jaccard"] < 1


def test_signatures_of_another_version_are_refused():
    rows = pa.table({"sample_id": ["a"], "image_ids": [[1]], "caption": ["a red kettle"]})
    table = dedup.signature_table(rows, 0).set_column(4, "signature_version", pa.array(["0"]))
    with pytest.raises(PermanentError, match="signed by version 0.*run sa1b-captions curate"):
        dedup.Signatures(1).add(table, "single_en/sa_000000")


def test_a_limit_out_of_range_is_refused():
    source = load_recipe("internvl").source
    quality = source["quality"] | {"near_duplicate_jaccard": 0}
    with pytest.raises(PermanentError, match="near_duplicate_jaccard"):
        parse_recipe(source | {"quality": quality}, where="tests")


def test_it_works_where_no_cache_can_be_written(tmp_path):
    """As in a pod with a read-only root: numba then finds no place and would refuse."""
    code = (
        "import numba.core.caching as caching; caching.CacheImpl._locator_classes = [];"
        "from sa1b_captions.quality.kernels import minhash as kernel;"
        "print(kernel.stands_alone.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "stands_alone"), done.stderr


def test_a_loop_that_another_file_uses_is_compiled_again_when_it_changes(tmp_path):
    """Numba's own cache would go on with what was compiled in."""
    shutil.copy(compiled.__file__, tmp_path / "compiled.py")
    head = "from compiled import compiled\n"
    inner, outer = tmp_path / "inner.py", tmp_path / "outer.py"
    outer.write_text(
        f"{head}from inner import number\n@compiled\ndef answer():\n    return number()\n"
    )
    answers = []
    for number in (1, 2):
        inner.write_text(f"{head}@compiled\ndef number():\n    return {number}\n")
        done = subprocess.run(
            # -B: a .pyc is told from its source by size and second, which both writes here share.
            [sys.executable, "-B", "-c", "import outer; print(outer.answer())"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout.strip())
    assert answers == ["1", "2"]
    assert list(tmp_path.glob("__pycache__/outer.answer*.nbc"))
