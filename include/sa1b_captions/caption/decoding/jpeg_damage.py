"""Signs in a JPEG's bytes that its pixels are not the original's, though it decodes.

libjpeg fills with grey what is missing, and warns. All its warnings count here, but for those of
oddities that cost no pixel; and so do zeros that no encoder writes, since now and then a decoder
comes out of them in step.
"""

from sa1b_captions.caption.decoding.jpeg_segments import (
    APP0,
    APP15,
    COM,
    DHT,
    EOI,
    SOF0,
    SOF1,
    SOI,
    SOS,
    all_segments,
)

_ZEROS = bytes(16)
"""128 bits: more than any block but a flat one has in a row."""
_MAX_PADDING = 16
"""Bytes between the last block and the end marker that cameras are known to leave."""
_KEPT_PADDING = 2
"""Of them: they may be the last block's, and a decoder reads that far ahead without a warning."""


def without_oddities(jpeg: bytes) -> bytes:
    """The same scans without what decoders warn of in vain: only for a look at the warnings.

    Profiles, comments, bytes between segments and padding are left out; the fields that a
    sequential scan has no use for are set as they should be.
    """
    parts = [SOI]
    sequential = False
    for segment in all_segments(jpeg):
        payload = segment.payload
        if APP0 <= segment.marker <= APP15 or segment.marker == COM:
            continue
        sequential = sequential or segment.marker in (SOF0, SOF1)
        if segment.marker == SOS and sequential:
            payload = payload[:-3] + b"\x00\x3f\x00"
        head = bytes([0xFF, segment.marker]) + (len(payload) + 2).to_bytes(2, "big")
        parts += [head, payload, segment.data]
    parts[-1] = _without_padding(parts[-1])
    return b"".join([*parts, EOI])


def _without_padding(data: bytes) -> bytes:
    bare_bytes = len(data.rstrip(b"\x00\xff"))
    return data[: bare_bytes + _KEPT_PADDING] if len(data) - bare_bytes <= _MAX_PADDING else data


def has_hole(jpeg: bytes) -> bool:
    """Whether a scan holds zeros that no encoder writes.

    The shortest code of a table is all zeros. Where it does not stand for "no change" or "nothing
    more in this block", zeros in a row stand for blocks of equal large coefficients.
    """
    if jpeg.find(_ZEROS, max(jpeg.find(b"\xff\xda"), 0)) < 0:
        return False
    first: dict[int, int] = {}
    for segment in all_segments(jpeg):
        if segment.marker == DHT:
            first |= _first_symbols(segment.payload)
        elif (
            segment.marker == SOS
            and _ZEROS in segment.data
            and not _is_flat_in_zeros(segment.payload, first)
        ):
            return True
    return False


def _first_symbols(payload: bytes) -> dict[int, int]:
    """Table's class and number to the symbol whose code is all zeros."""
    found: dict[int, int] = {}
    while len(payload) > 17:
        found[payload[0]] = payload[17]
        payload = payload[17 + sum(payload[1:17]) :]
    return found


def _is_flat_in_zeros(scan: bytes, first: dict[int, int]) -> bool:
    """Whether zero bits are what an encoder writes for a flat area, by a scan's header."""
    count = scan[0] if scan else 0
    if len(scan) < 4 + 2 * count:
        return True
    tables = scan[2 : 2 + 2 * count : 2]
    spectral_start, spectral_end, approximation = scan[1 + 2 * count : 4 + 2 * count]
    if spectral_start == 0 and approximation >> 4:
        return True  # one bit a block, the last of its brightness: none set is nothing odd
    dc = [] if spectral_start else [first.get(table >> 4, 0) for table in tables]
    ac = [first.get(0x10 | table & 0xF, 0) & 0xF for table in tables] if spectral_end else []
    return not any(dc) and not any(ac)
