"""The right name for a misspelt one."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """` (did you mean x?)` with the known name that is nearest, or nothing where none is near.

    Args:
        prefix: what all names begin with; it says nothing of how near two of them are.
    """
    bare = [other.removeprefix(prefix) for other in known]
    nearest = difflib.get_close_matches(name.removeprefix(prefix), bare, n=1)
    return f" (did you mean {prefix}{nearest[0]}?)" if nearest else ""
