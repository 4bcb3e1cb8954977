"""Builds an archive of any size that costs what SA-1B's cost: gzip of JPEGs and mask texts.

Images of SA-1B's size (about 0.9 MB) and annotations (about 80 KB) repeat after `DISTINCT`
members, farther apart than gzip looks back. Each is deflated once and reused, so a gigabyte takes
seconds to build.
"""

import functools
import io
import json
import random
import tarfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

DISTINCT = 12
SIZE = (2250, 1500)
_MASKS = 100


def build_archive(path: Path, target_bytes: int) -> int:
    """Write a gzip-compressed tar of about so many bytes; returns the number of images."""
    jpegs = [_segment(made_up_jpeg(seed)) for seed in range(DISTINCT)]
    images = 0
    crc, plain_bytes = 0, 0
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")

        def add(data: bytes, deflated: bytes) -> None:
            nonlocal crc, plain_bytes
            crc, plain_bytes = zlib.crc32(data, crc), plain_bytes + len(data)
            file.write(deflated)

        while file.tell() < target_bytes:
            images += 1
            for kind, (data, deflated) in (
                ("jpg", jpegs[images % DISTINCT]),
                ("json", _segment(_annotation(images))),
            ):
                header = tarfile.TarInfo(f"./sa_{images}.{kind}")
                header.size = len(data)
                block = header.tobuf(tarfile.USTAR_FORMAT)
                padding = bytes(-len(data) % tarfile.BLOCKSIZE)
                add(block, _deflate(block))
                add(data, deflated)
                add(padding, _deflate(padding))
        end = bytes(2 * tarfile.BLOCKSIZE)
        add(end, _deflate(end, last=True))
        file.write(crc.to_bytes(4, "little") + (plain_bytes % 2**32).to_bytes(4, "little"))
    return images


def _segment(data: bytes) -> tuple[bytes, bytes]:
    return data, _deflate(data)


def _deflate(data: bytes, *, last: bool = False) -> bytes:
    """Raw deflate blocks that stand alone, at gzip's usual level."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush(
        zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH
    )


def made_up_jpeg(seed: int) -> bytes:
    """A JPEG of SA-1B's size: smooth shapes under grain."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small, "RGB").resize(SIZE, Image.Resampling.BICUBIC))
    grain = rng.normal(0, 9, smooth.shape[:2])[..., None]
    pixels = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def _annotation(image_id: int) -> bytes:
    """SA-1B's JSON for one image, masks included."""
    image = {
        "image_id": image_id,
        "width": SIZE[0],
        "height": SIZE[1],
        "file_name": f"sa_{image_id}.jpg",
    }
    masks = _masks(image_id % DISTINCT)
    return f'{{"image": {json.dumps(image)}, "annotations": {masks}}}'.encode()


@functools.cache
def _masks(seed: int) -> str:
    rng = random.Random(seed)
    masks = [
        {
            "bbox": [rng.uniform(0, 2000) for _ in range(4)],
            "area": rng.randrange(10**6),
            "segmentation": {
                "size": [SIZE[1], SIZE[0]],
                "counts": "".join(rng.choices("0123456789OPQRabcdefghijklmno", k=560)),
            },
            "predicted_iou": rng.random(),
            "stability_score": rng.random(),
            "id": rng.randrange(10**9),
        }
        for _ in range(_MASKS)
    ]
    return json.dumps(masks)
