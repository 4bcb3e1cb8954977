"""The same claims for both stores: a folder, and S3 through moto's server."""

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sa1b_captions import storage
from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError, SettingsError
from sa1b_captions.storage import FileStore, S3Store, open_store_url


@pytest.fixture(scope="module")
def s3_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


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


def test_deleting_is_idempotent(store):
    store.write("k", b"1")
    store.delete("k")
    store.delete("k")
    assert not store.exists("k")


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_a_stream_of_any_length_becomes_one_object(store, monkeypatch, pieces):
    # moto, like S3, takes no part under 5 MiB but the last.
    monkeypatch.setattr(storage, "PART_BYTES", 5 * 1024 * 1024)
    content = b"x" * (2 * 1024 * 1024)
    with store.open_writer("big") as writer:
        for _ in range(pieces * 2):
            writer.write(content)
    assert store.read("big") == content * pieces * 2


def test_a_stream_that_fails_leaves_the_old_object(store, monkeypatch):
    monkeypatch.setattr(storage, "PART_BYTES", 5 * 1024 * 1024)
    store.write("k", b"old")

    def fail():
        with store.open_writer("k") as writer:
            writer.write(b"n" * 11 * 1024 * 1024)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail()
    assert store.read("k") == b"old"
    assert list(store.list("")) == ["k"]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x"])
def test_a_key_never_climbs_out(store, key):
    with pytest.raises(PermanentError, match="not a key"):
        store.write(key, b"")


def test_a_bucket_that_does_not_exist_is_permanent(s3_url, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(PermanentError, match="does not exist; create it"):
        open_store_url("s3://no-such-bucket", s3_url).read("k")


def test_a_store_that_does_not_answer_is_retryable(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(storage, "MAX_ATTEMPTS", 1)
    store = S3Store("b", "", "http://127.0.0.1:9")
    with pytest.raises(RetryableError):
        store.read("k")


def test_other_schemes_are_refused():
    with pytest.raises(SettingsError, match="not a store"):
        open_store_url("http://example.invalid/x")
