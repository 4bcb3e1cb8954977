import gzip
import io
import random
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.repacking.archive import repack
from tests.support import builders
from tests.support.sample_archive import BODY, GZIP, PLAIN, run

JPEG = builders.make_jpeg(1)
JSON = builders.annotation(1, (96, 64))


def refuse(archive: bytes, match: str) -> None:
    with pytest.raises(PermanentError, match=f"^sa_000000: .*{match}"):
        run(archive)


def hostile(name="sa_1.jpg", content=b"x", **attributes) -> bytes:
    """An archive with one good image and one member that has these header fields."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    padded = content + bytes(-len(content) % 512)
    return BODY + info.tobuf(tarfile.GNU_FORMAT) + padded + bytes(1024)


def pax_member(content: bytes) -> bytes:
    return hostile(type=tarfile.XHDTYPE, content=content)


@pytest.mark.parametrize(
    ("archive", "match"),
    [
        (hostile("../sa_1.jpg"), "'../sa_1.jpg' climbs out"),
        (hostile("a/../../sa_1.jpg"), "climbs out"),
        (hostile("/etc/sa_1.jpg"), "climbs out"),
        (hostile("..\\sa_1.jpg"), "climbs out"),
        (hostile("../d", type=tarfile.DIRTYPE, content=b""), "climbs out"),
        (hostile(type=tarfile.SYMTYPE, linkname="/etc/passwd", content=b""), "a link, a device"),
        (hostile(type=tarfile.LNKTYPE, linkname="sa_2.jpg", content=b""), "a link, a device"),
        (hostile(type=tarfile.CHRTYPE, content=b""), "a link, a device"),
        (hostile(type=tarfile.BLKTYPE, content=b""), "a link, a device"),
        (hostile(type=tarfile.FIFOTYPE, content=b""), "a link, a device"),
        (hostile(type=tarfile.GNUTYPE_SPARSE), "a link, a device"),
        (hostile(size=64 * 2**20 + 1), "over the bound"),
        (hostile(size=2**60), "over the bound"),
        (hostile(size=-512), "over the bound"),
        (hostile(type=tarfile.XHDTYPE, size=2**40), "extended header .* over the bound"),
        (hostile(type=tarfile.GNUTYPE_LONGNAME, size=-1), "extended header .* over the bound"),
        (pax_member(b"18 path=../../a.jpg\n"), "cannot be read"),
        (pax_member(b"5 a=b"), "cannot be read"),
        (pax_member(b"nonsense"), "cannot be read"),
        (pax_member(b"99 path=short\n"), "cannot be read"),
        (pax_member(b"10 path=a\n"), "header cannot be read"),  # and then nothing
        (pax_member(b"7 a=bc\n"), "header cannot be read"),
        (b"", "neither gzip nor tar"),
        (b"<!DOCTYPE html>" + b" " * 4_000, "neither gzip nor tar, it looks like a web page"),
        (random.Random(1).randbytes(5_000), "neither gzip nor tar"),
        (b"BZh91AY&SY" + bytes(2_000), "neither gzip nor tar"),
        (gzip.compress(b"not a tar" * 100), "neither gzip nor tar"),
        (GZIP[:200], "ends early"),
        (GZIP[:-1], "gzip data ends early"),
        (GZIP[:-8] + bytes(8), "damaged"),
        (PLAIN[:512], "ends early, inside a member"),
        (BODY, "ends early, without its end mark"),
        (PLAIN + PLAIN, "goes on after its end mark"),
        (bytes(1024), "no member sa_<id>.jpg"),
        (builders.make_archive([("sa_1.json", JSON)]), "no member sa_<id>.jpg"),
    ],
    ids=[
        *("parent", "inner-parent", "root", "backslash", "folder", "symlink", "hardlink"),
        *("char-device", "block-device", "fifo", "sparse", "large", "huge"),
        *("negative", "pax-size", "long-name-size", "pax-climbs", "pax-cut", "pax-words"),
        *("pax-short", "pax-nothing", "pax-after", "empty", "html", "noise", "bzip2"),
        *("gzip-words", "gzip-start", "gzip-no-end", "gzip-checksum", "one-header", "no-end-mark"),
        *("twice", "no-members", "no-image"),
    ],
)
def test_a_damaged_or_hostile_archive_is_refused(archive, match):
    refuse(archive, match)


def test_a_traversal_in_an_extended_header_is_refused():
    header = pax_member(b"23 path=../../sa_1.jpg\n").removesuffix(bytes(1024))
    refuse(header + PLAIN, "climbs out")


def test_extended_headers_without_end_are_refused_in_constant_memory():
    def pieces():
        yield gzip.compress(b"")
        info = tarfile.TarInfo("pax")
        info.type, info.size = tarfile.XHDTYPE, 10
        block = info.tobuf() + b"10 path=a\n" + bytes(502)
        for _ in range(3_000):
            yield gzip.compress(block, 1)

    with pytest.raises(PermanentError, match="ends early"):
        repack(pieces(), io.BytesIO(), where="sa_000000")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, len(BODY)), st.booleans())
def test_a_cut_archive_never_passes(at, compress):
    cut = PLAIN[:at]
    refuse(gzip.compress(cut, 1) if compress else cut, "ends early|neither")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.binary(max_size=9)), max_size=4),
    st.booleans(),
)
def test_damage_gives_a_result_or_a_permanent_error(edits, compress):
    data = bytearray(GZIP if compress else PLAIN)
    for at, new in edits:
        data[at % len(data) : at % len(data) + len(new)] = new
    try:
        plain, repacked = run(bytes(data))
    except PermanentError:
        return
    assert repacked.archive_bytes == len(plain)
    for row in repacked.index.to_pylist():
        assert row["offset"] + row["size"] <= len(plain)
