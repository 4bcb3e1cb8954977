"""The same claims for both stores: a folder, and S3 (moto's server, or a real one)."""

import itertools
import os
import uuid

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError, SettingsError
from sa1b_captions.storage import FileStore, S3Store, open_store_url, s3, s3_copy
from tests.support.fault_server import Fault, serve


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path):
    if request.param == "file":
        return FileStore(tmp_path / "store")
    bucket = f"b-{uuid.uuid4().hex}"
    request.getfixturevalue("s3_client").create_bucket(Bucket=bucket)
    return open_store_url(f"s3://{bucket}/some/prefix", request.getfixturevalue("s3_url"))


def test_what_is_written_is_read_whole_and_in_ranges(store):
    store.write("a/b.bin", b"0123456789")
    assert store.read("a/b.bin") == b"0123456789"
    assert store.read_range("a/b.bin", 3, 4) == b"3456"
    assert store.exists("a/b.bin")


def test_a_missing_object_is_a_permanent_error_with_its_key(store):
    assert not store.exists("no/such")
    with pytest.raises(MissingKeyError, match="no/such"):
        store.read("no/such")


@pytest.mark.parametrize(("offset", "size"), [(8, 4), (20, 1)])
def test_a_range_past_the_end_is_an_error_not_short_data(store, offset, size):
    store.write("k", b"0123456789")
    with pytest.raises(PermanentError):
        store.read_range("k", offset, size)


def test_listing_is_sorted_and_by_prefix(store):
    for key in ("p/b", "p/a/x", "p/ab", "q/a"):
        store.write(key, b"")
    assert list(store.list("p/a")) == ["p/a/x", "p/ab"]
    assert list(store.list("")) == ["p/a/x", "p/ab", "p/b", "q/a"]
    assert list(store.list("none/")) == []


def test_a_stamp_is_another_one_after_every_write_and_gone_with_the_object(store):
    store.write("p/a&<b> ü%.json", b"1")
    store.write("p/b", b"1")
    before = store.stamps(["p/a&<b> ü%.json", "p/b", "p/c"])
    assert list(before) == ["p/a&<b> ü%.json", "p/b"]
    store.write("p/b", b"2")
    after = store.stamps(["p/a&<b> ü%.json", "p/b"])
    assert after["p/a&<b> ü%.json"] == before["p/a&<b> ü%.json"]
    assert after["p/b"] != before["p/b"]
    store.delete("p/b")
    assert store.stamps(["p/b"]) == store.stamps([]) == {}


MIB = 1 << 20


@pytest.mark.parametrize(
    "sizes", [[0], [3], [3, 0, 4], [6 * MIB], [6 * MIB, MIB, 7 * MIB + 5, 10, 11], [1, 6 * MIB]]
)
def test_objects_are_put_together_byte_by_byte(store, sizes):
    bodies = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    for number, body in enumerate(bodies):
        store.write(f"parts/{number}", body)
    parts = [(f"parts/{number}", size) for number, size in enumerate(sizes)]
    store.concatenate("whole", parts)
    assert store.read("whole") == b"".join(bodies)


@pytest.mark.parametrize("size", [0, 3, 6 * MIB])
def test_one_object_is_copied_by_the_server_whatever_its_size(s3_client, s3_url, size):
    s3_client.create_bucket(Bucket=(bucket := f"b-{uuid.uuid4().hex}"))
    store = open_store_url(f"s3://{bucket}/some/prefix", s3_url)
    store.write("part", b"1" * size)
    asked = []
    store._client.meta.events.register(
        "before-call.s3", lambda model, **_: asked.append(model.name)
    )
    store.concatenate("whole", [("part", size)])
    assert asked == ["CopyObject", "HeadObject"]
    assert store.read("whole") == b"1" * size


def test_putting_together_what_is_not_there_or_is_of_another_size_leaves_the_old_object(store):
    store.write("whole", b"old")
    store.write("part", b"12345")
    with pytest.raises(MissingKeyError):
        store.concatenate("whole", [("part", 5), ("none", 5)])
    assert store.read("whole") == b"old"


@given(st.lists(st.integers(0, 40 * MIB), min_size=1, max_size=12))
def test_what_the_server_copies_and_what_is_read_make_parts_that_s3_takes(sizes):
    found = list(s3_copy.plan_parts([(str(n), size) for n, size in enumerate(sizes)]))
    places = [piece for part in found for piece in part]
    for number, size in enumerate(sizes):
        mine = [(offset, length) for name, offset, length in places if name == str(number)]
        assert sum(length for _, length in mine) == size
        assert all(a + n == b for (a, n), (b, _) in itertools.pairwise(mine))
    assert [int(name) for name, _, _ in places] == sorted(int(name) for name, _, _ in places)
    lengths = [sum(piece[2] for piece in part) for part in found]
    assert all(length >= s3_copy.LEAST_PART_BYTES for length in lengths[:-1])
    read = sum(sum(piece[2] for piece in part) for part in found if len(part) > 1)
    small = sum(size < s3_copy.LEAST_PART_BYTES for size in sizes)
    assert read <= 2 * s3_copy.LEAST_PART_BYTES * (small + len(sizes))


def test_deleting_is_idempotent(store):
    store.write("k", b"1")
    store.delete("k")
    store.delete("k")
    assert not store.exists("k")


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_a_stream_of_any_length_becomes_one_object(store, monkeypatch, pieces):
    # moto, like S3, takes no part under 5 MiB but the last.
    monkeypatch.setattr(s3, "PART_BYTES", 5 * 1024 * 1024)
    content = b"x" * (2 * 1024 * 1024)
    with store.open_writer("big") as writer:
        for _ in range(pieces * 2):
            writer.write(content)
    assert store.read("big") == content * pieces * 2


def test_a_stream_that_fails_leaves_the_old_object(store, monkeypatch):
    monkeypatch.setattr(s3, "PART_BYTES", 5 * 1024 * 1024)
    store.write("k", b"old")

    def fail():
        with store.open_writer("k") as writer:
            writer.write(b"n" * 11 * 1024 * 1024)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail()
    assert store.read("k") == b"old"
    assert list(store.list("")) == ["k"]


def leave_unfinished(store, key):
    """What a writer that is killed leaves: some bytes nobody sees."""
    if isinstance(store, FileStore):
        folder, _, name = key.rpartition("/")
        path = store.root / folder / f".{name}.abc.partial"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    else:
        target = {"Bucket": store.bucket, "Key": f"{store.prefix}/{key}"}
        upload = store._client.create_multipart_upload(**target)
        store._client.upload_part(**target, UploadId=upload["UploadId"], PartNumber=1, Body=b"half")


def unfinished(store):
    if isinstance(store, FileStore):
        return len(list(store.root.rglob("*.partial")))
    return len(store._client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", ()))


def test_what_killed_writers_left_is_cleared_and_what_is_alive_is_not(store):
    for key in ("k", "k", "k2"):
        leave_unfinished(store, key)
        if isinstance(store, FileStore):
            (store.root / f".{key}.abc.partial").rename(store.root / f".{key}.{id(key)}.partial")
    left = unfinished(store)
    store.clear_unfinished("k", 3600)
    assert unfinished(store) == left
    store.clear_unfinished("k", 0)
    assert unfinished(store) == 1
    store.clear_unfinished("none/such", 0)
    store.clear_unfinished("none/", 0)
    leave_unfinished(store, "folder/k")
    store.clear_unfinished("folder/", 0)
    assert unfinished(store) == 1
    assert list(store.list("")) == []


def cut_under_writer(store):
    with store.open_writer("k") as writer:
        writer.write(bytes(12 * 1024 * 1024))
        store.clear_unfinished("k", 0)


def test_a_writer_whose_file_was_cleared_is_to_be_retried(tmp_path):
    store = FileStore(tmp_path)
    store.write("k", b"old")
    with pytest.raises(RetryableError, match="another process finished"):
        cut_under_writer(store)
    assert store.read("k") == b"old"
    assert unfinished(store) == 0


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x"])
def test_a_key_never_climbs_out(store, key):
    with pytest.raises(PermanentError, match="not a key"):
        store.write(key, b"")


def test_a_bucket_that_does_not_exist_is_permanent(s3_url):
    with pytest.raises(PermanentError, match="does not exist; create it"):
        open_store_url("s3://no-such-bucket", s3_url).read("k")


@pytest.fixture
def s3_store(s3_client, s3_url):
    bucket = f"b-{uuid.uuid4().hex}"
    s3_client.create_bucket(Bucket=bucket)
    return open_store_url(f"s3://{bucket}/some/prefix", s3_url)


@pytest.mark.real_s3
def test_a_wrong_secret_is_refused_for_good(s3_store, s3_url, monkeypatch):
    s3_store.write("k", b"1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the right one
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    store = open_store_url(s3_store.url, s3_url)
    for call in (
        lambda: store.read("k"),
        lambda: store.write("k", b"2"),
        lambda: [*store.list("")],
    ):
        with pytest.raises(PermanentError, match="SignatureDoesNotMatch"):
            call()
    assert s3_store.read("k") == b"1"


@pytest.mark.real_s3
def test_a_body_that_does_not_fit_its_checksum_is_refused(s3_store, s3_client):
    target = {"Bucket": s3_store.bucket, "Key": f"{s3_store.prefix}/k"}
    with pytest.raises(s3_client.exceptions.ClientError, match="BadDigest"):
        s3_client.put_object(**target, Body=b"1", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert not s3_store.exists("k")


@pytest.mark.real_s3  # moto breaks
def test_a_writer_whose_upload_was_aborted_is_to_be_retried(s3_store, monkeypatch):
    monkeypatch.setattr(s3, "PART_BYTES", 5 * 1024 * 1024)
    s3_store.write("k", b"old")
    with pytest.raises(RetryableError, match="another process finished"):
        cut_under_writer(s3_store)
    assert s3_store.read("k") == b"old"
    assert unfinished(s3_store) == 0


@pytest.fixture
def keys(monkeypatch):
    """Credentials, whatever they are worth."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, os.environ.get(name, "testing"))


@pytest.mark.parametrize("fault", [Fault(cut_after=5), Fault(cut_after=5, reset=True)], ids=str)
def test_a_body_that_breaks_off_is_fetched_again(keys, fault):
    """A worker reads a shard in more than a thousand ranges, and must not end for one of them."""
    data = bytes(range(200))
    with serve(data, [fault, fault]) as server:
        store = S3Store("objects", "", server.address)
        assert store.read_range("sa_000000.tar", 20, 100) == data[20:120]
        assert server.requests == ["bytes=20-119"] * 3
        server.faults += [fault] * 9
        with pytest.raises(RetryableError, match="sa_000000.tar"):
            store.read("sa_000000.tar")


def test_a_store_that_does_not_answer_is_retryable(monkeypatch, keys):
    monkeypatch.setattr(s3, "MAX_ATTEMPTS", 1)
    store = S3Store("b", "", "http://127.0.0.1:9")
    with pytest.raises(RetryableError):
        store.read("k")


def test_a_place_that_cannot_hold_the_key_is_a_permanent_error(tmp_path):
    store = FileStore(tmp_path)
    store.write("a", b"1")
    for call in (store.delete, store.read, lambda key: store.write(key, b"")):
        with pytest.raises(PermanentError, match="a/b.*check CAPTIONS_ROOT"):
            call("a/b")


def test_other_schemes_are_refused():
    with pytest.raises(SettingsError, match="not a store"):
        open_store_url("http://example.invalid/x")
