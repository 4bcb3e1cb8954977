"""Rows as trainers read them, and beside their photographs in the shards' archives."""

import io
import json

import pyarrow.parquet as pq
import webdataset
from PIL import Image

from tests.support import loader_rules


def test_every_line_suits_internvl_and_llava(release):
    files = list(release.glob("*.jsonl"))
    assert len(files) == 4
    for file in files:
        for line in file.read_text().split("\n")[:-1]:
            row = json.loads(line)
            loader_rules.check_internvl(row)
            loader_rules.check_llava(row)


def test_webdataset_pairs_rows_with_the_shards_tars(release, store, track):
    rows = pq.read_table(release / "data" / track).to_pylist()
    wanted = {
        image: size
        for row in rows
        for image, size in zip(
            row["image"] if "width_list" in row else [row["image"]],
            zip(
                row.get("width_list") or [row["width"]],
                row.get("height_list") or [row["height"]],
                strict=True,
            ),
            strict=True,
        )
    }
    found = {}
    for shard in sorted({image.split("/")[0] for image in wanted}):
        for sample in webdataset.WebDataset(
            str(store / "shards" / f"{shard}.tar"), shardshuffle=False
        ):
            name = f"{shard}/{sample['__key__']}.jpg"
            if name in wanted:
                found[name] = Image.open(io.BytesIO(sample["jpg"])).size
    assert found == wanted != {}
