"""Parsed JSON as dataclasses, with the type of every field checked.

Fields that the class does not have are left out, so that a newer writer may add some; a field with
a default may be missing, so that an older one need not have known it. A field whose metadata says
`json: False` is never read; one whose metadata says `before` may stand under that older name.
"""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Converter = Callable[[Any, str], Any]

_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def build(kind: type[T], content: Any) -> T:
    """Make a dataclass of parsed JSON.

    Args:
        kind: a dataclass whose fields are texts, numbers, booleans, enumerations of texts, other
            such dataclasses, and lists, tuples of one type and dictionaries of these; or None.

    Raises ValueError naming the field that is missing or has another type.
    """
    convert: _Converter = _converter(kind)  # type: ignore[arg-type]  # a class is hashable
    found: T = convert(content, "")
    return found


@functools.cache
def _converter(kind: Any) -> _Converter:
    """What turns a parsed value into `kind`; its second argument is where the value stands."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _of_dataclass(kind)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not types.NoneType)
        convert = _converter(inner)
        return lambda value, where: None if value is None else convert(value, where)
    if origin in (list, tuple):
        return _of_list(origin, _converter(arguments[0]))
    if origin is dict:
        return _of_dictionary(_converter(arguments[1]))
    if issubclass(kind, enum.StrEnum):
        return _of_enumeration(kind)
    return _of_scalar(kind)


def _of_dataclass(kind: Any) -> _Converter:
    hints = typing.get_type_hints(kind)
    fields = [
        (
            field.name,
            field.metadata.get("before", field.name),
            _converter(hints[field.name]),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
        if field.metadata.get("json", True)
    ]

    def convert(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(where, "an object", value)
        values = {}
        for name, older, convert_field, required in fields:
            stored = name if name in value else older
            if stored in value:
                values[name] = convert_field(value[stored], f"{where}.{name}" if where else name)
            elif required:
                raise ValueError(f"it lacks {where}.{name}" if where else f"it lacks {name}")
        return kind(**values)

    return convert


def _of_list(kind: type, convert_one: _Converter) -> _Converter:
    def convert(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise _mismatch(where, "a list", value)
        return kind(convert_one(one, f"{where}[{place}]") for place, one in enumerate(value))

    return convert


def _of_dictionary(convert_one: _Converter) -> _Converter:
    def convert(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(where, "an object", value)
        return {name: convert_one(one, f"{where}.{name}") for name, one in value.items()}

    return convert


def _of_enumeration(kind: type[enum.StrEnum]) -> _Converter:
    members: dict[Any, Any] = {member.value: member for member in kind}
    expected = f"one of {', '.join(members)}"

    def convert(value: Any, where: str) -> Any:
        if not isinstance(value, str) or value not in members:
            raise _mismatch(where, expected, value)
        return members[value]

    return convert


def _of_scalar(kind: type) -> _Converter:
    accepted = (int, float) if kind is float else (kind,)

    def convert(value: Any, where: str) -> Any:
        if type(value) not in accepted:  # a boolean is an integer to isinstance
            raise _mismatch(where, _NAMES[kind], value)
        return value

    return convert


def _mismatch(where: str, expected: str, value: Any) -> ValueError:
    text = repr(value)
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    return ValueError(f"{where or 'it'} is {shown} and not {expected}")
