"""JPEGs that decode to something else than the photograph are refused; good ones never are.

The shares that the module's limits rest on are in docs/dataset.md.
"""

import functools
import io
import random

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageOps

from sa1b_captions.caption.decoding.images import (
    UndecodableImageError,
    decode_jpeg,
    without_orientation,
)
from sa1b_captions.caption.decoding.jpeg_segments import SOS, all_segments


def make_image(mode="RGB", size=(333, 257)):
    return _noise(size).convert(mode)


@functools.cache
def _noise(size, grain=12):
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    noisy = smooth + rng.integers(-grain, grain + 1, smooth.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def encode(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


ENCODERS = {
    "plain": lambda image: encode(image, quality=85),
    "fine": lambda image: encode(image, quality=98, subsampling=0),
    "coarse": lambda image: encode(image, quality=20),
    "optimised": lambda image: encode(image, quality=85, optimize=True),
    "progressive": lambda image: encode(image, quality=85, progressive=True),
    "restarts": lambda image: encode(image, quality=85, restart_marker_rows=1),
    "many-restarts": lambda image: encode(image, quality=85, restart_marker_blocks=3),
}
JPEGS = {
    f"{name}-{mode}": encoder(make_image(mode))
    for name, encoder in ENCODERS.items()
    for mode in ("RGB", "L", "CMYK")
} | {
    f"turbo-{subsampling}": simplejpeg.encode_jpeg(
        np.ascontiguousarray(make_image()), 85, "RGB", subsampling
    )
    for subsampling in ("444", "422", "420", "440", "411")
}


def pixel_span(jpeg):
    """Offsets of the first and after the last byte of the largest scan."""
    scans = [segment for segment in all_segments(jpeg) if segment.marker == SOS]
    largest = max(scans, key=lambda segment: len(segment.data))
    return largest.end, largest.end + len(largest.data)


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_without_a_third_of_its_pixels_is_refused(name):
    jpeg = JPEGS[name]
    start, end = pixel_span(jpeg)
    third = (end - start) // 3
    for at in (start + 7, start + third, end - third):
        with pytest.raises(UndecodableImageError, match="not a whole JPEG"):
            decode_jpeg(jpeg[:at] + jpeg[at + third :])


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("share", [0.05, 0.33, 0.7])
def test_a_jpeg_with_a_hole_of_zeros_is_refused(name, share):
    jpeg = JPEGS[name]
    start, end = pixel_span(jpeg)
    size = int((end - start) * share)
    for at in (start + 7, (start + end - size) // 2, end - size):
        with pytest.raises(UndecodableImageError, match="not a whole JPEG"):
            decode_jpeg(jpeg[:at] + bytes(size) + jpeg[at + size :])


@pytest.mark.parametrize("name", ["plain-RGB", "fine-RGB", "turbo-420", "optimised-RGB"])
def test_small_holes_are_refused_wherever_they_are(name):
    jpeg = JPEGS[name]
    start, end = pixel_span(jpeg)
    rng = random.Random(3)
    for size in (64, 512):
        for _ in range(20):
            at = rng.randrange(start, end - size)
            with pytest.raises(UndecodableImageError, match="not a whole JPEG"):
                decode_jpeg(jpeg[:at] + bytes(size) + jpeg[at + size :])


def changed(jpeg, at, new):
    return jpeg[:at] + new + jpeg[at + len(new) :]


PLAIN, PROGRESSIVE = JPEGS["plain-RGB"], JPEGS["progressive-RGB"]
SCAN_END = PLAIN.index(b"\xff\xda") + 2 + PLAIN[PLAIN.index(b"\xff\xda") + 3]
HARMLESS = {
    "nothing": PLAIN,
    "bytes-after-the-end": PLAIN + b"\0" * 900 + PLAIN,
    "odd-version": changed(PLAIN, PLAIN.index(b"JFIF\0") + 5, b"\x09"),
    "odd-scan-fields": changed(PLAIN, SCAN_END - 3, b"\x00\x3f\x01"),
    "broken-profile": PLAIN[:2] + b"\xff\xe2\x00\x10ICC_PROFILE\0\x05\x01" + PLAIN[2:],
    "padding": PLAIN[:-2] + bytes(12) + PLAIN[-2:],
    "padding-progressive": PROGRESSIVE[:-2] + bytes(12) + PROGRESSIVE[-2:],
    "fill-bytes": PLAIN[:-2] + b"\xff" * 300 + PLAIN[-2:],
    "zeros-in-a-profile": encode(
        make_image(), quality=85, icc_profile=bytes(5000), exif=b"Exif\0\0" + bytes(900)
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_costs_no_pixel_is_no_damage(name):
    sound = PROGRESSIVE if "progressive" in name else PLAIN
    assert decode_jpeg(HARMLESS[name]).tobytes() == decode_jpeg(sound).tobytes()


@pytest.mark.parametrize("colour", ["black", "white", "gray", "#37a"])
@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_flat_area_is_no_hole(name, colour, mode):
    for image in (Image.new("RGB", (300, 200), colour), make_image(size=(300, 200))):
        image.paste(Image.new("RGB", (300, 90), colour))
        image = image.convert(mode)
        assert decode_jpeg(ENCODERS[name](image)).size == (300, 200)


ROTATIONS = {
    "exif": {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"},
    "xmp": {"xmp": b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>'},
}


@pytest.mark.parametrize("options", ROTATIONS.values(), ids=ROTATIONS)
def test_what_engines_are_sent_has_the_pixels_of_the_index_for_every_viewer(options):
    jpeg = encode(make_image(), quality=85, icc_profile=b"profile", comment=b"kept", **options)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert ImageOps.exif_transpose(image).size == (257, 333)
    shown = without_orientation(jpeg)
    with Image.open(io.BytesIO(shown)) as image:
        turned = ImageOps.exif_transpose(image)
        assert turned.tobytes() == decode_jpeg(jpeg).tobytes()
        assert turned.size == decode_jpeg(jpeg).size == (333, 257)
        assert (image.info["icc_profile"], image.info["comment"]) == (b"profile", b"kept")


def test_a_jpeg_that_asks_for_nothing_is_sent_as_it_is():
    assert without_orientation(PLAIN) is PLAIN
