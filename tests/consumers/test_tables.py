"""Whatever file the card names, each library reads the same rows from it."""

import json

import datasets
import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.support import cards

HUB_SHOWS_BYTES = 500_000_000


@pytest.fixture(scope="module")
def configs(release):
    return cards.configs(release)


def lines(release, track):
    (file,) = release.glob(f"*_{'_image_'.join(track.split('_'))}.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_datasets_loads_every_config_by_its_name(release, configs, tmp_path):
    names = datasets.get_dataset_config_names(str(release))
    assert sorted(names) == sorted(configs)
    for name, files in configs.items():
        loaded = datasets.load_dataset(str(release), name, split="train", cache_dir=tmp_path)
        assert loaded.num_rows == sum(pq.read_metadata(file).num_rows for file in files), name
        assert loaded.column_names == pq.read_schema(files[0]).names


def test_datasets_streams_every_config(release, configs):
    for name, files in configs.items():
        rows = datasets.load_dataset(str(release), name, split="train", streaming=True)
        assert sum(1 for _ in rows) == sum(pq.read_metadata(file).num_rows for file in files)


def test_datasets_takes_the_first_track_without_a_name(release, tmp_path):
    loaded = datasets.load_dataset(str(release), split="train", cache_dir=tmp_path)
    assert loaded[0]["image"] == "sa_000000/sa_1.jpg"


def test_the_jsonl_files_hold_the_rows_of_the_tables(release, track, configs):
    rows = [row for file in configs[track] for row in pq.read_table(file).to_pylist()]
    assert lines(release, track) == rows != []


def test_pandas_polars_and_duckdb_read_every_file(configs):
    for files in configs.values():
        for file in files:
            rows, names = pq.read_metadata(file).num_rows, pq.read_schema(file).names
            assert pd.read_parquet(file).shape == (rows, len(names))
            assert pl.read_parquet(file).shape == (rows, len(names))
            found = duckdb.read_parquet(str(file))
            assert (len(found.fetchall()), found.columns) == (rows, names)


def test_pandas_polars_duckdb_and_datasets_read_the_jsonl_files(release, tmp_path):
    for file in release.glob("*.jsonl"):
        rows = len(file.read_text().splitlines())
        assert len(pd.read_json(file, lines=True)) == rows
        assert pl.read_ndjson(file).height == rows
        assert len(duckdb.read_json(str(file)).fetchall()) == rows
        loaded = datasets.load_dataset(
            "json", data_files=str(file), split="train", cache_dir=tmp_path
        )
        assert loaded.num_rows == rows


def test_every_parquet_file_suits_a_viewer(configs):
    for files in configs.values():
        for file in files:
            assert file.stat().st_size < HUB_SHOWS_BYTES
            described = pq.read_metadata(file)
            for group in map(described.row_group, range(described.num_row_groups)):
                assert group.num_rows <= 20_000
                columns = map(group.column, range(group.num_columns))
                assert {column.compression for column in columns} == {"ZSTD"}


def test_sidecars_join_row_by_row(release, track):
    data, *sidecars = (
        duckdb.read_parquet(f"{release}/{kind}/{track}/*.parquet")
        for kind in ("data", "provenance", "image_hashes")
    )
    for sidecar in sidecars:
        assert len(data.join(sidecar, "id").fetchall()) == len(lines(release, track)) > 0
