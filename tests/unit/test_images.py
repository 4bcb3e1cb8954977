import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from sa1b_captions.caption.decoding import images as images_module
from sa1b_captions.caption.decoding.images import ShardReader, UndecodableImageError, decode_jpeg
from sa1b_captions.caption.sampling import plan_track, read_index, work_order
from sa1b_captions.storage import FileStore
from tests.support import builders

RECIPE = builders.demo_recipe()


class CountingStore(FileStore):
    reads = 0

    def read_range(self, key, offset, size):
        self.reads += 1
        return super().read_range(key, offset, size)


def test_a_jpeg_decodes_to_rgb():
    image = decode_jpeg(builders.make_jpeg(size=(96, 64)))
    assert (image.mode, image.size) == ("RGB", (96, 64))


def test_a_truncated_jpeg_is_refused_even_after_lmdeploy_allowed_them(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    jpeg = builders.make_jpeg(size=(400, 300))
    with pytest.raises(UndecodableImageError, match="not a whole JPEG"):
        decode_jpeg(jpeg[: len(jpeg) // 2])


def encode(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def pillow_pixels(jpeg):
    """What the plainest use of Pillow makes of a JPEG; None when it refuses."""
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError):
        return None


def our_pixels(jpeg):
    try:
        return np.asarray(decode_jpeg(jpeg))
    except UndecodableImageError:
        return None


@st.composite
def images(draw):
    """Images of any small size, shape and grain, of each kind that JPEG knows."""
    size = draw(st.tuples(st.integers(1, 90), st.integers(1, 90)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    grain = rng.integers(-draw(st.integers(0, 90)), 91, smooth.shape)
    image = Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))
    return image.convert(draw(st.sampled_from(["RGB", "RGB", "L", "CMYK"])))


ROTATED = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
"""An orientation that viewers would apply and the index, like SA-1B, does not."""

ENCODINGS = st.fixed_dictionaries(
    {
        "quality": st.integers(1, 100),
        "progressive": st.booleans(),
        "optimize": st.booleans(),
        "subsampling": st.sampled_from([0, 1, 2]),
        "restart_marker_rows": st.sampled_from([0, 1]),
        "exif": st.sampled_from([b"", ROTATED]),
    }
)


@settings(deadline=None, max_examples=60)
@given(images(), ENCODINGS)
def test_pixels_are_pillows(image, options):
    jpeg = encode(image, **options)
    decoded = decode_jpeg(jpeg)
    assert (decoded.mode, decoded.size) == ("RGB", image.size)
    assert np.array_equal(np.asarray(decoded), pillow_pixels(jpeg))
    half = (max(1, image.width // 2), max(1, image.height // 2))
    with Image.open(io.BytesIO(jpeg)) as plain:
        assert decoded.resize(half).tobytes() == plain.convert("RGB").resize(half).tobytes()


@settings(deadline=None, max_examples=60)
@given(images(), ENCODINGS, st.data())
def test_a_cut_jpeg_is_refused_wherever_it_is_cut(image, options, data):
    jpeg = encode(image, **options)
    start_of_scan = jpeg.index(b"\xff\xda")
    end = len(jpeg) - 2  # what is missing after that is no pixel
    cut = data.draw(
        st.one_of(
            st.integers(0, start_of_scan),  # in the header
            st.integers(start_of_scan, end - 1),  # in the pixels
            st.just(end - 1),
        )
    )
    assert our_pixels(jpeg[:cut]) is None


@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning", "ignore:Tag data:UserWarning")
@settings(deadline=None, max_examples=60)
@given(images(), ENCODINGS, st.data())
def test_a_damaged_jpeg_is_refused_or_has_the_pixels_of_pillow(image, options, data):
    jpeg = bytearray(encode(image, **options))
    for _ in range(data.draw(st.integers(1, 4))):
        jpeg[data.draw(st.integers(0, len(jpeg) - 1))] = data.draw(st.integers(0, 255))
    ours, theirs = our_pixels(bytes(jpeg)), pillow_pixels(bytes(jpeg))
    assert ours is None or np.array_equal(ours, theirs)


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xd8\xff"])
def test_what_is_no_jpeg_is_refused(data):
    with pytest.raises(UndecodableImageError):
        decode_jpeg(data)


def test_a_png_under_a_jpeg_name_is_refused():
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    with pytest.raises(UndecodableImageError):
        decode_jpeg(buffer.getvalue())


def test_a_jpeg_over_the_pixel_bound_is_refused_before_decoding(monkeypatch):
    monkeypatch.setattr(images_module, "MAX_PIXELS", 100)
    with pytest.raises(UndecodableImageError, match="over the limit"):
        decode_jpeg(builders.make_jpeg(size=(96, 64)))


def test_neighbouring_images_come_in_one_read_and_are_forgotten_after_use(tmp_path):
    store = CountingStore(tmp_path)
    jpegs = {n: builders.make_jpeg(n) for n in range(1, 8)}
    builders.put_shard(store, "sa_000000", jpegs)
    index = read_index(store, "sa_000000")
    plan = plan_track(RECIPE, RECIPE.tracks["single_en"], "sa_000000", index)
    reader = ShardReader(store, "sa_000000", plan)
    assert {s.images[0].image_id: reader.read(s)[0] for s in plan} == jpegs
    assert store.reads == 1
    assert all(segment.data is None for segment in reader._segments.values())


def test_reads_stay_near_the_aimed_size(tmp_path, monkeypatch):
    monkeypatch.setattr(images_module, "READ_BYTES", 4096)
    store = CountingStore(tmp_path)
    jpegs = {n: builders.make_jpeg(n) for n in range(1, 8)}
    builders.put_shard(store, "sa_000000", jpegs)
    index = read_index(store, "sa_000000")
    plan = plan_track(RECIPE, RECIPE.tracks["single_en"], "sa_000000", index)
    reader = ShardReader(store, "sa_000000", plan)
    assert {s.images[0].image_id: reader.read(s)[0] for s in plan} == jpegs
    assert store.reads > 1


def test_bytes_held_follow_the_samples_in_flight_not_the_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(images_module, "READ_BYTES", 8192)
    store = CountingStore(tmp_path)
    builders.put_shard(store, "sa_000000", {n: builders.make_jpeg(n) for n in range(1, 80)})
    index = read_index(store, "sa_000000")
    plan = work_order(
        sample
        for track in RECIPE.tracks.values()
        for sample in plan_track(RECIPE, track, "sa_000000", index)
    )
    singles = [sample for sample in plan if len(sample.images) == 1]
    reader = ShardReader(store, "sa_000000", plan)
    archive_bytes = sum(image.size for image in index)
    most = 0
    for sample in singles:
        reader.read(sample)
        segments = {id(segment): segment for segment in reader._segments.values()}
        most = max(most, sum(len(s.data) for s in segments.values() if s.data is not None))
    assert 0 < most <= 8192
    assert store.reads <= 2 * archive_bytes / 8192 + 1
    assert archive_bytes > 5 * most
    store.reads = 0
    several = plan[len(singles) :]
    assert all(len(reader.read(sample)) == len(sample.images) for sample in several)
    assert store.reads == sum(len(sample.images) for sample in several) > 0
