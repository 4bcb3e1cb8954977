"""Dataclasses from the tables of a TOML file; a table that does not fit is answered in words."""

from collections.abc import Iterable
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from sa1b_captions.spelling import did_you_mean

Made = TypeVar("Made")
_hints = cache(get_type_hints)

_WORDS: dict[type, tuple[str, tuple[type, ...]]] = {
    bool: ("true or false", (bool,)),
    int: ("a number", (int, float)),
    float: ("a number", (int, float)),
    str: ("text in quotes", (str,)),
    tuple: ("a list", (list, tuple)),
}
"""What a field of a type is called, and the types of the values that it takes."""


def make(kind: type[Made], content: object, path: str, **given: Any) -> Made:
    """The dataclass whose fields are a table's keys.

    Args:
        kind: a dataclass; fields with a default may be left out of the table.
        content: the table's keys and values.
        path: the table's name, for messages; empty for the whole file.
        given: fields that the table does not hold.

    Raises ValueError naming the table and the key that is unknown, missing or of another type.
    """
    entries = [entry for entry in fields(kind) if entry.name not in given]  # type: ignore[arg-type]
    table = require_known(content, [entry.name for entry in entries], path)
    hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
    for entry in entries:
        if entry.name in table:
            _require_fit(table[entry.name], hints[entry.name], f"{_table(path)} {entry.name}")
        elif MISSING is entry.default is entry.default_factory:
            raise ValueError(f"{_table(path)} lacks {entry.name!r}")
    return kind(**given, **table)


def require_known(content: object, names: Iterable[str], path: str) -> dict[str, Any]:
    """The table as it is, if it has no other keys than these.

    Raises ValueError naming the table and the key, with the name that is nearest.
    """
    names = list(names)
    table = require_table(content, path)
    for key in table:
        if key not in names:
            raise ValueError(f"{_table(path)} has no key {key!r}{did_you_mean(key, names)}")
    return table


def require_table(content: object, path: str) -> dict[str, Any]:
    """The content as it is, if it is a table. Raises ValueError naming what should be a table."""
    if not isinstance(content, dict):
        raise ValueError(f"{path} is {content!r}, expected a table")
    return content


def _table(path: str) -> str:
    return f"[{path}]" if path else "the top of it"


def _require_fit(value: object, hint: Any, what: str) -> None:
    kinds = get_args(hint) if type(None) in get_args(hint) else (hint,)
    kinds = tuple(get_origin(kind) or kind for kind in kinds)
    taken = [each for kind in kinds for each in _WORDS.get(kind, ("", (kind,)))[1]]
    if type(value) not in taken:
        raise ValueError(f"{what} is {value!r}, expected {_WORDS[kinds[0]][0]}")
