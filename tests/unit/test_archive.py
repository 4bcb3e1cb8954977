import gzip
import io
import json
import struct
import tarfile
import tracemalloc

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import records
from sa1b_captions.errors import DamagedArchiveError
from sa1b_captions.ingest.repacking.archive import repack
from sa1b_captions.ingest.repacking.index import Repacked
from tests.support import builders
from tests.support.sample_archive import BODY, GZIP, MEMBERS, PLAIN, run

JPEG = builders.make_jpeg(1)
JSON = builders.annotation(1, (96, 64))


def run_members(*members: tuple[str, bytes]) -> Repacked:
    return run(builders.make_archive(members))[1]


def assert_good(plain: bytes, repacked: Repacked) -> None:
    """Index and tar agree with each other and with the three images of MEMBERS."""
    originals = {name.removeprefix("./"): data for name, data in MEMBERS if name.endswith("jpg")}
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
        written = {member.name: tar.extractfile(member).read() for member in tar}
    assert written == originals
    assert repacked.index.schema == records.INDEX_SCHEMA
    rows = repacked.index.to_pylist()
    assert [row["file_name"] for row in rows] == list(written)
    for row in rows:
        jpeg = plain[row["offset"] : row["offset"] + row["size"]]
        assert jpeg == originals[f"sa_{row['image_id']}.jpg"]
        assert row["jpeg_xxh3"] == xxhash.xxh3_128_hexdigest(jpeg)
        assert (row["width"], row["height"], row["problem"]) == (96, 64, None)
    assert (repacked.problems, repacked.annotations_without_image) == ({}, 0)
    assert repacked.archive_bytes == len(plain)
    assert len(plain) % tarfile.RECORDSIZE == 0


@pytest.mark.parametrize("prefix", ["./", "", "sa_000000/", "images/deep/"])
@pytest.mark.parametrize("compress", [True, False])
def test_every_layout_of_the_archive_is_read(prefix, compress):
    members = [(name.replace("./", prefix), data) for name, data in MEMBERS]
    plain, repacked = run(builders.make_archive(members, compress=compress, shuffle_seed=3))
    assert_good(plain, repacked)
    assert repacked.warnings == []


def test_images_keep_the_order_of_the_archive():
    _, repacked = run(GZIP)
    with tarfile.open(fileobj=io.BytesIO(PLAIN)) as tar:
        names = [name.removeprefix("./") for name in tar.getnames() if name.endswith(".jpg")]
    assert repacked.index.column("file_name").to_pylist() == names


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 20_000), st.booleans())
def test_the_size_of_the_pieces_does_not_matter(piece_bytes, compress):
    plain, repacked = run(GZIP if compress else PLAIN, piece_bytes)
    assert_good(plain, repacked)


def test_the_plain_tar_depends_on_the_images_only():
    assert run(GZIP)[0] == run(PLAIN)[0]


@pytest.mark.parametrize(
    ("archive", "warnings"),
    [
        (gzip.compress(PLAIN[:5_000]) + gzip.compress(PLAIN[5_000:]), []),
        (gzip.compress(PLAIN[:5_000]) + bytes(700) + gzip.compress(PLAIN[5_000:]), []),
        (GZIP + bytes(5_000), []),
        (GZIP + b"garbage", ["passed over 7 bytes after the end of the gzip data"]),
        (GZIP + b"\x1f", ["passed over 1 byte after the end of the gzip data"]),
        (BODY + bytes(1024), []),
        (BODY + bytes(512), ["the tar ends with one empty block instead of two"]),
        (PLAIN + bytes(300_000), []),
    ],
    ids=["members", "gap", "zeros", "garbage", "half-magic", "end", "lone-end", "long-end"],
)
def test_odd_ends_lose_nothing(archive, warnings):
    for piece_bytes in (7, 997, 10**6):
        plain, repacked = run(archive, piece_bytes)
        assert_good(plain, repacked)
        assert repacked.warnings == warnings


def pax_archive(tar_format: int) -> bytes:
    """An archive whose names need extended headers, as other tar programs write them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        folder = tarfile.TarInfo("d" * 90)
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in MEMBERS:
            info = tarfile.TarInfo(f"{'é' * 120}/{name}")
            info.size = len(content)
            if tar_format == tarfile.PAX_FORMAT:
                info.pax_headers = {"mtime": "1.5", "comment": "a=b\nc"}
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_extended_headers_are_understood(tar_format):
    plain, repacked = run(pax_archive(tar_format))
    assert_good(plain, repacked)


def test_other_members_are_passed_over_with_a_warning():
    others = [("./README.txt", b"hello"), ("./._sa_1.jpg", b"fork"), ("./sa_01.jpg", JPEG)]
    plain, repacked = run(builders.make_archive([*others, *MEMBERS]))
    assert_good(plain, repacked)
    assert repacked.warnings == ["passed over 3 other members, first './README.txt'"]


@pytest.mark.parametrize("suffix", ["JPG", "jpeg", "JPEG", "Jpg"])
def test_other_spellings_of_the_suffix_are_the_same_image(suffix):
    members = [(name.replace(".jpg", f".{suffix}"), data) for name, data in MEMBERS]
    plain, repacked = run(builders.make_archive(members))
    assert_good(plain, repacked)
    assert repacked.warnings == []


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [(b"V", "SA-1B part 1", b""), (b"V", "/abs", b""), (b"D", "./", b"Ysa_1.jpg\0\0")],
)
def test_a_label_of_the_archive_is_passed_over(kind, name, content):
    label = tarfile.TarInfo(name)
    label.type, label.size = kind, len(content)
    body = content + bytes(-len(content) % 512)
    archive = (
        label.tobuf(tarfile.GNU_FORMAT) + body + builders.make_archive(MEMBERS, compress=False)
    )
    plain, repacked = run(archive)
    assert_good(plain, repacked)
    assert repacked.warnings == []


def multi_picture(jpeg: bytes, images: int) -> bytes:
    """The JPEG with a multi-picture index, as stereo cameras write it."""
    directory = b"MM\0*" + struct.pack(">IH", 8, 1) + struct.pack(">HHII", 0xB001, 4, 1, images)
    body = b"MPF\0" + directory + bytes(4)
    return jpeg[:2] + b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def resized(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with other dimensions in its frame header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


@pytest.mark.parametrize(
    ("jpeg", "annotation", "problem", "size"),
    [
        (JPEG, JSON, None, (96, 64)),
        (JPEG + b"camera maker's bytes", JSON, None, (96, 64)),
        (multi_picture(JPEG, 1), JSON, None, (96, 64)),
        (b"", JSON, "not_jpeg", (0, 0)),
        (b"\x89PNG\r\n\x1a\n" + bytes(900), JSON, "not_jpeg", (0, 0)),
        (JPEG[:-2], JSON, "truncated", (96, 64)),
        (JPEG[: len(JPEG) // 2], JSON, "truncated", (96, 64)),
        (JPEG[:100], JSON, "truncated", (0, 0)),
        (JPEG[:2], JSON, "truncated", (0, 0)),
        (resized(JPEG, 0, 64), JSON, "bad_dimensions", (0, 64)),
        (resized(JPEG, 65_535, 65_535), JSON, "bad_dimensions", (65_535, 65_535)),
        (multi_picture(JPEG, 2), JSON, "multi_frame", (96, 64)),
        (JPEG, None, "no_annotation", (96, 64)),
        (JPEG, b"", "bad_annotation", (96, 64)),
        (JPEG, JSON[:-1], "bad_annotation", (96, 64)),
        (JPEG, b"[" * 100_000, "bad_annotation", (96, 64)),
        (JPEG, b"\xff\xfe\0", "bad_annotation", (96, 64)),
        (JPEG, b'{"image": {"image_id": 1, "width": "96"}}', "bad_annotation", (96, 64)),
        (JPEG, builders.annotation(2, (96, 64)), "bad_annotation", (96, 64)),
        (JPEG, b'{"annotations": [], ' + JSON[1:], None, (96, 64)),
        (JPEG, b'{"image": {"image_id": "1", "width": 96.0, "height": "64"}}', None, (96, 64)),
        (JPEG, b'{"image": {"image_id": 1.0, "width": 96, "height": 64.0}}', None, (96, 64)),
        (
            JPEG,
            b'{"image": {"image_id": 1.5, "width": 96, "height": 64}}',
            "bad_annotation",
            (96, 64),
        ),
        (
            JPEG,
            b'{"image": {"image_id": NaN, "width": 96, "height": 64}}',
            "bad_annotation",
            (96, 64),
        ),
        (
            JPEG,
            b'{"image": {"image_id": true, "width": 96, "height": 64}}',
            "bad_annotation",
            (96, 64),
        ),
        (
            JPEG,
            b'{"image": {"image_id": "x1", "width": 96, "height": 64}}',
            "bad_annotation",
            (96, 64),
        ),
        (JPEG, builders.annotation(1, (64, 96)), "size_mismatch", (96, 64)),
    ],
    ids=[
        *("whole", "maker-bytes", "one-picture", "empty", "png", "no-end", "half"),
        *("headerless", "two-bytes", "no-width", "too-large", "two-pictures", "no-json"),
        *("empty-json", "cut-json", "deep-json", "not-utf8", "few-fields", "other-id"),
        *("annotations-first", "texts", "floats", "half-id", "nan-id", "true-id", "word-id"),
        "other-size",
    ],
)
def test_what_is_wrong_with_an_image_is_in_its_row(jpeg, annotation, problem, size):
    members = [("./sa_9.jpg", JPEG), ("./sa_9.json", builders.annotation(9, (96, 64)))]
    if annotation is not None:
        members.append(("./sa_1.json", annotation))
    repacked = run_members(*members, ("./sa_1.jpg", jpeg))
    good, row = repacked.index.to_pylist()
    assert good["problem"] is None
    assert row["problem"] == problem
    assert (row["width"], row["height"], row["size"]) == (*size, len(jpeg))
    assert repacked.problems == ({problem: 1} if problem else {})


def test_a_huge_image_is_too_large():
    repacked = run_members(("sa_1.jpg", JPEG + bytes(32 * 2**20)), ("sa_1.json", JSON))
    assert repacked.problems == {"too_large": 1}


def test_the_second_image_of_an_id_is_the_duplicate():
    repacked = run_members(("a/sa_1.jpg", JPEG), ("sa_1.json", JSON), ("b/sa_1.jpg", JPEG))
    assert repacked.index.column("problem").to_pylist() == [None, "duplicate_id"]


def test_annotations_without_image_are_counted():
    extra = [(f"./sa_{n}.json", builders.annotation(n, (96, 64))) for n in (7, 8)]
    repacked = run_members(*MEMBERS, *extra, ("x/sa_8.json", b"{}"))
    assert repacked.annotations_without_image == 2
    assert repacked.warnings == ["1 annotations repeat an image id"]


def test_only_the_image_of_an_annotation_is_parsed():
    masks = {"segmentation": {"size": [64, 96], "counts": "Pl]W1" * 10_000}}
    whole = json.dumps({"image": json.loads(JSON)["image"], "annotations": [masks] * 3}).encode()
    assert run_members(("sa_1.jpg", JPEG), ("sa_1.json", whole)).problems == {}


def test_memory_does_not_grow_with_the_archive():
    def peak_bytes(copies: int) -> int:
        filler = [("./note.txt", bytes(300_000))] * copies
        archive = gzip.compress(builders.make_archive([*MEMBERS, *filler], compress=False), 1)
        pieces = [archive[i : i + 4096] for i in range(0, len(archive), 4096)]
        tracemalloc.start()
        repack(pieces, io.BytesIO(), where="sa_000000")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(1)  # the first call imports what it needs
    assert peak_bytes(60) < peak_bytes(15) + 100_000


def test_a_webdatasets_jpegs_keep_their_names_and_are_numbered_by_place():
    members = [
        ("./000/a.jpg", builders.make_jpeg(1)),
        ("000/a.txt", b"a caption"),
        ("000/a.json", b"{}"),
        ("000/._a.jpg", b"resource fork"),
        ("001/a.JPEG", builders.make_jpeg(2)),
        ("001/b.png", b"PNG"),
        ("001/" + 200 * "x" + "é.jpg", builders.make_jpeg(3)),
        ("000/a.jpg", builders.make_jpeg(4)),
    ]
    archive = builders.make_archive(members)
    out = io.BytesIO()
    repacked = repack([archive], out, where="sa_000002", first_id=2_000_000)
    rows = repacked.index.to_pylist()
    names = ["000/a.jpg", "001/a.JPEG", members[6][0], "000/a.jpg"]
    assert [row["file_name"] for row in rows] == names
    assert [row["image_id"] for row in rows] == [2_000_000, 2_000_001, 2_000_002, 2_000_003]
    assert [row["problem"] for row in rows] == [None, None, None, "duplicate_id"]
    assert repacked.warnings == [
        "passed over 4 other members, first '000/a.txt'",
        "1 of them are images of another format, which no caption is made of, first '001/b.png'",
    ]
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        assert tar.getnames() == names
    for row in rows[:3]:
        jpeg = out.getvalue()[row["offset"] : row["offset"] + row["size"]]
        assert row["jpeg_xxh3"] == xxhash.xxh3_128_hexdigest(jpeg)


def test_a_name_of_another_archive_is_one_line_without_control_characters():
    name = "a\x1b[31m\nb\\c.jpg"
    repacked = repack(
        [builders.make_archive([(name, JPEG)])], io.BytesIO(), where="sa_000000", first_id=0
    )
    assert repacked.index.column("file_name").to_pylist() == ["a_[31m_b_c.jpg"]


def test_an_archive_without_a_jpeg_is_refused_whatever_the_names():
    with pytest.raises(DamagedArchiveError, match="has no member <name>.jpg"):
        repack([builders.make_archive([("x.png", b"")])], io.BytesIO(), where="sa_0", first_id=0)
