import pyarrow as pa
import pytest

from sa1b_captions import records
from sa1b_captions.errors import PermanentError
from sa1b_captions.storage import FileStore

SCHEMA = pa.schema([("sample_id", pa.string()), ("image_ids", pa.list_(pa.int64()))])


@pytest.fixture
def store(tmp_path):
    store = FileStore(tmp_path)
    table = pa.table({"sample_id": ["a", "b"], "image_ids": [[1], [2, 3]]}, schema=SCHEMA)
    records.write_table(store, "rows.parquet", table, SCHEMA)
    return store


def test_columns_come_in_the_order_asked_for(store):
    table = records.read_table(store, "rows.parquet", ["image_ids", "sample_id"])
    assert table.to_pydict() == {"image_ids": [[1], [2, 3]], "sample_id": ["a", "b"]}
    assert records.read_table(store, "rows.parquet").schema == SCHEMA


def test_a_table_without_a_wanted_column_or_cut_short_is_refused(store):
    with pytest.raises(PermanentError, match="caption.*run its stage again"):
        records.read_table(store, "rows.parquet", ["sample_id", "caption"])
    store.write("rows.parquet", store.read("rows.parquet")[:-9])
    with pytest.raises(PermanentError, match=r"rows\.parquet is damaged: it is not re"):
        records.read_table(store, "rows.parquet")
