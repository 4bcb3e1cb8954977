import dataclasses
import json

import pyarrow as pa
import pytest
import xxhash

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts.receipt_files import curate_place, read_receipt
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders

SHARD = "sa_000000"
TEXT = "A red kettle stands on a wooden table beside a white cup. " * 5


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def captioned(campaign, captions, changes=None, track="single_en"):
    """Store captions, some rows changed: {row: {column: value}}."""
    rows = builders.caption_rows(campaign.recipe, track, SHARD, captions).to_pylist()
    for row, values in (changes or {}).items():
        rows[row] |= values
    table = pa.Table.from_pylist(rows, schema=records.CAPTION_SCHEMA)
    builders.put_captions(campaign, SHARD, track, table)


def curate(campaign, **options):
    return curate_shard(campaign, SHARD, tracks=["single_en"], **options)["tracks"]["single_en"]


def read(campaign, name):
    return records.read_table(
        campaign.store, layout.curated_key(campaign.name, "single_en", SHARD, name)
    )


def receipt(campaign):
    return read_receipt(campaign.store, curate_place(campaign.name, "single_en", SHARD))


def test_every_planned_row_is_accepted_or_rejected_with_reasons(campaign):
    undecodable = {"caption": "", "status": "undecodable", "error": "cut short"}
    captioned(
        campaign,
        [TEXT, "too short", TEXT + "It is day.", "", TEXT.upper(), TEXT + "<image>\n"],
        {3: undecodable},
    )
    assert curate(campaign) == {
        "planned": 6,
        "accepted": 2,
        "rejected": 4,
        "reasons": {
            "exact_duplicate": 1,
            "line_break": 1,
            "special_token": 1,
            "too_short": 1,
            "undecodable": 1,
        },
    }
    accepted, rejected = read(campaign, "accepted.parquet"), read(campaign, "rejected.parquet")
    assert accepted.schema.names == rejected.schema.names == records.CURATED_SCHEMA.names
    assert [row["image_ids"] for row in accepted.to_pylist()] == [[1], [3]]
    assert {row["image_ids"][0]: row["reasons"] for row in rejected.to_pylist()} == {
        2: ["too_short"],
        4: ["undecodable"],
        5: ["exact_duplicate"],
        6: ["line_break", "special_token"],
    }
    assert rejected.column("error").to_pylist()[1] == "cut short"
    assert read(campaign, "signatures.parquet").column("sample_id").to_pylist() == [
        "single_en/sa_000000/1",
        "single_en/sa_000000/3",
    ]


def test_a_rejected_caption_does_not_take_its_copies_along(campaign):
    """The lowest id wins among fit captions only: a line break must not win over its fit copy."""
    captioned(campaign, [TEXT.replace(". A", ".\nA"), TEXT, TEXT])
    assert curate(campaign)["reasons"] == {"exact_duplicate": 1, "line_break": 1}
    assert read(campaign, "accepted.parquet").column("image_ids").to_pylist() == [[2]]


def test_features_describe_captions_without_their_text(campaign):
    captioned(campaign, [TEXT, "short", "", TEXT], {2: {"status": "error"}, 3: {"model": "other"}})
    curate(campaign)
    features = read(campaign, "features.parquet")
    assert features.schema == records.FEATURE_SCHEMA
    columns = ("status", "rejected", "reasons", "caption_chars", "of_recipe_model")
    assert [tuple(row[name] for name in columns) for row in features.to_pylist()] == [
        ("ok", 0, 0, len(TEXT), 1),
        ("ok", 1, 1, 5, 1),
        ("error", 1, 1, 0, 1),
        ("ok", 1, 1, len(TEXT), 0),
    ]
    assert not any(TEXT in str(column.to_pylist()) for column in features.columns)


def test_metrics_count_lengths_and_origins(campaign):
    captioned(campaign, [TEXT, "x" * 39, "", TEXT + "y" * 30], {2: {"status": "error"}})
    curate(campaign)
    metrics = json.loads(
        campaign.store.read(layout.curated_key(campaign.name, "single_en", SHARD, "metrics.json"))
    )
    assert metrics["lengths"] == {
        "bin_chars": 20,
        "accepted": [[280, 1], [320, 1]],
        "rejected": [[20, 1]],
    }
    assert metrics["percentiles"]["caption_chars"]["p1"] == len(TEXT)
    assert metrics["origins"] == [
        {"engine": "preview", "model": "preview", "model_revision": "1", "rows": 4}
    ]
    assert (metrics["planned"], metrics["retried"]) == (4, 0)


def test_a_track_without_samples_is_curated_to_nothing(campaign):
    captioned(campaign, [])
    assert curate(campaign) == {"planned": 0, "accepted": 0, "rejected": 0, "reasons": {}}


def test_a_curated_track_is_skipped_until_captions_or_rules_change(campaign):
    captioned(campaign, [TEXT])
    curate(campaign, run_id="first")
    curate(campaign, run_id="second")
    assert receipt(campaign).run_id == "first"
    curate(campaign, run_id="forced", force=True)
    assert receipt(campaign).run_id == "forced"
    captioned(campaign, [TEXT, TEXT + "It is day."])
    curate(campaign, run_id="again")
    assert (receipt(campaign).run_id, receipt(campaign).planned) == ("again", 2)

    stricter = builders.demo_recipe()
    limits = dataclasses.replace(stricter.quality.languages["en"], min_chars=1000)
    quality = dataclasses.replace(stricter.quality, languages={"en": limits, "zh": limits})
    recipe = dataclasses.replace(stricter, quality=quality)
    assert recipe.fingerprint == campaign.recipe.fingerprint
    found = curate(Campaign("test", campaign.store, recipe))
    assert found["reasons"] == {"too_short": 2}


class KilledStore(FileStore):
    """A store that dies before its nth write."""

    def __init__(self, root, writes):
        super().__init__(root)
        self.left = writes

    def open_writer(self, key):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().open_writer(key)


def test_killed_anywhere_it_leaves_no_receipt_and_the_next_run_completes(campaign, tmp_path):
    captioned(campaign, [TEXT, "short"])
    curate(campaign)
    for writes in range(6):
        killed = Campaign("test", KilledStore(tmp_path, writes), campaign.recipe)
        with pytest.raises(KeyboardInterrupt):
            curate(killed, force=True)
        assert receipt(campaign) is None
    assert curate(campaign)["accepted"] == 1
    assert receipt(campaign).rejected == 1


def test_a_shard_that_is_not_captioned_says_what_to_run(campaign):
    with pytest.raises(
        PermanentError, match="captioning of single_en/sa_000000.*run sa1b-captions"
    ):
        curate(campaign)


def damage_part(campaign, change):
    key = layout.part_key(campaign.name, "single_en", SHARD, FIRST, 0)
    table = change(records.read_table(campaign.store, key).to_pylist())
    records.write_table(
        campaign.store,
        key,
        pa.Table.from_pylist(table, schema=records.CAPTION_SCHEMA),
        records.CAPTION_SCHEMA,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], "5 captions stored, 6 planned"),
        (lambda rows: [rows[0], *rows[:-1]], "stored twice"),
        (lambda rows: [rows[0] | {"status": "fine"}, *rows[1:]], "no such status"),
        (
            lambda rows: [rows[0] | {"recipe_fingerprint": "other"}, *rows[1:]],
            "captions of two recipes never mix",
        ),
    ],
)
def test_captions_that_are_not_what_their_receipt_says_are_refused(campaign, change, message):
    captioned(campaign, [TEXT + str(number) for number in range(6)])
    damage_part(campaign, change)
    with pytest.raises(PermanentError, match=message):
        curate(campaign)
    assert receipt(campaign) is None


def test_a_missing_block_is_named(campaign):
    captioned(campaign, [TEXT + str(number) for number in range(6)])
    campaign.store.delete(layout.part_key(campaign.name, "single_en", SHARD, FIRST, 1))
    with pytest.raises(PermanentError, match="counts 2 blocks.*part-00001"):
        curate(campaign)


def test_captions_of_another_recipe_are_refused(campaign):
    captioned(campaign, [TEXT])
    other = Campaign("test", campaign.store, builders.demo_recipe(seed=1))
    with pytest.raises(PermanentError, match="never mix"):
        curate(other)


def test_tracks_are_curated_apart_in_their_own_language(campaign):
    for track in ("single_en", "single_zh"):
        captioned(campaign, ["红色的水壶放在木桌上。" * 8], track=track)
    found = curate_shard(campaign, SHARD, tracks=["single_zh", "single_en"])["tracks"]
    assert {track: counts["reasons"] for track, counts in found.items()} == {
        "single_en": {"too_short": 1},
        "single_zh": {},
    }


def test_captions_whose_receipt_names_no_images_are_told_from_others_by_their_rows(campaign):
    """As those of version 0.1.0, of an archive that was ingested again since."""
    ids = (1, 2, 3)
    hashes = [xxhash.xxh3_64_intdigest(builders.make_jpeg(n)) for n in ids]
    signed = [one - 2**64 if one >= 2**63 else one for one in hashes]
    captioned(campaign, [TEXT] * 3, {row: {"image_xxh3s": [signed[row]]} for row in range(3)})
    builders.put_shard(campaign.store, SHARD, {n: builders.make_jpeg(n) for n in ids})
    assert curate(campaign)["planned"] == 3
    builders.put_shard(
        campaign.store, SHARD, {n: builders.make_jpeg(n + 9 * (n == 2)) for n in ids}
    )
    message = "single_en/sa_000000/2 is of another image .* --force, then curate it"
    with pytest.raises(PermanentError, match=message):
        curate(campaign, force=True)
    campaign.store.delete(layout.index_key(SHARD))
    assert curate(campaign, force=True)["planned"] == 3
