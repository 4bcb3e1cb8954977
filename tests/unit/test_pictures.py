import io

import pytest
from PIL import Image

from sa1b_captions import layout
from sa1b_captions.quality.browse import pictures
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.storage import FileStore
from tests.support import builders


@pytest.fixture
def store(tmp_path):
    store = FileStore(tmp_path)
    jpegs = {7: builders.make_jpeg(7, (400, 300)), 9: builders.make_jpeg(9)[:100]}
    builders.put_shard(store, "sa_000000", jpegs)
    return store


def test_a_photograph_is_read_by_range_and_made_small(store, monkeypatch):
    ranges = []
    read = store.read_range
    monkeypatch.setattr(
        store, "read_range", lambda key, *place: ranges.append((key, *place)) or read(key, *place)
    )
    made = pictures.Pictures(store)
    jpeg = made.jpeg("sa_000000", 7, 160)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.size == (160, 120)
    assert made.jpeg("sa_000000", 7, 160) is jpeg
    assert [key for key, *_ in ranges] == [layout.archive_key("sa_000000")]


@pytest.mark.parametrize(("shard", "image_id"), [("sa_000000", 9), ("sa_000000", 8), ("sa_1", 7)])
def test_what_cannot_be_shown_is_nothing(store, shard, image_id):
    assert pictures.Pictures(store).jpeg(shard, image_id, 160) is None


def test_no_photograph_is_read_beyond_its_bound(store, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_JPEG_BYTES", 10)
    assert pictures.Pictures(store).jpeg("sa_000000", 7, 160) is None


def test_a_memory_lets_go_of_what_nobody_asked_for_longest():
    memory = Bounded(10, len)
    for key in "abc":
        memory.get(key, lambda key=key: key * 4)
        memory.get("a", lambda: "again")
    assert memory.get("b", lambda: "new") == "new"
    assert memory.get("a", lambda: "new") == "aaaa"
