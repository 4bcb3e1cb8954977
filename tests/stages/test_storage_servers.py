"""Stores that speak almost S3: they work, or say in a sentence what is wrong with them."""

import logging
import re
import uuid

import pytest

from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError, SettingsError
from sa1b_captions.storage import open_store_url, s3
from tests.support import quirky_s3
from tests.support.quirky_s3 import Answer, error, refuse, serve

KIB = 2**10


@pytest.fixture
def open_quirky(s3_client, s3_url, monkeypatch, request):
    """Opens a store in a new bucket of a server with quirks; returns it and what the server saw."""
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr(s3, "PART_BYTES", 5 * KIB)
    monkeypatch.setattr(s3, "MAX_ATTEMPTS", 2)

    def start(*quirks):
        bucket = f"b-{uuid.uuid4().hex}"
        s3_client.create_bucket(Bucket=bucket)
        server = serve(s3_url, *quirks)
        address, seen = server.__enter__()
        request.addfinalizer(lambda: server.__exit__(None, None, None))
        return open_store_url(f"s3://{bucket}/some/prefix", address), seen

    return start


def write_big(store, key="big", size=6 * KIB):
    with store.open_writer(key) as writer:
        writer.write(bytes(size))


@pytest.mark.parametrize("name", quirky_s3.SERVERS)
def test_all_that_the_stages_do_works_on(open_quirky, name):
    store, _ = open_quirky(*quirky_s3.SERVERS[name])
    store.write("p/b", b"0123456789")
    store.write("p/a", b"")
    assert store.read("p/b") == b"0123456789"
    assert store.read_range("p/b", 3, 4) == b"3456"
    store.clear_unfinished("big", 0)
    write_big(store)
    assert store.read("big") == bytes(6 * KIB)
    assert list(store.list("")) == ["big", "p/a", "p/b"]
    assert not store.exists("no/such")
    with pytest.raises(MissingKeyError):
        store.read("no/such")
    upload = {"Bucket": store.bucket, "Key": "some/prefix/k"}
    store._client.create_multipart_upload(**upload)
    store.clear_unfinished("k", 3600)
    store.clear_unfinished("k", 0)
    store.clear_unfinished("p/", 0)
    store.delete("p/b")
    assert not store.exists("p/b")


def test_an_object_is_known_from_its_successor_where_listings_have_no_etags(open_quirky):
    def no_etags(asked, forward):
        answer = forward(asked)
        if asked.lists_keys:
            answer.body = re.sub(rb"<ETag>.*?</ETag>", b"", answer.body)
        return answer

    store, _ = open_quirky(no_etags)
    store.write("p/a", b"old")
    before = store.stamps(["p/a", "p/b"])
    assert before.keys() == {"p/a"}
    assert store.stamps(["p/a"]) == before
    store.write("p/a", b"new")
    assert store.stamps(["p/a"]) != before


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
def test_uploads_that_cannot_be_listed_are_a_warning(open_quirky, caplog, status):
    store, _ = open_quirky(quirky_s3.no_upload_list(status, "Whatever"))
    store.clear_unfinished("k", 0)
    assert "unfinished uploads of k cannot be cleared" in caplog.text
    write_big(store, "k")
    assert store.exists("k")


def test_a_server_that_refuses_checksums_is_asked_without_them_from_then_on(open_quirky, caplog):
    store, seen = open_quirky(*quirky_s3.SERVERS["r2"])
    write_big(store)
    assert "AWS_REQUEST_CHECKSUM_CALCULATION=when_required" in caplog.text
    assert caplog.text.count("without checksums") == 1
    seen.clear()
    caplog.clear()
    store.write("k", b"1")
    assert not any(asked.has_checksum for asked in seen)
    assert not caplog.text


def test_the_setting_spares_such_a_server_the_question(open_quirky, caplog, monkeypatch):
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    store, seen = open_quirky(*quirky_s3.SERVERS["r2"])
    write_big(store)
    assert not any(asked.has_checksum for asked in seen)
    assert "CHECKSUM" not in caplog.text


@pytest.mark.parametrize(
    ("status", "code"), [(501, "NotImplemented"), (400, "InvalidRequest"), (400, "InvalidArgument")]
)
def test_a_refusal_that_checksums_may_explain_names_the_variable(open_quirky, status, code):
    refusal = error(status, code, "x-amz-checksum-crc32 is not supported")
    store, _ = open_quirky(refuse(lambda asked: asked.method in ("PUT", "POST"), refusal))
    for write in (lambda: store.write("k", b"1"), lambda: write_big(store)):
        with pytest.raises(PermanentError, match="AWS_REQUEST_CHECKSUM_CALCULATION=when_required"):
            write()


def test_an_upload_whose_completion_was_not_heard_of_is_done(open_quirky, caplog):
    store, seen = open_quirky(quirky_s3.loses_completion())
    store.write("big", b"old")
    write_big(store)
    assert store.read("big") == bytes(6 * KIB)
    assert sum(asked.completes for asked in seen) == 2


@pytest.mark.parametrize("old_size", [None, 3, 6 * KIB])
def test_an_upload_that_is_gone_is_not_mistaken_for_an_object_of_before(open_quirky, old_size):
    store, _ = open_quirky(refuse(lambda asked: asked.completes, error(404, "NoSuchUpload")))
    if old_size is not None:
        store.write("big", bytes(old_size))
        backdate(store, "some/prefix/big")
    with pytest.raises(RetryableError, match="another process finished"):
        write_big(store)


def backdate(store, name):
    """Move an object's time to before any upload of the test."""
    import datetime as dt

    from moto.s3.models import s3_backends

    for backends in s3_backends.values():
        for backend in backends.values():
            if store.bucket in backend.buckets:
                key = backend.buckets[store.bucket].keys[name]
                key.last_modified = dt.datetime(2020, 1, 1)  # noqa: DTZ001 (as moto has it)


def test_a_listing_that_goes_on_without_saying_where_is_an_error(open_quirky):
    store, _ = open_quirky(quirky_s3.forgets_token)
    store.write("k", b"1")
    with pytest.raises(PermanentError, match="listing goes on, but not where"):
        list(store.list(""))


def test_a_listing_of_several_pages_is_whole(open_quirky):
    def small_pages(asked, forward):
        if asked.lists_keys:
            asked.path += "&max-keys=2"
        return forward(asked)

    store, seen = open_quirky(small_pages)
    keys = [f"k{n}" for n in range(7)]
    for key in keys:
        store.write(key, b"")
    assert list(store.list("k")) == keys
    assert sum(asked.lists_keys for asked in seen) == 4


def test_a_missing_key_that_may_not_be_seen_names_the_permission(open_quirky):
    store, _ = open_quirky(quirky_s3.hides_missing)
    for call in (store.read, store.exists, lambda key: store.read_range(key, 0, 3)):
        with pytest.raises(PermanentError, match="s3:ListBucket"):
            call("no/such")


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold."),
        (507, "InsufficientStorage", ""),
        (403, "QuotaExceeded", ""),
        (400, "XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded"),
        (403, "AccessDenied", "Cannot upload files, storage cap exceeded."),
        (413, "EntityTooLarge", "Upload exceeds quota."),
        (500, "InternalError", "no quota left"),
    ],
)
def test_a_full_store_is_not_asked_for_ever(open_quirky, status, code, message):
    store, _ = open_quirky(
        refuse(lambda asked: asked.method == "PUT", error(status, code, message))
    )
    with pytest.raises(PermanentError, match="full: free space or raise the quota"):
        store.write("k", b"1")


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_on_requests_is_no_full_store(open_quirky, status, monkeypatch):
    monkeypatch.setattr(s3, "MAX_ATTEMPTS", 1)
    refusal = error(status, "SlowDown", "request quota exceeded")
    store, _ = open_quirky(refuse(lambda asked: True, refusal))
    with pytest.raises(RetryableError, match="SlowDown"):
        store.write("k", b"1")


@pytest.mark.parametrize("body", [b"<html><p>Log in", b"{}", b"<html><p>Log in</p></html>"])
def test_a_page_in_place_of_an_answer_is_an_error(open_quirky, body):
    page = Answer(200, body, {"Content-Type": "text/html"})
    store, _ = open_quirky(refuse(lambda asked: asked.lists_keys or asked.method == "POST", page))
    with pytest.raises((PermanentError, RetryableError), match="s3://|S3's"):
        write_big(store)
    with pytest.raises(RetryableError, match="some/prefix"):
        list(store.list(""))


@pytest.mark.parametrize("field", [b"UploadId", b"ETag"])
def test_an_answer_without_a_field_is_named(open_quirky, field):
    def bare(asked, forward):
        answer = forward(asked)
        answer.body = answer.body.replace(field, b"Other")
        answer.headers.pop(field.decode(), None)
        return answer

    store, _ = open_quirky(bare)
    with pytest.raises(PermanentError, match=f"no {field.decode()}: it is not S3's"):
        write_big(store)


@pytest.mark.parametrize(
    ("url", "endpoint"), [("s3://b/x", "not-a-url"), ("s3://b/x", "http://"), ("s3://B_!!/x", None)]
)
def test_a_store_that_cannot_be_asked_is_a_setting_to_mend(url, endpoint, s3_url):
    with pytest.raises((SettingsError, PermanentError), match=url):
        open_store_url(url, endpoint or s3_url).read("k")


def test_a_profile_that_does_not_exist_is_named(s3_url, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(SettingsError, match="no-such-profile"):
        open_store_url("s3://b", s3_url)


@pytest.fixture(autouse=True)
def _warnings(caplog):
    caplog.set_level(logging.WARNING)
