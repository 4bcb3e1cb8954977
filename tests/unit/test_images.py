import io

import pytest
from PIL import Image, ImageFile

import builders
from sa1b_captions.caption import images as images_module
from sa1b_captions.caption.images import ShardReader, UndecodableImageError, decode_jpeg
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.storage import FileStore

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
    assert {image.image_id: reader.read(image) for image in index} == jpegs
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
    assert {image.image_id: reader.read(image) for image in index} == jpegs
    assert store.reads > 1
