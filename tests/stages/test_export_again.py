import contextlib
import shutil

import pytest

from sa1b_captions import layout
from sa1b_captions.errors import PermanentError
from sa1b_captions.release.manifest import latest_version, read_manifest
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts, releases


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
    assert len(releases.read_lines(local, "test_single_en.jsonl", "v2")) == 4


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_latest_names_no_release_that_is_not_all_there(campaign, local, harm):
    export_release(campaign, "v1")
    export_release(campaign, "v2")
    local.write("releases/LATEST", b"v1\n")
    key = "releases/v2/data/single_zh/train-00000.parquet"
    data = local.read(key)
    local.delete(key)
    if harm == "cut":
        local.write(key, data[:-1])
    with pytest.raises(PermanentError, match="train-00000.parquet"):
        export_release(campaign, "v2")
    assert latest_version(local) == "v1"
    local.write(key, data)
    export_release(campaign, "v2")
    assert latest_version(local) == "v2"


@pytest.mark.parametrize("name", ["SHA256SUMS", "pieces.csv", "recipe.json", "quality.json"])
@pytest.mark.parametrize("harm", ["gone", "cut", "flipped", "longer"])
def test_an_export_of_a_release_says_which_of_its_files_is_damaged(campaign, local, name, harm):
    export_release(campaign, "v1")
    key = f"releases/v1/{name}"
    data = local.read(key)
    local.delete(key)
    place = len(data) // 2
    flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    bad = {"cut": data[:place], "flipped": flipped, "longer": data + b" "}
    if harm != "gone":
        local.write(key, bad[harm])
    with pytest.raises(PermanentError) as caught:
        export_release(campaign, "v1")
    said = str(caught.value)
    assert said.startswith(f"release v1 is damaged: {key} ")
    assert "restore the file from a copy" in said
    assert "index" not in said
    assert not export_release(campaign, "v2")["up_to_date"]  # the other remedy
    local.write(key, data)
    assert export_release(campaign, "v1")["up_to_date"]


def test_a_manifest_names_the_images_of_the_workers_that_are_known(campaign, local):
    export_release(campaign, "v1")
    assert read_manifest(local, "v1").worker_images == []
    for shard, image in (("sa_000000", "worker@sha256:aa"), ("sa_000001", "worker:1")):
        key = layout.curate_receipt_key(campaign.name, "single_zh", shard)
        receipts.edit(local, key, image=image)
    releases.put_duplicates(campaign, "single_zh", {})
    export_release(campaign, "v2")
    assert read_manifest(local, "v2").worker_images == ["worker:1", "worker@sha256:aa"]


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


def test_the_newest_release_is_the_last_one_made_whatever_the_clocks_said(campaign, local):
    for version, created_at in (("v1", "2099-01-01T00"), ("v2", "1975-01-01T00"), ("v3", "")):
        export_release(campaign, version)
        assert latest_version(local) == version
        key = f"releases/{version}/manifest.json"
        receipts.edit(local, key, created_at=created_at)
        assert export_release(campaign, "v1")["up_to_date"]
        assert latest_version(local) == version


def test_a_release_that_was_cut_off_before_latest_named_it_is_older_than_the_next(campaign, local):
    export_release(campaign, "v1")
    export_release(campaign, "v2")
    local.write("releases/LATEST", b"v1\n")
    export_release(campaign, "v3")
    assert export_release(campaign, "v2")["up_to_date"]
    assert latest_version(local) == "v3"


def test_a_damaged_older_release_does_not_hold_up_a_new_one(campaign, local):
    export_release(campaign, "v1")
    local.write("releases/v0/manifest.json", b"{}")
    export_release(campaign, "v2")
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
    """Claim, 20 tables, 17 other files, manifest, LATEST: killed before many, and the last two."""
    clean, root = FileStore(tmp_path / "clean"), tmp_path / "store"
    for folder in (clean.root, root):
        shutil.copytree(ready_root, folder)
    export_release(builders.demo_campaign(clean), "v1")
    objects = len(list(clean.list("releases/")))
    assert objects == 20 + 17 + 2

    for lives in (*range(0, objects - 1, 4), objects - 1, objects):
        dying = DyingStore(root, lives)
        with pytest.raises(Killed):
            export_release(builders.demo_campaign(dying), "v1")
        assert dying.exists("releases/v1/manifest.json") == (lives == objects)
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
    assert "releases/v1/old_name.jsonl" not in releases.release_keys(local)
    assert local.exists("releases/v10/other.jsonl")
