import io
import json
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.recipe import TRACKS
from sa1b_captions.release import guards, rows
from sa1b_captions.release.folder import ROWS_PER_GROUP, ReleaseFolder
from sa1b_captions.release.manifest import (
    TrackTotals,
    read_manifest,
    verify_release,
)
from sa1b_captions.stages.export import export_release
from sa1b_captions.storage import FileStore, open_store_url
from tests.support import builders, releases

PUBLISHED = {
    "single_en": "internvl_sa1b_caption_11m_single_image_en",
    "single_zh": "internvl_sa1b_caption_1m_single_image_zh",
    "multi_en": "internvl_sa1b_caption_77k_multi_image_en",
    "multi_zh": "internvl_sa1b_caption_77k_multi_image_zh",
}
"""Names on the dataset's page, written out so that no code can change them."""
OTHERS = {
    "LICENSE.md",
    "README.md",
    "SHA256SUMS",
    "manifest.json",
    "quality.html",
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


def test_the_internvl_recipe_yields_exactly_the_published_names(store):
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
    tables = {
        f"{stem}{end}"
        for stem in PUBLISHED.values()
        for end in (".jsonl", ".parquet", ".provenance.parquet")
    }
    assert names == tables | {f"rejected/{track}.parquet" for track in TRACKS} | OTHERS
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
        assert releases.read_parquet(local, f"test_{track}.parquet") == published
        provenance = releases.read_parquet(local, f"test_{track}.provenance.parquet")
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
    releases.put_duplicates(campaign, "single_en", {second[1]: first[0]})
    result = export_release(campaign, "v1")

    published = releases.read_lines(local, "test_single_en.jsonl")
    captions = [row["conversations"][1]["value"] for row in published]
    assert captions == ["A hill.", "A pond.", "A lake.", "A sea."]
    assert [row["id"] for row in published] == [0, 1, 2, 3]
    left_out = releases.read_parquet(local, "rejected/single_en.parquet")
    assert [(r["caption"], r["reasons"], r["winner"]) for r in left_out] == [
        ("A", ["too_short", "echo"], None),
        ("B", ["too_short"], None),
        ("A hill.", ["duplicate_of_other_shard"], first[0]),
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
    )


@settings(max_examples=60, deadline=None)
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
        text = "".join(rows.json_lines(published))
        assert [json.loads(line) for line in text.splitlines()] == published.to_pylist()
        assert [row["conversations"][1]["value"] for row in published.to_pylist()] == captions
        assert published.column("id").to_pylist() == [7 + n for n in range(len(captions))]


def test_row_groups_are_even_whatever_the_shards_hold(local):
    schema = pa.schema([("id", pa.int64())])
    folder = ReleaseFolder(local, "v1")
    shard = pa.table({"id": range(ROWS_PER_GROUP * 3 // 4)}, schema=schema)
    with folder.open_parquet("ids.parquet", schema) as parquet:
        for _ in range(3):
            parquet.add(shard)
    found = pq.ParquetFile(io.BytesIO(local.read("releases/v1/ids.parquet")))
    sizes = [found.metadata.row_group(n).num_rows for n in range(found.num_row_groups)]
    assert sizes == [ROWS_PER_GROUP, ROWS_PER_GROUP, ROWS_PER_GROUP // 4]
    assert found.read().column("id").to_pylist() == [*range(ROWS_PER_GROUP * 3 // 4)] * 3
    assert folder.files[0].rows == ROWS_PER_GROUP * 9 // 4


def test_the_page_names_every_file_and_column():
    page = (Path(__file__).parents[2] / "docs" / "dataset.md").read_text()
    columns = {
        *rows.SINGLE_SCHEMA.names,
        *rows.MULTI_SCHEMA.names,
        *rows.PROVENANCE_SCHEMA.names,
        *rows.REJECTED_SCHEMA.names,
    }
    for word in {*columns, *OTHERS, *(f"{stem}.jsonl" for stem in PUBLISHED.values())}:
        assert f"`{word}`" in page, word
