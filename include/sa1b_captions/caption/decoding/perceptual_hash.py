"""Hashes of an image: one of its bytes, and one of its look that survives recompression.

They are taken while an image is in memory for captioning, so that finding the same one under
two ids never opens an archive again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xxhash

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class ImageHashes:
    """What tells an image from others. Both are the signed readings of 64 bits."""

    jpeg_xxh3: int
    """xxh3-64 of the JPEG."""
    dhash: int
    """Difference hash: whether each cell of 8 x 8 is darker than its right neighbour."""


def hash_image(jpeg: bytes, image: "Image") -> ImageHashes:
    """Hash a JPEG and its decoded RGB pixels; 3 ms at SA-1B's size."""
    jpeg_hash = int(np.uint64(xxhash.xxh3_64_intdigest(jpeg)).view(np.int64))
    return ImageHashes(jpeg_hash, difference_hash(image))


def difference_hash(image: "Image") -> int:
    """Difference hash of RGB pixels, rows from the top, cells from the left, first bit highest."""
    from PIL.Image import Resampling

    # Boxes, for every pixel counts; `reducing_gap` sums most of them by whole numbers first.
    cells = image.resize((9, 8), Resampling.BOX, reducing_gap=1.0).convert("L")
    grey = np.asarray(cells)
    bits = np.packbits(grey[:, 1:] > grey[:, :-1])
    return int(bits.view(">i8")[0])
