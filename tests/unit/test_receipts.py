import pyarrow as pa
import pytest

from sa1b_captions import records
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts import digest, read_receipt, require_receipt, write_receipt
from sa1b_captions.storage import FileStore


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path)


def test_a_receipt_is_read_as_written(store):
    written = write_receipt(store, "r.json", stage="ingest", images=3)
    assert read_receipt(store, "r.json") == written
    assert written["stage"] == "ingest"


def test_no_receipt_means_not_done(store):
    assert read_receipt(store, "r.json") is None
    with pytest.raises(PermanentError, match="ingest of sa_000000 has not finished.*run this"):
        require_receipt(store, "r.json", stage="ingest of sa_000000", hint="this")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_damaged_receipt_is_an_error_not_a_missing_one(store, content):
    store.write("r.json", content)
    with pytest.raises(PermanentError, match="delete it"):
        read_receipt(store, "r.json")


def test_the_digest_tells_receipts_apart_and_ignores_key_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": 1}, None) != digest({"a": 1})


def test_receipts_of_the_same_second_are_told_apart(store):
    """Or captions made again while the clock stood still, or came back, would go unseen."""
    receipts = [write_receipt(store, "r.json", stage="caption", planned=3) for _ in range(4)]
    assert len({digest(receipt) for receipt in receipts}) == 4


def test_a_table_with_other_columns_is_refused(store):
    with pytest.raises(PermanentError, match="expected"):
        records.write_table(store, "t.parquet", pa.table({"x": [1]}), records.INDEX_SCHEMA)


def test_a_damaged_table_names_its_key(store):
    store.write("t.parquet", b"PAR1 but not really")
    with pytest.raises(PermanentError, match=r"t\.parquet.*run its stage again"):
        records.read_table(store, "t.parquet")
