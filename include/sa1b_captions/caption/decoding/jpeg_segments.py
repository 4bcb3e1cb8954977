"""The marker segments of a JPEG (ITU-T T.81, annex B), whatever lies between or after them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF0, SOF1, DHT, SOS, APP0, APP1, APP15, COM = 0xC0, 0xC1, 0xC4, 0xDA, 0xE0, 0xE1, 0xEF, 0xFE

_MARKER = re.compile(rb"\xff+([\x02-\xcf\xd8-\xfe])")
"""In scan data 0xff is followed by zero, by a restart marker or by what ends the scan."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker with its payload; what a start of scan begins belongs to it."""

    marker: int
    start: int
    """Offset of the marker."""
    end: int
    """Offset after the payload."""
    payload: bytes
    data: bytes = b""
    """Entropy-coded data."""


def header_segments(jpeg: bytes) -> Iterator[Segment]:
    """Segments before the first scan."""
    position = len(SOI)
    while (found := _next(jpeg, position)) is not None and found.marker != SOS:
        yield found
        position = found.end


def all_segments(jpeg: bytes) -> Iterator[Segment]:
    """Segments up to the end of the image."""
    position = len(SOI)
    while (found := _next(jpeg, position)) is not None:
        position = found.end
        if found.marker == SOS:
            following = _MARKER.search(jpeg, found.end)
            position = following.start() if following else len(jpeg)
        data = jpeg[found.end : position]
        yield Segment(found.marker, found.start, found.end, found.payload, data)


def _next(jpeg: bytes, position: int) -> Segment | None:
    while (found := _MARKER.search(jpeg, position)) is not None:
        position = found.end()
        if found[1] == EOI[1:]:
            return None
        if found[1] != SOI[1:]:
            start = position + 2
            end = position + max(int.from_bytes(jpeg[position:start], "big"), 2)
            return Segment(found[1][0], found.end() - 2, end, jpeg[start:end])
    return None
