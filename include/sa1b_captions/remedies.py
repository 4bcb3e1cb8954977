"""What to do about a damaged object: the command that makes it anew."""

import re

from sa1b_captions.errors import DamagedObjectError

_OF_OTHERS = "restore it, or delete it and run its stage again"

_COMMANDS = (
    (
        r"shards/(?P<shard>\w+)\..*",
        "ingest --shards {shard} --force, or pack its folder again with --force",
    ),
    (
        r"campaigns/[^/]+/captions/(?P<track>\w+)/(?P<shard>\w+)/.*",
        "caption --shards {shard} --tracks {track}",
    ),
    (
        r"campaigns/[^/]+/curated/(?P<track>\w+)/(?P<shard>\w+)/.*",
        "curate --shards {shard} --tracks {track} --force",
    ),
    (
        r"campaigns/[^/]+/audit/(?P<track>\w+)/(?P<shard>\w+)/.*",
        "audit --shards {shard} --tracks {track} --force",
    ),
    (r"campaigns/[^/]+/dedup/(?P<track>\w+)/.*", "dedup --tracks {track} --force"),
    (r"campaigns/[^/]+/quality/photographs\.parquet", "dedup --tracks single_en --force"),
    (r"campaigns/[^/]+/quality/(validations/)?release[./].*", "validate --release --force"),
    (
        r"campaigns/[^/]+/quality/(shards|validations)/(?P<shard>\w+)[./].*",
        "validate --shards {shard} --force",
    ),
)
"""Arguments of sa1b-captions that make an object anew, by a pattern of its key."""


def remedy(key: str, otherwise: str = _OF_OTHERS) -> str:
    """What makes an object anew, as in `run sa1b-captions curate --shards …`."""
    for pattern, command in _COMMANDS:
        if match := re.fullmatch(pattern, key):
            return f"run sa1b-captions {command.format(**match.groupdict())}"
    return otherwise


def damaged(where: str, key: str, why: object) -> DamagedObjectError:
    """The error of an object that is not what was stored.

    Args:
        where: URL of the object.
        why: how it was noticed, in words.
    """
    return DamagedObjectError(f"{where} is damaged: {' '.join(str(why).split())}; {remedy(key)}")
