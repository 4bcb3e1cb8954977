import datetime as dt
import gzip
import hashlib
import io
import logging
import tarfile
import uuid

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.ingest.downloading.http_client import Patience
from sa1b_captions.ingest.downloading.links import Link, parse_links
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.storage import Store, open_store_url, s3
from tests.support import builders
from tests.support.fault_server import Fault, serve

SHARD = "sa_000000"
MEMBERS = builders.sa1b_members([1, 2, 3, 4])
ARCHIVE = builders.make_archive(MEMBERS, shuffle_seed=2)
MD5 = hashlib.md5(ARCHIVE).hexdigest()  # noqa: S324, as lists of SA-1B's archives have it
QUICK = Patience(attempts=9, backoff_s=0, stall_timeout_s=1)
KEYS = [layout.index_key(SHARD), layout.ingest_receipt_key(SHARD), layout.archive_key(SHARD)]


@pytest.fixture(scope="module")
def bucket(s3_url):
    name = f"b-{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_url).create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path) -> Store:
    if request.param == "file":
        return open_store_url(tmp_path.as_uri())
    bucket, endpoint = map(request.getfixturevalue, ("bucket", "s3_url"))
    return open_store_url(f"s3://{bucket}/{tmp_path.name}", endpoint)


@pytest.fixture
def folder(tmp_path) -> Store:
    return open_store_url(tmp_path.as_uri())


def run(store: Store, archive: bytes = ARCHIVE, faults: list[Fault] | None = None, **options):
    with serve(archive, faults or []) as server:
        links = parse_links(server.links())
        receipt = ingest_shard(store, SHARD, links, **{"patience": QUICK} | options)
    return receipt, len(server.requests)


def objects(store: Store) -> dict[str, bytes]:
    """By their keys' ends: those of a repeat name its generation."""
    keys = [key for key in store.list("") if "receipt" not in key]
    return {key.rpartition(".")[2]: store.read(key) for key in keys}


def test_a_shard_becomes_a_tar_an_index_and_a_receipt(store):
    receipt, _ = run(store, expected_md5=MD5.upper(), expected_images=4, run_id="run-1")
    assert list(store.list("")) == KEYS
    assert read_receipt(store, ingest_place(SHARD)) == receipt
    expected = {
        "shard": SHARD,
        "images": 4,
        "problems": {},
        "annotations_without_image": 0,
        "warnings": [],
        "archive_bytes": len(store.read(KEYS[2])),
        "source_bytes": len(ARCHIVE),
        "md5": MD5,
        "resumes": 0,
        "run_id": "run-1",
    }
    assert {key: getattr(receipt, key) for key in expected} == expected
    assert receipt.source.endswith("/objects/sa_000000.tar")
    jpegs = {name.removeprefix("./"): data for name, data in MEMBERS if name.endswith(".jpg")}
    rows = records.read_table(store, KEYS[0]).to_pylist()
    assert {
        row["file_name"]: store.read_range(KEYS[2], row["offset"], row["size"]) for row in rows
    } == jpegs
    with tarfile.open(fileobj=io.BytesIO(store.read(KEYS[2])), mode="r:") as tar:
        assert tar.getnames() == [row["file_name"] for row in rows]


def test_a_shard_that_is_done_is_not_downloaded_again(folder):
    first, requests = run(folder)
    again, more_requests = run(folder)
    assert (requests, more_requests) == (1, 0)
    assert again == first
    assert ingest_shard(folder, SHARD, {}) == first


def test_force_ingests_again(folder):
    first, _ = run(folder)
    other = builders.make_archive(builders.sa1b_members([8, 9]))
    second, requests = run(folder, other, force=True)
    assert requests == 1
    assert (first.images, second.images) == (4, 2)
    assert first.content != second.content
    index = layout.index_key(SHARD, second.generation)
    assert records.read_table(folder, index).num_rows == 2


def test_the_content_of_equal_images_is_equal(folder):
    first, _ = run(folder)
    second, _ = run(folder, gzip.decompress(ARCHIVE), force=True)
    assert first.md5 != second.md5
    assert first.content == second.content


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.builds(
            Fault,
            cut_after=st.integers(0, len(ARCHIVE)),
            reset=st.booleans(),
            ignore_range=st.booleans(),
            status=st.sampled_from([None, None, None, 503]),
        ),
        max_size=6,
    )
)
def test_any_faults_give_the_same_objects(folder, faults):
    run(folder, force=True)
    clean = objects(folder)
    receipt, _ = run(folder, faults=faults, force=True)
    assert objects(folder) == clean
    assert receipt.md5 == MD5


@pytest.mark.parametrize(
    ("archive", "faults", "error"),
    [
        (ARCHIVE[:-30], [], PermanentError),
        (builders.make_archive([*MEMBERS, ("../sa_9.jpg", b"x")]), [], PermanentError),
        (b"<html>" * 99, [], PermanentError),
        (ARCHIVE, [Fault(status=403)], PermanentError),
        (ARCHIVE, [Fault(cut_after=5_000), Fault(status=410)], PermanentError),
        (ARCHIVE, [Fault(headers={"Content-Type": "text/html"})], PermanentError),
        (ARCHIVE, [Fault(cut_after=5_000), Fault(headers={"ETag": '"2"'})], RetryableError),
        (ARCHIVE, [Fault(status=503)] * 9, RetryableError),
    ],
    ids=["cut", "hostile", "page", "expired", "expired-later", "html", "changed", "down"],
)
def test_what_fails_leaves_nothing_and_says_no_secret(store, archive, faults, error, caplog):
    caplog.set_level(logging.DEBUG, "sa1b_captions")
    with pytest.raises(error) as caught:
        run(store, archive, faults)
    assert list(store.list("")) == []
    assert SHARD in str(caught.value)
    assert "SECRETSIGNATURE" not in f"{caught.value!r}{caplog.text}"


def test_a_failed_repeat_keeps_what_was_there(store):
    receipt, _ = run(store)
    before = objects(store)
    with pytest.raises(CaptioningError):
        run(store, ARCHIVE[:-30], force=True)
    assert objects(store) == before
    assert ingest_shard(store, SHARD, {}) == receipt


def test_a_wrong_md5_fails_the_shard_and_shows_both(store):
    with pytest.raises(PermanentError, match=f"MD5 is {MD5}, expected {'0' * 32}"):
        run(store, expected_md5="0" * 32)
    assert list(store.list("")) == []


def test_an_md5_list_that_comes_later_still_counts(folder):
    run(folder)
    assert ingest_shard(folder, SHARD, {}, expected_md5=MD5).md5 == MD5
    with pytest.raises(PermanentError, match="with force"):
        ingest_shard(folder, SHARD, {}, expected_md5="0" * 32)


def test_a_kill_before_the_receipt_is_repaired_by_the_next_run(folder):
    run(folder)
    whole = objects(folder)
    folder.delete(layout.ingest_receipt_key(SHARD))
    folder.write(layout.index_key(SHARD), b"half")
    run(folder)
    assert objects(folder) == whole


def test_large_archives_are_uploaded_in_parts_and_failures_leave_no_upload(
    s3_url, bucket, s3_client, monkeypatch
):
    part_bytes = 5 * 2**20  # S3 takes no smaller ones
    monkeypatch.setattr(s3, "PART_BYTES", part_bytes)
    store = open_store_url(f"s3://{bucket}/large", s3_url)
    big = builders.make_jpeg(1) + bytes(part_bytes // 2 + 1)
    members = [
        (f"sa_{n}.{kind}", data)
        for n in range(2)
        for kind, data in (("jpg", big), ("json", builders.annotation(n, (96, 64))))
    ]
    archive = builders.make_archive(members, compress=False)
    with pytest.raises(PermanentError):
        run(store, archive[:-20_000])
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)
    receipt, _ = run(store, archive)
    assert receipt.problems == {}
    head = s3_client.head_object(Bucket=bucket, Key=f"large/{layout.archive_key(SHARD)}")
    assert head["ETag"].endswith('-2"')
    assert head["ContentLength"] == receipt.archive_bytes


def test_what_a_killed_run_left_of_its_upload_is_gone_when_the_shard_is_done(
    s3_url, bucket, s3_client
):
    store = open_store_url(f"s3://{bucket}/left", s3_url)
    key = f"left/{layout.archive_key(SHARD)}"
    upload = s3_client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3_client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"half")
    run(store)
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)


def test_oddities_are_warnings_in_receipt_and_log(folder, caplog):
    jpeg = builders.make_jpeg(9)
    members = [*MEMBERS, ("sa_9.jpg", jpeg[:-2]), ("sa_7.json", b"{}"), ("notes.txt", b"")]
    receipt, _ = run(folder, builders.make_archive(members), expected_images=11_186)
    assert receipt.problems == {"truncated": 1}
    assert receipt.annotations_without_image == 1
    assert receipt.warnings == [
        "passed over 1 other member, first 'notes.txt'",
        "5 images, expected 11186",
    ]
    assert "sa_000000: 5 images, expected 11186" in caplog.text


def test_a_link_that_is_missing_or_ends_soon_stops_before_the_first_byte(folder):
    with pytest.raises(PermanentError, match="has no row for sa_000000"):
        ingest_shard(folder, SHARD, {})
    with serve(ARCHIVE) as server:
        link = Link(SHARD, server.url, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
        with pytest.raises(PermanentError, match="expired at"):
            ingest_shard(folder, SHARD, {SHARD: link})
    assert server.requests == []


def test_progress_is_logged_with_bytes_rate_and_images(folder, caplog):
    caplog.set_level(logging.INFO, "sa1b_captions")
    run(folder)
    assert f"{len(ARCHIVE) / 1e6:.1f} of {len(ARCHIVE) / 1e6:.1f} MB" in caplog.text
    assert "MB/s, 4 images" in caplog.text
