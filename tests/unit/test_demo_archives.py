import gzip
import hashlib
import io
import itertools
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from demo.archives import PLANTED, SHARDS, build_archives
from demo.photographs import CROPS, SOURCES, photograph

SHORT_SIDE_PX = 60


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return build_archives(tmp_path_factory.mktemp("demo"), short_side_px=SHORT_SIDE_PX)


@pytest.fixture(scope="module")
def members(archives):
    """Content by name, in archive order, for each shard."""
    shards = []
    for path in archives:
        with tarfile.open(path, "r:gz") as tar:
            shards.append({m.name: tar.extractfile(m).read() for m in tar.getmembers()})
    return shards


def test_archives_are_gzip_named_tar_with_at_least_20_images_each(archives, members):
    assert [path.name for path in archives] == [f"sa_{number:06d}.tar" for number in range(5)]
    for path, shard in zip(archives, members, strict=True):
        assert path.read_bytes()[:2] == b"\x1f\x8b"
        images = [name for name in shard if name.endswith(".jpg")]
        assert len(images) >= 20
        assert {name.replace(".jpg", ".json") for name in images} == set(shard) - set(images)


def test_members_are_flat_and_in_no_order(members):
    for shard in members:
        names = list(shard)
        assert all(name.startswith("./sa_") and name.count("/") == 1 for name in names)
        assert names != sorted(names)
        stems = [name.rsplit(".", 1)[0] for name in names]
        apart = sum(a != b for a, b in zip(stems[::2], stems[1::2], strict=True))
        assert apart > len(stems) / 4


def test_image_ids_ascend_with_gaps_from_shard_to_shard():
    ids = [[planned.image_id for planned in shard] for shard in SHARDS]
    for shard in ids:
        assert shard == sorted(set(shard))
        assert shard[-1] - shard[0] >= len(shard)
    assert ids[0][0] == 1
    assert all(one[-1] < behind[0] for one, behind in itertools.pairwise(ids))


def test_the_same_call_makes_the_same_bytes(archives, tmp_path):
    again = build_archives(tmp_path / "again", short_side_px=SHORT_SIDE_PX)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in archives]


def test_short_side_is_exact_and_six_aspects_are_mixed(members):
    ratios = set()
    for shard in members:
        for name, content in shard.items():
            if name.endswith(".jpg"):
                with Image.open(io.BytesIO(content)) as image:
                    assert image.mode == "RGB"
                    assert min(image.size) == SHORT_SIDE_PX
                    ratios.add(round(image.width / image.height, 2))
    assert ratios == {1.5, 0.67, 1.33, 1.78, 1.0, 0.75}


def test_annotations_have_the_shape_of_sa1b(members):
    for shard in members:
        for name, content in shard.items():
            if not name.endswith(".json"):
                continue
            assert content.startswith(b'{"image": {"image_id"')
            record = json.loads(content)
            image = record["image"]
            assert name == f"./sa_{image['image_id']}.json"
            assert image["file_name"] == f"sa_{image['image_id']}.jpg"
            with Image.open(io.BytesIO(shard[f"./{image['file_name']}"])) as photo:
                assert photo.size == (image["width"], image["height"])
            for mask in record["annotations"]:
                pixels = _decode(mask["segmentation"])
                left, top, width, height = map(int, mask["bbox"])
                assert pixels.sum() == mask["area"] == width * height
                assert pixels[top : top + height, left : left + width].all()


def _decode(segmentation: dict) -> np.ndarray:
    """Pixels of COCO's compressed run lengths."""
    runs: list[int] = []
    value = shift = 0
    for character in segmentation["counts"]:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    height, width = segmentation["size"]
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


def test_exactly_one_photograph_is_cut_short_and_its_header_reads(members):
    broken = []
    for number, shard in enumerate(members):
        for name, content in shard.items():
            if name.endswith(".jpg"):
                image = Image.open(io.BytesIO(content))
                try:
                    image.load()
                except OSError:
                    broken.append((number, name))
    assert broken == [(0, f"./sa_{PLANTED.truncated}.jpg")]


def test_exactly_the_planted_photographs_repeat(members):
    by_content: dict[str, list[tuple[int, int]]] = {}
    for number, shard in enumerate(members):
        for name, content in shard.items():
            if name.endswith(".jpg"):
                digest = hashlib.sha256(content).hexdigest()
                by_content.setdefault(digest, []).append((number, int(name[5:-4])))
    repeats = sorted(sorted(places) for places in by_content.values() if len(places) > 1)
    here, across = PLANTED.repeated, PLANTED.repeated_across
    assert repeats == sorted([[(0, here[0]), (0, here[1])], [(0, across[0]), (1, across[1])]])


def test_built_archives_are_left_alone(archives):
    before = [path.stat().st_mtime_ns for path in archives]
    build_archives(archives[0].parent, short_side_px=SHORT_SIDE_PX)
    assert [path.stat().st_mtime_ns for path in archives] == before


def test_another_size_or_a_missing_archive_builds_again(tmp_path):
    small = build_archives(tmp_path, short_side_px=20)
    whole = small[1].read_bytes()
    small[1].unlink()
    assert build_archives(tmp_path, short_side_px=20)[1].read_bytes() == whole
    other = build_archives(tmp_path, short_side_px=24)
    assert other[1].read_bytes() != whole
    assert not list(tmp_path.glob("*.partial"))


def test_crops_differ_and_are_at_least_200_pixels_of_a_known_source():
    assert len(set(CROPS)) == len(CROPS) >= 100
    assert all(crop.short >= 200 and crop.source in SOURCES for crop in CROPS)
    assert len({photograph(crop, 24) for crop in CROPS}) == len(CROPS)


def test_gzip_stream_carries_no_time(archives):
    with gzip.open(archives[0]) as stream:
        stream.read(1)
        assert stream.mtime == 0
