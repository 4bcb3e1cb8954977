import json

import pyarrow as pa
import pytest

from sa1b_captions import records
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts import IngestReceipt
from sa1b_captions.receipts.receipt_files import (
    FORMAT,
    audit_place,
    begun_place,
    caption_place,
    curate_place,
    dedup_place,
    digest,
    ingest_place,
    read_receipt,
    release_validation_place,
    require_receipt,
    run_summary_place,
    shard_validation_place,
    write_receipt,
)
from sa1b_captions.software import software
from sa1b_captions.storage import FileStore

SHARD = "sa_000000"
PLACE = ingest_place(SHARD)
PLACES = [
    PLACE,
    caption_place("c", "single_en", SHARD),
    begun_place("c", "single_en", SHARD, "0002-ab"),
    curate_place("c", "single_en", SHARD),
    audit_place("c", "single_en", SHARD),
    shard_validation_place("c", SHARD),
    dedup_place("c", "single_en"),
    release_validation_place("c"),
    run_summary_place("c", "run"),
]
NEWER = json.dumps({"format": FORMAT + 1, "software": "sa1b-captions 9.0"}).encode()


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path)


def ingested(**facts):
    return IngestReceipt(
        **{"shard": SHARD, "images": 3, "problems": {}, "archive_bytes": 9} | facts
    )


def change(store, **facts):
    """Change fields of the stored receipt; None takes one away."""
    content = json.loads(store.read(PLACE.key)) | {"checksum": "gone"} | facts
    kept = {name: value for name, value in content.items() if value != "gone"}
    store.write(PLACE.key, json.dumps(kept).encode())


def test_a_receipt_is_read_as_written(store):
    written = write_receipt(store, PLACE, ingested(run_id="run"))
    assert read_receipt(store, PLACE) == written
    assert written.stored == json.loads(store.read(PLACE.key))
    assert written.stored["stage"] == "ingest"
    assert (written.images, written.run_id, written.software) == (3, "run", software())


def test_no_receipt_means_not_done(store):
    assert read_receipt(store, PLACE) is None
    message = "ingest of sa_000000 has not finished.*run sa1b-captions ingest --shards sa_000000"
    with pytest.raises(PermanentError, match=message):
        require_receipt(store, PLACE)


@pytest.mark.parametrize("place", PLACES, ids=[place.stage for place in PLACES])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"stage": "other"}', NEWER],
    ids=["empty", "cut", "list", "null", "no text", "deep", "other stage", "newer"],
)
def test_a_damaged_receipt_is_a_sentence_and_not_a_missing_one(store, place, content):
    store.write(place.key, content)
    with pytest.raises(PermanentError) as caught:
        read_receipt(store, place)
    assert store.locate(place.key) in str(caught.value)
    assert f"run {place.command}" in str(caught.value)
    assert "delete" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_newer_receipt_names_the_version_to_install(store):
    store.write(PLACE.key, NEWER)
    with pytest.raises(PermanentError, match=r"newer version, sa1b-captions 9\.0.*install that"):
        read_receipt(store, PLACE)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"images": "gone"}, "it lacks images"),
        ({"images": "3"}, "images is '3' and not a whole number"),
        ({"images": True}, "images is True and not a whole number"),
        ({"problems": []}, r"problems is \[\] and not an object"),
        ({"problems": {"truncated": 1.5}}, r"problems\.truncated is 1\.5 and not a whole number"),
        ({"warnings": ["a", 1]}, r"warnings\[1\] is 1 and not a text"),
        ({"md5": 7}, "md5 is 7 and not a text"),
        ({"md5": "x", "shard": None}, "shard is None and not a text"),
    ],
)
def test_a_field_that_lacks_or_has_another_type_is_named(store, facts, reason):
    write_receipt(store, PLACE, ingested())
    change(store, **facts)
    with pytest.raises(PermanentError, match=f"no receipt of the ingest of sa_000000: {reason}; "):
        read_receipt(store, PLACE)


def test_fields_of_another_version_stay_in_the_digest(store):
    written = write_receipt(store, PLACE, ingested())
    change(store, colour="blue")
    read = read_receipt(store, PLACE)
    assert read == written
    assert read.stored["colour"] == "blue"
    assert digest(read) != digest(written)


def test_the_digest_tells_receipts_apart_and_ignores_key_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": 1}, None) != digest({"a": 1})


def test_a_receipt_that_is_not_stored_has_no_digest():
    with pytest.raises(ValueError, match="not stored"):
        digest(ingested())


def test_receipts_of_the_same_second_are_told_apart(store):
    """Or captions made again while the clock stood still, or came back, would go unseen."""
    written = [write_receipt(store, PLACE, ingested()) for _ in range(4)]
    assert len({digest(receipt) for receipt in written}) == 4


def test_the_commit_is_named_where_the_build_knew_it(tmp_path):
    (tmp_path / "commit.txt").write_text("3f9c1d2\n")
    assert software(tmp_path / "commit.txt") == f"{software(tmp_path / 'none')} (commit 3f9c1d2)"


def test_a_table_with_other_columns_is_refused(store):
    with pytest.raises(PermanentError, match="expected"):
        records.write_table(store, "t.parquet", pa.table({"x": [1]}), records.INDEX_SCHEMA)


def test_a_damaged_table_names_its_key(store):
    store.write("t.parquet", b"PAR1 but not really")
    with pytest.raises(PermanentError, match=r"t\.parquet.*run its stage again"):
        records.read_table(store, "t.parquet")
