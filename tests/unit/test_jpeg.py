import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sa1b_captions.ingest.repacking.jpeg import read_jpeg_header
from tests.support import builders

JPEG = builders.make_jpeg(1)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 700), st.binary(max_size=12), st.integers(0, len(JPEG)))
def test_jpeg_headers_of_any_bytes_are_read_or_refused(at, new, cut):
    data = JPEG[:at] + new + JPEG[at + len(new) :]
    header = read_jpeg_header(data[: len(data) - cut])
    assert header is None or (0 <= header.width <= 65_535 and 0 <= header.height <= 65_535)


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({}, "RGB"),
        ({"progressive": True}, "RGB"),
        ({"optimize": True, "restart_marker_blocks": 1}, "RGB"),
        ({"comment": b"\xff\xd9\xff\xda", "dpi": (72, 72)}, "RGB"),
        ({"icc_profile": b"i" * 200_000}, "RGB"),
        ({}, "L"),
        ({}, "CMYK"),
    ],
    ids=["plain", "progressive", "restarts", "comment", "profile", "grey", "cmyk"],
)
def test_jpeg_headers_agree_with_pillow(options, mode):
    buffer = io.BytesIO()
    Image.new(mode, (123, 77)).save(buffer, "JPEG", **options)
    header = read_jpeg_header(buffer.getvalue())
    assert (header.width, header.height, header.frames, header.is_whole) == (123, 77, 1, True)
    assert not read_jpeg_header(buffer.getvalue()[:-2]).is_whole


def test_multi_picture_files_are_counted_as_pillow_counts_them():
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "blue", "green")]
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:])
    assert read_jpeg_header(buffer.getvalue()).frames == 3
