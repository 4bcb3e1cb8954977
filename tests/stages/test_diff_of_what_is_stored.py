import io
import json
import shutil

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from sa1b_captions.cli.common import app
from sa1b_captions.errors import PermanentError
from sa1b_captions.stages import diff
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.compared import CAPTION, compared


def test_a_release_of_0_1_0_has_its_tables_under_other_names(two_releases, tmp_path):
    shutil.copytree(two_releases.root / "releases" / "v1", tmp_path / "old")
    old = FileStore(tmp_path / "old")
    recipe = json.loads(old.read("recipe.json"))
    manifest = json.loads(old.read("manifest.json"))
    for track, settings in recipe["tracks"].items():
        stem = settings["release_file"].removesuffix(".jsonl")
        for table, name in (
            ("data", f"{stem}.parquet"),
            ("provenance", f"{stem}.provenance.parquet"),
            ("rejected", f"rejected/{track}.parquet"),
        ):
            before = f"{table}/{track}/train-00000.parquet"
            rows = pq.read_table(io.BytesIO(old.read(before)))
            if table == "provenance":
                rows = rows.drop_columns(["shard", "offsets", "sizes"])
            sink = io.BytesIO()
            pq.write_table(rows, sink, row_group_size=3)
            old.write(name, sink.getvalue())
            old.delete(before)
            (file,) = [file for file in manifest["files"] if file["name"] == before]
            file |= {"name": name, "bytes": len(sink.getvalue())}
    del manifest["checksum"]
    old.write("manifest.json", json.dumps(manifest).encode())
    facts = diff.compare(diff.release_at(old), diff.release_of(two_releases, "v2"), None)
    assert facts["tracks"] == compared(two_releases)["tracks"]


def test_tables_are_read_by_ranges_and_never_whole(two_releases):
    elsewhere, wholly_read = FileStore(two_releases.root / "releases" / "v1"), []
    plain = elsewhere.read
    elsewhere.read = lambda key: wholly_read.append(key) or plain(key)
    facts = diff.compare(diff.release_at(elsewhere), diff.release_of(two_releases, "v2"), None)
    assert facts["tracks"] == compared(two_releases)["tracks"]
    assert sorted(wholly_read) == ["manifest.json", "recipe.json"]


@pytest.mark.parametrize("table", ["data", "provenance", "rejected"])
@pytest.mark.parametrize("harm", ["cut", "flip", "gone"])
def test_damage_is_a_sentence_with_the_file(two_releases, tmp_path, table, harm):
    shutil.copytree(two_releases.root / "releases" / "v1", tmp_path / "copy")
    copy = FileStore(tmp_path / "copy")
    name = f"{table}/single_en/train-00000.parquet"
    data = bytearray(copy.read(name))
    if harm == "gone":
        copy.delete(name)
    elif harm == "cut":
        copy.write(name, bytes(data[:-20]))
    else:
        group = pq.read_metadata(io.BytesIO(data)).row_group(0)
        columns = [group.column(place) for place in range(group.num_columns)]
        (column,) = [c for c in columns if c.path_in_schema in ("sample_id", CAPTION)]
        data[column.data_page_offset + column.total_compressed_size - 1] ^= 255
        copy.write(name, bytes(data))
    with pytest.raises(PermanentError, match=name):
        diff.compare(diff.release_at(copy), diff.release_of(two_releases, "v2"), None)


@pytest.mark.parametrize("recipe", [None, b"", b"[]", b"{}", b'{"tracks": {"single_en": 1}}'])
def test_a_release_without_its_recipe_is_told(two_releases, tmp_path, recipe):
    shutil.copytree(two_releases.root / "releases" / "v1", tmp_path / "copy")
    copy = FileStore(tmp_path / "copy")
    copy.delete("recipe.json")
    if recipe is not None:
        copy.write("recipe.json", recipe)
    with pytest.raises(PermanentError, match="recipe"):
        diff.compare(diff.release_at(copy), diff.release_of(two_releases, "v2"), None)


def test_what_is_not_there_is_told(two_releases, local):
    with pytest.raises(PermanentError, match="has no release v9"):
        diff.release_of(two_releases, "v9")
    with pytest.raises(PermanentError, match="manifest.json is missing; name the folder"):
        diff.release_at(local)
    with pytest.raises(PermanentError, match="has no recipe"):
        diff.campaign_of(two_releases, "nobody")
    builders.demo_campaign(local)
    with pytest.raises(PermanentError, match="has no curated captions"):
        diff.campaign_of(local, "test")


def test_the_command_prints_a_table_and_the_same_json(two_releases, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", two_releases.url)
    done = CliRunner().invoke(app, ["diff", "v1", "v2", "--tracks", "single_en,multi_zh"])
    assert done.exit_code == 0, done.output
    *table, last = done.stdout.splitlines()
    facts = json.loads(last)
    assert list(facts["tracks"]) == ["single_en", "multi_zh"]
    assert table[1].split() == ["single_en", "15", "13", "10", "2", "3", "1"]
    assert "single_en: 1 row removed (off_topic, 1 with the same caption)" in table
    named = CliRunner().invoke(app, ["diff", "campaign:test", f"{two_releases.root}/releases/v1"])
    assert named.exit_code == 0, named.output


def test_two_downloads_need_no_store(two_releases, monkeypatch):
    monkeypatch.delenv("CAPTIONS_ROOT", raising=False)
    places = [f"{two_releases.root}/releases/{version}" for version in ("v1", "v2")]
    done = CliRunner().invoke(app, ["diff", *places])
    assert done.exit_code == 0, done.output
    assert "page" not in json.loads(done.stdout.splitlines()[-1])
    assert CliRunner().invoke(app, ["diff", "v1", places[1]]).exit_code == 65
