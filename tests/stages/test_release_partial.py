"""Releases without some shards or some tracks. Imports Great Expectations: some seconds, once."""

from dataclasses import replace

import pyarrow as pa
import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.release_freshness import read_stale, select
from sa1b_captions.receipts import receipt_files
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.release.verify import verify_release
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts, releases

TEXTS = {
    "en": "A red kettle stands on a wooden table beside a white cup. " * 5,
    "zh": "一只红色的水壶放在木桌上，旁边有一只白色的杯子。" * 4,
}


def captions(campaign, track, number, rows=2):
    text = TEXTS[campaign.recipe.tracks[track].language].strip()
    texts = [f"{number} {row} {text}" for row in range(rows)]
    shard = campaign.recipe.shards[number]
    return builders.caption_rows(campaign.recipe, track, shard, texts, 1 + number * 100)


def put(campaign, number, tracks=TRACKS, rows=2):
    """Caption, curate and validate a shard."""
    shard = campaign.recipe.shards[number]
    for track in tracks:
        builders.put_captions(campaign, shard, track, captions(campaign, track, number, rows))
    curate_shard(campaign, shard, tracks=tracks)
    receipts.put_shard_validation(campaign, shard)


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path), builders.demo_recipe(shards="0-2"))


def release(campaign, tracks=TRACKS, allow_partial=True):
    """What the three commands do, each choosing for itself."""

    def chosen():
        return select(campaign, tracks, allow_partial=allow_partial)

    for track in chosen().tracks:
        dedup_track(chosen(), track)
    verdict = validate_release(chosen())
    assert verdict["verdict"] != "fail", verdict
    return export_release(chosen(), None, allow_verdicts=("pass", "warn"))


def test_one_missing_and_one_failed_shard_do_not_hold_a_release_back(campaign):
    put(campaign, 0)
    put(campaign, 1)
    receipts.put_shard_validation(campaign, "sa_000001", "fail")
    result = release(campaign)
    assert result["version"] == "v1-partial"
    manifest = read_manifest(campaign.store, "v1-partial")
    assert manifest.shards == ["sa_000000"]
    assert manifest.missing_shards == ["sa_000001", "sa_000002"]
    assert manifest.title.endswith("(partial)")
    card = campaign.store.read("releases/v1-partial/README.md").decode()
    assert "(partial)" in card.split("---")[1]
    assert "of the recipe's 3 shards it lacks 2, sa_000001-sa_000002." in card
    assert "缺少 2 个分片（sa_000001-sa_000002）" in card
    assert verify_release(campaign.store, "v1-partial") == []
    lines = releases.read_lines(campaign.store, "test_single_en.jsonl", "v1-partial")
    assert {line["image"].split("/")[0] for line in lines} == {"sa_000000"}


def test_the_card_says_what_the_stages_took_beside_the_model(campaign):
    store = campaign.store
    for number in range(3):
        put(campaign, number)
    curated = [
        receipt_files.curate_place(campaign.name, track, shard)
        for track in TRACKS
        for shard in campaign.recipe.shards
    ]
    for place in curated:
        receipt = receipt_files.require_receipt(store, place)
        assert 0 <= receipt.cpu_s < 600
        receipt_files.write_receipt(store, place, replace(receipt, cpu_s=receipt.cpu_s + 600))
    for shard in campaign.recipe.shards:
        receipts.put_shard_validation(campaign, shard)
    release(campaign, allow_partial=False)
    places = {
        "curate": curated,
        "validate": [receipt_files.release_validation_place(campaign.name)],
        "dedup": [receipt_files.dedup_place(campaign.name, track) for track in TRACKS],
    }
    minutes = {
        stage: sum(receipt_files.require_receipt(store, one).cpu_s for one in some) / 60
        for stage, some in places.items()
    }
    assert minutes["curate"] >= 120
    card = store.read("releases/v1/README.md").decode()
    assert (
        f"- Beside the model it took {sum(minutes.values()):,.0f} CPU minutes: curate "
        f"{minutes['curate']:,.0f}, validate {minutes['validate']:.1f}, dedup "
        f"{minutes['dedup']:.1f}; 6 of 23 receipts do not say what theirs took.\n"
    ) in card  # the shards' validations here are made up, and nothing was ingested


def stale(campaign):
    return [str(one) for one in read_stale(campaign)]


def test_a_partial_release_is_not_stale_for_the_shards_that_it_names_as_missing(campaign):
    put(campaign, 0)
    put(campaign, 1, tracks=["single_en"])
    release(campaign)
    assert stale(campaign) == []
    put(campaign, 1)
    (why,) = stale(campaign)
    assert why.startswith(
        "results of the validation of the release are stale: it is of 1 shard, and 2 can be"
    )
    release(campaign)
    assert stale(campaign) == []
    receipts.put_shard_validation(campaign, "sa_000000")
    assert "shards were validated again since it was made" in stale(campaign)[0]


def test_a_release_of_some_tracks_is_not_stale_for_the_others(campaign):
    for number in range(3):
        put(campaign, number, tracks=["multi_zh"])
    release(campaign, ["multi_zh"], allow_partial=False)
    assert stale(campaign) == []
    put(campaign, 1, tracks=["multi_zh"], rows=3)
    assert [one.partition(" are")[0] for one in stale(campaign)] == [
        "results of the dedup of multi_zh",
        "results of the validation of the release",
    ]


def test_each_command_says_the_one_reason_why_it_cannot_go_on(campaign):
    put(campaign, 0)
    put(campaign, 1)
    release(campaign)
    why = "single_en: the dedup is stale: it compared shards 0-1, and 0 are to be released; run"
    receipts.put_shard_validation(campaign, "sa_000001", "fail")
    with pytest.raises(PermanentError, match=why):
        validate_release(select(campaign, allow_partial=True))
    put(campaign, 2, tracks=["single_en"])
    builders.put_captions(campaign, "sa_000001", "single_zh", captions(campaign, "single_zh", 1))
    for track, reason, stale in (
        ("single_zh", "1: the track was captioned again since; 2: not captioned yet", "1-2"),
        ("multi_en", "2: not captioned yet", "2"),
    ):
        why = (
            rf"{track}: . of 3 .* \({reason}\); run sa1b-captions caption --tracks {track} "
            rf"--shards 2, then sa1b-captions curate --tracks {track} --shards {stale}, or leave"
        )
        with pytest.raises(PermanentError, match=why):
            dedup_track(campaign, track)


def test_when_the_missing_shards_come_in_the_next_release_is_whole(campaign):
    put(campaign, 0)
    put(campaign, 1)
    release(campaign)
    assert release(campaign)["up_to_date"]
    put(campaign, 2)
    whole = release(campaign)
    assert whole["version"] == "v1"
    assert read_manifest(campaign.store, "v1").missing_shards == []
    assert "partial" not in campaign.store.read("releases/v1/README.md").decode().split("##")[0]
    assert release(campaign, allow_partial=False)["up_to_date"]


def test_without_being_allowed_a_release_waits_and_says_how_to_go_on(campaign):
    put(campaign, 0)
    with pytest.raises(PermanentError, match="each with --allow-partial"):
        dedup_track(select(campaign), "single_en")


def test_a_partial_release_is_not_held_to_the_target_of_the_whole(tmp_path):
    source = builders.demo_recipe(shards="0-2").source
    source["tracks"]["single_en"]["target"] = 6
    recipe = builders.demo_recipe(shards="0-2", tracks=source["tracks"])
    campaign = builders.demo_campaign(FileStore(tmp_path), recipe)
    for number in (0, 1):
        put(campaign, number)
    assert release(campaign)["rows"]["test_single_en.jsonl"] == 4
    put(campaign, 2)
    assert select(campaign, allow_partial=True).recipe.tracks["single_en"].target == 6


def test_a_release_of_some_tracks_needs_nothing_of_the_others(campaign):
    for number in range(3):
        put(campaign, number, ["single_en", "multi_zh"])
    result = release(campaign, ["multi_zh", "single_en"], allow_partial=False)
    assert result["version"] == "v1"
    assert list(result["rows"]) == ["test_single_en.jsonl", "test_multi_zh.jsonl"]
    card = campaign.store.read("releases/v1/README.md").decode()
    assert "The recipe's single_zh, multi_en are not in this release." in card
    assert "config_name: single_zh" not in card
    assert verify_release(campaign.store, "v1") == []


def test_a_shard_without_a_caption_left_is_released_with_the_others(local):
    campaign = releases.ready_campaign(local)
    releases.put_curated(campaign, "single_en", "sa_000000", [], [("A", ["too_short"])])
    releases.put_duplicates(campaign, "single_en", {})
    export_release(campaign, "v1")
    lines = releases.read_lines(local, "test_single_en.jsonl")
    assert [line["id"] for line in lines] == [0, 1, 2]
    assert verify_release(local, "v1") == []


def test_a_track_without_a_caption_left_does_not_hold_the_others_back(local):
    campaign = releases.ready_campaign(local)
    for shard in campaign.recipe.shards:
        releases.put_curated(campaign, "multi_zh", shard, [], [("短", ["too_short"])])
    releases.put_duplicates(campaign, "multi_zh", {})
    others = "single_en,single_zh,multi_en"
    with pytest.raises(PermanentError, match=f"each with --tracks {others}"):
        export_release(campaign, "v1")


def test_a_track_whose_shards_all_failed_is_left_out_by_its_name(campaign):
    """Validated for real: a shard fails in the track without a caption, and in no other."""
    for number, shard in enumerate(campaign.recipe.shards):
        for track in TRACKS:
            rows = captions(campaign, track, number)
            if track == "multi_zh":
                place = rows.schema.get_field_index("caption")
                rows = rows.set_column(place, "caption", pa.array(["短"] * len(rows)))
            builders.put_captions(campaign, shard, track, rows)
        curate_shard(campaign, shard)
    verdicts = validate_shards(campaign, campaign.recipe.shards)["verdicts"]
    assert set(verdicts.values()) == {"fail"}
    with pytest.raises(PermanentError, match="no shard is curated and validated"):
        select(campaign, allow_partial=True)
    others = TRACKS[:3]
    assert list(release(campaign, others, allow_partial=False)["rows"]) == [
        f"test_{track}.jsonl" for track in others
    ]


def test_nothing_to_release_is_told(campaign):
    with pytest.raises(PermanentError, match="no shard is curated and validated in all of"):
        select(campaign, allow_partial=True)


@pytest.mark.parametrize(
    ("verdict", "remedy"),
    [
        ("warn", "export with --allow-warnings"),
        ("fail", "no option exports what failed.*a bad track with --tracks"),
    ],
)
def test_the_remedy_for_a_verdict_is_one_that_helps(local, verdict, remedy):
    campaign = releases.ready_campaign(local)
    releases.put_validation(campaign, verdict)
    with pytest.raises(PermanentError, match=remedy) as told:
        export_release(campaign, "v1")
    assert ("--allow-warnings" in str(told.value)) is (verdict == "warn")
