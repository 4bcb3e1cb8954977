"""What the headers of a JPEG say, without decoding a pixel.

Reads marker segments (ITU-T T.81, annex B) up to the first scan. Lenient where decoders are:
stray bytes between segments and after the end do no harm.
"""

import struct
from dataclasses import dataclass

_SOI = b"\xff\xd8"
_EOI = b"\xff\xd9"
_SOS = 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9), 0xFF})
_APP2 = 0xE2
_MP_SIGNATURE = b"MPF\0"
_MP_IMAGE_COUNT = 0xB001


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """Facts of one JPEG."""

    width: int
    """Pixels as stored, before any EXIF rotation."""
    height: int
    frames: int
    """Images in the file: more than one in a multi-picture file."""
    is_whole: bool
    """Whether an end marker follows the first scan."""


def read_jpeg_header(data: bytes) -> JpegHeader | None:
    """Read the header of a JPEG.

    Width and height are 0 when the data ends before the frame header. None when the data does not
    begin as a JPEG, or has a scan without a frame.
    """
    if not data.startswith(_SOI):
        return None
    width = height = 0
    frames = 1
    position = len(_SOI)
    while (segment := _segment(data, position)) is not None:
        marker, start, end = segment
        if marker == _SOS:
            is_whole = data.rfind(_EOI, end) >= 0
            return JpegHeader(width, height, frames, is_whole) if width or height else None
        if marker in _FRAMES and not (width or height) and end - start >= 5:
            height, width = struct.unpack_from(">HH", data, start + 1)
        elif marker == _APP2 and data.startswith(_MP_SIGNATURE, start):
            frames = _mp_image_count(data[start + len(_MP_SIGNATURE) : end])
        position = end
    return JpegHeader(width, height, frames, is_whole=False)


def _segment(data: bytes, position: int) -> tuple[int, int, int] | None:
    """Marker, payload start and end of the next segment; None when the data ends before."""
    while (position := data.find(b"\xff", position)) >= 0 and position + 4 <= len(data):
        marker = data[position + 1]
        if marker == _EOI[1]:
            return None
        if marker in _STANDALONE:
            position += 1
            continue
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        end = position + 2 + max(size, 2)
        return (marker, position + 4, end) if end <= len(data) else None
    return None


def _mp_image_count(data: bytes) -> int:
    """Number of images in a multi-picture index, a small TIFF directory; 1 when unreadable."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, offset)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(f"{order}HHII", data, offset + 2 + 12 * entry)
            if tag == _MP_IMAGE_COUNT:
                return int(value)
    except struct.error:
        return 1
    return 1
