"""What an SA-1B annotation file says about its image. The masks are not kept."""

import json
import re
from dataclasses import dataclass
from typing import Any

_IMAGE_FIRST = re.compile(rb'\s*\{\s*"image"\s*:\s*(?=\{)')
_IMAGE_OBJECT_BYTES = 4096
_MAX_PARSED_BYTES = 4 * 2**20
"""A file that does not begin with its image is parsed whole up to this size."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """The image that an annotation file belongs to."""

    image_id: int
    width: int
    height: int


def read_annotation(data: bytes) -> Annotation | None:
    """Read the image object of an annotation file; None when it is not usable.

    Of Meta's files, which begin with it, only that object is parsed: the masks after it are most
    of the archive's text, and parsing them would cost more than everything else ingest does.
    """
    image = _image_object(data)
    if not isinstance(image, dict):
        return None
    values = [image.get(key) for key in ("image_id", "width", "height")]
    image_id, width, height = map(_whole_number, values)
    return Annotation(image_id, width, height) if min(image_id, width, height) >= 0 else None


def _whole_number(value: Any) -> int:
    """A number that tools wrote as text or float, too; -1 for anything else."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value.strip(), re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if type(value) is int else -1


def _image_object(data: bytes) -> Any:
    try:
        first = _IMAGE_FIRST.match(data)
        if first is None:
            whole = json.loads(data) if len(data) <= _MAX_PARSED_BYTES else None
            return whole.get("image") if isinstance(whole, dict) else None
        if not data.rstrip().endswith(b"}"):
            return None
        head = data[first.end() : first.end() + _IMAGE_OBJECT_BYTES]
        image, _ = json.JSONDecoder().raw_decode(head.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return image
