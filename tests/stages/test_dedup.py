import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.duplicates import signatures as dedup
from sa1b_captions.receipts.receipt_files import dedup_place, read_receipt
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.support import builders


def test_a_signature_never_changes():
    """Signatures are stored; another value would compare with nothing that lies there."""
    (signature,) = dedup.sign(pl.Series(["Two cats, one dog."]))
    assert signature.hex() == "e9f2c804d15da8e83984798469d79605"


def signatures(samples):
    """A signature table of (shard number, image ids, text) samples."""
    tables = []
    for number, ids, text in samples:
        rows = pa.table(
            {
                "sample_id": [name(number, ids)],
                "image_ids": pa.array([list(ids)], pa.list_(pa.int64())),
                "caption": [text],
            }
        )
        tables.append(dedup.signature_table(rows, number))
    return pa.concat_tables([records.SIGNATURE_SCHEMA.empty_table(), *tables])


def name(number, ids):
    return f"multi_en/{shard_name(number)}/{'-'.join(map(str, ids))}"


def duplicates(samples, min_jaccard=0.7):
    texts = pa.chunked_array([pa.array([text for *_, text in samples], pa.string())])
    return dedup.find_duplicates(signatures(samples), texts, min_jaccard)


def losers(samples):
    """Loser to winner, as `find_duplicates` says."""
    found = duplicates(samples).to_pylist()
    return {row["sample_id"]: row["winner"] for row in found}


def test_the_lowest_number_wins_not_the_lowest_text():
    found = losers([(10, (9,), "a cat"), (9, (10,), "A cat."), (9, (9,), "a  CAT"), (9, (8,), "b")])
    assert found == {name(9, (10,)): name(9, (9,)), name(10, (9,)): name(9, (9,))}


def test_a_shorter_group_wins_over_a_longer_one_that_begins_alike():
    assert losers([(0, (1, 2), "x"), (0, (1,), "x")]) == {name(0, (1, 2)): name(0, (1,))}


def test_nothing_repeats_in_nothing():
    found = duplicates([])
    assert found.schema == records.DUPLICATE_SCHEMA
    assert found.num_rows == 0


def test_duplicates_come_in_numeric_order():
    samples = [(number, (1,), "same") for number in (10, 2, 9, 1)]
    found = duplicates(samples)
    assert found.column("shard_number").to_pylist() == [2, 9, 10]


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.lists(st.integers(0, 12), min_size=1, max_size=3).map(tuple),
        st.sampled_from(["a cat", "A cat.", "a dog", "b", "B!", "two  cats", "猫", "猫。"]),
    ),
    unique_by=lambda sample: sample[:2],
    max_size=14,
)
WORDS = {"A cat.": "a cat", "B!": "b", "two  cats": "two cats", "猫。": "猫"}


@settings(max_examples=25, deadline=None)
@given(samples=SAMPLES, data=st.data())
def test_the_answer_depends_neither_on_order_nor_on_sharding(samples, data):
    expected = {}
    for number, ids, text in samples:
        equal = [s[:2] for s in samples if WORDS.get(s[2], s[2]) == WORDS.get(text, text)]
        if min(equal) != (number, ids):
            expected[name(number, ids)] = name(*min(equal))
    assert losers(samples) == expected
    assert losers(data.draw(st.permutations(samples))) == expected
    # As the stages do it: within each shard first, then what is left of all shards.
    within = {}
    for number in {sample[0] for sample in samples}:
        within |= losers([sample for sample in samples if sample[0] == number])
    left = [sample for sample in samples if name(*sample[:2]) not in within]
    assert within.keys() | losers(left).keys() == expected.keys()


TEXT = "A red kettle stands on a wooden table beside a white cup. " * 5


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def put_curated(campaign, shard, captions, first_id):
    table = builders.caption_rows(campaign.recipe, "single_en", shard, captions, first_id)
    builders.put_captions(campaign, shard, "single_en", table)
    curate_shard(campaign, shard, tracks=["single_en"])


def test_a_repeat_in_another_shard_is_found_and_the_first_kept(campaign):
    put_curated(campaign, "sa_000001", [TEXT.upper(), TEXT + " Steam rises."], 100)
    put_curated(campaign, "sa_000000", [TEXT, TEXT + " It is day."], 1)
    assert dedup_track(campaign, "single_en", run_id="run")["duplicates"] == 1
    found = records.read_table(campaign.store, layout.duplicates_key(campaign.name, "single_en"))
    assert found.to_pylist() == [
        {
            "sample_id": "single_en/sa_000001/100",
            "shard_number": 1,
            "winner": "single_en/sa_000000/1",
            "kind": "exact",
            "jaccard": 1.0,
        }
    ]
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, "single_en"))
    assert (receipt.rows, receipt.shards, receipt.run_id) == (4, 2, "run")


def test_dedup_waits_for_every_shard_and_names_the_missing_ones(campaign):
    put_curated(campaign, "sa_000000", [TEXT], 1)
    with pytest.raises(PermanentError, match="1 of 2 shards must be curated.*--shards 1"):
        dedup_track(campaign, "single_en")


def test_dedup_is_skipped_until_a_shard_is_curated_again(campaign):
    for number, shard in enumerate(campaign.recipe.shards):
        put_curated(campaign, shard, [TEXT + str(number)], number + 1)
    dedup_track(campaign, "single_en", run_id="first")
    dedup_track(campaign, "single_en", run_id="second")

    def run():
        return read_receipt(campaign.store, dedup_place(campaign.name, "single_en")).run_id

    assert run() == "first"
    put_curated(campaign, "sa_000001", [TEXT + "0"], 2)
    assert dedup_track(campaign, "single_en", run_id="third")["duplicates"] == 1
    assert run() == "third"
    dedup_track(campaign, "single_en", run_id="fourth", force=True)
    assert run() == "fourth"
