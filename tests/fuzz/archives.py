"""What ingest reads: archives, JPEG headers, annotations."""

import gzip
import io
import json
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import DamagedArchiveError
from sa1b_captions.ingest.repacking.annotation import read_annotation
from sa1b_captions.ingest.repacking.archive import repack
from sa1b_captions.ingest.repacking.index import Problem
from sa1b_captions.ingest.repacking.jpeg import read_jpeg_header
from tests.fuzz.mutations import changed_json, damaged_bytes, json_bytes
from tests.support import builders

MEMBERS = builders.sa1b_members([1, 2, 3])
JPEG = builders.make_jpeg(1)
ANNOTATION = MEMBERS[1][1]
PLAIN = builders.make_archive(MEMBERS, compress=False)
SEEDS = [
    PLAIN,
    builders.make_archive(MEMBERS),
    gzip.compress(PLAIN[:3_000]) + gzip.compress(PLAIN[3_000:]),
    PLAIN[: tarfile.BLOCKSIZE * 4],
]
HEADERS = st.builds(
    lambda name, size, kind: _header(name, size, kind),
    st.text(max_size=90),
    st.integers(0, 2**33),
    st.sampled_from(b"01234567gxLKSVDMNX\0"),
)


SEGMENTS = st.builds(
    lambda marker, payload, lie: (
        bytes([0xFF, marker]) + max(len(payload) + 2 + lie, 0).to_bytes(2, "big") + payload
    ),
    st.sampled_from([0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0x00, 0xFF]),
    st.one_of(
        st.binary(max_size=12),
        st.builds(lambda data: b"MPF\0MM\0*" + data, st.binary(max_size=40)),
        st.builds(lambda n: b"MPF\0II*\0" + bytes([n, 0, 0, 0, 1, 0, 1, 0xB0]), st.integers(0, 60)),
    ),
    st.sampled_from([0, 0, 0, -3, 5]),
)
JPEGS = st.builds(
    lambda parts, cut: b"".join([b"\xff\xd8", *parts])[: cut or None],
    st.lists(SEGMENTS, max_size=5),
    st.integers(-6, 0),
)
RECORDS = st.builds(
    lambda keyword, value, lie: _record(f"{keyword}={value}\n", lie),
    st.sampled_from(["path", "size", "GNU.sparse.map", "", "comment"]),
    st.one_of(st.integers(-(2**40), 2**70).map(str), st.text(max_size=12)),
    st.sampled_from([0, 0, 0, 1, -1]),
)
PAX = st.builds(
    lambda text, kind: _padded(_header("x", len(text.encode()), kind), text.encode()),
    st.lists(RECORDS, max_size=3).map("".join),
    st.sampled_from(b"xgXL"),
)


def _record(text: str, lie: int) -> str:
    """A pax record of one or two digits of length, or one that lies about it."""
    size = len(text.encode()) + 3
    return f"{size + lie:02d} {text}" if size > 9 else f"{size - 1 + lie} {text}"


def _padded(header: bytes, content: bytes) -> bytes:
    return header + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _header(name: str, size: int, kind: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, bytes([kind])
    return info.tobuf(tarfile.GNU_FORMAT, errors="replace")


MEMBER = builders.make_archive(MEMBERS[:1], compress=False).rstrip(b"\0")
MEMBER += bytes(-len(MEMBER) % tarfile.BLOCKSIZE)
BUILT = st.lists(st.one_of(PAX, HEADERS, st.just(MEMBER)), max_size=5).map(
    lambda blocks: b"".join([*blocks, MEMBER, bytes(2 * tarfile.BLOCKSIZE)])
)
"""Whole blocks in an order no tar program writes."""


@st.composite
def damaged(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with a few of its bytes overwritten, cut out, repeated, or replaced by a header."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        if draw(st.booleans()):
            at -= at % tarfile.BLOCKSIZE
        again = st.just(data[at : at + 1_024])
        patch = draw(st.one_of(st.binary(max_size=40), HEADERS, PAX, again))
        cut = draw(st.sampled_from([0, 1, len(patch), tarfile.BLOCKSIZE]))
        data = data[:at] + patch + data[at + cut :]
    return data


@given(st.one_of(BUILT, damaged(SEEDS)), st.integers(50, 20_000))
def archive(data: bytes, piece_bytes: int) -> None:
    """An archive is damaged, or every row of its index fits the tar that it was made into."""
    out = io.BytesIO()
    pieces = [data[i : i + piece_bytes] for i in range(0, len(data), piece_bytes)]
    try:
        repacked = repack(pieces, out, where="sa_000000")
    except DamagedArchiveError:
        return
    plain = out.getvalue()
    assert len(plain) == repacked.archive_bytes
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
        files = [(member.name, member.offset_data, member.size) for member in tar]
    rows = repacked.index.to_pylist()
    assert files == [(row["file_name"], row["offset"], row["size"]) for row in rows]
    assert {row["problem"] for row in rows} <= {None, *Problem}


@given(st.one_of(JPEGS, damaged([JPEG])))
def jpeg(data: bytes) -> None:
    """Any bytes are a JPEG header with its numbers, or none."""
    header = read_jpeg_header(data)
    assert header is None or (header.width >= 0 and header.height >= 0 and header.frames >= 0)


@given(
    st.one_of(damaged_bytes([ANNOTATION]), changed_json([json.loads(ANNOTATION)]).map(json_bytes))
)
def annotation(data: bytes) -> None:
    """Any bytes are an annotation with its numbers, or none."""
    found = read_annotation(data)
    assert found is None or min(found.image_id, found.width, found.height) >= 0
