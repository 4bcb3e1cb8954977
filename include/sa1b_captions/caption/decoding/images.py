"""JPEG bytes of a shard, fetched in few large reads, and their bounded decoding."""

import io
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import xxhash

from sa1b_captions import layout
from sa1b_captions.caption.decoding.jpeg_damage import has_hole, without_oddities
from sa1b_captions.caption.decoding.jpeg_segments import APP1, header_segments
from sa1b_captions.caption.sampling import IndexedImage, Sample
from sa1b_captions.errors import MissingKeyError, RetryableError
from sa1b_captions.generations import FIRST
from sa1b_captions.remedies import damaged
from sa1b_captions.storage import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_PIXELS = 64_000_000
"""Largest image that is decoded. SA-1B's short side is 1500; 64 MP leaves room for 1:28."""

READ_BYTES = 8 * 1024 * 1024
"""Aim of one ranged read: about eight images, so that a request's latency is shared."""

_GAP_BYTES = 256 * 1024


class UndecodableImageError(ValueError):
    """The bytes are not one whole JPEG within bounds. Not retryable: the bytes will not change."""


def decode_jpeg(data: bytes) -> "Image":
    """Decode one JPEG to RGB, to the same pixels as Pillow for a quarter less CPU.

    Pixels come as they are stored: an EXIF orientation turns nothing.

    Raises UndecodableImageError: not a JPEG, cut short, damaged, or more than MAX_PIXELS.
    """
    from PIL import Image, ImageFile

    # lmdeploy switches this on for the whole process when imported; half-grey images would pass.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UndecodableImageError(
                    f"{image.width}x{image.height} pixels is over the limit of {MAX_PIXELS}"
                )
            pixels = _decode_strictly(data, _COLOUR_SPACES.get(image.mode, "GRAY"))
            if image.mode == "RGB" and pixels is not None:
                return _wrapped(pixels)
            image.load()
            return image.convert("RGB")
    except UndecodableImageError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UndecodableImageError(f"not a whole JPEG: {error}") from error


_COLOUR_SPACES = {"RGB": "RGBX", "CMYK": "CMYK"}
"""Pillow's name to libjpeg-turbo's: RGBX are Pillow's own four bytes a pixel."""


def _decode_strictly(data: bytes, colour_space: str) -> "NDArray[np.uint8] | None":
    """Pixels (height, width, channels) of a flawless JPEG; None if it is for Pillow to judge.

    Pillow takes any warning of libjpeg's for nothing, even that a third of the image is missing.

    Raises UndecodableImageError: pixels are missing, or are not what an encoder wrote.
    """
    import simplejpeg

    pixels: NDArray[np.uint8] | None = None
    try:
        pixels = simplejpeg.decode_jpeg(data, colour_space, strict=True)
    except ValueError:
        try:
            simplejpeg.decode_jpeg(data, colour_space, strict=False)
        except ValueError:
            return None
        data = without_oddities(data)
        try:
            simplejpeg.decode_jpeg(data, colour_space, strict=True)
        except ValueError as damage:
            raise UndecodableImageError(f"not a whole JPEG: {damage}") from None
    if has_hole(data):
        raise UndecodableImageError("not a whole JPEG: a hole of zeros in its pixels")
    return pixels


def _wrapped(pixels: "NDArray[np.uint8]") -> "Image":
    """Image of (height, width, 4) RGBX, taken over without a copy.

    `Image.open(...).convert("RGB")` makes two.
    """
    import pyarrow as pa
    from PIL import Image

    height, width, _ = pixels.shape
    cells = pa.FixedSizeListArray.from_arrays(pa.array(pixels.reshape(-1)), 4)
    return Image.fromarrow(cells, "RGB", (width, height))


def without_orientation(jpeg: bytes) -> bytes:
    """The JPEG without the EXIF and XMP data that may ask to turn its pixels.

    Servers differ in whether they obey; every engine is to see the pixels that are stored, which
    the index, SA-1B's annotations and the releases' width and height are about.
    """
    spans = [(s.start, s.end) for s in header_segments(jpeg) if s.marker == APP1]
    if not spans:
        return jpeg
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(jpeg)]
    return b"".join(jpeg[start:end] for start, end in zip(starts, ends, strict=True))


@dataclass(slots=True)
class _Segment:
    """A run of neighbouring images that one read fetches."""

    offset: int
    end: int
    uses: int = 0
    data: bytes | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class ShardReader:
    """Reads the JPEGs of the samples it was made for. Thread-safe.

    Samples of one image come in archive order: neighbours share a read, whose bytes are kept until
    the last of them has it. A sample of several images has them from all over the archive, and
    each comes by itself. So memory follows the samples in flight, not the shard.
    """

    def __init__(
        self, store: Store, shard: str, samples: Sequence[Sample], generation: str = FIRST
    ) -> None:
        self._store = store
        self._key = layout.archive_key(shard, generation)
        self._segments = _segments(
            Counter(sample.images[0] for sample in samples if len(sample.images) == 1)
        )

    def read(self, sample: Sample) -> tuple[bytes, ...]:
        """A sample's JPEGs, in the order of its images.

        Raises:
            RetryableError: the store failed, or the archive was there and is gone.
            PermanentError: the archive is shorter than the index says, or has other bytes.
        """
        if len(sample.images) == 1:
            jpegs = [self._read_shared(sample.images[0])]
        else:
            jpegs = [self._read(image.offset, image.size) for image in sample.images]
        for image, jpeg in zip(sample.images, jpegs, strict=True):
            if image.jpeg_xxh3 not in (None, xxhash.xxh3_128_hexdigest(jpeg)):
                why = f"the bytes of {image.file_name} are not those that its index names"
                raise damaged(self._store.locate(self._key), self._key, why)
        return tuple(jpegs)

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return self._store.read_range(self._key, offset, size)
        except MissingKeyError as error:
            raise RetryableError(
                f"{error} any more: the shard was ingested again, or dropped; run it again"
            ) from None

    def _read_shared(self, image: IndexedImage) -> bytes:
        segment = self._segments[image.image_id]
        with segment.lock:
            if segment.data is None:
                size = segment.end - segment.offset
                segment.data = self._read(segment.offset, size)
            start = image.offset - segment.offset
            data = segment.data[start : start + image.size]
            segment.uses -= 1
            if segment.uses == 0:
                segment.data = None
        return data


def _segments(uses: "Counter[IndexedImage]") -> dict[int, _Segment]:
    """Group images into reads of about READ_BYTES over gaps of at most _GAP_BYTES."""
    segments: dict[int, _Segment] = {}
    current: _Segment | None = None
    for image in sorted(uses, key=lambda image: image.offset):
        end = image.offset + image.size
        if (
            current is None
            or image.offset - current.end > _GAP_BYTES
            or end - current.offset > READ_BYTES
        ):
            current = _Segment(image.offset, end)
        current.end = max(current.end, end)
        current.uses += uses[image]
        segments[image.image_id] = current
    return segments
