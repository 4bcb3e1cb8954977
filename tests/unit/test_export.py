import contextlib
import io
import json
import shutil
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
import releases
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality import features
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release import guards, rows
from sa1b_captions.release.folder import ROWS_PER_GROUP, ReleaseFolder
from sa1b_captions.release.manifest import (
    TrackTotals,
    latest_version,
    read_manifest,
    verify_release,
)
from sa1b_captions.stages.export import export_release
from sa1b_captions.storage import FileStore, open_store_url

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


@pytest.fixture(scope="module")
def ready_root(tmp_path_factory):
    """A folder with a campaign of which a release can be exported; made once, as it takes long."""
    root = tmp_path_factory.mktemp("ready")
    releases.ready_campaign(FileStore(root))
    return root


@pytest.fixture
def campaign(ready_root, tmp_path):
    """The same in a folder of the test's own."""
    shutil.copytree(ready_root, tmp_path / "store")
    return builders.demo_campaign(FileStore(tmp_path / "store"))


@pytest.fixture
def local(tmp_path):
    return FileStore(tmp_path / "store")


def lines(store, name, version="v1"):
    text = store.read(f"releases/{version}/{name}").decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def table(store, name, version="v1"):
    return pq.read_table(io.BytesIO(store.read(f"releases/{version}/{name}"))).to_pylist()


def keys(store, version="v1"):
    return list(store.list(f"releases/{version}/"))


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
    names = {key.removeprefix("releases/v1/") for key in keys(store)}
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

    single = lines(local, f"{PUBLISHED['single_en']}.jsonl")
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

    multi = lines(local, f"{PUBLISHED['multi_zh']}.jsonl")
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
        published = lines(local, f"test_{track}.jsonl")
        assert table(local, f"test_{track}.parquet") == published
        provenance = table(local, f"test_{track}.provenance.parquet")
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

    published = lines(local, "test_single_en.jsonl")
    captions = [row["conversations"][1]["value"] for row in published]
    assert captions == ["A hill.", "A pond.", "A lake.", "A sea."]
    assert [row["id"] for row in published] == [0, 1, 2, 3]
    left_out = table(local, "rejected/single_en.parquet")
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


# What must not be published


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "someone/else"}, "model is someone/else in some rows"),
        ({"recipe_fingerprint": "0" * 16}, "recipe_fingerprint is 0000"),
        ({"track": "single_zh"}, "track is single_zh"),
        ({"caption": "Here <image> it is"}, "has a line break or one of <image>"),
        ({"caption": "Here <img> it is"}, "has a line break"),
        ({"caption": "Here </img> it is"}, "has a line break"),
        ({"caption": "Here <IMG_CONTEXT> it is"}, "has a line break"),
        *[({"caption": f"A{c}B"}, "has a line break") for c in guards.LINE_BREAKS],
        ({"caption": " "}, "has no caption"),
        ({"caption": None}, "has no caption"),
        ({"sample_id": "single_en/sa_000001/1"}, "accepted twice"),
    ],
)
def test_a_row_that_must_not_be_published_stops_the_release(campaign, local, changes, message):
    captions = ["A hill.", "A pond."]
    releases.put_curated(campaign, "single_en", "sa_000001", captions, changes=changes)
    releases.put_duplicates(campaign, "single_en", {})
    with pytest.raises(PermanentError, match=f"single_en/sa_000001: .*{message}"):
        export_release(campaign, "v1")
    assert not local.exists("releases/v1/manifest.json")
    assert latest_version(local) is None


def test_a_rule_rejects_whatever_export_would_stop_at():
    """Or one odd caption would hold up a release that no rule can repair."""
    assert set(guards.LINE_BREAKS) <= set(features.LINE_BREAKS)
    assert set(guards.FORBIDDEN) <= set(features.SPECIAL_TOKENS)


@pytest.mark.parametrize(
    "name", ["internvl_sa1b_caption_mine.jsonl", "InternVL_SA1B_caption.jsonl"]
)
def test_no_other_model_can_carry_the_published_names(local, name):
    recipe = builders.demo_recipe()
    source = json.loads(json.dumps(recipe.source))
    source["tracks"]["multi_en"]["release_file"] = name
    campaign = releases.ready_campaign(local, builders.demo_recipe(tracks=source["tracks"]))
    with pytest.raises(PermanentError, match=f"{name} names captions by OpenGVLab"):
        export_release(campaign, "v1")
    assert keys(local) == []


def test_a_prompt_with_a_placeholder_is_refused(local):
    tracks = json.loads(json.dumps(builders.demo_recipe().source["tracks"]))
    tracks["multi_en"]["prompt"] += " <image>"
    campaign = releases.ready_campaign(local, builders.demo_recipe(tracks=tracks))
    with pytest.raises(PermanentError, match="the prompt of multi_en"):
        export_release(campaign, "v1")


@pytest.mark.parametrize("counts", [(3, 1, 4), (4, 0, 4), (3, 0, 4), (2, 1, 3)])
def test_counts_that_do_not_add_up_stop_the_release(campaign, local, counts):
    key = campaign.curate_receipt("multi_en", "sa_000001")
    receipt = json.loads(local.read(key))
    receipt |= dict(zip(("accepted", "rejected", "planned"), counts, strict=True))
    local.write(key, json.dumps(receipt).encode())
    releases.put_duplicates(campaign, "multi_en", {})
    with pytest.raises(PermanentError, match="multi_en/sa_000001: 3 accepted"):
        export_release(campaign, "v1")


@pytest.mark.parametrize(
    ("winners", "message"),
    [
        ({"single_en/sa_000001/9": "single_en/sa_000000/1"}, "is not an accepted sample"),
        ({"single_en/sa_000009/1": "single_en/sa_000000/1"}, "shards that the recipe does not"),
        (
            {
                "single_en/sa_000001/1001": "single_en/sa_000000/1",
                "single_en/sa_000000/1": "single_en/sa_000001/1002",
            },
            "is to stay and to go",
        ),
    ],
)
def test_duplicates_of_another_curation_stop_the_release(campaign, local, winners, message):
    releases.put_duplicates(campaign, "single_en", winners)
    with pytest.raises(PermanentError, match=message):
        export_release(campaign, "v1")


def test_a_track_without_a_caption_is_no_release(campaign, local):
    for shard in campaign.recipe.shards:
        releases.put_curated(campaign, "multi_zh", shard, [], [("短", ["too_short"])])
    releases.put_duplicates(campaign, "multi_zh", {})
    with pytest.raises(PermanentError, match="multi_zh: no caption is left"):
        export_release(campaign, "v1")


# What must have happened before


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (
            lambda c: c.curate_receipt("single_zh", "sa_000001"),
            "sa1b-captions curate --tracks single_zh --shards 1",
        ),
        (lambda c: c.dedup_receipt("multi_en"), "run sa1b-captions dedup --tracks multi_en"),
        (lambda c: c.release_validation(), "run sa1b-captions validate --release"),
        (lambda c: c.release_report(), "run sa1b-captions validate --release --force"),
    ],
)
def test_a_missing_stage_is_named_with_the_command_that_runs_it(campaign, local, gone, message):
    local.delete(gone(campaign))
    with pytest.raises(PermanentError, match=message):
        export_release(campaign, "v1")
    assert keys(local) == []


def test_a_dedup_of_other_captions_has_to_run_again(campaign):
    releases.put_curated(campaign, "single_zh", "sa_000001", ["一片湖。"])
    with pytest.raises(PermanentError, match="run sa1b-captions dedup --tracks single_zh"):
        export_release(campaign, "v1")


def test_a_verdict_on_other_captions_does_not_count(campaign, local):
    key = campaign.dedup_receipt("multi_zh")
    dedup = json.loads(local.read(key))
    local.write(key, json.dumps(dedup | {"duplicates": 1}).encode())  # within the same second
    with pytest.raises(PermanentError, match="again since .* validate --release --force"):
        export_release(campaign, "v1")


def test_a_validation_by_a_machine_whose_clock_is_behind_counts(campaign, local):
    key = campaign.release_validation()
    verdict = json.loads(local.read(key))
    local.write(key, json.dumps(verdict | {"written_at": "1970-01-01T00:00:00+00:00"}).encode())
    assert export_release(campaign, "v1")["version"] == "v1"


@pytest.mark.parametrize(
    ("verdict", "allowed", "exported"),
    [
        ("pass", ("pass",), True),
        ("warn", ("pass",), False),
        ("warn", ("pass", "warn"), True),
        ("fail", ("pass", "warn"), False),
    ],
)
def test_the_verdict_decides(campaign, local, verdict, allowed, exported):
    releases.put_validation(campaign, verdict)
    refused = contextlib.nullcontext() if exported else pytest.raises(PermanentError, match=verdict)
    with refused:
        export_release(campaign, "v1", allow_verdicts=allowed)
    assert (latest_version(local) == "v1") is exported


# Running again


def test_an_unchanged_release_is_not_written_again(campaign, local):
    first = export_release(campaign, "v1")
    before = {key: local.read(key) for key in local.list("releases/")}
    written = {path: path.stat().st_mtime_ns for path in local.root.rglob("*") if path.is_file()}
    assert export_release(campaign, "v1") == first | {"up_to_date": True}
    assert export_release(campaign, None) == first | {"up_to_date": True}
    assert {key: local.read(key) for key in local.list("releases/")} == before
    assert {p: p.stat().st_mtime_ns for p in local.root.rglob("*") if p.is_file()} == written


def test_a_release_is_never_overwritten(campaign, local):
    export_release(campaign, "v1")
    before = {key: local.read(key) for key in local.list("releases/")}
    releases.put_curated(campaign, "single_en", "sa_000001", ["A new caption."])
    releases.put_duplicates(campaign, "single_en", {})
    with pytest.raises(PermanentError, match="never overwritten; choose a new version"):
        export_release(campaign, "v1")
    assert {key: local.read(key) for key in local.list("releases/")} == before
    export_release(campaign, "v2")
    assert latest_version(local) == "v2"
    assert len(lines(local, "test_single_en.jsonl", "v2")) == 4


def test_without_a_name_new_content_takes_the_next_free_number(campaign, local):
    assert export_release(campaign, None)["version"] == "v1"
    assert export_release(campaign, "v2")["version"] == "v2"
    releases.put_curated(campaign, "single_en", "sa_000001", ["A new caption."])
    releases.put_duplicates(campaign, "single_en", {})
    assert export_release(campaign, None)["version"] == "v3"
    assert export_release(campaign, None)["up_to_date"]


def test_an_older_release_does_not_take_latest_back(campaign, local):
    export_release(campaign, "v1")
    export_release(campaign, "v2")
    assert export_release(campaign, "v1")["up_to_date"]
    assert latest_version(local) == "v2"


class Killed(BaseException):
    """What a process feels when it is killed, as far as Python code can."""


class DyingStore(FileStore):
    """A store whose process dies at the n-th object it begins to write."""

    def __init__(self, root, lives):
        super().__init__(root)
        self.lives = lives

    @contextlib.contextmanager
    def open_writer(self, key):
        self.lives -= 1
        if self.lives < 0:
            raise Killed(key)
        with super().open_writer(key) as writer:
            yield writer


def test_a_release_killed_between_files_is_completed_by_the_next_run(ready_root, tmp_path):
    """16 tables, 5 other files, manifest, LATEST: killed before every fourth and the last two."""
    clean, root = FileStore(tmp_path / "clean"), tmp_path / "store"
    for folder in (clean.root, root):
        shutil.copytree(ready_root, folder)
    export_release(builders.demo_campaign(clean), "v1")
    objects = len(list(clean.list("releases/")))
    assert objects == 16 + 5 + 2

    for lives in (*range(0, objects - 2, 4), objects - 2, objects - 1):
        dying = DyingStore(root, lives)
        with pytest.raises(Killed):
            export_release(builders.demo_campaign(dying), "v1")
        assert dying.exists("releases/v1/manifest.json") == (lives == objects - 1)
        assert latest_version(dying) is None
    store = FileStore(root)
    again = export_release(builders.demo_campaign(store), None)
    assert (again["version"], again["up_to_date"]) == ("v1", True)
    assert latest_version(store) == "v1"
    for key in clean.list("releases/"):
        if not key.endswith("manifest.json"):  # it holds the time
            assert store.read(key) == clean.read(key), key


def test_what_a_cut_off_export_left_under_other_names_is_removed(campaign, local):
    local.write("releases/v1/old_name.jsonl", b"half")
    local.write("releases/v10/other.jsonl", b"another release")
    export_release(campaign, "v1")
    assert "releases/v1/old_name.jsonl" not in keys(local)
    assert local.exists("releases/v10/other.jsonl")


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
