"""Small archives as Meta ships SA-1B, with faults planted in them.

Each is a gzip-compressed tar named `.tar`, flat, with one `./sa_N.jpg` and one `./sa_N.json` per
image in random order. The same call makes the same bytes. `PLANTED` says which images are broken
or repeated.
"""

import gzip
import hashlib
import io
import json
import os
import random
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.annotations import annotation
from demo.photographs import CROPS, SHORT_SIDE_PX, Crop, photograph
from demo.workspace import SHARDS as NAMES

_SEED = 20240921
_IMAGES = 11_187
"""Image ids of a shard of SA-1B: each begins so many behind the one before."""
_FORMAT = 1
"""Raise it when the same plan would give other bytes."""
_KEPT_OF_TRUNCATED = 0.4
"""Share of the broken JPEG's bytes that stay: the header reads, the pixels do not."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One image of an archive."""

    image_id: int
    crop: Crop
    truncated: bool = False
    """Whether its JPEG ends early."""


@dataclass(frozen=True, slots=True)
class Planted:
    """Image ids of what is wrong in the archives, for tests and the demo's summary."""

    truncated: int
    """In shard 0: the header reads, decoding fails."""
    repeated: tuple[int, int]
    """In shard 0: two ids with the same bytes, ascending."""
    repeated_across: tuple[int, int]
    """The same bytes in shard 0 and in shard 1."""


def _ascending(rng: random.Random, first: int, count: int) -> list[int]:
    """So many ids from `first` on, with a gap here and there."""
    ids = [first]
    while len(ids) < count:
        ids.append(ids[-1] + rng.choice((1, 1, 1, 2, 3)))
    return ids


def plan_archives(seed: int = _SEED) -> tuple[tuple[tuple[Planned, ...], ...], Planted]:
    """Which crop gets which id, per shard and by ascending id, and what is planted among them."""
    rng = random.Random(seed)
    # Dealt like cards, so that each shard has crops of most sources.
    crops = [list(CROPS[number :: len(NAMES)]) for number in range(len(NAMES))]
    for shard in crops:
        rng.shuffle(shard)
    broken, original, travelling = 4, 2, 7
    crops[0].insert(17, crops[0][original])
    copy_place, twin_place = 17, 11
    crops[1].insert(twin_place, crops[0][travelling])
    ids = [_ascending(rng, 1 + number * _IMAGES, len(shard)) for number, shard in enumerate(crops)]
    shards = tuple(
        tuple(
            Planned(image_id, crop, truncated=shard == 0 and place == broken)
            for place, (image_id, crop) in enumerate(zip(ids[shard], crops[shard], strict=True))
        )
        for shard in range(len(crops))
    )
    planted = Planted(
        truncated=ids[0][broken],
        repeated=(ids[0][original], ids[0][copy_place]),
        repeated_across=(ids[0][travelling], ids[1][twin_place]),
    )
    return shards, planted


SHARDS, PLANTED = plan_archives()


def build_archives(folder: Path, *, short_side_px: int = SHORT_SIDE_PX) -> list[Path]:
    """Write `sa_000000.tar` and those behind it into a folder, unless this plan's are there.

    Each file appears whole under its name or not at all. Takes a few seconds on two cores.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.tar" for name in NAMES]
    receipt = folder / "archives.json"
    wanted = json.dumps({"plan": _plan_digest(short_side_px), "files": [p.name for p in paths]})
    if receipt.exists() and receipt.read_text() == wanted and all(p.exists() for p in paths):
        return paths
    receipt.unlink(missing_ok=True)
    crops = list(dict.fromkeys(planned.crop for shard in SHARDS for planned in shard))
    # Pillow and zlib release the interpreter lock, so threads are enough.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jpegs = dict(
            zip(crops, pool.map(lambda crop: photograph(crop, short_side_px), crops), strict=True)
        )
        archives = pool.map(lambda shard: _archive(shard, jpegs, short_side_px), SHARDS)
        for path, content in zip(paths, archives, strict=True):
            _write_whole(path, content)
    _write_whole(receipt, wanted.encode())
    return paths


def _archive(shard: tuple[Planned, ...], jpegs: dict[Crop, bytes], short_side_px: int) -> bytes:
    members: list[tuple[str, bytes]] = []
    for planned in shard:
        jpeg = jpegs[planned.crop]
        if planned.truncated:
            jpeg = jpeg[: int(len(jpeg) * _KEPT_OF_TRUNCATED)]
        size = planned.crop.size(short_side_px)
        members.append((f"./sa_{planned.image_id}.jpg", jpeg))
        members.append((f"./sa_{planned.image_id}.json", annotation(planned.image_id, size)))
    random.Random(_SEED + shard[0].image_id).shuffle(members)
    buffer = io.BytesIO()
    # The JPEGs do not compress; level 1 only makes the file what Meta's are.
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=buffer, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _plan_digest(short_side_px: int) -> str:
    plan = [[asdict(planned) for planned in shard] for shard in SHARDS]
    return hashlib.sha256(json.dumps([_FORMAT, short_side_px, plan]).encode()).hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
