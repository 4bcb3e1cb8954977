"""What `make test-consumers` does, with the libraries that this environment has."""

import json

import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, cards, loader_rules, releases


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    export_release(releases.campaign_with_images(FileStore(root)), "v1")
    return root


@pytest.fixture(scope="module")
def release(store):
    return store / "releases" / "v1"


def test_pyarrow_polars_and_pandas_read_every_file_that_the_card_names(release):
    configs = cards.configs(release)
    sidecars = [f"{track}_{kind}" for kind in ("provenance", "image_hashes") for track in TRACKS]
    assert list(configs) == [*TRACKS, *sidecars, "single_en_rejected"]
    for name, files in configs.items():
        assert files, name
        for file in files:
            rows = pq.read_table(file).num_rows
            assert rows > 0  # `datasets` cannot load a table without any
            assert pl.read_parquet(file).height == len(pd.read_parquet(file)) == rows


def test_all_configs_name_files_of_one_kind(release):
    """Or Hugging Face chooses one builder for all, and the others cannot be loaded."""
    kinds = {file.suffix for files in cards.configs(release).values() for file in files}
    assert kinds == {".parquet"}


def test_every_line_suits_internvl_and_llava(release):
    for file in release.glob("*.jsonl"):
        for line in file.read_text().splitlines():
            loader_rules.check_internvl(json.loads(line))
            loader_rules.check_llava(json.loads(line))


def test_the_examples_that_need_no_other_library_run(release, store):
    run = [cards.run(code, store) for code in cards.snippets(release) if "load_dataset" not in code]
    way_back, beside_photographs = run
    assert way_back["row"]["sample_id"] == "single_en/sa_000000/1"
    assert way_back["jpeg"] == builders.make_jpeg(1)
    (shard,) = {name.split("/")[0] for name, _, _ in beside_photographs["pairs"]}
    published = pq.read_table(release / "data" / "single_en").to_pylist()
    assert beside_photographs["pairs"] == [
        (row["image"], (row["width"], row["height"]), row["conversations"][1]["value"])
        for row in published
        if row["image"].startswith(shard)
    ]


def test_croissant_names_files_of_the_release_with_their_digests(release):
    content = json.loads((release / "croissant.json").read_text())
    manifest = json.loads((release / "manifest.json").read_text())
    digests = {file["name"]: file["sha256"] for file in manifest["files"]}
    for described in content["distribution"]:
        if "contentUrl" in described:
            assert described["sha256"] == digests[described["contentUrl"]]
        else:
            assert list(release.glob(described["includes"]))
    assert [records["name"] for records in content["recordSet"]][:4] == list(TRACKS)
