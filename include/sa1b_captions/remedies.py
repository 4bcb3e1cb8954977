"""What to do about a damaged object: the command that makes it anew."""

import re

from sa1b_captions import layout
from sa1b_captions.errors import DamagedObjectError

_OF_OTHERS = "restore it, or delete it and run its stage again"


def remedy(key: str, otherwise: str = _OF_OTHERS) -> str:
    """What makes an object anew, as in `run sa1b-captions curate --shards …`."""
    for pattern, command in layout.COMMANDS:
        if match := re.fullmatch(pattern, key):
            return f"run sa1b-captions {command.format(**match.groupdict())}"
    return otherwise


def damaged(where: str, key: str, why: object) -> DamagedObjectError:
    """The error of an object that is not what was stored.

    Args:
        where: URL of the object.
        key: its key.
        why: how it was noticed, in words.
    """
    return DamagedObjectError(f"{where} is damaged: {' '.join(str(why).split())}; {remedy(key)}")
