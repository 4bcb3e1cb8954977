"""JSON objects as they are stored: each carries a checksum, and one that is damaged is told so.

A flipped bit in a text file leaves JSON that reads well and says something else. Objects that were
stored without a checksum are read as they are.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHECKSUM = "checksum"
"""Key of 16 hexadecimal digits over all the others."""


def render(content: Mapping[str, Any]) -> bytes:
    """Bytes of an object with its checksum, in UTF-8."""
    return json.dumps(_checked(content), ensure_ascii=False, indent=1).encode()


def line(content: Mapping[str, Any]) -> str:
    """An object with its checksum as one line, without a line break."""
    return json.dumps(_checked(content), ensure_ascii=False)


def _checked(content: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in content.items() if key != CHECKSUM}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False)
    return rest | {CHECKSUM: hashlib.sha256(text.encode()).hexdigest()[:16]}


def parse(data: bytes) -> dict[str, Any]:
    """What `render` made, its checksum included if it has one.

    Raises ValueError saying in words what is wrong with it.
    """
    if not data:
        raise ValueError("it is empty")
    try:
        content = json.loads(data)
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON from line {error.lineno} on") from None
    except RecursionError:
        raise ValueError("its brackets are nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    if CHECKSUM in content and content != _checked(content):
        raise ValueError("its content is not what was written, as its checksum shows")
    return content
