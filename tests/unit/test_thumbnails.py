import base64
import io

import pytest
from PIL import Image

from sa1b_captions.quality.report.thumbnails import Thumbnails, make_thumbnail
from sa1b_captions.storage import FileStore
from tests.support import builders


def test_a_thumbnail_is_small_and_keeps_its_shape():
    small = make_thumbnail(builders.make_jpeg(1, (1500, 2250)))
    with Image.open(io.BytesIO(small)) as image:
        assert image.size == (213, 320)


@pytest.mark.parametrize("jpeg", [builders.make_jpeg(1, (600, 400))[:500], b"GIF89a", b""])
def test_a_broken_photograph_has_no_thumbnail(jpeg):
    assert make_thumbnail(jpeg) is None


def test_a_huge_photograph_is_not_decoded():
    jpeg = builders.make_jpeg(1, (96, 64))
    assert make_thumbnail(jpeg, max_pixels=96 * 64) is not None
    assert make_thumbnail(jpeg, max_pixels=96 * 64 - 1) is None


def test_thumbnails_are_data_addresses(tmp_path):
    store = FileStore(tmp_path)
    builders.put_shard(store, "sa_000000", {7: builders.make_jpeg(7)})
    thumbnails = Thumbnails(store)
    head, _, body = thumbnails.uri("sa_000000", 7).partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(body)[:2] == b"\xff\xd8"
    assert thumbnails.uri("sa_000000", 8) is None
    assert thumbnails.uri("sa_000001", 7) is None
