import dataclasses
import json
import subprocess

import boto3
import pytest

from sa1b_captions import layout
from sa1b_captions.errors import PermanentError
from sa1b_captions.release import verify
from sa1b_captions.release.manifest import (
    latest_version,
    point_latest,
    read_manifest,
    write_manifest,
)
from sa1b_captions.release.verify import verify_release
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore, open_store_url
from tests.support import releases

NAME = "releases/v1/test_single_en.jsonl"
SUMS = "releases/v1/SHA256SUMS"
STRANGER = "releases/v1/rejected/mine.csv"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Every object of a small release, exported once."""
    store = FileStore(tmp_path_factory.mktemp("store"))
    export_release(releases.ready_campaign(store), "v1", run_id="manual__1")
    return {key: store.read(key) for key in store.list("releases/")}


@pytest.fixture(scope="module", params=["file", "s3"])
def filled_store(request, tmp_path_factory, exported):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "file":
            store = FileStore(tmp_path_factory.mktemp("copy"))
        else:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(name, "test")
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            endpoint = request.getfixturevalue("s3_url")
            boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="verify")
            store = open_store_url("s3://verify/some/prefix", endpoint)
        for key, data in exported.items():
            store.write(key, data)
        yield store


@pytest.fixture
def store(filled_store, exported):
    """The release in a store of each kind, whole again after each test."""
    yield filled_store
    filled_store.write(NAME, exported[NAME])


def test_a_release_as_exported_has_no_differences(store, monkeypatch):
    assert verify_release(store, "v1") == []
    monkeypatch.setattr(verify, "READ_BYTES", 3000)
    assert verify_release(store, "v1") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "is shorter than"),
        (lambda data: data + b"\n", "is longer than"),
        (None, "is missing"),
    ],
    ids=["shorter", "longer", "missing"],
)
def test_a_file_of_another_length_is_found(store, exported, change, message):
    if change is None:
        store.delete(NAME)
    else:
        store.write(NAME, change(exported[NAME]))
    (difference,) = verify_release(store, "v1")
    assert difference.startswith(f"{NAME} {message}")


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        (NAME, lambda data: data.replace(b"path", b"lane", 1), "has other bytes"),
        (NAME, lambda data: b"", "is shorter than"),
        (SUMS, lambda data: data[::-1], "has other bytes"),
        (STRANGER, lambda data: b"1", "is not in the manifest"),
    ],
    ids=["other", "empty", "sums", "stranger"],
)
def test_a_changed_release_is_found(tmp_path, exported, key, change, message):
    local = FileStore(tmp_path)
    for name, data in exported.items():
        local.write(name, data)
    local.write(key, change(exported.get(key)))
    (difference,) = verify_release(local, "v1")
    assert difference.startswith(f"{key} {message}")


def test_all_differences_are_told_at_once(tmp_path, exported):
    local = FileStore(tmp_path)
    for name in exported.keys() - {NAME, SUMS}:
        local.write(name, exported[name])
    local.write(STRANGER, b"1")
    assert verify_release(local, "v1") == [
        f"{SUMS} is missing",
        f"{NAME} is missing",
        f"{STRANGER} is not in the manifest",
    ]


def test_sha256sum_agrees(tmp_path, exported):
    store = FileStore(tmp_path)
    for key, data in exported.items():
        store.write(key, data)
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path / "releases/v1", capture_output=True, check=True)
    assert done.stdout.count(b": OK") == len(exported) - len(["SHA256SUMS", "manifest", "LATEST"])


def test_the_manifest_says_what_the_release_is_made_of(store, exported):
    found = read_manifest(store, "v1")
    assert found.rows == {f"test_{track}.jsonl": 6 for track in found.tracks}
    assert found.shards == ["sa_000000", "sa_000001"]
    assert (found.verdict, found.model, found.run_id) == ("pass", "preview", "manual__1")
    files = {file.name: file for file in found.files}
    assert {layout.release_key("v1", name) for name in files} == set(exported) - {
        "releases/v1/manifest.json",
        "releases/LATEST",
    }
    for name, file in files.items():
        assert file.bytes == len(exported[layout.release_key("v1", name)])
        table = name.endswith((".jsonl", ".parquet"))
        assert file.rows == ((0 if name.startswith("rejected/") else 6) if table else None)


def test_reasons_of_all_tracks_are_summed_most_frequent_first(exported, tmp_path):
    store = FileStore(tmp_path)
    store.write("releases/v1/manifest.json", exported["releases/v1/manifest.json"])
    found = read_manifest(store, "v1")
    reasons = iter([{"echo": 1, "too_long": 2}, {"echo": 4}, {}, {"blank": 2}])
    tracks = {
        name: dataclasses.replace(totals, reasons=next(reasons))
        for name, totals in found.tracks.items()
    }
    changed = dataclasses.replace(found, tracks=tracks)
    assert list(changed.rejected.items()) == [("echo", 5), ("blank", 2), ("too_long", 2)]
    write_manifest(store, changed)
    assert read_manifest(store, "v1") == changed


def test_no_release_is_an_answer_to_read_and_an_error_to_verify(tmp_path):
    store = FileStore(tmp_path)
    assert read_manifest(store, "v9") is None
    assert latest_version(store) is None
    with pytest.raises(PermanentError, match="has no release v9; there is none yet"):
        verify_release(store, "v9")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": [], "tracks": {}}'])
def test_a_damaged_manifest_is_named(tmp_path, text):
    store = FileStore(tmp_path)
    store.write("releases/v1/manifest.json", text.encode())
    with pytest.raises(PermanentError, match="releases/v1/manifest.json"):
        read_manifest(store, "v1")


def test_latest_names_the_newest_release_only(tmp_path, exported):
    store = FileStore(tmp_path)
    found = json.loads(exported["releases/v1/manifest.json"])
    del found["checksum"]
    for version, number in (("v1", 1), ("v2", 2)):
        text = json.dumps(found | {"version": version, "number": number})
        store.write(layout.release_key(version, "manifest.json"), text.encode())
    for version, latest in (("v1", "v1"), ("v2", "v2"), ("v1", "v2")):
        point_latest(store, read_manifest(store, version))
        assert latest_version(store) == latest
    store.write("releases/LATEST", b"gone\n")
    with pytest.raises(PermanentError, match="LATEST names gone, and .* is gone; restore it"):
        latest_version(store)
    point_latest(store, read_manifest(store, "v1"))
    assert latest_version(store) == "v1"


@pytest.mark.parametrize("version", ["v1", "2026.11_b-1", "1" * 63])
def test_names_that_can_name_a_release(version):
    assert layout.release_key(version, "x") == f"releases/{version}/x"


@pytest.mark.parametrize(
    "version", ["", ".", "..", "-v", ".v1", "a/b", "a b", "é", "v1\n", "1" * 64, "LATEST", "latest"]
)
def test_names_that_cannot(tmp_path, version):
    with pytest.raises(PermanentError, match="cannot name a release"):
        layout.release_key(version, "x")
    with pytest.raises(PermanentError, match="cannot name a release"):
        export_release(releases.builders.demo_campaign(FileStore(tmp_path)), version)
