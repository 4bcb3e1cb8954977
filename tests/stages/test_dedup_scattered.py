"""Dedup as tasks: what is stored is the same as when one process does it."""

import random

import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import DamagedObjectError, PermanentError
from sa1b_captions.quality.duplicates import scattered
from sa1b_captions.quality.duplicates.buckets import BUCKET_ROWS
from sa1b_captions.quality.duplicates.scattered import Cut
from sa1b_captions.receipts.receipt_files import (
    curate_place,
    dedup_place,
    read_receipt,
    write_receipt,
)
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.near_copies import captions_of, vary
from tests.support.tasks_here import TasksHere

TRACK = "single_en"
OF_THE_RUN = {"run_id", "id", "written_at", "cpu_s", "stored"}
"""What two runs may say differently."""


def campaign_of(root, texts, shards):
    """A curated campaign whose captions are dealt out to shards."""
    source = builders.demo_recipe().source
    quality = source["quality"] | {"near_duplicate_jaccard": 0.7}
    recipe = parse_recipe(source | {"quality": quality, "shards": f"0-{shards - 1}"}, where="tests")
    campaign = Campaign("test", FileStore(root), recipe)
    for number, shard in enumerate(recipe.shards):
        tables = [
            builders.caption_rows(recipe, TRACK, shard, [text], place)
            for place, text in enumerate(texts)
            if place % shards == number
        ]
        builders.put_captions(campaign, shard, TRACK, pa.concat_tables(tables))
        curate_shard(campaign, shard, tracks=[TRACK])
    return campaign


def stored(campaign, tasks=None):
    """What dedup stores: the bytes of its table, and all that its receipt says of it."""
    dedup_track(campaign, TRACK, force=True, tasks=tasks)
    data = campaign.store.read(layout.duplicates_key(campaign.name, TRACK))
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, TRACK))
    facts = {name: getattr(receipt, name) for name in receipt.__dataclass_fields__}
    return data, {name: fact for name, fact in facts.items() if name not in OF_THE_RUN}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Families of copies, a template that fills buckets, repeats, and captions without a word."""
    rng = random.Random(4)
    template = [f"same{place}" for place in range(60)]
    texts = captions_of(4, 900)
    texts += [" ".join(vary(rng, template, 2)) for _ in range(3 * BUCKET_ROWS)]
    texts += ["。。。", "...", " "]
    rng.shuffle(texts)
    return campaign_of(tmp_path_factory.mktemp("store"), texts, 7)


@pytest.mark.parametrize("cut", [Cut(100, 3, 2, 5), Cut(300, 1, 1, 1), Cut(10_000, 2, 4, 3), None])
def test_what_is_stored_is_the_same_into_however_many_tasks_it_is_cut(campaign, cut, monkeypatch):
    expected = stored(campaign)
    assert expected[1]["near_duplicates"] > 100
    assert expected[1]["large_buckets"] > 0
    assert expected[1]["candidate_pairs"] > expected[1]["confirmed_pairs"]
    tasks, real = TasksHere(), Cut.of
    monkeypatch.setattr(scattered.Cut, "of", lambda rows: cut or real(rows))
    assert stored(campaign, lambda: tasks) == expected
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, TRACK))
    assert receipt.cpu_s is None  # it was spent elsewhere
    assert set(tasks.sent) >= {"cut_words", "cut_bands", "meet", "compare_pairs", "read_names"}


@pytest.mark.parametrize(
    "texts", [["a red kettle"], ["", ""], [f"word{n} alone" for n in range(9)]]
)
def test_where_nothing_is_alike_both_say_so(tmp_path, texts):
    campaign = campaign_of(tmp_path, texts, 1)
    expected = stored(campaign)
    assert expected[1]["near_duplicates"] == 0
    assert stored(campaign, TasksHere) == expected


def test_nothing_is_opened_for_a_track_that_is_done(campaign):
    stored(campaign)

    def refuse():
        raise AssertionError("opened")

    dedup_track(campaign, TRACK, tasks=refuse)


def test_signatures_of_other_code_are_refused_by_the_task_that_reads_them(tmp_path):
    campaign = campaign_of(tmp_path, captions_of(1, 9), 2)
    key = layout.curated_key("test", TRACK, "sa_000001", "signatures.parquet")
    table = records.read_table(campaign.store, key)
    place = table.schema.get_field_index("signature_version")
    other = pa.array(["0-other"] * table.num_rows, pa.string())
    table = table.set_column(place, "signature_version", other)
    written = records.write_table(campaign.store, key, table, records.SIGNATURE_SCHEMA)
    resigned(campaign, "sa_000001", written)
    with pytest.raises(PermanentError, match=r"single_en/sa_000001 is signed by version 0-other"):
        dedup_track(campaign, TRACK, tasks=TasksHere)


@pytest.mark.parametrize("tasks", [None, TasksHere])
def test_signatures_that_are_too_few_are_named_as_damaged(tmp_path, tasks):
    campaign = campaign_of(tmp_path, captions_of(1, 9), 2)
    key = layout.curated_key("test", TRACK, "sa_000000", "signatures.parquet")
    table = records.read_table(campaign.store, key).slice(1)
    written = records.write_table(campaign.store, key, table, records.SIGNATURE_SCHEMA)
    resigned(campaign, "sa_000000", written)
    with pytest.raises(DamagedObjectError, match=r"signatures.parquet is damaged: it has \d rows"):
        dedup_track(campaign, TRACK, tasks=tasks)


def resigned(campaign, shard, digest):
    """Let the curate receipt vouch for other signatures."""
    place = curate_place("test", TRACK, shard)
    receipt = read_receipt(campaign.store, place)
    receipt.files["signatures.parquet"] = digest
    write_receipt(campaign.store, place, receipt)
