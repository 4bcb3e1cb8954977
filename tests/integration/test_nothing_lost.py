"""Curate, validate, dedup and export, cut off at any call to the store and run again.

With changed rules or new captions between, they end as if nothing had happened; no sample is lost.
"""

import dataclasses
import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.campaign import open_campaign
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts.receipt_files import caption_place, curate_place, read_receipt
from sa1b_captions.recipe import TRACKS, parse_recipe
from sa1b_captions.release.manifest import latest_version, read_manifest
from sa1b_captions.release.verify import verify_release
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.faulty_store import Fault, FaultyStore, faults, survived

SHARDS = ["sa_000000", "sa_000001"]
TEXTS = {
    "en": "Number {} stands on a white sign beside the road to the harbour, where three boats with "
    "red sails lie at a wooden pier. Behind them, low green hills rise into a cloudy sky.",
    "zh": "路边的白色牌子上写着数字{}。这条路通向港口，"
    "三艘红帆船停在木码头旁。远处是绿色的矮山，天空多云。",
}
BRIEF = {
    "en": "Sign {} stands beside the road to a harbour.",
    "zh": "路边有一块牌子，写着数字{}。",
}
RULES = {"lax": {"en": 20, "zh": 8}, "strict": {"en": 60, "zh": 30}}
"""Least characters by language: the strict rules reject the brief captions, too."""
ANY = ("pass", "warn", "fail")
MOST_CALLS = 700


def put_captions(campaign, opening="", generation=FIRST):
    """What captioning leaves: a failed, a repeated, a brief and an idle one among fit ones."""
    for number, shard in enumerate(SHARDS):
        for track in TRACKS:
            language = campaign.recipe.tracks[track].language
            texts = [opening + TEXTS[language].format(100 * number + n) for n in range(4)]
            texts += [opening + TEXTS[language].format("7"), BRIEF[language].format(number), "Sign"]
            table = builders.caption_rows(campaign.recipe, track, shard, texts, 1 + number * 100)
            rows = table.to_pylist()
            rows[1] |= {"caption": "", "status": "error", "error": "timeout"}
            table = pa.Table.from_pylist(rows, schema=records.CAPTION_SCHEMA)
            builders.put_captions(campaign, shard, track, table, generation)


def recipe(rules):
    source = json.loads(json.dumps(builders.demo_recipe().source))
    for language, least in RULES[rules].items():
        source["quality"]["language"][language]["min_chars"] = least
    return parse_recipe(source, where="tests")


def run_stages(campaign):
    for shard in SHARDS:
        curate_shard(campaign, shard)
    for track in TRACKS:
        dedup_track(campaign, track)
    validate_shards(campaign, SHARDS)
    validate_release(campaign)
    export_release(campaign, None, allow_verdicts=ANY)


def outcome(campaign):
    """What a consumer and an auditor see: rows, verdict, files; without times."""
    version = latest_version(campaign.store)
    assert verify_release(campaign.store, version) == []
    files = {
        f.name: f.sha256
        for f in read_manifest(campaign.store, version).files
        if f.name.endswith((".jsonl", ".parquet"))
    }
    return {track: rows_by_fate(campaign, track) for track in TRACKS}, files


def rows_by_fate(campaign, track):
    """Where each planned sample ended: its reasons, `duplicate`, or nothing if it is released."""
    store, fates = campaign.store, {}
    for shard in SHARDS:
        captions = read_receipt(store, caption_place(campaign.name, track, shard))
        place = (campaign.name, track, shard, captions.generation)
        planned = []
        for block in range(captions.blocks):
            part = records.read_table(store, layout.part_key(*place, block))
            planned += part.column("sample_id").to_pylist()
        split = [
            row
            for name in ("accepted.parquet", "rejected.parquet")
            for row in records.read_table(
                store, layout.curated_key(campaign.name, track, shard, name)
            ).to_pylist()
        ]
        assert sorted(row["sample_id"] for row in split) == sorted(planned)
        fates |= {row["sample_id"]: tuple(row["reasons"]) for row in split}
    for row in records.read_table(store, layout.duplicates_key(campaign.name, track)).to_pylist():
        assert fates[row["sample_id"]] == ()
        fates[row["sample_id"]] = ("duplicate",)
    return fates


def ready_campaign(folder, rules="lax", opening=""):
    campaign = builders.demo_campaign(FileStore(folder), recipe(rules))
    put_captions(campaign, opening)
    return campaign


CHANGES = {
    "nothing": ("lax", "", FIRST),
    "rules": ("strict", "", FIRST),
    "captions": ("lax", "See: ", FIRST),
    "generation": ("lax", "See: ", "0002-again"),
}
"""Rules, how captions begin, and the generation they are in."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """What untroubled runs leave, by what was changed before."""
    found = {}
    for change, (rules, opening, _) in CHANGES.items():
        campaign = ready_campaign(tmp_path_factory.mktemp("calm"), rules, opening)
        run_stages(campaign)
        found[change] = outcome(campaign)
    return found


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    found=st.lists(faults(MOST_CALLS), min_size=1, max_size=2), change=st.sampled_from([*CHANGES])
)
def test_whatever_cuts_a_run_off_the_next_one_ends_as_if_nothing_had_happened(
    tmp_path_factory, calm, found, change
):
    campaign = ready_campaign(tmp_path_factory.mktemp("store"))
    for fault in found:
        with survived():
            run_stages(dataclasses.replace(campaign, store=FaultyStore(campaign.store, fault)))
    rules, opening, generation = CHANGES[change]
    if opening:
        put_captions(campaign, opening, generation)
    captions = [
        key
        for key in campaign.store.list(layout.campaign_prefix(campaign.name))
        if "/captions/" in key
    ]
    before = [campaign.store.read(key) for key in captions]
    campaign = open_campaign(campaign.store, campaign.name, recipe(rules))
    run_stages(campaign)
    assert outcome(campaign) == calm[change]
    # A changed rule judges again what is captioned, and captions nothing.
    assert [campaign.store.read(key) for key in captions] == before


def test_a_stage_that_is_cut_off_never_vouches_for_a_mixture(tmp_path):
    """At every call of a second curate with other rules: a receipt fits the rows beside it."""
    campaign = ready_campaign(tmp_path)
    curate_shard(campaign, SHARDS[0])
    strict = open_campaign(campaign.store, campaign.name, recipe("strict"))
    for call in range(1, 100):
        store = FaultyStore(campaign.store, Fault(call, kills=True, after=call % 2 == 0))
        with survived():
            curate_shard(dataclasses.replace(strict, store=store), SHARDS[0], tracks=["single_en"])
        receipt = read_receipt(campaign.store, curate_place(campaign.name, "single_en", SHARDS[0]))
        if receipt is not None:
            rows = {
                name: records.read_table(
                    campaign.store,
                    layout.curated_key(campaign.name, "single_en", SHARDS[0], f"{name}.parquet"),
                ).num_rows
                for name in ("accepted", "rejected")
            }
            assert rows == {name: getattr(receipt, name) for name in rows}
            assert sum(rows.values()) == receipt.planned
        if store.calls < call:
            break
    assert receipt.quality_fingerprint == strict.quality_fingerprint
    assert call > 5


def test_a_run_calls_the_store_no_more_often_than_the_faults_reach(tmp_path):
    campaign = ready_campaign(tmp_path)
    store = FaultyStore(campaign.store, Fault(10**9, kills=True, after=False))
    run_stages(dataclasses.replace(campaign, store=store))
    assert MOST_CALLS * 0.8 < store.calls <= MOST_CALLS


def test_the_captions_of_these_tests_meet_every_fate(calm):
    fates = {fate[:1] for fate in calm["nothing"][0]["single_en"].values()}
    assert fates == {(), ("duplicate",), ("error",), ("too_short",)}
    assert calm["rules"] != calm["nothing"] != calm["captions"]
