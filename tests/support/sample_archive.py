"""An archive of three images as the source has it, and what repacking makes of any archive."""

import gzip
import io

from sa1b_captions.ingest.repacking.archive import repack
from sa1b_captions.ingest.repacking.index import Repacked
from tests.support import builders

MEMBERS = builders.sa1b_members([1, 2, 3])
GZIP = builders.make_archive(MEMBERS, shuffle_seed=5)
PLAIN = gzip.decompress(GZIP)
BODY = PLAIN.rstrip(b"\0") + bytes(-len(PLAIN.rstrip(b"\0")) % 512)
"""PLAIN without its end mark."""


def run(archive: bytes, piece_bytes: int = 1000) -> tuple[bytes, Repacked]:
    """Plain tar and outcome of an archive that arrives in pieces of this size."""
    out = io.BytesIO()
    pieces = [archive[i : i + piece_bytes] for i in range(0, len(archive), piece_bytes)]
    repacked = repack(pieces, out, where="sa_000000")
    return out.getvalue(), repacked
