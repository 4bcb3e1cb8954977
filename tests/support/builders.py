"""Builders of small real things for tests: JPEGs, SA-1B-shaped archives, ingested shards."""

import datetime as dt
import functools
import gzip
import io
import json
import random
import tarfile
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import xxhash
from PIL import Image

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.generations import FIRST
from sa1b_captions.recipe import Recipe, load_recipe, parse_recipe
from sa1b_captions.storage import Store
from tests.support import receipts


def make_jpeg(seed: int = 0, size: tuple[int, int] = (96, 64)) -> bytes:
    """A decodable baseline JPEG (width, height) whose pixels depend on the seed."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image = Image.fromarray(small, "RGB").resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def annotation(image_id: int, size: tuple[int, int]) -> bytes:
    """SA-1B's JSON for one image, without masks."""
    width, height = size
    image = {
        "image_id": image_id,
        "width": width,
        "height": height,
        "file_name": f"sa_{image_id}.jpg",
    }
    return json.dumps({"image": image, "annotations": []}).encode()


def make_archive(
    members: Iterable[tuple[str, bytes]], *, compress: bool = True, shuffle_seed: int | None = None
) -> bytes:
    """A tar of (name, content) members, gzip-compressed as Meta's are unless told otherwise."""
    ordered = list(members)
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(ordered)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in ordered:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    data = buffer.getvalue()
    return gzip.compress(data, compresslevel=1, mtime=0) if compress else data


def sa1b_members(
    image_ids: Sequence[int], size: tuple[int, int] = (96, 64)
) -> list[tuple[str, bytes]]:
    """JPEG and JSON members of a well-formed shard."""
    members = []
    for image_id in image_ids:
        members.append((f"./sa_{image_id}.jpg", make_jpeg(image_id, size)))
        members.append((f"./sa_{image_id}.json", annotation(image_id, size)))
    return members


def put_shard(
    store: Store, shard: str, jpegs: dict[int, bytes], size: tuple[int, int] = (96, 64)
) -> None:
    """Write what ingest leaves behind: plain tar, index, receipt."""
    buffer = io.BytesIO()
    rows = []
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for image_id, jpeg in jpegs.items():
            info = tarfile.TarInfo(f"sa_{image_id}.jpg")
            info.size = len(jpeg)
            tar.addfile(info, io.BytesIO(jpeg))
            rows.append(
                {
                    "image_id": image_id,
                    "file_name": info.name,
                    "offset": tar.offset - -(-len(jpeg) // 512) * 512,
                    "size": len(jpeg),
                    "width": size[0],
                    "height": size[1],
                    "jpeg_xxh3": xxhash.xxh3_128_hexdigest(jpeg),
                    "problem": None,
                }
            )
    store.write(layout.archive_key(shard), buffer.getvalue())
    table = pa.Table.from_pylist(rows, schema=records.INDEX_SCHEMA)
    records.write_table(store, layout.index_key(shard), table, records.INDEX_SCHEMA)
    receipts.put_ingest(store, shard, len(rows), len(buffer.getvalue()))


@functools.cache
def _internvl() -> str:
    """The packaged recipe as JSON, of which every caller makes a copy of its own to change."""
    return json.dumps(load_recipe("internvl").source)


def demo_recipe(**changes: object) -> Recipe:
    """The InternVL recipe made small: blocks of 4, two shards, preview model, short captions."""
    source = json.loads(_internvl())
    source |= {"name": "test", "shards": "0-1", "block_size": 4}
    source["model"] |= {"id": "preview", "revision": "1", "system_prompt": ""}
    for name, track in source["tracks"].items():
        track["release_file"] = f"test_{name}.jsonl"
        track.pop("target")
        track.pop("spare_samples_per_shard", None)
        if name != "single_en":
            track["samples_per_shard"] = 3
    source["quality"]["min_rows"] = 1
    # Captions of tests differ by a word or two and are not meant to be near duplicates.
    source["quality"]["near_duplicate_jaccard"] = 1.0
    # Nor are they prose: a few words, said over and over.
    for limits in source["quality"]["language"].values():
        limits["off"] = [
            *("wrong_language", "ngram_repetition", "sentence_repetition", "word_echo"),
            *("character_run", "missing_end", "markdown", "foreign_script"),
        ]
    source |= changes
    return parse_recipe(source, where="tests")


def demo_campaign(store: Store, recipe: Recipe | None = None) -> Campaign:
    """A campaign named `test` in a store."""
    return open_campaign(store, "test", recipe or demo_recipe())


def caption_rows(
    recipe: Recipe, track: str, shard: str, captions: Sequence[str], first_id: int = 1
) -> pa.Table:
    """Caption part rows as the caption stage writes them, one per text, status ok."""
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    settings = recipe.tracks[track]
    count = settings.images_min
    rows = []
    for number, caption in enumerate(captions):
        ids = [first_id + number * count + extra for extra in range(count)]
        rows.append(
            {
                "sample_id": f"{track}/{shard}/{'-'.join(map(str, ids))}",
                "shard": shard,
                "track": track,
                "language": settings.language,
                "image_ids": ids,
                "images": [f"{shard}/sa_{image_id}.jpg" for image_id in ids],
                "widths": [96] * count,
                "heights": [64] * count,
                "image_xxh3s": ids,
                "image_dhashes": None,
                "caption": caption,
                "status": "ok",
                "error_code": None,
                "error": None,
                "finish_reason": "stop",
                "prompt_tokens": 1800,
                "completion_tokens": len(caption) // 5,
                "latency_ms": 10,
                "attempt": 1,
                "engine": "preview",
                "model": recipe.model.id,
                "model_revision": recipe.model.revision,
                "recipe_fingerprint": recipe.fingerprint,
                "captioned_at": now,
            }
        )
    return pa.Table.from_pylist(rows, schema=records.CAPTION_SCHEMA)


def put_captions(
    campaign: Campaign, shard: str, track: str, table: pa.Table, generation: str = FIRST
) -> None:
    """Write what the caption stage leaves behind for one track: parts, then the receipt."""
    size = campaign.recipe.block_size
    blocks = -(-table.num_rows // size)
    for block in range(blocks):
        records.write_table(
            campaign.store,
            layout.part_key(campaign.name, track, shard, generation, block),
            table.slice(block * size, size),
            records.CAPTION_SCHEMA,
        )
    statuses = table.column("status").value_counts().to_pylist()
    counts = {item["values"]: item["counts"] for item in statuses}
    receipts.put_caption(campaign, track, shard, counts, generation=generation)
