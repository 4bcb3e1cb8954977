"""What is different in how two versions were made, for the card and the diff stage."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sa1b_captions.errors import DamagedObjectError
from sa1b_captions.storage import Store

RECIPE = "recipe.json"
"""The whole recipe in a release's folder."""

_SHARDS = "shards"
"""Of a recipe; what a version holds is told by itself."""


def recipe_source(store: Store, prefix: str) -> dict[str, Any]:
    """Source of a release's recipe.

    Args:
        prefix: of its folder, with a final slash; empty if the store is the folder.

    Raises PermanentError: it is missing or damaged.
    """
    try:
        found = json.loads(store.read(prefix + RECIPE))
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
    except (ValueError, RecursionError) as error:
        raise DamagedObjectError(
            f"{store.locate(prefix + RECIPE)} is damaged: {error}; sa1b-captions verify says "
            "what else is"
        ) from None
    return found


def changed_settings(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Settings of two recipes that differ, by dotted name; None where one does not set it."""
    was, is_ = dict(_flat(before)), dict(_flat(after))
    names = [*was, *(name for name in is_ if name not in was)]
    pairs = {name: (was.get(name), is_.get(name)) for name in names if name != _SHARDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
