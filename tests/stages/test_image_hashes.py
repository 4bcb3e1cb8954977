import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from sa1b_captions import layout, records
from sa1b_captions.caption.decoding.images import decode_jpeg
from sa1b_captions.caption.decoding.perceptual_hash import hash_image
from sa1b_captions.quality.duplicates.image_hashes import find_repeats
from sa1b_captions.receipts.receipt_files import dedup_place, read_receipt
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.support import builders

ROOM = builders.make_jpeg(1, (900, 600))
GARDEN = builders.make_jpeg(2, (900, 600))


def recompressed(jpeg, quality=92):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def table(images):
    """Rows of (shard number, image id, JPEG), the hashes taken from the JPEG."""
    rows = []
    for shard_number, image_id, jpeg in images:
        found = hash_image(jpeg, decode_jpeg(jpeg))
        rows.append((shard_number, image_id, found.jpeg_xxh3, found.dhash))
    columns = zip(*rows, strict=True)
    return pa.table(dict(zip(records.IMAGE_HASH_SCHEMA.names, columns, strict=True))).cast(
        records.IMAGE_HASH_SCHEMA
    )


def groups(hashes):
    found = {}
    for row in find_repeats(hashes).to_pylist():
        found.setdefault((row["group"], row["kind"]), []).append((row["shard"], row["image_id"]))
    return [(kind, members) for (_, kind), members in found.items()]


def test_equal_bytes_and_an_equal_look_are_told_apart():
    found = groups(table([(3, 9, ROOM), (0, 1, ROOM), (1, 5, recompressed(ROOM)), (2, 7, GARDEN)]))
    assert found == [
        ("same_bytes", [("sa_000000", 1), ("sa_000003", 9)]),
        ("same_look", [("sa_000000", 1), ("sa_000001", 5), ("sa_000003", 9)]),
    ]


def test_different_images_are_not_reported():
    jpegs = [builders.make_jpeg(seed, (300, 200)) for seed in range(20)]
    assert groups(table([(0, place, jpeg) for place, jpeg in enumerate(jpegs)])) == []


def test_identical_files_are_no_second_finding_by_their_look():
    assert groups(table([(0, 1, ROOM), (0, 2, ROOM)])) == [
        ("same_bytes", [("sa_000000", 1), ("sa_000000", 2)])
    ]


def test_plain_pictures_are_not_taken_for_one_another():
    plain = [np.full((60, 90, 3), shade, np.uint8) for shade in (10, 200)]
    jpegs = []
    for pixels in plain:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG")
        jpegs.append(buffer.getvalue())
    assert groups(table([(0, 1, jpegs[0]), (0, 2, jpegs[1])])) == []


def test_nothing_to_compare_is_no_error():
    assert groups(records.IMAGE_HASH_SCHEMA.empty_table()) == []


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def caption(campaign, shard, first_id, jpegs):
    """What captioning leaves of a shard, with one photograph undecodable."""
    texts = [f"The image shows thing {first_id + place} " + "x" * 200 for place in range(3)]
    rows = builders.caption_rows(campaign.recipe, "single_en", shard, texts, first_id).to_pylist()
    for row, jpeg in zip(rows, jpegs, strict=False):
        found = hash_image(jpeg, decode_jpeg(jpeg))
        row |= {"image_xxh3s": [found.jpeg_xxh3], "image_dhashes": [found.dhash]}
    rows[-1] |= {"image_xxh3s": None, "image_dhashes": None, "status": "undecodable"}
    table = pa.Table.from_pylist(rows, schema=records.CAPTION_SCHEMA)
    builders.put_captions(campaign, shard, "single_en", table)
    curate_shard(campaign, shard, tracks=["single_en"])


def test_dedup_reports_repeated_images_of_all_shards_and_rejects_none(campaign):
    caption(campaign, "sa_000000", 1, [ROOM, GARDEN])
    caption(campaign, "sa_000001", 11, [recompressed(ROOM), GARDEN])
    assert dedup_track(campaign, "single_en")["duplicates"] == 0
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, "single_en"))
    assert receipt.repeated_photographs == {"same_bytes": 2, "same_look": 2, "compared": 4}
    repeats = records.read_table(
        campaign.store, layout.repeated_images_key(campaign.name)
    ).to_pylist()
    assert [(row["kind"], row["image_id"]) for row in repeats] == [
        ("same_bytes", 2),
        ("same_bytes", 12),
        ("same_look", 1),
        ("same_look", 11),
    ]


def test_shards_curated_before_images_were_hashed_count_for_none(campaign, caplog):
    caption(campaign, "sa_000000", 1, [ROOM, GARDEN])
    caption(campaign, "sa_000001", 11, [ROOM, GARDEN])
    campaign.store.delete(
        layout.curated_key(campaign.name, "single_en", "sa_000001", "photographs.parquet")
    )
    dedup_track(campaign, "single_en")
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, "single_en"))
    assert receipt.repeated_photographs == {"same_bytes": 0, "same_look": 0, "compared": 2}
    assert "shards 1: no hashes of images; curate them again with --force" in caplog.text
