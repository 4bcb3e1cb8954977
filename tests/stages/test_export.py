import dataclasses
import io
import json
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.receipts import receipt_files
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.release import guards
from sa1b_captions.release.manifest import (
    TrackTotals,
    read_manifest,
)
from sa1b_captions.release.tracks import json_rows, rows
from sa1b_captions.release.verify import verify_release
from sa1b_captions.release.written import ROWS_PER_GROUP, ParquetTable, open_hashed
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore, open_store_url
from tests.support import builders, receipts, releases

PUBLISHED = {
    "single_en": "internvl_sa1b_caption_6_single_image_en",
    "single_zh": "internvl_sa1b_caption_6_single_image_zh",
    "multi_en": "internvl_sa1b_caption_6_multi_image_en",
    "multi_zh": "internvl_sa1b_caption_6_multi_image_zh",
}
"""What the InternVL recipe calls files of six rows."""
INTERNVL = load_recipe("internvl").tracks
TABLES = ("data", "provenance", "image_hashes", "rejected")
OTHERS = {
    "CITATION.cff",
    "LICENSE.md",
    "README.md",
    "SHA256SUMS",
    "croissant.json",
    "manifest.json",
    "pieces.csv",
    "quality.html",
    "quality.json",
    "recipe.json",
}


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path, monkeypatch):
    if request.param == "file":
        return FileStore(tmp_path / "store")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    endpoint = request.getfixturevalue("s3_url")
    bucket = f"b{abs(hash(request.node.name))}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=bucket)
    return open_store_url(f"s3://{bucket}/some/prefix", endpoint)


def test_a_release_holds_these_files_and_no_others(store):
    result = export_release(releases.ready_campaign(store, releases.internvl_recipe()), "v1")
    assert result == {
        "stage": "export",
        "version": "v1",
        "folder": f"{store.url}/releases/v1",
        "rows": {f"{stem}.jsonl": 6 for stem in PUBLISHED.values()},
        "rejected": {},
        "manifest": "releases/v1/manifest.json",
        "up_to_date": False,
    }
    names = {key.removeprefix("releases/v1/") for key in releases.release_keys(store)}
    tables = {f"{kind}/{track}/train-00000.parquet" for kind in TABLES for track in TRACKS}
    figures = {
        f"figures/{track}_{unit}.svg" for track in TRACKS for unit in ("characters", "tokens")
    }
    jsonl = {f"{stem}.jsonl" for stem in PUBLISHED.values()}
    assert names == tables | jsonl | figures | OTHERS
    assert store.read("releases/LATEST") == b"v1\n"
    assert verify_release(store, "v1") == []


def test_rows_have_the_published_schema_and_order(local):
    campaign = releases.ready_campaign(local, releases.internvl_recipe())
    export_release(campaign, "v1")
    prompts = {name: track.prompt for name, track in campaign.recipe.tracks.items()}

    single = releases.read_lines(local, f"{PUBLISHED['single_en']}.jsonl")
    assert [row["id"] for row in single] == list(range(6))
    assert single[3] == {
        "id": 3,
        "image": "sa_000001/sa_1001.jpg",
        "width": 96,
        "height": 64,
        "conversations": [
            {"from": "human", "value": f"<image>\n{prompts['single_en']}"},
            {"from": "gpt", "value": "A path leads to a café. single_en sa_000001 0"},
        ],
    }
    assert list(single[0]) == ["id", "image", "width", "height", "conversations"]

    multi = releases.read_lines(local, f"{PUBLISHED['multi_zh']}.jsonl")
    assert multi[1] == {
        "id": 1,
        "image": ["sa_000000/sa_3.jpg", "sa_000000/sa_4.jpg"],
        "width_list": [96, 96],
        "height_list": [64, 64],
        "conversations": [
            {
                "from": "human",
                "value": f"Image-1: <image>\nImage-2: <image>\n{prompts['multi_zh']}",
            },
            {"from": "gpt", "value": f"{releases.ZH} multi_zh sa_000000 1"},
        ],
    }
    assert list(multi[0]) == ["id", "image", "width_list", "height_list", "conversations"]


def test_text_is_utf_8_and_not_escaped(campaign, local):
    export_release(campaign, "v1")
    assert "屋顶覆盖着积雪".encode() in local.read("releases/v1/test_single_zh.jsonl")


def test_parquet_and_provenance_follow_the_jsonl_row_by_row(campaign, local):
    export_release(campaign, "v1")
    for track in TRACKS:
        published = releases.read_lines(local, f"test_{track}.jsonl")
        assert releases.read_parquet(local, f"data/{track}/") == published
        provenance = releases.read_parquet(local, f"provenance/{track}/")
        assert [row["id"] for row in provenance] == [row["id"] for row in published]
        for source, row in zip(provenance, published, strict=True):
            image = row["image"] if isinstance(row["image"], str) else row["image"][0]
            assert source["sample_id"].startswith(f"{track}/{image.split('/')[0]}/")
            assert source["engine"] == "preview"
            assert source["recipe_fingerprint"] == campaign.recipe.fingerprint


def test_every_planned_sample_is_published_or_kept_with_its_reasons(campaign, local):
    first = releases.put_curated(
        campaign, "single_en", "sa_000000", ["A hill.", "A pond."], [("A", ["too_short", "echo"])]
    )
    second = releases.put_curated(
        campaign, "single_en", "sa_000001", ["A lake.", "A hill.", "A sea."], [("B", ["too_short"])]
    )
    releases.put_duplicates(campaign, "single_en", {second[1]: first[0]}, 0.75)
    result = export_release(campaign, "v1")

    published = releases.read_lines(local, "test_single_en.jsonl")
    captions = [row["conversations"][1]["value"] for row in published]
    assert captions == ["A hill.", "A pond.", "A lake.", "A sea."]
    assert [row["id"] for row in published] == [0, 1, 2, 3]
    left_out = releases.read_parquet(local, "rejected/single_en/")
    facts = ("caption", "reasons", "winner", "kind", "jaccard")
    assert [tuple(row[name] for name in facts) for row in left_out] == [
        ("A", ["too_short", "echo"], None, None, None),
        ("B", ["too_short"], None, None, None),
        ("A hill.", ["duplicate_of_other_shard"], first[0], "near", 0.75),
    ]
    assert result["rows"]["test_single_en.jsonl"] == 4
    assert result["rejected"] == {"too_short": 2, "duplicate_of_other_shard": 1, "echo": 1}
    assert read_manifest(local, "v1").tracks["single_en"] == TrackTotals(
        planned=7,
        accepted=5,
        rejected=2,
        duplicates=1,
        rows=4,
        reasons={"duplicate_of_other_shard": 1, "echo": 1, "too_short": 2},
        engines=["preview"],
        model_revisions=["1"],
        near_duplicates=1,
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters=guards.LINE_BREAKS, codec="utf-8"), min_size=1),
        max_size=5,
    )
)
def test_any_caption_survives_as_one_line_and_as_parquet(captions):
    recipe = builders.demo_recipe()
    for name in ("single_en", "multi_zh"):
        accepted = builders.caption_rows(recipe, name, "sa_000000", captions)
        published = rows.published_table(recipe.tracks[name], accepted, 7)
        turns = rows.turns(recipe.tracks[name], accepted)
        text = str(json_rows.json_lines(published, *turns), "utf-8")
        assert [json.loads(line) for line in text.splitlines()] == published.to_pylist()
        assert [row["conversations"][1]["value"] for row in published.to_pylist()] == captions
        assert published.column("id").to_pylist() == [7 + n for n in range(len(captions))]


def test_row_groups_are_even_whatever_the_shards_hold(local):
    schema = pa.schema([("id", pa.int64())])
    shard = pa.table({"id": range(ROWS_PER_GROUP * 3 // 4)}, schema=schema)
    with open_hashed(local, "ids.parquet") as writer:
        table = ParquetTable(writer, schema)
        for _ in range(3):
            table.add(shard)
        table.close()
    found = pq.ParquetFile(io.BytesIO(local.read("ids.parquet")))
    sizes = [found.metadata.row_group(n).num_rows for n in range(found.num_row_groups)]
    assert sizes == [ROWS_PER_GROUP, ROWS_PER_GROUP, ROWS_PER_GROUP // 4]
    assert found.read().column("id").to_pylist() == [*range(ROWS_PER_GROUP * 3 // 4)] * 3
    written = writer.written()
    assert (written.rows, written.bytes) == (ROWS_PER_GROUP * 9 // 4, len(local.read(written.key)))
    assert [piece.row_group for piece in written.pieces] == ["0", "1", "2", ""]


def test_a_table_cut_off_by_an_error_leaves_no_half_file(local):
    schema = pa.schema([("id", pa.int64())])

    def cut_off():
        with open_hashed(local, "ids.parquet") as writer:
            table = ParquetTable(writer, schema)
            table.add(pa.table({"id": range(ROWS_PER_GROUP)}, schema=schema))
            table.give_up()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_off()
    assert list(local.list("")) == []


def test_repeats_within_a_shard_keep_winner_kind_and_jaccard(campaign, local):
    first, _ = releases.put_curated(
        campaign, "multi_en", "sa_000000", ["A.", "B."], [("C.", ["near_duplicate"])]
    )
    repeat = {"sample_id": "multi_en/sa_000000/5-6", "winner": first, "shard_number": 0}
    schema = records.SHARD_DUPLICATE_SCHEMA
    table = pa.Table.from_pylist([repeat | {"kind": "near", "jaccard": 0.8}], schema=schema)
    key = layout.curated_key(campaign.name, "multi_en", "sa_000000", "duplicates.parquet")
    records.write_table(local, key, table, schema)
    releases.put_duplicates(campaign, "multi_en", {})
    export_release(campaign, "v1")
    (row,) = releases.read_parquet(local, "rejected/multi_en/")
    assert row["reasons"] == ["near_duplicate"]
    assert (row["winner"], row["kind"], row["jaccard"]) == (first, "near", 0.8)


def test_provenance_leads_to_the_bytes_of_every_photograph(local):
    campaign = releases.campaign_with_images(local)
    export_release(campaign, "v1")
    for track in TRACKS:
        published = releases.read_parquet(local, f"data/{track}/")
        provenance = releases.read_parquet(local, f"provenance/{track}/")
        hashes = releases.read_parquet(local, f"image_hashes/{track}/")
        assert len(published) == len(provenance) == len(hashes) > 0
        for row, source, hashed in zip(published, provenance, hashes, strict=True):
            images = [row["image"]] if isinstance(row["image"], str) else row["image"]
            assert row["id"] == source["id"] == hashed["id"]
            assert hashed["images"] == images
            archive = local.read(layout.archive_key(source["shard"]))
            found = [
                archive[offset : offset + size]
                for offset, size in zip(source["offsets"], source["sizes"], strict=True)
            ]
            numbers = [int(image.split("sa_")[-1].removesuffix(".jpg")) for image in images]
            assert found == [builders.make_jpeg(number) for number in numbers]


def test_provenance_leads_to_the_archive_that_counts(local):
    """Ingested again, a shard lies under keys of its own; an older index may still be there."""
    campaign = releases.campaign_with_images(local)
    shard = campaign.recipe.shards[0]
    index = records.read_table(local, layout.index_key(shard))
    moved = pc.add(index.column("offset"), 512)
    again = index.set_column(index.schema.get_field_index("offset"), "offset", moved)
    key = layout.index_key(shard, "0002-again")
    digest = records.write_table(local, key, again, records.INDEX_SCHEMA)
    place = receipt_files.ingest_place(shard)
    receipt = receipt_files.require_receipt(local, place)
    newer = dataclasses.replace(receipt, generation="0002-again", index=digest)
    receipt_files.write_receipt(local, place, newer)
    export_release(campaign, "v1")
    found = releases.read_parquet(local, "provenance/single_en/")
    told = {row["offsets"][0] for row in found if row["shard"] == shard}
    assert told
    assert told <= set(moved.to_pylist())


def test_without_the_photographs_provenance_says_nothing_of_them(campaign, local):
    export_release(campaign, "v1")
    rows_found = releases.read_parquet(local, "provenance/single_en/")
    assert {row["offsets"] for row in rows_found} == {None}


def test_a_photograph_that_the_index_lacks_has_no_place(local):
    campaign = releases.campaign_with_images(local)
    jpegs = {image: builders.make_jpeg(image) for image in range(2, 40)}
    builders.put_shard(local, "sa_000000", jpegs)
    export_release(campaign, "v1")
    first, second, *_ = releases.read_parquet(local, "provenance/single_en/")
    assert first["offsets"] == first["sizes"] == [None]
    assert second["sizes"] == [len(jpegs[2])]


def test_the_published_report_holds_no_photograph(campaign, local):
    page = b'<figure><img src="data:image/jpeg;base64,/9j/4AAQ" alt="sa_1.jpg"></figure>'
    key = receipts.put_release_validation(campaign, page=page).report
    local.write(key, page)
    export_release(campaign, "v1")
    published = local.read("releases/v1/quality.html")
    assert b"data:image" not in published
    assert b"not in this dataset" in published
    assert local.read(key) == page


def test_the_page_names_every_file_and_column():
    page = (Path(__file__).parents[2] / "docs" / "dataset.md").read_text()
    columns = {
        *rows.SINGLE_SCHEMA.names,
        *rows.MULTI_SCHEMA.names,
        *rows.PROVENANCE_SCHEMA.names,
        *rows.IMAGE_HASHES_SCHEMA.names,
        *rows.REJECTED_SCHEMA.names,
    }
    for word in {*columns, *OTHERS, *(track.release_file for track in INTERNVL.values())}:
        assert f"`{word}`" in page, word
