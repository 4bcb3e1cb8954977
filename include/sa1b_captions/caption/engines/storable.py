"""What of an engine's words and numbers fits a caption row: Unicode text, and counts of 32 bits."""

import dataclasses
import logging
from typing import Any

from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.caption.engines.generation import failed
from sa1b_captions.errors import PermanentError, RetryableError

_log = logging.getLogger(__name__)

MAX_CODE_CHARS = 60
_MAX_COUNT = 2**31 - 1


def clean_text(text: str) -> str:
    """Text that every store takes: halves of surrogate pairs are joined, lone ones are U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def token_count(value: Any) -> int | None:
    """A count as a whole number, if that is what it means and a column of int32 holds it."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:20])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_COUNT else None


def ask(engine: Engine, request: Request) -> Reply:
    """The engine's reply, storable; an exception that is no failure of the engine is the sample's.

    Raises:
        RetryableError: the engine is gone, or the store.
        PermanentError: the engine can never do its work.
    """
    try:
        return storable(engine.caption(request))
    except (RetryableError, PermanentError):
        raise
    except Exception as error:
        _log.exception("%s: a fault of engine %s", request.sample_id, engine.name)
        return storable(failed("engine_fault", f"{type(error).__name__}: {error}"))


def storable(reply: Reply) -> Reply:
    """The reply with texts and counts that a caption row can hold."""
    return dataclasses.replace(
        reply,
        caption=clean_text(reply.caption),
        finish_reason=_code(reply.finish_reason),
        error_code=_code(reply.error_code),
        error=None if reply.error is None else clean_text(reply.error),
        prompt_tokens=token_count(reply.prompt_tokens),
        completion_tokens=token_count(reply.completion_tokens),
        cached_tokens=token_count(reply.cached_tokens),
    )


def _code(text: str | None) -> str | None:
    return None if text is None else clean_text(text)[:MAX_CODE_CHARS]
